/** A database of a test file's own, cloned from the migrated template and dropped at its end. */
import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, inject } from 'vitest'
import { type Db, type InsurerDb, openDb, openInsurerDb } from '../../src/storage/pool.ts'

declare module 'vitest' {
  export interface ProvidedContext { postgresUrl: string }
}

async function clone(kind: 'platform' | 'insurer'): Promise<string> {
  const server = inject('postgresUrl')
  const name = `t_${kind}_${randomBytes(6).toString('hex')}`
  const admin = postgres(server, { max: 1, onnotice: () => {} })
  await admin.unsafe(`create database ${name} template template_${kind}`)
  await admin.end()
  afterAll(async () => {
    const dropper = postgres(server, { max: 1, onnotice: () => {} })
    await dropper.unsafe(`drop database if exists ${name} with (force)`)
    await dropper.end()
  })
  return server.replace(/\/[^/]*$/, `/${name}`)
}

/** Call at the top level of a test file. */
export async function testDatabase(): Promise<{ db: Db; url: string }> {
  const url = await clone('platform')
  const db = openDb(url, { max: 8 })
  afterAll(() => db.destroy())
  return { db, url }
}

/** Call at the top level of a test file. */
export async function testInsurerDatabase(): Promise<{ db: InsurerDb; url: string }> {
  const url = await clone('insurer')
  const db = openInsurerDb(url, { max: 8 })
  afterAll(() => db.destroy())
  return { db, url }
}
