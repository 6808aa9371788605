/**
 * The audit trail: one row per patient concerned, insert-only. A write's rows are in its transaction; a read's rows are
 * committed before the answer goes out, so that an answered read is never without its row. Rows of many readers that arrive
 * together share one insert. Why a professional was let in is looked up as the row is written: it is the relation that was open at
 * that moment. No value of a record ever enters a row. Source: IHE BALP, docs/access.md.
 */
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { plainArray, textArray } from '../storage/array-literal.ts'
import { batched } from '../storage/batched.ts'
import type { AuditEventTable, Tables } from '../storage/tables.ts'

export interface AuditEntry {
  action: AuditEventTable['action']
  /** FHIR interaction (`read`, `search-type`, `create` …) or operation name (`$book`). */
  interaction: string
  resourceType: string | null
  resourceId: string | null
  /** Key of the patient concerned; null when none is. */
  pid: string | null
  /** Counts and types, never values of a record; null when there is nothing to add. */
  detail: string | null
  /** HTTP status of the answer. */
  outcome: number
}

/** Writes rows in the caller's transaction (a write), or at once (a read). */
export async function recordEvents(db: Kysely<Tables>, ctx: Ctx, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return
  const rows = entries.map((entry) => rowOf(ctx, entry))
  if (db.isTransaction) await insert(db, rows)
  else await inserterOf(db)(rows)
}

/** Rows of several requests, in the transaction that writes for all of them. */
export async function recordEventsOf(trx: Transaction<Tables>, events: readonly { ctx: Ctx; entries: readonly AuditEntry[] }[]): Promise<void> {
  const rows = events.flatMap(({ ctx, entries }) => entries.map((entry) => rowOf(ctx, entry)))
  if (rows.length > 0) await insert(trx, rows)
}

const inserters = new WeakMap<object, (rows: Row[]) => Promise<void>>()
type Row = ReturnType<typeof rowOf>

function inserterOf(db: Kysely<Tables>): (rows: Row[]) => Promise<void> {
  let inserter = inserters.get(db)
  if (!inserter) {
    inserter = batched<Row[], void>({
      max: 64,
      run: async (groups) => {
        await insert(db, groups.flat())
        return groups.map(() => undefined)
      },
    })
    inserters.set(db, inserter)
  }
  return inserter
}

const columns = {
  shard: 'int', id: 'uuid', recorded_at: 'timestamptz', pid: 'uuid', action: 'text', interaction: 'text', resource_type: 'text', resource_id: 'text',
  detail: 'text', outcome: 'smallint', principal_kind: 'text', principal_id: 'text', principal_name: 'text', role: 'text', practitioner: 'text',
  organization: 'text', organization_name: 'text', purpose: 'text', basis: 'text', request_id: 'text',
} as const satisfies Record<keyof Row, string>
const names = Object.keys(columns) as (keyof Row)[]
const columnList = sql.raw(names.join(', '))

/** One array a column: the statement, and with it its prepared plan, is the same for one row and for the thousands of a bundle. */
async function insert(db: Kysely<Tables>, rows: readonly Row[]): Promise<void> {
  const arrays = names.map((name) => {
    const values = rows.map((row) => row[name])
    return sql`${columns[name] === 'text' ? textArray(values as (string | null)[]) : plainArray(values)}::${sql.raw(columns[name])}[]`
  })
  const actors = rows.map((row) => (row.outcome >= 400 || row.practitioner === null ? null : keyOf(row.practitioner)))
  const hospitals = rows.map((row) => (row.organization === null ? null : keyOf(row.organization)))
  await sql`insert into audit_event (${columnList}) select ${columnsOfU}, case when why.reason = 'break-glass' then 'ETREAT' else u.purpose end, coalesce(why.reason, u.basis), u.request_id
    from unnest(${sql.join(arrays)}, ${plainArray(actors)}::uuid[], ${plainArray(hospitals)}::uuid[]) as u (${columnList}, actor, hospital)
    left join lateral (select c.reason from care_relation c where u.actor is not null and c.pid = u.pid and c.practitioner in (u.actor, u.hospital)
      and c.from_at <= u.recorded_at and c.until_at > u.recorded_at order by c.reason <> 'break-glass', c.until_at desc limit 1) why on true`.execute(db)
}

const columnsOfU = sql.raw(names.filter((name) => !['purpose', 'basis', 'request_id'].includes(name)).map((name) => `u.${name}`).join(', '))

function rowOf(ctx: Ctx, entry: AuditEntry) {
  const { principal } = ctx
  return {
    shard: entry.pid === null ? 0 : shardOf(entry.pid),
    id: ctx.newId(entry.pid === null ? 0 : shardOf(entry.pid)),
    // As text: the driver takes an array of Dates for one Date.
    recorded_at: ctx.now.toISOString(),
    pid: entry.pid,
    action: entry.action,
    interaction: entry.interaction,
    resource_type: entry.resourceType,
    resource_id: entry.resourceId,
    detail: entry.detail,
    outcome: entry.outcome,
    principal_kind: principal.kind,
    principal_id: principal.id,
    principal_name: principal.name,
    role: principal.role,
    practitioner: principal.practitioner,
    organization: principal.organization,
    organization_name: principal.organizationName,
    purpose: purposeOf(ctx),
    basis: basisOf(ctx, entry),
    request_id: ctx.requestId,
  }
}

/** v3 PurposeOfUse of the caller's role. */
function purposeOf({ principal }: Ctx): string {
  switch (principal.role) {
    case 'citizen': return 'PATRQT'
    case 'clinician': case 'gp': return 'TREAT'
    case 'insurer': return 'HPAYMT'
    case 'public-health': return 'PUBHLTH'
    case 'scheduler': return 'HOPERAT'
    default: return principal.role === null ? 'HOPERAT' : 'SYSADMIN'
  }
}

/** Why it was allowed: the name of the rule; a professional's relation takes its place where one was open. Or that it was not. */
function basisOf({ principal }: Ctx, entry: AuditEntry): string {
  if (entry.outcome >= 400) return 'refused'
  if (principal.kind === 'client') return 'system-scope'
  if (entry.pid === null) return 'none'
  switch (principal.role) {
    case 'citizen': return principal.patient !== null && entry.pid === keyOf(principal.patient) ? 'own-record' : 'acting-for-family'
    case 'clinician': case 'gp': return 'care-relation'
    case 'scheduler': return 'hospital-desk'
    case 'insurer': return 'insurer-claim'
    case 'public-health': return 'statutory-report'
    default: return principal.role ?? 'none'
  }
}
