/**
 * The audit trail: it cannot be changed, tampering shows, refusals are in it by patient, it is read as AuditEvent by whom it concerns, what it
 * says equals what the answers held, and an answered read is never without its row, whenever the process is killed.
 */
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Resource } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { brokenDay, sealDays } from '../../src/audit/seal-days.ts'
import { makeCtx } from '../../src/ctx.ts'
import { keyOf } from '../../src/fhir/id.ts'
import { citizen, clinician, system, testPlatform } from '../support/platform.ts'
import { put, testHospital, testId, testVisit } from '../support/visit.ts'

const platform = await testPlatform()
const { request, db, clock, url } = platform
const hospital = await testHospital(platform)
const other = await testHospital(platform)
const doctor = clinician(hospital.practitioner, hospital.organization, '王医生', '测试医院')
const auditor: Principal = { ...anonymous, kind: 'person', id: 'auditor', name: '曹瑛', role: 'admin-audit' }
const visits = [await testVisit(platform, hospital, null), await testVisit(platform, hospital, null), await testVisit(platform, other, null)] as const
const [first, second, foreign] = visits

const observations = visits.flatMap((visit) => Array.from({ length: 3 }, (_, n): Resource & { id: string } => ({
  resourceType: 'Observation', id: testId(), status: 'final', code: { coding: [{ system: 'http://loinc.org', code: '2339-0' }] }, subject: { reference: `Patient/${visit.patient}` },
  encounter: { reference: `Encounter/${visit.encounter}` }, effectiveDateTime: '2026-11-20', valueQuantity: { value: 5 + n, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' },
})))
await put(platform, ...observations)

test('nobody changes or takes away a row, in whichever partition it lies', async () => {
  await request('GET', `/fhir/Patient/${first.patient}`, { as: system })
  const { rows: parts } = await sql<{ name: string }>`select distinct tableoid::regclass::text as name from audit_event`.execute(db)
  expect(parts.length).toBeGreaterThan(0)
  for (const name of ['audit_event', ...parts.map((part) => part.name), 'audit_day']) {
    for (const statement of [`delete from ${name}`, name === 'audit_day' ? 'update audit_day set rows = 0' : `update ${name} set principal_name = 'x'`]) {
      await expect(sql.raw(statement).execute(db)).rejects.toThrow('append-only')
    }
  }
})

test('a day that is over is sealed, and whoever tampers with it past the rules breaks the chain', async () => {
  const started = clock.now
  await request('GET', `/fhir/Patient/${first.patient}`, { as: doctor })
  clock.now = new Date(started.getTime() + 24 * 3_600_000)
  await request('GET', `/fhir/Patient/${first.patient}`, { as: doctor })
  clock.now = new Date(started.getTime() + 48 * 3_600_000)
  const ctx = makeCtx(system, { now: clock.now })
  expect(await sealDays(db, ctx)).toBe(2)
  expect(await sealDays(db, ctx)).toBe(0)
  expect(await brokenDay(db)).toBeNull()
  const { rows: [part] } = await sql<{ name: string }>`select tableoid::regclass::text as name from audit_event where recorded_at = ${started} limit 1`.execute(db)
  await sql.raw(`alter table ${part?.name} disable rule audit_event_no_update`).execute(db)
  await sql`update ${sql.table(part?.name ?? '')} set principal_name = '别人' where recorded_at = ${started} and principal_name = '王医生'`.execute(db)
  expect(await brokenDay(db)).toBe('2026-11-23')
  await sql`update ${sql.table(part?.name ?? '')} set principal_name = '王医生' where recorded_at = ${started} and principal_name = '别人'`.execute(db)
  await sql.raw(`alter table ${part?.name} enable rule audit_event_no_update`).execute(db)
  expect(await brokenDay(db)).toBeNull()
  const review = await request('GET', '/api/audit/review', { as: auditor })
  expect(review.json).toMatchObject({ sealedUntil: '2026-11-24', brokenDay: null })
  expect((await request('GET', '/api/audit/review', { as: doctor })).status).toBe(403)
})

test('a refusal is in the log of the patient whose record stayed closed, and the citizen reads it', async () => {
  const hidden = observations[6] as Resource & { id: string }
  expect((await request('GET', `/fhir/Observation/${hidden.id}`, { as: doctor })).status).toBe(404)
  expect((await request('POST', '/fhir/Condition', { as: doctor, body: { resourceType: 'Condition', subject: { reference: `Patient/${foreign.patient}` }, code: { text: 'x' } } })).status).toBe(403)
  const log = await request('GET', `/fhir/AuditEvent?patient=${foreign.patient}&outcome=4`, { as: citizen(foreign.patient) })
  expect(log.json.entry.map((each: { resource: { agent: { name: string }[]; entity: { what: { reference?: string } }[] } }) => [each.resource.agent[0]?.name, each.resource.entity[1]?.what.reference])).toEqual(
    expect.arrayContaining([['王医生', `Observation/${hidden.id}`]]))
  expect(log.json.entry).toHaveLength(2)
})

test('AuditEvent is read and found by whom it concerns, by every parameter, page by page; by others not at all', async () => {
  for (let n = 0; n < 5; n++) await request('GET', `/fhir/Observation?patient=${second.patient}`, { as: doctor })
  const find = async (query: string, as: Principal = auditor) => request('GET', `/fhir/AuditEvent?${query}`, { as })
  const own = await find(`patient=${second.patient}&agent-name=王`, citizen(second.patient))
  const event = own.json.entry[0].resource
  expect(event).toMatchObject({
    action: 'R', outcome: '0', purposeOfEvent: [{ coding: [{ code: 'TREAT' }] }],
    agent: [{ requestor: true, name: '王医生', who: { reference: `Practitioner/${hospital.practitioner}` }, location: { display: '测试医院' }, policy: ['https://pujiang.health/fhir/access-rule/encounter'] }, { requestor: false }],
    entity: [{ what: { reference: `Patient/${second.patient}` }, role: { code: '1' } }, { role: { code: '24' }, description: 'Observation: 3' }, { type: { code: 'XrequestId' } }],
  })
  expect((await request('GET', `/fhir/AuditEvent/${event.id}`, { as: citizen(second.patient) })).json).toEqual(event)
  for (const as of [doctor, citizen(first.patient), { ...auditor, role: 'admin-security' as const }, { ...auditor, role: 'admin-system' as const }, { ...auditor, role: 'scheduler' as const }]) {
    expect((await find(`patient=${second.patient}`, as)).json.entry).toBeUndefined()
    expect((await request('GET', `/fhir/AuditEvent/${event.id}`, { as })).status).toBe(404)
  }
  const day = clock.now.toISOString().slice(0, 10)
  for (const query of [`date=${day}`, 'date=ge2026-11-01', `agent=Practitioner/${hospital.practitioner}`, 'agent-role=clinician', `altid=${doctor.id}`, 'action=R', 'entity-type=Observation', 'subtype=search-type', 'outcome=0', 'policy=encounter', `_id=${event.id}`, `entity=Patient/${first.patient}`]) {
    expect([query, (await find(query)).json.entry?.length > 0]).toEqual([query, true])
  }
  for (const query of ['date=lt2026-11-01', 'agent=Practitioner/nobody', 'agent-role=gp', 'action=D', 'subtype=nothing', 'policy=nothing']) expect([query, (await find(query)).json.entry]).toEqual([query, undefined])
  expect((await find('nonsense=1')).status).toBe(400)
  const seen: string[] = []
  let next: string | undefined = `/fhir/AuditEvent?patient=${second.patient}&_count=2`
  while (next) {
    const page = await request('GET', next, { as: auditor })
    seen.push(...page.json.entry.map((each: { resource: { id: string } }) => each.resource.id))
    next = page.json.link.find((each: { relation: string }) => each.relation === 'next')?.url.replace(/^https?:\/\/[^/]+/, '')
  }
  const { rows: [count] } = await sql<{ n: number }>`select count(*)::int as n from audit_event where pid = ${keyOf(second.patient)}::uuid`.execute(db)
  expect(new Set(seen).size).toBe(count?.n)
})

test('what the log says equals what the answers held: each patient of an answer once, and no other', async () => {
  const patientOf = new Map<string, string>()
  for (const [index, visit] of visits.entries()) {
    patientOf.set(`Patient/${visit.patient}`, visit.patient).set(`Encounter/${visit.encounter}`, visit.patient)
    for (const each of observations.slice(index * 3, index * 3 + 3)) patientOf.set(`Observation/${each.id}`, visit.patient)
  }
  const callers = [doctor, clinician(other.practitioner, other.organization, '李医生'), citizen(first.patient), citizen(foreign.patient), system]
  const some = observations.map((each) => `/fhir/Observation/${each.id}`)
  const asked = [
    ...some, ...some.map((each) => `${each}/_history`), ...some.map((each) => `${each}/_history/1`), ...visits.map((each) => `/fhir/Patient/${each.patient}`),
    '/fhir/Observation?code=2339-0', '/fhir/Observation?_include=Observation:subject', '/fhir/Patient?_has:Observation:patient:code=2339-0', '/fhir/Patient?_revinclude=Observation:subject',
    '/fhir/Observation?subject:Patient.gender=male', '/fhir/Encounter?_include=Encounter:subject&_count=1', '/fhir/Observation?_summary=count', '/fhir/?_type=Observation,Encounter', '/fhir/Observation/_history',
    ...visits.flatMap((each) => [`/fhir/Patient/${each.patient}/$everything`, `/fhir/Observation/$lastn?patient=${each.patient}`, `/fhir/Patient/${each.patient}/Observation`, `/fhir/Observation?patient=${each.patient}`]),
  ]
  const expected: string[] = []
  const requests: string[] = []
  // A fixed walk through callers and addresses, so that a failure repeats.
  for (let n = 0; n < 150; n++) {
    const reply = await request('GET', asked[(n * 37) % asked.length] as string, { as: callers[(n * 11 + Math.floor(n / 7)) % callers.length] as Principal })
    const id = reply.headers.get('X-Request-Id') as string
    requests.push(id)
    if (reply.status !== 200) continue
    const resources: Resource[] = reply.json.resourceType === 'Bundle' ? (reply.json.entry ?? []).flatMap((each: { resource?: Resource }) => each.resource ?? []) : [reply.json]
    const patients = new Set(resources.flatMap((each) => patientOf.get(`${each.resourceType}/${each.id}`) ?? []))
    expected.push(...[...patients].map((patient) => `${id} ${keyOf(patient)}`))
  }
  const { rows } = await sql<{ request_id: string; pid: string }>`select request_id, pid from audit_event where request_id = any(${requests}) and outcome < 400 and pid is not null`.execute(db)
  expect(rows.map((row) => `${row.request_id} ${row.pid}`).sort()).toEqual(expected.sort())
  expect(expected.length).toBeGreaterThan(60)
}, 60_000)

test('an answered read has its row, also when the process is killed in the middle of a rush', async () => {
  const port = await freePort()
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/main.ts')], {
    stdio: 'ignore', env: { PATH: process.env.PATH, HOME: process.env.HOME, DATABASE_URL: url, PORT: String(port), LOG_LEVEL: 'silent', PUBLIC_URL: 'http://127.0.0.1:8080', POOL_CONNECTIONS_MAX: '4' },
  })
  const ended = new Promise((done) => child.once('exit', done))
  try {
    const base = `http://127.0.0.1:${port}`
    for (let tries = 0; tries < 200 && !(await fetch(`${base}/health/live`).then((answer) => answer.ok, () => false)); tries++) await sleep(100)
    // The process has the clock of the machine.
    const test = clock.now
    clock.now = new Date()
    const token = await platform.token(system)
    clock.now = test
    const answered: string[] = []
    let refused = 0
    const reader = async (n: number): Promise<void> => {
      for (let turn = 0; ; turn++) {
        const answer = await fetch(`${base}/fhir/Observation/${observations[(n + turn) % observations.length]?.id}`, { headers: { Authorization: `Bearer ${token}` } })
        const text = await answer.text()
        if (answer.status === 200 && text.endsWith('}')) answered.push(answer.headers.get('X-Request-Id') as string)
        else refused++
      }
    }
    const rush = Promise.all(Array.from({ length: 16 }, (_, n) => reader(n).catch(() => {})))
    while (answered.length < 300 && refused === 0) await sleep(5)
    child.kill('SIGKILL')
    await rush
    const { rows } = await sql<{ request_id: string }>`select request_id from audit_event where request_id = any(${answered})`.execute(db)
    const logged = new Set(rows.map((row) => row.request_id))
    expect([refused, answered.filter((id) => !logged.has(id))]).toEqual([0, []])
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}, 60_000)

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
