/** Clients that others wrote do real work against the running server: what they send and expect is not ours to choose. */
import type { Server } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { serve } from '@hono/node-server'
import { MedplumClient, OperationOutcomeError } from '@medplum/core'
import type { Bundle, Observation, Patient } from '@medplum/fhirtypes'
import { Client } from 'fhir-kit-client'
import fhirclient from 'fhirclient'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCtx } from '../../src/ctx.ts'
import { runExports } from '../../src/records/export/run-exports.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { addAccount, addApp, browser } from '../support/app-flow.ts'
import { system, testPlatform } from '../support/platform.ts'

// The server's own address stands in its links, so the port is known before the platform is made.
const port = await freePort()
const base = `http://127.0.0.1:${port}`
const platform = await testPlatform({ publicUrl: base })
let token = ''
let server: Server

beforeAll(async () => {
  token = await platform.token(system)
  server = await new Promise<Server>((done) => {
    const started = serve({ fetch: platform.app.fetch, port, hostname: '127.0.0.1' }, () => done(started as Server))
  })
})
afterAll(() => new Promise((done) => { server.close(done); server.closeAllConnections() }))

function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port: found } = probe.address() as AddressInfo
      probe.close(() => done(found))
    })
  })
}

const patient = (family: string): Patient => ({ resourceType: 'Patient', name: [{ family, given: ['晓'], text: `${family}晓` }], gender: 'female', birthDate: '1980-02-29' })
const pulse = (subject: string, value: number): Observation => ({
  resourceType: 'Observation', status: 'final', subject: { reference: subject }, effectiveDateTime: '2026-11-01T08:00:00+08:00',
  code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] }, valueQuantity: { value, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
})

test('MedplumClient creates, reads, updates, searches, reads the history, deletes, and understands our errors', async () => {
  const client = new MedplumClient({ baseUrl: `${base}/`, fhirUrlPath: 'fhir', accessToken: token, cacheTime: 0 })
  const created = await client.createResource(patient('欧阳'))
  expect(created.id).toMatch(/^[0-9a-f-]{36}$/)
  expect((await client.readResource('Patient', created.id)).name?.[0]?.text).toBe('欧阳晓')
  const updated = await client.updateResource<Patient>({ ...created, birthDate: '1980-03-01' })
  expect(updated.meta?.versionId).toBe('2')
  await client.createResource(pulse(`Patient/${created.id}`, 72))
  const found = await client.searchResources('Observation', { subject: `Patient/${created.id}`, code: 'http://loinc.org|8867-4' })
  expect(found.map((each) => each.valueQuantity?.value)).toEqual([72])
  expect((await client.readHistory('Patient', created.id)).entry?.map((each) => (each.resource as Patient).birthDate)).toEqual(['1980-03-01', '1980-02-29'])
  await expect(client.createResource({ ...patient('错'), birthDate: '1980-02-30' })).rejects.toThrow(OperationOutcomeError)
  await client.deleteResource('Patient', created.id)
  await expect(client.readResource('Patient', created.id)).rejects.toThrow()
})

test('MedplumClient runs a transaction bundle whose entries refer to each other', async () => {
  const client = new MedplumClient({ baseUrl: `${base}/`, fhirUrlPath: 'fhir', accessToken: token, cacheTime: 0 })
  const answer = await client.executeBatch({
    resourceType: 'Bundle', type: 'transaction',
    entry: [
      { fullUrl: 'urn:uuid:2c1f0f06-4a0e-4e43-9d62-6c3ac0e0a002', resource: pulse('urn:uuid:2c1f0f06-4a0e-4e43-9d62-6c3ac0e0a001', 88), request: { method: 'POST', url: 'Observation' } },
      { fullUrl: 'urn:uuid:2c1f0f06-4a0e-4e43-9d62-6c3ac0e0a001', resource: patient('司马'), request: { method: 'POST', url: 'Patient' } },
    ],
  })
  const [observation = '', person = ''] = (answer.entry ?? []).map((each) => each.response?.location?.split('/_history')[0]?.split('/fhir/').pop() ?? '')
  expect((await client.readReference<Observation>({ reference: observation })).subject?.reference).toBe(person)
})

test('fhir-kit-client creates, reads a version, updates with If-Match, pages through a search and follows a reference', async () => {
  const client = new Client({ baseUrl: `${base}/fhir`, bearerToken: token })
  const created = await client.create({ resourceType: 'Patient', body: patient('诸葛') as never }) as Patient
  const update = (family: string, version: string) => client.update({
    resourceType: 'Patient', id: created.id ?? '', body: { ...created, name: [{ family }] } as never, options: { headers: { 'If-Match': `W/"${version}"` } },
  })
  await update('诸', '1')
  await expect(update('葛', '1')).rejects.toMatchObject({ response: { status: 412 } })
  expect(((await client.vread({ resourceType: 'Patient', id: created.id ?? '', version: '1' })) as Patient).name?.[0]?.family).toBe('诸葛')
  for (let value = 60; value < 75; value++) await client.create({ resourceType: 'Observation', body: pulse(`Patient/${created.id}`, value) as never })
  let page = await client.search({ resourceType: 'Observation', searchParams: { patient: created.id ?? '', _count: 4, _sort: '-_lastUpdated' } }) as unknown as Bundle
  const seen: (number | undefined)[] = []
  for (;;) {
    for (const entry of page.entry ?? []) seen.push((entry.resource as Observation).valueQuantity?.value)
    const next = await client.nextPage({ bundle: page as never })
    if (!next) break
    page = next as unknown as Bundle
  }
  expect([...seen].sort()).toEqual(Array.from({ length: 15 }, (_, index) => 60 + index))
  const observation = page.entry?.[0]?.resource as Observation | undefined
  expect(((await client.resolve({ reference: observation?.subject?.reference ?? '' })) as Patient).id).toBe(created.id)
})

interface FhirClient {
  request<T>(url: string, options?: object): Promise<T>
  create<T>(resource: T): Promise<T>
  update<T>(resource: T): Promise<T>
  patch(url: string, patch: object[]): Promise<unknown>
  delete(url: string): Promise<unknown>
}

function smartClient(): FhirClient {
  const smart = (fhirclient as unknown as (request: object, response: object) => { client(state: object): FhirClient })({}, {})
  return smart.client({ serverUrl: `${base}/fhir`, tokenResponse: { access_token: token } })
}

test('fhirclient reads the capability statement, creates and searches', async () => {
  const client = smartClient()
  expect(await client.request<{ fhirVersion: string }>('metadata')).toMatchObject({ fhirVersion: '4.0.1' })
  const created = await client.create(patient('皇甫'))
  const found = await client.request<Bundle>(`Patient?_id=${created.id}`)
  expect((found.entry?.[0]?.resource as Patient | undefined)?.name?.[0]?.family).toBe('皇甫')
  await client.delete(`Patient/${created.id}`)
  await expect(client.request(`Patient/${created.id}`)).rejects.toThrow(/410|Gone/i)
})

test('MedplumClient writes by condition, patches, pages, expands, validates and reads everything', async () => {
  const client = new MedplumClient({ baseUrl: `${base}/`, fhirUrlPath: 'fhir', accessToken: token, cacheTime: 0 })
  const known = { ...patient('上官'), identifier: [{ system: 'urn:his', value: 'm-1' }] }
  const created = await client.createResourceIfNoneExist<Patient>(known, 'identifier=urn:his|m-1')
  expect((await client.createResourceIfNoneExist<Patient>(known, 'identifier=urn:his|m-1')).id).toBe(created.id)
  expect((await client.upsertResource<Patient>({ ...known, gender: 'male' }, 'identifier=urn:his|m-1')).meta?.versionId).toBe('2')
  expect((await client.patchResource('Patient', created.id, [{ op: 'replace', path: '/birthDate', value: '1980-03-05' }])).birthDate).toBe('1980-03-05')
  expect((await client.readVersion('Patient', created.id, '1')).birthDate).toBe('1980-02-29')
  for (let value = 60; value < 67; value++) await client.createResource(pulse(`Patient/${created.id}`, value))
  const pages: number[] = []
  for await (const page of client.searchResourcePages('Observation', { subject: `Patient/${created.id}`, _count: 3 })) pages.push(page.length)
  expect(pages).toEqual([3, 3, 1])
  expect((await client.readPatientEverything(created.id)).entry?.length).toBe(8)
  expect((await client.valueSetExpand({ url: 'http://hl7.org/fhir/ValueSet/administrative-gender', filter: 'fem' })).expansion?.contains?.map((each) => each.code)).toEqual(['female'])
  expect((await client.validateResource(patient('白'))).issue.map((each) => each.severity)).toEqual(['warning'])
})

test('MedplumClient exports in bulk and fetches the files', async () => {
  const client = new MedplumClient({ baseUrl: `${base}/`, fhirUrlPath: 'fhir', accessToken: token, cacheTime: 0 })
  await client.createResource(patient('东方'))
  const working = setInterval(() => { void runExports(platform.db, makeCtx(system, { now: platform.clock.now }), platform.services.store, { settleMilliseconds: 0 }) }, 200)
  const found = await client.bulkExport('', 'Patient', undefined, { pollStatusOnAccepted: true, pollStatusPeriod: 200 }).finally(() => { clearInterval(working) })
  const file = await client.download(found.output?.[0]?.url ?? '')
  const rows = (await file.text()).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Patient)
  expect(rows.map((each) => each.name?.[0]?.family)).toContain('东方')
})

test('fhir-kit-client patches, writes by condition, runs bundles and operations, searches a compartment and pages back', async () => {
  const client = new Client({ baseUrl: `${base}/fhir`, bearerToken: token })
  const created = await client.create({ resourceType: 'Patient', body: patient('令狐') as never, options: { headers: { 'If-None-Exist': 'identifier=urn:his|k-1' } } }) as Patient
  const id = created.id ?? ''
  expect(((await client.patch({ resourceType: 'Patient', id, jsonPatch: [{ op: 'add', path: '/identifier', value: [{ system: 'urn:his', value: 'k-1' }] }] })) as Patient).meta?.versionId).toBe('2')
  expect(((await client.create({ resourceType: 'Patient', body: patient('令狐') as never, options: { headers: { 'If-None-Exist': 'identifier=urn:his|k-1' } } })) as Patient).id).toBe(id)
  expect(((await client.update({ resourceType: 'Patient', searchParams: { identifier: 'urn:his|k-1' }, body: { ...patient('令狐'), identifier: [{ system: 'urn:his', value: 'k-1' }], active: true } as never })) as Patient).meta?.versionId).toBe('3')
  const post = (value: number) => ({ resource: pulse(`Patient/${id}`, value), request: { method: 'POST', url: 'Observation' } })
  const done = await client.transaction({ body: { resourceType: 'Bundle', type: 'transaction', entry: [post(61), post(62), post(63)] } as never }) as unknown as Bundle
  expect(done.entry?.map((each) => each.response?.status)).toEqual(['201 Created', '201 Created', '201 Created'])
  const batch = await client.batch({ body: { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `Patient/${id}` } }, { request: { method: 'GET', url: 'Patient/none' } }] } as never }) as unknown as Bundle
  expect(batch.entry?.map((each) => each.response?.status?.slice(0, 3))).toEqual(['200', '404'])
  const first = await client.search({ resourceType: 'Observation', compartment: { resourceType: 'Patient', id }, searchParams: { _count: 2 } }) as unknown as Bundle
  const second = await client.nextPage({ bundle: first as never }) as unknown as Bundle
  const back = await client.prevPage({ bundle: second as never }) as unknown as Bundle
  const ids = (bundle: Bundle) => bundle.entry?.map((each) => each.resource?.id)
  expect([ids(first)?.length, ids(second)?.length, ids(back)]).toEqual([2, 1, ids(first)])
  expect(((await client.operation({ name: 'everything', resourceType: 'Patient', id, method: 'GET' })) as unknown as Bundle).entry).toHaveLength(4)
  expect(((await client.history({ resourceType: 'Patient', id })) as unknown as Bundle).entry?.map((each) => each.request?.method)).toEqual(['PUT', 'PUT', 'POST'])
  await client.delete({ resourceType: 'Patient', id })
  await expect(client.read({ resourceType: 'Patient', id })).rejects.toMatchObject({ response: { status: 410, data: { resourceType: 'OperationOutcome' } } })
})

test('fhirclient updates, patches, follows pages and references', async () => {
  const client = smartClient()
  const created = await client.create(patient('宇文'))
  expect((await client.update({ ...created, gender: 'male' } as Patient)).meta?.versionId).toBe('2')
  expect((await client.patch(`Patient/${created.id}`, [{ op: 'replace', path: '/gender', value: 'other' }]) as Patient).gender).toBe('other')
  for (let value = 70; value < 75; value++) await client.create(pulse(`Patient/${created.id}`, value))
  const all = await client.request<Observation[]>(`Observation?patient=${created.id}&_count=2`, { pageLimit: 0, flat: true })
  expect(all).toHaveLength(5)
  const resolved = await client.request<Observation>(`Observation/${all[0]?.id}`, { resolveReferences: ['subject'] })
  expect((resolved.subject as unknown as Patient).name?.[0]?.family).toBe('宇文')
})

test('fhirclient launches standalone with PKCE, gets the patient the person chose, reads, and refreshes', async () => {
  const id = newResourceId(7)
  await platform.request('PUT', `/fhir/Patient/${id}`, { as: system, body: { ...patient('端木'), id } })
  await platform.request('POST', '/fhir/Observation', { as: system, body: pulse(`Patient/${id}`, 77) })
  await addAccount(platform, 'duanmu', [{ role: 'citizen', patient: id }])
  const redirectUri = `${base}/callback`
  await addApp(platform, 'fhirclient-app', { redirect_uris: [redirectUri] })
  const person = browser(platform)
  await person.signIn('duanmu')

  interface Launched { patient: { id: string }; state: { tokenResponse: { scope: string; refresh_token: string; id_token: string } }; getFhirUser(): string; request<T>(url: string): Promise<T> }
  interface Smart { authorize(options: object): Promise<unknown>; ready(): Promise<Launched> }
  const kept = new Map<string, unknown>()
  const storage = { get: async (key: string) => kept.get(key), set: async (key: string, value: unknown) => { kept.set(key, value); return value }, unset: async (key: string) => kept.delete(key) }
  let sentTo = ''
  const response = { writeHead: (_status: number, headers: { location: string }) => { sentTo = headers.location }, end: () => undefined }
  const smart = (url: string) => (fhirclient as unknown as (request: object, response: object, storage: object) => Smart)({ url, headers: { host: `127.0.0.1:${port}` }, socket: {} }, response, storage)

  await smart('/start').authorize({ clientId: 'fhirclient-app', iss: `${base}/fhir`, redirectUri, scope: 'openid fhirUser launch/patient online_access patient/Patient.r patient/Observation.rs', pkceMode: 'required' })
  const begun = await person.request('GET', sentTo.replace(base, ''))
  const answered = await person.request('POST', `${begun.headers.get('Location')?.replace(base, '')}/answer`, { body: { decision: 'allow', scopes: ['openid', 'fhirUser', 'online_access', 'patient/Patient.r', 'patient/Observation.rs'], patient: id } })
  const back = (await person.request('GET', answered.json.location.replace(base, ''))).headers.get('Location') ?? ''
  const client = await smart(back.replace(base, '')).ready()
  expect(client.patient.id).toBe(id)
  expect(client.getFhirUser()).toBe(`Patient/${id}`)
  expect((await client.request<Patient>(`Patient/${id}`)).name?.[0]?.family).toBe('端木')
  expect((await client.request<Bundle>(`Observation?patient=${id}`)).entry?.map((entry) => (entry.resource as Observation).valueQuantity?.value)).toEqual([77])
  await expect(client.request(`Condition?patient=${id}`)).rejects.toThrow(/403|Forbidden|scope/i)
  const { refresh_token: refreshToken } = client.state.tokenResponse
  const refreshed = await fetch(`${base}/oidc/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'fhirclient-app' }) })
  expect(await refreshed.json()).toMatchObject({ patient: id, token_type: 'Bearer' })
})
