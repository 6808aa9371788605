/**
 * `POST Appointment/$hold`: keeps a place for a patient while they confirm. Input: slot, patient, reason?. Answers an Appointment
 * `pending` whose extension `expires-at` says until when. A Slot stands for its time segment: when that very place was just
 * taken, another of the segment is kept. A new hold replaces the caller's unconfirmed one for the same patient; repeating
 * it gives the same Appointment.
 */
import type { Appointment } from '@medplum/fhirtypes'
import type { Operation, OperationCall, OperationResult } from '../records/store.ts'
import { answerOnce } from '../storage/answer-once.ts'
import { inTransaction } from '../storage/transaction.ts'
import { freeText, type Input, readInput, requiredId } from './operation-input.ts'
import { takeAndStore } from './take-place.ts'

export const holdSlotOperation: Operation = {
  name: '$hold', level: 'type', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Keeps a Slot for a patient for a few minutes; answers an Appointment pending.',
  run: holdSlot,
}

async function holdSlot({ db, ctx, store, body, idempotencyKey }: OperationCall): Promise<OperationResult> {
  const input = readInput(body, ['slot', 'patient', 'reason'])
  const wish = { slot: requiredId(input, 'slot', 'Slot'), patient: requiredId(input, 'patient', 'Patient') }
  const given = givenReason(input)
  const resource = await inTransaction(db, (trx) =>
    answerOnce(trx, ctx, { key: idempotencyKey, request: `$hold ${JSON.stringify(body)}` }, () => takeAndStore(trx, ctx, store, { ...wish, verb: 'hold', given, id: null })))
  return { resource }
}

/** The reason for coming, in the caller's words, as an Appointment carries it. */
export function givenReason(input: Input): Appointment | null {
  const text = freeText(input, 'reason')
  return text === null ? null : { resourceType: 'Appointment', status: 'proposed', participant: [], reasonCode: [{ text }] }
}
