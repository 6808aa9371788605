/**
 * The planned city: everything that exists before the first citizen, with the indexes that histories ask. Pure: the same seed
 * and day give the same city.
 */
import type { Day } from '../calendar.ts'
import type { Household } from '../people/households.ts'
import type { Random } from '../random.ts'
import type { Seen } from '../history/chart.ts'
import { type Doctor, doctorResources, planStaff, roomResource, type Staff } from './doctors.ts'
import { agencyResources, type Hospital, hospitalResources, planHospitals } from './hospitals.ts'
import { priceListResources } from './price-list.ts'
import type { Made } from '../fhir-elements.ts'

export interface City {
  seed: number
  /** The day the city is seen on: the last day of all histories, the first of the clinics. */
  today: Day
  hospitals: readonly Hospital[]
  staff: Staff
  /** National department code → everyone who works in it. */
  byDepartment: ReadonlyMap<string, readonly Seen[]>
  centres: ReadonlyMap<string, readonly Hospital[]>
}

export function planCity(seed: number, today: Day): City {
  const hospitals = planHospitals(seed, today - 3650)
  const staff = planStaff(seed, hospitals, today)
  const byDepartment = new Map<string, Seen[]>()
  for (const doctor of staff.doctors) {
    for (const post of doctor.posts) {
      const list = byDepartment.get(post.department.code) ?? []
      list.push({ doctor, post })
      byDepartment.set(post.department.code, list)
    }
  }
  const centres = new Map<string, Hospital[]>()
  for (const hospital of hospitals) {
    if (hospital.kind === 'community') centres.set(hospital.district.code, [...(centres.get(hospital.district.code) ?? []), hospital])
  }
  return { seed, today, hospitals, staff, byDepartment, centres }
}

/** The community health centre that a household belongs to. */
export function centreOf(city: City, household: Household): Hospital {
  const list = city.centres.get(household.district.code) ?? []
  return list[household.index % list.length] as Hospital
}

/** A doctor of a department: of a municipal hospital more often than not, else of the hospital of the district. */
export function someoneOf(city: City, random: Random, department: string, household: Household): Seen {
  const all = city.byDepartment.get(department)
  if (!all || all.length === 0) throw new Error(`No hospital of the city has the department ${department}.`)
  const municipal = random.chance(0.6)
  const wanted = all.filter((each) => (municipal ? each.post.hospital.level === 3 : each.post.hospital.level === 2 && each.post.hospital.district === household.district))
  return random.pick(wanted.length > 0 ? wanted : all)
}

export function someoneAt(city: City, random: Random, hospital: Hospital, department: string): Seen {
  const list = (city.byDepartment.get(department) ?? []).filter((each) => each.post.hospital === hospital)
  return list.length > 0 ? random.pick(list) : (city.byDepartment.get(department)?.[0] as Seen)
}

export function doctorWithLogin(city: City, login: NonNullable<Doctor['login']>): Doctor {
  const doctor = city.staff.doctors.find((each) => each.login === login)
  if (!doctor) throw new Error(`No doctor of the city has the demo login ${login}.`)
  return doctor
}

/** Directory resources in an order where a reference always points back. */
export function* directoryResources(city: City): Generator<Made> {
  yield* agencyResources()
  for (const hospital of city.hospitals) yield* hospitalResources(hospital)
  for (const { hospital, room } of city.staff.rooms) yield roomResource(hospital, room)
  for (const doctor of city.staff.doctors) yield* doctorResources(doctor)
  for (const definition of priceListResources()) yield definition as unknown as Made
}
