/** What bad input gets under /fhir: a clear 4xx with an OperationOutcome, never a 500, never a half-written state. */
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { afterAll, describe, expect, test } from 'vitest'
import { system, testPlatform, type TestReply } from '../support/platform.ts'

const { request, app, token, db } = await testPlatform()

const code = (reply: TestReply): string => reply.json?.issue?.[0]?.details.coding[0].code
const json = { 'Content-Type': 'application/fhir+json' }
const nested = (depth: number) => `{"resourceType":"Patient","extension":${'[{"url":"x","extension":'.repeat(depth)}[]${'}]'.repeat(depth)}}`

describe('the body', () => {
  test.each<[string, string, Record<string, string>, number, string]>([
    ['broken JSON', '{"resourceType":"Patient",', json, 400, 'json-broken'],
    ['an empty body', '', json, 400, 'json-broken'],
    ['no object', '[1,2]', json, 422, 'structure'],
    ['a number', '7', json, 422, 'structure'],
    ['null', 'null', json, 422, 'structure'],
    ['no resourceType', '{"name":[]}', json, 422, 'structure'],
    ['an unknown type', '{"resourceType":"Pateint"}', json, 404, 'type-unknown'],
    ['another type than the address', '{"resourceType":"Group"}', json, 400, 'resource-type-mismatch'],
    ['an unknown element', '{"resourceType":"Patient","nmae":[{"text":"x"}]}', json, 422, 'element-unknown'],
    ['a bad date', '{"resourceType":"Patient","birthDate":"2024-02-30"}', json, 422, 'value-invalid'],
    ['a code that does not exist', '{"resourceType":"Patient","gender":"m"}', json, 422, 'code-unknown'],
    ['nesting without end', nested(300), json, 400, 'json-too-deep'],
    ['brackets without end', '['.repeat(200_000), json, 400, 'json-too-deep'],
    ['XML', '<Patient/>', { 'Content-Type': 'application/fhir+xml' }, 415, 'media-type-unsupported'],
    ['a form', 'a=b', { 'Content-Type': 'application/x-www-form-urlencoded' }, 415, 'media-type-unsupported'],
    ['another charset', '{}', { 'Content-Type': 'application/fhir+json; charset=gbk' }, 415, 'media-type-unsupported'],
  ])('%s', async (_, body, headers, status, expected) => {
    const before = await db.selectFrom('resource').select((eb) => eb.fn.countAll().as('n')).executeTakeFirst()
    const reply = await request('POST', '/fhir/Patient', { as: system, body, headers })
    expect([reply.status, code(reply)]).toEqual([status, expected])
    expect(reply.json.resourceType).toBe('OperationOutcome')
    expect(await db.selectFrom('resource').select((eb) => eb.fn.countAll().as('n')).executeTakeFirst()).toEqual(before)
  })

  test('bytes that are not UTF-8', async () => {
    const reply = await app.request('/fhir/Patient', { method: 'POST', body: new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), headers: { ...json, Authorization: `Bearer ${await token(system)}` } })
    expect(reply.status).toBe(400)
  })

  test('text that PostgreSQL cannot hold is refused, not a fault', async () => {
    for (const body of ['{"resourceType":"Patient","name":[{"text":"a\\u0000b"}]}', '{"resourceType":"Patient","name":[{"text":"a\\ud800b"}]}']) {
      const reply = await request('POST', '/fhir/Patient', { as: system, body })
      expect(reply.status).toBeLessThan(500)
      if (reply.status === 201) expect((await request('GET', `/fhir/Patient/${reply.json.id}`, { as: system })).json).toEqual(reply.json)
    }
  })

  test('a period that ends before it starts is stored or refused, not a fault', async () => {
    const body = { resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' }, period: { start: '2024-03-03', end: '2024-03-01' } }
    const reply = await request('POST', '/fhir/Encounter', { as: system, body })
    expect(reply.status).toBeLessThan(500)
  })

  test('all faults of a resource come at once, each with its place', async () => {
    const reply = await request('POST', '/fhir/Patient', { as: system, body: { resourceType: 'Patient', birthDate: 'soon', gender: 'm', contact: [{ name: 7 }] } })
    const places = reply.json.issue.map((each: { expression: string[] }) => each.expression[0])
    expect(places).toEqual(expect.arrayContaining(['Patient.birthDate', 'Patient.gender', 'Patient.contact[0].name']))
  })
})

describe('a body of 100 MB', () => {
  const server = createServer(getRequestListener(app.fetch))
  const listening = new Promise<number>((done) => server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port)))
  afterAll(() => new Promise((done) => { server.closeAllConnections(); server.close(done) }))

  /** Sends headers and then zeros until the server answers; says how much it took. */
  async function flood(headers: string, bytes: number, chunked: boolean): Promise<{ head: string; sent: number }> {
    const port = await listening
    return new Promise((done, failed) => {
      const socket = connect(port, '127.0.0.1')
      const block = Buffer.alloc(64 * 1024, 0x20)
      let sent = 0
      let head = ''
      const push = (): void => {
        while (head === '' && sent < bytes && !socket.destroyed) {
          sent += block.length
          const piece = chunked ? Buffer.concat([Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from('\r\n')]) : block
          if (!socket.write(piece)) return
        }
      }
      socket.on('drain', push)
      socket.on('data', (data) => {
        head = head || data.toString()
        socket.destroy()
        done({ head, sent })
      })
      socket.on('error', (error) => { if (head === '') failed(error) })
      socket.write(headers, () => push())
    })
  }

  test('is refused by its Content-Length before it is read', async () => {
    const { head, sent } = await flood(`POST /fhir HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await token(system)}\r\nContent-Type: application/fhir+json\r\nContent-Length: 104857600\r\n\r\n`, 104_857_600, false)
    expect(head).toMatch(/^HTTP\/1\.1 413/)
    expect(head).toContain('body-too-large')
    expect(sent).toBeLessThan(40 * 1024 * 1024)
  })

  test('is refused at the limit when it does not say its length', async () => {
    const { head, sent } = await flood(`POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await token(system)}\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n`, 104_857_600, true)
    expect(head).toMatch(/^HTTP\/1\.1 413/)
    expect(sent).toBeLessThan(60 * 1024 * 1024)
  })
})

describe('addresses and methods', () => {
  test.each<[string, string, number, string]>([
    ['GET', '/fhir/Pateint/1', 404, 'type-unknown'], ['GET', '/fhir/Pateint', 404, 'type-unknown'], ['GET', '/fhir/Parameters', 404, 'type-unknown'], ['GET', '/fhir/Patient/not_an_id', 404, 'not-found'],
    ['GET', `/fhir/Patient/${'a'.repeat(65)}`, 404, 'not-found'], ['PUT', '/fhir/Patient/not_an_id', 400, 'id-invalid'], ['DELETE', '/fhir/Patient/not_an_id', 400, 'id-invalid'], ['PATCH', '/fhir/Patient', 405, 'method-not-allowed'],
    ['DELETE', '/fhir/Patient', 405, 'method-not-allowed'], ['PUT', '/fhir/Patient', 405, 'method-not-allowed'], ['DELETE', '/fhir', 405, 'method-not-allowed'], ['POST', '/fhir/metadata', 405, 'method-not-allowed'],
    ['GET', '/fhir/$nothing', 404, 'operation-unknown'], ['POST', '/fhir/Patient/$nothing', 404, 'operation-unknown'], ['GET', '/fhir/Patient/1/%24nothing', 404, 'operation-unknown'], ['POST', '/fhir/Patient/1/$access-log', 405, 'method-not-allowed'],
    ['POST', '/fhir/Patient/_history', 405, 'method-not-allowed'], ['GET', '/fhir/Patient/1/_history/x', 404, 'not-found'], ['GET', '/fhir/Patient/1/_history/99999999999999', 404, 'not-found'],
    ['GET', '/fhir/Patient/1/2/3', 404, 'not-found'], ['GET', '/fhir/Patient/1/Observation/2', 404, 'not-found'], ['GET', '/fhir/Patient/1/*/2/3', 404, 'not-found'], ['GET', '/fhir/Patient/%00', 404, 'not-found'], ['PUT', '/fhir/AuditEvent/1', 405, 'read-only-type'],
  ])('%s %s', async (method, path, status, expected) => {
    const body = method === 'PUT' && path.endsWith('/1') ? { resourceType: 'AuditEvent', id: '1' } : method === 'PUT' || method === 'PATCH' ? { resourceType: 'Patient', id: 'not_an_id' } : method === 'POST' ? {} : undefined
    const reply = await request(method, path, { as: system, ...(body ? { body } : {}) })
    expect([reply.status, code(reply)]).toEqual([status, expected])
    if (status === 405 && expected === 'method-not-allowed') expect(reply.headers.get('Allow')).toBeTruthy()
  })

  test('a write that names nothing is told how to', async () => {
    for (const method of ['DELETE', 'PUT']) {
      const reply = await request(method, '/fhir/Patient', { as: system, headers: { 'Accept-Language': 'en' }, ...(method === 'PUT' ? { body: { resourceType: 'Patient' } } : {}) })
      expect(reply.json.issue[0].diagnostics).toContain('Patient/[id], or with criteria')
    }
  })

  test.each([['application/fhir+xml', 406], ['text/turtle', 406], ['application/json', 200], ['*/*', 200], ['text/html,application/xhtml+xml,*/*;q=0.8', 200]])('Accept: %s', async (accept, status) => {
    expect((await request('GET', '/fhir/metadata', { headers: { Accept: accept } })).status).toBe(status)
  })

  test.each([['xml', 406], ['application/fhir%2Bjson', 200], ['application/fhir+json', 200], ['json', 200]])('_format=%s', async (format, status) => {
    expect((await request('GET', `/fhir/metadata?_format=${format}`)).status).toBe(status)
  })
})
