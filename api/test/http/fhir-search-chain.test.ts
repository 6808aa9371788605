/** Chained and reverse chained parameters: what they find, that they are bounded, and that hidden rows have no influence. */
import { beforeAll, describe, expect, test } from 'vitest'
import { clinician, citizen, system, testPlatform, type TestReply } from '../support/platform.ts'

const { request } = await testPlatform()

const put = (resource: { resourceType: string; id: string; [element: string]: unknown }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
const observation = (id: string, patient: string, code: string, extra: object = {}) => put({
  resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: 'http://loinc.org', code }] }, subject: { reference: `Patient/${patient}` }, ...extra,
})

beforeAll(async () => {
  const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [
    put({ resourceType: 'Organization', id: 'city', name: '市卫健委' }),
    put({ resourceType: 'Organization', id: 'first', name: '第一医院', partOf: { reference: 'Organization/city' } }),
    put({ resourceType: 'Organization', id: '0195d3a2-0000-7abc-8000-000000000001', name: '第二医院' }),
    put({ resourceType: 'Practitioner', id: 'gp', name: [{ text: '王医生', family: '王' }] }),
    put({ resourceType: 'Patient', id: 'zhang', name: [{ text: '张三' }], gender: 'male', managingOrganization: { reference: 'Organization/first' }, generalPractitioner: [{ reference: 'Practitioner/gp' }] }),
    put({ resourceType: 'Patient', id: 'li', name: [{ text: '李四' }], gender: 'female', managingOrganization: { reference: 'Organization/0195d3a2-0000-7abc-8000-000000000001' } }),
    put({ resourceType: 'Group', id: 'ward', type: 'person', actual: true, code: { text: 'x' }, member: [{ entity: { reference: 'Patient/li' } }] }),
    put({ resourceType: 'Encounter', id: 'e1', status: 'finished', class: { code: 'AMB' }, subject: { reference: 'Patient/zhang' }, serviceProvider: { reference: 'Organization/first' } }),
    put({ resourceType: 'Encounter', id: 'e2', status: 'planned', class: { code: 'IMP' }, subject: { reference: 'Patient/li' } }),
    observation('o1', 'zhang', 'a', { encounter: { reference: 'Encounter/e1' } }),
    observation('o2', 'zhang', 'b', { performer: [{ reference: 'Practitioner/gp' }] }),
    observation('o3', 'li', 'a', { encounter: { reference: 'Encounter/e2' }, performer: [{ reference: 'Practitioner/gp' }, { reference: 'Organization/first' }] }),
    put({ resourceType: 'Observation', id: 'o4', status: 'final', code: { coding: [{ code: 'a' }] }, subject: { reference: 'Group/ward' }, performer: [{ reference: 'Patient/zhang' }] }),
    put({ resourceType: 'DiagnosticReport', id: 'd1', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/li' }, result: [{ reference: 'Observation/o3' }] }),
  ] } })
  expect(reply.json.issue ?? []).toEqual([])
})

const ids = (reply: TestReply): string[] => (reply.json.entry ?? []).map((each: { resource: { id: string } }) => each.resource.id).sort()

describe('what chains find', () => {
  test.each([
    ['Observation?subject:Patient.name=张', ['o1', 'o2']], ['Observation?patient.name=张', ['o1', 'o2']], ['Observation?subject.name=李', ['o3']], ['Observation?subject:Patient.gender:not=male', ['o3']],
    ['Observation?subject:Patient.organization.name=第一', ['o1', 'o2']], ['Observation?subject:Patient.organization.partof.name=市卫健委', ['o1', 'o2']], ['Observation?patient.organization:Organization.name=第二', ['o3']],
    ['Observation?patient.general-practitioner:Practitioner.family=王', ['o1', 'o2']], ['Observation?patient.general-practitioner.name=王', ['o1', 'o2']], ['Observation?subject:Patient._id=li', ['o3']],
    ['Observation?encounter.status=finished', ['o1']], ['Observation?encounter:Encounter.service-provider.name=第一', ['o1']], ['Observation?encounter.status=finished,planned&code=a', ['o1', 'o3']],
    ['Observation?performer.name=王', ['o2', 'o3']], ['Observation?performer:Organization.name=第一', ['o3']], ['Observation?performer:Practitioner.name=第一', []], ['Observation?performer.name=第一,王', ['o2', 'o3']],
    ['Observation?subject:Group.member=Patient/li', ['o4']], ['Observation?subject:Group.member.name=李', ['o4']], ['Observation?performer:Patient.name=张', ['o4']], ['DiagnosticReport?result.subject.name=李', ['d1']], ['DiagnosticReport?result.code=b', []],
    ['Patient?_has:Observation:patient:code=a', ['li', 'zhang']], ['Patient?_has:Observation:patient:code=b', ['zhang']], ['Patient?_has:Observation:subject:code=a', ['li', 'zhang']], ['Patient?_has:Observation:performer:code=a', ['zhang']],
    ['Patient?_has:Observation:patient:code=a&_has:Observation:patient:code=b', ['zhang']], ['Encounter?_has:Observation:encounter:code=a', ['e1', 'e2']], ['Encounter?_has:Observation:encounter:code=b', []],
    ['Practitioner?_has:Observation:performer:code=b', ['gp']], ['Practitioner?_has:Patient:general-practitioner:_has:Observation:patient:code=b', ['gp']], ['Practitioner?_has:Patient:general-practitioner:_has:Observation:patient:code=zzz', []],
    ['Patient?_has:Observation:patient:_has:DiagnosticReport:result:status=final', ['li']], ['Patient?_has:Observation:patient:encounter.status=planned', ['li']], ['Patient?organization.name=第一&_has:Encounter:patient:status=finished', ['zhang']],
    ['Organization?_has:Patient:organization:gender=female', ['0195d3a2-0000-7abc-8000-000000000001']], ['Observation?patient._has:Encounter:patient:status=planned', ['o3']], ['Patient?_has:Group:member:_id=ward', ['li']],
  ])('%s', async (query, expected) => {
    const reply = await request('GET', `/fhir/${query}`, { as: system })
    expect(reply.json.issue ?? []).toEqual([])
    expect(ids(reply)).toEqual(expected)
  })

  test('a chain has an end, and what it tries has a bound', async () => {
    const deep = `Organization?${'partof.'.repeat(7)}name=x`
    const reply = await request('GET', `/fhir/${deep}`, { as: system, headers: { 'Accept-Language': 'en' } })
    expect([reply.status, reply.json.issue[0].details.text]).toEqual([400, 'A chain has at most 6 links.'])
    expect((await request('GET', `/fhir/Organization?${'partof.'.repeat(6)}name=x`, { as: system })).status).toBe(200)
    const wide = await request('GET', '/fhir/List?item.item.item._lastUpdated=gt2020', { as: system })
    expect([wide.status, wide.json.issue[0].code]).toEqual([422, 'too-costly'])
  })
})

describe('rows the caller may not see have no influence', () => {
  test.each([
    ['Observation?subject:Patient.name=李', []], ['Observation?subject:Patient.name=张', ['o1', 'o2']], ['Patient?_has:Observation:patient:code=a', ['zhang']], ['Practitioner?_has:Observation:performer:code=a', []],
    ['Practitioner?_has:Observation:performer:code=b', ['gp']], ['Practitioner?_has:Patient:general-practitioner:gender=male', ['gp']], ['Organization?_has:Patient:organization:gender=female', []],
    ['Organization?_has:Patient:organization:_has:Observation:patient:code=a', ['first']], ['Organization?_has:Patient:organization:gender:not=x', ['first']],
  ])('a citizen asks %s', async (query, expected) => {
    expect(ids(await request('GET', `/fhir/${query}`, { as: citizen('zhang') }))).toEqual(expected)
  })

  test('a doctor without a care relation finds nobody, by any way', async () => {
    for (const query of ['Patient?_has:Observation:patient:code=a', 'Observation?subject.name=张', 'Practitioner?_has:Observation:performer:code=b', 'Encounter?_has:Observation:encounter:code=a']) {
      expect(ids(await request('GET', `/fhir/${query}`, { as: clinician('gp', 'first') }))).toEqual([])
    }
  })

  test('nobody signed in learns of patients through the directory', async () => {
    for (const query of ['Practitioner?_has:Observation:performer:code=b', 'Organization?_has:Patient:organization:gender=male', 'Practitioner?_has:Patient:general-practitioner:_id=zhang']) {
      expect(ids(await request('GET', `/fhir/${query}`))).toEqual([])
    }
  })
})
