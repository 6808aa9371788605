import { describe, expect, test } from 'vitest'
import { addDays, ageAt, countdown, dayAndTime, dayOf, fenOf, longDay, maskedId, money, plainDay, shortDay, timeOf, weekday } from './format.ts'

describe('days and times', () => {
  test('an instant of another zone is shown on its Shanghai day', () => {
    expect(dayOf('2026-11-23T17:30:00Z')).toBe('2026-11-24')
    expect(timeOf('2026-11-23T17:30:00Z')).toBe('01:30')
  })
  test('a bare day stays itself', () => expect(dayOf('2026-11-23')).toBe('2026-11-23'))
  test('days are added over months and leap years', () => {
    expect(addDays('2026-11-30', 1)).toBe('2026-12-01')
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29')
    expect(addDays('2026-01-01', -1)).toBe('2025-12-31')
  })
  test('are written in both languages', () => {
    expect(shortDay('2026-11-23', 'zh')).toBe('11月23日')
    expect(shortDay('2026-11-23', 'en')).toBe('23 Nov')
    expect(weekday('2026-11-23', 'zh')).toBe('周一')
    expect(longDay('2026-11-23', 'zh')).toBe('2026年11月23日 周一')
    expect(longDay('2026-11-23', 'en')).toBe('Mon, 23 November 2026')
    expect(dayAndTime('2026-11-23T09:30:00+08:00', 'zh')).toBe('2026年11月23日 周一 09:30')
  })
  test.each([['2026', '2026年'], ['2026-11', '2026年11月'], ['2026-11-23', '2026年11月23日']])('a partial date keeps its precision: %s', (value, shown) => {
    expect(plainDay(value, 'zh')).toBe(shown)
  })
})

describe('money', () => {
  test.each([[0, '¥0.00'], [5, '¥0.05'], [123450, '¥1,234.50'], [100000000, '¥1,000,000.00'], [-1852, '−¥18.52']])('%i fen is %s', (fen, shown) => {
    expect(money(fen)).toBe(shown)
  })
  test.each([[50, 5000], [0.1, 10], [1.005, 101], [17.99, 1799], ['32.60', 3260], ['-0.5', -50], [undefined, 0]])('%s yuan are %i fen', (yuan, fen) => {
    expect(fenOf(yuan)).toBe(fen)
  })
})

describe('people', () => {
  test.each([
    ['2020-05-01', '2026-11-23', 6, 'years'], ['1952-11-24', '2026-11-23', 73, 'years'], ['1952-11-23', '2026-11-23', 74, 'years'], ['2026-01-24', '2026-11-23', 9, 'months'],
    ['2026-11-23', '2026-11-23', 0, 'months'],
  ])('born %s, on %s: %i %s', (birth, today, count, unit) => expect(ageAt(birth, today)).toEqual({ count, unit }))
  test('an identity number shows its region and its end', () => expect(maskedId('999901198503080014')).toBe('9999************14'))
})

test('a countdown never shows less than nothing', () => {
  expect(countdown(245)).toBe('4:05')
  expect(countdown(-3)).toBe('0:00')
})
