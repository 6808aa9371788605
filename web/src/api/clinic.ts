/** A doctor's list of one day, with the patients it names. */
import type { Appointment, Patient } from '@medplum/fhirtypes'
import { appointmentFacts, type AppointmentFacts } from './appointment-facts.ts'
import { idOf, searchAll } from './fhir.ts'

export interface ListedPatient { facts: AppointmentFacts; patient: Patient | null }

export async function listOfDay(practitioner: string, date: string, signal?: AbortSignal): Promise<ListedPatient[]> {
  const page = await searchAll<Appointment>('Appointment', {
    practitioner: `Practitioner/${practitioner}`, date, _sort: 'date', _include: 'Appointment:patient', _count: 100,
  }, 3, signal)
  const patients = new Map(page.included.filter((each) => each.resourceType === 'Patient').map((each) => [each.id, each as Patient]))
  return page.matches.map(appointmentFacts)
    .filter((each) => each.start && each.status !== 'cancelled' && each.status !== 'pending')
    .map((facts) => ({ facts, patient: patients.get(idOf(facts.patient) ?? '') ?? null }))
}
