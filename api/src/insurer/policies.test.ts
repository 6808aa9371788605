import { expect, test } from 'vitest'
import { policies, policyOn } from './policies.ts'
import { ageOn, benefitYear, type HospitalLevel, type Insured, levelOf, valueFor } from './rules.ts'

test('of one region and scheme no two policies hold on the same day', () => {
  for (const one of policies) {
    for (const other of policies) {
      if (one === other || one.region !== other.region || one.scheme !== other.scheme) continue
      expect((one.until ?? '9999-12-31') < other.from || (other.until ?? '9999-12-31') < one.from, `${one.id} and ${other.id}`).toBe(true)
    }
  }
})

test('every policy has a deductible and a ratio for every person and hospital', () => {
  for (const policy of policies) {
    for (const terms of Object.values(policy.categories)) {
      for (const level of [0, 1, 2, 3] as HospitalLevel[]) {
        for (const age of [0, 18, 19, 59, 60, 69, 70, 100]) {
          for (const [personType, retiredOn] of [[11, null], [12, '2000-12-31'], [12, '2001-01-01'], [1400, null]] as const) {
            const insured: Insured = { personType, age, retiredOn, birthDate: '1950-01-01', workingSince: null, gpContract: false }
            expect(valueFor(terms.deductible.fen, insured, { level, stay: 1 }) >= 0n).toBe(true)
            expect(valueFor(terms.ratio, insured, { level, stay: 1 })).toBeLessThanOrEqual(10_000)
          }
        }
      }
    }
  }
})

test.each([
  [310, '2025-06-30', '310000-310-2024-07'],
  [310, '2025-07-01', '310000-310-2025-07'],
  [310, '2026-11-23', '310000-310-2025-07'],
  [390, '2026-11-23', '310000-390-2025-01'],
  [310, '2024-06-30', '310000-310-2023-07'],
  [310, '2023-06-30', '310000-310-2022-07'],
  [310, '2022-06-30', undefined],
  [390, '2024-12-31', undefined],
] as const)('scheme %i on %s follows %s', (scheme, day, id) => {
  expect(policyOn('310000', scheme, day)?.id).toBe(id)
})

test.each([
  ['07-01', '2026-06-30', '2025-07-01'],
  ['07-01', '2026-07-01', '2026-07-01'],
  ['01-01', '2026-01-01', '2026-01-01'],
  ['01-01', '2025-12-31', '2025-01-01'],
] as const)('a benefit year beginning %s: %s is in the one of %s', (yearBegins, day, first) => {
  expect(benefitYear({ yearBegins }, day)).toBe(first)
})

test.each([
  ['1956-11-23', '2026-11-22', 69], ['1956-11-23', '2026-11-23', 70], ['2024-02-29', '2025-02-28', 0], ['2024-02-29', '2025-03-01', 1],
])('born %s, on %s a person is %i', (birthDate, day, age) => {
  expect(ageOn(birthDate, day)).toBe(age)
})

test('levels of hospitals', () => {
  expect(['01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '99'].map(levelOf)).toEqual([3, 3, 3, 3, 2, 2, 2, 1, 1, 1, 1, 0, null])
})
