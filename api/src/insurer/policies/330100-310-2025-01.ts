/**
 * Hangzhou employee scheme, calendar year, from 2025. Values of a secondary compilation, to be verified before production. A
 * contract with a family doctor takes 300 yuan off the outpatient deductible.
 */
import type { Bands, CategoryTerms, Policy } from '../rules.ts'

const retired = [12]

const outpatient: CategoryTerms = {
  deductible: { per: 'year', fen: [[{ personTypes: retired, gpContract: true }, 0n], [{ personTypes: retired }, 20_000n], [{ gpContract: true }, 30_000n], [{}, 60_000n]] },
  ratio: [
    [{ personTypes: retired, level: 1 }, 9200], [{ personTypes: retired, level: 2 }, 8600], [{ personTypes: retired, level: 3 }, 8200],
    [{ level: 1 }, 8600], [{ level: 2 }, 8000], [{ level: 3 }, 7600],
  ],
  currentAccountFirst: false,
  capFen: null,
}
/** 92/88/84 %, retired 4 points more. */
const inpatientRatio: Bands<number> = [
  [{ personTypes: retired, level: 1 }, 9600], [{ personTypes: retired, level: 2 }, 9200], [{ personTypes: retired, level: 3 }, 8800],
  [{ level: 1 }, 9200], [{ level: 2 }, 8800], [{ level: 3 }, 8400],
]
export const inpatientDeductible: Bands<bigint> = [[{ level: 1 }, 30_000n], [{ level: 2 }, 50_000n], [{ level: 3 }, 80_000n]]
const inpatient: CategoryTerms = { deductible: { per: 'stay', fen: inpatientDeductible }, ratio: inpatientRatio, currentAccountFirst: false, capFen: null }
/** As a stay, without its deductible (assumption). */
const outpatientMajor: CategoryTerms = { deductible: { per: 'year', fen: [[{}, 0n]] }, ratio: inpatientRatio, currentAccountFirst: false, capFen: null }

export const crossRegion: Policy['crossRegion'] = {
  reductions: {
    'long-term': { mode: 'points', parts: 0 }, referred: { mode: 'points', parts: 1000 }, emergency: { mode: 'points', parts: 1000 },
    temporary: { mode: 'points', parts: 2000 }, unfiled: { mode: 'points', parts: 2000 },
  },
  withoutFiling: ['310118', '320509'],
}

export const policy: Policy = {
  id: '330100-310-2025-01',
  region: '330100',
  scheme: 310,
  from: '2025-01-01',
  until: null,
  name: { zh: '杭州市职工基本医疗保险', en: 'Hangzhou employee basic medical insurance' },
  yearBegins: '01-01',
  rounding: 'half-up',
  categories: { outpatient, 'outpatient-major': outpatientMajor, inpatient },
  capFen: 40_000_000n,
  aboveCap: null,
  criticalIllness: {
    categories: ['inpatient', 'outpatient-major'], illnesses: 'all', deductibleFen: 2_500_000n,
    tiers: [{ untilFen: 5_000_000n, parts: 7000 }, { untilFen: null, parts: 8000 }],
  },
  aid: null,
  priorAccountPays: ['first-pay', 'self'],
  crossRegion,
}
