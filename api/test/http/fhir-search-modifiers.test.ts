/** Modifiers and kinds of parameters that need more than one key: a table of queries and what they find. */
import { beforeAll, describe, expect, test } from 'vitest'
import { system, testPlatform, type TestReply } from '../support/platform.ts'

const { request } = await testPlatform()

const loinc = 'http://loinc.org'
const ucum = 'http://unitsofmeasure.org'
const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
const put = (resource: { resourceType: string; id: string; [element: string]: unknown }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
const mmHg = (value: number) => ({ value, unit: 'mmHg', system: ucum, code: 'mm[Hg]' })
const pressure = (id: string, systolic: number, diastolic: number) => put({
  resourceType: 'Observation', id, status: 'final', code: { text: '血压 Blood pressure', coding: [{ system: loinc, code: '85354-9', display: 'Blood pressure panel' }] }, subject: { reference: 'Patient/p1' },
  component: [
    { code: { coding: [{ system: loinc, code: '8480-6' }] }, valueQuantity: mmHg(systolic) },
    { code: { coding: [{ system: loinc, code: '8462-4' }] }, valueQuantity: mmHg(diastolic) },
    { code: { coding: [{ system: loinc, code: 'pos' }] }, valueCodeableConcept: { coding: [{ system: 'urn:pos', code: systolic > 150 ? 'sitting' : 'lying' }] } },
  ],
})

/** Of 900 characters: what is asked for stands at the beginning, across parts and at the end. */
const sentence = '糖化血红蛋白测定结果偏高，建议复查。Lipids 6.1 mmol/L; '
const long = `${Array.from({ length: 20 }, (_, n) => `${n + 100}${sentence}`).join('')}末尾：溶血𠮷。`
const longTexts: [what: string, query: string, value: string, found: string[]][] = [
  ['its beginning', '', long.slice(0, 20), ['long']], ['all of it', '', long, ['long']], ['much of it', '', long.slice(0, 700), ['long']], ['much of it and a letter', '', `${long.slice(0, 700)}x`, []], ['its end, not as a beginning', '', '末尾', []],
  ['its end', ':contains', '溶血𠮷', ['long']], ['its end, full width', ':contains', '末尾：溶血', ['long']], ['what is not in it', ':contains', '溶血了', []],
  ...[90, 120, 250, 251, 260, 380, 511, 640, 768].map((from): (typeof longTexts)[number] => [`a hundred characters from ${from}`, ':contains', long.slice(from, from + 100), ['long']]),
  ['all from the fortieth on', ':contains', long.slice(40), ['long']], ['that and a letter', ':contains', `${long.slice(40)}x`, []], ['some of it and a letter', ':contains', `${long.slice(40, 600)}x`, []], ['one of two', ':contains', `x,${long.slice(300, 700)}`, ['long']],
  ['all of it, exactly', ':exact', long, ['long']], ['nearly all of it, exactly', ':exact', long.slice(0, -1), []], ['what is longer than anything', ':contains', 'x'.repeat(40_000), []], ['a sign of patterns', ':contains', '%', []],
]

beforeAll(async () => {
  const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [
    put({ resourceType: 'Patient', id: 'p1', name: [{ text: '欧阳娜娜' }], text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><p>糖尿病患者，<b>Penicillin</b> allergy &amp; asthma</p></div>' },
      identifier: [{ type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR', display: '病案号' }] }, system: 'urn:mr', value: '77' }], meta: { source: 'https://hospital.example.org/his/1', profile: ['http://hl7.org/fhir/StructureDefinition/Patient'] } }),
    put({ resourceType: 'Observation', id: 'long', status: 'final', code: { coding: [{ code: 'note' }] }, valueString: long }),
    put({ resourceType: 'CodeSystem', id: 'oid', status: 'active', content: 'not-present', url: 'urn:oid:2.16.840.1' }),
    put({ resourceType: 'Patient', id: 'p2', name: [{ text: '𠮷田 㐀' }], address: [{ text: `${'上海市某某区某某路'.repeat(40)}五百弄深处` }], text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">高血压 asthmatic</div>' }, identifier: [{ system: 'urn:mr', value: '77' }], meta: { source: 'https://hospital.example.org/lis' } }),
    put({ resourceType: 'List', id: 'l1', status: 'current', mode: 'changes', entry: [{ item: { reference: 'Patient/p1' } }, { deleted: true, item: { reference: 'Patient/p2' } }, { item: { reference: 'Observation/bp1' } }] }),
    put({ resourceType: 'List', id: 'l2', status: 'current', mode: 'working', entry: [{ item: { reference: 'Patient/p2' } }] }),
    pressure('bp1', 160, 80), pressure('bp2', 120, 95),
    put({ resourceType: 'Observation', id: 'g1', status: 'final', code: { coding: [{ system: loinc, code: '2339-0', display: 'Glucose [Mass/volume] in Blood', _display: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/translation', extension: [{ url: 'lang', valueCode: 'en' }, { url: 'content', valueString: 'Sugar level' }] }] } }] }, valueQuantity: { value: 6, unit: 'mmol/L', system: ucum, code: 'mmol/L' }, note: [{ text: '空腹 Fasting' }] }),
    put({ resourceType: 'Observation', id: 'g2', status: 'final', code: { coding: [{ system: loinc, code: '2339-0' }], text: '空腹血糖' }, valueQuantity: { value: 9, unit: 'mmol/L', system: ucum, code: 'mmol/L' } }),
    put({ resourceType: 'Encounter', id: 'amb', status: 'finished', class: { system: actCode, code: 'AMB' } }), put({ resourceType: 'Encounter', id: 'acute', status: 'finished', class: { system: actCode, code: 'ACUTE' } }),
    put({ resourceType: 'Encounter', id: 'imp', status: 'finished', class: { system: actCode, code: 'IMP' } }),
    put({ resourceType: 'ValueSet', id: 'vs', status: 'active', url: 'http://example.org/vs/classes', compose: { include: [{ system: actCode, concept: [{ code: 'AMB' }, { code: 'IMP' }] }] } }),
    put({ resourceType: 'ValueSet', id: 'vs2', status: 'active', url: 'http://example.org/vs/other/deep' }),
    put({ resourceType: 'Location', id: 'bund', position: { latitude: 31.2397, longitude: 121.4998 } }), put({ resourceType: 'Location', id: 'hongqiao', position: { latitude: 31.1979, longitude: 121.3363 } }),
    put({ resourceType: 'Location', id: 'fiji', position: { latitude: -17.8, longitude: 179.9 } }), put({ resourceType: 'Location', id: 'nowhere' }),
    put({ resourceType: 'DocumentReference', id: 'doc', status: 'current', content: [{ attachment: { title: 'x' } }], relatesTo: [{ code: 'replaces', target: { reference: 'DocumentReference/a' } }, { code: 'appends', target: { reference: 'DocumentReference/b' } }] }),
  ] } })
  expect(reply.json.issue ?? []).toEqual([])
})

const ids = (reply: TestReply): string[] => (reply.json.entry ?? []).map((each: { resource: { id: string } }) => each.resource.id).sort()

test.each(longTexts)('of a long text: %s', async (_, modifier, value, expected) => {
  const alone = await request('GET', `/fhir/Observation?value-string${modifier}=${encodeURIComponent(value)}`, { as: system })
  expect(alone.json.issue ?? []).toEqual([])
  expect(ids(alone)).toEqual(expected)
  if (modifier === '') expect(ids(await request('GET', `/fhir/Observation?code-value-string=note$${encodeURIComponent(value)}`, { as: system }))).toEqual(expected)
})

test('of a long address its end is found', async () => {
  expect(ids(await request('GET', `/fhir/Patient?address:contains=${encodeURIComponent('五百弄深处')}`, { as: system }))).toEqual(['p2'])
})

describe('what a query finds', () => {
  test.each([
    // texts
    ['Observation?code:text=blood', ['bp1', 'bp2', 'g1']], ['Observation?code:text=gluc', ['g1']], ['Observation?code:text=Mass', []], ['Observation?code:text=血糖', ['g2']], ['Observation?code:text=血', ['bp1', 'bp2', 'g2']], ['Observation?code:text=sugar', ['g1']],
    ['Observation?combo-code:text=gluc', ['g1']], ['Patient?identifier:text=病案', ['p1']], ['Observation?code:text=gluc,空腹', ['g1', 'g2']], ['Observation?code:text=%25', []],
    ['Patient?_text=penicillin', ['p1']], ['Patient?_text=糖尿', ['p1']], ['Patient?_text=糖尿病 asthma', ['p1']], ['Patient?_text=asthma', ['p1']], ['Patient?_text=血', ['p2']], ['Patient?_text=糖尿,高血压', ['p1', 'p2']], ['Patient?_text=b', []], ['Patient?_text=amp', []],
    ['Observation?_content=fasting', ['g1']], ['Observation?_content=空腹', ['g1', 'g2']], ['Observation?_content=空腹 血糖', ['g2']], ['Observation?_content=GLUCOSE blood', ['g1']], ['Patient?_content=asthma', ['p1', 'p2']],
    // identifiers, uris
    ['Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|77', ['p1']], ['Patient?identifier:of-type=urn:x|MR|77', []], ['Patient?_source=https://hospital.example.org/lis', ['p2']], ['Patient?_source:below=https://hospital.example.org/', ['p1', 'p2']], ['Patient?_source:below=https://hospital.example.org/his', ['p1']],
    ['ValueSet?url:below=http://example.org/vs', ['vs', 'vs2']], ['ValueSet?url:above=http://example.org/vs/classes/a/b', ['vs']], ['ValueSet?url:above=http://example.org/vs/classesx', []], ['Patient?_profile:below=http://hl7.org/fhir/Struct', ['p1']],
    ['CodeSystem?url=urn:oid:2.16.840.1', ['oid']], ['CodeSystem?url:below=urn:oid:2.16', []], ['CodeSystem?url:below=u', []], ['CodeSystem?url:above=urn:oid:2.16.840.1', []], ['CodeSystem?url:above=urn:oid:2.16.840.1.5', []],
    // terminology
    ['Encounter?class:in=http://example.org/vs/classes', ['amb', 'imp']], ['Encounter?class:in=ValueSet/vs', ['amb', 'imp']], ['Encounter?class:not-in=ValueSet/vs', ['acute']], [`Encounter?class:below=${actCode}|IMP`, ['acute', 'imp']], [`Encounter?class:above=${actCode}|ACUTE`, ['acute', 'imp']],
    ['Encounter?status:in=http://hl7.org/fhir/ValueSet/encounter-status', ['acute', 'amb', 'imp']],
    // lists, places
    ['Patient?_list=l1', ['p1']], ['Observation?_list=l1', ['bp1']], ['Patient?_list=l1,l2', ['p1', 'p2']], ['Patient?_list=none', []],
    ['Location?near=31.2397|121.4998', ['bund']], ['Location?near=31.2397|121.4998|20|km', ['bund', 'hongqiao']], ['Location?near=31.2397|121.4998|20000|m', ['bund', 'hongqiao']], ['Location?near=31.2397|121.4998|10|[mi_us]', ['bund']], ['Location?near=-17.8|-179.9|30|km', ['fiji']], ['Location?near:missing=true', ['nowhere']],
    // composites
    ['Observation?component-code-value-quantity=8480-6$gt150', ['bp1']], [`Observation?component-code-value-quantity=${loinc}|8462-4$lt90`, ['bp1']], ['Observation?component-code-value-quantity=8462-4$gt150', []], [`Observation?component-code-value-quantity=8480-6$gt100|${ucum}|mm[Hg]`, ['bp1', 'bp2']], [`Observation?component-code-value-quantity=8480-6$gt100|${ucum}|kPa`, []],
    ['Observation?code-value-quantity=2339-0$gt7', ['g2']], [`Observation?code-value-quantity=${loinc}|2339-0$6`, ['g1']], ['Observation?combo-code-value-quantity=2339-0$gt7,8480-6$gt150', ['bp1', 'g2']], ['Observation?component-code-value-concept=pos$sitting', ['bp1']], ['Observation?component-code-value-concept=8480-6$sitting', []],
    ['Observation?code-value-concept=2339-0$x', []], ['DocumentReference?relationship=replaces$DocumentReference/a', ['doc']], ['DocumentReference?relationship=replaces$DocumentReference/b', []], ['Patient?_has:Observation:patient:component-code-value-quantity=8480-6$gt150', ['p1']],
    // rare characters
    ['Patient?name=𠮷', ['p2']], ['Patient?name:contains=㐀', ['p2']], ['Patient?name=欧阳', ['p1']], ['Patient?name=ouyang', ['p1']], ['Patient?name=oynn', ['p1']], ['Patient?name=歐陽', ['p1']], ['Patient?name:contains=陽娜', ['p1']],
  ])('%s', async (query, expected) => {
    const reply = await request('GET', `/fhir/${query}`, { as: system })
    expect(reply.json.issue ?? []).toEqual([])
    expect(ids(reply)).toEqual(expected)
  })
})

describe('functional lists say what is current', () => {
  const status = (name: string, code: string) => ({ coding: [{ system: `http://terminology.hl7.org/CodeSystem/${name}`, code }] })
  const allergy = (id: string, clinical: string, verification: string, category: string) => put({
    resourceType: 'AllergyIntolerance', id, patient: { reference: 'Patient/p1' }, category: [category], clinicalStatus: status('allergyintolerance-clinical', clinical), verificationStatus: status('allergyintolerance-verification', verification),
  })
  const problem = (id: string, clinical: string, category: string) => put({
    resourceType: 'Condition', id, subject: { reference: 'Patient/p1' }, category: [status('condition-category', category)], clinicalStatus: status('condition-clinical', clinical), verificationStatus: status('condition-ver-status', 'confirmed'),
  })
  const drug = (id: string, state: string) => put({ resourceType: 'MedicationRequest', id, status: state, intent: 'order', subject: { reference: 'Patient/p1' }, medicationCodeableConcept: { text: 'x' } })

  beforeAll(async () => {
    const entry = [
      allergy('nuts', 'active', 'confirmed', 'food'), allergy('penicillin', 'active', 'unconfirmed', 'medication'), allergy('gone', 'resolved', 'confirmed', 'food'), allergy('not-so', 'active', 'refuted', 'medication'),
      problem('asthma', 'recurrence', 'problem-list-item'), problem('flu', 'resolved', 'problem-list-item'), problem('seen', 'active', 'encounter-diagnosis'), drug('taken', 'active'), drug('stopped', 'stopped'),
    ]
    expect((await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry } })).json.issue ?? []).toEqual([])
  })

  test.each<[string, string[]]>([
    ['AllergyIntolerance?patient=p1&_list=$current-allergies', ['nuts', 'penicillin']], ['AllergyIntolerance?_list=$current-drug-allergies', ['penicillin']], ['Patient/p1/Condition?_list=$current-problems', ['asthma']],
    ['MedicationRequest?patient=p1&_list=$current-medications', ['taken']], ['MedicationStatement?_list=%24current-medications', []], ['AllergyIntolerance?patient=p2&_list=$current-allergies', []],
  ])('%s', async (query, expected) => {
    const reply = await request('GET', `/fhir/${query}`, { as: system })
    expect(ids(reply)).toEqual(expected)
    expect(reply.json.link[0].url).toContain(new URLSearchParams({ _list: /_list=(?:\$|%24)(.*)/.exec(query)?.[1] ?? '' }).toString().replace('_list=', '_list=%24'))
  })
})
