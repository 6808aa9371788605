/**
 * Words of a text, for `_text`: runs of letters and digits, normalised; of Chinese every character and every two neighbours, since words have
 * no spaces. Writer and search take them from here. A text is cut at `wordsMax` different words.
 */
import { normaliseString } from './normalise.ts'

const wordsMax = 2_000
const pieceLength = 200

const wordPattern = /\p{Script=Han}+|[\p{L}\p{N}]+?(?=\p{Script=Han}|[^\p{L}\p{N}]|$)/gu

/** Every word that a text is found by. */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>()
  for (const piece of pieces(text)) {
    for (const [run] of piece.matchAll(wordPattern)) {
      if (words.size >= wordsMax) return words
      if (!/\p{Script=Han}/u.test(run)) words.add(run)
      else {
        const characters = [...run]
        characters.forEach((character, index) => {
          words.add(character)
          if (index > 0) words.add(characters[index - 1] + character)
        })
      }
    }
  }
  return words
}

/** Words that a row must have to be found by a text: of Chinese the pairs, a single character only when it stands alone. */
export function wordsAsked(text: string): string[] {
  const all = [...wordsOf(text)]
  return all.filter((word) => [...word].length > 1 || !all.some((other) => other !== word && /\p{Script=Han}/u.test(other) && other.includes(word)))
}

/** A normalised string has a length limit; a word that stands across a border of two pieces is kept whole. */
function* pieces(text: string): Generator<string> {
  let piece = ''
  for (const token of text.split(/\s+/)) {
    for (let at = 0; at < token.length; at += pieceLength) {
      const part = token.slice(at, at + pieceLength + (at + pieceLength < token.length ? 1 : 0))
      if (piece.length + part.length >= pieceLength) {
        yield normaliseString(piece)
        piece = part
      } else piece += ` ${part}`
    }
  }
  yield normaliseString(piece)
}

/** Words of the narrative, without its mark-up. */
export function narrativeWords(resource: object): Iterable<string> {
  const { text } = resource as { text?: { div?: unknown } | null }
  return typeof text?.div === 'string' ? wordsOf(plainText(text.div)) : []
}

export function plainText(xhtml: string): string {
  return xhtml.replace(/<[^>]*>/g, ' ').replace(/&#(\d{1,7});|&#x([0-9a-f]{1,6});|&(\w{1,8});/gi, (whole: string, decimal?: string, hex?: string, name?: string) => {
    const code = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : null
    if (code !== null) return code <= 0x10ffff ? String.fromCodePoint(code) : ' '
    return entities[name ?? ''] ?? whole
  })
}

const entities: Readonly<Record<string, string>> = { __proto__: null as never, amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }
