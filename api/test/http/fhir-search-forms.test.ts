/** Forms in which a value is asked for beside the one it was written in: a table of queries and what they find. */
import { beforeAll, describe, expect, test } from 'vitest'
import { makeCtx } from '../../src/ctx.ts'
import { settledParameters } from '../../src/records/stored-parameters.ts'
import { system, testPlatform, type TestReply } from '../support/platform.ts'

const { request, services, clock } = await testPlatform()
const ids = (reply: TestReply): string[] => (reply.json.entry ?? []).map((each: { resource: { id: string } }) => each.resource.id).sort()
const put = (resource: { resourceType: string; id: string; [element: string]: unknown }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
const response = (id: string, questionnaire: string) => put({ resourceType: 'QuestionnaireResponse', id, status: 'in-progress', questionnaire })
const document = (id: string, contentType: string) => put({ resourceType: 'DocumentReference', id, status: 'current', content: [{ attachment: { contentType, title: 'x' } }] })
const zoo = 'http://example.org/zoo'

beforeAll(async () => {
  const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [
    put({ resourceType: 'Patient', id: 'quinones', name: [{ family: 'Carreno Quinones', given: ['Anna', 'Maria'], prefix: ['Dr.'], suffix: ['PhD'] }], telecom: [{ system: 'email', value: 'Anna.Maria@Example.com' }, { system: 'phone', value: '(021) 6386-8888' }] }),
    put({ resourceType: 'Patient', id: 'obrien', name: [{ family: "O'Brien-Smith", given: ['Anna-Lena'], text: "Anna-Lena O'Brien-Smith" }] }),
    put({ resourceType: 'ValueSet', id: 'one', status: 'active', url: 'http://example.org/vs', version: '1.0.0-Alpha' }), put({ resourceType: 'ValueSet', id: 'two', status: 'active', url: 'http://example.org/vs', version: '2' }), put({ resourceType: 'ValueSet', id: 'other', status: 'active', url: 'http://example.org/other', version: '2' }),
    response('r0', 'http://example.org/q'), response('r1', 'http://example.org/q|1.0'), response('r12', 'http://example.org/q|1.2.3#part'), response('r10', 'http://example.org/q|10.0'),
    document('xml', 'text/xml; charset=UTF-8'), document('plain', 'text/plain'), document('png', 'image/png'),
    put({ resourceType: 'CodeSystem', id: 'zoo', status: 'active', url: zoo, content: 'complete', concept: [{ code: 'bird', concept: [{ code: 'owl' }, { code: 'duck' }] }, { code: 'fish' }] }),
    ...['bird', 'owl', 'fish'].map((code) => put({ resourceType: 'Basic', id: code, code: { coding: [{ system: zoo, code }] } })),
  ] } })
  expect(reply.json.issue ?? []).toEqual([])
})

describe('found', () => {
  test.each<[string, string[]]>([
    // Names by their words, without the signs between, in another order, with titles.
    ['Patient?family=quinones', ['quinones']], ['Patient?family=carreno quinones', ['quinones']], ['Patient?name=anna zq', []], ['Patient?name=anna carreno', ['quinones']], ['Patient?name=carreno quinones anna', ['quinones']], ['Patient?name=anna maria', ['quinones']],
    ['Patient?name=dr', ['quinones']], ['Patient?name=phd', ['quinones']], ['Patient?name=obrien', ['obrien']], ["Patient?name=o'brien", ['obrien']], ['Patient?family=smith', ['obrien']], ['Patient?given=annalena', ['obrien']], ['Patient?given=lena', ['obrien']], ['Patient?name:exact=Anna-Lena', ['obrien']], ['Patient?given=maria', ['quinones']],
    // Texts of people as tokens, whatever their case.
    ['Patient?email=anna.maria@example.com', ['quinones']], ['Patient?email=ANNA.MARIA@EXAMPLE.COM', ['quinones']], ['Patient?telecom=email|anna.maria@example.com', ['quinones']], ['Patient?phone=02163868888', ['quinones']], ['Patient?phone=021 6386 8888', ['quinones']], ['Patient?email=annamaria@example.com', []], ['Patient?email=an-na.maria@example.com', []], ['ValueSet?version=1.0.0-alpha', ['one']], ['ValueSet?version=1.0.0-ALPHA', ['one']], ['ValueSet?version=1.0.0Alpha', []],
    // A definition by address and version.
    ['ValueSet?url=http://example.org/vs', ['one', 'two']], ['ValueSet?url=http://example.org/vs|2', ['two']], ['ValueSet?url=http://example.org/vs|1.0.0-Alpha', ['one']], ['ValueSet?url=http://example.org/vs|3', []], ['ValueSet?url=http://example.org/vs|2,http://example.org/other', ['other', 'two']],
    // Versions below one, and what stands behind a fragment.
    ['QuestionnaireResponse?questionnaire:below=http://example.org/q', ['r0', 'r1', 'r10', 'r12']], ['QuestionnaireResponse?questionnaire:below=http://example.org/q|1', ['r1', 'r12']], ['QuestionnaireResponse?questionnaire:below=http://example.org/q|1.2', ['r12']], ['QuestionnaireResponse?questionnaire:below=http://example.org/q|10', ['r10']],
    ['QuestionnaireResponse?questionnaire=http://example.org/q|1.2.3', ['r12']], ['QuestionnaireResponse?questionnaire=http://example.org/q', ['r0', 'r1', 'r10', 'r12']],
    // Media types.
    ['DocumentReference?contenttype:below=text/xml', ['xml']], ['DocumentReference?contenttype:below=urn:ietf:bcp:13|text/xml', ['xml']], ['DocumentReference?contenttype:below=text', ['plain', 'xml']], ['DocumentReference?contenttype=text/plain', ['plain']], ['DocumentReference?contenttype=text/xml', []],
    // The hierarchy of a stored code system; a value set by the id of one that is built in.
    [`Basic?code:below=${zoo}|bird`, ['bird', 'owl']], [`Basic?code:above=${zoo}|owl`, ['bird', 'owl']], [`Basic?code:below=${zoo}|fish`, ['fish']], ['Patient?gender:in=ValueSet/administrative-gender', []],
  ])('%s', async (query, expected) => {
    const reply = await request('GET', `/fhir/${query.replaceAll('#', '%23')}`, { as: system })
    expect(reply.json.issue ?? []).toEqual([])
    expect(ids(reply)).toEqual(expected)
  })

  test('a name is in the order of how it is written, not of its words', async () => {
    expect((await request('GET', '/fhir/Patient?_sort=family', { as: system })).json.entry.map((each: { resource: { id: string } }) => each.resource.id)).toEqual(['quinones', 'obrien'])
  })
})

test('the statement names a parameter that was stored, once the platform knows it', async () => {
  const names = async () => ((await request('GET', '/fhir/metadata', { as: system })).json.rest[0].resource.find((each: { type: string }) => each.type === 'Basic').searchParam as { name: string }[]).map(({ name }) => name)
  expect((await request('POST', '/fhir/SearchParameter', { as: system, body: { resourceType: 'SearchParameter', url: 'http://example.org/SearchParameter/basic-note', name: 'note', status: 'active', description: 'x', code: 'basic-note', base: ['Basic'], type: 'string', expression: 'Basic.code.text' } })).status).toBe(201)
  expect(await names()).not.toContain('basic-note')
  await settledParameters(services.db, makeCtx(system, { now: new Date(clock.now.getTime() + 3_600_000) }), services.store)
  expect(await names()).toContain('basic-note')
})

test('what is below a code of a system that is not carried can not be told, and is refused', async () => {
  const reply = await request('GET', '/fhir/Basic?code:below=http://snomed.info/sct|73211009', { as: system })
  expect([reply.status, reply.json.issue[0].details.text]).toEqual([400, expect.stringContaining('http://snomed.info/sct')])
})

test('what was read in parts is not written back', async () => {
  const part = (await request('GET', '/fhir/Patient/quinones?_elements=name', { as: system })).json
  const reply = await request('PUT', '/fhir/Patient/quinones', { as: system, body: part })
  expect([reply.status, reply.json.issue[0].expression]).toEqual([422, ['Patient.meta.tag[0]']])
  expect((await request('GET', '/fhir/Patient/quinones', { as: system })).json.telecom).toHaveLength(2)
})

test('a fault of a question or a condition in a transaction names its entry', async () => {
  const fault = async (...entry: object[]) => (await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'GET', url: 'Patient/quinones' } }, ...entry] } })).json.issue[0].expression
  expect(await fault({ request: { method: 'GET', url: 'Patient/none' } })).toEqual(['Bundle.entry[1].request.url'])
  expect(await fault({ request: { method: 'GET', url: 'Patient?foo=bar' } })).toEqual(['Bundle.entry[1].request.url'])
  expect(await fault({ request: { method: 'DELETE', url: 'Patient?foo=bar' } })).toEqual(['Bundle.entry[1].request.url'])
  expect(await fault({ request: { method: 'POST', url: 'Patient', ifNoneExist: 'foo=bar' }, resource: { resourceType: 'Patient' } })).toEqual(['Bundle.entry[1].request.ifNoneExist'])
  expect(await fault({ request: { method: 'POST', url: 'Patient', ifNoneExist: '' }, resource: { resourceType: 'Patient' } })).toEqual(['Bundle.entry[1].request.ifNoneExist'])
})

test('small things that lead on: hints, media types, histories, statements', async () => {
  const text = async (method: string, url: string, more: object = {}) => (await request(method, `/fhir/${url}`, { as: system, ...more })).json.issue[0].details.text as string
  expect(await text('GET', 'Patient?_include=Observation:subject')).toContain('_include:iterate=Observation:subject')
  expect(await text('POST', 'Patient/_search', { body: '{}', headers: { 'Content-Type': 'application/json' } })).toContain('application/x-www-form-urlencoded')
  expect(await text('PATCH', 'Patient/quinones', { body: '[]', headers: { 'Content-Type': 'application/json' } })).toContain('application/json-patch+json')
  expect((await request('GET', '/fhir/Patient?_format=', { as: system })).status).toBe(200)
  expect((await request('GET', '/fhir/ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender&filter=', { as: system })).json.expansion.total).toBe(4)
  for (const method of ['DELETE', 'PUT']) await request(method, '/fhir/Basic/fish', { as: system, ...(method === 'PUT' ? { body: { resourceType: 'Basic', id: 'fish', code: { text: 'x' } } } : {}) })
  for (const url of ['Basic/fish/_history', 'Basic/_history', '_history']) expect((await request('GET', `/fhir/${url}?_count=1`, { as: system })).json.entry[0].response.status).toBe('201')
  const said = (await request('GET', '/fhir/metadata?mode=terminology', { as: system })).json
  const systems = said.codeSystem.map((each: { uri: string }) => each.uri)
  expect([systems.includes('http://snomed.info/sct'), systems.includes('http://unitsofmeasure.org')]).toEqual([false, true])
})

test('a value set that others have expanded is what they listed; of a part of a code system nothing is denied', async () => {
  const body = { resourceType: 'ValueSet', status: 'active', expansion: { timestamp: '2026-11-28', contains: [{ system: zoo, code: 'bird', abstract: true, contains: [{ system: zoo, code: 'owl', display: 'Owl' }] }, { system: zoo, code: 'fish' }] } }
  const { json } = await request('POST', '/fhir/ValueSet/$expand', { as: system, body })
  expect(json.expansion.contains.map((each: { code: string }) => each.code)).toEqual(['owl', 'fish'])
  for (const content of ['fragment', 'not-present']) {
    await request('PUT', '/fhir/CodeSystem/part', { as: system, body: { resourceType: 'CodeSystem', id: 'part', status: 'active', url: 'http://example.org/part', content, ...(content === 'fragment' ? { concept: [{ code: 'a' }] } : {}) } })
    for (const query of ['part/$validate-code?code=zz', '$validate-code?url=http://example.org/part&code=zz']) expect([query, (await request('GET', `/fhir/CodeSystem/${query}`, { as: system })).status]).toEqual([query, 422])
  }
})
