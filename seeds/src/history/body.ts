/**
 * The body behind the numbers: what an analyte is in this person on that day, given age, sex, lasting traits, diseases and
 * their treatment. Values of one person therefore trend and agree with one another (glucose follows HbA1c, total
 * cholesterol is the sum of its parts). Invariant: a value never leaves the analyte's physical bounds.
 * Sources: estimated average glucose (ADAG), Friedewald relation; courses under treatment after Chinese guidelines.
 */
import { ageOn, type Day } from '../calendar.ts'
import type { ChronicName } from '../data/chronic-diseases.ts'
import { type Analyte, type AnalyteName, analytes } from '../data/labs.ts'
import type { Person } from '../people/households.ts'
import type { Random } from '../random.ts'

/** A long-lasting disease of a person. `severity` 0..1 shapes every number it touches. */
export interface Illness { name: ChronicName; onset: Day; severity: number }

/** What passes: an infection on the day of the visit, a pregnancy. */
export interface Moment { infection?: 'bacterial' | 'viral'; fever?: boolean; pregnantWeeks?: number }

export interface Body { person: Person; traits: Readonly<Record<string, number>>; illnesses: readonly Illness[]; heightCm: number; bmi: number }

export function bodyOf(random: Random, person: Person, illnesses: readonly Illness[]): Body {
  const traits: Record<string, number> = {}
  for (const name of Object.keys(analytes)) traits[name] = random.normal(0, 0.75)
  const heavy = illnesses.reduce((sum, each) => sum + (extraBmi[each.name] ?? 0), 0)
  return {
    person, traits, illnesses,
    heightCm: person.sex === 'male' ? random.normal(172, 5.5) : random.normal(160.5, 5),
    bmi: Math.min(35, Math.max(17, random.normal(person.sex === 'male' ? 23.4 : 22.2, 2.2) + heavy)),
  }
}

const extraBmi: Partial<Record<ChronicName, number>> = { fattyLiver: 2.6, diabetes: 1.2, hypertension: 0.7, gout: 1.3 }

/** Normal mean and spread of an adult: [male mean, female mean, spread]. */
const usual: Readonly<Record<AnalyteName, readonly [number, number, number]>> = {
  wbc: [6.3, 5.9, 1.1], neutrophils: [57, 57, 5.5], lymphocytes: [33, 34, 5], rbc: [5.0, 4.4, 0.25], haemoglobin: [152, 131, 7], platelets: [225, 242, 40], crp: [2.2, 2.2, 1.3],
  glucose: [5.2, 5.1, 0.3], hba1c: [5.4, 5.4, 0.2], cholesterol: [4.6, 4.6, 0.1], triglyceride: [1.25, 1.05, 0.28], hdl: [1.24, 1.46, 0.16], ldl: [2.75, 2.65, 0.42],
  alt: [22, 17, 6], ast: [22, 20, 4], bilirubin: [13, 11, 3.5], creatinine: [80, 60, 8], urea: [5.2, 4.7, 0.9], urate: [345, 265, 42], potassium: [4.2, 4.1, 0.25],
  tsh: [1.9, 2.2, 0.7], ft4: [16.2, 15.8, 1.6], vitaminD: [24, 22, 5], troponin: [0.006, 0.005, 0.002], bnp: [45, 55, 20], psa: [0.9, 0.1, 0.3],
  afp: [2.8, 2.6, 0.8], cea: [2.0, 1.6, 0.6], albuminuria: [9, 10, 4], ferritin: [150, 60, 25], hcg: [1, 1, 0.5],
  systolic: [116, 110, 7], diastolic: [74, 70, 5.5], pulse: [73, 76, 7], temperature: [36.5, 36.6, 0.2],
  height: [172, 160, 5], weight: [68, 57, 8], bmi: [23.4, 22.2, 2], saturation: [98, 98, 0.8],
}

/** A value as the laboratory prints it. */
export function measure(random: Random, body: Body, name: AnalyteName, day: Day, moment: Moment = {}): number {
  const analyte = analytes[name]
  const value = derived(random, body, name, day, moment) ?? direct(random, body, name, day, moment)
  return round(analyte, value)
}

export function round(analyte: Analyte, value: number): number {
  return Number(Math.min(analyte.ceiling, Math.max(analyte.floor, value)).toFixed(analyte.decimals))
}

function direct(random: Random, body: Body, name: AnalyteName, day: Day, moment: Moment): number {
  const [male, female, spread] = usual[name]
  const mean = body.person.sex === 'male' ? male : female
  const steady = mean + (body.traits[name] ?? 0) * spread
  return withMoment(name, withIllness(body, name, day, withAge(body, name, day, steady)), moment) + random.normal(0, spread * 0.35)
}

/** Analytes that follow from others. */
function derived(random: Random, body: Body, name: AnalyteName, day: Day, moment: Moment): number | null {
  switch (name) {
    case 'glucose': {
      if (!illness(body, 'diabetes', day)) return null
      const average = 1.59 * direct(random, body, 'hba1c', day, moment) - 2.59
      return average * 0.9 + random.normal(0, 0.5)
    }
    case 'cholesterol':
      return direct(random, body, 'ldl', day, moment) + direct(random, body, 'hdl', day, moment) + direct(random, body, 'triglyceride', day, moment) / 2.2
    case 'lymphocytes':
      return 90 - direct(random, body, 'neutrophils', day, moment) + random.normal(0, 1.5)
    case 'height': return body.heightCm
    case 'bmi': return body.bmi + random.normal(0, 0.3)
    case 'weight': return body.bmi * (body.heightCm / 100) ** 2 + random.normal(0, 0.8) + (moment.pregnantWeeks ?? 0) * 0.32
    default: return null
  }
}

function withAge(body: Body, name: AnalyteName, day: Day, value: number): number {
  const age = ageOn(body.person.birth, day)
  const years = Math.max(0, age - 30)
  switch (name) {
    case 'systolic': return age < 14 ? 92 + age * 1.4 : value + years * 0.32
    case 'diastolic': return age < 14 ? 56 + age * 1 : value + Math.min(years, 30) * 0.16
    case 'pulse': return age < 14 ? 118 - age * 3 : value
    case 'creatinine': return age < 14 ? 22 + age * 2.4 : value + Math.max(0, age - 60) * 0.35
    case 'psa': return value * (1 + Math.max(0, age - 45) * 0.03)
    case 'bnp': return value * (1 + Math.max(0, age - 55) * 0.04)
    case 'glucose': return value + Math.min(years, 40) * 0.006
    case 'ldl': return value + Math.min(years, 30) * 0.012
    case 'haemoglobin': return age < 14 ? 121 + age * 0.8 : value - Math.max(0, age - 65) * 0.35
    case 'wbc': return age < 14 ? value + (14 - age) * 0.18 : value
    case 'neutrophils': return age < 6 ? 40 + age * 2 : value
    case 'vitaminD': return value - Math.max(0, age - 60) * 0.15
    default: return value
  }
}

function illness(body: Body, name: ChronicName, day: Day): Illness | null {
  return body.illnesses.find((each) => each.name === name && each.onset <= day) ?? null
}

/** 1 at diagnosis, falling to 0 within half a year of treatment. */
function untreated(each: Illness, day: Day): number {
  return Math.max(0, 1 - (day - each.onset) / 180)
}

function withIllness(body: Body, name: AnalyteName, day: Day, value: number): number {
  let result = value
  for (const each of body.illnesses) {
    if (each.onset > day) continue
    const effect = effects[each.name]?.[name]
    if (effect) result = effect(result, each.severity, untreated(each, day), (day - each.onset) / 365)
  }
  return result
}

type Effect = (value: number, severity: number, untreated: number, years: number) => number

/** What each disease does to each number. */
const effects: Partial<Record<ChronicName, Partial<Record<AnalyteName, Effect>>>> = {
  hypertension: {
    systolic: (value, severity, fresh) => Math.max(value, 128) + severity * 9 + fresh * (18 + severity * 12),
    diastolic: (value, severity, fresh) => Math.max(value, 78) + severity * 5 + fresh * (9 + severity * 6),
    creatinine: (value, severity) => value + severity * 5,
  },
  diabetes: {
    hba1c: (_value, severity, fresh, years) => 6.5 + severity * 1.1 + fresh * (1 + severity * 2.6) + (years % 5) * 0.12,
    triglyceride: (value, severity) => value + 0.4 + severity * 0.5,
    albuminuria: (value, severity, _fresh, years) => value + severity * years * 5,
  },
  hyperlipidaemia: {
    ldl: (_value, severity, fresh) => 2.2 + severity * 0.7 + fresh * (1.4 + severity * 0.9),
    triglyceride: (value, severity, fresh) => value + 0.3 + severity * 0.4 + fresh * 0.7,
  },
  coronary: {
    ldl: (value, severity) => Math.min(value, 1.6 + severity * 0.6),
    bnp: (value, severity) => value + 90 + severity * 260,
    pulse: (value) => value - 8,
  },
  fibrillation: { bnp: (value, severity) => value + 380 + severity * 700, pulse: (value, severity) => value + 6 + severity * 10 },
  stroke: { ldl: (value) => Math.min(value, 2.3) },
  copd: { saturation: (value, severity) => value - 1 - severity * 3.5, pulse: (value) => value + 5 },
  fattyLiver: {
    alt: (value, severity, fresh) => value + 12 + severity * 26 + fresh * 18, ast: (value, severity) => value + 6 + severity * 12,
    triglyceride: (value, severity) => value + 0.4 + severity * 0.7, hdl: (value) => value - 0.12, urate: (value) => value + 30,
  },
  hypothyroidism: {
    tsh: (_value, severity, fresh) => 2.8 + severity * 1.4 + fresh * (9 + severity * 12), ft4: (value, _severity, fresh) => value - fresh * 5,
    cholesterol: (value, _severity, fresh) => value + fresh * 0.6,
  },
  gout: { urate: (_value, severity, fresh) => 345 + severity * 55 + fresh * (150 + severity * 60) },
  prostate: { psa: (value, severity) => value + 1 + severity * 1.8 },
  kidney: {
    creatinine: (value, severity, _fresh, years) => value + 35 + severity * 55 + years * 5, urea: (value, severity) => value + 3 + severity * 3,
    albuminuria: (value, severity) => value + 90 + severity * 300, haemoglobin: (value, severity) => value - 8 - severity * 14, urate: (value) => value + 55,
    potassium: (value, severity) => value + 0.3 + severity * 0.3,
  },
  anaemia: {
    haemoglobin: (value, severity, fresh) => value - 6 - fresh * (22 + severity * 16), rbc: (value, _severity, fresh) => value - fresh * 0.5,
    ferritin: (_value, severity, fresh) => 34 - fresh * (26 - (1 - severity) * 4),
  },
  osteoporosis: { vitaminD: (value, severity, fresh) => value - 2 - fresh * (4 + severity * 4) + (1 - fresh) * 7 },
}

function withMoment(name: AnalyteName, value: number, moment: Moment): number {
  if (moment.infection === 'bacterial') {
    const shift: Partial<Record<AnalyteName, number>> = { wbc: 6.2, neutrophils: 22, crp: 42, pulse: 12 }
    value += shift[name] ?? 0
  }
  if (moment.infection === 'viral') {
    const shift: Partial<Record<AnalyteName, number>> = { wbc: -1.6, neutrophils: -12, crp: 5, pulse: 9 }
    value += shift[name] ?? 0
  }
  if (moment.fever && name === 'temperature') value += 1.9
  if (moment.pregnantWeeks !== undefined) {
    const shift: Partial<Record<AnalyteName, number>> = { haemoglobin: -14, wbc: 2.2, neutrophils: 10, ferritin: -25, pulse: 10, systolic: -3 }
    value += (shift[name] ?? 0) * Math.min(1, moment.pregnantWeeks / 20)
    if (name === 'hcg') value = moment.pregnantWeeks < 8 ? 12000 + moment.pregnantWeeks * 5000 : 60000
  }
  return value
}

/** Reference limits for this person; children have their own for the blood count. Null: no limit on that side. */
export function limits(name: AnalyteName, person: Person, day: Day): readonly [number | null, number | null] {
  const child = ageOn(person.birth, day) < 14 ? childLimits[name] : undefined
  if (child) return child
  const { low, high } = analytes[name]
  const side = person.sex === 'male' ? 0 : 1
  return [typeof low === 'number' || low === null ? low : low[side], typeof high === 'number' || high === null ? high : high[side]]
}

const childLimits: Partial<Record<AnalyteName, readonly [number, number]>> = {
  wbc: [4.4, 11.9], neutrophils: [22, 65], lymphocytes: [23, 69], haemoglobin: [112, 149], rbc: [4.0, 5.5], platelets: [188, 472],
  systolic: [80, 119], diastolic: [45, 79], pulse: [70, 130], creatinine: [19, 62],
}

/** Median length (cm) and weight (kg) of a child by age in months, [boys, girls]; WHO growth standards, rounded. */
const growth: readonly (readonly [months: number, boyCm: number, girlCm: number, boyKg: number, girlKg: number])[] = [
  [0, 49.9, 49.1, 3.3, 3.2], [1, 54.7, 53.7, 4.5, 4.2], [3, 61.4, 59.8, 6.4, 5.8], [6, 67.6, 65.7, 7.9, 7.3], [8, 70.6, 68.7, 8.6, 7.9],
  [12, 75.7, 74.0, 9.6, 8.9], [18, 82.3, 80.7, 10.9, 10.2], [24, 87.8, 86.4, 12.2, 11.5], [30, 91.9, 90.7, 13.3, 12.7], [36, 96.1, 95.1, 14.3, 13.9],
  [48, 103.3, 102.7, 16.3, 16.1], [60, 110, 109.4, 18.3, 18.2], [72, 116, 115.1, 20.5, 20.2], [96, 127.3, 126.6, 25.4, 25], [120, 137.8, 138.6, 31.2, 31.9],
  [144, 149.1, 151.2, 39.9, 41.5], [168, 163.2, 159.8, 50.8, 49.4], [192, 172.9, 162.5, 60.8, 53.9],
]

/** Length and weight of this child in that month of life. */
export function childSize(body: Body, months: number): { heightCm: number; weightKg: number } {
  const upper = Math.max(1, growth.findIndex((each) => each[0] >= months))
  const [fromMonths, ...from] = growth[upper - 1] as (typeof growth)[number]
  const [toMonths, ...to] = growth[upper] as (typeof growth)[number]
  const share = Math.min(1, Math.max(0, (months - fromMonths) / (toMonths - fromMonths)))
  const boy = body.person.sex === 'male'
  const height = from[boy ? 0 : 1] + (to[boy ? 0 : 1] - from[boy ? 0 : 1]) * share
  const weight = from[boy ? 2 : 3] + (to[boy ? 2 : 3] - from[boy ? 2 : 3]) * share
  return {
    heightCm: round(analytes.height, height * (1 + (body.traits.height ?? 0) * 0.03)),
    weightKg: round(analytes.weight, weight * (1 + (body.traits.weight ?? 0) * 0.08)),
  }
}
