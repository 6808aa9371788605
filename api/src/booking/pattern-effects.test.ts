import { describe, expect, test } from 'vitest'
import { effectOn, effectsOf, overlaps, type PatternTimes } from './pattern-effects.ts'

const before: PatternTimes = { weekday: 1, half: 'am', start: '08:00', end: '12:00', room: 'room-a', capacity: 16, segmentMinutes: 30, feeFen: 5000 }

describe('what becomes of a session that is there', () => {
  test.each([
    ['nobody has a place: it is closed', 0, { ...before, room: 'room-b' }, 'close'],
    ['another room only: it stays and its patients are told', 3, { ...before, room: 'room-b' }, 'move'],
    ['another room and another time', 3, { ...before, room: 'room-b', start: '08:30' }, 'suspend'],
    ['another time', 3, { ...before, start: '08:30' }, 'suspend'],
    ['more places: the segments of those booked would shift', 3, { ...before, capacity: 32 }, 'suspend'],
    ['another fee', 1, { ...before, feeFen: 6000 }, 'suspend'],
    ['the pattern ends', 1, null, 'suspend'],
  ] as const)('%s', (_what, used, after, effect) => {
    expect(effectOn({ used }, before, after)).toBe(effect)
  })

  test('the preview counts sessions by effect, and the patients of those that are not empty', () => {
    const sessions = [{ id: 'a', used: 0, patients: 0 }, { id: 'b', used: 2, patients: 2 }, { id: 'c', used: 2, patients: 1 }]
    expect(effectsOf(sessions, before, null)).toEqual({ closed: 1, moved: 0, suspended: 2, patients: 3 })
    expect(effectsOf(sessions, before, { ...before, room: 'room-b' })).toEqual({ closed: 1, moved: 2, suspended: 0, patients: 3 })
    expect(effectsOf([], before, null)).toEqual({ closed: 0, moved: 0, suspended: 0, patients: 0 })
  })
})

test.each([['08:00', '12:00', true], ['12:00', '13:00', false], ['07:00', '08:00', false], ['11:59', '12:30', true], ['09:00', '10:00', true]])('%s–%s beside 08:00–12:00: %s', (start, end, same) => {
  expect(overlaps(before, { weekday: 1, start, end })).toBe(same)
  expect(overlaps(before, { weekday: 2, start, end })).toBe(false)
})
