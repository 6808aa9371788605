/**
 * What not coming costs. Visits missed in a calendar year count one each, late cancellations a share of one; excused ones count nothing. At
 * each level online booking is barred for some days, counted from the day of what made the level full; the window and the GP stay
 * open to everybody. Pure; the rows are `booking` and `absence_appeal`. Source: docs/booking.md; Beijing's unified rules (3 and 6 a year, 90
 * and 180 days).
 */
import { addDays, startOfDay } from '../fhir/date-time.ts'

export interface Absence {
  kind: 'noshow' | 'late-cancel'
  /** Day of the visit, YYYY-MM-DD in the city. */
  day: string
  /** Excused by the hospital, or the provider's own fault. */
  excused: boolean
}

export interface PenaltyNumbers {
  'noshow.level1.count': number
  'noshow.level1.days': number
  'noshow.level2.count': number
  'noshow.level2.days': number
  'cancel.latePerNoShow': number
}

export interface Standing {
  /** Missed visits of the year, with those that late cancellations add up to. */
  missed: number
  /** Late cancellations that do not make a missed visit yet. */
  lateLeft: number
  level: 0 | 1 | 2
  /** Instant until which online booking is barred; null: it is not. */
  barredUntil: Date | null
}

/** @param year calendar year of the city, such as 2026. */
export function standingOf(absences: readonly Absence[], numbers: PenaltyNumbers, year: number): Standing {
  const counted = absences.filter((each) => !each.excused && each.day.startsWith(`${year}-`)).sort((a, b) => (a.day < b.day ? -1 : 1))
  let missed = 0
  let late = 0
  let level: Standing['level'] = 0
  let barredUntil: Date | null = null
  for (const { kind, day } of counted) {
    if (kind === 'noshow') missed++
    else late++
    if (late >= numbers['cancel.latePerNoShow']) {
      late = 0
      missed++
    } else if (kind === 'late-cancel') continue
    const reached = missed >= numbers['noshow.level2.count'] ? 2 : missed >= numbers['noshow.level1.count'] ? 1 : 0
    // Beyond the second level each further one begins it anew.
    if (reached === level && reached !== 2) continue
    level = reached
    barredUntil = startOfDay(addDays(day, numbers[level === 2 ? 'noshow.level2.days' : 'noshow.level1.days'] + 1))
  }
  return { missed, lateLeft: late, level, barredUntil }
}
