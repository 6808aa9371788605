/**
 * The rules of booking as an ordered table of pure functions: order is precedence, and a rule that is content returns null.
 * A rule looks at facts only (facts.ts loads them); the same rules that two people at once could break are constraints of the
 * database too, with the same outcome code. A gate ends the walk: what follows it would tell a stranger about a patient, or
 * would speak of an appointment that no longer is one. Source: docs/booking.md; numbers: parameters.ts.
 */
import { addDays, addMinutes, clockInShanghai, dayInShanghai } from '../fhir/date-time.ts'
import { issue, type Issue, OutcomeError, type OutcomeCode, type Sentence } from '../fhir/outcome.ts'
import type { BookingTable } from '../storage/tables.ts'
import type { Channel } from './channels.ts'
import type { Parameters } from './parameter-definitions.ts'
import { type ReferralState, states as referralStates } from './referral/steps.ts'

/** `book` takes a Slot at once, `confirm` makes a hold a booking, `move` takes another Slot for a booking. */
export type Verb = 'hold' | 'book' | 'confirm' | 'move' | 'release' | 'cancel' | 'check-in'
export type BookingState = BookingTable['state']

/** Another place of the patient, of the last months and ahead; cancelled ones and offered choices are not among them. */
export interface OtherBooking {
  start: Date
  end: Date
  serviceDate: string
  organization: string
  department: string
  practitioner: string
  state: BookingState
}

/** What stands against a proxy whom the caller claims to be; null when nothing does. */
export type ProxyFault = 'ended' | 'no-contract' | null

export interface BookingFacts {
  now: Date
  /** The caller is the patient or may act for them. */
  mayAct: boolean
  proxyFault: ProxyFault
  /** The caller works at the hospital of the session. */
  isProvider: boolean
  parameters: Parameters
  session: { status: 'open' | 'suspended' | 'closed'; releaseAt: Date; serviceDate: string; organization: string; department: string; practitioner: string }
  segment: { start: Date; end: Date }
  /** The quotas the caller may take from. */
  entitled: ReadonlySet<Channel>
  /** A quota the caller named and has no right to; null when there is none. */
  channelRefused: Channel | null
  /** Whether the segment has a place for the caller, and what stands in the way. */
  place: 'free' | 'taken' | 'reserved' | 'not-released'
  /** Until when the patient may not book online; null when not barred. */
  barredUntil: Date | null
  /** Without ended holds and without those that this request replaces. */
  others: readonly OtherBooking[]
  /** Cancellations of the patient's side today. */
  cancelsToday: number
  /** The appointment the request is about; null where it makes a new one. */
  /** The referral to book with; null when none is. `known`: it is this patient's; `used`: another place is kept with it; `fits`: the clinic is where it goes to. */
  referral: { known: boolean; bookable: boolean; used: boolean; fits: boolean; state: ReferralState | null } | null
  own: { state: BookingState; start: Date; heldUntil: Date | null; cancelReason: string | null; choosing?: boolean } | null
}

type Check = (facts: BookingFacts, verb: Verb) => Sentence | null
interface BookingRule { check: Check; code: OutcomeCode; verbs: ReadonlySet<Verb>; gate: boolean }

const verbNames: readonly Verb[] = ['hold', 'book', 'confirm', 'move', 'release', 'cancel', 'check-in']
const yes = true
const no = false

function rule(check: Check, code: OutcomeCode, ...applies: boolean[]): BookingRule {
  return { check, code, verbs: new Set(verbNames.filter((_, index) => applies[index])), gate: applies[verbNames.length] === true }
}

export const bookingRules: readonly BookingRule[] = [
  //   rule                 outcome code              hold book conf move rele canc chck gate
  rule(proxyIsValid,        'proxy-not-valid',        yes, yes, yes, yes, yes, yes, yes, yes),
  rule(patientIsTheirs,     'not-your-patient',       yes, yes, yes, yes, yes, yes, yes, yes),
  rule(holdIsAlive,         'hold-expired',           no,  no,  yes, no,  no,  no,  no,  yes),
  rule(appointmentIsActive, 'appointment-not-active', no,  no,  yes, yes, yes, yes, yes, yes),
  rule(referralIsKnown,     'referral-unknown',       yes, yes, yes, yes, no,  no,  no,  yes),
  rule(referralIsBookable,  'referral-not-bookable',  yes, yes, yes, yes, no,  no,  no,  yes),
  rule(referralIsUnused,    'referral-used',          yes, yes, no,  yes, no,  no,  no,  yes),
  rule(referralFits,        'referral-elsewhere',     yes, yes, no,  yes, no,  no,  no,  no),
  rule(sessionIsOpen,       'session-closed',         yes, yes, yes, yes, no,  no,  yes, no),
  rule(slotIsReleased,      'slot-not-released',      yes, yes, no,  yes, no,  no,  no,  no),
  rule(slotIsAhead,         'slot-in-past',           yes, yes, yes, yes, no,  no,  no,  no),
  rule(patientIsNotBarred,  'booking-barred',         yes, yes, no,  no,  no,  no,  no,  no),
  rule(channelIsOpen,       'channel-not-yours',      yes, yes, no,  yes, no,  no,  no,  no),
  rule(departmentDayIsFree, 'limit-department-day',   yes, yes, no,  yes, no,  no,  no,  no),
  rule(dayHasRoom,          'limit-day',              yes, yes, no,  yes, no,  no,  no,  no),
  rule(weekHasRoom,         'limit-week',             yes, yes, no,  yes, no,  no,  no,  no),
  rule(monthHasRoom,        'limit-month',            yes, yes, no,  yes, no,  no,  no,  no),
  rule(openPlacesAreFew,    'limit-open',             yes, yes, no,  yes, no,  no,  no,  no),
  rule(doctorIsNotSoon,     'limit-same-doctor',      yes, yes, no,  yes, no,  no,  no,  no),
  rule(cancelsAreFew,       'limit-cancels',          yes, yes, no,  no,  no,  no,  no,  no),
  rule(patientIsFree,       'patient-busy',           yes, yes, no,  yes, no,  no,  no,  no),
  rule(placeIsNotReserved,  'slot-reserved',          yes, yes, no,  yes, no,  no,  no,  no),
  rule(segmentHasPlace,     'slot-taken',             yes, yes, no,  yes, no,  no,  no,  no),
  rule(noticeIsEnough,      'notice-too-short',       no,  no,  no,  yes, no,  yes, no,  no),
  rule(checkInIsOpen,       'check-in-closed',        no,  no,  no,  no,  no,  no,  yes, no),
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

function proxyIsValid({ proxyFault }: BookingFacts): Sentence | null {
  switch (proxyFault) {
    case null: return null
    case 'ended': return { zh: '您代这位就诊人办理的授权已到期或尚未生效，请重新取得授权。', en: 'Your permission to act for this patient has ended or has not begun. Ask for it again.' }
    case 'no-contract': return { zh: '该居民未与您签约，家庭医生只能为签约居民代约。', en: 'This resident has no contract with you. A general practitioner books for contracted residents only.' }
  }
}

function patientIsTheirs({ mayAct, isProvider, entitled }: BookingFacts, verb: Verb): Sentence | null {
  // The window books for whoever stands before it, and the hospital may cancel and check in.
  if (mayAct || (isProvider && (entitled.has('onsite') || verb === 'cancel' || verb === 'check-in'))) return null
  return { zh: '您不能为这位就诊人办理预约。请先添加为家庭成员并取得授权。', en: 'You may not arrange appointments for this patient. Ask for permission to act for them first.' }
}

function holdIsAlive({ own, now }: BookingFacts): Sentence | null {
  const ended = own?.cancelReason === 'hold-expired' || (own?.state === 'held' && own.heldUntil !== null && own.heldUntil <= now)
  if (!ended) return null
  return { zh: '号源保留时间已过，请重新选择时段。', en: 'The time to confirm is over. Please choose a time again.' }
}

const statesFor: Partial<Record<Verb, readonly BookingState[]>> = {
  confirm: ['held'], move: ['booked'], release: ['held'], cancel: ['held', 'booked', 'offered'], 'check-in': ['booked'],
}

const stateWords: Record<BookingState, Sentence> = {
  held: { zh: '尚未确认', en: 'not confirmed yet' },
  offered: { zh: '待您选择', en: 'an offer that waits for a choice' },
  cooling: { zh: '已退号', en: 'given back' },
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

function referralIsKnown({ referral }: BookingFacts): Sentence | null {
  if (referral === null || referral.known) return null
  return { zh: '没有找到该就诊人的这张转诊单。', en: 'There is no such referral of this patient.' }
}

function referralIsBookable({ referral }: BookingFacts): Sentence | null {
  if (referral === null || referral.bookable) return null
  const name = referral.state === null || referral.state === 'accepted' || referral.state === 'no-place' ? { zh: '已过有效期', en: 'no longer valid' } : referralStates[referral.state].name
  return { zh: `这张转诊单当前不能预约：${name.zh}。`, en: `This referral cannot be booked with now: ${name.en}.` }
}

function referralIsUnused({ referral }: BookingFacts): Sentence | null {
  if (!referral?.used) return null
  return { zh: '这张转诊单正用于另一个尚未确认的号源，请先确认或放弃。', en: 'Another place is being kept with this referral. Confirm it or let it go first.' }
}

function referralFits({ referral }: BookingFacts): Sentence | null {
  if (referral === null || referral.fits) return null
  return { zh: '该门诊不是转诊单所写的医院、科室或医生。', en: 'This clinic is not of the hospital, department or doctor that the referral names.' }
}

function sessionIsOpen({ session }: BookingFacts): Sentence | null {
  if (session.status === 'open') return null
  return { zh: '该门诊已停诊，请另选时间或医生。', en: 'This clinic has been suspended. Please choose another time or doctor.' }
}

function slotIsReleased({ session, place, parameters }: BookingFacts): Sentence | null {
  if (place !== 'not-released') return null
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

function patientIsNotBarred({ barredUntil, now, entitled }: BookingFacts): Sentence | null {
  // The bar is on booking online: the window and the GP can still help.
  if (barredUntil === null || barredUntil <= now || entitled.has('onsite') || entitled.has('gp')) return null
  const day = dayInShanghai(barredUntil)
  return {
    zh: `该就诊人因多次爽约，在 ${day} 前暂停网上预约。可到医院窗口挂号或提出申诉。`,
    en: `Online booking for this patient is suspended until ${day} after missed appointments. The hospital desk can still help, and you may appeal.`,
  }
}

const channelNames: Record<Channel, Sentence> = {
  public: { zh: '公开号源', en: 'places for everybody' },
  gp: { zh: '家庭医生转诊号源', en: 'places for referrals by a general practitioner' },
  'follow-up': { zh: '复诊号源', en: 'places for follow-up visits' },
  onsite: { zh: '窗口号源', en: 'places for the hospital desk' },
}

function channelIsOpen({ channelRefused, parameters }: BookingFacts): Sentence | null {
  if (channelRefused === null) return null
  const name = channelNames[channelRefused]
  const days = parameters['quota.followUp.visitDays']
  if (channelRefused === 'follow-up') {
    return { zh: `${name.zh}仅供 ${days} 天内在本院该科室就诊过的患者。`, en: `The ${name.en} are for patients who were in this department within ${days} days.` }
  }
  return { zh: `您不能使用${name.zh}。`, en: `The ${name.en} are not yours to use.` }
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

function weekHasRoom({ others, session, parameters }: BookingFacts): Sentence | null {
  const limit = parameters['limit.week']
  const week = mondayOf(session.serviceDate)
  if (others.filter((each) => mondayOf(each.serviceDate) === week).length < limit) return null
  return { zh: `同一就诊人一周最多预约 ${limit} 个号。`, en: `A patient may have ${limit} appointments a week.` }
}

function monthHasRoom({ others, session, parameters }: BookingFacts): Sentence | null {
  const limit = parameters['limit.month']
  const month = session.serviceDate.slice(0, 7)
  if (others.filter((each) => each.serviceDate.startsWith(month)).length < limit) return null
  return { zh: `同一就诊人一个月最多预约 ${limit} 个号。`, en: `A patient may have ${limit} appointments a month.` }
}

function openPlacesAreFew({ others, now, parameters }: BookingFacts): Sentence | null {
  const limit = parameters['limit.openFuture']
  if (others.filter((each) => each.end > now && each.state !== 'fulfilled' && each.state !== 'noshow').length < limit) return null
  return { zh: `同一就诊人最多保留 ${limit} 个尚未就诊的预约，请先取消不需要的预约。`, en: `A patient may have ${limit} appointments ahead. Please cancel one that is not needed.` }
}

/** Follow-up places are given by the clinic, a GP or the desk knows why: the gap is for those who book by themselves. */
function doctorIsNotSoon({ others, session, parameters, entitled }: BookingFacts): Sentence | null {
  const gap = parameters['limit.sameDoctor.gapDays']
  if (entitled.has('gp') || entitled.has('onsite')) return null
  const ahead: readonly BookingState[] = ['held', 'booked', 'checked-in', 'arrived']
  const found = others.find((each) => each.practitioner === session.practitioner && ahead.includes(each.state) && daysBetween(each.serviceDate, session.serviceDate) < gap)
  if (!found) return null
  return {
    zh: `就诊人在 ${found.serviceDate} 已预约同一位医生，两次预约应相隔至少 ${gap} 天。可改约原预约。`,
    en: `The patient has a place with this doctor on ${found.serviceDate}. Two places with a doctor lie ${gap} days apart at least; you may move that one instead.`,
  }
}

function cancelsAreFew({ cancelsToday, parameters, entitled }: BookingFacts): Sentence | null {
  const limit = parameters['cancel.maxPerDay']
  if (cancelsToday < limit || entitled.has('gp') || entitled.has('onsite')) return null
  return { zh: `该就诊人今天已取消 ${cancelsToday} 次预约，今天不能再预约，请明天再试。`, en: `The patient has had ${cancelsToday} appointments cancelled today. Book again tomorrow.` }
}

function patientIsFree({ others, segment }: BookingFacts): Sentence | null {
  const found = others.find((each) => each.start < segment.end && segment.start < each.end)
  if (!found) return null
  const time = `${clockInShanghai(found.start)}–${clockInShanghai(found.end)}`
  return { zh: `就诊人在 ${time} 已有其他预约，时间重叠。`, en: `The patient has another appointment at that time (${time}).` }
}

function placeIsNotReserved({ place }: BookingFacts): Sentence | null {
  if (place !== 'reserved') return null
  return {
    zh: '该时段剩余的号源为家庭医生转诊、复诊或窗口预留，到期未用将放回公开号源。请另选时段。',
    en: 'The places left at this time are kept for referrals, follow-up visits or the hospital desk; what is not used returns to everybody later. Please choose another time.',
  }
}

function segmentHasPlace({ place }: BookingFacts): Sentence | null {
  return place === 'taken' ? slotTakenSentence : null
}

export const slotTakenSentence: Sentence = { zh: '该时段的号源已被约满，请另选时段。', en: 'All places of this time have been taken. Please choose another time.' }

function noticeIsEnough({ own, now, parameters, isProvider }: BookingFacts, verb: Verb): Sentence | null {
  // Whose clinic was suspended or given to another doctor may leave at any time.
  if (isProvider || own === null || own.state === 'held' || own.choosing) return null
  // Moving late would be a late cancellation that is not counted.
  const lateAllowed = verb === 'cancel' && parameters['cancel.lateAllowed'] === 1
  const latest = lateAllowed ? own.start : addMinutes(own.start, -parameters['cancel.noticeMinutes'])
  if (now < latest) return null
  if (verb === 'move') {
    return {
      zh: `改约最晚应在 ${dayInShanghai(latest)} ${clockInShanghai(latest)} 之前办理。`,
      en: `The appointment could be moved until ${dayInShanghai(latest)} ${clockInShanghai(latest)}.`,
    }
  }
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
  return facts.own?.state === 'booked' && !facts.own.choosing && facts.now > addMinutes(facts.own.start, -facts.parameters['cancel.noticeMinutes'])
}

/** The Monday of a day's week, both `YYYY-MM-DD`. */
function mondayOf(day: string): string {
  return addDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7))
}

function daysBetween(one: string, other: string): number {
  return Math.abs(Date.parse(`${one}T00:00:00Z`) - Date.parse(`${other}T00:00:00Z`)) / 86_400_000
}
