/**
 * What is wrong with a text that should be JSON, without building anything: whether it nests too deeply, asked before
 * JSON.parse, which needs seconds for a million brackets, and how many names it has; and where it stops being JSON, asked after JSON.parse has refused
 * it, because its messages name the place only sometimes. Grammar: RFC 8259.
 */

import { closingQuote } from './json-digits.ts'

/** How many members its objects have; null when more than `depth` brackets are ever open at once. Of a text that is not JSON the answer may be any. */
export function membersOf(text: string, depth: number): number | null {
  let open = 0
  let members = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = closingQuote(text, at)
      if (at < 0) return members
    } else if (code === 91 || code === 123) {
      if (++open > depth) return null
    } else if (code === 93 || code === 125) open--
    else if (code === 58) members++
  }
  return members
}

const quote = 34
const space = /[ \t\n\r]*/y
const plain = /[^"\\\u0000-\u001f]{0,1000}/y
const escaped = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** The offset of the first character that cannot stand there; the length of the text when it ends too early. */
export function jsonFaultAt(text: string): number {
  /** Open brackets, innermost last. */
  const open: ('{' | '[')[] = []
  let at = 0
  const match = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    if (!pattern.test(text)) return false
    at = pattern.lastIndex
    return true
  }
  const take = (character: string): boolean => {
    match(space)
    if (text[at] !== character) return false
    at++
    return true
  }
  /** In short pieces: one expression over a string of megabytes would run out of stack. A fault is at its opening quote. */
  const string = (): boolean => {
    const start = at
    for (at++; at < text.length;) {
      match(plain)
      if (text[at] === '"') {
        at++
        return true
      }
      const more = at < text.length && (text[at] === '\\' ? match(escaped) : (text[at] as string) >= ' ')
      if (!more) break
    }
    at = start
    return false
  }
  const named = (): boolean => {
    match(space)
    return text[at] === '"' && string() && take(':')
  }
  /** After a value: close what is complete; a comma asks for the next value. False: nothing more may follow. */
  const next = (): 'value' | 'end' | 'fault' => {
    for (;;) {
      const last = open.at(-1)
      if (last === undefined) return 'end'
      if (take(last === '{' ? '}' : ']')) open.pop()
      else if (!take(',') || (last === '{' && !named())) return 'fault'
      else return 'value'
    }
  }
  for (;;) {
    match(space)
    const character = text[at]
    if (character === '{' || character === '[') {
      at++
      if (!take(character === '{' ? '}' : ']')) {
        open.push(character)
        if (character === '{' && !named()) return at
        continue
      }
    } else if (!(character === '"' ? string() : match(scalar))) return at
    const follows = next()
    if (follows === 'fault') return at
    if (follows === 'end') {
      match(space)
      return at
    }
  }
}
