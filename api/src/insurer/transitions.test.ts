import { expect, test } from 'vitest'
import { addMonths, benefitsFrom, monthAfter, monthsBetween, regionTerms } from './transitions.ts'

const { waiting } = regionTerms('310000')

test.each([
  ['an employer pays: at once', 310, 'employer', '2026-03-01', null, '2026-03-01'],
  ['a flexible worker, first entry: six months', 310, 'self', '2026-03-01', null, '2026-09-01'],
  ['three months after the last insurance: at once', 310, 'self', '2026-06-30', '2026-03-31', '2026-06-30'],
  ['a day more: six months', 310, 'self', '2026-07-01', '2026-03-31', '2027-01-01'],
  ['however long the gap of an employee was', 310, 'self', '2026-07-01', '2020-03-31', '2027-01-01'],
  ['a resident who is late: three months', 390, 'self', '2026-09-01', '2026-01-31', '2026-12-01'],
  ['and one more for each whole year missed', 390, 'self', '2026-09-01', '2024-08-31', '2027-02-01'],
  ['at most twelve', 390, 'self', '2026-09-01', '2001-08-31', '2027-09-01'],
  ['a newborn: at once', 390, 'newborn', '2026-09-01', null, '2026-09-01'],
] as const)('%s', (_name, scheme, entry, from, lastDay, expected) => {
  expect(benefitsFrom(waiting[scheme], entry, from, lastDay)).toBe(expected)
})

test.each([['2026-01-31', 1, '2026-02-28'], ['2027-12-15', 1, '2028-01-15'], ['2028-01-31', 1, '2028-02-29'], ['2026-11-30', -12, '2025-11-30']])('%s and %i months', (day, months, expected) => {
  expect(addMonths(day, months)).toBe(expected)
})
test.each([['2026-01-15', '2026-02-14', 0], ['2026-01-15', '2026-02-15', 1], ['2024-08-31', '2026-09-01', 24]])('from %s to %s: %i months', (from, until, months) => {
  expect(monthsBetween(from, until)).toBe(months)
})
test('a change approved in a month counts from the next', () => {
  expect([monthAfter('2026-11-01'), monthAfter('2026-12-31')]).toEqual(['2026-12-01', '2027-01-01'])
})
test('the day that decides the insurance of a stay differs by region', () => {
  expect([regionTerms('310000').inpatientDay, regionTerms('320500').inpatientDay, regionTerms('330100').transitionMonthsMax]).toEqual(['admission', 'discharge', 3])
})
