/**
 * Who is offered a returned place: the order of the waitlist, and why somebody is passed over. Order: clinical priority (urgent by a GP,
 * then follow-up, then the rest), then those who have waited longest, then those who live nearest. Each candidate that is passed over has its
 * reason, which is kept, so that nobody is skipped without one. Pure. Source: docs/booking.md, "Waitlist"; parameters.ts.
 */

export const waitPriorities = ['urgent', 'follow-up', 'routine'] as const
export type WaitPriority = (typeof waitPriorities)[number]

/** Why a candidate was not offered this place. */
export type PassReason = 'day-not-wanted' | 'half-not-wanted' | 'doctor-not-wanted' | 'clinic-not-wanted' | 'already-offered' | 'had-this-place' | 'declined-twice' | 'not-earlier' | 'past-deadline' | 'rule'

export interface Candidate {
  id: string
  priority: WaitPriority
  /** Instant, milliseconds. */
  since: number
  /** From home to the hospital; null when unknown, which counts as farthest. */
  distanceMetres: number | null
  /** First and last day that suit, YYYY-MM-DD. */
  from: string
  until: string
  /** Null: any. */
  half: 'am' | 'pm' | 'night' | null
  practitioner: string | null
  clinicType: string | null
  /** Instant of the visit that an earlier place would replace, milliseconds; null for those who have none. */
  bookedAt: number | null
  /** Has an offer that waits for an answer. */
  offered: boolean
  /** Was offered this very place before and did not take it. */
  hadIt: boolean
  declined: number
  /** No offers from then on, milliseconds. */
  deadline: number
}

export interface ReturnedPlace { day: string; half: string; practitioner: string; clinicType: string; start: number }

/** `sameWaitMs`: waits that began within one such span count as equally long. */
export interface WaitNumbers { declinesMax: number; sameWaitMs?: number }

const priorityRank = new Map<WaitPriority, number>(waitPriorities.map((name, index) => [name, index]))

/** The whole list in the order in which places are offered. Of waits that count as equally long the nearer home comes first, then the earlier wait. */
export function waitOrder<C extends Pick<Candidate, 'id' | 'priority' | 'since' | 'distanceMetres' | 'bookedAt'>>(candidates: readonly C[], sameWaitMs = 1): C[] {
  const span = (each: C) => Math.floor(each.since / Math.max(1, sameWaitMs))
  return [...candidates].sort((a, b) =>
    // Those who have no visit at all come before those who only want an earlier one.
    Number(a.bookedAt !== null) - Number(b.bookedAt !== null)
    || (priorityRank.get(a.priority) ?? 0) - (priorityRank.get(b.priority) ?? 0)
    || span(a) - span(b)
    || nearer(a.distanceMetres, b.distanceMetres)
    || a.since - b.since || (a.id < b.id ? -1 : 1))
}

/** Who lives at an unknown distance comes last. */
function nearer(a: number | null, b: number | null): number {
  if (a === b) return 0
  return (a ?? Number.POSITIVE_INFINITY) < (b ?? Number.POSITIVE_INFINITY) ? -1 : 1
}

/** Null: the place may be offered to them. */
export function passReason(candidate: Candidate, place: ReturnedPlace, numbers: WaitNumbers, now: number): PassReason | null {
  if (now >= candidate.deadline) return 'past-deadline'
  if (candidate.declined >= numbers.declinesMax) return 'declined-twice'
  if (candidate.offered) return 'already-offered'
  if (candidate.hadIt) return 'had-this-place'
  if (place.day < candidate.from || place.day > candidate.until) return 'day-not-wanted'
  if (candidate.half !== null && candidate.half !== place.half) return 'half-not-wanted'
  if (candidate.practitioner !== null && candidate.practitioner !== place.practitioner) return 'doctor-not-wanted'
  if (candidate.clinicType !== null && candidate.clinicType !== place.clinicType) return 'clinic-not-wanted'
  if (candidate.bookedAt !== null && place.start >= candidate.bookedAt) return 'not-earlier'
  return null
}

export interface Passed { id: string; reason: PassReason }

/** The candidates to be asked in order, and those passed over with their reason. Rules of booking may still refuse one of them. */
export function candidatesFor(list: readonly Candidate[], place: ReturnedPlace, numbers: WaitNumbers, now: number): { asked: Candidate[]; passed: Passed[] } {
  const asked: Candidate[] = []
  const passed: Passed[] = []
  for (const candidate of waitOrder(list, numbers.sameWaitMs)) {
    const reason = passReason(candidate, place, numbers, now)
    if (reason === null) asked.push(candidate)
    else passed.push({ id: candidate.id, reason })
  }
  return { asked, passed }
}

/**
 * When somebody may expect an offer: places returned a day over the last weeks, and how many wait before them. Null when too few places
 * came back to say anything. @returns days from now, at least 1.
 */
export function expectedDays(ahead: number, returnedPerDay: number): number | null {
  if (returnedPerDay < 0.05) return null
  return Math.max(1, Math.ceil((ahead + 1) / returnedPerDay))
}
