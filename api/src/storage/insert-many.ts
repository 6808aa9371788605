/**
 * Rows as one JSON parameter: the statement's text, and with it its prepared plan, is the same for one row and for hundreds, and nothing
 * is put together for each column of each row. Long texts go as arrays beside it: PostgreSQL takes an array in at a third of what JSON costs.
 */
import { type RawBuilder, sql, type Transaction } from 'kysely'
import { textArray } from './array-literal.ts'

type Row = Readonly<Record<string, unknown>>

/**
 * A set of rows of a table's type, to insert or to update from; it needs an alias. Columns that the first row does not name are not there.
 * @param texts columns of type text that hold long ones.
 */
export function rowsOfTable(table: string, rows: readonly Row[], texts: readonly string[] = []): RawBuilder<unknown> {
  const names = Object.keys(rows[0] ?? {}).filter((name) => !texts.includes(name))
  const text = JSON.stringify(rows, (key, value: unknown) => (typeof value === 'bigint' ? value.toString() : texts.includes(key) ? undefined : value))
  // Through text: the driver would print a parameter of type json once more.
  const set = sql`json_populate_recordset(null::${sql.table(table)}, ${text}::text::json)`
  if (texts.length === 0) return set
  const arrays = texts.map((name) => sql`${textArray(rows.map((row) => (row[name] ?? null) as string | null))}::text[]`)
  const columns = sql.join([...names.map((name) => sql`r.${sql.ref(name)}`), ...texts.map((name) => sql`x.${sql.ref(name)}`)])
  return sql`(select ${columns} from (select row_number() over () as n, r.* from ${set} as r) as r
    join unnest(${sql.join(arrays)}) with ordinality as x (${sql.join(texts.map((name) => sql.ref(name)))}, n) on x.n = r.n)`
}

/** All rows name the columns of the first; columns that it does not name get their defaults. @param texts as in `rowsOfTable`. */
export async function insertMany<T>(trx: Transaction<T>, table: keyof T & string, rows: readonly Row[], texts: readonly string[] = []): Promise<void> {
  const [first] = rows
  if (!first) return
  const columns = sql.join(Object.keys(first).map((name) => sql.ref(name)))
  await sql`insert into ${sql.table(table)} (${columns}) select ${columns} from ${rowsOfTable(table, rows, texts)} as u`.execute(trx)
}
