/**
 * Where the three databases are: the platform's and one for each insurance centre. Embedded by default; with DATABASE_URL the
 * centres get databases beside the platform's on the same server, unless they are given too. Missing ones are created.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import type { Config } from './config.ts'
import { migrate } from './storage/migrate.ts'
import { openDb, openInsurerDb } from './storage/pool.ts'
import { type PostgresServer, startPostgres } from './storage/postgres-server.ts'

export const regions = ['310000', '320500'] as const
export type Region = (typeof regions)[number]

export function isRegion(text: string): text is Region {
  return (regions as readonly string[]).includes(text)
}

export interface Databases {
  platform: string
  insurers: Record<Region, string>
  /** The embedded server; null when DATABASE_URL is given. */
  server: PostgresServer | null
}

/** Where they are; the embedded server is started when it does not run. */
async function findDatabases(config: Config): Promise<Databases> {
  const server = config.databaseUrl === null ? await startPostgres({ dir: `${config.dataDir}/postgres` }) : null
  const platform = config.databaseUrl ?? server?.url('pujiang') ?? ''
  const beside = (region: Region): string => {
    const url = new URL(platform)
    url.pathname = `${url.pathname}_insurer_${region}`
    return url.href
  }
  const insurers = {
    '310000': config.insurerDatabaseUrls['310000'] ?? beside('310000'),
    '320500': config.insurerDatabaseUrls['320500'] ?? beside('320500'),
  }
  return { platform, insurers, server }
}

/** For a command that ends: `leave` when it is done. @throws Error with a sentence for the person at the terminal where the platform has never run. */
export async function withDatabases<T>(config: Config, body: (databases: Databases) => Promise<T>): Promise<T> {
  const databases = await findDatabases(config)
  try {
    return await body(databases)
  } catch (error) {
    if (!(error instanceof postgres.PostgresError) || !neverStarted.has(error.code)) throw error
    throw new Error('There is no city here yet. Run `npm start` once, which makes it.', { cause: error })
  } finally {
    await leave(databases)
  }
}

/** No such database, no such table. */
const neverStarted = new Set(['3D000', '42P01'])

/** The embedded server that this process had to start is stopped again, unless somebody else has come to it meanwhile. */
export async function leave({ server }: Pick<Databases, 'server'>): Promise<void> {
  if (server?.started && !await isUsed(server)) server.stop('fast')
}

/** Connections that were just closed are gone after a moment, and who has just found the server comes after a moment: nobody must be there twice. */
async function isUsed(server: PostgresServer): Promise<boolean> {
  const admin = postgres(server.url('postgres'), { max: 1, onnotice: () => {} })
  try {
    for (let tries = 0, free = 0; tries < 10; tries++) {
      const [row] = await admin<{ others: number }[]>`select count(*)::int as others from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`
      free = row?.others === 0 ? free + 1 : 0
      if (free === 2) return false
      await sleep(100)
    }
    return true
  } finally {
    await admin.end()
  }
}

/** Starts or finds the databases and brings them up to date. */
export async function prepareDatabases(config: Config): Promise<Databases> {
  const databases = await findDatabases(config)
  const { platform, insurers } = databases
  for (const url of [platform, ...Object.values(insurers)]) await createIfMissing(url)
  const db = openDb(platform, { max: 1 })
  await migrate(db, 'platform').finally(() => db.destroy())
  for (const url of Object.values(insurers)) {
    const insurer = openInsurerDb(url, { max: 1 })
    await migrate(insurer, 'insurer').finally(() => insurer.destroy())
  }
  return databases
}

async function createIfMissing(url: string): Promise<void> {
  const target = new URL(url)
  const name = decodeURIComponent(target.pathname.slice(1))
  const probe = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 })
  try {
    await probe`select 1`
  } catch (error) {
    if (!(error instanceof postgres.PostgresError) || error.code !== '3D000') throw error
    target.pathname = '/postgres'
    const admin = postgres(target.href, { max: 1, onnotice: () => {} })
    await admin.unsafe(`create database "${name.replaceAll('"', '""')}"`).finally(() => admin.end())
  } finally {
    await probe.end()
  }
}
