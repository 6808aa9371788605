/**
 * Number and quantity parameters. Without a prefix a number means all that round to it (100 is 99.5 to 100.5, 5.40 is 5.395
 * to 5.405); with gt, lt, ge, le, sa and eb it is exact, and a stored value counts as the number in the middle of its range.
 * `ap` is within a tenth. Source: FHIR R4 3.1.1.4.3, 3.1.1.4.11.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { OutcomeError } from '../../fhir/outcome.ts'
import { type Asked, byCondition, type Criterion, hasSideRow, invalidValue, oneOf, splitUnescaped, unescapeValue } from './criterion.ts'
import { precisionRange, unitKeys } from './extract-values.ts'
import { paramKey } from './keys.ts'
import { comparedRange, type Prefix, splitPrefix } from './range.ts'

export function searchNumber(asked: Asked): Criterion {
  const keys = asked.param.storedAs.map((code) => paramKey(asked.type, code))
  return byCondition(oneOf(asked.values.map((value) => {
    const { prefix, text } = readNumber(asked, unescapeValue(value))
    return hasSideRow('idx_value', keys, compared(prefix, text))
  })))
}

export function searchQuantity(asked: Asked): Criterion {
  return byCondition(oneOf(asked.values.map((value) => {
    const [amount = '', system = '', unit = '', ...rest] = splitUnescaped(value, '|').map(unescapeValue)
    if (rest.length > 0 || (system !== '' && unit === '')) throw invalid(asked, value)
    const { prefix, text } = readNumber(asked, amount)
    const keys = asked.param.storedAs.flatMap((code) => (unit === '' ? [paramKey(asked.type, code)] : unitKeys(asked.type, code, system || null, unit)))
    return hasSideRow('idx_value', keys, compared(prefix, text))
  })))
}

function readNumber(asked: Asked, value: string): { prefix: Prefix; text: string } {
  const { prefix, rest } = splitPrefix(value)
  if (precisionRange(rest) === null) throw invalid(asked, value)
  return { prefix, text: rest }
}

/** Room for the rounding of sums of doubles, relative to the number. */
const tolerance = 1e-12

function compared(prefix: Prefix, text: string): RawBuilder<SqlBool> {
  const stored = { lo: sql`s.lo`, hi: sql`s.hi` }
  const { lo, hi } = precisionRange(text) as { lo: number; hi: number }
  const value = Number(text)
  const slack = Math.abs(value) * tolerance
  if (prefix === 'eq' || prefix === 'ne') {
    return comparedRange(prefix, stored, { from: sql`${lo - slack}::float8`, to: sql`${hi + slack}::float8` })
  }
  if (prefix === 'ap') {
    const tenth = Math.abs(value) / 10
    return comparedRange(prefix, stored, { from: sql`${value - tenth}::float8`, to: sql`${value + tenth}::float8` })
  }
  // Half before adding: the ends of open ranges are the largest doubles there are.
  const middle = sql`(s.lo / 2 + s.hi / 2)`
  switch (prefix) {
    case 'gt': case 'sa': return sql<SqlBool>`(s.hi > ${value}::float8 and ${middle} > ${value + slack}::float8)`
    case 'ge': return sql<SqlBool>`(s.hi >= ${value}::float8 and ${middle} >= ${value - slack}::float8)`
    case 'lt': case 'eb': return sql<SqlBool>`(s.lo < ${value}::float8 and ${middle} < ${value - slack}::float8)`
    case 'le': return sql<SqlBool>`(s.lo <= ${value}::float8 and ${middle} <= ${value + slack}::float8)`
  }
}

function invalid(asked: Asked, value: string): OutcomeError {
  return new OutcomeError([invalidValue(asked, value, {
    zh: '请写成数字，如 5.4、gt10；带单位时写成 5.4|http://unitsofmeasure.org|mg。',
    en: 'write a number such as 5.4 or gt10; with a unit 5.4|http://unitsofmeasure.org|mg.',
  })])
}
