/**
 * Searches of what was changed since an instant (`_lastUpdated=ge…`), as they are asked over and over to keep a copy up to date. Time of change has no index with an order, so what
 * leaves few rows is looked up in the BRIN index first; otherwise a page would be sought along the clinical date among all rows that were not changed since.
 */
import { sql, type SqlBool } from 'kysely'
import { type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import type { Changed, Criterion, PageWanted } from './criterion.ts'
import { countedMax, fewIn } from './key-plan.ts'
import { partitionOf } from './statistics.ts'

/** Bounds of the change of all that matches; null when nothing is asked of it. */
export function changedOf(criteria: readonly Pick<Criterion, 'changed'>[]): Changed | null {
  const all = criteria.flatMap(({ changed }) => changed ?? [])
  if (all.length === 0) return null
  return { from: all.flatMap(({ from }) => from ?? []).sort().at(-1) ?? null, to: all.flatMap(({ to }) => to ?? []).sort()[0] ?? null }
}

/** The statistics may be older than what is asked for: so much more than few are counted all the same. */
const guessedTimes = 20

/** Keys of the rows that were changed then; null when there are more than `few`. */
export async function changedKeys(db: Db, types: readonly ResourceType[], { from, to }: Changed, few: number): Promise<string[] | null> {
  const [first, last] = [from === null ? Number.NEGATIVE_INFINITY : Date.parse(from), to === null ? Number.POSITIVE_INFINITY : Date.parse(to)]
  for (const type of types) {
    const { rows, updates } = await partitionOf(db, type) ?? { rows: 0, updates: [] }
    const within = updates.filter((each) => each > first && each < last).length
    const part = within === updates.length ? 1 : (within - 1) / updates.length
    if (updates.length > 0 && rows * part > few * guessedTimes) return null
  }
  const bounds = [
    sql<SqlBool>`r.t in (${sql.raw(types.map(typeCode).join(','))})`,
    ...(from === null ? [] : [sql<SqlBool>`r.last_updated >= ${from}::timestamptz`]), ...(to === null ? [] : [sql<SqlBool>`r.last_updated <= ${to}::timestamptz`]),
  ]
  const { rows } = await sql<{ id: string }>`select r.id from resource r where ${sql.join(bounds, sql` and `)} limit ${Math.ceil(few) + 1}`.execute(db)
  return rows.length > few ? null : rows.map(({ id }) => id)
}

/** The same of one type, where so many rows are wanted that all of few cost no more. Null when nothing is asked of the time of change, too. */
export async function changedFirst(db: Db, type: ResourceType, criteria: readonly Pick<Criterion, 'changed'>[], wanted: number | PageWanted): Promise<string[] | null> {
  const changed = changedOf(criteria)
  return changed === null ? null : changedKeys(db, [type], changed, Math.min(countedMax, fewIn(await partitionOf(db, type), wanted)))
}
