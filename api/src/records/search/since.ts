/**
 * Searches from an instant on (`date=ge…`): what matches begins there, or began before and lasts beyond. The date index is walked to a day before
 * the instant and not further back, however few match; what lasts longer than a day and began earlier still is found by the instant it spans (index
 * resource_long_periods, migration 0113). By begin the two parts lie one behind the other, so pages go over from one to the other.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { instantText, openStart } from '../../fhir/date-time.ts'
import type { Db } from '../../storage/pool.ts'
import type { Criterion } from './criterion.ts'
import type { Between } from './by-date.ts'

const dayMs = 24 * 3_600_000
/** Long periods over one instant that are sorted; more lie so close in the date index that a walk finds them. */
const sortedMax = 2000

/** The instant, ISO, where what matches may have begun before it; null where the criteria bound the begin themselves, or not at all. */
export function sinceOf(criteria: readonly Pick<Criterion, 'window'>[]): string | null {
  const latest = (reaches: boolean) => criteria.flatMap(({ window }) => (window?.from && window.reaches === reaches ? [window.from] : [])).sort().at(-1) ?? null
  const [since, bound] = [latest(true), latest(false)]
  return since !== null && (bound === null || since > bound) ? since : null
}

/** Bounds of the begin of all that matches. */
export function betweenOf(criteria: readonly Pick<Criterion, 'window'>[]): Between {
  const ends = (end: 'from' | 'to') => criteria.flatMap(({ window }) => (window?.[end] && (end === 'to' || !window.reaches) ? [window[end]] : [])).sort()
  return { from: ends('from').at(-1) ?? null, to: ends('to')[0] ?? null }
}

/** Where the part of the long periods begins, going back; before the first instant there is none. */
export function edgeOf(since: string): string {
  return instantText(Math.max(openStart, Date.parse(since) - dayMs))
}

export function near(since: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`r.d0 >= ${edgeOf(since)}::timestamptz`
}

/** `walked`: the order is left to the date index, and the rows are filtered. */
export function far(since: string, walked: boolean): RawBuilder<SqlBool> {
  const spans = sql<SqlBool>`(r.d1 - r.d0) > interval '24 hours' and tstzrange(r.d0, r.d1, '[]') @> ${since}::timestamptz`
  return walked ? sql<SqlBool>`r.d0 < ${edgeOf(since)}::timestamptz and r.d1 >= ${since}::timestamptz` : sql<SqlBool>`r.d0 < ${edgeOf(since)}::timestamptz and ${spans}`
}

/** Both, for whoever reads them in no order. */
export function nearOrFar(since: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`(${near(since)} or (${far(since, false)}))`
}

/** Whether few long periods span the instant, among all of the type: `ofType` is the condition. */
export async function isFewFar(db: Db, ofType: RawBuilder<SqlBool>, since: string): Promise<boolean> {
  const { rows } = await sql<{ total: number }>`select count(*)::int as total from (select 1 from resource r where ${ofType} and ${far(since, false)} limit ${sortedMax + 1}) few`.execute(db)
  return (rows[0]?.total ?? 0) <= sortedMax
}
