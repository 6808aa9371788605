/** `POST Appointment/[id]/$release`: lets an unconfirmed hold go; its place is free at once. Letting go twice is no error. */
import type { Operation } from '../records/store.ts'
import { appointmentInState } from './appointment-resource.ts'
import { giveBack } from './close-bookings.ts'
import { readInput } from './operation-input.ts'
import { changeOwn } from './own-appointment.ts'
import { checkRules } from './rules.ts'

export const releaseHoldOperation: Operation = {
  name: '$release', level: 'instance', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Lets an unconfirmed hold go.',
  run(call) {
    readInput(call.body, [])
    return changeOwn(call, '$release', async (trx, own) => {
      if (own.facts.mayAct && own.row.cancel_reason === 'hold-expired') return own.appointment
      checkRules('release', own.facts)
      await giveBack(trx, call.ctx, call.store, [{ row: own.row, reason: 'hold-expired', comment: null }])
      return appointmentInState(own.appointment, { state: 'cancelled', reason: 'hold-expired', comment: null })
    })
  },
}
