/**
 * Reads one page. Where an index has the order that is asked for and the matches are many, it is walked: the date index by the database's own
 * choice; the index of a side table (names, numbers, other dates), where resources without a value follow in a second statement; and time,
 * which has no btree because that would make every update dearer, in windows that grow until the page is full. Few matches are sorted.
 * A page backwards is read from its end, and turned round.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { typeName } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import { storedOf, type StoredRow } from '../content.ts'
import type { Walk, Wanted } from './criterion.ts'
import type { Planned } from './key-plan.ts'
import { after, type Order, orderBy, orderOf, type Position, readToken, reversed, type SideOrder, sortColumn, type SortKey } from './page.ts'
import type { SearchQuery } from './parse-query.ts'
import type { Match } from './projected.ts'

export interface Page { matches: Match[]; next: Position | null; previous: Position | null }

export const noPage: Page = { matches: [], next: null, previous: null }

type Row = StoredRow & { keys?: bigint[] } & Record<string, unknown>

/** What all ways of reading share. */
interface Reading { db: Db; order: Order; position: Position | null; conditions: readonly RawBuilder<SqlBool>[]; columns: RawBuilder<unknown>; limit: number }

/** Throws parameter-invalid when the page's token is none. */
export async function readPage(walk: Walk, query: SearchQuery, matching: (wanted: Wanted) => Promise<Planned>): Promise<Page> {
  const { sort, count } = query
  const position = query.page === null ? null : readToken(query.page, sort)
  const backwards = position?.backwards === true
  const order = backwards ? reversed(orderOf(sort)) : orderOf(sort)
  const walked = sort[0]?.walk ?? null
  const { conditions, few } = await matching(walked === null ? 'all' : count + 1)
  const columns = sql.join([
    sql`r.t, r.id, r.version, r.last_updated, r.pid, r.content`, ...sort.map((key, index) => sql`${key.expression} as ${sql.raw(sortColumn(index))}`),
    ...(query.includes.length > 0 ? [sql`r.keys`] : []),
  ])
  const reading: Reading = { db: walk.db, order, position, conditions, columns, limit: count + 1 }
  const rows = few || walked === null || walked === 'date' ? await readRows(reading)
    : walked === 'updated' ? await readWindows(reading, walk.ctx.now.getTime()) : await readSide(reading, walked)
  return pageOf(rows, query, position)
}

function pageOf(rows: readonly Row[], { sort, count }: SearchQuery, position: Position | null): Page {
  const backwards = position?.backwards === true
  const more = rows.length > count
  const shown = backwards ? rows.slice(0, count).reverse() : rows.slice(0, count)
  const positionOf = (row: Row | undefined, towards: 'next' | 'previous'): Position | null => (row === undefined ? null
    : { values: sort.map((_, index) => textOrNull(row[sortColumn(index)])), id: row.id, backwards: towards === 'previous' })
  return {
    matches: shown.map((row) => ({ stored: storedOf(typeName(row.t), row), keys: row.keys ?? [] })),
    next: backwards || more ? positionOf(shown.at(-1), 'next') : null,
    previous: (backwards ? more : position !== null) ? positionOf(shown[0], 'previous') : null,
  }
}

function textOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}

async function readRows({ db, order, position, conditions, columns, limit }: Reading): Promise<Row[]> {
  const all = position === null ? conditions : [...conditions, after(order, position)]
  const { rows } = await sql<Row>`select ${columns} from resource r where ${sql.join(all, sql` and `)} order by ${orderBy(order)} limit ${limit}`.execute(db)
  return rows
}

const hour = 3_600_000
/** Wider than any store is old. */
const widestHours = 24 * 366 * 200

/** From the position, or now, one way or the other. From the beginning of time there is no start: everything is sorted. */
async function readWindows(reading: Reading, now: number): Promise<Row[]> {
  const down = reading.order.keys[0]?.descending === true
  const start = reading.position?.values[0] ? Date.parse(reading.position.values[0]) : now
  if (reading.position === null && !down) return readRows(reading)
  const at = (time: number) => sql`${new Date(time).toISOString()}::timestamptz`
  const rows: Row[] = []
  let near: number | null = null
  for (let hours = 1; rows.length < reading.limit && near !== Number.POSITIVE_INFINITY; hours *= 8) {
    const last = hours > widestHours || (!down && start + hours * hour > now)
    const far = down ? start - hours * hour : start + hours * hour
    const window = [
      ...(last ? [] : [down ? sql<SqlBool>`r.last_updated >= ${at(far)}` : sql<SqlBool>`r.last_updated <= ${at(far)}`]),
      ...(near === null ? [] : [down ? sql<SqlBool>`r.last_updated < ${at(near)}` : sql<SqlBool>`r.last_updated > ${at(near)}`]),
    ]
    rows.push(...await readRows({ ...reading, conditions: [...reading.conditions, ...window], limit: reading.limit - rows.length }))
    near = last ? Number.POSITIVE_INFINITY : far
  }
  return rows
}

/** The two parts in the order that is read: rows with a value by the index, rows without one by the rest of the order. */
async function readSide(reading: Reading, side: SideOrder): Promise<Row[]> {
  const { order, position, limit } = reading
  const missingFirst = order.keys[0]?.missingFirst === true
  const at = position === null ? null : position.values[0] === null ? 'missing' : 'valued'
  const rows: Row[] = []
  for (const part of missingFirst ? ['missing', 'valued'] as const : ['valued', 'missing'] as const) {
    // A part that lies before the position.
    if (at !== null && at !== part && part === (missingFirst ? 'missing' : 'valued')) continue
    const rest = { ...reading, position: at === part ? position : null, limit: limit - rows.length }
    rows.push(...part === 'valued' ? await readValued(rest, side) : await readMissing(rest, side))
    if (rows.length >= limit) break
  }
  return rows
}

async function readValued({ db, order, position, conditions, columns, limit }: Reading, side: SideOrder): Promise<Row[]> {
  const { table, k, value } = side
  const [key, ...others] = order.keys as [SortKey, ...SortKey[]]
  const rest: Order = { keys: others, idDescending: order.idDescending }
  const beyond = key.descending ? side.less : side.greater
  const better = sql.raw(side[side.better])
  const literal = sql`${position?.values[0] ?? null}::${sql.raw(key.sqlType)}`
  const behind = position === null ? [] : [sql<SqlBool>`(${value('s')} ${sql.raw(beyond.replace(/[<>]/, '$&='))} ${literal}
    and (${value('s')} ${sql.raw(beyond)} ${literal} or ${after(rest, { ...position, values: position.values.slice(1) })}))`]
  const representing = sql<SqlBool>`not exists (select 1 from ${sql.table(table)} o where o.rid = s.rid and o.shard = s.shard and o.k = s.k
    and (${value('o')} ${better} ${value('s')} or (${value('o')} = ${value('s')} and o.ctid < s.ctid)) offset 0)`
  const equals = others.length === 0 ? sql`s.rid ${sql.raw(order.idDescending ? 'desc' : 'asc')}` : orderBy(rest)
  // Row by row, for the offset keeps the planner from reading all of both tables and sorting.
  const { rows } = await sql<Row>`select ${columns} from ${sql.table(table)} s cross join lateral (
      select * from resource r where r.id = s.rid and r.shard = s.shard and ${sql.join(conditions, sql` and `)} offset 0) r
    where ${sql.join([sql<SqlBool>`s.k = ${String(k)}::bigint`, ...behind, representing], sql` and `)}
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
