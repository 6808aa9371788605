/**
 * JSON that keeps the digits of numbers. FHIR says that `1.10` is not `1.1` (R4 2.24.0.1, decimal), and JSON.parse
 * forgets the difference. Numbers stay plain JavaScript numbers; the text of those that would be written differently is
 * kept beside them under a symbol, and `stringifyJson` writes it back as long as the number is still the same one.
 * Most bodies hold no such number: a scan of the text finds that out and plain JSON.parse does the rest.
 */
import { markDigits, markedDigits } from './json-digits.ts'
import { jsonFaultAt, membersOf } from './json-fault.ts'
import { fail, issue, OutcomeError } from './outcome.ts'

/** Deepest nesting of arrays and objects that is read. FHIR itself needs about 20. */
export const maxDepth = 60

/** Texts of an object's or array's numbers, by key. A symbol, so that `{ ...resource }` keeps it and Object.keys does not see it. */
const digits = Symbol('digits')
/** A plain object, or an array beside an array: bodies with millions of decimals would drown in Maps. */
type Digits = Record<string, string>

declare global {
  interface JSON {
    rawJSON(text: string): unknown
  }
}

/**
 * A number that JavaScript would write differently: exponent, trailing zero of a fraction, more digits than a double
 * holds, a very small one, minus zero. It may also match inside a string; then the slow path is merely slower. Not in a time of day, where a digit stands before the colon.
 */
const oddNumber = /[[:,](?=[\s\d-])(?<!\d:)\s*-?(?:\d*\.\d*0(?!\d)|\d[\d.]*[eE][-+\d]|[\d.]{16}|0\.0{6}|0(?![\d.])(?<=-0))/

/** Throws json-broken (with the position; also for a name that stands twice in an object) and json-too-deep. */
export function parseJson(text: string): unknown {
  const members = membersOf(text, maxDepth)
  if (members === null) throw tooDeep()
  const value = parsed(text)
  if (keysOf(value) !== members) throw nameTwice()
  return value
}

function parsed(text: string): unknown {
  try {
    return parseStored(text)
  } catch (cause) {
    throw broken(text, cause)
  }
}

/** Of text that `stringifyJson` has made. @throws SyntaxError when it is no JSON. */
export function parseStored(text: string): unknown {
  if (!oddNumber.test(text)) return JSON.parse(text)
  const marked = markDigits(text)
  return marked === null ? JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown) : unmarked(JSON.parse(marked))
}

/** Of two members with one name JSON.parse keeps the last: then there are fewer keys than members. */
function keysOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let keys = 0
  if (Array.isArray(value)) {
    for (const item of value) keys += keysOf(item)
    return keys
  }
  // Not `for in`, which looks at prototypes as well: in a busy server it was seen to take more than half of the CPU.
  for (const key of Object.keys(value)) {
    keys++
    const child = (value as Record<string, unknown>)[key]
    if (typeof child === 'object') keys += keysOf(child)
  }
  return keys
}

/** The text of a number as it was sent, when it differs from what JavaScript writes; undefined otherwise. */
export function sourceDigits(holder: object, key: string): string | undefined {
  const text = (holder as { [digits]?: Digits })[digits]?.[key]
  return text !== undefined && Number(text) === (holder as Record<string, unknown>)[key] ? text : undefined
}

/** The text of a decimal as sent or as JavaScript writes it; undefined when there is no number. */
export function decimalText(holder: object, key: string): string | undefined {
  const value = (holder as Record<string, unknown>)[key]
  return typeof value === 'number' ? sourceDigits(holder, key) ?? String(value) : undefined
}

/** Puts a value that stands elsewhere under a key, with the digits it has there. Inside objects and arrays digits stay by themselves. */
export function placeValue(from: object, fromKey: string, to: object, toKey: string): void {
  const value = (from as Record<string, unknown>)[fromKey]
  setOwn(to, toKey, value)
  const text = sourceDigits(from, fromKey)
  if (text !== undefined) keep(to, toKey, text)
}

/** A copy of parsed JSON, all the way down, digits included. */
export function copyJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  const copy = (Array.isArray(value) ? [] : {}) as Record<string, unknown>
  for (const key of Object.keys(value)) {
    setOwn(copy, key, copyJson((value as Record<string, unknown>)[key]))
    const text = sourceDigits(value, key)
    if (text !== undefined) keep(copy, key, text)
  }
  return copy as T
}

/** `__proto__` is a key like any other. */
function setOwn(holder: object, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })
  else (holder as Record<string, unknown>)[key] = value
}

export function stringifyJson(value: unknown): string {
  return JSON.stringify(withDigits(value))
}

/** Marked strings become numbers again, in place, with their digits kept. */
function unmarked(value: unknown): unknown {
  if (typeof value === 'string') {
    const source = markedDigits(value)
    return source === null ? value : Number(source)
  }
  if (typeof value === 'object' && value !== null) restore(value as Record<string, unknown>)
  return value
}

function restore(holder: Record<string, unknown>): void {
  for (const key of Object.keys(holder)) {
    const child = holder[key]
    if (typeof child === 'object') {
      if (child !== null) restore(child as Record<string, unknown>)
    } else if (typeof child === 'string') {
      const source = markedDigits(child)
      if (source === null) continue
      holder[key] = Number(source)
      keep(holder, key, source)
    }
  }
}

function keep(holder: object, key: string, source: string): void {
  const held = holder as { [digits]?: Digits }
  const kept = held[digits] ??= (Array.isArray(holder) ? [] : {}) as Digits
  kept[key] = source
}

function keepDigits(this: object, key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value === 'number' && context.source !== undefined && context.source !== String(value)) {
    keep(this, key, context.source)
  }
  return value
}

/** The value itself, or a copy along the paths to kept digits, with those numbers as raw JSON. */
function withDigits(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  let copy: Record<string, unknown> | unknown[] | null = null
  const put = (key: string, replacement: unknown): void => {
    copy ??= Array.isArray(value) ? [...value] : { ...value }
    ;(copy as Record<string, unknown>)[key] = replacement
  }
  for (const key of Object.keys(value)) {
    const child = (value as Record<string, unknown>)[key]
    if (typeof child === 'object' && child !== null) {
      const replacement = withDigits(child)
      if (replacement !== child) put(key, replacement)
    }
  }
  for (const key in (value as { [digits]?: Digits })[digits]) {
    const text = sourceDigits(value, key)
    if (text !== undefined) put(key, JSON.rawJSON(text))
  }
  return copy ?? value
}

function nameTwice(): OutcomeError {
  return fail('json-broken', { zh: 'JSON 的一个对象里有两个同名的元素。', en: 'An object of the JSON has two elements of the same name.' })
}

function tooDeep(): OutcomeError {
  return fail('json-too-deep', {
    zh: `内容嵌套超过 ${maxDepth} 层，请减少嵌套。`,
    en: `The body is nested deeper than ${maxDepth} levels. Flatten it.`,
  })
}

function broken(text: string, cause: unknown): OutcomeError {
  const offset = jsonFaultAt(text)
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  const column = offset - before.lastIndexOf('\n')
  return new OutcomeError([issue('json-broken', {
    zh: `JSON 格式有误：第 ${line} 行第 ${column} 个字符。请检查引号、逗号和括号。`,
    en: `The JSON is broken at line ${line}, character ${column}. Check quotes, commas and brackets.`,
  })], { cause })
}
