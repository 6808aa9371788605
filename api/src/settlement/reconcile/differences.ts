/**
 * What may differ between our books and the centre's, as a table: what it means and what is to be done. `classify` decides from
 * facts alone, so every class has its case in a test. Each difference has an owner (the office until a person takes it), an age,
 * the money at risk and the proposed correcting entries; it stands as a row and as a Task. Source: docs/settlement.md, § Days compared.
 */
import type { DayRow } from '../../fhir/clearing-message.ts'
import type { Sentence } from '../../fhir/outcome.ts'
import type { DifferenceTable } from '../../storage/tables.ts'

export type DifferenceClass = DifferenceTable['class']
/** One side of a difference, amounts as in a day row. */
export type Side = Pick<DayRow, 'kind' | 'totalFen' | 'fundFen' | 'accountFen' | 'cashFen' | 'settlementId'>
/** A pair to be posted here: `debit` gets what `credit` gives. */
export interface ProposedEntry { debit: string; credit: string; fen: string }

export interface DifferenceFacts {
  ours: Side | null
  theirs: Side | null
  /** The same message and kind on the day before or after: on our side when only the centre has it today, on theirs otherwise. */
  nextDoor: boolean
  /** The settlement itself stands on both sides; of a reversal. */
  settledOnBoth: boolean
  /** Our attempt under this message has no end yet. */
  undecided: boolean
}

export const differenceClasses: Record<DifferenceClass, { name: Sentence; action: Sentence; dueDays: number }> = {
  'centre-only': {
    name: { zh: '中心有、院内无', en: 'At the centre only' }, dueDays: 1,
    action: { zh: '核对病人是否已离院：已离院则在院内补记，否则在中心撤销。', en: 'Has the patient left with the goods and the bill? Then book it here, else reverse it at the centre.' },
  },
  'ours-only': {
    name: { zh: '院内有、中心无', en: 'In our books only' }, dueDays: 1,
    action: { zh: '再次查询中心；确实没有则冲销院内记账，征得病人同意后重新结算。', en: 'Ask the centre again; if it has nothing, void it here and settle anew with the patient’s consent.' },
  },
  amount: {
    name: { zh: '金额不符', en: 'Amounts differ' }, dueDays: 1,
    action: { zh: '逐项核对基金和账户，撤销后重新结算。', en: 'Compare funds and accounts, reverse, settle anew.' },
  },
  state: {
    name: { zh: '状态不符：一方已撤销', en: 'One side has reversed it' }, dueDays: 1,
    action: { zh: '在另一方完成撤销。', en: 'Finish the reversal on the other side.' },
  },
  'day-shift': {
    name: { zh: '跨日', en: 'On the neighbouring day' }, dueDays: 3,
    action: { zh: '金额一致，只是记账日相差一天，无需处理。', en: 'The amounts agree and only the day differs: nothing to do.' },
  },
  undecided: {
    name: { zh: '结果未定', en: 'Not decided' }, dueDays: 1,
    action: { zh: '系统仍在向中心核实，请勿重新结算；中心恢复后自动结案。', en: 'The system is still asking the centre. Do not settle again; it closes by itself once the centre answers.' },
  },
  'till-short': {
    name: { zh: '短款', en: 'Till short' }, dueDays: 3,
    action: { zh: '核对当日收款记录和票据，三日内补收或报损。', en: 'Check the payments and receipts of the day; collect or book the loss within three days.' },
  },
  'till-over': {
    name: { zh: '长款', en: 'Till over' }, dueDays: 3,
    action: { zh: '核对当日收款记录和票据，三日内退还或挂账。', en: 'Check the payments and receipts of the day; give back or book it within three days.' },
  },
}

/** Only for what differs. Pure. */
export function classify({ ours, theirs, nextDoor, settledOnBoth, undecided }: DifferenceFacts): DifferenceClass {
  if (ours && theirs) return 'amount'
  if (nextDoor) return 'day-shift'
  if ((ours ?? theirs)?.kind === 'reverse' && settledOnBoth) return 'state'
  if (undecided) return 'undecided'
  return theirs ? 'centre-only' : 'ours-only'
}

/** What the institution may not get, or must give back: what funds and accounts pay. A day shift risks nothing. Pure. */
export function atRiskFen(kind: DifferenceClass, ours: Side | null, theirs: Side | null): bigint {
  if (kind === 'day-shift') return 0n
  const apart = (name: 'fundFen' | 'accountFen' | 'cashFen') => {
    const fen = (ours?.[name] ?? 0n) - (theirs?.[name] ?? 0n)
    return fen < 0n ? -fen : fen
  }
  const insured = apart('fundFen') + apart('accountFen')
  return insured > 0n ? insured : apart('cashFen')
}

/** Entries that would make our books say what the centre's do. Pure. */
export function proposedEntries(kind: DifferenceClass, ours: Side | null, theirs: Side | null): ProposedEntry[] {
  if (kind === 'day-shift' || kind === 'undecided') return []
  const move = (account: string, name: 'fundFen' | 'accountFen' | 'cashFen'): ProposedEntry[] => {
    const fen = (theirs?.[name] ?? 0n) - (ours?.[name] ?? 0n)
    if (fen === 0n) return []
    return [fen > 0n ? { debit: account, credit: 'provider', fen: String(fen) } : { debit: 'provider', credit: account, fen: String(-fen) }]
  }
  return [...move('fund', 'fundFen'), ...move('account', 'accountFen'), ...move('cash', 'cashFen')]
}
