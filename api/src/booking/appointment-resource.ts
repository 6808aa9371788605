/**
 * The Appointment of a booking, built and changed without I/O. Its status says the booking's state, `start` and `end` are
 * those of the segment at +08:00, names stand beside every reference in both languages. What a caller sent along (reason,
 * comment) is kept; what booking decides is booking's. Source: FHIR R4 Appointment; docs/booking.md, section "In FHIR".
 */
import type { Appointment, AppointmentParticipant, Extension, HumanName, Patient } from '@medplum/fhirtypes'
import { instantInShanghai } from '../fhir/date-time.ts'
import type { Channel } from './channels.ts'
import { departmentName } from './departments.ts'
import {
  cancelReasonNames, clinicTypeCoding, clinicTypeConcept, concept, departmentConcept, drawTicketSystem, extensions, moneyOfFen, reference, systems,
  titleCoding,
} from './fhir-names.ts'
import type { BookingState } from './rules.ts'
import { type Segment, slotIdOf } from './segments.ts'
import type { SessionFace, SessionRow } from './session-rows.ts'
import type { Named } from './shapes.ts'

const statuses: Record<BookingState, Appointment['status']> = {
  held: 'pending', offered: 'proposed', cooling: 'cancelled', booked: 'booked', 'checked-in': 'checked-in', arrived: 'arrived', fulfilled: 'fulfilled', noshow: 'noshow', cancelled: 'cancelled',
}

export interface AppointmentFacts {
  id: string
  state: 'held' | 'offered' | 'booked'
  session: SessionFace
  segment: Segment
  place: number
  patient: Patient & { id: string }
  created: Date
  /** Null for a booking. */
  heldUntil: Date | null
  /** What the caller sent along; null when only a slot and a patient were named. */
  given: Appointment | null
  /** The quota that the place was taken from. */
  channel: Channel
  /** FHIR id of the Appointment that an offered place would replace. */
  replaces?: string
  /** FHIR id of the ServiceRequest it is booked with. */
  referral?: string | null
}

export function newAppointment(facts: AppointmentFacts): Appointment {
  const { session, segment, given } = facts
  return {
    ...pickGiven(given),
    resourceType: 'Appointment',
    id: facts.id,
    extension: extensionsOf(facts),
    status: statuses[facts.state],
    serviceType: [clinicTypeConcept(session.clinic_type)],
    specialty: [departmentConcept(session.department)],
    appointmentType: { coding: [{ system: systems.appointmentType, code: 'ROUTINE', display: 'Routine appointment' }] },
    start: instantInShanghai(segment.start),
    end: instantInShanghai(segment.end),
    minutesDuration: Math.round((segment.end.getTime() - segment.start.getTime()) / 60_000),
    slot: [{ reference: `Slot/${slotIdOf(session.id, facts.place)}` }],
    created: instantInShanghai(facts.created),
    ...(facts.referral ? { basedOn: [{ reference: `ServiceRequest/${facts.referral}` }] } : {}),
    participant: participantsOf(facts),
  }
}

export interface WaitFacts {
  id: string
  patient: Patient & { id: string }
  organization: { id: string; name: Named }
  department: string
  practitioner: string | null
  clinicType: string | null
  /** Instants with offset: the whole of the days that suit. R4 wants both on every Appointment that is not proposed. */
  from: string
  until: string
  created: string
}

/** An entry of the waitlist: no slot, the days that suit, who and where. */
export function waitlistAppointment({ id, patient, organization, department, practitioner, clinicType, from, until, created }: WaitFacts): Appointment {
  return {
    resourceType: 'Appointment', id, status: 'waitlist',
    extension: [{ url: extensions.organization, valueReference: reference(`Organization/${organization.id}`, organization.name) }],
    ...(clinicType === null ? {} : { serviceType: [clinicTypeConcept(clinicType)] }),
    specialty: [departmentConcept(department)],
    start: from, end: until, requestedPeriod: [{ start: from, end: until }], created,
    participant: [
      { actor: reference(`Patient/${patient.id}`, patientName(patient)), status: 'accepted' },
      ...(practitioner === null ? [] : [{ actor: { reference: `Practitioner/${practitioner}` }, status: 'needs-action' as const }]),
    ],
  }
}

/** A ticket of a draw: proposed, without a slot; its identifier is what the published draw names. */
export function drawTicketAppointment({ id, ticket, session, patient, created }: { id: string; ticket: string; session: SessionRow; patient: Patient & { id: string }; created: string }): Appointment {
  return {
    resourceType: 'Appointment', id, status: 'proposed', identifier: [{ system: drawTicketSystem, value: ticket }],
    extension: [
      { url: extensions.organization, valueReference: reference(`Organization/${session.organization}`, { zh: session.name_zh, en: session.name_en }) },
      { url: extensions.clinicType, valueCoding: clinicTypeCoding(session.clinic_type) },
      { url: extensions.fee, valueMoney: moneyOfFen(session.fee_fen) },
    ],
    serviceType: [clinicTypeConcept(session.clinic_type)], specialty: [departmentConcept(session.department)],
    requestedPeriod: [{ start: instantInShanghai(new Date(session.start_at)), end: instantInShanghai(new Date(session.end_at)) }], created,
    participant: [
      { actor: reference(`Patient/${patient.id}`, patientName(patient)), status: 'accepted' },
      { actor: reference(`Practitioner/${session.practitioner}`, { zh: session.practitioner_name_zh, en: session.practitioner_name_en }), status: 'needs-action' },
    ],
  }
}

/** Elements that a caller may say; the others follow from the slot. */
function pickGiven(given: Appointment | null): Partial<Appointment> {
  if (given === null) return {}
  const { meta, language, text, contained, identifier, reasonCode, reasonReference, description, supportingInformation, comment, patientInstruction, basedOn } = given
  return withoutUndefined({ meta, language, text, contained, identifier, reasonCode, reasonReference, description, supportingInformation, comment, patientInstruction, basedOn })
}

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Partial<T>
}

function extensionsOf({ session, place, heldUntil, channel, replaces }: AppointmentFacts): Extension[] {
  return [
    { url: extensions.organization, valueReference: reference(`Organization/${session.organization}`, { zh: session.name_zh, en: session.name_en }) },
    { url: extensions.clinicType, valueCoding: clinicTypeCoding(session.clinic_type) },
    { url: extensions.title, valueCoding: titleCoding(session.title) },
    { url: extensions.fee, valueMoney: moneyOfFen(session.fee_fen) },
    { url: extensions.serialNumber, valuePositiveInt: place },
    ...(channel === 'public' ? [] : [{ url: extensions.channel, valueCode: channel }]),
    ...(replaces === undefined ? [] : [{ url: extensions.replaces, valueReference: { reference: `Appointment/${replaces}` } }]),
    ...(heldUntil === null ? [] : [{ url: extensions.expiresAt, valueInstant: instantInShanghai(heldUntil) }]),
  ]
}

function participantsOf({ session, patient }: AppointmentFacts): AppointmentParticipant[] {
  const doctor: Named = { zh: session.practitioner_name_zh, en: session.practitioner_name_en }
  const actors = [
    reference(`Patient/${patient.id}`, patientName(patient)),
    reference(`Practitioner/${session.practitioner}`, doctor),
    reference(`PractitionerRole/${session.practitioner_role}`, doctor),
    reference(`HealthcareService/${session.healthcare_service}`, serviceName(session)),
    reference(`Location/${session.location}`, { zh: session.location_name_zh, en: session.location_name_en }),
  ]
  return actors.map((actor) => ({ actor, status: 'accepted' }) as AppointmentParticipant)
}

/** Such as 浦江市第一人民医院 心血管内科. */
export function serviceName(session: SessionFace): Named {
  const department = departmentName(session.department)
  return { zh: `${session.name_zh} ${department.zh}`, en: `${department.en}, ${session.name_en}` }
}

/** The official name in Chinese; the pinyin one as English, where there is one. */
export function patientName(patient: Pick<Patient, 'name'>): Named {
  const text = (name: HumanName | undefined) => name?.text ?? [name?.family, ...(name?.given ?? [])].filter(Boolean).join('')
  const zh = text(patient.name?.[0]) || '就诊人'
  const latin = patient.name?.find((each) => /^[A-Za-z]/.test(text(each)))
  return { zh, en: latin ? text(latin) : zh }
}

/** What a change of state says in the resource beside its status. */
export interface StateChange {
  state: BookingState
  /** Code of CodeSystem cancel-reason; null unless cancelled. */
  reason: string | null
  /** The caller's own words; null when none were given. */
  comment: string | null
  /** What the hospital owes back; left out when nothing. */
  refundFen?: bigint | null
}

export function appointmentInState(appointment: Appointment, change: StateChange): Appointment {
  const changed: Appointment = { ...appointment, status: statuses[change.state] }
  const kept = appointment.extension?.filter((each) => !passing.has(each.url)) ?? []
  const owed = change.refundFen ? [{ url: extensions.refundDue, valueMoney: moneyOfFen(change.refundFen) }] : []
  if (appointment.extension || owed.length > 0) changed.extension = [...kept, ...owed]
  if (change.reason !== null) {
    const name = cancelReasonNames[change.reason] ?? { zh: change.reason, en: change.reason }
    const reason = concept(systems.cancelReason, change.reason, name)
    changed.cancelationReason = change.comment === null ? reason : { coding: reason.coding ?? [], text: change.comment }
  }
  return changed
}

/** What is true only until the state changes. */
const passing: ReadonlySet<string> = new Set([extensions.expiresAt, extensions.chooseUntil, extensions.replaces])

/** A booking whose clinic was suspended or given to another doctor: until when the patient may say what they want. */
export function awaitingChoice(appointment: Appointment, until: Date): Appointment {
  const kept = appointment.extension?.filter((each) => each.url !== extensions.chooseUntil) ?? []
  return { ...appointment, extension: [...kept, { url: extensions.chooseUntil, valueInstant: instantInShanghai(until) }] }
}
