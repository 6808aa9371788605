/**
 * Builds the providers of the city: organizations, their departments, services and rooms, and the two insurance agencies.
 * Invariant: the same seed gives the same ids; everything of a hospital carries the hospital's shard.
 */
import { departmentName } from '@pujiang/api/booking/departments.ts'
import type { Named } from '@pujiang/api/booking/shapes.ts'
import { instantMs } from '../calendar.ts'
import { type District, districts, roads } from '../data/districts.ts'
import { communityDoctors, communityStaff, levels, secondaryDoctors, secondaryStaff, type StaffPlan, tertiaryHospitals } from '../data/hospitals.ts'
import { addressOf, code, concept, english, extensionUrls, identifierSystems, type Made, type Place, reference, systems } from '../fhir-elements.ts'
import { Random } from '../random.ts'

export type Level = 1 | 2 | 3

export interface Department {
  code: string
  name: Named
  /** FHIR ids. */
  organization: string
  healthcareService: string
  floor: number
  doctors: number
}

export interface Hospital {
  id: string
  shard: number
  kind: 'tertiary' | 'secondary' | 'community'
  level: Level
  name: Named
  district: District
  place: Place
  phone: string
  latitude: number
  longitude: number
  /** 12 characters: the code of the designated institution at the insurer. */
  institutionCode: string
  site: string
  departments: readonly Department[]
}

/** Ids of the insurance agencies, fixed so that configuration may name them. */
export const agencies: readonly { region: string; id: string; name: Named }[] = [
  { region: '310000', id: 'insurer-310000', name: { zh: '上海市医疗保险事业管理中心', en: 'Shanghai Medical Insurance Centre' } },
  { region: '320500', id: 'insurer-320500', name: { zh: '苏州市医疗保障基金管理中心', en: 'Suzhou Healthcare Security Fund Centre' } },
]

interface Plan { kind: Hospital['kind']; level: Level; name: Named; district: District; street: Named; staff: StaffPlan; doctors: number }

export function planHospitals(seed: number, registered: number): Hospital[] {
  return plans(seed).map((plan, index) => hospitalOf(plan, index, seed, registered))
}

function plans(seed: number): Plan[] {
  const random = new Random(`${seed}/streets`)
  const street = (): Named => {
    const road = random.pick(roads)
    const number = random.int(20, 1400)
    return { zh: `${road.zh}${number}号`, en: `${number} ${road.en}` }
  }
  const tertiary = tertiaryHospitals.map((each): Plan => ({
    kind: 'tertiary', level: 3, name: { zh: `上海市${each.stem}`, en: `Shanghai ${each.en}` }, district: districtOf(each.district), street: each.street,
    staff: each.staff, doctors: each.doctors,
  }))
  const secondary = districts.map((district): Plan => ({
    kind: 'secondary', level: 2, name: { zh: `${district.zh}${district.hospital.zh}医院`, en: `${district.hospital.en} Hospital of ${district.en}` },
    district, street: street(), staff: secondaryStaff, doctors: secondaryDoctors,
  }))
  const community = districts.flatMap((district) => district.communities.map((each): Omit<Plan, 'doctors'> => ({
    kind: 'community', level: 1, name: { zh: `${district.zh}${each.zh}社区卫生服务中心`, en: `${each.en} Community Health Centre, ${district.en}` },
    district, street: street(), staff: communityStaff,
  }))).map((plan, index): Plan => ({ ...plan, doctors: index < communityDoctors.centresWithMore ? communityDoctors.some : communityDoctors.most }))
  return [...tertiary, ...secondary, ...community]
}

export function districtOf(districtCode: string): District {
  const district = districts.find((each) => each.code === districtCode)
  if (!district) throw new Error(`No district has the code ${districtCode}.`)
  return district
}

function hospitalOf(plan: Plan, index: number, seed: number, registered: number): Hospital {
  const random = new Random(`${seed}/hospital/${index}`)
  const shard = random.int(0, 4095)
  const at = instantMs(registered, 540)
  const id = random.id(at, shard)
  const site = random.id(at, shard)
  const staff = apportion(plan.staff, plan.doctors)
  return {
    id, shard, kind: plan.kind, level: plan.level, name: plan.name, district: plan.district, site,
    place: { street: plan.street, district: plan.district },
    phone: `021-5550${String(1000 + index)}`,
    latitude: Number((plan.district.latitude + random.between(-0.02, 0.02)).toFixed(5)),
    longitude: Number((plan.district.longitude + random.between(-0.02, 0.02)).toFixed(5)),
    institutionCode: `H${plan.district.code}${String(index + 1).padStart(5, '0')}`,
    departments: [...staff].map(([departmentCode, doctors], position) => ({
      code: departmentCode, name: departmentName(departmentCode), organization: random.id(at, shard), healthcareService: random.id(at, shard),
      floor: 2 + Math.floor(position / 5), doctors,
    })),
  }
}

/** Whole doctors for each department, in proportion, at least one each, summing to `total`. */
function apportion(staff: StaffPlan, total: number): Map<string, number> {
  const entries = Object.entries(staff).sort(([one], [other]) => (one < other ? -1 : 1))
  const weight = entries.reduce((sum, [, share]) => sum + share, 0)
  const shares = entries.map(([departmentCode, share]) => ({ departmentCode, exact: (share / weight) * total, doctors: Math.max(1, Math.floor((share / weight) * total)) }))
  let left = total - shares.reduce((sum, each) => sum + each.doctors, 0)
  const byNeed = [...shares].sort((one, other) => (other.exact - other.doctors) - (one.exact - one.doctors))
  for (let turn = 0; left !== 0; turn++) {
    const each = left > 0 ? byNeed[turn % byNeed.length] : byNeed[byNeed.length - 1 - (turn % byNeed.length)]
    if (!each || (left < 0 && each.doctors <= 1)) continue
    each.doctors += Math.sign(left)
    left -= Math.sign(left)
  }
  return new Map(shares.map((each) => [each.departmentCode, each.doctors]))
}

export function agencyResources(): Made[] {
  return agencies.map((each) => ({
    resourceType: 'Organization', id: each.id, active: true,
    identifier: [{ system: systems.region, value: each.region }],
    type: [concept(systems.organizationType, 'pay', { zh: '医疗保险经办机构', en: 'Medical insurance agency' })],
    name: each.name.zh, _name: english(each.name.en),
  }))
}

export function* hospitalResources(hospital: Hospital): Generator<Made> {
  const address = addressOf(hospital.place)
  const level = levels[hospital.level]
  yield {
    resourceType: 'Organization', id: hospital.id, active: true,
    extension: [{ url: extensionUrls.insurerLevel, valueInteger: hospital.level }],
    identifier: [
      { system: identifierSystems.institution, value: `PDY${hospital.institutionCode.slice(1)}` },
      { system: identifierSystems.insurerInstitution, value: hospital.institutionCode },
    ],
    type: [
      concept(systems.organizationType, 'prov', { zh: '医疗机构', en: 'Healthcare provider' }),
      concept(systems.hospitalLevel, level.code, level),
    ],
    name: hospital.name.zh, _name: english(hospital.name.en),
    telecom: [{ system: 'phone', value: hospital.phone, use: 'work' }],
    address: [address],
  }
  yield {
    resourceType: 'Location', id: hospital.site, status: 'active', name: hospital.name.zh, _name: english(hospital.name.en), mode: 'instance',
    telecom: [{ system: 'phone', value: hospital.phone, use: 'work' }], address,
    position: { longitude: hospital.longitude, latitude: hospital.latitude },
    managingOrganization: reference(`Organization/${hospital.id}`, hospital.name),
  }
  for (const department of hospital.departments) yield* departmentResources(hospital, department)
}

function* departmentResources(hospital: Hospital, department: Department): Generator<Made> {
  const specialty = concept(systems.department, department.code, department.name)
  const partOf = reference(`Organization/${hospital.id}`, hospital.name)
  yield {
    resourceType: 'Organization', id: department.organization, active: true,
    type: [concept(systems.organizationType, 'dept', { zh: '科室', en: 'Hospital department' }), specialty],
    name: department.name.zh, _name: english(department.name.en), partOf,
  }
  yield {
    resourceType: 'HealthcareService', id: department.healthcareService, active: true, providedBy: partOf,
    category: [code('http://terminology.hl7.org/CodeSystem/service-category', '35')],
    specialty: [specialty], location: [reference(`Location/${hospital.site}`, hospital.name)],
    name: department.name.zh, _name: english(department.name.en),
    telecom: [{ system: 'phone', value: hospital.phone, use: 'work' }],
  }
}
