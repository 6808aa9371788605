/**
 * Sentences in both languages as `processNote` of a ClaimResponse: a note a language, a sentence a line, so that a reader shows the note of its language
 * whole. Written and read here.
 */
import type { ClaimResponseProcessNote } from '@medplum/fhirtypes'
import type { Sentence } from './outcome.ts'

export function processNotes(sentences: readonly Sentence[]): ClaimResponseProcessNote[] {
  return (['zh', 'en'] as const).map((language, index) => ({
    number: index + 1, type: 'display', text: sentences.map((sentence) => sentence[language]).join('\n'), language: { coding: [{ system: 'urn:ietf:bcp:47', code: language }] },
  }))
}

/** Each Chinese sentence with the English one in its place, or with itself; also of notes of before 2026-11-28, which held a sentence each. */
export function sentencesOf(notes: readonly ClaimResponseProcessNote[] | undefined): Sentence[] {
  const of = (language: string) => (notes ?? []).filter((note) => note.language?.coding?.some((coding) => coding.code === language)).flatMap((note) => note.text.split('\n'))
  const english = of('en')
  return of('zh').map((zh, index) => ({ zh, en: english[index] ?? zh }))
}
