import { expect, test } from 'vitest'
import { platform as itself } from '../src/access/principal.ts'
import { jobs } from '../src/catalogue/jobs.ts'
import { makeCtx } from '../src/ctx.ts'
import { runJob } from '../src/run-job.ts'
import { openDb } from '../src/storage/pool.ts'
import { testPlatform } from './support/platform.ts'

const { url, services, clock } = await testPlatform()
const ctx = () => makeCtx(itself, { now: clock.now })

test('all jobs run at once on a pool of two connections', async () => {
  const locks = openDb(url, { max: 1 })
  const db = openDb(url, { max: 2 })
  const deps = { db, store: services.store, gateway: services.gateway, channels: {}, signingKeyDays: 30, ctx }
  const done = await Promise.all(jobs.map((job) => runJob(locks, job, deps)))
  expect(done.every((each) => typeof each === 'number')).toBe(true)
  await Promise.all([locks.destroy(), db.destroy()])
})

test('a job that another worker runs is left to it, and runs again once that one has ended', async () => {
  const [mine, theirs] = [openDb(url, { max: 1 }), openDb(url, { max: 1 })]
  const deps = { db: services.db, store: services.store, gateway: services.gateway, channels: {}, signingKeyDays: 30, ctx }
  const begun = Promise.withResolvers<void>()
  const end = Promise.withResolvers<number>()
  const slow = { name: 'slow', everySeconds: 1, run: () => { begun.resolve(); return end.promise } }
  const first = runJob(mine, slow, deps)
  await begun.promise
  expect(await runJob(theirs, { ...slow, run: async () => 1 }, deps)).toBe(null)
  end.resolve(7)
  expect(await first).toBe(7)
  expect(await runJob(theirs, { ...slow, run: async () => 1 }, deps)).toBe(1)
  await Promise.all([mine.destroy(), theirs.destroy()])
})
