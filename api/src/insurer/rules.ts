/**
 * The kinds of terms an insurance policy can use, and which of them hold for a person and a visit. Pure. A value that
 * depends on the person is a list of bands read from the top: the first whose condition holds counts.
 * Source: docs/settlement.md, § Policies.
 */
import type { Scheme } from './enrolment.ts'

/** What a visit is to a policy; med_type → category in `categories.ts`. */
export type MedicalCategory = 'outpatient' | 'outpatient-major' | 'home-sickbed' | 'inpatient'
/** 0 village clinic, 1 community and primary, 2 secondary, 3 tertiary. A term for level 1 holds for village clinics too. */
export type HospitalLevel = 0 | 1 | 2 | 3

export interface Insured {
  personType: number
  /** Whole years on the day of service. */
  age: number
  /** YYYY-MM-DD, as all days here. */
  birthDate: string
  /** Null when not retired. */
  retiredOn: string | null
  /** First day of work; null when not known. */
  workingSince: string | null
  /** Signed with a family doctor. */
  gpContract: boolean
}

export interface Circumstances {
  level: HospitalLevel
  /** Which inpatient stay of the benefit year this is, from 1. */
  stay: number
}

/** Every part that is given must hold. */
export interface Condition {
  personTypes?: readonly number[]
  ageFrom?: number
  ageUntil?: number
  /** Born on this day or before. */
  bornUntil?: string
  /** Retired on this day or before. */
  retiredUntil?: string
  /** Began to work on this day or before. */
  workingUntil?: string
  gpContract?: boolean
  level?: HospitalLevel
  /** This stay of the year or a later one. */
  stayFrom?: number
}

export type Bands<T> = readonly (readonly [Condition, T])[]

export interface CategoryTerms {
  /** `year`: used up once a benefit year; `stay`: anew for each stay. */
  deductible: { per: 'year' | 'stay'; fen: Bands<bigint> }
  /** Share of the pooled fund between deductible and cap, parts of 10 000. */
  ratio: Bands<number>
  /** Does the account of the current year pay before the deductible? */
  currentAccountFirst: boolean
  /** Most in-scope expense above the deductible that this category may bring to the fund in a year; null: only the common cap. */
  capFen: bigint | null
}

/** Share of what lies between the tier before and this amount; the last one has no end. Parts of 10 000. */
export interface Tier { untilFen: bigint | null; parts: number }

/** How a visit to another region was filed (备案); `unfiled` when it was not, though it should have been. */
export type FilingKind = 'long-term' | 'referred' | 'emergency' | 'temporary' | 'unfiled'
/** What treatment elsewhere takes off the ratio of the pooled fund: parts of 10 000 less, or that many parts of it. */
export interface Reduction { mode: 'points' | 'factor'; parts: number }

export type Rounding = 'half-up' | 'down'

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
  /** How each share is brought to a whole fen. */
  rounding: Rounding
  categories: Partial<Record<MedicalCategory, CategoryTerms>>
  /** Compared with in-scope expense above the deductible of the whole year, outpatient and inpatient together. */
  capFen: bigint
  /** Supplementary or large-amount fund above the cap, up to `untilFen` of the same measure (null: no limit); null: none. */
  aboveCap: { parts: number; untilFen: bigint | null } | null
  /**
   * Second layer on the own share within scope, in these categories. The tiers measure the own share of the whole benefit
   * year; what is below `deductibleFen` is not shared. `illnesses`: ICD-10 codes begin with one of these, or `all`. Null: none.
   */
  criticalIllness: { categories: readonly MedicalCategory[]; illnesses: 'all' | readonly string[]; deductibleFen: bigint; tiers: readonly Tier[] } | null
  /** Medical aid for the poor; null: none. */
  aid: { categories: readonly MedicalCategory[]; parts: number; yearLimitFen: bigint } | null
  /** What the account of earlier years may pay. Own expense and the part above a price limit are never among it. */
  priorAccountPays: readonly ('first-pay' | 'self')[]
  crossRegion: {
    reductions: Readonly<Record<FilingKind, Reduction>>
    /** Divisions (six digits) whose institutions need no filing and reduce nothing. */
    withoutFiling: readonly string[]
  }
}

/** @throws Error when no band holds: a fault of the policy, found by the test that walks all of them. */
export function valueFor<T>(bands: Bands<T>, insured: Insured, at: Circumstances): T {
  return bandFor(bands, insured, at).value
}

/** The value with the place of its band, which a trace names. */
export function bandFor<T>(bands: Bands<T>, insured: Insured, at: Circumstances): { value: T; index: number } {
  const index = bands.findIndex(([condition]) => holds(condition, insured, at))
  const band = bands[index]
  if (!band) throw new Error('No band of the policy fits.')
  return { value: band[1], index }
}

export function holds(condition: Condition, insured: Insured, { level, stay }: Circumstances): boolean {
  return (condition.personTypes === undefined || condition.personTypes.includes(insured.personType))
    && (condition.ageFrom === undefined || insured.age >= condition.ageFrom)
    && (condition.ageUntil === undefined || insured.age <= condition.ageUntil)
    && (condition.bornUntil === undefined || insured.birthDate <= condition.bornUntil)
    && (condition.retiredUntil === undefined || onOrBefore(insured.retiredOn, condition.retiredUntil))
    && (condition.workingUntil === undefined || onOrBefore(insured.workingSince, condition.workingUntil))
    && (condition.gpContract === undefined || insured.gpContract === condition.gpContract)
    && (condition.level === undefined || condition.level === level || (condition.level === 1 && level === 0))
    && (condition.stayFrom === undefined || stay >= condition.stayFrom)
}

function onOrBefore(day: string | null, limit: string): boolean {
  return day !== null && day <= limit
}

/** The ratio after what treatment in another region takes off. */
export function reducedParts(parts: number, { mode, parts: by }: Reduction): number {
  return mode === 'points' ? Math.max(0, parts - by) : Math.floor((parts * by) / 10_000)
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

/** Level of a hospital from the insurer's code 01…11 (三级特等 … 未定级), 12 village clinic; unrated ones count as primary. */
export function levelOf(code: string): HospitalLevel | null {
  if (['01', '02', '03', '04'].includes(code)) return 3
  if (['05', '06', '07'].includes(code)) return 2
  if (code === '12') return 0
  return ['08', '09', '10', '11'].includes(code) ? 1 : null
}
