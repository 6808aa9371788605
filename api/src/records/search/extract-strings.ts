/**
 * Strings as rows of idx_string: each text that a prefix may be compared with, normalised. Names are stored as one text
 * (family name first when Chinese), as their parts, and with pinyin; Chinese names of hospitals and other things also from each of their characters on, under
 * a key of its own that no order counts; addresses as one text and as their parts. A text that is longer than a row holds has its further parts under a
 * key of their own too.
 * Source: FHIR R4 3.1.1.4.8 (string); pinyin is ours.
 */
import type { Collect, Sink } from '../index-resource.ts'
import { paramKey } from './keys.ts'
import { beginningOf, furtherParts, hasHan, laterParts, normaliseString, normaliseWhole, pinyinForms } from './normalise.ts'

interface NameLike { text?: unknown; family?: unknown; given?: unknown; prefix?: unknown; suffix?: unknown }
interface AddressLike { text?: unknown; line?: unknown; city?: unknown; district?: unknown; state?: unknown; postalCode?: unknown; country?: unknown }

/** Parameters whose plain strings are names of people or organisations. */
const nameParameters = new Set(['name', 'family', 'given', 'phonetic'])

/** Types whose `name` is a person's, with parts of its own. */
const people = new Set(['Patient', 'Practitioner', 'RelatedPerson', 'Person'])

/** Parameters of names of people that are found by other forms too. */
const formsOfPeople = new Set(['name', 'family', 'given'])

/** The key of what a name is found by besides, and not ordered by: of things what stands in the middle of it, of people its words. Null where names are not stored so. */
export function laterPartsKey(type: string, code: string): bigint | null {
  if (people.has(type)) return formsOfPeople.has(code) ? paramKey(type, `${code} by its words`) : null
  return code === 'name' ? paramKey(type, `${code} from its middle`) : null
}

/** Whether a value may be among those: words are of names that are not Chinese. */
export function isFoundBesides(type: string, value: string): boolean {
  return !people.has(type) || !hasHan(value)
}

/** The key of what follows the beginning of long texts. */
export function furtherPartsKey(type: string, code: string): bigint {
  return paramKey(type, `${code} beyond its beginning`)
}

export function stringCollector(type: string, code: string, fhirType: string): Collect | null {
  const k = paramKey(type, code)
  const keep = (sink: Sink, key: bigint, val: string): void => {
    if (val !== '' && !sink.strings.some((row) => row.k === key && row.val === val)) sink.strings.push({ k: key, val })
  }
  const add = (sink: Sink, text: unknown): void => {
    if (typeof text !== 'string') return
    const whole = normaliseWhole(text)
    keep(sink, k, beginningOf(whole))
    for (const part of furtherParts(whole)) keep(sink, furtherPartsKey(type, code), part)
  }
  const addName = (sink: Sink, text: string, person: boolean): void => {
    add(sink, text)
    for (const form of pinyinForms(text, person)) add(sink, form)
  }
  const later = laterPartsKey(type, code)
  const addWords = (sink: Sink, texts: readonly string[]): void => {
    if (later !== null) for (const text of texts) keep(sink, later, normaliseString(text))
  }
  const addPart = (sink: Sink, part: unknown): void => {
    add(sink, part)
    addWords(sink, wordsOf(part))
  }
  switch (fhirType) {
    case 'HumanName': return (value, sink) => {
      const name = value as NameLike
      for (const text of wholeNames(name)) addName(sink, text, true)
      for (const part of [name.family, ...list(name.given)]) addPart(sink, part)
      addWords(sink, [...otherOrders(name), ...[...list(name.prefix), ...list(name.suffix)].filter((each) => typeof each === 'string')])
    }
    case 'Address': return (value, sink) => {
      const address = value as AddressLike
      for (const part of [address.text, ...list(address.line), address.city, address.district, address.state, address.postalCode, address.country]) {
        add(sink, part)
      }
    }
    case 'string': case 'markdown': {
      if (!nameParameters.has(code)) return (value, sink) => add(sink, value)
      const family = code === 'family'
      return (value, sink) => {
        if (typeof value !== 'string') return
        if (!hasHan(value)) return people.has(type) ? addPart(sink, value) : add(sink, value)
        addName(sink, value, family)
        if (later !== null) for (const val of laterParts(value)) keep(sink, later, val)
      }
    }
    default: return null
  }
}

const between = /[\s'’‘`.-]+/u

/** The parts of a name that are asked for by themselves, `Quinones` of `Carreno Quinones`, and the name without the signs between them, `obrien`. */
function wordsOf(part: unknown): string[] {
  if (typeof part !== 'string' || hasHan(part)) return []
  const words = part.split(between).filter((word) => word !== '')
  return words.length < 2 && words[0] === part ? [] : [...words, words.join('')]
}

/** The name as people write it: Chinese without a space and family first, others as given. */
function wholeNames(name: NameLike): string[] {
  const given = list(name.given).filter((part) => typeof part === 'string')
  const family = typeof name.family === 'string' ? name.family : ''
  const joined = hasHan(family + given.join('')) ? family + given.join('') : [...given, family].join(' ').trim()
  const text = typeof name.text === 'string' ? name.text : ''
  const whole = text !== '' && !hasHan(joined) ? [text] : [text, joined]
  return [...new Set(whole)].filter((each) => each !== '')
}

/** A name that is not Chinese is also asked for family first, and without the names between. */
function otherOrders({ family, given, text }: NameLike): string[] {
  const names = list(given).filter((part) => typeof part === 'string')
  const [first] = names
  if (typeof family !== 'string' || family === '' || first === undefined || hasHan(family + names.join(''))) return []
  return [`${family} ${names.join(' ')}`, `${first} ${family}`, ...typeof text === 'string' ? [`${names.join(' ')} ${family}`] : []]
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
