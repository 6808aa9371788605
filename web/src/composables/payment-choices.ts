/** What money may be taken or given back at the desk as a bill stands, mirroring the server's rules so that only what works is offered. Pure. */
import type { Bill, BillPayment } from '@pujiang/api/settlement/shapes.ts'

export interface PaymentChoice {
  kind: BillPayment['kind']
  channels: BillPayment['channel'][]
  /** Null: no bound but the server's. */
  mostFen: number | null
}

const tills = ['cash', 'card', 'mobile'] as const

export function paymentChoices(bill: Pick<Bill, 'state' | 'dueFen' | 'depositFen' | 'inpatient' | 'totalFen'>): PaymentChoice[] {
  const { state, dueFen, depositFen, inpatient, totalFen } = bill
  if (state === 'settling') return []
  const choices: PaymentChoice[] = []
  if (dueFen > 0) {
    if (depositFen > 0) choices.push({ kind: 'payment', channels: ['deposit'], mostFen: Math.min(dueFen, depositFen) })
    else choices.push({ kind: 'payment', channels: [...tills], mostFen: dueFen })
  }
  if (dueFen < 0) choices.push({ kind: 'refund', channels: [...tills], mostFen: -dueFen })
  if (inpatient && state !== 'settled') choices.push({ kind: 'deposit', channels: [...tills], mostFen: null })
  if (inpatient && depositFen > 0 && dueFen <= 0 && (state === 'settled' || totalFen === 0)) choices.push({ kind: 'deposit-refund', channels: [...tills], mostFen: depositFen })
  return choices
}

/** `138.46` → 13846; null for anything that is no amount above zero in whole fen. */
export function fenOfText(text: string): number | null {
  const found = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(text.trim())
  if (!found) return null
  const fen = Number(found[1]) * 100 + Number((found[2] ?? '').padEnd(2, '0'))
  return fen > 0 ? fen : null
}
