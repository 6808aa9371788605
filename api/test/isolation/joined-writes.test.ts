/**
 * Writes that arrive together share transactions. Whatever they are and however they end, each keeps the promises of a write alone:
 * what is acknowledged is stored once with its audit row, what is refused leaves nothing, versions have neither gap nor double.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { typeCode } from '../../src/fhir/resource-types.ts'
import { citizen, system, testPlatform, type TestReply } from '../support/platform.ts'

const { request, db } = await testPlatform()
const reader = { ...system, id: 'reader', scopes: ['system/*.rs'] }

interface Step { kind: 'create' | 'update' | 'delete' | 'patch'; target: number; match: 'none' | 'first' | 'wrong'; who: 'system' | 'reader' | 'citizen'; broken: boolean }

const steps = fc.array(fc.record<Step>({
  kind: fc.constantFrom('create', 'update', 'update', 'update', 'delete', 'patch'), target: fc.integer({ min: 0, max: 5 }),
  match: fc.constantFrom('none', 'none', 'none', 'first', 'wrong'), who: fc.constantFrom('system', 'system', 'system', 'reader', 'citizen'),
  broken: fc.constantFrom(false, false, true),
}), { minLength: 5, maxLength: 30 })

let counter = 0
const named = (text: string, id?: string) => ({ resourceType: 'Patient', ...(id ? { id } : {}), name: [{ text }] })

async function send(step: Step, ids: readonly string[], text: string): Promise<TestReply> {
  const id = ids[step.target] ?? ''
  const as = { system, reader, citizen: citizen('somebody') }[step.who]
  const headers: Record<string, string> = step.match === 'none' ? {} : { 'If-Match': step.match === 'first' ? 'W/"1"' : 'W/"77"' }
  const resource = { ...named(text, step.kind === 'create' ? undefined : id), ...(step.broken ? { gender: 'nonsense' } : {}) }
  switch (step.kind) {
    case 'create': return request('POST', '/fhir/Patient', { as, body: resource })
    case 'update': return request('PUT', `/fhir/Patient/${id}`, { as, headers, body: resource })
    case 'delete': return request('DELETE', `/fhir/Patient/${id}`, { as, headers })
    case 'patch': return request('PATCH', `/fhir/Patient/${id}`, { as, headers: { ...headers, 'Content-Type': 'application/json-patch+json' }, body: [{ op: 'add', path: '/name/0/text', value: text }] })
  }
}

interface Version { version: number; deleted: boolean; text: string | null }

/** All versions of a resource, the current one last, as the rows have them. */
async function versionsOf(id: string): Promise<Version[]> {
  const { rows } = await sql<Version>`select v.version, v.deleted, v.content::jsonb #>> '{name,0,text}' as text from (
    select h.version, h.deleted, h.content from resource_history h where h.id = ${id}::uuid
    union all select r.version, false, r.content from resource r where r.id = ${id}::uuid) v order by v.version`.execute(db)
  return rows
}

/** Every version has one audit row of a write, and every acknowledged write its version. An update that changes nothing has a row and no version. */
async function expectSound(ids: readonly string[], sent: readonly { step: Step; text: string; reply: TestReply }[]): Promise<void> {
  const texts = new Map<string, string>()
  for (const id of ids) {
    const versions = await versionsOf(id)
    expect(versions.map(({ version }) => version)).toEqual(versions.map((_, index) => index + 1))
    for (const { text } of versions) {
      if (text === null) continue
      expect(texts.has(text)).toBe(false)
      texts.set(text, id)
    }
    const audited = await db.selectFrom('audit_event').select('outcome').where('resource_id', '=', id).where('interaction', 'in', ['create', 'update', 'delete']).execute()
    expect(audited).toHaveLength(versions.length)
    const strings = await db.selectFrom('idx_string').select('val').where('rid', '=', id).execute()
    const current = versions.at(-1)
    expect(strings.length > 0).toBe(current?.deleted === false)
    if (current?.deleted === false) expect(strings.map(({ val }) => val)).toContain(current.text)
  }
  for (const { step, text, reply } of sent) {
    if (step.kind === 'delete') continue
    const id = step.kind === 'create' ? reply.json?.id : ids[step.target]
    if (reply.status < 300) {
      expect(texts.get(text) ?? (await versionsOf(id)).find((each) => each.text === text)).toBeDefined()
      expect(reply.json.name[0].text).toBe(text)
    // Only who is told that nobody knows may have written all the same.
    } else if (reply.json.issue[0].details.coding[0].code !== 'effect-unknown') expect(texts.has(text)).toBe(false)
  }
}

async function newPatients(count: number): Promise<string[]> {
  const replies = await Promise.all(Array.from({ length: count }, () => request('POST', '/fhir/Patient', { as: system, body: named(`t${counter++}`) })))
  return replies.map(({ json }) => json.id)
}

test('any mixture of writers on few resources, good and bad among each other', async () => {
  await fc.assert(fc.asyncProperty(steps, async (list) => {
    const ids = await newPatients(6)
    const sent = await Promise.all(list.map(async (step) => {
      const text = `t${counter++}`
      return { step, text, reply: await send(step, ids, text) }
    }))
    for (const { step, reply } of sent) {
      const expected = step.broken && (step.kind === 'create' || step.kind === 'update') ? [400, 401, 403, 404, 422] : step.who === 'system' ? [200, 201, 204, 404, 410, 412] : [204, 401, 403, 404, 412]
      expect(expected).toContain(reply.status)
      if (step.match === 'wrong' && step.kind === 'update') expect(reply.status).toBeGreaterThanOrEqual(400)
    }
    await expectSound(ids, sent)
  }), { numRuns: 15 })
})

test('many creations at once share transactions, and one bad among them fails alone', async () => {
  const replies = await Promise.all(Array.from({ length: 60 }, (_, n) =>
    request('POST', '/fhir/Patient', { as: n % 10 === 3 ? reader : system, body: n % 10 === 7 ? { ...named('x'), unknown: true } : named(`t${counter++}`) })))
  expect(replies.map(({ status }) => status)).toEqual(replies.map((_, n) => (n % 10 === 3 ? 403 : n % 10 === 7 ? 422 : 201)))
  const made = replies.flatMap(({ status, json }) => (status === 201 ? [json.id as string] : []))
  const { rows } = await sql<{ transactions: number }>`select count(distinct r.xmin::text)::int as transactions from resource r where r.t = ${typeCode('Patient')} and r.id = any(${made}::uuid[])`.execute(db)
  expect(rows[0]?.transactions).toBeLessThan(made.length / 2)
})

test('an update waits for a lock that another transaction holds, and does not make the others wait', async () => {
  const [held = '', ...free] = await newPatients(10)
  let release: () => void = () => {}
  const until = new Promise<void>((done) => { release = done })
  let locked: () => void = () => {}
  const isLocked = new Promise<void>((done) => { locked = done })
  const holder = db.transaction().execute(async (trx) => {
    await sql`select from resource r where r.id = ${held}::uuid for update`.execute(trx)
    locked()
    await until
  })
  await isLocked
  let answered = false
  const waiting = request('PUT', `/fhir/Patient/${held}`, { as: system, body: named('held', held) }).then((reply) => { answered = true; return reply })
  const others = await Promise.all(free.map((id) => request('PUT', `/fhir/Patient/${id}`, { as: system, body: named(`free ${id}`, id) })))
  expect(others.map(({ status }) => status)).toEqual(others.map(() => 200))
  expect(answered).toBe(false)
  release()
  await holder
  expect((await waiting).status).toBe(200)
})

test('when connections are cut in the middle, what is acknowledged is stored, and nothing by half', async () => {
  const ids = await newPatients(6)
  const sent: { step: Step; text: string; reply: TestReply }[] = []
  let storming = true
  const cutting = (async () => {
    for (let cut = 0; cut < 8 && storming; cut++) {
      await sleep(30)
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'
        order by random() limit 1`.execute(db).catch(() => {})
    }
  })()
  const writer = async (n: number) => {
    for (let turn = 0; turn < 12; turn++) {
      const step: Step = { kind: turn % 4 === 0 ? 'create' : 'update', target: (n + turn) % ids.length, match: 'none', who: 'system', broken: false }
      const text = `t${counter++}`
      sent.push({ step, text, reply: await send(step, ids, text) })
    }
  }
  await Promise.all(Array.from({ length: 16 }, (_, n) => writer(n)))
  storming = false
  await cutting
  // Of a commit whose answer is lost nobody knows: it may stand or not, but whole.
  expect(sent.every(({ reply }) => [200, 201, 503].includes(reply.status))).toBe(true)
  expect(sent.filter(({ reply }) => reply.status < 300).length).toBeGreaterThan(sent.length / 2)
  await expectSound(ids, sent)
})
