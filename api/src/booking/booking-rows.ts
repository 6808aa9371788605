/**
 * The statements on `clinic_session` and `booking`, each under the lock of its session. Invariant: `used` of a session is the
 * number of its bookings that are not cancelled; both change in the same transaction, here and nowhere else.
 * Locks are taken in one order by everybody: the patient, then sessions by id, then bookings, then Appointments.
 */
import type { Insertable, Selectable } from 'kysely'
import { shardOf } from '../fhir/id.ts'
import type { Trx } from '../storage/pool.ts'
import type { BookingTable, ClinicSessionTable } from '../storage/tables.ts'
import type { BookingState } from './rules.ts'

export type BookingRow = Selectable<BookingTable>

/** Waits for everyone else who is booking for this patient. @returns until when the patient is barred, null when not. */
export async function lockPatient(trx: Trx, pid: string): Promise<Date | null> {
  const shard = shardOf(pid)
  const lock = () => trx.selectFrom('booking_patient').select('barred_until').where('pid', '=', pid).where('shard', '=', shard).forUpdate().executeTakeFirst()
  let row = await lock()
  if (!row) {
    await trx.insertInto('booking_patient').values({ shard, pid, barred_until: null }).onConflict((conflict) => conflict.columns(['pid', 'shard']).doNothing()).execute()
    row = await lock()
  }
  return row?.barred_until ? new Date(row.barred_until) : null
}

/** Locks sessions in the order of their ids. @returns the state of each as it is under the lock. */
export async function lockSessions(trx: Trx, ids: Iterable<string>): Promise<Map<string, Pick<ClinicSessionTable, 'id' | 'capacity' | 'used'> & { status: 'open' | 'suspended' | 'closed' }>> {
  const locked = new Map()
  for (const id of [...new Set(ids)].sort()) {
    const row = await trx.selectFrom('clinic_session').select(['id', 'capacity', 'used', 'status'])
      .where('id', '=', id).where('shard', '=', shardOf(id)).forUpdate().executeTakeFirst()
    if (row) locked.set(id, row)
  }
  return locked
}

/** Bookings that keep a place of a session, ended holds among them. */
export function placesTaken(trx: Trx, session: string): Promise<BookingRow[]> {
  return trx.selectFrom('booking').selectAll().where('session_id', '=', session).where('shard', '=', shardOf(session)).where('state', '<>', 'cancelled').execute()
}

/**
 * The booking behind an Appointment, locked after its patient and its session; null when it has none. The patient is locked because
 * a new choice of theirs may be replacing this very hold.
 */
export async function lockBooking(trx: Trx, key: string, session: string): Promise<BookingRow | null> {
  const at = trx.selectFrom('booking').where('id', '=', key).where('shard', '=', shardOf(session))
  const found = await at.select('pid').executeTakeFirst()
  if (!found) return null
  await lockPatient(trx, found.pid)
  await lockSessions(trx, [session])
  return await at.selectAll().forUpdate().executeTakeFirst() ?? null
}

/** Under the session's lock. @throws a violated named constraint when a rule of the database is broken after all. */
export async function insertBooking(trx: Trx, row: Insertable<BookingTable>): Promise<void> {
  await trx.insertInto('booking').values(row).execute()
  await trx.updateTable('clinic_session').set((eb) => ({ used: eb('used', '+', 1) }))
    .where('id', '=', row.session_id).where('shard', '=', row.shard).execute()
}

/** Moves a booking that is not cancelled into a state that keeps its place. */
export async function setState(trx: Trx, row: BookingRow, state: Exclude<BookingState, 'held' | 'cancelled'>, now: Date): Promise<void> {
  await trx.updateTable('booking').set({ state, held_until: null, updated_at: now })
    .where('id', '=', row.id).where('shard', '=', row.shard).where('state', '<>', 'cancelled').execute()
}

/** Cancels under the session's lock and gives the place back. @returns false when its state is no longer that of `row`. */
export async function cancelRow(trx: Trx, row: BookingRow, reason: string, now: Date): Promise<boolean> {
  const done = await trx.updateTable('booking').set({ state: 'cancelled', held_until: null, cancel_reason: reason, updated_at: now })
    .where('id', '=', row.id).where('shard', '=', row.shard).where('state', '=', row.state).where('state', '<>', 'cancelled').executeTakeFirst()
  if (done.numUpdatedRows === 0n) return false
  await trx.updateTable('clinic_session').set((eb) => ({ used: eb('used', '-', 1) }))
    .where('id', '=', row.session_id).where('shard', '=', row.shard).execute()
  return true
}
