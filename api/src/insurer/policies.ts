/**
 * The table of insurance policies. A policy holds for days of service, not of settlement. Invariant, kept by a test: of one
 * region and scheme no two hold on the same day.
 */
import type { Scheme } from './enrolment.ts'
import { policy as employee202207 } from './policies/310000-310-2022-07.ts'
import { policy as employee202307 } from './policies/310000-310-2023-07.ts'
import { policy as employee202407 } from './policies/310000-310-2024-07.ts'
import { policy as employee202507 } from './policies/310000-310-2025-07.ts'
import { policy as resident202501 } from './policies/310000-390-2025-01.ts'
import { policy as suzhouEmployee202501 } from './policies/320500-310-2025-01.ts'
import { policy as suzhouResident202501 } from './policies/320500-390-2025-01.ts'
import { policy as hangzhouEmployee202501 } from './policies/330100-310-2025-01.ts'
import { policy as hangzhouResident202501 } from './policies/330100-390-2025-01.ts'
import type { Policy } from './rules.ts'

export const policies: readonly Policy[] = [
  employee202207, employee202307, employee202407, employee202507, resident202501,
  suzhouEmployee202501, suzhouResident202501, hangzhouEmployee202501, hangzhouResident202501,
]

/** The policy in force on a day; null when we know none. */
export function policyOn(region: string, scheme: Scheme, day: string): Policy | null {
  return policies.find((each) => each.region === region && each.scheme === scheme && each.from <= day && (each.until === null || day <= each.until)) ?? null
}
