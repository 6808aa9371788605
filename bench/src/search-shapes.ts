/**
 * The searches that applications make, as data: what `npm run bench -- search` times at one and at ten times the data, and what a test reads
 * the plans of. Values come from the data that is searched (`Sample`), another one each time.
 */
import type { Resource } from '@medplum/fhirtypes'
import type { ResourceType } from '../../api/src/fhir/resource-types.ts'

/** One patient and what belongs to them, and values that occur elsewhere. */
export interface Sample {
  patient: string
  family: string
  birthDate: string
  identifier: string
  city: string
  encounter: string
  practitioner: string
  practitionerName: string
  /** Code of one of the patient's observations, and the day of it. */
  code: string
  day: string
  /** A code that few observations have, and one that many have. */
  rare: string
  common: string
  diagnosis: string
}

export interface Shape { name: string; type: ResourceType; query(sample: Sample): string; /** Pages to go forward first. */ pages?: number }

const shape = (name: string, type: ResourceType, query: Shape['query'], pages = 0): Shape => ({ name, type, query, pages })

export const searchShapes: readonly Shape[] = [
  shape('gender', 'Patient', () => 'gender=female'),
  shape('name', 'Patient', ({ family }) => `name=${family.slice(0, 2)}`),
  shape('family, exact', 'Patient', ({ family }) => `family:exact=${family}`),
  shape('identifier', 'Patient', ({ identifier }) => `identifier=${identifier}`),
  shape('birth date', 'Patient', ({ birthDate }) => `birthdate=${birthDate}`),
  shape('birth years + gender', 'Patient', ({ birthDate }) => `birthdate=ge${Number(birthDate.slice(0, 4)) - 3}&birthdate=le${birthDate.slice(0, 4)}&gender=male`),
  shape('city of address', 'Patient', ({ city }) => `address-city=${city}`),
  shape('list by family name', 'Patient', () => '_sort=family&_count=20'),
  shape('list by birth date', 'Patient', () => '_sort=-birthdate&_count=20'),
  shape('list by last change', 'Patient', () => '_sort=-_lastUpdated&_count=20'),
  shape('code', 'Observation', ({ rare }) => `code=http://loinc.org|${rare}`),
  shape('frequent code by date', 'Observation', ({ common }) => `code=http://loinc.org|${common}&_sort=-date`),
  shape('combo-code', 'Observation', ({ rare }) => `combo-code=http://loinc.org|${rare}`),
  shape('day', 'Observation', ({ day }) => `date=${day}`),
  shape('code + date range', 'Observation', ({ common, day }) => `code=http://loinc.org|${common}&date=ge${day.slice(0, 4)}&date=lt${Number(day.slice(0, 4)) + 1}`),
  shape('patient + code by date', 'Observation', ({ patient, code }) => `patient=${patient}&code=http://loinc.org|${code}&_sort=-date`),
  shape('patient + category + date', 'Observation', ({ patient, day }) => `patient=${patient}&category=laboratory,vital-signs&date=ge${day.slice(0, 4)}`),
  shape('status + category', 'Observation', () => 'status=final&category=laboratory'),
  shape('code + value', 'Observation', ({ common }) => `code=http://loinc.org|${common}&value-quantity=gt20`),
  shape('code and value together', 'Observation', ({ common }) => `code-value-quantity=http://loinc.org|${common}$gt20`),
  shape('by value', 'Observation', ({ rare }) => `code=http://loinc.org|${rare}&_sort=value-quantity`),
  shape('of a visit', 'Observation', ({ encounter }) => `encounter=Encounter/${encounter}`),
  shape('compartment of a visit', 'Observation', ({ encounter }) => `_has:Provenance:target:_id=none&encounter=${encounter}`),
  shape('text of a code', 'Observation', () => 'code:text=glucose'),
  shape('visits of a month', 'Encounter', ({ day }) => `date=ge${day.slice(0, 7)}-01&date=lt${day.slice(0, 7)}-28`),
  shape('class + status', 'Encounter', () => 'class=AMB&status=finished'),
  shape('diagnosis + status', 'Condition', ({ diagnosis }) => `code=${diagnosis}&clinical-status=active`),
  shape('patient + status', 'MedicationRequest', ({ patient }) => `patient=${patient}&status=active`),
  shape('_text', 'CarePlan', () => '_text=respiratory therapy'),
  shape('_has', 'Patient', ({ rare }) => `_has:Observation:patient:code=${rare}`),
  shape('_has, frequent', 'Patient', ({ common }) => `_has:Observation:patient:code=${common}`),
  shape('chained by name', 'Observation', ({ family, common }) => `subject:Patient.family=${family}&code=${common}`),
  shape('chained by identifier', 'Condition', ({ identifier }) => `patient.identifier=${identifier}`),
  shape('chained by doctor', 'MedicationRequest', ({ practitionerName }) => `requester:Practitioner.family=${practitionerName}`),
  shape('_include', 'MedicationRequest', ({ patient }) => `patient=${patient}&_include=MedicationRequest:requester&_include=MedicationRequest:encounter`),
  shape('_revinclude', 'Encounter', ({ patient }) => `patient=${patient}&_count=5&_revinclude=Observation:encounter&_revinclude=Condition:encounter`),
  shape('_total of a patient', 'Observation', ({ patient }) => `patient=${patient}&_total=accurate`),
  shape('_total=estimate', 'Observation', () => 'status=final&_total=estimate&_count=0'),
  shape('_filter, codes', 'Observation', ({ rare, common }) => `_filter=${encodeURIComponent(`(code eq ${rare} or code eq ${common}) and status eq final`)}`),
  shape('_filter, names', 'Patient', ({ family, city }) => `_filter=${encodeURIComponent(`family eq "${family}" or (address-city eq "${city}" and gender eq male)`)}`),
  shape('sorted by status', 'Observation', () => '_sort=status,-date'),
  shape('sorted by code', 'Condition', () => '_sort=code'),
  shape('changed since', 'Observation', () => '_lastUpdated=ge2030-01-01'),
  shape('of many patients', 'Observation', () => 'patient.birthdate=lt1950&category=laboratory'),
  shape('of many, newest first', 'Observation', () => 'patient.birthdate=lt1950&category=laboratory&_sort=-date'),
  shape('chained by visit', 'Observation', ({ common }) => `encounter.class=EMER&code=http://loinc.org|${common}`),
  shape('chained by result', 'DiagnosticReport', ({ rare }) => `result.code=http://loinc.org|${rare}`),
  shape('all that refers', 'Encounter', ({ encounter }) => `_id=${encounter}&_revinclude=*`),
  shape('fiftieth page', 'Observation', ({ common }) => `code=http://loinc.org|${common}&_sort=-date&_count=10`, 50),
]

/** Samples from resources in memory: as many as there are patients with observations, `most` at most. */
export function samplesOf(resources: readonly Resource[], most: number): Sample[] {
  const ofType = <T extends Resource['resourceType']>(type: T) => resources.filter((each): each is Extract<Resource, { resourceType: T }> => each.resourceType === type)
  const codes = new Map<string, number>()
  const observations = ofType('Observation')
  for (const { code } of observations) codes.set(code.coding?.[0]?.code ?? '', (codes.get(code.coding?.[0]?.code ?? '') ?? 0) + 1)
  const ranked = [...codes].sort((a, b) => b[1] - a[1]).map(([code]) => code)
  const rare = ranked.slice(Math.floor(ranked.length / 2))
  const diagnoses = ofType('Condition').map((each) => each.code?.coding?.[0]?.code ?? '')
  const encounters = new Map(ofType('Encounter').map((each) => [`Encounter/${each.id}`, each]))
  const practitioners = ofType('Practitioner')
  const found: Sample[] = []
  for (const [index, patient] of ofType('Patient').entries()) {
    const own = observations.filter((each) => each.subject?.reference === `Patient/${patient.id}` && each.encounter?.reference)
    const observation = own[Math.floor(own.length / 2)]
    if (!observation || found.length >= most) continue
    const practitioner = practitioners[index % Math.max(practitioners.length, 1)]
    found.push({
      patient: patient.id ?? '', family: patient.name?.[0]?.family ?? '', birthDate: patient.birthDate ?? '', city: patient.address?.[0]?.city ?? '',
      identifier: `${patient.identifier?.[0]?.system ?? 'urn:id'}|${patient.identifier?.[0]?.value ?? '0'}`,
      encounter: encounters.get(observation.encounter?.reference ?? '')?.id ?? '', practitioner: practitioner?.id ?? '', practitionerName: practitioner?.name?.[0]?.family ?? 'none',
      code: observation.code.coding?.[0]?.code ?? '', day: (observation.effectiveDateTime ?? '').slice(0, 10),
      rare: rare[index % rare.length] ?? '', common: ranked[index % 3] ?? '', diagnosis: diagnoses[index % diagnoses.length] ?? '',
    })
  }
  return found
}
