/**
 * What may be done with a bill as it stands. Insurance comes first: paying without it is offered only where the server says why
 * (`selfPay`), and insurance is not offered where none is valid. Pure.
 */
import type { Bill, BillState } from '@pujiang/api/settlement/shapes.ts'

const toSettle: readonly BillState[] = ['open', 'refused', 'reversed']

/** Its payment is not over yet. */
export function isWaiting(bill: Pick<Bill, 'state'>): boolean {
  return bill.state === 'settling' || toSettle.includes(bill.state)
}

export function maySettle(bill: Pick<Bill, 'state'>): boolean {
  return toSettle.includes(bill.state)
}

export function mayUseInsurance(bill: Pick<Bill, 'state' | 'selfPay'>): boolean {
  return maySettle(bill) && bill.selfPay !== 'no-coverage'
}

/** Settled without insurance, or nothing else is possible. A refused bill is not: the choice is still open. */
export function isSelfPaid(bill: Pick<Bill, 'state' | 'selfPay' | 'claim'>): boolean {
  return bill.state === 'settled' ? bill.claim === null : bill.selfPay === 'no-coverage'
}
