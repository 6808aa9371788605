/** JSON shapes of the bill endpoints under /api, imported by the portal as types. Money is integer fen. */
import type { Named } from '../booking/shapes.ts'

/** `open`: charges, not settled; `settling`: sent, no answer yet; `settled`; `reversed`; `refused`: the insurer said no. */
export type BillState = 'open' | 'settling' | 'settled' | 'reversed' | 'refused'

/** GET /api/bills?patient=ID: a patient's visits with charges, newest first. */
export interface BillSummary {
  /** FHIR id of the Encounter. */
  encounter: string
  organization: Named
  department: Named
  /** Day of the visit, YYYY-MM-DD. */
  date: string
  state: BillState
  totalFen: number
  /** What the patient pays in cash; null until settled or estimated. */
  cashFen: number | null
  fundFen: number | null
}

/** GET /api/bills/{encounter}: one bill with its lines and, when known, who pays what. */
export interface Bill extends BillSummary {
  patient: { id: string; name: string }
  lines: BillLine[]
  split: BillSplit | null
  /** True when `split` is a pre-settlement: nothing has been paid yet. */
  estimate: boolean
  /** Why the bill may be settled without insurance; null when it may not. */
  selfPay: SelfPayCause | null
  /** Why the insurer refused or the state is unknown, in both languages; null when all is well. */
  message: Named | null
  /** FHIR ids; null until they exist. */
  claim: string | null
  claimResponse: string | null
  explanationOfBenefit: string | null
  invoice: string | null
  /** The centre's settlement number or our self-pay number; null until settled. */
  number: string | null
  /** A stay in hospital: it may have a deposit. */
  inpatient: boolean
  /** Taken at the desk less given back. */
  paidFen: number
  /** Above zero: to be taken at the desk; below: to be given back. */
  dueFen: number
  /** Until when a settled bill must be paid, else it is undone by itself; null when nothing is due or nothing happens. */
  payBy: string | null
  depositFen: number
  payments: BillPayment[]
  /** What was put right in the books after the days were compared, oldest first. */
  corrections: BillCorrection[]
  /** Region where the person is insured when that is not here: direct settlement goes through the insured place, and may want a filing. */
  away: string | null
  /** The filing that holds for this visit, as far as it was made here. */
  filed: Filing | null
  /** While the state is not known: what happens next, and when. */
  doubt: Doubt | null
  /** How far the steps before the settlement are at the centre. */
  upload: BillUpload
}

/**
 * `none`: nothing stands there; `waiting`: sent, not answered; `partly`: charges have come or changed since; `uploaded`: all of it;
 * `rejected`: the centre refused, `reason` says why; `undoing`: being taken back.
 */
export interface BillUpload {
  state: 'none' | 'waiting' | 'partly' | 'uploaded' | 'rejected' | 'undoing'
  /** The centre's number of the visit. */
  visit: string | null
  /** Lines that stand there. */
  uploaded: number
  reason: string | null
}

/** `no-coverage`: no insurance is valid on the day of the visit; `refused`: the insurance centre refused the claim. */
export type SelfPayCause = 'no-coverage' | 'refused'

export interface BillLine {
  code: string
  name: Named
  quantity: number
  unitPriceFen: number
  amountFen: number
  /** Catalogue class: A fully covered in scope, B first-pay ratio, C own expense. */
  catalogueClass: 'A' | 'B' | 'C'
  firstPayRatio: number
  fullSelfFen: number
  overLimitFen: number
  firstPayFen: number
  inScopeFen: number
}

/** totalFen = fullSelf + overLimit + firstPay + inScope = fund + accountCurrent + accountPrior + cash. */
export interface BillSplit {
  totalFen: number
  fullSelfFen: number
  overLimitFen: number
  firstPayFen: number
  inScopeFen: number
  deductibleFen: number
  pooledFen: number
  supplementaryFen: number
  fundFen: number
  accountCurrentFen: number
  accountPriorFen: number
  cashFen: number
  /** What is left of the yearly deductible after this bill. */
  deductibleLeftFen: number
  /** What is left below the yearly cap after this bill; null when the answer does not say. */
  capLeftFen: number | null
  scheme: Named
  /** Ordered sentences that explain the split. */
  reasons: Named[]
}
/** POST /api/bills/{encounter}/filing: treatment away from home, filed with the insured place. */
export interface Filing { number: string; type: 'long-term' | 'referred' | 'emergency' | 'temporary'; from: string; until: string | null }

/** GET /api/appointments/{id}/filing. `region` where the patient is insured when that is not here, else null. */
export interface FilingAhead { region: string | null; filed: Filing | null }

export type TillChannel = 'cash' | 'card' | 'mobile'
/** Fen by channel. */
export type TillCount = Record<TillChannel, number>

/** Money taken or given back for a bill. */
export interface BillPayment {
  kind: 'payment' | 'refund' | 'deposit' | 'deposit-refund'
  channel: TillChannel | 'deposit'
  amountFen: number
  /** Instant. */
  at: string
  by: string
}

/** By how much each part of a bill differs from what was settled; fen, below zero where it fell. */
export interface BillCorrection {
  /** Day that was compared, YYYY-MM-DD. */
  day: string
  /** Instant. */
  at: string
  totalFen: number
  fundFen: number
  accountFen: number
  cashFen: number
}

/** An attempt whose end is not known: what happens next, and when. */
export interface Doubt {
  kind: 'settle' | 'reverse'
  since: string
  /** When the centre is asked next; null while the call still runs. */
  askAt: string | null
  tries: number
  /** People are told as well. */
  late: boolean
}

/** A bill as the cashier's lists have it. */
export interface DeskBill extends BillSummary {
  /** Above zero: to be taken; below: to be given back. */
  dueFen: number
  paidFen: number
  depositFen: number
  updatedAt: string
  doubt: Doubt | null
}

/** GET /api/desk/{organization}/work */
export interface DeskWork { toSettle: DeskBill[]; inDoubt: DeskBill[]; toBalance: DeskBill[]; deposits: DeskBill[] }

export interface DaySum { count: number; totalFen: number; fundFen: number; accountFen: number }

/** GET /api/desk/{organization}/days/{day} */
export interface DeskDay {
  day: string
  /** What the books say each channel holds of the day. */
  expected: TillCount
  settled: DaySum
  /** Negative amounts. */
  reversed: DaySum
  comparison: { state: 'equal' | 'differs' | 'failed'; reason: string | null; at: string; ourCount: number; theirCount: number; ourTotalFen: number; theirTotalFen: number } | null
  closed: { at: string; by: string; counted: TillCount } | null
  /** Those of this day, and all that are open. */
  differences: DifferenceShape[]
}

export interface DifferenceSide { totalFen: number; fundFen: number; accountFen: number; cashFen: number }

export interface DifferenceShape {
  id: string
  day: string
  class: 'centre-only' | 'ours-only' | 'amount' | 'state' | 'day-shift' | 'undecided' | 'till-short' | 'till-over'
  name: Named
  /** What is to be done. */
  action: Named
  messageId: string
  atRiskFen: number
  ageDays: number
  state: 'open' | 'closed' | 'signed-off'
  owner: string | null
  ours: DifferenceSide | null
  theirs: DifferenceSide | null
  /** Proposed correcting entries. */
  entries: { debit: string; credit: string; fen: number }[]
  reason: string | null
  closedBy: string | null
}

export interface ClearingMonth {
  scheme: string
  state: 'reconciled' | 'applied' | 'approved' | 'paid' | 'refused'
  count: number
  totalFen: number
  fundFen: number
  accountFen: number
  number: string | null
  approvedFen: number | null
  disposition: string | null
}

/** GET /api/desk/{organization}/months/{month} */
export interface Month {
  month: string
  closed: boolean
  daysToCompare: string[]
  openDifferences: number
  atRiskFen: number
  clearings: ClearingMonth[]
}
