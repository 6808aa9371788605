import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shortMax, utf8 } from './utf8.ts'

test('any text is encoded as Buffer does it, half pairs as U+FFFD', () => {
  const character = fc.oneof(fc.constantFrom('a', '"', '\\', '\u0000', '\u007f', '\u0080', '\u07ff', '\u0800', '浦', '𠮷', '\ud842', '\udfb7', '\uffff'), fc.string({ unit: 'binary', maxLength: 3 }))
  fc.assert(fc.property(fc.array(character, { maxLength: 40 }), fc.integer({ min: 0, max: shortMax + 200 }), (characters, filling) => {
    const text = characters.join('') + '海'.repeat(filling) + characters.join('')
    expect(utf8(text).equals(Buffer.from(text))).toBe(true)
  }))
})
