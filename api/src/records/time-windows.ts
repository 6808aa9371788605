/**
 * A walk through time of change (`last_updated`), which has no index with an order: a btree on it would end HOT updates. The BRIN index finds the rows of a time, so time is read in
 * windows, from a start, from now or from before there were stores. Where rows may be is known from the statistics, and no more of a window are read than it may
 * have: one with too many is made narrower, so that a page costs the same in a store of any size and age.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'

export interface TimeWalk {
  /** Newest first. */
  down: boolean
  /** ISO instants between which all that is wanted lies, the first to come and the last, both included; null when that is not known. */
  start: string | null
  end: string | null
  /** As in statistics.ts, of all types that are read. */
  updates: readonly number[]
  /** Milliseconds. */
  now: number
  /** Rows that are wanted. */
  limit: number
}

/** Reads what lies in a window: a page of it at most, unless it holds more than `most` rows: then any of them. `most` null: it is as narrow as can be. */
export type ReadWindow<R> = (window: readonly RawBuilder<SqlBool>[], most: number | null, limit: number) => Promise<{ held: number; page: R[] }>

const hour = 3_600_000
/** Wider than any store is old. */
const widest = hour * 24 * 366 * 200
const wider = 8
/** Rows that the first window may have; each that is read without filling the page doubles it. */
const windowRows = 500
/** What is older, if anything, is in the first window. */
export const beforeStores = Date.UTC(2000)

/** @returns rows in the order of time, as many as are wanted where there are so many. Conditions are on row `r`. */
export async function walkTime<R>({ down, start, end, updates, now, limit }: TimeWalk, read: ReadWindow<R>): Promise<R[]> {
  // Time runs from 0 at the start of the order, whichever way that is.
  const origin = start !== null ? Date.parse(start) : down ? now : beforeStores
  const distanceOf = (instant: number) => (down ? origin - instant : instant - origin)
  const last = end === null ? Number.POSITIVE_INFINITY : distanceOf(Date.parse(end))
  // What lies before the begin of the first window, where that is not known, is in it all the same.
  if (start !== null && last < 0) return []
  const at = (distance: number) => sql`${new Date(down ? origin - distance : origin + distance).toISOString()}::timestamptz`
  const [until, from, beyond] = (down ? ['>=', '<=', '<'] : ['<=', '>=', '>']).map((each) => sql.raw(each))
  const distances = updates.map(distanceOf).sort((a, b) => a - b)
  const toNext = (distance: number): number | null => {
    const next = distances.find((each) => each > distance)
    return next === undefined ? null : Math.ceil(next) - distance
  }
  const rows: R[] = []
  let near = -1
  let width = toNext(near) ?? hour
  let most = windowRows
  // Up to here there are too many.
  let full: number | null = null
  for (;;) {
    const far: number = near + width
    const window = [
      ...(far > widest ? [] : [sql<SqlBool>`r.last_updated ${until} ${at(far)}`]),
      // The start's own instant is in the first window, and from now on what other clocks have as later.
      ...(near >= 0 ? [sql<SqlBool>`r.last_updated ${beyond} ${at(near)}`] : start === null ? [] : [sql<SqlBool>`r.last_updated ${from} ${at(0)}`]),
    ]
    const { held, page } = await read(window, most, limit - rows.length)
    if (held > most && width > 1) {
      full = far
      width = Math.max(1, Math.floor(width / wider))
      continue
    }
    rows.push(...held > most ? (await read(window, null, limit - rows.length)).page : page)
    if (rows.length >= limit || far > widest || far >= last) return rows
    near = far
    if (held > 0) {
      full = null
      most *= 2
    }
    width = full !== null && full > near ? Math.max(1, Math.floor((full - near) / 2)) : held === 0 ? toNext(near) ?? width * wider : width * wider
  }
}
