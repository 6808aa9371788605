/**
 * The order of `_lastUpdated`, which no index has: a btree on it would end HOT updates. The BRIN index finds the rows of a time, so time is read in
 * windows, from the position, from what the search asks for (`_lastUpdated=ge…`), from now or from before there were stores. Where rows may be is known from the statistics, and no more of a window are read than it may
 * have: one with too many is made narrower, so that a page costs the same in a store of any size and age.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { Changed } from './criterion.ts'
import { after, orderBy } from './page.ts'
import { readRows, type Reading, type Row } from './read-page.ts'

/** Finds the rows among which the page's are; `updates` as in statistics.ts, `changed` bounds all that match. */
export interface Among { ofTypes: RawBuilder<SqlBool>; updates: readonly number[]; changed: Changed | null; now: number }

const hour = 3_600_000
/** Wider than any store is old. */
const widest = hour * 24 * 366 * 200
const wider = 8
/** Rows that the first window may have; each that is read without filling the page doubles it. */
const windowRows = 500

/** What is older, if anything, is in the first window. */
const beforeStores = Date.UTC(2000)

export async function readWindows(reading: Reading, among: Among): Promise<Row[]> {
  const down = reading.order.keys[0]?.descending === true
  const [first, last] = down ? [among.changed?.to ?? null, among.changed?.from ?? null] : [among.changed?.from ?? null, among.changed?.to ?? null]
  // Where the order starts, when that is known. Of two bounds the page's position is the nearer.
  const start = reading.position?.values[0] ?? first
  // Time runs from 0 at the start of the order, whichever way that is.
  const origin = start !== null ? Date.parse(start) : down ? among.now : beforeStores
  const end = last === null ? Number.POSITIVE_INFINITY : Math.abs(Date.parse(last) - origin)
  const isOver = last !== null && (down ? origin < Date.parse(last) : origin > Date.parse(last))
  if (isOver) return []
  const at = (distance: number) => sql`${new Date(down ? origin - distance : origin + distance).toISOString()}::timestamptz`
  const within = down ? sql.raw('>=') : sql.raw('<=')
  const beyond = down ? sql.raw('<') : sql.raw('>')
  const updates = among.updates.map((each) => (down ? origin - each : each - origin)).sort((a, b) => a - b)
  const rows: Row[] = []
  let near = -1
  const toNext = (from: number): number | null => {
    const next = updates.find((each) => each > from)
    return next === undefined ? null : Math.ceil(next) - from
  }
  let width = toNext(near) ?? hour
  let most = windowRows
  // Up to here there are too many.
  let full: number | null = null
  for (;;) {
    const far: number = near + width
    const isLast = far > widest || far >= end
    const window = [
      ...(far > widest ? [] : [sql<SqlBool>`r.last_updated ${within} ${at(far)}`]),
      // The position's own instant is in the first window, and from now on what other clocks have as later.
      ...(near < 0 ? (start === null ? [] : [sql<SqlBool>`r.last_updated ${down ? sql.raw('<=') : sql.raw('>=')} ${at(0)}`]) : [sql<SqlBool>`r.last_updated ${beyond} ${at(near)}`]),
    ]
    const { held, page } = await readWindow({ ...reading, limit: reading.limit - rows.length }, [among.ofTypes, ...window], most)
    if (held > most && width > 1) {
      full = far
      width = Math.max(1, Math.floor(width / wider))
      continue
    }
    rows.push(...held > most ? await readRows({ ...reading, conditions: [...reading.conditions, ...window], limit: reading.limit - rows.length }) : page)
    if (rows.length >= reading.limit || isLast) return rows
    near = far
    if (held > 0) {
      full = null
      most *= 2
    }
    width = full !== null && full > near ? Math.max(1, Math.floor((full - near) / 2)) : held === 0 ? toNext(near) ?? width * wider : width * wider
  }
}

/** `page` is what the window has of the page, unless it holds more than `most` rows: then it is of any of them. */
async function readWindow({ db, order, position, conditions, columns, limit }: Reading, window: readonly RawBuilder<SqlBool>[], most: number): Promise<{ held: number; page: Row[] }> {
  const all = position === null ? conditions : [...conditions, after(order, position)]
  const { rows } = await sql<Row & { held: number }>`with held as materialized (select r.* from resource r where ${sql.join(window, sql` and `)} limit ${most + 1})
    select page.*, (select count(*)::int from held) as held from (select) one left join lateral (
      select ${columns} from held r where ${sql.join(all, sql` and `)} order by ${orderBy(order)} limit ${limit}) page on true`.execute(db)
  return { held: rows[0]?.held ?? 0, page: rows.filter(({ id }) => (id as string | null) !== null) }
}
