/**
 * Rows of claims: one message id has one row and one answer for ever. What is the same however a claim was decided, here or at the
 * centre of another region.
 */
import type { Claim, ClaimResponse } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { sha256Hex } from '../crypto.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { fail } from '../fhir/outcome.ts'
import type { InsurerTrx } from '../storage/pool.ts'
import { type Centre, peerRegionOf } from './centre.ts'
import type { ClaimRequest } from './read-claim.ts'

/** What every row of a claim says, however it was decided. */
export function claimColumns(ctx: Ctx, centre: Centre, request: ClaimRequest, bodyHash: string, claim: Claim, response: ClaimResponse) {
  return {
    message_id: request.messageId, client_id: ctx.principal.id, body_hash: bodyHash, service_date: request.begunOn,
    content: JSON.stringify(claim), response_id: response.id ?? null, response: JSON.stringify(response),
    received_at: ctx.now, reversed_at: null, reversal_id: null, reversal: null, reversed_day: null,
    provider: request.provider, insured_region: request.region, treating_region: peerRegionOf(ctx.principal) ?? centre.region, medical_type: request.medicalType,
    stay: request.stay, visit: peerRegionOf(ctx.principal) === null ? request.visit : null, settled_day: dayInShanghai(ctx.now), total_fen: request.totalFen,
  }
}

/** Serialises everything about one message id, also before it has a row. */
export async function lockMessage(trx: InsurerTrx, messageId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${messageId}, 0))`.execute(trx)
}

export function answerAgain(earlier: { client_id: string; state: string; body_hash: string | null; response: string | null }, ctx: Ctx, bodyHash: string): ClaimResponse {
  if (earlier.state === 'void') {
    throw fail('conflict', { zh: '该报文在到达之前已被撤销，不再受理。请用新的报文编号重新申报。', en: 'This message was reversed before it arrived and is not taken any more. Submit under a new message id.' }, 'Claim.identifier')
  }
  if (earlier.client_id !== ctx.principal.id || earlier.body_hash !== bodyHash || earlier.response === null) {
    throw fail('idempotency-mismatch', { zh: '该报文编号已用于另一份申报。', en: 'This message id was used for a different claim.' }, 'Claim.identifier')
  }
  return JSON.parse(earlier.response) as ClaimResponse
}

export function bodyHashOf(resource: unknown): string {
  return sha256Hex(canonicalJson(resource))
}

/** JSON with sorted keys: the same claim written in another order is the same claim. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (
    typeof each === 'object' && each !== null && !Array.isArray(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each
  ))
}
