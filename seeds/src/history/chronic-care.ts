/**
 * Years of care for long-lasting diseases: the visit of the diagnosis, then follow-ups counted back from today, so that the
 * latest prescription still runs. The family doctor follows together what the community centre may follow.
 */
import type { Day } from '../calendar.ts'
import { type ChronicName, chronicDiseases } from '../data/chronic-diseases.ts'
import { type DrugName, drugs } from '../data/drugs.ts'
import type { PanelName } from '../data/labs.ts'
import { type City, someoneOf } from '../directory/city.ts'
import type { Illness } from './body.ts'
import type { Chart, Seen, Visit } from './chart.ts'

/** The record keeps about every tenth follow-up of an ordinary citizen, to keep the city small; most of them for the people of the demo. */
const sparseness = { ordinary: 11, demo: 1.3 }

const pressureMatters: readonly ChronicName[] = ['hypertension', 'coronary', 'stroke', 'kidney', 'diabetes', 'fibrillation']

interface Followed { illness: Illness; condition: string; lastDrugs: readonly DrugName[] }

export function chronicCare(city: City, chart: Chart, gp: Seen | null, from: Day): void {
  const { random, person } = chart
  const demo = person.household.index < 2
  const followed = new Map<Illness, Followed>()
  const specialists = new Map<Illness, Seen>()
  for (const illness of [...chart.body.illnesses].sort((one, other) => one.onset - other.onset)) {
    const by = someoneOf(city, random, chronicDiseases[illness.name].department, person.household)
    specialists.set(illness, by)
    followed.set(illness, diagnose(chart, illness, by, Math.max(illness.onset, from + random.int(0, 200)), city.today))
  }
  const together = gp === null ? [] : chart.body.illnesses.filter((each) => chronicDiseases[each.name].community)
  const series: { by: Seen; illnesses: Illness[] }[] = [
    ...(gp !== null && together.length > 0 ? [{ by: gp, illnesses: together }] : []),
    ...chart.body.illnesses.filter((each) => !together.includes(each)).map((each) => ({ by: specialists.get(each) as Seen, illnesses: [each] })),
  ]
  for (const { by, illnesses } of series) {
    const months = Math.min(...illnesses.map((each) => chronicDiseases[each.name].visitMonths)) * (demo ? sparseness.demo : sparseness.ordinary)
    followUps(city, chart, by, illnesses.map((each) => followed.get(each) as Followed), months, from)
  }
}

function diagnose(chart: Chart, illness: Illness, by: Seen, day: Day, today: Day): Followed {
  const disease = chronicDiseases[illness.name]
  const visit = chart.visit(Math.min(day, today - 4), 'outpatient', by)
  const condition = chart.condition(visit, disease, illness.onset, null)
  if (pressureMatters.includes(illness.name)) chart.bloodPressure(visit)
  for (const panel of disease.panels.slice(0, chart.person.household.index < 2 ? 2 : chart.random.chance(0.5) ? 1 : 0)) chart.panel(visit, panel)
  if (disease.study) chart.study(visit, disease.study.name, disease.study.finding)
  if (disease.study?.name === 'gastroscopy') chart.procedure(visit, { zh: '电子胃镜检查', en: 'Gastroscopy' }, condition)
  const names = drugsOn(chart, illness, visit.day)
  for (const name of names) chart.prescribe(visit, name, condition, 28, visit.day + 28 >= today)
  chart.close(visit)
  return { illness, condition, lastDrugs: names }
}

function followUps(city: City, chart: Chart, by: Seen, followed: Followed[], months: number, from: Day): void {
  const { random } = chart
  const first = Math.max(from, Math.min(...followed.map((each) => each.illness.onset)) + 40)
  const days: Day[] = []
  for (let day = city.today - random.int(3, 50); day > first + 20; day -= Math.round(months * 30.4 * random.between(0.8, 1.2))) days.unshift(day)
  for (const [index, day] of days.entries()) followUp(city, chart, by, followed.filter((each) => each.illness.onset <= day - 20), day, index, index === days.length - 1)
}

function followUp(city: City, chart: Chart, by: Seen, followed: readonly Followed[], day: Day, index: number, last: boolean): void {
  if (followed.length === 0) return
  const { random } = chart
  const visit = chart.visit(day, 'follow-up', by)
  for (const each of followed) visit.diagnoses.push(each.condition)
  if (followed.some((each) => pressureMatters.includes(each.illness.name))) chart.bloodPressure(visit)
  const done = new Set<PanelName>()
  for (const each of followed.slice(0, chart.person.household.index < 2 ? 3 : 1)) {
    const { panels, study } = chronicDiseases[each.illness.name]
    const panel = panels[index % Math.max(1, panels.length)]
    if (panel && !done.has(panel)) {
      chart.panel(visit, panel)
      done.add(panel)
    }
    if (study && index % 3 === 2) chart.study(visit, study.name, study.finding)
  }
  for (const each of followed) renew(city, chart, visit, each, last, random.chance(0.3))
  chart.close(visit)
}

function renew(city: City, chart: Chart, visit: Visit, each: Followed, last: boolean, anyway: boolean): void {
  const names = drugsOn(chart, each.illness, visit.day)
  const changed = names.join() !== each.lastDrugs.join()
  each.lastDrugs = names
  if (!last && !changed && !anyway) return
  const supplyDays = 28
  for (const name of names) chart.prescribe(visit, name, each.condition, last ? supplyDays * 2 : supplyDays, last && visit.day + supplyDays * 2 >= city.today)
}

/** Whose drugs come first where two diseases call for the same group, such as a statin. */
const leading: readonly ChronicName[] = ['coronary', 'stroke', 'fibrillation', 'kidney', 'hypertension', 'osteoarthritis']

/** The drugs of a disease on a day, without those of a group (ATC level 4) that another disease's drugs hold already. */
function drugsOn(chart: Chart, illness: Illness, day: Day): readonly DrugName[] {
  const rank = (each: Illness): number => (leading.indexOf(each.name) + 99) % 99
  const before = chart.body.illnesses.filter((each) => each !== illness && each.onset <= day
    && (rank(each) < rank(illness) || (rank(each) === rank(illness) && each.onset < illness.onset)))
  const held = new Set(before.flatMap((each) => stepOn(each, day)).map((name) => drugs[name].atc.slice(0, 5)))
  return stepOn(illness, day).filter((name) => !held.has(drugs[name].atc.slice(0, 5)))
}

function stepOn(illness: Illness, day: Day): readonly DrugName[] {
  const months = (day - illness.onset) / 30.4
  let names: readonly DrugName[] = []
  for (const step of chronicDiseases[illness.name].steps) if (months >= step.afterMonths - 0.5) names = step.drugs
  return names
}
