/**
 * Codes and references in the order of the clinical date. A search by code shows the newest first, and of a code that one row in ten thousand has there are more than
 * anybody would read and sort in a city; so it is with what one doctor asked for or one hospital did. So what a resource is about (its `code`, the codes of its
 * components, its vaccine), and the staff and places that it refers to, are also stored as rows of idx_value, in the order that searches come in without `_sort` and
 * with `_sort=-date`: newest first, what has no date before all, then by key. A page is a stretch of that index, in either direction; several stretches are read side by side.
 * Rows that were stored before are indexed anew in the background; until that is done for a type, all this is found the way other tokens and references are.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { clinicalDate } from '../../fhir/clinical-date.ts'
import { keyOf } from '../../fhir/id.ts'
import { parseReference } from '../../fhir/references.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import { onePlan } from '../../storage/one-plan.ts'
import type { Collect } from '../index-resource.ts'
import { keyArray } from './criterion.ts'
import { linkKey, paramKey, tokenKey } from './keys.ts'
import type { Reading, Row } from './read-page.ts'

/** Search parameters that say what an entry is about. */
const aboutParameters: ReadonlySet<string> = new Set(['code', 'component-code', 'vaccine-code'])

/** What more rows refer to than anybody would sort. Of patients the store has an index of its own, and of a visit there are few rows. */
const referredWidely: ReadonlySet<string> = new Set(['Practitioner', 'PractitionerRole', 'Organization', 'Location', 'Medication', 'HealthcareService'])
/** What may refer to anything refers to little of it. */
const targetsMax = 12

/** Rows `s` of one code or reference: key of the parameter, and of the code whatever its system, or of the id whatever its type. */
export interface DatedKey { k: bigint; c: bigint }

/** The same for a criterion. `of` is the key that all these rows hold, where that is not what the criterion asks for: it may have many more rows. */
export interface DatedStretch extends DatedKey { of?: bigint }

/** Bounds of the clinical date in ISO, where all rows that are wanted lie between. */
export interface Between { from: string | null; to: string | null }

/** So many stretches are read side by side at most: each is a scan of its own, and every number of them a statement. */
export const sideBySideMax = 20

/** The key of a parameter's rows in idx_value; null when its values are not stored by date. */
function datedParam(type: string, { code, type: kind, targets }: Pick<SearchParam, 'code' | 'type' | 'targets'>): bigint | null {
  if (clinicalDate(type) === null) return null
  const isDated = kind === 'token' ? aboutParameters.has(code) : kind === 'reference' && code !== 'subject' && targets.length <= targetsMax && targets.some((each) => referredWidely.has(each))
  return isDated ? paramKey(type, `${code} by date`) : null
}

/** Of a code whatever its system; null when the parameter's codes are not stored by date. */
export function datedCode(type: string, param: string): ((code: string) => DatedKey) | null {
  const k = datedParam(type, { code: param, type: 'token', targets: [] })
  return k === null ? null : (code) => ({ k, c: tokenKey(type, param, undefined, code) })
}

/** Of the key of what is referred to, whatever its type; null when the parameter's references are not stored by date. */
function datedReference(type: string, param: Pick<SearchParam, 'code' | 'type' | 'targets'>): ((rowKey: string) => DatedKey) | null {
  const k = datedParam(type, param)
  return k === null ? null : (rowKey) => ({ k, c: linkKey(0n, rowKey) })
}

/** Rows that refer to one of these by a parameter, whatever else is asked of them; none when they are not stored by date, or too many. */
export function datedReferences(parameters: ReadonlyMap<string, SearchParam>, type: string, { storedAs }: Pick<SearchParam, 'storedAs'>, rowKeys: readonly string[]): { dated?: DatedKey[] } {
  const dated = storedAs.map((code) => {
    const param = parameters.get(code)
    return param ? datedReference(type, param) : null
  })
  const found = [...new Set(rowKeys)].flatMap((key) => dated.flatMap((each) => each?.(key) ?? []))
  return found.length === 0 || dated.includes(null) || found.length > sideBySideMax ? {} : { dated: found }
}

/** The collector, which also stores the references of a parameter by date. */
export function withDates(type: string, param: Pick<SearchParam, 'code' | 'type' | 'targets'>, collect: Collect | null): Collect | null {
  const dated = param.type === 'reference' ? datedReference(type, param) : null
  if (dated === null || collect === null) return collect
  return (value, sink, holder, key, resource) => {
    collect(value, sink, holder, key, resource)
    const reference = (value as { reference?: unknown } | null)?.reference
    const parsed = typeof reference === 'string' ? parseReference(reference) : null
    if (parsed?.kind !== 'local') return
    const found = dated(keyOf(parsed.id))
    if (!sink.dated.some(({ k, c }) => k === found.k && c === found.c)) sink.dated.push(found)
  }
}

/** Where an instant stands in the index, newest first. @param milliseconds NaN for no date. */
export function placeOfDate(milliseconds: number): number {
  return Number.isNaN(milliseconds) ? -Number.MAX_VALUE : -milliseconds / 1000
}

/** A page of what is under one of these keys, in the order of the clinical date. */
export async function readByDate(reading: Reading, keys: readonly DatedStretch[], between: Between): Promise<Row[]> {
  const { db, conditions, columns, limit } = reading
  // The index from its beginning: newest first.
  const forwards = reading.order.keys[0]?.descending === true
  const direction = sql.raw(forwards ? 'asc' : 'desc')
  const stretches = keys.map((each) => sql`select s.rid, s.shard, s.lo as at from idx_value s where ${sql.join(boundsOf(reading, each, between, forwards), sql` and `)}`)
  // A row may stand in several.
  const found = stretches.length === 1 ? stretches[0] : sql`select distinct on (m.at, m.rid) m.rid, m.shard, m.at from (
    ${sql.join(stretches.map((each) => sql`(${each} order by s.lo ${direction}, s.rid ${direction})`), sql` union all `)}) m order by m.at ${direction}, m.rid ${direction}`
  // Row by row, for the offset keeps the planner from reading all of both tables and sorting.
  const { rows } = await sql<Row>`${onePlan}select ${columns} from (${found}) w
    cross join lateral (select * from resource r where r.id = w.rid and r.shard = w.shard and ${sql.join(conditions, sql` and `)} offset 0) r
    order by w.at ${direction}, w.rid ${direction} limit ${limit}`.execute(db)
  return rows
}

/**
 * A page of what refers to one of several that a chain found, one after the other, each in the order of the clinical date, so that of those behind the page nothing is read. What refers
 * to two stands under the first.
 */
export async function readByReference(reading: Reading, keys: readonly DatedStretch[], between: Between): Promise<Row[]> {
  const { db, position, conditions, columns, limit } = reading
  const [backwards, group] = [position?.backwards === true, position?.group ?? null]
  const direction = sql.raw(backwards ? 'desc' : 'asc')
  const k = sql`${String(keys[0]?.k)}::bigint`
  const all = [...new Set(keys.map(({ c }) => c))]
  const first = sql<SqlBool>`not exists (select 1 from idx_value o where o.rid = w.rid and o.shard = w.shard and o.k = ${k} and o.c = any(${keyArray(all)}) and o.c < w.c offset 0)`
  const rows: Row[] = []
  const parts = group === null ? [{ among: all, position: null }] : [{ among: all.filter((c) => c === BigInt(group)), position }, { among: all.filter((c) => (backwards ? c < BigInt(group) : c > BigInt(group))), position: null }]
  for (const part of parts) {
    if (part.among.length === 0 || rows.length >= limit) continue
    const bounds = [sql<SqlBool>`s.k = ${k} and s.c = any(${keyArray(part.among)})`, ...datesOf(part.position, between, !backwards)]
    // Row by row, for the offset keeps the planner from reading all of both tables and sorting.
    const { rows: found } = await sql<Row>`${onePlan}select ${columns}, w.c as referred from (select s.rid, s.shard, s.c, s.lo as at from idx_value s where ${sql.join(bounds, sql` and `)}) w
      cross join lateral (select * from resource r where r.id = w.rid and r.shard = w.shard and ${sql.join(conditions, sql` and `)} offset 0) r
      where ${first} order by w.c ${direction}, w.at ${direction}, w.rid ${direction} limit ${limit - rows.length}`.execute(db)
    rows.push(...found)
  }
  return rows
}

function boundsOf({ position }: Reading, { k, c }: DatedKey, between: Between, forwards: boolean): RawBuilder<SqlBool>[] {
  return [sql<SqlBool>`s.k = ${String(k)}::bigint`, sql<SqlBool>`s.c = ${String(c)}::bigint`, ...datesOf(position, between, forwards)]
}

function datesOf(position: Reading['position'], { from, to }: Between, forwards: boolean): RawBuilder<SqlBool>[] {
  const last = position?.values[0] ?? null
  const place = (instant: string) => sql`${placeOfDate(Date.parse(instant))}::float8`
  return [
    ...(from === null ? [] : [sql<SqlBool>`s.lo <= ${place(from)}`]), ...(to === null ? [] : [sql<SqlBool>`s.lo >= ${place(to)}`]),
    ...(position === null ? [] : [sql<SqlBool>`(s.lo, s.rid) ${sql.raw(forwards ? '>' : '<')} (${last === null ? sql`${placeOfDate(Number.NaN)}::float8` : place(last)}, ${position.id}::uuid)`]),
  ]
}
