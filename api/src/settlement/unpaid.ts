/**
 * A settlement whose patient's part nobody pays: undone when its time is up, so that no fund pays for a bill that is not paid. Pure.
 * Source: docs/settlement.md, § When something goes wrong (`cash.timeoutMinutes`).
 */
import { addMinutes, dayInShanghai } from '../fhir/date-time.ts'
import type { Sentence } from '../fhir/outcome.ts'
import type { BillRow } from './bill-rows.ts'

/** At the desk the patient stands there. */
const deskMinutes = 15

export const unpaidSentence: Sentence = {
  zh: '自付部分未在时限内支付，结算已自动撤销，可以重新结算。',
  en: 'The patient’s part was not paid in time, so the settlement was undone. The bill can be settled again.',
}

/** Until when: a quarter of an hour at the desk; from home until shortly before the day ends, as days are compared whole. */
export function payBy(at: Date, fromHome: boolean): Date {
  const soon = addMinutes(at, deskMinutes)
  const evening = new Date(`${dayInShanghai(at)}T23:30:00+08:00`)
  return fromHome && evening > soon ? evening : soon
}

/** Settled with insurance, not wholly paid, and the time is up. */
export function isOverdue(bill: Pick<BillRow, 'state' | 'claim_id' | 'cash_fen' | 'paid_fen' | 'pay_by'>, now: Date): boolean {
  return bill.state === 'settled' && bill.claim_id !== null && (bill.cash_fen ?? 0n) > bill.paid_fen && bill.pay_by !== null && Date.parse(bill.pay_by) <= now.getTime()
}
