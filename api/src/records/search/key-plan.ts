/**
 * Which condition the database begins with; all others filter what it leaves. `keys @> {k}` may use the GIN index, `k = any(keys)` never
 * does. Inside one patient, or among rows that are named, everything is a filter. Over the whole city the rarest key goes to the GIN index
 * when few rows have it, and what few rows of a side table fit is looked up there first; when everything asked for is frequent and the
 * result is wanted in an order that an index has, walking that index finds a page sooner than any bitmap. Tokens are correlated, which the
 * planner does not know: it would choose GIN and a sort. Evidence: docs/decisions/0002-storage.md, 0012-search-plans.md.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { monotonicMs } from '../../ctx.ts'
import { type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import { type Criterion, hasAny, hasSideRow, keyArray, listedKeysMax, type Side, type Wanted } from './criterion.ts'

const statisticsMaxAgeMs = 3_600_000
/** Rows of a side table that are looked up at most to begin with them. */
const lookedUpMax = 2_000
/** In a table of any size this many rows are few. */
const fewRows = 200

/** Average frequency of an element that ANALYZE drops from its list, an element of the row: 9 × 7 / (1000 × 1000). */
const droppedFrequency = 6.3e-5

interface Partition { rows: number; frequencies: ReadonlyMap<string, number>; unlisted: number }
interface Statistics { partitions: Map<number | 'default', Partition>; loadedAt: number }

const cache = new WeakMap<object, Promise<Statistics>>()

export interface Planned {
  conditions: RawBuilder<SqlBool>[]
  /** Something that is asked leaves few rows. */
  few: boolean
  /** Rows that hold the rarest of the keys that are asked for; null when no key is. */
  expected: number | null
}

/** Conditions of the criteria by key and by side table. Each group of keys holds alternatives. */
export async function planned(db: Db, type: ResourceType, criteria: readonly Pick<Criterion, 'anyOf' | 'side'>[], wanted: Wanted): Promise<Planned> {
  const groups = criteria.flatMap((each) => (each.anyOf === null ? [] : [each.anyOf]))
  const sides = criteria.flatMap((each) => (each.side === null ? [] : [each.side]))
  const filters = (driving: number | null): RawBuilder<SqlBool>[] => groups.map((keys, index) => (index === driving ? byIndex(keys) : hasAny(keys)))
  const narrow = wanted === 'one of few'
  if (narrow || (groups.length === 0 && sides.length === 0)) return { conditions: [...filters(null), ...sides.map(hasSideRow)], few: narrow, expected: null }
  const partition = await partitionOf(db, type)
  const expected = groups.map((keys) => keys.reduce((sum, key) => sum + expectedRows(partition, key), 0))
  const rarest = expected.indexOf(Math.min(...expected))
  const least = expected[rarest] ?? null
  const fewOfAll = fewIn(partition, wanted)
  if (groups.length > 0 && (least ?? 0) <= fewOfAll) return { conditions: [...filters(rarest), ...sides.map(hasSideRow)], few: true, expected: least }
  for (const [index, side] of sides.entries()) {
    const ids = await lookedUp(db, side)
    if (ids === null) continue
    const others = sides.filter((_, other) => other !== index)
    return { conditions: [sql<SqlBool>`r.id = any(${`{${ids.join(',')}}`}::text::uuid[])`, hasSideRow(side), ...others.map(hasSideRow), ...filters(null)], few: true, expected: ids.length }
  }
  if (wanted !== 'all') return { conditions: [...filters(null), ...sides.map(hasSideRow)], few: false, expected: least }
  const [first, ...others] = sides
  return { conditions: [...filters(rarest), ...(first && groups.length === 0 ? [hasOneOf(first), ...others.map(hasSideRow)] : sides.map(hasSideRow))], few: false, expected: least }
}

/**
 * Beginning with a key costs as many rows as have it. Walking an index until so many are found costs the rows between them: where `e` of
 * `rows` fit, `wanted × rows / e`. Both are equal at the root.
 */
function fewIn(partition: Partition | undefined, wanted: number | 'all'): number {
  if (wanted === 'all') return Number.POSITIVE_INFINITY
  return Math.max(fewRows, Math.sqrt(wanted * (partition?.rows ?? 0)))
}

/** As `hasSideRow`, but free to be a join: of all rows that fit, none is left out. */
function hasOneOf({ table, condition }: Side): RawBuilder<SqlBool> {
  return sql<SqlBool>`r.id in (select s.rid from ${sql.table(table)} s where ${condition})`
}

/** Rows that a side criterion fits; null when they are many. */
async function lookedUp(db: Db, { table, condition }: Side): Promise<string[] | null> {
  const { rows } = await sql<{ rid: string }>`select s.rid from ${sql.table(table)} s where ${condition} limit ${lookedUpMax + 1}`.execute(db)
  return rows.length > lookedUpMax ? null : [...new Set(rows.map((row) => row.rid))]
}

/** Written so that the GIN index can serve it. */
function byIndex(keys: readonly bigint[]): RawBuilder<SqlBool> {
  if (keys.length > listedKeysMax) return sql<SqlBool>`r.keys && ${keyArray(keys)}`
  const list = sql`array[${sql.join(keys.map((key) => sql`${String(key)}::bigint`))}]`
  return keys.length === 1 ? sql<SqlBool>`r.keys @> ${list}` : sql<SqlBool>`r.keys && ${list}`
}

function expectedRows(partition: Partition | undefined, key: bigint): number {
  if (!partition) return 0
  return partition.rows * (partition.frequencies.get(String(key)) ?? partition.unlisted)
}

/** Rows of a type, as the statistics have it; 0 when there are none yet. */
export async function rowsOfType(db: Db, type: ResourceType): Promise<number> {
  return (await partitionOf(db, type))?.rows ?? 0
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
  const { rows } = await sql<{ bound: string; tuples: number; held: number | null; elements: string[] | null; frequencies: number[] | null }>`
    select pg_get_expr(c.relpartbound, c.oid) as bound, c.reltuples as tuples, s.elem_count_histogram[array_upper(s.elem_count_histogram, 1)] as held,
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
      unlisted: Math.min(frequencies[elements.length] ?? 0, (row.held ?? 0) * droppedFrequency) / 2,
    })
  }
  return { partitions, loadedAt: monotonicMs() }
}
