/** `$validate` and declared profiles through the whole app: nothing is stored, profiles of users count, unknown ones are refused. */
import { describe, expect, test } from 'vitest'
import { validateResources } from '../../src/records/validation/validate-resources.ts'
import { openDb } from '../../src/storage/pool.ts'
import { citizen, system, testPlatform } from '../support/platform.ts'

const { request, services, url } = await testPlatform()

const patient = { resourceType: 'Patient', gender: 'male', text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' } }
type Reply = Awaited<ReturnType<typeof request>>
const issues = (reply: Reply) => (reply.json.issue as { severity: string; details: { coding?: { code: string }[] }; expression?: string[] }[])
  .map((each) => [each.severity, each.details.coding?.[0]?.code, each.expression?.[0]].filter(Boolean).join(' '))

const profile = {
  resourceType: 'StructureDefinition', url: 'http://example.com/StructureDefinition/named-patient', name: 'NamedPatient', status: 'active', kind: 'resource',
  abstract: false, type: 'Patient', baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient', derivation: 'constraint',
  differential: { element: [{ id: 'Patient', path: 'Patient' }, { id: 'Patient.name', path: 'Patient.name', min: 1 }] },
}
const derived = {
  ...profile, url: 'http://example.com/StructureDefinition/born-patient', name: 'BornPatient', baseDefinition: profile.url,
  differential: { element: [{ id: 'Patient', path: 'Patient' }, { id: 'Patient.birthDate', path: 'Patient.birthDate', min: 1 }] },
}

test('all issues of a resource, warnings too, and nothing is stored', async () => {
  const good = await request('POST', '/fhir/Patient/$validate', { as: system, body: patient })
  expect([good.status, ...issues(good)]).toEqual([200, 'information'])
  const bad = await request('POST', '/fhir/$validate', { as: system, body: { ...patient, gender: 'x', text: undefined, contact: [{ gender: 'male' }] } })
  expect([bad.status, ...issues(bad)]).toEqual([200, 'error code-unknown Patient.gender', 'error invariant-broken Patient.contact[0]', 'warning invariant-broken Patient'])
  expect((await request('GET', '/fhir/Patient?_summary=count', { as: system })).json.total).toBe(0)
})

test('Parameters carry resource, mode and profile', async () => {
  const ask = (...parameter: object[]) => request('POST', '/fhir/Patient/$validate', { as: system, body: { resourceType: 'Parameters', parameter } })
  const resource = { name: 'resource', resource: patient }
  expect(issues(await ask(resource))).toEqual(['information'])
  expect(issues(await ask(resource, { name: 'mode', valueCode: 'update' }))).toEqual(['error required Patient.id'])
  expect(issues(await ask(resource, { name: 'profile', valueUri: 'http://nowhere.example.com/x' }))).toEqual(['error profile-unknown Patient'])
  expect((await ask(resource, { name: 'mode', valueCode: 'change' })).status).toBe(400)
  expect((await ask({ name: 'mode', valueCode: 'create' })).status).toBe(422)
  expect(issues(await request('POST', '/fhir/Observation/$validate', { as: system, body: patient }))).toEqual(['error resource-type-mismatch resourceType'])
  expect((await request('POST', '/fhir/Patient/$validate', { body: patient })).status).toBe(401)
})

test('an instance is validated as it is stored, or as it would become', async () => {
  const { id } = (await request('POST', '/fhir/Patient', { as: system, body: patient })).json as { id: string }
  expect(issues(await request('GET', `/fhir/Patient/${id}/$validate`, { as: system }))).toEqual(['information'])
  expect(issues(await request('POST', `/fhir/Patient/${id}/$validate`, { as: system, body: { ...patient, id: 'other' } }))).toEqual(['error id-mismatch Patient.id'])
  expect(issues(await request('POST', `/fhir/Patient/${id}/$validate?mode=delete`, { as: system }))).toEqual(['information'])
  expect((await request('GET', `/fhir/Patient/${id}/$validate`, { as: citizen('someone') })).status).toBe(404)
  expect((await request('GET', '/fhir/Patient/none/$validate', { as: system })).status).toBe(404)
})

test('a write keeps the profiles it declares, also those of users and what they are based on', async () => {
  const declaring = { ...patient, meta: { profile: [derived.url] } }
  const refused = await request('POST', '/fhir/Patient', { as: system, body: declaring })
  expect([refused.status, ...issues(refused)]).toEqual([422, 'error profile-unknown Patient.meta.profile[0]'])
  // A base that is not there leaves the profile unchecked, and so unknown.
  await request('POST', '/fhir/StructureDefinition', { as: system, body: derived })
  expect(issues(await request('POST', '/fhir/Patient', { as: system, body: declaring })))
    .toEqual(['error profile-unknown Patient.meta.profile', 'error required Patient.birthDate'])
  expect((await request('POST', '/fhir/StructureDefinition', { as: system, body: profile })).status).toBe(201)
  expect(issues(await request('POST', '/fhir/Patient', { as: system, body: declaring }))).toEqual(['error required Patient.name', 'error required Patient.birthDate'])
  expect((await request('POST', '/fhir/Patient', { as: system, body: { ...declaring, name: [{ text: 'x' }], birthDate: '1990' } })).status).toBe(201)
})

test('a bundle may bring the profile that its resources declare', async () => {
  const own = { ...profile, url: 'http://example.com/StructureDefinition/brought' }
  const bundle = (extra: object) => ({
    resourceType: 'Bundle', type: 'transaction', entry: [
      { request: { method: 'POST', url: 'Patient' }, resource: { ...patient, ...extra, meta: { profile: [own.url] } } },
      { request: { method: 'POST', url: 'StructureDefinition' }, resource: own },
    ],
  })
  const refused = await request('POST', '/fhir', { as: system, body: bundle({}) })
  expect([refused.status, ...issues(refused)]).toEqual([422, 'error required Bundle.entry[0].resource.name'])
  expect((await request('POST', '/fhir', { as: system, body: bundle({ name: [{ text: 'x' }] }) })).status).toBe(200)
})

test('a canonical with a version means that version', async () => {
  const versioned = (version: string, element: string) => ({
    ...profile, url: 'http://example.com/StructureDefinition/versioned', version, differential: { element: [{ id: 'Patient', path: 'Patient' }, { id: `Patient.${element}`, path: `Patient.${element}`, min: 1 }] },
  })
  for (const each of [versioned('1', 'name'), versioned('2', 'birthDate')]) expect((await request('POST', '/fhir/StructureDefinition', { as: system, body: each })).status).toBe(201)
  const declaring = (canonical: string) => request('POST', '/fhir/Patient/$validate', { as: system, body: { ...patient, meta: { profile: [canonical] } } })
  const address = versioned('1', 'name').url
  expect(issues(await declaring(`${address}|1`))).toEqual(['error required Patient.name'])
  expect(issues(await declaring(`${address}|2`))).toEqual(['error required Patient.birthDate'])
  expect(issues(await declaring(address))).toEqual(['error required Patient.birthDate'])
  const other = await declaring(`${address}|3`)
  expect(issues(other)).toEqual(['error profile-unknown Patient.meta.profile[0]'])
  expect(other.json.issue[0].details.text).toContain('版本')
  const vitals = (version: string) => request('POST', `/fhir/Observation/$validate?profile=http://hl7.org/fhir/StructureDefinition/bodyweight|${version}`, { as: system, body: { resourceType: 'Observation', status: 'final', code: { text: 'x' } } })
  expect(issues(await vitals('4.0.1'))).toContain('error required Observation.subject')
  expect(issues(await vitals('5.0.0'))).toContain('error profile-unknown Observation')
})

test('an extension that users define is held to it, at once where it comes along, and soon everywhere', async () => {
  const extension = {
    ...profile, url: 'http://example.com/StructureDefinition/blood-group', name: 'BloodGroup', type: 'Extension', kind: 'complex-type', baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Extension',
    context: [{ type: 'element', expression: 'Patient' }], differential: { element: [{ id: 'Extension', path: 'Extension', max: '1' }, { id: 'Extension.value[x]', path: 'Extension.value[x]', min: 1, type: [{ code: 'code' }] }] },
  }
  const bearing = (value: object) => ({ ...patient, extension: [{ url: extension.url, ...value }] })
  const bundle = (value: object) => ({ resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'POST', url: 'StructureDefinition' }, resource: extension }, { request: { method: 'POST', url: 'Patient' }, resource: bearing(value) }] })
  expect(issues(await request('POST', '/fhir', { as: system, body: bundle({ valueString: 'A' }) }))).toEqual(['error structure Bundle.entry[1].resource.extension[0].value'])
  expect((await request('POST', '/fhir', { as: system, body: bundle({ valueCode: 'A' }) })).status).toBe(200)
  // Another process, which has not looked yet.
  const other = openDb(url, { max: 1 })
  const [found = []] = await validateResources(other, services.store.model, [bearing({ valueString: 'A' })])
  await other.destroy()
  expect(found.map((each) => `${each.code} ${each.expression}`)).toEqual(['structure Patient.extension[0].value'])
})

describe('a required binding to a value set of the store', () => {
  const [codes, set, address] = ['http://example.com/CodeSystem/wards', 'http://example.com/ValueSet/wards', 'http://example.com/StructureDefinition/on-a-ward']
  const wards = (...names: string[]) => ({ resourceType: 'CodeSystem', url: codes, status: 'active', content: 'complete', concept: names.map((each) => ({ code: each })) })
  const allWards = { resourceType: 'ValueSet', url: set, status: 'active', compose: { include: [{ system: codes }] } }
  const onAWard = (valueSet: string, url = address) => ({
    ...profile, url, name: 'OnAWard', type: 'Basic', baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Basic',
    differential: { element: [{ id: 'Basic', path: 'Basic' }, { id: 'Basic.code', path: 'Basic.code', min: 1, binding: { strength: 'required', valueSet } }] },
  })
  const basic = (value: string, url = address) => ({ resourceType: 'Basic', meta: { profile: [url] }, code: { coding: [{ system: codes, code: value }] } })
  const post = (body: { resourceType: string }) => request('POST', `/fhir/${body.resourceType}`, { as: system, body })

  test('comes with the request, or counts from when it is stored, as it then is', async () => {
    const bundle = (value: string) => ({ resourceType: 'Bundle', type: 'transaction', entry: [basic(value), onAWard(set), allWards, wards('a', 'b')].map((resource) => ({ request: { method: 'POST', url: resource.resourceType }, resource })) })
    expect(issues(await request('POST', '/fhir', { as: system, body: bundle('c') }))).toEqual(['error code-unknown Bundle.entry[0].resource.code'])
    const reply = await request('POST', '/fhir', { as: system, body: bundle('a') })
    expect(reply.status).toBe(200)
    expect(issues(await post(basic('c')))).toEqual(['error code-unknown Basic.code'])
    expect((await post(basic('b'))).status).toBe(201)
    const id = /CodeSystem\/([^/]+)/.exec(reply.json.entry[3].response.location)?.[1] as string
    expect((await request('PUT', `/fhir/CodeSystem/${id}`, { as: system, body: { ...wards('c'), id } })).status).toBe(200)
    expect([(await post(basic('c'))).status, ...issues(await post(basic('b')))]).toEqual([201, 'error code-unknown Basic.code'])
  })

  test('that nobody knows, or that is broken, is not judged', async () => {
    const [unknown, broken] = ['http://example.com/StructureDefinition/unknown-set', 'http://example.com/StructureDefinition/broken-set']
    const circle = { ...allWards, url: 'http://example.com/ValueSet/circle', compose: { include: [{ valueSet: ['http://example.com/ValueSet/circle'] }] } }
    for (const each of [onAWard('http://example.com/ValueSet/none', unknown), onAWard(circle.url, broken), circle]) expect((await post(each)).status).toBe(201)
    for (const url of [unknown, broken]) expect((await post(basic('x', url))).status).toBe(201)
    const malformed = { ...wards('a'), url: 'http://example.com/CodeSystem/malformed', concept: 'a' }
    const entries = [{ ...basic('x', unknown), code: { coding: [{ system: malformed.url, code: 'x' }] } }, malformed, { ...allWards, url: 'http://example.com/ValueSet/none', compose: { include: [{ system: malformed.url }] } }]
    const refused = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: entries.map((resource) => ({ request: { method: 'POST', url: resource.resourceType }, resource })) } })
    expect([refused.status, ...issues(refused)]).toEqual([422, 'error structure Bundle.entry[1].resource.concept'])
  })
})

describe('answers are held against their questionnaire', () => {
  const questionnaire = {
    resourceType: 'Questionnaire', url: 'http://example.com/Questionnaire/pre-visit', version: '2', status: 'active',
    contained: [{ resourceType: 'ValueSet', id: 'often', status: 'active', compose: { include: [{ system: 'http://example.com/often', concept: [{ code: 'daily' }, { code: 'never' }] }] } }],
    item: [
      { linkId: 'smokes', type: 'boolean', required: true },
      { linkId: 'often', type: 'choice', answerValueSet: '#often', enableWhen: [{ question: 'smokes', operator: '=', answerBoolean: true }] },
    ],
  }
  const often = (code: string) => ({ linkId: 'often', answer: [{ valueCoding: { system: 'http://example.com/often', code } }] })
  const smokes = (valueBoolean: boolean) => ({ linkId: 'smokes', answer: [{ valueBoolean }] })
  const response = (canonical: string, ...item: object[]) => ({ resourceType: 'QuestionnaireResponse', status: 'completed', questionnaire: canonical, item })
  const post = async (resource: object) => {
    const reply = await request('POST', '/fhir/QuestionnaireResponse', { as: system, body: resource })
    return reply.status === 201 ? [201] : [reply.status, ...issues(reply)]
  }

  test('of the store, by address, version and id; of one that nobody knows nothing is judged', async () => {
    const broken = response(questionnaire.url, smokes(false), often('daily'))
    expect(await post(broken)).toEqual([201])
    expect(issues(await request('POST', '/fhir/QuestionnaireResponse/$validate', { as: system, body: broken }))).toContain('warning not-found QuestionnaireResponse.questionnaire')
    const { id } = (await request('POST', '/fhir/Questionnaire', { as: system, body: questionnaire })).json as { id: string }
    const refused = [422, 'error invariant-broken QuestionnaireResponse.item[1]']
    expect(await post(broken)).toEqual(refused)
    expect(await post({ ...broken, questionnaire: `${questionnaire.url}|2` })).toEqual(refused)
    expect(await post({ ...broken, questionnaire: `Questionnaire/${id}` })).toEqual(refused)
    expect(await post({ ...broken, questionnaire: `${questionnaire.url}|1` })).toEqual([201])
    expect(await post(response(questionnaire.url, smokes(true), often('daily')))).toEqual([201])
    expect(await post(response(questionnaire.url, smokes(true), often('dayly')))).toEqual([422, 'error code-unknown QuestionnaireResponse.item[1].answer[0].value'])
    // A change counts from when it is stored, and a deleted one asks nothing.
    const changed = { ...questionnaire, id, item: [...questionnaire.item, { linkId: 'drinks', type: 'boolean', required: true }] }
    expect((await request('PUT', `/fhir/Questionnaire/${id}`, { as: system, body: changed })).status).toBe(200)
    expect(await post(response(questionnaire.url, smokes(true), often('daily')))).toEqual([422, 'error required QuestionnaireResponse.item'])
    expect((await request('DELETE', `/fhir/Questionnaire/${id}`, { as: system })).status).toBe(204)
    expect(await post(broken)).toEqual([201])
  })

  test('that comes in the same transaction', async () => {
    const own = { ...questionnaire, url: 'http://example.com/Questionnaire/brought' }
    const bundle = (item: object) => ({
      resourceType: 'Bundle', type: 'transaction', entry: [
        { request: { method: 'POST', url: 'QuestionnaireResponse' }, resource: response(own.url, smokes(true), item) },
        { request: { method: 'POST', url: 'Questionnaire' }, resource: own },
      ],
    })
    const refused = await request('POST', '/fhir', { as: system, body: bundle(often('hourly')) })
    expect([refused.status, ...issues(refused)]).toEqual([422, 'error code-unknown Bundle.entry[0].resource.item[1].answer[0].value'])
    expect((await request('POST', '/fhir', { as: system, body: bundle(often('never')) })).status).toBe(200)
  })
})
