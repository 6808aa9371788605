import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Waiting } from './waiting.ts'

test('those who came and did not go are there, each once, in no more places than ever waited together', () => {
  fc.assert(fc.property(fc.array(fc.nat(20)), (turns) => {
    const waiting = new Waiting<object>()
    const present: { who: object; place: number }[] = []
    const places = new Set<number>()
    let most = 0
    for (const turn of turns) {
      if (turn < 10 && present.length > 0) {
        const [gone] = present.splice(turn % present.length, 1)
        waiting.delete(gone?.place ?? -1)
        continue
      }
      const who = {}
      const place = waiting.add(who)
      present.push({ who, place })
      places.add(place)
      most = Math.max(most, present.length)
    }
    expect(new Set(waiting.all())).toEqual(new Set(present.map(({ who }) => who)))
    expect(waiting.all()).toHaveLength(present.length)
    expect(places.size).toBe(most)
  }))
})
