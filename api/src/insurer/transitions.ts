/**
 * When benefits begin (险种衔接转换): waiting times after a gap or a late entry, and which day of a stay decides the insurance.
 * Terms are data by region; the reckoning is pure. Certainty: a gap of three months without waiting [M], six months for
 * employees after it [M], three months and one more for each missed year for residents [M].
 */
import type { Scheme } from './enrolment.ts'

interface WaitingTerms {
  /** A gap of so many months after the last insurance costs no waiting. */
  gapMonthsFree: number
  /** Months of waiting after a longer gap, and on first entry of those who pay for themselves. */
  months: number
  /** More months for each whole year missed, at most `monthsMax` in all. */
  monthsPerMissedYear: number
  monthsMax: number
}

export interface RegionTerms {
  waiting: Record<Scheme, WaitingTerms>
  /** The insurance of a stay is the one of this day. */
  inpatientDay: 'admission' | 'discharge'
  /** Longest time two schemes may run side by side while a person moves from one to the other. */
  transitionMonthsMax: number
}

const usual: RegionTerms = {
  waiting: {
    310: { gapMonthsFree: 3, months: 6, monthsPerMissedYear: 0, monthsMax: 6 },
    390: { gapMonthsFree: 3, months: 3, monthsPerMissedYear: 1, monthsMax: 12 },
  },
  inpatientDay: 'admission',
  transitionMonthsMax: 3,
}

const byRegion: Readonly<Record<string, RegionTerms>> = { 310000: usual, 320500: { ...usual, inpatientDay: 'discharge' } }

export function regionTerms(region: string): RegionTerms {
  return byRegion[region] ?? usual
}

/** How a person comes into a scheme. `employer`: an employer pays from the first day, so there is no waiting. */
export type Entry = 'employer' | 'self' | 'newborn'

/** First day with benefits. @param lastDay last day of the insurance before, null when there was none. */
export function benefitsFrom(terms: WaitingTerms, entry: Entry, from: string, lastDay: string | null): string {
  if (entry !== 'self') return from
  if (lastDay !== null && from <= addMonths(lastDay, terms.gapMonthsFree)) return from
  const missedYears = lastDay === null ? 0 : Math.floor(monthsBetween(lastDay, from) / 12)
  return addMonths(from, Math.min(terms.monthsMax, terms.months + terms.monthsPerMissedYear * missedYears))
}

/** The same day so many months later; the last day of the month where it has no such day. */
export function addMonths(day: string, months: number): string {
  const index = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 + months
  const [year, month] = [Math.floor(index / 12), index % 12]
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  return `${year}-${String(month + 1).padStart(2, '0')}-${String(Math.min(Number(day.slice(8)), last)).padStart(2, '0')}`
}

/** Whole months from one day to another. */
export function monthsBetween(from: string, until: string): number {
  const months = (Number(until.slice(0, 4)) - Number(from.slice(0, 4))) * 12 + Number(until.slice(5, 7)) - Number(from.slice(5, 7))
  return until.slice(8) < from.slice(8) ? months - 1 : months
}

/** The first day of the month after: a change approved in a month counts from then. */
export function monthAfter(day: string): string {
  return addMonths(`${day.slice(0, 7)}-01`, 1)
}
