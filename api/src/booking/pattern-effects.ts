/**
 * What a change of a weekly pattern does to the sessions that are there already, from its first day on. Pure; the preview shows it and the change
 * carries it out, under the locks of the sessions. Nobody who has a place loses it silently: another room is told; anything else suspends
 * the session, which gives its patients other places to choose from.
 */

export interface PatternTimes {
  weekday: number
  half: 'am' | 'pm' | 'night'
  /** `HH:MM`, Asia/Shanghai. */
  start: string
  end: string
  /** FHIR id of the Location. */
  room: string
  capacity: number
  segmentMinutes: number
  feeFen: number
}

/** close: nobody has a place; move: the same clinic in another room; suspend: patients choose another place. */
export type SessionEffect = 'close' | 'move' | 'suspend'

export interface ConcernedSession { id: string; used: number; patients: number }

/** @param after null: the pattern ends. */
export function effectOn(session: Pick<ConcernedSession, 'used'>, before: PatternTimes, after: PatternTimes | null): SessionEffect {
  if (session.used === 0) return 'close'
  return after !== null && differsInRoomOnly(before, after) ? 'move' : 'suspend'
}

function differsInRoomOnly(before: PatternTimes, after: PatternTimes): boolean {
  return before.room !== after.room && (Object.keys(after) as (keyof PatternTimes)[]).every((name) => name === 'room' || before[name] === after[name])
}

export interface Effects { closed: number; moved: number; suspended: number; patients: number }

export function effectsOf(sessions: readonly ConcernedSession[], before: PatternTimes, after: PatternTimes | null): Effects {
  const effects: Effects = { closed: 0, moved: 0, suspended: 0, patients: 0 }
  for (const session of sessions) {
    const effect = effectOn(session, before, after)
    if (effect === 'close') effects.closed++
    else if (effect === 'move') effects.moved++
    else effects.suspended++
    if (effect !== 'close') effects.patients += session.patients
  }
  return effects
}

/** Two clinics of a doctor at a time; times are half-open. */
export function overlaps(a: Pick<PatternTimes, 'weekday' | 'start' | 'end'>, b: Pick<PatternTimes, 'weekday' | 'start' | 'end'>): boolean {
  return a.weekday === b.weekday && a.start < b.end && b.start < a.end
}
