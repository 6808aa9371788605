import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { resourceTypes } from '../src/fhir/resource-types.ts'
import { changesSent, hasSentNothing } from '../src/storage/changes-sent.ts'
import { onePlan } from '../src/storage/one-plan.ts'
import { type Db, openDb } from '../src/storage/pool.ts'
import { DatabaseAway } from '../src/storage/sqlstate.ts'
import { inTransaction } from '../src/storage/transaction.ts'
import { testDatabase } from './support/database.ts'

const { db } = await testDatabase()

test('the numbers of the resource types are the same in code and database', async () => {
  const rows = await db.selectFrom('resource_type').select(['t', 'name']).orderBy('t').execute()
  expect(rows.map((row) => row.name)).toEqual([...resourceTypes])
  expect(rows.map((row) => row.t)).toEqual(resourceTypes.map((_, index) => index + 1))
})

test('values come back in the forms that tables.ts promises', async () => {
  const { rows } = await sql<{ d: string; i: string; b: bigint; n: string }>`select date '2024-02-29' as d, timestamptz '2026-11-23 16:00:00.5+08' as i, 9007199254740993::int8 as b, 1.10::numeric as n`.execute(db)
  expect(rows[0]).toEqual({ d: '2024-02-29', i: '2026-11-23T08:00:00.500Z', b: 9007199254740993n, n: '1.10' })
})

async function backend(at: Db): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(at)
  return rows[0]?.pid ?? 0
}

const fact = (name: string) => ({ name, value: JSON.stringify(1) })

test.each([
  ['at rest between two statements', 20], ['while the next statement is on its way', 0],
])('a transaction whose connection is lost %s leaves nothing, and the pool goes on', async (_, pauseMs) => {
  for (let round = 0; round < 3; round++) {
    const lost = inTransaction(db, async (trx) => {
      await trx.insertInto('platform_fact').values(fact(`before ${pauseMs} ${round}`)).execute()
      const pid = await backend(trx)
      await sql`select pg_terminate_backend(${pid}::int)`.execute(db)
      if (pauseMs > 0) await sleep(pauseMs)
      // Others take the connections of the pool, a new one in place of the lost one among them.
      await Promise.all(Array.from({ length: 16 }, () => backend(db).catch(() => {})))
      await trx.insertInto('platform_fact').values(fact(`after ${pauseMs} ${round}`)).execute()
    })
    await expect(lost).rejects.toThrow()
    expect(await Promise.all(Array.from({ length: 16 }, () => backend(db).catch(() => backend(db))))).toHaveLength(16)
  }
  expect(await db.selectFrom('platform_fact').select('name').where('name', 'like', `% ${pauseMs} %`).execute()).toEqual([])
})

test('one statement after another in a transaction is one backend, also when it is not awaited', async () => {
  const pids = await inTransaction(db, (trx) => Promise.all([backend(trx), backend(trx), backend(trx)]))
  expect(new Set(pids).size).toBe(1)
})

test('a transaction that has ended, and a statement, leave nothing in memory', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const kept = async (times: number) => {
    for (let n = 0; n < times; n++) await inTransaction(db, backend)
    for (let n = 0; n < times; n++) await backend(db)
    collect()
    collect()
    return process.memoryUsage().heapUsed
  }
  await kept(500)
  const before = await kept(100)
  // 2 kB were kept of each once: 4 MB here.
  expect(await kept(2000) - before).toBeLessThan(1_000_000)
})

test('what does not answer after a connection was lost is given up, for the driver may have forgotten it; a transaction goes on', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const other = inTransaction(db, async (trx) => {
    await backend(trx)
    begin()
    await sleep(4500)
    return backend(trx)
  })
  await begun
  // Stands for a statement that the driver has forgotten: nothing of it comes back.
  const silent = sql`select pg_sleep(25)`.execute(db)
  const outcome = silent.then(() => 'answered', (error: Error & { code?: string }) => error.code)
  await sql`select pg_terminate_backend(pg_backend_pid())`.execute(db).catch(() => {})
  expect(await backend(db)).toBeGreaterThan(0)
  expect(await outcome).toBe('CONNECTION_CLOSED')
  expect(await other).toBeGreaterThan(0)
})

test('statements of one plan keep it, and their pool is replaced with the other', async () => {
  const planned = () => sql<{ mode: string; pid: number }>`${onePlan}select current_setting('plan_cache_mode') as mode, pg_backend_pid() as pid`.execute(db)
  const before = (await planned()).rows[0]
  expect(before?.mode).toBe('force_generic_plan')
  expect((await sql<{ mode: string }>`select current_setting('plan_cache_mode') as mode`.execute(db)).rows[0]?.mode).toBe('auto')
  await inTransaction(db, async (trx) => { expect((await sql<{ mode: string }>`${onePlan}select current_setting('plan_cache_mode') as mode`.execute(trx)).rows[0]?.mode).toBe('auto') })
  await sql`select pg_terminate_backend(pg_backend_pid())`.execute(db).catch(() => {})
  await expect.poll(async () => (await planned()).rows[0]?.pid).not.toBe(before?.pid)
})

/** Whether what it does has surely changed nothing, and how it ended. Of a lost connection the server's word or the driver's may come first. */
async function sentNothing(work: () => Promise<unknown>): Promise<[boolean, string]> {
  const before = changesSent()
  const end = await work().then(() => 'done', (error: Error) => (error instanceof DatabaseAway ? 'away' : error.message))
  return [hasSentNothing(before), end]
}

test('what was sent that may have changed something is known, whatever became of the connection', async () => {
  const nowhere = openDb('postgres://nobody@127.0.0.1:9/none')
  const insert = (at: Db, name: string) => at.insertInto('platform_fact').values(fact(name)).execute()
  const end = sql`select pg_terminate_backend(pg_backend_pid())`
  // Nothing: reads, what found no connection, a transaction that was lost or refused before its commit.
  expect(await sentNothing(() => backend(db))).toEqual([true, 'done'])
  expect(await sentNothing(() => insert(nowhere, 'nowhere'))).toEqual([true, 'away'])
  expect(await sentNothing(() => inTransaction(nowhere, (trx) => insert(trx, 'nowhere')))).toEqual([true, 'away'])
  expect(await sentNothing(() => inTransaction(db, async (trx) => { await insert(trx, 'lost'); await end.execute(trx) }))).toEqual([true, 'away'])
  // Its end was swallowed: the commit finds the connection lost and is not sent.
  expect(await sentNothing(() => inTransaction(db, async (trx) => { await insert(trx, 'lost'); await end.execute(trx).catch(() => {}) }))).toEqual([true, 'away'])
  expect(await sentNothing(() => inTransaction(db, () => Promise.reject(new Error('refused'))))).toEqual([true, 'refused'])
  // Perhaps something.
  expect(await sentNothing(() => inTransaction(db, (trx) => insert(trx, 'kept in a transaction')))).toEqual([false, 'done'])
  expect(await sentNothing(() => insert(db, 'kept'))).toEqual([false, 'done'])
  expect(await sentNothing(() => sql`with made as (insert into platform_fact values ('half', '1') returning name) select pg_terminate_backend(pg_backend_pid()) from made`.execute(db))).toEqual([false, 'away'])
  await nowhere.destroy()
  await expect.poll(() => backend(db).catch(() => 0)).toBeGreaterThan(0)
  expect(await db.selectFrom('platform_fact').select('name').where('name', 'in', ['nowhere', 'lost', 'half', 'kept', 'kept in a transaction']).orderBy('name').execute()).toEqual([{ name: 'kept' }, { name: 'kept in a transaction' }])
})
