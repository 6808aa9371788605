/**
 * Taking places, for one wish or for all that arrived together: load once, decide in the order of arrival (pure, on the board), lock
 * the sessions only when somebody gets something and decide again under the lock, write each table with one statement.
 * What stood in the way only by name is closed in the same transaction: ended holds, the same caller's unconfirmed hold for
 * this patient, the booking that a move replaces. Locks: patients, sessions by id, bookings, Appointments.
 * Invariant: nobody takes a place that somebody keeps; guarded by the lock and, behind it, by booking_place_unique.
 */
import type { Appointment } from '@medplum/fhirtypes'
import { type CareReason, grantCareRelations } from '../access/grant-care-relation.ts'
import { addMinutes, addSeconds } from '../fhir/date-time.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { OutcomeError } from '../fhir/outcome.ts'
import type { Store } from '../records/store.ts'
import { writeResources } from '../records/write-resources.ts'
import type { Trx } from '../storage/pool.ts'
import { newAppointment } from './appointment-resource.ts'
import { type Board, loadBoard, lockBoard, type Member, type Wish } from './board.ts'
import { type BookingRow, insertBookings, type NewBooking, type PlaceRow } from './booking-rows.ts'
import { channelTaken } from './channels.ts'
import { closeBookings, type Closing } from './close-bookings.ts'
import { isEnded, type TakeFacts, takeFacts } from './facts.ts'
import { followBookings } from './referral/follow-booking.ts'
import { brokenRules, checkRules } from './rules.ts'

export interface Taking extends Wish {
  verb: 'hold' | 'book' | 'move'
  /** An Appointment sent along with its reason and comment; null when there is none. */
  given: Appointment | null
  /** FHIR id for the Appointment; null to make one. */
  id: string | null
}

/** `taken`: to be stored; `existing`: a repeated wish of the same caller gets what it got before; `refused`: why not. */
export type Answer = { taken: Appointment } | { existing: string } | { refused: OutcomeError }

interface Decided { member: Member<Taking>; take: TakeFacts; place: number; booking: NewBooking; appointment: Appointment }

/** Decides for every member and writes the bookings; the Appointments that are `taken` the caller stores, in the same transaction. */
export async function takePlaces(trx: Trx, store: Store, members: readonly Member<Taking>[]): Promise<Answer[]> {
  const board = await loadBoard(trx, members)
  if (!members.some((member) => mayTake(board, member))) return members.map((member) => answerOf(board, member, null))
  await lockBoard(trx, board, sessionsConcerned(board, members))
  const decided: Decided[] = []
  const closings = new Map<string, Closing>()
  const answers = members.map((member) => answerOf(board, member, (take) => {
    const each = decide(member, take)
    for (const closing of closingsOf(board, member, take)) closings.set(closing.row.id, closing)
    enter(board, each, closings)
    decided.push(each)
    return each.appointment
  }))
  const ctx = members[0]?.ctx
  if (!ctx) return answers
  await closeBookings(trx, ctx, store, [...closings.values()])
  await insertBookings(trx, decided.map((each) => each.booking))
  await grantCareRelations(trx, decided.filter((each) => each.booking.state === 'booked').map(({ booking, take }) => careReason({
    id: keyOf(booking.appointment), pid: take.pid, practitioner: take.session.practitioner, organization: take.session.organization, department: take.session.department, start: take.segment.start,
  })))
  await followBookings(trx, ctx, store, 'book', decided.filter((each) => each.booking.state === 'booked').map(({ booking }) => ({
    id: keyOf(booking.appointment), appointment: booking.appointment, referral: booking.referral ?? null, end_at: booking.end.toISOString(),
  })))
  return answers
}

/** One wish inside somebody's transaction. @returns the Appointment to be stored. @throws OutcomeError of the rules. */
export async function takePlace(trx: Trx, store: Store, member: Member<Taking>): Promise<Answer> {
  const [answer] = await takePlaces(trx, store, [member])
  if (!answer) throw new Error('A wish has an answer.')
  return answer
}

function mayTake(board: Board, member: Member<Taking>): boolean {
  try {
    return brokenRules(member.wish.verb, takeFacts(board, member).facts).length === 0
  } catch (error) {
    if (error instanceof OutcomeError) return false
    throw error
  }
}

/** @param take what to do with a wish that breaks no rule; null when no wish can be fulfilled. */
function answerOf(board: Board, member: Member<Taking>, take: ((facts: TakeFacts) => Appointment) | null): Answer {
  try {
    const loaded = takeFacts(board, member)
    const { existing } = loaded
    if (existing && isAnswer(existing, member.wish)) return { existing: existing.appointment }
    checkRules(member.wish.verb, loaded.facts)
    if (!take) throw new Error('A wish that breaks no rule was not taken.')
    return { taken: take(loaded) }
  } catch (error) {
    if (error instanceof OutcomeError) return { refused: error }
    throw error
  }
}

/** Asking again gives what one has; a move to the time one has moves nothing. */
function isAnswer(existing: BookingRow, { verb, replaces }: Taking): boolean {
  return existing.state === (verb === 'hold' ? 'held' : 'booked') && (verb !== 'move' || existing.id === replaces)
}

function sessionsConcerned(board: Board, members: readonly Member<Taking>[]): Set<string> {
  const ids = new Set(board.sessions.keys())
  for (const member of members) {
    const rows = board.bookings.get(keyOf(member.wish.patient)) ?? []
    for (const row of rows) if (row.state === 'held' || row.id === member.wish.replaces) ids.add(row.session_id)
  }
  return ids
}

function decide(member: Member<Taking>, take: TakeFacts): Decided {
  const { ctx, wish } = member
  const { session, segment } = take
  const place = take.place as number
  const id = wish.id ?? ctx.newId(shardOf(take.pid))
  const heldUntil = wish.verb === 'hold' ? addSeconds(ctx.now, take.facts.parameters['hold.ttlSeconds']) : null
  const channel = channelTaken(session, place, take.facts.entitled)
  const state = heldUntil ? 'held' : 'booked'
  return {
    member, take, place,
    booking: {
      appointment: id, session: session.id, no: place, pid: take.pid, patient: wish.patient, state, heldUntil, start: segment.start, end: segment.end,
      by: ctx.principal.id, channel, offerOf: null, referral: take.referral?.id ?? null, at: ctx.now,
    },
    appointment: newAppointment({ id, state, session, segment, place, patient: take.patient, created: ctx.now, heldUntil, given: wish.given, channel, referral: take.referral?.request ?? null }),
  }
}

/** What has to go: what the wish replaces, and ended holds of the session met on the way. */
function closingsOf(board: Board, { ctx, wish }: Member<Taking>, take: TakeFacts): Closing[] {
  const ended = (board.taken.get(take.session.id) ?? []).filter((row) => isEnded(row, ctx.now))
  const rows: PlaceRow[] = [...take.toClose, ...ended]
  return rows.map((row) => ({ row, reason: row.id === wish.replaces ? 'rescheduled' : 'hold-expired', comment: null }))
}

/** Writes a decision on the board, so that the next member of the batch sees it. */
function enter(board: Board, { booking, take }: Decided, closings: ReadonlyMap<string, Closing>): void {
  const row = {
    id: keyOf(booking.appointment), shard: take.session.shard, session_id: booking.session, no: booking.no, pid: booking.pid, patient: booking.patient, state: booking.state,
    held_until: booking.heldUntil?.toISOString() ?? null, appointment: booking.appointment, start_at: booking.start.toISOString(), end_at: booking.end.toISOString(),
    service_date: take.session.service_date, organization: take.session.organization, department: take.session.department, practitioner: take.session.practitioner,
    booked_by: booking.by, cancel_reason: null, referral: booking.referral ?? null,
  } as BookingRow
  for (const [session, rows] of board.taken) board.taken.set(session, rows.filter((each) => !closings.has(each.id)))
  board.taken.get(booking.session)?.push(row)
  if (take.referral && booking.state === 'booked') board.referrals.set(take.referral.id, { ...take.referral, state: 'booked', booking: row.id })
  board.bookings.set(booking.pid, [...(board.bookings.get(booking.pid) ?? []).filter((each) => !closings.has(each.id)), row])
}

/** The doctor may read the record from the day before the visit until thirty days after it. */
export function careReason(visit: { id: string; pid: string; practitioner: string; organization: string; department: string; start: Date }): CareReason {
  return {
    pid: visit.pid, practitioner: keyOf(visit.practitioner), organization: keyOf(visit.organization), department: visit.department, reason: 'appointment', reasonId: visit.id,
    from: addMinutes(visit.start, -24 * 60), until: addMinutes(visit.start, 30 * 24 * 60),
  }
}

/** Opens the patient's record to the doctor of a booking. */
export async function openRecord(trx: Trx, row: Pick<BookingRow, 'id' | 'pid' | 'practitioner' | 'organization' | 'department' | 'start_at'>): Promise<void> {
  await grantCareRelations(trx, [careReason({ ...row, start: new Date(row.start_at) })])
}

/** Writes an Appointment for booking. @returns it with its version. */
export async function storeAppointment(trx: Trx, ctx: Member['ctx'], store: Store, appointment: Appointment, method: 'create' | 'update'): Promise<Appointment> {
  const [stored] = await storeAppointments(trx, store, [{ ctx, appointment, method }])
  return stored as Appointment
}

/** Appointments of several people with one statement, each in its caller's name. */
export async function storeAppointments(trx: Trx, store: Store, all: readonly { ctx: Member['ctx']; appointment: Appointment; method: 'create' | 'update' }[]): Promise<Appointment[]> {
  const first = all[0]
  if (!first) return []
  const writes = all.map(({ ctx, appointment, method }) => ({ method, type: 'Appointment' as const, id: appointment.id as string, resource: appointment, ifMatch: null, by: ctx }))
  const written = await writeResources(trx, first.ctx, store, writes, 'platform')
  return all.map(({ appointment, ctx }, index) => ({
    ...appointment, meta: { ...appointment.meta, versionId: String(written[index]?.version ?? 1), lastUpdated: written[index]?.lastUpdated ?? ctx.now.toISOString() },
  }))
}
