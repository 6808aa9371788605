/**
 * The 1,500 doctors: name, title, department, room, and the weekly half-days they hold clinics on.
 * Invariant: a doctor is in one place at a time; two doctors who share a room never use it on the same half-day.
 */
import type { TemplateRow } from '@pujiang/api/booking/generate-sessions.ts'
import type { Named } from '@pujiang/api/booking/shapes.ts'
import { titleNames } from '@pujiang/api/booking/fhir-names.ts'
import { type Day, dayText, instantMs } from '../calendar.ts'
import { chronicDiseases } from '../data/chronic-diseases.ts'
import { titleShares } from '../data/hospitals.ts'
import { concept, english, extensionUrls, humanNames, identifierSystems, type Made, type PersonName, reference, systems } from '../fhir-elements.ts'
import { drawGiven, drawSurname, personName, type Sex } from '../people/names.ts'
import { Random } from '../random.ts'
import { demoStaff } from './demo-staff.ts'
import type { Department, Hospital } from './hospitals.ts'
import { type HalfDay, weeklyHalfDays, templateRow } from './clinics.ts'

export type Title = 'chief' | 'associate-chief' | 'attending' | 'resident'

export interface Room { id: string; name: Named; floor: number }

/** A doctor's work at one hospital. */
export interface Post { role: string; hospital: Hospital; department: Department; room: Room; halfDays: readonly HalfDay[] }

export interface Doctor {
  /** FHIR id of the Practitioner. */
  id: string
  staffNumber: string
  name: PersonName
  sex: Sex
  birth: Day
  title: Title
  posts: readonly Post[]
  /** Login of the demo account, null for all others. */
  login: 'doctor' | 'doctor2' | 'gp' | null
}

export interface Staff { doctors: Doctor[]; rooms: { hospital: Hospital; room: Room }[] }

export function planStaff(seed: number, hospitals: readonly Hospital[], today: Day): Staff {
  const doctors: Doctor[] = []
  const rooms: Staff['rooms'] = []
  for (const hospital of hospitals) {
    for (const department of hospital.departments) {
      const random = new Random(`${seed}/department/${department.organization}`)
      // Two doctors share a room; one who is there every day has it alone.
      const alone = demoStaff.some((each) => each.hospital === hospital.name.zh && each.department === department.code)
      for (let index = 0, seats = 0; index < department.doctors; index += seats) {
        seats = Math.min(index === 0 && alone ? 1 : 2, department.doctors - index)
        const room = roomOf(random, hospital, department, Math.ceil(index / 2), today)
        rooms.push({ hospital, room })
        for (let seat = 0; seat < seats; seat++) {
          doctors.push(doctorOf(random, { hospital, department, room, seat, first: index + seat === 0, number: doctors.length + 1 }, today))
        }
      }
    }
  }
  return { doctors: addSecondPosts(seed, doctors, hospitals, rooms, today), rooms }
}

function roomOf(random: Random, hospital: Hospital, department: Department, index: number, today: Day): Room {
  const number = department.floor * 100 + index + 1 + (hospital.departments.indexOf(department) % 5) * 20
  return {
    id: random.id(instantMs(today - 3000, 540), hospital.shard), floor: department.floor,
    name: { zh: `门诊楼${department.floor}层${department.name.zh}${number}诊室`, en: `Outpatient building, floor ${department.floor}, ${department.name.en}, room ${number}` },
  }
}

interface Seat { hospital: Hospital; department: Department; room: Room; seat: number; first: boolean; number: number }

function doctorOf(random: Random, seat: Seat, today: Day): Doctor {
  const { hospital, department, room } = seat
  const demo = demoStaff.find((each) => seat.first && each.hospital === hospital.name.zh && each.department === department.code) ?? null
  const shares = titleShares[hospital.level]
  const drawn = random.weighted([['chief', shares[0]], ['associate-chief', shares[1]], ['attending', shares[2]], ['resident', shares[3]]] as const)
  // A department is led by its most senior doctor, whoever the dice say.
  const title: Title = demo?.title ?? (seat.first && hospital.level > 1 ? (random.chance(0.75) ? 'chief' : 'associate-chief') : drawn)
  const sex: Sex = demo?.sex ?? (random.chance(['05.01', '05.02', '06', '07', '09'].includes(department.code) ? 0.25 : 0.52) ? 'male' : 'female')
  const age = { chief: random.int(48, 60), 'associate-chief': random.int(39, 55), attending: random.int(32, 45), resident: random.int(27, 33) }[title]
  const birth = today - age * 365 - random.int(0, 364)
  const surname = drawSurname(random)
  const given = drawGiven(random, sex, Number(dayText(birth).slice(0, 4)))
  const id = random.id(instantMs(today - 2900, 540), random.int(0, 4095))
  return {
    id, sex, birth, title, login: demo?.login ?? null,
    staffNumber: `D${hospital.district.code}${String(seat.number).padStart(6, '0')}`,
    name: demo?.name ?? personName(surname, given),
    posts: [{ role: random.id(instantMs(today - 2900, 541), hospital.shard), hospital, department, room, halfDays: weeklyHalfDays(random, hospital, title, seat.seat, demo?.login ?? null) }],
  }
}

/** About one chief in ten also holds a clinic at another hospital of the city, on Saturday or an evening of his own. */
function addSecondPosts(seed: number, doctors: readonly Doctor[], hospitals: readonly Hospital[], rooms: Staff['rooms'], today: Day): Doctor[] {
  return doctors.map((doctor) => {
    const post = doctor.posts[0] as Post
    const random = new Random(`${seed}/second-post/${doctor.id}`)
    const wanted = doctor.login === 'doctor2' || (doctor.login === null && doctor.title === 'chief' && post.hospital.level === 3 && random.chance(0.1))
    if (!wanted) return doctor
    const others = hospitals.filter((each) => each !== post.hospital && each.level > 1 && each.departments.some((one) => one.code === post.department.code))
    const hospital = doctor.login === 'doctor2' ? others[0] : others.length > 0 ? random.pick(others) : undefined
    const department = hospital?.departments.find((each) => each.code === post.department.code)
    if (!hospital || !department) return doctor
    const room = roomOf(random, hospital, department, 9, today)
    rooms.push({ hospital, room })
    const taken = post.halfDays.map((each) => `${each.weekday}${each.half}`)
    const halfDays: HalfDay[] = doctor.login === 'doctor2'
      ? [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, half: 'pm', clinicType: 'expert', capacity: 16 }))
      : [{ weekday: 6, half: 'pm', clinicType: 'expert', capacity: 12 }, { weekday: 4, half: 'night', clinicType: 'expert', capacity: 10 }]
    const second: Post = {
      role: random.id(instantMs(today - 1200, 541), hospital.shard), hospital, department, room,
      halfDays: halfDays.filter((each) => !taken.includes(`${each.weekday}${each.half}`)),
    }
    return { ...doctor, posts: [post, second] }
  })
}

export function roomResource(hospital: Hospital, room: Room): Made {
  return {
    resourceType: 'Location', id: room.id, status: 'active', name: room.name.zh, _name: english(room.name.en), mode: 'instance',
    physicalType: concept('http://terminology.hl7.org/CodeSystem/location-physical-type', 'ro', { zh: '诊室', en: 'Consulting room' }),
    managingOrganization: reference(`Organization/${hospital.id}`, hospital.name), partOf: reference(`Location/${hospital.site}`, hospital.name),
  }
}

export function* doctorResources(doctor: Doctor): Generator<Made> {
  const title = titleNames[doctor.title] as Named
  const name: Named = { zh: doctor.name.zh, en: doctor.name.en }
  yield {
    resourceType: 'Practitioner', id: doctor.id, active: true,
    identifier: [{ system: identifierSystems.staff, value: doctor.staffNumber }],
    name: humanNames(doctor.name), gender: doctor.sex, birthDate: dayText(doctor.birth),
    qualification: [{ code: concept(systems.title, doctor.title, title) }],
  }
  for (const post of doctor.posts) {
    yield {
      resourceType: 'PractitionerRole', id: post.role, active: true,
      extension: expertise(post.department),
      practitioner: reference(`Practitioner/${doctor.id}`, name),
      organization: reference(`Organization/${post.hospital.id}`, post.hospital.name),
      code: [concept(systems.title, doctor.title, title)],
      specialty: [concept(systems.department, post.department.code, post.department.name)],
      location: [reference(`Location/${post.room.id}`, post.room.name)],
      healthcareService: [reference(`HealthcareService/${post.department.healthcareService}`, post.department.name)],
    }
  }
}

/** What the department's doctors are good at: the long-lasting diseases it follows. */
function expertise(department: Department): unknown[] {
  const diseases = Object.values(chronicDiseases).filter((each) => each.department === department.code)
  const zh = diseases.length > 0 ? `擅长${diseases.map((each) => each.zh).join('、')}等疾病的诊治。` : `擅长${department.name.zh}常见病、多发病的诊治。`
  const en = diseases.length > 0 ? `Treats ${diseases.map((each) => each.en).join(', ')} and related diseases.` : `Treats the common diseases of ${department.name.en}.`
  return [{ url: extensionUrls.expertise, valueString: zh, _valueString: english(en) }]
}

export function* templateRows(doctor: Doctor, seed: number, from: Day): Generator<TemplateRow> {
  for (const post of doctor.posts) {
    const random = new Random(`${seed}/templates/${post.role}`)
    for (const halfDay of post.halfDays) yield templateRow(random, doctor, post, halfDay, from)
  }
}
