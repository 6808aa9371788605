/** What joining promises: at most two batches under way, none too large, no key twice at a time, everybody their own answer. */
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batched, batchedByGroup } from './batched.ts'

interface Member { n: number; key: string | null; bad: boolean }

const members = fc.array(fc.record({ key: fc.constantFrom(null, 'a', 'b', 'c'), bad: fc.boolean() }), { minLength: 1, maxLength: 60 })
  .map((list) => list.map((each, n): Member => ({ n, ...each })))

test('whatever comes, each gets its own answer, and the bounds hold', async () => {
  await fc.assert(fc.asyncProperty(members, fc.integer({ min: 1, max: 8 }), fc.boolean(), async (list, max, ownRetry) => {
    let underWay = 0
    let mostUnderWay = 0
    const busy = new Set<string>()
    const clashes: string[] = []
    const run = async (batch: Member[]) => {
      underWay++
      mostUnderWay = Math.max(mostUnderWay, underWay)
      const keys = batch.flatMap(({ key }) => (key === null ? [] : [key]))
      for (const key of keys) {
        if (busy.has(key)) clashes.push(key)
        busy.add(key)
      }
      expect(batch.length).toBeLessThanOrEqual(max)
      await sleep(0)
      for (const key of keys) busy.delete(key)
      underWay--
      if (batch.some(({ bad }) => bad)) throw new Error(`bad ${batch.map(({ n }) => n)}`)
      return batch.map(({ n }) => `done ${n}`)
    }
    const runAlone = async ({ n, bad }: Member) => {
      if (bad) throw new Error(`bad ${n}`)
      return `done ${n}`
    }
    const join = batched<Member, string>({ max, run, keyOf: ({ key }) => key, ...(ownRetry ? { runAlone } : {}) })
    const answers = await Promise.allSettled(list.map((each) => join(each)))
    expect(answers.map((each) => (each.status === 'fulfilled' ? each.value : (each.reason as Error).message)))
      .toEqual(list.map(({ n, bad }) => (bad ? `bad ${n}` : `done ${n}`)))
    expect(clashes).toEqual([])
    expect(mostUnderWay).toBeLessThanOrEqual(2)
  }), { numRuns: 60 })
})

test('an idle server sends at once, a busy one fills the next batch', async () => {
  const sizes: number[] = []
  const gates: (() => void)[] = []
  const join = batched<number, number>({
    max: 10,
    run: async (batch) => {
      sizes.push(batch.length)
      await new Promise<void>((open) => { gates.push(open) })
      return batch
    },
  })
  const first = join(0)
  await sleep(1)
  const second = join(1)
  await sleep(1)
  const rest = Array.from({ length: 15 }, (_, n) => join(n + 2))
  await sleep(1)
  expect(sizes).toEqual([1, 1])
  while (sizes.length < 4 || gates.length > 0) {
    gates.shift()?.()
    await sleep(1)
  }
  expect(await Promise.all([first, second, ...rest])).toEqual(Array.from({ length: 17 }, (_, n) => n))
  expect(sizes).toEqual([1, 1, 10, 5])
})

test('members of two groups are never in one batch', async () => {
  const batches: string[][] = []
  const join = batchedByGroup<string, string>((member) => member.slice(0, 1), { max: 64, run: async (batch) => { batches.push(batch); return batch } })
  const sent = Array.from({ length: 30 }, (_, n) => `${'abc'[n % 3]}${n}`)
  expect(await Promise.all(sent.map(join))).toEqual(sent)
  expect(batches.map((batch) => new Set(batch.map((each) => each[0])).size)).toEqual([1, 1, 1])
})
