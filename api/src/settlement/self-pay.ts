/**
 * A settlement without insurance: the patient pays the whole bill. Only where no insurance is valid on the day of the visit or
 * the centre refused the claim, and only when somebody chose it (`selfPay`), so that nobody loses insurance by accident.
 * Nothing leaves the house and there is no attempt: one transaction under the lock of the bill. A Claim and an
 * ExplanationOfBenefit need an insurance (R4), so the record keeps an Invoice alone, known by its self-pay number.
 */
import type { Invoice } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { emptySplit, selfPayNumberSystem, type Split } from '../fhir/claim-message.ts'
import { instantInShanghai } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import { fail, notFound, type OutcomeError, type Sentence } from '../fhir/outcome.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Operation, OperationCall, OperationResult, Store } from '../records/store.ts'
import { writeResources } from '../records/write-resources.ts'
import { answerOnce } from '../storage/answer-once.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { assertBillIsOpen, assertLines, billLines, type BillRow, lockBill, lockedBill } from './bill-rows.ts'
import { newMessageId } from './claim-resource.ts'
import { postSettlement } from './ledger.ts'
import { assertMayReverse } from './may-settle.ts'
import { invoiceOf } from './settlement-resources.ts'
import type { SelfPayCause } from './shapes.ts'
import { idIn, insuranceOn, loadVisit, type Visit } from './visit.ts'

export const selfPayScheme: Sentence = { zh: '自费', en: 'Self-pay' }

/** Why a bill is, or would be, the patient's alone. */
export const selfPaySentences: Record<SelfPayCause, Sentence> = {
  'no-coverage': { zh: '就诊当日没有有效的医疗保险，费用全部由个人支付。', en: 'No insurance was valid on the day of the visit, so the patient pays everything.' },
  refused: { zh: '医保中心未受理，已选择自费结算，费用全部由个人支付。', en: 'The insurance centre refused the claim and self-pay was chosen, so the patient pays everything.' },
}

export function coverageMissing(): OutcomeError {
  return fail('coverage-missing', {
    zh: '就诊当日没有有效的医疗保险，不能用医保结算。如确认自费，请选择“自费结算”（参数 selfPay 为 true）。',
    en: 'There was no valid insurance on the day of the visit. To pay without insurance, choose so (parameter `selfPay` true).',
  })
}

/** Nobody but the patient pays; outside of insurance, the whole bill is own expense. */
export function selfPaySplit(totalFen: bigint): Split {
  return { ...emptySplit(), submitted: totalFen, fullself: totalFen, cash: totalFen }
}

/** Why a bill may be settled without insurance now; null when it may not. */
export async function selfPayCause(db: Db, visit: Visit, bill: Pick<BillRow, 'state'>): Promise<SelfPayCause | null> {
  if (bill.state === 'settled' || bill.state === 'settling') return null
  if (!await insuranceOn(db, visit)) return 'no-coverage'
  return bill.state === 'refused' && await centreRefused(db, visit) ? 'refused' : null
}

/** The centre said no, in its answer or to the message as such. */
async function centreRefused(db: Db, visit: Visit): Promise<boolean> {
  const attempt = await db.selectFrom('settlement_attempt').select('state').where('shard', '=', visit.shard)
    .where('encounter', '=', visit.encounterKey).where('kind', '=', 'settle').orderBy('created_at', 'desc').orderBy('id', 'desc').limit(1).executeTakeFirst()
  return attempt?.state === 'rejected'
}

interface Deps { db: Db; store: Store }

/** Throws OutcomeError settled-already, settlement-pending, bill-empty, amount-mismatch, business-rule, idempotency-mismatch. */
export async function settleAsSelfPay({ db, store }: Deps, ctx: Ctx, visit: Visit, idempotencyKey: string | null): Promise<Invoice> {
  return inTransaction(db, (trx) => answerOnce(trx, ctx, { key: idempotencyKey, request: `self-pay ${visit.encounterId}` }, async () => {
    const bill = await lockBill(trx, ctx, visit)
    assertBillIsOpen(bill)
    const lines = await billLines(trx, visit)
    assertLines(lines, bill.total_fen)
    const cause = await selfPayCause(trx, visit, bill)
    if (cause === null) {
      throw fail('business-rule', {
        zh: '就诊当日有有效的医疗保险，请用医保结算。只有医保中心未受理时，才能改为自费。',
        en: 'Insurance was valid on the day of the visit, so settle with insurance. Only what the insurance centre refused can be paid without it.',
      })
    }
    const split = selfPaySplit(bill.total_fen)
    const message = selfPaySentences[cause]
    const number = newMessageId(`SP${visit.institutionCode ?? ''}`, ctx.now, ctx.newId)
    const about = { identifier: [{ system: selfPayNumberSystem, value: number }], created: instantInShanghai(ctx.now) }
    const invoice: Invoice = { ...invoiceOf(visit, lines, split, about, ctx.newId(visit.shard)), note: [{ text: message.zh }] }
    const invoiceId = invoice.id ?? ''
    const [written] = await writeResources(trx, ctx, store, [{ method: 'create', type: 'Invoice', id: invoiceId, resource: invoice, ifMatch: null }], 'platform')
    // The ledger names what caused an entry: an attempt, or here, where none is, the invoice.
    await postSettlement(trx, ctx, { visit, attemptId: keyOf(invoiceId), messageId: number }, split, 1)
    await setBill(trx, ctx, visit, {
      state: 'settled', fund_fen: 0n, account_current_fen: 0n, account_prior_fen: 0n, cash_fen: bill.total_fen, visit_number: null, message_zh: message.zh, message_en: message.en,
      claim_id: null, claim_response_id: null, explanation_id: null, invoice_id: invoiceId,
    })
    return { ...invoice, meta: { versionId: String(written?.version ?? 1), lastUpdated: written?.lastUpdated } }
  }))
}

export const reverseInvoiceOperation: Operation = {
  name: '$reverse', level: 'instance', types: ['Invoice'], methods: ['POST'], affectsState: true,
  summary: 'Undoes a settlement without insurance as a whole; asked again, gives the same cancelled invoice. One with insurance is undone by its Claim.',
  run: reverseInvoice,
}

/** Throws OutcomeError not-found, forbidden, conflict. */
async function reverseInvoice({ db, ctx, store, id }: OperationCall): Promise<OperationResult> {
  const invoice = await loadResource<Invoice>(db, 'Invoice', id ?? '')
  const patientId = idIn(invoice?.subject?.reference, 'Patient')
  if (!invoice || patientId === null) throw notFound(`Invoice/${id}`)
  await assertMayReverse(db, ctx, { pid: keyOf(patientId), organizationId: idIn(invoice.issuer?.reference, 'Organization') ?? '' }, `Invoice/${id}`)
  const visit = await visitOfInvoice(db, invoice)
  if (!visit) throw notFound(`Invoice/${id}`)
  return { resource: await reverseSelfPay({ db, store }, ctx, visit, id ?? ''), patients: [visit.patientId] }
}

/** The ledger knows which visit a self-pay invoice settled, also after the bill has gone on. Throws OutcomeError conflict. */
async function visitOfInvoice(db: Db, invoice: Invoice): Promise<Visit | null> {
  const number = selfPayNumberOf(invoice)
  if (number === undefined) throw fail('conflict', { zh: '这张票据不是自费结算的，请撤销对应的医保结算（Claim）。', en: 'This invoice is not of a settlement without insurance. Reverse its Claim instead.' })
  const entry = await db.selectFrom('ledger_entry as e').innerJoin('bill as b', (join) => join.onRef('b.encounter', '=', 'e.encounter').onRef('b.shard', '=', 'e.shard'))
    .select('b.encounter_id').where('e.message_id', '=', number).where('e.attempt', '=', keyOf(invoice.id ?? '')).limit(1).executeTakeFirst()
  return entry ? loadVisit(db, entry.encounter_id) : null
}

function selfPayNumberOf(invoice: Invoice): string | undefined {
  return invoice.identifier?.find((each) => each.system === selfPayNumberSystem)?.value
}

async function reverseSelfPay({ db, store }: Deps, ctx: Ctx, visit: Visit, id: string): Promise<Invoice> {
  return inTransaction(db, async (trx) => {
    const bill = await lockedBill(trx, visit)
    const invoice = await loadResource<Invoice>(trx, 'Invoice', id)
    if (!invoice) throw notFound(`Invoice/${id}`)
    if (invoice.status === 'cancelled') return invoice
    if (bill.state !== 'settled' || bill.invoice_id !== id) {
      throw fail('conflict', { zh: '这笔结算已不是账单当前的结算，不能撤销。', en: 'This is not the present settlement of the bill, so it can not be reversed.' })
    }
    const cancelled: Invoice = { ...invoice, status: 'cancelled' }
    const [written] = await writeResources(trx, ctx, store, [{ method: 'update', type: 'Invoice', id, resource: cancelled, ifMatch: null }], 'platform')
    await postSettlement(trx, ctx, { visit, attemptId: keyOf(id), messageId: selfPayNumberOf(invoice) ?? '' }, selfPaySplit(bill.total_fen), -1)
    await setBill(trx, ctx, visit, {
      state: 'reversed', fund_fen: null, account_current_fen: null, account_prior_fen: null, cash_fen: null,
      message_zh: '结算已撤销，可以重新结算。', message_en: 'The settlement was reversed; the bill can be settled again.',
    })
    return { ...cancelled, meta: { ...cancelled.meta, versionId: String(written?.version ?? ''), lastUpdated: written?.lastUpdated } }
  })
}

async function setBill(trx: Trx, ctx: Ctx, visit: Visit, to: Partial<Omit<BillRow, 'shard' | 'encounter' | 'updated_at'>>): Promise<void> {
  await trx.updateTable('bill').set({ ...to, updated_at: ctx.now }).where('shard', '=', visit.shard).where('encounter', '=', visit.encounterKey).execute()
}
