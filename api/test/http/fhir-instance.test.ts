/** The instance interactions of /fhir through the whole app: create, read, vread, update, delete, history, validators, preferences. */
import { describe, expect, test } from 'vitest'
import { citizen, system, testPlatform } from '../support/platform.ts'

const { request, clock, db } = await testPlatform()

const patient = { resourceType: 'Patient', name: [{ text: '张三', family: '张', given: ['三'] }], gender: 'male', birthDate: '1980-05-01' }

async function createPatient(extra: object = {}): Promise<{ id: string; location: string }> {
  const reply = await request('POST', '/fhir/Patient', { as: system, body: { ...patient, ...extra } })
  expect(reply.status).toBe(201)
  return { id: reply.json.id as string, location: reply.headers.get('Location') ?? '' }
}

describe('create and read', () => {
  test('a created resource comes back with id, version and instant, and is read at its Location', async () => {
    const reply = await request('POST', '/fhir/Patient', { as: system, body: patient })
    expect(reply.status).toBe(201)
    expect(reply.headers.get('Content-Type')).toBe('application/fhir+json; charset=utf-8')
    expect(reply.headers.get('ETag')).toBe('W/"1"')
    expect(reply.headers.get('Location')).toBe(`http://127.0.0.1:8080/fhir/Patient/${reply.json.id}/_history/1`)
    expect(reply.json).toEqual({ ...patient, id: reply.json.id, meta: { versionId: '1', lastUpdated: clock.now.toISOString() } })
    const read = await request('GET', `/fhir/Patient/${reply.json.id}`, { as: system })
    expect(read.status).toBe(200)
    expect(read.json).toEqual(reply.json)
    expect(read.headers.get('Last-Modified')).toBe(clock.now.toUTCString())
  })

  test('decimals keep the digits the client wrote', async () => {
    const body = '{"resourceType":"Observation","status":"final","code":{"text":"血糖"},"valueQuantity":{"value":5.40,"unit":"mmol/L"}}'
    const reply = await request('POST', '/fhir/Observation', { as: system, body })
    expect(reply.status).toBe(201)
    expect((await request('GET', `/fhir/Observation/${reply.json.id}`, { as: system })).text).toContain('"value":5.40,')
  })

  test('the id that a client sends with a create is not taken', async () => {
    expect((await createPatient({ id: 'mine' })).id).not.toBe('mine')
    expect((await request('GET', '/fhir/Patient/mine', { as: system })).status).toBe(404)
  })

  test('a conditional create finds what is there, makes what is not, and refuses to choose', async () => {
    const identified = { ...patient, identifier: [{ system: 'urn:test', value: 'cond-1' }] }
    const options = { as: system, body: identified, headers: { 'If-None-Exist': 'identifier=urn:test|cond-1' } }
    const first = await request('POST', '/fhir/Patient', options)
    const second = await request('POST', '/fhir/Patient', options)
    expect([first.status, second.status]).toEqual([201, 200])
    expect(second.json.id).toBe(first.json.id)
    await request('POST', '/fhir/Patient', { as: system, body: identified })
    const third = await request('POST', '/fhir/Patient', options)
    expect(third.status).toBe(412)
    expect(third.json.issue[0].details.coding[0].code).toBe('conditional-ambiguous')
  })

  test('HEAD answers like GET without a body', async () => {
    const { id } = await createPatient()
    const reply = await request('HEAD', `/fhir/Patient/${id}`, { as: system })
    expect(reply.status).toBe(200)
    expect(reply.headers.get('ETag')).toBe('W/"1"')
    expect(reply.text).toBe('')
  })
})

describe('update', () => {
  test('an update makes the next version, keeps the last, and says so', async () => {
    const { id } = await createPatient()
    const changed = { ...patient, id, gender: 'female' }
    const reply = await request('PUT', `/fhir/Patient/${id}`, { as: system, body: changed, headers: { 'If-Match': 'W/"1"' } })
    expect(reply.status).toBe(200)
    expect(reply.headers.get('ETag')).toBe('W/"2"')
    expect(reply.json.gender).toBe('female')
    expect(Date.parse(reply.json.meta.lastUpdated)).toBeGreaterThan(clock.now.getTime())
    const before = await request('GET', `/fhir/Patient/${id}/_history/1`, { as: system })
    expect(before.json.gender).toBe('male')
    expect((await request('GET', `/fhir/Patient/${id}/_history/2`, { as: system })).json).toEqual(reply.json)
    expect((await request('GET', `/fhir/Patient/${id}/_history/3`, { as: system })).status).toBe(404)
  })

  test('an update with an old If-Match is refused with 412 and changes nothing', async () => {
    const { id } = await createPatient()
    await request('PUT', `/fhir/Patient/${id}`, { as: system, body: { ...patient, id, gender: 'female' } })
    const reply = await request('PUT', `/fhir/Patient/${id}`, { as: system, body: { ...patient, id, gender: 'other' }, headers: { 'If-Match': 'W/"1"' } })
    expect(reply.status).toBe(412)
    expect(reply.json.issue[0].details.coding[0].code).toBe('version-conflict')
    expect((await request('GET', `/fhir/Patient/${id}`, { as: system })).json.meta.versionId).toBe('2')
  })

  test('an update that changes nothing makes no version', async () => {
    const { id } = await createPatient()
    const reply = await request('PUT', `/fhir/Patient/${id}`, { as: system, body: { ...patient, id } })
    expect(reply.status).toBe(200)
    expect(reply.headers.get('ETag')).toBe('W/"1"')
  })

  test('an update of an id that is not there creates it, with any id FHIR allows', async () => {
    for (const id of ['A', 'abc.DEF-123', 'f'.repeat(64), 'E0F5B3A2-7D1C-4B5E-9C3F-000000000001', '0468e9ab-c204-40c3-bd99-3116967b0ed7']) {
      const reply = await request('PUT', `/fhir/Patient/${id}`, { as: system, body: { ...patient, id } })
      expect(reply.status).toBe(201)
      expect(reply.json.id).toBe(id)
      expect((await request('GET', `/fhir/Patient/${id}`, { as: system })).json.id).toBe(id)
    }
  })

  test('the id in the body must be the one in the address', async () => {
    const reply = await request('PUT', '/fhir/Patient/one', { as: system, body: { ...patient, id: 'two' } })
    expect(reply.status).toBe(400)
    expect(reply.json.issue[0].details.coding[0].code).toBe('id-mismatch')
    expect((await request('PUT', '/fhir/Patient/one', { as: system, body: patient })).status).toBe(400)
    expect((await request('PUT', '/fhir/Patient/one', { as: system, body: { resourceType: 'Group', id: 'one' } })).json.issue[0].details.coding[0].code).toBe('resource-type-mismatch')
  })

  test('two types may hold the same id without touching each other', async () => {
    await request('PUT', '/fhir/Patient/twin', { as: system, body: { ...patient, id: 'twin' } })
    await request('PUT', '/fhir/Organization/twin', { as: system, body: { resourceType: 'Organization', id: 'twin', name: '双胞胎医院' } })
    await request('DELETE', '/fhir/Patient/twin', { as: system })
    expect((await request('GET', '/fhir/Organization/twin', { as: system })).status).toBe(200)
    expect((await request('GET', '/fhir/Organization?name=双胞胎', { as: system })).json.entry).toHaveLength(1)
  })

  test('an entry that moves to another patient keeps its id and its versions', async () => {
    const [a, b] = [await createPatient(), await createPatient()]
    const observation = { resourceType: 'Observation', status: 'final', code: { text: '体温' }, subject: { reference: `Patient/${a.id}` } }
    const { id } = (await request('POST', '/fhir/Observation', { as: system, body: observation })).json
    const moved = await request('PUT', `/fhir/Observation/${id}`, { as: system, body: { ...observation, id, subject: { reference: `Patient/${b.id}` } } })
    expect(moved.status).toBe(200)
    expect((await request('GET', `/fhir/Observation/${id}`, { as: system })).json.meta.versionId).toBe('2')
    expect((await request('GET', `/fhir/Observation?subject=Patient/${a.id}`, { as: system })).json.entry).toBeUndefined()
    expect((await request('GET', `/fhir/Observation?subject=Patient/${b.id}`, { as: system })).json.entry).toHaveLength(1)
    expect((await request('GET', `/fhir/Observation/${id}/_history`, { as: system })).json.total).toBe(2)
    expect((await request('PUT', `/fhir/Observation/${id}`, { as: system, body: { ...observation, id } })).headers.get('ETag')).toBe('W/"3"')
  })
})

describe('delete', () => {
  test('a deleted resource is gone, its history stays, and a new one goes on counting', async () => {
    const { id } = await createPatient()
    expect((await request('DELETE', `/fhir/Patient/${id}`, { as: system })).status).toBe(204)
    const read = await request('GET', `/fhir/Patient/${id}`, { as: system })
    expect(read.status).toBe(410)
    expect(read.json.issue[0].details.coding[0].code).toBe('gone')
    expect((await request('GET', `/fhir/Patient/${id}/_history/1`, { as: system })).status).toBe(200)
    expect((await request('GET', `/fhir/Patient/${id}/_history/2`, { as: system })).status).toBe(410)
    const again = await request('PUT', `/fhir/Patient/${id}`, { as: system, body: { ...patient, id } })
    expect(again.status).toBe(201)
    expect(again.headers.get('ETag')).toBe('W/"3"')
    const history = (await request('GET', `/fhir/Patient/${id}/_history`, { as: system })).json
    expect(history.entry.map((each: { request: { method: string } }) => each.request.method)).toEqual(['PUT', 'DELETE', 'POST'])
  })

  test('deleting what is not there is no error', async () => {
    expect((await request('DELETE', '/fhir/Patient/never-was', { as: system })).status).toBe(204)
    const { id } = await createPatient()
    expect((await request('DELETE', `/fhir/Patient/${id}`, { as: system, headers: { 'If-Match': 'W/"7"' } })).status).toBe(412)
    expect((await request('DELETE', `/fhir/Patient/${id}`, { as: system })).status).toBe(204)
    expect((await request('DELETE', `/fhir/Patient/${id}`, { as: system })).status).toBe(204)
  })

  test('a deleted resource is in no search, and its index rows are gone', async () => {
    const { id } = await createPatient({ name: [{ text: '欧阳删除' }] })
    expect((await request('GET', '/fhir/Patient?name=欧阳删除', { as: system })).json.entry).toHaveLength(1)
    await request('DELETE', `/fhir/Patient/${id}`, { as: system })
    expect((await request('GET', '/fhir/Patient?name=欧阳删除', { as: system })).json.entry).toBeUndefined()
    expect(await db.selectFrom('idx_string').select('val').where('rid', '=', id).execute()).toEqual([])
  })
})

describe('history', () => {
  test('lists every version newest first, in pages, with the request that made it', async () => {
    const { id } = await createPatient()
    for (const year of [1981, 1982, 1983, 1984]) {
      clock.now = new Date(clock.now.getTime() + 60_000)
      await request('PUT', `/fhir/Patient/${id}`, { as: system, body: { ...patient, id, birthDate: `${year}-05-01` } })
    }
    const first = (await request('GET', `/fhir/Patient/${id}/_history?_count=2`, { as: system })).json
    expect(first).toMatchObject({ resourceType: 'Bundle', type: 'history', total: 5 })
    expect(first.entry.map((each: { resource: { meta: { versionId: string } } }) => each.resource.meta.versionId)).toEqual(['5', '4'])
    expect(first.entry[0]).toMatchObject({ request: { method: 'PUT', url: `Patient/${id}` }, response: { status: '200', etag: 'W/"5"' } })
    const seen = [...first.entry]
    let next = first.link.find((each: { relation: string }) => each.relation === 'next')
    while (next) {
      const page = (await request('GET', next.url.replace('http://127.0.0.1:8080', ''), { as: system })).json
      seen.push(...page.entry)
      next = page.link.find((each: { relation: string }) => each.relation === 'next')
    }
    expect(seen.map((each: { response: { etag: string } }) => each.response.etag)).toEqual(['W/"5"', 'W/"4"', 'W/"3"', 'W/"2"', 'W/"1"'])
    expect(seen.at(-1)).toMatchObject({ request: { method: 'POST', url: 'Patient' }, response: { status: '201' } })
    const since = (await request('GET', `/fhir/Patient/${id}/_history?_since=${encodeURIComponent(new Date(clock.now.getTime() - 90_000).toISOString())}`, { as: system })).json
    expect(since.total).toBe(2)
    expect((await request('GET', `/fhir/Patient/${id}/_history?_sort=x`, { as: system })).status).toBe(400)
    expect((await request('GET', '/fhir/Patient/never-was/_history', { as: system })).status).toBe(404)
  })
})

describe('validators and preferences', () => {
  test('a GET whose version is known answers 304', async () => {
    const { id } = await createPatient()
    const fresh = await request('GET', `/fhir/Patient/${id}`, { as: system, headers: { 'If-None-Match': 'W/"1"' } })
    expect([fresh.status, fresh.text]).toEqual([304, ''])
    expect((await request('GET', `/fhir/Patient/${id}`, { as: system, headers: { 'If-None-Match': 'W/"9"' } })).status).toBe(200)
    expect((await request('GET', `/fhir/Patient/${id}`, { as: system, headers: { 'If-Modified-Since': new Date(clock.now.getTime() + 5000).toUTCString() } })).status).toBe(304)
  })

  test('a broken If-Match is 400', async () => {
    const { id } = await createPatient()
    expect((await request('PUT', `/fhir/Patient/${id}`, { as: system, body: { ...patient, id }, headers: { 'If-Match': 'version one' } })).status).toBe(400)
  })

  test.each([
    ['minimal', (reply: { text: string }) => reply.text === ''],
    ['representation', (reply: { json: { resourceType: string } }) => reply.json.resourceType === 'Patient'],
    ['OperationOutcome', (reply: { json: { resourceType: string } }) => reply.json.resourceType === 'OperationOutcome'],
  ])('Prefer: return=%s', async (wish, fits) => {
    const reply = await request('POST', '/fhir/Patient', { as: system, body: patient, headers: { Prefer: `return=${wish}` } })
    expect(reply.status).toBe(201)
    expect(fits(reply)).toBe(true)
  })
})

describe('who may', () => {
  test('nobody signed in: 401 for records, the directory is open', async () => {
    const { id } = await createPatient()
    const refused = await request('GET', `/fhir/Patient/${id}`)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('WWW-Authenticate')).toContain('Bearer')
    await request('PUT', '/fhir/Organization/open', { as: system, body: { resourceType: 'Organization', id: 'open', name: '浦江医院' } })
    expect((await request('GET', '/fhir/Organization/open')).status).toBe(200)
    expect((await request('POST', '/fhir/Organization', { body: { resourceType: 'Organization', name: 'x' } })).status).toBe(401)
  })

  test('a citizen reads the own record; another one is not there, also in history, version and search', async () => {
    const [own, other] = [await createPatient(), await createPatient()]
    const me = citizen(own.id)
    expect((await request('GET', `/fhir/Patient/${own.id}`, { as: me })).status).toBe(200)
    for (const path of [`/fhir/Patient/${other.id}`, `/fhir/Patient/${other.id}/_history`, `/fhir/Patient/${other.id}/_history/1`]) {
      expect((await request('GET', path, { as: me })).status).toBe(404)
    }
    expect((await request('GET', `/fhir/Patient?_id=${own.id},${other.id}&_total=accurate`, { as: me })).json).toMatchObject({ total: 1, entry: [{ resource: { id: own.id } }] })
    await request('DELETE', `/fhir/Patient/${other.id}`, { as: system })
    expect((await request('GET', `/fhir/Patient/${other.id}`, { as: me })).status).toBe(404)
    expect((await request('PUT', `/fhir/Patient/${own.id}`, { as: me, body: { ...patient, id: own.id } })).status).toBe(403)
  })

  test('a system without the scope is refused', async () => {
    const narrow = { ...system, scopes: ['system/Observation.rs'] }
    expect((await request('GET', '/fhir/Observation', { as: narrow })).status).toBe(200)
    expect((await request('GET', '/fhir/Patient', { as: narrow })).status).toBe(403)
    expect((await request('POST', '/fhir/Observation', { as: narrow, body: { resourceType: 'Observation', status: 'final', code: { text: 'x' } } })).status).toBe(403)
  })

  test('every read and write of a record leaves a row with who, what and outcome', async () => {
    const { id } = await createPatient()
    await request('GET', `/fhir/Patient/${id}`, { as: citizen(id) })
    await request('GET', `/fhir/Patient?_id=${id}`, { as: system })
    await request('PUT', `/fhir/Patient/${id}`, { as: system, body: { ...patient, id, active: true } })
    await request('DELETE', `/fhir/Patient/${id}`, { as: system })
    const rows = await db.selectFrom('audit_event').select(['action', 'interaction', 'principal_id', 'outcome']).where('pid', '=', id).orderBy('recorded_at').orderBy('interaction').execute()
    expect(rows.map((row) => `${row.action} ${row.interaction} ${row.outcome}`).sort()).toEqual(['C create 201', 'D delete 204', 'R read 200', 'R search-type 200', 'U update 200'])
    expect(rows.find((row) => row.interaction === 'read')?.principal_id).toBe(`account-${id}`)
  })
})
