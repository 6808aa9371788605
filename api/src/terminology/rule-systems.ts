/**
 * Code systems that are a grammar or a list kept by somebody else: UCUM units, BCP 47 languages, BCP 13 media types, countries
 * (ISO 3166), currencies (ISO 4217) and time zones, the last three as the runtime's own Unicode data lists them.
 * Source: FHIR R4 § 4.3.14, ucum.org, RFC 5646, RFC 6838.
 */
import { systemAbsent } from './sentences.ts'
import type { Concept, System } from './shapes.ts'
import { canBeUnit, ucum } from './ucum.ts'

const codeLengthMax = 200

function concept(code: string, display: string | null): Concept {
  return { code, display, definition: null, designations: [], properties: [], parents: [], children: [], abstract: false, inactive: false }
}

function endless(url: string, name: string, find: (code: string) => Concept | null, ownFilter: System['ownFilter'] = () => null): System {
  return {
    url, version: null, name, language: 'en', complete: true, concepts: null, properties: new Set(), ownFilter,
    find: (code) => (code.length > codeLengthMax ? null : find(code)),
  }
}

function listed(url: string, name: string, concepts: readonly Concept[]): System {
  const byCode = new Map(concepts.map((each) => [each.code, each]))
  return {
    url, version: null, name, language: 'en', complete: true, concepts, properties: new Set(), ownFilter: () => null,
    find: (code) => byCode.get(code) ?? null,
  }
}

function unit(code: string): Concept | null {
  if (!canBeUnit(code)) return null
  const { status, ucumCode, unit: found } = ucum().validateUnitString(code)
  if (status !== 'valid' || ucumCode !== code) return null
  return concept(code, typeof found?.name === 'string' && found.name !== '' ? found.name : code)
}

/** `canonical = m`: units of the same dimension, those that convert into it. */
const unitFilter: System['ownFilter'] = ({ property, op, value }) => (
  property === 'canonical' && op === '=' && canBeUnit(value) ? ({ code }) => ucum().convertUnitTo(code, 1, value).status === 'succeeded' : null
)

function namesOf(type: 'language' | 'region' | 'currency', locale: 'en' | 'zh-CN'): Intl.DisplayNames {
  return new Intl.DisplayNames([locale], { type, fallback: 'none' })
}

function named(code: string, type: 'language' | 'region' | 'currency'): Concept | null {
  const display = namesOf(type, 'en').of(code)
  if (display === undefined) return null
  return { ...concept(code, display), designations: [{ language: 'zh', value: namesOf(type, 'zh-CN').of(code) ?? display }] }
}

/** A well-formed tag whose language is known. What follows `x` is what two parties have agreed on (RFC 5646 2.2.7): any is good, alone or behind a language. */
function language(code: string): Concept | null {
  // Looked for in two steps: one pattern for both would try each `x` of a text of a megabyte.
  const own = /(?:^|-)x-/i.exec(code)
  if (own) {
    if (!/^[a-z\d]{1,8}(?:-[a-z\d]{1,8})*$/i.test(code.slice(own.index + own[0].length))) return null
    const known = own.index === 0 ? concept(code, code) : language(code.slice(0, own.index))
    return known && { ...known, code }
  }
  try {
    const [canonical] = Intl.getCanonicalLocales(code)
    return canonical?.toLowerCase() === code.toLowerCase() ? named(code, 'language') : null
  } catch {
    return null // Not a language tag at all, which the runtime says by throwing.
  }
}

const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w-]+=(?:[\w.+-]+|"[^"]*"))*$/

/** Codes that Unicode names and ISO 3166-1 does not assign: groupings, exceptional reservations, user-assigned. */
const notCountries: ReadonlySet<string> = new Set(['AC', 'CP', 'CQ', 'DG', 'EA', 'EU', 'EZ', 'IC', 'QO', 'TA', 'UN', 'XA', 'XB', 'XK', 'ZZ'])
const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']

/** Two-letter codes in force: Unicode maps the withdrawn ones to their successors. */
function countries(): Concept[] {
  const isCurrent = (code: string) => !notCountries.has(code) && Intl.getCanonicalLocales(`und-${code}`)[0] === `und-${code}`
  return letters.flatMap((first) => letters.map((second) => first + second)).filter(isCurrent).flatMap((code) => named(code, 'region') ?? [])
}

/** The three-letter and numeric codes, which value sets choose by a pattern, are not here: no answer is better than an empty one. */
const twoLettersOnly: System['ownFilter'] = ({ property, op, value }) => {
  if (property === 'code' && op === 'regex' && value !== '[A-Z]{2}') throw systemAbsent('urn:iso:std:iso:3166 (alpha-3, numeric)')
  return null
}

const makers: Readonly<Record<string, (url: string) => System>> = {
  'http://unitsofmeasure.org': (url) => endless(url, 'UCUM', unit, unitFilter),
  'urn:ietf:bcp:47': (url) => endless(url, 'BCP 47', language),
  'urn:ietf:bcp:13': (url) => endless(url, 'BCP 13', (code) => (mediaType.test(code) ? concept(code, code) : null)),
  'urn:iso:std:iso:3166': (url) => ({ ...listed(url, 'ISO 3166', countries()), ownFilter: twoLettersOnly }),
  'urn:iso:std:iso:4217': (url) => listed(url, 'ISO 4217', Intl.supportedValuesOf('currency').flatMap((code) => named(code, 'currency') ?? [])),
  'https://www.iana.org/time-zones': (url) => listed(url, 'IANA', Intl.supportedValuesOf('timeZone').map((code) => concept(code, code))),
}

/** Addresses of the systems that are rules. */
export const ruleUrls: readonly string[] = Object.keys(makers)

const made = new Map<string, System>()

/** Null for systems that are none of these. */
export function ruleSystem(url: string): System | null {
  const maker = Object.hasOwn(makers, url) ? makers[url] : undefined
  if (!maker) return null
  const system = made.get(url) ?? maker(url)
  made.set(url, system)
  return system
}
