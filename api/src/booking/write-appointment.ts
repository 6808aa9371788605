/**
 * Booking's say in plain FHIR writes of Appointment, so that no rule can be walked around with POST or PUT.
 * POST with a slot is a booking (`booked`, or `pending` for a hold) that obeys every rule; what is stored is built from the
 * slot, with the caller's reason and comment. PUT may change those words, and the status to `booked` (a hold), `cancelled` or
 * `checked-in`, which is then the operation of that name. Appointments without a slot were made elsewhere: only system
 * clients may write them, and they take no place. An Appointment of ours is never deleted.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Appointment } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { fail } from '../fhir/outcome.ts'
import { parseReference } from '../fhir/references.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import type { Change, Store } from '../records/store.ts'
import type { Trx } from '../storage/pool.ts'
import { confirmRow } from './book-appointment.ts'
import { cancelRowOf } from './cancel-appointment.ts'
import { checkInRow } from './check-in.ts'
import { findOwn, loadOwnFacts, type OwnFacts } from './facts.ts'
import { takePlace } from './take-place.ts'

export async function writeAppointment(trx: Trx, ctx: Ctx, store: Store, change: Change): Promise<Appointment | undefined> {
  const before = change.before as Appointment | null
  const after = change.after as Appointment | null
  if (before && await findOwn(trx, before)) {
    if (after) return changed(trx, ctx, store, before, after)
    throw fail('business-rule', { zh: '预约记录不能删除，请取消预约。', en: 'An appointment cannot be deleted. Cancel it instead.' })
  }
  if (after?.slot?.length) return taken(trx, ctx, store, change.id, after)
  if (ctx.principal.kind === 'client') return undefined
  throw fail('required', { zh: '请给出要预约的号源（slot）。', en: 'Name the slot to be booked.' }, 'Appointment.slot')
}

async function taken(trx: Trx, ctx: Ctx, store: Store, id: string, after: Appointment): Promise<Appointment> {
  const verb = ({ pending: 'hold', booked: 'book' } as const)[after.status as string]
  if (!verb) throw fail('business-rule', { zh: '新预约的状态应为 booked 或 pending。', en: 'A new appointment is booked or pending.' }, 'Appointment.status')
  const slots = after.slot?.map((each) => idOf(each.reference, 'Slot', 'Appointment.slot')) ?? []
  const patients = after.participant.filter((each) => each.actor?.reference?.startsWith('Patient/')).map((each) => idOf(each.actor?.reference, 'Patient', 'Appointment.participant'))
  const [slot, ...moreSlots] = slots
  const [patient, ...morePatients] = patients
  if (slot === undefined || moreSlots.length > 0) throw fail('business-rule', { zh: '一个预约只能对应一个号源。', en: 'An appointment takes exactly one slot.' }, 'Appointment.slot')
  if (patient === undefined || morePatients.length > 0) throw fail('business-rule', { zh: '一个预约应有且只有一位就诊人。', en: 'An appointment has exactly one patient.' }, 'Appointment.participant')
  const answer = await takePlace(trx, store, { ctx, wish: { slot, patient, verb, given: after, id, channel: null, replaces: null, referral: referralIn(after) } })
  if ('refused' in answer) throw answer.refused
  if ('taken' in answer) return answer.taken
  throw fail('conflict', {
    zh: `就诊人已预约该时段，见 Appointment/${answer.existing}。`, en: `The patient has this time already: Appointment/${answer.existing}.`,
  }, 'Appointment.slot')
}

/** An Appointment that is based on a ServiceRequest is booked with that referral. */
function referralIn({ basedOn = [] }: Appointment): { key: string; byPin: false } | null {
  const [first, ...more] = basedOn
  if (first === undefined) return null
  if (more.length > 0) throw fail('business-rule', { zh: '一个预约最多依据一张转诊单。', en: 'An appointment is based on one referral at most.' }, 'Appointment.basedOn')
  return { key: keyOf(idOf(first.reference, 'ServiceRequest', 'Appointment.basedOn')), byPin: false }
}

function idOf(reference: string | undefined, type: ResourceType, expression: string): string {
  const parsed = parseReference(reference ?? '')
  if (parsed.kind === 'local' && parsed.type === type) return parsed.id
  throw fail('reference-invalid', { zh: `应为指向 ${type} 的引用。`, en: `This must be a reference to a ${type}.` }, expression)
}

/** What a PUT may say; everything else follows from the slot. */
const wordsOfTheCaller = new Set(['meta', 'language', 'text', 'reasonCode', 'reasonReference', 'description', 'supportingInformation', 'comment', 'patientInstruction'])

async function changed(trx: Trx, ctx: Ctx, store: Store, before: Appointment, after: Appointment): Promise<Appointment> {
  const steps = new Set(before.status === after.status ? [] : ['status', 'cancelationReason'])
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before, after].map((each) => (each as unknown as Record<string, unknown>)[name])
    if (!wordsOfTheCaller.has(name) && !steps.has(name) && !isDeepStrictEqual(was, is)) throw notYours(name)
  }
  if (steps.size === 0) return after
  const own: OwnFacts = { ...await loadOwnFacts(trx, ctx, before), appointment: after }
  switch (after.status) {
    case 'booked': return confirmRow(trx, ctx, store, own)
    case 'cancelled': return cancelRowOf(trx, ctx, store, own, after.cancelationReason?.text ?? null)
    case 'checked-in': return checkInRow(trx, ctx, own)
    default: throw notYours('status')
  }
}

function notYours(name: string) {
  return fail('business-rule', {
    zh: `预约的 ${name} 由号源决定，不能直接修改。请取消后重新预约。`, en: `${name} of an appointment follows from its slot and cannot be changed. Cancel it and book again.`,
  }, `Appointment.${name}`)
}
