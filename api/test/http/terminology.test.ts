/** The terminology service over HTTP: every operation by GET and POST, on type and instance, without a token, and what it refuses. */
import { describe, expect, test } from 'vitest'
import { system, testPlatform, type TestReply } from '../support/platform.ts'

const { request } = await testPlatform()

const gender = 'http://hl7.org/fhir/administrative-gender'
const genders = 'http://hl7.org/fhir/ValueSet/administrative-gender'
const marital = 'urn:oid:2.16.156.10011.2.3.3.5'
const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'

interface Part { name: string; part?: Part[]; [value: string]: unknown }

const get = (path: string, query: Record<string, string> = {}, language = 'zh') =>
  request('GET', `/fhir/${path}?${new URLSearchParams(query)}`, { headers: { 'Accept-Language': language } })
const post = (path: string, ...parameter: object[]) => request('POST', `/fhir/${path}`, { body: { resourceType: 'Parameters', parameter } })

/** Value of a named parameter of the answer. */
function answered(reply: TestReply, name: string): unknown {
  const found = (reply.json.parameter as Part[]).find((each) => each.name === name)
  return found && Object.entries(found).find(([key]) => key.startsWith('value'))?.[1]
}

function parts(reply: TestReply, name: string): Record<string, unknown>[] {
  return (reply.json.parameter as Part[]).filter((each) => each.name === name).map((each) => Object.fromEntries(
    (each.part ?? []).map((part) => [part.name, Object.entries(part).find(([key]) => key.startsWith('value'))?.[1]]),
  ))
}

function codes(reply: TestReply): string[] {
  return (reply.json.expansion.contains ?? []).map((each: { code: string }) => each.code)
}

function outcomeOf(reply: TestReply): string {
  return reply.json.issue[0].details.coding[0].code
}

describe('CodeSystem/$lookup', () => {
  test.each<[Record<string, string>, string, string]>([
    [{ system: gender, code: 'male' }, 'AdministrativeGender', 'Male'],
    [{ system: actCode, code: 'EMER' }, 'v3 Code System ActCode', 'emergency'],
    [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0001', code: 'F' }, 'v2 SEX', 'Female'],
    [{ system: marital, code: '20' }, '婚姻状况代码 GB/T 2261.2', '已婚'],
    [{ system: marital, code: '20', displayLanguage: 'en' }, '婚姻状况代码 GB/T 2261.2', 'Married'],
    [{ system: 'https://pujiang.health/fhir/CodeSystem/department', code: '03.04' }, '诊疗科目', '心血管内科'],
    [{ system: 'http://unitsofmeasure.org', code: 'mmol/L' }, 'UCUM', 'millimole per liter'],
    [{ system: 'urn:ietf:bcp:47', code: 'zh-CN', displayLanguage: 'zh' }, 'BCP 47', '中文（中国）'],
    [{ system: 'urn:ietf:bcp:47', code: 'x-whistle', displayLanguage: 'zh' }, 'BCP 47', 'x-whistle'], [{ system: 'urn:ietf:bcp:47', code: 'zh-CN-x-shanghai', displayLanguage: 'zh' }, 'BCP 47', '中文（中国）'],
    [{ system: gender, code: 'male', displayLanguage: 'zh-CN' }, 'AdministrativeGender', '男'],
    [{ system: 'urn:iso:std:iso:3166', code: 'CN', displayLanguage: 'en' }, 'ISO 3166', 'China'],
    [{ system: 'urn:iso:std:iso:4217', code: 'CNY', displayLanguage: 'zh' }, 'ISO 4217', '人民币'],
  ])('%j', async (query, name, display) => {
    const reply = await get('CodeSystem/$lookup', query)
    expect(reply.status).toBe(200)
    expect(answered(reply, 'name')).toBe(name)
    expect(answered(reply, 'display')).toBe(display)
  })

  test('names parents, children, definition and designations, or only what is asked for', async () => {
    const reply = await get('CodeSystem/$lookup', { system: actCode, code: '_ActEncounterCode' })
    expect(parts(reply, 'property')).toEqual(expect.arrayContaining([{ code: 'parent', value: '_ActCareProvisionCode' }, { code: 'child', value: 'EMER' }, { code: 'notSelectable', value: true }]))
    const some = await request('GET', `/fhir/CodeSystem/$lookup?system=${marital}&code=21&property=parent&property=lang.en`)
    expect(parts(some, 'property')).toEqual([{ code: 'parent', value: '20' }])
    expect(parts(some, 'designation')).toEqual([{ language: 'en', value: 'First marriage' }])
  })

  test('takes a coding by POST, and a code on the instance', async () => {
    expect(answered(await post('CodeSystem/$lookup', { name: 'coding', valueCoding: { system: gender, code: 'female' } }), 'display')).toBe('Female')
    expect(answered(await get('CodeSystem/gb-2261-1/$lookup', { code: '9' }), 'display')).toBe('未说明的性别')
  })

  test.each<[Record<string, string>, number, string]>([
    [{ system: gender, code: 'males' }, 404, 'not-found'],
    [{ system: 'http://unitsofmeasure.org', code: 'mmols' }, 404, 'not-found'],
    [{ system: 'http://example.org/none', code: 'a' }, 404, 'not-found'],
    [{ system: gender, version: '9.9', code: 'male' }, 404, 'not-found'],
    [{ code: 'male' }, 400, 'parameter-invalid'],
    [{ system: gender }, 400, 'parameter-invalid'],
    [{ system: gender, code: '' }, 400, 'parameter-invalid'],
    [{ system: gender, code: 'male', colour: 'red' }, 400, 'parameter-unknown'],
    [{ system: gender, coding: `${gender}|male` }, 400, 'parameter-invalid'],
  ])('refuses %j with %i', async (query, status, code) => {
    const reply = await get('CodeSystem/$lookup', query)
    expect([reply.status, outcomeOf(reply)]).toEqual([status, code])
  })
})

describe('what is said besides of a code system that is named by its id', () => {
  const own = 'urn:oid:2.16.156.10011.2.3.3.4'
  test.each<[string, Record<string, string>, number]>([
    ['$lookup', { code: '9', system: own }, 200], ['$lookup', { code: '9', version: '2003' }, 200], ['$lookup', { code: '9', system: gender }, 400], ['$lookup', { code: '9', version: '9.9' }, 400],
    ['$validate-code', { code: '9', url: own }, 200], ['$validate-code', { code: '9', url: gender }, 400], ['$validate-code', { code: '9', version: '9.9' }, 400],
    ['$subsumes', { codeA: '1', codeB: '2', system: own }, 200], ['$subsumes', { codeA: '1', codeB: '2', system: gender }, 400],
  ])('%s %j: %i', async (name, query, status) => {
    const reply = await get(`CodeSystem/gb-2261-1/${name}`, query)
    expect([reply.status, status === 400 ? outcomeOf(reply) : '']).toEqual([status, status === 400 ? 'parameter-invalid' : ''])
  })

  test('holds of one that is sent along', async () => {
    const resource = { resourceType: 'CodeSystem', url: 'http://example.org/sent', status: 'draft', content: 'complete', concept: [{ code: 'a' }] }
    const asked = (url: string) => post('CodeSystem/$validate-code', { name: 'codeSystem', resource }, { name: 'url', valueUri: url }, { name: 'code', valueCode: 'a' })
    expect([(await asked('http://example.org/sent')).status, (await asked(gender)).status]).toEqual([200, 400])
  })
})

describe('CodeSystem/$validate-code and $subsumes', () => {
  test.each<[Record<string, string>, boolean]>([
    [{ url: gender, code: 'male' }, true],
    [{ url: gender, code: 'male', display: 'Male' }, true],
    [{ url: gender, code: 'male', display: '  MALE ' }, true],
    [{ url: gender, code: 'male', display: '男' }, true],
    [{ url: gender, code: 'male', display: '女' }, false],
    [{ url: gender, code: 'male', display: 'Female' }, false],
    [{ url: gender, code: 'MALE' }, false],
    [{ url: marital, code: '20', display: '已婚' }, true],
    [{ url: marital, code: '20', display: 'Married' }, true],
    [{ url: actCode, code: '_ActEncounterCode' }, true],
    [{ url: actCode, code: '_ActEncounterCode', abstract: 'false' }, false],
    [{ url: 'http://unitsofmeasure.org', code: '10*9/L' }, true],
    [{ url: 'http://unitsofmeasure.org', code: 'x10^9/L' }, false],
  ])('%j → %s', async (query, result) => {
    const reply = await get('CodeSystem/$validate-code', query)
    expect(reply.status).toBe(200)
    expect(answered(reply, 'result')).toBe(result)
    expect(answered(reply, 'message') === undefined).toBe(result)
  })

  test('a coding of another system is not in this one; a concept needs one coding that is', async () => {
    const other = { system: marital, code: '20' }
    const url = { name: 'url', valueUri: gender }
    expect(answered(await post('CodeSystem/$validate-code', url, { name: 'coding', valueCoding: other }), 'result')).toBe(false)
    expect(answered(await post('CodeSystem/$validate-code', url, { name: 'codeableConcept', valueCodeableConcept: { coding: [other, { system: gender, code: 'male' }] } }), 'result')).toBe(true)
    expect(answered(await post('CodeSystem/$validate-code', url, { name: 'codeableConcept', valueCodeableConcept: { text: '男' } }), 'result')).toBe(false)
  })

  test('takes a code system that is sent along', async () => {
    const codeSystem = { resourceType: 'CodeSystem', url: 'http://example.org/sent', status: 'draft', content: 'complete', concept: [{ code: 'a', display: 'A' }] }
    expect(answered(await post('CodeSystem/$validate-code', { name: 'codeSystem', resource: codeSystem }, { name: 'code', valueCode: 'a' }), 'display')).toBe('A')
    const broken = await post('CodeSystem/$validate-code', { name: 'codeSystem', resource: { ...codeSystem, concept: [{ code: 'a', concept: 'b' }] } }, { name: 'code', valueCode: 'a' })
    expect([broken.status, broken.json.issue[0].expression]).toEqual([422, ['CodeSystem.concept[0].concept']])
  })

  test.each([
    ['_ActEncounterCode', 'EMER', 'subsumes'],
    ['EMER', '_ActCareProvisionCode', 'subsumed-by'],
    ['EMER', 'EMER', 'equivalent'],
    ['EMER', 'AMB', 'not-subsumed'],
  ])('%s and %s: %s', async (codeA, codeB, outcome) => {
    expect(answered(await get('CodeSystem/$subsumes', { system: actCode, codeA, codeB }), 'outcome')).toBe(outcome)
    expect(answered(await get('CodeSystem/v3-ActCode/$subsumes', { codeA, codeB }), 'outcome')).toBe(outcome)
    const coded = (code: string) => ({ system: actCode, code })
    expect(answered(await post('CodeSystem/$subsumes', { name: 'codingA', valueCoding: coded(codeA) }, { name: 'codingB', valueCoding: coded(codeB) }), 'outcome')).toBe(outcome)
  })

  test('$subsumes refuses a code there is not, and two code systems', async () => {
    expect((await get('CodeSystem/$subsumes', { system: actCode, codeA: 'EMER', codeB: 'none' })).status).toBe(404)
    expect((await get('CodeSystem/$subsumes', { system: actCode, codeA: 'EMER' })).status).toBe(400)
    expect((await post('CodeSystem/$subsumes', { name: 'codingA', valueCoding: { system: actCode, code: 'EMER' } }, { name: 'codingB', valueCoding: { system: gender, code: 'male' } })).status).toBe(400)
  })
})

describe('ValueSet/$expand', () => {
  test('by address, by id, by POST: the same codes', async () => {
    const byUrl = await get('ValueSet/$expand', { url: genders })
    expect(byUrl.status).toBe(200)
    expect(byUrl.json).toMatchObject({ resourceType: 'ValueSet', url: genders, version: '4.0.1', status: 'active', expansion: { total: 4, identifier: expect.stringMatching(/^urn:uuid:/) } })
    expect(byUrl.json.compose).toBeUndefined()
    expect(codes(byUrl)).toEqual(['male', 'female', 'other', 'unknown'])
    const { compose } = (await get('ValueSet/$expand', { url: genders, includeDefinition: 'true' })).json
    const others = [
      await get('ValueSet/administrative-gender/$expand'),
      await post('ValueSet/$expand', { name: 'url', valueUri: genders }),
      await post('ValueSet/$expand', { name: 'valueSet', resource: { resourceType: 'ValueSet', status: 'draft', compose } }),
      await request('POST', '/fhir/ValueSet/$expand', { body: { resourceType: 'ValueSet', status: 'draft', compose } }),
      await request('POST', '/fhir/ValueSet/$expand?excludeNested=true', { body: { resourceType: 'ValueSet', status: 'draft', compose } }),
    ]
    for (const reply of others) expect(reply.json.expansion.contains).toEqual(byUrl.json.expansion.contains)
  })

  test('HL7’s codes are found by their Chinese names', async () => {
    expect(codes(await get('ValueSet/observation-interpretation/$expand', { filter: '危急' }))).toEqual(['AA', 'HH', 'LL'])
    expect((await get('ValueSet/$expand', { url: genders, displayLanguage: 'zh' })).json.expansion.contains.map((each: { display: string }) => each.display)).toEqual(['男', '女', '其他', '未知'])
  })

  test('answers in the language of the reader, and echoes what it was asked', async () => {
    const reply = await get('ValueSet/department/$expand', { filter: '心血管', count: '1', offset: '0' }, 'en')
    expect(reply.json.expansion.contains[0]).toMatchObject({ code: '03.04', display: 'Cardiology' })
    expect(reply.json.expansion.parameter).toEqual([
      { name: 'filter', valueString: '心血管' }, { name: 'offset', valueInteger: 0 }, { name: 'count', valueInteger: 1 },
      { name: 'version', valueUri: 'https://pujiang.health/fhir/CodeSystem/department|0.1.0' },
    ])
    expect((await get('ValueSet/department/$expand', { filter: '心血管', count: '1' })).json.expansion.contains[0].display).toBe('心血管内科')
  })

  test.each<[Record<string, string>, number, string]>([
    [{ url: 'http://example.org/none' }, 404, 'not-found'],
    [{ url: `${genders}|1.0` }, 404, 'not-found'],
    [{ url: 'http://hl7.org/fhir/ValueSet/ucum-units' }, 422, 'too-costly'],
    [{ url: 'http://hl7.org/fhir/ValueSet/all-languages' }, 422, 'too-costly'],
    [{ url: 'http://hl7.org/fhir/ValueSet/condition-code' }, 422, 'code-system-absent'],
    [{}, 400, 'parameter-invalid'],
    [{ url: genders, count: '-1' }, 400, 'parameter-invalid'],
    [{ url: genders, offset: 'many' }, 400, 'parameter-invalid'],
    [{ url: genders, activeOnly: 'yes' }, 400, 'parameter-invalid'],
    [{ url: genders, profile: 'x' }, 400, 'parameter-unknown'],
    [{ url: 'x'.repeat(3000) }, 400, 'parameter-invalid'],
  ])('refuses %j with %i', async (query, status, code) => {
    const reply = await get('ValueSet/$expand', query)
    expect([reply.status, outcomeOf(reply)]).toEqual([status, code])
  })

  test('an address that is not known is named in both languages', async () => {
    for (const [language, text] of [['zh', '没有值集 http://example.org/none。'], ['en', 'There is no value set http://example.org/none here.']] as const) {
      expect((await get('ValueSet/$expand', { url: 'http://example.org/none' }, language)).json.issue[0].details.text).toBe(text)
    }
  })

  test.each<[string, unknown, number, string]>([
    ['a value set without compose', { resourceType: 'ValueSet', status: 'draft' }, 422, 'value-invalid'],
    ['a broken clause', { resourceType: 'ValueSet', status: 'draft', compose: { include: [{ concept: [{ code: 'x' }] }] } }, 422, 'value-invalid'],
    ['a set that imports itself', { resourceType: 'ValueSet', status: 'draft', url: 'http://example.org/me', compose: { include: [{ valueSet: ['http://example.org/me'] }] } }, 422, 'value-invalid'],
    ['another resource', { resourceType: 'Patient' }, 400, 'resource-type-mismatch'],
    ['a list', [], 400, 'resource-type-mismatch'],
    ['a parameter without a value', { resourceType: 'Parameters', parameter: [{ name: 'url' }] }, 400, 'parameter-invalid'],
    ['a parameter with the wrong type', { resourceType: 'Parameters', parameter: [{ name: 'url', valueInteger: 7 }] }, 400, 'parameter-invalid'],
    ['a parameter twice', { resourceType: 'Parameters', parameter: [{ name: 'url', valueUri: genders }, { name: 'url', valueUri: genders }] }, 400, 'parameter-invalid'],
    ['parameters that are no list', { resourceType: 'Parameters', parameter: {} }, 422, 'structure'],
    ['a parameter that is null', { resourceType: 'Parameters', parameter: [null] }, 422, 'structure'],
    ['a value set that is text', { resourceType: 'Parameters', parameter: [{ name: 'valueSet', valueString: 'x' }] }, 400, 'parameter-invalid'],
    ['a patient as value set', { resourceType: 'Parameters', parameter: [{ name: 'valueSet', resource: { resourceType: 'Patient' } }] }, 400, 'parameter-invalid'],
  ])('refuses %s', async (_name, body, status, code) => {
    const reply = await request('POST', '/fhir/ValueSet/$expand', { body })
    expect([reply.status, outcomeOf(reply)]).toEqual([status, code])
  })
})

describe('ValueSet/$validate-code', () => {
  test.each<[Record<string, string>, boolean]>([
    [{ url: genders, system: gender, code: 'male' }, true],
    [{ url: genders, code: 'male' }, true],
    [{ url: genders, system: gender, code: 'males' }, false],
    [{ url: genders, system: marital, code: 'male' }, false],
    [{ url: genders, system: gender, code: 'male', display: 'Male' }, true],
    [{ url: genders, system: gender, systemVersion: '3.0.1', code: 'male' }, false],
    [{ url: 'http://hl7.org/fhir/ValueSet/marital-status', system: 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor', code: 'UNK' }, true],
    [{ url: 'http://hl7.org/fhir/ValueSet/marital-status', system: 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor', code: 'ASKU' }, false],
    [{ url: 'http://hl7.org/fhir/ValueSet/ucum-units', system: 'http://unitsofmeasure.org', code: 'kg/m2' }, true],
    [{ url: 'http://hl7.org/fhir/ValueSet/mimetypes', system: 'urn:ietf:bcp:13', code: 'image/png' }, true],
  ])('%j → %s', async (query, result) => {
    const reply = await get('ValueSet/$validate-code', query)
    expect(reply.status).toBe(200)
    expect(answered(reply, 'result')).toBe(result)
  })

  test('a wrong display is told the right one, in the language of the reader', async () => {
    const query = { url: genders, system: gender, code: 'male', display: 'Female' }
    const [zh, en] = [await get('ValueSet/$validate-code', query), await get('ValueSet/$validate-code', query, 'en')]
    expect(zh.json.parameter).toEqual([
      { name: 'result', valueBoolean: false }, { name: 'message', valueString: '代码“male”的名称不是“Female”，应为“Male”。' }, { name: 'display', valueString: 'Male' },
    ])
    expect(answered(en, 'message')).toBe('The display of the code "male" is not "Female"; it is "Male".')
  })

  test('takes a coding, a concept with several codings, and a value set sent along', async () => {
    const url = { name: 'url', valueUri: genders }
    const [good, bad] = [{ system: gender, code: 'other' }, { system: gender, code: 'x' }]
    const concept = (...coding: object[]) => ({ name: 'codeableConcept', valueCodeableConcept: { coding } })
    expect(answered(await post('ValueSet/$validate-code', url, { name: 'coding', valueCoding: good }), 'result')).toBe(true)
    expect(answered(await post('ValueSet/$validate-code', url, concept(bad, good)), 'display')).toBe('Other')
    expect(answered(await post('ValueSet/$validate-code', url, concept(bad)), 'result')).toBe(false)
    expect(answered(await post('ValueSet/$validate-code', url, concept()), 'result')).toBe(false)
    const valueSet = { resourceType: 'ValueSet', status: 'draft', compose: { include: [{ system: gender, concept: [{ code: 'other' }] }] } }
    expect(answered(await post('ValueSet/$validate-code', { name: 'valueSet', resource: valueSet }, { name: 'coding', valueCoding: good }), 'result')).toBe(true)
    expect(answered(await get('ValueSet/administrative-gender/$validate-code', { system: gender, code: 'other' }), 'result')).toBe(true)
  })

  test.each<[Record<string, string>, number, string]>([
    [{ url: 'http://example.org/none', code: 'x' }, 404, 'not-found'],
    [{ url: 'http://hl7.org/fhir/ValueSet/condition-code', system: 'http://snomed.info/sct', code: '38341003' }, 422, 'code-system-absent'],
    [{ url: genders }, 400, 'parameter-invalid'],
    [{ code: 'male' }, 400, 'parameter-invalid'],
    [{ url: genders, code: 'male', coding: 'x' }, 400, 'parameter-invalid'],
  ])('refuses %j with %i', async (query, status, code) => {
    const reply = await get('ValueSet/$validate-code', query)
    expect([reply.status, outcomeOf(reply)]).toEqual([status, code])
  })
})

describe('ConceptMap/$translate', () => {
  const sexMap = 'https://pujiang.health/fhir/ConceptMap/gb-2261-1-to-administrative-gender'
  const sex = 'urn:oid:2.16.156.10011.2.3.3.4'

  test.each([
    ['0', 'unknown', 'equivalent'], ['1', 'male', 'equivalent'], ['2', 'female', 'equivalent'], ['9', 'unknown', 'wider'],
  ])('GB/T 2261.1 %s → %s', async (code, expected, equivalence) => {
    const reply = await get('ConceptMap/$translate', { url: sexMap, system: sex, code })
    expect(answered(reply, 'result')).toBe(true)
    expect(parts(reply, 'match')).toMatchObject([{ equivalence, concept: { system: gender, code: expected }, source: sexMap }])
  })

  test.each([
    ['10', 'S'], ['20', 'M'], ['21', 'M'], ['22', 'M'], ['23', 'M'], ['30', 'W'], ['40', 'D'], ['90', 'UNK'],
  ])('GB/T 2261.2 %s → %s, found by its target', async (code, expected) => {
    const reply = await get('ConceptMap/$translate', { system: marital, code, target: 'http://hl7.org/fhir/ValueSet/marital-status' })
    expect(parts(reply, 'match').map((each) => (each.concept as { code: string }).code)).toEqual([expected])
  })

  test('backwards, the equivalence turns round', async () => {
    const reply = await get('ConceptMap/$translate', { url: sexMap, system: gender, code: 'unknown', reverse: 'true' })
    expect(parts(reply, 'match')).toMatchObject([{ equivalence: 'equivalent', concept: { system: sex, code: '0' } }, { equivalence: 'narrower', concept: { system: sex, code: '9' } }])
  })

  test('all maps are asked where none is named; a display is added where the map has none', async () => {
    const reply = await get('ConceptMap/$translate', { system: gender, code: 'male' })
    expect(parts(reply, 'match').map((each) => each.concept)).toEqual(expect.arrayContaining([
      { system: 'http://terminology.hl7.org/CodeSystem/v2-0001', code: 'M', display: 'Male' },
      { system: 'http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender', code: 'M', display: 'Male' },
    ]))
    const one = await get('ConceptMap/$translate', { system: gender, code: 'male', targetsystem: 'http://terminology.hl7.org/CodeSystem/v2-0001' })
    expect(parts(one, 'match')).toHaveLength(1)
  })

  test('a code without entry follows the rule for unmapped codes, or has no match', async () => {
    const fixed = await get('ConceptMap/101/$translate', { system: 'http://hl7.org/fhir/address-use', code: 'no-such-use' })
    expect(parts(fixed, 'match')).toMatchObject([{ concept: { code: 'temp' } }])
    const none = await get('ConceptMap/$translate', { url: sexMap, system: sex, code: '7' })
    expect(none.status).toBe(200)
    expect([answered(none, 'result'), answered(none, 'message'), parts(none, 'match')]).toEqual([false, '没有找到代码“7”的对应代码。', []])
  })

  test('takes codings, concepts and a map that is sent along', async () => {
    const map = { resourceType: 'ConceptMap', status: 'draft', group: [{ source: 'urn:a', target: 'urn:b', element: [{ code: '1', target: [{ code: 'one', equivalence: 'equal' }] }], unmapped: { mode: 'provided' } }] }
    const ask = (...more: object[]) => post('ConceptMap/$translate', { name: 'conceptMap', resource: map }, ...more)
    expect(parts(await ask({ name: 'coding', valueCoding: { system: 'urn:a', code: '1' } }), 'match')).toMatchObject([{ equivalence: 'equal', concept: { system: 'urn:b', code: 'one' } }])
    expect(parts(await ask({ name: 'codeableConcept', valueCodeableConcept: { coding: [{ system: 'urn:a', code: '2' }] } }), 'match')).toMatchObject([{ concept: { system: 'urn:b', code: '2' } }])
    const broken = await post('ConceptMap/$translate', { name: 'conceptMap', resource: { ...map, group: [{ element: 'x' }] } }, { name: 'coding', valueCoding: { system: 'urn:a', code: '1' } })
    expect([broken.status, broken.json.issue[0].expression]).toEqual([422, ['ConceptMap.group[0].element']])
  })

  test.each<[Record<string, string>, number]>([
    [{ url: 'http://example.org/none', system: sex, code: '1' }, 404],
    [{ url: sexMap, code: '1' }, 400],
    [{ url: sexMap, system: sex }, 400],
    [{ url: sexMap, system: sex, code: '1', reverse: 'maybe' }, 400],
  ])('refuses %j with %i', async (query, status) => {
    expect((await get('ConceptMap/$translate', query)).status).toBe(status)
  })
})

describe('definitions that were written through FHIR', () => {
  const url = 'http://example.org/CodeSystem/wards'
  const wards = (version: string, status: string, ...concept: object[]) => ({ resourceType: 'CodeSystem', url, version, status, content: 'complete', concept })
  const create = async (type: string, body: object) => {
    const reply = await request('POST', `/fhir/${type}`, { as: system, body })
    expect(reply.status, reply.text).toBe(201)
    return reply.json.id as string
  }

  test('the newest active version answers, an older one when it is named, an id by itself', async () => {
    await create('CodeSystem', wards('1.10', 'active', { code: 'a', display: '一病区' }))
    const old = await create('CodeSystem', wards('1.9', 'active', { code: 'a', display: '旧一病区' }))
    await create('CodeSystem', wards('2.0', 'draft', { code: 'a', display: '未来一病区' }))
    const display = async (path: string, query: Record<string, string>) => answered(await get(path, query), 'display')
    expect(await display('CodeSystem/$lookup', { system: url, code: 'a' })).toBe('一病区')
    expect(await display('CodeSystem/$lookup', { system: url, version: '1.9', code: 'a' })).toBe('旧一病区')
    expect(await display('CodeSystem/$lookup', { system: `${url}|2.0`, code: 'a' })).toBe('未来一病区')
    expect(await display(`CodeSystem/${old}/$lookup`, { code: 'a' })).toBe('旧一病区')
  })

  test('a value set over stored and built-in ones; a change is seen at once; a deleted one is gone', async () => {
    const system1 = 'http://example.org/CodeSystem/beds'
    const bedId = await create('CodeSystem', { resourceType: 'CodeSystem', url: system1, status: 'active', content: 'complete', concept: [{ code: 'a', display: '甲' }] })
    await create('ValueSet', { resourceType: 'ValueSet', url: 'http://example.org/ValueSet/inner', status: 'active', compose: { include: [{ system: system1 }] } })
    const body = { resourceType: 'ValueSet', url: 'http://example.org/ValueSet/outer', status: 'active', compose: { include: [{ valueSet: ['http://example.org/ValueSet/inner'] }, { valueSet: [genders] }] } }
    const id = await create('ValueSet', body)
    expect(codes(await get('ValueSet/$expand', { url: body.url }))).toEqual(['a', 'male', 'female', 'other', 'unknown'])
    expect(codes(await get(`ValueSet/${id}/$expand`))).toHaveLength(5)
    expect(answered(await get('ValueSet/$validate-code', { url: body.url, system: system1, code: 'a', display: '乙' }), 'display')).toBe('甲')
    await request('PUT', `/fhir/CodeSystem/${bedId}`, { as: system, body: { resourceType: 'CodeSystem', id: bedId, url: system1, status: 'active', content: 'complete', concept: [{ code: 'b' }] } })
    expect(codes(await get('ValueSet/$expand', { url: body.url }))).toEqual(['b', 'male', 'female', 'other', 'unknown'])
    await request('DELETE', `/fhir/ValueSet/${id}`, { as: system })
    expect((await get('ValueSet/$expand', { url: body.url })).status).toBe(404)
  })

  test('two stored sets in a circle are refused with the path', async () => {
    const set = (name: string, imports: string) => ({ resourceType: 'ValueSet', url: `http://example.org/ValueSet/${name}`, status: 'active', compose: { include: [{ valueSet: [`http://example.org/ValueSet/${imports}`] }] } })
    await create('ValueSet', set('ring-a', 'ring-b'))
    await create('ValueSet', set('ring-b', 'ring-a'))
    const reply = await get('ValueSet/$expand', { url: 'http://example.org/ValueSet/ring-a' }, 'en')
    expect(reply.status).toBe(422)
    expect(reply.json.issue[0].details.text).toContain('http://example.org/ValueSet/ring-a → http://example.org/ValueSet/ring-b → http://example.org/ValueSet/ring-a')
  })

  test('codes of a system that is not carried come with it once it is stored', async () => {
    const loinc = { url: 'http://hl7.org/fhir/ValueSet/observation-codes', system: 'http://loinc.org', code: '4548-4' }
    expect((await get('ValueSet/$validate-code', loinc)).status).toBe(422)
    await create('CodeSystem', { resourceType: 'CodeSystem', url: 'http://loinc.org', version: '2.78', status: 'active', content: 'fragment', concept: [{ code: '4548-4', display: '糖化血红蛋白' }] })
    expect(answered(await get('ValueSet/$validate-code', loinc), 'result')).toBe(true)
  })

  test('nobody redefines what is built in', async () => {
    await create('CodeSystem', { resourceType: 'CodeSystem', url: gender, version: '9.0', status: 'active', content: 'complete', concept: [{ code: 'x' }] })
    expect(answered(await get('CodeSystem/$validate-code', { url: gender, code: 'x' }), 'result')).toBe(false)
    expect(answered(await get('CodeSystem/$validate-code', { url: gender, version: '9.0', code: 'x' }), 'result')).toBe(true)
  })

  test('stored maps are found by their source', async () => {
    await create('ConceptMap', { resourceType: 'ConceptMap', url: 'http://example.org/ConceptMap/wards', status: 'active', group: [{ source: url, target: 'urn:floors', element: [{ code: 'a', target: [{ code: '1', equivalence: 'equivalent' }] }] }] })
    expect(parts(await get('ConceptMap/$translate', { system: url, code: 'a' }), 'match')).toMatchObject([{ concept: { system: 'urn:floors', code: '1' } }])
    expect(parts(await get('ConceptMap/$translate', { system: 'urn:floors', code: '1', reverse: 'true' }), 'match')).toMatchObject([{ concept: { system: url, code: 'a' } }])
  })
})

test('the CapabilityStatement names the operations', async () => {
  const { rest } = (await get('metadata')).json
  const named = (type: string) => rest[0].resource.find((each: { type: string }) => each.type === type).operation.map((each: { name: string }) => each.name)
  expect(named('CodeSystem')).toEqual(expect.arrayContaining(['lookup', 'validate-code', 'subsumes']))
  expect(named('ValueSet')).toEqual(expect.arrayContaining(['expand', 'validate-code']))
  expect(named('ConceptMap')).toEqual(expect.arrayContaining(['translate']))
})
