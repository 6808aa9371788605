/**
 * The words of FHIR elements in the reader's language. Chinese is what stands in the element; English stands beside it
 * as the standard translation extension on the underscore sibling. Missing English falls back to the Chinese.
 */
import type { CodeableConcept, Coding, Extension, HumanName, Reference } from '@medplum/fhirtypes'
import type { Language } from './format.ts'

const translationUrl = 'http://hl7.org/fhir/StructureDefinition/translation'

/** `text(organization, 'name', 'en')`: the element in the language asked for. */
export function text(owner: object | undefined | null, element: string, language: Language): string {
  if (!owner) return ''
  const values = owner as Record<string, unknown>
  const own = typeof values[element] === 'string' ? values[element] : ''
  if (language === 'zh') return own
  const sibling = values[`_${element}`] as { extension?: Extension[] } | undefined
  for (const each of sibling?.extension ?? []) {
    if (each.url !== translationUrl) continue
    const lang = each.extension?.find((inner) => inner.url === 'lang')
    if ((lang?.valueCode ?? lang?.valueString ?? '').startsWith(language)) {
      const content = each.extension?.find((inner) => inner.url === 'content')
      return content?.valueString ?? content?.valueMarkdown ?? own
    }
  }
  return own
}

export function codingText(coding: Coding | undefined, language: Language): string {
  return text(coding, 'display', language) || coding?.code || ''
}

export function conceptText(concept: CodeableConcept | undefined, language: Language): string {
  if (!concept) return ''
  const own = text(concept, 'text', language)
  const named = concept.coding?.find((each) => each.display)
  if (language === 'en' && concept.coding?.length) {
    const english = concept.coding.map((each) => text(each, 'display', 'en')).find((each) => each && !/[\u3400-\u9fff]/.test(each))
    if (english && (!own || /[\u3400-\u9fff]/.test(own))) return english
  }
  return own || codingText(named ?? concept.coding?.[0], language)
}

export function conceptsText(concepts: CodeableConcept[] | undefined, language: Language): string {
  return (concepts ?? []).map((each) => conceptText(each, language)).filter(Boolean).join(language === 'zh' ? '、' : ', ')
}

export function referenceText(reference: Reference | undefined, language: Language): string {
  return text(reference, 'display', language)
}

/** Chinese: the official name. English: the pinyin name beside it. */
export function nameText(names: HumanName[] | undefined, language: Language): string {
  const written = (names ?? []).map((each) => each.text ?? [...(each.given ?? []), each.family].filter(Boolean).join(' '))
  const chinese = written.find((each) => /[\u3400-\u9fff]/.test(each))
  const latin = written.find((each) => each && !/[\u3400-\u9fff]/.test(each))
  return (language === 'zh' ? chinese ?? latin : latin ?? chinese) ?? ''
}
