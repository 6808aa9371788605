/** What HTTP itself asks of /fhir: validators, encodings, media types, addresses, and how much of a resource goes out. */
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { system, testPlatform, type TestReply } from '../support/platform.ts'

const { request, app, token } = await testPlatform()

const patient = { resourceType: 'Patient', id: 'p', name: [{ text: '王芳' }], gender: 'female' }
const code = (reply: TestReply): string => reply.json?.issue?.[0]?.details.coding[0].code
const get = (path: string, headers: Record<string, string> = {}) => request('GET', `/fhir/${path}`, { as: system, headers })
const put = (id: string, headers: Record<string, string> = {}, more: object = {}) => request('PUT', `/fhir/Patient/${id}`, { as: system, headers, body: { ...patient, ...more, id } })

beforeAll(async () => { await put('p') })

describe('If-Match and If-None-Match of a write', () => {
  test.each<[string, Record<string, string>, number]>([
    ['one version', { 'If-Match': 'W/"1"' }, 200], ['a strong tag', { 'If-Match': '"1"' }, 200], ['one of several', { 'If-Match': 'W/"9", W/"1"' }, 200], ['any', { 'If-Match': '*' }, 200],
    ['another version', { 'If-Match': 'W/"2"' }, 412], ['none of several', { 'If-Match': 'W/"9","8"' }, 412], ['no tag', { 'If-Match': '1' }, 400], ['a tag that is no version', { 'If-Match': 'W/"x"' }, 412],
    ['only as a create', { 'If-None-Match': '*' }, 412], ['another If-None-Match', { 'If-None-Match': 'W/"1"' }, 400],
  ])('%s', async (_, headers, status) => {
    expect((await put('p', headers)).status).toBe(status)
  })

  test('of what is not there', async () => {
    expect((await put('absent', { 'If-Match': '*' })).status).toBe(412)
    expect((await put('absent', { 'If-None-Match': '*' })).status).toBe(201)
    expect((await request('PUT', '/fhir/Patient?name=王芳&_id=absent', { as: system, headers: { 'If-None-Match': '*' }, body: { ...patient, id: 'absent' } })).status).toBe(412)
    const entry = (ifNoneMatch: string) => ({ resource: { ...patient, id: 'absent' }, request: { method: 'PUT', url: 'Patient/absent', ifNoneMatch } })
    expect((await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [entry('*')] } })).status).toBe(412)
  })
})

describe('encodings', () => {
  const send = async (path: string, headers: Record<string, string>, body?: Uint8Array) => app.request(`/fhir/${path}`, {
    headers: { Authorization: `Bearer ${await token(system)}`, ...headers }, ...(body ? { method: 'POST', body: new Uint8Array(body) } : {}),
  })

  test('an answer comes in the encoding that is liked best, with its length', async () => {
    for (const [accepted, encoding, unpack] of [['gzip, br', 'br', brotliDecompressSync], ['gzip;q=1.0, br;q=0.1', 'gzip', gunzipSync]] as const) {
      const reply = await send('metadata', { 'Accept-Encoding': accepted })
      const bytes = Buffer.from(await reply.arrayBuffer())
      expect([reply.headers.get('Content-Encoding'), reply.headers.get('Content-Length')]).toEqual([encoding, String(bytes.byteLength)])
      expect(JSON.parse(unpack(bytes).toString())).toMatchObject({ resourceType: 'CapabilityStatement' })
      expect(reply.headers.get('Vary')).toContain('Accept-Encoding')
    }
    expect((await send('metadata', {})).headers.get('Content-Encoding')).toBeNull()
    expect((await send('Patient/p', { 'Accept-Encoding': 'br' })).headers.get('Content-Encoding')).toBeNull()
  })

  test('a body may be compressed; the limit is of what comes out', async () => {
    const json = { 'Content-Type': 'application/fhir+json' }
    const body = gzipSync(JSON.stringify(patient))
    expect((await send('Patient', { ...json, 'Content-Encoding': 'gzip' }, body)).status).toBe(201)
    expect((await send('Patient', { ...json, 'Content-Encoding': 'gzip' }, Buffer.from('{}'))).status).toBe(400)
    expect((await send('Patient', { ...json, 'Content-Encoding': 'zstd' }, body)).status).toBe(415)
    expect((await send('Patient', { ...json, 'Content-Encoding': 'gzip' }, gzipSync(Buffer.alloc(30 * 1024 * 1024, 0x20)))).status).toBe(413)
  })
})

describe('how much goes out', () => {
  const shown = (reply: TestReply) => Object.keys(reply.json).filter((key) => !['resourceType', 'id', 'meta'].includes(key))

  test('of a write, a history and a version', async () => {
    expect(shown(await put('seen'))).toEqual(['name', 'gender'])
    expect(shown(await request('PUT', '/fhir/Patient/seen?_elements=gender', { as: system, body: { ...patient, id: 'seen', gender: 'male' } }))).toEqual(['gender'])
    expect(shown(await request('POST', '/fhir/Patient?_summary=text', { as: system, body: patient }))).toEqual([])
    expect(shown(await get('Patient/seen/_history/1?_elements=name'))).toEqual(['name'])
    const history = await get('Patient/seen/_history?_elements=gender')
    expect(history.json.entry.map((each: { resource: object }) => Object.keys(each.resource))).toEqual([['resourceType', 'id', 'meta', 'gender'], ['resourceType', 'id', 'meta', 'gender']])
    expect((await get('_history?_elements=gender&_count=1')).json.link[0].url).toContain('_elements=gender')
    expect((await get('Patient/seen/_history?_count=0')).json).toMatchObject({ total: 2 })
    expect((await get('Patient/_history?_elements=gendre')).status).toBe(400)
    expect((await get('Patient/seen/_history?_summary=some')).status).toBe(400)
  })

  test('laid out, with its true length', async () => {
    const reply = await get('Patient/p?_pretty=true')
    expect(reply.text).toContain('\n  "id": "p"')
    expect(reply.headers.get('Content-Length')).toBe(String(Buffer.byteLength(reply.text)))
  })

  test('parameters that a write does not know are refused, unless lenient', async () => {
    expect(code(await request('POST', '/fhir/Patient?_sumary=true', { as: system, body: patient }))).toBe('parameter-unknown')
    expect(code(await request('DELETE', '/fhir/Patient/p?_cascade=delete', { as: system }))).toBe('parameter-unknown')
    expect((await request('POST', '/fhir/Patient?x=1', { as: system, body: patient, headers: { Prefer: 'handling=lenient' } })).status).toBe(201)
  })
})

describe('addresses and bodies', () => {
  test('a slash at the end means nothing', async () => {
    expect((await request('POST', '/fhir/', { as: system, body: { resourceType: 'Bundle', type: 'batch' } })).status).toBe(200)
    for (const path of ['Patient/p/', 'Patient/', 'Patient/p/_history/', 'metadata/', '?_type=Patient']) expect([path, (await get(path)).status]).toEqual([path, 200])
  })

  test.each(['{"resourceType":"Patient","gender":"male","gender":"female"}', '{"resourceType":"Patient","name":[{"text":"a","text":"a"}]}', '{"resourceType":"Patient","\\u0067ender":"male","gender":"female"}'])(
    'a name that stands twice is refused: %s', async (body) => {
      expect(code(await request('POST', '/fhir/Patient', { as: system, body }))).toBe('json-broken')
    })

  test('metadata by its mode', async () => {
    expect((await get('metadata?mode=terminology')).json).toMatchObject({ resourceType: 'TerminologyCapabilities', expansion: { paging: true } })
    expect((await get('metadata?mode=normative')).json.resourceType).toBe('CapabilityStatement')
    expect((await get('metadata?mode=all')).status).toBe(400)
  })
})

describe('Binary', () => {
  test('holds the bytes it was sent and gives them to who accepts them, as a file and not as a page', async () => {
    const html = '<script>alert(1)</script>'
    const sent = await request('POST', '/fhir/Binary', { as: system, body: html, headers: { 'Content-Type': 'text/html; charset=utf-8' } })
    expect(sent.json).toMatchObject({ resourceType: 'Binary', contentType: 'text/html; charset=utf-8', data: Buffer.from(html).toString('base64') })
    const path = `Binary/${sent.json.id}`
    const bytes = await get(path, { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' })
    expect([bytes.text, bytes.headers.get('Content-Type'), bytes.headers.get('ETag'), bytes.headers.get('Content-Disposition'), bytes.headers.get('X-Content-Type-Options')])
      .toEqual([html, 'text/html; charset=utf-8', 'W/"1"', 'attachment', 'nosniff'])
    expect((await get(`${path}/_history/1`, { Accept: 'text/*' })).text).toBe(html)
    for (const accept of ['application/fhir+json', 'application/json, text/html', '*/*, application/fhir+json']) expect((await get(path, { Accept: accept })).json.resourceType).toBe('Binary')
    for (const headers of [{ Accept: '*/*' }, {} as Record<string, string>]) expect((await get(path, headers)).text).toBe(html)
    expect((await get(path, { Accept: 'text/html', 'If-None-Match': 'W/"1"' })).status).toBe(304)
    expect((await get(`${path}?_format=json`, { Accept: '*/*' })).json.resourceType).toBe('Binary')
    expect((await get(path, { Accept: 'image/png' })).status).toBe(406)
    expect((await request('PUT', `/fhir/${path}`, { as: system, body: 'x', headers: { 'Content-Type': 'text/plain', 'X-Security-Context': 'Patient/p' } })).json)
      .toMatchObject({ id: sent.json.id, contentType: 'text/plain', securityContext: { reference: 'Patient/p' } })
    expect((await request('POST', '/fhir/Binary', { as: system, body: '', headers: { 'Content-Type': 'text/plain' } })).status).toBe(422)
    // A file of JSON is one too, unless it is the resource; MedplumClient names the file besides.
    const file = await request('POST', '/fhir/Binary?_filename=a.json', { as: system, body: '[1, 2]', headers: { 'Content-Type': 'application/json' } })
    expect([file.status, file.json.contentType, (await get(`Binary/${file.json.id}`, { Accept: '*/*' })).text]).toEqual([201, 'application/json', '[1, 2]'])
    expect((await request('POST', '/fhir/Binary', { as: system, body: '{"resourceType":"Binary","contentType":"text/plain","data":"eA=="}', headers: { 'Content-Type': 'application/json' } })).json.contentType).toBe('text/plain')
    expect((await request('POST', '/fhir/Patient', { as: system, body: 'x', headers: { 'Content-Type': 'text/plain' } })).status).toBe(415)
  })
})
