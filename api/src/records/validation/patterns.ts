/**
 * Comparison of values with what a profile fixes. `fixed[x]` means the same in every part; `pattern[x]` means at least what it
 * says, where each item of an array must be met by some item. Source: FHIR R4 ElementDefinition.fixed, .pattern, .minValue.
 */
import { timeRange } from '../../fhir/date-time.ts'
import { canonicalUnit } from '../../terminology/ucum.ts'
import { isJson } from './items.ts'

export function sameValue(value: unknown, fixed: unknown): boolean {
  if (Array.isArray(fixed)) return Array.isArray(value) && value.length === fixed.length && fixed.every((each, index) => sameValue(value[index], each))
  if (!isJson(fixed)) return value === fixed
  if (!isJson(value)) return false
  const keys = Object.keys(fixed)
  return keys.length === Object.keys(value).length && keys.every((key) => sameValue(value[key], fixed[key]))
}

export function matches(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern)) return Array.isArray(value) && pattern.every((each) => value.some((item) => matches(item, each)))
  if (!isJson(pattern)) return value === pattern
  return isJson(value) && Object.entries(pattern).every(([key, each]) => matches(value[key], each))
}

/** Numbers, dates, and quantities whose units convert into each other; anything else is not judged. */
export function isWithin(value: unknown, limit: unknown, side: 'min' | 'max'): boolean {
  if (limit === undefined) return true
  if (isJson(value) && isJson(limit)) return isQuantityWithin(value, limit, side)
  if (typeof value === 'number' && typeof limit === 'number') return side === 'min' ? value >= limit : value <= limit
  if (typeof value !== 'string' || typeof limit !== 'string') return true
  const given = timeRange(value)
  const bound = timeRange(limit)
  if (!given || !bound) return true
  return side === 'min' ? given.hi >= bound.lo : given.lo <= bound.hi
}

const ucumSystem = 'http://unitsofmeasure.org'
/** Conversions are made in binary fractions. */
const relativeError = 1e-9

function isQuantityWithin(value: Record<string, unknown>, limit: Record<string, unknown>, side: 'min' | 'max'): boolean {
  if (value.code === limit.code) return isWithin(value.value, limit.value, side)
  const [given, bound] = [inBaseUnits(value), inBaseUnits(limit)]
  if (!given || !bound || given.unit !== bound.unit) return true
  const slack = Math.abs(bound.value) * relativeError
  return side === 'min' ? given.value >= bound.value - slack : given.value <= bound.value + slack
}

function inBaseUnits({ system, code, value }: Record<string, unknown>): { unit: string; value: number } | null {
  if (system !== ucumSystem || typeof code !== 'string' || typeof value !== 'number') return null
  const unit = canonicalUnit(code)
  return unit && { unit: unit.name, value: value * unit.factor + unit.offset }
}
