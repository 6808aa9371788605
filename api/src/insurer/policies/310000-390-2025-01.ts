/**
 * Shanghai resident scheme, calendar year, from 2025; the rules of 2026 are the newest known to us and the same. Certainty:
 * [S] stated by a compilation of city insurance rules, [M]/[L] general knowledge of medium or low certainty.
 */
import type { Bands, CategoryTerms, Policy } from '../rules.ts'
import { crossRegion } from './310000-cross-region.ts'

/** From 60 years 90/80/70 % [S]; younger 80/75/60 % [M]. */
const inpatientRatio: Bands<number> = [
  [{ ageFrom: 60, level: 1 }, 9000], [{ ageFrom: 60, level: 2 }, 8000], [{ ageFrom: 60, level: 3 }, 7000],
  [{ level: 1 }, 8000], [{ level: 2 }, 7500], [{ level: 3 }, 6000],
]

const outpatient: CategoryTerms = {
  // 19 to 59 years: 500; older people, children and students (1403) 300 [S]; severely disabled people (1405) 300 [M].
  deductible: { per: 'year', fen: [[{ ageFrom: 60 }, 30_000n], [{ ageUntil: 18 }, 30_000n], [{ personTypes: [1403, 1405] }, 30_000n], [{}, 50_000n]] },
  ratio: [[{ level: 0 }, 8000], [{ level: 1 }, 7000], [{ level: 2 }, 6000], [{ level: 3 }, 5000]], // [S]; village clinic [M]
  currentAccountFirst: false,
  capFen: null,
}

const inpatient: CategoryTerms = {
  deductible: { per: 'stay', fen: [[{ level: 1 }, 5_000n], [{ level: 2 }, 10_000n], [{ level: 3 }, 30_000n]] }, // [S]
  ratio: inpatientRatio,
  currentAccountFirst: false,
  capFen: null,
}

/** As a stay, without its deductible [L]. */
const outpatientMajor: CategoryTerms = { deductible: { per: 'year', fen: [[{}, 0n]] }, ratio: inpatientRatio, currentAccountFirst: false, capFen: null }

/** 大病 list: severe uraemia with dialysis, care after a transplant, cancer, some psychoses [M], as ICD-10. */
const criticalIllnesses = ['C', 'N18.5', 'N18.6', 'Z49', 'Z94', 'F20', 'F22', 'F25', 'F31']

export const policy: Policy = {
  id: '310000-390-2025-01',
  region: '310000',
  scheme: 390,
  from: '2025-01-01',
  until: null,
  name: { zh: '上海市城乡居民基本医疗保险', en: 'Shanghai resident basic medical insurance' },
  yearBegins: '01-01',
  rounding: 'half-up',
  categories: { outpatient, 'outpatient-major': outpatientMajor, inpatient },
  capFen: 25_000_000n, // [L]
  aboveCap: null,
  // 60 % [S] of the own share, from the first fen.
  criticalIllness: { categories: ['inpatient', 'outpatient-major'], illnesses: criticalIllnesses, deductibleFen: 0n, tiers: [{ untilFen: null, parts: 6000 }] },
  aid: { categories: ['inpatient'], parts: 9000, yearLimitFen: 15_000_000n }, // ratio [L]; the limit is an assumption of ours
  priorAccountPays: [],
  crossRegion,
}
