/**
 * A rush, as a process of its own: so many people, each with one request and a token of their own, over so many connections. Reads one order
 * from its input, prints one line of JSON. A connection sends the next person's request when the last was answered.
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import type { RushAnswer, RushOrder } from './rush.ts'

const order = JSON.parse(readFileSync(0, 'utf8')) as RushOrder
const agent = new Agent({ keepAlive: true, maxSockets: order.connections })
const { hostname, port } = new URL(order.url)

function send({ method, path, token, body, key }: RushOrder['requests'][number]): Promise<number> {
  return new Promise((answered, failed) => {
    const headers: Record<string, string> = { Accept: 'application/fhir+json', Authorization: `Bearer ${token}`, 'Sec-Fetch-Site': 'same-origin' }
    if (body !== null) headers['Content-Type'] = 'application/fhir+json'
    if (key !== null) headers['Idempotency-Key'] = key
    const sent = request({ agent, hostname, port, method, path, headers }, (answer) => {
      answer.resume()
      answer.once('end', () => answered(answer.statusCode ?? 0))
    })
    sent.once('error', failed)
    sent.end(body ?? undefined)
  })
}

const statuses: Record<string, number> = {}
const done: number[] = []
const refused: number[] = []
let lastDone = 0
let next = 0
const began = performance.now()
await Promise.all(Array.from({ length: order.connections }, async () => {
  for (let each = order.requests[next++]; each; each = order.requests[next++]) {
    const sent = performance.now()
    const status = await send(each)
    const answered = performance.now()
    statuses[status] = (statuses[status] ?? 0) + 1
    const isDone = status >= 200 && status < 300
    ;(isDone ? done : refused).push(answered - sent)
    if (isDone) lastDone = answered - began
  }
}))
const seconds = (performance.now() - began) / 1000
agent.destroy()

const part = (values: number[], at: number): number => values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * at))] ?? 0
const answer: RushAnswer = { seconds, statuses, done: done.length, p50: part(done, 0.5), p99: part(done, 0.99), p99All: part([...done, ...refused], 0.99), lastDoneMs: lastDone }
process.stdout.write(JSON.stringify(answer))
