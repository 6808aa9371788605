import { expect, test } from 'vitest'
import { anonymous, type Principal } from './principal.ts'
import { assertStepUp } from './step-up.ts'

const now = new Date('2026-11-23T08:00:00Z')
const person = (given: Partial<Principal>): Principal => ({ ...anonymous, kind: 'person', id: 'p', role: 'clinician', sessionId: 's', ...given })

test.each([
  ['a second factor a minute ago', person({ authLevel: 'second-factor', authAt: '2026-11-23T07:59:00.000Z' }), true],
  ['a second factor just in time', person({ authLevel: 'second-factor', authAt: '2026-11-23T07:55:00.000Z' }), true],
  ['a second factor too long ago', person({ authLevel: 'second-factor', authAt: '2026-11-23T07:54:59.000Z' }), false],
  ['a password just now', person({ authLevel: 'password', authAt: '2026-11-23T07:59:59.000Z' }), false],
  ['an app of a person who has just shown it', person({ authLevel: 'second-factor', authAt: '2026-11-23T07:59:00.000Z', scopes: ['user/*.rs'] }), false],
  ['no sign-in session', person({}), false],
  ['a system', { ...anonymous, kind: 'client' as const, id: 'c', authLevel: 'second-factor' as const, authAt: '2026-11-23T07:59:00.000Z' }, false],
])('%s', (_, principal, enough) => {
  const ask = () => assertStepUp({ principal, now }, 5)
  if (enough) expect(ask).not.toThrow()
  else expect(ask).toThrow(expect.objectContaining({ status: 403, issues: [expect.objectContaining({ code: 'step-up-required' })] }))
})
