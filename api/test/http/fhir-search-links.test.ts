/** Searches along links that are not plain references: compartments, canonical addresses, hierarchies; and composites of three parts. */
import { beforeAll, describe, expect, test } from 'vitest'
import { citizen, system, testPlatform, type TestReply } from '../support/platform.ts'

const { request } = await testPlatform()

const put = (resource: { resourceType: string; id: string; [element: string]: unknown }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
const to = (reference: string) => ({ reference })
const observation = (id: string, extra: object) => put({ resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: 'http://loinc.org', code: 'a' }] }, ...extra })

beforeAll(async () => {
  const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [
    put({ resourceType: 'Practitioner', id: 'gp', name: [{ text: '王医生' }] }), put({ resourceType: 'Device', id: 'pump' }),
    put({ resourceType: 'Patient', id: 'zhang', name: [{ text: '张三' }], generalPractitioner: [to('Practitioner/gp')] }), put({ resourceType: 'Patient', id: 'li', name: [{ text: '李四' }] }),
    put({ resourceType: 'RelatedPerson', id: 'mother', patient: to('Patient/zhang') }),
    put({ resourceType: 'Encounter', id: 'e1', status: 'finished', class: { code: 'AMB' }, subject: to('Patient/zhang'), participant: [{ individual: to('Practitioner/gp') }] }),
    put({ resourceType: 'Encounter', id: 'e2', status: 'finished', class: { code: 'AMB' }, subject: to('Patient/li') }),
    observation('o1', { subject: to('Patient/zhang'), encounter: to('Encounter/e1'), device: to('Device/pump'), valueQuantity: { value: 2 } }),
    observation('o2', { subject: to('Patient/zhang'), encounter: to('Encounter/e1'), performer: [to('RelatedPerson/mother')], valueQuantity: { value: 1 } }),
    observation('o3', { subject: to('Patient/li'), encounter: to('Encounter/e2'), performer: [to('Practitioner/gp')] }),
    put({ resourceType: 'Questionnaire', id: 'q1', status: 'active', url: 'http://example.org/q', version: '1', title: '睡眠' }), put({ resourceType: 'Questionnaire', id: 'q2', status: 'active', url: 'http://example.org/q', version: '2', title: '睡眠新' }),
    put({ resourceType: 'QuestionnaireResponse', id: 'a1', status: 'completed', questionnaire: 'http://example.org/q|1', subject: to('Patient/zhang') }), put({ resourceType: 'QuestionnaireResponse', id: 'a2', status: 'amended', questionnaire: 'http://example.org/q', subject: to('Patient/li') }),
    put({ resourceType: 'Location', id: 'campus', name: '院区' }), put({ resourceType: 'Location', id: 'floor', name: '三楼', partOf: to('Location/campus') }), put({ resourceType: 'Location', id: 'ward', name: '病房', partOf: to('Location/floor') }),
    put({ resourceType: 'Procedure', id: 'in-ward', status: 'completed', subject: to('Patient/zhang'), location: to('Location/ward') }), put({ resourceType: 'Procedure', id: 'on-floor', status: 'completed', subject: to('Patient/zhang'), location: to('Location/floor') }),
    put({ resourceType: 'MolecularSequence', id: 's1', coordinateSystem: 0, referenceSeq: { genomeBuild: 'GRCh 37', chromosome: { coding: [{ system: 'urn:chr', code: '7' }] }, strand: 'watson', windowStart: 100, windowEnd: 200 }, variant: [{ start: 110, end: 120 }, { start: 150, end: 190 }] }),
    put({ resourceType: 'MolecularSequence', id: 's2', coordinateSystem: 0, referenceSeq: { referenceSeqId: { coding: [{ code: 'NC_7' }] }, strand: 'watson', windowStart: 100, windowEnd: 200 }, variant: [{ start: 110, end: 120 }] }),
    observation('refs', { subject: to('Patient/li'), contained: [{ resourceType: 'Practitioner', id: 'c', name: [{ text: 'x' }] }],
      performer: [to('#c'), to('http://127.0.0.1:8080/fhir/Practitioner/gp'), to('http://other.example.org/fhir/Practitioner/gp'), to('Practitioner/gp/_history/1')] }),
    put({ resourceType: 'Condition', id: 'c1', subject: to('Patient/zhang'), encounter: to('Encounter/e1'), code: { text: 'x' } }),
    put({ resourceType: 'MedicationAdministration', id: 'i1', status: 'completed', medicationCodeableConcept: { text: 'x' }, subject: to('Patient/zhang'), context: to('Encounter/e1'), effectiveDateTime: '2024-01-01' }),
  ] } })
  expect(reply.json.issue ?? []).toEqual([])
})

const ids = (reply: TestReply): string[] => (reply.json.entry ?? []).map((each: { resource: { id: string } }) => each.resource.id)
const sorted = (reply: TestReply): string[] => ids(reply).sort()

describe('compartments', () => {
  test.each([
    ['Encounter/e1/Observation', ['o1', 'o2']], ['Encounter/e1/*', ['c1', 'e1', 'i1', 'o1', 'o2']], ['Encounter/e1/*?_type=Condition,Encounter', ['c1', 'e1']], ['Encounter/e1/Encounter', ['e1']], ['Encounter/none/*', []],
    ['Practitioner/gp/*', ['e1', 'gp', 'o3', 'refs', 'zhang']], ['Practitioner/gp/Patient?name=张', ['zhang']], ['RelatedPerson/mother/Observation?code=a', ['o2']], ['RelatedPerson/mother/*', ['mother', 'o2']],
    ['Device/pump/*', ['o1']], ['Device/pump/Observation?code=b', []],
  ])('%s', async (path, expected) => {
    const reply = await request('GET', `/fhir/${path}`, { as: system })
    expect(reply.json.issue ?? []).toEqual([])
    expect(sorted(reply)).toEqual(expected)
  })

  test('are sorted, paged and posted to like any other search', async () => {
    expect(ids(await request('GET', '/fhir/Encounter/e1/Observation?_sort=value-quantity', { as: system }))).toEqual(['o2', 'o1'])
    const first = await request('GET', '/fhir/Encounter/e1/*?_count=2', { as: system })
    const next = first.json.link.find((each: { relation: string }) => each.relation === 'next').url as string
    expect(next).toContain('/fhir/Encounter/e1/*?')
    const rest = await request('GET', `${new URL(next).pathname}${new URL(next).search}`, { as: system })
    expect(new Set([...ids(first), ...ids(rest)]).size).toBe(4)
    const posted = await request('POST', '/fhir/Encounter/e1/Observation/_search', { as: system, body: 'code=a', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })
    expect(sorted(posted)).toEqual(['o1', 'o2'])
  })

  test('show nobody what they may not see', async () => {
    expect(sorted(await request('GET', '/fhir/Practitioner/gp/*', { as: citizen('zhang') }))).toEqual(['e1', 'gp', 'zhang'])
    expect(sorted(await request('GET', '/fhir/Practitioner/gp/*'))).toEqual(['gp'])
    expect(sorted(await request('GET', '/fhir/Encounter/e1/*', { as: citizen('li') }))).toEqual([])
  })
})

describe('_include of a reference that names a version', () => {
  const patch = (name: string) => request('PUT', '/fhir/Patient/moved', { as: system, body: { resourceType: 'Patient', id: 'moved', name: [{ text: name }], generalPractitioner: [to('Practitioner/gp')] } })
  const included = (reply: TestReply): string[] => (reply.json.entry ?? []).filter((each: { search: { mode: string } }) => each.search.mode === 'include')
    .map((each: { resource: { resourceType: string; id: string; meta: { versionId: string } } }) => `${each.resource.resourceType}/${each.resource.id}/${each.resource.meta.versionId}`).sort()

  beforeAll(async () => {
    await patch('旧名')
    const notes = ['Patient/moved/_history/1', 'Patient/moved', 'Patient/moved/_history/2', 'Patient/moved/_history/9']
    for (const [index, reference] of notes.entries()) {
      await request('PUT', `/fhir/Basic/b${index}`, { as: system, body: { resourceType: 'Basic', id: `b${index}`, code: { text: 'x' }, subject: to(reference), created: '2024-01-01' } })
    }
    await patch('新名')
  })

  test.each<[string, string, string[]]>([
    ['an earlier one is brought as it was, with its own version', '_id=b0', ['Patient/moved/1']], ['without a version the current one', '_id=b1', ['Patient/moved/2']],
    ['the current one by its version', '_id=b2', ['Patient/moved/2']], ['one that there never was is missing', '_id=b3', []],
    ['each that is named, once', '_id=b0,b1,b2,b3', ['Patient/moved/1', 'Patient/moved/2']],
  ])('%s', async (_, query, expected) => {
    const reply = await request('GET', `/fhir/Basic?${query}&_include=Basic:subject`, { as: system })
    expect(reply.json.issue ?? []).toEqual([])
    expect(included(reply)).toEqual(expected)
  })

  test('what the current one leads to is followed, what an earlier one led to is not known', async () => {
    const along = async (query: string) => included(await request('GET', `/fhir/Basic?${query}&_include=Basic:subject&_include:iterate=Patient:general-practitioner`, { as: system })).filter((each) => each.startsWith('Practitioner'))
    expect(await along('_id=b2')).toEqual(['Practitioner/gp/1'])
    expect(await along('_id=b0')).toEqual([])
  })

  test('a version whose record is closed to the caller is not brought', async () => {
    await request('PUT', '/fhir/Basic/own', { as: system, body: { resourceType: 'Basic', id: 'own', code: { text: 'x' }, subject: to('Patient/zhang'), author: to('Patient/moved/_history/1') } })
    const seenBy = async (as: Parameters<typeof request>[2]) => {
      const reply = await request('GET', '/fhir/Basic?_id=own&_include=Basic:author', as)
      return [...ids(reply).filter((id) => id === 'own'), ...included(reply)]
    }
    expect(await seenBy({ as: system })).toEqual(['own', 'Patient/moved/1'])
    expect(await seenBy({ as: citizen('zhang') })).toEqual(['own'])
  })
})

test('references of every form: contained, ours in full, with a version, another server\'s, a urn', async () => {
  const urn = 'urn:uuid:0195d3a2-0000-4abc-8000-000000000009'
  expect((await request('PUT', '/fhir/Observation/urn', { as: system, body: { resourceType: 'Observation', id: 'urn', status: 'final', code: { text: 'x' }, performer: [to(urn)] } })).json.issue ?? []).toEqual([])
  const found = async (query: string) => sorted(await request('GET', `/fhir/Observation?${query}`, { as: system }))
  expect(await found('performer=Practitioner/gp')).toEqual(['o3', 'refs'])
  expect(await found('performer=http://127.0.0.1:8080/fhir/Practitioner/gp')).toEqual(['o3', 'refs'])
  expect(await found('performer=http://other.example.org/fhir/Practitioner/gp')).toEqual(['refs'])
  expect(await found(`performer=${urn}`)).toEqual(['urn'])
  expect(await found('_id=refs,urn&_include=Observation:performer')).toEqual(['gp', 'refs', 'urn'])
})

describe('canonical addresses, hierarchies, three parts', () => {
  test.each([
    ['QuestionnaireResponse?questionnaire.title=睡眠', ['a1', 'a2']], ['QuestionnaireResponse?questionnaire.title:exact=睡眠新', ['a2']], ['QuestionnaireResponse?questionnaire:Questionnaire.version=1', ['a1', 'a2']],
    ['QuestionnaireResponse?questionnaire=http://example.org/q', ['a1', 'a2']], ['QuestionnaireResponse?questionnaire=http://example.org/q|1', ['a1']], ['QuestionnaireResponse?questionnaire.title=none', []],
    ['Questionnaire?_has:QuestionnaireResponse:questionnaire:status=completed', ['q1']], ['Questionnaire?_has:QuestionnaireResponse:questionnaire:status=amended', ['q1', 'q2']], ['Questionnaire?_has:QuestionnaireResponse:questionnaire:status=stopped', []],
    ['Procedure?location:below=Location/campus', ['in-ward', 'on-floor']], ['Procedure?location:below=ward', ['in-ward']], ['Procedure?location:above=Location/ward', ['in-ward', 'on-floor']], ['Procedure?location:above=campus', []],
    ['Location?partof:below=campus', ['floor', 'ward']],
    ['MolecularSequence?chromosome-variant-coordinate=7$110$120', ['s1']], ['MolecularSequence?chromosome-variant-coordinate=urn:chr|7$gt140$lt200', ['s1']], ['MolecularSequence?chromosome-variant-coordinate=7$110$190', []],
    ['MolecularSequence?chromosome-window-coordinate=7$le100$ge200', ['s1']], ['MolecularSequence?chromosome-window-coordinate=8$100$200', []], ['MolecularSequence?referenceseqid-variant-coordinate=NC_7$lt120$120', ['s2']], ['MolecularSequence?referenceseqid-window-coordinate=NC_7$100$201', []],
  ])('%s', async (query, expected) => {
    const reply = await request('GET', `/fhir/${query}`, { as: system })
    expect(reply.json.issue ?? []).toEqual([])
    expect(sorted(reply)).toEqual(expected)
  })

  test.each([
    ['QuestionnaireResponse?_id=a1&_include=QuestionnaireResponse:questionnaire', ['a1', 'q1']], ['QuestionnaireResponse?_id=a2&_include=QuestionnaireResponse:questionnaire', ['a2', 'q1', 'q2']],
    ['Questionnaire?_id=q1&_revinclude=QuestionnaireResponse:questionnaire', ['a1', 'a2', 'q1']], ['Questionnaire?_id=q2&_revinclude=QuestionnaireResponse:questionnaire', ['a2', 'q2']],
  ])('%s', async (query, expected) => {
    expect(sorted(await request('GET', `/fhir/${query}`, { as: system }))).toEqual(expected)
  })

  test.each([
    ['Procedure?subject:below=Patient/zhang', 'parameter-invalid'], ['MolecularSequence?chromosome-variant-coordinate=7$1', 'parameter-invalid'], ['MolecularSequence?chromosome-variant-coordinate=7$1$x', 'parameter-invalid'],
  ])('%s is refused', async (query, code) => {
    const reply = await request('GET', `/fhir/${query}`, { as: system })
    expect([reply.status, reply.json.issue[0].details.coding[0].code]).toEqual([400, code])
  })

  test('what is given twice is applied together, and self says so', async () => {
    const reply = await request('GET', '/fhir/Observation?_sort=value-quantity&_count=5&_count=3&_sort=-_id', { as: system })
    expect(reply.json.link[0].url).toMatch(/\?_sort=value-quantity%2C-_id&_count=3$/)
    expect(ids(reply).slice(0, 2)).toEqual(['o2', 'o1'])
    expect(sorted(await request('GET', '/fhir/Observation?_id:not=o1,o2&subject=Patient/zhang,Patient/li', { as: system }))).toEqual(['o3', 'refs'])
  })
})
