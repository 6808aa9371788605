import { expect, test } from 'vitest'
import { platformDefaults } from './parameter-definitions.ts'
import { type BookingFacts, bookingRules, brokenRules, isLateCancel, type OtherBooking, type Verb } from './rules.ts'

const at = (clock: string, day = '2026-11-25') => new Date(`${day}T${clock}:00+08:00`)

const other: OtherBooking = { start: at('14:00'), end: at('14:30'), serviceDate: '2026-11-25', organization: 'h2', department: '10', practitioner: 'd2', state: 'booked' }

const content: BookingFacts = {
  now: at('09:00', '2026-11-23'), mayAct: true, proxyFault: null, isProvider: false, parameters: platformDefaults,
  session: { status: 'open', releaseAt: at('07:00', '2026-11-11'), serviceDate: '2026-11-25', organization: 'h1', department: '03.04', practitioner: 'd1' },
  segment: { start: at('09:00'), end: at('09:30') }, entitled: new Set(['public']), channelRefused: null, place: 'free', barredUntil: null, others: [], cancelsToday: 0, referral: null, own: null,
}
const held = { state: 'held', start: at('09:00'), heldUntil: at('09:05', '2026-11-23'), cancelReason: null } as const
const booked = { state: 'booked', start: at('09:00'), heldUntil: null, cancelReason: null } as const
const cancelled = { state: 'cancelled', start: at('09:00'), heldUntil: null, cancelReason: 'patient' } as const

const wide = { ...platformDefaults, 'limit.samePatientDay': 30, 'limit.openFuture': 30 }
const on = (day: string, count: number, practitioner = 'd2'): OtherBooking[] =>
  Array.from({ length: count }, () => ({ ...other, serviceDate: day, start: at('14:00', day), end: at('14:30', day), practitioner }))

/** Rows come in pairs: what breaks a rule, and the nearest that does not. */
const cases: readonly [string, Verb, Partial<BookingFacts>, string[]][] = [
  ['all is well', 'hold', {}, []],
  ['all is well', 'book', {}, []],
  ['a stranger', 'book', { mayAct: false, others: [{ ...other, start: at('09:00'), end: at('10:00') }] }, ['not-your-patient']],
  ['the hospital itself does not book for people', 'book', { mayAct: false, isProvider: true }, ['not-your-patient']],
  ['the hospital may cancel', 'cancel', { mayAct: false, isProvider: true, own: booked }, []],
  ['the hospital may check in', 'check-in', { mayAct: false, isProvider: true, own: booked, now: at('09:00') }, []],
  ['a hold a second over', 'confirm', { own: held, now: new Date('2026-11-23T09:05:00+08:00') }, ['hold-expired']],
  ['a hold at its last second', 'confirm', { own: held, now: new Date('2026-11-23T09:04:59+08:00') }, []],
  ['a hold that ended and was swept', 'confirm', { own: { ...cancelled, cancelReason: 'hold-expired' } }, ['hold-expired']],
  ['a cancelled booking', 'confirm', { own: cancelled }, ['appointment-not-active']],
  ['releasing a booking', 'release', { own: booked }, ['appointment-not-active']],
  ['releasing a hold', 'release', { own: held }, []],
  ['cancelling twice', 'cancel', { own: cancelled }, ['appointment-not-active']],
  ['cancelling after check-in', 'cancel', { own: { ...booked, state: 'checked-in' } }, ['appointment-not-active']],
  ['checking in a hold', 'check-in', { own: held, now: at('09:00') }, ['appointment-not-active']],
  ['a proxy whose grant has ended', 'book', { mayAct: false, proxyFault: 'ended' }, ['proxy-not-valid']],
  ['a GP without a contract', 'book', { mayAct: false, proxyFault: 'no-contract' }, ['proxy-not-valid']],
  ['the hospital\'s desk books for who stands there', 'book', { mayAct: false, isProvider: true, entitled: new Set(['public', 'onsite']) }, []],
  ['moving a hold', 'move', { own: held }, ['appointment-not-active']],
  ['moving a booking', 'move', { own: booked }, []],
  ['moving within twelve hours', 'move', { own: booked, now: at('21:00', '2026-11-24') }, ['notice-too-short']],
  ['moving a minute earlier', 'move', { own: booked, now: at('20:59', '2026-11-24') }, []],
  ['a referral of somebody else, or none', 'book', { referral: { known: false, bookable: false, used: false, fits: false, state: null } }, ['referral-unknown']],
  ['a referral that waits for the department', 'book', { referral: { known: true, bookable: false, used: false, fits: true, state: 'requested' } }, ['referral-not-bookable']],
  ['a referral that was cancelled while its place was held', 'confirm', { own: held, referral: { known: true, bookable: false, used: false, fits: true, state: 'cancelled' } }, ['referral-not-bookable']],
  ['a referral to another department', 'book', { referral: { known: true, bookable: true, used: false, fits: false, state: 'accepted' } }, ['referral-elsewhere']],
  ['a referral with which another place is kept', 'hold', { referral: { known: true, bookable: true, used: true, fits: true, state: 'accepted' } }, ['referral-used']],
  ['a referral that fits', 'book', { referral: { known: true, bookable: true, used: false, fits: true, state: 'accepted' } }, []],
  ['a hold with a referral that is still good', 'confirm', { own: held, referral: { known: true, bookable: true, used: false, fits: true, state: 'accepted' } }, []],
  ['a quota one has no right to', 'book', { channelRefused: 'follow-up' }, ['channel-not-yours']],
  ['a quota one has a right to', 'book', { entitled: new Set(['public', 'follow-up']) }, []],
  ['only reserved places left', 'book', { place: 'reserved' }, ['slot-reserved']],
  ['a barred patient at the desk', 'book', { barredUntil: at('00:00', '2026-12-01'), entitled: new Set(['public', 'onsite']) }, []],
  ['a barred patient with their GP', 'book', { barredUntil: at('00:00', '2026-12-01'), entitled: new Set(['public', 'gp']) }, []],
  ['a fifteenth place in the week', 'book', { others: on('2026-11-23', 14), parameters: wide }, ['limit-week']],
  ['a fourteenth place in the week', 'book', { others: on('2026-11-23', 13), parameters: wide }, []],
  ['fourteen places in the week before', 'book', { others: on('2026-11-22', 14), parameters: wide }, []],
  ['a twenty-first place in the month', 'book', { others: on('2026-11-02', 20), parameters: wide }, ['limit-month']],
  ['a twentieth place in the month', 'book', { others: on('2026-11-02', 19), parameters: wide }, []],
  ['twenty places in the month before', 'book', { others: on('2026-10-31', 20), parameters: wide }, []],
  ['the same doctor two days later', 'book', { others: on('2026-11-27', 1, 'd1') }, ['limit-same-doctor']],
  ['the same doctor three days later', 'book', { others: on('2026-11-28', 1, 'd1') }, []],
  ['the same doctor two days later, seen already', 'book', { others: on('2026-11-27', 1, 'd1').map((each) => ({ ...each, state: 'fulfilled' as const })) }, []],
  ['a fourth booking after three cancellations', 'book', { cancelsToday: 3 }, ['limit-cancels']],
  ['a booking after two cancellations', 'book', { cancelsToday: 2 }, []],
  ['moving is no cancellation', 'move', { cancelsToday: 3, own: booked }, []],
  ['a suspended session', 'book', { session: { ...content.session, status: 'suspended' } }, ['session-closed']],
  ['a suspended session can be cancelled', 'cancel', { own: booked, session: { ...content.session, status: 'suspended' } }, []],
  ['a minute before the release', 'book', { place: 'not-released', session: { ...content.session, releaseAt: at('09:01', '2026-11-23') } }, ['slot-not-released']],
  ['at the release', 'book', { session: { ...content.session, releaseAt: at('09:00', '2026-11-23') } }, []],
  ['half an hour before the segment ends', 'book', { now: at('09:00') }, ['slot-in-past']],
  ['31 minutes before the segment ends', 'book', { now: at('08:59') }, []],
  ['confirming when the segment is over', 'confirm', { own: { ...held, heldUntil: at('09:31') }, now: at('09:30') }, ['slot-in-past']],
  ['a barred patient', 'hold', { barredUntil: at('00:00', '2026-12-01') }, ['booking-barred']],
  ['a bar that has ended', 'hold', { barredUntil: at('09:00', '2026-11-23') }, []],
  ['the same department on that day', 'book', { others: [{ ...other, organization: 'h1', department: '03.04' }] }, ['limit-department-day']],
  ['the same department of another hospital', 'book', { others: [{ ...other, department: '03.04' }] }, []],
  ['the same department on another day', 'book', { others: [{ ...other, organization: 'h1', department: '03.04', serviceDate: '2026-11-26', start: at('14:00', '2026-11-26'), end: at('14:30', '2026-11-26') }] }, []],
  ['a fourth place on the day', 'book', { others: [other, other, other] }, ['limit-day']],
  ['a third place on the day', 'book', { others: [other, other] }, []],
  ['a seventh place ahead', 'book', { others: Array.from({ length: 6 }, () => ({ ...other, serviceDate: '2026-11-27', start: at('14:00', '2026-11-27'), end: at('14:30', '2026-11-27') })) }, ['limit-open']],
  ['six places, one fulfilled', 'book', { others: Array.from({ length: 6 }, (_, index) => ({ ...other, serviceDate: '2026-11-27', start: at('14:00', '2026-11-27'), end: at('14:30', '2026-11-27'), state: index === 0 ? 'fulfilled' as const : 'booked' as const })) }, []],
  ['a place that overlaps by a minute', 'book', { others: [{ ...other, start: at('09:29'), end: at('10:00') }] }, ['patient-busy']],
  ['a place that begins when this one ends', 'book', { others: [{ ...other, start: at('09:30'), end: at('10:00') }] }, []],
  ['a full segment', 'hold', { place: 'taken' }, ['slot-taken']],
  ['several at once, in table order', 'book', { place: 'taken', session: { ...content.session, status: 'closed' }, others: [{ ...other, start: at('09:00'), end: at('09:30') }] }, ['session-closed', 'patient-busy', 'slot-taken']],
  ['cancelling when the visit begins', 'cancel', { own: booked, now: at('09:00') }, ['notice-too-short']],
  ['cancelling a minute before', 'cancel', { own: booked, now: at('08:59') }, []],
  ['cancelling late where that is not allowed', 'cancel', { own: booked, now: at('21:00', '2026-11-24'), parameters: { ...platformDefaults, 'cancel.lateAllowed': 0 } }, ['notice-too-short']],
  ['cancelling in time there', 'cancel', { own: booked, now: at('20:59', '2026-11-24'), parameters: { ...platformDefaults, 'cancel.lateAllowed': 0 } }, []],
  ['the hospital cancels at any time', 'cancel', { own: booked, now: at('10:00'), isProvider: true }, []],
  ['checking in an hour and a minute early', 'check-in', { own: booked, now: at('07:59') }, ['check-in-closed']],
  ['checking in an hour early', 'check-in', { own: booked, now: at('08:00') }, []],
  ['checking in half an hour after the end', 'check-in', { own: booked, now: at('10:00') }, []],
  ['checking in later still', 'check-in', { own: booked, now: at('10:01') }, ['check-in-closed']],
]

test.each(cases)('%s (%s)', (_name, verb, changed, codes) => {
  expect(brokenRules(verb, { ...content, ...changed }).map((each) => each.code)).toEqual(codes)
})

test('every rule has a case that breaks it', () => {
  const broken = new Set(cases.flatMap(([, , , codes]) => codes))
  for (const rule of bookingRules) expect(broken).toContain(rule.code)
})

test('every sentence is in both languages', () => {
  for (const [, verb, changed] of cases) {
    for (const each of brokenRules(verb, { ...content, ...changed })) {
      expect(each.text.zh).toMatch(/[㐀-鿿]/)
      expect(each.text.en).toMatch(/^[A-Z][^㐀-鿿]*$/)
    }
  }
})

test('a cancellation is late within twelve hours of the start', () => {
  expect(isLateCancel({ ...content, own: booked, now: at('21:00', '2026-11-24') })).toBe(false)
  expect(isLateCancel({ ...content, own: booked, now: at('21:01', '2026-11-24') })).toBe(true)
  expect(isLateCancel({ ...content, own: held, now: at('08:00') })).toBe(false)
})
