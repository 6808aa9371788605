/** The providers as booking keeps them, beside their FHIR resources: hospitals, weekly patterns, and the sessions they make. */
import { generateSessions, insertTemplates, type ProviderRow, registerProviders } from '@pujiang/api/booking/generate-sessions.ts'
import type { Trx } from '@pujiang/api/storage/pool.ts'
import { dayText } from '../calendar.ts'
import { levels } from '../data/hospitals.ts'
import type { City } from '../directory/city.ts'
import { templateRows } from '../directory/doctors.ts'
import type { Hospital } from '../directory/hospitals.ts'

function providerRow(hospital: Hospital): ProviderRow {
  const level = levels[hospital.level]
  const { place, district } = hospital
  return {
    organization: hospital.id, name_zh: hospital.name.zh, name_en: hospital.name.en, level_code: level.code, level_zh: level.zh, level_en: level.en,
    district_code: district.code, district_zh: district.zh, district_en: district.en,
    latitude: hospital.latitude, longitude: hospital.longitude,
    address_zh: `上海市${district.zh}${place.street.zh}`, address_en: `${place.street.en}, ${district.en}, Shanghai`,
  }
}

/** @returns how many half-day sessions were made. */
export async function openClinics(trx: Trx, city: City, days: number): Promise<number> {
  await registerProviders(trx, city.hospitals.map(providerRow))
  await insertTemplates(trx, city.staff.doctors.flatMap((doctor) => [...templateRows(doctor, city.seed, city.today)]))
  return generateSessions(trx, dayText(city.today), days)
}
