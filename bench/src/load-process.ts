/**
 * The load generator, a process of its own so that its time is not the server's: reads one order from its input, drives the
 * server with autocannon, or at a given rate, prints one line of JSON. All connections go through the requests in turn.
 */
import { readFileSync } from 'node:fs'
import autocannon, { type Request } from 'autocannon'
import type { Answer, Order, Planned } from './measure.ts'
import { paced } from './paced.ts'

const order = JSON.parse(readFileSync(0, 'utf8')) as Order

/** Requests that never change are printed once; one that carries a turn or a created path is made when its turn comes, as large bodies are. */
const isFixed = order.requests.every(({ method, body }) => method === 'GET' && body === undefined)
const fixed = (): Request[] => order.requests.map(({ path }) => ({ method: 'GET', path }))

const created: Record<string, string[]> = {}
let turn = 0

/** A number that grows takes the place of `"@turn@"`, so that an update changes something. */
function withTurn(body: string, n: number): string {
  return body.includes('"@turn@"') ? body.replace('"@turn@"', String(n / 10)) : body
}

function moving(): Request[] {
  return [{
    method: 'GET',
    setupRequest: (request: Request, context: { planned?: Planned }) => {
      let planned = order.requests[turn++ % order.requests.length] as Planned
      let { path } = planned
      if (planned.removes !== undefined) {
        const made = created[planned.removes]?.shift()
        // Nothing of the kind has been created yet: something is read instead.
        if (made === undefined) planned = { method: 'GET', path }
        else path = made
      }
      context.planned = planned
      const body = planned.body === undefined ? undefined : withTurn(planned.body, turn)
      return { ...request, method: planned.method, path, ...(body === undefined ? { body: '' } : { body }), headers: { ...request.headers, ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }) } }
    },
    onResponse: (status: number, _body: string, context: { planned?: Planned }, headers: Record<string, string> | undefined) => {
      const kind = context.planned?.keeps
      if (kind === undefined || status !== 201) return
      const location = new URL(headers?.location ?? headers?.Location ?? '', order.url).pathname.replace(/\/_history\/\d+$/, '')
      ;(created[kind] ??= []).push(location)
    },
  }]
}

process.stdout.write(JSON.stringify(order.perSecond === undefined ? await looped() : await paced(order, order.perSecond)))

async function looped(): Promise<Answer> {
  const result = await autocannon({
    url: order.url, connections: order.connections, ...(order.amount === undefined ? { duration: order.seconds } : { amount: order.amount }), timeout: 60, requests: isFixed ? fixed() : moving(),
    ...(order.runUpSeconds === undefined ? {} : { warmup: { connections: order.connections, duration: order.runUpSeconds } }),
    headers: { Accept: 'application/fhir+json', ...order.headers },
  })
  return { requests: result['2xx'], uncounted: result.warmup?.['2xx'] ?? 0, seconds: result.duration, p50: result.latency.p50, p99: result.latency.p99, failed: result.non2xx + result.errors + result.timeouts }
}
