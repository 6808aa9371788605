/**
 * Money at the desk: what a patient pays of a settled bill, what is given back when a settlement was undone or came out lower, and
 * the deposit of a stay. One transaction under the lock of the bill writes the payment, its PaymentNotice, the invoice's state
 * and one ledger pair. Invariants: never more is taken than is owed, never more given back than was taken, and what a bill owes
 * is its cash part less what was paid, so a bill settled anew for less owes the difference to the patient. Payments are never
 * changed; a wrong one is given back.
 */
import type { Account, Invoice, PaymentNotice } from '@medplum/fhirtypes'
import { signInRequired } from '../access/may-write.ts'
import { scopeGrants } from '../access/scopes.ts'
import type { Ctx } from '../ctx.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import { yuanText } from '../fhir/money.ts'
import { fail, notFound, type OutcomeError } from '../fhir/outcome.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import type { Write } from '../records/write-plan.ts'
import { writeResources } from '../records/write-resources.ts'
import { answerOnce } from '../storage/answer-once.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { PaymentTable } from '../storage/tables.ts'
import { inTransaction } from '../storage/transaction.ts'
import { type BillRow, lockBill, pending } from './bill-rows.ts'
import { postPair } from './ledger.ts'
import { paymentNotice, stayAccount } from './payment-resources.ts'
import { loadVisit, type Visit } from './visit.ts'

export interface PaymentOrder {
  kind: PaymentTable['kind']
  channel: PaymentTable['channel']
  amountFen: bigint
  /** Number of the card or mobile channel; null for cash and from the deposit. */
  reference: string | null
}

const depositFenMax = 50_000_000n

/** What is to be taken (above zero) or given back (below) at the desk. */
export function dueFen(bill: Pick<BillRow, 'state' | 'cash_fen' | 'paid_fen'>): bigint {
  return (bill.state === 'settled' ? bill.cash_fen ?? 0n : 0n) - bill.paid_fen
}

/**
 * Throws OutcomeError sign-in-required, not-found, settlement-pending, amount-mismatch, business-rule, idempotency-mismatch.
 * @returns the notice; the same key gets the same one.
 */
export async function takePayment(deps: { db: Db; store: Store }, ctx: Ctx, encounterId: string, order: PaymentOrder, idempotencyKey: string | null): Promise<PaymentNotice> {
  const visit = await loadVisit(deps.db, encounterId)
  if (!visit || !mayTakeMoney(ctx, visit.organizationId)) throw notFound(`Encounter/${encounterId}`)
  const once = { key: idempotencyKey, request: `payment ${encounterId} ${order.kind} ${order.channel} ${order.amountFen} ${order.reference ?? ''}` }
  return inTransaction(deps.db, (trx) => answerOnce(trx, ctx, once, () => take(trx, ctx, deps.store, visit, order)))
}

/** The registration office of the institution, and systems with the scope. Throws OutcomeError sign-in-required. */
export function mayTakeMoney(ctx: Ctx, organizationId: string): boolean {
  const { principal } = ctx
  if (principal.kind === 'anonymous') throw signInRequired()
  if (principal.kind === 'client') return scopeGrants(principal.scopes, 'PaymentNotice', 'c')
  return principal.role === 'scheduler' && principal.organization === organizationId
}

async function take(trx: Trx, ctx: Ctx, store: Store, visit: Visit, order: PaymentOrder): Promise<PaymentNotice> {
  const bill = await lockBill(trx, ctx, visit)
  if (bill.state === 'settling') throw pending()
  const fault = paymentFault(bill, visit, order)
  if (fault) throw fault
  const id = keyOf(ctx.newId(visit.shard))
  const { kind, channel, amountFen, reference } = order
  const account = kind === 'deposit' && bill.account_id === null ? stayAccount(visit, ctx.newId(visit.shard), ctx.now) : null
  const accountId = account?.id ?? bill.account_id
  const notice = paymentNotice(visit, order, { id: ctx.newId(visit.shard), number: id, invoiceId: bill.invoice_id, accountId, at: ctx.now })
  const moves = billMoves(order)
  const after = { ...bill, paid_fen: bill.paid_fen + moves.paid, deposit_fen: bill.deposit_fen + moves.deposit }
  await writeResources(trx, ctx, store, [
    ...(account ? [created(account)] : []), created(notice), ...await invoiceWrite(trx, after),
  ], 'platform')
  await trx.insertInto('payment').values({
    shard: visit.shard, id, encounter: visit.encounterKey, organization_id: visit.organizationId, kind, channel, amount_fen: amountFen, reference,
    invoice_id: kind === 'payment' || kind === 'refund' ? bill.invoice_id : null, notice_id: notice.id ?? '', day: dayInShanghai(ctx.now), recorded_at: ctx.now,
    principal_id: ctx.principal.id, principal_name: ctx.principal.name,
  }).execute()
  await postPair(trx, ctx, { visit, attemptId: id, messageId: id }, moves.debit, moves.credit, amountFen)
  await trx.updateTable('bill').set({ paid_fen: after.paid_fen, deposit_fen: after.deposit_fen, account_id: accountId, updated_at: ctx.now })
    .where('shard', '=', visit.shard).where('encounter', '=', visit.encounterKey).execute()
  return notice
}

/** What a payment does to the bill and which accounts it moves between. Pure. */
function billMoves({ kind, channel, amountFen }: PaymentOrder): { paid: bigint; deposit: bigint; debit: string; credit: string } {
  const held = channel === 'deposit' ? 'deposit' : `till-${channel}`
  const fromDeposit = channel === 'deposit' ? amountFen : 0n
  switch (kind) {
    case 'payment': return { paid: amountFen, deposit: -fromDeposit, debit: held, credit: 'cash' }
    case 'refund': return { paid: -amountFen, deposit: fromDeposit, debit: 'cash', credit: held }
    case 'deposit': return { paid: 0n, deposit: amountFen, debit: held, credit: 'deposit' }
    case 'deposit-refund': return { paid: 0n, deposit: -amountFen, debit: 'deposit', credit: held }
  }
}

/** What is wrong with an order as the bill stands; null when nothing is. Pure. */
export function paymentFault(bill: Pick<BillRow, 'state' | 'cash_fen' | 'paid_fen' | 'deposit_fen' | 'total_fen'>, visit: Pick<Visit, 'medicalType'>, order: PaymentOrder): OutcomeError | null {
  const due = dueFen(bill)
  const { kind, channel, amountFen, reference } = order
  if ((channel === 'card' || channel === 'mobile') && !reference?.trim()) {
    return fail('required', { zh: '银行卡或移动支付须填写交易流水号。', en: 'A card or mobile payment needs the number of the transaction.' }, 'reference')
  }
  const tooMuch = (most: bigint) => (amountFen > most
    ? fail('amount-mismatch', { zh: `金额超出，最多 ${yuanText(most)} 元。请刷新后重试。`, en: `That is too much: at most ¥${yuanText(most)}. Reload and try again.` }, 'amountFen') : null)
  switch (kind) {
    case 'payment': {
      if (bill.state !== 'settled') return fail('business-rule', { zh: '账单尚未结算，不能收款。', en: 'The bill is not settled yet, so nothing can be taken for it.' })
      if (due <= 0n) return fail('business-rule', { zh: '这张账单没有待收款项。', en: 'There is nothing left to take for this bill.' })
      return tooMuch(due) ?? (channel === 'deposit' ? tooMuch(bill.deposit_fen) : null)
    }
    case 'refund': return due >= 0n ? fail('business-rule', { zh: '这张账单没有待退款项。', en: 'There is nothing to give back for this bill.' }) : tooMuch(-due)
    case 'deposit':
    case 'deposit-refund': {
      if (visit.medicalType !== '21' || channel === 'deposit') return fail('business-rule', { zh: '只有住院才收退预交金，并须注明收退方式。', en: 'Deposits are for stays in hospital, and name how the money was taken or given.' })
      if (kind === 'deposit') return bill.state === 'settled' ? fail('settled-already', { zh: '这次住院已经结算，不再收预交金。', en: 'The stay has been settled: no deposit is taken any more.' }) : tooMuch(depositFenMax - bill.deposit_fen)
      if (bill.state !== 'settled' && bill.total_fen > 0n) return fail('business-rule', { zh: '住院费用结算后才能退还预交金。', en: 'The deposit is given back once the stay is settled.' })
      return due > 0n ? fail('business-rule', { zh: '请先收齐自付部分，再退预交金。', en: 'Take the patient part first, then give back the deposit.' }) : tooMuch(bill.deposit_fen)
    }
  }
}

function created(resource: Account | PaymentNotice): Write {
  return { method: 'create', type: resource.resourceType, id: resource.id ?? null, resource, ifMatch: null }
}

/** The invoice of a settled bill is balanced once nothing is owed. */
async function invoiceWrite(trx: Trx, bill: BillRow): Promise<Write[]> {
  if (bill.state !== 'settled' || bill.invoice_id === null) return []
  const invoice = await loadResource<Invoice>(trx, 'Invoice', bill.invoice_id)
  const status = dueFen(bill) === 0n ? 'balanced' : 'issued'
  if (!invoice || invoice.status === status) return []
  return [{ method: 'update', type: 'Invoice', id: bill.invoice_id, resource: { ...invoice, status }, ifMatch: null }]
}
