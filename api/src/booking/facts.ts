/**
 * From what was loaded to what the rules look at. `takeFacts` is pure and reads the board (board.ts); `loadOwnFacts` loads an existing
 * booking: its patient, session and row are locked, then the Appointment is read anew.
 */
import type { Appointment, Patient } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { addDays, dayInShanghai } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import { fail, type OutcomeError } from '../fhir/outcome.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Trx } from '../storage/pool.ts'
import { actingFor, entitlement, worksAt } from './acting.ts'
import { type Board, type Member, placeOf, referralOf, slotOnBoard } from './board.ts'
import { type BookingRow, lockBooking, type PlaceRow } from './booking-rows.ts'
import { choosePlace } from './channels.ts'
import { parametersFor } from './parameters.ts'
import { readReferral, type ReferralRow } from './referral/rows.ts'
import { rowOf } from './referral/steps.ts'
import { type BookingFacts, checkRules, type OtherBooking } from './rules.ts'
import { parseSlotId, type Segment, segmentOfPlace } from './segments.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'

export interface TakeFacts {
  facts: BookingFacts
  session: SessionRow
  segment: Segment
  /** The place for the caller; null when there is none. */
  place: number | null
  patient: Patient & { id: string }
  pid: string
  /** Holds of the patient that have ended, unconfirmed ones of the same caller, which a new wish replaces, and the booking that a move replaces. */
  toClose: BookingRow[]
  /** What the same caller took for the same patient in the same segment already; null when nothing. */
  existing: BookingRow | null
  /** The referral it is booked with; null when none. */
  referral: ReferralRow | null
}

/** @throws OutcomeError `slot-unknown`, `proxy-not-valid`, `not-your-patient`, `reference-unresolved`. */
export function takeFacts(board: Board, member: Member): TakeFacts {
  const { ctx, wish } = member
  const { session, place: wanted } = slotOnBoard(board, wish.slot)
  const segment = segmentOfPlace(session, wanted)
  const pid = keyOf(wish.patient)
  const acting = board.acting.get(member) ?? { mayAct: false, proxyFault: null, hasContract: false }
  const parameters = board.parameters.get(session.id) as BookingFacts['parameters']
  const all = board.bookings.get(pid) ?? []
  const kept = all.filter((row) => row.state !== 'cancelled')
  const since = addDays(dayInShanghai(ctx.now), -parameters['quota.followUp.visitDays'])
  const referralKey = referralOf(wish, all)
  const referral = referralKey === null ? null : referralFacts(board.referrals.get(referralKey), { pid, session, now: ctx.now, replaces: wish.replaces })
  const { entitled, refused } = entitlement(ctx, wish.channel, {
    organization: session.organization, hasContract: acting.hasContract, hasReferral: referral !== null && referral.known && referral.bookable && referral.fits,
    visitedLately: kept.some((row) => row.state === 'fulfilled' && row.organization === session.organization && row.department === session.department && row.service_date >= since),
  })
  // Read under the patient's lock, through which every change of a booking goes.
  const replaced = wish.replaces === null ? null : all.find((row) => row.id === wish.replaces) ?? null
  const facts: BookingFacts = {
    now: ctx.now, mayAct: acting.mayAct, proxyFault: acting.proxyFault, isProvider: worksAt(ctx, session.organization), parameters,
    session: sessionFacts(session), segment, entitled, channelRefused: refused, place: 'free', barredUntil: null, others: [], cancelsToday: 0, referral,
    own: wish.replaces === null ? null : replaced ? ownOf(replaced) : goneOwn,
  }
  if (!acting.mayAct && !entitled.has('onsite')) checkRules('book', facts)
  const patient = board.patients.get(wish.patient)
  if (!patient) throw fail('reference-unresolved', { zh: `没有找到就诊人 Patient/${wish.patient}。`, en: `Patient/${wish.patient} was not found.` })

  const toClose = kept.filter((row) => row.id === wish.replaces || isEnded(row, ctx.now) || (row.state === 'held' && row.booked_by === ctx.principal.id))
  const gone = new Set(toClose.map((row) => row.id))
  const taken = new Set((board.taken.get(session.id) ?? []).filter((row) => !isEnded(row, ctx.now) && !gone.has(row.id)).map((row) => row.no))
  const choice = choosePlace(session, segment, wanted, taken, entitled, ctx.now)
  return {
    session, segment, pid, patient, toClose, referral: referralKey === null ? null : board.referrals.get(referralKey) ?? null,
    place: 'place' in choice ? choice.place : null,
    existing: kept.find((row) => row.session_id === session.id && row.state !== 'offered' && Date.parse(row.start_at) === segment.start.getTime() && row.booked_by === ctx.principal.id && !isEnded(row, ctx.now)) ?? null,
    facts: {
      ...facts, referral: referral && { ...referral, used: kept.some((row) => row.referral === referralKey && row.state !== 'noshow' && row.state !== 'offered' && !gone.has(row.id)) }, barredUntil: board.barred.get(pid) ?? null, place: 'place' in choice ? 'free' : choice.why,
      others: kept.filter((row) => row.state !== 'offered' && !gone.has(row.id)).map(otherOf),
      cancelsToday: all.filter((row) => row.cancel_reason !== null && cancelsOfThePatient.has(row.cancel_reason)).length,
    },
  }
}

/** @param replaces key of a booking whose place in the referral the new one takes. */
function referralFacts(row: ReferralRow | null | undefined, at: { pid: string; session: SessionRow; now: Date; replaces: string | null }): BookingFacts['referral'] {
  if (!row || row.pid !== at.pid) return { known: false, bookable: false, used: false, fits: false, state: null }
  const moving = row.state === 'booked' && at.replaces !== null && row.booking === at.replaces
  return {
    known: true, state: row.state, used: false, bookable: moving || (rowOf('book', row.state) !== null && Date.parse(row.expires_at) > at.now.getTime()),
    fits: row.organization === at.session.organization && row.department === at.session.department && (row.practitioner === null || row.practitioner === at.session.practitioner),
  }
}

const cancelsOfThePatient: ReadonlySet<string> = new Set(['patient', 'patient-late', 'proxy'])

export function isEnded(row: Pick<PlaceRow, 'state' | 'held_until'>, now: Date): boolean {
  return (row.state === 'held' || row.state === 'offered') && row.held_until !== null && Date.parse(row.held_until) <= now.getTime()
}

function sessionFacts(session: SessionRow): BookingFacts['session'] {
  return {
    status: session.status, releaseAt: new Date(session.release_at), serviceDate: session.service_date,
    organization: session.organization, department: session.department, practitioner: session.practitioner,
  }
}

function ownOf(row: BookingRow): NonNullable<BookingFacts['own']> {
  return { state: row.state, start: new Date(row.start_at), heldUntil: row.held_until ? new Date(row.held_until) : null, cancelReason: row.cancel_reason, choosing: row.choose_until !== null }
}

/** A booking that was cancelled on another day. */
const goneOwn: NonNullable<BookingFacts['own']> = { state: 'cancelled', start: new Date(0), heldUntil: null, cancelReason: 'patient' }

function otherOf(row: BookingRow): OtherBooking {
  return {
    start: new Date(row.start_at), end: new Date(row.end_at), serviceDate: row.service_date, organization: row.organization,
    department: row.department, practitioner: row.practitioner, state: row.state,
  }
}

export interface OwnFacts { facts: BookingFacts; row: BookingRow; session: SessionRow; appointment: Appointment }

/**
 * The booking behind an Appointment, locked. The Appointment returned is the current one, read under the lock.
 * @throws OutcomeError `appointment-not-active` when booking does not know it.
 */
export async function loadOwnFacts(trx: Trx, ctx: Ctx, appointment: Appointment): Promise<OwnFacts> {
  const found = await findOwn(trx, appointment)
  if (!found) throw notOurs()
  const { row, session } = found
  const acting = await actingFor(trx, ctx, row.pid)
  return {
    row, session,
    appointment: await loadResource<Appointment>(trx, 'Appointment', row.appointment) ?? appointment,
    facts: {
      now: ctx.now, mayAct: acting.mayAct, proxyFault: worksAt(ctx, session.organization) ? null : acting.proxyFault, isProvider: worksAt(ctx, session.organization),
      parameters: await parametersFor(trx, placeOf(session), ctx.now), session: sessionFacts(session),
      segment: { start: new Date(row.start_at), end: new Date(row.end_at) }, entitled: new Set(['public']), channelRefused: null, place: 'free',
      barredUntil: null, others: [], cancelsToday: 0, own: ownOf(row),
      referral: row.referral === null || row.state !== 'held' ? null : referralFacts(await readReferral(trx, row.referral), { pid: row.pid, session, now: ctx.now, replaces: null }),
    },
  }
}

export function notOurs(): OutcomeError {
  return fail('appointment-not-active', { zh: '该预约不是在本平台办理的，不能在此操作。', en: 'This appointment was not made on this platform and cannot be changed here.' })
}

/** Null for an Appointment that booking did not make. */
export async function findOwn(trx: Trx, appointment: Appointment): Promise<{ row: BookingRow; session: SessionRow } | null> {
  const slot = parseSlotId(appointment.slot?.[0]?.reference?.replace(/^.*Slot\//, '') ?? '')
  if (!slot || !appointment.id) return null
  const row = await lockBooking(trx, keyOf(appointment.id), slot.session)
  const session = row ? await selectSessions(trx).where('s.id', '=', row.session_id).where('s.shard', '=', row.shard).executeTakeFirst() : undefined
  return row && session ? { row, session } : null
}
