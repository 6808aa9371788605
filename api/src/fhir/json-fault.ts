/**
 * Where a text stops being JSON: the offset of the first character that cannot stand there. Used only after JSON.parse has
 * refused a text, because its messages name the place only sometimes. Grammar: RFC 8259.
 */

const space = /[ \t\n\r]*/y
const plain = /[^"\\\u0000-\u001f]{0,1000}/y
const escaped = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** The offset; the length of the text when it only ends too early or has no fault; null beyond `depth` open brackets. */
export function jsonFaultAt(text: string, depth: number): number | null {
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
        if (open.length > depth) return null
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
