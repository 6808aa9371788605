/**
 * Codes in the order of the clinical date. A search by code shows the newest first, and of a code that one row in ten thousand has there are more than
 * anybody would read and sort in a city. So what a resource is about (its `code`, the codes of its components, its vaccine) is also stored as rows of idx_value
 * under that code, in the order that searches come in without `_sort` and with `_sort=-date`: newest first, what has no date before all, then by key. A page is
 * a stretch of that index, in either direction; of several codes the stretches are read side by side.
 * Rows that were stored before are indexed anew in the background; until that is done for a type, its codes are found as any other token.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { clinicalDate } from '../../fhir/clinical-date.ts'
import { onePlan } from '../../storage/one-plan.ts'
import { paramKey } from './keys.ts'
import type { Reading, Row } from './read-page.ts'

/** Search parameters that say what an entry is about. */
const aboutParameters: ReadonlySet<string> = new Set(['code', 'component-code', 'vaccine-code'])

/** Rows `s` of one code: key of the parameter, and of the code whatever its system. */
export interface DatedCode { k: bigint; c: bigint }

/** Bounds of the clinical date in ISO, where all rows that are wanted lie between. */
export interface Between { from: string | null; to: string | null }

/** The key of a parameter's rows in idx_value; null when its codes are not stored by date. */
export function datedKey(type: string, code: string): bigint | null {
  return aboutParameters.has(code) && clinicalDate(type) !== null ? paramKey(type, `${code} by date`) : null
}

/** Where an instant stands in the index, newest first. @param milliseconds NaN for no date. */
export function placeOfDate(milliseconds: number): number {
  return Number.isNaN(milliseconds) ? -Number.MAX_VALUE : -milliseconds / 1000
}

/** A page of what has one of the codes, in the order of the clinical date. */
export async function readByCode(reading: Reading, codes: readonly DatedCode[], between: Between): Promise<Row[]> {
  const found: Row[] = []
  for (const code of codes) found.push(...await readOne(reading, code, between))
  if (codes.length === 1) return found
  const forwards = isForwards(reading)
  const places = new Map(found.map((row) => [row.id, row]))
  const placeOf = (row: Row) => Number(row.code_place)
  const ordered = [...places.values()].sort((a, b) => (placeOf(a) - placeOf(b) || (a.id < b.id ? -1 : 1)) * (forwards ? 1 : -1))
  return ordered.slice(0, reading.limit)
}

/** The index from its beginning: newest first. */
function isForwards({ order }: Reading): boolean {
  return order.keys[0]?.descending === true
}

async function readOne(reading: Reading, { k, c }: DatedCode, { from, to }: Between): Promise<Row[]> {
  const { db, position, conditions, columns, limit } = reading
  const forwards = isForwards(reading)
  const last = position?.values[0] ?? null
  const place = (instant: string) => sql`${placeOfDate(Date.parse(instant))}::float8`
  const bounds: RawBuilder<SqlBool>[] = [
    sql<SqlBool>`s.k = ${String(k)}::bigint`, sql<SqlBool>`s.c = ${String(c)}::bigint`,
    ...(from === null ? [] : [sql<SqlBool>`s.lo <= ${place(from)}`]), ...(to === null ? [] : [sql<SqlBool>`s.lo >= ${place(to)}`]),
    ...(position === null ? [] : [sql<SqlBool>`(s.lo, s.rid) ${sql.raw(forwards ? '>' : '<')} (${last === null ? sql`${placeOfDate(Number.NaN)}::float8` : place(last)}, ${position.id}::uuid)`]),
  ]
  const direction = sql.raw(forwards ? 'asc' : 'desc')
  // Row by row, for the offset keeps the planner from reading all of both tables and sorting.
  const { rows } = await sql<Row>`${onePlan}select ${columns}, w.at as code_place
    from (select s.rid, s.shard, s.lo as at from idx_value s where ${sql.join(bounds, sql` and `)}) w
    cross join lateral (select * from resource r where r.id = w.rid and r.shard = w.shard and ${sql.join(conditions, sql` and `)} offset 0) r
    order by w.at ${direction}, w.rid ${direction} limit ${limit}`.execute(db)
  return rows
}
