/** Resources with values that searches find hard: partial dates, zones, open periods, precisions, comparators, codes without system, rare characters. */
import type { Resource } from '@medplum/fhirtypes'

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const families = ['张', '王', '欧阳', '單', 'Müller', "O'Brien", '𠮷', 'de la Cruz']
const givens = ['三', '伟', '秀英', '娜娜', 'José', 'Anna Maria', '㐀', 'Zoë']
const systems = ['http://loinc.org', 'urn:local', undefined]
const codes = ['a', 'b', 'A', 'c,d', '8480-6']
const units = [{ unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' }, { unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' }, { unit: '克', system: 'http://unitsofmeasure.org', code: 'g' }, { unit: 'umol/L', system: 'http://unitsofmeasure.org', code: 'umol/L' }, { unit: '毫克' }, {}]
const amounts = [5, 5.4, 5.42, 100, 0, -3.5, 0.001, 1000000]
const dates = ['2024', '2024-02', '2024-02-29', '2024-02-29T08:30:00+08:00', '2024-02-29T00:30:00Z', '2024-03-01T00:00:00.5+08:00', '1980-05-01', '2025-12-31T23:59:59-05:00']

/** `many` of each type, which refer to one another. */
export function* randomResources(random: () => number, many: number): Generator<Resource> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const maybe = <T>(value: () => T): T | undefined => (random() < 0.7 ? value() : undefined)
  const number = () => Math.floor(random() * many)
  const coding = () => ({ system: pick(systems), code: pick(codes), display: pick(['Alpha', '血糖', undefined]) })
  const concept = () => ({ coding: [coding(), ...(random() < 0.3 ? [coding()] : [])], text: pick(['x', undefined]) })
  const period = () => ({ start: maybe(() => pick(dates)), end: maybe(() => pick(dates)) })
  const quantity = () => ({ value: pick(amounts), comparator: random() < 0.1 ? pick(['<', '>=']) : undefined, ...pick(units) })
  const patient = () => ({ reference: `Patient/r${number()}` })
  const name = () => {
    const family = pick(families)
    const given = [pick(givens)]
    return { family, given, text: maybe(() => `${family}${given[0]}`) }
  }
  const made = (resource: object): Resource => JSON.parse(JSON.stringify(resource)) as Resource
  for (let index = 0; index < many; index++) {
    const id = `r${index}`
    const meta = { tag: random() < 0.3 ? [coding()] : undefined, source: maybe(() => pick(['http://his.example.org/1', 'http://his.example.org/2', 'urn:lab'])) }
    yield made({ resourceType: 'Patient', id, meta, active: maybe(() => random() < 0.5), name: [name(), ...(random() < 0.3 ? [name()] : [])], gender: maybe(() => pick(['male', 'female'])), birthDate: maybe(() => pick(dates).slice(0, 10)),
      identifier: maybe(() => [{ system: pick(systems), value: pick(codes) }]), address: maybe(() => [{ text: '上海市黄浦区', city: pick(['上海', 'Shanghai']), line: ['人民大道200号'] }]), deceasedDateTime: random() < 0.2 ? pick(dates) : undefined,
      telecom: maybe(() => [{ system: 'phone', value: '13800000001' }]), generalPractitioner: maybe(() => [{ reference: `Practitioner/r${number()}` }]), link: random() < 0.2 ? [{ other: patient(), type: 'seealso' }] : undefined })
    yield made({ resourceType: 'Observation', id, meta, status: pick(['final', 'amended']), code: concept(), category: maybe(() => [concept()]), subject: maybe(patient), encounter: maybe(() => ({ reference: `Encounter/r${number()}` })),
      ...(random() < 0.6 ? { effectiveDateTime: pick(dates) } : random() < 0.5 ? { effectivePeriod: period() } : {}), ...(random() < 0.6 ? { valueQuantity: quantity() } : random() < 0.5 ? { valueCodeableConcept: concept() } : { valueString: pick(['Trace', '阴性']) }),
      component: random() < 0.4 ? [{ code: concept(), valueQuantity: quantity() }, { code: concept(), valueCodeableConcept: concept() }] : undefined, performer: maybe(() => [{ reference: `Practitioner/r${number()}` }, patient()]) })
    yield made({ resourceType: 'Encounter', id, meta, status: pick(['planned', 'finished']), class: coding(), type: maybe(() => [concept()]), subject: maybe(patient), period: maybe(period), length: maybe(() => ({ value: pick(amounts), system: 'http://unitsofmeasure.org', code: 'min' })) })
    yield made({ resourceType: 'Condition', id, subject: patient(), code: maybe(concept), onsetDateTime: maybe(() => pick(dates)), recordedDate: maybe(() => pick(dates)), abatementString: random() < 0.2 ? pick(['gone', '好转']) : undefined })
    yield made({ resourceType: 'MedicationRequest', id, status: 'active', intent: pick(['order', 'plan']), medicationCodeableConcept: concept(), subject: patient(), authoredOn: maybe(() => pick(dates)) })
    yield made({ resourceType: 'ValueSet', id, status: pick(['draft', 'active']), url: maybe(() => pick(['http://example.org/a', 'http://example.org/a/b', 'urn:x'])), version: maybe(() => pick(['1', '2'])), date: maybe(() => pick(dates)), title: maybe(() => pick(['Codes', '代码'])) })
  }
}
