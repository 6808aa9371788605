/** How strings and Chinese names are stored for search. */
import { expect, test } from 'vitest'
import { laterParts, maxStringLength, normaliseString, pinyinForms } from './normalise.ts'

test.each([
  ['Müller', 'muller'], ['  Ärzte   HAUS\n2 ', 'arzte haus 2'], ['ＡＢＣ１２', 'abc12'], ['José', 'jose'], ['Łódź', 'łodz'], ['上海市　浦东', '上海市 浦东'],
  ['한글', '한글'], ['a\u0000b', 'a b'], ['ﬁn', 'fin'], ['', ''], ['x'.repeat(500), 'x'.repeat(maxStringLength)],
])('%j → %j', (text, expected) => { expect(normaliseString(text)).toBe(expected) })

test('a character of two units is not cut in half', () => {
  expect(normaliseString(`${'x'.repeat(maxStringLength - 1)}𠮷`)).toBe('x'.repeat(maxStringLength - 1))
})

test.each([
  ['张三', ['zhangsan', 'zs']], ['单雄信', ['shanxiongxin', 'sxx']], ['曾国藩', ['zengguofan', 'zgf']], ['欧阳娜娜', ['ouyangnana', 'oynn']], ['吕布', ['lvbu', 'lb']],
  ['Zhang San', []], ['张', ['zhang']], ['張𠮷', ['zhang𠮷', 'z𠮷']],
])('a person: %s', (name, expected) => { expect(pinyinForms(name, true)).toEqual(expected) })

test.each([['上海市第一人民医院', ['shanghaishidiyirenminyiyuan', 'shsdyrmyy']], ['ABC医院', ['abcyiyuan', 'ayy']]])(
  'an organisation: %s', (name, expected) => { expect(pinyinForms(name, false)).toEqual(expected) })

test.each([
  ['长宁医院', ['宁医院', '医院', 'ningyiyuan', 'nyy', 'yiyuan', 'yy']], ['第𠮷门诊', ['𠮷门诊', '门诊', '𠮷menzhen', '𠮷mz', 'menzhen', 'mz']], ['ABC医院', ['医院', 'yiyuan', 'yy']], ['医院', []], ['院', []], ['Huashan', []],
])('from its middle on: %s', (name, expected) => { expect(laterParts(name)).toEqual(expected) })
