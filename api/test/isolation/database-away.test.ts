/**
 * PostgreSQL stops, or restarts because one of its processes was killed, while the platform goes on: every answer meanwhile is a 503 that says whether anything was changed, what is said is
 * true, and nothing has to be started anew afterwards.
 */
import { Writable } from 'node:stream'
import { sql } from 'kysely'
import { pino } from 'pino'
import postgres from 'postgres'
import { afterAll, expect, test } from 'vitest'
import { issueToken } from '../../src/access/tokens.ts'
import { newSigningKey } from '../../src/crypto.ts'
import { messageIdSystem } from '../../src/fhir/claim-message.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { createInsurerApp } from '../../src/http/insurer-app.ts'
import { centreOf } from '../../src/insurer/centre.ts'
import { openDb, openInsurerDb } from '../../src/storage/pool.ts'
import { killablePostgres } from '../support/killable-postgres.ts'
import { system, testPlatform, type TestReply } from '../support/platform.ts'

const database = await killablePostgres()
const db = openDb(database.url, { max: 4 })
afterAll(() => db.destroy())
const lines: { level: number; msg: string }[] = []
const log = pino({ level: 'warn' }, new Writable({ write(chunk, _encoding, done) { lines.push(JSON.parse(String(chunk))); done() } }))
const platform = await testPlatform({ database: { db, url: database.url }, log })

const patient = (id: string, text: string) => ({ resourceType: 'Patient', id, name: [{ text }] })
const read = (id: string, language = 'zh') => platform.request('GET', `/fhir/Patient/${id}`, { as: system, headers: { 'Accept-Language': language } })
const write = (id: string, text: string, language = 'zh') => platform.request('PUT', `/fhir/Patient/${id}`, { as: system, headers: { 'Accept-Language': language }, body: patient(id, text) })
/** What a 503 says, of an OperationOutcome. */
const said = ({ status, headers, json }: TestReply) => [status, headers.get('Retry-After'), json.resourceType, json.issue[0].details.coding[0].code, json.issue[0].details.text]

const unavailable = { zh: '数据库此刻不可用，没有做任何更改，请稍后再试。', en: 'The database is not available at this moment. Nothing was changed; please try again shortly.' }
const unknown = { zh: '数据库的连接刚才中断，不知道这次更改是否已经生效，请先查看，再决定是否重试。', en: 'The connection to the database was lost, and it is not known whether the change took effect. Please look before you try again.' }

/** Versions of a patient in the store, and rows that say that one was written. */
async function stored(id: string): Promise<{ versions: number; audited: number }> {
  const { rows } = await sql<{ versions: number; audited: number }>`select
    (select count(*) from resource where content like ${`%"id":"${id}"%`})::int + (select count(*) from resource_history where content like ${`%"id":"${id}"%`})::int as versions,
    (select count(*) from audit_event where resource_id = ${id} and interaction in ('create', 'update'))::int as audited`.execute(db)
  return rows[0] ?? { versions: -1, audited: -1 }
}

/** Until the platform has noticed that the database is there again. */
async function answering(id: string): Promise<void> {
  await expect.poll(async () => (await read(id)).status, { timeout: 30_000 }).not.toBe(503)
}

test('while PostgreSQL is stopped reads and writes are answered 503 in the language of the reader, and the same requests succeed when it is back', async () => {
  const id = newResourceId(null)
  expect((await write(id, 'before')).status).toBe(201)
  expect((await read(id)).status).toBe(200)
  lines.length = 0
  database.stop()
  for (const language of ['zh', 'en'] as const) {
    expect(said(await read(id, language))).toEqual([503, '2', 'OperationOutcome', 'unavailable', unavailable[language]])
    expect(said(await write(id, 'meanwhile', language))).toEqual([503, '2', 'OperationOutcome', 'unavailable', unavailable[language]])
  }
  const bundle = (type: string) => platform.request('POST', '/fhir', { as: system, headers: { 'Accept-Language': 'en' }, body: {
    resourceType: 'Bundle', type, entry: [{ request: { method: 'GET', url: `Patient/${id}` } }, { resource: patient(id, 'meanwhile'), request: { method: 'PUT', url: `Patient/${id}` } }],
  } })
  expect(said(await bundle('transaction'))).toEqual([503, '2', 'OperationOutcome', 'unavailable', unavailable.en])
  const batch = await bundle('batch')
  expect(batch.json.entry.map(({ response }: { response: { status: string; outcome: { issue: { details: { text: string } }[] } } }) => [response.status, response.outcome.issue[0]?.details.text])).toEqual([['503', unavailable.en], ['503', unavailable.en]])
  const signIn = await platform.request('POST', '/api/sign-in', { headers: { 'Accept-Language': 'en' }, body: { login: 'nobody', password: 'a right long password' } })
  expect([signIn.status, signIn.headers.get('Retry-After'), signIn.json.code, signIn.json.title]).toEqual([503, '2', 'unavailable', unavailable.en])
  const token = await platform.request('POST', '/oidc/token', { body: 'grant_type=refresh_token&refresh_token=none&client_id=none', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })
  expect([token.status, token.headers.get('Retry-After'), token.json.error]).toEqual([503, '2', 'temporarily_unavailable'])
  // Each of them is in the log, none as a fault.
  expect(lines.map(({ level }) => level).filter((level) => level > 40)).toEqual([])
  expect(lines.length).toBeGreaterThanOrEqual(8)

  await database.start()
  await answering(id)
  expect((await read(id)).json.name[0].text).toBe('before')
  expect((await write(id, 'after')).status).toBe(200)
  expect(await stored(id)).toEqual({ versions: 2, audited: 2 })
}, 120_000)

test('when a process of PostgreSQL is killed during a commit the writer is told that nobody knows, and the others that nothing was changed', async () => {
  const id = newResourceId(null)
  const other = newResourceId(null)
  expect((await write(other, 'before')).status).toBe(201)
  // The commit of this patient takes as long as the test wants.
  await sql`create table slow_commit (id text)`.execute(db)
  await sql`create function commit_slowly() returns trigger language plpgsql as $$ begin perform pg_sleep(600); return null; end $$`.execute(db)
  await sql`create constraint trigger slow_commit after insert on slow_commit deferrable initially deferred for each row execute function commit_slowly()`.execute(db)
  await sql`create function mark_slow() returns trigger language plpgsql as $$ begin insert into slow_commit values (new.content); return null; end $$`.execute(db)
  await sql`create trigger mark_slow after insert on resource for each row when (new.content like '%slowly%') execute function mark_slow()`.execute(db)
  const writing = write(id, 'slowly', 'en')
  const watch = postgres(database.url.replace(/\/[^/]*$/, '/postgres'), { max: 1, onnotice: () => {} })
  await expect.poll(async () => (await watch`select 1 from pg_stat_activity where datname = 'desk' and state = 'active' and query = 'commit'`).length, { timeout: 30_000 }).toBe(1)
  await watch.end()
  expect(await database.killBackend()).toBe(true)
  expect(said(await writing)).toEqual([503, '2', 'OperationOutcome', 'effect-unknown', unknown.en])
  await answering(other)
  expect((await read(id)).status).toBe(404)
  expect(await stored(id)).toEqual({ versions: 0, audited: 0 })
  expect((await write(id, 'at once')).status).toBe(201)
  expect(await stored(id)).toEqual({ versions: 1, audited: 1 })
}, 120_000)

test('an insurance centre whose database is away says the same', async () => {
  const nowhere = openInsurerDb('postgres://nobody@127.0.0.1:9/none')
  const authority = { issuer: 'http://centre.invalid', audience: 'http://centre.invalid/fhir', keys: [await newSigningKey()] }
  const now = new Date()
  const centre = createInsurerApp({ db: nowhere, centre: centreOf('310000', new Map()), authority, log, now: () => now })
  const token = await issueToken(authority, system, now, 60, newResourceId(null))
  const answer = await centre.request(`/fhir/Claim?identifier=${messageIdSystem}|1`, { headers: { 'Authorization': `Bearer ${token}`, 'Accept-Language': 'en' } })
  expect([answer.status, answer.headers.get('Retry-After'), (await answer.json() as { issue: { details: { text: string } }[] }).issue[0]?.details.text]).toEqual([503, '2', unavailable.en])
  await nowhere.destroy()
})
