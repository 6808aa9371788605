import { expect, test } from 'vitest'
import { parameterDefinitions, platformDefaults } from './parameter-definitions.ts'
import { numbersInForce, type ParameterRow, parametersAt } from './parameters.ts'

const place = { region: '310000', organization: 'h1', department: '03.04', healthcareService: 'c1' }
const at = new Date('2026-11-25T09:00:00Z')
const row = (given: Partial<ParameterRow>): ParameterRow => ({
  scope: 'hospital', scope_id: 'h1', name: 'window.daysAhead', value: 7, from_at: '2026-01-01T00:00:00.000Z', until_at: null, set_at: '2026-01-01T00:00:00.000Z', ...given,
})

test('the narrowest scope that set a number wins, in whatever order rows arrive', () => {
  const merged = parametersAt([
    row({ scope: 'clinic', scope_id: 'c1', value: 28 }), row({ scope: 'city', scope_id: '310000', value: 21 }), row({ name: 'limit.openFuture', value: 4 }),
    row({ scope: 'department', scope_id: 'h1/03.05', name: 'limit.openFuture', value: 5 }), row({ scope_id: 'h2', name: 'limit.openFuture', value: 6 }),
  ], place, at)
  expect(merged).toEqual({ ...platformDefaults, 'window.daysAhead': 28, 'limit.openFuture': 4 })
})

test.each([
  ['before it begins', [row({ from_at: '2026-11-25T09:00:00.001Z' })], 14],
  ['when it begins', [row({ from_at: '2026-11-25T09:00:00.000Z' })], 7],
  ['when it has ended', [row({ until_at: '2026-11-25T09:00:00.000Z' })], 14],
  ['a passing change, while it lasts', [row({}), row({ value: 9, from_at: '2026-11-20T00:00:00.000Z', until_at: '2026-12-01T00:00:00.000Z' })], 9],
  ['a passing change, afterwards', [row({}), row({ value: 9, from_at: '2026-11-20T00:00:00.000Z', until_at: '2026-11-21T00:00:00.000Z' })], 7],
  ['a change planned before is not undone by one that begins earlier', [row({ value: 9, from_at: '2026-11-24T00:00:00.000Z' }), row({ value: 8, from_at: '2026-11-23T00:00:00.000Z', set_at: '2026-11-23T00:00:00.000Z' })], 9],
  ['of two that begin together the one set last', [row({ value: 9, set_at: '2026-11-02T00:00:00.000Z' }), row({ value: 8, set_at: '2026-11-01T00:00:00.000Z' })], 9],
  ['given back to the wider scope', [row({}), row({ value: null, from_at: '2026-11-24T00:00:00.000Z' }), row({ scope: 'city', scope_id: '310000', value: 21 })], 21],
  ['out of bounds', [row({ value: 91 })], 14],
] as const)('%s', (_name, rows, value) => {
  expect(parametersAt(rows, place, at)['window.daysAhead']).toBe(value)
})

test('a number says which scope it comes from; an unknown name is not used', () => {
  const found = numbersInForce([row({}), row({ name: 'no.such' })], place, at)
  expect(found['window.daysAhead']).toEqual({ value: 7, scope: 'hospital' })
  expect(found['hold.ttlSeconds']).toEqual({ value: 300, scope: 'platform' })
  expect(Object.keys(found)).toEqual(Object.keys(parameterDefinitions))
})

test('every default lies within its bounds and is named in both languages', () => {
  for (const { default: standard, min, max, name, unit } of Object.values(parameterDefinitions)) {
    expect(standard).toBeGreaterThanOrEqual(min)
    expect(standard).toBeLessThanOrEqual(max)
    for (const text of [name, unit]) {
      expect(text.zh).not.toBe('')
      expect(text.en).toMatch(/^[^\u3400-\u9fff]+$/)
    }
  }
})
