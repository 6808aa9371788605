/**
 * How keys are asked for, so that the planner takes the right index. `keys @> {k}` may use the GIN index, `k = any(keys)` never
 * does. Inside one patient the (pid, t, d0) index gives the few rows and every key is a filter. Over the whole city the rarest
 * key goes to the GIN index when few rows have it; when all keys are frequent and the result is wanted in date order, walking the date
 * index finds a page sooner than any bitmap. Tokens are correlated, which the planner does not know: it would choose GIN and a sort.
 * Evidence: docs/decisions/0002-storage.md.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { monotonicMs } from '../../ctx.ts'
import { type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import { hasAny, keyArray, listedKeysMax } from './criterion.ts'

/** Above this many expected rows a key counts as frequent. */
const rareRowsMax = 2_000
const statisticsMaxAgeMs = 3_600_000

interface Partition { rows: number; frequencies: ReadonlyMap<string, number>; least: number }
interface Statistics { partitions: Map<number | 'default', Partition>; loadedAt: number }

const cache = new WeakMap<object, Promise<Statistics>>()

/** Conditions of the criteria by key. Each group holds alternatives. */
export async function keyConditions(
  db: Db, type: ResourceType, groups: readonly (readonly bigint[])[], shape: { ofPatient: boolean; byDate: boolean },
): Promise<RawBuilder<SqlBool>[]> {
  if (groups.length === 0 || shape.ofPatient) return groups.map(hasAny)
  const partition = await partitionOf(db, type)
  const expected = groups.map((keys) => keys.reduce((sum, key) => sum + expectedRows(partition, key), 0))
  const rarest = expected.indexOf(Math.min(...expected))
  const walk = shape.byDate && (expected[rarest] ?? 0) > rareRowsMax
  return groups.map((keys, index) => (index === rarest && !walk ? byIndex(keys) : hasAny(keys)))
}

/** Written so that the GIN index can serve it. */
function byIndex(keys: readonly bigint[]): RawBuilder<SqlBool> {
  if (keys.length > listedKeysMax) return sql<SqlBool>`r.keys && ${keyArray(keys)}`
  const list = sql`array[${sql.join(keys.map((key) => sql`${String(key)}::bigint`))}]`
  return keys.length === 1 ? sql<SqlBool>`r.keys @> ${list}` : sql<SqlBool>`r.keys && ${list}`
}

function expectedRows(partition: Partition | undefined, key: bigint): number {
  if (!partition) return 0
  return partition.rows * (partition.frequencies.get(String(key)) ?? partition.least / 2)
}

async function partitionOf(db: Db, type: ResourceType): Promise<Partition | undefined> {
  // A transaction is another object than its pool; both see the same statistics, and a search inside one is rare.
  const known = cache.get(db)
  let statistics = known ? await known.catch(() => null) : null
  if (!statistics || monotonicMs() - statistics.loadedAt > statisticsMaxAgeMs) {
    const loading = loadStatistics(db)
    cache.set(db, loading)
    statistics = await loading
  }
  return statistics.partitions.get(typeCode(type)) ?? statistics.partitions.get('default')
}

async function loadStatistics(db: Db): Promise<Statistics> {
  const { rows } = await sql<{ bound: string; tuples: number; elements: string[] | null; frequencies: number[] | null }>`
    select pg_get_expr(c.relpartbound, c.oid) as bound, c.reltuples as tuples,
      s.most_common_elems::text::text[] as elements, s.most_common_elem_freqs as frequencies
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    left join pg_stats s on s.schemaname = c.relnamespace::regnamespace::text and s.tablename = c.relname and s.attname = 'keys'
    where i.inhparent = 'resource'::regclass`.execute(db)
  const partitions = new Map<number | 'default', Partition>()
  for (const row of rows) {
    const elements = row.elements ?? []
    // Behind the frequencies of the elements stand the least, the greatest and that of null.
    const frequencies = row.frequencies ?? []
    const code = /\('?(\d+)'?\)/.exec(row.bound)?.[1]
    partitions.set(code === undefined ? 'default' : Number(code), {
      rows: Math.max(0, row.tuples),
      frequencies: new Map(elements.map((element, index) => [element, frequencies[index] ?? 0])),
      least: frequencies[elements.length] ?? 0,
    })
  }
  return { partitions, loadedAt: monotonicMs() }
}
