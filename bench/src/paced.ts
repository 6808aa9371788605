/**
 * A load that comes by itself: requests arrive at random (a Poisson process) at a rate, whether the server keeps up or not, over so many connections. A
 * latency counts from the moment of arrival, so that what waits for a free connection is counted too. Where a loop of callers that never
 * pause shows what a server can do at most, this shows what somebody waits for who comes while others are there.
 */
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, Order } from './measure.ts'

export async function paced(order: Order, perSecond: number): Promise<Answer> {
  const agent = new Agent({ keepAlive: true, maxSockets: order.connections, scheduling: 'fifo' })
  const latencies: number[] = []
  const open = new Set<Promise<void>>()
  let failed = 0
  const began = performance.now()
  for (let due = began, turn = 0; due < began + order.seconds * 1000; due += -Math.log(1 - Math.random()) * 1000 / perSecond, turn++) {
    const wait = due - performance.now()
    if (wait > 1) await sleep(wait)
    const arrived = due
    const one = once(order, agent, turn).then((ok) => {
      if (ok) latencies.push(performance.now() - arrived)
      else failed++
    }).finally(() => open.delete(one))
    open.add(one)
  }
  await Promise.all(open)
  agent.destroy()
  latencies.sort((one, other) => one - other)
  const at = (part: number) => Math.round(latencies[Math.floor(latencies.length * part)] ?? 0)
  return { requests: latencies.length, uncounted: 0, seconds: (performance.now() - began) / 1000, p50: at(0.5), p99: at(0.99), failed }
}

function once({ url, requests, headers }: Order, agent: Agent, turn: number): Promise<boolean> {
  const { method, path, body } = requests[turn % requests.length] ?? { method: 'GET', path: '/' }
  return new Promise((done) => {
    const sent = request(`${url}${path}`, { method, agent, headers: { ...headers, Accept: 'application/fhir+json', 'Content-Type': 'application/fhir+json' } }, (answer) => {
      answer.resume()
      answer.once('end', () => { done(answer.statusCode !== undefined && answer.statusCode < 300) })
      answer.once('error', () => { done(false) })
    })
    sent.once('error', () => { done(false) })
    sent.end(body)
  })
}
