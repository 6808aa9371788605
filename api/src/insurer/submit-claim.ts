/**
 * Takes a Claim: a predetermination is answered without a trace, a claim is settled once. Claim, answer, accumulators, account
 * balances and fund entries are one transaction under the person's row lock. Invariant: one message id has one answer for
 * ever; the same message again gets it, another body under the same id is refused, and so is a message reversed before it came.
 */
import type { Claim, ClaimResponse } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { sha256Hex } from '../crypto.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { fail } from '../fhir/outcome.ts'
import type { InsurerDb, InsurerTrx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { adjudicate, type Adjudication } from './adjudicate.ts'
import { refusedResponse, settledResponse } from './claim-response.ts'
import { loadStanding, type Standing } from './coverage-facts.ts'
import { postEntries, settlementEntries } from './fund-entries.ts'
import { type ClaimRequest, readClaim } from './read-claim.ts'
import { type Centre, frameOf } from './centre.ts'

/** Throws OutcomeError value-invalid, amount-mismatch, idempotency-mismatch, conflict. */
export async function submitClaim(db: InsurerDb, ctx: Ctx, centre: Centre, claim: Claim): Promise<ClaimResponse> {
  const request = readClaim(claim, dayInShanghai(ctx.now))
  if (request.use === 'predetermination') return (await decide(db, ctx, centre, request, false)).response
  return inTransaction(db, (trx) => settle(trx, ctx, centre, claim, request))
}

async function settle(trx: InsurerTrx, ctx: Ctx, centre: Centre, claim: Claim, request: ClaimRequest): Promise<ClaimResponse> {
  await lockMessage(trx, request.messageId)
  const bodyHash = sha256Hex(canonicalJson(claim))
  const earlier = await trx.selectFrom('claim').select(['client_id', 'state', 'body_hash', 'response'])
    .where('message_id', '=', request.messageId).executeTakeFirst()
  if (earlier) return answerAgain(earlier, ctx, bodyHash)

  const { standing, adjudication, response } = await decide(trx, ctx, centre, request, true)
  const grows = growth(request, adjudication)
  await trx.insertInto('claim').values({
    message_id: request.messageId, client_id: ctx.principal.id, state: adjudication ? 'settled' : 'refused', body_hash: bodyHash,
    psn_no: standing?.person.psn_no ?? null, scheme: standing?.scheme ?? null, year_from: standing?.yearFrom ?? null, service_date: request.serviceDate,
    policy: standing?.policy.id ?? null, content: JSON.stringify(claim), response_id: response.id ?? null, response: JSON.stringify(response),
    received_at: ctx.now, ...grows, reversed_at: null, reversal_id: null, reversal: null,
  }).execute()
  if (standing && adjudication) {
    await useUp(trx, standing, grows)
    await postEntries(trx, ctx, { messageId: request.messageId, kind: 'settle', provider: request.provider }, settlementEntries(standing.scheme, standing.person.psn_no, adjudication.split))
  }
  return response
}

/** Serialises everything about one message id, also before it has a row. */
export async function lockMessage(trx: InsurerTrx, messageId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${messageId}, 0))`.execute(trx)
}

function answerAgain(earlier: { client_id: string; state: string; body_hash: string | null; response: string | null }, ctx: Ctx, bodyHash: string): ClaimResponse {
  if (earlier.state === 'void') {
    throw fail('conflict', { zh: '该报文在到达之前已被撤销，不再受理。请用新的报文编号重新申报。', en: 'This message was reversed before it arrived and is not taken any more. Submit under a new message id.' }, 'Claim.identifier')
  }
  if (earlier.client_id !== ctx.principal.id || earlier.body_hash !== bodyHash || earlier.response === null) {
    throw fail('idempotency-mismatch', { zh: '该报文编号已用于另一份申报。', en: 'This message id was used for a different claim.' }, 'Claim.identifier')
  }
  return JSON.parse(earlier.response) as ClaimResponse
}

interface Decision { standing: Standing | null; adjudication: Adjudication | null; response: ClaimResponse }

async function decide(db: InsurerDb, ctx: Ctx, centre: Centre, request: ClaimRequest, lock: boolean): Promise<Decision> {
  const frame = frameOf(ctx, centre)
  const standing = await loadStanding(db, centre.region, { region: request.region, psnNo: request.psnNo, day: request.serviceDate }, { lock })
  if ('refusal' in standing) return { standing: null, adjudication: null, response: refusedResponse(frame, request, standing.refusal) }
  const { category } = request
  if (category === null || !standing.policy.categories[category]) return { standing, adjudication: null, response: refusedResponse(frame, request, 'category-not-offered') }
  const { person, used } = standing
  const adjudication = adjudicate({
    policy: standing.policy, category, level: request.level, insured: standing.insured, lines: request.lines,
    criticalIllness: false, aid: person.aid && standing.policy.aid !== null && category === 'inpatient',
    used: { deductibleFen: category === 'inpatient' ? used.deductibleInpatientFen : used.deductibleOutpatientFen, aboveDeductibleFen: used.aboveDeductibleFen, aidFen: used.aidFen },
    account: { currentFen: person.account_current_fen, priorFen: person.account_prior_fen },
  })
  return { standing, adjudication, response: settledResponse(frame, request, standing.scheme, standing.policy, adjudication) }
}

/** What the claim uses up, as kept in its row so that a reversal gives exactly that back. */
function growth(request: ClaimRequest, adjudication: Adjudication | null) {
  const grows = adjudication?.grows ?? { deductibleFen: 0n, aboveDeductibleFen: 0n, aidFen: 0n }
  return {
    deductible_outpatient_fen: request.category === 'inpatient' ? 0n : grows.deductibleFen,
    deductible_inpatient_fen: request.category === 'inpatient' ? grows.deductibleFen : 0n,
    above_deductible_fen: grows.aboveDeductibleFen,
    aid_fen: grows.aidFen,
    account_current_fen: adjudication?.split['account-current'] ?? 0n,
    account_prior_fen: adjudication?.split['account-prior'] ?? 0n,
  }
}

async function useUp(trx: InsurerTrx, standing: Standing, grows: ReturnType<typeof growth>): Promise<void> {
  const { account_current_fen: current, account_prior_fen: prior, ...accumulators } = grows
  await trx.insertInto('accumulator').values({ psn_no: standing.person.psn_no, scheme: standing.scheme, year_from: standing.yearFrom, ...accumulators })
    .onConflict((conflict) => conflict.columns(['psn_no', 'scheme', 'year_from']).doUpdateSet((eb) => ({
      deductible_outpatient_fen: eb('accumulator.deductible_outpatient_fen', '+', accumulators.deductible_outpatient_fen),
      deductible_inpatient_fen: eb('accumulator.deductible_inpatient_fen', '+', accumulators.deductible_inpatient_fen),
      above_deductible_fen: eb('accumulator.above_deductible_fen', '+', accumulators.above_deductible_fen),
      aid_fen: eb('accumulator.aid_fen', '+', accumulators.aid_fen),
    }))).execute()
  await trx.updateTable('insured_person').set((eb) => ({
    account_current_fen: eb('account_current_fen', '-', current), account_prior_fen: eb('account_prior_fen', '-', prior),
  })).where('psn_no', '=', standing.person.psn_no).execute()
}

/** JSON with sorted keys: the same claim written in another order is the same claim. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (
    typeof each === 'object' && each !== null && !Array.isArray(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each
  ))
}
