/** What is done before anyone is ill: vaccinations, child health checks, yearly check-ups of the old and of employees. */
import { addMonths, addYears, ageOn, type Day, dayText, instant, monthOf } from '../calendar.ts'
import { childhoodDoses, type Dose, type VaccineName, vaccines } from '../data/vaccines.ts'
import { centreOf, type City, someoneAt, someoneOf } from '../directory/city.ts'
import type { Hospital } from '../directory/hospitals.ts'
import { code, english, entryConcept, reference, systems } from '../fhir-elements.ts'
import type { Chart, Seen } from './chart.ts'

export function vaccinations(city: City, chart: Chart): void {
  const { random, person } = chart
  const centre = centreOf(city, person.household)
  const age = ageOn(person.birth, city.today)
  if (age < 15) {
    for (const dose of childhoodDoses) {
      const day = dose.months === 0 ? person.birth : addMonths(person.birth, dose.months) + random.int(0, 20)
      if (day < city.today) immunize(chart, dose, day, centre)
    }
    return
  }
  if (age >= 60) {
    if (random.chance(0.4)) immunize(chart, { vaccine: 'pneumococcal', months: 0, dose: 1, series: 1 }, Math.max(addYears(person.birth, 60) + 30, city.today - random.int(40, 1500)), centre)
    if (random.chance(0.35)) {
      for (let back = random.int(0, 2); back >= 0; back--) {
        const day = lastAutumn(city.today, back) + random.int(0, 45)
        if (day < city.today) immunize(chart, { vaccine: 'influenza', months: 0, dose: 1, series: 1 }, day, centre)
      }
    }
  }
  if (person.sex === 'female' && age >= 17 && age <= 34 && random.chance(0.3)) {
    const first = Math.max(addYears(person.birth, 16), city.today - random.int(230, 1400))
    for (const [index, days] of [0, 61, 184].entries()) immunize(chart, { vaccine: 'hpv9', months: 0, dose: index + 1, series: 3 }, first + days, centre)
  }
}

/** 1 October of the year before `back` more years. */
function lastAutumn(today: Day, back: number): Day {
  const month = monthOf(today)
  const october = addMonths(today, -((month + 2) % 12)) - Number(dayText(today).slice(8, 10)) + 1
  return addYears(october, -back)
}

function immunize(chart: Chart, dose: Dose, day: Day, centre: Hospital): void {
  const vaccine = vaccines[dose.vaccine as VaccineName]
  const lot = `${dayText(day).slice(0, 4)}${String(chart.random.int(1, 12)).padStart(2, '0')}${String(chart.random.int(1, 899)).padStart(3, '0')}`
  chart.add(day, (id, patient) => ({
    resourceType: 'Immunization', id, status: 'completed', vaccineCode: entryConcept(systems.cvx, vaccine.cvx, vaccine), patient,
    occurrenceDateTime: dose.months === 0 && day === chart.person.birth ? dayText(day) : instant(day, chart.random.int(510, 900)), primarySource: true, lotNumber: lot,
    route: { text: { intramuscular: '肌内注射', subcutaneous: '皮下注射', intradermal: '皮内注射', oral: '口服' }[vaccine.route], _text: english(vaccine.route) },
    performer: [{ actor: reference(`Organization/${centre.id}`, centre.name) }],
    protocolApplied: [{ doseNumberPositiveInt: dose.dose, seriesDosesPositiveInt: dose.series }],
  }))
}

const childCheckMonths = [1, 3, 6, 8, 12, 18, 24, 36, 48, 60]

export function childHealth(city: City, chart: Chart): void {
  const { person, random } = chart
  if (ageOn(person.birth, city.today) >= 7) return
  const centre = centreOf(city, person.household)
  for (const months of childCheckMonths) {
    const day = addMonths(person.birth, months) + random.int(0, 12)
    if (day >= city.today - 1) return
    const visit = chart.visit(day, 'child-health', someoneAt(city, random, centre, '09'))
    chart.growth(visit)
    if (months === 8 || months === 24) chart.panel(visit, 'bloodCount')
    chart.close(visit)
  }
}

/** For those over 65 at their centre, every few years for some of the working people. */
export function checkUps(city: City, chart: Chart, gp: Seen | null): void {
  const { person, random } = chart
  const age = ageOn(person.birth, city.today)
  const old = age >= 65
  if (age < 23 || (!old && !random.chance(0.5))) return
  const by = old ? gp ?? someoneAt(city, random, centreOf(city, person.household), '02') : someoneOf(city, random, '03.04', person.household)
  const count = person.household.index < 2 ? 3 : 1
  for (let back = count - 1; back >= 0; back--) {
    const day = city.today - random.int(20, 330) - back * 365
    const visit = chart.visit(day, 'check-up', by)
    chart.bloodPressure(visit)
    for (const name of ['weight', 'bmi'] as const) chart.vital(visit, name)
    chart.panel(visit, 'fastingGlucose')
    if (random.chance(0.45)) chart.panel(visit, 'lipids')
    chart.panel(visit, old ? 'kidney' : 'liver')
    if (random.chance(0.2)) chart.panel(visit, 'bloodCount')
    chart.study(visit, old ? 'electrocardiogram' : 'abdomenUltrasound', null)
    if (random.chance(0.4)) chart.study(visit, 'chestXray', null)
    chart.close(visit)
  }
}

const allergies = [
  [{ zh: '青霉素过敏', en: 'Penicillin allergy', kind: 'medication', reaction: { zh: '皮疹', en: 'Rash' } }, 55],
  [{ zh: '头孢类抗生素过敏', en: 'Cephalosporin allergy', kind: 'medication', reaction: { zh: '荨麻疹', en: 'Urticaria' } }, 18],
  [{ zh: '磺胺类药物过敏', en: 'Sulfonamide allergy', kind: 'medication', reaction: { zh: '皮疹', en: 'Rash' } }, 14],
  [{ zh: '虾蟹过敏', en: 'Shellfish allergy', kind: 'food', reaction: { zh: '瘙痒、风团', en: 'Itching and wheals' } }, 22],
  [{ zh: '芒果过敏', en: 'Mango allergy', kind: 'food', reaction: { zh: '口周皮炎', en: 'Dermatitis around the mouth' } }, 8],
  [{ zh: '尘螨过敏', en: 'House dust mite allergy', kind: 'environment', reaction: { zh: '喷嚏、鼻塞', en: 'Sneezing, blocked nose' } }, 24],
] as const

export function allergiesOf(city: City, chart: Chart): void {
  const { random, person } = chart
  const demo = person.login === 'citizen'
  if (!demo && !random.chance(0.12)) return
  const allergy = demo ? allergies[0][0] : random.weighted(allergies.map(([each, weight]) => [each, weight] as const))
  const recorded = Math.max(person.birth + 400, city.today - random.int(100, 1700))
  if (recorded >= city.today) return
  chart.add(recorded, (id, patient) => ({
    resourceType: 'AllergyIntolerance', id, patient,
    clinicalStatus: code(systems.allergyClinical, 'active'), verificationStatus: code(systems.allergyVerification, 'confirmed'),
    type: 'allergy', category: [allergy.kind], criticality: allergy.kind === 'medication' ? 'high' : 'low',
    code: { text: allergy.zh, _text: english(allergy.en) }, recordedDate: dayText(recorded),
    reaction: [{ manifestation: [{ text: allergy.reaction.zh, _text: english(allergy.reaction.en) }] }],
  }))
}
