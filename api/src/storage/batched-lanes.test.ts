import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { batched } from './batched.ts'

test('a lane is in one batch at a time and keeps its order; batches are bounded', async () => {
  const active = new Set<string>()
  const done: string[] = []
  let most = 0
  const call = batched<string, string>({
    laneOf: (member) => member.charAt(0), max: 3,
    async run(members) {
      most = Math.max(most, members.length)
      const lanes = new Set(members.map((each) => each.charAt(0)))
      for (const lane of lanes) {
        expect(active.has(lane)).toBe(false)
        active.add(lane)
      }
      await sleep(members.length)
      for (const lane of lanes) active.delete(lane)
      done.push(...members)
      return members.map((each) => `${each}!`)
    },
  })
  const members = Array.from({ length: 60 }, (_, index) => `${'abcde'.charAt((index * 7) % 5)}${index}`)
  expect(await Promise.all(members.map(call))).toEqual(members.map((each) => `${each}!`))
  expect(most).toBe(3)
  for (const lane of 'abcde') {
    const inOrder = (list: readonly string[]) => list.filter((each) => each.startsWith(lane))
    expect(inOrder(done)).toEqual(inOrder(members))
  }
})

test('a member that fails its batch fails alone', async () => {
  const call = batched<number, number>({
    laneOf: () => 'one', max: 10,
    run: async (members) => {
      if (members.includes(3)) throw new Error('three')
      return members.map((each) => each * 2)
    },
  })
  const answers = await Promise.allSettled([1, 2, 3, 4].map(call))
  expect(answers.map((each) => (each.status === 'fulfilled' ? each.value : (each.reason as Error).message))).toEqual([2, 4, 'three', 8])
})
