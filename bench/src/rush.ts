/** A rush on one server and what it cost: how many were served, how long they waited, CPU time a request. */
import { childJson, cpuOf, type Watched } from './measure.ts'

export interface RushOrder {
  url: string
  connections: number
  /** One a person, in the order they come. */
  requests: { method: 'GET' | 'POST'; path: string; token: string; body: string | null; key: string | null }[]
}

/** Milliseconds; `p50` and `p99` of those who got what they wanted, `p99All` of everybody. */
export interface RushAnswer { seconds: number; statuses: Record<string, number>; done: number; p50: number; p99: number; p99All: number; lastDoneMs: number }

export interface Rush extends RushAnswer { answersPerSecond: number; donePerSecond: number; nodeMicros: number | null; postgresMicros: number | null }

export async function rush(order: RushOrder, watched: Watched): Promise<Rush> {
  const before = cpuOf(watched)
  const answer = await childJson<RushAnswer>('rush-process.ts', order)
  const after = cpuOf(watched)
  const each = (kind: 'server' | 'postgres') => (before && after ? Math.round((after[kind] - before[kind]) / order.requests.length) : null)
  return {
    ...answer, answersPerSecond: order.requests.length / answer.seconds, donePerSecond: answer.done / answer.seconds, nodeMicros: each('server'), postgresMicros: each('postgres'),
  }
}
