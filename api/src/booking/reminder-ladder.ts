/**
 * When a patient is reminded of a visit, and how. A ladder of rungs: at booking, then some hours before the visit; each on the person's first
 * channel, and on the next one when nobody has read it by a deadline. Pure: asked again after every change it gives the same answer.
 * Invariants: of rungs that are overdue only the last is sent; a channel is used once a rung; in quiet hours only the confirmation, or when the
 * visit is near, and never a call; nothing once the visit has begun.
 */
import { addMinutes, minuteOfDay, startOfDay, addDays, dayInShanghai } from '../fhir/date-time.ts'
import { nextChannel, type Try } from '../notices/next-channel.ts'
import type { ChannelName } from '../notices/shapes.ts'
import type { Parameters } from './parameter-definitions.ts'

export type Rung = 'booked' | 'first' | 'second' | 'third' | 'last'

export interface SentReminder extends Try { rung: Rung }

export type QuietNumbers = Pick<Parameters, 'reminder.quietFromMinute' | 'reminder.quietUntilMinute' | 'reminder.quietExceptHours'>

export interface ReminderFacts {
  now: Date
  bookedAt: Date
  /** Drawn, or booked from the waitlist as the person had asked: they may be asleep, and a notice tells them (notice-delivery.ts). */
  isByPlatform: boolean
  /** Of the segment. */
  start: Date
  /** The person's channels that can reach them, in their order. */
  channels: readonly ChannelName[]
  /** In the order of sending. */
  sent: readonly SentReminder[]
  numbers: Pick<Parameters, 'reminder.atBooking' | 'reminder.firstHours' | 'reminder.secondHours' | 'reminder.thirdHours' | 'reminder.lastHours'
    | 'reminder.fallbackMinutes'> & QuietNumbers
}

export interface ReminderStep {
  send: { rung: Rung; channel: ChannelName; readBy: Date | null } | null
  /** When to ask again, later than now; null: there is nothing more to send. */
  wakeAt: Date | null
}

/** Who booked an hour ago knows it; a late confirmation says nothing new. */
const confirmationMinutes = 60

export function nextReminder(facts: ReminderFacts): ReminderStep {
  const { now, start, channels, sent } = facts
  if (now >= start || channels.length === 0) return { send: null, wakeAt: null }
  const rungs = rungsOf(facts)
  const rung = rungs.findLast((each) => each.at <= now) ?? null
  const next = rungs.find((each) => each.at > now)?.at ?? null
  if (rung === null) return { send: null, wakeAt: next }
  const following = nextChannel(now, channels, sent.filter((each) => each.rung === rung.name))
  if (following.channel === null) return { send: null, wakeAt: following.wait === null ? next : earlier(following.wait, next) }
  const { channel, left } = following
  // Who has just booked is awake; a call would still wake others.
  const quietUntil = rung.name === 'booked' && channel !== 'phone' ? null : quietEnd(facts, now, channel)
  if (quietUntil !== null) return { send: null, wakeAt: quietUntil < start ? earlier(quietUntil, next) : next }
  const readBy = left > 0 && rung.name !== 'booked' ? unreadBy(facts) : null
  return { send: { rung: rung.name, channel, readBy }, wakeAt: readBy === null ? next : earlier(readBy, next) }
}

/** The rungs of this booking in the order of time; those before it was made are none. */
function rungsOf({ now, bookedAt, isByPlatform, start, numbers }: ReminderFacts): { name: Rung; at: Date }[] {
  const hours: [Rung, number][] = [
    ['first', numbers['reminder.firstHours']], ['second', numbers['reminder.secondHours']], ['third', numbers['reminder.thirdHours']], ['last', numbers['reminder.lastHours']],
  ]
  const before = hours.filter(([, count]) => count > 0).map(([name, count]) => ({ name, at: addMinutes(start, -count * 60) })).filter(({ at }) => at > bookedAt)
  const fresh = !isByPlatform && numbers['reminder.atBooking'] === 1 && now <= addMinutes(bookedAt, confirmationMinutes)
  const all = [...(fresh ? [{ name: 'booked' as const, at: bookedAt }] : []), ...before]
  return all.sort((a, b) => a.at.getTime() - b.at.getTime())
}

/** Until when the channel has to be quiet about what is due at `start`; null: it need not. */
export function quietEnd({ start, numbers }: { start: Date; numbers: QuietNumbers }, now: Date, channel: ChannelName): Date | null {
  const [from, until] = [numbers['reminder.quietFromMinute'], numbers['reminder.quietUntilMinute']]
  const minute = minuteOfDay(now)
  const quiet = from <= until ? minute >= from && minute < until : minute >= from || minute < until
  if (!quiet) return null
  if (channel !== 'phone' && start.getTime() - now.getTime() < numbers['reminder.quietExceptHours'] * 3_600_000) return null
  const day = dayInShanghai(now)
  return addMinutes(startOfDay(minute < until ? day : addDays(day, 1)), until)
}

/** Never more than half of the time that is left: the next channel has to come in time. */
function unreadBy({ now, start, numbers }: ReminderFacts): Date {
  return new Date(now.getTime() + Math.max(60_000, Math.min(numbers['reminder.fallbackMinutes'] * 60_000, (start.getTime() - now.getTime()) / 2)))
}

function earlier(a: Date, b: Date | null): Date {
  return b === null || a < b ? a : b
}
