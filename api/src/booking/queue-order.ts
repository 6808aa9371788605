/**
 * The order in which those who are there are called, and how long they wait. By segment; inside it those with a stated priority, then by
 * check-in. Who comes after their segment, or was called and not there, joins behind those of the segment under way and of the next.
 * Pure. Source: docs/booking.md, "The day".
 */

import type { QueuePriorityCode } from './shapes.ts'

export interface Waiting {
  id: string
  /** On the screen; decides between two who came at the same moment. */
  number: number
  /** Index of the segment whose turn they share: their own, or a later one when they came late or were passed over. */
  segment: number
  priority: QueuePriorityCode | null
  /** Instant of check-in, or of the call they missed; milliseconds. */
  since: number
}

/** A late comer's turn is that of the segment so many after the one under way. */
const lateSegments = 2

export function queueOrder<W extends Waiting>(waiting: readonly W[]): W[] {
  return [...waiting].sort((a, b) => a.segment - b.segment || Number(a.priority === null) - Number(b.priority === null) || a.since - b.since || a.number - b.number)
}

/** The turn of somebody who checks in: their own segment until it is over, else behind the segment under way. */
export function turnOf(own: { segment: number; endsAt: number }, current: number, now: number): number {
  return now <= own.endsAt ? own.segment : Math.max(own.segment, current + lateSegments)
}

/** Minutes until a call. @param minutesEach of a visit: the median of the session so far, else its plan. */
export function waitMinutes(ahead: number, minutesEach: number, untilSegmentMinutes: number): number {
  return Math.max(0, Math.round(Math.max(ahead * minutesEach, untilSegmentMinutes)))
}

/** The median of visits that are over, when at least three are; else what the plan says. */
export function minutesEach(visits: readonly number[], planned: number): number {
  if (visits.length < 3) return planned
  const sorted = [...visits].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] ?? planned : ((sorted[middle - 1] ?? planned) + (sorted[middle] ?? planned)) / 2
}
