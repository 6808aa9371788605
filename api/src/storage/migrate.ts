/**
 * Runs the numbered SQL files of migrations/<set> that a database has not seen, in name order, each in a transaction and
 * all under Kysely's migration lock. Forward only: a file that ran is never edited; a changed one is not noticed here but by
 * the test that migrates from empty.
 */
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'

export type MigrationSet = 'platform' | 'insurer'

const root = new URL('../../../migrations/', import.meta.url)

/** Brings a database up to date. @returns names of the migrations that ran now. @throws the first failure. */
export async function migrate<T>(db: Kysely<T>, set: MigrationSet): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => readMigrations(set) } })
  const { error, results } = await migrator.migrateToLatest()
  if (error) throw error
  return (results ?? []).filter((each) => each.status === 'Success').map((each) => each.migrationName)
}

/** Names of the migrations that a database has not seen yet. */
export async function pendingMigrations<T>(db: Kysely<T>, set: MigrationSet): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => readMigrations(set) } })
  return (await migrator.getMigrations()).filter((each) => each.executedAt === undefined).map((each) => each.name)
}

async function readMigrations(set: MigrationSet): Promise<Record<string, Migration>> {
  const folder = fileURLToPath(new URL(`${set}/`, root))
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const migrations: Record<string, Migration> = {}
  for (const name of names) {
    const text = await readFile(`${folder}${name}`, 'utf8')
    migrations[name.replace(/\.sql$/, '')] = { up: async (db: Kysely<never>) => { await runScript(db, text) } }
  }
  return migrations
}

/** Statements of a file, split at `;` line ends outside $$ bodies; the extended protocol takes one at a time. */
async function runScript(db: Kysely<never>, text: string): Promise<void> {
  for (const statement of splitStatements(text)) await sql.raw(statement).execute(db)
}

export function splitStatements(text: string): string[] {
  const statements: string[] = []
  let current = ''
  let inBody = false
  for (const line of text.split('\n')) {
    const code = line.replace(/--.*$/, '')
    if (((code.match(/\$\$/g) ?? []).length) % 2 === 1) inBody = !inBody
    current += `${line}\n`
    if (!inBody && code.trimEnd().endsWith(';')) {
      statements.push(current.trim())
      current = ''
    }
  }
  if (current.replace(/--.*$/gm, '').trim() !== '') statements.push(current.trim())
  return statements
}
