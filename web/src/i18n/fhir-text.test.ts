import { describe, expect, test } from 'vitest'
import { conceptText, nameText, referenceText } from './fhir-text.ts'

const english = (content: string) => ({
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/translation', extension: [{ url: 'lang', valueCode: 'en' }, { url: 'content', valueString: content }] }],
})

describe('words of FHIR elements', () => {
  test('Chinese stands in the element, English in the translation beside it', () => {
    const reference = { reference: 'Organization/1', display: '第一人民医院', _display: english('First Hospital') }
    expect(referenceText(reference, 'zh')).toBe('第一人民医院')
    expect(referenceText(reference, 'en')).toBe('First Hospital')
  })
  test('without English the Chinese is better than nothing', () => expect(referenceText({ display: '第一人民医院' }, 'en')).toBe('第一人民医院'))
  test('a concept prefers its text, and in English a coding that has it', () => {
    const concept = { coding: [{ code: 'I10', display: '原发性高血压', _display: english('Essential hypertension') }], text: '原发性高血压' }
    expect(conceptText(concept, 'zh')).toBe('原发性高血压')
    expect(conceptText(concept, 'en')).toBe('Essential hypertension')
  })
  test('a concept of codes alone shows the code', () => expect(conceptText({ coding: [{ code: 'X1' }] }, 'zh')).toBe('X1'))
  test('a person has a Chinese and a pinyin name', () => {
    const names = [{ text: '张明' }, { text: 'Zhang Ming' }]
    expect(nameText(names, 'zh')).toBe('张明')
    expect(nameText(names, 'en')).toBe('Zhang Ming')
    expect(nameText([{ family: 'Smith', given: ['Ann'] }], 'zh')).toBe('Ann Smith')
  })
})
