/**
 * What a code is called: the display in the language asked for, every name it may go by, and comparison of a name that was sent.
 * Our own code systems are named in Chinese, HL7's in English; other languages stand as designations.
 */
import type { CodeSystemConceptDesignation } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import type { Concept, Member } from './shapes.ts'

type Named = Pick<Member, 'concept' | 'display' | 'designations' | 'language'>

/**
 * The language names are wanted in. The names as defined are the default, because codes travel with them; Chinese is what the
 * platform speaks unasked, so only a reader of English, or `displayLanguage`, asks for another one.
 */
export function languageWanted(displayLanguage: string | null, { language }: Pick<Ctx, 'language'>): string | null {
  return displayLanguage ?? (language === 'en' ? 'en' : null)
}

/** The name in a language, else as defined, else the code. Language null: as defined. */
export function displayOf(member: Named, language: string | null): string {
  const own = member.display ?? member.concept.display ?? member.concept.code
  if (language === null || (member.designations.length === 0 && member.concept.designations.length === 0) || fits(member.language, language)) return own
  return namesIn(member, language)[0] ?? own
}

function namesIn(member: Named, language: string): string[] {
  return allDesignations(member).flatMap((each) => (each.language && each.value && isDisplay(each) && fits(each.language, language) ? [each.value] : []))
}

/** `zh` finds `zh-CN` and the other way round. */
function fits(has: string, wanted: string): boolean {
  const [a, b] = [has.toLowerCase(), wanted.toLowerCase()]
  return a === b || a.split('-')[0] === b || a === b.split('-')[0]
}

/** Some designations are definitions in another language. */
function isDisplay({ use }: CodeSystemConceptDesignation): boolean {
  return use?.code !== 'definition'
}

export function allDesignations(member: Named): CodeSystemConceptDesignation[] {
  return [...member.designations, ...member.concept.designations]
}

/** What it is listed with: all designations, and the defined name when another one is shown. */
export function shownDesignations(member: Named, shown: string): CodeSystemConceptDesignation[] {
  const defined = member.display ?? member.concept.display
  const rest = defined !== null && defined !== shown ? [{ language: member.language, value: defined }] : []
  return [...rest, ...allDesignations(member)]
}

export function isNameOf(member: Named, given: string): boolean {
  const names = [member.display, member.concept.display, ...allDesignations(member).map((each) => each.value ?? null)]
  if (names.every((each) => each === null)) return true
  const wanted = folded(given)
  return names.some((each) => each !== null && folded(each) === wanted)
}

/** Every word of the filter is somewhere in the code or in one of its names. */
export function textMatcher(filter: string): (member: Named) => boolean {
  const words = folded(filter).split(' ')
  return ({ concept, display, designations }) => {
    const own = [display ?? '', ...designations.map((each) => each.value ?? '')].filter((each) => each !== '')
    const text = own.length === 0 ? conceptText(concept) : `${conceptText(concept)}\n${own.map(folded).join('\n')}`
    return words.every((word) => text.includes(word))
  }
}

/** What a concept can be found by; kept, because people search letter by letter. */
const texts = new WeakMap<Concept, string>()

function conceptText(concept: Concept): string {
  const known = texts.get(concept)
  if (known !== undefined) return known
  const text = [concept.code, concept.display ?? '', ...concept.designations.map((each) => each.value ?? '')].map(folded).join('\n')
  texts.set(concept, text)
  return text
}

function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
}

/** A concept of a system outside any value set. */
export function asMember(concept: Concept, language: string): Named {
  return { concept, language, display: null, designations: [] }
}
