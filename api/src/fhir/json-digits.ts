/**
 * Numbers whose digits JavaScript would lose are made strings with a mark before JSON.parse and numbers again after it: a reviver
 * that sees sources would do the same, but calls a function for every value of the text and takes five times as long on a bundle.
 * A text that holds the mark itself is left to the reviver. Grammar: RFC 8259.
 */

/** A private-use character and a word: no FHIR text has it, and one that has it only takes the slow way. */
const mark = '\uf8ffnumber:'
const markCode = 0xf8ff
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** The text with marked strings for odd numbers; null when that would not be safe. */
export function markDigits(text: string): string | null {
  if (text.includes('\uf8ff') || /\\uf8ff/i.test(text)) return null
  const pieces: string[] = []
  let copied = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 34) {
      at = closingQuote(text, at)
      if (at < 0) break
    } else if (code === 45 || (code >= 48 && code <= 57)) {
      const start = at
      while (isNumberPart(text.charCodeAt(at + 1))) at++
      const source = text.slice(start, at + 1)
      // A number where a name must stand is a fault, and must stay one.
      if (String(Number(source)) === source || !number.test(source) || /^\s*:/.test(text.slice(at + 1, at + 20))) continue
      pieces.push(text.slice(copied, start), `"${mark}${source}"`)
      copied = at + 1
    }
  }
  return pieces.length === 0 ? text : `${pieces.join('')}${text.slice(copied)}`
}

/** The digits of a marked string; null for any other. */
export function markedDigits(value: string): string | null {
  return value.charCodeAt(0) === markCode && value.startsWith(mark) ? value.slice(mark.length) : null
}

function isNumberPart(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 46 || code === 101 || code === 69 || code === 43 || code === 45
}

/** Position of the quote that closes the string; -1 when none does. */
export function closingQuote(text: string, opening: number): number {
  for (let at = opening + 1; ;) {
    at = text.indexOf('"', at)
    if (at < 0) return -1
    let backslashes = 0
    while (text.charCodeAt(at - 1 - backslashes) === 92) backslashes++
    if (backslashes % 2 === 0) return at
    at++
  }
}
