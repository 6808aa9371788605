/**
 * Date parameters with all prefixes. A partial date is its whole day, month or year in the city's zone. The clinical date of a
 * type is in columns d0 and d1, every other date in idx_value as seconds. `ap` widens the range by a tenth of its distance
 * from now. Source: FHIR R4 3.1.1.4.5.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { instantText, openEnd, openStart, type TimeRange, timeRange } from '../../fhir/date-time.ts'
import { OutcomeError } from '../../fhir/outcome.ts'
import { type Asked, byCondition, bySide, type Criterion, invalidValue, oneOf, unescapeValue } from './criterion.ts'
import { paramKey } from './keys.ts'
import { comparedRange, type Prefix, prefixHint, rangeBounds, splitPrefix } from './range.ts'

interface AskedDate extends TimeRange { prefix: Prefix }

export function searchDate(asked: Asked): Criterion {
  const dates = asked.values.map((value) => readDate(asked, value))
  if (asked.param.storage !== 'date') {
    const keys = asked.param.storedAs.map((code) => paramKey(asked.type, code))
    return bySide('idx_value', dates.map((date) => {
      const span = { from: sql`${date.lo / 1000}::float8`, to: sql`${date.hi / 1000}::float8` }
      return { keys, condition: comparedRange(date.prefix, storedEnds, span), bounds: rangeBounds(date.prefix, span) }
    }))
  }
  const [first] = dates
  return {
    ...byCondition(oneOf(dates.map((date) => comparedRange(date.prefix, { lo: sql`r.d0`, hi: sql`r.d1` }, instants(date))))),
    window: first && dates.length === 1 ? windowOf(first) : null,
  }
}

const storedEnds = { lo: sql`s.lo`, hi: sql`s.hi` }

/** `_lastUpdated`: the column, an instant. */
export function searchLastUpdated(asked: Asked): Criterion {
  const column = { lo: sql`r.last_updated`, hi: sql`r.last_updated` }
  const dates = asked.values.map((value) => readDate(asked, value))
  const [first] = dates
  const window = first && dates.length === 1 ? windowOf(first) : null
  return {
    ...byCondition(oneOf(dates.map((date) => comparedRange(date.prefix, column, instants(date)) as RawBuilder<SqlBool>))),
    ...(window === null ? {} : { changed: { from: window.from, to: window.to } }),
  }
}

function readDate(asked: Asked, value: string): AskedDate {
  // In a query string a `+` that was not escaped arrives as a space; only a zone has one.
  const { prefix, rest } = splitPrefix(unescapeValue(value).replace(' ', '+'))
  const range = timeRange(rest)
  if (!range) {
    throw new OutcomeError([invalidValue(asked, value, prefixHint(value) ?? {
      zh: '请写成 2026、2026-11、2026-11-23 或 2026-11-23T08:00:00+08:00，前面可加 ge、lt 等。',
      en: 'write 2026, 2026-11, 2026-11-23 or 2026-11-23T08:00:00+08:00, after a prefix such as ge or lt.',
    })])
  }
  return { prefix, ...(prefix === 'ap' ? widened(range, asked.now.getTime()) : range) }
}

function widened({ lo, hi }: TimeRange, now: number): TimeRange {
  const tenth = Math.abs(now - (lo + hi) / 2) / 10
  return { lo: Math.max(openStart, lo - tenth), hi: Math.min(openEnd, hi + tenth) }
}

function instants({ lo, hi }: TimeRange): { from: RawBuilder<unknown>; to: RawBuilder<unknown> } {
  return { from: sql`${instantText(lo)}::timestamptz`, to: sql`${instantText(hi)}::timestamptz` }
}

/** What part of time every match touches. */
function windowOf({ prefix, lo, hi }: AskedDate): Criterion['window'] {
  switch (prefix) {
    case 'eq': return { from: instantText(lo), to: instantText(hi), reaches: false }
    case 'ap': return { from: instantText(lo), to: instantText(hi), reaches: true }
    case 'gt': return { from: instantText(hi), to: null, reaches: true }
    case 'sa': return { from: instantText(hi), to: null, reaches: false }
    case 'ge': return { from: instantText(lo), to: null, reaches: true }
    case 'lt': case 'eb': return { from: null, to: instantText(lo), reaches: false }
    case 'le': return { from: null, to: instantText(hi), reaches: false }
    case 'ne': return null
  }
}
