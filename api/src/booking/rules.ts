/**
 * The rules of booking as an ordered table of pure functions: order is precedence, and a rule that is content returns null.
 * A rule looks at facts only (facts.ts loads them); the same rules that two people at once could break are constraints of the
 * database too, with the same outcome code. A gate ends the walk: what follows it would tell a stranger about a patient, or
 * would speak of an appointment that no longer is one. Source: docs/booking.md; numbers: parameters.ts.
 */
import { addMinutes, clockInShanghai, dayInShanghai } from '../fhir/date-time.ts'
import { issue, type Issue, OutcomeError, type OutcomeCode, type Sentence } from '../fhir/outcome.ts'
import type { BookingTable } from '../storage/tables.ts'
import type { Parameters } from './parameters.ts'

/** `book` takes a Slot at once, `confirm` makes a hold a booking. */
export type Verb = 'hold' | 'book' | 'confirm' | 'release' | 'cancel' | 'check-in'
export type BookingState = BookingTable['state']

/** Another place the patient has, from today on. */
export interface OtherBooking { start: Date; end: Date; serviceDate: string; organization: string; department: string; state: BookingState }

export interface BookingFacts {
  now: Date
  /** The caller is the patient or may act for them. */
  mayAct: boolean
  /** The caller works at the hospital of the session. */
  isProvider: boolean
  parameters: Parameters
  session: { status: 'open' | 'suspended' | 'closed'; releaseAt: Date; serviceDate: string; organization: string; department: string }
  segment: { start: Date; end: Date }
  /** A place of the segment is left. */
  segmentHasPlace: boolean
  /** Until when the patient may not book online; null when not barred. */
  barredUntil: Date | null
  /** Without ended holds and without those that this request replaces. */
  others: readonly OtherBooking[]
  /** The appointment the request is about; null where it makes a new one. */
  own: { state: BookingState; heldUntil: Date | null; cancelReason: string | null } | null
}

type Check = (facts: BookingFacts, verb: Verb) => Sentence | null
interface BookingRule { check: Check; code: OutcomeCode; verbs: ReadonlySet<Verb>; gate: boolean }

const verbNames: readonly Verb[] = ['hold', 'book', 'confirm', 'release', 'cancel', 'check-in']
const yes = true
const no = false

function rule(check: Check, code: OutcomeCode, ...applies: boolean[]): BookingRule {
  return { check, code, verbs: new Set(verbNames.filter((_, index) => applies[index])), gate: applies[verbNames.length] === true }
}

export const bookingRules: readonly BookingRule[] = [
  //   rule                 outcome code              hold book conf rele canc chck gate
  rule(patientIsTheirs,     'not-your-patient',       yes, yes, yes, yes, yes, yes, yes),
  rule(holdIsAlive,         'hold-expired',           no,  no,  yes, no,  no,  no,  yes),
  rule(appointmentIsActive, 'appointment-not-active', no,  no,  yes, yes, yes, yes, yes),
  rule(sessionIsOpen,       'session-closed',         yes, yes, yes, no,  no,  yes, no),
  rule(slotIsReleased,      'slot-not-released',      yes, yes, no,  no,  no,  no,  no),
  rule(slotIsAhead,         'slot-in-past',           yes, yes, yes, no,  no,  no,  no),
  rule(patientIsNotBarred,  'booking-barred',         yes, yes, no,  no,  no,  no,  no),
  rule(departmentDayIsFree, 'limit-department-day',   yes, yes, no,  no,  no,  no,  no),
  rule(dayHasRoom,          'limit-day',              yes, yes, no,  no,  no,  no,  no),
  rule(openPlacesAreFew,    'limit-open',             yes, yes, no,  no,  no,  no,  no),
  rule(patientIsFree,       'patient-busy',           yes, yes, no,  no,  no,  no,  no),
  rule(segmentHasPlace,     'slot-taken',             yes, yes, no,  no,  no,  no,  no),
  rule(noticeIsEnough,      'notice-too-short',       no,  no,  no,  no,  yes, no,  no),
  rule(checkInIsOpen,       'check-in-closed',        no,  no,  no,  no,  no,  yes, no),
]

/** Every issue in table order, up to a gate; empty when all rules are content. */
export function brokenRules(verb: Verb, facts: BookingFacts): Issue[] {
  const issues: Issue[] = []
  for (const each of bookingRules) {
    const sentence = each.verbs.has(verb) ? each.check(facts, verb) : null
    if (sentence === null) continue
    issues.push(issue(each.code, sentence))
    if (each.gate) break
  }
  return issues
}

/** @throws OutcomeError with every broken rule; the first decides the status. */
export function checkRules(verb: Verb, facts: BookingFacts): void {
  const issues = brokenRules(verb, facts)
  if (issues.length > 0) throw new OutcomeError(issues)
}

function patientIsTheirs({ mayAct, isProvider }: BookingFacts, verb: Verb): Sentence | null {
  if (mayAct || (isProvider && (verb === 'cancel' || verb === 'check-in'))) return null
  return { zh: '您不能为这位就诊人办理预约。请先添加为家庭成员并取得授权。', en: 'You may not arrange appointments for this patient. Ask for permission to act for them first.' }
}

function holdIsAlive({ own, now }: BookingFacts): Sentence | null {
  const ended = own?.cancelReason === 'hold-expired' || (own?.state === 'held' && own.heldUntil !== null && own.heldUntil <= now)
  if (!ended) return null
  return { zh: '号源保留时间已过，请重新选择时段。', en: 'The time to confirm is over. Please choose a time again.' }
}

const statesFor: Partial<Record<Verb, readonly BookingState[]>> = {
  confirm: ['held'], release: ['held'], cancel: ['held', 'booked'], 'check-in': ['booked'],
}

const stateWords: Record<BookingState, Sentence> = {
  held: { zh: '尚未确认', en: 'not confirmed yet' },
  booked: { zh: '已预约', en: 'booked' },
  'checked-in': { zh: '已签到', en: 'checked in' },
  arrived: { zh: '正在就诊', en: 'under way' },
  fulfilled: { zh: '已就诊', en: 'finished' },
  noshow: { zh: '记为爽约', en: 'recorded as missed' },
  cancelled: { zh: '已取消', en: 'cancelled' },
}

function appointmentIsActive({ own }: BookingFacts, verb: Verb): Sentence | null {
  if (own === null || statesFor[verb]?.includes(own.state)) return null
  const state = stateWords[own.state]
  return { zh: `该预约${state.zh}，不能进行此操作。`, en: `The appointment is ${state.en}; this cannot be done any more.` }
}

function sessionIsOpen({ session }: BookingFacts): Sentence | null {
  if (session.status === 'open') return null
  return { zh: '该门诊已停诊，请另选时间或医生。', en: 'This clinic has been suspended. Please choose another time or doctor.' }
}

function slotIsReleased({ session, now, parameters }: BookingFacts): Sentence | null {
  if (session.releaseAt <= now) return null
  const at = `${dayInShanghai(session.releaseAt)} ${clockInShanghai(session.releaseAt)}`
  return {
    zh: `该号源将于 ${at} 放号，可预约 ${parameters['window.daysAhead']} 天内的门诊。`,
    en: `These places open on ${at}. Clinics can be booked ${parameters['window.daysAhead']} days ahead.`,
  }
}

function slotIsAhead({ segment, now, parameters }: BookingFacts): Sentence | null {
  if (addMinutes(now, parameters['window.minLeadMinutes']) < segment.end) return null
  return { zh: '该时段已过或即将结束，请选择稍后的时段。', en: 'This time is over or about to end. Please choose a later one.' }
}

function patientIsNotBarred({ barredUntil, now }: BookingFacts): Sentence | null {
  if (barredUntil === null || barredUntil <= now) return null
  const day = dayInShanghai(barredUntil)
  return {
    zh: `该就诊人因多次爽约，在 ${day} 前暂停网上预约。可到医院窗口挂号或提出申诉。`,
    en: `Online booking for this patient is suspended until ${day} after missed appointments. The hospital desk can still help, and you may appeal.`,
  }
}

function departmentDayIsFree({ others, session }: BookingFacts): Sentence | null {
  const found = others.some((each) => each.serviceDate === session.serviceDate && each.organization === session.organization && each.department === session.department)
  if (!found) return null
  return { zh: '就诊人在本院该科室当天已有预约，同一天同一科室只能预约一次。', en: 'The patient already has an appointment in this department on that day. One per day and department is allowed.' }
}

function dayHasRoom({ others, session, parameters }: BookingFacts): Sentence | null {
  const limit = parameters['limit.samePatientDay']
  if (others.filter((each) => each.serviceDate === session.serviceDate).length < limit) return null
  return { zh: `同一就诊人一天最多预约 ${limit} 个号。`, en: `A patient may have ${limit} appointments a day.` }
}

function openPlacesAreFew({ others, now, parameters }: BookingFacts): Sentence | null {
  const limit = parameters['limit.openFuture']
  if (others.filter((each) => each.end > now && each.state !== 'fulfilled' && each.state !== 'noshow').length < limit) return null
  return { zh: `同一就诊人最多保留 ${limit} 个尚未就诊的预约，请先取消不需要的预约。`, en: `A patient may have ${limit} appointments ahead. Please cancel one that is not needed.` }
}

function patientIsFree({ others, segment }: BookingFacts): Sentence | null {
  const found = others.find((each) => each.start < segment.end && segment.start < each.end)
  if (!found) return null
  const time = `${clockInShanghai(found.start)}–${clockInShanghai(found.end)}`
  return { zh: `就诊人在 ${time} 已有其他预约，时间重叠。`, en: `The patient has another appointment at that time (${time}).` }
}

function segmentHasPlace(facts: BookingFacts): Sentence | null {
  return facts.segmentHasPlace ? null : slotTakenSentence
}

export const slotTakenSentence: Sentence = { zh: '该时段的号源已被约满，请另选时段。', en: 'All places of this time have been taken. Please choose another time.' }

function noticeIsEnough({ own, segment, now, parameters, isProvider }: BookingFacts): Sentence | null {
  if (isProvider || own?.state === 'held') return null
  const latest = parameters['cancel.lateAllowed'] === 1 ? segment.start : addMinutes(segment.start, -parameters['cancel.noticeMinutes'])
  if (now < latest) return null
  return {
    zh: `取消预约最晚应在 ${dayInShanghai(latest)} ${clockInShanghai(latest)} 之前办理。请联系医院。`,
    en: `The appointment could be cancelled until ${dayInShanghai(latest)} ${clockInShanghai(latest)}. Please contact the hospital.`,
  }
}

function checkInIsOpen({ segment, now, parameters }: BookingFacts): Sentence | null {
  const from = addMinutes(segment.start, -parameters['checkin.openMinutes'])
  const until = addMinutes(segment.end, parameters['checkin.lateMinutes'])
  if (from <= now && now <= until) return null
  return {
    zh: `签到时间为 ${dayInShanghai(from)} ${clockInShanghai(from)} 至 ${clockInShanghai(until)}。`,
    en: `Check-in is open on ${dayInShanghai(from)} from ${clockInShanghai(from)} to ${clockInShanghai(until)}.`,
  }
}

/** A cancellation after this moment is late: it is allowed or not, and counted. */
export function isLateCancel(facts: BookingFacts): boolean {
  return facts.own?.state === 'booked' && facts.now > addMinutes(facts.segment.start, -facts.parameters['cancel.noticeMinutes'])
}
