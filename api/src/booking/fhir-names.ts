/**
 * The names under which booking's facts appear in FHIR: code systems, extensions, and the two-language display that every
 * reference and coding carries. Source: docs/booking.md, section "In FHIR"; translation extension of R4.
 */
import type { CodeableConcept, Coding, Extension, Money, Reference } from '@medplum/fhirtypes'
import { departmentName } from './departments.ts'
import type { Named } from './shapes.ts'

const base = 'https://pujiang.health/fhir'
export const systems = {
  department: `${base}/CodeSystem/department`,
  title: `${base}/CodeSystem/practitioner-title`,
  clinicType: `${base}/CodeSystem/clinic-type`,
  cancelReason: `${base}/CodeSystem/cancel-reason`,
  appointmentType: 'http://terminology.hl7.org/CodeSystem/v2-0276',
} as const

/** System of the ticket ids that a published draw names. */
export const drawTicketSystem = `${base}/draw-ticket`

export const extensions = {
  /** valueMoney: what the registration costs. Slot, Schedule, Appointment. */
  fee: `${base}/StructureDefinition/fee`,
  /** valueCoding: ordinary, expert, disease-specific, special-need. Slot, Schedule, Appointment. */
  clinicType: `${base}/StructureDefinition/clinic-type`,
  /** valueCoding: the doctor's title. Schedule, Appointment. */
  title: `${base}/StructureDefinition/practitioner-title`,
  /** valuePositiveInt: the place number. Slot, Appointment. */
  serialNumber: `${base}/StructureDefinition/serial-number`,
  /** valueReference(Organization): the hospital. Schedule, Appointment. */
  organization: `${base}/StructureDefinition/organization`,
  /** valueInstant: when an unconfirmed hold ends. Appointment `pending`. */
  expiresAt: `${base}/StructureDefinition/expires-at`,
  /** valueCode: the quota a place was taken from: gp, follow-up, onsite; absent for the public one. Appointment. */
  channel: `${base}/StructureDefinition/booking-channel`,
  /** valueInstant: until when the patient may say what to do about a suspended or substituted clinic. Appointment. */
  chooseUntil: `${base}/StructureDefinition/choose-until`,
  /** valueReference(Appointment): the appointment that an offered place would replace. Appointment `proposed`. */
  replaces: `${base}/StructureDefinition/replaces`,
  /** valueMoney: what the hospital owes back. Appointment `cancelled`. */
  refundDue: `${base}/StructureDefinition/refund-due`,
  /** valuePositiveInt: places of the session. Schedule. */
  capacity: `${base}/StructureDefinition/session-capacity`,
  /** valueCode: open, suspended, closed. Schedule. */
  sessionStatus: `${base}/StructureDefinition/session-status`,
  /** valueInstant: from when citizens may book. Schedule. */
  releaseAt: `${base}/StructureDefinition/release-at`,
} as const

const translation = 'http://hl7.org/fhir/StructureDefinition/translation'

/** The underscore sibling that carries the English beside a Chinese string. */
export function english(en: string): { extension: Extension[] } {
  return { extension: [{ url: translation, extension: [{ url: 'lang', valueCode: 'en' }, { url: 'content', valueString: en }] }] }
}

export function reference<T extends Reference>(target: string, name: Named): T {
  return { reference: target, display: name.zh, _display: english(name.en) } as unknown as T
}

export function coding(system: string, code: string, name: Named): Coding {
  return { system, code, display: name.zh, _display: english(name.en) } as Coding
}

export function concept(system: string, code: string, name: Named): CodeableConcept {
  return { coding: [coding(system, code, name)], text: name.zh, _text: english(name.en) } as CodeableConcept
}

export function moneyOfFen(fen: bigint): Money {
  return { value: Number(fen) / 100, currency: 'CNY' }
}

const clinicTypeNames: Record<string, Named> = {
  ordinary: { zh: '普通门诊', en: 'General clinic' },
  expert: { zh: '专家门诊', en: 'Expert clinic' },
  'disease-specific': { zh: '专病门诊', en: 'Disease-specific clinic' },
  'special-need': { zh: '特需门诊', en: 'Special-need clinic' },
}

export const titleNames: Record<string, Named> = {
  chief: { zh: '主任医师', en: 'Chief physician' },
  'associate-chief': { zh: '副主任医师', en: 'Associate chief physician' },
  attending: { zh: '主治医师', en: 'Attending physician' },
  resident: { zh: '住院医师', en: 'Resident physician' },
}

export const cancelReasonNames: Record<string, Named> = {
  patient: { zh: '就诊人取消', en: 'Cancelled by the patient' },
  'patient-late': { zh: '就诊人临近就诊取消', en: 'Cancelled late by the patient' },
  proxy: { zh: '代办人取消', en: 'Cancelled by someone acting for the patient' },
  'provider-suspended': { zh: '医院停诊', en: 'Clinic suspended by the hospital' },
  'provider-changed': { zh: '医生变更，未接受替诊', en: 'The doctor changed and the substitute was not accepted' },
  'draw-won': { zh: '已中签', en: 'A place was drawn' },
  'draw-lost': { zh: '未中签', en: 'No place was drawn' },
  'draw-void': { zh: '中签但不符合预约规则', en: 'A place was drawn that a rule forbids' },
  'waitlist-served': { zh: '候补成功', en: 'A place from the waitlist was taken' },
  'waitlist-expired': { zh: '候补截止', en: 'The waitlist closed' },
  'offer-declined': { zh: '未接受候补号源', en: 'The offered place was declined' },
  'offer-lapsed': { zh: '候补号源逾期未答复', en: 'The offered place was not answered in time' },
  excused: { zh: '爽约已免责', en: 'A missed visit that was excused' },
  rescheduled: { zh: '已改约', en: 'Moved to another time' },
  'hold-expired': { zh: '超时未确认', en: 'Not confirmed in time' },
}

export function clinicTypeCoding(code: string): Coding {
  return coding(systems.clinicType, code, nameIn(clinicTypeNames, code))
}

export function titleCoding(code: string): Coding {
  return coding(systems.title, code, nameIn(titleNames, code))
}

export function departmentConcept(code: string): CodeableConcept {
  return concept(systems.department, code, departmentName(code))
}

export function clinicTypeConcept(code: string): CodeableConcept {
  return concept(systems.clinicType, code, nameIn(clinicTypeNames, code))
}

function nameIn(names: Record<string, Named>, code: string): Named {
  return names[code] ?? { zh: code, en: code }
}
