/** What is no HTTP is told what is wrong with it, in the reader's language, and the connection ends. */
import { connect } from 'node:net'
import { serve, type ServerType } from '@hono/node-server'
import { Hono } from 'hono'
import { afterAll, expect, test } from 'vitest'
import { answerBrokenRequests } from '../src/http/broken-request.ts'

let server: ServerType | null = null
const app = new Hono().get('/fhir/Patient', (c) => c.text('fine'))
const port = await new Promise<number>((listening) => {
  server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', serverOptions: { headersTimeout: 300, requestTimeout: 900, connectionsCheckingInterval: 50 } }, (address) => { listening(address.port) })
})
if (server) answerBrokenRequests(server)
afterAll(() => { server?.close() })

/** Everything the server says until it ends the connection. */
function say(bytes: Buffer | string): Promise<string> {
  return new Promise((done) => {
    let answer = ''
    connect(port, '127.0.0.1').on('data', (data) => { answer += data.toString() }).on('close', () => { done(answer) }).on('error', () => { done(answer) }).write(bytes)
  })
}

interface Outcome { resourceType: string; issue: { severity: string; details: { text: string; coding: { code: string }[] } }[] }
const outcomeIn = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as Outcome

test.each([
  ['zh-CN', '须按百分号编码'], ['en', 'must be percent-encoded'], [null, '须按百分号编码'],
])('a Chinese name in the address that was not encoded, for a reader of %s', async (language, expected) => {
  const answer = await say(`GET /fhir/Patient?name=王 HTTP/1.1\r\nHost: x\r\n${language === null ? '' : `Accept-Language: ${language}\r\n`}\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  expect(answer).toMatch(/\r\nContent-Type: application\/fhir\+json; charset=utf-8\r\n/)
  expect(outcomeIn(answer)).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', details: { coding: [{ code: 'bad-request' }] } }] })
  expect(outcomeIn(answer).issue[0]?.details.text).toContain(expected)
  expect(Number(/Content-Length: (\d+)/.exec(answer)?.[1])).toBe(Buffer.byteLength(answer.slice(answer.indexOf('\r\n\r\n') + 4)))
})

test('headers of a hundred kilobytes', async () => {
  const answer = await say(`GET /fhir/Patient HTTP/1.1\r\nHost: x\r\nAccept-Language: en\r\nX-Long: ${'a'.repeat(100_000)}\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 431 /)
  expect(outcomeIn(answer).issue[0]?.details.text).toMatch(/too long|过长/)
})

test('headers that never end', async () => {
  const answer = await say('GET /fhir/Patient HTTP/1.1\r\nHost: x\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  expect(outcomeIn(answer).issue[0]?.details.text).toContain('限定时间')
})

test.each(['hello\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3])])('what is no HTTP at all: %j', async (bytes) => {
  const answer = await say(bytes)
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  expect(outcomeIn(answer).issue).toHaveLength(1)
})

test('the answer to a good request before it on the same connection is not mixed with it', async () => {
  const answer = await say('GET /fhir/Patient?name=%E7%8E%8B HTTP/1.1\r\nHost: x\r\n\r\nGET /fhir/Patient?name=王 HTTP/1.1\r\nHost: x\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nfine$/)
})
