/**
 * Where the three databases are: the platform's and one for each insurance centre. Embedded by default; with DATABASE_URL the
 * centres get databases beside the platform's on the same server, unless they are given too. Missing ones are created.
 */
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
export async function findDatabases(config: Config): Promise<Databases> {
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
