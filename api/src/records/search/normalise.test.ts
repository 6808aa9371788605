/** How strings and Chinese names are stored for search. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { furtherParts, laterParts, maxStringLength, normaliseString, normaliseWhole, partLength, pieces, pinyinForms } from './normalise.ts'

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

test('whatever stands anywhere in a long text, in pieces of a part each, is whole in one of its parts; none is cut inside a character', () => {
  const character = fc.constantFrom('a', 'é', ' ', '血', '𠮷', '.')
  fc.assert(fc.property(fc.array(character, { maxLength: 1500 }), fc.nat(), fc.nat(), (characters, from, length) => {
    const whole = normaliseWhole(characters.join(''))
    const kept = [normaliseString(whole), ...furtherParts(whole)]
    const inside = [...whole]
    const start = from % Math.max(1, inside.length)
    for (const piece of pieces(inside.slice(start, start + length % 700).join(''))) {
      expect(piece.length).toBeLessThanOrEqual(partLength)
      expect(kept.some((part) => part.includes(piece))).toBe(true)
    }
    for (const part of kept) {
      expect(part.length).toBeLessThanOrEqual(maxStringLength)
      expect(part.isWellFormed()).toBe(true)
    }
    expect(pieces(whole).join('')).toBe(whole)
  }))
})
