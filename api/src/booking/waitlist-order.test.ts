/** Order of the waitlist and reasons for passing somebody over: a row for each reason and its nearest pass. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Candidate, candidatesFor, expectedDays, passReason, type ReturnedPlace, waitOrder, waitPriorities } from './waitlist-order.ts'

const hour = 3_600_000
const place: ReturnedPlace = { day: '2026-11-26', half: 'am', practitioner: 'dr', clinicType: 'expert', start: 100 * hour }
const base: Candidate = {
  id: 'c', priority: 'routine', since: 0, distanceMetres: 500, from: '2026-11-25', until: '2026-11-27', half: null, practitioner: null, clinicType: null,
  bookedAt: null, offered: false, hadIt: false, declined: 0, deadline: 90 * hour,
}
const numbers = { declinesMax: 2 }
const now = 10 * hour

test.each<[string, Partial<Candidate>, string | null]>([
  ['suits', {}, null],
  ['the first day that suits', { from: '2026-11-26' }, null],
  ['the day before', { from: '2026-11-27' }, 'day-not-wanted'],
  ['the last day that suits', { until: '2026-11-26' }, null],
  ['the day after', { until: '2026-11-25' }, 'day-not-wanted'],
  ['the half-day wanted', { half: 'am' }, null],
  ['another half-day', { half: 'pm' }, 'half-not-wanted'],
  ['the doctor wanted', { practitioner: 'dr' }, null],
  ['another doctor', { practitioner: 'other' }, 'doctor-not-wanted'],
  ['the kind of clinic wanted', { clinicType: 'expert' }, null],
  ['another kind of clinic', { clinicType: 'ordinary' }, 'clinic-not-wanted'],
  ['an offer is open', { offered: true }, 'already-offered'],
  ['did not take this very place', { hadIt: true }, 'had-this-place'],
  ['declined once', { declined: 1 }, null],
  ['declined twice', { declined: 2 }, 'declined-twice'],
  ['earlier than the visit booked', { bookedAt: 101 * hour }, null],
  ['not earlier than the visit booked', { bookedAt: 100 * hour }, 'not-earlier'],
  ['a moment before the deadline', { deadline: now + 1 }, null],
  ['the deadline', { deadline: now }, 'past-deadline'],
])('%s', (_, change, expected) => {
  expect(passReason({ ...base, ...change }, place, numbers, now)).toBe(expected)
})

const candidate = fc.record({
  id: fc.uuid(), priority: fc.constantFrom(...waitPriorities), since: fc.integer({ min: 0, max: 50 }), distanceMetres: fc.option(fc.integer({ min: 0, max: 9 })),
  from: fc.constantFrom('2026-11-25', '2026-11-27'), until: fc.constantFrom('2026-11-26', '2026-11-28'), half: fc.option(fc.constantFrom('am' as const, 'pm' as const)),
  practitioner: fc.option(fc.constantFrom('dr', 'other')), clinicType: fc.option(fc.constantFrom('expert', 'ordinary')), bookedAt: fc.option(fc.integer({ min: 0, max: 200 * hour })),
  offered: fc.boolean(), hadIt: fc.boolean(), declined: fc.integer({ min: 0, max: 3 }), deadline: fc.integer({ min: 0, max: 20 * hour }),
})

describe('the order', () => {
  test('is by having no visit, priority, wait, distance, whatever order they came from the database in', () => {
    fc.assert(fc.property(fc.uniqueArray(candidate, { selector: ({ id }) => id }), (list) => {
      expect(waitOrder([...list].reverse()).map(({ id }) => id)).toEqual(waitOrder(list).map(({ id }) => id))
    }))
    const of = (change: Partial<Candidate>) => ({ ...base, ...change })
    const list = [
      of({ id: '6', bookedAt: 1, priority: 'urgent' }), of({ id: '5', priority: 'routine', since: 9, distanceMetres: null }), of({ id: '4', priority: 'routine', since: 9, distanceMetres: 7 }),
      of({ id: '3', priority: 'routine', since: 3 }), of({ id: '2', priority: 'follow-up', since: 8 }), of({ id: '1', priority: 'urgent', since: 9 }),
    ]
    expect(waitOrder(list).map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5', '6'])
  })

  test('of those who wait equally long the nearer home comes first, and who lives nobody knows where last', () => {
    const of = (id: string, since: number, distanceMetres: number | null) => ({ ...base, id, since, distanceMetres })
    const list = [of('far', 1, 9000), of('unknown', 0, null), of('near', 59, 400), of('later', 61, 100), of('as near, later', 59.5, 400)]
    expect(waitOrder(list, 60).map(({ id }) => id)).toEqual(['near', 'as near, later', 'far', 'unknown', 'later'])
    expect(waitOrder(list).map(({ id }) => id)).toEqual(['unknown', 'far', 'near', 'as near, later', 'later'])
  })

  test('nobody is passed over without a reason', () => {
    fc.assert(fc.property(fc.uniqueArray(candidate, { selector: ({ id }) => id }), (list) => {
      const { asked, passed } = candidatesFor(list, place, numbers, now)
      expect(asked.length + passed.length).toBe(list.length)
      for (const each of asked) expect(passReason(each, place, numbers, now)).toBeNull()
      expect(asked.map(({ id }) => id)).toEqual(waitOrder(asked).map(({ id }) => id))
    }))
  })
})

test.each([[0, 2, 1], [9, 2, 5], [10, 2, 6], [3, 0, null], [0, 0.04, null]])('%d before, %d places a day: %s days', (ahead, perDay, expected) => {
  expect(expectedDays(ahead, perDay)).toBe(expected)
})
