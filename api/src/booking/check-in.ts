/**
 * `POST Appointment/[id]/$check-in`: the patient is there and gets a number in the queue. Open from an hour before the segment to half an hour after
 * it; once more is no error. Who checks somebody in at the hospital's desk says name and document, which have to be the patient's.
 */
import type { Appointment, Patient } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { fail } from '../fhir/outcome.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Operation } from '../records/store.ts'
import type { Trx } from '../storage/pool.ts'
import { appointmentInState } from './appointment-resource.ts'
import { setState } from './booking-rows.ts'
import type { OwnFacts } from './facts.ts'
import { assertSamePerson, type ShownIdentity } from './identity.ts'
import { at, freeText, type Input, readInput } from './operation-input.ts'
import { changeOwn } from './own-appointment.ts'
import { issueTicket } from './queue.ts'
import { checkRules } from './rules.ts'

export const checkInOperation: Operation = {
  name: '$check-in', level: 'instance', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Records that the patient has come.',
  run(call) {
    const shown = shownIn(readInput(call.body, ['name', 'document']))
    return changeOwn(call, '$check-in', async (trx, own) => {
      if (shown) await assertShown(trx, own, shown)
      else if (!own.facts.mayAct && own.facts.isProvider) throw fail('required', { zh: '请核对证件：缺少参数 name 和 document。', en: 'Check the document: name and document are missing.' }, at('document'))
      return own.facts.mayAct && own.row.state === 'checked-in' ? own.appointment : checkInRow(trx, call.ctx, own)
    })
  },
}

/** @throws OutcomeError `required` when only one of the two is given. */
function shownIn(input: Input): ShownIdentity | null {
  const [name, document] = [freeText(input, 'name'), freeText(input, 'document')]
  if (name === null && document === null) return null
  if (name === null || document === null) throw fail('required', { zh: '请同时给出 name 和 document。', en: 'Give both name and document.' }, at(name === null ? 'name' : 'document'))
  return { name, document }
}

/** @throws OutcomeError `identity-mismatch`. */
export async function assertShown(trx: Trx, { row }: OwnFacts, shown: ShownIdentity): Promise<void> {
  assertSamePerson(await loadResource<Patient>(trx, 'Patient', row.patient), shown)
}

/** @returns the Appointment `checked-in`, to be stored by the caller. */
export async function checkInRow(trx: Trx, ctx: Ctx, { facts, row, appointment, session }: OwnFacts): Promise<Appointment> {
  checkRules('check-in', facts)
  await setState(trx, row, 'checked-in', ctx.now)
  await issueTicket(trx, ctx, row, session)
  return appointmentInState(appointment, { state: 'checked-in', reason: null, comment: null })
}
