/**
 * Which condition the database begins with; all others filter what it leaves. `keys @> {k}` may use the GIN index, `k = any(keys)` never
 * does. Inside one patient, or among rows that are named, everything is a filter. Over the whole city the rarest key goes to the GIN index
 * when few rows have it, and what few rows of a side table fit is looked up there first; when everything asked for is frequent and the
 * result is wanted in an order that an index has, walking that index finds a page sooner than any bitmap. Where no order was asked for,
 * that is the index of the side table that the search would look in anyway. A code in the order of the date has a stretch of its own (dated-codes.ts). Tokens are correlated, which the
 * planner does not know: it would choose GIN and a sort. Evidence: docs/decisions/0002-storage.md, 0012-search-plans.md.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { ResourceType } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import { type Criterion, hasAny, hasSideRow, keyArray, listedKeysMax, type PageWanted, type Side, type Stretch, type Wanted } from './criterion.ts'
import type { Between, DatedCode } from './dated-codes.ts'
import { expectedRows, type Partition, partitionOf } from './statistics.ts'

/** Rows of a side table that are looked up at most to begin with them. */
const lookedUpMax = 2_000
/** In a table of any size this many rows are few. */
const fewRows = 200

export interface Planned {
  conditions: RawBuilder<SqlBool>[]
  /** Something that is asked leaves few rows. */
  few: boolean
  /** All rows are of one patient, whose index is in the order of the clinical date. */
  ofOne: boolean
  /** Keys of the patients whose rows all are, when they are more than one and few enough to be read side by side; null otherwise. */
  ofSome: readonly string[] | null
  /** Rows that hold the rarest of the keys that are asked for; null when no key is. */
  expected: number | null
  /** What has one of these codes is all that can match, and is read in the order of the clinical date; null when another way is shorter. */
  codes: readonly DatedCode[] | null
  /** What gives the order, where it is free: rows come from there, and `conditions` are all others. Null when it is the clinical date. */
  stretches: Stretches | null
  /** As in since.ts; null where rows are few, or none is asked for. */
  since: string | null
  /** Bounds of the begin of all that matches. */
  between: Between
}

/** What the keys and side tables say; patients and times are said in conditions.ts. */
export type KeyPlan = Omit<Planned, 'since' | 'between' | 'ofOne' | 'ofSome'>

/** Those of the criterion with the number `side`. */
export interface Stretches { side: number; table: Side['table']; stretches: readonly Stretch[] }

/** Conditions of the criteria by key and by side table. Each group of keys holds alternatives. */
export async function planned(db: Db, type: ResourceType, criteria: readonly Pick<Criterion, 'anyOf' | 'side' | 'dated'>[], wanted: Wanted): Promise<KeyPlan> {
  const groups = criteria.flatMap((each) => (each.anyOf === null ? [] : [each.anyOf]))
  const sides = criteria.flatMap(({ side }, number) => (side === null ? [] : [{ ...side, number }]))
  const filters = (driving: number | null): RawBuilder<SqlBool>[] => groups.map((keys, index) => (index === driving ? byIndex(keys) : hasAny(keys)))
  const narrow = wanted === 'one of few'
  if (narrow || (groups.length === 0 && sides.length === 0)) return { conditions: [...filters(null), ...sides.map(hasSideRow)], few: narrow, expected: null, codes: null, stretches: null }
  const partition = await partitionOf(db, type)
  const expected = groups.map((keys) => expectedOf(partition, keys))
  const rarest = expected.indexOf(Math.min(...expected))
  const least = expected[rarest] ?? null
  const fewOfAll = fewIn(partition, wanted)
  const rest = { expected: least, codes: null, stretches: null }
  const along = (side: NumberedSide): KeyPlan => ({
    conditions: [...sides.filter((other) => other !== side).map(hasSideRow), ...filters(null)], few: false, expected: least, codes: null,
    stretches: { side: side.number, table: side.table, stretches: side.stretches ?? [] },
  })
  const walkable = typeof wanted === 'object' && wanted.free ? sides.filter(({ stretches, number }) => stretches !== null && (wanted.side === null || wanted.side === number)) : []
  const [chosen] = walkable
  // A page behind the first keeps to the order of the first.
  if (chosen && typeof wanted === 'object' && wanted.side !== null) return along(chosen)
  const dated = typeof wanted === 'object' && wanted.byDate && !chosen ? criteria.find((each) => each.dated !== undefined && each.anyOf !== null && expectedOf(partition, each.anyOf) === least)?.dated : undefined
  // What half of the rows have is found as soon along the date index.
  const codes = dated && (least ?? 0) <= (partition?.rows ?? 0) / 4 ? dated : null
  if (codes !== null && sides.length === 0) return { ...rest, conditions: filters(null), few: false, codes }
  if (groups.length > 0 && (least ?? 0) <= fewOfAll) return { ...rest, conditions: [...filters(rarest), ...sides.map(hasSideRow)], few: true }
  if (chosen && sides.length === 1) return along(chosen)
  for (const side of sides) {
    const ids = await lookedUp(db, side)
    if (ids === null) continue
    if (walkable.includes(side)) return along(side)
    const others = sides.filter((other) => other !== side)
    return { ...rest, conditions: [sql<SqlBool>`r.id = any(${`{${ids.join(',')}}`}::text::uuid[])`, hasSideRow(side), ...others.map(hasSideRow), ...filters(null)], few: true, expected: ids.length }
  }
  if (chosen) return along(chosen)
  if (wanted !== 'all') return { ...rest, conditions: [...filters(null), ...sides.map(hasSideRow)], few: false, codes }
  const [first, ...others] = sides
  return { ...rest, conditions: [...filters(rarest), ...(first && groups.length === 0 ? [hasOneOf(first), ...others.map(hasSideRow)] : sides.map(hasSideRow))], few: false }
}

/** Rows that hold the rarest of the keys that are asked for; null when no key is. */
export async function rarestKey(db: Db, type: ResourceType, criteria: readonly Pick<Criterion, 'anyOf'>[]): Promise<number | null> {
  const groups = criteria.flatMap(({ anyOf }) => (anyOf === null ? [] : [anyOf]))
  const partition = groups.length === 0 ? undefined : await partitionOf(db, type)
  return groups.length === 0 ? null : Math.min(...groups.map((keys) => expectedOf(partition, keys)))
}

function expectedOf(partition: Partition | undefined, keys: readonly bigint[]): number {
  return keys.reduce((sum, key) => sum + expectedRows(partition, key), 0)
}

type NumberedSide = Side & { number: number }

/**
 * Beginning with a key costs as many rows as have it. Walking an index until so many are found costs the rows between them: where `e` of
 * `rows` fit, `wanted × rows / e`. Both are equal at the root.
 */
function fewIn(partition: Partition | undefined, wanted: PageWanted | number | 'all'): number {
  if (wanted === 'all') return Number.POSITIVE_INFINITY
  return Math.max(fewRows, Math.sqrt((typeof wanted === 'object' ? wanted.rows : wanted) * (partition?.rows ?? 0)))
}

/** As `hasSideRow`, but free to be a join: of all rows that fit, none is left out. */
function hasOneOf(side: Side): RawBuilder<SqlBool> {
  return sql<SqlBool>`r.id in (${fitting(side, null)})`
}

/** Keys of the rows that fit, each part by its index; some more than once. */
function fitting({ table, condition, stretches }: Side, most: number | null): RawBuilder<unknown> {
  const parts = stretches === null ? [condition] : stretches.map((each) => sql<SqlBool>`s.k = ${String(each.k)}::bigint and ${each.condition}`)
  return sql.join(parts.map((part) => sql`(select s.rid from ${sql.table(table)} s where ${part} ${most === null ? sql`` : sql`limit ${most}`})`), sql` union all `)
}

/** Rows that a side criterion fits; null when they are many. */
async function lookedUp(db: Db, side: Side): Promise<string[] | null> {
  const { rows } = await sql<{ rid: string }>`select found.rid from (${fitting(side, lookedUpMax + 1)}) found limit ${lookedUpMax + 1}`.execute(db)
  return rows.length > lookedUpMax ? null : [...new Set(rows.map((row) => row.rid))]
}

/** Written so that the GIN index can serve it. */
function byIndex(keys: readonly bigint[]): RawBuilder<SqlBool> {
  if (keys.length > listedKeysMax) return sql<SqlBool>`r.keys && ${keyArray(keys)}`
  const list = sql`array[${sql.join(keys.map((key) => sql`${String(key)}::bigint`))}]`
  return keys.length === 1 ? sql<SqlBool>`r.keys @> ${list}` : sql<SqlBool>`r.keys && ${list}`
}
