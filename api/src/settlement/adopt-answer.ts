/**
 * Makes an answer of the centre ours, in one transaction: Claim, ClaimResponse, statement and invoice into the record, ledger
 * entries, the bill's new state, the attempt's end. Invariant: an attempt is adopted once, by whoever comes first (the request
 * that sent it or the job that asked about it); the other finds it decided and changes nothing.
 */
import type { Claim, ClaimResponse, ExplanationOfBenefit, Invoice } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { fundOf, type Split } from '../fhir/claim-message.ts'
import type { Sentence } from '../fhir/outcome.ts'
import type { Store } from '../records/store.ts'
import type { Write } from '../records/write-plan.ts'
import { writeResources } from '../records/write-resources.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { type AttemptKey, type AttemptRow, lockUndecided, moveAttempt } from './attempt-rows.ts'
import { billLines, lockedBill } from './bill-rows.ts'
import { judgeAnswer } from './check-answer.ts'
import { claimFacts, schemeOf } from './claim-resource.ts'
import { postSettlement, recordEvent } from './ledger.ts'
import { invoiceOf, keptClaimResponse, statementOf } from './settlement-resources.ts'
import { loadVisit } from './visit.ts'

/** What `settlement_attempt.request` holds: the Claim as sent, and as it will be kept. */
export interface AttemptRequest { sent: Claim; kept: Claim; encounterId: string }

export type Adoption =
  | { kind: 'settled'; response: ClaimResponse }
  | { kind: 'refused'; text: string }
  | { kind: 'reversed' }
  | { kind: 'foreign' }
  | { kind: 'broken'; reason: string }
  /** Somebody else decided it first. */
  | { kind: 'decided' }

export async function adoptAnswer(db: Db, ctx: Ctx, store: Store, key: AttemptKey, response: ClaimResponse): Promise<Adoption> {
  return inTransaction(db, async (trx): Promise<Adoption> => {
    const attempt = await lockUndecided(trx, key)
    if (!attempt || attempt.undo_at !== null) return { kind: 'decided' }
    const request = JSON.parse(attempt.request) as AttemptRequest
    const verdict = judgeAnswer(request.sent, response)
    if (verdict.kind === 'broken') return verdict
    const end = { answer: JSON.stringify(response), decided_at: ctx.now }
    if (verdict.kind === 'foreign') {
      await moveAttempt(trx, key, ['sent', 'unknown'], { state: 'rejected', reason: 'the message id was taken', decided_at: ctx.now })
      await reopenBill(trx, ctx, attempt)
      return verdict
    }
    if (verdict.kind === 'reversed') {
      await moveAttempt(trx, key, ['sent', 'unknown'], { ...end, state: 'resolved', resolution: 'reversed' })
      await reopenBill(trx, ctx, attempt)
      return verdict
    }
    const split = verdict.kind === 'settled' ? verdict.split : verdict.selfPay
    if (split === null) {
      const text = verdict.kind === 'refused' ? verdict.text : ''
      await moveAttempt(trx, key, ['sent', 'unknown'], { ...end, state: 'rejected', reason: text })
      await refuseBill(trx, ctx, attempt, refusalSentence(response, text))
      return { kind: 'refused', text }
    }
    await moveAttempt(trx, key, ['sent', 'unknown'], attempt.state === 'unknown' ? { ...end, state: 'resolved', resolution: 'adopted' } : { ...end, state: 'confirmed' })
    const message = verdict.kind === 'refused' ? refusalSentence(response, verdict.text) : null
    return { kind: 'settled', response: await settleBill(trx, ctx, store, attempt, request, response, split, message) }
  })
}

async function settleBill(
  trx: Trx, ctx: Ctx, store: Store, attempt: AttemptRow, request: AttemptRequest, answer: ClaimResponse, split: Split, message: Sentence | null,
): Promise<ClaimResponse> {
  const at = { shard: attempt.shard, encounterKey: attempt.encounter }
  await lockedBill(trx, at)
  const visit = await loadVisit(trx, request.encounterId)
  if (!visit) throw new Error('The visit of an attempt is gone.')
  const ids = { response: ctx.newId(visit.shard), statement: ctx.newId(visit.shard), invoice: ctx.newId(visit.shard) }
  const response = keptClaimResponse(answer, request.kept, ids.response)
  const invoice = invoiceOf(visit, await billLines(trx, at), split, response, ids.invoice)
  const written = await writeResources(trx, ctx, store, [
    create(request.kept), create(response), create(statementOf(request.kept, response, ids.statement)), create(invoice),
  ], 'platform')
  await postSettlement(trx, ctx, { visit, attemptId: attempt.id, messageId: attempt.message_id }, split, 1)
  if (answer.outcome === 'complete') {
    await recordEvent(trx, ctx, { visit, attemptId: attempt.id, messageId: attempt.message_id, kind: 'settle', ...claimFacts(request.sent), scheme: schemeOf(answer) }, answer, split)
  }
  await trx.updateTable('bill').set({
    state: 'settled', fund_fen: fundOf(split), account_current_fen: split['account-current'], account_prior_fen: split['account-prior'] + split['account-family'],
    cash_fen: split.cash, message_zh: message?.zh ?? null, message_en: message?.en ?? null,
    claim_id: attempt.claim_id, claim_response_id: ids.response, explanation_id: ids.statement, invoice_id: ids.invoice, updated_at: ctx.now,
  }).where('shard', '=', at.shard).where('encounter', '=', at.encounterKey).execute()
  await moveAttempt(trx, attempt, ['confirmed', 'resolved'], { response_id: ids.response })
  const stored = written[1]
  return { ...response, meta: { ...response.meta, versionId: String(stored?.version ?? 1), lastUpdated: stored?.lastUpdated } }
}

function create(resource: Claim | ClaimResponse | ExplanationOfBenefit | Invoice): Write {
  return { method: 'create', type: resource.resourceType, id: resource.id ?? null, resource, ifMatch: null }
}

/** The bill may be settled anew. */
export async function reopenBill(trx: Trx, ctx: Ctx, attempt: Pick<AttemptRow, 'shard' | 'encounter'>): Promise<void> {
  await trx.updateTable('bill').set({ state: 'open', message_zh: null, message_en: null, updated_at: ctx.now })
    .where('shard', '=', attempt.shard).where('encounter', '=', attempt.encounter).where('state', '=', 'settling').execute()
}

export async function refuseBill(trx: Trx, ctx: Ctx, attempt: Pick<AttemptRow, 'shard' | 'encounter'>, message: Sentence): Promise<void> {
  await trx.updateTable('bill').set({ state: 'refused', message_zh: message.zh, message_en: message.en, updated_at: ctx.now })
    .where('shard', '=', attempt.shard).where('encounter', '=', attempt.encounter).execute()
}

/** The centre's own words in both languages; the Chinese stands in where it says nothing in English. */
function refusalSentence(response: ClaimResponse, text: string): Sentence {
  const note = (language: string) => response.processNote?.find((each) => each.language?.coding?.some((coding) => coding.code === language))?.text
  return { zh: note('zh') ?? text, en: note('en') ?? text }
}
