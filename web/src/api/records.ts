/** The shared record of one person: entries of all hospitals, as the reader may see them, and the log of who looked. */
import type {
  AllergyIntolerance, AuditEvent, Bundle, Condition, DiagnosticReport, Encounter, Immunization, MedicationRequest, Observation, Patient,
  Procedure, ServiceRequest,
} from '@medplum/fhirtypes'
import { type Page, pageOf, read, samePath, searchAll } from './fhir.ts'
import { request } from './http.ts'

export interface PatientRecord {
  patient: Patient
  conditions: Condition[]
  allergies: AllergyIntolerance[]
  medications: MedicationRequest[]
  observations: Observation[]
  reports: DiagnosticReport[]
  orders: ServiceRequest[]
  procedures: Procedure[]
  immunizations: Immunization[]
  encounters: Encounter[]
}

/** Entries a type shows at most; older ones stay on the server. */
const pagesMax = 5
const pageCount = 200

export async function patientRecord(id: string, signal?: AbortSignal): Promise<PatientRecord> {
  const patient = `Patient/${id}`
  const values = { patient, _count: pageCount }
  const [person, conditions, allergies, medications, observations, reports, orders, procedures, immunizations, encounters] = await Promise.all([
    read<Patient>('Patient', id, signal),
    searchAll<Condition>('Condition', values, pagesMax, signal),
    searchAll<AllergyIntolerance>('AllergyIntolerance', values, pagesMax, signal),
    searchAll<MedicationRequest>('MedicationRequest', { ...values, _sort: '-authoredon' }, pagesMax, signal),
    searchAll<Observation>('Observation', { ...values, _sort: '-date' }, pagesMax, signal),
    searchAll<DiagnosticReport>('DiagnosticReport', { ...values, _sort: '-date' }, pagesMax, signal),
    searchAll<ServiceRequest>('ServiceRequest', values, pagesMax, signal),
    searchAll<Procedure>('Procedure', values, pagesMax, signal),
    searchAll<Immunization>('Immunization', { ...values, _sort: '-date' }, pagesMax, signal),
    searchAll<Encounter>('Encounter', { ...values, _sort: '-date' }, pagesMax, signal),
  ])
  return {
    patient: person, conditions: conditions.matches, allergies: allergies.matches, medications: medications.matches, observations: observations.matches,
    reports: reports.matches, orders: orders.matches, procedures: procedures.matches, immunizations: immunizations.matches,
    encounters: encounters.matches.sort((a, b) => (b.period?.start ?? '').localeCompare(a.period?.start ?? '')),
  }
}

/** One page of the log, newest first; `next` is the address of the page before it in time. */
export async function accessLog(patient: string, next: string | null, signal?: AbortSignal): Promise<Page<AuditEvent>> {
  const path = next === null ? `/fhir/Patient/${patient}/$access-log` : /^(https?:)?\//.test(next) ? samePath(next) : `/fhir/${next}`
  return pageOf<AuditEvent>(await request<Bundle>('GET', path, signal ? { signal } : {}))
}
