/** `X-Provenance`: a statement of where a write comes from is stored with it or not at all, for every way to write, and is in the record of the patient. */
import { expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { citizen, clinician, system, testPlatform, type TestReply } from '../support/platform.ts'
import { put, testHospital, testId, testVisit } from '../support/visit.ts'

const platform = await testPlatform()
const { request } = platform
const hospital = await testHospital(platform)
const visit = await testVisit(platform, hospital, null)
const patient = `Patient/${visit.patient}`
const doctor = clinician(hospital.practitioner, hospital.organization)

type Json = Record<string, unknown>
const said = (more: Json = {}) => ({ resourceType: 'Provenance', recorded: '2026-11-23T07:00:00+08:00', agent: [{ who: { display: '检验科 Müller' } }], ...more })
/** As it travels: each byte of the UTF-8 a character. */
const header = (statement: unknown) => ({ 'X-Provenance': Buffer.from(typeof statement === 'string' ? statement : JSON.stringify(statement)).toString('latin1') })
const observation = (more: Json = {}) => ({ resourceType: 'Observation', status: 'final', code: { text: '血糖' }, subject: { reference: patient }, ...more })
const statementsOf = async (reference: string, as: Principal = system): Promise<Json[]> =>
  ((await request('GET', `/fhir/Provenance?target=${reference}&_sort=_lastUpdated`, { as })).json.entry ?? []).map((each: { resource: Json }) => each.resource)
const targetsOf = async (reference: string): Promise<string[][]> => (await statementsOf(reference)).map((each) => (each.target as { reference: string }[]).map((target) => target.reference))
const total = async (query: string): Promise<number> => (await request('GET', `/fhir/${query}&_summary=count`, { as: system })).json.total
const code = (reply: TestReply): string => reply.json?.issue?.[0]?.details.coding[0].code

test('create, update, patch and delete: one statement for each version, in the order of the versions; nothing for what makes none', async () => {
  const made = await request('POST', '/fhir/Observation', { as: system, body: observation(), headers: header(said()) })
  expect(made.status).toBe(201)
  const name = `Observation/${made.json.id}`
  const { meta: _, ...body } = made.json
  const changed = await request('PUT', `/fhir/${name}`, { as: system, body: { ...body, status: 'amended' }, headers: header(said()) })
  expect([changed.status, changed.headers.get('ETag')]).toEqual([200, 'W/"2"'])
  expect((await request('PUT', `/fhir/${name}`, { as: system, body: { ...body, status: 'amended' }, headers: header(said()) })).headers.get('ETag')).toBe('W/"2"')
  const patched = await request('PATCH', `/fhir/${name}`, { as: system, body: [{ op: 'replace', path: '/status', value: 'corrected' }], headers: { 'Content-Type': 'application/json-patch+json', ...header(said()) } })
  expect(patched.status).toBe(200)
  expect((await request('DELETE', `/fhir/${name}`, { as: system, headers: header(said()) })).status).toBe(204)
  expect((await request('DELETE', `/fhir/${name}`, { as: system, headers: header(said()) })).status).toBe(204)
  expect(await targetsOf(name)).toEqual([1, 2, 3, 4].map((version) => [`${name}/_history/${version}`, patient]))
  const [first] = await statementsOf(name)
  expect(first).toMatchObject({ recorded: '2026-11-23T07:00:00+08:00', agent: [{ who: { display: '检验科 Müller' } }] })
})

test('by conditions: said of what is made, not of what was there', async () => {
  const body = observation({ identifier: [{ system: 'urn:prov', value: '1' }] })
  const ask = { 'If-None-Exist': 'identifier=urn:prov|1' }
  const made = await request('POST', '/fhir/Observation', { as: system, body, headers: { ...ask, ...header(said()) } })
  const again = await request('POST', '/fhir/Observation', { as: system, body, headers: { ...ask, ...header(said()) } })
  expect([made.status, again.status, again.json.id]).toEqual([201, 200, made.json.id])
  const name = `Observation/${made.json.id}`
  const condition = '/fhir/Observation?identifier=urn:prov|1'
  expect((await request('PUT', condition, { as: system, body: { ...body, status: 'amended' }, headers: header(said()) })).status).toBe(200)
  expect((await request('PATCH', condition, { as: system, body: [{ op: 'replace', path: '/status', value: 'final' }], headers: { 'Content-Type': 'application/json-patch+json', ...header(said()) } })).status).toBe(200)
  expect((await request('DELETE', condition, { as: system, headers: header(said()) })).status).toBe(204)
  expect((await request('DELETE', condition, { as: system, headers: header(said()) })).status).toBe(204)
  expect(await targetsOf(name)).toEqual([1, 2, 3, 4].map((version) => [`${name}/_history/${version}`, patient]))
})

test('a transaction has one statement of all that it made; a batch and an operation are refused, and nothing of them happens', async () => {
  const entry = [
    { fullUrl: 'urn:uuid:0f1c9a60-0000-4000-8000-000000000001', resource: { resourceType: 'Patient', name: [{ text: '来源' }] }, request: { method: 'POST', url: 'Patient' } },
    { resource: observation({ subject: { reference: 'urn:uuid:0f1c9a60-0000-4000-8000-000000000001' } }), request: { method: 'POST', url: 'Observation' } },
    { resource: observation(), request: { method: 'POST', url: 'Observation' } },
    { request: { method: 'GET', url: patient } },
  ]
  const done = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry }, headers: header(said()) })
  expect(done.status).toBe(200)
  const made: string[] = done.json.entry.slice(0, 3).map((each: { response: { location: string } }) => each.response.location.replace(/^.*\/fhir\//, ''))
  const [person = '', ...others] = made
  const [targets = []] = await targetsOf(person.replace(/\/_history.*/, ''))
  expect(targets.slice(0, 3).sort()).toEqual([person, ...others].sort())
  expect(targets.slice(3).sort()).toEqual([person.replace(/\/_history.*/, ''), patient].sort())

  const before = await total('Observation?code:text=不应有')
  const batch = { resourceType: 'Bundle', type: 'batch', entry: [{ resource: observation({ code: { text: '不应有' } }), request: { method: 'POST', url: 'Observation' } }] }
  const refused = await request('POST', '/fhir', { as: system, body: batch, headers: header(said()) })
  expect([refused.status, code(refused)]).toEqual([400, 'parameter-invalid'])
  const tagged = await request('POST', `/fhir/${patient}/$meta-add`, { as: system, body: { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] }, headers: header(said()) })
  expect([tagged.status, code(tagged)]).toEqual([400, 'parameter-invalid'])
  expect(await total('Observation?code:text=不应有')).toBe(before)
})

test.each([
  ['no JSON', '{'], ['an empty header', ''], ['another type', { resourceType: 'Patient' }], ['a list', '[]'], ['null', 'null'], ['a name twice', '{"resourceType":"Provenance","resourceType":"Provenance"}'],
  ['a target', said({ target: [{ reference: 'Patient/1' }] })], ['an empty target', said({ target: [] })],
])('%s is 400 and nothing is written', async (_, statement) => {
  const before = await total('Observation?status=final')
  const refused = await request('POST', '/fhir/Observation', { as: system, body: observation(), headers: header(statement) })
  expect([refused.status, code(refused)]).toEqual([400, 'parameter-invalid'])
  expect(await total('Observation?status=final')).toBe(before)
})

test('bytes that are no UTF-8 are 400; escaped names are taken', async () => {
  expect((await request('POST', '/fhir/Observation', { as: system, body: observation(), headers: { 'X-Provenance': JSON.stringify(said({ agent: [{ who: { display: 'Mü' } }] })) } })).status).toBe(400)
  const escaped = JSON.stringify(said()).replace(/[^ -~]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const made = await request('POST', '/fhir/Observation', { as: system, body: observation(), headers: { 'X-Provenance': escaped } })
  expect((await statementsOf(`Observation/${made.json.id}`))[0]).toMatchObject({ agent: [{ who: { display: '检验科 Müller' } }] })
})

test('a statement that is not valid, or that the caller may not make, takes the write with it', async () => {
  const before = await total('Observation?status=final')
  const invalid = await request('POST', '/fhir/Observation', { as: system, body: observation(), headers: header(said({ agent: undefined })) })
  expect([invalid.status, invalid.json.issue[0].expression]).toEqual([422, ['X-Provenance.agent']])
  const narrow: Principal = { ...anonymous, kind: 'client', id: 'lab', name: 'Lab', scopes: ['system/Observation.cruds'] }
  expect((await request('POST', '/fhir/Observation', { as: narrow, body: observation(), headers: header(said()) })).status).toBe(403)
  expect(await total('Observation?status=final')).toBe(before)
  expect((await request('POST', '/fhir/Observation', { as: narrow, body: observation() })).status).toBe(201)
})

test('a doctor’s statement is in the record: the doctor and the citizen see it, a stranger does not', async () => {
  const made = await request('POST', '/fhir/Observation', { as: doctor, body: observation({ encounter: { reference: `Encounter/${visit.encounter}` } }), headers: header(said()) })
  expect(made.status).toBe(201)
  const name = `Observation/${made.json.id}`
  const elsewhere = await testHospital(platform)
  for (const as of [doctor, citizen(visit.patient)]) {
    const page = await request('GET', `/fhir/Observation?_id=${made.json.id}&_revinclude=Provenance:target`, { as })
    expect(page.json.entry.map((each: { resource: Json }) => each.resource.resourceType)).toEqual(['Observation', 'Provenance'])
  }
  expect(await statementsOf(name, clinician(elsewhere.practitioner, elsewhere.organization))).toEqual([])
  const all = await request('GET', `/fhir/${patient}/$everything?_type=Provenance`, { as: citizen(visit.patient) })
  expect(all.json.entry.length).toBeGreaterThan(0)
})

test('who may not see an entry is not told of it by what was said of it, however it was said', async () => {
  const elsewhere = await testHospital(platform)
  const colleague = clinician(elsewhere.practitioner, elsewhere.organization)
  // A visit at the other hospital opens the record to its doctors, but not what is sensitive in it.
  await put(platform, { resourceType: 'Encounter', id: testId(), status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject: { reference: patient }, serviceProvider: { reference: `Organization/${elsewhere.organization}` }, participant: [{ individual: { reference: `Practitioner/${elsewhere.practitioner}` } }], period: { start: platform.clock.now.toISOString(), end: platform.clock.now.toISOString() } })
  const condition = (code: string) => ({ resourceType: 'Condition', subject: { reference: patient }, code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code }] } })
  const plain = await request('POST', '/fhir/Condition', { as: system, body: condition('I10'), headers: header(said()) })
  const sensitive = await request('POST', '/fhir/Condition', { as: system, body: condition('F32.1'), headers: header(said()) })
  const name = `Condition/${sensitive.json.id}`
  const posted = (body: Json) => request('POST', '/fhir/Provenance', { as: system, body: said(body) })
  expect((await posted({ target: [{ reference: name }, { reference: patient }] })).status).toBe(201)
  const together = { resourceType: 'Bundle', type: 'transaction', entry: [
    { resource: said({ target: [{ reference: 'urn:uuid:0f1c9a60-0000-4000-8000-00000000000a' }, { reference: patient }] }), request: { method: 'POST', url: 'Provenance' } },
    { fullUrl: 'urn:uuid:0f1c9a60-0000-4000-8000-00000000000a', resource: condition('F20.0'), request: { method: 'POST', url: 'Condition' } },
  ] }
  const made = (await request('POST', '/fhir', { as: system, body: together })).json.entry[1].response.location.replace(/^.*\/fhir\/|\/_history.*$/g, '')
  expect((await request('DELETE', `/fhir/${name}`, { as: system, headers: header(said()) })).status).toBe(204)
  const all = await statementsOf(patient, system)
  const seen = (await statementsOf(patient, colleague)).map((each) => JSON.stringify(each.target))
  const speaksOf = (text: string) => text.includes(name) || text.includes(made)
  expect(all.filter((each) => speaksOf(JSON.stringify(each.target))).length).toBe(4)
  expect([seen.some((text) => text.includes(plain.json.id)), seen.filter(speaksOf)]).toEqual([true, []])
})

test('in a read it has no meaning and does no harm', async () => {
  expect((await request('GET', `/fhir/${patient}`, { as: system, headers: header('{') })).status).toBe(200)
})
