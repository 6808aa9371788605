/**
 * The load generator, a process of its own so that its time is not the server's: reads one order from its input, drives the
 * server with autocannon, prints one line of JSON. Every connection goes through the bodies in turn.
 */
import { readFileSync } from 'node:fs'
import autocannon, { type Request } from 'autocannon'
import type { Answer, Order } from './measure.ts'

const order = JSON.parse(readFileSync(0, 'utf8')) as Order
let turn = 0

const requests = order.method === 'GET'
  ? order.paths.map((path) => ({ method: 'GET', path }))
  : [{
      method: 'POST',
      path: order.paths[0] ?? '/',
      // Bodies can be large: each is put into its request when its turn comes, not kept once a connection.
      setupRequest: (request: Request) => ({ ...request, body: order.bodies[turn++ % order.bodies.length] ?? '' }),
    }]

const result = await autocannon({
  url: order.url, connections: order.connections, duration: order.seconds, timeout: 60, requests,
  headers: { Accept: 'application/fhir+json', ...(order.method === 'POST' ? { 'Content-Type': 'application/fhir+json' } : {}), ...order.headers },
})
const answer: Answer = {
  requests: result['2xx'], seconds: result.duration, p50: result.latency.p50, p99: result.latency.p99,
  failed: result.non2xx + result.errors + result.timeouts,
}
process.stdout.write(JSON.stringify(answer))
