/**
 * What becomes of the bookings of a suspended or substituted session, one transaction a booking. Suspended: places at other clinics are
 * kept for the patient as Appointments `proposed`, until the deadline that stands in the old one; where there is none, the booking is
 * cancelled at once. Substituted: the patient is asked, and silence is no consent. Each step may run again: a booking that has
 * its deadline is left alone. Locks: patient, sessions by id, bookings, Appointments.
 */
import type { Appointment, Patient } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { addDays, dayInShanghai } from '../fhir/date-time.ts'
import { shardOf } from '../fhir/id.ts'
import { writeNotices } from '../notices/write-notices.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { platform } from '../access/principal.ts'
import { awaitingChoice, newAppointment } from './appointment-resource.ts'
import { placeOf } from './board.ts'
import { type BookingRow, insertBookings, lockPatients, lockSessions, placesTakenIn, thisTransaction } from './booking-rows.ts'
import { type Choice, chooseOthers, chooseUntil } from './choices.ts'
import { cancelOwed } from './close-bookings.ts'
import { isEnded } from './facts.ts'
import { noticeParams } from './notice-params.ts'
import { parametersFor } from './parameters.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'
import { storeAppointments } from './take-place.ts'

const sessionsPerRun = 50
const candidatesMax = 60

/** The sweep behind `$suspend` and `$substitute`: sessions whose bookings were not all followed up, and deadlines that passed. @returns bookings handled. */
export async function followUp(db: Db, ctx: Ctx, store: Store): Promise<number> {
  const { rows } = await sql<{ id: string }>`select distinct s.id from clinic_session s join booking b on b.session_id = s.id and b.shard = s.shard
    where b.state in ('held', 'booked') and (s.status = 'suspended' or s.substitute_for is not null)
      and ((b.choose_until is null and b.end_at > ${ctx.now.toISOString()}::timestamptz and (s.status = 'suspended' or b.practitioner <> s.practitioner)) or b.choose_until <= ${ctx.now.toISOString()}::timestamptz)
    limit ${sessionsPerRun}`.execute(db)
  let handled = 0
  for (const { id } of rows) handled += await followUpSession(db, ctx, store, id)
  return handled
}

/** @returns how many bookings it handled. */
export async function followUpSession(db: Db, ctx: Ctx, store: Store, session: string): Promise<number> {
  const own = { ...ctx, principal: platform }
  // Whose time is over was seen; who still has a deadline is not left in limbo. Who booked first chooses first.
  const rows = await db.selectFrom('booking').select(['id', 'pid']).where('session_id', '=', session).where('state', 'in', ['held', 'booked'])
    .where((eb) => eb.or([eb('end_at', '>', ctx.now.toISOString()), eb('choose_until', 'is not', null)])).orderBy('created_at').orderBy('id').execute()
  let handled = 0
  for (const { id, pid } of rows) if (await inTransaction(db, (trx) => handle(trx, own, store, { id, pid, session }))) handled++
  return handled
}

async function handle(trx: Trx, ctx: Ctx, store: Store, at: { id: string; pid: string; session: string }): Promise<boolean> {
  await lockPatients(trx, [at.pid])
  const session = await selectSessions(trx).where('s.id', '=', at.session).executeTakeFirst()
  const row = await trx.selectFrom('booking').selectAll().where('id', '=', at.id).where('shard', '=', shardOf(at.session)).executeTakeFirst()
  if (!session || !row || (row.state !== 'held' && row.state !== 'booked')) return false
  const suspended = session.status === 'suspended'
  if (!suspended && row.practitioner === session.practitioner) return false
  if (row.choose_until !== null && Date.parse(row.choose_until) > ctx.now.getTime()) return false
  if (row.choose_until !== null) return end(trx, ctx, store, row, session, suspended ? 'choice-ended-suspended' : 'choice-ended-substituted')
  // A hold is no booking yet: it ends, and whoever held it is told why.
  if (row.state === 'held') return suspended ? end(trx, ctx, store, row, session, 'hold-suspended') : false
  return suspended ? offer(trx, ctx, store, row, session) : ask(trx, ctx, store, row, session)
}

/** Cancelled by the hospital: the fee is owed back. */
async function end(trx: Trx, ctx: Ctx, store: Store, row: BookingRow, session: SessionRow, kind: string): Promise<true> {
  await lockSessions(trx, await sessionsWithOffers(trx, row))
  const reason = session.status === 'suspended' ? 'provider-suspended' : 'provider-changed'
  await cancelOwed(trx, ctx, store, row, { reason, comment: session.status_reason, refundFen: row.state === 'held' ? null : session.fee_fen })
  await writeNotices(trx, ctx, [{ recipient: { kind: 'patient', id: row.patient }, kind, params: noticeParams(session, new Date(row.start_at)), appointment: row.appointment }])
  return true
}

export async function sessionsWithOffers(trx: Trx, row: Pick<BookingRow, 'id' | 'session_id'>): Promise<string[]> {
  const offers = await trx.selectFrom('booking').select('session_id').where('offer_of', '=', row.id).where('state', '=', 'offered').execute()
  return [row.session_id, ...offers.map((each) => each.session_id)]
}

async function offer(trx: Trx, ctx: Ctx, store: Store, row: BookingRow, session: SessionRow): Promise<true> {
  const parameters = await parametersFor(trx, placeOf(session), ctx.now)
  const candidates = await candidatesFor(trx, ctx, session, parameters['suspend.rebookPriorityDays'])
  const kept = await trx.selectFrom('booking').select(['id', 'start_at', 'end_at']).where('pid', '=', row.pid).where('state', 'not in', ['cancelled', 'fulfilled', 'noshow', 'offered'])
    .where('service_date', '>=', dayInShanghai(ctx.now)).execute()
  const busy = kept.filter((each) => each.id !== row.id).map((each) => ({ start: new Date(each.start_at), end: new Date(each.end_at) }))
  const pick = async (among: readonly SessionRow[]) => chooseOthers({
    now: ctx.now, lost: session, start: new Date(row.start_at), candidates: among, taken: await takenIn(trx, ctx, among), busy,
    days: parameters['suspend.rebookPriorityDays'], minLeadMinutes: parameters['window.minLeadMinutes'], choicesMax: parameters['suspend.choices'],
  })
  const wanted = (await pick(candidates)).map((each) => each.session)
  // Chosen again under the locks: what was free a moment ago may have gone.
  const locked = await lockSessions(trx, [row.session_id, ...wanted.map((each) => each.id)])
  const choices = await pick(wanted.map((each) => ({ ...each, status: locked.get(each.id)?.status ?? 'closed' })))
  if (choices.length === 0) return end(trx, ctx, store, row, session, 'session-suspended-no-choice')
  const until = chooseUntil(ctx.now, new Date(row.start_at), parameters['suspend.choiceMinutes'])
  await keepChoices(trx, ctx, store, row, choices, until)
  await waitForWord(trx, ctx, store, row, until)
  await writeNotices(trx, ctx, [{
    recipient: { kind: 'patient', id: row.patient }, kind: 'session-suspended', appointment: row.appointment,
    params: { ...noticeParams(session, new Date(row.start_at)), until: until.toISOString() },
  }])
  return true
}

async function candidatesFor(trx: Trx, ctx: Ctx, lost: SessionRow, days: number): Promise<SessionRow[]> {
  return selectSessions(trx).where('s.organization', '=', lost.organization).where('s.department', '=', lost.department).where('s.status', '=', 'open')
    .where('s.end_at', '>', ctx.now.toISOString()).where('s.service_date', '>=', dayInShanghai(ctx.now)).where('s.service_date', '<=', addDays(lost.service_date, days))
    .whereRef('s.used', '<', 's.capacity').orderBy('s.start_at').orderBy('s.id').limit(candidatesMax).execute()
}

async function takenIn(trx: Trx, ctx: Ctx, sessions: readonly SessionRow[]): Promise<Map<string, Set<number>>> {
  const taken = await placesTakenIn(trx, sessions.map((each) => each.id))
  // An ended hold still has its row, and the place its constraint, until the sweep closes it.
  return new Map([...taken].map(([id, rows]) => [id, new Set(rows.filter((each) => !isEnded(each, ctx.now) || each.state === 'held').map((each) => each.no))]))
}

/** The places as Appointments `proposed`, which say what they would replace and until when they are kept. */
async function keepChoices(trx: Trx, ctx: Ctx, store: Store, row: BookingRow, choices: readonly Choice[], until: Date): Promise<void> {
  const patient = { ...await loadResource<Patient>(trx, 'Patient', row.patient), resourceType: 'Patient' as const, id: row.patient }
  const made = choices.map((choice) => ({ choice, id: ctx.newId(shardOf(row.pid)) }))
  await insertBookings(trx, made.map(({ choice: { session, segment, place }, id }) => ({
    appointment: id, session: session.id, no: place, pid: row.pid, patient: row.patient, state: 'offered', heldUntil: until, start: segment.start, end: segment.end,
    by: row.booked_by, channel: 'public', offerOf: row.id, at: ctx.now,
  })))
  await storeAppointments(trx, store, made.map(({ choice: { session, segment, place }, id }) => ({
    ctx, method: 'create' as const,
    appointment: newAppointment({ id, state: 'offered', session, segment, place, patient, created: ctx.now, heldUntil: until, given: null, channel: 'public', replaces: row.appointment }),
  })))
}

/** The booking waits for the patient's word. */
async function waitForWord(trx: Trx, ctx: Ctx, store: Store, row: BookingRow, until: Date): Promise<void> {
  await trx.updateTable('booking').set({ choose_until: until, updated_at: ctx.now, changed: thisTransaction }).where('id', '=', row.id).where('shard', '=', row.shard).execute()
  const appointment = await loadResource<Appointment>(trx, 'Appointment', row.appointment)
  if (!appointment) throw new Error(`The booking ${row.id} has no Appointment.`)
  await storeAppointments(trx, store, [{ ctx, method: 'update', appointment: awaitingChoice(appointment, until) }])
}

async function ask(trx: Trx, ctx: Ctx, store: Store, row: BookingRow, session: SessionRow): Promise<true> {
  await lockSessions(trx, [row.session_id])
  const parameters = await parametersFor(trx, placeOf(session), ctx.now)
  const until = chooseUntil(ctx.now, new Date(row.start_at), parameters['suspend.choiceMinutes'])
  await waitForWord(trx, ctx, store, row, until)
  await writeNotices(trx, ctx, [{
    recipient: { kind: 'patient', id: row.patient }, kind: 'doctor-substituted', appointment: row.appointment,
    params: { ...noticeParams(session, new Date(row.start_at)), until: until.toISOString() },
  }])
  return true
}
