/** Short illnesses of the last years: one visit each, with the tests and drugs of the illness. */
import { ageOn, type Day, monthOf } from '../calendar.ts'
import { type AcuteIllness, acuteIllnesses } from '../data/acute-illnesses.ts'
import { type City, someoneOf } from '../directory/city.ts'
import type { Moment } from './body.ts'
import type { Chart, Visit } from './chart.ts'

/** Recorded short illnesses a year, by age. */
const perYear: readonly (readonly [ageFrom: number, times: number])[] = [[0, 0.9], [3, 0.7], [7, 0.45], [14, 0.2], [30, 0.2], [60, 0.2]]

export function acuteCare(city: City, chart: Chart, from: Day): void {
  const { random, person } = chart
  let day = from + random.int(5, 200)
  while (day < city.today - 2) {
    const age = ageOn(person.birth, day)
    const illness = drawIllness(chart, age, monthOf(day))
    if (illness && day > person.birth + 60) treat(city, chart, illness, day)
    const times = perYear.reduce((found, [ageFrom, each]) => (age >= ageFrom ? each : found), 1) * (person.household.index < 2 ? 1.3 : 1)
    day += Math.max(25, Math.round((365 / times) * random.between(0.35, 1.65)))
  }
}

function drawIllness(chart: Chart, age: number, month: number): AcuteIllness | null {
  const possible = acuteIllnesses.filter((each) => age >= each.ageMin && age <= each.ageMax && (each.sex === null || each.sex === chart.person.sex))
  if (possible.length === 0) return null
  return chart.random.weighted(possible.map((each) => [each, each.weight * (each.season.includes(month) ? 3 : 1)] as const))
}

function treat(city: City, chart: Chart, illness: AcuteIllness, day: Day): void {
  const { random, person } = chart
  const severe = illness.icd === 'J18.9' && random.chance(0.35)
  const by = someoneOf(city, random, illness.department, person.household)
  const visit = chart.visit(day, severe ? 'inpatient' : 'outpatient', by, severe ? Math.min(random.int(6, 11), city.today - day - 1) : 0)
  const over = day + illness.days
  const condition = chart.condition(visit, illness, day - random.int(0, 3), over < city.today ? over : null)
  const moment: Moment = { fever: illness.fever && random.chance(0.7), ...(illness.panel === 'infection' ? { infection: random.chance(0.45) ? 'bacterial' as const : 'viral' as const } : {}) }
  if (illness.fever) chart.vital(visit, 'temperature', moment)
  if (illness.icd === 'R42' || illness.icd === 'R07.4' || illness.icd === 'R51') chart.bloodPressure(visit)
  if (illness.panel && (random.chance(0.45) || severe)) chart.panel(visit, illness.panel, moment)
  if (illness.study) chart.study(visit, illness.study, findings[illness.icd] ?? null)
  procedureOf(chart, visit, illness, condition)
  for (const drug of illness.drugs.slice(0, illness.drugs.length > 2 ? 4 : random.int(1, 2))) {
    chart.prescribe(visit, drug, condition, Math.min(14, illness.days), day + Math.min(14, illness.days) >= city.today)
  }
  chart.close(visit)
}

const findings: Readonly<Record<string, { zh: string; en: string }>> = {
  'J18.9': { zh: '右肺下叶斑片状渗出影，考虑炎症。', en: 'Patchy infiltrate of the right lower lobe, inflammation.' },
  'J15.7': { zh: '左下肺斑片状密度增高影，支气管肺炎改变。', en: 'Patchy opacity of the left lower lung, bronchopneumonia.' },
  'J20.9': { zh: '两肺纹理增多增粗。', en: 'Increased bronchovascular markings.' },
  'B98.0': { zh: '13C尿素呼气试验阳性（DOB 18.6），提示幽门螺杆菌感染。', en: '13C urea breath test positive (DOB 18.6), Helicobacter pylori infection.' },
}

function procedureOf(chart: Chart, visit: Visit, illness: AcuteIllness, condition: string): void {
  const procedures: Readonly<Record<string, { zh: string; en: string }>> = {
    'K02.9': { zh: '光固化复合树脂充填', en: 'Composite filling' }, 'K04.0': { zh: '根管治疗', en: 'Root canal treatment' },
    'D22.9': { zh: '体表肿物切除术', en: 'Excision of a skin lump' }, 'S93.4': { zh: '踝关节支具外固定', en: 'Ankle brace' },
  }
  const procedure = procedures[illness.icd]
  if (procedure) chart.procedure(visit, procedure, condition)
}
