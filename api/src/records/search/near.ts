/**
 * `near=latitude|longitude[|distance[|units]]` of Location: within a distance over the sphere, 10 km unless given. Units are km (default), m and
 * [mi_us]. A box of degrees bounds the index scan, the haversine formula decides. Source: FHIR R4 Location, parameter near.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { OutcomeError } from '../../fhir/outcome.ts'
import { type Asked, byCondition, type Criterion, invalidValue, oneOf, splitUnescaped, unescapeValue } from './criterion.ts'
import { latitudeParam, longitudeParam } from './extract-position.ts'
import { paramKey } from './keys.ts'

const earthRadiusKm = 6371.0088
const defaultKm = 10
const unitsInKm: Readonly<Record<string, number>> = { km: 1, m: 0.001, '[mi_us]': 1.609347218694, '[mi_i]': 1.609344, mi: 1.609344 }

export function searchNear(asked: Asked): Criterion {
  return byCondition(oneOf(asked.values.map((value) => condition(asked, value))))
}

function condition(asked: Asked, value: string): RawBuilder<SqlBool> {
  const [latitude = '', longitude = '', distance = '', unit = '', ...more] = splitUnescaped(value, '|').map(unescapeValue)
  const lat = decimal(latitude)
  const lon = decimal(longitude)
  const amount = distance === '' ? defaultKm : decimal(distance)
  const name = unit === '' || distance === '' ? 'km' : unit
  const km = Object.hasOwn(unitsInKm, name) ? unitsInKm[name] : undefined
  if (more.length > 0 || lat === null || lon === null || Math.abs(lat) > 90 || Math.abs(lon) > 180 || amount === null || amount < 0 || km === undefined) {
    throw new OutcomeError([invalidValue(asked, value, {
      zh: '请写成 纬度|经度|距离|单位，如 31.23|121.47|5|km；单位可用 km、m、[mi_i]、[mi_us]。', en: 'write latitude|longitude|distance|unit such as 31.23|121.47|5|km; units are km, m, [mi_i], [mi_us].',
    })])
  }
  const reach = Math.min(amount * km, earthRadiusKm * Math.PI)
  const degrees = (reach / earthRadiusKm) * (180 / Math.PI) * 1.000001 + 1e-9
  const haversine = sql`2 * ${earthRadiusKm}::float8 * asin(least(1, sqrt(power(sin(radians(s.lo - ${lat}::float8) / 2), 2)
    + cos(radians(${lat}::float8)) * cos(radians(s.lo)) * power(sin(radians(e.lo - ${lon}::float8) / 2), 2))))`
  // The longitude is not boxed: near the poles and the date line a box in degrees would be wrong.
  return sql<SqlBool>`r.id in (select s.rid from idx_value s join idx_value e on e.rid = s.rid and e.shard = s.shard and e.k = ${String(paramKey(asked.type, longitudeParam))}::bigint
    where s.k = ${String(paramKey(asked.type, latitudeParam))}::bigint and s.lo between ${lat - degrees}::float8 and ${lat + degrees}::float8 and ${haversine} <= ${reach}::float8)`
}

function decimal(text: string): number | null {
  return /^-?\d{1,6}(?:\.\d{1,12})?$/.test(text) ? Number(text) : null
}
