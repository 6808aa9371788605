/**
 * Shanghai employee scheme, benefit year 1 July 2022 to 30 June 2023, the last under the old terms of outpatient care; kept for
 * old bills. [S] stated by a table of the employee scheme, [L] general knowledge of low certainty.
 */
import type { Bands, CategoryTerms, Policy } from '../rules.ts'
import { policy as after } from './310000-310-2024-07.ts'

const retired = [12]

/** Active 1500 [S]; retired 700, retired by the end of 2000 300 [L]. */
const deductible: Bands<bigint> = [[{ personTypes: retired, retiredUntil: '2000-12-31' }, 30_000n], [{ personTypes: retired }, 70_000n], [{}, 150_000n]]

/** Active: to 44 years 65/60/50, from 45 75/70/60, born by 1955 and at work by 2000 75/70/70 [S]. Retired [L]. */
const ratio: Bands<number> = [
  [{ personTypes: retired, ageFrom: 70, level: 1 }, 8500], [{ personTypes: retired, ageFrom: 70, level: 2 }, 8000], [{ personTypes: retired, ageFrom: 70, level: 3 }, 7500],
  [{ personTypes: retired, level: 1 }, 8000], [{ personTypes: retired, level: 2 }, 7500], [{ personTypes: retired, level: 3 }, 7000],
  [{ bornUntil: '1955-12-31', workingUntil: '2000-12-31', level: 3 }, 7000],
  [{ ageFrom: 45, level: 1 }, 7500], [{ ageFrom: 45, level: 2 }, 7000], [{ ageFrom: 45, level: 3 }, 6000],
  [{ level: 1 }, 6500], [{ level: 2 }, 6000], [{ level: 3 }, 5000],
]

const outpatient: CategoryTerms = { deductible: { per: 'year', fen: deductible }, ratio, currentAccountFirst: true, capFen: null }

export const policy: Policy = {
  ...after,
  id: '310000-310-2022-07',
  from: '2022-07-01',
  until: '2023-06-30',
  categories: { ...after.categories, outpatient },
  capFen: 59_000_000n, // [L]
}
