/**
 * Households and their members, one stream of chance each, in an order that never changes: citizen number n is the same
 * person however many there are. Invariants: parents are 20 to 42 years older than their children; nobody refers to a
 * member with a higher number; every resident ID is unique, in a fictitious region, and agrees with birth date and sex.
 */
import { residentId } from '@pujiang/api/fhir/resident-id.ts'
import type { Named } from '@pujiang/api/booking/shapes.ts'
import { addYears, ageOn, type Day, dayText, instantMs, yearOf } from '../calendar.ts'
import { type District, districts, estates, fictitiousRegion, roads } from '../data/districts.ts'
import { ethnicGroups, type NamePart } from '../data/names.ts'
import type { PersonName, Place } from '../fhir-elements.ts'
import { Random } from '../random.ts'
import { demoHouseholds } from './demo-households.ts'
import { drawGiven, drawSurname, personName, type Sex } from './names.ts'

/** Place in the household; `head` comes first. */
export type Kin = 'head' | 'spouse' | 'child' | 'parent'

export interface Person {
  /** Number in the city, from 0. */
  index: number
  /** FHIR id of the Patient. */
  id: string
  shard: number
  kin: Kin
  /** Whose child or parent this is: the household's head, or null for the head. */
  household: Household
  name: PersonName
  surname: NamePart
  sex: Sex
  birth: Day
  residentId: string
  recordNumber: string
  socialCard: string
  phone: string | null
  ethnicGroup: { code: string; zh: string; en: string }
  /** v3 MaritalStatus: S, M, W. */
  marital: 'S' | 'M' | 'W'
  /** Logs in to the demo; null for all others. */
  login: 'citizen' | 'citizen2' | null
}

export interface Household {
  index: number
  district: District
  place: Place
  /** Earlier members; members appear in order of their number. */
  members: Person[]
}

interface MemberPlan { kin: Kin; sex: Sex; birth: Day; surname: NamePart; given: NamePart; marital: Person['marital']; login: Person['login'] }

/** Everybody from number 0 on, without end. */
export function* people(seed: number, today: Day): Generator<Person> {
  const usedIds = new Set<string>()
  let index = 0
  for (let householdIndex = 0; ; householdIndex++) {
    const random = new Random(`${seed}/household/${householdIndex}`)
    const demo = demoHouseholds[householdIndex]
    const district = demo ? demo.district() : random.weighted(districts.map((each) => [each, each.share] as const))
    const household: Household = { index: householdIndex, district, place: { street: streetOf(random), district }, members: [] }
    for (const plan of demo ? demo.members(today) : memberPlans(random, today)) {
      const person = personOf(random, plan, household, index++, today, usedIds)
      household.members.push(person)
      yield person
    }
  }
}

function streetOf(random: Random): Named {
  const road = random.pick(roads)
  const estate = random.pick(estates)
  const number = random.int(10, 1900)
  const building = random.int(1, 46)
  const flat = random.int(1, 18) * 100 + random.int(1, 4)
  return { zh: `${road.zh}${number}弄${estate.zh}${building}号${flat}室`, en: `Room ${flat}, Building ${building}, ${estate.en}, Lane ${number}, ${road.en}` }
}

const kinds = [['single', 16], ['couple', 14], ['family', 27], ['three-generations', 9], ['elderly-couple', 21], ['elderly', 13]] as const

function memberPlans(random: Random, today: Day): MemberPlan[] {
  switch (random.weighted(kinds)) {
    case 'single': return [head(random, today, random.int(22, 45), 'S')]
    case 'couple': return couple(random, today, random.int(27, 59))
    case 'family': return withChildren(random, today, couple(random, today, random.int(29, 46)))
    case 'three-generations': return withParent(random, today, withChildren(random, today, couple(random, today, random.int(31, 45))))
    case 'elderly-couple': return couple(random, today, random.int(60, 84))
    default: return [head(random, today, random.int(64, 93), 'W')]
  }
}

function birthAt(random: Random, today: Day, age: number): Day {
  return addYears(today, -age) - random.int(1, 364)
}

function head(random: Random, today: Day, age: number, marital: Person['marital']): MemberPlan {
  // Widows outlive widowers.
  const sex: Sex = random.chance(age > 62 ? 0.3 : 0.5) ? 'male' : 'female'
  return member(random, 'head', sex, birthAt(random, today, age), drawSurname(random), marital)
}

function member(random: Random, kin: Kin, sex: Sex, birth: Day, surname: NamePart, marital: Person['marital']): MemberPlan {
  return { kin, sex, birth, surname, given: drawGiven(random, sex, yearOf(birth)), marital, login: null }
}

function couple(random: Random, today: Day, age: number): MemberPlan[] {
  const first = head(random, today, age, 'M')
  const gap = random.int(-1, 4) * 365 * (first.sex === 'male' ? 1 : -1)
  const birth = Math.min(first.birth + gap + random.int(-150, 150), addYears(today, -22))
  return [first, member(random, 'spouse', first.sex === 'male' ? 'female' : 'male', birth, drawSurname(random), 'M')]
}

function withChildren(random: Random, today: Day, parents: MemberPlan[]): MemberPlan[] {
  const mother = parents.find((each) => each.sex === 'female') as MemberPlan
  const father = parents.find((each) => each.sex === 'male') as MemberPlan
  const youngest = Math.max(mother.birth, father.birth)
  const count = random.weighted([[1, 74], [2, 26]] as const)
  const children: MemberPlan[] = []
  let birth = mother.birth + random.int(Math.round(24.5 * 365.25), Math.round(33 * 365.25))
  for (let child = 0; child < count; child++) {
    if (birth >= today || birth < youngest + 20 * 365.25 || birth > mother.birth + 42 * 365) break
    const surname = random.chance(0.95) ? father.surname : mother.surname
    children.push(member(random, 'child', random.chance(0.515) ? 'male' : 'female', birth, surname, 'S'))
    birth += random.int(700, 1900)
  }
  // A child who has grown up has moved out.
  return [...parents, ...children.filter((each) => ageOn(each.birth, today) < 23)]
}

/** A parent of the head lives with them. */
function withParent(random: Random, today: Day, family: MemberPlan[]): MemberPlan[] {
  const first = family[0] as MemberPlan
  const sex: Sex = random.chance(0.38) ? 'male' : 'female'
  const birth = first.birth - random.int(Math.round(23 * 365.25), Math.round(34 * 365.25))
  if (today - birth > 97 * 365) return family
  return [...family, member(random, 'parent', sex, birth, sex === 'male' ? first.surname : drawSurname(random), random.chance(0.6) ? 'W' : 'M')]
}

function personOf(random: Random, plan: MemberPlan, household: Household, index: number, today: Day, usedIds: Set<string>): Person {
  const shard = random.int(0, 4095)
  const region = fictitiousRegion(household.district)
  const serial = String(index + 1).padStart(8, '0')
  const age = ageOn(plan.birth, today)
  return {
    index, shard, household, kin: plan.kin, sex: plan.sex, birth: plan.birth, surname: plan.surname, marital: plan.marital, login: plan.login,
    id: random.id(instantMs(Math.max(plan.birth, today - random.int(900, 3600)), random.int(480, 1080)), shard),
    name: personName(plan.surname, plan.given),
    residentId: freeResidentId(region, plan.birth, plan.sex, random.int(0, 499), usedIds),
    recordNumber: `${region}${String((household.index % 300) + 1).padStart(3, '0')}${serial}`,
    socialCard: `T${serial}`,
    phone: age >= 11 && age < 90 ? `199${serial}` : null,
    ethnicGroup: random.weighted(ethnicGroups),
  }
}

function freeResidentId(region: string, birth: Day, sex: Sex, start: number, used: Set<string>): string {
  const date = dayText(birth).replaceAll('-', '')
  for (let step = 0; step < 500; step++) {
    const sequence = ((start + step) % 500) * 2 + (sex === 'male' ? 1 : 0)
    const id = residentId(`${region}${date}${String(sequence).padStart(3, '0')}`)
    if (!used.has(id)) {
      used.add(id)
      return id
    }
  }
  throw new Error(`All 500 numbers of ${sex} people born on ${date} in region ${region} are used; the city is too big for its districts.`)
}

/** The person's parents in the household, as far as they have lower numbers. */
export function parentsOf(person: Person): Person[] {
  const { members } = person.household
  if (person.kin !== 'child') return []
  return members.filter((each) => (each.kin === 'head' || each.kin === 'spouse') && each.index < person.index)
}

export function motherOf(person: Person): Person | null {
  return parentsOf(person).find((each) => each.sex === 'female') ?? null
}
