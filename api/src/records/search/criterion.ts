/**
 * What a search parameter becomes: a condition on row `r` of `resource`. Conditions by key are kept apart from the others
 * until the plan is known, because the same key is asked for in two ways (see key-plan.ts).
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { Ctx } from '../../ctx.ts'
import type { FhirModel } from '../../fhir/model.ts'
import { type Issue, issue } from '../../fhir/outcome.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import type { Db } from '../../storage/pool.ts'
import type { Store } from '../store.ts'
import type { DatedStretch } from './by-date.ts'
import type { Planned } from './key-plan.ts'

export interface Criterion {
  /** Rows must hold one of these keys; null when the criterion is not by key. */
  anyOf: readonly bigint[] | null
  /** Every match holds each of these besides. */
  allOf?: readonly bigint[]
  /** A row of a side table must be the resource's and fit; null when the criterion is not of that kind. */
  side: Side | null
  /** Any other condition; null when there is none. */
  where: RawBuilder<SqlBool> | null
  /** Keys of the patients whose compartments hold all rows that can match; null when the criterion does not say. */
  patients: readonly string[] | null
  /** The same of patients who are too many to name in every plan: nothing else says it, so whoever does not begin with them must ask for it. */
  among?: readonly string[]
  /** Rows that hold one of `anyOf`, on average, where that is known better than by the statistics of keys. */
  perKey?: number
  /** What it refers to was found by a chain, so that without an order of the search rows may come by one patient, or doctor, after the other. */
  chained?: true
  /** Rows with the keys of the patients that `where` asks for as `pid`, some more than once: without an order of the search they may come in that of their keys. Only of Patient. */
  found?: RawBuilder<unknown>
  /** Bounds of d0..d1 that every match touches, ISO; null on a side that is open. Only of the clinical date. `reaches`: it may begin before `from`. */
  window: { from: string | null; to: string | null; reaches: boolean } | null
  /** Bounds of `last_updated` of every match, ISO; null on a side that is open. */
  changed?: Changed
  /** What can be said only after other rows were read (chains, `_list`); null when all is said. It comes on top of the rest. */
  later: ((walk: Walk) => Promise<Criterion>) | null
  /** `where` reads the text of each row: the other criteria must leave few. */
  costly?: true
  /** `where` leaves few rows and is served by an index: whatever else is asked filters those. */
  narrow?: true
  /** The same rows, or more of them, in the order of the clinical date (by-date.ts). */
  dated?: readonly DatedStretch[]
  /** Codes one of which every match has, whatever their systems, as values are stored with them (coded-values.ts). */
  codes?: readonly bigint[]
}

export interface Changed { from: string | null; to: string | null }

/** Rows `s` of idx_string or idx_value that fit; the condition names the keys. */
export interface Side {
  table: 'idx_string' | 'idx_value'
  condition: RawBuilder<SqlBool>
  /** The same rows as stretches of the table's indexes, so that they can be read in an order; null when they are none. */
  stretches: readonly Stretch[] | null
  /** Column `c` of the rows is the code that the value belongs to (coded-values.ts). */
  coded: boolean
}

/** Rows `s` under one key, bounded and ordered by one column: one after another in an index. */
export interface Stretch { k: bigint; column: 'val' | 'lo' | 'hi'; condition: RawBuilder<SqlBool> }

/** What one value asks of rows `s` under some keys; the bounds as stretches of each key, null when they are none. */
export interface Fit { keys: readonly bigint[]; condition: RawBuilder<SqlBool>; bounds: readonly Bound[] | null }
export type Bound = Omit<Stretch, 'k'>

/** What a criterion that reads other rows gets; every row it reads must pass `visible`. */
export interface Walk {
  db: Db
  ctx: Ctx
  store: Store
  /** Conditions that rows of a type must fulfil to match, `visible` among them. */
  planOf(type: ResourceType, criteria: readonly Criterion[], wanted: Wanted): Promise<Planned>
}

/** All rows that match; so many of them, in an order that an index has; a page of them; or whether one of few rows does. */
export type Wanted = 'all' | 'one of few' | number | PageWanted

export interface PageWanted {
  rows: number
  /** The order is left to the server. */
  free: boolean
  /** The clinical date gives the order, or would. */
  byDate: boolean
  /** The criterion whose stretches give the order, by its number, on the pages behind the first. */
  side: number | null
  /** The pages before went by what rows refer to (`Criterion.chained`), or by patients. */
  referred: boolean
  grouped: boolean
}

/** What a parameter file gets to work with. */
export interface Asked {
  model: FhirModel
  type: ResourceType
  param: SearchParam
  modifier: string | null
  /** The alternatives between commas, still escaped; at least one, none empty. */
  values: readonly string[]
  /** Parameter with modifier as the client wrote it, for issues. */
  name: string
  /** Address of our own /fhir, so that absolute references to it are read as local ones. */
  base: string
  now: Date
}

/** One file a parameter type exports one of these. Throws what `invalidValue` makes. */
export type ParameterSearch = (asked: Asked) => Criterion

const open: Criterion = { anyOf: null, side: null, where: null, patients: null, window: null, later: null }

/** Nothing is asked but this. */
export function isOnly(criterion: Criterion, part: 'anyOf' | 'side' | 'where'): boolean {
  const { anyOf, side, where, window, later } = criterion
  return Object.entries({ anyOf, side, where, window, later }).every(([name, value]) => (value === null) === (name !== part))
}

export function byKeys(anyOf: readonly bigint[]): Criterion {
  return { ...open, anyOf }
}

export function byCondition(where: RawBuilder<SqlBool>): Criterion {
  return { ...open, where }
}

export function byReading(later: (walk: Walk) => Promise<Criterion>): Criterion {
  return { ...open, later }
}

/** Rows by their keys, few enough to name each. */
export function byRowKeys(ids: Iterable<string>): Criterion {
  const list = [...new Set(ids)]
  return list.length === 0 ? nothing : { ...byCondition(sql<SqlBool>`r.id = any(${`{${list.join(',')}}`}::text::uuid[])`), narrow: true }
}

/** No row fits. */
export const nothing: Criterion = { ...byCondition(sql<SqlBool>`false`), narrow: true }

/** `not (…)`, which the key plan never turns into an index condition. */
export function withoutKeys(keys: readonly bigint[]): Criterion {
  return byCondition(sql<SqlBool>`not ${hasAny(keys)}`)
}

/** Beyond this many, keys travel as one array. */
export const listedKeysMax = 24

export function keyArray(keys: readonly bigint[]): RawBuilder<bigint[]> {
  return sql<bigint[]>`${`{${keys.join(',')}}`}::text::bigint[]`
}

/** The row holds one of the keys, written so that no GIN index is used. */
export function hasAny(keys: readonly bigint[]): RawBuilder<SqlBool> {
  // Asked whether it is true, so that the planner makes no join of it but a table of hashes, once for all rows.
  if (keys.length > listedKeysMax) return sql<SqlBool>`exists (select 1 from unnest(r.keys) held (k) where (held.k in (select unnest(${keyArray(keys)}))) is true)`
  return sql<SqlBool>`(${sql.join(keys.map((key) => sql`${String(key)}::bigint = any(r.keys)`), sql` or `)})`
}

/** More would be read one after the other for nothing. */
const stretchesMax = 24

export function bySide(table: Side['table'], fits: readonly Fit[], coded = false): Criterion {
  return { ...open, side: sideOf(table, fits, coded) }
}

export function sideOf(table: Side['table'], fits: readonly Fit[], coded = false): Side {
  const stretches = fits.flatMap(({ keys, bounds }) => keys.flatMap((k) => (bounds ?? []).map((bound) => ({ k, ...bound }))))
  return {
    table, coded, condition: oneOf(fits.map(underKeys)),
    stretches: fits.some(({ bounds }) => bounds === null) || stretches.length > stretchesMax ? null : stretches,
  }
}

/** A condition on row `s` of a side table under one of the keys. */
function underKeys({ keys, condition }: Fit): RawBuilder<SqlBool> {
  return sql<SqlBool>`(s.k in (${sql.join(keys.map((key) => sql`${String(key)}::bigint`))}) and ${condition})`
}

/**
 * Asked row by row: the offset keeps the planner from making a join of it, which would read every fitting row of the whole city for one
 * page. What fits few rows is looked up first (key-plan.ts).
 */
export function hasSideRow({ table, condition }: Pick<Side, 'table' | 'condition'>): RawBuilder<SqlBool> {
  return sql<SqlBool>`exists (select 1 from ${sql.table(table)} s where s.rid = r.id and s.shard = r.shard and ${condition} offset 0)`
}

/** Alternatives: a value fits when one of the conditions does. */
export function oneOf(conditions: readonly RawBuilder<SqlBool>[]): RawBuilder<SqlBool> {
  return conditions.length === 1 ? (conditions[0] as RawBuilder<SqlBool>) : sql<SqlBool>`(${sql.join(conditions, sql` or `)})`
}

/** Every one must hold; at least one is given. */
export function allOf(conditions: readonly RawBuilder<SqlBool>[]): RawBuilder<SqlBool> {
  return conditions.length === 1 ? (conditions[0] as RawBuilder<SqlBool>) : sql<SqlBool>`(${sql.join(conditions, sql` and `)})`
}

/** A text inside a pattern of `like`, as itself. */
export function likeText(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

export function invalidValue(asked: Pick<Asked, 'name'>, value: string, expected: { zh: string; en: string }): Issue {
  const shown = value.slice(0, 80)
  return issue('parameter-invalid', {
    zh: `参数 ${asked.name} 的值“${shown}”不正确：${expected.zh}`, en: `The value "${shown}" of parameter ${asked.name} is not valid: ${expected.en}`,
  }, asked.name)
}

/** Splits at a character that is not escaped by a backslash. */
export function splitUnescaped(text: string, separator: ',' | '|' | '$'): string[] {
  const parts: string[] = []
  let start = 0
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '\\') index++
    else if (text[index] === separator) {
      parts.push(text.slice(start, index))
      start = index + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}

/** `\,` `\|` `\$` `\\` → the character itself. */
export function unescapeValue(text: string): string {
  return text.includes('\\') ? text.replace(/\\([,|$\\])/g, '$1') : text
}
