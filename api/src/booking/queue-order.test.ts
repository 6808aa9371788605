/** The queue of a clinic: who is next, and how long it takes. */
import { expect, test } from 'vitest'
import { minutesEach, queueOrder, turnOf, type Waiting, waitMinutes } from './queue-order.ts'

const waiting = (id: string, segment: number, since: number, priority: Waiting['priority'] = null): Waiting => ({ id, number: id.charCodeAt(0), segment, since, priority })

test('segment first, then a stated priority, then check-in', () => {
  const list = [waiting('d', 1, 1), waiting('c', 0, 9), waiting('b', 0, 5), waiting('a', 0, 8, 'age-70'), waiting('e', 1, 2)]
  expect(queueOrder(list).map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('who comes in time keeps their turn, who comes late is put behind the segment under way', () => {
  expect(turnOf({ segment: 2, endsAt: 100 }, 2, 100)).toBe(2)
  expect(turnOf({ segment: 2, endsAt: 100 }, 2, 101)).toBe(4)
  expect(turnOf({ segment: 2, endsAt: 100 }, 5, 101)).toBe(7)
})

test('the wait is that of those before, and not less than the time until the segment begins', () => {
  expect(waitMinutes(3, 8, -10)).toBe(24)
  expect(waitMinutes(0, 8, 20)).toBe(20)
  expect(waitMinutes(0, 8, -5)).toBe(0)
})

test('a visit takes the median of those that are over, when there are three', () => {
  expect(minutesEach([30, 30], 10)).toBe(10)
  expect(minutesEach([4, 30, 6], 10)).toBe(6)
  expect(minutesEach([4, 6, 8, 30], 10)).toBe(7)
})
