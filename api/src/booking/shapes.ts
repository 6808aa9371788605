/** JSON shapes of the booking endpoints under /api, imported by the portal as types. Days are `YYYY-MM-DD` in Asia/Shanghai, money is fen. */

export interface Named { zh: string; en: string }

/** GET /api/departments: the department catalogue with what is open in the booking window. */
export interface DepartmentSummary extends Named {
  /** Code of the national department catalogue, such as `03.04`. */
  code: string
  /** Code of the level-1 department; null for a level-1 one. */
  parent: string | null
  /** Everyday words that lead here, in Chinese and English: complaints, organs, former names. */
  keywords: string[]
  hospitals: number
  freePlaces: number
}

/** GET /api/availability?department=03.04[&district=310101]: hospitals with open places, soonest first. */
export interface HospitalAvailability {
  /** FHIR id of the Organization. */
  organization: string
  name: Named
  /** Level and grade as shown, such as 三级甲等 / Tertiary A. */
  level: Named
  district: Named & { code: string }
  address: Named
  days: { date: string; free: number }[]
  free: number
  feeFromFen: number
}

/** One clinic session of a doctor with its open time segments, from `$find`. */
export interface SessionOffer {
  /** FHIR id of the Schedule. */
  schedule: string
  organization: { id: string; name: Named }
  department: { code: string; name: Named }
  practitioner: { id: string; name: Named }
  /** `chief`, `associate-chief`, `attending`, `resident`. */
  title: string
  /** `ordinary`, `expert`, `disease-specific`, `special-need`. */
  clinicType: string
  date: string
  half: 'am' | 'pm' | 'night'
  start: string
  end: string
  feeFen: number
  /** False for special-need clinics, which the patient pays alone. */
  insured: boolean
  free: number
  capacity: number
  /** One entry a time segment; `slot` is the Slot to book, null when the segment is full. */
  segments: { start: string; end: string; free: number; slot: string | null }[]
}

/** GET /api/booking/parameters?scope=hospital&id=…: every number as it stands for a scope, and the scope's own changes, newest first. */
export interface ParameterSheet {
  scope: string
  id: string
  day: string
  numbers: { name: string; label: Named; unit: Named; standard: number; min: number; max: number; source: string; value: number; scope: string }[]
  changes: ParameterChange[]
}

/** One change: it stays for good. `value` null gives the number back to the wider scope; `until` null has no end. */
export interface ParameterChange { id: string; name: string; value: number | null; from: string; until: string | null; setAt: string; setBy: string }

/** GET /api/booking/parameters/effects?scope=…&id=…&name=…[&from=day]: sessions there already that keep the old number, and the first day of clinics that gets the new one; null: it counts at once. */
export interface ParameterEffects { kept: number; firstDay: string | null }

/** GET /api/booking/roster?from=2026-11-23&days=7: the sessions of the scheduler's hospital, and who may substitute in a department. */
export interface Roster { sessions: RosterSession[]; doctors: { id: string; name: Named; department: string }[] }

export interface RosterSession {
  /** FHIR id of the Schedule. */
  id: string
  department: { code: string; name: Named }
  practitioner: { id: string; name: Named }
  title: string
  clinicType: string
  date: string
  half: 'am' | 'pm' | 'night'
  start: string
  end: string
  status: 'open' | 'suspended' | 'closed'
  capacity: number
  used: number
  releaseAt: string
  /** Places kept for others than the public. */
  quotas: { gp: number; followUp: number; onsite: number }
  substituted: boolean
  /** Why it was suspended or given to another doctor. */
  reason: string | null
}

/** GET /api/booking/calendar: days that do not follow their weekday, and what is wrong with next year's calendar. */
export interface CalendarSheet { days: CalendarDay[]; alarm: 'missing' | 'provisional' | null; year: string }

export interface CalendarDay {
  day: string
  /** Clinics of that weekday are held, 1 Monday; null: no clinics. */
  asWeekday: number | null
  name: Named
  provisional: boolean
  /** The hospital's own rule, not the city's. */
  ownRule: boolean
}

/** GET /api/booking/waits[?patient=…]: where a patient waits for a place. */
export interface WaitView {
  /** FHIR id of the Appointment `waitlist`; `$cancel` on it leaves the list. */
  appointment: string
  organization: { id: string; name: Named }
  department: { code: string; name: Named }
  from: string
  until: string
  half: 'am' | 'pm' | 'night' | null
  priority: 'urgent' | 'follow-up' | 'routine'
  /** How many are asked before. */
  ahead: number
  /** Days until an offer may be expected; null: too few places came back lately to say. */
  expectedDays: number | null
  /** The day of it; null when unknown or after the last day that suits. */
  expectedDate: string | null
  /** From home to the hospital; null: not known. */
  distanceMetres: number | null
  deadline: string
  autoAccept: boolean
  /** The Appointment `proposed`, answered by an AppointmentResponse before `until`. */
  offer: { appointment: string; start: string; until: string } | null
}

/** GET /api/booking/standing[?patient=…]: missed visits of the year and what follows from them. */
export interface StandingView {
  missed: number
  /** Late cancellations that do not make a missed visit yet. */
  late: number
  latePerMissed: number
  levels: { missed: number; days: number }[]
  /** Last day of a bar on online booking; null: there is none. */
  barredUntil: string | null
  absences: AbsenceView[]
}

export interface AbsenceView {
  appointment: string
  kind: 'noshow' | 'late-cancel'
  day: string
  department: Named
  excused: boolean
  appeal: { text: string; at: string } | null
  decision: { text: string | null; at: string } | null
  mayAppeal: boolean
}

/** GET /api/booking/appeals: objections that wait for the hospital's decision ($excuse). */
export interface OpenAppeal { appointment: string; patient: string; kind: 'noshow' | 'late-cancel'; day: string; department: Named; text: string; at: string }

/** GET /api/booking/draws/[Schedule id], for everybody: order = ascending SHA-256(seed : listHash : ticket), listHash = SHA-256 of the sorted tickets, one a line. */
export interface DrawView extends DrawSummary {
  /** SHA-256 of the seed, published before the first ticket. */
  commitment: string
  /** Segments with the places that are drawn (those of quotas are not); `slot` is what a ticket names. */
  segments: { index: number; start: string; end: string; slot: string; places: number }[]
  /** Null until it has been held. `void`: drawn, but a rule of booking stood in the way (`reason`). */
  held: { at: string; seed: string; listHash: string; tickets: { id: string; segments: number[]; result: 'won' | 'lost' | 'void'; reason: string | null }[] } | null
}

/** GET /api/booking/draws[?department=…], for everybody: draws that are announced or were held lately. */
export interface DrawSummary {
  schedule: string
  organization: { id: string; name: Named }
  department: { code: string; name: Named }
  doctor: Named
  title: string
  clinicType: string
  date: string
  half: 'am' | 'pm' | 'night'
  feeFen: number
  capacity: number
  opens: string
  closes: string
  /** Tickets so far. */
  entered: number
  drawn: boolean
}

/** GET /api/booking/draw-tickets[?patient=…]: the tickets of a patient, newest first. */
export interface DrawTicketView {
  /** What the published draw names. */
  ticket: string
  schedule: string
  /** FHIR id of the Appointment `proposed`; `$cancel` on it withdraws. */
  appointment: string
  state: 'entered' | 'won' | 'lost' | 'void'
  /** Of a void ticket: the code of the rule that stood in the way. */
  reason: string | null
  segments: number[]
  at: string
}

/** Why somebody is called before others of their segment. */
export type QueuePriorityCode = 'age-70' | 'disabled' | 'pregnant' | 'military'

/** GET /api/booking/queue/[Schedule id], for the doctor and the desk: who was called, then who comes next. */
export interface QueueList {
  schedule: string
  tickets: { appointment: string; number: number; state: 'waiting' | 'called'; priority: QueuePriorityCode | null; calls: number }[]
}

/** GET /api/booking/queue-place?appointment=…, for the patient; null before check-in and after the visit. */
export interface QueuePlace {
  number: number
  state: 'waiting' | 'called'
  /** How many are called before. */
  ahead: number
  /** Minutes until the call, as the session goes so far. */
  minutes: number
  priority: QueuePriorityCode | null
  place: Named
}

/** POST /api/booking/arrivals { code?, name, document }: check-in at the machine or the desk. */
export interface Arrival {
  appointment: string
  /** In the queue; null when the visit was entered without one. */
  number: number | null
  /** Masked, for a screen that others see. */
  name: string
  place: Named
  doctor: Named
  start: string
  /** Had checked in before. */
  again: boolean
}

/** GET /api/booking/hall?organization=…[&department=…], for everybody: the numbers of today's clinics. */
export interface HallScreen { organization: string; name: Named; at: string; clinics: HallClinic[] }

export interface HallClinic {
  schedule: string
  department: { code: string; name: Named }
  doctor: Named
  place: Named
  start: string
  end: string
  /** Numbers called, the last one first. */
  called: number[]
  /** Numbers that are called next, in their order; at most five. */
  next: number[]
  waiting: number
  done: number
  /** Booked and not there yet. */
  expected: number
}

/** GET /api/booking/supply[?department=…]: what the scheduler's hospital keeps of a department. */
export interface SupplySheet {
  department: string
  departments: { code: string; name: Named }[]
  patterns: PatternView[]
  /** Kinds of clinics of the department; `closedFrom` null: offered. */
  services: { id: string; clinicType: string; patterns: number; closedFrom: string | null }[]
  /** Of the department; `leftFrom` null: works there. */
  doctors: { id: string; name: Named; title: string; patterns: number; leftFrom: string | null }[]
  /** Departments that citizens can book, whether the hospital has them or not. */
  catalogue: { code: string; name: Named }[]
  rooms: RoomView[]
  changes: SupplyChangeView[]
}

export interface PatternView {
  id: string
  doctor: { id: string; name: Named }
  title: string
  clinicType: string
  /** FHIR id of the HealthcareService. */
  service: string
  /** `room` is the FHIR id of the Location; times are `HH:MM`. */
  times: { weekday: number; half: 'am' | 'pm' | 'night'; start: string; end: string; room: string; capacity: number; segmentMinutes: number; feeFen: number }
  roomName: Named
  from: string
  /** Last day; null: open end. */
  until: string | null
}

/** `patterns`: how many of the hospital need it from today on; `closedFrom` null: in use. */
export interface RoomView { id: string; name: Named; patterns: number; closedFrom: string | null }

/** One change of supply: it stays for good. */
export interface SupplyChangeView {
  id: string
  kind: 'pattern-new' | 'pattern-changed' | 'pattern-ended' | 'room-new' | 'room-closed' | 'day-set' | 'service-new' | 'service-closed' | 'doctor-new' | 'doctor-left'
  subject: string
  from: string
  before: Record<string, string | number | null> | null
  after: Record<string, string | number | null> | null
  sessions: number
  patients: number
  setBy: string
  setAt: string
}

/** POST /api/booking/patterns and the preview of a day: sessions there already that are closed, moved to another room, suspended; patients who are told. */
export interface SupplyEffects { closed: number; moved: number; suspended: number; patients: number }

/** POST /api/booking/patterns/preview: the effects, and who else holds clinics in the room at that time, by name: a large room has space for several. */
export interface SupplyPreview extends SupplyEffects { shares: Named[] }

/** GET /api/booking/releases: what the hospital releases from now on. */
export interface ReleaseRow { releaseAt: string; day: string; sessions: number; places: number; gp: number; followUp: number; onsite: number; drawn: number }
