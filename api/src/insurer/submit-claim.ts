/**
 * Takes a Claim: a predetermination is answered without a trace, a claim is settled once. Claim, answer, accumulators, account
 * balances and fund entries are one transaction under the person's row lock. Invariant: one message id has one answer for
 * ever; the same message again gets it, another body under the same id is refused, and so is a message reversed before it came.
 */
import type { Claim, ClaimResponse } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { fundOf, holdsDivision } from '../fhir/claim-message.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { fail } from '../fhir/outcome.ts'
import type { InsurerDb, InsurerTrx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { adjudicate, type Adjudication } from './adjudicate.ts'
import { assertCatalogue } from './catalogue.ts'
import { type Centre, frameOf, peerRegionOf, wayTo } from './centre.ts'
import { answerAgain, bodyHashOf, claimColumns, lockMessage } from './claim-rows.ts'
import { type Refusal, refusedResponse, settledResponse } from './claim-response.ts'
import { diseaseIsFiled, filingFor, loadStanding, type Standing, stayFacts, usedFor } from './coverage-facts.ts'
import { forwardClaim } from './forward.ts'
import { postEntries, settlementEntries } from './fund-entries.ts'
import { type ClaimRequest, readClaim } from './read-claim.ts'
import { regionTerms } from './transitions.ts'
import { assertDetails } from './visit-details.ts'

/** Throws OutcomeError value-invalid, amount-mismatch, region-wrong, charge-unknown, idempotency-mismatch, conflict. */
export async function submitClaim(db: InsurerDb, ctx: Ctx, centre: Centre, claim: Claim): Promise<ClaimResponse> {
  const request = readClaim(claim, dayInShanghai(ctx.now))
  assertTreatedHere(ctx, centre, request)
  const fromHere = peerRegionOf(ctx.principal) === null
  if (fromHere) await assertCatalogue(db, request)
  if (fromHere && request.use === 'predetermination') await assertDetails(db, ctx, request, false)
  const peer = fromHere ? wayTo(centre, request.region) : null
  if (peer) return forwardClaim(db, ctx, centre, peer, claim, request)
  if (request.use === 'predetermination') return (await decide(db, ctx, centre, request, false)).response
  return inTransaction(db, (trx) => settle(trx, ctx, centre, claim, request))
}

/** Institutions of this region send here; another centre sends what was treated in its own region. */
function assertTreatedHere(ctx: Ctx, centre: Centre, request: ClaimRequest): void {
  const region = peerRegionOf(ctx.principal) ?? centre.region
  if (holdsDivision(region, request.division)) return
  throw fail('region-wrong', {
    zh: `机构编码 ${request.provider} 不属于${region === centre.region ? centre.name.zh : region}，请向就医地的医保中心申报。`,
    en: `Institution ${request.provider} is not in ${region === centre.region ? centre.name.en : region}. Submit to the centre of the place of treatment.`,
  }, 'Claim.provider.identifier')
}

async function settle(trx: InsurerTrx, ctx: Ctx, centre: Centre, claim: Claim, request: ClaimRequest): Promise<ClaimResponse> {
  await lockMessage(trx, request.messageId)
  const bodyHash = bodyHashOf(claim)
  const earlier = await trx.selectFrom('claim').select(['client_id', 'state', 'body_hash', 'response'])
    .where('message_id', '=', request.messageId).executeTakeFirst()
  if (earlier) return answerAgain(earlier, ctx, bodyHash)
  if (peerRegionOf(ctx.principal) === null) await assertDetails(trx, ctx, request, true)

  const { standing, adjudication, response } = await decide(trx, ctx, centre, request, true)
  const grows = growth(request, adjudication)
  await trx.insertInto('claim').values({
    ...claimColumns(ctx, centre, request, bodyHash, claim, response), state: adjudication ? 'settled' : 'refused',
    psn_no: standing?.psnNo ?? null, scheme: standing?.scheme ?? null, year_from: standing?.yearFrom ?? null,
    policy: adjudication ? standing?.policy.id ?? null : null, ...grows,
    fund_fen: adjudication ? fundOf(adjudication.split) : 0n, cash_fen: adjudication?.split.cash ?? request.totalFen,
  }).execute()
  if (standing && adjudication) {
    await useUp(trx, standing, grows)
    await postEntries(trx, ctx, { messageId: request.messageId, kind: 'settle', provider: request.provider },
      settlementEntries(standing.scheme, standing.psnNo, adjudication.split, peerRegionOf(ctx.principal)))
  }
  return response
}

interface Decision { standing: Standing | null; adjudication: Adjudication | null; response: ClaimResponse }

async function decide(db: InsurerDb, ctx: Ctx, centre: Centre, request: ClaimRequest, lock: boolean): Promise<Decision> {
  const frame = frameOf(ctx, centre)
  const { kind } = request
  const insuredDay = kind?.stay && regionTerms(centre.region).inpatientDay === 'discharge' ? request.endedOn : request.begunOn
  const standing = await loadStanding(db, centre.region, { region: request.region, psnNo: request.psnNo, insuredDay, benefitDay: request.endedOn }, { lock })
  if ('refusal' in standing) return { standing: null, adjudication: null, response: refusedResponse(frame, request, standing.refusal) }
  const refuse = (refusal: Refusal): Decision => ({ standing, adjudication: null, response: refusedResponse(frame, request, refusal) })
  if (kind === null || !standing.policy.categories[kind.category]) return refuse('category-not-offered')
  if (kind.needsDiseaseFiling && !await diseaseIsFiled(db, standing.psnNo, request.begunOn, request.diagnoses)) return refuse('disease-not-filed')
  const stay = request.stay === null ? { number: 1, deductibleFen: 0n } : await stayFacts(db, standing, request.stay)
  const filing = await filingFor(db, centre.region, standing, { division: request.division, day: request.begunOn, urgent: kind.urgent })
  const adjudication = adjudicate({
    policy: standing.policy, category: kind.category, at: { level: request.level, stay: stay.number }, insured: standing.insured, filing, lines: request.lines,
    criticalIllness: isCritical(standing, request.diagnoses), aid: standing.aid, used: usedFor(standing, kind, stay.deductibleFen), account: standing.account,
  })
  return { standing, adjudication, response: settledResponse(frame, request, standing.scheme, standing.policy, adjudication) }
}

function isCritical({ policy }: Standing, diagnoses: readonly string[]): boolean {
  const illnesses = policy.criticalIllness?.illnesses ?? []
  return illnesses === 'all' || illnesses.some((prefix) => diagnoses.some((code) => code.startsWith(prefix)))
}

/** What the claim uses up, as kept in its row so that a reversal gives exactly that back. */
function growth(request: ClaimRequest, adjudication: Adjudication | null) {
  const grows = adjudication?.grows
  const category = request.kind?.category
  return {
    deductible_outpatient_fen: category === 'inpatient' ? 0n : grows?.deductibleFen ?? 0n,
    deductible_inpatient_fen: category === 'inpatient' ? grows?.deductibleFen ?? 0n : 0n,
    above_deductible_fen: grows?.aboveDeductibleFen ?? 0n,
    outpatient_above_fen: category === 'outpatient' ? grows?.categoryAboveFen ?? 0n : 0n,
    above_cap_fen: grows?.aboveCapFen ?? 0n,
    self_fen: grows?.selfFen ?? 0n,
    aid_fen: grows?.aidFen ?? 0n,
    account_current_fen: adjudication?.split['account-current'] ?? 0n,
    account_prior_fen: adjudication?.split['account-prior'] ?? 0n,
  }
}

async function useUp(trx: InsurerTrx, standing: Standing, grows: ReturnType<typeof growth>): Promise<void> {
  const { account_current_fen: current, account_prior_fen: prior, ...accumulators } = grows
  await trx.insertInto('accumulator').values({ psn_no: standing.psnNo, scheme: standing.scheme, year_from: standing.yearFrom, ...accumulators })
    .onConflict((conflict) => conflict.columns(['psn_no', 'scheme', 'year_from']).doUpdateSet((eb) => ({
      deductible_outpatient_fen: eb('accumulator.deductible_outpatient_fen', '+', accumulators.deductible_outpatient_fen),
      deductible_inpatient_fen: eb('accumulator.deductible_inpatient_fen', '+', accumulators.deductible_inpatient_fen),
      above_deductible_fen: eb('accumulator.above_deductible_fen', '+', accumulators.above_deductible_fen),
      outpatient_above_fen: eb('accumulator.outpatient_above_fen', '+', accumulators.outpatient_above_fen),
      above_cap_fen: eb('accumulator.above_cap_fen', '+', accumulators.above_cap_fen),
      self_fen: eb('accumulator.self_fen', '+', accumulators.self_fen),
      aid_fen: eb('accumulator.aid_fen', '+', accumulators.aid_fen),
    }))).execute()
  if (current + prior === 0n) return
  await trx.updateTable('insured_person').set((eb) => ({
    account_current_fen: eb('account_current_fen', '-', current), account_prior_fen: eb('account_prior_fen', '-', prior),
  })).where('psn_no', '=', standing.psnNo).execute()
}
