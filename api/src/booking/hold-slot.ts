/**
 * `POST Appointment/$hold`: keeps a place for a patient while they confirm. Input: slot, patient, reason?, channel?, and with a referral either
 * `referral` (who acts for the patient) or `code` and `pin` of the patient's paper (anybody; `patient` may be left out). Answers an Appointment
 * `pending` whose extension `expires-at` says until when. A Slot stands for its time segment: when that very place was just
 * taken, another of the segment is kept. A new hold replaces the caller's unconfirmed one for the same patient; repeating
 * it gives the same Appointment.
 */
import type { Appointment } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { fail } from '../fhir/outcome.ts'
import type { Operation, OperationCall, OperationResult } from '../records/store.ts'
import type { Db } from '../storage/pool.ts'
import { takeTogether } from './book-together.ts'
import { channels } from './channels.ts'
import { codeAmong, freeText, type Input, readInput, referencedId, requiredId } from './operation-input.ts'
import { openByPin } from './referral/pin.ts'
import type { Taking } from './take-place.ts'

export const holdSlotOperation: Operation = {
  name: '$hold', level: 'type', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Keeps a Slot for a patient for a few minutes; answers an Appointment pending.',
  run: holdSlot,
}

async function holdSlot({ db, ctx, store, body, idempotencyKey }: OperationCall): Promise<OperationResult> {
  const wish = await readTaking(db, ctx, readInput(body, takingInput), 'hold')
  return { resource: await takeTogether(db, store, { member: { ctx, wish }, once: { key: idempotencyKey, request: `$hold ${JSON.stringify(body)}` } }) }
}

/** What a wish for a Slot is read from. */
export const takingInput = ['slot', 'patient', 'reason', 'channel', 'referral', 'code', 'pin'] as const

/** @throws OutcomeError of the input; `referral-pin-wrong`, `referral-pin-locked`, `referral-unknown`. */
export async function readTaking(db: Db, ctx: Ctx, input: Input, verb: 'hold' | 'book'): Promise<Taking> {
  const slot = requiredId(input, 'slot', 'Slot')
  const [code, pin] = [freeText(input, 'code'), freeText(input, 'pin')]
  const named = referencedId(input, 'referral', 'ServiceRequest')
  const paper = code === null && pin === null ? null : await openByPin(db, ctx, { code: code ?? '', pin: pin ?? '' })
  const patient = paper ? referencedId(input, 'patient', 'Patient') ?? paper.patient : requiredId(input, 'patient', 'Patient')
  if (paper && patient !== paper.patient) throw fail('referral-unknown', { zh: '没有找到该就诊人的这张转诊单。', en: 'There is no such referral of this patient.' })
  return {
    slot, patient, channel: codeAmong(input, 'channel', channels), verb, given: givenReason(input), id: null, replaces: null,
    referral: paper ? { key: paper.id, byPin: true } : named === null ? null : { key: keyOf(named), byPin: false },
  }
}

/** The reason for coming, in the caller's words, as an Appointment carries it. */
function givenReason(input: Input): Appointment | null {
  const text = freeText(input, 'reason')
  return text === null ? null : { resourceType: 'Appointment', status: 'proposed', participant: [], reasonCode: [{ text }] }
}
