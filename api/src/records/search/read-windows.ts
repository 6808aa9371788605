/** A page in the order of `_lastUpdated`, from the position or from what the search asks for (`_lastUpdated=ge…`), in windows of time (time-windows.ts). */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { beforeStores, walkTime } from '../time-windows.ts'
import type { Changed } from './criterion.ts'
import { after, orderBy } from './page.ts'
import { readRows, type Reading, type Row } from './read-page.ts'

/** Finds the rows among which the page's are; `updates` as in statistics.ts, `changed` bounds all that match, `now` in milliseconds. */
export interface Among { ofTypes: RawBuilder<SqlBool>; updates: readonly number[]; changed: Changed | null; now: number }

export async function readWindows(reading: Reading, { ofTypes, updates, changed, now }: Among): Promise<Row[]> {
  const down = reading.order.keys[0]?.descending === true
  const [first, last] = down ? [changed?.to ?? null, changed?.from ?? null] : [changed?.from ?? null, changed?.to ?? null]
  // A bound beyond all that is stored says nothing of where to begin. Of two bounds the page's position is the nearer.
  const isKnown = first !== null && (down ? Date.parse(first) <= now : Date.parse(first) >= beforeStores)
  return walkTime({ down, start: reading.position?.values[0] ?? (isKnown ? first : null), end: last, updates, now, limit: reading.limit }, async (window, most, limit) => {
    if (most === null) return { held: 0, page: await readRows({ ...reading, conditions: [...reading.conditions, ...window], limit }) }
    return readWindow({ ...reading, limit }, [ofTypes, ...window], most)
  })
}

async function readWindow({ db, order, position, conditions, columns, limit }: Reading, window: readonly RawBuilder<SqlBool>[], most: number): Promise<{ held: number; page: Row[] }> {
  const all = position === null ? conditions : [...conditions, after(order, position)]
  const { rows } = await sql<Row & { held: number }>`with held as materialized (select r.* from resource r where ${sql.join(window, sql` and `)} limit ${most + 1})
    select page.*, (select count(*)::int from held) as held from (select) one left join lateral (
      select ${columns} from held r where ${sql.join(all, sql` and `)} order by ${orderBy(order)} limit ${limit}) page on true`.execute(db)
  return { held: rows[0]?.held ?? 0, page: rows.filter(({ id }) => (id as string | null) !== null) }
}
