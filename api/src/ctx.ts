/**
 * What a domain function may know about the moment it runs in. Passed by hand, never ambient, so that clock, ids and
 * caller are the test's to choose. This is the only file that reads the clock or makes random ids.
 */
import { randomUUID } from 'node:crypto'
import type { Principal } from './access/principal.ts'
import type { Language } from './fhir/outcome.ts'
import { newResourceId } from './fhir/id.ts'

export interface Ctx {
  principal: Principal
  /** The instant of the request, fixed for its whole duration. */
  now: Date
  /** Language of sentences in the reply. */
  language: Language
  /** Joins log, audit and reply of one request. */
  requestId: string
  /** A new FHIR id whose 12 shard bits are `shard` (0..4095); a random shard when null. */
  newId(shard: number | null): string
}

export function makeCtx(principal: Principal, given: Partial<Ctx> = {}): Ctx {
  return {
    principal,
    now: given.now ?? new Date(),
    language: given.language ?? 'zh',
    requestId: given.requestId ?? randomUUID(),
    newId: given.newId ?? newResourceId,
  }
}

/** Who asks, with everything a decision may rest on: all of a Ctx but the moment, the words and the ids of the request. Equal texts, equal decisions. */
export function callerOf(ctx: Ctx): string {
  const { now: _now, language: _language, requestId: _requestId, newId: _newId, ...caller } = ctx
  return JSON.stringify(caller)
}

/** Joins the log, audit and reply of one request. */
export function newRequestId(): string {
  return randomUUID()
}

/** The clock, for processes and loops that have no request. */
export function systemNow(): Date {
  return new Date()
}

/** Monotonic milliseconds, for durations only. */
export function monotonicMs(): number {
  return performance.now()
}
