import { describe, expect, test } from 'vitest'
import {
  maskResidentId, normalizeResidentId, residentId, residentIdBirthDate, residentIdFault, residentIdSex, upgradeLegacyResidentId,
} from './resident-id.ts'

const demo = { allowFictitiousRegion: true, today: '2026-11-23' }

describe('resident ID', () => {
  test.each([
    ['99990119900101001', '999901199001010010', '1990-01-01', 'male'],
    ['99990219850615002', '999902198506150029', '1985-06-15', 'female'],
    ['99990320240229009', '99990320240229009X', '2024-02-29', 'male'],
  ])('%s gets its check character', (seventeen, whole, born, sex) => {
    expect(residentId(seventeen)).toBe(whole)
    expect(residentIdFault(whole, demo)).toBeNull()
    expect(residentIdBirthDate(whole)).toBe(born)
    expect(residentIdSex(whole)).toBe(sex)
  })

  test.each([
    ['999901199001010011', 'check'],
    ['999902198502290029', 'date'],
    ['99990119900101001', 'format'],
    ['9999011990010100100', 'format'],
    ['99990119901301001X', 'date'],
    ['99990118000229001X', 'date'],
    [residentId('99990120261124001'), 'future'],
    [residentId('99990118500101001'), 'future'],
    ['', 'format'],
    ['身份证', 'format'],
  ])('%s is refused: %s', (text, fault) => {
    expect(residentIdFault(text, demo)).toBe(fault)
  })

  test.each(['99990320240229009x', '999903 20240229 009X', '９９９９０３２０２４０２２９００９Ｘ', '999903-20240229-009x'])('%s is what people type and passes', (text) => {
    expect(normalizeResidentId(text)).toBe('99990320240229009X')
    expect(residentIdFault(text, demo)).toBeNull()
  })

  test('a fictitious region is refused where only real people are', () => {
    expect(residentIdFault('999901199001010010', { ...demo, allowFictitiousRegion: false })).toBe('region-fictitious')
  })

  test('a first-generation number becomes the 18-character one', () => {
    expect(upgradeLegacyResidentId('999901900101001')).toBe('999901199001010010')
  })

  test('a masked number keeps four characters on both sides', () => {
    expect(maskResidentId('999901199001010010')).toBe('9999**********0010')
    expect(maskResidentId('1234')).toBe('****')
  })
})
