/**
 * Rows as one JSON parameter: the statement's text, and with it its prepared plan, is the same for one row and for hundreds, and nothing
 * is put together for each column of each row.
 */
import { type RawBuilder, sql, type Transaction } from 'kysely'

type Row = Readonly<Record<string, unknown>>

/** A set of rows of a table's type, to insert or to update from. Columns that a row does not name are null. */
export function rowsOfTable(table: string, rows: readonly Row[]): RawBuilder<unknown> {
  const text = JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
  // Through text: the driver would print a parameter of type json once more.
  return sql`json_populate_recordset(null::${sql.table(table)}, ${text}::text::json)`
}

/** All rows name the columns of the first; columns that it does not name get their defaults. */
export async function insertMany<T>(trx: Transaction<T>, table: keyof T & string, rows: readonly Row[]): Promise<void> {
  const [first] = rows
  if (!first) return
  const columns = sql.join(Object.keys(first).map((name) => sql.ref(name)))
  await sql`insert into ${sql.table(table)} (${columns}) select ${columns} from ${rowsOfTable(table, rows)}`.execute(trx)
}
