/** Conditions of a transaction find what is there once its deletions are done, and what its other entries make. Source: FHIR R4 § http.html#transaction (processing rules). */
import { expect, test } from 'vitest'
import { system, testPlatform, type TestReply } from '../support/platform.ts'

const { request } = await testPlatform()

const patient = (value: string, more: object = {}) => ({ resourceType: 'Patient', identifier: [{ system: 'urn:cond', value }], ...more })
const observation = (reference: string) => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference } })
const entry = (method: string, url: string, resource?: object, more: object = {}) => ({ request: { method, url, ...more }, ...(resource ? { resource } : {}) })
const send = (...entries: object[]): Promise<TestReply> => Promise.resolve(request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: entries }, headers: { Prefer: 'return=representation' } }))
const statuses = (reply: TestReply): string[] => (reply.json.entry ?? []).map((each: { response: { status: string } }) => each.response.status.slice(0, 3))
const faults = (reply: TestReply): string[] => [String(reply.status), ...(reply.json.issue ?? []).map((each: { details: { coding: { code: string }[] } }) => each.details.coding[0]?.code)]
const count = async (value: string): Promise<number> => (await request('GET', `/fhir/Patient?identifier=urn:cond|${value}&_summary=count`, { as: system })).json.total as number
const make = async (value: string): Promise<string> => (await request('POST', '/fhir/Patient', { as: system, body: patient(value) })).json.id as string

test('a conditional create beside the deletion of what it would find creates', async () => {
  const old = await make('a')
  const reply = await send(entry('POST', 'Patient', patient('a'), { ifNoneExist: 'identifier=urn:cond|a' }), entry('DELETE', `Patient/${old}`))
  expect(statuses(reply)).toEqual(['201', '204'])
  expect([await count('a'), (await request('GET', `/fhir/Patient/${old}`, { as: system })).status]).toEqual([1, 410])
  // By the same condition too.
  expect(statuses(await send(entry('DELETE', 'Patient?identifier=urn:cond|a'), entry('POST', 'Patient', patient('a'), { ifNoneExist: 'identifier=urn:cond|a' })))).toEqual(['204', '201'])
  expect(await count('a')).toBe(1)
  // Without a deletion what is there is found.
  expect(statuses(await send(entry('POST', 'Patient', patient('a'), { ifNoneExist: 'identifier=urn:cond|a' })))).toEqual(['200'])
})

test('a conditional update beside the deletion of what it would find creates', async () => {
  const old = await make('u')
  const reply = await send(entry('DELETE', `Patient/${old}`), entry('PUT', 'Patient?identifier=urn:cond|u', patient('u')))
  expect(statuses(reply)).toEqual(['204', '201'])
  expect(await count('u')).toBe(1)
})

test('a conditional reference finds what another entry makes, or makes of what is there', async () => {
  for (const [value, target] of [['r1', entry('POST', 'Patient', patient('r1'))], ['r2', entry('PUT', 'Patient/cond-r2', patient('r2', { id: 'cond-r2' }))], ['r3', entry('PUT', 'Patient?identifier=urn:cond|r3', patient('r3'))]] as const) {
    const reply = await send(entry('POST', 'Observation', observation(`Patient?identifier=urn:cond|${value}`)), target)
    expect([value, ...statuses(reply)]).toEqual([value, '201', '201'])
    expect(reply.json.entry[0].resource.subject.reference).toBe(`Patient/${reply.json.entry[1].resource.id}`)
  }
  // What an update takes away is not found any more, and what it brings is.
  expect(faults(await send(entry('PUT', 'Patient/cond-r2', patient('other', { id: 'cond-r2' })), entry('POST', 'Observation', observation('Patient?identifier=urn:cond|r2'))))).toEqual(['422', 'reference-unresolved'])
  const moved = await send(entry('PUT', 'Patient/cond-r2', patient('r4', { id: 'cond-r2' })), entry('POST', 'Observation', observation('Patient?identifier=urn:cond|r4')))
  expect(moved.json.entry[1].resource.subject.reference).toBe('Patient/cond-r2')
})

test('a conditional reference to what is deleted fails, and one that finds two', async () => {
  const old = await make('d')
  expect(faults(await send(entry('DELETE', `Patient/${old}`), entry('POST', 'Observation', observation('Patient?identifier=urn:cond|d'))))).toEqual(['422', 'reference-unresolved'])
  expect((await request('GET', `/fhir/Patient/${old}`, { as: system })).status).toBe(200)
  expect(faults(await send(entry('POST', 'Patient', patient('d')), entry('POST', 'Observation', observation('Patient?identifier=urn:cond|d'))))).toEqual(['412', 'conditional-ambiguous'])
  expect(faults(await send(entry('POST', 'Observation', observation('Bogus?x=1'))))[1]).toMatch(/type-unknown|reference-invalid/)
})

test('two entries of one identity fail, in whatever order', async () => {
  const [create, update] = [entry('POST', 'Patient', patient('z')), entry('PUT', 'Patient?identifier=urn:cond|z', patient('z'))]
  expect(faults(await send(create, update))).toEqual(['412', 'conditional-ambiguous'])
  expect(faults(await send(update, create))).toEqual(['412', 'conditional-ambiguous'])
  expect(await count('z')).toBe(0)
  // Others of the type do no harm.
  expect(statuses(await send(entry('POST', 'Patient', patient('y')), update))).toEqual(['201', '201'])
})
