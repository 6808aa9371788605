/**
 * Under which keys a quantity with a unit is stored and asked for. A unit of UCUM is stored in the canonical unit of its kind, so that
 * `5.4|http://unitsofmeasure.org|g` finds 5400 mg; any other code as it is; and the unit's text where it says something else.
 * `5.4||mg` is the unit as code of UCUM or as text. Source: FHIR R4 3.1.1.4.11 (quantity).
 */
import { canonicalUnit, type CanonicalUnit } from '../../terminology/ucum.ts'
import type { Range } from './extract-values.ts'
import { unitKey } from './keys.ts'

const ucumSystem = 'http://unitsofmeasure.org'

export interface QuantityLike { value?: unknown; comparator?: unknown; unit?: unknown; system?: unknown; code?: unknown }

/** A key, and what a range in the given unit is under it. */
export interface UnitRow { k: bigint; convert(range: Range): Range }

export function storedUnits(type: string, param: string, { unit, system, code }: QuantityLike): UnitRow[] {
  const coded = typeof code === 'string' ? code : null
  const rows: UnitRow[] = []
  if (coded !== null) rows.push(typeof system === 'string' ? codedUnit(type, param, system, coded) : asWritten(unitKey(type, param, null, coded)))
  if (coded !== null && typeof system === 'string' && system !== ucumSystem) rows.push(asWritten(unitKey(type, param, null, coded)))
  if (typeof unit === 'string' && unit !== coded) rows.push(asWritten(unitKey(type, param, null, unit)))
  return rows
}

/** `system` null is `5.4||mg`. */
export function askedUnits(type: string, param: string, system: string | null, unit: string): UnitRow[] {
  return system === null ? [codedUnit(type, param, ucumSystem, unit), asWritten(unitKey(type, param, null, unit))] : [codedUnit(type, param, system, unit)]
}

function codedUnit(type: string, param: string, system: string, code: string): UnitRow {
  const canonical = system === ucumSystem ? canonicalUnit(code) : null
  if (canonical === null) return asWritten(unitKey(type, param, system, code))
  // A blank is in no code of UCUM.
  return { k: unitKey(type, param, ucumSystem, `= ${canonical.name}`), convert: ({ lo, hi }) => ({ lo: converted(lo, canonical), hi: converted(hi, canonical) }) }
}

/** Open ends stay finite. */
function converted(value: number, { factor, offset }: CanonicalUnit): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value * factor + offset))
}

function asWritten(k: bigint): UnitRow {
  return { k, convert: (range) => range }
}
