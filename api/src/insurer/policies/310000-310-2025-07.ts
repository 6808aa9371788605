/**
 * Shanghai employee scheme from 1 July 2025. The cap rose to 650,000 yuan [S]; all else is as the year before. Values for the
 * year from 1 July 2026 are not known to us: this policy stays in force until a newer one begins.
 */
import type { Policy } from '../rules.ts'
import { policy as before } from './310000-310-2024-07.ts'

export const policy: Policy = {
  ...before,
  id: '310000-310-2025-07',
  from: '2025-07-01',
  until: null,
  capFen: 65_000_000n, // [S]
}
