import { expect, test } from 'vitest'
import { ruleSystem } from './rule-systems.ts'

const language = (code: string) => ruleSystem('urn:ietf:bcp:47')?.find(code)?.display ?? null

test.each<[string, string | null]>([
  ['zh-CN', 'Chinese (China)'], ['zh-CN-x-shanghai', 'Chinese (China)'], ['x-whistle-2', 'x-whistle-2'], ['X-Whistle', 'X-Whistle'],
  ['zh-x', null], ['x', null], ['x-whistling9', null], ['qq9-x-a', null], ['x--a', null], ['zh_CN', null], ['', null],
])('the language tag "%s" is %s', (code, display) => { expect(language(code)).toBe(display) })

test('a tag of very many parts and a mistake is no language, and is not tried part by part', () => {
  expect(language(`${'x-'.repeat(200_000)}!`)).toBeNull()
  expect(language(`${'zh-x-a-'.repeat(100_000)}!`)).toBeNull()
})
