/**
 * A citizen's whole record: who they are, how they are insured, whom they belong to, and the medical history of the last five
 * years (vaccinations from birth). Pure and independent of every other citizen of another household.
 */
import { addYears, ageOn, type Day, dayText, instant } from '../calendar.ts'
import { chronicDiseases } from '../data/chronic-diseases.ts'
import { centreOf, type City, doctorWithLogin, someoneAt } from '../directory/city.ts'
import { concept, type Made, reference, systems } from '../fhir-elements.ts'
import { motherOf, type Person } from '../people/households.ts'
import { type Insurance, insuranceOf } from '../people/insurance.ts'
import { coverageResource, familyLinks, patientResource, relatedPersonResource } from '../people/resources.ts'
import { Random } from '../random.ts'
import { acuteCare } from './acute-care.ts'
import { bodyOf, type Illness } from './body.ts'
import { Chart, type Seen, type Visit } from './chart.ts'
import { chronicCare } from './chronic-care.ts'
import { illnessesOf } from './illnesses.ts'
import { pastAppointments } from './past-appointments.ts'
import { pregnancyOf } from './pregnancy.ts'
import { allergiesOf, checkUps, childHealth, vaccinations } from './prevention.ts'

const historyYears = 5

/** A family doctor's contract: opens the record to the doctor for its year. */
export interface Contract { gp: Seen; episode: string; from: Day; until: Day }

export interface Life {
  person: Person
  insurance: Insurance | null
  contract: Contract | null
  illnesses: readonly Illness[]
  visits: readonly Visit[]
  resources: Made[]
}

export function lifeOf(city: City, person: Person): Life {
  const random = new Random(`${city.seed}/life/${person.index}`)
  const insurance = insuranceOf(random, person, city.today)
  const illnesses = illnessesOf(random, person, city.today)
  const chart = new Chart(person, bodyOf(random, person, illnesses), random)
  const from = Math.max(person.birth, addYears(city.today, -historyYears))
  const gp = familyDoctor(city, chart)
  chart.resources.push(patientResource(person, insurance, centreOf(city, person.household)))
  if (insurance) chart.resources.push(coverageResource(random, person, insurance))
  for (const link of familyLinks(person)) chart.resources.push(relatedPersonResource(random, link, city.today))
  const contract = gp ? contractOf(city, chart, gp) : null
  allergiesOf(city, chart)
  vaccinations(city, chart)
  childHealth(city, chart)
  chronicCare(city, chart, gp, from)
  checkUps(city, chart, gp)
  acuteCare(city, chart, from)
  pastAppointments(city, chart)
  return { person, insurance, contract, illnesses, visits: chart.visits, resources: [...chart.resources, ...motherResources(city, person, from)] }
}

/** What the birth of this child adds to the mother's record. */
function motherResources(city: City, child: Person, from: Day): Made[] {
  const mother = motherOf(child)
  if (!mother || child.birth < from - 1 || ageOn(child.birth, city.today) >= historyYears) return []
  const random = new Random(`${city.seed}/pregnancy/${child.index}`)
  const chart = new Chart(mother, bodyOf(random, mother, []), random)
  pregnancyOf(city, chart, child, addYears(city.today, -historyYears))
  return chart.resources
}

/** Most old people have signed with a family doctor, and many who need drugs every month. */
function familyDoctor(city: City, chart: Chart): Seen | null {
  const { person, random } = chart
  const demo = person.household.index === 0
  const age = ageOn(person.birth, city.today)
  const chronic = chart.body.illnesses.some((each) => chronicDiseases[each.name].community)
  const centre = centreOf(city, person.household)
  const wanted = random.chance(age >= 65 ? 0.75 : chronic ? 0.5 : 0.1)
  if (demo) {
    const doctor = doctorWithLogin(city, 'gp')
    return person.kin === 'parent' || person.kin === 'head' ? { doctor, post: doctor.posts[0] as Seen['post'] } : null
  }
  return wanted ? someoneAt(city, random, centre, '02') : null
}

function contractOf(city: City, chart: Chart, gp: Seen): Contract {
  const from = city.today - chart.random.int(20, 330)
  const until = addYears(from, 1)
  const { doctor, post } = gp
  const name = { zh: doctor.name.zh, en: doctor.name.en }
  const team = chart.add(from, (id, subject) => ({
    resourceType: 'CareTeam', id, status: 'active', name: `${doctor.name.zh}家庭医生团队`, subject,
    period: { start: dayText(from), end: dayText(until) },
    participant: [{ member: reference(`Practitioner/${doctor.id}`, name), onBehalfOf: reference(`Organization/${post.hospital.id}`, post.hospital.name) }],
    managingOrganization: [reference(`Organization/${post.hospital.id}`, post.hospital.name)],
  }))
  const episode = chart.add(from, (id, patient) => ({
    resourceType: 'EpisodeOfCare', id, status: 'active', patient,
    type: [concept(systems.episodeType, 'gp-contract', { zh: '家庭医生签约', en: 'Family doctor contract' })],
    managingOrganization: reference(`Organization/${post.hospital.id}`, post.hospital.name),
    period: { start: instant(from, 540), end: instant(until, 540) },
    careManager: reference(`Practitioner/${doctor.id}`, name),
    team: [{ reference: `CareTeam/${team}` }],
  }))
  return { gp, episode, from, until }
}
