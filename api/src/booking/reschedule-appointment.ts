/**
 * `POST Appointment/[id]/$reschedule`: another Slot for a booking, in one transaction: the new Appointment is booked and the old one is
 * cancelled as `rescheduled`, or nothing changes. Input: slot, reason?. All rules of taking a place are asked as if the old booking
 * were not there; moving is possible while cancelling would be free. Answers the new Appointment.
 */
import type { Appointment } from '@medplum/fhirtypes'
import { keyOf } from '../fhir/id.ts'
import { notFound } from '../fhir/outcome.ts'
import { resourceOf } from '../records/content.ts'
import { readResource } from '../records/read-resource.ts'
import type { Operation, OperationCall, OperationResult } from '../records/store.ts'
import { answerOnce } from '../storage/answer-once.ts'
import type { Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { patientOfBooking } from './booking-rows.ts'
import { notOurs } from './facts.ts'
import { freeText, readInput, requiredId } from './operation-input.ts'
import { storeAppointment, takePlace } from './take-place.ts'

export const rescheduleOperation: Operation = {
  name: '$reschedule', level: 'instance', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Moves a booked appointment to another Slot; answers the new Appointment.',
  run: reschedule,
}

async function reschedule({ db, ctx, store, id, body, idempotencyKey }: OperationCall): Promise<OperationResult> {
  if (id === null) throw notFound('Appointment')
  const input = readInput(body, ['slot', 'reason'])
  const slot = requiredId(input, 'slot', 'Slot')
  const reason = freeText(input, 'reason')
  const resource = await inTransaction(db, (trx) => answerOnce(trx, ctx, { key: idempotencyKey, request: `${id} $reschedule ${JSON.stringify(body)}` }, () => move(trx)))
  return { resource }

  async function move(trx: Trx): Promise<Appointment> {
    const appointment = resourceOf<Appointment>(await readResource(trx, ctx, store, 'Appointment', id as string))
    const patient = await patientOfBooking(trx, keyOf(id as string))
    if (patient === null) throw notOurs()
    const given: Appointment = { ...appointment, ...(reason === null ? {} : { reasonCode: [{ text: reason }] }) }
    const answer = await takePlace(trx, store, { ctx, wish: { slot, patient, channel: null, replaces: keyOf(id as string), verb: 'move', given, id: null } })
    if ('refused' in answer) throw answer.refused
    // The time one has already: nothing to move.
    return 'taken' in answer ? storeAppointment(trx, ctx, store, answer.taken, 'create') : appointment
  }
}
