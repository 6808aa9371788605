/** Tables of an insurance centre, in a database of its own; each names its owner above it. How columns are read: ../tables.ts. */
import type { Generated } from 'kysely'
import type { Instant, InstantOrNull } from './columns.ts'

/** insurer */
export interface InsuredPersonTable {
  psn_no: string
  region: string
  resident_id: string
  name: string
  sex: 'male' | 'female' | 'unknown'
  birth_date: string
  retired_on: string | null
  aid: Generated<boolean>
  account_current_fen: Generated<bigint>
  account_prior_fen: Generated<bigint>
  working_since: string | null
  gp_contract: Generated<boolean>
  /** First day of the benefit year that the account of the year belongs to; null until the first turn is looked for. */
  account_year: string | null
}

/** insurer: until_date is the last day, null when open; rank 2 is the outgoing one of a transition. */
export interface EnrolmentTable {
  psn_no: string
  scheme: number
  person_type: number
  from_date: string
  until_date: string | null
  rank: Generated<number>
  benefits_from: string | null
  ended_because: 'interrupted' | 'transferred' | 'retired' | 'ended' | null
}

/** insurer */
export interface AccumulatorTable {
  psn_no: string
  scheme: number
  year_from: string
  deductible_outpatient_fen: Generated<bigint>
  deductible_inpatient_fen: Generated<bigint>
  above_deductible_fen: Generated<bigint>
  aid_fen: Generated<bigint>
  outpatient_above_fen: Generated<bigint>
  above_cap_fen: Generated<bigint>
  self_fen: Generated<bigint>
}

/** insurer */
export interface FilingTable {
  id: string
  psn_no: string
  kind: 'long-term' | 'referred' | 'emergency' | 'temporary' | 'disease'
  region: string | null
  disease: string | null
  from_date: string
  until_date: string | null
  withdrawn_on: string | null
  client_id: string
  filed_at: Instant
}

/** insurer */
export interface CatalogueItemTable {
  code: string
  from_date: string
  until_date: string | null
  name: string
  catalogue_class: 'A' | 'B' | 'C'
  first_pay_parts: number
  limit_fen: bigint | null
}

/** insurer: one a message id. */
export interface ClaimTable {
  message_id: string
  client_id: string
  state: 'settled' | 'refused' | 'reversed' | 'void'
  body_hash: string | null
  psn_no: string | null
  scheme: number | null
  year_from: string | null
  service_date: string | null
  policy: string | null
  content: string | null
  response_id: string | null
  response: string | null
  received_at: Instant
  deductible_outpatient_fen: Generated<bigint>
  deductible_inpatient_fen: Generated<bigint>
  above_deductible_fen: Generated<bigint>
  aid_fen: Generated<bigint>
  account_current_fen: Generated<bigint>
  account_prior_fen: Generated<bigint>
  reversed_at: InstantOrNull
  reversal_id: string | null
  reversal: string | null
  provider: string | null
  insured_region: string | null
  treating_region: string | null
  medical_type: string | null
  stay: string | null
  settled_day: string | null
  reversed_day: string | null
  total_fen: Generated<bigint>
  fund_fen: Generated<bigint>
  cash_fen: Generated<bigint>
  outpatient_above_fen: Generated<bigint>
  above_cap_fen: Generated<bigint>
  self_fen: Generated<bigint>
  /** Number of the registered visit it settles; null when it names none. */
  visit: string | null
}

/** insurer: a claim on its way to the centre of the insured place. */
export interface ForwardTable {
  message_id: string
  client_id: string
  region: string
  body_hash: string
  content: string
  state: 'prepared' | 'sent' | 'unknown' | 'confirmed' | 'rejected' | 'reversing' | 'reversed'
  reason: string | null
  asked: Generated<number>
  created_at: Instant
  sent_at: InstantOrNull
  ask_at: InstantOrNull
  decided_at: InstantOrNull
  visit: string | null
}

/** insurer: append-only; what a turn of the year moved. */
export interface AccountTurnTable { psn_no: string; year_from: string; moved_fen: bigint; turned_at: Instant }
/** insurer: a visit as an institution registered it (2201). */
export interface VisitTable {
  number: string
  client_id: string
  message_id: string
  body_hash: string
  insured_region: string
  psn_no: string
  provider: string
  medical_type: string
  begun_on: string
  state: 'registered' | 'cancelled'
  registered_at: Instant
  cancelled_at: InstantOrNull
}

/** insurer: details of a visit as they were uploaded (2204). */
export interface VisitBatchTable {
  message_id: string
  client_id: string
  visit: string
  state: 'uploaded' | 'cancelled' | 'void'
  body_hash: string | null
  content: string | null
  response: string | null
  received_at: Instant
  cancelled_at: InstantOrNull
}

/** insurer: details that stand. */
export interface VisitDetailTable {
  visit: string
  detail: string
  batch: string
  code: string
  quantity: number
  amount_fen: bigint
  catalogue_class: 'A' | 'B' | 'C'
  first_pay_parts: number
  limit_fen: bigint | null
}

/** insurer: append-only, also by trigger; a row moves an amount from one account to another. */
export interface FundEntryTable {
  id: string
  message_id: string | null
  kind: 'settle' | 'reverse' | 'pay'
  debit_account: string
  credit_account: string
  provider: string
  amount_fen: bigint
  recorded_at: Instant
  clearing: string | null
}

/** insurer: what a sender says it settled on a day. */
export interface StatementTable {
  id: string
  client_id: string
  provider: string
  day: string
  count: bigint
  total_fen: bigint
  fund_fen: bigint
  account_fen: bigint
  outcome: 'equal' | 'differs'
  received_at: Instant
}

/** insurer */
export interface StatementLineTable { statement_id: string; message_id: string; kind: 'settle' | 'reverse'; total_fen: bigint; fund_fen: bigint; account_fen: bigint }
/** insurer: how a sender's day differs from ours. */
export interface CentreDifferenceTable {
  statement_id: string
  message_id: string
  kind: string
  class: 'centre-only' | 'sender-only' | 'amount' | 'state' | 'day-shift'
  here_fen: bigint
  there_fen: bigint
  resolved_at: InstantOrNull
  resolved_by: string | null
  note: string | null
}

/** insurer: a month's money of an institution and scheme, or with another region (scheme 0). */
export interface ClearingTable {
  id: string
  client_id: string
  month: string
  direction: 'to-institution' | 'owed' | 'owing'
  party: string
  scheme: Generated<number>
  state: 'applied' | 'approved' | 'paid' | 'refused'
  count: bigint
  total_fen: bigint
  fund_fen: bigint
  account_fen: bigint
  deducted_fen: Generated<bigint>
  reason: string | null
  applied_at: Instant
  approved_at: InstantOrNull
  paid_at: InstantOrNull
  /** Officer, by the platform's id; null: before this was kept, or between two centres. */
  approved_by: string | null
  paid_by: string | null
}
