/** Connections that trickle, stall or idle are ended by Node with our limits; the limits are shortened here so that the test need not wait. */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve, type ServerType } from '@hono/node-server'
import { Hono } from 'hono'
import { afterAll, expect, test } from 'vitest'
import { socketLimits } from '../src/process.ts'

const short = { headersTimeout: 300, requestTimeout: 900, keepAliveTimeout: 200, connectionsCheckingInterval: 50 }
let received = 0
const app = new Hono().post('/echo', async (c) => {
  const text = await c.req.text()
  received++
  return c.text(String(text.length))
})
let server: ServerType | null = null
const port = await new Promise<number>((listening) => {
  server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', serverOptions: short }, (address) => { listening(address.port) })
})
afterAll(() => { server?.close() })

/** Writes the parts, so many milliseconds apart, and gives what came back until the server ended the connection. */
async function trickle(parts: readonly string[], pauseMs: number): Promise<{ answer: string; ended: boolean }> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  let ended = false
  socket.on('data', (data) => { answer += data.toString() }).on('close', () => { ended = true }).on('error', () => { ended = true })
  for (const part of parts) {
    if (ended) break
    socket.write(part)
    await sleep(pauseMs)
  }
  for (let tries = 0; !ended && tries < 60; tries++) await sleep(50)
  socket.destroy()
  return { answer, ended }
}

const head = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 20\r\n'

test('headers that trickle end with 408', async () => {
  const { answer, ended } = await trickle([...head].slice(0, 40), 25)
  expect([answer.split('\r\n')[0], ended]).toEqual(['HTTP/1.1 408 Request Timeout', true])
})

test('a body that trickles ends with 408, and nothing of it reaches a handler', async () => {
  const before = received
  const { answer, ended } = await trickle([`${head}\r\n`, ...Array.from({ length: 19 }, () => 'x')], 60)
  expect([answer.split('\r\n')[0], ended, received]).toEqual(['HTTP/1.1 408 Request Timeout', true, before])
})

test('a slow body within the limit is answered, and the idle connection ends after that', async () => {
  const { answer, ended } = await trickle([`${head}\r\n`, ...Array.from({ length: 20 }, () => 'x')], 20)
  expect([answer.split('\r\n')[0], answer.endsWith('20'), ended]).toEqual(['HTTP/1.1 200 OK', true, true])
})

test('the limits are in the order in which they make sense', () => {
  expect(socketLimits.connectionsCheckingInterval).toBeLessThan(socketLimits.headersTimeout)
  expect(socketLimits.headersTimeout).toBeLessThan(socketLimits.requestTimeout)
})
