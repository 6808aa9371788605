/**
 * Units of measure (UCUM). Its tables are loaded when the first unit is asked for. A quantity is compared with others of its kind in one
 * canonical unit, so that 5.4 g finds 5400 mg: units of the same dimension share one, and a value converts by a factor and an offset.
 * Counts and scores, percentages, arbitrary units and logarithmic ones stay as they are: what they count can't be told from the unit.
 * Source: ucum.org § 4 (dimension), § 24 (arbitrary units).
 */
import { createRequire } from 'node:module'

interface Unit {
  dim_: { dimVec_: number[] | null } | null
  magnitude_: number
  moleExp_: number
  equivalentExp_: number
  isSpecial_: boolean
  isArbitrary_: boolean
  name_?: unknown
}

interface Ucum {
  validateUnitString(code: string): { status: string; ucumCode: string | null; unit?: { name?: unknown } }
  convertUnitTo(from: string, value: number, to: string): { status: string }
  getSpecifiedUnit(code: string, use: 'validate'): { status?: string; unit: Unit | null; origString?: string }
  convertToBaseUnits(from: string, value: number): { status: string; magnitude: number }
  uStrParser_: { parseString(text: string, ...how: unknown[]): [unit: Unit | null, read: string, messages: string[], suggestions: unknown] }
}

let loaded: Ucum | null = null

export function ucum(): Ucum {
  if (loaded) return loaded
  const { UcumLhcUtils } = createRequire(import.meta.url)('@lhncbc/ucum-lhc') as { UcumLhcUtils: { getInstance(): Ucum } }
  loaded = quiet(UcumLhcUtils.getInstance())
  return loaded
}

/** What its parser throws the library writes to the console, where nothing of a patient may stand; the parser says it in its answer instead. */
function quiet(library: Ucum): Ucum {
  const parser = library.uStrParser_
  const parse = parser.parseString.bind(parser)
  const answer: typeof parse = (text, ...how) => {
    try {
      return parse(text, ...how)
    } catch (error) {
      return [null, text, [String(error)], null]
    }
  }
  parser.parseString = answer
  return library
}

/** Whether a text can be a unit at all: UCUM is written in ASCII without blanks. */
export function canBeUnit(text: string): boolean {
  return /^[!-~]{1,50}$/.test(text)
}

/** canonical value = value × factor + offset. */
export interface CanonicalUnit {
  /** The same for all units that convert into each other. */
  name: string
  factor: number
  offset: number
}

const keptMax = 5_000
const kept = new Map<string, CanonicalUnit | null>()

/** Null for what is no unit, or converts into nothing. */
export function canonicalUnit(code: string): CanonicalUnit | null {
  if (!canBeUnit(code) || code.includes('{')) return null
  let known = kept.get(code)
  if (known === undefined) {
    if (kept.size >= keptMax) kept.clear()
    kept.set(code, known = makeCanonical(code))
  }
  return known
}

function makeCanonical(code: string): CanonicalUnit | null {
  const { status, unit } = ucum().getSpecifiedUnit(code, 'validate')
  const dimension = unit?.dim_?.dimVec_
  if (status !== 'valid' || !unit || !dimension || unit.isArbitrary_) return null
  if (unit.moleExp_ === 0 && dimension.every((each) => each === 0)) return null
  const name = [...dimension, unit.moleExp_, unit.equivalentExp_].join('.')
  if (!unit.isSpecial_) return Number.isFinite(unit.magnitude_) && unit.magnitude_ > 0 ? { name, factor: unit.magnitude_, offset: 0 } : null
  // Celsius and Fahrenheit are lines; pH and decibels are not.
  const [zero, one, thousand] = [0, 1, 1000].map((value) => ucum().convertToBaseUnits(code, value).magnitude) as [number, number, number]
  const factor = (thousand - zero) / 1000
  return Number.isFinite(zero) && factor > 0 && Math.abs(zero + factor - one) <= 1e-9 * Math.abs(one) ? { name, factor, offset: zero } : null
}
