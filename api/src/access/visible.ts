/**
 * The SQL twin of `rules.ts` for reading: a condition on a row `r` of `resource` or `resource_history` (columns t, pid, labels, org, dept,
 * author). What it hides does not show in any answer: not as a row, not in a count, not by an
 * error. Every query that reads records for a caller carries it. Most rows are decided by one look at who treats whom and one test of
 * bits; the rest is asked only of rows that carry a label, by functions of the database, which are planned once a session.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { type ResourceType, resourceTypes, typeCode } from '../fhir/resource-types.ts'
import { type Audience, audienceOf, clinicalReadable, deskTypes, insurerTypes, typeCodesOf } from './audience.ts'
import { groupBit, groupBitOf, groupBitsByCode, guardianGroupsFrom14 } from './data-groups.ts'
import { actorsOf } from './facts.ts'
import { adolescentBit, barredBit, hiddenBit, sensitiveBits, statutoryBit, unhideableBit, unjudged } from './labels.ts'
import type { Principal } from './principal.ts'
import { keysOf, type Permission, type Scope, scopesFor } from './scopes.ts'

/** A condition, or what it always is: conditions that are known need not be asked. */
type Condition = RawBuilder<SqlBool> | boolean

/**
 * Rows of alias `r` that the caller may read. With `type` the condition is simpler, which keeps the planner on the right
 * index. `each`: it is asked of row after row as they are found, and the planner is not to begin with it.
 */
export function visible(ctx: Ctx, type: ResourceType | null = null, permission: Permission = 'r', each = false): RawBuilder<SqlBool> {
  return written(any(ofAudience(type, 'directory'), byCaller(ctx, type, permission, each)))
}

function byCaller(ctx: Ctx, type: ResourceType | null, permission: Permission, each: boolean): Condition {
  const { principal } = ctx
  if (principal.kind === 'anonymous') return false
  const scoped = principal.kind === 'client' || principal.scopes.length > 0 ? byScope(principal, type, permission) : true
  if (scoped === false) return false
  if (principal.kind === 'client') return all(scoped, ofHospital(ctx, type))
  return all(scoped, byRole(ctx, type, each))
}

function byScope(principal: Principal, type: ResourceType | null, permission: Permission): Condition {
  return any(...scopesFor(principal, type, permission).map((scope) => oneScope(principal, scope, type)))
}

function oneScope(principal: Principal, scope: Scope, type: ResourceType | null): Condition {
  const ofType = scope.type === '*' ? true : ofTypes(type, [scope.type])
  const launched: Condition = scope.context !== 'patient' ? true : principal.launchPatient !== null && sql<SqlBool>`r.pid = ${keyOf(principal.launchPatient)}::uuid`
  // History keeps no keys: a version of the past is judged by what its resource is now.
  const tokens = scope.type === '*' ? [] : keysOf(scope, scope.type).map((key) => sql<SqlBool>`exists (select from resource k where k.id = r.id and k.t = r.t and k.shard = r.shard and ${String(key)}::bigint = any(k.keys))`)
  return all(ofType, launched, ...tokens)
}

/** A system that acts for a hospital or a region: the entries of its hospitals, and their patients. */
function ofHospital(ctx: Ctx, type: ResourceType | null): Condition {
  const { organization } = ctx.principal
  if (organization === null) return true
  const members = sql`select access_members(${keyOf(organization)}::uuid)`
  return any(not(ofAudience(type, 'patient')), sql<SqlBool>`coalesce(r.org in (${members}), false)`, all(ofTypes(type, ['Patient']), knownAt(ctx, members)))
}

function byRole(ctx: Ctx, type: ResourceType | null, each: boolean): Condition {
  const { principal } = ctx
  switch (principal.role) {
    case 'citizen': return principal.patient !== null && all(ofAudience(type, 'patient'), byFamily(ctx, type, keyOf(principal.patient)))
    case 'clinician': case 'gp': return any(ofAudience(type, 'staff'), all(ofTypes(type, clinicalReadable), byTreatment(ctx, each)))
    case 'scheduler': return principal.organization !== null && byDesk(ctx, type, keyOf(principal.organization))
    case 'insurer': return principal.organization !== null && all(ofTypes(type, insurerTypes), insuredBy(keyOf(principal.organization)))
    case 'public-health': return all(ofTypes(type, ['Condition']), sql<SqlBool>`r.pid is not null`, sql<SqlBool>`(r.labels & ${bits(statutoryBit)}) <> 0`)
    default: return false
  }
}

function byFamily(ctx: Ctx, type: ResourceType | null, own: string): Condition {
  const group = type === null ? sql`(${groupBitsByCode}::int[])[r.t]` : bits(groupBitOf(type))
  return sql<SqlBool>`(r.pid = ${own}::uuid or (r.pid in (select g.pid from proxy_grant g where g.grantee_pid = ${own}::uuid)
    and access_acts_for(r.pid, ${own}::uuid, ${ctx.now}, ${group}, ${labels}, ${bits(guardianGroupsFrom14)}, ${bits(groupBit('sensitive'))}, ${bits(adolescentBit)}, ${bits(sensitiveBits | hiddenBit)})))`
}

/** Bits as a literal: the planner then knows them. */
function bits(value: number): RawBuilder<unknown> {
  return sql.raw(String(value))
}

const labels = sql`coalesce(r.labels, ${bits(unjudged)})`

function byTreatment(ctx: Ctx, each: boolean): Condition {
  const { practitioner, organization } = ctx.principal
  if (practitioner === null) return false
  const actors = sql`${actorsOf(ctx)}::uuid[]`
  const treats = sql`c.practitioner = any(${actors}) and c.from_at <= ${ctx.now} and c.until_at > ${ctx.now}`
  const wrote = sql<SqlBool>`coalesce(r.author = ${keyOf(practitioner)}::uuid, false)`
  const opened = sql<SqlBool>`access_opened(r.pid, ${labels}, r.org, r.dept, ${actors}, ${ctx.now}, ${bits(hiddenBit)}, ${bits(sensitiveBits)})`
  const barred = sql`select b.pid from record_bar b where b.actor = any(${actors}) and b.from_at <= ${ctx.now} and b.until_at > ${ctx.now}`
  const ownHospital: Condition = organization !== null && sql<SqlBool>`coalesce(r.org = ${keyOf(organization)}::uuid, false)`
  return all(
    each ? sql<SqlBool>`exists (select from care_relation c where c.pid = r.pid and ${treats} offset 0)` : sql<SqlBool>`r.pid in (select c.pid from care_relation c where ${treats})`,
    any(sql<SqlBool>`(${labels} & ${bits(sensitiveBits | hiddenBit)}) = 0`, wrote, opened),
    any(sql<SqlBool>`r.pid not in (${barred})`, ownHospital, sql<SqlBool>`(${labels} & ${bits(unhideableBit)}) <> 0`, sql<SqlBool>`access_passes_bar(r.pid, ${actors}, ${ctx.now}, ${bits(barredBit)})`),
  )
}

function byDesk(ctx: Ctx, type: ResourceType | null, organization: string): Condition {
  return any(all(ofTypes(type, ['Patient']), knownAt(ctx, sql`${organization}::uuid`)), all(ofTypes(type, deskTypes), sql<SqlBool>`r.pid is not null`, sql<SqlBool>`r.org = ${organization}::uuid`))
}

function knownAt(ctx: Ctx, organizations: RawBuilder<unknown>): RawBuilder<SqlBool> {
  return sql<SqlBool>`exists (select from care_relation c where c.organization in (${organizations}) and c.pid = r.pid and c.from_at <= ${ctx.now} and c.until_at > ${ctx.now})`
}

function insuredBy(organization: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`exists (select from resource v where v.t = ${bits(typeCode('Coverage'))} and v.pid = r.pid and v.org = ${organization}::uuid)`
}

function ofAudience(type: ResourceType | null, audience: Audience): Condition {
  return type === null ? sql<SqlBool>`r.t in (${sql.raw(typeCodesOf(audience).join(','))})` : audienceOf(type) === audience
}

function ofTypes(type: ResourceType | null, types: readonly ResourceType[]): Condition {
  if (type !== null) return types.includes(type)
  return types.length === resourceTypes.length || sql<SqlBool>`r.t in (${sql.raw(types.map(typeCode).join(','))})`
}

function all(...conditions: Condition[]): Condition {
  const asked = conditions.filter((each) => each !== true)
  if (asked.includes(false)) return false
  const open = asked as RawBuilder<SqlBool>[]
  return open.length === 0 || (open.length === 1 ? open[0] as RawBuilder<SqlBool> : sql<SqlBool>`(${sql.join(open, sql` and `)})`)
}

function any(...conditions: Condition[]): Condition {
  const asked = conditions.filter((each) => each !== false)
  if (asked.includes(true)) return true
  const open = asked as RawBuilder<SqlBool>[]
  return open.length > 0 && (open.length === 1 ? open[0] as RawBuilder<SqlBool> : sql<SqlBool>`(${sql.join(open, sql` or `)})`)
}

function not(condition: Condition): Condition {
  return typeof condition === 'boolean' ? !condition : sql<SqlBool>`not ${condition}`
}

function written(condition: Condition): RawBuilder<SqlBool> {
  return typeof condition === 'boolean' ? sql<SqlBool>`${sql.raw(String(condition))}` : condition
}
