/**
 * The documents the benchmarks write: an Observation as a laboratory sends it, and a transaction of a hundred resources as a
 * hospital sends after a stay. Built by counting, so every run writes the same; nothing in them is of a real person.
 */

interface Reference { reference: string }
interface Entry { fullUrl: string; resource: Record<string, unknown>; request: { method: 'POST'; url: string } }
export interface TransactionBundle { resourceType: 'Bundle'; type: 'transaction'; entry: Entry[] }

type Rows<T> = readonly [T, ...T[]]
interface LaboratoryTest { code: string; name: string; unit: string; low: number; high: number; base: number }

const laboratory: Rows<LaboratoryTest> = [
  { code: '718-7', name: '血红蛋白', unit: 'g/L', low: 130, high: 175, base: 128 },
  { code: '2345-7', name: '葡萄糖', unit: 'mmol/L', low: 3.9, high: 6.1, base: 4.4 },
  { code: '2160-0', name: '肌酐', unit: 'umol/L', low: 57, high: 111, base: 66 },
  { code: '2823-3', name: '钾', unit: 'mmol/L', low: 3.5, high: 5.3, base: 3.9 },
  { code: '1742-6', name: '丙氨酸氨基转移酶', unit: 'U/L', low: 9, high: 50, base: 21 },
]

const diagnoses: Rows<[string, string]> = [['I10.x00', '高血压病'], ['E11.900', '2型糖尿病'], ['J06.900', '急性上呼吸道感染'], ['K29.500', '慢性胃炎'], ['M54.500', '下腰痛']]
const drugs: Rows<[string, number]> = [['硝苯地平控释片', 30], ['二甲双胍片', 500], ['阿托伐他汀钙片', 20], ['奥美拉唑肠溶胶囊', 20], ['阿莫西林胶囊', 250]]

/** The instant of the n-th event: one every 37 minutes from the start of 2024. */
function instant(n: number): string {
  return new Date(Date.UTC(2024, 0, 1) + n * 37 * 60_000).toISOString()
}

function pick<T>(list: Rows<T>, n: number): T {
  return list[n % list.length] ?? list[0]
}

export function observation(n: number, subject: Reference, encounter: Reference | null = null): Record<string, unknown> {
  const test = pick(laboratory, n)
  const value = Math.round((test.base + (n % 17) * test.base * 0.03) * 10) / 10
  return {
    resourceType: 'Observation',
    status: 'final',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory', display: 'Laboratory' }] }],
    code: { coding: [{ system: 'http://loinc.org', code: test.code, display: test.name }], text: test.name },
    subject,
    ...(encounter ? { encounter } : {}),
    effectiveDateTime: instant(n),
    issued: instant(n + 2),
    valueQuantity: { value, unit: test.unit, system: 'http://unitsofmeasure.org', code: test.unit },
    interpretation: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code: value > test.high ? 'H' : value < test.low ? 'L' : 'N' }] }],
    referenceRange: [{ low: { value: test.low, unit: test.unit }, high: { value: test.high, unit: test.unit } }],
  }
}

export function patient(n: number): Record<string, unknown> {
  return {
    resourceType: 'Patient',
    active: true,
    name: [{ use: 'official', text: `测试${n}`, family: '测', given: [`试${n}`] }],
    gender: n % 2 === 0 ? 'female' : 'male',
    birthDate: `${1940 + (n % 70)}-0${1 + (n % 9)}-1${n % 10}`,
    telecom: [{ system: 'phone', value: `1390000${String(n % 10_000).padStart(4, '0')}`, use: 'mobile' }],
    address: [{ text: `上海市测试路${n}号`, city: '上海市', country: 'CN' }],
  }
}

/** A hundred resources of one patient: 4 encounters, 10 conditions, 60 observations, 15 prescriptions, 10 reports. */
export function stay(n: number): TransactionBundle {
  const link = (kind: string, i: number): Reference => ({ reference: `urn:uuid:${uuid(n, kind, i)}` })
  const subject = link('patient', 0)
  const encounterOf = (i: number) => link('encounter', i % 4)
  const entry = (kind: string, i: number, resource: Record<string, unknown>): Entry => ({
    fullUrl: link(kind, i).reference, resource, request: { method: 'POST', url: String(resource.resourceType) },
  })
  const many = (kind: string, count: number, make: (i: number) => Record<string, unknown>) => Array.from({ length: count }, (_, i) => entry(kind, i, make(i)))
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      entry('patient', 0, patient(n)),
      ...many('encounter', 4, (i) => encounter(n * 100 + i, subject)),
      ...many('condition', 10, (i) => condition(n + i, subject, encounterOf(i))),
      ...many('observation', 60, (i) => observation(n * 100 + i, subject, encounterOf(i))),
      ...many('prescription', 15, (i) => prescription(n + i, subject, encounterOf(i))),
      ...many('report', 10, (i) => report(n + i, subject, encounterOf(i), Array.from({ length: 6 }, (_, k) => link('observation', i * 6 + k)))),
    ],
  }
}

export function encounter(n: number, subject: Reference): Record<string, unknown> {
  return {
    resourceType: 'Encounter', status: 'finished', subject,
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB', display: '门诊' },
    period: { start: instant(n), end: instant(n + 1) },
  }
}

export function condition(n: number, subject: Reference, at: Reference | null = null): Record<string, unknown> {
  const [code, display] = pick(diagnoses, n)
  return {
    resourceType: 'Condition', subject, ...(at ? { encounter: at } : {}), recordedDate: instant(n), onsetDateTime: instant(n),
    clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] },
    code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code, display }], text: display },
  }
}

export function prescription(n: number, subject: Reference, at: Reference | null = null): Record<string, unknown> {
  const [name, milligrams] = pick(drugs, n)
  return {
    resourceType: 'MedicationRequest', status: 'active', intent: 'order', subject, ...(at ? { encounter: at } : {}), authoredOn: instant(n),
    medicationCodeableConcept: { text: name },
    dosageInstruction: [{
      text: '每日一次，每次一片',
      timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } },
      doseAndRate: [{ doseQuantity: { value: milligrams, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' } }],
    }],
  }
}

function report(n: number, subject: Reference, at: Reference, result: Reference[]): Record<string, unknown> {
  return {
    resourceType: 'DiagnosticReport', status: 'final', subject, encounter: at, effectiveDateTime: instant(n), issued: instant(n + 1), result,
    code: { coding: [{ system: 'http://loinc.org', code: '58410-2', display: '血常规' }], text: '血常规' },
    conclusion: '各项指标见结果，请结合临床。',
  }
}

/** A UUID that only counts: the same bundle has the same links in every run. */
function uuid(n: number, kind: string, i: number): string {
  const kinds = ['patient', 'encounter', 'condition', 'observation', 'prescription', 'report']
  const tail = `${n.toString(16).padStart(6, '0')}${kinds.indexOf(kind).toString(16).padStart(2, '0')}${i.toString(16).padStart(4, '0')}`
  return `00000000-0000-4000-8000-${tail}`
}
