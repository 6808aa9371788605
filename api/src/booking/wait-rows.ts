/**
 * The statements on the waitlist and on places that cool. A cooling place is a booking row of nobody: counters and searches see it taken.
 * Invariant, as for every row of `booking`: `used` of a session is the number of its bookings that are not cancelled. wait_log is only
 * added to.
 */
import { type Insertable, type Selectable, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { shardOf } from '../fhir/id.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { WaitEntryTable, WaitLogTable } from '../storage/tables.ts'
import { type PlaceRow, thisTransaction } from './booking-rows.ts'

export type WaitEntry = Selectable<WaitEntryTable>

/** Nobody: the patient of a cooling place. */
const nobody = '00000000-0000-0000-0000-000000000000'

/** Keeps the place of a booking that was just cancelled, until an instant. Under the session's lock. */
export async function coolPlace(trx: Trx, ctx: Ctx, row: PlaceRow, returnAt: Date): Promise<void> {
  const id = ctx.newId(shardOf(row.session_id))
  await sql`with kept as (
      insert into booking (shard, id, appointment, session_id, no, pid, patient, state, start_at, end_at, service_date, organization, department, practitioner,
        booked_by, channel, created_at, updated_at, return_at)
      select b.shard, ${id}::uuid, '', b.session_id, b.no, ${nobody}::uuid, '', 'cooling', b.start_at, b.end_at, b.service_date, b.organization, b.department, b.practitioner,
        'platform', b.channel, ${ctx.now.toISOString()}::timestamptz, ${ctx.now.toISOString()}::timestamptz, ${returnAt.toISOString()}::timestamptz
      from booking b where b.id = ${row.id}::uuid and b.shard = ${row.shard} returning session_id, shard)
    update clinic_session s set used = s.used + 1 from kept k where s.id = k.session_id and s.shard = k.shard`.execute(trx)
}

/** Ends the keeping of a cooling place. Under the session's lock. @returns false when somebody else ended it. */
export async function endCooling(trx: Trx, row: PlaceRow): Promise<boolean> {
  const done = await trx.deleteFrom('booking').where('id', '=', row.id).where('shard', '=', row.shard).where('state', '=', 'cooling').executeTakeFirst()
  if (done.numDeletedRows === 0n) return false
  await trx.updateTable('clinic_session').set((eb) => ({ used: eb('used', '-', 1), changed: thisTransaction })).where('id', '=', row.session_id).where('shard', '=', row.shard).execute()
  return true
}

export async function logWaits(trx: Trx, rows: readonly Omit<Insertable<WaitLogTable>, 'id'>[]): Promise<void> {
  if (rows.length > 0) await trx.insertInto('wait_log').values([...rows]).execute()
}

/** The entry that an offered booking answers, locked; null for an offer that is not the waitlist's. @param offer booking.id */
export async function entryOfOffer(trx: Trx, offer: string): Promise<WaitEntry | null> {
  return await trx.selectFrom('wait_entry').selectAll().where('offer', '=', offer).forUpdate().executeTakeFirst() ?? null
}

export async function changeEntry(trx: Trx, ctx: Ctx, entry: Pick<WaitEntry, 'id' | 'shard'>, to: Partial<Pick<WaitEntry, 'state' | 'declined' | 'offer'>> & { answer_until?: Date | null }): Promise<void> {
  await trx.updateTable('wait_entry').set({ ...to, updated_at: ctx.now }).where('id', '=', entry.id).where('shard', '=', entry.shard).execute()
}

/** Those who wait in a department, with the instant of the visit that an earlier place would replace; null: none. */
export async function waitingIn(db: Db, organization: string, department: string): Promise<(WaitEntry & { booked_at: string | null })[]> {
  return await db.selectFrom('wait_entry as w').leftJoin('booking as b', (join) => join.onRef('b.id', '=', 'w.earlier_than').on('b.state', '=', 'booked'))
    .selectAll('w').select('b.start_at as booked_at').where('w.organization', '=', organization).where('w.department', '=', department)
    .where('w.state', 'in', ['waiting', 'offered']).orderBy('w.joined_at').limit(5000).execute()
}

/** Entries that were offered a place before and did not take it: nobody is asked twice about the same one. */
export async function entriesThatHad(db: Db, place: Pick<PlaceRow, 'session_id' | 'no'>): Promise<Set<string>> {
  const rows = await db.selectFrom('wait_log').select('entry').where('session_id', '=', place.session_id).where('no', '=', place.no).where('event', 'in', ['declined', 'lapsed']).execute()
  return new Set(rows.flatMap((row) => row.entry ?? []))
}
