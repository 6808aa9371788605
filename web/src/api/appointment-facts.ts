/** What a page shows of an Appointment, read out of its participants and our extensions. Pure. */
import type { Appointment, CodeableConcept, Coding, Reference } from '@medplum/fhirtypes'
import { fenOf } from '../i18n/format.ts'
import { idOf } from './fhir.ts'

const base = 'https://pujiang.health/fhir/StructureDefinition/'

export interface AppointmentFacts {
  id: string
  status: Appointment['status']
  start: string
  end: string
  department: CodeableConcept | undefined
  departmentCode: string
  organization: Reference | undefined
  practitioner: Reference | undefined
  patient: Reference | undefined
  /** Consulting room or building, when the hospital says it. */
  location: Reference | undefined
  clinicType: Coding | undefined
  title: Coding | undefined
  feeFen: number | null
  /** FHIR id of the Schedule: the session its place is in; null where there is none. */
  schedule: string | null
  /** The place number of the session. */
  number: number | null
  /** When an unconfirmed hold ends; null once booked. */
  expiresAt: string | null
  /** Until when the patient may say what to do about a suspended or substituted clinic; null when nothing is asked. */
  chooseUntil: string | null
  /** The appointment that a place kept as a choice would replace; null for any other. */
  replaces: string | null
  /** What the hospital owes back; null when nothing. */
  refundFen: number | null
  cancelReason: CodeableConcept | undefined
  /** Short code to say at the desk when the QR code cannot be read. */
  code: string
}

export function appointmentFacts(appointment: Appointment): AppointmentFacts {
  const extension = (name: string) => appointment.extension?.find((each) => each.url === base + name)
  const actor = (type: string) => appointment.participant?.map((each) => each.actor).find((each) => each?.reference?.includes(`${type}/`))
  const fee = extension('fee')?.valueMoney?.value
  const refund = extension('refund-due')?.valueMoney?.value
  const department = appointment.specialty?.[0] ?? appointment.serviceType?.[0]
  return {
    id: appointment.id ?? '',
    status: appointment.status,
    start: appointment.start ?? '',
    end: appointment.end ?? '',
    department,
    departmentCode: department?.coding?.[0]?.code ?? '',
    organization: extension('organization')?.valueReference ?? actor('Organization'),
    practitioner: actor('Practitioner'),
    patient: actor('Patient'),
    location: actor('Location'),
    clinicType: extension('clinic-type')?.valueCoding,
    title: extension('practitioner-title')?.valueCoding,
    feeFen: fee === undefined ? null : fenOf(fee),
    schedule: idOf(appointment.slot?.[0])?.replace(/-\d+$/, '') ?? null,
    number: extension('serial-number')?.valuePositiveInt ?? null,
    expiresAt: extension('expires-at')?.valueInstant ?? null,
    chooseUntil: extension('choose-until')?.valueInstant ?? null,
    replaces: idOf(extension('replaces')?.valueReference),
    refundFen: refund === undefined ? null : fenOf(refund),
    cancelReason: appointment.cancelationReason,
    code: appointment.identifier?.[0]?.value ?? (appointment.id ?? '').replace(/-/g, '').slice(-6).toUpperCase(),
  }
}

export function practitionerId(facts: AppointmentFacts): string | null {
  return idOf(facts.practitioner)
}

/** Still ahead, by the server's clock: what stands under "upcoming". */
export function isUpcoming(facts: AppointmentFacts, now: Date): boolean {
  return ['booked', 'pending', 'arrived', 'checked-in', 'waitlist'].includes(facts.status ?? '') && Date.parse(facts.end || facts.start) > now.getTime()
}
