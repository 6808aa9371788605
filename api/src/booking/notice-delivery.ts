/**
 * Which notices go out to a patient's telephone and app, and when. A question (a place is kept until an instant) goes from channel to channel until
 * somebody has read or answered it; a change (the visit is not what the person believes) until somebody has read it; news once, by the first
 * channel. What is not in the table waits in the portal: the person did it themselves. Pure.
 * Invariants: a channel is used once a notice; nothing is sent at or after `until`; in quiet hours only what is near, and never a call; news is never a call.
 */
import { addMinutes } from '../fhir/date-time.ts'
import { nextChannel, type Try } from '../notices/next-channel.ts'
import type { ChannelName, Notice } from '../notices/shapes.ts'
import type { Parameters } from './parameter-definitions.ts'
import { quietEnd, type QuietNumbers } from './reminder-ladder.ts'

export type Weight = 'question' | 'change' | 'news'

const day = 1440
/** Kind of notice; `minutes`: how long it is worth saying, where nothing in it says so. */
const delivered: Readonly<Record<string, { weight: Weight; minutes: number }>> = {
  'session-suspended': { weight: 'question', minutes: day },
  'doctor-substituted': { weight: 'question', minutes: day },
  'waitlist-offer': { weight: 'question', minutes: 120 },
  'session-suspended-no-choice': { weight: 'change', minutes: day },
  'choice-ended-suspended': { weight: 'change', minutes: day },
  'choice-ended-substituted': { weight: 'change', minutes: day },
  'waitlist-booked': { weight: 'change', minutes: day },
  'draw-won': { weight: 'change', minutes: day },
  'cancelled-by-hospital': { weight: 'change', minutes: day },
  'cancelled-by-proxy': { weight: 'change', minutes: day },
  'room-changed': { weight: 'change', minutes: day },
  'hold-suspended': { weight: 'news', minutes: 60 },
  'queue-called': { weight: 'news', minutes: 20 },
  'queue-passed': { weight: 'news', minutes: 20 },
  'waitlist-expired': { weight: 'news', minutes: day },
  'draw-lost': { weight: 'news', minutes: day },
  'draw-void': { weight: 'news', minutes: day },
  'visit-missed': { weight: 'news', minutes: 2 * day },
  'absence-excused': { weight: 'news', minutes: 2 * day },
  'absence-upheld': { weight: 'news', minutes: 2 * day },
}
const referral = { weight: 'news', minutes: 2 * day } as const

/** @returns null for what stays in the portal. */
export function deliveryOf(kind: string): { weight: Weight; minutes: number } | null {
  return kind.startsWith('referral-') ? referral : delivered[kind] ?? null
}

/** Until when a notice is worth saying: the deadline of the question, the beginning of the visit, or so many minutes after it was written. */
export function saidUntil({ weight, minutes }: { weight: Weight; minutes: number }, params: Notice['params'], madeAt: Date): Date {
  const named = weight === 'question' && typeof params.until === 'string' ? Date.parse(params.until)
    : weight === 'change' ? startOf(params) : NaN
  return Number.isNaN(named) ? addMinutes(madeAt, minutes) : new Date(named)
}

/** When the visit begins, in milliseconds; NaN where the notice does not say. */
function startOf(params: Notice['params']): number {
  const day = params.date ?? params.day
  return typeof day === 'string' && typeof params.time === 'string' ? Date.parse(`${day}T${params.time}:00+08:00`) : NaN
}

export interface DeliveryFacts {
  now: Date
  weight: Weight
  until: Date
  /** Read in the portal, or answered. */
  settled: boolean
  /** The person's channels that can reach them, in their order. */
  channels: readonly ChannelName[]
  sent: readonly Try[]
  numbers: Pick<Parameters, 'notice.fallbackMinutes'> & QuietNumbers
}

export interface DeliveryStep {
  send: { channel: ChannelName; readBy: Date | null } | null
  /** When to ask again, later than now; null: there is nothing more to send. */
  wakeAt: Date | null
}

const nothing: DeliveryStep = { send: null, wakeAt: null }

export function nextDelivery({ now, weight, until, settled, channels, sent, numbers }: DeliveryFacts): DeliveryStep {
  if (settled || now >= until || (weight === 'news' && sent.length > 0)) return nothing
  const next = nextChannel(now, weight === 'news' ? channels.filter((each) => each !== 'phone') : channels, sent)
  if (next.channel === null) return { send: null, wakeAt: next.wait }
  const quietUntil = quietEnd({ start: until, numbers }, now, next.channel)
  if (quietUntil !== null) return quietUntil < until ? { send: null, wakeAt: quietUntil } : nothing
  const readBy = weight !== 'news' && next.left > 0 ? unreadBy(now, until, numbers['notice.fallbackMinutes']) : null
  return { send: { channel: next.channel, readBy }, wakeAt: readBy }
}

/** Never more than a third of the time that is left: two more channels have to come in time. */
function unreadBy(now: Date, until: Date, minutes: number): Date {
  return new Date(now.getTime() + Math.max(60_000, Math.min(minutes * 60_000, (until.getTime() - now.getTime()) / 3)))
}
