import { expect, test } from 'vitest'
import { mergeParameters, parameterDefinitions, platformDefaults } from './parameters.ts'

test('the narrowest scope that set a number wins, in whatever order rows arrive', () => {
  const merged = mergeParameters([
    { scope: 'clinic', name: 'window.daysAhead', value: 28 },
    { scope: 'city', name: 'window.daysAhead', value: 7 },
    { scope: 'hospital', name: 'limit.openFuture', value: 4 },
  ])
  expect(merged).toEqual({ ...platformDefaults, 'window.daysAhead': 28, 'limit.openFuture': 4 })
})

test('a number out of its bounds or of an unknown name is not used', () => {
  expect(mergeParameters([
    { scope: 'city', name: 'hold.ttlSeconds', value: 5 },
    { scope: 'city', name: 'no.such', value: 5 },
  ])).toEqual(platformDefaults)
})

test('every default lies within its bounds', () => {
  for (const definition of Object.values(parameterDefinitions)) {
    expect(definition.default).toBeGreaterThanOrEqual(definition.min)
    expect(definition.default).toBeLessThanOrEqual(definition.max)
  }
})
