/**
 * The numbers in force for a clinic at an instant. A change is a dated row of booking_parameter that stays; of the rows of a scope that
 * are in force the one that begins last counts, then the one set last; the narrowest scope that has a number wins.
 * Invariant: a value outside its bounds is never used. The numbers themselves: parameter-definitions.ts.
 */
import type { Db } from '../storage/pool.ts'
import { parameterDefinitions, type ParameterName, type Parameters, platformDefaults } from './parameter-definitions.ts'

/** Narrowest last; the order in which values override each other. */
export const scopes = ['city', 'hospital', 'department', 'clinic'] as const
export type Scope = (typeof scopes)[number]

/** Where a clinic stands: the four scopes whose values concern it. */
export interface ParameterPlace { region: string; organization: string; department: string; healthcareService: string }

/** `value` null gives the number back to the wider scope; `until_at` null: no end. Instants are ISO text in UTC. */
export interface ParameterRow { scope: Scope; scope_id: string; name: string; value: number | null; from_at: string; until_at: string | null; set_at: string }

export function scopeIdOf(place: ParameterPlace, scope: Scope): string {
  switch (scope) {
    case 'city': return place.region
    case 'hospital': return place.organization
    case 'department': return `${place.organization}/${place.department}`
    case 'clinic': return place.healthcareService
  }
}

/** GB/T 2260 code of the province-level city that a district belongs to. */
export function regionOf(districtCode: string): string {
  return `${districtCode.slice(0, 2)}0000`
}

export interface InForce { value: number; scope: Scope | 'platform' }

/** Each number with the scope it comes from. Pure; rows may be of any scope and time. */
export function numbersInForce(rows: readonly ParameterRow[], place: ParameterPlace, at: Date): Record<ParameterName, InForce> {
  const found = Object.fromEntries(Object.entries(platformDefaults).map(([name, value]) => [name, { value, scope: 'platform' }])) as Record<ParameterName, InForce>
  const instant = at.toISOString()
  for (const scope of scopes) {
    const id = scopeIdOf(place, scope)
    const latest = new Map<string, ParameterRow>()
    for (const row of rows) {
      if (row.scope !== scope || row.scope_id !== id || !isInForce(row, instant)) continue
      const known = latest.get(row.name)
      if (!known || row.from_at > known.from_at || (row.from_at === known.from_at && row.set_at >= known.set_at)) latest.set(row.name, row)
    }
    for (const { name, value } of latest.values()) {
      if (value !== null && isInBounds(name, value)) found[name as ParameterName] = { value, scope }
    }
  }
  return found
}

export function isParameterName(name: string): name is ParameterName {
  return Object.hasOwn(parameterDefinitions, name)
}

function isInBounds(name: string, value: number): boolean {
  if (!isParameterName(name)) return false
  const { min, max } = parameterDefinitions[name]
  return value >= min && value <= max
}

export function parametersAt(rows: readonly ParameterRow[], place: ParameterPlace, at: Date): Parameters {
  return parametersBy(rows)(place, at)
}

/** For many places: those for whom the same rows are in force share one object. */
export function parametersBy(rows: readonly ParameterRow[]): (place: ParameterPlace, at: Date) => Parameters {
  if (rows.length === 0) return () => platformDefaults
  const byScope = Map.groupBy(rows.map((row, index) => ({ row, index })), ({ row }) => `${row.scope} ${row.scope_id}`)
  const made = new Map<string, Parameters>()
  return (place, at) => {
    const instant = at.toISOString()
    const own = scopes.flatMap((scope) => byScope.get(`${scope} ${scopeIdOf(place, scope)}`) ?? []).filter(({ row }) => isInForce(row, instant))
    const key = own.map(({ index }) => index).join()
    let found = made.get(key)
    if (!found) {
      const values = numbersInForce(own.map(({ row }) => row), place, at)
      made.set(key, found = Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, value])) as Parameters)
    }
    return found
  }
}

function isInForce(row: ParameterRow, instant: string): boolean {
  return row.from_at <= instant && (row.until_at === null || row.until_at > instant)
}

/** Rows that may concern the places, of any time: few, because only exceptions have rows. */
export async function parameterRows(db: Db, places: readonly ParameterPlace[]): Promise<ParameterRow[]> {
  const ids = [...new Set(places.flatMap((place) => scopes.map((scope) => scopeIdOf(place, scope))))]
  return selectRows(db).where('scope_id', 'in', ids.length > 0 ? ids : ['']).execute()
}

/** All rows: for what looks at the whole city at once. */
export function allParameterRows(db: Db): Promise<ParameterRow[]> {
  return selectRows(db).execute()
}

function selectRows(db: Db) {
  return db.selectFrom('booking_parameter').select(['scope', 'scope_id', 'name', 'value', 'from_at', 'until_at', 'set_at'])
}

/** The numbers in force for one clinic at an instant. */
export async function parametersFor(db: Db, place: ParameterPlace, at: Date): Promise<Parameters> {
  return parametersAt(await parameterRows(db, [place]), place, at)
}

