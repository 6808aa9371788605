/** Missed visits and their levels: the nearest case on either side of each number. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Absence, type PenaltyNumbers, standingOf } from './penalties.ts'

const numbers: PenaltyNumbers = { 'noshow.level1.count': 3, 'noshow.level1.days': 90, 'noshow.level2.count': 6, 'noshow.level2.days': 180, 'cancel.latePerNoShow': 3 }
const missed = (...days: string[]): Absence[] => days.map((day) => ({ kind: 'noshow', day, excused: false }))
const late = (...days: string[]): Absence[] => days.map((day) => ({ kind: 'late-cancel', day, excused: false }))

test.each<[string, Absence[], number, 0 | 1 | 2, string | null]>([
  ['nothing', [], 0, 0, null],
  ['two missed', missed('2026-01-10', '2026-02-10'), 2, 0, null],
  ['three missed: barred for 90 days after the third', missed('2026-01-10', '2026-02-10', '2026-03-01'), 3, 1, '2026-05-30T16:00:00.000Z'],
  ['a fourth does not begin the bar anew', missed('2026-01-10', '2026-02-10', '2026-03-01', '2026-03-20'), 4, 1, '2026-05-30T16:00:00.000Z'],
  ['six: 180 days after the sixth', missed('2026-01-10', '2026-02-10', '2026-03-01', '2026-03-20', '2026-04-01', '2026-05-01'), 6, 2, '2026-10-28T16:00:00.000Z'],
  ['a seventh begins it anew', missed('2026-01-10', '2026-02-10', '2026-03-01', '2026-03-20', '2026-04-01', '2026-05-01', '2026-06-01'), 7, 2, '2026-11-28T16:00:00.000Z'],
  ['those of last year do not count', missed('2025-12-30', '2025-12-31', '2026-01-10', '2026-02-10'), 2, 0, null],
  ['three late cancellations are one missed visit', [...missed('2026-01-10', '2026-02-10'), ...late('2026-02-11', '2026-02-12', '2026-02-13')], 3, 1, '2026-05-14T16:00:00.000Z'],
  ['two are none', [...missed('2026-01-10', '2026-02-10'), ...late('2026-02-11', '2026-02-12')], 2, 0, null],
  ['an excused one does not count', [...missed('2026-01-10', '2026-02-10'), { kind: 'noshow', day: '2026-03-01', excused: true }], 2, 0, null],
])('%s', (_, absences, count, level, until) => {
  const standing = standingOf(absences, numbers, 2026)
  expect([standing.missed, standing.level, standing.barredUntil?.toISOString() ?? null]).toEqual([count, level, until])
})

test('an excuse never makes it worse, whatever was missed when', () => {
  const absence = fc.record<Absence>({ kind: fc.constantFrom('noshow', 'late-cancel'), day: fc.integer({ min: 1, max: 28 }).map((day) => `2026-03-${String(day).padStart(2, '0')}`), excused: fc.boolean() })
  fc.assert(fc.property(fc.array(absence, { maxLength: 12 }), fc.nat(), (absences, index) => {
    const before = standingOf(absences, numbers, 2026)
    const after = standingOf(absences.map((each, at) => (at === index % Math.max(1, absences.length) ? { ...each, excused: true } : each)), numbers, 2026)
    expect(after.level).toBeLessThanOrEqual(before.level)
    expect(after.missed).toBeLessThanOrEqual(before.missed)
  }))
})
