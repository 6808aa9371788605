/**
 * Reads a page in the order of what a criterion begins with: its stretches of a side table's index, one after the other, so that a name that a
 * million people have costs what one that twenty have does. A resource may have several rows there; the first of them, in the order of the
 * stretches and of the values in each, is where it stands.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { Stretch } from './criterion.ts'
import type { Stretches } from './key-plan.ts'
import type { StretchPosition } from './page.ts'
import { onePlan } from '../../storage/one-plan.ts'
import type { Reading, Row } from './read-page.ts'

export async function readStretches(reading: Reading, walked: Stretches): Promise<Row[]> {
  const { position, limit } = reading
  const backwards = position?.backwards === true
  const from = position?.stretch?.number ?? 0
  const numbers = walked.stretches.map((_, number) => number).filter((number) => (backwards ? number <= from : number >= from))
  const rows: Row[] = []
  for (const number of backwards ? numbers.reverse() : numbers) {
    // What is equal to the position's value is read by its key, so that a page deep in a million equal names begins where the last ended.
    for (const part of position !== null && number === from ? ['equal', 'beyond'] as const : ['all'] as const) {
      rows.push(...await readStretch({ ...reading, limit: limit - rows.length }, walked, { number, part, backwards }))
      if (rows.length >= limit) return rows
    }
  }
  return rows
}

/** Where a row that came out of a stretch stands; null for other rows. */
export function stretchOf(row: Row): StretchPosition | null {
  const { stretch_side: side, stretch_number: number, stretch_value: value } = row
  return typeof side === 'number' && typeof number === 'number' ? { side, number, value: String(value) } : null
}

interface Part { number: number; part: 'all' | 'equal' | 'beyond'; backwards: boolean }

async function readStretch({ db, position, conditions, columns, limit }: Reading, { side, table, stretches }: Stretches, { number, part, backwards }: Part): Promise<Row[]> {
  const { k, column, condition } = stretches[number] as Stretch
  const text = column === 'val'
  const less = sql.raw(text ? '~<~' : '<')
  const beyond = sql.raw((text ? ['~>~', '~<~'] : ['>', '<'])[Number(backwards)] as string)
  const value = sql`${position?.stretch?.value ?? null}::${sql.raw(text ? 'text' : 'float8')}`
  const behind = part === 'all' ? [] : [part === 'beyond' ? sql<SqlBool>`w.at ${beyond} ${value}` : sql<SqlBool>`w.at = ${value} and w.rid ${sql.raw(backwards ? '<' : '>')} ${position?.id ?? null}::uuid`]
  const before = [...stretches.slice(0, number).map(rowsOf), sql<SqlBool>`(${rowsOf(stretches[number] as Stretch)} and (s.${sql.raw(column)} ${less} w.at or (s.${sql.raw(column)} = w.at and s.ctid < w.place)))`]
  const first = sql<SqlBool>`not exists (select 1 from ${sql.table(table)} s where s.rid = w.rid and s.shard = w.shard and (${sql.join(before, sql` or `)}) offset 0)`
  // Row by row, for the offsets keep the planner from reading all of both tables and sorting.
  const { rows } = await sql<Row>`${onePlan}select ${columns}, ${side}::int as stretch_side, ${number}::int as stretch_number, w.at as stretch_value
    from (select s.rid, s.shard, s.${sql.raw(column)} as at, s.ctid as place from ${sql.table(table)} s where ${rowsOf({ k, condition })}) w
    cross join lateral (select * from resource r where r.id = w.rid and r.shard = w.shard and ${sql.join(conditions, sql` and `)} offset 0) r
    where ${sql.join([...behind, first], sql` and `)}
    order by w.at using ${sql.raw((text ? ['~<~', '~>~'] : ['<', '>'])[Number(backwards)] as string)}, w.rid ${sql.raw(backwards ? 'desc' : 'asc')} limit ${limit}`.execute(db)
  return rows
}

function rowsOf({ k, condition }: Pick<Stretch, 'k' | 'condition'>): RawBuilder<SqlBool> {
  return sql<SqlBool>`(s.k = ${String(k)}::bigint and ${condition})`
}
