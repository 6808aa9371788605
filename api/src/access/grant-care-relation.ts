/**
 * Opens a patient's record to those who treat them, for the time around the reason. Written in the transaction that creates
 * the reason; ended, not deleted, when the reason falls away.
 */
import { type Kysely, sql } from 'kysely'
import { shardOf } from '../fhir/id.ts'
import type { Trx } from '../storage/pool.ts'
import type { CareRelationTable, Tables } from '../storage/tables.ts'

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

export async function grantCareRelation(trx: Trx, reason: CareReason): Promise<void> {
  await (trx as Kysely<Tables>).insertInto('care_relation').values({
    shard: shardOf(reason.pid), pid: reason.pid, practitioner: reason.practitioner, organization: reason.organization,
    department: reason.department ?? null, opens: reason.opens ?? 0, reason: reason.reason, reason_id: reason.reasonId, from_at: reason.from, until_at: reason.until,
  }).onConflict((conflict) => conflict.constraint('care_relation_unique').doUpdateSet({
    from_at: reason.from, until_at: reason.until, department: reason.department ?? null, opens: reason.opens ?? 0,
  })).execute()
}

/** The reason has gone (a booking was cancelled before the visit): the record closes now. */
export async function endCareRelation(trx: Trx, reasonId: string, at: Date): Promise<void> {
  await trx.updateTable('care_relation').set({ until_at: sql`least(until_at, ${at})` }).where('reason_id', '=', reasonId).execute()
}
