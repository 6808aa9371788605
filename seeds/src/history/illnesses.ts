/** Which long-lasting diseases a person has, since when and how badly. Order of the table decides: causes come first. */
import { addYears, ageOn, type Day } from '../calendar.ts'
import { type ChronicDisease, chronicDiseases, type ChronicName } from '../data/chronic-diseases.ts'
import type { Person } from '../people/households.ts'
import type { Random } from '../random.ts'
import type { Illness } from './body.ts'

/** The diseases of the city's plan in full; of the rest, surveys find more than hospital records hold. */
const alwaysRecorded: readonly ChronicName[] = ['hypertension', 'diabetes', 'hyperlipidaemia', 'coronary', 'stroke', 'copd', 'asthma', 'gout', 'kidney']
const recordedShare = 0.34

export function illnessesOf(random: Random, person: Person, today: Day): Illness[] {
  const known = demoIllnesses(person, today)
  if (known) return known
  const age = ageOn(person.birth, today)
  const found: Illness[] = []
  for (const [name, disease] of Object.entries(chronicDiseases) as [ChronicName, ChronicDisease][]) {
    const perMille = prevalence(disease, age, person.sex)
    if (perMille === 0) continue
    const factor = (disease.raisedBy ?? []).reduce((product, [cause, times]) => (found.some((each) => each.name === cause) ? product * times : product), 1)
    const recorded = alwaysRecorded.includes(name) ? 0.8 : recordedShare
    if (!random.chance(Math.min(0.9, (perMille * factor * recorded) / 1000))) continue
    const firstAge = disease.prevalence.find((each) => each[person.sex === 'male' ? 1 : 2] > 0)?.[0] ?? 0
    const onsetAge = random.between(Math.max(firstAge, age - 14), age)
    found.push({ name, onset: Math.min(today - 40, person.birth + Math.round(onsetAge * 365.25)), severity: random.unit() })
  }
  return found.filter((each) => each.onset > person.birth + 30)
}

function prevalence(disease: ChronicDisease, age: number, sex: Person['sex']): number {
  let value = 0
  for (const [from, male, female] of disease.prevalence) if (age >= from) value = sex === 'male' ? male : female
  return value
}

/** The people of the demo accounts have the histories the tour shows. */
function demoIllnesses(person: Person, today: Day): Illness[] | null {
  const since = (name: ChronicName, years: number, severity: number): Illness => ({ name, onset: addYears(today, -years) + 47, severity })
  if (person.login === 'citizen') return [since('hypertension', 4, 0.35), since('hyperlipidaemia', 3, 0.4), since('thyroidNodule', 2, 0.3)]
  if (person.login === 'citizen2') return [since('fattyLiver', 3, 0.6), since('gout', 2, 0.5), since('gastritis', 4, 0.3)]
  if (person.household.index === 0 && person.kin === 'parent') {
    return [since('hypertension', 14, 0.6), since('diabetes', 9, 0.55), since('hyperlipidaemia', 9, 0.4), since('coronary', 4, 0.5), since('prostate', 5, 0.4), since('cataract', 3, 0.4)]
  }
  if (person.household.index === 0 && person.kin === 'child') return [since('rhinitis', 2, 0.4)]
  return null
}
