/** A command that has to start the embedded server stops it again, and leaves alone one that ran before or that somebody has come to. */
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'
import { withDatabases } from '../src/databases.ts'
import { startPostgres, stopPostgres } from '../src/storage/postgres-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'pujiang-command-'))
chmodSync(folder, 0o755)
const config = readConfig({ DATA_DIR: folder, LOG_LEVEL: 'silent', DATABASE_URL: undefined })
const dir = join(folder, 'postgres')
const runs = () => existsSync(join(dir, 'postmaster.pid'))

afterAll(() => {
  stopPostgres(dir)
  rmSync(folder, { recursive: true, force: true })
})

test('a server that was started for it is stopped, also after a fault; where the platform has never run it says so', async () => {
  await expect(withDatabases(config, async ({ platform }) => {
    expect(runs()).toBe(true)
    const db = postgres(platform, { max: 1 })
    await db`select 1`.finally(() => db.end())
  })).rejects.toThrow('npm start')
  expect(runs()).toBe(false)
})

test('a server that somebody has come to meanwhile goes on, and so does one that ran before', async () => {
  let other = postgres('postgres://nobody', { max: 1 })
  await withDatabases(config, async ({ server }) => {
    other = postgres(server?.url('postgres') ?? '', { max: 1 })
    await other`select 1`
  })
  expect((await other`select 1 as one`)[0]).toEqual({ one: 1 })
  await other.end()
  await withDatabases(config, async ({ server }) => { expect(server?.started).toBe(false) })
  expect(runs()).toBe(true)
  expect((await startPostgres({ dir })).started).toBe(false)
})
