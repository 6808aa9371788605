/** The English beside a Chinese text: the standard translation extension on the underscore sibling. */
import type { Extension } from '@medplum/fhirtypes'
import type { Sentence } from './outcome.ts'

const translationUrl = 'http://hl7.org/fhir/StructureDefinition/translation'

/** Value of the sibling `_name`, `_display`, `_title` … */
export function englishSibling(en: string): { extension: Extension[] } {
  return { extension: [{ url: translationUrl, extension: [{ url: 'lang', valueCode: 'en' }, { url: 'content', valueString: en }] }] }
}

/** Both languages of an element of a resource; the Chinese stands in where there is no English. Null when there is no text. */
export function bothLanguagesOf(holder: object | undefined, element: string): Sentence | null {
  const values = (holder ?? {}) as Record<string, unknown>
  const zh = values[element]
  if (typeof zh !== 'string' || zh === '') return null
  const sibling = values[`_${element}`] as { extension?: Extension[] } | undefined
  const en = sibling?.extension?.find((each) => each.url === translationUrl)?.extension?.find((each) => each.url === 'content')?.valueString
  return { zh, en: en ?? zh }
}
