/**
 * The query parameters of booking's own searches ($find, Schedule, Slot), read strictly: an unknown name, modifier or value is
 * a 400 that says what would be right. Source: FHIR R4 § Search.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { isFhirId } from '../fhir/id.ts'
import { timeRange } from '../fhir/date-time.ts'
import { fail } from '../fhir/outcome.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import { nearest } from '../fhir/nearest.ts'

const valuesMax = 500

/** @throws OutcomeError `parameter-unknown` when a name is not among `known`. */
export function assertKnown(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (known.includes(name) || name === '_format' || name === '_pretty') continue
    const plain = name.split(':')[0] ?? ''
    if (known.includes(plain)) throw unknown(name, `这里不支持参数 ${plain} 的修饰符。`, `Modifiers of ${plain} are not supported here.`)
    const hint = nearest(plain, known)
    throw unknown(
      name, `不支持参数 ${name}。${hint ? `您是否想用 ${hint}？` : ''}可用的有：${known.join('、')}。`,
      `The parameter ${name} is not supported. ${hint ? `Did you mean ${hint}? ` : ''}There are: ${known.join(', ')}.`,
    )
  }
}

function unknown(name: string, zh: string, en: string) {
  return fail('parameter-unknown', { zh, en }, `http.${name}`)
}

export function badValue(name: string, zh: string, en: string) {
  return fail('parameter-invalid', { zh: `参数 ${name} 的值不正确：${zh}`, en: `The value of ${name} is not valid: ${en}` }, `http.${name}`)
}

/** Comma lists are "or"; a name given twice is "and", which these parameters do not have. Null when absent. */
export function oneOf(query: URLSearchParams, name: string): string[] | null {
  const given = query.getAll(name)
  if (given.length === 0) return null
  if (given.length > 1) throw badValue(name, '只能出现一次，多个取值请用逗号分隔。', 'give it once, with several values separated by commas.')
  const values = (given[0] as string).split(',').map((each) => each.trim())
  if (values.some((each) => each === '' || hasControls(each))) throw badValue(name, '不能为空，也不能含有控制字符。', 'it must be text that is not empty.')
  if (values.length > valuesMax) throw badValue(name, `最多 ${valuesMax} 个值。`, `give ${valuesMax} values at most.`)
  return values
}

/** Codes of a token parameter whose only system is `system`. */
export function tokenCodes(query: URLSearchParams, name: string, system: string): string[] | null {
  const values = oneOf(query, name)
  return values === null ? null : values.flatMap((value) => {
    const bar = value.lastIndexOf('|')
    if (bar < 0) return [value]
    // A code of another system is valid and matches nothing.
    return value.slice(0, bar) === '' || value.slice(0, bar) === system ? [value.slice(bar + 1)] : []
  })
}

/** One of a closed list of codes. @throws OutcomeError `parameter-invalid` naming the list. */
export function codesAmong<T extends string>(query: URLSearchParams, name: string, allowed: readonly T[]): T[] | null {
  const values = oneOf(query, name)
  for (const value of values ?? []) {
    if (!(allowed as readonly string[]).includes(value)) throw badValue(name, `可用的值有 ${allowed.join('、')}。`, `use one of ${allowed.join(', ')}.`)
  }
  return values as T[] | null
}

export interface ReferenceValue { type: string | null; id: string }

/** `Type/id` or a bare id. A reference to a type that is not among `types` is refused. */
export function referenceValues(query: URLSearchParams, name: string, types: readonly ResourceType[]): ReferenceValue[] | null {
  const values = oneOf(query, name)
  return values === null ? null : values.map((value) => {
    const parts = value.split('/')
    const id = parts.at(-1) ?? ''
    const type = parts.length > 1 ? (parts.at(-2) ?? null) : null
    if (!isFhirId(id) || (type !== null && !(types as readonly string[]).includes(type))) {
      throw badValue(name, `应为 ${types.map((each) => `${each}/编号`).join(' 或 ')}。`, `give ${types.map((each) => `${each}/id`).join(' or ')}.`)
    }
    return { type, id }
  })
}

export type DatePrefix = 'eq' | 'ne' | 'ge' | 'gt' | 'sa' | 'le' | 'lt' | 'eb' | 'ap'
/** A date condition: the value's own span, half-open, and how to compare with it. */
export interface DateValue { prefix: DatePrefix; from: Date; until: Date }

/** Values of a date parameter; several are "and". */
export function dateValues(query: URLSearchParams, name: string): DateValue[] {
  return query.getAll(name).map((value) => {
    const match = /^(eq|ne|ge|gt|sa|le|lt|eb|ap)?(.+)$/.exec(value)
    const span = match ? spanOf(match[2] as string) : null
    if (!span) throw badValue(name, '应为日期或时间，例如 ge2026-11-24。', 'give a date or time, such as ge2026-11-24.')
    return { prefix: (match?.[1] ?? 'eq') as DatePrefix, ...span }
  })
}

/** How an instant compares with a date, R4 § 3.1.1.4.8. */
export function instantMatches(instant: RawBuilder<unknown>, { prefix, from, until }: DateValue): RawBuilder<SqlBool> {
  const [a, b] = [from, until].map((each) => sql`${each.toISOString()}::timestamptz`) as [RawBuilder<unknown>, RawBuilder<unknown>]
  switch (prefix) {
    case 'eq': case 'ap': return sql<SqlBool>`(${instant} >= ${a} and ${instant} < ${b})`
    case 'ne': return sql<SqlBool>`not (${instant} >= ${a} and ${instant} < ${b})`
    case 'ge': return sql<SqlBool>`${instant} >= ${a}`
    case 'gt': case 'sa': return sql<SqlBool>`${instant} >= ${b}`
    case 'le': return sql<SqlBool>`${instant} < ${b}`
    case 'lt': case 'eb': return sql<SqlBool>`${instant} < ${a}`
  }
}

const earliest = Date.UTC(1900, 0, 1)
const latest = Date.UTC(2999, 0, 1)

/** A date or time as a half-open span of instants, kept within the years that sessions can lie in; null when it is none. */
export function spanOf(text: string): { from: Date; until: Date } | null {
  // A plus sign of an offset arrives as a blank where it was not encoded.
  const range = timeRange(text.replace(/ (\d{2}:\d{2})$/, '+$1'))
  const within = (time: number) => new Date(Math.min(Math.max(time, earliest), latest))
  return range && { from: within(range.lo), until: within(range.hi + 1) }
}

/** Control characters, which no name or code has and the database refuses. */
export function hasControls(text: string): boolean {
  return /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text)
}

/** `_count`, between 1 and `max`. */
export function pageSize(query: URLSearchParams, standard: number, max: number): number {
  const value = query.get('_count')
  if (value === null) return standard
  if (!/^\d{1,4}$/.test(value) || Number(value) < 1) throw badValue('_count', `应为 1 到 ${max} 的整数。`, `give a whole number from 1 to ${max}.`)
  return Math.min(Number(value), max)
}
