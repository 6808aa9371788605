/**
 * `POST /fhir/Claim/[id]/$reverse`: undoes a settlement as a whole, first at the centre, then here: Claim, statement and
 * invoice are cancelled, a ClaimResponse with negative amounts is kept, the ledger posts the pairs the other way round, the
 * bill may be changed and settled again. The centre's reversal is idempotent, so an unanswered one is simply asked again.
 */
import type { Claim, ClaimResponse, ExplanationOfBenefit, Invoice } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { sha256Hex } from '../crypto.ts'
import { messageIdSystem, splitOf } from '../fhir/claim-message.ts'
import { fail, notFound, type Sentence } from '../fhir/outcome.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Operation, OperationCall, OperationResult } from '../records/store.ts'
import type { Write } from '../records/write-plan.ts'
import { writeResources } from '../records/write-resources.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { AttemptRequest } from './adopt-answer.ts'
import { type AttemptKey, type AttemptRow, insertAttempts, isLate, lockUndecided, markSent, markUnknown, moveAttempt } from './attempt-rows.ts'
import { lockedBill, pending, pendingSentence } from './bill-rows.ts'
import { reversalFault } from './check-answer.ts'
import { claimFacts, schemeOf } from './claim-resource.ts'
import type { GatewayAnswer, SettlementGateway } from './gateway.ts'
import { postSettlement, recordEvent } from './ledger.ts'
import { isOverdue, unpaidSentence } from './unpaid.ts'
import { assertMayReverse } from './may-settle.ts'
import { assertPeriodOpen } from './reconcile/months.ts'
import { keptClaimResponse } from './settlement-resources.ts'
import { noAnswer, rejected, type SettlementDeps, unreachable } from './submit-claim.ts'
import { idIn, loadVisit, type Visit } from './visit.ts'

export function reverseClaimOperation(gateway: SettlementGateway): Operation {
  return {
    name: '$reverse', level: 'instance', types: ['Claim'], methods: ['POST'], affectsState: true,
    summary: 'Undoes a settlement as a whole; asked again, gives the same answer.',
    run: (call) => reverse(call, gateway),
  }
}

/** Throws OutcomeError not-found, forbidden, conflict, settlement-pending, insurer-unreachable, insurer-rejected. */
async function reverse({ db, ctx, store, id }: OperationCall, gateway: SettlementGateway): Promise<OperationResult> {
  const claim = await loadResource<Claim>(db, 'Claim', id ?? '')
  const encounterId = idIn(claim?.item?.[0]?.encounter?.[0]?.reference, 'Encounter')
  const visit = encounterId === null ? null : await loadVisit(db, encounterId)
  if (!claim || !visit) throw notFound(`Claim/${id}`)
  await assertMayReverse(db, ctx, visit, `Claim/${id}`)
  const done = await earlierReversal(db, visit, id ?? '')
  const resource = done ?? await reverseNow({ db, store, gateway }, ctx, visit, claim)
  return { resource, patients: [visit.patientId] }
}

/** The answer of a reversal that was adopted before; null when there was none. */
async function earlierReversal(db: Db, visit: Visit, claimId: string): Promise<ClaimResponse | null> {
  const row = await db.selectFrom('settlement_attempt').select('answer').where('shard', '=', visit.shard).where('encounter', '=', visit.encounterKey)
    .where('kind', '=', 'reverse').where('claim_id', '=', claimId).where('state', 'in', ['confirmed', 'resolved']).executeTakeFirst()
  return row?.answer ? JSON.parse(row.answer) as ClaimResponse : null
}

export async function reverseNow(deps: SettlementDeps, ctx: Ctx, visit: Visit, claim: Claim, unpaid = false): Promise<ClaimResponse> {
  const { db, gateway } = deps
  const attempt = await prepareReversal(db, ctx, visit, claim, unpaid)
  if (!await markSent(db, ctx, attempt)) throw pending()
  const answer = await confirmed(gateway, attempt.message_id, await gateway.reverse(attempt.message_id))
  switch (answer.kind) {
    case 'answer': {
      const fault = await adoptReversal(deps, ctx, attempt, answer.response)
      if (typeof fault !== 'string') return fault ?? answer.response
      await markUnknown(db, ctx, attempt, fault)
      throw noAnswer(fault)
    }
    case 'unknown': await markUnknown(db, ctx, attempt, answer.reason); throw noAnswer(answer.reason)
    case 'not-sent': await giveUpReversal(db, ctx, attempt, answer.reason); throw unreachable(answer.reason)
    case 'rejected': await giveUpReversal(db, ctx, attempt, answer.reason); throw rejected(answer.reason)
  }
}

/** A reversal that was refused as a message may have been taken as a copy: it is refused only when the settlement still stands there. */
async function confirmed(gateway: SettlementGateway, messageId: string, answer: GatewayAnswer): Promise<GatewayAnswer> {
  if (answer.kind !== 'rejected') return answer
  const finding = await gateway.ask(messageId)
  if (finding.kind === 'found') return finding.response.status === 'cancelled' ? { kind: 'answer', response: finding.response } : answer
  // It knew the message when it settled it.
  return { kind: 'unknown', reason: finding.kind === 'not-found' ? 'the centre does not know what it settled' : finding.reason }
}

/** @param unpaid only when the patient's part is still not paid in time, as seen under the lock; null when it is. */
async function prepareReversal(db: Db, ctx: Ctx, visit: Visit, claim: Claim, unpaid = false): Promise<AttemptKey & Pick<AttemptRow, 'message_id' | 'encounter'>> {
  return inTransaction(db, async (trx) => {
    const bill = await lockedBill(trx, visit)
    if (bill.state === 'settling') throw pending()
    if (unpaid && !isOverdue(bill, ctx.now)) throw fail('conflict', { zh: '自付部分已支付。', en: 'The patient’s part has been paid.' })
    if (bill.state !== 'settled' || bill.claim_id !== claim.id) {
      throw fail('conflict', { zh: '这笔结算已不是账单当前的结算，不能撤销。', en: 'This is not the present settlement of the bill, so it can not be reversed.' })
    }
    const messageId = claim.identifier?.find((each) => each.system === messageIdSystem)?.value ?? ''
    await assertPeriodOpen(trx, messageId, visit.shard)
    const request = JSON.stringify({ sent: claim, kept: claim, encounterId: visit.encounterId, unpaid } satisfies AttemptRequest)
    const attempt = { shard: visit.shard, id: ctx.newId(visit.shard), encounter: visit.encounterKey, message_id: messageId }
    await insertAttempts(trx, [{ ctx, attempt: { ...attempt, kind: 'reverse', claim_id: claim.id ?? '', request, request_hash: sha256Hex(messageId) } }])
    await setBill(trx, ctx, attempt, { state: 'settling', message: pendingSentence })
    return attempt
  })
}

/** @returns the kept ClaimResponse, null when somebody else decided the attempt, or what is wrong with the answer. */
export async function adoptReversal({ db, store }: Omit<SettlementDeps, 'gateway'>, ctx: Ctx, key: AttemptKey, answer: ClaimResponse): Promise<ClaimResponse | string | null> {
  return inTransaction(db, async (trx) => {
    const attempt = await lockUndecided(trx, key)
    if (!attempt) return null
    const bill = await lockedBill(trx, { shard: attempt.shard, encounterKey: attempt.encounter })
    const original = await loadResource<ClaimResponse>(trx, 'ClaimResponse', bill.claim_response_id ?? '')
    const settled = splitOf(original?.total)
    const fault = reversalFault(attempt.message_id, original?.outcome === 'complete' ? settled : null, answer)
    if (fault !== null) return fault
    const { kept, encounterId, unpaid } = JSON.parse(attempt.request) as AttemptRequest
    const visit = await loadVisit(trx, encounterId)
    if (!visit || !settled) throw new Error('The visit or the answer of a settlement is gone.')
    const response = keptClaimResponse(answer, kept, ctx.newId(visit.shard))
    await writeResources(trx, ctx, store, [
      { method: 'create', type: 'ClaimResponse', id: response.id ?? null, resource: response, ifMatch: null },
      ...await cancellations(trx, bill),
    ], 'platform')
    await postSettlement(trx, ctx, { visit, attemptId: attempt.id, messageId: attempt.message_id }, settled, -1)
    if (original?.outcome === 'complete') await recordReversal(trx, ctx, visit, attempt, kept, original, answer)
    const end = { answer: JSON.stringify(response), decided_at: ctx.now }
    await moveAttempt(trx, key, ['sent', 'unknown'], attempt.state === 'unknown' ? { ...end, state: 'resolved', resolution: 'adopted' } : { ...end, state: 'confirmed' })
    await setBill(trx, ctx, attempt, { state: 'reversed', message: unpaid === true ? unpaidSentence : { zh: '结算已撤销，可以重新结算。', en: 'The settlement was reversed; the bill can be settled again.' } })
    return response
  })
}

/** In the books of the day: what the centre gave back, by its own answer. */
async function recordReversal(trx: Trx, ctx: Ctx, visit: Visit, attempt: AttemptRow, claim: Claim, original: ClaimResponse, answer: ClaimResponse): Promise<void> {
  const split = splitOf(answer.total)
  if (split) await recordEvent(trx, ctx, { visit, attemptId: attempt.id, messageId: attempt.message_id, kind: 'reverse', ...claimFacts(claim), scheme: schemeOf(original) }, answer, split)
}

async function cancellations(trx: Trx, bill: { claim_id: string | null; explanation_id: string | null; invoice_id: string | null }): Promise<Write[]> {
  const found = await Promise.all([
    loadResource<Claim>(trx, 'Claim', bill.claim_id ?? ''), loadResource<ExplanationOfBenefit>(trx, 'ExplanationOfBenefit', bill.explanation_id ?? ''),
    loadResource<Invoice>(trx, 'Invoice', bill.invoice_id ?? ''),
  ])
  return found.flatMap((resource) => (resource ? [{
    method: 'update' as const, type: resource.resourceType, id: resource.id ?? null, resource: { ...resource, status: 'cancelled' as const }, ifMatch: null,
  }] : []))
}

/** The bill stays as it was: settled. */
async function giveUpReversal(db: Db, ctx: Ctx, attempt: AttemptKey & Pick<AttemptRow, 'encounter'>, reason: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    if (!await moveAttempt(trx, attempt, ['prepared', 'sent', 'unknown'], { state: 'rejected', reason, decided_at: ctx.now })) return
    await setBill(trx, ctx, attempt, { state: 'settled', message: null })
  })
}

/** An unsent or unanswered reversal, taken up by the job. @returns whether it came to an end. */
export async function resumeReversal(deps: SettlementDeps, ctx: Ctx, attempt: AttemptRow): Promise<boolean> {
  const { db, gateway } = deps
  if (attempt.state === 'prepared') {
    await giveUpReversal(db, ctx, attempt, 'never sent')
    return true
  }
  const answer = await confirmed(gateway, attempt.message_id, await gateway.reverse(attempt.message_id))
  if (answer.kind === 'answer') {
    const fault = await adoptReversal(deps, ctx, attempt, answer.response)
    if (typeof fault !== 'string') return true
  }
  // An earlier copy may still be on its way, so a reversal that was sent once is given up only when it is late.
  if (answer.kind === 'rejected' && isLate(ctx, attempt)) {
    await giveUpReversal(db, ctx, attempt, answer.reason)
    return true
  }
  await moveAttempt(db, attempt, ['unknown'], { reason: answer.kind === 'answer' ? 'the answer is broken' : answer.reason })
  return false
}

async function setBill(trx: Trx, ctx: Ctx, at: Pick<AttemptRow, 'shard' | 'encounter'>, to: { state: 'settling' | 'settled' | 'reversed'; message: Sentence | null }): Promise<void> {
  const gone = to.state === 'reversed' ? { fund_fen: null, account_current_fen: null, account_prior_fen: null, cash_fen: null } : {}
  await trx.updateTable('bill').set({ state: to.state, message_zh: to.message?.zh ?? null, message_en: to.message?.en ?? null, updated_at: ctx.now, ...gone })
    .where('shard', '=', at.shard).where('encounter', '=', at.encounter).execute()
}
