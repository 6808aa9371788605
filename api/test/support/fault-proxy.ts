/**
 * A network that fails on purpose: an HTTP proxy between the platform and a centre. Each message about a settlement (submit, ask,
 * reverse) is one step of that settlement's life, and the test says which fault befalls which step. Tokens always pass.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { afterAll } from 'vitest'

/**
 * `dropped`: never arrives; `lost`: the answer is cut off; `late`: the answer comes after the caller gave up; `doubled`: arrives
 * twice, the second answer is passed on; `reordered`: held back until another message of the same settlement has passed, or
 * `release`; `broken`: arrives with a byte changed; `garbled`: the answer comes back with its end missing; `doubled-broken`: the
 * second copy has a byte changed, and its answer is passed on.
 */
export const networkFaults = ['none', 'dropped', 'lost', 'late', 'doubled', 'reordered', 'broken', 'garbled', 'doubled-broken'] as const
export type NetworkFault = (typeof networkFaults)[number]

interface Message { method: string; path: string; headers: IncomingMessage['headers']; body: Buffer }
interface Answer { status: number; type: string; body: Buffer }

export interface FaultProxy {
  url: string
  /** What befalls the messages of a settlement from now on, in order; those after the last pass. Known by the insured-person number. */
  plan(psnNo: string, faults: readonly NetworkFault[]): void
  /** Lets everything that was held back arrive now. */
  release(): Promise<void>
  /** How often each fault happened. */
  counts: Record<NetworkFault, number>
}

/** Call at the top level of a test file. @param timeoutMs how long callers wait. */
export async function faultProxy(target: string, timeoutMs: number): Promise<FaultProxy> {
  const plans = new Map<string, NetworkFault[]>()
  const owners = new Map<string, string>()
  const held = new Map<string, Message[]>()
  const counts = Object.fromEntries(networkFaults.map((fault) => [fault, 0])) as Record<NetworkFault, number>

  const forward = (message: Message) => new Promise<Answer>((answered, failed) => {
    const passed = request(new URL(message.path, target), { method: message.method, headers: { ...message.headers, host: new URL(target).host, connection: 'close' } }, (reply) => {
      const pieces: Buffer[] = []
      reply.on('data', (piece: Buffer) => pieces.push(piece))
      reply.on('end', () => answered({ status: reply.statusCode ?? 502, type: reply.headers['content-type'] ?? '', body: Buffer.concat(pieces) }))
      reply.on('error', failed)
    })
    passed.on('error', failed)
    passed.end(message.body)
  })

  /** Message id of a step; null for anything that is not about one settlement. */
  function settlementOf({ path, body }: Message): string | null {
    const inPath = /Claim\/([A-Z0-9]{30})\/(?:\$|%24)reverse/.exec(path)?.[1] ?? /request-identifier=[^&]*%7C([A-Z0-9]{30})/.exec(path)?.[1]
    if (inPath) return inPath
    const claim = /"value":"([A-Z0-9]{30})"/.exec(body.toString('latin1'))?.[1]
    const person = /psn_no:\d{6}","value":"([^"]+)"/.exec(body.toString('latin1'))?.[1]
    if (claim && person && !body.includes('"predetermination"')) owners.set(claim, person)
    return claim ?? null
  }

  async function arriveLate(settlement: string): Promise<void> {
    const waiting = held.get(settlement) ?? []
    held.delete(settlement)
    for (const message of waiting) await forward(message).catch(() => {})
  }

  async function pass(message: Message, socketCut: () => void): Promise<Answer | null> {
    const settlement = settlementOf(message)
    const person = settlement === null ? undefined : owners.get(settlement)
    const fault = (person === undefined ? undefined : plans.get(person)?.shift()) ?? 'none'
    counts[fault]++
    switch (fault) {
      case 'dropped': socketCut(); return null
      case 'reordered': held.set(settlement ?? '', [...held.get(settlement ?? '') ?? [], message]); socketCut(); return null
      case 'lost': await forward(message).catch(() => {}); socketCut(); return null
      case 'late': {
        const answer = await forward(message)
        await new Promise((done) => { setTimeout(done, timeoutMs * 1.5) })
        return answer
      }
      case 'doubled': await forward(message); return forward(message)
      case 'doubled-broken': await forward(message); return forward(withBrokenByte(message))
      case 'broken': return forward(withBrokenByte(message))
      case 'garbled': { const answer = await forward(message); return { ...answer, body: answer.body.subarray(0, Math.floor(answer.body.length * 0.7)) } }
      case 'none': {
        const answer = await forward(message)
        if (settlement !== null) await arriveLate(settlement)
        return answer
      }
    }
  }

  const server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    const pieces: Buffer[] = []
    incoming.on('data', (piece: Buffer) => pieces.push(piece))
    incoming.on('end', () => {
      const message = { method: incoming.method ?? 'GET', path: incoming.url ?? '/', headers: incoming.headers, body: Buffer.concat(pieces) }
      pass(message, () => { incoming.socket.destroy() }).then((answer) => {
        if (answer && !outgoing.destroyed) outgoing.writeHead(answer.status, { 'Content-Type': answer.type, Connection: 'close' }).end(answer.body)
      }, () => { incoming.socket.destroy() })
    })
  })
  await new Promise<void>((listens) => { server.listen(0, '127.0.0.1', listens) })
  afterAll(() => { server.closeAllConnections(); server.close() })
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, counts,
    plan(psnNo, faults) { plans.set(psnNo, [...faults]) },
    async release() { for (const settlement of held.keys()) await arriveLate(settlement) },
  }
}

/** One byte of the body changed, or of the message id in the path when there is no body. */
function withBrokenByte(message: Message): Message {
  if (message.body.length === 0) return { ...message, path: message.path.replace(/([A-Z0-9]{26})[A-Z0-9]{4}/, '$1!!!!') }
  const body = Buffer.from(message.body)
  const at = Math.floor(body.length / 2)
  body[at] = (body[at] ?? 0) ^ 1
  return { ...message, body }
}
