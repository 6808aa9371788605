import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addMinutes, minuteOfDay } from '../fhir/date-time.ts'
import type { Try } from '../notices/next-channel.ts'
import type { ChannelName } from '../notices/shapes.ts'
import { deliveryOf, type DeliveryFacts, nextDelivery, saidUntil, type Weight } from './notice-delivery.ts'
import { noticeText } from './notice-text.ts'
import { platformDefaults } from './parameter-definitions.ts'

const at = (text: string) => new Date(`${text}+08:00`)
const all: readonly ChannelName[] = ['app', 'sms', 'phone']
const facts = (now: string, given: Partial<DeliveryFacts> = {}): DeliveryFacts => ({
  now: at(now), weight: 'question', until: at('2026-11-24T10:00:00'), settled: false, channels: all, sent: [], numbers: platformDefaults, ...given,
})
const unread = (channel: ChannelName, readBy: string | null): Try => ({ channel, read: false, readBy: readBy === null ? null : at(readBy) })

describe('what goes out when', () => {
  const cases: [what: string, given: DeliveryFacts, send: string | null, wake: string | null][] = [
    ['a question at once, by the first channel', facts('2026-11-23T10:00:00'), 'app', '2026-11-23T10:15:00'],
    ['unread: the next', facts('2026-11-23T10:15:00', { sent: [unread('app', '2026-11-23T10:15:00')] }), 'sms', '2026-11-23T10:30:00'],
    ['still unread: a call', facts('2026-11-23T10:30:00', { sent: [unread('app', '2026-11-23T10:15:00'), unread('sms', '2026-11-23T10:30:00')] }), 'phone', null],
    ['read: nothing more', facts('2026-11-23T10:15:00', { sent: [{ ...unread('app', '2026-11-23T10:15:00'), read: true }] }), null, null],
    ['answered: nothing more', facts('2026-11-23T10:15:00', { settled: true, sent: [unread('app', '2026-11-23T10:15:00')] }), null, null],
    ['little time: the next in a third of it', facts('2026-11-23T10:00:00', { until: at('2026-11-23T10:30:00') }), 'app', '2026-11-23T10:10:00'],
    ['the deadline has passed: nothing', facts('2026-11-24T10:00:00'), null, null],
    ['at night what is far waits for the morning', facts('2026-11-23T21:30:00', { until: at('2026-11-25T10:00:00') }), null, '2026-11-24T08:00:00'],
    ['at night what is near goes out', facts('2026-11-23T23:00:00', { until: at('2026-11-24T01:00:00') }), 'app', '2026-11-23T23:15:00'],
    ['but nobody is called, and in the morning it is over', facts('2026-11-23T23:00:00', { until: at('2026-11-24T01:00:00'), channels: ['phone'] }), null, null],
    ['news once, by the first channel', facts('2026-11-23T10:00:00', { weight: 'news' }), 'app', null],
    ['news is not repeated', facts('2026-11-23T11:00:00', { weight: 'news', sent: [unread('app', null)] }), null, null],
    ['news is never a call', facts('2026-11-23T10:00:00', { weight: 'news', channels: ['phone', 'sms'] }), 'sms', null],
    ['nobody to reach', facts('2026-11-23T10:00:00', { channels: [] }), null, null],
  ]
  test.each(cases)('%s', (_what, given, send, wake) => {
    const step = nextDelivery(given)
    expect(step.send?.channel ?? null).toBe(send)
    expect(step.wakeAt?.toISOString() ?? null).toBe(wake === null ? null : at(wake).toISOString())
  })
})

test('whatever the numbers: each channel once, nothing from the deadline on, no call in quiet hours, and it ends', () => {
  fc.assert(fc.property(fc.record({
    clock: fc.integer({ min: 0, max: 1439 }), left: fc.integer({ min: 1, max: 4000 }), order: fc.shuffledSubarray([...all]), weight: fc.constantFrom<Weight>('question', 'change', 'news'),
    late: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 5 }), fallback: fc.integer({ min: 1, max: 240 }), from: fc.integer({ min: 0, max: 1439 }), quiet: fc.integer({ min: 0, max: 1439 }), except: fc.integer({ min: 0, max: 48 }),
  }), (given) => {
    let now: Date | null = addMinutes(at('2026-11-23T00:00:00'), given.clock)
    const until = addMinutes(now, given.left)
    const numbers = { 'notice.fallbackMinutes': given.fallback, 'reminder.quietFromMinute': given.from, 'reminder.quietUntilMinute': given.quiet, 'reminder.quietExceptHours': given.except }
    const sent: Try[] = []
    for (let step = 0; now !== null; step++) {
      expect(step).toBeLessThan(12)
      const next: ReturnType<typeof nextDelivery> = nextDelivery({ now, weight: given.weight, until, settled: false, channels: given.order, sent, numbers })
      if (next.send) {
        const { channel, readBy } = next.send
        expect(now < until).toBe(true)
        expect(sent.some((each) => each.channel === channel)).toBe(false)
        const minute = minuteOfDay(now)
        const night = given.from <= given.quiet ? minute >= given.from && minute < given.quiet : minute >= given.from || minute < given.quiet
        if (channel === 'phone') expect(night || given.weight === 'news').toBe(false)
        sent.push({ channel, read: false, readBy })
      }
      if (next.wakeAt !== null) expect(next.wakeAt > now).toBe(true)
      now = next.wakeAt === null ? null : addMinutes(next.wakeAt, given.late[step % given.late.length] as number)
    }
    if (given.weight === 'news') expect(sent.length).toBeLessThanOrEqual(1)
  }), { numRuns: 500 })
})

test('how long it is worth saying: the deadline of a question, the beginning of the visit, or its own time', () => {
  const made = at('2026-11-23T10:00:00')
  const until = (kind: string, params: Parameters<typeof saidUntil>[1]) => saidUntil(deliveryOf(kind) as NonNullable<ReturnType<typeof deliveryOf>>, params, made).toISOString()
  expect(until('session-suspended', { until: '2026-11-23T04:00:00.000Z', date: '2026-11-25', time: '08:00' })).toBe('2026-11-23T04:00:00.000Z')
  expect(until('waitlist-offer', { until: '2026-11-23T10:30:00+08:00' })).toBe('2026-11-23T02:30:00.000Z')
  expect(until('room-changed', { date: '2026-11-25', time: '08:00' })).toBe('2026-11-25T00:00:00.000Z')
  expect(until('draw-won', { day: '2026-11-25', time: '08:00' })).toBe('2026-11-25T00:00:00.000Z')
  expect(until('queue-called', { time: '10:00' })).toBe('2026-11-23T02:20:00.000Z')
  expect(until('waitlist-expired', { until: '2026-11-22' })).toBe('2026-11-24T02:00:00.000Z')
  expect(until('waitlist-offer', { until: 'soon' })).toBe('2026-11-23T04:00:00.000Z')
})

describe('words', () => {
  const hospital = { zh: '浦江市第一人民医院', en: 'Pujiang First People’s Hospital' }
  const params = { hospital, doctor: { zh: '陈志远', en: 'Chen Zhiyuan' }, department: { zh: '精神科', en: 'Psychiatry' }, place: { zh: '精神科 2 诊室', en: 'Psychiatry 2' }, code: 'ABCD-EFGH', date: '2026-11-30', time: '08:00', day: '2026-11-30', until: '2026-11-24T02:00:00.000Z', missed: 3, reason: null }
  const kinds = ['session-suspended', 'doctor-substituted', 'waitlist-offer', 'waitlist-booked', 'draw-won', 'session-suspended-no-choice', 'choice-ended-suspended', 'choice-ended-substituted', 'cancelled-by-hospital', 'cancelled-by-proxy', 'room-changed',
    'hold-suspended', 'queue-called', 'queue-passed', 'waitlist-expired', 'draw-lost', 'draw-void', 'visit-missed', 'absence-excused', 'absence-upheld', 'referral-accepted', 'referral-expired']
  test.each(kinds)('%s: in both languages, and no department, doctor, room or code', (kind) => {
    expect(deliveryOf(kind)).not.toBeNull()
    for (const language of ['zh', 'en'] as const) {
      for (const channel of all) {
        const text = noticeText(kind, params, channel, language)
        expect(text).toMatch(language === 'zh' ? /浦江健康/ : /^(Hello, this is )?Pujiang Health/)
        expect(text).not.toMatch(/精神|陈|Psychiatry|Chen|ABCD|undefined|null|NaN|Invalid|\{|\s{2}/)
      }
    }
  })
  test('as a person reads them', () => {
    expect(noticeText('session-suspended', params, 'sms', 'zh')).toBe('【浦江健康】您11月30日周一 08:00 在浦江市第一人民医院的预约停诊了。已为您保留其他号，请在11月24日周二 10:00前打开浦江健康选一个；没有选就会取消并全额退费。可以请家人或家庭医生代办。')
    expect(noticeText('waitlist-offer', { ...params, date: null }, 'phone', 'en')).toBe('Hello, this is Pujiang Health. A place you wait for at Pujiang First People’s Hospital, Monday 30 November 08:00, is kept for you. Please accept it in Pujiang Health by Tuesday 24 November 10:00; then it goes to the next. Family or your GP can do it for you. Press 1 to say that you have heard this.')
  })
  test('what the person did, and what is for others, stays in the portal', () => {
    for (const kind of ['cancelled-late', 'session-suspended-doctor', 'absence-appealed']) expect(deliveryOf(kind)).toBeNull()
    expect(() => noticeText('cancelled-late', {}, 'sms', 'zh')).toThrow('No words')
  })
})
