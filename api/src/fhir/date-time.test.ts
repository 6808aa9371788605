/** Which texts are dates, and which stretch of time each of them means. */
import { describe, expect, test } from 'vitest'
import { instantText, isDate, isDateTime, isInstant, isTime, lacksZone, openEnd, openStart, timeRange } from './date-time.ts'

const range = (text: string): string | null => {
  const found = timeRange(text)
  return found && `${instantText(found.lo)} ${instantText(found.hi)}`
}

describe('timeRange', () => {
  test.each([
    ['2026', '2025-12-31T16:00:00.000Z 2026-12-31T15:59:59.999Z'],
    ['2026-02', '2026-01-31T16:00:00.000Z 2026-02-28T15:59:59.999Z'],
    ['2026-12', '2026-11-30T16:00:00.000Z 2026-12-31T15:59:59.999Z'],
    ['2024-02-29', '2024-02-28T16:00:00.000Z 2024-02-29T15:59:59.999Z'],
    ['2026-11-23T08:30', '2026-11-23T00:30:00.000Z 2026-11-23T00:30:59.999Z'],
    ['2026-11-23T08:30:15', '2026-11-23T00:30:15.000Z 2026-11-23T00:30:15.999Z'],
    ['2026-11-23T08:30:15+08:00', '2026-11-23T00:30:15.000Z 2026-11-23T00:30:15.999Z'],
    ['2026-11-23T08:30:15Z', '2026-11-23T08:30:15.000Z 2026-11-23T08:30:15.999Z'],
    ['2026-11-23T08:30:15.5-03:30', '2026-11-23T12:00:15.500Z 2026-11-23T12:00:15.599Z'],
    ['2026-11-23T08:30:15.123456Z', '2026-11-23T08:30:15.123Z 2026-11-23T08:30:15.123Z'],
    ['0099-05-01', '0099-04-30T16:00:00.000Z 0099-05-01T15:59:59.999Z'],
  ])('%s', (text, expected) => { expect(range(text)).toBe(expected) })

  test.each(['', '26', '2026-13', '2026-00', '2026-02-29', '2026-04-31', '2026-11-00', '0000', '2026-1-1', '2026-11-23T', '2026-11-23T24:00:00Z',
    '2026-11-23T08', '2026-11-23T08:60:00Z', '2026-11-23T08:30:61Z', '2026-11-23T08:30:00+15:00', '2026-11-23T08:30:00+14:30', '2026-11-23 08:30', ' 2026',
    '2026-11-23T08:30:00z', '23.11.2026', '2100-02-29', 'today'])('%j is no date', (text) => { expect(timeRange(text)).toBeNull() })

  test('the first and the last day stay within the years that can be stored', () => {
    expect(timeRange('0001-01-01')?.lo).toBe(openStart)
    expect(timeRange('9999-12-31T23:59:59-14:00')).toEqual({ lo: openEnd, hi: openEnd })
    expect([instantText(openStart), instantText(openEnd)]).toEqual(['0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'])
  })
})

describe('formats', () => {
  test.each([
    ['2026-11-23', true, true, false], ['2026', true, true, false], ['2026-11-23T08:30:00Z', false, true, true],
    ['2026-11-23T08:30:00.5+08:00', false, true, true], ['2026-11-23T08:30:00', false, false, false], ['2026-11-23T08:30Z', false, false, false],
    ['2026-02-30', false, false, false], ['2026-02-30T08:30:00Z', false, false, false],
  ])('%s', (text, date, dateTime, instant) => { expect([isDate(text), isDateTime(text), isInstant(text)]).toEqual([date, dateTime, instant]) })

  test.each([['08:30:00', true], ['23:59:59.999', true], ['24:00:00', false], ['08:30', false], ['8:30:00', false], ['08:30:00Z', false]])(
    'time %s', (text, valid) => { expect(isTime(text)).toBe(valid) })

  test('a missing zone is told from other faults', () => {
    expect([lacksZone('2026-11-23T08:30:00'), lacksZone('2026-11-23T08:30:00Z'), lacksZone('2026-02-30T08:30:00'), lacksZone('2026-11-23')])
      .toEqual([true, false, false, false])
  })
})
