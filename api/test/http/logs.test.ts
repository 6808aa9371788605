/** Nothing of a person or a record gets into the log: a workload with marked data, also where it fails, at the finest level. */
import { Writable } from 'node:stream'
import { sql } from 'kysely'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { addAccount, addApp, authorizePath, browser, pkce } from '../support/app-flow.ts'
import { system, testPlatform } from '../support/platform.ts'

const platform = await testPlatform({ now: new Date() })
const lines: string[] = []
const log = pino({ level: 'trace' }, new Writable({ write(chunk, _encoding, done) { lines.push(String(chunk)); done() } }))
const app = createApp({ ...platform.services, log })
const marks = ['赵秘密', 'zhao-secret', '999901199001010010', '13912345678', 'secretpassword', 'secretnote', 'secretcode']

test('a workload of marked data leaves no mark in the log', async () => {
  const token = await platform.token(system)
  const statuses: number[] = []
  const ask = async (method: string, path: string, body?: string, type = 'application/fhir+json') => {
    const reply = await app.request(path, { method, headers: { Authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'Content-Type': type }) }, ...(body === undefined ? {} : { body }) })
    statuses.push(reply.status)
    return reply
  }
  const id = newResourceId(3)
  const patient = (more: object) => JSON.stringify({ resourceType: 'Patient', id, name: [{ text: '赵秘密' }], identifier: [{ system: 'urn:oid:2.16.156.10011.1.3', value: '999901199001010010' }], telecom: [{ system: 'phone', value: '13912345678' }], ...more })
  await ask('PUT', `/fhir/Patient/${id}`, patient({}))
  await ask('PUT', `/fhir/Patient/${id}`, patient({ gender: 'secretnote', birthDate: 'secretnote' }))
  await ask('PUT', `/fhir/Patient/${id}`, `{"name": "赵秘密`)
  await ask('POST', '/fhir', JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: [{ resource: JSON.parse(patient({ gender: 'x' })), request: { method: 'PUT', url: `Patient/${id}` } }] }))
  for (const query of ['name=%E8%B5%B5%E7%A7%98%E5%AF%86', 'identifier=999901199001010010', 'nonsense=secretnote', 'birthdate=secretnote']) await ask('GET', `/fhir/Patient?${query}`)
  await ask('POST', '/fhir/Patient/_search', 'identifier=999901199001010010&phone=13912345678', 'application/x-www-form-urlencoded')
  await ask('GET', '/fhir/Patient/999901199001010010')
  await addAccount(platform, 'zhao-secret', [{ role: 'citizen', patient: id }], { displayName: '赵秘密', phone: '13912345678' })
  await addApp(platform, 'diary')
  for (const body of [{ login: 'zhao-secret', password: 'secretpassword' }, { login: '13912345678', password: 'secretpassword', code: 'secretcode' }, { login: ['secretnote'] }]) await ask('POST', '/api/sign-in', JSON.stringify(body), 'application/json')
  await ask('POST', '/oidc/token', 'grant_type=authorization_code&code=secretcode&client_id=diary&redirect_uri=x', 'application/x-www-form-urlencoded')
  await app.request(authorizePath(platform, 'diary', 'patient/*.rs', pkce().challenge, { login_hint: 'zhao-secret', state: 'secretnote' }))
  const person = browser({ ...platform, request: platform.request })
  await person.signIn('zhao-secret', { password: 'secretpassword' })
  // Our own faults, whose cause is logged: the database no longer is what the code takes it for.
  await sql`alter table resource rename column content to content_gone`.execute(platform.db)
  await sql`alter table account rename column display_name to display_gone`.execute(platform.db)
  await ask('PUT', `/fhir/Patient/${id}`, patient({ gender: 'female' }))
  await ask('GET', '/fhir/Patient?name=%E8%B5%B5%E7%A7%98%E5%AF%86&identifier=999901199001010010')
  await ask('POST', '/api/sign-in', JSON.stringify({ login: 'zhao-secret', password: 'secretpassword' }), 'application/json')
  expect(statuses.filter((status) => status === 500).length).toBeGreaterThanOrEqual(2)
  expect(statuses.filter((status) => status < 300).length).toBeGreaterThanOrEqual(3)
  const text = lines.join('')
  expect(lines.length).toBeGreaterThan(15)
  expect(text).toMatch(/request failed/)
  for (const mark of [...marks, ...marks.map(encodeURIComponent), token]) expect(text.includes(mark), mark).toBe(false)
})
