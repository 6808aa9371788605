/**
 * `POST /fhir/Claim/$submit`: what a visit would cost whom (predetermination), or its settlement (claim). Order of a
 * settlement: the attempt with its message id is committed; marked as sent; sent, outside any transaction; the answer adopted
 * in one. Whatever stops in between is finished by `resolve-attempts`. A message is never sent twice. With `selfPay` nothing is
 * sent at all: `self-pay`.
 */
import type { ClaimResponse, Parameters } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { fail, notFound, OutcomeError } from '../fhir/outcome.ts'
import { utf8 } from '../fhir/utf8.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Operation, OperationCall, OperationResult, Store } from '../records/store.ts'
import { assertKey } from '../storage/answer-once.ts'
import type { Db } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { adoptJoined, refuseBill, reopenBill } from './adopt-answer.ts'
import { type AttemptRow, markSent, markUndone, markUnknown, moveAttempt } from './attempt-rows.ts'
import { assertBillIsOpen, findBill, pending } from './bill-rows.ts'
import { judgeAnswer } from './check-answer.ts'
import type { SettlementGateway } from './gateway.ts'
import { assertMaySettle } from './may-settle.ts'
import { loadBasis, prepareClaim, type PreparedAttempt, prepareJoined } from './prepare-attempt.ts'
import { settleAsSelfPay } from './self-pay.ts'
import { ensureUploaded, hasSteps } from './upload-details.ts'
import { idIn, loadVisit, type Visit } from './visit.ts'

export interface SettlementDeps { db: Db; store: Store; gateway: SettlementGateway }

export function submitClaimOperation(gateway: SettlementGateway): Operation {
  return {
    name: '$submit', level: 'type', types: ['Claim'], methods: ['POST'], affectsState: true,
    summary: 'Settles a visit with the insurance centre (use=claim), or says who would pay what (use=predetermination). With selfPay=true the patient pays all, where no insurance is valid or the centre refused.',
    run: (call) => submit(call, gateway),
  }
}

/**
 * Throws OutcomeError required, not-found, forbidden, bill-empty, coverage-missing, settled-already, settlement-pending (409, or
 * 503 when this very call ended without an answer), insurer-unreachable, insurer-rejected, amount-mismatch, business-rule.
 */
async function submit(call: OperationCall, gateway: SettlementGateway): Promise<OperationResult> {
  const { db, ctx, store, idempotencyKey } = call
  const { encounterId, use, selfPay } = readParameters(call.body)
  const visit = await loadVisit(db, encounterId)
  if (!visit) throw notFound(`Encounter/${encounterId}`)
  await assertMaySettle(db, ctx, visit, `Encounter/${encounterId}`)
  const deps = { db, store, gateway }
  const patients = [visit.patientId]
  if (use === 'predetermination') {
    const resource = await estimateVisit(deps, ctx, visit)
    // As it came, so no number in it has digits that JavaScript would write otherwise.
    return { resource: null, bytes: utf8(JSON.stringify(resource)), patients }
  }
  return { resource: await (selfPay ? settleAsSelfPay(deps, ctx, visit, idempotencyKey) : settleVisit(deps, ctx, visit, idempotencyKey)), patients }
}

function readParameters(body: unknown): { encounterId: string; use: 'claim' | 'predetermination'; selfPay: boolean } {
  const { resourceType, parameter } = (body ?? {}) as Partial<Parameters>
  const find = (name: string) => (resourceType === 'Parameters' && Array.isArray(parameter) ? parameter.find((each) => each?.name === name) : undefined)
  const encounterId = idIn(find('encounter')?.valueReference?.reference, 'Encounter')
  if (encounterId === null) throw fail('required', { zh: '请用 Parameters 提交参数 encounter（就诊的引用）。', en: 'Send Parameters with `encounter`, a reference to the visit.' }, "Parameters.parameter.where(name='encounter').value")
  const use = find('use')?.valueCode ?? find('use')?.valueString
  if (use !== 'claim' && use !== 'predetermination') throw fail('value-invalid', { zh: '参数 use 须为 claim 或 predetermination。', en: '`use` must be claim or predetermination.' }, "Parameters.parameter.where(name='use').value")
  return { encounterId, use, selfPay: readChoice(find('selfPay'), use) }
}

/** To go without insurance is said outright or not at all: anything but a boolean is refused rather than guessed. */
function readChoice(parameter: { valueBoolean?: unknown } | undefined, use: 'claim' | 'predetermination'): boolean {
  if (parameter === undefined) return false
  const expression = "Parameters.parameter.where(name='selfPay').value"
  if (typeof parameter.valueBoolean !== 'boolean') throw fail('value-invalid', { zh: '参数 selfPay 须为 valueBoolean，值为 true 或 false。', en: '`selfPay` must be a valueBoolean, true or false.' }, expression)
  if (parameter.valueBoolean && use !== 'claim') throw fail('value-invalid', { zh: '参数 selfPay 只用于正式结算（use 为 claim）。', en: '`selfPay` goes with a settlement (use=claim) only.' }, expression)
  return parameter.valueBoolean
}

/** A predetermination; leaves no trace on either side. Throws as `submit`. */
export async function estimateVisit({ db, gateway }: SettlementDeps, ctx: Ctx, visit: Visit): Promise<ClaimResponse> {
  const [bill, basis] = await Promise.all([findBill(db, visit), loadBasis(db, visit)])
  assertBillIsOpen({ state: bill?.state ?? 'open' })
  const { claim } = prepareClaim(ctx, visit, 'predetermination', bill?.total_fen ?? 0n, basis)
  const answer = await gateway.submit(claim)
  if (answer.kind === 'rejected') throw rejected(answer.reason)
  if (answer.kind !== 'answer') throw unreachable(answer.reason)
  const verdict = judgeAnswer(claim, answer.response)
  if (verdict.kind === 'refused' && verdict.selfPay === null) throw rejected(verdict.text)
  if (verdict.kind !== 'settled' && verdict.kind !== 'refused') throw unreachable('reason' in verdict ? verdict.reason : verdict.kind)
  return { ...answer.response, id: undefined, patient: { reference: `Patient/${visit.patientId}`, ...answer.response.patient } }
}

/** @param idempotencyKey of the caller: the same key for a visit that it settled gets the same answer. */
async function settleVisit(deps: SettlementDeps, ctx: Ctx, visit: Visit, idempotencyKey: string | null): Promise<ClaimResponse> {
  const { db, gateway } = deps
  const first = await answerOfKey(db, ctx, visit, idempotencyKey)
  if (first) return first
  if (await hasSteps(db, visit)) await ensureUploaded(deps, ctx, visit)
  const { attempt, claim } = await prepareJoined(db, ctx, visit, idempotencyKey)
  if (!await markSent(db, ctx, attempt)) throw pending()
  const answer = await gateway.submit(claim)
  switch (answer.kind) {
    case 'answer': return finish(deps, ctx, visit, attempt, answer.response)
    case 'unknown': await markUnknown(db, ctx, attempt, answer.reason); throw noAnswer(answer.reason)
    case 'not-sent': await giveUp(db, ctx, attempt, answer.reason, 'open'); throw unreachable(answer.reason)
    case 'rejected': return afterRejection(deps, ctx, visit, attempt, answer.reason)
  }
}

/**
 * The message was refused as such. A copy of it may have been taken all the same (sent twice on the way, one of them broken), so
 * the centre is asked, and what is not there is barred before the bill may be settled anew.
 */
async function afterRejection(deps: SettlementDeps, ctx: Ctx, visit: Visit, attempt: PreparedAttempt, reason: string): Promise<ClaimResponse> {
  const { db, gateway } = deps
  const finding = await gateway.ask(attempt.message_id)
  if (finding.kind === 'found') return finish(deps, ctx, visit, attempt, finding.response)
  const barred = finding.kind === 'not-found' && await markUndone(db, ctx, attempt) ? await gateway.reverse(attempt.message_id) : null
  if (barred?.kind === 'answer' && barred.response.status === 'cancelled') {
    await giveUp(db, ctx, attempt, reason, 'refused')
    throw rejected(reason)
  }
  await markUnknown(db, ctx, attempt, reason)
  throw noAnswer(reason)
}

/** What the same caller was answered under the same key; null when that settled nothing. */
async function answerOfKey(db: Db, ctx: Ctx, visit: Visit, key: string | null): Promise<ClaimResponse | null> {
  if (key === null) return null
  assertKey(key)
  const row = await db.selectFrom('settlement_attempt').select('response_id').where('shard', '=', visit.shard).where('encounter', '=', visit.encounterKey)
    .where('kind', '=', 'settle').where('idempotency_key', '=', key).where('principal_id', '=', ctx.principal.id).where('response_id', 'is not', null).executeTakeFirst()
  return row?.response_id ? loadResource<ClaimResponse>(db, 'ClaimResponse', row.response_id) : null
}

async function finish({ db, store }: SettlementDeps, ctx: Ctx, visit: Visit, attempt: Pick<AttemptRow, 'shard' | 'id'>, response: ClaimResponse): Promise<ClaimResponse> {
  const adoption = await adoptJoined(db, { ctx, store, key: attempt, visit, response })
  switch (adoption.kind) {
    case 'settled': return adoption.response
    case 'refused': throw rejected(adoption.text)
    case 'broken': await markUnknown(db, ctx, attempt, adoption.reason); throw noAnswer(adoption.reason)
    case 'foreign': throw unreachable('the message id was taken')
    case 'reversed':
    case 'decided': throw pending()
  }
}

/** Nothing happened at the centre: the attempt ends, the bill may be settled again. */
async function giveUp(db: Db, ctx: Ctx, attempt: Pick<AttemptRow, 'shard' | 'id' | 'encounter'>, reason: string, bill: 'open' | 'refused'): Promise<void> {
  await inTransaction(db, async (trx) => {
    if (!await moveAttempt(trx, attempt, ['sent', 'unknown'], { state: 'rejected', reason, decided_at: ctx.now })) return
    if (bill === 'open') await reopenBill(trx, ctx, attempt)
    else await refuseBill(trx, ctx, attempt, { zh: `医保中心未受理：${reason}`, en: `The insurance centre did not take the claim: ${reason}` })
  })
}

/** This very call ended without an answer: the state is unknown, and a job finds it out. */
export function noAnswer(reason: string): OutcomeError {
  return new OutcomeError(pending().issues, { status: 503, headers: { 'Retry-After': '10' }, cause: new Error(reason) })
}

export function unreachable(reason: string): OutcomeError {
  const { issues } = fail('insurer-unreachable', { zh: '暂时连不上医保中心，本次没有扣款。请稍后再试。', en: 'The insurance centre can not be reached at the moment. Nothing was charged; please try again later.' })
  return new OutcomeError(issues, { headers: { 'Retry-After': '30' }, cause: new Error(reason) })
}

export function rejected(text: string): OutcomeError {
  return fail('insurer-rejected', { zh: `医保中心未受理：${text}`, en: `The insurance centre refused: ${text}` })
}
