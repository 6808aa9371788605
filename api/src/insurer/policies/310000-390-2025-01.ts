/**
 * Shanghai resident scheme, calendar year, from 2025; the rules of 2026 are the newest known to us and the same. Certainty:
 * [S] stated by a compilation of city insurance rules, [M]/[L] general knowledge of medium or low certainty. Village clinics
 * (80 % [M]) are not told apart from other primary care yet.
 */
import type { CategoryTerms, Policy } from '../rules.ts'

const outpatient: CategoryTerms = {
  // 19 to 59 years: 500; older people, children and students 300 [S].
  deductible: { per: 'year', fen: [[{ ageFrom: 60 }, 30_000n], [{ ageUntil: 18 }, 30_000n], [{}, 50_000n]] },
  ratio: [[{ level: 1 }, 7000], [{ level: 2 }, 6000], [{ level: 3 }, 5000]], // [S]
  currentAccountFirst: false,
}

const inpatient: CategoryTerms = {
  deductible: { per: 'stay', fen: [[{ level: 1 }, 5_000n], [{ level: 2 }, 10_000n], [{ level: 3 }, 30_000n]] }, // [S]
  ratio: [
    // From 60 years 90/80/70 % [S]; younger 80/75/60 % [M].
    [{ ageFrom: 60, level: 1 }, 9000], [{ ageFrom: 60, level: 2 }, 8000], [{ ageFrom: 60, level: 3 }, 7000],
    [{ level: 1 }, 8000], [{ level: 2 }, 7500], [{ level: 3 }, 6000],
  ],
  currentAccountFirst: false,
}

export const policy: Policy = {
  id: '310000-390-2025-01',
  region: '310000',
  scheme: 390,
  from: '2025-01-01',
  until: null,
  name: { zh: '上海市城乡居民基本医疗保险', en: 'Shanghai resident basic medical insurance' },
  yearBegins: '01-01',
  categories: { outpatient, inpatient },
  capFen: 25_000_000n, // [L]
  aboveCapParts: 0,
  criticalIllness: { deductibleFen: 0n, parts: 6000 }, // [S]
  aid: { parts: 9000, yearLimitFen: 15_000_000n }, // ratio [L]; the limit is an assumption of ours
  priorAccountPays: [],
}
