/**
 * How far somebody lives from a hospital, for the order of the waitlist. From the address's geolocation where it has one, else from the middle of the
 * hospitals of the home district, which is as close as a district says. Metres in hundreds; null where nothing is known.
 */
import type { Address, Patient } from '@medplum/fhirtypes'
import type { Db } from '../storage/pool.ts'

export interface Point { latitude: number; longitude: number }

const geolocation = 'http://hl7.org/fhir/StructureDefinition/geolocation'
const region = 'https://pujiang.health/fhir/StructureDefinition/region'

/** Great-circle distance in kilometres. */
export function greatCircleKm(a: Point, b: Point): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180
  const half = Math.sin(radians(b.latitude - a.latitude) / 2) ** 2 + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * Math.sin(radians(b.longitude - a.longitude) / 2) ** 2
  return 2 * 6371 * Math.asin(Math.sqrt(half))
}

export async function homeDistanceMetres(db: Db, patient: Patient, hospital: { latitude: number | null; longitude: number | null }): Promise<number | null> {
  const home = patient.address?.find((each) => each.use === 'home') ?? patient.address?.[0]
  const { latitude, longitude } = hospital
  if (!home || latitude === null || longitude === null) return null
  const point = pointOf(home) ?? await middleOf(db, home.extension?.find((each) => each.url === region)?.valueCoding?.code ?? null)
  return point === null ? null : Math.round(greatCircleKm(point, { latitude, longitude }) * 10) * 100
}

function pointOf(address: Address): Point | null {
  const parts = address.extension?.find((each) => each.url === geolocation)?.extension
  const part = (name: string) => parts?.find((each) => each.url === name)?.valueDecimal
  const [latitude, longitude] = [part('latitude'), part('longitude')]
  return latitude === undefined || longitude === undefined ? null : { latitude, longitude }
}

async function middleOf(db: Db, district: string | null): Promise<Point | null> {
  if (district === null) return null
  const { latitude, longitude } = await db.selectFrom('clinic_provider').select((eb) => [eb.fn.avg<number | null>('latitude').as('latitude'), eb.fn.avg<number | null>('longitude').as('longitude')])
    .where('district_code', '=', district).executeTakeFirstOrThrow()
  return latitude === null || longitude === null ? null : { latitude: Number(latitude), longitude: Number(longitude) }
}
