import { expect, test } from 'vitest'
import { policies } from './policies.ts'
import { policyFileOf, readPolicyFile } from './policy-file.ts'

test.each(policies.map((each) => [each.id, each] as const))('%s is the same after a way through its file', (_id, policy) => {
  expect(readPolicyFile(JSON.parse(JSON.stringify(policyFileOf(policy))))).toEqual(policy)
})

test('what is wrong is said with its place', () => {
  const [policy] = policies
  const file = policyFileOf(policy as (typeof policies)[number]) as Record<string, unknown>
  const faults = (change: object) => {
    try {
      readPolicyFile({ ...file, ...change })
      return []
    } catch (error) {
      return (error as { issues: { expression: string | null }[] }).issues.map((each) => each.expression)
    }
  }
  expect(faults({})).toEqual([])
  expect(faults({ capFen: -1, yearBegins: '02-30' })).toEqual(['policy.yearBegins', 'policy.capFen'])
  expect(faults({ scheme: 390 })).toEqual(['policy.id'])
  expect(faults({ until: '1999-01-01' })).toEqual(['policy.until'])
  expect(faults({ aboveCap: { parts: 10_001, untilFen: null } })).toEqual(['policy.aboveCap.parts'])
})
