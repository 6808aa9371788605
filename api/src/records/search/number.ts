/**
 * Number and quantity parameters. Without a prefix a number means all that round to it (100 is 99.5 to 100.5, 5.40 is 5.395
 * to 5.405, each without its end), and finds a value, or a range, that lies in it; with gt, lt, ge, le, sa and eb it is exact. `ap` is within a tenth. Source: FHIR R4 3.1.1.4.3, 3.1.1.4.11.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { OutcomeError } from '../../fhir/outcome.ts'
import { type Asked, type Bound, bySide, type Criterion, invalidValue, splitUnescaped, unescapeValue } from './criterion.ts'
import { precisionRange, type Range } from './extract-values.ts'
import { paramKey } from './keys.ts'
import { boundsFrom, comparedRange, overlapBounds, type Prefix, prefixHint, rangeBounds, splitPrefix } from './range.ts'
import { askedUnits, type UnitRow } from './units.ts'

export function searchNumber(asked: Asked): Criterion {
  const keys = asked.param.storedAs.map((code) => paramKey(asked.type, code))
  return bySide('idx_value', asked.values.map((value) => {
    const number = readNumber(asked, unescapeValue(value))
    return { keys, condition: compared(number), bounds: boundsOf(number) }
  }), asked.param.codedBy !== undefined)
}

export function searchQuantity(asked: Asked): Criterion {
  return bySide('idx_value', asked.values.flatMap((value) => {
    const [amount = '', system = '', unit = '', ...rest] = splitUnescaped(value, '|').map(unescapeValue)
    if (rest.length > 0 || (system !== '' && unit === '')) throw invalid(asked, value)
    const number = readNumber(asked, amount)
    const rows: UnitRow[] = asked.param.storedAs.flatMap((code) => (unit === '' ? [{ k: paramKey(asked.type, code), convert: (range: Range) => range }] : askedUnits(asked.type, code, system || null, unit)))
    return rows.map(({ k, convert }) => {
      const converted = inUnit(number, convert)
      return { keys: [k], condition: compared(converted), bounds: boundsOf(converted) }
    })
  }), asked.param.codedBy !== undefined)
}

/** Two whole numbers of one element, stored as the ends of one row (extract-composite.ts), each compared for itself. */
export function searchCoordinates(asked: Asked, keys: readonly bigint[], first: string, second: string): Criterion {
  const [from, to] = [readNumber(asked, unescapeValue(first)), readNumber(asked, unescapeValue(second))]
  return bySide('idx_value', [{ keys, condition: sql<SqlBool>`(${compared(from, { lo: sql`s.lo`, hi: sql`s.lo` })} and ${compared(to, { lo: sql`s.hi`, hi: sql`s.hi` })})`, bounds: null }])
}

/** `range`: what rounds to the number; `near`: what is within a tenth of it. */
interface AskedNumber { prefix: Prefix; value: number; range: Range; near: Range }

function readNumber(asked: Asked, text: string): AskedNumber {
  const { prefix, rest } = splitPrefix(text)
  const range = precisionRange(rest)
  if (range === null) throw invalid(asked, text)
  const value = Number(rest)
  const tenth = Math.abs(value) / 10
  return { prefix, value, range, near: { lo: value - tenth, hi: value + tenth } }
}

function inUnit({ prefix, value, range, near }: AskedNumber, convert: UnitRow['convert']): AskedNumber {
  return { prefix, value: convert({ lo: value, hi: value }).lo, range: convert(range), near: convert(near) }
}

/** Room for the rounding of sums of doubles, relative to the number. */
const tolerance = 1e-12

function spanOf({ prefix, value, range, near }: AskedNumber): { from: RawBuilder<unknown>; to: RawBuilder<unknown> } {
  if (prefix === 'ap') {
    const slack = Math.abs(value) * tolerance
    return { from: sql`${near.lo - slack}::float8`, to: sql`${near.hi + slack}::float8` }
  }
  // 100 is [99.5, 100.5): the end itself rounds to the next number.
  const rounding = Math.max(Math.abs(range.lo), Math.abs(range.hi)) * tolerance
  return { from: sql`${range.lo - rounding}::float8`, to: sql`${range.hi - rounding}::float8` }
}

/** `compared` as parts of the indexes of `lo` and `hi`. */
function boundsOf(number: AskedNumber): readonly Bound[] | null {
  const { prefix, value } = number
  const slack = Math.abs(value) * tolerance
  switch (prefix) {
    case 'eq': case 'ne': return rangeBounds(prefix, spanOf(number))
    case 'ap': return overlapBounds(spanOf(number))
    case 'gt': return boundsFrom('>', sql`${value + slack}::float8`)
    case 'ge': return boundsFrom('>=', sql`${value - slack}::float8`)
    default: return [{ column: 'lo', condition: compared(number) }]
  }
}

function compared(number: AskedNumber, stored: { lo: RawBuilder<unknown>; hi: RawBuilder<unknown> } = { lo: sql`s.lo`, hi: sql`s.hi` }): RawBuilder<SqlBool> {
  const { prefix, value } = number
  const slack = Math.abs(value) * tolerance
  if (prefix === 'eq' || prefix === 'ne' || prefix === 'ap') return comparedRange(prefix, stored, spanOf(number))
  const { lo, hi } = stored
  switch (prefix) {
    case 'gt': return sql<SqlBool>`${hi} > ${value + slack}::float8`
    case 'ge': return sql<SqlBool>`${hi} >= ${value - slack}::float8`
    case 'lt': return sql<SqlBool>`${lo} < ${value - slack}::float8`
    case 'le': return sql<SqlBool>`${lo} <= ${value + slack}::float8`
    case 'sa': return sql<SqlBool>`${lo} > ${value + slack}::float8`
    // What ends before the number begins before it: that bounds the scan of the index.
    case 'eb': return sql<SqlBool>`(${lo} < ${value - slack}::float8 and ${hi} < ${value - slack}::float8)`
  }
}

function invalid(asked: Asked, value: string): OutcomeError {
  return new OutcomeError([invalidValue(asked, value, prefixHint(value) ?? {
    zh: '请写成数字，如 5.4、gt10；带单位时写成 5.4|http://unitsofmeasure.org|mg。',
    en: 'write a number such as 5.4 or gt10; with a unit 5.4|http://unitsofmeasure.org|mg.',
  })])
}
