/** JSON of the insurance officer's desk, under /office at a centre and /api/insurer at the platform. Money is integer fen. */

export interface OfficeSentence { zh: string; en: string }

export interface OfficeClaim {
  messageId: string
  state: 'settled' | 'refused' | 'reversed' | 'void'
  provider: string
  serviceDate: string
  medicalType: string
  scheme: number | null
  policy: string | null
  insuredRegion: string
  totalFen: number
  fundFen: number
  accountFen: number
  cashFen: number
}

/** One step of the sum, as its trace has it. */
export interface OfficeStep {
  name: string
  operation: 'given' | 'sum' | 'excess' | 'min' | 'share'
  of: string[]
  parts: number | null
  fen: number
  text: OfficeSentence | null
  rule: string | null
}

export interface OfficeClaimDetail extends OfficeClaim {
  psnNo: string
  disposition: string
  /** `name` as the institution wrote it; null when it wrote none. */
  lines: { sequence: number; code: string; name: string | null; amountFen: number; catalogueClass: string; firstPayPercent: number }[]
  /** Steps of the bill; those of its lines have names `line-N-…`. Empty when refused or decided by another centre without one. */
  steps: OfficeStep[]
}

export interface OfficeDifference {
  statement: string
  messageId: string
  kind: 'settle' | 'reverse'
  class: 'centre-only' | 'sender-only' | 'amount' | 'state' | 'day-shift'
  day: string
  provider: string
  hereFen: number
  thereFen: number
  resolvedAt: string | null
  note: string | null
}

export interface OfficeClearing {
  id: string
  month: string
  direction: 'to-institution' | 'owed' | 'owing'
  party: string
  scheme: number
  state: 'applied' | 'approved' | 'paid' | 'refused'
  count: number
  fundFen: number
  accountFen: number
  deductedFen: number
  reason: string | null
  /** Officers, by the platform's id. */
  approvedBy: string | null
  paidBy: string | null
}

export interface OfficeFiling {
  id: string
  psnNo: string
  kind: 'long-term' | 'referred' | 'emergency' | 'temporary' | 'disease'
  region: string | null
  disease: string | null
  from: string
  until: string | null
  withdrawnOn: string | null
}

export interface OfficePolicy { id: string; name: OfficeSentence; from: string; until: string | null; scheme: number; capFen: number }

/** A change of a policy to look at before it goes live; what is null stays. */
export interface WhatIfQuestion {
  policy: string
  from: string
  until: string
  /** Added to the share of the pooled fund in every band, in points of percent. */
  ratioPoints: number | null
  /** The outpatient deductible of everybody. */
  deductibleYuan: number | null
  capYuan: number | null
}

/** POST what-if/file: a whole policy as a file (insurer/policy-file.ts) over the claims of a time. */
export interface PolicyQuestion { policy: unknown; from: string; until: string }

export interface WhatIfAnswer {
  claims: number
  people: number
  changedClaims: number
  /** More claims than were looked at. */
  cut: boolean
  fundWasFen: number
  fundBecomesFen: number
  cashWasFen: number
  cashBecomesFen: number
  /** Each fund, both accounts and cash, where any of it is not nought. */
  parts: { category: string; wasFen: number; becomesFen: number }[]
  groups: { personType: number; people: number; fundWasFen: number; fundBecomesFen: number; cashWasFen: number; cashBecomesFen: number }[]
  largest: { messageId: string; fundWasFen: number; fundBecomesFen: number; cashWasFen: number; cashBecomesFen: number }[]
}
