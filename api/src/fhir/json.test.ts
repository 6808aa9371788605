/** Decimals keep their digits through reading and writing, and broken or bottomless bodies are refused with a position. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decimalText, maxDepth, parseJson, stringifyJson } from './json.ts'
import { OutcomeError } from './outcome.ts'

const digitsOf = (most: number) => fc.integer({ min: 0, max: 9 }).map(String).chain((first) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: most }).map((rest) => (rest.length && first === '0' ? '1' : first) + rest.join('')))

/** Any JSON number as a person or program may write it. */
const jsonNumber = fc.tuple(
  fc.constantFrom('', '-'), digitsOf(24),
  fc.option(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 24 }).map((list) => `.${list.join('')}`), { nil: '' }),
  fc.option(fc.tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), fc.integer({ min: 0, max: 30 })).map((parts) => parts.join('')), { nil: '' }),
).map((parts) => parts.join(''))

const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    jsonNumber,
    fc.string().map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'false', 'null', '"1.10"', '"[1.0, 2e5]"'),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 6 }).filter((key) => !/^\d+$/.test(key)), tie('value')), { maxLength: 4, selector: ([key]) => key })
      .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
  ),
})).value.map((value) => `{"root":${value}}`)

function codeOf(run: () => unknown): string {
  try {
    run()
    return 'none'
  } catch (error) {
    return error instanceof OutcomeError ? `${error.issues[0]?.code}: ${error.issues[0]?.text.en}` : String(error)
  }
}

describe('parseJson and stringifyJson', () => {
  test('any text comes back as it was, digit by digit', () => {
    fc.assert(fc.property(jsonText, (text) => {
      expect(stringifyJson(parseJson(text))).toBe(text)
    }), { numRuns: 2000 })
  })

  test.each([
    '{"value":1.10}', '{"value":1e3}', '{"value":1.0E-5}', '{"list":[1.0,2,3.50]}', '{"value":0.1234567890123456789}', '{"value":-0}',
    '{"value":12345678901234567890}', '{"value":0.0000001}', '{"a":{"b":[{"c":100.00}]}}', '{"value":1e400}', '{"value":100}', '{"text":"1.10"}',
  ])('%s', (text) => { expect(stringifyJson(parseJson(text))).toBe(text) })

  test.each(['{1.10:2}', '{"a":1.1.10}', '{"a":01.10}', '{"a":1.10 "b":1}', '[1.10', '{"a":+1.10}', '{"a":1.10e}'])('%s stays broken', (text) => {
    expect(() => parseJson(text)).toThrow(/broken/)
  })

  test.each(['{"a":"\uf8ffnumber:1.10","b":1.10}', '{"a":"\\uF8FFnumber:1.10","b":1.10}'])('a text that looks like a mark stays a text: %s', (text) => {
    expect(parseJson(text)).toMatchObject({ a: '\uf8ffnumber:1.10', b: 1.1 })
    expect(stringifyJson(parseJson(text))).toBe('{"a":"\uf8ffnumber:1.10","b":1.10}')
  })

  test('numbers stay numbers, for arithmetic and validation', () => {
    expect((parseJson('{"value":1.10}') as { value: number }).value + 1).toBe(2.1)
    expect(Object.keys(parseJson('{"value":1.10}') as object)).toEqual(['value'])
  })

  test('a changed number is written anew, an unchanged one keeps its digits in a copy', () => {
    const parsed = parseJson('{"a":1.10,"b":2.20}') as { a: number; b: number }
    expect(stringifyJson({ ...parsed, a: 3 })).toBe('{"a":3,"b":2.20}')
    const { a, ...rest } = parsed
    expect(a).toBe(1.1)
    expect(stringifyJson({ x: 1, ...rest })).toBe('{"x":1,"b":2.20}')
  })

  test('the digits of one decimal can be asked for', () => {
    const parsed = parseJson('{"value":5.40,"other":5.4,"text":"5.40"}') as object
    expect([decimalText(parsed, 'value'), decimalText(parsed, 'other'), decimalText(parsed, 'text')]).toEqual(['5.40', '5.4', undefined])
  })

  test.each([
    ['{"a":1,}', 'line 1, character 8'],
    ['{\n  "a": 1\n  "b": 2\n}', 'line 3, character 3'],
    ['{"a":', 'line 1, character 6'],
    ['', 'line 1, character 1'],
    ['{"a":01}', 'line 1, character 7'],
    ['{"a":NaN}', 'line 1, character 6'],
    ["{'a':1}", 'line 1, character 2'],
    ['[1,]', 'line 1, character 4'],
    ['[1}', 'line 1, character 3'],
    ['{"a" 1}', 'line 1, character 6'],
    ['{"a":"b\nc"}', 'line 1, character 6'],
    ['{"a":{"b":[{}, tru]}}', 'line 1, character 16'],
    ['{"a":1} x', 'line 1, character 9'],
  ])('broken: %j is refused %s', (text, where) => {
    expect(codeOf(() => parseJson(text))).toBe(`json-broken: The JSON is broken at ${where}. Check quotes, commas and brackets.`)
  })

  test('nesting is read to the limit and refused beyond it, also when there are odd numbers', () => {
    const nested = (depth: number, inner: string) => '['.repeat(depth) + inner + ']'.repeat(depth)
    expect(stringifyJson(parseJson(nested(maxDepth, '1.0')))).toBe(nested(maxDepth, '1.0'))
    expect(codeOf(() => parseJson(nested(maxDepth + 1, '1.0')))).toContain('json-too-deep')
    expect(codeOf(() => parseJson(nested(200_000, '')))).toContain('json-too-deep')
    expect(codeOf(() => parseJson(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`))).toContain('json-too-deep')
  })
})
