/**
 * `POST Appointment/$hold`: keeps a place for a patient while they confirm. Input: slot, patient, reason?, channel?. Answers an Appointment
 * `pending` whose extension `expires-at` says until when. A Slot stands for its time segment: when that very place was just
 * taken, another of the segment is kept. A new hold replaces the caller's unconfirmed one for the same patient; repeating
 * it gives the same Appointment.
 */
import type { Appointment } from '@medplum/fhirtypes'
import type { Operation, OperationCall, OperationResult } from '../records/store.ts'
import { takeTogether } from './book-together.ts'
import { channels } from './channels.ts'
import { codeAmong, freeText, type Input, readInput, requiredId } from './operation-input.ts'
import type { Taking } from './take-place.ts'

export const holdSlotOperation: Operation = {
  name: '$hold', level: 'type', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Keeps a Slot for a patient for a few minutes; answers an Appointment pending.',
  run: holdSlot,
}

async function holdSlot({ db, ctx, store, body, idempotencyKey }: OperationCall): Promise<OperationResult> {
  const wish = readTaking(readInput(body, takingInput), 'hold')
  return { resource: await takeTogether(db, store, { member: { ctx, wish }, once: { key: idempotencyKey, request: `$hold ${JSON.stringify(body)}` } }) }
}

/** What a wish for a Slot is read from. */
export const takingInput = ['slot', 'patient', 'reason', 'channel'] as const

export function readTaking(input: Input, verb: 'hold' | 'book'): Taking {
  return {
    slot: requiredId(input, 'slot', 'Slot'), patient: requiredId(input, 'patient', 'Patient'), channel: codeAmong(input, 'channel', channels),
    verb, given: givenReason(input), id: null, replaces: null,
  }
}

/** The reason for coming, in the caller's words, as an Appointment carries it. */
function givenReason(input: Input): Appointment | null {
  const text = freeText(input, 'reason')
  return text === null ? null : { resourceType: 'Appointment', status: 'proposed', participant: [], reasonCode: [{ text }] }
}
