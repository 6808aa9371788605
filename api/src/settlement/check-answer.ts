/**
 * Is an answer one that we may book? Amounts are never recomputed here, but an answer that does not belong to the message or
 * does not add up is not booked: it counts as unknown, and the centre is asked again. Pure.
 */
import type { Claim, ClaimResponse } from '@medplum/fhirtypes'
import { linesFault, messageIdSystem, refusalSystem, type Split, splitFault, splitOf } from '../fhir/claim-message.ts'
import { fenOf } from '../fhir/money.ts'

export type Verdict =
  | { kind: 'settled'; split: Split }
  /** `selfPay`: the centre has decided that no fund pays and the patient pays all. */
  | { kind: 'refused'; code: string; text: string; selfPay: Split | null }
  /** The settlement was undone at the centre meanwhile. */
  | { kind: 'reversed' }
  /** The message id was used before, for another person: the answer is theirs and must not be touched. */
  | { kind: 'foreign' }
  | { kind: 'broken'; reason: string }

/** Refusals after which the bill is the patient's alone. Others can be put right and submitted again. */
const selfPayRefusals = new Set(['cross-region'])

export function judgeAnswer(claim: Claim, response: ClaimResponse): Verdict {
  const messageId = claim.identifier?.find((each) => each.system === messageIdSystem)?.value
  const answered = response.request?.identifier
  if (answered?.system !== messageIdSystem || answered.value !== messageId) return { kind: 'broken', reason: 'the answer belongs to another message' }
  const person = response.patient?.identifier?.value
  if (person !== undefined && person !== claim.patient?.identifier?.value) return { kind: 'foreign' }
  if (response.status === 'cancelled') return { kind: 'reversed' }
  if (response.status !== 'active' || response.use !== claim.use) return { kind: 'broken', reason: 'status or use of the answer is wrong' }
  const split = splitOf(response.total)
  if (!split) return { kind: 'broken', reason: 'the totals of the answer are incomplete' }
  const fault = splitFault(split) ?? linesFault(response.item, split) ?? (split.submitted === fenOf(claim.total) ? null : 'the answer is about another amount')
  if (fault !== null) return { kind: 'broken', reason: fault }
  if (response.outcome === 'complete') return { kind: 'settled', split }
  if (response.outcome !== 'error') return { kind: 'broken', reason: `outcome ${response.outcome}` }
  const code = response.error?.[0]?.code.coding?.find((each) => each.system === refusalSystem)?.code ?? 'unknown'
  return { kind: 'refused', code, text: response.disposition ?? code, selfPay: selfPayRefusals.has(code) ? split : null }
}

/** A reversal must give back exactly what was settled. @returns what is wrong, null when nothing is. */
export function reversalFault(messageId: string, settled: Split | null, response: ClaimResponse): string | null {
  const answered = response.request?.identifier
  if (answered?.system !== messageIdSystem || answered.value !== messageId || response.status !== 'cancelled') return 'the answer is no reversal of this message'
  const split = splitOf(response.total)
  if (!split) return 'the totals of the reversal are incomplete'
  if (settled && split.submitted !== -settled.submitted && split.submitted !== 0n) return 'the reversal is about another amount'
  return splitFault(split, -1)
}
