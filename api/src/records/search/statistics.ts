/** What ANALYZE knows of each type's rows, kept for an hour: how many they are, how many hold a key, and when they were last changed. */
import { sql } from 'kysely'
import { monotonicMs } from '../../ctx.ts'
import { type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'

const statisticsMaxAgeMs = 3_600_000

/** Average frequency of an element that ANALYZE drops from its list, an element of the row: 9 × 7 / (1000 × 1000). */
const droppedFrequency = 6.3e-5

export interface Partition {
  rows: number
  frequencies: ReadonlyMap<string, number>
  unlisted: number
  /** Instants of `last_updated` with about as many rows between any two, rising; milliseconds. */
  updates: readonly number[]
}

interface Statistics { partitions: Map<number | 'default', Partition>; loadedAt: number }

const cache = new WeakMap<object, Promise<Statistics>>()

/** Rows that hold a key. */
export function expectedRows(partition: Partition | undefined, key: bigint): number {
  if (!partition) return 0
  return partition.rows * (partition.frequencies.get(String(key)) ?? partition.unlisted)
}

/** Rows of a type, as the statistics have it; 0 when there are none yet. */
export async function rowsOfType(db: Db, type: ResourceType): Promise<number> {
  return (await partitionOf(db, type))?.rows ?? 0
}

export async function partitionOf(db: Db, type: ResourceType): Promise<Partition | undefined> {
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

interface StatisticsRow { bound: string; tuples: number; held: number | null; elements: string[] | null; frequencies: number[] | null; updates: number[] | null }

async function loadStatistics(db: Db): Promise<Statistics> {
  const { rows } = await sql<StatisticsRow>`
    select pg_get_expr(c.relpartbound, c.oid) as bound, c.reltuples as tuples, s.elem_count_histogram[array_upper(s.elem_count_histogram, 1)] as held,
      s.most_common_elems::text::text[] as elements, s.most_common_elem_freqs as frequencies,
      (select array_agg(extract(epoch from each)::float8 * 1000 order by each)
        from unnest(coalesce(u.histogram_bounds::text::timestamptz[], '{}') || coalesce(u.most_common_vals::text::timestamptz[], '{}')) each) as updates
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    left join pg_stats s on s.schemaname = c.relnamespace::regnamespace::text and s.tablename = c.relname and s.attname = 'keys'
    left join pg_stats u on u.schemaname = c.relnamespace::regnamespace::text and u.tablename = c.relname and u.attname = 'last_updated'
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
      unlisted: Math.min(frequencies[elements.length] ?? 0, (row.held ?? 0) * droppedFrequency) / 2,
      updates: row.updates ?? [],
    })
  }
  return { partitions, loadedAt: monotonicMs() }
}
