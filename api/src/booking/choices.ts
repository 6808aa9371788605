/**
 * Which places a patient whose clinic was suspended may choose from: the same doctor later, the same title on the same day, the same
 * department within some days; of each kind the soonest session with a place at a time when the patient is free. Pure.
 * Places of all quotas count: who lost a place through no fault of their own comes first.
 */
import { addDays, addMinutes } from '../fhir/date-time.ts'
import { freePlaceIn, type Segment, segmentsOf } from './segments.ts'
import type { SessionRow } from './session-rows.ts'

export type ChoiceKind = 'same-doctor' | 'same-title' | 'same-department'

export interface Choice { kind: ChoiceKind; session: SessionRow; segment: Segment; place: number }

export interface ChoiceFacts {
  now: Date
  /** The session that will not be held. */
  lost: SessionRow
  /** Begin of the segment that was lost. */
  start: Date
  /** Open sessions of the department that may serve, soonest first. */
  candidates: readonly SessionRow[]
  /** By session, the places that somebody keeps. */
  taken: ReadonlyMap<string, ReadonlySet<number>>
  /** When the patient has to be elsewhere. */
  busy: readonly { start: Date; end: Date }[]
  days: number
  minLeadMinutes: number
  choicesMax: number
}

export function chooseOthers(facts: ChoiceFacts): Choice[] {
  const { lost, candidates, days, choicesMax } = facts
  const until = addDays(lost.service_date, days)
  const kinds: readonly [ChoiceKind, (session: SessionRow) => boolean][] = [
    ['same-doctor', (each) => each.practitioner === lost.practitioner && each.start_at > lost.start_at],
    ['same-title', (each) => each.service_date === lost.service_date && each.title === lost.title && each.practitioner !== lost.practitioner],
    ['same-department', (each) => each.service_date <= until],
  ]
  const found: Choice[] = []
  for (const [kind, fits] of kinds) {
    if (found.length >= choicesMax) break
    for (const session of candidates) {
      if (session.id === lost.id || session.status !== 'open' || session.service_date > until || !fits(session) || found.some((each) => each.session.id === session.id)) continue
      const place = placeFor(facts, session)
      if (!place) continue
      found.push({ kind, session, ...place })
      break
    }
  }
  return found
}

/** Of the segments with a place the one nearest to the time of day that was lost. */
function placeFor({ now, start, taken, busy, minLeadMinutes }: ChoiceFacts, session: SessionRow): { segment: Segment; place: number } | null {
  const ofDay = (at: Date) => (at.getTime() + 480 * 60_000) % 86_400_000
  const open = segmentsOf(session).flatMap((segment) => {
    const place = freePlaceIn(segment, taken.get(session.id) ?? new Set())
    const free = segment.end > addMinutes(now, minLeadMinutes) && !busy.some((each) => each.start < segment.end && segment.start < each.end)
    return free && place !== null ? [{ segment, place }] : []
  })
  return open.sort((a, b) => Math.abs(ofDay(a.segment.start) - ofDay(start)) - Math.abs(ofDay(b.segment.start) - ofDay(start)))[0] ?? null
}

/** Until when the patient may choose: some time, but not into the last half-day before the visit; half an hour at least. Pure. */
export function chooseUntil(now: Date, start: Date, choiceMinutes: number): Date {
  const latest = Math.min(addMinutes(now, choiceMinutes).getTime(), addMinutes(start, -720).getTime())
  return new Date(Math.max(latest, addMinutes(now, 30).getTime()))
}
