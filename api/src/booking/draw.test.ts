/** The draw: recomputable, blind to who came first, never more places than there are. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../crypto.ts'
import { allotInOrder, commitmentOf, drawOrder, listHashOf, type Ticket } from './draw.ts'

const ids = fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 40 })
const tickets: fc.Arbitrary<Ticket[]> = ids.chain((list) => fc.tuple(...list.map((id) =>
  fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { maxLength: 6 }).map((segments) => ({ id, segments })))))
/** As the desk does: the order first, then the places. */
function allot(seed: string, list: readonly Ticket[], free: ReadonlyMap<number, number>): Map<string, number> {
  const byId = new Map(list.map((ticket) => [ticket.id, ticket]))
  return allotInOrder(drawOrder(seed, [...byId.keys()]).map((id) => byId.get(id) as Ticket), free)
}
const places = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 6 }).map((list) => new Map(list.map((count, index) => [index, count])))

describe('the order', () => {
  test('is what anyone computes from the published seed and tickets', () => {
    const published = { seed: 'a1', tickets: ['t3', 't1', 't2'] }
    const list = sha256Hex('t1\nt2\nt3')
    const expected = published.tickets.map((id) => [sha256Hex(`a1:${list}:${id}`), id]).sort().map(([, id]) => id)
    expect(drawOrder(published.seed, published.tickets)).toEqual(expected)
    expect(commitmentOf(published.seed)).toBe(sha256Hex('a1'))
  })

  test('does not depend on who came first', () => {
    fc.assert(fc.property(ids, fc.string(), (list, seed) => {
      expect(drawOrder(seed, [...list].reverse())).toEqual(drawOrder(seed, list))
      expect(listHashOf([...list].reverse())).toBe(listHashOf(list))
    }))
  })

  test('of another list is another, so the last ticket cannot be aimed at a place', () => {
    const list = Array.from({ length: 12 }, (_, index) => `t${index}`)
    const orders = Array.from({ length: 20 }, (_, index) => drawOrder('seed', [...list, `late${index}`]).filter((id) => list.includes(id)).join())
    expect(new Set(orders).size).toBeGreaterThan(15)
  })

  test('gives each ticket its share: 40 tickets for 4 places, 2,000 draws', () => {
    const list = Array.from({ length: 40 }, (_, index) => `t${index}`)
    const wins = new Map<string, number>()
    for (let seed = 0; seed < 2000; seed++) for (const id of drawOrder(`s${seed}`, list).slice(0, 4)) wins.set(id, (wins.get(id) ?? 0) + 1)
    // Expected 200 each, standard deviation 13; six of them either way.
    for (const id of list) expect(Math.abs((wins.get(id) ?? 0) - 200)).toBeLessThan(80)
  })
})

describe('the allotment', () => {
  test('never gives more places than a segment has, nor a segment that was not wanted', () => {
    fc.assert(fc.property(tickets, places, fc.string(), (list, free, seed) => {
      const won = allot(seed, list, free)
      for (const [index, count] of free) expect([...won.values()].filter((each) => each === index).length).toBeLessThanOrEqual(count)
      for (const ticket of list) {
        const segment = won.get(ticket.id)
        if (segment !== undefined && ticket.segments.length > 0) expect(ticket.segments).toContain(segment)
      }
    }))
  })

  test('leaves no place empty that a loser wanted', () => {
    fc.assert(fc.property(tickets, places, fc.string(), (list, free, seed) => {
      const won = allot(seed, list, free)
      const left = (index: number) => (free.get(index) ?? 0) - [...won.values()].filter((each) => each === index).length
      for (const ticket of list.filter(({ id }) => !won.has(id))) {
        for (const index of ticket.segments.length > 0 ? ticket.segments : free.keys()) expect(left(index)).toBe(0)
      }
    }))
  })

  test('lets whoever is drawn first have the first of their wishes', () => {
    const list: Ticket[] = ['a', 'b', 'c'].map((id) => ({ id, segments: [2, 0] }))
    const [first = ''] = drawOrder('x', ['a', 'b', 'c'])
    expect(allot('x', list, new Map([[0, 1], [1, 5], [2, 1]])).get(first)).toBe(2)
  })
})
