/** The shared record of a person as a query, and the words that pages and components use for its parts. */
import { useQuery } from '@tanstack/vue-query'
import type { Encounter } from '@medplum/fhirtypes'
import { type PatientRecord, patientRecord } from '../api/records.ts'

export type { PatientRecord } from '../api/records.ts'

export function useRecord(patient: () => string) {
  return useQuery({
    queryKey: ['record', patient], queryFn: ({ signal }) => patientRecord(patient(), signal), enabled: () => patient() !== '', staleTime: 60_000,
  })
}

/** Everything of one visit. */
export function ofVisit(record: PatientRecord, encounter: Encounter): PatientRecord {
  const reference = `Encounter/${encounter.id}`
  const here = (each: { encounter?: { reference?: string } }) => each.encounter?.reference?.endsWith(reference) ?? false
  const diagnosed = new Set((encounter.diagnosis ?? []).map((each) => each.condition?.reference))
  return {
    ...record,
    conditions: record.conditions.filter((each) => here(each) || diagnosed.has(`Condition/${each.id}`)),
    medications: record.medications.filter(here),
    observations: record.observations.filter(here),
    reports: record.reports.filter(here),
    orders: record.orders.filter(here),
    procedures: record.procedures.filter(here),
    immunizations: record.immunizations.filter(here),
    encounters: [encounter],
  }
}

/** Problems that still matter: not resolved, one line each even when several visits named them. */
export function activeProblems(record: PatientRecord): PatientRecord['conditions'] {
  const seen = new Set<string>()
  return [...record.conditions]
    .sort((a, b) => (a.onsetDateTime ?? a.recordedDate ?? '').localeCompare(b.onsetDateTime ?? b.recordedDate ?? ''))
    .filter((each) => {
      const status = each.clinicalStatus?.coding?.[0]?.code
      const key = each.code?.coding?.[0]?.code ?? each.code?.text ?? each.id ?? ''
      if (status === 'resolved' || status === 'inactive' || status === 'remission' || seen.has(key)) return false
      seen.add(key)
      return true
    })
}

/** Prescriptions in force, the newest of each drug. */
export function currentMedications(record: PatientRecord): PatientRecord['medications'] {
  const seen = new Set<string>()
  return record.medications.filter((each) => {
    const concept = each.medicationCodeableConcept
    const key = concept?.coding?.[0]?.code ?? concept?.text ?? each.id ?? ''
    if (each.status !== 'active' || seen.has(key)) return false
    seen.add(key)
    return true
  })
}
