/**
 * Answers held against their questionnaire: each thing that a question can ask, with a failing response and its nearest passing one; when questions
 * are asked; and that neither a broken questionnaire nor a broken response ends in a throw.
 */
import type { Questionnaire } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson } from '../../fhir/json.ts'
import { loadModel } from '../../fhir/model.ts'
import { validateResource } from '../validate.ts'
import { setOf } from '../../terminology/value-sets.ts'

type Json = Record<string, unknown>

const model = loadModel()
const url = 'http://test/questionnaire'

const form = (...item: Json[]): Json => ({ resourceType: 'Questionnaire', url, status: 'active', item })
const response = (...item: Json[]): Json => ({ resourceType: 'QuestionnaireResponse', status: 'completed', questionnaire: url, ...(item.length > 0 ? { item } : {}) })
const answered = (linkId: string, ...answer: Json[]): Json => ({ linkId, answer })
const core = (name: string, value: Json): Json => ({ url: `http://hl7.org/fhir/StructureDefinition/${name}`, ...value })
const kilograms = (value: number): Json => ({ value, system: 'http://unitsofmeasure.org', code: 'kg', unit: 'kg' })
const coding = (code: string, system = 'http://s'): Json => ({ valueCoding: { system, code } })

function issuesOf(questionnaire: Json, given: Json, warnings = false): string[] {
  const questionnaires = new Map([[url, [questionnaire as unknown as Questionnaire]]])
  const sets = ['http://hl7.org/fhir/ValueSet/administrative-gender'].map((each) => [each, setOf(each)] as const)
  return validateResource(model, parseJson(JSON.stringify(given)), { stored: { questionnaires, valueSets: new Map(sets) }, warnings }).filter(({ code }) => !warnings || code !== 'invariant-broken')
    .map((each) => {
      expect(each.text.zh).toMatch(/\p{Script=Han}/u)
      expect(each.text.en).not.toMatch(/undefined|\[object|null/)
      return `${each.code} ${each.expression}`
    })
}

/** [what, question, broken items, issues, kept items] */
type Row = [what: string, question: Json, broken: Json[], issues: string[], kept: Json[]]

const at = 'QuestionnaireResponse.item[0].answer[0].value'

const answers: Row[] = [
  ['type', { type: 'boolean' }, [answered('a', { valueString: 'yes' })], [`structure ${at}`], [answered('a', { valueBoolean: true })]],
  ['a whole number is a decimal', { type: 'decimal' }, [answered('a', { valueString: '1' })], [`structure ${at}`], [answered('a', { valueInteger: 1 })]],
  ['required', { type: 'string', required: true }, [{ linkId: 'a' }], ['required QuestionnaireResponse.item[0]'], [answered('a', { valueString: 'x' })]],
  ['one answer', { type: 'string' }, [answered('a', { valueString: 'x' }, { valueString: 'y' })], ['cardinality QuestionnaireResponse.item[0].answer'], [answered('a', { valueString: 'x' })]],
  ['one item', { type: 'string', repeats: true }, [answered('a', { valueString: 'x' }), answered('a', { valueString: 'y' })], ['cardinality QuestionnaireResponse.item[1]'], [answered('a', { valueString: 'x' }, { valueString: 'y' })]],
  ['maxOccurs', { type: 'string', repeats: true, extension: [core('questionnaire-maxOccurs', { valueInteger: 1 })] }, [answered('a', { valueString: 'x' }, { valueString: 'y' })], ['cardinality QuestionnaireResponse.item[0]'], [answered('a', { valueString: 'x' })]],
  ['minOccurs', { type: 'string', repeats: true, extension: [core('questionnaire-minOccurs', { valueInteger: 2 })] }, [answered('a', { valueString: 'x' })], ['required QuestionnaireResponse.item[0]'], [answered('a', { valueString: 'x' }, { valueString: 'y' })]],
  ['option', { type: 'choice', answerOption: [coding('x'), coding('y')] }, [answered('a', coding('z'))], [`code-unknown ${at}`], [answered('a', coding('y'))]],
  ['option, system', { type: 'choice', answerOption: [coding('x')] }, [answered('a', coding('x', 'http://t'))], [`code-unknown ${at}`], [answered('a', coding('x'))]],
  ['option of text', { type: 'choice', answerOption: [{ valueString: 'often' }, { valueString: 'never' }] }, [answered('a', { valueString: 'oftn' })], [`code-unknown ${at}`], [answered('a', { valueString: 'often' })]],
  ['exclusive option', { type: 'choice', repeats: true, answerOption: [coding('x'), { ...coding('none'), extension: [core('questionnaire-optionExclusive', { valueBoolean: true })] }] }, [answered('a', coding('x'), coding('none'))], ['invariant-broken QuestionnaireResponse.item[0].answer[1].value'], [answered('a', coding('none'))]],
  ['open choice, a code is one of the options', { type: 'open-choice', answerOption: [coding('x')] }, [answered('a', coding('y'))], [`code-unknown ${at}`], [answered('a', { valueString: 'something else' })]],
  ['value set', { type: 'choice', answerValueSet: 'http://hl7.org/fhir/ValueSet/administrative-gender' }, [answered('a', coding('male'))], [`code-unknown ${at}`], [answered('a', coding('male', 'http://hl7.org/fhir/administrative-gender'))]],
  ['maxLength in characters', { type: 'string', maxLength: 2 }, [answered('a', { valueString: '张三丰' })], [`value-invalid ${at}`], [answered('a', { valueString: '张𠮷' })]],
  ['minLength', { type: 'text', extension: [core('minLength', { valueInteger: 2 })] }, [answered('a', { valueString: 'x' })], [`value-invalid ${at}`], [answered('a', { valueString: 'xy' })]],
  ['pattern, as a whole', { type: 'string', extension: [core('regex', { valueString: '1[3-9]\\d{9}' })] }, [answered('a', { valueString: '+8613800138000' })], [`value-invalid ${at}`], [answered('a', { valueString: '13800138000' })]],
  ['a pattern that would not end is not judged', { type: 'string', extension: [core('regex', { valueString: '(a|aa)+' })] }, [answered('a', { valueInteger: 1 })], [`structure ${at}`], [answered('a', { valueString: `${'a'.repeat(60)}b` })]],
  ['a pattern that is none is not judged', { type: 'string', extension: [core('regex', { valueString: '(' })] }, [answered('a', { valueInteger: 1 })], [`structure ${at}`], [answered('a', { valueString: 'x' })]],
  ['minValue', { type: 'integer', extension: [core('minValue', { valueInteger: 0 })] }, [answered('a', { valueInteger: -1 })], [`value-invalid ${at}`], [answered('a', { valueInteger: 0 })]],
  ['maxValue of a date', { type: 'date', extension: [core('maxValue', { valueDate: '2026-06' })] }, [answered('a', { valueDate: '2026-07-01' })], [`value-invalid ${at}`], [answered('a', { valueDate: '2026-06-30' })]],
  ['maxValue of a time', { type: 'time', extension: [core('maxValue', { valueTime: '12:00:00' })] }, [answered('a', { valueTime: '12:00:01' })], [`value-invalid ${at}`], [answered('a', { valueTime: '11:59:59' })]],
  ['minQuantity in another unit', { type: 'quantity', extension: [{ url: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-minQuantity', valueQuantity: kilograms(1) }] }, [answered('a', { valueQuantity: { ...kilograms(999), code: 'g' } })], [`value-invalid ${at}`], [answered('a', { valueQuantity: { ...kilograms(1000), code: 'g' } })]],
  ['decimal places, noughts too', { type: 'decimal', extension: [core('maxDecimalPlaces', { valueInteger: 1 })] }, [answered('a', { valueDecimal: 1.25 })], [`value-invalid ${at}`], [answered('a', { valueDecimal: 1.2 })]],
  ['decimal places of a quantity', { type: 'quantity', extension: [core('maxDecimalPlaces', { valueInteger: 0 })] }, [answered('a', { valueQuantity: kilograms(1.5) })], [`value-invalid ${at}`], [answered('a', { valueQuantity: kilograms(2) })]],
  ['unit', { type: 'quantity', extension: [core('questionnaire-unitOption', { valueCoding: { system: 'http://unitsofmeasure.org', code: 'g' } })] }, [answered('a', { valueQuantity: kilograms(1) })], [`code-unknown ${at}`], [answered('a', { valueQuantity: { ...kilograms(1), code: 'g' } })]],
  ['target', { type: 'reference', extension: [core('questionnaire-referenceResource', { valueCode: 'Patient' })] }, [answered('a', { valueReference: { reference: 'Practitioner/1' } })], [`reference-invalid ${at}`], [answered('a', { valueReference: { reference: 'Patient/1' } })]],
  ['media type', { type: 'attachment', extension: [core('mimeType', { valueCode: 'image/png' })] }, [answered('a', { valueAttachment: { contentType: 'image/gif', url: 'http://x' } })], [`value-invalid ${at}`], [answered('a', { valueAttachment: { contentType: 'image/png', url: 'http://x' } })]],
  ['its own rule', { type: 'string', repeats: true, extension: [core('questionnaire-constraint', { extension: [{ url: 'key', valueId: 'k' }, { url: 'severity', valueCode: 'error' }, { url: 'expression', valueString: 'answer.count() = 2' }, { url: 'human', valueString: 'two' }] })] }, [answered('a', { valueString: 'x' })], ['invariant-broken QuestionnaireResponse.item[0]'], [answered('a', { valueString: 'x' }, { valueString: 'y' })]],
  ['display has no answer', { type: 'display', text: 'x' }, [answered('a', { valueString: 'x' })], ['structure QuestionnaireResponse.item[0].answer'], [{ linkId: 'a' }]],
  ['a group has no answer', { type: 'group', item: [{ linkId: 'b', type: 'string' }] }, [answered('a', { valueString: 'x' })], ['structure QuestionnaireResponse.item[0].answer'], [{ linkId: 'a', item: [answered('b', { valueString: 'x' })] }]],
  ['a required group has something in it', { type: 'group', required: true, item: [{ linkId: 'b', type: 'string' }] }, [{ linkId: 'a' }], ['required QuestionnaireResponse.item[0]'], [{ linkId: 'a', item: [answered('b', { valueString: 'x' })] }]],
  ['a group once', { type: 'group', item: [{ linkId: 'b', type: 'string' }] }, [1, 2].map(() => ({ linkId: 'a', item: [answered('b', { valueString: 'x' })] })), ['cardinality QuestionnaireResponse.item[1]'], [{ linkId: 'a', item: [answered('b', { valueString: 'x' })] }]],
  ['required in a group that is there', { type: 'group', item: [{ linkId: 'b', type: 'string', required: true }, { linkId: 'c', type: 'string' }] }, [{ linkId: 'a', item: [answered('c', { valueString: 'x' })] }], ['required QuestionnaireResponse.item[0].item'], []],
  ['below an answer, not beside it', { type: 'string', item: [{ linkId: 'b', type: 'string' }] }, [{ linkId: 'a', item: [answered('b', { valueString: 'x' })] }], ['structure QuestionnaireResponse.item[0].item'], [answered('a', { valueString: 'x', item: [answered('b', { valueString: 'y' })] })]],
  ['unknown linkId', { type: 'string' }, [answered('z', { valueString: 'x' })], ['element-unknown QuestionnaireResponse.item[0].linkId'], [answered('a', { valueString: 'x' })]],
  ['elsewhere in the questionnaire', { type: 'group', item: [{ linkId: 'b', type: 'string' }] }, [answered('b', { valueString: 'x' })], ['element-unknown QuestionnaireResponse.item[0].linkId'], [{ linkId: 'a', item: [answered('b', { valueString: 'x' })] }]],
]

describe('each thing a question asks', () => {
  test.each(answers)('%s', (_, question, broken, issues, kept) => {
    expect(issuesOf(form({ linkId: 'a', ...question }), response(...broken))).toEqual(issues)
    expect(issuesOf(form({ linkId: 'a', ...question }), response(...kept))).toEqual([])
  })

  test('digits count as they were written', () => {
    const questionnaire = form({ linkId: 'a', type: 'decimal', extension: [core('maxDecimalPlaces', { valueInteger: 1 })] })
    const given = parseJson(JSON.stringify(response(answered('a', { valueDecimal: 1 }))).replace('"valueDecimal":1', '"valueDecimal":1.00'))
    expect(validateResource(model, given, { stored: { questionnaires: new Map([[url, [questionnaire as unknown as Questionnaire]]]) } })).toHaveLength(1)
  })

  test('a response without a version fits one of those that are known, or is told of the newest', () => {
    const [newer, older] = [form({ linkId: 'b', type: 'string', required: true }), form({ linkId: 'a', type: 'string' })]
    const of = (...item: Json[]) => validateResource(model, response(...item), { stored: { questionnaires: new Map([[url, [newer, older] as unknown as Questionnaire[]]]) } }).map(({ code }) => code)
    expect([of(answered('b', { valueString: 'x' })), of(answered('a', { valueString: 'x' })), of(answered('c', { valueString: 'x' }))]).toEqual([[], [], ['element-unknown', 'required']])
  })

  test('digits with an exponent, units by their text, rules of a complete response alone', () => {
    const questionnaire = (more: Json) => form({ linkId: 'a', type: 'decimal', ...more })
    const decimal = (text: string) => parseJson(JSON.stringify(response(answered('a', { valueDecimal: 1 }))).replace('"valueDecimal":1', `"valueDecimal":${text}`))
    const places = (text: string) => validateResource(model, decimal(text), { stored: { questionnaires: new Map([[url, [questionnaire({ extension: [core('maxDecimalPlaces', { valueInteger: 2 })] }) as unknown as Questionnaire]]]) } }).length
    expect(['1.5e3', '1e-5', '1.25', '1.255', '1.255e1'].map(places)).toEqual([0, 1, 0, 1, 0])
    const weight = { linkId: 'a', type: 'quantity', extension: [core('questionnaire-unitOption', { valueCoding: { system: 'http://unitsofmeasure.org', code: 'kg', display: '公斤' } })] }
    const open = { ...weight, extension: [...weight.extension, { url: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-unitOpen', valueCode: 'optionsOrString' }] }
    const of = (item: Json, unit: string) => issuesOf(form(item), response(answered('a', { valueQuantity: { value: 3, unit } })))
    expect([of(weight, 'kg'), of(weight, '公斤'), of(weight, 'stone').length, of(open, 'stone')]).toEqual([[], [], 1, []])
    const ruled = form({ linkId: 'a', type: 'string', repeats: true, extension: [core('questionnaire-constraint', { extension: [{ url: 'key', valueId: 'k' }, { url: 'severity', valueCode: 'error' }, { url: 'expression', valueString: 'answer.count() = 2' }, { url: 'human', valueString: 'two' }] })] })
    const given = response(answered('a', { valueString: 'x' }))
    expect([issuesOf(ruled, given).length, issuesOf(ruled, { ...given, status: 'in-progress' })]).toEqual([1, []])
    // Those of a questionnaire that came along are not run: nobody has looked at them.
    expect(issuesOf(form(), { ...given, questionnaire: '#q', contained: [{ ...ruled, id: 'q', url: undefined }] })).toEqual([])
  })

  test('what is said to be absent is not missing, nor what would stand below it', () => {
    const absent = { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'asked-declined' }] }
    const questionnaire = form({ linkId: 'a', type: 'string', required: true, item: [{ linkId: 'b', type: 'string', required: true }] })
    expect(issuesOf(questionnaire, response({ linkId: 'a', ...absent }))).toEqual([])
    expect(issuesOf(questionnaire, response(answered('a', { _valueString: absent })))).toEqual([])
    expect(issuesOf(questionnaire, response(answered('a', { valueString: 'x' })))).toEqual(['required QuestionnaireResponse.item[0].answer[0].item'])
  })

  test('options by identifier, and of another code system', () => {
    const doctor = (value: string) => ({ valueReference: { identifier: { system: 'urn:npi', value } } })
    const of = (option: Json, answer: Json) => issuesOf(form({ linkId: 'a', type: 'choice', answerOption: [option] }), response(answered('a', answer)))
    expect([of(doctor('1'), doctor('1')), of(doctor('1'), doctor('2')).length]).toEqual([[], 1])
    const [fault] = validateResource(model, response(answered('a', coding('x', 'http://t'))), { stored: { questionnaires: new Map([[url, [form({ linkId: 'a', type: 'choice', answerOption: [coding('x')] }) as unknown as Questionnaire]]]) } })
    expect(fault?.text.en).toBe('The option "x" of "a" is not of the code system http://t.')
  })

  test('in the order of the questions', () => {
    const questionnaire = form({ linkId: 'a', type: 'string' }, { linkId: 'b', type: 'string' })
    const [a, b] = [answered('a', { valueString: 'x' }), answered('b', { valueString: 'x' })] as const
    expect(issuesOf(questionnaire, response(b, a))).toEqual(['structure QuestionnaireResponse.item[1]'])
    expect(issuesOf(questionnaire, response(a, b))).toEqual([])
  })

  test('what is missing counts in a complete one only, and nothing in one that is in error', () => {
    const questionnaire = form({ linkId: 'a', type: 'string', required: true })
    const of = (status: string, ...item: Json[]) => issuesOf(questionnaire, { ...response(...item), status })
    expect(['completed', 'amended'].map((status) => of(status))).toEqual([['required QuestionnaireResponse.item'], ['required QuestionnaireResponse.item']])
    expect(['in-progress', 'stopped', 'entered-in-error'].map((status) => of(status))).toEqual([[], [], []])
    expect(of('in-progress', answered('z', { valueString: 'x' }))).toEqual(['element-unknown QuestionnaireResponse.item[0].linkId'])
    expect(of('entered-in-error', answered('z', { valueString: 'x' }))).toEqual([])
  })

  test('a contained questionnaire counts; one that nobody knows is advice', () => {
    const contained = { ...form({ linkId: 'a', type: 'string' }), id: 'q', url: undefined }
    expect(issuesOf(form(), { ...response(answered('z', { valueString: 'x' })), questionnaire: '#q', contained: [contained] })).toEqual(['element-unknown QuestionnaireResponse.item[0].linkId'])
    expect(issuesOf(form(), { ...response(answered('z', { valueString: 'x' })), questionnaire: 'http://nowhere' })).toEqual([])
    expect(issuesOf(form(), { ...response(answered('z', { valueString: 'x' })), questionnaire: 'http://nowhere' }, true)).toEqual(['not-found QuestionnaireResponse.questionnaire'])
  })
})

/** [operator, answer of the condition, answers that meet it, answers that do not] */
const conditions: [operator: string, answer: Json, meets: Json[], misses: Json[]][] = [
  ['exists', { answerBoolean: true }, [{ valueInteger: 1 }], []],
  ['exists', { answerBoolean: false }, [], [{ valueInteger: 1 }]],
  ['=', { answerInteger: 2 }, [{ valueInteger: 2 }], [{ valueInteger: 3 }]],
  ['=', { answerBoolean: false }, [{ valueBoolean: false }], []],
  ['=', { answerCoding: { system: 'http://s', code: 'x' } }, [coding('y'), coding('x')], [coding('x', 'http://t')]],
  ['!=', { answerString: 'x' }, [{ valueString: 'y' }], [{ valueString: 'x' }]],
  ['=', { answerDateTime: '2026-01-01T00:00:00Z' }, [{ valueDateTime: '2026-01-01T08:00:00+08:00' }], [{ valueDateTime: '2026-01-01T08:00:01+08:00' }]],
  ['>', { answerDecimal: 1.5 }, [{ valueDecimal: 1.6 }], [{ valueDecimal: 1.5 }]],
  ['<', { answerDate: '2026-01-01' }, [{ valueDate: '2025-12-31' }], [{ valueDate: '2026-01-01' }]],
  ['>=', { answerTime: '09:00:00' }, [{ valueTime: '09:00:00' }], [{ valueTime: '08:59:59' }]],
  ['<=', { answerQuantity: kilograms(1) }, [{ valueQuantity: { ...kilograms(1000), code: 'g' } }], [{ valueQuantity: { ...kilograms(1001), code: 'g' } }]],
  ['>', { answerQuantity: kilograms(1) }, [{ valueQuantity: kilograms(2) }], [{ valueQuantity: kilograms(1) }]],
]

describe('a question is asked by the answers to others', () => {
  const [given] = [answered('b', { valueString: 'x' })]
  const asked = (question: Json) => ({ linkId: 'b', type: 'string', required: true, ...question })
  const decides = { linkId: 'a', type: 'choice', repeats: true }

  test.each(conditions)('%s %o', (operator, answer, meets, misses) => {
    const types: Record<string, string> = { valueInteger: 'integer', valueBoolean: 'boolean', valueCoding: 'choice', valueString: 'string', valueDecimal: 'decimal', valueDate: 'date', valueTime: 'time', valueQuantity: 'quantity', valueDateTime: 'dateTime' }
    const [key = 'valueInteger'] = Object.keys(meets[0] ?? misses[0] ?? {})
    const questionnaire = form({ ...decides, type: types[key] }, asked({ enableWhen: [{ question: 'a', operator, ...answer }] }))
    const items = (list: Json[], ...more: Json[]) => response(...(list.length > 0 ? [answered('a', ...list)] : []), ...more)
    expect(issuesOf(questionnaire, items(meets, given))).toEqual([])
    expect(issuesOf(questionnaire, items(meets))).toEqual(['required QuestionnaireResponse.item'])
    expect(issuesOf(questionnaire, items(misses))).toEqual([])
    expect(issuesOf(questionnaire, items(misses, given))).toEqual([`invariant-broken QuestionnaireResponse.item[${misses.length > 0 ? 1 : 0}]`])
  })

  test.each<[string, Json, Json[]]>([
    ['values that have no order', { operator: '>', answerQuantity: kilograms(1) }, [{ valueQuantity: { ...kilograms(2), code: 'm' } }]],
    ['a month and a day of it', { operator: '>', answerDate: '2026-05-10' }, [{ valueDate: '2026-05' }]],
    ['one that differs and one that does not', { operator: '!=', answerString: 'x' }, [{ valueString: 'x' }, { valueString: 'y' }]],
    ['nothing, which differs or does not', { operator: '!=', answerString: 'x' }, []],
    ['an answer that is said to be absent', { operator: 'exists', answerBoolean: true }, [{ _valueString: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'asked-declined' }] } }]],
  ])('what cannot be told is not held against a response: %s', (_, condition, values) => {
    const [key = 'valueString'] = Object.keys(values[0] ?? {})
    const type = { valueQuantity: 'quantity', valueDate: 'date' }[key] ?? 'string'
    const questionnaire = form({ ...decides, type }, asked({ enableWhen: [{ question: 'a', ...condition }] }))
    const first = values.length > 0 ? [answered('a', ...values)] : []
    expect([issuesOf(questionnaire, response(...first)), issuesOf(questionnaire, response(...first, given))]).toEqual([[], []])
  })

  test('by one condition or by all', () => {
    const enableWhen = ['x', 'y'].map((code) => ({ question: 'a', operator: '=', answerCoding: { system: 'http://s', code } }))
    const of = (enableBehavior: string, ...codes: string[]) => issuesOf(form(decides, asked({ enableWhen, enableBehavior })), response(answered('a', ...codes.map((each) => coding(each)))))
    expect([of('any', 'x'), of('all', 'x'), of('all', 'x', 'y'), of('any', 'z')].map((each) => each.length)).toEqual([1, 0, 1, 0])
  })

  test('the answer in the same group counts, not that of another', () => {
    const questionnaire = form({ linkId: 'g', type: 'group', repeats: true, item: [{ linkId: 'a', type: 'boolean' }, asked({ enableWhen: [{ question: 'a', operator: '=', answerBoolean: true }] })] })
    const group = (yes: boolean, ...more: Json[]) => ({ linkId: 'g', item: [answered('a', { valueBoolean: yes }), ...more] })
    expect(issuesOf(questionnaire, response(group(true, given), group(false)))).toEqual([])
    expect(issuesOf(questionnaire, response(group(true), group(false, given)))).toEqual(['required QuestionnaireResponse.item[0].item', 'invariant-broken QuestionnaireResponse.item[1].item[1]'])
  })

  test('a group in which nothing is asked is not required', () => {
    const questionnaire = form(decides, { linkId: 'g', type: 'group', required: true, item: [asked({ enableWhen: [{ question: 'a', operator: 'exists', answerBoolean: true }] }), { linkId: 't', type: 'display' }] })
    expect(issuesOf(questionnaire, response())).toEqual([])
    expect(issuesOf(questionnaire, response(answered('a', coding('x'))))).toEqual(['required QuestionnaireResponse.item'])
    expect(issuesOf(questionnaire, response(answered('a', coding('x')), { linkId: 'g', item: [given] }))).toEqual([])
  })

  test('where an expression decides nothing is held against it', () => {
    const extension = [{ url: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression', valueExpression: { language: 'text/fhirpath', expression: 'true' } }]
    expect(issuesOf(form(asked({ extension })), response())).toEqual([])
    expect(issuesOf(form(asked({ extension })), response(given))).toEqual([])
  })
})

test('any questionnaire and any response get issues, never a throw', () => {
  const linkId = fc.constantFrom('a', 'b', 'c')
  const value = fc.oneof(fc.record({ valueString: fc.string() }), fc.record({ valueInteger: fc.integer() }), fc.record({ valueQuantity: fc.record({ value: fc.double(), code: fc.constantFrom('kg', 'm', 'x') }) }), fc.jsonValue({ maxDepth: 2 }).map((each) => ({ valueDate: each })))
  const { question, item } = fc.letrec((tie) => ({
    question: fc.record({
      linkId, type: fc.constantFrom('group', 'display', 'string', 'integer', 'quantity', 'choice', 'x'), required: fc.boolean(), repeats: fc.boolean(), maxLength: fc.jsonValue({ maxDepth: 0 }),
      enableWhen: fc.array(fc.record({ question: linkId, operator: fc.constantFrom('=', '!=', '>', 'exists', 'x'), answerQuantity: fc.jsonValue({ maxDepth: 1 }) }), { maxLength: 2 }),
      answerOption: fc.oneof(fc.array(value, { maxLength: 2 }), fc.jsonValue({ maxDepth: 1 })), extension: fc.jsonValue({ maxDepth: 2 }), item: fc.oneof({ maxDepth: 3, depthSize: 'small' }, fc.constant([]), fc.array(tie('question'), { maxLength: 2 })),
    }, { requiredKeys: [] }),
    item: fc.oneof({ maxDepth: 4 }, fc.jsonValue({ maxDepth: 1 }), fc.record({ linkId, answer: fc.array(fc.oneof(value, fc.record({ item: fc.array(tie('item'), { maxLength: 2 }) })), { maxLength: 2 }), item: fc.array(tie('item'), { maxLength: 2 }) }, { requiredKeys: [] })),
  }))
  fc.assert(fc.property(fc.array(question, { maxLength: 3 }), fc.array(item, { maxLength: 3 }), (questions, items) => {
    const questionnaires = new Map([[url, [{ resourceType: 'Questionnaire', status: 'active', item: questions } as unknown as Questionnaire]]])
    validateResource(model, response(...items as Json[]), { stored: { questionnaires }, warnings: true })
  }), { numRuns: 500 })
})

describe('work is bounded', () => {
  const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))
  const judged = (questionnaire: Json, given: Json): number => validateResource(model, given, { stored: { questionnaires: new Map([[url, [questionnaire as unknown as Questionnaire]]]) } }).length
  // Each takes a second or two; without bounds minutes, which the time of the test does not allow.
  test.each<[string, () => [Json, Json]]>([
    ['wrong answers to a question with many options', () => [form({ linkId: 'a', type: 'choice', repeats: true, answerOption: many(8000, (n) => coding(`option-${n}`)) }), response(answered('a', ...many(8000, (n) => coding(`wrong-${n}`))))]],
    ['items that are unknown', () => [form(...many(8000, (n) => ({ linkId: `question-${n}`, type: 'string' }))), response(...many(8000, (n) => answered(`unknown-${n}`, { valueString: 'x' })))]],
    ['groups of many questions', () => [form({ linkId: 'g', type: 'group', repeats: true, item: many(20_000, (n) => ({ linkId: `q${n}`, type: 'string' })) }), response(...many(20_000, () => ({ linkId: 'g' })))]],
    ['conditions on many answers', () => [form({ linkId: 'g', type: 'group', repeats: true, item: [{ linkId: 'a', type: 'string' }, { linkId: 'b', type: 'string', enableWhen: [{ question: 'a', operator: '=', answerString: 'x' }] }] }), response(...many(60_000, () => ({ linkId: 'g', item: [answered('a', { valueString: 'x' })] })))]],
    ['items of one linkId', () => [form({ linkId: 'a', type: 'string' }, { linkId: 'b', type: 'string', enableWhen: [{ question: 'a', operator: 'exists', answerBoolean: true }] }), response(...many(130_000, () => answered('a', { valueString: 'x' })))]],
  ])('%s', (_, make) => {
    expect(judged(...make())).toBeLessThanOrEqual(50)
  }, 60_000)

  test('patterns of all resources of a request share their time, and ordinary ones have enough', () => {
    const evil = form({ linkId: 'a', type: 'string', extension: [core('regex', { valueString: '(a|aa)+' })] })
    const entry = many(1000, () => ({ resource: response(answered('a', { valueString: `${'a'.repeat(60)}b` })) }))
    validateResource(model, { resourceType: 'Bundle', type: 'collection', entry }, { stored: { questionnaires: new Map([[url, [evil as unknown as Questionnaire]]]) } })
    const ordinary = form({ linkId: 'a', type: 'string', repeats: true, extension: [core('regex', { valueString: '\\d{3}\\-[0-9]+' })] })
    expect(issuesOf(ordinary, response(answered('a', ...many(30, (n) => ({ valueString: n === 29 ? 'XX' : `123-${n}` })))))).toEqual(['value-invalid QuestionnaireResponse.item[0].answer[29].value'])
  }, 60_000)
})
