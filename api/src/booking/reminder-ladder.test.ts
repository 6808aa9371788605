import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addMinutes, minuteOfDay } from '../fhir/date-time.ts'
import type { ChannelName } from '../notices/shapes.ts'
import { platformDefaults } from './parameter-definitions.ts'
import { nextReminder, type ReminderFacts, type SentReminder } from './reminder-ladder.ts'

const at = (text: string) => new Date(`${text}+08:00`)
const all: readonly ChannelName[] = ['app', 'sms', 'phone']
const visit = at('2026-12-10T09:00:00')
const facts = (now: string, given: Partial<ReminderFacts> = {}): ReminderFacts => ({
  now: at(now), bookedAt: at('2026-11-28T10:00:00'), isByPlatform: false, start: visit, channels: all, sent: [], numbers: platformDefaults, ...given,
})
const unread = (rung: SentReminder['rung'], channel: ChannelName, readBy: string): SentReminder => ({ rung, channel, read: false, readBy: at(readBy) })

describe('what is sent when', () => {
  const cases: [what: string, given: ReminderFacts, send: string | null, wake: string | null][] = [
    ['at booking, without a fall-back', facts('2026-11-28T10:00:00'), 'booked app', '2026-12-03T09:00:00'],
    ['no confirmation an hour later', facts('2026-11-28T11:01:00'), null, '2026-12-03T09:00:00'],
    ['no confirmation of what the platform booked: a notice says it', facts('2026-11-28T10:00:00', { isByPlatform: true }), null, '2026-12-03T09:00:00'],
    ['no confirmation where that is switched off', facts('2026-11-28T10:00:00', { numbers: { ...platformDefaults, 'reminder.atBooking': 0 } }), null, '2026-12-03T09:00:00'],
    ['seven days before, on the first channel', facts('2026-12-03T09:00:00'), 'first app', '2026-12-03T11:00:00'],
    ['unread: the next channel', facts('2026-12-03T11:00:00', { sent: [unread('first', 'app', '2026-12-03T11:00:00')] }), 'first sms', '2026-12-03T13:00:00'],
    ['unread, before the deadline: nothing', facts('2026-12-03T10:59:00', { sent: [unread('first', 'app', '2026-12-03T11:00:00')] }), null, '2026-12-03T11:00:00'],
    ['read: nothing until the next rung', facts('2026-12-03T11:00:00', { sent: [{ ...unread('first', 'app', '2026-12-03T11:00:00'), read: true }] }), null, '2026-12-08T09:00:00'],
    ['of overdue rungs only the last', facts('2026-12-09T12:00:00'), 'third app', '2026-12-09T14:00:00'],
    ['the last rung falls back in half of the time that is left', facts('2026-12-10T07:00:00', { channels: ['sms', 'phone'] }), 'last sms', '2026-12-10T08:00:00'],
    ['a near visit is reminded of in quiet hours', facts('2026-12-10T07:00:00'), 'last app', '2026-12-10T08:00:00'],
    ['but nobody is called in them', facts('2026-12-10T07:30:00', { sent: [unread('last', 'app', '2026-12-10T07:10:00'), unread('last', 'sms', '2026-12-10T07:30:00')] }), null, '2026-12-10T08:00:00'],
    ['a reminder that falls into the night waits for the morning', facts('2026-12-08T22:00:00', { start: at('2026-12-10T22:00:00') }), null, '2026-12-09T08:00:00'],
    ['who books at night is answered at once', facts('2026-11-28T22:30:00', { bookedAt: at('2026-11-28T22:30:00') }), 'booked app', '2026-12-03T09:00:00'],
    ['but not by a call', facts('2026-11-28T22:30:00', { bookedAt: at('2026-11-28T22:30:00'), channels: ['phone'] }), null, '2026-11-29T08:00:00'],
    ['once the visit has begun: nothing more', facts('2026-12-10T09:00:00'), null, null],
    ['who wants no reminders gets none', facts('2026-12-03T09:00:00', { channels: [] }), null, null],
  ]
  test.each(cases)('%s', (_what, given, send, wake) => {
    const step = nextReminder(given)
    expect(step.send ? `${step.send.rung} ${step.send.channel}` : null).toBe(send)
    expect(step.wakeAt?.toISOString() ?? null).toBe(wake === null ? null : at(wake).toISOString())
  })
})

test('whatever the numbers: each channel once a rung, no call in quiet hours, nothing from the visit on, and it ends', () => {
  const minutes = (max: number) => fc.integer({ min: 0, max })
  const property = fc.property(
    fc.record({
      lead: fc.integer({ min: 1, max: 20_000 }), clock: minutes(1439), order: fc.shuffledSubarray([...all]), readEvery: fc.integer({ min: 1, max: 9 }), late: fc.array(minutes(400), { minLength: 1, maxLength: 5 }),
      first: minutes(200), second: minutes(72), third: minutes(30), last: minutes(5), fallback: fc.integer({ min: 5, max: 600 }), from: minutes(1439), until: minutes(1439), except: minutes(24),
    }), (given) => {
      const bookedAt = addMinutes(at('2026-11-28T00:00:00'), given.clock)
      const start = addMinutes(bookedAt, given.lead)
      const numbers = {
        ...platformDefaults, 'reminder.firstHours': given.first, 'reminder.secondHours': given.second, 'reminder.thirdHours': given.third, 'reminder.lastHours': given.last,
        'reminder.fallbackMinutes': given.fallback, 'reminder.quietFromMinute': given.from, 'reminder.quietUntilMinute': given.until, 'reminder.quietExceptHours': given.except,
      }
      const sent: SentReminder[] = []
      let now: Date | null = bookedAt
      for (let step = 0; now !== null; step++) {
        expect(step).toBeLessThan(60)
        const { send, wakeAt }: ReturnType<typeof nextReminder> = nextReminder({ now, bookedAt, isByPlatform: false, start, channels: given.order, sent, numbers })
        if (send) {
          expect(now < start).toBe(true)
          expect(given.order).toContain(send.channel)
          expect(sent.some((each) => each.rung === send.rung && each.channel === send.channel)).toBe(false)
          const minute = minuteOfDay(now)
          const quiet = given.from <= given.until ? minute >= given.from && minute < given.until : minute >= given.from || minute < given.until
          if (quiet) {
            expect(send.channel).not.toBe('phone')
            if (send.rung !== 'booked') expect(start.getTime() - now.getTime()).toBeLessThan(given.except * 3_600_000)
          }
          sent.push({ ...send, read: (sent.length + 1) % given.readEvery === 0 })
        }
        if (wakeAt) expect(wakeAt > now).toBe(true)
        // The worker comes a little late.
        now = wakeAt === null ? null : addMinutes(wakeAt, given.late[step % given.late.length] ?? 0)
      }
      expect(sent.every((each, index) => index === 0 || each.rung !== 'booked' || sent[index - 1]?.rung === 'booked')).toBe(true)
    })
  fc.assert(property, { numRuns: 300 })
})
