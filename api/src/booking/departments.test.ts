import { expect, test } from 'vitest'
import { departmentName, departments } from './departments.ts'

test('codes are those of the national catalogue, each once, each with both names and words in both languages', () => {
  expect(new Set(departments.map((each) => each.code)).size).toBe(departments.length)
  for (const each of departments) {
    expect(each.code).toMatch(/^\d{2}(\.\d{2})?$/)
    expect(each.zh).toMatch(/[㐀-鿿]/)
    expect(each.en).toMatch(/^[A-Z]/)
    expect(each.keywords.some((word) => /[㐀-鿿]/.test(word))).toBe(true)
    expect(each.keywords.some((word) => /^[A-Za-z’ -]+$/.test(word))).toBe(true)
    expect(each.keywords.every((word) => word.trim() === word && word !== '')).toBe(true)
  }
})

test('every level-1 parent is listed', () => {
  const codes = new Set(departments.map((each) => each.code))
  for (const each of departments) if (each.parent) expect(codes).toContain(each.parent)
})

test('what people say finds the department', () => {
  const find = (word: string) => departments.filter((each) => each.zh.includes(word) || each.keywords.includes(word)).map((each) => each.code)
  expect(find('胸闷')).toEqual(['03.04'])
  expect(find('牙痛')).toEqual(['12'])
  expect(find('五官科')).toEqual(['11'])
  expect(find('产检')).toEqual(['05.02'])
})

test('a department that citizens cannot book is called by its code', () => {
  expect(departmentName('20')).toEqual({ zh: '20', en: '20' })
})
