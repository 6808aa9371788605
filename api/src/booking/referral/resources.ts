/**
 * A referral in FHIR: the ServiceRequest says what is asked of whom, the Task how far it is and whose turn it is until when. Both are built
 * from the row; only words live in them alone. Pure. Source: FHIR R4 ServiceRequest, Task, § Workflow; docs/booking.md, § Referrals.
 */
import type { Annotation, Reference, ServiceRequest, Task } from '@medplum/fhirtypes'
import { instantInShanghai } from '../../fhir/date-time.ts'
import { concept, departmentConcept } from '../fhir-names.ts'
import type { ReferralRow } from './rows.ts'
import { type ReferralState, states } from './steps.ts'

const base = 'https://pujiang.health/fhir'
export const referralSystems = {
  /** Identifier of ServiceRequest and group of the Task: what stands on the patient's paper. */
  code: `${base}/referral-code`,
  category: `${base}/CodeSystem/service-request-category`,
  state: `${base}/CodeSystem/referral-state`,
  task: `${base}/CodeSystem/task-code`,
} as const

const requestStatus: Record<ReferralState, ServiceRequest['status']> = {
  requested: 'active', returned: 'active', accepted: 'active', 'no-place': 'active', booked: 'active', attended: 'active',
  answered: 'completed', completed: 'completed', cancelled: 'revoked', expired: 'revoked',
}

export const taskStatus: Record<ReferralState, NonNullable<Task['status']>> = {
  requested: 'requested', returned: 'rejected', accepted: 'accepted', 'no-place': 'on-hold', booked: 'in-progress', attended: 'in-progress',
  answered: 'completed', completed: 'completed', cancelled: 'cancelled', expired: 'failed',
}

/** What only FHIR keeps of a referral. */
export interface ReferralWords {
  reason: string
  /** What the GP added since, oldest first. */
  added: readonly Annotation[]
}

export function requestOf(row: ReferralRow, words: ReferralWords): ServiceRequest {
  return {
    resourceType: 'ServiceRequest', id: row.request,
    identifier: [{ system: referralSystems.code, value: row.code }],
    status: requestStatus[row.state], intent: 'order', priority: row.priority,
    category: [concept(referralSystems.category, 'referral', { zh: '转诊', en: 'Referral' })],
    performerType: departmentConcept(row.department),
    subject: { reference: `Patient/${row.patient}` },
    occurrencePeriod: { start: at(row.created_at), end: at(row.expires_at) },
    authoredOn: at(row.created_at),
    requester: { reference: `Practitioner/${row.gp}` },
    performer: [{ reference: `Organization/${row.organization}` }, ...(row.practitioner === null ? [] : [{ reference: `Practitioner/${row.practitioner}` }])],
    reasonCode: [{ text: words.reason }],
    ...(words.added.length === 0 ? {} : { note: [...words.added] }),
  }
}

export function wordsOf(request: ServiceRequest | null): ReferralWords {
  return { reason: request?.reasonCode?.[0]?.text ?? '', added: request?.note ?? [] }
}

/** @param notes what was said between the parties, oldest first. @param answer the specialist's advice; null before it. @param appointment FHIR id. */
export function taskOf(row: ReferralRow, given: { notes: readonly Annotation[]; answer: string | null; appointment: string | null }): Task {
  const { name } = states[row.state]
  const output = [
    ...(given.appointment === null ? [] : [{ type: { text: 'appointment' }, valueReference: { reference: `Appointment/${given.appointment}` } }]),
    ...(given.answer === null ? [] : [{ type: { text: 'answer' }, valueString: given.answer }]),
  ]
  return {
    resourceType: 'Task', id: row.task,
    groupIdentifier: { system: referralSystems.code, value: row.code },
    focus: { reference: `ServiceRequest/${row.request}` },
    status: taskStatus[row.state], businessStatus: concept(referralSystems.state, row.state, name), intent: 'order', priority: row.priority,
    code: concept(referralSystems.task, 'referral', { zh: '转诊', en: 'Referral' }),
    performerType: [departmentConcept(row.department)],
    for: { reference: `Patient/${row.patient}` },
    authoredOn: at(row.created_at), lastModified: at(row.updated_at),
    requester: { reference: `Practitioner/${row.gp}` },
    owner: ownerOf(row),
    restriction: { period: { end: at(row.deadline_at ?? row.updated_at) } },
    ...(given.notes.length === 0 ? {} : { note: [...given.notes] }),
    ...(output.length === 0 ? {} : { output }),
  }
}

export function answerIn(task: Task | null): string | null {
  return task?.output?.find((each) => each.type.text === 'answer')?.valueString ?? null
}

export function appointmentIn(task: Task | null): string | null {
  return task?.output?.find((each) => each.type.text === 'appointment')?.valueReference?.reference?.replace(/^Appointment\//, '') ?? null
}

/** Who has to act; of a referral that is over, who had it made. */
function ownerOf(row: ReferralRow): Reference & Task['owner'] {
  const { owner } = states[row.state]
  if (owner === 'patient') return { reference: `Patient/${row.patient}` }
  if (owner === 'gp' || owner === null) return { reference: `Practitioner/${row.gp}` }
  if (owner === 'department' && row.practitioner !== null) return { reference: `Practitioner/${row.practitioner}` }
  return { reference: `Organization/${row.organization}` }
}

function at(instant: string): string {
  return instantInShanghai(new Date(instant))
}
