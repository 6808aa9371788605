import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Client } from 'fhir-kit-client'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { contentDigest } from '../crypto.ts'
import { overNodeHttp } from './kit-transport.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown
let handler: Handler = () => {}
let asked = 0
const server = createServer((request, response) => {
  asked++
  handler(request, response)
})
await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`
const client = overNodeHttp(new Client({ baseUrl }))
const submit = (signal = AbortSignal.timeout(5000)) => client.operation({ name: '$submit', resourceType: 'Claim', input: { resourceType: 'Claim', note: '中文' } as never, options: { signal, headers: { authorization: 'Bearer t' } } })

beforeEach(() => { asked = 0 })
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

test('a call goes out as the kit makes it, with the digest of its body, and its answer comes back', async () => {
  const seen: unknown[] = []
  handler = (request, response) => {
    void text(request).then((body) => {
      seen.push(request.method, request.url, request.headers.authorization, request.headers['content-type'], request.headers['content-digest'] === contentDigest(body), body)
      response.end('{"resourceType":"ClaimResponse","disposition":"已结算"}')
    })
  }
  expect(await submit()).toEqual({ resourceType: 'ClaimResponse', disposition: '已结算' })
  expect(seen).toEqual(['POST', '/fhir/Claim/$submit', 'Bearer t', 'application/fhir+json', true, '{"resourceType":"Claim","note":"中文"}'])
  handler = (request, response) => { response.end(JSON.stringify({ resourceType: 'Bundle', id: request.url })) }
  expect(await client.resourceSearch({ resourceType: 'ClaimResponse', searchParams: { 'request-identifier': 'a|b' } })).toEqual({ resourceType: 'Bundle', id: '/fhir/ClaimResponse?request-identifier=a%7Cb' })
})

test('answers that are none are errors with status and what came, as the kit has them; a redirect is not followed', async () => {
  for (const [status, body, data] of [[422, '{"resourceType":"OperationOutcome"}', { resourceType: 'OperationOutcome' }], [500, 'oh <no>', 'oh <no>'], [200, '{"resourceType":', '{"resourceType":'], [307, '', {}]] as const) {
    handler = (_, response) => { response.writeHead(status, { Location: `${baseUrl}/elsewhere` }).end(body) }
    await expect(submit()).rejects.toMatchObject({ response: { status, data } })
  }
  expect(asked).toBe(4)
})

test('a connection that is lost says how, a time limit that it was one, and nothing is sent twice', async () => {
  handler = (_, response) => { response.socket?.destroy() }
  await expect(submit()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
  handler = (_, response) => {
    response.writeHead(200, { 'Content-Length': 100 }).write('{"resourceType"')
    setImmediate(() => response.socket?.destroy())
  }
  await expect(submit()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
  handler = () => {}
  await expect(submit(AbortSignal.timeout(50))).rejects.toMatchObject({ name: 'TimeoutError' })
  handler = (_, response) => { response.writeHead(200).write('{') }
  await expect(submit(AbortSignal.timeout(50))).rejects.toMatchObject({ name: 'TimeoutError' })
  expect(asked).toBe(4)
  await expect(overNodeHttp(new Client({ baseUrl: 'http://127.0.0.1:1/fhir' })).read({ resourceType: 'Claim', id: '1' })).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
})
