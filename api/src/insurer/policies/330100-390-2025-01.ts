/**
 * Hangzhou resident scheme, calendar year, from 2025. Values of a secondary compilation, to be verified before production.
 */
import type { Bands, CategoryTerms, Policy } from '../rules.ts'
import { crossRegion, inpatientDeductible } from './330100-310-2025-01.ts'

const outpatient: CategoryTerms = {
  deductible: { per: 'year', fen: [[{ gpContract: true }, 0n], [{}, 30_000n]] },
  ratio: [[{ level: 1 }, 7000], [{ level: 2 }, 6000], [{ level: 3 }, 4000]],
  currentAccountFirst: false,
  capFen: 30_000_000n,
}
const inpatientRatio: Bands<number> = [[{ level: 1 }, 8000], [{ level: 2 }, 7500], [{ level: 3 }, 7000]]
const inpatient: CategoryTerms = { deductible: { per: 'stay', fen: inpatientDeductible }, ratio: inpatientRatio, currentAccountFirst: false, capFen: null }
/** As a stay, without its deductible (assumption). */
const outpatientMajor: CategoryTerms = { deductible: { per: 'year', fen: [[{}, 0n]] }, ratio: inpatientRatio, currentAccountFirst: false, capFen: null }

export const policy: Policy = {
  id: '330100-390-2025-01',
  region: '330100',
  scheme: 390,
  from: '2025-01-01',
  until: null,
  name: { zh: '杭州市城乡居民基本医疗保险', en: 'Hangzhou resident basic medical insurance' },
  yearBegins: '01-01',
  rounding: 'half-up',
  categories: { outpatient, 'outpatient-major': outpatientMajor, inpatient },
  capFen: 30_000_000n,
  aboveCap: null,
  criticalIllness: {
    categories: ['inpatient', 'outpatient-major'], illnesses: 'all', deductibleFen: 2_500_000n,
    tiers: [{ untilFen: 10_000_000n, parts: 7000 }, { untilFen: 20_000_000n, parts: 7500 }, { untilFen: null, parts: 8000 }],
  },
  aid: null,
  priorAccountPays: [],
  crossRegion,
}
