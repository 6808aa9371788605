/**
 * Which upcoming clinic a citizen wants, without asking the database: the department that fits what they have, and the doctor
 * whom most people want there. Bookings crowd at these favourites, so that some sessions are nearly full and most are not.
 */
import { ageOn, type Day } from '../calendar.ts'
import { chronicDiseases } from '../data/chronic-diseases.ts'
import { centreOf, type City, doctorWithLogin } from '../directory/city.ts'
import type { Seen } from '../history/chart.ts'
import type { Life } from '../history/life.ts'
import { Random } from '../random.ts'

/** A place wanted in one of these sessions of the doctor, the sooner the likelier. `today`: only today will do. */
export interface Wish { role: string; day: 'today' | 'soon' }

const favouritesPerDepartment = 2

/** Roles of the doctors whom people want, by department; the best known first. */
export function favourites(city: City): ReadonlyMap<string, readonly Seen[]> {
  const chosen = new Map<string, Seen[]>()
  for (const [department, all] of city.byDepartment) {
    const random = new Random(`${city.seed}/favourites/${department}`)
    const senior = all.filter((each) => each.post.hospital.level === 3 && each.doctor.title !== 'resident' && each.doctor.title !== 'attending')
    const known = all.filter((each) => each.doctor.login !== null)
    chosen.set(department, [...known, ...random.shuffle(senior).filter((each) => each.doctor.login === null).slice(0, favouritesPerDepartment)])
  }
  return chosen
}

export function wishesOf(city: City, life: Life, wanted: ReadonlyMap<string, readonly Seen[]>): Wish[] {
  const demo = demoWishes(city, life)
  if (demo) return demo
  const random = new Random(`${city.seed}/wishes/${life.person.index}`)
  const wishes: Wish[] = []
  const sick = life.illnesses.length > 0
  for (let count = random.weighted(sick ? [[0, 30], [1, 45], [2, 25]] as const : [[0, 55], [1, 38], [2, 7]] as const); count > 0; count--) {
    const department = departmentFor(random, life, city.today)
    const list = wanted.get(department) ?? []
    if (list.length === 0) continue
    const seen = random.weighted(list.map((each, index) => [each, 10 / (index + 1)] as const))
    wishes.push({ role: seen.post.role, day: seen.doctor.login !== null && random.chance(0.3) ? 'today' : 'soon' })
  }
  if (life.contract && centreOf(city, life.person.household) === life.contract.gp.post.hospital && random.chance(0.12)) {
    wishes.push({ role: life.contract.gp.post.role, day: random.chance(0.3) ? 'today' : 'soon' })
  }
  return wishes
}

/** The demo's old father sees the cardiologist today, the child an ear, nose and throat doctor soon; the two adults are free. */
function demoWishes(city: City, { person }: Life): Wish[] | null {
  if (person.household.index > 1) return null
  if (person.kin === 'parent') return [{ role: (doctorWithLogin(city, 'doctor').posts[0] as Seen['post']).role, day: 'today' }]
  const ears = city.byDepartment.get('11')?.find((each) => each.post.hospital.level === 3)
  return person.kin === 'child' && ears ? [{ role: ears.post.role, day: 'soon' }] : []
}

const childDepartments = [['07', 6], ['07.04', 3], ['07.03', 1.5], ['07.09', 1.5], ['07.08', 1], ['09', 1], ['10', 2], ['11', 1.5], ['12', 1.5], ['13', 1]] as const
const adultDepartments = [
  ['03.01', 2], ['03.02', 3], ['03.03', 2], ['03.04', 3], ['03.07', 2.5], ['04.01', 2], ['04.03', 3], ['10', 2], ['11', 2], ['12', 3], ['13', 3], ['50', 1], ['50.01', 2],
  ['50.13', 1], ['21', 1], ['15.02', 1], ['03.08', 1], ['03.06', 0.7], ['03.05', 0.5], ['19', 0.5],
] as const

function departmentFor(random: Random, { person, illnesses }: Life, today: Day): string {
  const age = ageOn(person.birth, today)
  if (age < 14) return random.weighted(childDepartments)
  if (illnesses.length > 0 && random.chance(0.65)) return chronicDiseases[random.pick(illnesses).name].department
  if (person.sex === 'female' && age < 50 && random.chance(0.3)) return random.weighted([['05.01', 4], ['05.02', 2], ['50.03', 1], ['05.05', 1]] as const)
  if (person.sex === 'male' && age > 55 && random.chance(0.15)) return '04.04'
  return random.weighted(adultDepartments)
}
