/**
 * Every table and column, as Kysely sees them. A test compares this file with the live schema.
 * Each table belongs to one domain, named above it; only its owner writes it.
 * Types: `timestamptz` is read as an ISO string in UTC and written as Date or ISO string; `date` is `YYYY-MM-DD`; `int8` is
 * bigint; money columns end in `_fen` and are bigint.
 */
import type { ColumnType, Generated } from 'kysely'

type Instant = ColumnType<string, Date | string, Date | string>
type InstantOrNull = ColumnType<string | null, Date | string | null, Date | string | null>

/** records */
export interface ResourceTable {
  shard: number
  t: number
  id: string
  version: number
  last_updated: Instant
  pid: string | null
  d0: InstantOrNull
  d1: InstantOrNull
  keys: ColumnType<bigint[], bigint[] | string, bigint[] | string>
  /** Bits of access/labels.ts; null until judged. */
  labels: number | null
  /** Key of the Organization the entry comes from. */
  org: string | null
  /** Code of the national department catalogue. */
  dept: string | null
  /** Key of the Practitioner who wrote it. */
  author: string | null
  enc: Generated<number>
  content: string | null
  content_z: Uint8Array | null
}

/** records */
export interface ResourceHistoryTable {
  shard: number
  t: number
  id: string
  version: number
  last_updated: Instant
  deleted: Generated<boolean>
  pid: string | null
  labels: number | null
  org: string | null
  dept: string | null
  author: string | null
  /** C create, U update, D delete: the interaction that made this version. */
  method: Generated<string>
  enc: Generated<number>
  content: string | null
  content_z: Uint8Array | null
}

/** records */
export interface ResourceTypeTable { t: number; name: string }
/** records */
export interface IdAliasTable { shard: number; t: number; id: string; home: number }
/** records */
export interface IdxStringTable { shard: number; k: bigint; val: string; rid: string }
/** records: lo and hi bound the precision of the value; dates are seconds since 1970. */
export interface IdxValueTable { shard: number; k: bigint; c: bigint | null; lo: number; hi: number; rid: string }

/** records: the texts that keys stand for. */
export interface SearchTextTable { k: bigint; h: bigint; val: string }
/** records: progress of indexing a type anew. */
export interface ReindexTable {
  t: number
  fingerprint: string
  state: 'running' | 'done'
  position: string | null
  rows_done: Generated<bigint>
  rows_total: bigint
  started_at: Instant
  finished_at: InstantOrNull
}
/** records/export: `position` and `request` are the shapes of export-request.ts. */
export interface BulkExportTable {
  id: string
  state: 'accepted' | 'running' | 'done' | 'failed'
  principal: unknown
  request_url: string
  request: unknown
  transaction_at: Instant
  accepted_at: Generated<Instant>
  position: unknown
  rows_done: Generated<bigint>
  failures: Generated<number>
  issues: unknown
  expires_at: Instant
}
/** records/export */
export interface BulkExportMemberTable { export_id: string; pid: string; key: bigint; batch: number; whole: boolean }
/** records/export */
export interface BulkExportReferenceTable { export_id: string; t: number; id: string; done: Generated<boolean> }
/** records/export */
export interface BulkExportPatientTable { export_id: string; pid: string }
/** records/export */
export interface BulkExportChunkTable {
  export_id: string
  kind: 'output' | 'deleted' | 'error'
  type: string
  file: number
  chunk: number
  resources: number
  content: Uint8Array
}

/** audit */
export interface AuditEventTable {
  shard: number
  id: string
  recorded_at: Instant
  pid: string | null
  action: 'C' | 'R' | 'U' | 'D' | 'E'
  interaction: string
  resource_type: string | null
  resource_id: string | null
  detail: string | null
  outcome: number
  principal_kind: string
  principal_id: string
  principal_name: string
  role: string | null
  practitioner: string | null
  organization: string | null
  organization_name: string | null
  purpose: string
  basis: string
  request_id: string
}

/** audit: a digest of each day that is over, chained to the day before. */
export interface AuditDayTable { day: string; rows: bigint; digest: string; sealed_at: Instant }

/** access */
export interface AccountTable {
  id: string
  login: string
  password_hash: string
  display_name: string
  demo: Generated<boolean>
  created_at: Instant
  phone: string | null
  password_changed_at: InstantOrNull
  totp_secret: string | null
  totp_confirmed_at: InstantOrNull
  totp_step: bigint | null
  recovery_codes: Generated<string[]>
  proof: Generated<'register' | 'desk'>
}
/** access */
export interface AccountRoleTable {
  account_id: string
  role: string
  patient: string | null
  practitioner: string | null
  organization: string | null
  organization_name: string | null
}
/** access */
export interface ProxyGrantTable {
  shard: number
  pid: string
  grantee_pid: string
  /** FHIR id of the patient. */
  patient: string
  relationship: string
  patient_name: string
  kind: Generated<'guardian' | 'authorization'>
  /** Bits of access/data-groups.ts. */
  groups: Generated<number>
  /** From then on a guardian sees less: the child's fourteenth birthday. */
  limited_at: InstantOrNull
  /** Key of the Consent that gave it. */
  consent: string | null
  from_at: Instant
  until_at: InstantOrNull
}
/** access: `practitioner` is the key of an Organization when a whole hospital is meant. */
export interface CareRelationTable {
  shard: number
  pid: string
  practitioner: string
  organization: string
  department: string | null
  /** Label bits opened whatever the department. */
  opens: Generated<number>
  reason: 'appointment' | 'encounter' | 'gp-contract' | 'referral' | 'care-team' | 'shared' | 'break-glass'
  reason_id: string
  from_at: Instant
  until_at: Instant
}
/** access: whom a citizen has barred, by key. */
export interface RecordBarTable { shard: number; pid: string; actor: string; consent: string; from_at: Instant; until_at: Instant }
/** records: emergency access; an unreviewed one blocks the clinician's next. */
export interface BreakGlassTable {
  shard: number
  id: string
  pid: string
  patient: string
  practitioner: string
  account: string
  name: string
  organization: string
  organization_name: string
  reason: 'unconscious' | 'life-threatening' | 'childbirth' | 'other-emergency'
  explanation: string
  opened_at: Instant
  until_at: Instant
  seen_at: InstantOrNull
  reviewed_at: InstantOrNull
  reviewer: string | null
  reviewer_name: string | null
  verdict: 'justified' | 'unjustified' | null
  note: string | null
}
/** access: entries a citizen has hidden. */
export interface HiddenItemTable { shard: number; pid: string; t: number; id: string; consent: string }
/** access */
export interface ClientTable { id: string; display_name: string; jwks: unknown; scopes: string; organization: string | null }
/** access */
export interface SigningKeyTable { kid: string; alg: string; private_jwk: unknown; public_jwk: unknown; created_at: Instant }
/** access */
export interface UsedAssertionTable { client_id: string; jti: string; expires_at: Instant }

/** access */
export interface SignInSessionTable {
  id: string
  account_id: string
  kind: 'portal' | 'app'
  role: string
  patient: string | null
  practitioner: string | null
  organization: string | null
  organization_name: string | null
  auth_level: 'password' | 'second-factor'
  auth_at: Instant
  device: string
  network: string
  created_at: Instant
  last_seen_at: Instant
  expires_at: Instant
  ended_at: InstantOrNull
  ended_why: 'sign-out' | 'elsewhere' | 'password' | 'revoked' | 'replay' | null
  app: string | null
  parent: string | null
  grant_id: string | null
  scopes: string | null
  launch_patient: string | null
  launch_encounter: string | null
  offline: Generated<boolean>
}
/** access */
export interface AppTable {
  id: string
  name_zh: string
  name_en: string
  publisher: string
  auth_method: 'none' | 'private_key_jwt'
  jwks: unknown
  redirect_uris: string[]
  post_logout_redirect_uris: Generated<string[]>
  launch_uri: string | null
  scopes: string
  roles: string[]
  created_at: Instant
}
/** access: id is the SHA-256 of the launch id. */
export interface SmartLaunchTable {
  id: string
  app: string
  session_id: string
  patient: string
  encounter: string | null
  created_at: Instant
  expires_at: Instant
  used_at: InstantOrNull
}
/** access: id is the SHA-256 of the secret. */
export interface OidcArtefactTable {
  model: string
  id: string
  payload: unknown
  grant_id: string | null
  uid: string | null
  consumed_at: InstantOrNull
  expires_at: Instant
}
/** access */
export interface SignInFailureTable { key: string; failures: number; last_at: Instant; blocked_until: InstantOrNull }
/** access */
export interface KnownDeviceTable { account_id: string; device_hash: string; last_at: Instant }

/** http */
export interface IdempotencyTable {
  shard: number
  principal_id: string
  key: string
  body_hash: string
  status: number
  response: string
  created_at: Instant
}

/** records */
export interface LoadedFileTable { sha256: string; name: string; resources: number; loaded_at: Instant }
/** storage */
export interface PlatformFactTable { name: string; value: unknown }

/** booking: what a list of hospitals shows, copied from Organization resources. */
export interface ClinicProviderTable {
  shard: number
  organization: string
  name_zh: string
  name_en: string
  level_code: string
  level_zh: string
  level_en: string
  district_code: string
  district_zh: string
  district_en: string
  address_zh: string
  address_en: string
  latitude: number | null
  longitude: number | null
}
/** booking: the weekly pattern of a doctor. */
export interface SessionTemplateTable {
  shard: number
  id: string
  organization: string
  department: string
  healthcare_service: string
  practitioner_role: string
  practitioner: string
  practitioner_name_zh: string
  practitioner_name_en: string
  location: string
  location_name_zh: string
  location_name_en: string
  weekday: number
  half: 'am' | 'pm' | 'night'
  start_time: string
  end_time: string
  clinic_type: 'ordinary' | 'expert' | 'disease-specific' | 'special-need'
  title: 'chief' | 'associate-chief' | 'attending' | 'resident'
  fee_fen: bigint
  capacity: number
  segment_minutes: number
  valid_from: string
  valid_until: string | null
}
/** booking: a doctor's half-day, the Schedule of FHIR. */
export interface ClinicSessionTable {
  shard: number
  id: string
  template_id: string
  organization: string
  department: string
  healthcare_service: string
  practitioner_role: string
  practitioner: string
  practitioner_name_zh: string
  practitioner_name_en: string
  location: string
  location_name_zh: string
  location_name_en: string
  service_date: string
  half: 'am' | 'pm' | 'night'
  start_at: Instant
  end_at: Instant
  capacity: number
  used: Generated<number>
  segment_minutes: number
  segments: number
  status: Generated<'open' | 'suspended' | 'closed'>
  release_at: Instant
  fee_fen: bigint
  clinic_type: 'ordinary' | 'expert' | 'disease-specific' | 'special-need'
  title: 'chief' | 'associate-chief' | 'attending' | 'resident'
  updated_at: Instant
  /** One letter a place: p public, g GP, f follow-up, w window; shorter than capacity: the rest is public. */
  channels: Generated<string>
  gp_release_at: InstantOrNull
  gp_return_at: InstantOrNull
  follow_up_return_at: InstantOrNull
  onsite_release_at: InstantOrNull
  onsite_return_at: InstantOrNull
  substitute_for: string | null
  status_reason: string | null
  /** Transaction that last changed what a search shows. */
  changed: Generated<string>
}
/** booking: a place somebody took; `cancelled` frees it. */
export interface BookingTable {
  shard: number
  id: string
  appointment: string
  session_id: string
  no: number
  pid: string
  patient: string
  /** `cooling`: a returned place that belongs to nobody until it comes back. */
  state: 'held' | 'offered' | 'cooling' | 'booked' | 'checked-in' | 'arrived' | 'fulfilled' | 'noshow' | 'cancelled'
  held_until: InstantOrNull
  start_at: Instant
  end_at: Instant
  service_date: string
  organization: string
  department: string
  practitioner: string
  booked_by: string
  cancel_reason: string | null
  created_at: Instant
  updated_at: Instant
  channel: Generated<'public' | 'gp' | 'follow-up' | 'onsite'>
  /** The booking that this offered place would replace. */
  offer_of: string | null
  /** Until when the patient may say what to do about a suspended or substituted clinic. */
  choose_until: InstantOrNull
  refund_fen: bigint | null
  changed: Generated<string>
  /** Of a cooling place: when it comes back to everybody. */
  return_at: InstantOrNull
  /** Of a cooling place: when the waitlist was last asked. */
  asked_at: InstantOrNull
  /** Key of the ServiceRequest it was booked with. */
  referral: string | null
}
/** booking: a GP's referral. Who has to act follows from the state (booking/referral/steps.ts). */
export interface ReferralTable {
  shard: number
  id: string
  request: string
  task: string
  code: string
  pin_hash: string
  pid: string
  patient: string
  gp: string
  gp_organization: string
  organization: string
  department: string
  practitioner: string | null
  priority: 'routine' | 'urgent'
  state: 'requested' | 'returned' | 'accepted' | 'no-place' | 'booked' | 'attended' | 'answered' | 'completed' | 'cancelled' | 'expired'
  booking: string | null
  deadline_at: InstantOrNull
  escalation: Generated<number>
  escalate_at: InstantOrNull
  expires_at: Instant
  created_at: Instant
  updated_at: Instant
}
/** booking: only added to. */
export interface ReferralEventTable { id: Generated<bigint>; referral: string; at: Instant; step: string; from_state: string | null; to_state: string; by_id: string; by_name: string }
/** booking: tries of a PIN by caller. */
export interface ReferralTryTable { caller: string; tries: number; since: Instant }
/** booking: the lock of a patient's limits, and a bar on online booking. */
export interface BookingPatientTable { shard: number; pid: string; barred_until: InstantOrNull }
/** booking: who waits for a place in a department of a hospital. */
export interface WaitEntryTable {
  shard: number
  id: string
  appointment: string
  pid: string
  patient: string
  organization: string
  department: string
  practitioner: string | null
  clinic_type: string | null
  half: 'am' | 'pm' | 'night' | null
  from_day: string
  until_day: string
  priority: 'urgent' | 'follow-up' | 'routine'
  /** Metres from home to the hospital; null: not known. */
  distance_m: number | null
  /** Booking that an earlier place would replace. */
  earlier_than: string | null
  auto_accept: Generated<boolean>
  state: 'waiting' | 'offered' | 'served' | 'withdrawn' | 'expired'
  declined: Generated<number>
  joined_at: Instant
  deadline_at: Instant
  offer: string | null
  answer_until: InstantOrNull
  updated_at: Instant
}
/** booking: the queue of a clinic; one a patient who has checked in. */
export interface QueueTicketTable {
  shard: number
  booking: string
  session_id: string
  number: number
  /** Index of the segment whose turn it is. */
  turn: number
  priority: 'age-70' | 'disabled' | 'pregnant' | 'military' | null
  since: Instant
  state: 'waiting' | 'called' | 'done'
  calls: Generated<number>
  called_at: InstantOrNull
  done_at: InstantOrNull
}
/** booking: a draw of scarce places; the seed is secret until drawn_at. */
export interface DrawTable {
  shard: number
  session_id: string
  seed: string
  commitment: string
  opens_at: Instant
  closes_at: Instant
  drawn_at: InstantOrNull
  list_hash: string | null
}
/** booking: one a patient and draw. */
export interface DrawTicketTable {
  shard: number
  id: string
  session_id: string
  appointment: string
  pid: string
  patient: string
  entered_by: string
  /** Indexes of the segments that suit, the dearest first; empty: any. */
  segments: number[]
  state: 'entered' | 'won' | 'lost' | 'void' | 'withdrawn'
  reason: string | null
  entered_at: Instant
}
/** booking: what happened to returned places; rows are only added. */
export interface WaitLogTable {
  id: Generated<bigint>
  at: Instant
  organization: string
  department: string
  session_id: string
  no: number
  event: 'returned' | 'passed-over' | 'offered' | 'accepted' | 'declined' | 'lapsed' | 'released'
  entry: string | null
  reason: string | null
}
/** booking: a visit that was missed or cancelled late. */
export interface AbsenceTable {
  shard: number
  booking: string
  appointment: string
  pid: string
  patient: string
  organization: string
  department: string
  kind: 'noshow' | 'late-cancel'
  day: string
  recorded_at: Instant
  excused: Generated<boolean>
  appealed_at: InstantOrNull
  appeal_text: string | null
  decided_at: InstantOrNull
  decided_by: string | null
  decision_text: string | null
}
/** booking: numbers set by a city, hospital, department or clinic. */
export interface BookingParameterTable {
  scope: 'city' | 'hospital' | 'department' | 'clinic'
  scope_id: string
  name: string
  /** Null gives the number back to the wider scope. */
  value: number | null
  from_at: Instant
  until_at: InstantOrNull
  set_by: string
  id: Generated<string>
  set_at: ColumnType<string, Date | string | undefined, Date | string>
  set_by_name: Generated<string>
}
/** booking: a day that does not follow its weekday; organization '' is the whole city. */
export interface CalendarDayTable {
  day: string
  organization: string
  as_weekday: number | null
  name_zh: string
  name_en: string
  provisional: Generated<boolean>
  set_by: string
  set_at: ColumnType<string, Date | string | undefined, Date | string>
}
/** notices: who should know what; the reader makes the text. */
export interface NoticeTable {
  shard: number
  id: string
  recipient_kind: 'patient' | 'practitioner' | 'organization'
  recipient: string
  kind: string
  params: unknown
  appointment: string | null
  created_at: Instant
  read_at: InstantOrNull
}
/** booking: the outbox of reminders; the database writes it with every change of a booking. */
export interface ReminderPlanTable { shard: number; booking: string; wake_at: InstantOrNull }
/** booking: what was handed to a channel, and what became of it. */
export interface ReminderTable {
  shard: number
  id: string
  booking: string
  pid: string
  rung: 'booked' | 'first' | 'second' | 'third' | 'last' | 'withdrawn'
  channel: 'app' | 'sms' | 'phone'
  sent_at: Instant
  read_by: InstantOrNull
  read_at: InstantOrNull
  revoked_at: InstantOrNull
  recalled_at: InstantOrNull
}
/** booking: who changed what of the supply; only added to. */
export interface SupplyChangeTable {
  shard: number
  id: string
  organization: string
  kind: 'pattern-new' | 'pattern-changed' | 'pattern-ended' | 'room-new' | 'room-closed' | 'day-set'
  subject: string
  from_day: string
  before: unknown
  after: unknown
  sessions: Generated<number>
  patients: Generated<number>
  set_by: string
  set_by_name: string
  set_at: Instant
}
/** booking: rooms that the desk entered or closed. */
export interface ClinicRoomTable { shard: number; location: string; organization: string; name_zh: string; name_en: string; closed_from: string | null }

/** notices: how a person wants to be told. */
export interface ContactPreferenceTable { shard: number; pid: string; channels: string[]; language: 'zh' | 'en'; set_by: string; set_at: Instant }
/** notices: the far side of the demonstration's channels. */
export interface DemoMessageTable {
  shard: number
  id: string
  pid: string
  channel: 'app' | 'sms' | 'phone'
  /** Masked. */
  address: string
  language: 'zh' | 'en'
  body: string
  appointment: string | null
  received_at: Instant
  read_at: InstantOrNull
  recalled_at: InstantOrNull
}

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
/** settlement: month is its first day. */
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
/** settlement: a month of an institution and scheme, closed. */
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

export interface Tables {
  resource: ResourceTable
  resource_history: ResourceHistoryTable
  resource_type: ResourceTypeTable
  id_alias: IdAliasTable
  idx_string: IdxStringTable
  idx_value: IdxValueTable
  search_text: SearchTextTable
  reindex: ReindexTable
  bulk_export: BulkExportTable
  bulk_export_member: BulkExportMemberTable
  bulk_export_reference: BulkExportReferenceTable
  bulk_export_patient: BulkExportPatientTable
  bulk_export_chunk: BulkExportChunkTable
  audit_event: AuditEventTable
  audit_day: AuditDayTable
  account: AccountTable
  account_role: AccountRoleTable
  proxy_grant: ProxyGrantTable
  care_relation: CareRelationTable
  record_bar: RecordBarTable
  hidden_item: HiddenItemTable
  break_glass: BreakGlassTable
  client: ClientTable
  signing_key: SigningKeyTable
  used_assertion: UsedAssertionTable
  sign_in_session: SignInSessionTable
  app: AppTable
  smart_launch: SmartLaunchTable
  oidc_artefact: OidcArtefactTable
  sign_in_failure: SignInFailureTable
  known_device: KnownDeviceTable
  idempotency: IdempotencyTable
  loaded_file: LoadedFileTable
  platform_fact: PlatformFactTable
  clinic_provider: ClinicProviderTable
  session_template: SessionTemplateTable
  clinic_session: ClinicSessionTable
  booking: BookingTable
  booking_patient: BookingPatientTable
  absence: AbsenceTable
  wait_entry: WaitEntryTable
  wait_log: WaitLogTable
  draw: DrawTable
  queue_ticket: QueueTicketTable
  referral: ReferralTable
  referral_event: ReferralEventTable
  referral_try: ReferralTryTable
  draw_ticket: DrawTicketTable
  booking_parameter: BookingParameterTable
  calendar_day: CalendarDayTable
  notice: NoticeTable
  reminder_plan: ReminderPlanTable
  reminder: ReminderTable
  supply_change: SupplyChangeTable
  clinic_room: ClinicRoomTable
  contact_preference: ContactPreferenceTable
  demo_message: DemoMessageTable
  bill: BillTable
  bill_line: BillLineTable
  settlement_attempt: SettlementAttemptTable
  visit_step: VisitStepTable
  ledger_entry: LedgerEntryTable
  settlement_event: SettlementEventTable
  payment: PaymentTable
  reconciliation_day: ReconciliationDayTable
  difference: DifferenceTable
  desk_day: DeskDayTable
  clearing_month: ClearingMonthTable
  correction: CorrectionTable
}

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

/** The database of an insurance centre. Tables are added by its own migrations under migrations/insurer. */
export interface InsurerTables {
  client: ClientTable
  signing_key: SigningKeyTable
  used_assertion: UsedAssertionTable
  insured_person: InsuredPersonTable
  enrolment: EnrolmentTable
  accumulator: AccumulatorTable
  claim: ClaimTable
  fund_entry: FundEntryTable
  filing: FilingTable
  catalogue_item: CatalogueItemTable
  forward: ForwardTable
  account_turn: AccountTurnTable
  visit: VisitTable
  visit_batch: VisitBatchTable
  visit_detail: VisitDetailTable
  statement: StatementTable
  statement_line: StatementLineTable
  difference: CentreDifferenceTable
  clearing: ClearingTable
}
