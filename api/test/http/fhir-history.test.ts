/** History of types and of the store, parts of resources, formats, and pages of other origins. */
import { beforeAll, describe, expect, test } from 'vitest'
import { citizen, system, testPlatform, type TestReply } from '../support/platform.ts'

const { request, clock } = await testPlatform()

interface Entry { resource?: { id: string }; request: { method: string; url: string }; response: { status: string; etag: string; lastModified: string } }
const versions = (reply: TestReply): string[] => (reply.json.entry ?? []).map((each: Entry) => `${each.request.method} ${each.request.url} ${each.response.etag}`)
const put = (id: string, extra: object = {}) => request('PUT', `/fhir/Patient/${id}`, { as: system, body: { resourceType: 'Patient', id, ...extra } })
const at = (minutes: number) => new Date(Date.parse('2026-11-23T00:00:00Z') + minutes * 60_000)
const instant = (minutes: number) => encodeURIComponent(at(minutes).toISOString())

beforeAll(async () => {
  const steps: [number, () => Promise<unknown>][] = [
    [0, () => put('a')], [10, () => put('b')], [20, () => put('a', { active: true })], [5000, () => request('DELETE', '/fhir/Patient/b', { as: system })],
    [5010, () => request('PUT', '/fhir/Organization/h', { as: system, body: { resourceType: 'Organization', id: 'h', name: '浦江医院' } })],
  ]
  for (const [minutes, step] of steps) {
    clock.now = at(minutes)
    await step()
  }
  clock.now = at(5020)
})

describe('history of a type and of everything', () => {
  const all = ['DELETE Patient/b W/"2"', 'PUT Patient/a W/"2"', 'PUT Patient/b W/"1"', 'PUT Patient/a W/"1"']

  test('newest first, deletions included', async () => {
    const type = await request('GET', '/fhir/Patient/_history', { as: system })
    expect(type.json).toMatchObject({ resourceType: 'Bundle', type: 'history' })
    expect(versions(type)).toEqual(all)
    expect(type.json.entry[0].resource).toBeUndefined()
    const totalOf = async (query: string): Promise<number | undefined> => (await request('GET', `/fhir/Patient/_history?${query}`, { as: system })).json.total
    expect([type.json.total, await totalOf('_since=2999-01-01'), await totalOf('_count=3')]).toEqual([4, 0, undefined])
    expect(versions(await request('GET', '/fhir/_history', { as: system }))).toEqual(['PUT Organization/h W/"1"', ...all])
  })

  test.each([
    [`_since=${instant(15)}`, all.slice(0, 2)],
    [`_since=${instant(20)}`, all.slice(0, 2)],
    [`_at=${instant(15)}`, all.slice(2)],
    [`_at=${instant(30)}`, ['PUT Patient/a W/"2"', 'PUT Patient/b W/"1"']],
    ['_at=2026-11-22', []],
    ['_at=2026-11-23', ['PUT Patient/a W/"2"', 'PUT Patient/b W/"1"', 'PUT Patient/a W/"1"']],
    [`_at=lt${instant(15)}`, all.slice(2)], [`_at=le${instant(20)}`, all.slice(1)], [`_at=gt${instant(15)}`, all], [`_at=ge${instant(30)}`, all.slice(0, 3)],
    [`_at=gt${instant(5)}&_at=lt${instant(15)}`, all.slice(2)], [`_at=ge2026-11-23&_at=le${instant(15)}&_at=lt2999`, all.slice(2)],
  ])('%s', async (query, expected) => {
    expect(versions(await request('GET', `/fhir/Patient/_history?${query}`, { as: system }))).toEqual(expected)
  })

  test('_at of one resource', async () => {
    expect(versions(await request('GET', `/fhir/Patient/a/_history?_at=${instant(15)}`, { as: system }))).toEqual(['PUT Patient/a W/"1"'])
    const between = await request('GET', `/fhir/Patient/a/_history?_at=ge${instant(15)}&_at=lt${instant(25)}&_count=1`, { as: system })
    expect([versions(between), between.json.total]).toEqual([['PUT Patient/a W/"2"'], 2])
    const next = between.json.link.find((each: { relation: string }) => each.relation === 'next')?.url.replace('http://127.0.0.1:8080', '')
    expect(versions(await request('GET', next, { as: system }))).toEqual(['PUT Patient/a W/"1"'])
  })

  test('pages follow each other while others write', async () => {
    const seen: string[] = []
    let path: string | undefined = '/fhir/Patient/_history?_count=1'
    while (path) {
      const page: TestReply = await request('GET', path, { as: system })
      seen.push(...versions(page))
      clock.now = new Date(clock.now.getTime() + 1000)
      await put('a', { birthDate: `19${50 + seen.length}` })
      path = page.json.link.find((each: { relation: string }) => each.relation === 'next')?.url.replace('http://127.0.0.1:8080', '')
    }
    expect(seen).toEqual(all)
  })

  test.each([['/fhir/Patient/_history'], ['/fhir/_history'], ['/fhir/Patient/a/_history'], [`/fhir/_history?_since=${instant(15)}`], [`/fhir/Patient/_history?_at=lt${instant(4000)}`]])('back the way that led forth, while others write: %s', async (path) => {
    const linkOf = (reply: TestReply, relation: string): string | undefined => reply.json.link.find((each: { relation: string }) => each.relation === relation)?.url.replace('http://127.0.0.1:8080', '')
    const get = async (url: string): Promise<TestReply> => await request('GET', url, { as: system })
    const forth: string[][] = []
    let reply = await get(`${path}${path.includes('?') ? '&' : '?'}_count=2`)
    expect(linkOf(reply, 'previous')).toBeUndefined()
    for (let next: string | undefined = linkOf(reply, 'self'); next; next = linkOf(reply, 'next')) forth.push(versions(reply = await get(next)))
    clock.now = new Date(clock.now.getTime() + 1000)
    await put('a', { birthDate: String(1900 + forth.length) })
    await put('c', { birthDate: String(1900 + forth.length) })
    const back: string[][] = [forth.at(-1) ?? []]
    for (let previous = linkOf(reply, 'previous'); previous; previous = linkOf(reply, 'previous')) {
      back.unshift(versions(reply = await get(previous)))
      // From each page the next is the one that it was reached from.
      expect(versions(await get(linkOf(reply, 'next') ?? ''))).toEqual(back[1])
    }
    // Two a page from the end; what was written meanwhile lies before what was the first page.
    expect(forth.length).toBeGreaterThan(0)
    expect(back.flat().slice(-forth.flat().length)).toEqual(forth.flat())
    expect(back.flat().slice(0, -forth.flat().length).length).toBeLessThanOrEqual(2)
  })

  test('what the caller may not see is not there', async () => {
    expect(versions(await request('GET', '/fhir/Patient/_history', { as: citizen('b') }))).toEqual(['DELETE Patient/b W/"2"', 'PUT Patient/b W/"1"'])
    expect(versions(await request('GET', '/fhir/_history'))).toEqual(['PUT Organization/h W/"1"'])
    expect((await request('GET', '/fhir/Patient/_history')).status).toBe(401)
    expect((await request('GET', '/fhir/Patient/_history', { as: { ...system, scopes: ['system/Observation.rs'] } })).status).toBe(403)
  })

  test.each([
    ['/fhir/Patient/_history?_since=soon', 400], ['/fhir/Patient/_history?_count=none', 400], ['/fhir/Patient/_history?_page=x', 400], ['/fhir/_history?_sort=x', 400], ['/fhir/Slot/_history', 400], ['/fhir/_history?_at=ap2026', 400],
    ['/fhir/Patient/_history?_at=gt2027&_at=lt2026', 400], ['/fhir/_history?_count=1&_count=2', 400], ['/fhir/_history?_at=', 400],
    [`/fhir/_history?_page=${Buffer.from('["2026-11-23T00:00:00.000Z",1,"x",1]').toString('base64url')}`, 400],
    ['/fhir/Patient/a/_history?_page=above', 400], ['/fhir/Patient/a/_history?_page=above-0', 200], [`/fhir/_history?_page=${Buffer.from('["2026-11-23T00:00:00.000Z",1,"00000000-0000-0000-0000-000000000000",1,"x"]').toString('base64url')}`, 400],
  ])('%s is %i', async (path, status) => {
    expect((await request('GET', path, { as: system })).status).toBe(status)
  })

  test('in a bundle', async () => {
    const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'batch', entry: ['Patient/_history?_count=1', '_history?_count=1'].map((url) => ({ request: { method: 'GET', url } })) } })
    expect(reply.json.entry.map((each: { resource: { type: string } }) => each.resource.type)).toEqual(['history', 'history'])
  })
})

describe('parts and formats of a read', () => {
  beforeAll(async () => {
    await put('parts', { text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">张三</div>' }, active: true, gender: 'male', maritalStatus: { text: '已婚' } })
  })

  test.each([
    ['_summary=true', ['active', 'gender', 'id', 'meta', 'resourceType']], ['_summary=text', ['id', 'meta', 'resourceType', 'text']],
    ['_summary=data', ['active', 'gender', 'id', 'maritalStatus', 'meta', 'resourceType']], ['_elements=gender', ['gender', 'id', 'meta', 'resourceType']],
  ])('%s', async (query, keys) => {
    for (const path of ['/fhir/Patient/parts', '/fhir/Patient/parts/_history/1']) {
      const { json } = await request('GET', `${path}?${query}`, { as: system })
      expect(Object.keys(json).sort()).toEqual(keys)
      expect(json.meta).toMatchObject({ versionId: '1', tag: [{ code: 'SUBSETTED' }] })
    }
  })

  test('what must be there stays', async () => {
    const { id } = (await request('POST', '/fhir/Observation', { as: system, body: { resourceType: 'Observation', status: 'final', code: { text: 'x' }, valueString: 'y' } })).json
    const { json } = await request('GET', `/fhir/Observation/${id}?_elements=issued`, { as: system })
    expect([json.status, json.code, json.valueString]).toEqual(['final', { text: 'x' }, undefined])
  })

  test.each([['_summary=count', 400], ['_summary=all', 400], ['_elements=nmae', 400], ['_elements=Patient.gender', 400], ['_elements=', 400], ['name=x', 400], ['_summary=false', 200]])('%s is %i', async (query, status) => {
    expect((await request('GET', `/fhir/Patient/parts?${query}`, { as: system })).status).toBe(status)
  })

  test('_pretty lays the text out and changes nothing else', async () => {
    const [plain, pretty] = [await request('GET', '/fhir/Patient/parts', { as: system }), await request('GET', '/fhir/Patient/parts?_pretty=true', { as: system })]
    expect(pretty.json).toEqual(plain.json)
    expect(pretty.text).toBe(`${JSON.stringify(plain.json, null, 2)}\n`)
  })

  test.each([
    ['application/fhir+json; fhirVersion=4.0', 200], ['application/fhir+json;fhirVersion=5.0', 406], ['application/fhir+xml, application/fhir+json;q=0', 406], ['application/fhir+xml;q=1, application/json;q=0.5', 200],
  ])('Accept: %s is %i', async (accept, status) => {
    expect((await request('GET', '/fhir/Patient/parts', { as: system, headers: { Accept: accept } })).status).toBe(status)
  })

  test('HEAD of a search, a history and a version', async () => {
    for (const path of ['/fhir/Patient', '/fhir/Patient/_history', '/fhir/Patient/parts/_history/1', '/fhir/metadata']) {
      const reply = await request('HEAD', path, { as: system })
      expect([reply.status, reply.text]).toEqual([200, ''])
    }
  })
})

describe('pages of other origins', () => {
  const headers = { Origin: 'https://app.example.org' }

  test('see the public metadata and nothing else unless they are named', async () => {
    expect((await request('GET', '/fhir/metadata', { headers })).headers.get('Access-Control-Allow-Origin')).toBe('*')
    const read = await request('GET', '/fhir/Patient/parts', { as: system, headers })
    expect([read.headers.get('Access-Control-Allow-Origin'), read.headers.get('Access-Control-Allow-Credentials')]).toEqual([null, null])
    const preflight = await request('OPTIONS', '/fhir/Patient/parts', { headers: { ...headers, 'Access-Control-Request-Method': 'PUT' } })
    expect(preflight.headers.get('Access-Control-Allow-Origin')).toBeNull()
  })
})
