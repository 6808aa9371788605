/**
 * The kinds of terms an insurance policy can use, and which of them hold for a person and a visit. Pure. A value that
 * depends on the person is a list of bands read from the top: the first whose condition holds counts.
 * Source: docs/settlement.md, § Policies.
 */
import type { Scheme } from './enrolment.ts'

/** What a visit is to the insurer (med_type): 11/12/13 ordinary outpatient, 14 major disease, 21 inpatient. */
export type MedicalCategory = 'outpatient' | 'outpatient-major' | 'inpatient'
/** 1 community and primary, 2 secondary, 3 tertiary. */
export type HospitalLevel = 1 | 2 | 3

export interface Insured {
  personType: number
  /** Whole years on the day of service. */
  age: number
  /** YYYY-MM-DD; null when not retired. */
  retiredOn: string | null
}

/** Every part that is given must hold. */
export interface Condition {
  personTypes?: readonly number[]
  ageFrom?: number
  ageUntil?: number
  /** Retired on this day or before. */
  retiredUntil?: string
  level?: HospitalLevel
}

export type Bands<T> = readonly (readonly [Condition, T])[]

export interface CategoryTerms {
  /** `year`: used up once a benefit year; `stay`: anew for each stay. */
  deductible: { per: 'year' | 'stay'; fen: Bands<bigint> }
  /** Share of the pooled fund between deductible and cap, parts of 10 000. */
  ratio: Bands<number>
  /** Does the account of the current year pay before the deductible? */
  currentAccountFirst: boolean
}

export interface Policy {
  /** `<region>-<scheme>-<first month>`, as its file is called. */
  id: string
  region: string
  scheme: Scheme
  /** First and last day of service it holds for; `until` null: until a newer one begins. */
  from: string
  until: string | null
  name: { zh: string; en: string }
  /** Month and day a benefit year begins: `07-01` or `01-01`. */
  yearBegins: '07-01' | '01-01'
  categories: Partial<Record<MedicalCategory, CategoryTerms>>
  /** Compared with in-scope expense above the deductible of the whole year, outpatient and inpatient together. */
  capFen: bigint
  /** Share of the supplementary fund above the cap, parts of 10 000; 0: none. */
  aboveCapParts: number
  /** Second layer for critical illness; null: none. */
  criticalIllness: { deductibleFen: bigint; parts: number } | null
  /** Medical aid for the poor; null: none. */
  aid: { parts: number; yearLimitFen: bigint } | null
  /** What the account of earlier years may pay. Own expense and the part above a price limit are never among it. */
  priorAccountPays: readonly ('first-pay' | 'self')[]
}

/** @throws Error when no band holds: a fault of the policy, found by the test that walks all of them. */
export function valueFor<T>(bands: Bands<T>, insured: Insured, level: HospitalLevel): T {
  const band = bands.find(([condition]) => holds(condition, insured, level))
  if (!band) throw new Error('No band of the policy fits.')
  return band[1]
}

export function holds(condition: Condition, insured: Insured, level: HospitalLevel): boolean {
  return (condition.personTypes === undefined || condition.personTypes.includes(insured.personType))
    && (condition.ageFrom === undefined || insured.age >= condition.ageFrom)
    && (condition.ageUntil === undefined || insured.age <= condition.ageUntil)
    && (condition.retiredUntil === undefined || (insured.retiredOn !== null && insured.retiredOn <= condition.retiredUntil))
    && (condition.level === undefined || level === condition.level)
}

/** Whole years between two days; a birthday counts on its day, 29 February on 1 March of other years. */
export function ageOn(birthDate: string, day: string): number {
  const years = Number(day.slice(0, 4)) - Number(birthDate.slice(0, 4))
  return day.slice(5) < birthDate.slice(5) ? years - 1 : years
}

/** First day of the benefit year a day of service falls in. */
export function benefitYear(policy: Pick<Policy, 'yearBegins'>, day: string): string {
  const year = Number(day.slice(0, 4))
  return `${day.slice(5) < policy.yearBegins ? year - 1 : year}-${policy.yearBegins}`
}

/** Level of a hospital from the insurer's code 01…11 (三级特等 … 无等级); unrated ones count as primary. */
export function levelOf(code: string): HospitalLevel | null {
  if (['01', '02', '03', '04'].includes(code)) return 3
  if (['05', '06', '07'].includes(code)) return 2
  return ['08', '09', '10', '11'].includes(code) ? 1 : null
}
