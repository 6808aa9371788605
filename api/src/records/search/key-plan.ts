/**
 * Which condition the database begins with; all others filter what it leaves. `keys @> {k}` may use the GIN index, `k = any(keys)` never
 * does. Inside one patient, or among rows that are named, everything is a filter. Over the whole city the rarest key goes to the GIN index
 * when few rows have it, and what few rows of a side table fit is looked up there first; when everything asked for is frequent and the
 * result is wanted in an order that an index has, walking that index finds a page sooner than any bitmap. Where no order was asked for,
 * that is the index of the side table that the search would look in anyway. A code in the order of the date has a stretch of its own (by-date.ts). Tokens are correlated, which the
 * planner does not know: it would choose GIN and a sort. Evidence: docs/decisions/0002-storage.md, 0012-search-plans.md.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import { plainArray } from '../../storage/array-literal.ts'
import type { Db } from '../../storage/pool.ts'
import { type Changed, type Criterion, hasAny, hasSideRow, keyArray, listedKeysMax, type PageWanted, type Side, type Stretch, type Wanted } from './criterion.ts'
import type { Between, DatedStretch } from './by-date.ts'
import { expectedRows, type Partition, partitionOf } from './statistics.ts'

/** Rows of a side table that are looked up at most to begin with them. */
const lookedUpMax = 2_000
/** In a table of any size this many rows are few. */
const fewRows = 200

export interface Planned {
  conditions: RawBuilder<SqlBool>[]
  /** Something that is asked leaves few rows. */
  few: boolean
  /** Bounds of the change of all that matches; null when nothing is asked of it. */
  changed: Changed | null
  /** Of a search over several types that leaves many rows: what is asked of each. Null otherwise. */
  ofTypes?: readonly OfType[] | null
  /** All rows are of one patient, whose index is in the order of the clinical date. */
  ofOne: boolean
  /** Keys of the patients whose rows all are, when they are more than one and few enough to be read side by side; null otherwise. `chained`: as in criterion.ts. */
  ofSome: { keys: readonly string[]; chained: boolean } | null
  /** Rows with the keys of the patients that can match, of which `conditions` says nothing; null when these say all. */
  found: RawBuilder<unknown> | null
  /** Rows that hold the rarest of the keys that are asked for; null when no key is. */
  expected: number | null
  /** What is under one of these is all that can match, and is read in the order of the clinical date; null when another way is shorter. */
  dated: readonly DatedStretch[] | null
  /** Of `dated`: as in criterion.ts. */
  datedByChain: boolean
  /** What gives the order, where it is free: rows come from there, and `conditions` are all others. Null when it is the clinical date. */
  stretches: Stretches | null
  /** As in since.ts; null where rows are few, or none is asked for. */
  since: string | null
  /** Bounds of the begin of all that matches. */
  between: Between
}

/** What rows of one type must fulfil, and whether those are few. */
export interface OfType { condition: RawBuilder<SqlBool>; few: boolean }

/** What the keys and side tables say; patients and times are said in conditions.ts. */
export type KeyPlan = Omit<Planned, 'since' | 'between' | 'ofOne' | 'ofSome' | 'found' | 'changed'>

/** Those of the criterion with the number `side`. */
export interface Stretches { side: number; table: Side['table']; stretches: readonly Stretch[] }

/** Conditions of the criteria by key and by side table. Each group of keys holds alternatives. */
export async function planned(db: Db, type: ResourceType, criteria: readonly Pick<Criterion, 'anyOf' | 'allOf' | 'perKey' | 'side' | 'dated' | 'chained'>[], wanted: Wanted): Promise<KeyPlan> {
  const groups = criteria.flatMap(groupOf)
  const sides = criteria.flatMap(({ side }, number) => (side === null ? [] : [{ ...side, number }]))
  const filters = (driving: number | null): RawBuilder<SqlBool>[] => groups.flatMap((group, index) => (index === driving ? byIndex(type, group) : [hasAny(group.anyOf), ...group.allOf.map((key) => hasAny([key]))]))
  const narrow = wanted === 'one of few'
  if (narrow || (groups.length === 0 && sides.length === 0)) return { conditions: [...filters(null), ...sides.map(hasSideRow)], few: narrow, expected: null, dated: null, datedByChain: false, stretches: null }
  const partition = await partitionOf(db, type)
  const expected = groups.map((group) => expectedOf(partition, group))
  const rarest = expected.indexOf(Math.min(...expected))
  const least = expected[rarest] ?? null
  const fewOfAll = fewIn(partition, wanted)
  const rest = { expected: least, dated: null, datedByChain: false, stretches: null }
  const along = (side: NumberedSide): KeyPlan => ({
    conditions: [...sides.filter((other) => other !== side).map(hasSideRow), ...filters(null)], few: false, expected: least, dated: null, datedByChain: false,
    stretches: { side: side.number, table: side.table, stretches: side.stretches ?? [] },
  })
  const walkable = typeof wanted === 'object' && wanted.free && !wanted.grouped ? sides.filter(({ stretches, number }) => stretches !== null && (wanted.side === null || wanted.side === number)) : []
  const [chosen] = walkable
  // A page behind the first keeps to the order of the first.
  if (chosen && typeof wanted === 'object' && wanted.side !== null) return along(chosen)
  const referring = typeof wanted === 'object' && wanted.referred ? criteria.find((each) => each.dated !== undefined && each.chained === true)?.dated : undefined
  if (referring) return { ...rest, conditions: [...filters(null), ...sides.map(hasSideRow)], few: false, dated: referring, datedByChain: true }
  const storing = typeof wanted === 'object' && wanted.byDate && !chosen ? criteria.find((each) => each.dated !== undefined && each.anyOf !== null && groupOf(each).some((group) => expectedOf(partition, group) === least)) : undefined
  const stored = storing?.dated
  const dated = stored && typeof wanted === 'object' && isShort(partition, stored, least ?? 0, wanted.rows) ? stored : null
  if (dated !== null && sides.length === 0) return { ...rest, conditions: filters(null), few: false, dated, datedByChain: storing?.chained === true }
  // What is only guessed to be few is counted.
  const isGuess = wanted !== 'all' && (typeof wanted === 'object' ? wanted.rows : wanted) <= lookedUpMax && groups[rarest]?.perKey !== null && (groups[rarest]?.anyOf.length ?? 0) > listedKeysMax
  if (groups.length > 0 && (least ?? 0) <= fewOfAll && !isGuess) return { ...rest, conditions: [...filters(rarest), ...sides.map(hasSideRow)], few: true }
  const linked = wanted === 'all' ? -1 : groups.findIndex(({ perKey }, index) => perKey !== null && (expected[index] ?? 0) <= fewOfAll * guessedTimes)
  const held = linked < 0 ? null : await holding(db, type, (groups[linked] as Group).anyOf, groups.filter((_, index) => index !== linked), Math.ceil(Math.min(fewOfAll, countedMax)))
  if (held !== null) return { ...rest, conditions: [byIds(held), ...filters(null), ...sides.map(hasSideRow)], few: true, expected: held.length }
  if (chosen && sides.length === 1) return along(chosen)
  for (const side of sides) {
    const ids = await lookedUp(db, side)
    if (ids === null) continue
    if (walkable.includes(side)) return along(side)
    const others = sides.filter((other) => other !== side)
    return { ...rest, conditions: [byIds(ids), hasSideRow(side), ...others.map(hasSideRow), ...filters(null)], few: true, expected: ids.length }
  }
  if (chosen) return along(chosen)
  if (wanted !== 'all') return { ...rest, conditions: [...filters(null), ...sides.map(hasSideRow)], few: false, dated, datedByChain: storing?.chained === true }
  const [first, ...others] = sides
  return { ...rest, conditions: [...filters(rarest), ...(first && groups.length === 0 ? [hasOneOf(first), ...others.map(hasSideRow)] : sides.map(hasSideRow))], few: false }
}

/** Rows that hold the rarest of the keys that are asked for; null when no key is. */
export async function rarestKey(db: Db, type: ResourceType, criteria: readonly Pick<Criterion, 'anyOf' | 'allOf' | 'perKey'>[]): Promise<number | null> {
  const groups = criteria.flatMap(groupOf)
  const partition = groups.length === 0 ? undefined : await partitionOf(db, type)
  return groups.length === 0 ? null : Math.min(...groups.map((group) => expectedOf(partition, group)))
}

/** One of some keys, and each of others besides. `perKey` as in criterion.ts, null when it does not say. */
interface Group { anyOf: readonly bigint[]; allOf: readonly bigint[]; perKey: number | null }

function groupOf({ anyOf, allOf = [], perKey }: Pick<Criterion, 'anyOf' | 'allOf' | 'perKey'>): Group[] {
  return anyOf === null ? [] : [{ anyOf, allOf, perKey: perKey ?? null }]
}

function expectedOf(partition: Partition | undefined, { anyOf, allOf, perKey }: Group): number {
  const rowsOf = (key: bigint) => (perKey === null || partition?.frequencies.has(String(key)) ? expectedRows(partition, key) : Math.min(perKey, expectedRows(partition, key)))
  return Math.min(anyOf.reduce((sum, key) => sum + rowsOf(key), 0), ...allOf.map((key) => expectedRows(partition, key)))
}

/** Whether `wanted` of the `expected` rows that fit are found sooner in these stretches than in the index of keys and the date index. */
function isShort(partition: Partition | undefined, stretches: readonly DatedStretch[], expected: number, wanted: number): boolean {
  const held = stretches.reduce((sum, { of }) => sum + (of === undefined ? 0 : expectedRows(partition, of)), 0)
  // What half of the rows have is found as soon along the date index.
  return Math.max(held, expected) <= (partition?.rows ?? 0) / 4 && wanted * held / Math.max(1, expected) <= Math.max(fewRows, expected)
}

type NumberedSide = Side & { number: number }

/**
 * Rows that are few: what all of them cost is no more than finding a page among the others.
 * Beginning with a key costs as many rows as have it. Walking an index until so many are found costs the rows between them: where `e` of
 * `rows` fit, `wanted × rows / e`. Both are equal at the root.
 */
export function fewIn(partition: Partition | undefined, wanted: PageWanted | number | 'all'): number {
  if (wanted === 'all') return Number.POSITIVE_INFINITY
  return Math.max(fewRows, Math.sqrt((typeof wanted === 'object' ? wanted.rows : wanted) * (partition?.rows ?? 0)))
}

/** As `hasSideRow`, but free to be a join: of all rows that fit, none is left out. */
function hasOneOf(side: Side): RawBuilder<SqlBool> {
  return sql<SqlBool>`r.id in (select s.rid from (${fitting(side, null)}) s)`
}

/** Keys and shards of the rows that fit, each part by its index; some more than once. */
export function fitting({ table, condition, stretches }: Side, most: number | null): RawBuilder<unknown> {
  const parts = stretches === null ? [condition] : stretches.map((each) => sql<SqlBool>`s.k = ${String(each.k)}::bigint and ${each.condition}`)
  return sql.join(parts.map((part) => sql`(select s.rid, s.shard from ${sql.table(table)} s where ${part} ${most === null ? sql`` : sql`limit ${most}`})`), sql` union all `)
}

/** How far off an average may be that rows are guessed by: what a visit has differs with its kind. */
const guessedTimes = 20

/** Rows that are counted at most, and named then. */
export const countedMax = 10_000
/** Rows that are looked at for that, at most, where something else is asked besides. */
const lookedAtMax = 20_000

/** Keys of the rows that hold one of many keys and what else is asked for; null when there are more than `most`. */
async function holding(db: Db, type: ResourceType, keys: readonly bigint[], others: readonly Group[], most: number): Promise<string[] | null> {
  const asked = others.flatMap(({ anyOf, allOf }) => [hasAny(anyOf), ...allOf.map((key) => hasAny([key]))])
  const seen = asked.length === 0 ? most : Math.max(most, lookedAtMax)
  const { rows: [found] } = await sql<{ seen: number; ids: string | null }>`with held as materialized (select r.id, r.keys from ${holders(type, keys, [])} limit ${seen + 1})
    select (select count(*)::int from held) as seen, (select string_agg(r.id::text, ',') from (select r.id from held r ${asked.length === 0 ? sql`` : sql`where ${sql.join(asked, sql` and `)}`} limit ${most + 1}) r) as ids`.execute(db)
  // A row that holds two of the keys is there twice.
  const ids = (found?.ids ?? '').split(',').filter((id) => id !== '')
  return (found?.seen ?? 0) > seen || ids.length > most ? null : [...new Set(ids)]
}

export function byIds(ids: readonly string[]): RawBuilder<SqlBool> {
  return sql<SqlBool>`r.id = any(${plainArray(ids)}::text::uuid[])`
}

/** Rows that a side criterion fits; null when they are many. */
async function lookedUp(db: Db, side: Side): Promise<string[] | null> {
  const { rows } = await sql<{ rid: string }>`select found.rid from (${fitting(side, lookedUpMax + 1)}) found limit ${lookedUpMax + 1}`.execute(db)
  return rows.length > lookedUpMax ? null : [...new Set(rows.map((row) => row.rid))]
}

/**
 * Written so that the GIN index can serve it: what all must hold is intersected there, and only rows that hold it are read. Of many keys each is looked up by itself, for together the
 * planner would rather compare them with every row.
 */
function byIndex(type: ResourceType, { anyOf, allOf }: Group): RawBuilder<SqlBool>[] {
  const holdsAll = (keys: readonly bigint[]) => sql<SqlBool>`r.keys @> array[${sql.join(keys.map((key) => sql`${String(key)}::bigint`))}]`
  if (anyOf.length > listedKeysMax) return [sql<SqlBool>`r.id = any(array(select r.id from ${holders(type, anyOf, allOf.map((key) => hasAny([key])))}))`]
  return anyOf.length === 1 ? [holdsAll([...anyOf, ...allOf])] : [sql<SqlBool>`r.keys && array[${sql.join(anyOf.map((key) => sql`${String(key)}::bigint`))}]`, ...(allOf.length === 0 ? [] : [holdsAll(allOf)])]
}

/** Rows `r` that hold one of the keys, some more than once; only `id` and `keys` of them are there. */
function holders(type: ResourceType, keys: readonly bigint[], others: readonly RawBuilder<SqlBool>[]): RawBuilder<unknown> {
  const asked = [sql<SqlBool>`r.t = ${sql.raw(String(typeCode(type)))}`, sql<SqlBool>`r.keys @> array[w.k]`, ...others]
  return sql`unnest(${keyArray(keys)}) w (k) cross join lateral (select r.id, r.keys from resource r where ${sql.join(asked, sql` and `)} offset 0) r`
}
