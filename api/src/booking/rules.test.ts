import { expect, test } from 'vitest'
import { platformDefaults } from './parameters.ts'
import { type BookingFacts, bookingRules, brokenRules, isLateCancel, type OtherBooking, type Verb } from './rules.ts'

const at = (clock: string, day = '2026-11-25') => new Date(`${day}T${clock}:00+08:00`)

const other: OtherBooking = { start: at('14:00'), end: at('14:30'), serviceDate: '2026-11-25', organization: 'h2', department: '10', state: 'booked' }

const content: BookingFacts = {
  now: at('09:00', '2026-11-23'), mayAct: true, isProvider: false, parameters: platformDefaults,
  session: { status: 'open', releaseAt: at('07:00', '2026-11-11'), serviceDate: '2026-11-25', organization: 'h1', department: '03.04' },
  segment: { start: at('09:00'), end: at('09:30') }, segmentHasPlace: true, barredUntil: null, others: [], own: null,
}
const held = { state: 'held', heldUntil: at('09:05', '2026-11-23'), cancelReason: null } as const
const booked = { state: 'booked', heldUntil: null, cancelReason: null } as const
const cancelled = { state: 'cancelled', heldUntil: null, cancelReason: 'patient' } as const

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
  ['a suspended session', 'book', { session: { ...content.session, status: 'suspended' } }, ['session-closed']],
  ['a suspended session can be cancelled', 'cancel', { own: booked, session: { ...content.session, status: 'suspended' } }, []],
  ['a minute before the release', 'book', { session: { ...content.session, releaseAt: at('09:01', '2026-11-23') } }, ['slot-not-released']],
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
  ['a full segment', 'hold', { segmentHasPlace: false }, ['slot-taken']],
  ['several at once, in table order', 'book', { segmentHasPlace: false, session: { ...content.session, status: 'closed' }, others: [{ ...other, start: at('09:00'), end: at('09:30') }] }, ['session-closed', 'patient-busy', 'slot-taken']],
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
