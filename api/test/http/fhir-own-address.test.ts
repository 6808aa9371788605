/** References by the absolute address of this server are the same as relative ones: stored so, found so, and of the patient's record. */
import { expect, test } from 'vitest'
import { citizen, system, testPlatform, type TestReply } from '../support/platform.ts'

const { request } = await testPlatform()
const base = 'http://127.0.0.1:8080/fhir'

const ids = (reply: TestReply): string[] => (reply.json.entry ?? []).map((each: { resource: { resourceType: string; id: string } }) => `${each.resource.resourceType}/${each.resource.id}`).sort()
const observation = (id: string, reference: string) => ({ resourceType: 'Observation', id, status: 'final', code: { text: 'x' }, subject: { reference } })

await request('PUT', '/fhir/Patient/own', { as: system, body: { resourceType: 'Patient', id: 'own', name: [{ text: '张三' }] } })

test.each([['a create', 'POST', 'Observation'], ['an update as create', 'PUT', 'Observation/own-put'], ['a transaction', 'POST', '']] as const)('by %s', async (_, method, path) => {
  const body = observation('own-put', `${base}/Patient/own`)
  const sent = path === '' ? { resourceType: 'Bundle', type: 'transaction', entry: [{ fullUrl: `${base}/Observation/x`, request: { method: 'POST', url: 'Observation' }, resource: body }] } : body
  const reply = await request(method, `/fhir/${path}`, { as: system, body: sent, headers: { Prefer: 'return=representation' } })
  const made = path === '' ? reply.json.entry[0].resource : reply.json
  expect(made.subject).toEqual({ reference: 'Patient/own' })
  const name = `Observation/${made.id}`
  for (const query of ['Observation?subject=Patient/own', 'Observation?patient=own', `Observation?subject=${encodeURIComponent(`${base}/Patient/own`)}`, 'Observation?subject:Patient.name=张三', 'Patient/own/Observation', 'Patient/own/$everything']) {
    expect([query, ids(await request('GET', `/fhir/${query}`, { as: system }))]).toEqual([query, expect.arrayContaining([name])])
  }
  // It is of the patient's record: who it is about sees it, others do not.
  expect((await request('GET', `/fhir/${name}`, { as: citizen('own') })).status).toBe(200)
  expect((await request('GET', `/fhir/${name}`, { as: citizen('other') })).status).toBe(404)
  expect((await request('DELETE', `/fhir/${name}`, { as: system })).status).toBe(204)
})

test('versions, contained resources and extensions; what is of another server, or no reference, stays', async () => {
  const body = {
    ...observation('own-more', 'http://elsewhere.example.org/fhir/Patient/own'), hasMember: [{ reference: `${base}/Observation/a/_history/3` }], extension: [{ url: 'http://example.org/e', valueReference: { reference: `${base}/Patient/own` } }, { url: 'http://example.org/u', valueUri: `${base}/Patient/own` }],
    contained: [{ resourceType: 'Specimen', id: 's', subject: { reference: `${base}/Patient/own` } }], specimen: { reference: '#s' }, performer: [{ reference: `${base}x/Practitioner/1` }, { reference: `${base}/Practitioner/1` }],
  }
  const { json } = await request('PUT', '/fhir/Observation/own-more', { as: system, body })
  expect(json).toMatchObject({
    subject: { reference: 'http://elsewhere.example.org/fhir/Patient/own' }, hasMember: [{ reference: 'Observation/a/_history/3' }], extension: [{ valueReference: { reference: 'Patient/own' } }, { valueUri: `${base}/Patient/own` }],
    contained: [{ subject: { reference: 'Patient/own' } }], performer: [{ reference: `${base}x/Practitioner/1` }, { reference: 'Practitioner/1' }],
  })
})

test('digits of decimals beside it stay as they were written', async () => {
  const body = JSON.stringify({
    resourceType: 'Claim', status: 'active', use: 'claim', type: { text: 'x' }, created: '2026', patient: { reference: `${base}/Patient/own` }, provider: { display: 'x' }, priority: { text: 'x' }, insurance: [{ sequence: 1, focal: true, coverage: { display: 'x' } }],
    item: [{ sequence: 1, productOrService: { text: 'x' }, factor: 7, encounter: [{ reference: `${base}/Encounter/e` }] }],
  }).replace('"factor":7', '"factor":1.10')
  const made = await request('POST', '/fhir/Claim', { as: system, body })
  expect(made.text).toContain('"factor":1.10')
  expect((await request('GET', `/fhir/Claim/${made.json.id}`, { as: system })).text).toMatch(/"factor":1\.10,"encounter":\[\{"reference":"Encounter\/e"\}\]/)
})

test('its type is checked, by a write and by $validate', async () => {
  const wrong = observation('own-wrong', `${base}/Medication/1`)
  expect((await request('PUT', '/fhir/Observation/own-wrong', { as: system, body: wrong })).json.issue[0]).toMatchObject({ expression: ['Observation.subject.reference'] })
  expect((await request('POST', '/fhir/Observation/$validate', { as: system, body: wrong })).json.issue[0]).toMatchObject({ severity: 'error', expression: ['Observation.subject.reference'] })
})
