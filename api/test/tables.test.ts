/** `storage/tables.ts` and `storage/tables/` say what the migrations make: the same tables, the same columns, null where the database allows null. */
import { readdirSync, readFileSync } from 'node:fs'
import { sql } from 'kysely'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { testDatabase, testInsurerDatabase } from './support/database.ts'

const platform = await testDatabase()
const insurer = await testInsurerDatabase()
const folder = new URL('../src/storage/tables/', import.meta.url)
const files = [new URL('../tables.ts', folder), ...readdirSync(folder).map((name) => new URL(name, folder))]
const interfaces = new Map(files.flatMap((file) => ts.createSourceFile(file.pathname, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true).statements)
  .filter(ts.isInterfaceDeclaration).map((each) => [each.name.text, each]))

/** `column` or `column?` (nullable) of every table of an interface such as `Tables`. */
function declared(name: string): Record<string, string[]> {
  const tables: Record<string, string[]> = {}
  for (const member of interfaces.get(name)?.members ?? []) {
    if (!ts.isPropertySignature(member)) continue
    const columns = interfaces.get(member.type?.getText() ?? '')
    tables[member.name.getText()] = [...(columns?.members ?? [])].filter(ts.isPropertySignature).map((column) => {
      const type = column.type?.getText() ?? ''
      return `${column.name.getText()}${/\| null\b|OrNull\b|^unknown$/.test(type) ? '?' : ''}`
    }).sort()
  }
  return tables
}

/** The live columns in the same notation; a `jsonb` column is `unknown` in the code, whose null is not told apart. */
async function live(db: typeof platform.db | typeof insurer.db): Promise<Record<string, string[]>> {
  const { rows } = await sql<{ table_name: string; column_name: string; is_nullable: string; data_type: string }>`
    select c.table_name, c.column_name, c.is_nullable, c.data_type from information_schema.columns c
    join pg_class k on k.relname = c.table_name and k.relkind in ('r', 'p') and not k.relispartition
    where c.table_schema = 'public' and c.table_name not like 'kysely_%'`.execute(db as typeof platform.db)
  const tables: Record<string, string[]> = {}
  for (const row of rows) {
    const columns = tables[row.table_name] ?? []
    columns.push(`${row.column_name}${row.is_nullable === 'YES' || row.data_type === 'jsonb' ? '?' : ''}`)
    tables[row.table_name] = columns
  }
  for (const columns of Object.values(tables)) columns.sort()
  return tables
}

test('the platform\'s tables are as declared', async () => {
  expect(await live(platform.db)).toEqual(declared('Tables'))
})

test('the insurance centre\'s tables are as declared', async () => {
  expect(await live(insurer.db)).toEqual(declared('InsurerTables'))
})
