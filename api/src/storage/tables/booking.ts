/** Tables of the booking desk; each names its owner above it. How columns are read: ../tables.ts. */
import type { ColumnType, Generated } from 'kysely'
import type { Instant, InstantOrNull } from './columns.ts'

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

/** booking: the outbox of reminders; the database writes it with every change of a booking. */
export interface ReminderPlanTable { shard: number; booking: string; wake_at: InstantOrNull }
/** booking: what was handed to a channel, and what became of it. */
export interface ReminderTable {
  shard: number
  id: string
  booking: string
  pid: string
  rung: 'booked' | 'first' | 'second' | 'third' | 'last'
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
  kind: 'pattern-new' | 'pattern-changed' | 'pattern-ended' | 'room-new' | 'room-closed' | 'day-set' | 'service-new' | 'service-closed' | 'doctor-new' | 'doctor-left'
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

/** booking: kinds of clinics that the desk opened or closed. */
export interface ClinicServiceTable {
  shard: number
  healthcare_service: string
  clinic_type: SessionTemplateTable['clinic_type']
  organization: string
  department: string
  closed_from: string | null
}

/** booking: doctors that the desk entered, or who left. */
export interface ClinicDoctorTable {
  shard: number
  practitioner_role: string
  practitioner: string
  organization: string
  department: string
  title: SessionTemplateTable['title']
  name_zh: string
  name_en: string
  left_from: string | null
}

/** booking: rooms that the desk entered or closed. */
export interface ClinicRoomTable { shard: number; location: string; organization: string; name_zh: string; name_en: string; closed_from: string | null }
