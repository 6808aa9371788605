/**
 * The answer to an offered place, whether from the waitlist, as an earlier place, or in place of a suspended clinic (accept-choice.ts). Accepting asks
 * every rule of booking as if the visit that the place replaces were not there, and closes that one in the same transaction; declining gives
 * the place to the next. Two ways in: `POST Appointment/[id]/$accept`, and `POST AppointmentResponse` with participantStatus accepted
 * or declined, where the rule of the type answers the offer. Declining is also `$cancel`.
 */
import type { Appointment, AppointmentResponse } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { fail, forbidden, notFound } from '../fhir/outcome.ts'
import { parseReference } from '../fhir/references.ts'
import { resourceOf } from '../records/content.ts'
import { readResource } from '../records/read-resource.ts'
import type { Change, Operation, OperationCall, OperationResult, Store } from '../records/store.ts'
import { answerOnce } from '../storage/answer-once.ts'
import type { Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { acceptChoice, choiceGone } from './accept-choice.ts'
import { appointmentInState } from './appointment-resource.ts'
import { loadBoard, lockBoard } from './board.ts'
import { type BookingRow, takeOffered } from './booking-rows.ts'
import { cancelRowOf } from './cancel-appointment.ts'
import { closeBookings, giveBack } from './close-bookings.ts'
import { loadOwnFacts, type OwnFacts, takeFacts } from './facts.ts'
import { readInput } from './operation-input.ts'
import { carryReferral } from './referral/follow-booking.ts'
import { checkRules } from './rules.ts'
import { slotIdOf } from './segments.ts'
import { serveEntry } from './serve-entry.ts'
import { openRecord, storeAppointment } from './take-place.ts'
import { entryOfOffer } from './wait-rows.ts'

export const acceptOperation: Operation = {
  name: '$accept', level: 'instance', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Takes a place that is offered or was kept as a choice, or agrees to a substitute doctor.',
  run: accept,
}

async function accept({ db, ctx, store, id, body, idempotencyKey }: OperationCall): Promise<OperationResult> {
  if (id === null) throw notFound('Appointment')
  readInput(body, [])
  const resource = await inTransaction(db, (trx) => answerOnce(trx, ctx, { key: idempotencyKey, request: `${id} $accept` }, async () => {
    const appointment = resourceOf<Appointment>(await readResource(trx, ctx, store, 'Appointment', id))
    return answerOffer(trx, ctx, store, appointment, true)
  }))
  return { resource }
}

/** The write rule of AppointmentResponse. A response is said once and stays. */
export async function answerByResponse(trx: Trx, ctx: Ctx, store: Store, change: Change): Promise<undefined> {
  const response = change.after as AppointmentResponse | null
  if (change.before !== null || response === null) {
    throw fail('business-rule', { zh: '答复不能修改或删除。', en: 'An answer can be neither changed nor deleted.' }, 'AppointmentResponse')
  }
  const answer = ({ accepted: true, declined: false } as const)[response.participantStatus as string]
  if (answer === undefined) throw fail('business-rule', { zh: '请答复 accepted 或 declined。', en: 'Answer accepted or declined.' }, 'AppointmentResponse.participantStatus')
  const parsed = parseReference(response.appointment.reference ?? '')
  if (parsed.kind !== 'local' || parsed.type !== 'Appointment') throw fail('reference-invalid', { zh: '应为指向 Appointment 的引用。', en: 'This must be a reference to an Appointment.' }, 'AppointmentResponse.appointment')
  const appointment = resourceOf<Appointment>(await readResource(trx, ctx, store, 'Appointment', parsed.id))
  assertActor(response, appointment)
  await answerOffer(trx, ctx, store, appointment, answer)
}

/** Who answers is the patient of the Appointment: the response lies in that record and in no other. */
function assertActor(response: AppointmentResponse, appointment: Appointment): void {
  const patients = appointment.participant.map((each) => each.actor?.reference).filter((each) => each?.startsWith('Patient/'))
  if (response.actor?.reference !== undefined && patients.includes(response.actor.reference)) return
  throw fail('business-rule', { zh: '答复人（actor）应为该预约的就诊人。', en: 'The actor must be the patient of the appointment.' }, 'AppointmentResponse.actor')
}

/** @returns the Appointment `booked` or `cancelled`. @throws OutcomeError `offer-ended`, `offer-gone`, `forbidden` and the codes of the rules for `book`. */
export async function answerOffer(trx: Trx, ctx: Ctx, store: Store, appointment: Appointment, accept: boolean): Promise<Appointment> {
  if (!appointment.slot?.length) throw noOffer()
  const chosen = accept ? await acceptChoice(trx, ctx, store, appointment) : null
  if (chosen) return chosen
  const own = await loadOwnFacts(trx, ctx, appointment)
  if (!own.facts.mayAct) throw forbidden()
  if (own.row.state === 'booked' && accept) return own.appointment
  // Not the doctor who was chosen: the hospital's doing.
  if (own.row.state === 'booked' && !accept && own.row.choose_until !== null) return storeAppointment(trx, ctx, store, await cancelRowOf(trx, ctx, store, own, null), 'update')
  if (own.row.state !== 'offered') throw own.row.state === 'cancelled' ? endOf(own.row) : noOffer()
  const entry = await entryOfOffer(trx, own.row.id)
  const until = entry?.answer_until ?? own.row.held_until
  if (until !== null && Date.parse(until) <= ctx.now.getTime()) throw ended()
  if (!accept) {
    await giveBack(trx, ctx, store, [{ row: own.row, reason: 'offer-declined', comment: null }])
    return storeAppointment(trx, ctx, store, appointmentInState(own.appointment, { state: 'cancelled', reason: 'offer-declined', comment: null }), 'update')
  }
  const replaced = await closeReplaced(trx, ctx, store, own)
  await takeOffered(trx, ctx, own.row)
  if (replaced) await carryReferral(trx, ctx, store, replaced, own.row)
  await openRecord(trx, own.row)
  const booked = await storeAppointment(trx, ctx, store, appointmentInState(own.appointment, { state: 'booked', reason: null, comment: null }), 'update')
  if (entry) {
    await serveEntry(trx, ctx, store, entry, {
      at: ctx.now, organization: entry.organization, department: entry.department, session_id: own.row.session_id, no: own.row.no, event: 'accepted', entry: entry.id, reason: null,
    })
  }
  return booked
}

/** Asks the rules, with the offered place counted as free and the replaced visit as gone, and closes that visit. @returns it, when there was one. */
async function closeReplaced(trx: Trx, ctx: Ctx, store: Store, { row }: OwnFacts): Promise<BookingRow | undefined> {
  const member = { ctx, wish: { slot: slotIdOf(row.session_id, row.no), patient: row.patient, channel: null, replaces: row.offer_of } }
  const board = await loadBoard(trx, [member])
  const replaced = await replacedBy(trx, row)
  await lockBoard(trx, board, [row.session_id, ...(replaced ? [replaced.session_id] : [])])
  board.taken.set(row.session_id, (board.taken.get(row.session_id) ?? []).filter((each) => each.id !== row.id))
  checkRules('book', takeFacts(board, member).facts)
  const still = await replacedBy(trx, row)
  if (still) await closeBookings(trx, ctx, store, [{ row: still, reason: 'rescheduled', comment: null }])
  return still
}

async function replacedBy(trx: Trx, row: BookingRow): Promise<BookingRow | undefined> {
  if (row.offer_of === null) return undefined
  return trx.selectFrom('booking').selectAll().where('id', '=', row.offer_of).where('pid', '=', row.pid).where('state', 'in', ['booked', 'held']).executeTakeFirst()
}

/** A choice is let go with the hold; an offer lapses or was declined. */
function endOf({ offer_of: replaced, cancel_reason: reason }: BookingRow) {
  return replaced !== null && reason === 'hold-expired' ? choiceGone() : ended()
}

function ended() {
  return fail('offer-ended', { zh: '这个号源的答复时间已过，已提供给其他候补者。', en: 'The time to answer is over; the place went to somebody else who waits.' })
}

function noOffer() {
  return fail('offer-ended', { zh: '该预约没有等待答复的号源。', en: 'Nothing is offered with this appointment.' })
}
