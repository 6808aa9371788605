/**
 * AuditEvent over FHIR: read and search of the audit trail, for the citizen whose record it is about (and who acts for them in everything), for
 * the audit administrator, and for systems with the scope. A projection over `audit_event`; newest first or last, pages cut at instant and id.
 * What the caller may not see is not there. Source: FHIR R4 AuditEvent; docs/access.md, "The audit trail".
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { groupBit } from '../access/data-groups.ts'
import { scopesFor } from '../access/scopes.ts'
import type { Ctx } from '../ctx.ts'
import { instantText, timeRange } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import { nearest } from '../fhir/nearest.ts'
import { fail } from '../fhir/outcome.ts'
import { parseReference } from '../fhir/references.ts'
import { typeCode } from '../fhir/resource-types.ts'
import type { Db } from '../storage/pool.ts'
import { accessRuleUrl, auditEventOf, type AuditRow } from './audit-event.ts'
import { likeText } from './search/criterion.ts'
import { projectedPage, type Reading, readingOf } from './search/projected-page.ts'
import type { Projection } from './store.ts'

/** One row a search parameter: how its values become a condition on `e`. */
const parameters: Readonly<Record<string, (value: string) => RawBuilder<SqlBool>>> = {
  '_id': (value) => sql<SqlBool>`e.id = any(${value.split(',').filter((each) => uuid.test(each))}::uuid[])`,
  'patient': (value) => sql<SqlBool>`e.pid = ${keyOf(idOf('patient', value, 'Patient'))}::uuid`,
  'date': dateCondition,
  'agent': (value) => sql<SqlBool>`e.practitioner = ${idOf('agent', value, 'Practitioner')}`,
  'agent-name': (value) => sql<SqlBool>`e.principal_name ilike ${`${likeText(value)}%`}`,
  'agent-role': (value) => sql<SqlBool>`e.role = any(${codes(value)}::text[])`,
  'altid': (value) => sql<SqlBool>`e.principal_id = any(${codes(value)}::text[])`,
  'action': (value) => sql<SqlBool>`e.action::text = any(${codes(value)}::text[])`,
  'entity': entityCondition,
  'entity-type': (value) => sql<SqlBool>`e.resource_type = any(${codes(value)}::text[])`,
  'outcome': (value) => sql<SqlBool>`(case when e.outcome < 400 then '0' else '4' end) = any(${codes(value)}::text[])`,
  'subtype': (value) => sql<SqlBool>`e.interaction = any(${codes(value)}::text[])`,
  'policy': (value) => sql<SqlBool>`e.basis = any(${codes(value).map((each) => each.replace(accessRuleUrl, ''))}::text[])`,
}
const known = [...Object.keys(parameters), '_count', '_page', '_sort', '_format', '_pretty']
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const countDefault = 50
const countMax = 500

export const auditProjection: Projection = {
  parameters: Object.keys(parameters),
  order: '-date',

  async read(db, ctx, id) {
    if (!uuid.test(id)) return null
    const [row] = await select(db, [sql<SqlBool>`e.id = ${id}::uuid`, inSight(ctx)], 1)
    return row ? auditEventOf(row, row.patient_id ?? null, ctx.language) : null
  },

  async search(db, ctx, query) {
    const count = countOf(query.get('_count'))
    const reading = readingOf(query, this.order)
    const rows = await select(db, [...conditionsOf(query), inSight(ctx), ...behind(reading)], count + 1, reading)
    return projectedPage(query, rows, count, reading, (row) => ({ at: row.recorded_at, id: row.id, place: 0 }), (row) => auditEventOf(row, row.patient_id ?? null, ctx.language))
  },

  async count(db, ctx, query) {
    const { rows } = await sql<{ total: number }>`select count(*)::int as total from audit_event e where ${sql.join([...conditionsOf(query), inSight(ctx)], sql` and `)}`.execute(db)
    return rows[0]?.total ?? 0
  },
}

/** Whose rows the caller reads. */
function inSight({ principal, now }: Ctx): RawBuilder<SqlBool> {
  if (principal.kind === 'client') {
    if (scopesFor(principal, 'AuditEvent', 's').length === 0 && scopesFor(principal, 'AuditEvent', 'r').length === 0) return sql<SqlBool>`false`
    return principal.organization === null ? sql<SqlBool>`true` : sql<SqlBool>`e.organization = ${principal.organization}`
  }
  if (principal.kind !== 'person') return sql<SqlBool>`false`
  const scoped = principal.scopes.length === 0 || scopesFor(principal, 'AuditEvent', 's').some((scope) => scope.context === 'user' || (principal.launchPatient !== null && principal.launchPatient === principal.patient))
  if (!scoped) return sql<SqlBool>`false`
  if (principal.role === 'admin-audit') return sql<SqlBool>`true`
  if (principal.role !== 'citizen' || principal.patient === null) return sql<SqlBool>`false`
  const own = keyOf(principal.patient)
  return sql<SqlBool>`(e.pid = ${own}::uuid or e.pid in (select g.pid from proxy_grant g where g.grantee_pid = ${own}::uuid and g.from_at <= ${now}
    and (g.until_at is null or g.until_at > ${now}) and (g.limited_at is null or g.limited_at > ${now}) and g.groups & ${sql.raw(String(groupBit('access')))} <> 0))`
}

async function select(db: Db, conditions: readonly RawBuilder<SqlBool>[], limit: number, { direction }: Pick<Reading, 'direction'> = { direction: sql`desc` }): Promise<AuditRow[]> {
  const { rows } = await sql<AuditRow>`select e.*, p.patient_id from (
      select e.* from audit_event e where ${sql.join([...conditions], sql` and `)} order by e.recorded_at ${direction}, e.id ${direction} limit ${limit}
    ) e left join lateral (select substring(r.content from '"id":"([^"]+)"') as patient_id from resource r
      where r.t = ${sql.raw(String(typeCode('Patient')))} and r.id = e.pid) p on true
    order by e.recorded_at ${direction}, e.id ${direction}`.execute(db)
  return rows
}

function conditionsOf(query: URLSearchParams): RawBuilder<SqlBool>[] {
  const conditions: RawBuilder<SqlBool>[] = []
  for (const [given, value] of query) {
    const name = given === 'patient:Patient' ? 'patient' : given
    if (!known.includes(name)) {
      const hint = nearest(name, known) ?? 'patient'
      throw fail('parameter-unknown', { zh: `审计记录不支持参数“${name.slice(0, 64)}”，最接近的是 ${hint}。`, en: `AuditEvent has no parameter "${name.slice(0, 64)}"; the nearest is ${hint}.` }, name.slice(0, 64))
    }
    if (name === '_sort' && value !== '-date' && value !== 'date') throw invalid('_sort')
    const condition = parameters[name]
    if (condition) conditions.push(condition(value))
  }
  return conditions
}

function behind({ after, behind: compares }: Reading): RawBuilder<SqlBool>[] {
  return after === null ? [] : [sql<SqlBool>`(e.recorded_at, e.id) ${compares} (${after.at}::timestamptz, ${after.id}::uuid)`]
}

const comparisons: Readonly<Record<string, (lo: string, hi: string) => RawBuilder<SqlBool>>> = {
  eq: (lo, hi) => sql<SqlBool>`(e.recorded_at >= ${lo}::timestamptz and e.recorded_at <= ${hi}::timestamptz)`,
  ge: (lo) => sql<SqlBool>`e.recorded_at >= ${lo}::timestamptz`, gt: (_, hi) => sql<SqlBool>`e.recorded_at > ${hi}::timestamptz`, sa: (_, hi) => sql<SqlBool>`e.recorded_at > ${hi}::timestamptz`,
  le: (_, hi) => sql<SqlBool>`e.recorded_at <= ${hi}::timestamptz`, lt: (lo) => sql<SqlBool>`e.recorded_at < ${lo}::timestamptz`, eb: (lo) => sql<SqlBool>`e.recorded_at < ${lo}::timestamptz`,
}

function dateCondition(value: string): RawBuilder<SqlBool> {
  const [, prefix = 'eq', text = ''] = /^([a-z]{2})?(.*)$/.exec(value) ?? []
  const range = timeRange(text.replace(' ', '+'))
  const compare = comparisons[prefix]
  if (!range || !compare) throw invalid('date')
  return compare(instantText(range.lo), instantText(range.hi))
}

/** `Condition/7`. */
function entityCondition(value: string): RawBuilder<SqlBool> {
  const target = parseReference(value)
  if (target.kind !== 'local') throw invalid('entity')
  return sql<SqlBool>`(e.resource_type = ${target.type} and e.resource_id = ${target.id})`
}

function idOf(name: string, value: string, type: string): string {
  const target = parseReference(value.includes('/') ? value : `${type}/${value}`)
  if (target.kind !== 'local' || target.type !== type) throw invalid(name)
  return target.id
}

/** Codes of a token list; a system before the bar is not looked at, because each column has one. */
function codes(value: string): string[] {
  return value.split(',').map((each) => each.slice(each.indexOf('|') + 1))
}

function countOf(value: string | null): number {
  if (value === null) return countDefault
  if (!/^\d{1,6}$/.test(value) || Number(value) === 0) throw invalid('_count')
  return Math.min(Number(value), countMax)
}

function invalid(name: string) {
  return fail('parameter-invalid', { zh: `参数 ${name} 的值不正确。`, en: `The value of ${name} is not valid.` }, name)
}
