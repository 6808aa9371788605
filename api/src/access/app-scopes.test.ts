import fc from 'fast-check'
import { expect, test } from 'vitest'
import { grantableScopes, keptScopes, parseAppScope } from './app-scopes.ts'

test.each([
  ['patient/Observation.rs', { level: 'patient', type: 'Observation', permissions: 'rs', query: null }],
  ['user/*.cruds', { level: 'user', type: '*', permissions: 'cruds', query: null }],
  ['patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory', { level: 'patient', type: 'Observation', permissions: 'rs', query: 'category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory' }],
  ['patient/Observation.sr', null], ['patient/Observation.', null], ['patient/Observation.read', null], ['patient/Nonsense.rs', null],
  ['system/*.rs', null], ['patient/Observation.rs?', null], ['patient/Observation.rs?a=b"', null], ['openid', null], ['', null],
])('%s', (scope, parsed) => {
  expect(parseAppScope(scope)).toEqual(parsed)
})

test.each([
  ['within the most', 'patient/Observation.r openid', 'openid patient/Observation.rs', ['patient/Observation.r', 'openid']],
  ['a narrower query is within a scope without one', 'patient/Observation.rs?category=laboratory', 'patient/*.rs', ['patient/Observation.rs?category=laboratory']],
  ['a scope without a query is not within one with it', 'patient/Observation.rs', 'patient/Observation.rs?category=laboratory', []],
  ['more permissions than the most', 'patient/Observation.cruds', 'patient/Observation.rs', []],
  ['another level', 'user/Observation.rs', 'patient/Observation.rs', []],
  ['system scopes never', 'system/*.rs', 'system/*.rs patient/*.rs', []],
  ['unknown ones are left out', 'patient/Observation.rs fly', 'patient/*.rs', ['patient/Observation.rs']],
])('grantable: %s', (_, asked, most, granted) => {
  expect(grantableScopes(asked, most)).toEqual(granted)
})

test('a person can only take away, and an app that is left nothing gets nothing', () => {
  expect(keptScopes(['launch/patient', 'openid', 'patient/Observation.rs'], ['patient/Observation.rs'])).toEqual(['launch/patient', 'patient/Observation.rs'])
  expect(keptScopes(['launch/patient', 'openid'], [])).toEqual([])
  const scope = fc.constantFrom('launch', 'launch/patient', 'openid', 'fhirUser', 'offline_access', 'patient/*.rs', 'user/Patient.r')
  fc.assert(fc.property(fc.uniqueArray(scope), fc.uniqueArray(scope), (grantable, kept) => {
    expect(grantable).toEqual(expect.arrayContaining(keptScopes(grantable, kept)))
  }))
})
