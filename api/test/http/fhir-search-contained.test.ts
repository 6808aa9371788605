/** Chains into contained resources: the same as into rows, together with them, and by no other way. */
import { beforeAll, describe, expect, test } from 'vitest'
import { citizen, clinician, system, testPlatform, type TestReply } from '../support/platform.ts'

const { request } = await testPlatform()

const put = (resource: { resourceType: string; id: string; [element: string]: unknown }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
const atc = (code: string, text: string) => ({ coding: [{ system: 'http://www.whocc.no/atc', code, display: text }], text })
const order = (id: string, patient: string, medication: object, more: object = {}) => put({
  resourceType: 'MedicationRequest', id, status: 'active', intent: 'order', subject: { reference: `Patient/${patient}` }, ...medication, ...more,
})
const holding = (medication: object, ...others: object[]) => ({ contained: [{ resourceType: 'Medication', id: 'med', ...medication }, ...others], medicationReference: { reference: '#med' } })

beforeAll(async () => {
  const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [
    put({ resourceType: 'Patient', id: 'zhang', name: [{ text: '张三' }] }), put({ resourceType: 'Patient', id: 'li', name: [{ text: '李四' }] }),
    put({ resourceType: 'Organization', id: 'factory', name: '上海制药厂' }),
    put({ resourceType: 'Medication', id: 'stored', code: atc('A10BA02', '二甲双胍'), status: 'active', manufacturer: { reference: 'Organization/factory' } }),
    put({ resourceType: 'Medication', id: 'other', code: atc('B01AC06', '阿司匹林') }),
    order('by-row', 'zhang', { medicationReference: { reference: 'Medication/stored' } }),
    order('inside', 'zhang', holding({ code: atc('A10BA02', '二甲双胍'), status: 'inactive', batch: { lotNumber: 'L7', expirationDate: '2027-03-01' } })),
    order('made', 'li', holding({ code: atc('C10AA05', '阿托伐他汀'), manufacturer: { reference: 'Organization/factory' } })),
    order('nested', 'li', holding({ code: atc('N02BE01', '对乙酰氨基酚'), manufacturer: { reference: '#maker' } }, { resourceType: 'Organization', id: 'maker', name: '苏州药厂', partOf: { reference: 'Organization/factory' } })),
    order('plain', 'li', { medicationCodeableConcept: atc('A10BA02', '二甲双胍') }),
    order('aspirin', 'zhang', { medicationReference: { reference: 'Medication/other' } }),
    put({ resourceType: 'Observation', id: 'guest', status: 'final', code: { text: 'x' }, subject: { reference: '#p' }, contained: [{ resourceType: 'Patient', id: 'p', name: [{ text: '王五', family: '王' }], birthDate: '1950-02-03', gender: 'male' }] }),
    put({ resourceType: 'Observation', id: 'own', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/zhang' } }),
  ] } })
  expect(reply.json.issue ?? []).toEqual([])
})

const ids = (reply: TestReply): string[] => (reply.json.entry ?? []).map((each: { resource: { id: string } }) => each.resource.id).sort()
const find = async (query: string, as = system) => {
  const reply = await request('GET', `/fhir/${query}`, { as })
  expect(reply.json.issue ?? []).toEqual([])
  return ids(reply)
}

describe('what a contained resource says', () => {
  test.each([
    ['MedicationRequest?medication.code=A10BA02', ['by-row', 'inside']], ['MedicationRequest?medication:Medication.code=http://www.whocc.no/atc|A10BA02', ['by-row', 'inside']], ['MedicationRequest?medication.code=http://www.whocc.no/atc|', ['aspirin', 'by-row', 'inside', 'made', 'nested']],
    ['MedicationRequest?medication.code=A10BA02&status=active&subject=Patient/zhang', ['by-row', 'inside']], ['MedicationRequest?medication.code=A10BA02,C10AA05', ['by-row', 'inside', 'made']],
    ['MedicationRequest?medication.code=A10BA02&medication.status=inactive', ['inside']], ['MedicationRequest?medication.code:text=二甲', ['by-row', 'inside']], ['MedicationRequest?medication.code:not=A10BA02', ['aspirin', 'made', 'nested']],
    ['MedicationRequest?medication.status:missing=true', ['aspirin', 'made', 'nested']], ['MedicationRequest?medication.status:missing=false', ['by-row', 'inside']],
    ['MedicationRequest?medication.lot-number=L7', ['inside']], ['MedicationRequest?medication.expiration-date=ge2027-03-01', ['inside']], ['MedicationRequest?medication.expiration-date=2027-03', ['inside']], ['MedicationRequest?medication.expiration-date=lt2027', []],
    ['MedicationRequest?medication.manufacturer=Organization/factory', ['by-row', 'made']], ['MedicationRequest?medication.manufacturer.name=上海', ['by-row', 'made']], ['MedicationRequest?medication.manufacturer.name=苏州', ['nested']], ['MedicationRequest?medication.manufacturer.name:contains=药', ['by-row', 'made', 'nested']],
    ['MedicationRequest?medication.manufacturer:Organization.name:exact=苏州药厂', ['nested']], ['MedicationRequest?medication.manufacturer.partof.name=上海', ['nested']],
    ['Observation?subject:Patient.name=王', ['guest']], ['Observation?subject.name=wang', ['guest']], ['Observation?patient.name=王', ['guest']], ['Observation?subject.family=王', ['guest']], ['Observation?subject:Patient.birthdate=1950-02', ['guest']], ['Observation?subject:Patient.gender=male', ['guest']], ['Observation?subject:Patient.name=张,王', ['guest', 'own']],
    ['Patient?_has:MedicationRequest:patient:medication.code=A10BA02', ['zhang']], ['MedicationRequest?_filter=medication.code eq A10BA02 and medication.status eq inactive', ['inside']], ['MedicationRequest?_filter=not (medication.code eq A10BA02)', ['aspirin', 'made', 'nested', 'plain']],
    ['MedicationRequest?medication.code=A10BA02&_summary=count', []], ['Medication?code=A10BA02', ['stored']], ['Patient?name=王', []], ['Organization?name=苏州', []],
    ['MedicationRequest?medication._id=med', []], ['MedicationRequest?medication=Medication/med', []], ['MedicationRequest?medication:Medication._lastUpdated=gt2020', ['aspirin', 'by-row']],
  ])('%s', async (query, expected) => {
    expect(await find(query)).toEqual(expected)
  })

  test('is counted, sorted and paged with the rest, and is gone with the version that said it', async () => {
    expect((await request('GET', '/fhir/MedicationRequest?medication.code=A10BA02&_summary=count', { as: system })).json.total).toBe(2)
    const first = await request('GET', '/fhir/MedicationRequest?medication.manufacturer.name:contains=药&_count=2&_sort=_id', { as: system })
    const next = (first.json.link as { relation: string; url: string }[]).find(({ relation }) => relation === 'next')?.url ?? ''
    const second = await request('GET', new URL(next).pathname + new URL(next).search, { as: system })
    expect([...ids(first), ...ids(second)].sort()).toEqual(['by-row', 'made', 'nested'])
    const { resource } = order('inside', 'zhang', holding({ code: atc('A10BB12', '格列美脲') }))
    await request('PUT', '/fhir/MedicationRequest/inside', { as: system, body: resource })
    expect(await find('MedicationRequest?medication.code=A10BA02')).toEqual(['by-row'])
    expect(await find('MedicationRequest?medication.code=A10BB12')).toEqual(['inside'])
  })

  test('is seen by who sees the resource around it', async () => {
    expect(await find('MedicationRequest?medication.manufacturer.name=上海', citizen('li'))).toEqual(['made'])
    // The medication that is a row of its own is not theirs to see.
    expect(await find('MedicationRequest?medication.manufacturer.name=上海', citizen('zhang'))).toEqual([])
    expect(await find('MedicationRequest?medication.manufacturer.name=苏州', citizen('zhang'))).toEqual([])
    expect(await find('MedicationRequest?medication.manufacturer.name=苏州', citizen('li'))).toEqual(['nested'])
    expect(await find('MedicationRequest?medication.manufacturer.name=苏州', clinician('somebody', 'elsewhere'))).toEqual([])
  })

  test('of many, each by many ways, is stored within bounds', async () => {
    const contained = Array.from({ length: 300 }, (_, n) => ({ resourceType: 'Organization', id: `o${n}`, name: `机构${n}`, partOf: { reference: `#o${(n + 1) % 300}` } }))
    const list = { resourceType: 'List', id: 'many', status: 'current', mode: 'working', contained, entry: contained.map(({ id }) => ({ item: { reference: `#${id}` } })) }
    expect((await request('PUT', '/fhir/List/many', { as: system, body: list })).status).toBe(201)
    expect(await find('List?item:Organization.name=机构299')).toEqual(['many'])
    expect(await find('List?item:Organization.partof.name=机构299')).toEqual(['many'])
    expect(await find('List?item:Organization.partof.partof.name=机构299')).toEqual([])
  })
})
