/**
 * Opens a patient's record to those who treat them, for the time around the reason. Written in the transaction that creates
 * the reason; ended, not deleted, when the reason falls away.
 */
import { sql } from 'kysely'
import { shardOf } from '../fhir/id.ts'
import type { Trx } from '../storage/pool.ts'
import type { CareRelationTable } from '../storage/tables.ts'

export interface CareReason {
  /** Keys. */
  pid: string
  /** Of the Practitioner or, when a whole hospital is meant, of its Organization. */
  practitioner: string
  organization: string
  /** Code of the national catalogue; null when unknown. It opens the department's own sensitive entries. */
  department?: string | null
  reason: CareRelationTable['reason']
  reasonId: string
  /** Label bits that it opens whatever the department. */
  opens?: number
  from: Date
  until: Date
}

/** Any number at once, each of another reason, with one statement. */
export async function grantCareRelations(trx: Trx, reasons: readonly CareReason[]): Promise<void> {
  if (reasons.length === 0) return
  const column = <K extends keyof CareReason>(name: K) => reasons.map((each) => each[name])
  await sql`insert into care_relation (shard, pid, practitioner, organization, department, opens, reason, reason_id, from_at, until_at)
    select * from unnest(${reasons.map((each) => shardOf(each.pid))}::int[], ${column('pid')}::uuid[], ${column('practitioner')}::uuid[],
      ${column('organization')}::uuid[], ${reasons.map((each) => each.department ?? null)}::text[], ${reasons.map((each) => each.opens ?? 0)}::int[],
      ${column('reason')}::text[], ${column('reasonId')}::uuid[],
      ${reasons.map((each) => each.from.toISOString())}::timestamptz[], ${reasons.map((each) => each.until.toISOString())}::timestamptz[])
    on conflict on constraint care_relation_unique do update
      set from_at = excluded.from_at, until_at = excluded.until_at, department = excluded.department, opens = excluded.opens`.execute(trx)
}

/** The reason has gone (a booking was cancelled before the visit): the record closes now. */
export async function endCareRelation(trx: Trx, reasonId: string, at: Date): Promise<void> {
  await trx.updateTable('care_relation').set({ until_at: sql`least(until_at, ${at})` }).where('reason_id', '=', reasonId).execute()
}
