/** `POST Appointment/[id]/$check-in`: the patient is there and gets a number in the queue. Open from an hour before the segment to half an hour after it; once more is no error. */
import type { Appointment } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import type { Operation } from '../records/store.ts'
import type { Trx } from '../storage/pool.ts'
import { appointmentInState } from './appointment-resource.ts'
import { setState } from './booking-rows.ts'
import type { OwnFacts } from './facts.ts'
import { readInput } from './operation-input.ts'
import { changeOwn } from './own-appointment.ts'
import { issueTicket } from './queue.ts'
import { checkRules } from './rules.ts'

export const checkInOperation: Operation = {
  name: '$check-in', level: 'instance', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Records that the patient has come.',
  run(call) {
    readInput(call.body, [])
    return changeOwn(call, '$check-in', async (trx, own) => own.facts.mayAct && own.row.state === 'checked-in' ? own.appointment : checkInRow(trx, call.ctx, own))
  },
}

/** @returns the Appointment `checked-in`, to be stored by the caller. */
export async function checkInRow(trx: Trx, ctx: Ctx, { facts, row, appointment, session }: OwnFacts): Promise<Appointment> {
  checkRules('check-in', facts)
  await setState(trx, row, 'checked-in', ctx.now)
  await issueTicket(trx, ctx, row, session)
  return appointmentInState(appointment, { state: 'checked-in', reason: null, comment: null })
}
