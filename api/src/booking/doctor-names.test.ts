import { expect, test } from 'vitest'
import { fold, matchesName, nameKeys } from './doctor-names.ts'

test.each([
  ['陈志远', true], ['志远', true], ['chenzhiyuan', true], ['Chen Zhi', true], ['czy', true], ['cz', true], ['zhiyuan', false], ['陈志强', false], ['zy', false],
])('%s finds 陈志远: %s', (typed, found) => {
  expect(matchesName(nameKeys('陈志远', 'Chen Zhiyuan'), fold(typed))).toBe(found)
})

test('initials of syllables', () => {
  for (const [name, initials] of [['Wang Xiaoming', 'wxm'], ['Li Na', 'ln'], ['Zhang Jianan', 'zjn'], ['Ouyang Rong', 'oyr']] as const) expect(nameKeys('', name)).toContain(initials)
})
