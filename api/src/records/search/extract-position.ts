/** Where a Location is, as two rows of idx_value: latitude and longitude in degrees. Source: FHIR R4 Location, parameter near. */
import type { Collect } from '../index-resource.ts'
import { paramKey } from './keys.ts'

export const latitudeParam = 'near.latitude'
export const longitudeParam = 'near.longitude'

export function positionCollector(type: string): Collect {
  const latitude = paramKey(type, latitudeParam)
  const longitude = paramKey(type, longitudeParam)
  return (value, sink) => {
    const position = value as { latitude?: unknown; longitude?: unknown }
    const lat = Number(position.latitude)
    const lon = Number(position.longitude)
    if (!(Math.abs(lat) <= 90) || !(Math.abs(lon) <= 180)) return
    sink.values.push({ k: latitude, lo: lat, hi: lat }, { k: longitude, lo: lon, hi: lon })
  }
}
