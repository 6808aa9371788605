/**
 * Suzhou resident scheme, calendar year, from 2025. Values of a secondary compilation, to be verified before production. The
 * compilation gives the outpatient deductible as 0/200: read here as 0 in primary care and 200 elsewhere (assumption).
 */
import type { Bands, CategoryTerms, Policy } from '../rules.ts'
import { crossRegion } from './320500-310-2025-01.ts'

const outpatient: CategoryTerms = {
  deductible: { per: 'year', fen: [[{ level: 1 }, 0n], [{}, 20_000n]] },
  ratio: [[{ level: 1 }, 6000], [{ level: 2 }, 5000], [{ level: 3 }, 4000]],
  currentAccountFirst: false,
  capFen: 120_000n,
}
const inpatientRatio: Bands<number> = [[{ level: 1 }, 8500], [{ level: 2 }, 8000], [{ level: 3 }, 7000]]
const inpatient: CategoryTerms = {
  deductible: { per: 'stay', fen: [[{ level: 1 }, 40_000n], [{ level: 2 }, 60_000n], [{ level: 3 }, 80_000n]] },
  ratio: inpatientRatio,
  currentAccountFirst: false,
  capFen: null,
}
/** As a stay, without its deductible (assumption). */
const outpatientMajor: CategoryTerms = { deductible: { per: 'year', fen: [[{}, 0n]] }, ratio: inpatientRatio, currentAccountFirst: false, capFen: null }

export const policy: Policy = {
  id: '320500-390-2025-01',
  region: '320500',
  scheme: 390,
  from: '2025-01-01',
  until: null,
  name: { zh: '苏州市城乡居民基本医疗保险', en: 'Suzhou resident basic medical insurance' },
  yearBegins: '01-01',
  rounding: 'half-up',
  categories: { outpatient, 'outpatient-major': outpatientMajor, inpatient },
  capFen: 25_000_000n,
  aboveCap: null,
  criticalIllness: {
    categories: ['inpatient', 'outpatient-major'], illnesses: 'all', deductibleFen: 1_500_000n,
    tiers: [{ untilFen: 5_000_000n, parts: 6000 }, { untilFen: 10_000_000n, parts: 7000 }, { untilFen: null, parts: 8000 }],
  },
  aid: null,
  priorAccountPays: [],
  crossRegion,
}
