/** Bulk Data $export through the whole app and the worker's sweep: what is in it, who may have it, and what becomes of it when things go wrong. */
import { sql } from 'kysely'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeCtx } from '../../src/ctx.ts'
import { runExports } from '../../src/records/export/run-exports.ts'
import { citizen, system, testPlatform, type TestReply } from '../support/platform.ts'

const { request, db, services, clock, app, token } = await testPlatform()

const asynchronously = { Prefer: 'respond-async' }
const other = { ...system, id: 'other', name: 'Another system' }
const patientsOnly = { ...system, id: 'narrow', name: 'Reads patients', scopes: ['system/Patient.rs'] }
type Row = { resourceType: string; id: string; meta: { versionId: string }; [element: string]: unknown }
interface Manifest { transactionTime: string; output: Item[]; deleted: Item[]; error: Item[] }
interface Item { type: string; url: string; count: number }

beforeEach(() => { later(1) })
function later(seconds: number): void {
  clock.now = new Date(clock.now.getTime() + seconds * 1000)
}

const sweep = (options = {}) => runExports(db, makeCtx(system, { now: clock.now }), services.store, { settleMilliseconds: 0, ...options })
const kickOff = (path: string, as = system, options: object = {}) => request('GET', `/fhir/${path}`, { as, headers: asynchronously, ...options })
const pathOf = (url: string) => url.replace('http://127.0.0.1:8080', '')
const statusPath = (reply: TestReply) => pathOf(reply.headers.get('Content-Location') ?? '')
const put = (resource: object) => request('PUT', `/fhir/${(resource as Row).resourceType}/${(resource as Row).id}`, { as: system, body: resource })
const pulse = (id: string, patient: string, value = 70) => ({
  resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] }, subject: { reference: `Patient/${patient}` }, valueQuantity: { value },
})

async function finished(reply: TestReply, as = system): Promise<Manifest> {
  expect([reply.status, reply.json?.issue?.[0]?.diagnostics]).toEqual([202, expect.stringContaining('accepted')])
  while (await sweep() > 0);
  const status = await request('GET', statusPath(reply), { as })
  expect([status.status, status.json.issue]).toEqual([200, undefined])
  return status.json
}

async function lines(items: readonly Item[], as = system): Promise<Row[]> {
  const found: Row[] = []
  for (const item of items) {
    const file = await request('GET', pathOf(item.url), { as, headers: { Accept: 'application/fhir+ndjson' } })
    expect([file.status, file.headers.get('Content-Type')]).toEqual([200, 'application/fhir+ndjson'])
    const rows = file.text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Row)
    expect(rows).toHaveLength(item.count)
    found.push(...rows)
  }
  return found
}

async function exported(path: string, as = system, options: object = {}): Promise<string[]> {
  return names(await lines((await finished(await kickOff(path, as, options), as)).output, as))
}

const names = (rows: readonly Row[]) => rows.map((each) => `${each.resourceType}/${each.id}`).sort()

beforeAll(async () => {
  for (const resource of [
    { resourceType: 'Organization', id: 'h', name: '浦江医院' }, { resourceType: 'Patient', id: 'p', name: [{ text: '王芳' }], gender: 'female' }, { resourceType: 'Patient', id: 'q' },
    pulse('p1', 'p'), pulse('p2', 'p', 80), pulse('q1', 'q'),
    { resourceType: 'Group', id: 'g', type: 'person', actual: true, member: [{ entity: { reference: 'Patient/p' } }, { entity: { reference: 'Patient/q' }, inactive: true }] },
    { resourceType: 'Appointment', id: 'unused', status: 'proposed', participant: [{ status: 'accepted', actor: { reference: 'Organization/h' } }] },
  ]) await put(resource)
})

describe('what is exported', () => {
  test('everything, with a manifest, files of NDJSON and one audit row for each patient', async () => {
    const accepted = await kickOff('$export?_outputFormat=application/fhir%2Bndjson')
    const waiting = await request('GET', statusPath(accepted), { as: system })
    expect([waiting.status, waiting.headers.get('X-Progress'), waiting.headers.get('Retry-After')]).toEqual([202, 'accepted', '2'])
    const manifest = await finished(accepted)
    expect(manifest).toMatchObject({
      transactionTime: clock.now.toISOString(), request: 'http://127.0.0.1:8080/fhir/$export?_outputFormat=application%2Ffhir%2Bndjson', requiresAccessToken: true, deleted: [], error: [],
    })
    const status = await request('GET', statusPath(accepted), { as: system })
    expect(status.headers.get('Content-Type')).toBe('application/json')
    expect(new Date(status.headers.get('Expires') ?? '').getTime()).toBeGreaterThan(clock.now.getTime())
    expect(manifest.output.map((each) => [each.type, each.count])).toEqual([['Group', 1], ['Observation', 3], ['Organization', 1], ['Patient', 2]])
    const rows = await lines(manifest.output)
    for (const row of rows) expect(row).toEqual((await request('GET', `/fhir/${row.resourceType}/${row.id}`, { as: system })).json)
    const audited = await sql<{ many: number; patients: number }>`select count(*)::int as many, count(distinct pid)::int as patients from audit_event
      where interaction = '$export' and pid is not null and principal_id = 'test'`.execute(db)
    expect(audited.rows).toEqual([{ many: 2, patients: 2 }])
  })

  test.each<[string, string[]]>([
    ['Patient/$export', ['Group/g', 'Observation/p1', 'Observation/p2', 'Observation/q1', 'Patient/p', 'Patient/q']],
    ['Patient/$export?_type=Patient', ['Patient/p', 'Patient/q']],
    ['Group/g/$export', ['Group/g', 'Observation/p1', 'Observation/p2', 'Patient/p']],
    ['$export?_type=Organization,Patient', ['Organization/h', 'Patient/p', 'Patient/q']],
    ['$export?_type=Observation&_typeFilter=Observation%3Fvalue-quantity%3Dgt75', ['Observation/p2']],
    ['$export?_type=Observation,Patient&_typeFilter=Observation%3Fpatient%3Dq,Observation%3Fvalue-quantity%3Dgt75&_typeFilter=Patient%3Fgender%3Dfemale', ['Observation/p2', 'Observation/q1', 'Patient/p']],
    ['Group/g/$export?_typeFilter=Observation%3Fvalue-quantity%3Dgt75', ['Group/g', 'Observation/p2', 'Patient/p']],
  ])('%s', async (path, expected) => {
    expect(await exported(path)).toEqual(expected)
  })

  test('by POST: named patients, and elements', async () => {
    const posted = (path: string, parameter: object[]) => request('POST', `/fhir/${path}`, { as: system, headers: asynchronously, body: { resourceType: 'Parameters', parameter } })
    const named = await finished(await posted('Patient/$export', [{ name: 'patient', valueReference: { reference: 'Patient/q' } }, { name: '_type', valueString: 'Patient' }, { name: '_type', valueString: 'Observation' }]))
    expect(names(await lines(named.output))).toEqual(['Observation/q1', 'Patient/q'])
    const reduced = await finished(await posted('$export', [{ name: '_type', valueString: 'Patient' }, { name: '_elements', valueString: 'Patient.gender' }]))
    expect((await lines(reduced.output)).find((each) => each.id === 'p')).toEqual({
      resourceType: 'Patient', id: 'p', gender: 'female', meta: expect.objectContaining({ tag: [expect.objectContaining({ code: 'SUBSETTED' })] }),
    })
    expect((await posted('Group/g/$export', [{ name: 'patient', valueReference: { reference: 'Patient/q' } }])).status).toBe(400)
  })

  test('what changed and what was deleted since, and nothing that came after the kick-off', async () => {
    await put(pulse('going', 'p'))
    await put(pulse('back', 'p'))
    const first = await finished(await kickOff('$export'))
    const since = `_since=${first.transactionTime}`
    later(60)
    await request('DELETE', '/fhir/Observation/going', { as: system })
    await request('DELETE', '/fhir/Observation/back', { as: system })
    await put(pulse('p1', 'p', 71))
    later(1)
    await put(pulse('back', 'p', 60))
    later(60)
    const second = await kickOff(`Patient/$export?${since}`)
    later(60)
    // After the kick-off: a change, a deletion, a new one, and one that comes back.
    await put(pulse('p1', 'p', 72))
    await request('DELETE', '/fhir/Observation/back', { as: system })
    await put(pulse('late', 'p'))
    await put(pulse('going', 'p'))
    const manifest = await finished(second)
    const rows = await lines(manifest.output)
    expect(names(rows)).toEqual(['Observation/back', 'Observation/p1'])
    expect(rows.find((each) => each.id === 'p1')).toMatchObject({ meta: { versionId: '2' }, valueQuantity: { value: 71 } })
    expect(await lines(manifest.deleted)).toEqual([{ resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'DELETE', url: 'Observation/going' } }] }])
    expect((await request('POST', '/fhir', { as: system, body: (await lines(manifest.deleted))[0] })).json.entry[0].response.status).toMatch(/^204/)
    expect(await exported(`Patient/$export?_since=${clock.now.toISOString()}&_type=Condition`)).toEqual([])
    await request('DELETE', '/fhir/Observation/late', { as: system })
  })

  test('a group is what it is at the kick-off; who came in since comes with everything', async () => {
    await put({ resourceType: 'Patient', id: 'new' })
    await put(pulse('new1', 'new'))
    const { transactionTime } = await finished(await kickOff('Group/g/$export'))
    later(60)
    const member = [{ entity: { reference: 'Patient/p' } }, { entity: { reference: 'http://127.0.0.1:8080/fhir/Patient/new' } }, { entity: { reference: 'Patient/q' }, period: { end: '2020-01-01' } }]
    await put({ resourceType: 'Group', id: 'g', type: 'person', actual: true, member })
    const accepted = await kickOff(`Group/g/$export?_since=${transactionTime}&_type=Patient,Observation`)
    await put({ resourceType: 'Group', id: 'g', type: 'person', actual: true })
    expect(names(await lines((await finished(accepted)).output))).toEqual(['Observation/new1', 'Patient/new'])
    expect(await exported('Group/g/$export')).toEqual([])
  })

  test('what concerns several patients of a group comes once', async () => {
    const many = Array.from({ length: 120 }, (_, index) => ({ resource: { resourceType: 'Patient', id: `m${index}` }, request: { method: 'PUT', url: `Patient/m${index}` } }))
    const shared = { resource: { resourceType: 'List', id: 'shared', status: 'current', mode: 'working', subject: { reference: 'Patient/m0' }, source: { reference: 'Patient/m119' } }, request: { method: 'PUT', url: 'List/shared' } }
    const account = { resource: { resourceType: 'Account', id: 'family', status: 'active', subject: [{ reference: 'Patient/m3' }, { reference: 'Patient/m118' }] }, request: { method: 'PUT', url: 'Account/family' } }
    const group = { resource: { resourceType: 'Group', id: 'big', type: 'person', actual: true, member: many.map((each) => ({ entity: { reference: `Patient/${each.resource.id}` } })) }, request: { method: 'PUT', url: 'Group/big' } }
    expect((await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [...many, shared, account, group] } })).status).toBe(200)
    const rows = await exported('Group/big/$export')
    expect(rows).toHaveLength(123)
    expect(new Set(rows).size).toBe(123)
    expect(rows).toContain('Account/family')
  })
})

describe('what the records refer to in the directories', () => {
  beforeAll(async () => {
    for (const resource of [
      { resourceType: 'Organization', id: 'top', name: '卫健委' }, { resourceType: 'Organization', id: 'ward', name: '病区', partOf: { reference: 'Organization/top' } }, { resourceType: 'Organization', id: 'unrelated', name: '别处' },
      { resourceType: 'Practitioner', id: 'gp', name: [{ text: '李医生' }] }, { resourceType: 'Practitioner', id: 'stranger' }, { resourceType: 'PractitionerRole', id: 'role', practitioner: { reference: 'Practitioner/gp' }, organization: { reference: 'Organization/ward' } },
      { resourceType: 'Patient', id: 'cared', generalPractitioner: [{ reference: 'PractitionerRole/role' }, { reference: 'Practitioner/absent' }] }, { ...pulse('cared1', 'cared'), performer: [{ reference: 'Practitioner/gp' }] },
      { resourceType: 'Group', id: 'cared', type: 'person', actual: true, member: [{ entity: { reference: 'Patient/cared' } }] },
    ]) await put(resource)
  })
  const whole = ['Group/cared', 'Observation/cared1', 'Organization/top', 'Organization/ward', 'Patient/cared', 'Practitioner/gp', 'PractitionerRole/role']

  test.each<[string, string[]]>([
    ['Group/cared/$export', whole],
    ['Group/cared/$export?_type=Patient,Practitioner', ['Patient/cared']],
    ['Group/cared/$export?_type=Observation,Practitioner', ['Observation/cared1', 'Practitioner/gp']],
    ['Group/cared/$export?_type=Patient,Organization,PractitionerRole&_typeFilter=Organization%3Fname%3D病区', ['Organization/ward', 'Patient/cared', 'PractitionerRole/role']],
    ['Group/cared/$export?_since=2099-01-01T00:00:00Z', []],
  ])('%s brings them, each once, and what they refer to in turn', async (path, expected) => {
    expect(await exported(path)).toEqual(expected)
  })

  test('of all patients, and within the scopes of who asks', async () => {
    const rows = await exported('Patient/$export')
    expect(rows.filter((each) => /^(Organization|Practitioner|PractitionerRole)\//.test(each))).toEqual(whole.filter((each) => /^(Organization|Practitioner)/.test(each)))
    expect(new Set(rows).size).toBe(rows.length)
    expect(await exported('Group/cared/$export', { ...system, id: 'few', scopes: ['system/Patient.rs', 'system/Group.rs', 'system/PractitionerRole.rs'] })).toEqual(['Group/cared', 'Patient/cared', 'PractitionerRole/role'])
  })

  test('as they were at the kick-off', async () => {
    const accepted = await kickOff('Group/cared/$export?_type=Observation,Practitioner')
    later(1)
    await put({ resourceType: 'Practitioner', id: 'gp', name: [{ text: '改名' }] })
    const rows = await lines((await finished(accepted)).output)
    expect(rows.find((each) => each.resourceType === 'Practitioner')).toMatchObject({ name: [{ text: '李医生' }], meta: { versionId: '1' } })
  })
})

describe('who may', () => {
  test('systems only, with a scope for what they name, and their own exports only', async () => {
    expect((await request('GET', '/fhir/$export', { headers: asynchronously })).status).toBe(401)
    expect((await request('GET', '/fhir/Patient/$export', { as: citizen('p'), headers: asynchronously })).status).toBe(403)
    expect((await kickOff('$export?_type=Observation', patientsOnly)).status).toBe(403)
    expect(await exported('$export?_type=Patient', patientsOnly)).toEqual(expect.arrayContaining(['Patient/p']))
    const manifest = await finished(await kickOff('Patient/$export', patientsOnly), patientsOnly)
    expect(manifest.output.map((each) => each.type)).toEqual(['Patient'])

    const own = await kickOff('$export')
    const { output: [file] } = await finished(own)
    for (const path of [statusPath(own), pathOf(file?.url ?? '')]) {
      expect((await request('GET', path, { as: other })).status).toBe(404)
      expect((await request('GET', path)).status).toBe(401)
    }
    expect((await request('DELETE', statusPath(own), { as: other })).status).toBe(404)
    expect((await request('GET', pathOf(file?.url ?? ''), { as: { ...patientsOnly, id: 'test' } })).status).toBe(403)
    expect((await kickOff('Group/nothing/$export')).status).toBe(404)
  })
})

test('a scope that names a code leaves only that', async () => {
  const pulses = { ...system, id: 'pulses', scopes: ['system/Observation.rs?code=http://loinc.org|8867-4'] }
  await put({ ...pulse('bp', 'p'), code: { coding: [{ system: 'http://loinc.org', code: '85354-9' }] } })
  await put(pulse('gone', 'p'))
  later(1)
  const since = clock.now.toISOString()
  later(1)
  expect(await exported('$export', pulses)).toEqual(expect.not.arrayContaining(['Observation/bp']))
  await request('DELETE', '/fhir/Observation/gone', { as: system })
  await put(pulse('p2', 'p', 81))
  later(1)
  expect(await exported(`Patient/$export?_since=${since}`, pulses)).toEqual(['Observation/p2'])
})

describe('what is refused', () => {
  test.each<[string, string]>([
    ['$export?_outputFormat=csv', 'parameter-invalid'], ['$export?_type=Patient,Pateint', 'parameter-invalid'], ['$export?_type=Slot', 'parameter-invalid'], ['Patient/$export?_type=ValueSet', 'parameter-invalid'],
    ['$export?_since=yesterday', 'parameter-invalid'], ['$export?_typeFilter=Patient%3Fnmae%3Dx', 'parameter-unknown'], ['$export?_typeFilter=Patient', 'parameter-invalid'], ['$export?_typeFilter=Patient%3F_count%3D5', 'parameter-invalid'],
    ['$export?_type=Patient&_typeFilter=Observation%3Fstatus%3Dfinal', 'parameter-invalid'], ['$export?_elements=Patient.nmae', 'parameter-invalid'], ['$export?_tpye=Patient', 'parameter-unknown'],
    ['$export?includeAssociatedData=LatestProvenanceResources', 'parameter-invalid'], ['Patient/$export?patient=Patient/p', 'parameter-invalid'],
  ])('%s', async (path, code) => {
    const reply = await kickOff(path)
    expect([reply.status, reply.json.issue[0].details.coding[0].code]).toEqual([400, code])
  })

  test('lenient handling forgives what does not narrow, and says so in the manifest', async () => {
    const lenient = { headers: { Prefer: 'respond-async, handling=lenient' } }
    const manifest = await finished(await kickOff('$export?_type=Organization&includeAssociatedData=LatestProvenanceResources&organizeOutputBy=Patient', system, lenient))
    expect((await lines(manifest.error)).map((each) => (each.issue as { severity: string }[])[0]?.severity)).toEqual(['warning', 'warning'])
    expect((await kickOff('$export?_type=Pateint', system, lenient)).status).toBe(400)
  })

  test('without Prefer: respond-async, in a batch, and more than five at once', async () => {
    expect((await request('GET', '/fhir/$export', { as: system })).status).toBe(400)
    const batch = await request('POST', '/fhir', { as: system, headers: asynchronously, body: { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: '$export' } }] } })
    expect(batch.json.entry[0].response.status).toMatch(/^400/)
    const all = []
    for (let number = 0; number < 6; number++) all.push(await kickOff('$export?_type=Organization', other))
    expect(all.map((each) => each.status)).toEqual([202, 202, 202, 202, 202, 429])
    for (const each of all.slice(0, 5)) expect((await request('DELETE', statusPath(each), { as: other })).status).toBe(202)
  })
})

describe('what becomes of it', () => {
  test('cancelled: nothing is left, and the worker goes on', async () => {
    const accepted = await kickOff('$export')
    await sweep({ stepsMax: 3 })
    const status = await request('GET', statusPath(accepted), { as: system })
    expect(status.status).toBe(202)
    expect(status.headers.get('X-Progress')).toMatch(/^\d+ resources written, type \d+ of \d+$/)
    expect((await request('DELETE', statusPath(accepted), { as: system })).status).toBe(202)
    await sweep()
    expect((await request('GET', statusPath(accepted), { as: system })).status).toBe(404)
    expect((await sql`select from bulk_export_chunk c where not exists (select from bulk_export e where e.id = c.export_id)`.execute(db)).rows).toEqual([])
  })

  test('expired: it is not there any more, and its files are gone', async () => {
    const accepted = await kickOff('$export?_type=Organization')
    const { output: [file] } = await finished(accepted)
    later(24 * 3600 + 60)
    expect((await request('GET', statusPath(accepted), { as: system })).status).toBe(404)
    expect((await request('GET', pathOf(file?.url ?? ''), { as: system })).status).toBe(404)
    await sweep()
    expect((await sql`select from bulk_export`.execute(db)).rows).toEqual([])
  })

  test('a sweep that dies half-way goes on where it was; a fault that stays ends as failed', async () => {
    const accepted = await kickOff('$export?_type=Patient,Observation')
    await sweep({ stepsMax: 1 })
    await sql`alter table bulk_export_chunk rename to away`.execute(db)
    await expect(sweep()).rejects.toThrow('bulk_export_chunk')
    await sql`alter table away rename to bulk_export_chunk`.execute(db)
    const rows = await lines((await finished(accepted)).output)
    expect(new Set(names(rows)).size).toBe(rows.length)
    expect(names(rows)).toEqual(await exported('$export?_type=Patient,Observation'))

    const failing = await kickOff('$export?_type=Patient')
    await sql`alter table bulk_export_patient rename to away`.execute(db)
    for (let attempt = 0; attempt < 5; attempt++) await sweep().catch(() => {})
    await sql`alter table away rename to bulk_export_patient`.execute(db)
    const status = await request('GET', statusPath(failing), { as: system })
    expect([status.status, status.json.issue[0].details.coding[0].code]).toEqual([500, 'internal'])
    await request('DELETE', statusPath(failing), { as: system })
  })

  test('it waits for a write that began before the kick-off', async () => {
    let end = (): void => {}
    const held = new Promise<void>((done) => { end = done })
    const writing = db.transaction().execute(async (trx) => {
      await sql`select 1`.execute(trx)
      await held
    })
    await sql`select 1`.execute(db)
    const accepted = await kickOff('$export?_type=Organization')
    expect(await sweep()).toBe(0)
    end()
    await writing
    expect((await finished(accepted)).output).toHaveLength(1)
  })

  test('many rows: steps stay small, and a reader that goes away is no fault', async () => {
    const entry = Array.from({ length: 4500 }, (_, index) => ({ resource: { resourceType: 'Basic', id: `b${index}`, code: { text: 'x'.repeat(2000) } }, request: { method: 'PUT', url: `Basic/b${index}` } }))
    expect((await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry } })).status).toBe(200)
    later(1)
    const { output: [file] } = await finished(await kickOff('$export?_type=Basic'))
    expect(file?.count).toBe(4500)
    const largest = await sql<{ chunks: number; most: number }>`select count(*)::int as chunks, max(resources)::int as most from bulk_export_chunk where type = 'Basic'`.execute(db)
    expect(largest.rows[0]?.most).toBeLessThanOrEqual(2001)
    const reading = new AbortController()
    const response = await app.request(pathOf(file?.url ?? ''), { headers: { Authorization: `Bearer ${await token(system)}` }, signal: reading.signal })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    expect((await reader.read()).value?.byteLength).toBeGreaterThan(1_000_000)
    await reader.cancel()
    expect(await lines([file as Item])).toHaveLength(4500)
  })
})
