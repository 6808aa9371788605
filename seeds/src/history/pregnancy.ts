/** The pregnancy behind each young child of a household: antenatal visits, the birth, all dated from the child's birthday. */
import { type Day, instant } from '../calendar.ts'
import { type City, someoneAt, someoneOf } from '../directory/city.ts'
import { concept, type Made, reference, systems } from '../fhir-elements.ts'
import type { Person } from '../people/households.ts'
import type { Chart, Visit } from './chart.ts'

const pregnancyDays = 276
/** Weeks of the antenatal visits that the record keeps. */
const antenatalWeeks = [8, 13, 20, 25, 32, 38]

const supervision = { icd: 'Z34.9', zh: '妊娠监督', en: 'Supervision of pregnancy', department: '05.02' }
const birth = { icd: 'O80.9', zh: '单胎自然分娩', en: 'Single spontaneous delivery', department: '05.02' }
const caesarean = { icd: 'O82.9', zh: '剖宫产分娩', en: 'Delivery by caesarean section', department: '05.02' }

/** Written with the child, because the child has the higher number; the chart is the mother's. */
export function pregnancyOf(city: City, chart: Chart, child: Person, from: Day): void {
  const begun = child.birth - pregnancyDays
  if (begun < from) return
  const { random } = chart
  const first = someoneOf(city, random, '05.02', chart.person.household)
  const by = someoneAt(city, random, first.post.hospital, '05.02')
  let condition: string | null = null
  for (const week of antenatalWeeks) {
    const visit = chart.visit(begun + week * 7 + random.int(-2, 2), 'outpatient', by)
    condition ??= chart.condition(visit, supervision, begun, child.birth)
    if (!visit.diagnoses.includes(condition)) visit.diagnoses.push(condition)
    antenatalVisit(chart, visit, week, condition)
    chart.close(visit)
  }
  deliver(chart, by, child, random.chance(0.42))
  chart.add(begun + 60, (id, patient): Made => ({
    resourceType: 'EpisodeOfCare', id, status: 'finished', patient,
    type: [concept(systems.episodeType, 'pregnancy', { zh: '孕产期保健', en: 'Pregnancy care' })],
    managingOrganization: reference(`Organization/${by.post.hospital.id}`, by.post.hospital.name),
    period: { start: instant(begun + 60, 600), end: instant(child.birth + 42, 600) },
  }))
}

function antenatalVisit(chart: Chart, visit: Visit, week: number, condition: string): void {
  const moment = { pregnantWeeks: week }
  chart.bloodPressure(visit, moment)
  chart.vital(visit, 'weight', moment)
  if (week === 8) {
    chart.panel(visit, 'pregnancyTest', moment)
    chart.prescribe(visit, 'folicAcid', condition, 90, false)
  }
  if (week === 13 || week === 32) chart.panel(visit, 'bloodCount', moment)
  if (week === 13 || week === 20 || week === 32) chart.study(visit, 'obstetricUltrasound', null)
  if (week === 25) chart.panel(visit, 'fastingGlucose', moment)
}

function deliver(chart: Chart, by: Visit['by'], child: Person, surgical: boolean): void {
  const visit = chart.visit(child.birth, 'inpatient', by, surgical ? 5 : 3)
  const condition = chart.condition(visit, surgical ? caesarean : birth, child.birth, child.birth + 1)
  chart.procedure(visit, surgical ? { zh: '子宫下段剖宫产术', en: 'Lower segment caesarean section' } : { zh: '单胎顺产接生', en: 'Assisted vaginal delivery' }, condition)
  chart.close(visit)
}
