/**
 * Reads one page. Where an index has the order that is asked for and the matches are many, it is walked: the date index by the database's own
 * choice; the index of a side table (names, numbers, other dates), where resources without a value follow in a second statement; and time,
 * which has no btree because that would make every update dearer, in windows that grow until the page is full (read-windows.ts). Few matches
 * are sorted. Where the order is free, the stretches of a criterion may give it (read-stretches.ts).
 * A page backwards is read from its end, and turned round.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { type ResourceType, typeCode, typeName } from '../../fhir/resource-types.ts'
import { plainArray } from '../../storage/array-literal.ts'
import { onePlan } from '../../storage/one-plan.ts'
import type { Db } from '../../storage/pool.ts'
import { storedOf, type StoredRow } from '../content.ts'
import { onlyCode } from './coded-values.ts'
import { readByDate, readByReference, sideBySideMax } from './by-date.ts'
import type { Changed, Walk, Wanted } from './criterion.ts'
import { after, badToken, isFree, isReferenceNumber, isTextOrder, type Order, orderBy, orderOf, type Position, readToken, reversed, type SideOrder, sortColumn, type SortKey } from './page.ts'
import type { SearchQuery } from './parse-query.ts'
import type { Match } from './projected.ts'
import { readStretches, stretchOf } from './read-stretches.ts'
import { type Among, readWindows } from './read-windows.ts'
import { readByPatient } from './read-by-patient.ts'
import { type OfType, rarestKey } from './key-plan.ts'
import { isReadByText, type PlanBeside, readByText } from './read-by-text.ts'
import { edgeOf, far, isFewFar, near } from './since.ts'
import { partitionOf } from './statistics.ts'

export interface Page { matches: Match[]; next: Position | null; previous: Position | null }

export const noPage: Page = { matches: [], next: null, previous: null }

export type Row = StoredRow & { keys?: bigint[] } & Record<string, unknown>

/** What all ways of reading share. */
export interface Reading {
  db: Db
  order: Order
  position: Position | null
  conditions: readonly RawBuilder<SqlBool>[]
  columns: RawBuilder<unknown>
  limit: number
  /** How many rows match at most; null or absent when nobody knows. */
  expected?: number | null
  /** An index of dates has the order: that of the type, or that of one patient. */
  walked?: true
}

/** Throws parameter-invalid when the page's token is none. */
export async function readPage(walk: Walk, types: readonly ResourceType[], query: SearchQuery, matching: PlanBeside): Promise<Page> {
  const { sort, count } = query
  const position = query.page === null ? null : readToken(query.page, sort)
  const backwards = position?.backwards === true
  const order = backwards ? reversed(orderOf(sort)) : orderOf(sort)
  const first = sort[0]?.walk ?? null
  const walked = isTextOrder(first) && (types.length > 1 || !isReadByText(sort)) ? null : first
  const free = isFree(sort) && (position === null || position.stretch !== null || position.group !== null)
  const byDate = walked === 'date' && sort.length === 1
  const referred = position !== null && position.group !== null && isReferenceNumber(position.group)
  const alongTypes = walked === 'date' && types.length > 1
  const wanted: Wanted = walked === null ? 'all' : alongTypes ? { rows: count + 1, free: false, byDate: false, side: null, referred: false, grouped: false } : byDate ? { rows: count + 1, free, byDate: position === null || position.stretch === null, side: position?.stretch?.side ?? null, referred, grouped: position !== null && position.group !== null && !referred } : count + 1
  const { conditions, few, ofOne, ofSome, found, dated, datedByChain, stretches, since, between, ofTypes, changed, expected } = await matching(wanted, [])
  if (position !== null && (position.stretch !== null) !== (stretches !== null)) throw badToken()
  const columns = sql.join([
    sql`r.t, r.id, r.version, r.last_updated, r.pid, r.content`, ...sort.map((key, index) => sql`${key.expression} as ${sql.raw(sortColumn(index))}`),
    ...(query.includes.length > 0 ? [sql`r.keys`] : []),
  ])
  const reading: Reading = { db: walk.db, order, position, conditions, columns, limit: count + 1, expected: few ? expected : null }
  if (stretches !== null) return pageOf(await readStretches(reading, stretches), query, position)
  const [date] = sort
  const references = dated !== null && datedByChain && since === null && dated.every(({ k }) => k === dated[0]?.k) ? dated : null
  if (referred && references === null) throw badToken()
  if (references !== null && isFree(sort) && (referred || (position === null && references.length > 1))) {
    return pageOf(await readByReference(reading, references, between), query, position, (row) => String(row.referred))
  }
  if (date && isFree(sort) && (position === null ? ofSome?.chained === true || found !== null : position.group !== null)) {
    return pageOf(await readByPatient(reading, date, found ?? ofSome?.keys ?? null), query, position, (row) => row.pid)
  }
  return pageOf(await rowsOfPage(), query, position)

  async function rowsOfPage(): Promise<Row[]> {
    const ofType = sql<SqlBool>`r.t = ${sql.raw(String(typeCode(types[0] as ResourceType)))}`
    if (walked === null) return types.length === 1 ? readSorted(reading, ofType) : readRows(reading)
    if (byDate && few) return ofOne ? readRows({ ...reading, walked: true }) : ofSome === null ? readSorted(reading, ofType) : readMerged(reading, ofSome.keys)
    if (byDate) return readDates(reading, since, ofType, dated === null ? readAlong : (part, edge) => readByDate(part, dated, { ...between, ...(edge === null ? {} : { from: edge }) }))
    if (walked === 'date') return ofTypes ? readTypes(reading, ofTypes) : readRows(reading)
    if (isTextOrder(walked)) return few ? readSorted(reading, ofType) : readByText(reading, { type: types[0] as ResourceType, ofType, planBeside: matching })
    // The values of one code lie together, so that even of a rare one a page is read and not all.
    const code = typeof walked === 'object' && walked.coded ? await onlyCode(walk, types[0] as ResourceType, query.criteria) : null
    // Where something else leaves fewer rows than have the code, those are sorted.
    const ofCode = few && code !== null ? await rarestKey(walk.db, types[0] as ResourceType, query.criteria.filter(({ codes }) => codes !== undefined)) : null
    if (typeof walked === 'object' && (!few || (ofCode !== null && expected !== null && expected >= ofCode))) return readSide(reading, walked, code)
    return few || walked !== 'updated' ? readRows(reading) : readWindows(reading, await amongTypes(walk, types, changed))
  }
}

function pageOf(rows: readonly Row[], { sort, count }: SearchQuery, position: Position | null, groupOf: (row: Row) => string | null = () => null): Page {
  const backwards = position?.backwards === true
  const more = rows.length > count
  const shown = backwards ? rows.slice(0, count).reverse() : rows.slice(0, count)
  const positionOf = (row: Row | undefined, towards: 'next' | 'previous'): Position | null => (row === undefined ? null
    : { values: sort.map((_, index) => textOrNull(row[sortColumn(index)])), id: row.id, backwards: towards === 'previous', stretch: stretchOf(row), group: groupOf(row) })
  return {
    matches: shown.map((row) => ({ stored: storedOf(typeName(row.t), row), keys: row.keys ?? [] })),
    next: backwards || more ? positionOf(shown.at(-1), 'next') : null,
    previous: (backwards ? more : position !== null) ? positionOf(shown[0], 'previous') : null,
  }
}

async function amongTypes({ db, ctx }: Walk, types: readonly ResourceType[], changed: Changed | null): Promise<Among> {
  const updates: number[] = []
  for (const type of types) updates.push(...(await partitionOf(db, type))?.updates ?? [])
  return { ofTypes: sql<SqlBool>`r.t in (${sql.raw(types.map(typeCode).join(','))})`, updates: [...new Set(updates)], changed, now: ctx.now.getTime() }
}

function textOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}

export async function readRows({ db, order, position, conditions, columns, limit, walked }: Reading): Promise<Row[]> {
  const all = position === null ? conditions : [...conditions, after(order, position)]
  const { rows } = await sql<Row>`${walked ? onePlan : sql``}select ${columns} from resource r where ${sql.join(all, sql` and `)} order by ${orderBy(order)} limit ${limit}`.execute(db)
  return rows
}

/**
 * A walk by date, along its index or that of codes. From an instant on, what begins near it or later and what began long before lie one behind the other: the
 * first is walked, the second sorted where it is little.
 */
export async function readDates(
  reading: Reading, since: string | null, ofType: RawBuilder<SqlBool>, along: (reading: Reading, edge: string | null) => Promise<Row[]> = readAlong,
): Promise<Row[]> {
  const { position, order, conditions, limit, db } = reading
  if (since === null) return along(reading, null)
  const down = order.keys[0]?.descending === true
  const edge = edgeOf(since)
  const at = position?.values[0] ?? null
  const of = at === null ? null : new Date(at).toISOString() >= edge ? 'near' : 'far'
  const rows: Row[] = []
  for (const part of down ? ['near', 'far'] as const : ['far', 'near'] as const) {
    // A part that lies before the position.
    if (of !== null && of !== part && part === (down ? 'near' : 'far')) continue
    const rest = { ...reading, position: of === part ? position : null, limit: limit - rows.length }
    if (part === 'near') rows.push(...await along({ ...rest, conditions: [near(since), ...conditions] }, edge))
    else if (await isFewFar(db, ofType, since)) rows.push(...await readSorted({ ...rest, conditions: [far(since, false), ...conditions] }, ofType))
    else rows.push(...await readAlong({ ...rest, conditions: [far(since, true), ...conditions] }))
    if (rows.length >= limit) break
  }
  return rows
}

/**
 * As `readRows`, but the rows are found by what they are asked for and then sorted: the offset keeps the planner from walking an index that has the order. Where many are sorted, their texts
 * are not carried along, but read for the page that comes out of it. `ofType` names the type, by which the planner leaves out all other partitions.
 */
export async function readSorted({ db, order, position, conditions, columns, limit, expected = null }: Reading, ofType: RawBuilder<SqlBool>, dear: readonly RawBuilder<SqlBool>[] = []): Promise<Row[]> {
  // What is dear to ask is asked of what the rest leaves, and is no reason for the planner to look into more indexes.
  const later = [...dear, ...(position === null ? [] : [after(order, position)])]
  const found = sql`(select * from resource r where ${sql.join(conditions, sql` and `)} offset 0) r ${later.length === 0 ? sql`` : sql`where ${sql.join(later, sql` and `)}`}`
  const sorted = orderBy(order)
  if (expected !== null && expected <= limit * pagesCarried) return (await sql<Row>`select ${columns} from ${found} order by ${sorted} limit ${limit}`.execute(db)).rows
  const { rows } = await sql<Row>`select ${columns} from (select r.id, r.shard from ${found} order by ${sorted} limit ${limit}) w
    cross join lateral (select * from resource r where ${ofType} and r.id = w.id and r.shard = w.shard offset 0) r order by ${sorted}`.execute(db)
  return rows
}

/** Rows that are sorted with their texts, in pages: a second look at each row of the page costs more. */
const pagesCarried = 4

/**
 * Of several patients: each has an index in the order of the date, and those are read side by side. So a page costs the rows between its first and its last,
 * and not all that these patients have. What is asked of a row is said once, of what they give. Of more patients than `sideBySideMax` each gives as many rows as the page may want.
 */
async function readMerged({ db, order, position, conditions, columns, limit }: Reading, patients: readonly string[]): Promise<Row[]> {
  const behind = position === null ? sql`` : sql`and ${after(order, position)}`
  const named = [...new Set(patients)]
  const all = sql.join(conditions, sql` and `)
  const found = named.length > sideBySideMax
    ? sql`(select r.* from unnest(${plainArray(named)}::text::uuid[]) w (pid) cross join lateral (select * from resource r where r.pid = w.pid and ${all} ${behind} order by ${orderBy(order)} limit ${limit}) r)`
    : sql.join(named.map((pid) => sql`(select * from resource r where r.pid = ${pid}::uuid ${behind} order by ${orderBy(order)})`), sql` union all `)
  const { rows } = await sql<Row>`${onePlan}select ${columns} from (${found}) r where ${all} order by ${orderBy(order)} limit ${limit}`.execute(db)
  return rows
}

/** Of several types: each has its rows in the order of the date, and those are read side by side. */
async function readTypes({ db, order, position, columns, limit }: Reading, ofTypes: readonly OfType[]): Promise<Row[]> {
  const behind = position === null ? sql`` : sql`and ${after(order, position)}`
  const [all, sorted] = [orderBy(order), orderBy({ ...order, keys: order.keys.slice(0, 1) })]
  // The offset keeps the planner from walking the index where few rows are to be found; those are found by indexes that a statement of one plan does not use.
  const ofEach = ofTypes.map(({ condition, few }) => sql`(select * from (select * from resource r where ${condition} ${behind} ${few ? sql`offset 0` : sql``}) r order by ${sorted} limit ${limit})`)
  const { rows } = await sql<Row>`${ofTypes.some(({ few }) => few) ? sql`` : onePlan}select ${columns} from (${sql.join(ofEach, sql` union all `)}) r order by ${all} limit ${limit}`.execute(db)
  return rows
}

/**
 * A walk along the date index behind a position. Each step is one stretch of the index, so that no row before it is read again: what has the
 * position's date, what lies beyond, and where they come last, rows without a date.
 */
async function readAlong(rest: Reading): Promise<Row[]> {
  const reading: Reading = { ...rest, walked: true }
  const { position, order, conditions } = reading
  const value = position?.values[0] ?? null
  // Rows without a date lie next to each other as it is.
  if (position === null || value === null) return readRows(reading)
  const down = order.keys[0]?.descending === true
  const at = sql`${value}::timestamptz`
  const steps = [
    sql<SqlBool>`r.d0 = ${at} and r.id ${sql.raw(order.idDescending ? '<' : '>')} ${position.id}::uuid`,
    sql<SqlBool>`r.d0 ${sql.raw(down ? '<' : '>')} ${at}`, ...(down ? [] : [sql<SqlBool>`r.d0 is null`]),
  ]
  const rows: Row[] = []
  for (const step of steps) {
    rows.push(...await readRows({ ...reading, position: null, conditions: [...conditions, step], limit: reading.limit - rows.length }))
    if (rows.length >= reading.limit) break
  }
  return rows
}

/** The two parts in the order that is read: rows with a value by the index, rows without one by the rest of the order. */
async function readSide(reading: Reading, side: SideOrder, code: bigint | null): Promise<Row[]> {
  const { order, position, limit } = reading
  const missingFirst = order.keys[0]?.missingFirst === true
  const at = position === null ? null : position.values[0] === null ? 'missing' : 'valued'
  const rows: Row[] = []
  for (const part of missingFirst ? ['missing', 'valued'] as const : ['valued', 'missing'] as const) {
    // A part that lies before the position.
    if (at !== null && at !== part && part === (missingFirst ? 'missing' : 'valued')) continue
    const rest = { ...reading, position: at === part ? position : null, limit: limit - rows.length }
    rows.push(...part === 'valued' ? await readValued(rest, side, code) : await readMissing(rest, side))
    if (rows.length >= limit) break
  }
  return rows
}

/** `code`: that of all rows that are wanted; every value is stored under each of its codes. */
async function readValued(reading: Reading, side: SideOrder, code: bigint | null): Promise<Row[]> {
  if (reading.position === null || reading.order.keys.length > 1) return readValuedPart(reading, side, code, null)
  const equal = await readValuedPart(reading, side, code, 'equal')
  return equal.length >= reading.limit ? equal : [...equal, ...await readValuedPart({ ...reading, limit: reading.limit - equal.length }, side, code, 'beyond')]
}

/** `part`: what is equal to the position's value is read by its key, so that no row before it is read again. */
async function readValuedPart({ db, order, position, conditions, columns, limit }: Reading, side: SideOrder, code: bigint | null, part: 'equal' | 'beyond' | null): Promise<Row[]> {
  const { table, k, value } = side
  const [key, ...others] = order.keys as [SortKey, ...SortKey[]]
  const rest: Order = { keys: others, idDescending: order.idDescending }
  const beyond = key.descending ? side.less : side.greater
  const better = sql.raw(side[side.better])
  const last = sql`${position?.values[0] ?? null}::${sql.raw(key.sqlType)}`
  const behind = position === null ? [] : part === 'beyond' ? [sql<SqlBool>`${value('s')} ${sql.raw(beyond)} ${last}`]
    : part === 'equal' ? [sql<SqlBool>`${value('s')} = ${last} and s.rid ${sql.raw(order.idDescending ? '<' : '>')} ${position.id}::uuid`] : [sql<SqlBool>`(${value('s')} ${sql.raw(beyond.replace(/[<>]/, '$&='))} ${last}
    and (${value('s')} ${sql.raw(beyond)} ${last} or ${after(rest, { ...position, values: position.values.slice(1) })}))`]
  const representing = sql<SqlBool>`not exists (select 1 from ${sql.table(table)} o where o.rid = s.rid and o.shard = s.shard and o.k = s.k ${code === null ? sql`` : sql`and o.c = s.c`}
    and (${value('o')} ${better} ${value('s')} or (${value('o')} = ${value('s')} and o.ctid < s.ctid)) offset 0)`
  const equals = others.length === 0 ? sql`s.rid ${sql.raw(order.idDescending ? 'desc' : 'asc')}` : orderBy(rest)
  // Row by row, for the offset keeps the planner from reading all of both tables and sorting.
  const { rows } = await sql<Row>`${onePlan}select ${columns} from ${sql.table(table)} s cross join lateral (
      select * from resource r where r.id = s.rid and r.shard = s.shard and ${sql.join(conditions, sql` and `)} offset 0) r
    where ${sql.join([sql<SqlBool>`s.k = ${String(k)}::bigint`, ...(code === null ? [] : [sql<SqlBool>`s.c = ${String(code)}::bigint`]), ...behind, representing], sql` and `)}
    order by ${value('s')} using ${sql.raw(key.descending ? side.greater : side.less)}, ${equals} limit ${limit}`.execute(db)
  return rows
}

async function readMissing(reading: Reading, { table, k }: SideOrder): Promise<Row[]> {
  const { order, position, conditions } = reading
  const none = sql<SqlBool>`not exists (select 1 from ${sql.table(table)} s where s.rid = r.id and s.shard = r.shard and s.k = ${String(k)}::bigint offset 0)`
  return readRows({
    ...reading, order: { keys: order.keys.slice(1), idDescending: order.idDescending },
    position: position && { ...position, values: position.values.slice(1) }, conditions: [...conditions, none],
  })
}

/** Where the first page holds every match their number is known; else it is counted when somebody asked. */
export async function totalOf(
  { count, total, page }: Pick<SearchQuery, 'count' | 'total' | 'page'>, found: { matches: readonly unknown[]; next: unknown; previous: unknown }, counted: () => Promise<number>,
): Promise<number | null> {
  if (count > 0 && total === 'none') return null
  if (count > 0 && page === null && found.next === null && found.previous === null) return found.matches.length
  return count === 0 || total !== null ? counted() : null
}
