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

/** Whether a value keeps a limit; what cannot be compared with it is not judged. */
export function isWithin(value: unknown, limit: unknown, side: 'min' | 'max'): boolean {
  const order = compare(value, limit)
  return order === null || (side === 'min' ? order >= 0 : order <= 0)
}

const timeOfDay = /^\d\d:\d\d/

/**
 * Numbers, dates and instants, times of day, and quantities whose units convert into each other: below nought when the first is less, nought where
 * they are equal or overlap (a month and a day of it). Null where the two have no order.
 */
export function compare(one: unknown, other: unknown): number | null {
  if (isJson(one) && isJson(other)) return compareQuantities(one, other)
  if (typeof one === 'number' && typeof other === 'number') return one - other
  if (typeof one !== 'string' || typeof other !== 'string') return null
  if (timeOfDay.test(one) && timeOfDay.test(other)) return Number(one > other) - Number(one < other)
  const [given, bound] = [timeRange(one), timeRange(other)]
  if (!given || !bound) return null
  return given.hi < bound.lo ? -1 : given.lo > bound.hi ? 1 : 0
}

const ucumSystem = 'http://unitsofmeasure.org'
/** Conversions are made in binary fractions. */
const relativeError = 1e-9

function compareQuantities(one: Record<string, unknown>, other: Record<string, unknown>): number | null {
  if (one.code === other.code) return compare(one.value, other.value)
  const [given, bound] = [inBaseUnits(one), inBaseUnits(other)]
  if (!given || !bound || given.unit !== bound.unit) return null
  const difference = given.value - bound.value
  return Math.abs(difference) <= Math.abs(bound.value) * relativeError ? 0 : difference
}

function inBaseUnits({ system, code, value }: Record<string, unknown>): { unit: string; value: number } | null {
  if (system !== ucumSystem || typeof code !== 'string' || typeof value !== 'number') return null
  const unit = canonicalUnit(code)
  return unit && { unit: unit.name, value: value * unit.factor + unit.offset }
}
