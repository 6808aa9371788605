import fc from 'fast-check'
import { expect, test } from 'vitest'
import { freePlaceIn, parseSlotId, segmentAt, segmentIndexOf, segmentOfPlace, segmentsOf, slotIdOf } from './segments.ts'

const session = { start_at: '2026-11-23T00:00:00.000Z', end_at: '2026-11-23T03:15:00.000Z', capacity: 15, segments: 7, segment_minutes: 30 }

test('every place lies in exactly one segment, segments differ by one place at most, and their times touch', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 30 }), (capacity, segments) => {
    const given = { ...session, capacity, segments, end_at: new Date(Date.parse(session.start_at) + segments * 1_800_000).toISOString() }
    const all = Array.from({ length: segments }, (_, index) => segmentAt(given, index))
    const sizes = all.map((each) => each.lastPlace - each.firstPlace + 1)
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    for (let place = 1; place <= capacity; place++) {
      const found = all.filter((each) => each.firstPlace <= place && place <= each.lastPlace)
      expect(found).toEqual([segmentAt(given, segmentIndexOf(given, place))])
    }
    for (let index = 1; index < segments; index++) expect(all[index]?.start).toEqual(all[index - 1]?.end)
  }))
})

test('the last segment ends with the session', () => {
  expect(segmentOfPlace(session, 15)).toMatchObject({ start: new Date('2026-11-23T03:00:00Z'), end: new Date('2026-11-23T03:15:00Z') })
})

test('segments without places are not offered', () => {
  expect(segmentsOf({ ...session, capacity: 3 })).toHaveLength(3)
})

test('the lowest free place of a segment is taken, none when it is full', () => {
  const segment = segmentAt(session, 0)
  expect([segment.firstPlace, segment.lastPlace]).toEqual([1, 3])
  expect(freePlaceIn(segment, new Set([1, 3]))).toBe(2)
  expect(freePlaceIn(segment, new Set([1, 2, 3]))).toBeNull()
})

test('a slot id names its session and place; anything else is not a slot', () => {
  const id = slotIdOf('019ab400-1000-7a17-8abc-0123456789ab', 12)
  expect(parseSlotId(id)).toEqual({ session: '019ab400-1000-7a17-8abc-0123456789ab', place: 12 })
  for (const bad of ['', '12', '019ab400-1000-7a17-8abc-0123456789ab', `${id}0000`, id.replace('-12', '-0'), id.toUpperCase()]) {
    expect(parseSlotId(bad)).toBeNull()
  }
})
