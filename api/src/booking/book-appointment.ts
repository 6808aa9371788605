/**
 * `POST Appointment/$book`: confirms a hold (input: appointment) or takes a Slot at once (input: slot, patient, reason?).
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
import { givenReason } from './hold-slot.ts'
import { at, readInput, referencedId, requiredId } from './operation-input.ts'
import { checkRules } from './rules.ts'
import { openRecord, storeAppointment, takeAndStore } from './take-place.ts'

export const bookAppointmentOperation: Operation = {
  name: '$book', level: 'type', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Confirms a hold, or books a Slot for a patient at once.',
  run: bookAppointment,
}

async function bookAppointment({ db, ctx, store, body, idempotencyKey }: OperationCall): Promise<OperationResult> {
  const input = readInput(body, ['appointment', 'slot', 'patient', 'reason'])
  const held = referencedId(input, 'appointment', 'Appointment')
  if (held !== null && (input.has('slot') || input.has('patient'))) {
    throw fail('bad-request', { zh: '请只给出 appointment，或者给出 slot 和 patient。', en: 'Give either appointment, or slot and patient.' }, at('appointment'))
  }
  const book = held === null
    ? bookSlot({ slot: requiredId(input, 'slot', 'Slot'), patient: requiredId(input, 'patient', 'Patient') }, givenReason(input))
    : (trx: Trx) => confirmHold(trx, ctx, store, held)
  const resource = await inTransaction(db, (trx) => answerOnce(trx, ctx, { key: idempotencyKey, request: `$book ${JSON.stringify(body)}` }, () => book(trx)))
  return { resource }

  function bookSlot(wish: { slot: string; patient: string }, given: Appointment | null) {
    return (trx: Trx) => takeAndStore(trx, ctx, store, { ...wish, verb: 'book', given, id: null })
  }
}

/** Makes a hold a booking and stores it. @throws OutcomeError `not-found`, and the codes of the rules for `confirm`. */
async function confirmHold(trx: Trx, ctx: Ctx, store: Store, id: string): Promise<Appointment> {
  const own = await loadOwnFacts(trx, ctx, resourceOf<Appointment>(await readResource(trx, ctx, store, 'Appointment', id)))
  if (own.facts.mayAct && own.row.state === 'booked') return own.appointment
  return storeAppointment(trx, ctx, store, await confirmRow(trx, ctx, own), 'update')
}

/** @returns the Appointment `booked`, to be stored by the caller. */
export async function confirmRow(trx: Trx, ctx: Ctx, { facts, row, appointment }: OwnFacts): Promise<Appointment> {
  checkRules('confirm', facts)
  await setState(trx, row, 'booked', ctx.now)
  await openRecord(trx, { id: row.id, pid: row.pid, practitioner: row.practitioner, organization: row.organization, department: row.department, start: new Date(row.start_at) })
  return appointmentInState(appointment, { state: 'booked', reason: null, comment: null })
}
