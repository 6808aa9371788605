/**
 * One PostgreSQL for the whole run, with a migrated template of each kind of database. Each test file clones its own.
 * `TEST_DATABASE_URL` (a server where databases may be created) takes the place of the embedded one.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import type { TestProject } from 'vitest/node'
import { migrate } from '../../src/storage/migrate.ts'
import { openDb, openInsurerDb } from '../../src/storage/pool.ts'
import type {} from './database.ts'
import { startPostgres } from '../../src/storage/postgres-server.ts'

export default async function setup(project: TestProject): Promise<() => void> {
  const given = process.env.TEST_DATABASE_URL
  const folder = given ? null : mkdtempSync(join(tmpdir(), 'pujiang-test-'))
  // As root the server runs as nobody, who must be able to enter.
  if (folder) chmodSync(folder, 0o755)
  const server = folder ? await startPostgres({ dir: join(folder, 'postgres'), durable: false, settings: { max_connections: '300' } }) : null
  const url = given ?? server?.url('postgres') ?? ''
  const admin = postgres(url, { max: 1, onnotice: () => {} })
  await admin.unsafe('drop database if exists template_platform')
  await admin.unsafe('drop database if exists template_insurer')
  await admin.unsafe('create database template_platform')
  await admin.unsafe('create database template_insurer')
  await admin.end()
  const platform = openDb(url.replace(/\/[^/]*$/, '/template_platform'), { max: 1 })
  await migrate(platform, 'platform')
  await platform.destroy()
  const insurer = openInsurerDb(url.replace(/\/[^/]*$/, '/template_insurer'), { max: 1 })
  await migrate(insurer, 'insurer')
  await insurer.destroy()
  project.provide('postgresUrl', url)
  return () => {
    server?.stop('immediate')
    if (folder) rmSync(folder, { recursive: true, force: true })
  }
}
