/**
 * Shanghai employee scheme, benefit year 1 July 2023 to 30 June 2024: the first with the lower deductible of outpatient care.
 * All is as the year after but for the cap, which was 610,000 yuan [L].
 */
import type { Policy } from '../rules.ts'
import { policy as after } from './310000-310-2024-07.ts'

export const policy: Policy = { ...after, id: '310000-310-2023-07', from: '2023-07-01', until: '2024-06-30', capFen: 61_000_000n }
