/**
 * The numbers of booking that a city, hospital, department or clinic may set: default, unit, bounds and where the default
 * comes from. A value that somebody set is a dated row of booking_parameter; the narrowest scope in force wins, and
 * everything reads them through `parametersFor`. Invariant: a value outside its bounds is never used.
 */
import type { Db } from '../storage/pool.ts'

interface ParameterDefinition { default: number; unit: string; min: number; max: number; source: string }

export const parameterDefinitions = {
  'window.daysAhead': { default: 14, unit: 'days', min: 1, max: 90, source: 'Published hospital rules range from 7 to 90 days; two weeks is the city default.' },
  'window.minLeadMinutes': { default: 30, unit: 'minutes before the end of the segment', min: 0, max: 720, source: 'Same-day places are allowed until shortly before the end of their segment.' },
  'release.minuteOfDay': { default: 420, unit: 'minutes after midnight, Asia/Shanghai', min: 0, max: 1439, source: 'Shanghai hospitals release places at 07:00 or 07:30.' },
  'limit.samePatientDay': { default: 3, unit: 'places of a patient on a day, all hospitals', min: 1, max: 10, source: 'City default.' },
  'limit.openFuture': { default: 6, unit: 'places of a patient that lie ahead', min: 1, max: 30, source: 'City default.' },
  'hold.ttlSeconds': { default: 300, unit: 'seconds', min: 60, max: 1800, source: 'Time to confirm; 5 to 30 minutes seen.' },
  'cancel.noticeMinutes': { default: 720, unit: 'minutes before the start of the segment', min: 0, max: 2880, source: 'Beijing unified booking rules: 12 hours.' },
  'cancel.lateAllowed': { default: 1, unit: '1 yes, 0 no', min: 0, max: 1, source: 'A late cancellation frees the place for somebody; it is counted as late.' },
  'checkin.openMinutes': { default: 60, unit: 'minutes before the start of the segment', min: 0, max: 240, source: 'City default.' },
  'checkin.lateMinutes': { default: 30, unit: 'minutes after the end of the segment', min: 0, max: 240, source: 'City default.' },
} as const satisfies Record<string, ParameterDefinition>

export type ParameterName = keyof typeof parameterDefinitions
export type Parameters = Record<ParameterName, number>

/** What holds where nobody set anything. */
export const platformDefaults: Parameters = Object.fromEntries(
  Object.entries(parameterDefinitions).map(([name, definition]) => [name, definition.default]),
) as Parameters

/** Narrowest last; the order in which values override each other. */
const scopes = ['city', 'hospital', 'department', 'clinic'] as const

/** Where a clinic stands: the four scopes whose values concern it. */
export interface ParameterPlace { region: string; organization: string; department: string; healthcareService: string }

export interface ParameterRow { scope: (typeof scopes)[number]; name: string; value: number }

/** The pure part: defaults overridden by rows, narrowest scope last; a value out of bounds or of an unknown name is ignored. */
export function mergeParameters(rows: readonly ParameterRow[]): Parameters {
  const merged = { ...platformDefaults }
  for (const scope of scopes) {
    for (const row of rows) {
      if (row.scope !== scope || !(row.name in parameterDefinitions)) continue
      const name = row.name as ParameterName
      const { min, max } = parameterDefinitions[name]
      if (row.value >= min && row.value <= max) merged[name] = row.value
    }
  }
  return merged
}

/** The numbers in force for a clinic at an instant. */
export async function parametersFor(db: Db, place: ParameterPlace, at: Date): Promise<Parameters> {
  const rows = await db.selectFrom('booking_parameter').select(['scope', 'name', 'value'])
    .where((eb) => eb.or([
      eb.and([eb('scope', '=', 'city'), eb('scope_id', '=', place.region)]),
      eb.and([eb('scope', '=', 'hospital'), eb('scope_id', '=', place.organization)]),
      eb.and([eb('scope', '=', 'department'), eb('scope_id', '=', `${place.organization}/${place.department}`)]),
      eb.and([eb('scope', '=', 'clinic'), eb('scope_id', '=', place.healthcareService)]),
    ]))
    .where('from_at', '<=', at.toISOString())
    .where((eb) => eb.or([eb('until_at', 'is', null), eb('until_at', '>', at.toISOString())]))
    .orderBy('from_at')
    .execute()
  return mergeParameters(rows)
}
