/**
 * The form in which strings are stored for search and in which a search value is compared with them: NFKC, lower case,
 * no diacritics, simplified characters, spaces folded, at most `maxStringLength` characters. Chinese names also get their pinyin without tones,
 * joined, and its initials, because that is how people type them: 张三 is found by 张, zhangsan and zs.
 * Writer and search must call the same function; a change here needs a new index.
 */
import { pinyin } from 'pinyin-pro'
import { simplified } from './han-variants.ts'

/** Longest text that is kept, in UTF-16 units: well under a third of a page, the limit of a btree entry. */
export const maxStringLength = 256

export function normaliseString(text: string): string {
  return beginningOf(normaliseWhole(text))
}

/** As `normaliseString`, of any length. */
export function normaliseWhole(text: string): string {
  // Latin text without capitals or accents, the commonest after ids, needs no tables.
  const folded = plain.test(text) ? text : simplified(text.normalize('NFKC').toLowerCase().normalize('NFD').replace(/\p{M}+/gu, '').normalize('NFC'))
  return folded.replace(/[\p{Cc}\s]+/gu, ' ').trim()
}

/** Whatever is no longer than this and stands anywhere in a text is whole in one of its parts. */
export const partLength = maxStringLength / 2
/** Of longer texts (some 16,000 characters) the rest is not found. */
export const partsMax = 128

/** What follows the kept beginning of a text that `normaliseWhole` made: parts that overlap by half. Empty where all is kept. */
export function furtherParts(whole: string): string[] {
  const parts: string[] = []
  for (let from = partLength; from + partLength < whole.length && parts.length < partsMax; from += partLength) parts.push(beginningOf(whole.slice(isLowHalf(whole, from) ? from - 1 : from)))
  return parts
}

/** A text in pieces that `furtherParts` keeps whole, each beginning where the one before ends. */
export function pieces(whole: string): string[] {
  const found: string[] = []
  for (let from = 0, end = 0; from < whole.length; from = end) {
    end = from + partLength
    if (isLowHalf(whole, end)) end--
    found.push(whole.slice(from, end))
  }
  return found
}

const plain = /^[a-z0-9 .,'-]*$/
const han = /\p{Script=Han}/u

export function hasHan(text: string): boolean {
  return han.test(text)
}

/**
 * Pinyin of a Chinese name: joined, and the initials. `person` reads a surname at the head as one (单 is shan, 曾 is zeng).
 * Empty for text without Chinese characters; one character has no initials of its own.
 */
export function pinyinForms(name: string, person: boolean): string[] {
  return hasHan(name) ? formsOf(syllablesOf(name, person)) : []
}

/**
 * What a Chinese name that is not a person's is asked for by from its middle on: 申浦医院 and 医院 of 上海市申浦医院, their pinyin and initials. Not its last character.
 * Empty for text without Chinese characters.
 */
export function laterParts(name: string): string[] {
  if (!hasHan(name)) return []
  const characters = [...normaliseString(name)]
  const written = characters.flatMap((character, from) => (from > 0 && from < characters.length - 1 && hasHan(character) ? [characters.slice(from).join('')] : []))
  const syllables = syllablesOf(name, false)
  return [...new Set([...written, ...syllables.slice(1, -1).flatMap((_, before) => formsOf(syllables.slice(before + 1)))])]
}

function syllablesOf(name: string, person: boolean): string[] {
  return pinyin(name, {
    toneType: 'none', type: 'array', surname: person ? 'head' : 'off', nonZh: 'consecutive', v: true,
  }).map((syllable) => normaliseString(syllable).replaceAll(' ', '')).filter((syllable) => syllable !== '')
}

function formsOf(syllables: readonly string[]): string[] {
  const joined = beginningOf(syllables.join(''))
  // A rare character has no pinyin and stands for itself, whole: it takes two units.
  const initials = beginningOf(syllables.map((syllable) => String.fromCodePoint(syllable.codePointAt(0) ?? 0)).join(''))
  return syllables.length < 2 || joined === initials ? [joined] : [joined, initials]
}

/** At most `maxStringLength` units, without splitting a character that takes two. */
export function beginningOf(text: string): string {
  if (text.length <= maxStringLength) return text
  return text.slice(0, isLowHalf(text, maxStringLength) ? maxStringLength - 1 : maxStringLength)
}

/** The second half of a character that takes two units. */
function isLowHalf(text: string, at: number): boolean {
  const unit = text.charCodeAt(at)
  return unit >= 0xdc00 && unit < 0xe000
}
