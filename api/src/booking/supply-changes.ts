/** Who changed what of the supply: rows that are only added (the database refuses anything else). */
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { SupplyChangeTable } from '../storage/tables.ts'
import { organizationShard } from './generate-sessions.ts'
import type { SupplyChangeView } from './shapes.ts'

const changesMax = 200

export interface SupplyChange { kind: SupplyChangeTable['kind']; subject: string; from: string; before: object | null; after: object | null; sessions: number; patients: number }

export async function recordSupplyChange(trx: Trx, ctx: Ctx, { kind, subject, from, before, after, sessions, patients }: SupplyChange): Promise<void> {
  const organization = ctx.principal.organization ?? ''
  const shard = organizationShard(organization)
  await trx.insertInto('supply_change').values({
    shard, id: ctx.newId(shard), organization, kind, subject, from_day: from, before: json(before), after: json(after),
    sessions, patients, set_by: ctx.principal.id, set_by_name: ctx.principal.name, set_at: ctx.now,
  }).execute()
}

/** As text, or the driver would make a JSON string of it. */
function json(value: object | null) {
  return value === null ? null : sql`${JSON.stringify(value)}::text::jsonb`
}

/** The latest first. */
export async function listSupplyChanges(db: Db, organization: string): Promise<SupplyChangeView[]> {
  const rows = await db.selectFrom('supply_change').select(['id', 'kind', 'subject', 'from_day', 'before', 'after', 'sessions', 'patients', 'set_by_name', 'set_at']).where('organization', '=', organization)
    .orderBy('set_at', 'desc').orderBy('id', 'desc').limit(changesMax).execute()
  return rows.map((row) => ({
    id: row.id, kind: row.kind, subject: row.subject, from: row.from_day, before: row.before as SupplyChangeView['before'], after: row.after as SupplyChangeView['after'],
    sessions: row.sessions, patients: row.patients, setBy: row.set_by_name, setAt: row.set_at,
  }))
}
