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
  scheme: Named
  /** Ordered sentences that explain the split. */
  reasons: Named[]
}
