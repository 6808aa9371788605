/**
 * Loads what the rules look at. For a new place: the patient is locked first, so that two requests for one patient see each
 * other's bookings; sessions are locked only once the rules are content (take-place.ts), so that a sold-out clinic refuses
 * without making anybody wait. For an existing one: its session and booking are locked, then the Appointment is read anew.
 */
import type { Appointment, Patient } from '@medplum/fhirtypes'
import { mayActFor } from '../access/acts-for.ts'
import type { Ctx } from '../ctx.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { fail } from '../fhir/outcome.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Trx } from '../storage/pool.ts'
import { type BookingRow, lockBooking, lockPatient, placesTaken } from './booking-rows.ts'
import { parametersFor } from './parameters.ts'
import { type BookingFacts, checkRules, type OtherBooking } from './rules.ts'
import { freePlaceIn, parseSlotId, type Segment, segmentOfPlace } from './segments.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'

/** A citizen's wish: the Slot they chose and who will come. */
export interface Wish { slot: string; patient: string }

export interface TakeFacts {
  facts: BookingFacts
  session: SessionRow
  segment: Segment
  place: number
  patient: Patient & { id: string }
  pid: string
  /** Holds of the patient that have ended, and unconfirmed ones of the same caller, which a new wish replaces. */
  toClose: BookingRow[]
  /** What the same caller took for the same patient in the same segment already; null when nothing. */
  existing: BookingRow | null
}

/** @throws OutcomeError `slot-unknown`, `not-your-patient`, `reference-unresolved`. */
export async function loadTakeFacts(trx: Trx, ctx: Ctx, wish: Wish): Promise<TakeFacts> {
  const { session, place } = await loadSlot(trx, wish.slot)
  const segment = segmentOfPlace(session, place)
  const pid = keyOf(wish.patient)
  const common = { now: ctx.now, isProvider: isProvider(ctx, session), segment, session: sessionFacts(session), own: null }
  const parameters = await parametersOf(trx, session, ctx.now)
  const mayAct = await mayActFor(trx, ctx, pid)
  const facts: BookingFacts = { ...common, parameters, mayAct, segmentHasPlace: true, barredUntil: null, others: [] }
  // A stranger learns nothing more, and makes no row.
  if (!mayAct) checkRules('book', facts)
  const patient = await loadResource<Patient>(trx, 'Patient', wish.patient)
  if (!patient) throw fail('reference-unresolved', { zh: `没有找到就诊人 Patient/${wish.patient}。`, en: `Patient/${wish.patient} was not found.` })

  const barredUntil = await lockPatient(trx, pid)
  const all = await bookingsAhead(trx, pid, ctx.now)
  const toClose = all.filter((row) => isEnded(row, ctx.now) || (row.state === 'held' && row.booked_by === ctx.principal.id))
  const taken = await takenIn(trx, session.id, ctx.now, toClose)
  return {
    session, segment, place, pid, patient: { ...patient, id: wish.patient }, toClose,
    existing: all.find((row) => row.session_id === session.id && Date.parse(row.start_at) === segment.start.getTime() && row.booked_by === ctx.principal.id && !isEnded(row, ctx.now)) ?? null,
    facts: { ...facts, barredUntil, segmentHasPlace: freePlaceIn(segment, taken) !== null, others: all.filter((row) => !toClose.includes(row)).map(otherOf) },
  }
}

export function isEnded(row: BookingRow, now: Date): boolean {
  return row.state === 'held' && row.held_until !== null && Date.parse(row.held_until) <= now.getTime()
}

/** Numbers of the places that are taken now, but for bookings that are about to be closed. */
async function takenIn(trx: Trx, session: string, now: Date, closing: readonly BookingRow[]): Promise<Set<number>> {
  const gone = new Set(closing.map((row) => row.id))
  const rows = await placesTaken(trx, session)
  return new Set(rows.filter((row) => !isEnded(row, now) && !gone.has(row.id)).map((row) => row.no))
}

async function loadSlot(trx: Trx, id: string): Promise<{ session: SessionRow; place: number }> {
  const slot = parseSlotId(id)
  const session = slot ? await loadSession(trx, slot.session) : null
  if (!slot || !session || slot.place > session.capacity) {
    throw fail('slot-unknown', { zh: `没有找到号源 Slot/${id}，请重新选择。`, en: `Slot/${id} was not found. Please choose again.` })
  }
  return { session, place: slot.place }
}

async function loadSession(trx: Trx, id: string): Promise<SessionRow | null> {
  return await selectSessions(trx).where('s.id', '=', id).where('s.shard', '=', shardOf(id)).executeTakeFirst() ?? null
}

function parametersOf(trx: Trx, session: SessionRow, now: Date) {
  return parametersFor(trx, {
    region: `${session.district_code.slice(0, 2)}0000`, organization: session.organization, department: session.department,
    healthcareService: session.healthcare_service,
  }, now)
}

function sessionFacts(session: SessionRow): BookingFacts['session'] {
  return {
    status: session.status, releaseAt: new Date(session.release_at), serviceDate: session.service_date,
    organization: session.organization, department: session.department,
  }
}

function isProvider({ principal }: Ctx, session: SessionRow): boolean {
  return principal.kind === 'person' && principal.role !== 'citizen' && principal.organization === session.organization
}

function bookingsAhead(trx: Trx, pid: string, now: Date): Promise<BookingRow[]> {
  return trx.selectFrom('booking').selectAll().where('pid', '=', pid).where('service_date', '>=', dayInShanghai(now)).where('state', '<>', 'cancelled').execute()
}

function otherOf(row: BookingRow): OtherBooking {
  return {
    start: new Date(row.start_at), end: new Date(row.end_at), serviceDate: row.service_date, organization: row.organization,
    department: row.department, state: row.state,
  }
}

export interface OwnFacts { facts: BookingFacts; row: BookingRow; session: SessionRow; appointment: Appointment }

/**
 * The booking behind an Appointment, locked. The Appointment returned is the current one, read under the lock.
 * @throws OutcomeError `appointment-not-active` when booking does not know it.
 */
export async function loadOwnFacts(trx: Trx, ctx: Ctx, appointment: Appointment): Promise<OwnFacts> {
  const found = await findOwn(trx, appointment)
  if (!found) {
    throw fail('appointment-not-active', { zh: '该预约不是在本平台办理的，不能在此操作。', en: 'This appointment was not made on this platform and cannot be changed here.' })
  }
  const { row, session } = found
  return {
    row, session,
    appointment: await loadResource<Appointment>(trx, 'Appointment', row.appointment) ?? appointment,
    facts: {
      now: ctx.now, mayAct: await mayActFor(trx, ctx, row.pid), isProvider: isProvider(ctx, session), parameters: await parametersOf(trx, session, ctx.now),
      session: sessionFacts(session), segment: { start: new Date(row.start_at), end: new Date(row.end_at) }, segmentHasPlace: true,
      barredUntil: null, others: [], own: { state: row.state, heldUntil: row.held_until ? new Date(row.held_until) : null, cancelReason: row.cancel_reason },
    },
  }
}

/** Null for an Appointment that booking did not make. */
export async function findOwn(trx: Trx, appointment: Appointment): Promise<{ row: BookingRow; session: SessionRow } | null> {
  const slot = parseSlotId(appointment.slot?.[0]?.reference?.replace(/^.*Slot\//, '') ?? '')
  if (!slot || !appointment.id) return null
  const row = await lockBooking(trx, keyOf(appointment.id), slot.session)
  const session = row ? await loadSession(trx, slot.session) : null
  return row && session ? { row, session } : null
}
