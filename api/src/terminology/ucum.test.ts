/** Units that convert into each other share a canonical unit; others never do. */
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { builtInSystem } from './library.ts'
import { canonicalUnit } from './ucum.ts'

/** A value in the canonical unit. */
function canonical(value: number, code: string): number {
  const unit = canonicalUnit(code)
  return unit === null ? Number.NaN : value * unit.factor + unit.offset
}

describe('canonical units', () => {
  test.each([
    [5.4, 'g', 5400, 'mg'], [1, 'kg', 1e9, 'ug'], [180, 'mg/dL', 1.8, 'g/L'], [1, 'h', 3600, 's'], [37, 'Cel', 98.6, '[degF]'], [37, 'Cel', 310.15, 'K'], [120, 'mm[Hg]', 15.99864, 'kPa'],
    [1, '[lb_av]', 453.59237, 'g'], [5, 'mmol/L', 5000, 'umol/L'], [4.5, '10*9/L', 4500, '/uL'], [70, '[in_i]', 177.8, 'cm'],
  ])('%d %s is %d %s', (value, unit, other, otherUnit) => {
    expect(canonicalUnit(unit)?.name).toBe(canonicalUnit(otherUnit)?.name)
    expect(canonical(value, unit) / canonical(other, otherUnit)).toBeCloseTo(1, 9)
  })

  test.each([['g', 'mol'], ['mmol/L', '10*9/L'], ['m', 's'], ['mg/dL', 'mmol/L']])('%s is not %s', (one, other) => {
    expect(canonicalUnit(one)?.name).not.toBe(canonicalUnit(other)?.name)
  })

  test.each(['{score}', '%', '1', '[pH]', '[iU]', 'mmols', 'mg{total}', '', 'x'.repeat(60)])('%s has none', (code) => {
    expect(canonicalUnit(code)).toBeNull()
  })
})

test('whatever stands where a unit should, nothing of it is written to the console', () => {
  const written = vi.spyOn(console, 'log').mockImplementation(() => {})
  const system = builtInSystem('http://unitsofmeasure.org', null)
  const unit = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 20 }), fc.array(fc.constantFrom('mg', '/', '.', '{', '}', '[', ']', '(', ')', ' ', '10*', '-', '%', '张'), { maxLength: 8 }).map((parts) => parts.join('')))
  fc.assert(fc.property(unit, (text) => { canonicalUnit(text); system?.find(text) }), { numRuns: 500 })
  for (const text of ['Right arm', ' ', '李明', 'mg dl']) expect([canonicalUnit(text), system?.find(text)]).toEqual([null, null])
  expect(written).not.toHaveBeenCalled()
  written.mockRestore()
})
