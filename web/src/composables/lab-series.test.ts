import type { Observation } from '@medplum/fhirtypes'
import { describe, expect, test } from 'vitest'
import { labSeries, rangeText } from './lab-series.ts'

const glucose = (at: string, value: number, more: Partial<Observation> = {}): Observation => ({
  resourceType: 'Observation', id: `g${value}`, status: 'final', code: { coding: [{ system: 'http://loinc.org', code: '1558-6', display: '空腹血糖' }] }, effectiveDateTime: at,
  valueQuantity: { value, unit: 'mmol/L' }, referenceRange: [{ low: { value: 3.9 }, high: { value: 6.1 } }], ...more,
})

describe('results through time', () => {
  test('points stand oldest first and the latest is named', () => {
    const [series] = labSeries([glucose('2026-05-01', 7.6), glucose('2025-05-01', 5.8)])
    expect(series?.points.map((each) => each.value)).toEqual([5.8, 7.6])
    expect(series?.latest).toMatchObject({ value: 7.6, flag: 'high', low: 3.9, high: 6.1 })
  })
  test('the laboratory’s own judgement goes before ours', () => {
    expect(labSeries([glucose('2026-05-01', 6.0, { interpretation: [{ coding: [{ code: 'H' }] }] })])[0]?.latest.flag).toBe('high')
  })
  test('without a reference nothing is judged', () => {
    const { referenceRange: _, ...bare } = glucose('2026-05-01', 9)
    expect(labSeries([bare as Observation])[0]?.latest.flag).toBeNull()
  })
  test('parts of a panel are series of their own', () => {
    const part = (code: string, value: number) => ({ code: { coding: [{ code }] }, valueQuantity: { value, unit: 'mmHg' } })
    const pressure = { resourceType: 'Observation', id: 'bp', status: 'final', code: { coding: [{ code: '85354-9' }] }, effectiveDateTime: '2026-05-01', component: [part('8480-6', 142), part('8462-4', 88)] } as Observation
    expect(labSeries([pressure]).map((each) => each.latest.value)).toEqual([142, 88])
  })
  test('what was entered in error is left out', () => expect(labSeries([glucose('2026-05-01', 5, { status: 'entered-in-error' })])).toEqual([]))
  test('out of range comes first', () => {
    const potassium = glucose('2026-06-01', 4, { code: { coding: [{ code: 'K' }] } })
    expect(labSeries([potassium, glucose('2026-01-01', 9)]).map((each) => each.latest.value)).toEqual([9, 4])
  })
})

test.each([[3.9, 6.1, '3.9–6.1'], [null, 5.2, '≤ 5.2'], [1, null, '≥ 1'], [null, null, '']])('the range %s to %s is written %s', (low, high, shown) => {
  expect(rangeText({ low, high })).toBe(shown)
})
