/**
 * `POST Appointment/$book`: confirms a hold (input: appointment) or takes a Slot at once (input as of `$hold`).
 * Retrying is safe three ways: the same `Idempotency-Key` gives the first answer; confirming a hold that is booked already
 * gives its Appointment; the same caller booking the same segment for the same patient gets the Appointment they have.
 */
import type { Appointment } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { fail } from '../fhir/outcome.ts'
import { resourceOf } from '../records/content.ts'
import { readResource } from '../records/read-resource.ts'
import type { Operation, OperationCall, OperationResult, Store } from '../records/store.ts'
import { answerOnce } from '../storage/answer-once.ts'
import type { Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { appointmentInState } from './appointment-resource.ts'
import { setState } from './booking-rows.ts'
import { loadOwnFacts, type OwnFacts } from './facts.ts'
import { takeTogether } from './book-together.ts'
import { readTaking, takingInput } from './hold-slot.ts'
import { at, readInput, referencedId } from './operation-input.ts'
import { followBookings } from './referral/follow-booking.ts'
import { checkRules } from './rules.ts'
import { openRecord, storeAppointment } from './take-place.ts'

export const bookAppointmentOperation: Operation = {
  name: '$book', level: 'type', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Confirms a hold, or books a Slot for a patient at once.',
  run: bookAppointment,
}

async function bookAppointment({ db, ctx, store, body, idempotencyKey }: OperationCall): Promise<OperationResult> {
  const input = readInput(body, ['appointment', ...takingInput])
  const held = referencedId(input, 'appointment', 'Appointment')
  const once = { key: idempotencyKey, request: `$book ${JSON.stringify(body)}` }
  if (held === null) return { resource: await takeTogether(db, store, { member: { ctx, wish: await readTaking(db, ctx, input, 'book') }, once }) }
  if (takingInput.some((name) => input.has(name))) {
    throw fail('bad-request', { zh: '请只给出 appointment，或者给出 slot 和 patient。', en: 'Give either appointment, or slot and patient.' }, at('appointment'))
  }
  return { resource: await inTransaction(db, (trx) => answerOnce(trx, ctx, once, () => confirmHold(trx, ctx, store, held))) }
}

/** Makes a hold a booking and stores it. @throws OutcomeError `not-found`, and the codes of the rules for `confirm`. */
async function confirmHold(trx: Trx, ctx: Ctx, store: Store, id: string): Promise<Appointment> {
  const own = await loadOwnFacts(trx, ctx, resourceOf<Appointment>(await readResource(trx, ctx, store, 'Appointment', id)))
  if (own.facts.mayAct && own.row.state === 'booked') return own.appointment
  return storeAppointment(trx, ctx, store, await confirmRow(trx, ctx, store, own), 'update')
}

/** @returns the Appointment `booked`, to be stored by the caller. */
export async function confirmRow(trx: Trx, ctx: Ctx, store: Store, { facts, row, appointment }: OwnFacts): Promise<Appointment> {
  checkRules('confirm', facts)
  await setState(trx, row, 'booked', ctx.now)
  await followBookings(trx, ctx, store, 'book', [row])
  await openRecord(trx, row)
  return appointmentInState(appointment, { state: 'booked', reason: null, comment: null })
}
