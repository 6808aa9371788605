/**
 * How a half-day's places lie in its time segments. Place n (from 1) lies in segment floor((n - 1) * segments / capacity), so
 * the segments differ by one place at most; the last segment may be shorter. The SQL of the Slot projection repeats the
 * formula, a test holds the two equal. A segment without places (more segments than capacity) does not exist for citizens.
 */
export interface SessionTimes {
  /** Instant of the first segment. */
  start_at: string
  end_at: string
  capacity: number
  segments: number
  segment_minutes: number
}

export interface Segment { start: Date; end: Date; firstPlace: number; lastPlace: number }

/** Index from 0 of the segment that a place lies in. */
export function segmentIndexOf(session: Pick<SessionTimes, 'capacity' | 'segments'>, place: number): number {
  return Math.floor(((place - 1) * session.segments) / session.capacity)
}

/** Times and places of a segment. */
export function segmentAt(session: SessionTimes, index: number): Segment {
  const length = session.segment_minutes * 60_000
  const start = Date.parse(session.start_at) + index * length
  return {
    start: new Date(start),
    end: new Date(Math.min(start + length, Date.parse(session.end_at))),
    firstPlace: Math.ceil((index * session.capacity) / session.segments) + 1,
    lastPlace: Math.ceil(((index + 1) * session.capacity) / session.segments),
  }
}

export function segmentOfPlace(session: SessionTimes, place: number): Segment {
  return segmentAt(session, segmentIndexOf(session, place))
}

/** All segments that have places, in order. */
export function segmentsOf(session: SessionTimes): Segment[] {
  return Array.from({ length: session.segments }, (_, index) => segmentAt(session, index)).filter((each) => each.lastPlace >= each.firstPlace)
}

/** The lowest place of a segment that is not taken; null when it is full. */
export function freePlaceIn(segment: Segment, taken: ReadonlySet<number>): number | null {
  for (let place = segment.firstPlace; place <= segment.lastPlace; place++) if (!taken.has(place)) return place
  return null
}

const slotId = /^([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})-([1-9][0-9]{0,2})$/

/** Session and place of a Slot id; null when it is not one of ours. */
export function parseSlotId(id: string): { session: string; place: number } | null {
  const match = slotId.exec(id)
  return match ? { session: match[1] as string, place: Number(match[2]) } : null
}

export function slotIdOf(session: string, place: number): string {
  return `${session}-${place}`
}
