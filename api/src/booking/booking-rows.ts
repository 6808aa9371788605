/**
 * The statements on `clinic_session` and `booking`, each under the lock of its session. Invariant: `used` of a session is the
 * number of its bookings that are not cancelled; both change in the same transaction, here and nowhere else.
 * Locks are taken in one order by everybody: the patient, then sessions by id, then bookings, then Appointments.
 */
import { type Selectable, sql, type SqlBool } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { plainArray, textArray } from '../storage/array-literal.ts'
import type { Trx } from '../storage/pool.ts'
import type { BookingTable, ClinicSessionTable } from '../storage/tables.ts'
import type { BookingState } from './rules.ts'

export type BookingRow = Selectable<BookingTable>

const placeColumns = ['id', 'shard', 'session_id', 'no', 'pid', 'state', 'held_until', 'appointment', 'referral'] as const
/** What must be known of a booking to see its place kept, or to give it back. */
export type PlaceRow = Pick<BookingRow, (typeof placeColumns)[number]>

/** Waits for everyone else who is booking for these patients. @returns until when each is barred, null when not. */
export async function lockPatients(trx: Trx, pids: readonly string[]): Promise<Map<string, Date | null>> {
  const sorted = [...new Set(pids)].sort()
  if (sorted.length === 0) return new Map()
  const lock = async () => (await sql<{ pid: string; barred_until: string | null }>`select b.pid, b.barred_until from booking_patient b
    join unnest(${plainArray(sorted)}::uuid[], ${plainArray(sorted.map(shardOf))}::int[]) as w (pid, shard) on b.pid = w.pid and b.shard = w.shard
    order by b.pid for update of b`.execute(trx)).rows
  let rows = await lock()
  if (rows.length < sorted.length) {
    await sql`insert into booking_patient (shard, pid) select w.shard, w.pid
      from unnest(${plainArray(sorted.map(shardOf))}::int[], ${plainArray(sorted)}::uuid[]) as w (shard, pid) on conflict do nothing`.execute(trx)
    rows = await lock()
  }
  return new Map(rows.map((row) => [row.pid, row.barred_until === null ? null : new Date(row.barred_until)]))
}

type LockedSession = Pick<Selectable<ClinicSessionTable>, 'id' | 'capacity' | 'used' | 'status'>

/** Locks sessions in the order of their ids. @returns the state of each as it is under the lock. */
export async function lockSessions(trx: Trx, ids: Iterable<string>): Promise<Map<string, LockedSession>> {
  const sorted = [...new Set(ids)].sort()
  const { rows } = await sql<LockedSession>`select s.id, s.capacity, s.used, s.status from clinic_session s
    join unnest(${plainArray(sorted)}::uuid[], ${plainArray(sorted.map(shardOf))}::int[]) as w (id, shard) on s.id = w.id and s.shard = w.shard
    order by s.id for update of s`.execute(trx)
  return new Map(rows.map((row) => [row.id, row]))
}

/** Bookings that keep a place of each session, ended holds among them. */
export async function placesTakenIn(trx: Trx, sessions: readonly string[]): Promise<Map<string, PlaceRow[]>> {
  const found = new Map<string, PlaceRow[]>(sessions.map((id) => [id, []]))
  if (sessions.length === 0) return found
  const rows = await trx.selectFrom('booking').select(placeColumns).where(sql<SqlBool>`session_id = any(${plainArray(sessions)}::uuid[])`).where('state', '<>', 'cancelled').execute()
  for (const row of rows) found.get(row.session_id)?.push(row)
  return found
}

/**
 * The booking behind an Appointment, locked after its patient and its session; null when it has none. The patient is locked because
 * a new choice of theirs may be replacing this very hold.
 */
export async function lockBooking(trx: Trx, key: string, session: string): Promise<BookingRow | null> {
  const at = trx.selectFrom('booking').where('id', '=', key).where('shard', '=', shardOf(session))
  const found = await at.select('pid').executeTakeFirst()
  if (!found) return null
  await lockPatients(trx, [found.pid])
  await lockSessions(trx, [session])
  return await at.selectAll().forUpdate().executeTakeFirst() ?? null
}

/** FHIR id of the patient of a booking, without a lock; null when there is no such booking. */
export async function patientOfBooking(trx: Trx, key: string): Promise<string | null> {
  const row = await trx.selectFrom('booking').select('patient').where('id', '=', key).executeTakeFirst()
  return row?.patient ?? null
}

/** A booking to be made; the rest follows from its session. Instants are Dates; `held_until` null for a booking. */
export interface NewBooking {
  appointment: string
  session: string
  no: number
  pid: string
  patient: string
  state: 'held' | 'offered' | 'booked'
  heldUntil: Date | null
  start: Date
  end: Date
  by: string
  channel: BookingRow['channel']
  offerOf: string | null
  /** Key of the ServiceRequest it is booked with; null when none. */
  referral?: string | null
  at: Date
}

/** Under the locks of their sessions, in one statement. @throws a violated named constraint when a rule of the database is broken after all. */
export async function insertBookings(trx: Trx, made: readonly NewBooking[]): Promise<void> {
  if (made.length === 0) return
  const plain = (valueOf: (each: NewBooking) => string | number | null) => plainArray(made.map(valueOf))
  const texts = (valueOf: (each: NewBooking) => string) => textArray(made.map(valueOf))
  await sql`with made as (
      insert into booking (shard, id, appointment, session_id, no, pid, patient, state, held_until, start_at, end_at, service_date, organization,
        department, practitioner, booked_by, channel, offer_of, referral, created_at, updated_at)
      select s.shard, w.id, w.appointment, s.id, w.no, w.pid, w.patient, w.state, w.held_until, w.start_at, w.end_at, s.service_date, s.organization,
        s.department, s.practitioner, w.booked_by, w.channel, w.offer_of, w.referral, w.at, w.at
      from unnest(${plain((each) => keyOf(each.appointment))}::uuid[], ${texts((each) => each.appointment)}::text[], ${plain((each) => each.session)}::uuid[],
        ${plain((each) => shardOf(each.session))}::int[], ${plain((each) => each.no)}::smallint[], ${plain((each) => each.pid)}::uuid[], ${texts((each) => each.patient)}::text[],
        ${texts((each) => each.state)}::text[], ${plain((each) => each.heldUntil?.toISOString() ?? null)}::timestamptz[], ${plain((each) => each.start.toISOString())}::timestamptz[],
        ${plain((each) => each.end.toISOString())}::timestamptz[], ${texts((each) => each.by)}::text[], ${texts((each) => each.channel)}::text[], ${plain((each) => each.offerOf)}::uuid[],
        ${plain((each) => each.referral ?? null)}::uuid[], ${plain((each) => each.at.toISOString())}::timestamptz[])
        as w (id, appointment, session, shard, no, pid, patient, state, held_until, start_at, end_at, booked_by, channel, offer_of, referral, at)
      join clinic_session s on s.id = w.session and s.shard = w.shard
      returning session_id, shard),
    counted as (select session_id, shard, count(*)::int as places from made group by session_id, shard)
    update clinic_session s set used = s.used + c.places from counted c where s.id = c.session_id and s.shard = c.shard`.execute(trx)
}

/** Marks a row for readers who ask what is new since their snapshot. */
export const thisTransaction = sql<string>`pg_current_xact_id()`

/** Moves a booking that is not cancelled into a state that keeps its place. */
export async function setState(trx: Trx, row: BookingRow, state: Exclude<BookingState, 'held' | 'offered' | 'cancelled'>, now: Date): Promise<void> {
  await trx.updateTable('booking').set({ state, held_until: null, choose_until: null, updated_at: now, changed: thisTransaction })
    .where('id', '=', row.id).where('shard', '=', row.shard).where('state', '<>', 'cancelled').execute()
}

/** A place that was offered is booked, by whoever accepted it. Under the session's lock. */
export async function takeOffered(trx: Trx, ctx: Ctx, row: BookingRow): Promise<void> {
  await setState(trx, row, 'booked', ctx.now)
  await trx.updateTable('booking').set({ booked_by: ctx.principal.id }).where('id', '=', row.id).where('shard', '=', row.shard).where('state', '=', 'booked').execute()
}

/** Cancels under the session's lock and gives the place back. @returns false when its state is no longer that of `row`. */
export async function cancelRow(trx: Trx, row: PlaceRow, reason: string, now: Date, refundFen: bigint | null = null): Promise<boolean> {
  const done = await trx.updateTable('booking').set({ state: 'cancelled', held_until: null, choose_until: null, cancel_reason: reason, refund_fen: refundFen, updated_at: now, changed: thisTransaction })
    .where('id', '=', row.id).where('shard', '=', row.shard).where('state', '=', row.state).where('state', '<>', 'cancelled').executeTakeFirst()
  if (done.numUpdatedRows === 0n) return false
  await trx.updateTable('clinic_session').set((eb) => ({ used: eb('used', '-', 1) }))
    .where('id', '=', row.session_id).where('shard', '=', row.shard).execute()
  return true
}

/**
 * Clinics that will not be held. A question that patients were asked before (about a substitute) falls away: the sweep asks them what concerns
 * them now. Under the sessions' locks.
 */
export async function endSessions(trx: Trx, ids: readonly string[], how: { status: 'closed' | 'suspended'; reason: string | null; now: Date }): Promise<void> {
  if (ids.length === 0) return
  await trx.updateTable('clinic_session').set({ status: how.status, status_reason: how.reason, updated_at: how.now, changed: thisTransaction }).where('id', 'in', ids).execute()
  await trx.updateTable('booking').set({ choose_until: null, updated_at: how.now, changed: thisTransaction }).where('session_id', 'in', ids).where('state', '=', 'booked').where('choose_until', 'is not', null).execute()
}
