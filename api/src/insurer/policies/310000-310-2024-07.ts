/**
 * Shanghai employee scheme, benefit year 1 July 2024 to 30 June 2025. Data, never edited once used. Certainty behind each value:
 * [S] stated by a compilation of city insurance rules, [M]/[L] general knowledge of medium or low certainty.
 */
import type { Bands, CategoryTerms, Policy } from '../rules.ts'
import { crossRegion } from './310000-cross-region.ts'

const retired = [12]

/** 自负段 of a benefit year: active 500, retired 300 [S]; retired by the end of 2000: 200 [L]. In force since July 2023. */
const outpatientDeductible: Bands<bigint> = [
  [{ personTypes: retired, retiredUntil: '2000-12-31' }, 20_000n],
  [{ personTypes: retired }, 30_000n],
  [{}, 50_000n],
]

/** Active 80/75/70 % [S]; retired 5 to 10 points more [S], split at 70 years of age [M]. */
const outpatientRatio: Bands<number> = [
  [{ personTypes: retired, ageFrom: 70, level: 1 }, 9000],
  [{ personTypes: retired, ageFrom: 70, level: 2 }, 8500],
  [{ personTypes: retired, ageFrom: 70, level: 3 }, 8000],
  [{ personTypes: retired, level: 1 }, 8500],
  [{ personTypes: retired, level: 2 }, 8000],
  [{ personTypes: retired, level: 3 }, 7500],
  [{ level: 1 }, 8000],
  [{ level: 2 }, 7500],
  [{ level: 3 }, 7000],
]

/** 85 % active [S], 92 % retired ([S] inpatient, [M] outpatient major disease). */
const highRatio: Bands<number> = [[{ personTypes: retired }, 9200], [{}, 8500]]

const outpatient: CategoryTerms = { deductible: { per: 'year', fen: outpatientDeductible }, ratio: outpatientRatio, currentAccountFirst: true, capFen: null }
const outpatientMajor: CategoryTerms = { deductible: { per: 'year', fen: [[{}, 0n]] }, ratio: highRatio, currentAccountFirst: false, capFen: null }
/** 80 % [S]. */
const homeSickbed: CategoryTerms = { deductible: { per: 'year', fen: [[{}, 0n]] }, ratio: [[{}, 8000]], currentAccountFirst: false, capFen: null }
const inpatient: CategoryTerms = {
  // Once a year: active 1500, retired 1200 [S]; retired by the end of 2000: 700 [M].
  deductible: { per: 'year', fen: [[{ personTypes: retired, retiredUntil: '2000-12-31' }, 70_000n], [{ personTypes: retired }, 120_000n], [{}, 150_000n]] },
  ratio: highRatio,
  currentAccountFirst: false,
  capFen: null,
}

export const policy: Policy = {
  id: '310000-310-2024-07',
  region: '310000',
  scheme: 310,
  from: '2024-07-01',
  until: '2025-06-30',
  name: { zh: '上海市职工基本医疗保险', en: 'Shanghai employee basic medical insurance' },
  yearBegins: '07-01',
  rounding: 'half-up',
  categories: { outpatient, 'outpatient-major': outpatientMajor, 'home-sickbed': homeSickbed, inpatient },
  capFen: 63_000_000n, // [S]
  aboveCap: { parts: 8000, untilFen: null }, // [S] 地方附加基金, without limit
  criticalIllness: null,
  aid: null,
  priorAccountPays: ['first-pay', 'self'],
  crossRegion,
}
