/** Tables of settlement on the platform's side; each names its owner above it. How columns are read: ../tables.ts. */
import type { Generated } from 'kysely'
import type { Instant, InstantOrNull } from './columns.ts'

/** settlement: one a visit; amounts of the split are null until settled. */
export interface BillTable {
  shard: number
  encounter: string
  encounter_id: string
  pid: string
  patient_id: string
  organization_id: string
  organization_zh: string
  organization_en: string
  department_zh: string
  department_en: string
  practitioner_id: string | null
  service_date: string
  state: Generated<'open' | 'settling' | 'settled' | 'reversed' | 'refused'>
  total_fen: Generated<bigint>
  fund_fen: bigint | null
  account_current_fen: bigint | null
  account_prior_fen: bigint | null
  cash_fen: bigint | null
  message_zh: string | null
  message_en: string | null
  claim_id: string | null
  claim_response_id: string | null
  explanation_id: string | null
  invoice_id: string | null
  updated_at: Instant
  /** Taken at the desk less given back. */
  paid_fen: Generated<bigint>
  /** Deposit held for a stay. */
  deposit_fen: Generated<bigint>
  account_id: string | null
  /** The registered visit that the standing settlement names; null: none. */
  visit_number: string | null
  /** `updated_at` of the bill whose details the job has looked at. */
  uploaded_at: InstantOrNull
  /** Taken back by a person: the job does not upload them again. */
  details_held: Generated<boolean>
  /** When a settlement whose cash part is not paid is undone by itself; null: never. */
  pay_by: InstantOrNull
}

/** settlement: a registration or a batch of details at the centre. */
export interface VisitStepTable {
  shard: number
  id: string
  encounter: string
  kind: 'register' | 'upload'
  message_id: string
  /** Of a registration: what it says, without the message id, as JSON; of a batch ''. */
  facts: string
  request: string
  /** Of a batch: charge item → what was sent of it, as JSON. */
  lines: string
  state: 'prepared' | 'done' | 'rejected' | 'undoing' | 'undone'
  visit_number: string | null
  reason: string | null
  tries: Generated<number>
  try_at: Instant
  created_at: Instant
  decided_at: InstantOrNull
  principal_id: string
}

/** settlement: first_pay_ratio in parts of 10 000, limit_fen of one unit. */
export interface BillLineTable {
  shard: number
  charge_item: string
  charge_item_id: string
  encounter: string
  code: string
  name_zh: string
  name_en: string
  quantity: number
  unit_price_fen: bigint
  catalogue_class: 'A' | 'B' | 'C'
  first_pay_ratio: number
  limit_fen: bigint | null
  entered_at: Instant
  /** Order among lines entered at the same instant. */
  position: Generated<number>
}

/** settlement */
export interface SettlementAttemptTable {
  shard: number
  id: string
  encounter: string
  kind: 'settle' | 'reverse'
  message_id: string
  claim_id: string
  request_hash: string
  request: string
  state: 'prepared' | 'sent' | 'confirmed' | 'rejected' | 'unknown' | 'resolved'
  resolution: 'adopted' | 'reversed' | null
  reason: string | null
  answer: string | null
  asked: Generated<number>
  created_at: Instant
  sent_at: InstantOrNull
  ask_at: InstantOrNull
  decided_at: InstantOrNull
  principal_id: string
  /** Times the centre was asked about it; the pause grows. */
  tries: Generated<number>
  /** When people were told that it is late. */
  escalated_at: InstantOrNull
  idempotency_key: string | null
  /** The ClaimResponse as kept. */
  response_id: string | null
  /** When its message was first reversed for want of an answer: it can only end reversed then. */
  undo_at: InstantOrNull
}

/** settlement: append-only; a row moves an amount from one account to another. */
export interface LedgerEntryTable {
  shard: number
  id: string
  /** Null of what belongs to no visit: clearing, a till, a settlement that only the centre has. */
  encounter: string | null
  attempt: string
  message_id: string
  organization_id: string
  debit_account: string
  credit_account: string
  amount_fen: bigint
  recorded_at: Instant
}

/** settlement: append-only; one a settlement and one a reversal as the centre decided it, amounts negative of a reversal. */
export interface SettlementEventTable {
  shard: number
  attempt: string
  kind: 'settle' | 'reverse'
  message_id: string
  settlement_id: string
  encounter: string
  organization_id: string
  institution: string
  region: string
  scheme: string
  medical_type: string
  day: string
  decided_at: Instant
  recorded_at: Instant
  total_fen: bigint
  fund_fen: bigint
  account_fen: bigint
  cash_fen: bigint
}

/** settlement: append-only; money taken and given back at the desk. */
export interface PaymentTable {
  shard: number
  id: string
  encounter: string
  organization_id: string
  kind: 'payment' | 'refund' | 'deposit' | 'deposit-refund'
  channel: 'cash' | 'card' | 'mobile' | 'deposit'
  amount_fen: bigint
  reference: string | null
  invoice_id: string | null
  notice_id: string
  day: string
  recorded_at: Instant
  principal_id: string
  principal_name: string
}

/** settlement: the last comparison of a day of an institution with the centre's list. */
export interface ReconciliationDayTable {
  institution: string
  organization_id: string
  day: string
  scheme: Generated<string>
  state: 'equal' | 'differs' | 'failed'
  reason: string | null
  our_count: bigint
  our_total_fen: bigint
  our_fund_fen: bigint
  our_account_fen: bigint
  their_count: bigint
  their_total_fen: bigint
  their_fund_fen: bigint
  their_account_fen: bigint
  resource_id: string
  compared_at: Instant
}

/** settlement: ours, theirs and entries are JSON. */
export interface DifferenceTable {
  id: string
  institution: string
  organization_id: string
  day: string
  message_id: string
  kind: string
  class: 'centre-only' | 'ours-only' | 'amount' | 'state' | 'day-shift' | 'undecided' | 'till-short' | 'till-over'
  at_risk_fen: bigint
  ours: string | null
  theirs: string | null
  entries: string
  state: 'open' | 'closed' | 'signed-off'
  owner_id: string | null
  owner_name: string | null
  task_id: string
  opened_at: Instant
  closed_at: InstantOrNull
  closed_by: string | null
  reason: string | null
}

/** settlement: counted and expected are JSON, fen by channel. */
export interface DeskDayTable { organization_id: string; day: string; counted: string; expected: string; closed_at: Instant; closed_by: string }
/** settlement: append-only; what an officer posted to settle a difference. */
export interface CorrectionTable {
  difference: string
  institution: string
  organization_id: string
  day: string
  scheme: string
  /** Lines of the day list that it adds or takes away. */
  count: number
  total_fen: bigint
  fund_fen: bigint
  account_fen: bigint
  cash_fen: bigint
  reason: string
  posted_by: string
  posted_at: Instant
}

/** settlement: a month of an institution and scheme, closed; month is its first day. */
export interface ClearingMonthTable {
  institution: string
  organization_id: string
  month: string
  scheme: string
  state: 'reconciled' | 'applied' | 'approved' | 'paid' | 'refused'
  count: bigint
  total_fen: bigint
  fund_fen: bigint
  account_fen: bigint
  number: string | null
  approved_fen: bigint | null
  disposition: string | null
  closed_at: Instant
  closed_by: string
  changed_at: Instant
  /** Its clearing stands in the ledger; false: closed before the ledger had clearings. */
  in_ledger: Generated<boolean>
}
