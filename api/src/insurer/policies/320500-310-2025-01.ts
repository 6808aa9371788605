/**
 * Suzhou employee scheme, calendar year, from 2025. All values are of a secondary compilation of city rules: plausible, to be
 * verified with the region before production. Treatment elsewhere multiplies the ratio (factor), unlike Hangzhou and Shanghai.
 */
import type { Bands, CategoryTerms, Policy } from '../rules.ts'

const retired = [12]

const outpatient: CategoryTerms = {
  deductible: { per: 'year', fen: [[{ personTypes: retired }, 40_000n], [{}, 60_000n]] },
  ratio: [
    [{ personTypes: retired, level: 1 }, 9000], [{ personTypes: retired, level: 2 }, 8500], [{ personTypes: retired, level: 3 }, 7000],
    [{ level: 1 }, 8000], [{ level: 2 }, 7500], [{ level: 3 }, 6000],
  ],
  currentAccountFirst: false,
  capFen: 1_300_000n,
}

/** First stay of the year 400/600/800, retired 400/500/700; the second half of it, from the third on 200. */
const inpatientDeductible: Bands<bigint> = [
  [{ stayFrom: 3 }, 20_000n],
  [{ stayFrom: 2, level: 1 }, 20_000n],
  [{ stayFrom: 2, level: 2, personTypes: retired }, 25_000n], [{ stayFrom: 2, level: 3, personTypes: retired }, 35_000n],
  [{ stayFrom: 2, level: 2 }, 30_000n], [{ stayFrom: 2, level: 3 }, 40_000n],
  [{ level: 1 }, 40_000n],
  [{ level: 2, personTypes: retired }, 50_000n], [{ level: 3, personTypes: retired }, 70_000n],
  [{ level: 2 }, 60_000n], [{ level: 3 }, 80_000n],
]

const inpatientRatio: Bands<number> = [
  [{ personTypes: retired, level: 1 }, 9800], [{ personTypes: retired, level: 2 }, 9500], [{ personTypes: retired, level: 3 }, 9500],
  [{ level: 1 }, 9500], [{ level: 2 }, 9200], [{ level: 3 }, 9000],
]

const inpatient: CategoryTerms = { deductible: { per: 'stay', fen: inpatientDeductible }, ratio: inpatientRatio, currentAccountFirst: false, capFen: null }
/** As a stay, without its deductible (assumption). */
const outpatientMajor: CategoryTerms = { deductible: { per: 'year', fen: [[{}, 0n]] }, ratio: inpatientRatio, currentAccountFirst: false, capFen: null }

export const crossRegion: Policy['crossRegion'] = {
  reductions: {
    'long-term': { mode: 'factor', parts: 10_000 }, referred: { mode: 'factor', parts: 9000 }, emergency: { mode: 'factor', parts: 9000 },
    temporary: { mode: 'factor', parts: 7000 }, unfiled: { mode: 'factor', parts: 7000 },
  },
  withoutFiling: ['310118', '330421'],
}

export const policy: Policy = {
  id: '320500-310-2025-01',
  region: '320500',
  scheme: 310,
  from: '2025-01-01',
  until: null,
  name: { zh: '苏州市职工基本医疗保险', en: 'Suzhou employee basic medical insurance' },
  yearBegins: '01-01',
  rounding: 'half-up',
  categories: { outpatient, 'outpatient-major': outpatientMajor, inpatient },
  capFen: 35_000_000n,
  aboveCap: { parts: 9500, untilFen: 40_000_000n },
  criticalIllness: null,
  aid: null,
  priorAccountPays: ['first-pay', 'self'],
  crossRegion,
}
