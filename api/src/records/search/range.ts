/**
 * Prefixes of ordered values. A stored value and a searched one are both ranges (a day, all numbers that round to 5.4), and
 * the prefixes say how the stored range lies to the searched one. Source: FHIR R4 3.1.1.4.5, 3.1.1.5.1 (prefixes).
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { Bound } from './criterion.ts'
import { nearest } from '../../fhir/nearest.ts'

export const prefixes = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const
export type Prefix = (typeof prefixes)[number]

/** `ge2024-01` → ge and 2024-01; eq when there is no prefix. */
export function splitPrefix(text: string): { prefix: Prefix; rest: string } {
  const head = text.slice(0, 2)
  return (prefixes as readonly string[]).includes(head) ? { prefix: head as Prefix, rest: text.slice(2) } : { prefix: 'eq', rest: text }
}

/** The prefix that was probably meant, when a value begins with two letters that are none. */
export function prefixHint(text: string): { zh: string; en: string } | null {
  const head = /^[a-z]{2}(?=[\d-])/i.exec(text)?.[0]
  if (head === undefined || (prefixes as readonly string[]).includes(head)) return null
  const hint = nearest(head, prefixes) ?? 'eq'
  return { zh: `没有前缀“${head}”，最接近的是 ${hint}。`, en: `there is no prefix "${head}"; the nearest is ${hint}.` }
}

type Sql = RawBuilder<unknown>

/**
 * The stored range lo..hi to the searched one from..to, all four inclusive. Conditions on `lo` that follow from the others
 * are written out too: they bound the scan of an index that begins with it.
 */
export function comparedRange(prefix: Prefix, stored: { lo: Sql; hi: Sql }, asked: { from: Sql; to: Sql }): RawBuilder<SqlBool> {
  const { lo, hi } = stored
  const { from, to } = asked
  switch (prefix) {
    case 'eq': return sql<SqlBool>`(${lo} >= ${from} and ${lo} <= ${to} and ${hi} <= ${to})`
    case 'ne': return sql<SqlBool>`(${lo} < ${from} or ${hi} > ${to})`
    case 'gt': return sql<SqlBool>`${hi} > ${to}`
    case 'lt': return sql<SqlBool>`${lo} < ${from}`
    case 'ge': return sql<SqlBool>`(${hi} > ${to} or ${lo} >= ${from})`
    case 'le': return sql<SqlBool>`(${lo} <= ${to} and (${lo} < ${from} or ${hi} <= ${to}))`
    case 'sa': return sql<SqlBool>`${lo} > ${to}`
    case 'eb': return sql<SqlBool>`(${lo} < ${from} and ${hi} < ${from})`
    case 'ap': return sql<SqlBool>`(${lo} <= ${to} and ${hi} >= ${from})`
  }
}

const low = (condition: Sql): Bound => ({ column: 'lo', condition: sql<SqlBool>`(${condition})` })

/** Rows that are more than a point, which have an index of their upper ends; most numbers are points. */
const wide = (condition: Sql): Bound => ({ column: 'hi', condition: sql<SqlBool>`(s.lo < s.hi and ${condition})` })

/** `comparedRange` on row `s` as parts of an index, each bounded by the column it is ordered by; null for what has no such bounds. */
export function rangeBounds(prefix: Prefix, asked: { from: Sql; to: Sql }): readonly Bound[] | null {
  const { from, to } = asked
  switch (prefix) {
    case 'ne': return [low(sql`s.lo < ${from}`), low(sql`s.lo > ${to}`), low(sql`s.lo >= ${from} and s.lo <= ${to} and s.hi > ${to}`)]
    case 'gt': return boundsFrom('>', to)
    case 'ge': return [low(sql`s.lo >= ${from}`), wide(sql`s.hi > ${to} and s.lo < ${from}`)]
    // Whatever begins before the end may end after the beginning: of days, all later ones would be read.
    case 'ap': return null
    default: return [low(comparedRange(prefix, { lo: sql`s.lo`, hi: sql`s.hi` }, asked))]
  }
}

/** Rows whose upper end lies beyond a number: those that begin there, and those that only reach it. */
export function boundsFrom(beyond: '>' | '>=', number: Sql): readonly Bound[] {
  const operator = sql.raw(beyond)
  return [low(sql`s.lo ${operator} ${number}`), wide(sql`s.hi ${operator} ${number} and not s.lo ${operator} ${number}`)]
}

/** Rows that touch a range, where few are more than points. */
export function overlapBounds({ from, to }: { from: Sql; to: Sql }): readonly Bound[] {
  return [low(sql`s.lo >= ${from} and s.lo <= ${to}`), wide(sql`s.hi >= ${from} and s.lo < ${from}`)]
}
