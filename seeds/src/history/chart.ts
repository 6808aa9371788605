/**
 * A patient's chart while it is being written: visits, diagnoses, results, prescriptions become resources that refer to one
 * another. Invariant: every reference points to a resource of this chart or of the city's directory, and every resource
 * carries the patient's shard.
 */
import { type Day, dayText, instant, instantMs } from '../calendar.ts'
import type { Named } from '@pujiang/api/booking/shapes.ts'
import type { Disease } from '../data/chronic-diseases.ts'
import { dosageText, doseUnitText, type DrugName, drugCodes, drugs, routeOf } from '../data/drugs.ts'
import { type AnalyteName, analytes, type PanelName, panels, type StudyName, studies } from '../data/labs.ts'
import type { Doctor, Post } from '../directory/doctors.ts'
import { code, english, entryConcept, type Made, reference, systems, word } from '../fhir-elements.ts'
import type { Person } from '../people/households.ts'
import type { Random } from '../random.ts'
import { type Body, childSize, limits, measure, type Moment, round } from './body.ts'

export interface Seen { doctor: Doctor; post: Post }

export interface Visit {
  id: string
  day: Day
  /** Minutes after midnight. */
  minutes: number
  /** Days in hospital; 0 for an outpatient visit. */
  stayDays: number
  by: Seen
  kind: 'outpatient' | 'check-up' | 'child-health' | 'inpatient' | 'follow-up'
  diagnoses: string[]
}

const kindNames: Readonly<Record<Visit['kind'], Named>> = {
  outpatient: { zh: '门诊', en: 'Outpatient visit' }, 'check-up': { zh: '健康体检', en: 'Health check-up' }, 'child-health': { zh: '儿童健康检查', en: 'Child health check' },
  inpatient: { zh: '住院', en: 'Hospital stay' }, 'follow-up': { zh: '慢病随访', en: 'Chronic disease follow-up' },
}

const laboratory = [word(systems.observationCategory, 'laboratory', '检验')]
const vitalSigns = [word(systems.observationCategory, 'vital-signs', '生命体征')]
const reportLaboratory = [word(systems.diagnosticService, 'LAB', '检验报告')]
const reportImaging = [word(systems.diagnosticService, 'RAD', '检查报告')]
const interpretations = {
  L: word(systems.interpretation, 'L', '偏低'), H: word(systems.interpretation, 'H', '偏高'),
}
const analyteConcepts = conceptsOf(analytes)
const panelConcepts = conceptsOf(panels)
const studyConcepts = conceptsOf(studies)
const bloodPressure = entryConcept(systems.loinc, '85354-9', { zh: '血压', en: 'Blood pressure' })
const drugConcepts = new Map((Object.keys(drugs) as DrugName[]).map((name) => {
  const { zh, en, atc, pack } = drugs[name]
  return [name, {
    coding: [{ system: systems.chargeItem, code: drugCodes.get(name), display: zh }, { system: systems.atc, code: atc }],
    text: `${zh} ${pack}`, _text: english(en),
  }]
}))
const diseaseConcepts = new Map<string, unknown>()

function conceptsOf(table: Readonly<Record<string, { loinc: string; zh: string; en: string }>>): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(table).map(([name, each]) => [name, entryConcept(systems.loinc, each.loinc, each)]))
}

function diseaseConcept(disease: Disease): unknown {
  let made = diseaseConcepts.get(disease.zh)
  if (made === undefined) {
    made = entryConcept(systems.icd10, disease.icd, disease)
    diseaseConcepts.set(disease.zh, made)
  }
  return made
}

export class Chart {
  readonly resources: Made[] = []
  readonly visits: Visit[] = []
  readonly person: Person
  readonly body: Body
  readonly random: Random
  readonly #subject: { reference: string }

  constructor(person: Person, body: Body, random: Random) {
    this.person = person
    this.body = body
    this.random = random
    this.#subject = { reference: `Patient/${person.id}` }
  }

  #id(day: Day, minutes: number): string {
    return this.random.id(instantMs(day, minutes), this.person.shard)
  }

  visit(day: Day, kind: Visit['kind'], by: Seen, stayDays = 0): Visit {
    const minutes = this.random.chance(0.66) ? this.random.int(485, 680) : this.random.int(815, 975)
    const visit: Visit = { id: this.#id(day, minutes), day, minutes, stayDays, by, kind, diagnoses: [] }
    this.visits.push(visit)
    return visit
  }

  /** Writes the Encounter once its diagnoses are known. */
  close(visit: Visit): void {
    const { doctor, post } = visit.by
    const inpatient = visit.kind === 'inpatient'
    this.resources.push({
      resourceType: 'Encounter', id: visit.id, status: 'finished',
      class: { system: systems.actCode, code: inpatient ? 'IMP' : 'AMB', display: inpatient ? '住院' : '门诊' },
      type: [{ text: kindNames[visit.kind].zh, _text: english(kindNames[visit.kind].en) }],
      serviceType: entryConcept(systems.department, post.department.code, post.department.name),
      subject: this.#subject,
      participant: [{ individual: reference(`Practitioner/${doctor.id}`, { zh: doctor.name.zh, en: doctor.name.en }) }],
      period: { start: instant(visit.day, visit.minutes), end: inpatient ? instant(visit.day + visit.stayDays, 630) : instant(visit.day, visit.minutes + this.random.int(8, 40)) },
      ...(visit.diagnoses.length > 0 ? { diagnosis: visit.diagnoses.map((each, index) => ({ condition: { reference: `Condition/${each}` }, rank: index + 1 })) } : {}),
      location: [{ location: reference(`Location/${post.room.id}`, post.room.name) }],
      serviceProvider: reference(`Organization/${post.hospital.id}`, post.hospital.name),
    })
  }

  /** A diagnosis made at a visit. `ended`: the day it was over, null when it lasts. */
  condition(visit: Visit, disease: Disease, onset: Day, ended: Day | null): string {
    const id = this.#id(visit.day, visit.minutes)
    const lasting = ended === null
    visit.diagnoses.push(id)
    this.resources.push({
      resourceType: 'Condition', id,
      clinicalStatus: code(systems.conditionClinical, lasting ? 'active' : 'resolved'),
      verificationStatus: code(systems.conditionVerification, 'confirmed'),
      category: [code(systems.conditionCategory, lasting ? 'problem-list-item' : 'encounter-diagnosis')],
      code: diseaseConcept(disease), subject: this.#subject, encounter: { reference: `Encounter/${visit.id}` },
      onsetDateTime: dayText(onset), ...(ended === null ? {} : { abatementDateTime: dayText(ended) }),
      recordedDate: instant(visit.day, visit.minutes), recorder: { reference: `Practitioner/${visit.by.doctor.id}`, display: visit.by.doctor.name.zh },
    })
    return id
  }

  /** Tests of a panel with their report. */
  panel(visit: Visit, name: PanelName, moment: Moment = {}): void {
    const panel = panels[name]
    const results = panel.analytes.map((each) => this.#observation(visit, each, measure(this.random, this.body, each, visit.day, moment), laboratory))
    const abnormal = results.filter((each) => each.flag !== 'N')
    this.resources.push({
      resourceType: 'DiagnosticReport', id: this.#id(visit.day, visit.minutes + 60), status: 'final', category: reportLaboratory, code: panelConcepts.get(name),
      subject: this.#subject, encounter: { reference: `Encounter/${visit.id}` }, effectiveDateTime: instant(visit.day, visit.minutes), issued: instant(visit.day, visit.minutes + 95),
      performer: [reference(`Organization/${visit.by.post.hospital.id}`, visit.by.post.hospital.name)],
      result: results.map((each) => ({ reference: `Observation/${each.id}` })),
      conclusion: abnormal.length === 0 ? '各项结果均在参考范围内。' : `异常项目：${abnormal.map((each) => `${each.zh}${each.flag === 'H' ? '偏高' : '偏低'}`).join('，')}。`,
      _conclusion: english(abnormal.length === 0 ? 'All results within the reference range.' : `Outside the range: ${abnormal.map((each) => `${each.en} ${each.flag === 'H' ? 'high' : 'low'}`).join(', ')}.`),
    })
  }

  #observation(visit: Visit, name: AnalyteName, value: number, category: unknown): { id: string; flag: 'L' | 'H' | 'N'; zh: string; en: string } {
    const analyte = analytes[name]
    const [low, high] = limits(name, this.person, visit.day)
    const flag = low !== null && value < low ? 'L' : high !== null && value > high ? 'H' : 'N'
    const id = this.#id(visit.day, visit.minutes + 30)
    const quantity = (amount: number) => ({ value: amount, unit: analyte.printed ?? analyte.unit, system: systems.ucum, code: analyte.unit })
    this.resources.push({
      resourceType: 'Observation', id, status: 'final', category, code: analyteConcepts.get(name), subject: this.#subject,
      encounter: { reference: `Encounter/${visit.id}` }, effectiveDateTime: instant(visit.day, visit.minutes),
      performer: [{ reference: `Organization/${visit.by.post.hospital.id}` }],
      valueQuantity: quantity(value),
      // As on paper: only what is out of range carries a mark.
      ...(flag === 'N' ? {} : { interpretation: [interpretations[flag]] }),
      ...(low === null && high === null ? {} : { referenceRange: [{ ...(low === null ? {} : { low: quantity(low) }), ...(high === null ? {} : { high: quantity(high) }) }] }),
    })
    return { id, flag, zh: analyte.zh, en: analyte.en }
  }

  /** One analyte on its own, as a vital sign. */
  vital(visit: Visit, name: AnalyteName, moment: Moment = {}): void {
    this.#observation(visit, name, measure(this.random, this.body, name, visit.day, moment), vitalSigns)
  }

  /** Length and weight of a child. */
  growth(visit: Visit): void {
    const size = childSize(this.body, (visit.day - this.person.birth) / 30.44)
    this.#observation(visit, 'height', size.heightCm, vitalSigns)
    this.#observation(visit, 'weight', size.weightKg, vitalSigns)
  }

  bloodPressure(visit: Visit, moment: Moment = {}): void {
    const systolic = measure(this.random, this.body, 'systolic', visit.day, moment)
    const diastolic = Math.min(round(analytes.diastolic, systolic - 22), measure(this.random, this.body, 'diastolic', visit.day, moment))
    const limitsSystolic = limits('systolic', this.person, visit.day)
    const high = systolic > (limitsSystolic[1] ?? 139) || diastolic > (limits('diastolic', this.person, visit.day)[1] ?? 89)
    const part = (name: 'systolic' | 'diastolic', value: number) => ({
      code: analyteConcepts.get(name), valueQuantity: { value, unit: 'mmHg', system: systems.ucum, code: 'mm[Hg]' },
    })
    this.resources.push({
      resourceType: 'Observation', id: this.#id(visit.day, visit.minutes), status: 'final', category: vitalSigns, code: bloodPressure, subject: this.#subject,
      encounter: { reference: `Encounter/${visit.id}` }, effectiveDateTime: instant(visit.day, visit.minutes),
      performer: [{ reference: `Practitioner/${visit.by.doctor.id}`, display: visit.by.doctor.name.zh }],
      ...(high ? { interpretation: [interpretations.H] } : {}),
      component: [part('systolic', systolic), part('diastolic', diastolic)],
    })
  }

  /** A picture or function test, with what it shows. */
  study(visit: Visit, name: StudyName, finding: Named | null): void {
    const study = studies[name]
    const text = finding ?? study.normal
    this.resources.push({
      resourceType: 'DiagnosticReport', id: this.#id(visit.day, visit.minutes + 70), status: 'final', category: reportImaging, code: studyConcepts.get(name),
      subject: this.#subject, encounter: { reference: `Encounter/${visit.id}` }, effectiveDateTime: instant(visit.day, visit.minutes + 25), issued: instant(visit.day, visit.minutes + 110),
      performer: [reference(`Organization/${visit.by.post.hospital.id}`, visit.by.post.hospital.name)],
      conclusion: text.zh, _conclusion: english(text.en),
    })
  }

  prescribe(visit: Visit, name: DrugName, reason: string, supplyDays: number, running: boolean): void {
    const drug = drugs[name]
    const dosage = dosageText(drug)
    const route = routeOf(drug)
    this.resources.push({
      resourceType: 'MedicationRequest', id: this.#id(visit.day, visit.minutes + 5), status: running ? 'active' : 'completed', intent: 'order',
      medicationCodeableConcept: drugConcepts.get(name), subject: this.#subject, encounter: { reference: `Encounter/${visit.id}` },
      authoredOn: instant(visit.day, visit.minutes + 5), requester: reference(`Practitioner/${visit.by.doctor.id}`, { zh: visit.by.doctor.name.zh, en: visit.by.doctor.name.en }),
      reasonReference: [{ reference: `Condition/${reason}` }],
      dosageInstruction: [{
        text: dosage.zh, _text: english(dosage.en),
        timing: { repeat: drug.moment === 'weekly' ? { frequency: 1, period: 1, periodUnit: 'wk' } : { frequency: drug.daily, period: 1, periodUnit: 'd' } },
        route: { text: route.zh, _text: english(route.en) }, doseAndRate: [{ doseQuantity: { value: drug.dose, unit: doseUnitText(drug) } }],
      }],
      dispenseRequest: {
        quantity: { value: Math.max(1, Math.ceil(supplyDays / drug.packDays)), unit: '盒' },
        expectedSupplyDuration: { value: supplyDays, unit: '天', system: systems.ucum, code: 'd' },
      },
    })
  }

  procedure(visit: Visit, name: Named, reason: string | null): void {
    this.resources.push({
      resourceType: 'Procedure', id: this.#id(visit.day, visit.minutes + 40), status: 'completed', code: { text: name.zh, _text: english(name.en) },
      subject: this.#subject, encounter: { reference: `Encounter/${visit.id}` }, performedDateTime: instant(visit.day + Math.min(1, visit.stayDays), visit.minutes + 40),
      performer: [{ actor: reference(`Practitioner/${visit.by.doctor.id}`, { zh: visit.by.doctor.name.zh, en: visit.by.doctor.name.en }) }],
      ...(reason === null ? {} : { reasonReference: [{ reference: `Condition/${reason}` }] }),
    })
  }

  /** Anything that belongs to the chart but needs no helper of its own. */
  add(day: Day, build: (id: string, subject: { reference: string }) => Made): string {
    const id = this.#id(day, 600)
    this.resources.push(build(id, this.#subject))
    return id
  }
}
