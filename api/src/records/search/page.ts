/**
 * Order of results and the pages cut from it. A page ends at a position (the sort values of its last row and its key), not at
 * a number of rows, so that page 100 costs what page 1 does and a write in between neither repeats nor hides a row.
 * Without `_sort` the clinical date comes newest first, or whatever order is read soonest (key-plan.ts): the token says which, so that all
 * pages of a search keep to one; equal values are in the order of their keys.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { fail, type OutcomeError } from '../../fhir/outcome.ts'

/** One sort key. */
export interface SortKey {
  /** As in `_sort`, without the minus. */
  code: string
  descending: boolean
  expression: RawBuilder<unknown>
  /** SQL type of the expression, for the page token's texts. */
  sqlType: 'timestamptz' | 'text' | 'float8' | 'int2' | 'uuid'
  /** Rows without a value stand before all others: as the date index has them when it is read from its beginning. */
  missingFirst: boolean
  /** Which way rows of equal value lie in the index that has this order, when it is the only key. */
  idDescending: boolean
  /** What has rows in this order, so that a page can be read without reading all matches; null when nothing has. */
  walk: 'date' | 'updated' | SideOrder | TextOrder | null
}

/** Rows have the order of texts in search_text under these `k`. `once`: a row has one of them at most. */
export interface TextOrder { k: readonly bigint[]; once: boolean }

/**
 * The index of a side table. Rows under one key lie in the order of `value`, an expression on row `s`. Of the rows of one resource that counts of
 * which no other row `o` has a better value.
 */
export interface SideOrder {
  table: 'idx_string' | 'idx_value'
  k: bigint
  /** Its rows carry codes: those of one code have an order of their own. */
  coded: boolean
  value(alias: 's' | 'o'): RawBuilder<unknown>
  less: '<' | '~<~'
  greater: '>' | '~>~'
  better: 'less' | 'greater'
}

/** Keys in their order and which way equal rows lie; `reversed` reads towards the first page. */
export interface Order { keys: readonly SortKey[]; idDescending: boolean }

/** Values of the last row of a page, in the order of the sort keys, and its key; null is no value. */
export interface Position {
  values: (string | null)[]
  id: string
  backwards: boolean
  /** In the order of a criterion's stretches: which of the criteria, and where the row stands in which of its stretches. Null in any other order. */
  stretch: StretchPosition | null
  /** In the order of the patients, or of what rows refer to: key of the row's, or its number in the index (by-date.ts). Null in any other order. */
  group: string | null
}

export interface StretchPosition { side: number; number: number; value: string }

/** The order is left to the server: one type, without `_sort`. */
export function isFree(sort: readonly SortKey[]): boolean {
  return sort.length === 1 && sort[0]?.code === ''
}

/** Name of the nth sort value in the select list. */
export function sortColumn(index: number): string {
  return `sort_${index}`
}

export function orderOf(keys: readonly SortKey[]): Order {
  const [first, second, ...others] = keys
  // Among rows of one text the date index has the order.
  const last = second === undefined ? first : others.length === 0 && isTextOrder(first?.walk ?? null) && second.walk === 'date' ? second : null
  return { keys, idDescending: last?.idDescending === true }
}

export function isTextOrder(walk: SortKey['walk']): walk is TextOrder {
  return walk !== null && typeof walk === 'object' && 'once' in walk
}

/** The same rows from the last to the first. */
export function reversed({ keys, idDescending }: Order): Order {
  return { keys: keys.map((key) => ({ ...key, descending: !key.descending, missingFirst: !key.missingFirst })), idDescending: !idDescending }
}

export function orderBy({ keys, idDescending }: Order): RawBuilder<unknown> {
  return sql.join([
    ...keys.map((key) => sql`${key.expression} ${sql.raw(`${key.descending ? 'desc' : 'asc'} nulls ${key.missingFirst ? 'first' : 'last'}`)}`),
    sql`r.id ${sql.raw(idDescending ? 'desc' : 'asc')}`,
  ])
}

/** Rows after a position. */
export function after({ keys, idDescending }: Order, position: Position): RawBuilder<SqlBool> {
  let condition = sql<SqlBool>`r.id ${sql.raw(idDescending ? '<' : '>')} ${position.id}::uuid`
  for (let index = keys.length - 1; index >= 0; index--) {
    condition = afterKey(keys[index] as SortKey, position.values[index] ?? null, condition)
  }
  return condition
}

/** Behind `value` in this key, or equal to it and behind in the rest. */
function afterKey(key: SortKey, value: string | null, rest: RawBuilder<SqlBool>): RawBuilder<SqlBool> {
  const { expression } = key
  if (value === null) {
    const equal = sql<SqlBool>`(${expression} is null and ${rest})`
    return key.missingFirst ? sql<SqlBool>`(${expression} is not null or ${equal})` : equal
  }
  const literal = sql`${value}::${sql.raw(key.sqlType)}`
  const beyond = sql.raw(key.descending ? '<' : '>')
  // The first comparison alone bounds the index scan; the second cuts off what was on the page.
  if (key.missingFirst) return sql<SqlBool>`(${expression} ${beyond}= ${literal} and (${expression} ${beyond} ${literal} or ${rest}))`
  return sql<SqlBool>`(${expression} ${beyond} ${literal} or ${expression} is null or (${expression} = ${literal} and ${rest}))`
}

/** An opaque token: it says where to go on and nothing about who may see what, which is asked anew for every page. */
export function writeToken(position: Position): string {
  const { stretch, group, values, id, backwards } = position
  const parts = stretch !== null ? [stretch.side, stretch.number, stretch.value, id] : group === null ? [...values, id] : [group, ...values, id]
  return (backwards ? backwardsMark : '') + (stretch !== null ? stretchMark : group !== null ? groupMark : '') + Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** Not characters of base64url. */
const backwardsMark = '~'
const stretchMark = '.'
const groupMark = '*'

/** Throws parameter-invalid. */
export function readToken(token: string, sort: readonly SortKey[]): Position {
  const backwards = token.startsWith(backwardsMark)
  const rest = backwards ? token.slice(backwardsMark.length) : token
  const mark = [stretchMark, groupMark].find((each) => rest.startsWith(each)) ?? ''
  const parts = parsed(rest.slice(mark.length))
  const id = parts?.pop()
  if (!parts || typeof id !== 'string' || !isKey(id)) throw badToken()
  if (mark === stretchMark) {
    const [side, number, value, ...more] = parts
    if (!isFree(sort) || more.length > 0 || !isNumber(side) || !isNumber(number) || typeof value !== 'string' || value.includes('\u0000')) throw badToken()
    return { values: [], id, backwards, stretch: { side, number, value }, group: null }
  }
  const group = mark === groupMark ? parts.shift() : null
  if (group !== null && (!isFree(sort) || typeof group !== 'string' || !(isKey(group) || isReferenceNumber(group)))) throw badToken()
  if (parts.length !== sort.length || !parts.every((value, index) => value === null || (typeof value === 'string' && isValueOf(sort[index] as SortKey, value)))) throw badToken()
  return { values: parts as (string | null)[], id, backwards, stretch: null, group }
}

function isKey(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}

/** Whether a group is what rows refer to; a patient otherwise. */
export function isReferenceNumber(group: string): boolean {
  return /^-?\d{1,19}$/.test(group) && BigInt.asIntN(64, BigInt(group)) === BigInt(group)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}

export function badToken(): OutcomeError {
  return fail('parameter-invalid', {
    zh: '_page 不正确，请使用服务器给出的 next 或 previous 链接。', en: '_page is not valid. Follow the next link that the server gave.',
  }, '_page')
}

function parsed(token: string): unknown[] | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString())
    return Array.isArray(value) ? value : null
  } catch {
    return null
  }
}

function isValueOf(key: SortKey, value: string): boolean {
  switch (key.sqlType) {
    case 'timestamptz': return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)
    case 'float8': return value !== '' && Number.isFinite(Number(value))
    case 'text': return !value.includes('\u0000')
    case 'uuid': return isKey(value)
    case 'int2': return /^\d{1,4}$/.test(value)
  }
}
