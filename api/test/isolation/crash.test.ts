/**
 * `kill -9` of the platform's process in the middle of its work: whatever it had acknowledged is there when it is started again, with its
 * audit row, and of a transaction there is all or nothing. (The database lives on; that it keeps what it has committed is its own promise.)
 */
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import { mintDemoToken } from '../../src/mint-token.ts'
import { readConfig } from '../../src/config.ts'
import { testDatabase } from '../support/database.ts'
import { testProcess } from '../support/process.ts'

const { db, url } = await testDatabase()
const environment = { DATABASE_URL: url, SEED: 'none', LOG_LEVEL: 'error', PUBLIC_URL: 'http://crash.invalid' }
await db.insertInto('client').values({ id: 'crash', display_name: 'Crash', jwks: { keys: [] }, scopes: 'system/*.cruds', organization: null }).execute()
const token = await mintDemoToken(readConfig(environment), { client: 'crash', user: null, scope: null })
const platform = await testProcess('main.ts', '/health/ready', { ...environment, POOL_CONNECTIONS_MAX: '6' })

const bundleSize = 7
const writers = 12
/** Answers after which the process is killed. */
const answersMin = 50

interface Acknowledged { id: string; version: string; text: string }

interface Reply { status: number; json: { id: string; meta: { versionId: string } } }

async function send(method: string, path: string, body: object): Promise<Reply | null> {
  try {
    const answer = await fetch(`${platform.address}${path}`, { method, headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' }, body: JSON.stringify(body) })
    return { status: answer.status, json: await answer.json() as Reply['json'] }
  } catch {
    return null // The process went before it answered.
  }
}

const patient = (text: string, id?: string) => ({ resourceType: 'Patient', ...(id ? { id } : {}), name: [{ text }] })

/** Creates, updates what it created, sends transactions, until the process is gone. */
async function writer(name: string, acknowledged: Acknowledged[], bundles: Map<string, boolean>, answered: () => void): Promise<void> {
  let mine = ''
  for (let turn = 0; ; turn++) {
    const text = `${name}-${turn}`
    if (turn % 3 === 2) {
      bundles.set(text, false)
      const entry = Array.from({ length: bundleSize }, () => ({ resource: patient(text), request: { method: 'POST', url: 'Patient' } }))
      const reply = await send('POST', '/fhir', { resourceType: 'Bundle', type: 'transaction', entry })
      if (reply === null) return
      expect(reply.status).toBe(200)
      bundles.set(text, true)
    } else {
      const reply: Reply | null = mine === '' ? await send('POST', '/fhir/Patient', patient(text)) : await send('PUT', `/fhir/Patient/${mine}`, patient(text, mine))
      if (reply === null) return
      expect([200, 201]).toContain(reply.status)
      mine = reply.json.id
      acknowledged.push({ id: mine, version: reply.json.meta.versionId, text })
    }
    answered()
  }
}

beforeAll(() => platform.start())

test('what was acknowledged before a kill -9 is stored, and no transaction by half', async () => {
  const acknowledged: Acknowledged[] = []
  const bundles = new Map<string, boolean>()
  let answers = 0
  const enough = Promise.withResolvers<null>()
  const work = Promise.all(Array.from({ length: writers }, (_, n) => writer(`w${n}`, acknowledged, bundles, () => { if (++answers === answersMin) enough.resolve(null) })))
  await enough.promise
  await platform.kill()
  await work
  await platform.start()
  for (const { id, version, text } of acknowledged) {
    const answer = await fetch(`${platform.address}/fhir/Patient/${id}/_history/${version}`, { headers: { Authorization: `Bearer ${token}` } })
    expect(answer.status).toBe(200)
    expect((await answer.json() as { name: { text: string }[] }).name[0]?.text).toBe(text)
  }
  for (const [text, isAcknowledged] of bundles) {
    const { rows } = await sql<{ stored: number }>`select count(*)::int as stored from resource where t = type_code('Patient') and content like ${`%"text":"${text}"%`}`.execute(db)
    expect(isAcknowledged ? [bundleSize] : [0, bundleSize]).toContain(rows[0]?.stored)
  }
  // Every version in the store has exactly its one audit row, also those whose answer was lost.
  const { rows } = await sql<{ versions: number; audited: number }>`select
    (select count(*) from resource where t = type_code('Patient'))::int + (select count(*) from resource_history where t = type_code('Patient'))::int as versions,
    (select count(*) from audit_event where interaction in ('create', 'update') and resource_type = 'Patient')::int as audited`.execute(db)
  expect(rows[0]?.audited).toBe(rows[0]?.versions)
}, 120_000)
