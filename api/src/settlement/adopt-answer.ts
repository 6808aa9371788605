/**
 * Makes an answer of the centre ours, in one transaction: Claim, ClaimResponse, statement and invoice into the record, ledger
 * entries, the bill's new state, the attempt's end. Invariant: an attempt is adopted once, by whoever comes first (the request
 * that sent it or the job that asked about it); the other finds it decided and changes nothing.
 */
import type { Claim, ClaimResponse } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { fundOf, type Split, traceUrl } from '../fhir/claim-message.ts'
import type { Sentence } from '../fhir/outcome.ts'
import { sentencesOf } from '../fhir/process-notes.ts'
import { statementOf } from '../fhir/statement.ts'
import type { Store } from '../records/store.ts'
import { createForMany } from '../records/write-resources.ts'
import { batched, perDatabase } from '../storage/batched.ts'
import { insertMany, rowsOfTable } from '../storage/insert-many.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { type AttemptKey, type AttemptRow, endAttempts, lockSent, lockUndecided, moveAttempt } from './attempt-rows.ts'
import { linesAt, lockBills, lockedBill } from './bill-rows.ts'
import { payBy } from './unpaid.ts'
import { judgeAnswer, type Verdict } from './check-answer.ts'
import { claimFacts, schemeOf } from './claim-resource.ts'
import { eventRow, ledgerRows } from './ledger.ts'
import { invoiceOf, keptClaimResponse } from './settlement-resources.ts'
import { loadVisit, type Visit } from './visit.ts'

/** What `settlement_attempt.request` holds: the Claim as sent, and as it will be kept. */
export interface AttemptRequest {
  sent: Claim
  kept: Claim
  encounterId: string
  /** Settled by the patient from home: the desk is not at hand. Absent: at the desk, or by a system. */
  fromHome?: boolean
  /** Of a reversal: nobody paid in time. */
  unpaid?: boolean
}

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
    await lockedBill(trx, { shard: attempt.shard, encounterKey: attempt.encounter })
    const visit = await loadVisit(trx, request.encounterId)
    if (!visit) throw new Error('The visit of an attempt is gone.')
    const [kept] = await settleBills(trx, store, [{ ctx, attempt, visit, request, answer: response, split, message: messageOf(verdict, response) }])
    return { kind: 'settled', response: kept as ClaimResponse }
  })
}

interface Adopting { ctx: Ctx; store: Store; key: AttemptKey; visit: Visit; response: ClaimResponse }

/**
 * As `adoptAnswer`, of the call that sent it: answers that come in together share a transaction. Nobody waits there for a row of another;
 * who would have to, and whatever is no plain settlement, is adopted by itself.
 */
export async function adoptJoined(db: Db, adopting: Adopting): Promise<Adoption> {
  return await joinedAdoption(db, adopting) ?? adoptAnswer(db, adopting.ctx, adopting.store, adopting.key, adopting.response)
}

const joinedMax = 16
const joinedAdoption = perDatabase((db: Db) => batched<Adopting, Adoption | null>({
  max: joinedMax, keyOf: ({ key }) => key.id, run: (members) => inTransaction(db, (trx) => adoptMany(trx, members)), runAlone: () => Promise.resolve(null),
}))

async function adoptMany(trx: Trx, members: readonly Adopting[]): Promise<(Adoption | null)[]> {
  const attempts = await lockSent(trx, members.map(({ key }) => key))
  const bills = await lockBills(trx, members.map(({ visit }) => visit))
  const settling = members.map(({ ctx, key, visit, response }): Settling | null => {
    const attempt = attempts.get(key.id)
    if (!attempt || attempt.undo_at !== null || !bills.has(visit.encounterKey)) return null
    const request = JSON.parse(attempt.request) as AttemptRequest
    const verdict = judgeAnswer(request.sent, response)
    const split = verdict.kind === 'settled' ? verdict.split : verdict.kind === 'refused' ? verdict.selfPay : null
    return split && { ctx, attempt, visit, request, answer: response, split, message: messageOf(verdict, response) }
  })
  const [first] = members
  const kept = first ? await settleBills(trx, first.store, settling.filter((each) => each !== null)) : []
  return settling.map((each): Adoption | null => (each === null ? null : { kind: 'settled', response: kept.shift() as ClaimResponse }))
}

interface Settling { ctx: Ctx; attempt: AttemptRow; visit: Visit; request: AttemptRequest; answer: ClaimResponse; split: Split; message: Sentence | null }

/** Attempts and bills are locked. @returns each answer as it is kept. */
async function settleBills(trx: Trx, store: Store, settling: readonly Settling[]): Promise<ClaimResponse[]> {
  if (settling.length === 0) return []
  const lines = await linesAt(trx, settling.map(({ visit }) => visit))
  const kept = settling.map(({ ctx, visit, request, answer, split }, index) => {
    const ids = { response: ctx.newId(visit.shard), statement: ctx.newId(visit.shard), invoice: ctx.newId(visit.shard) }
    const response = keptClaimResponse(answer, request.kept, ids.response)
    const resources = [request.kept, response, statementOf(request.kept, withoutTrace(response), ids.statement), invoiceOf(visit, lines[index] ?? [], split, response, ids.invoice)]
    return { ids, response, creates: resources.map((resource) => ({ ctx, resource: resource as typeof resource & { id: string } })) }
  })
  const written = await createForMany(trx, store, kept.flatMap(({ creates }) => creates))
  const about = ({ visit, attempt }: Settling) => ({ visit, attemptId: attempt.id, messageId: attempt.message_id })
  await insertMany(trx, 'ledger_entry', settling.flatMap((each) => ledgerRows(each.ctx, about(each), each.split, 1)))
  await insertMany(trx, 'settlement_event', settling.filter(({ answer }) => answer.outcome === 'complete').map((each) =>
    eventRow(each.ctx, { ...about(each), kind: 'settle', ...claimFacts(each.request.sent), scheme: schemeOf(each.answer) }, each.answer, each.split)))
  await sql`update bill b set (state, fund_fen, account_current_fen, account_prior_fen, cash_fen, pay_by, message_zh, message_en, claim_id, claim_response_id, explanation_id, invoice_id, updated_at)
      = row(u.state, u.fund_fen, u.account_current_fen, u.account_prior_fen, u.cash_fen, u.pay_by, u.message_zh, u.message_en, u.claim_id, u.claim_response_id, u.explanation_id, u.invoice_id, u.updated_at)
    from ${rowsOfTable('bill', settling.map(({ ctx, attempt, request, split, message }, index) => ({
      shard: attempt.shard, encounter: attempt.encounter, state: 'settled', fund_fen: fundOf(split), account_current_fen: split['account-current'],
      account_prior_fen: split['account-prior'] + split['account-family'], cash_fen: split.cash, pay_by: split.cash > 0n ? payBy(ctx.now, request.fromHome === true) : null, message_zh: message?.zh ?? null, message_en: message?.en ?? null, claim_id: attempt.claim_id,
      claim_response_id: kept[index]?.ids.response, explanation_id: kept[index]?.ids.statement, invoice_id: kept[index]?.ids.invoice, updated_at: ctx.now,
    })))} as u where b.shard = u.shard and b.encounter = u.encounter`.execute(trx)
  await endAttempts(trx, settling.map(({ ctx, attempt, answer }, index) => ({
    shard: attempt.shard, id: attempt.id, answer: JSON.stringify(answer), decided_at: ctx.now, response_id: kept[index]?.ids.response ?? null,
    ...(attempt.state === 'unknown' ? { state: 'resolved', resolution: 'adopted' } : { state: 'confirmed', resolution: null }),
  })))
  return kept.map(({ response }, index) => {
    const stored = written[index * 4 + 1]
    return { ...response, meta: { ...response.meta, versionId: String(stored?.version ?? 1), lastUpdated: stored?.lastUpdated } }
  })
}

/** The trace of the sum is half of an answer; of what is kept only the answer itself carries it. */
function withoutTrace(response: ClaimResponse): ClaimResponse {
  return { ...response, extension: response.extension?.filter(({ url }) => url !== traceUrl) }
}

function messageOf(verdict: Verdict, response: ClaimResponse): Sentence | null {
  return verdict.kind === 'refused' ? refusalSentence(response, verdict.text) : null
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
  return sentencesOf(response.processNote)[0] ?? { zh: text, en: text }
}
