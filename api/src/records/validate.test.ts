/**
 * Every rule of validation with a failing row and its nearest passing one: base resource, what is changed, issues as
 * `code expression`. Then resources of every type with all elements, and the real bundles where they are at hand.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson } from '../fhir/json.ts'
import { loadModel } from '../fhir/model.ts'
import { resourceTypes } from '../fhir/resource-types.ts'
import { fullResources } from '../../test/support/full-resource.ts'
import { maxIssues, validateResource } from './validate.ts'

const model = loadModel()
const realData = join(import.meta.dirname, '../../../../shared/data/synthea-r4')

const bases: Record<string, Record<string, unknown>> = {
  Patient: { resourceType: 'Patient' },
  Observation: { resourceType: 'Observation', status: 'final', code: { text: 'x' } },
  Bundle: { resourceType: 'Bundle', type: 'collection' },
  Coverage: { resourceType: 'Coverage', status: 'active', beneficiary: { reference: 'Patient/1' }, payor: [{ display: 'x' }] },
}
const div = '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'

/** [base, change, issues]; no issues means valid. */
type Row = [base: string, change: Record<string, unknown>, ...issues: string[]]

function issuesOf(resource: unknown): string[] {
  return validateResource(model, resource).map((each) => `${each.code} ${each.expression}`)
}

function check(base: string, change: Record<string, unknown>, expected: readonly string[]): void {
  // Through the text, as a body arrives.
  const resource = parseJson(JSON.stringify({ ...bases[base], ...change }))
  expect(issuesOf(resource)).toEqual(expected)
}

const elements: Row[] = [
  ['Patient', {}],
  ['Patient', { gendre: 'male' }, 'element-unknown Patient.gendre'],
  ['Patient', { gender: 'male' }],
  ['Patient', { name: [{ surname: '张' }] }, 'element-unknown Patient.name[0].surname'],
  ['Patient', { name: [{ family: '张' }] }],
  ['Patient', { name: [{ family: '张', resourceType: 'HumanName' }] }, 'element-unknown Patient.name[0].resourceType'],
  ['Patient', { _name: [{ id: 'a' }] }, 'element-unknown Patient._name'],
  ['Patient', { toString: 'x' }, 'element-unknown Patient.toString'],
  ['Patient', { __proto: {} }, 'element-unknown Patient.__proto'],
  ['Observation', { value: 5 }, 'element-unknown Observation.value'],
  ['Observation', { valueMoney: { value: 5 } }, 'element-unknown Observation.valueMoney'],
  ['Observation', { component: [{ code: { text: 'x' }, valueQuantity: { value: 1 } }] }],
  ['Observation', { component: [{ code: { text: 'x' }, values: 1 }] }, 'element-unknown Observation.component[0].values'],
  // contentReference: the element repeats the content of another
  ['Observation', { component: [{ code: { text: 'x' }, referenceRange: [{ low: { value: 1 }, text: 'x' }] }] }],
  ['Observation', { component: [{ code: { text: 'x' }, referenceRange: [{ text: 'x', lowest: { value: 1 } }] }] }, 'element-unknown Observation.component[0].referenceRange[0].lowest'],
  ['Bundle', { entry: [{ resource: { resourceType: 'Patient' }, link: [{ relation: 'self', url: 'http://x' }] }] }],
  ['Bundle', { entry: [{ resource: { resourceType: 'Patient' }, link: [{ relation: 'self' }] }] }, 'required Bundle.entry[0].link[0].url'],
]

const cardinality: Row[] = [
  ['Observation', { status: undefined }, 'required Observation.status'],
  ['Observation', { code: undefined, status: undefined }, 'required Observation.status', 'required Observation.code'],
  ['Observation', { status: undefined, _status: { extension: [{ url: 'http://x', valueCode: 'unknown' }] } }],
  ['Patient', { link: [{ other: { reference: 'Patient/2' } }] }, 'required Patient.link[0].type'],
  ['Patient', { link: [{ other: { reference: 'Patient/2' }, type: 'seealso' }] }],
  ['Coverage', { payor: undefined }, 'required Coverage.payor'],
  ['Coverage', {}],
  ['Patient', { extension: [{ valueString: 'x' }] }, 'required Patient.extension[0].url'],
  ['Patient', { extension: [{ url: 'http://x', valueString: 'x' }] }],
  ['Patient', { photo: [{ contentType: 'text/plain', data: 'aGVsbG8=', size: 5 }] }],
  ['Patient', { photo: [{ contentType: 'text/plain', data: 'aGVsbG8=', size: 8 }] }, 'value-invalid Patient.photo[0].size'],
  ['Patient', { photo: [{ contentType: 'text/plain', url: 'https://x.org/a', size: 8 }] }],
  ['Bundle', { entry: [{ fullUrl: 'https://x.org/fhir/Patient/a', resource: { resourceType: 'Patient', id: 'a' } }, { fullUrl: 'https://x.org/a/b', resource: { resourceType: 'Patient' } }, { fullUrl: 'urn:uuid:0195d3a2-0000-7000-8000-000000000001', resource: { resourceType: 'Patient', id: 'b' } }] }],
  ['Bundle', { entry: [{ fullUrl: 'Patient/a', resource: { resourceType: 'Patient', id: 'a' } }] }, 'value-invalid Bundle.entry[0].fullUrl'],
  ['Bundle', { entry: [{ fullUrl: 'https://x.org/fhir/Patient/a', resource: { resourceType: 'Patient', id: 'b' } }] }, 'value-invalid Bundle.entry[0].fullUrl'],
  ['Bundle', { entry: [{ fullUrl: 'https://x.org/fhir/Patient/a', resource: { resourceType: 'Basic', code: { text: 'x' } } }] }, 'value-invalid Bundle.entry[0].fullUrl'],
  // Beside one that is known.
  ['Patient', { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace', valueAddress: { city: '上海' } }, { valueString: 'x' }] }, 'required Patient.extension[1].url'],
  ['Patient', { extension: [{ url: 'x', valueString: 'x' }] }, 'value-invalid Patient.extension[0].url'],
  ['Patient', { extension: [{ url: 'urn:oid:1.2.3', extension: [{ url: 'x', valueString: 'x' }] }] }],
  ['Observation', { valueQuantity: { value: 1 }, valueString: 'x' }, 'cardinality Observation.value'],
  ['Observation', { valueQuantity: { value: 1 } }],
  ['Observation', { valueString: 'x', _valueString: { id: 'v', extension: [{ url: 'http://x', valueCode: 'y' }] } }],
  ['Observation', { valueQuantity: { value: 1 }, _valueString: { extension: [{ url: 'http://x', valueCode: 'y' }] } }, 'cardinality Observation.value'],
  ['Patient', { deceasedBoolean: true, deceasedDateTime: '2020' }, 'cardinality Patient.deceased'],
]

const kinds: Row[] = [
  ['Patient', { name: { family: '张' } }, 'structure Patient.name'],
  ['Patient', { name: ['张'] }, 'structure Patient.name[0]'],
  ['Patient', { name: [[{ family: '张' }]] }, 'structure Patient.name[0]'],
  ['Patient', { name: [null] }, 'empty-value Patient.name[0]'],
  ['Patient', { maritalStatus: [{ text: 'x' }] }, 'structure Patient.maritalStatus'],
  ['Patient', { maritalStatus: { text: 'x' } }],
  ['Patient', { maritalStatus: 'M' }, 'structure Patient.maritalStatus'],
  ['Patient', { gender: ['male'] }, 'structure Patient.gender'],
  ['Patient', { active: 'true' }, 'structure Patient.active'],
  ['Patient', { active: true }],
  ['Patient', { multipleBirthInteger: '2' }, 'structure Patient.multipleBirth'],
  ['Patient', { multipleBirthInteger: 2 }],
  ['Patient', { birthDate: 19900505 }, 'structure Patient.birthDate'],
  ['Patient', { birthDate: { value: '1990-05-05' } }, 'structure Patient.birthDate'],
  ['Patient', { name: [{ given: '三' }] }, 'structure Patient.name[0].given'],
  ['Patient', { name: [{ given: ['三'] }] }],
  ['Patient', { contained: { resourceType: 'Patient', id: 'a', managingOrganization: { reference: '#' } } }, 'structure Patient.contained'],
]

const emptiness: Row[] = [
  ['Patient', { name: [] }, 'empty-value Patient.name'],
  ['Patient', { name: [{}] }, 'empty-value Patient.name[0]'],
  ['Patient', { name: [{ id: 'n' }] }, 'empty-value Patient.name[0]'],
  ['Patient', { name: [{ id: 'n', family: '张' }] }],
  ['Patient', { name: [{ id: 'n', extension: [{ url: 'http://x', valueCode: 'y' }] }] }],
  ['Patient', { birthDate: '' }, 'empty-value Patient.birthDate'],
  ['Patient', { birthDate: null }, 'empty-value Patient.birthDate'],
  ['Patient', { name: [{ text: '  ' }] }, 'empty-value Patient.name[0].text'],
  ['Patient', { name: [{ given: [] }] }, 'empty-value Patient.name[0].given'],
  ['Patient', { maritalStatus: {} }, 'empty-value Patient.maritalStatus'],
  ['Patient', { meta: {} }, 'empty-value Patient.meta'],
]

const siblings: Row[] = [
  ['Patient', { birthDate: '1990-05-05', _birthDate: { extension: [{ url: 'http://x', valueDateTime: '1990-05-05T08:00:00+08:00' }] } }],
  ['Patient', { _birthDate: { extension: [{ url: 'http://x', valueCode: 'unknown' }] } }],
  ['Patient', { _birthDate: { value: '1990' } }, 'element-unknown Patient.birthDate.value'],
  ['Patient', { _birthDate: '1990' }, 'structure Patient.birthDate'],
  ['Patient', { _birthDate: {} }, 'empty-value Patient.birthDate'],
  ['Patient', { _birthDate: { extension: [{ url: 'http://x', valueDate: '1990-02-30' }] } }, 'value-invalid Patient.birthDate.extension[0].value'],
  ['Patient', { name: [{ given: ['三', null], _given: [null, { extension: [{ url: 'http://x', valueCode: 'y' }] }] }] }],
  ['Patient', { name: [{ given: ['三', '四'], _given: [null, { extension: [{ url: 'http://x', valueCode: 'y' }] }] }] }],
  ['Patient', { name: [{ given: ['三', null], _given: [{ extension: [{ url: 'http://x', valueCode: 'y' }] }] }] }, 'empty-value Patient.name[0].given[1]'],
  ['Patient', { name: [{ given: ['三'], _given: [null, { extension: [{ url: 'http://x', valueCode: 'y' }] }] }] }, 'structure Patient.name[0].given'],
  ['Patient', { name: [{ given: ['三'], _given: { extension: [{ url: 'http://x', valueCode: 'y' }] } }] }, 'structure Patient.name[0].given'],
  ['Patient', { name: [{ given: [null] }] }, 'empty-value Patient.name[0].given[0]'],
]

const value = (change: Record<string, unknown>, ...issues: string[]): Row => ['Observation', change, ...issues]
const formats: Row[] = [
  ['Patient', { birthDate: '1990-05-05' }],
  ['Patient', { birthDate: '1990-02-29' }, 'value-invalid Patient.birthDate'],
  ['Patient', { birthDate: '1992-02-29' }],
  ['Patient', { birthDate: '05.05.1990' }, 'value-invalid Patient.birthDate'],
  ['Patient', { birthDate: '1990-05-05T00:00:00Z' }, 'value-invalid Patient.birthDate'],
  ['Patient', { birthDate: '1990-05' }],
  value({ effectiveDateTime: '2026-11-23T08:30:00' }, 'value-invalid Observation.effective'),
  value({ effectiveDateTime: '2026-11-23T08:30:00+08:00' }),
  value({ effectiveDateTime: '2026-11-23T08:30+08:00' }, 'value-invalid Observation.effective'),
  value({ effectiveDateTime: '2026' }),
  value({ issued: '2026-11-23' }, 'value-invalid Observation.issued'),
  value({ issued: '2026-11-23T08:30:00Z' }),
  value({ valueTime: '25:00:00' }, 'value-invalid Observation.value'),
  value({ valueTime: '08:30:00' }),
  value({ valueInteger: 1.5 }, 'value-invalid Observation.value'),
  value({ valueInteger: 2_147_483_648 }, 'value-invalid Observation.value'),
  value({ valueInteger: -2_147_483_648 }),
  value({ valueString: 'a\u0000b' }, 'value-invalid Observation.value'),
  value({ valueString: 'a\tb\nc' }),
  value({ valueQuantity: { value: 5.4, system: 'http://unitsofmeasure.org', code: ' mg' } }, 'value-invalid Observation.value.code'),
  value({ valueQuantity: { value: 5.4, system: 'http://unitsofmeasure.org', code: 'mg' } }),
  value({ valueQuantity: { value: 5.4, system: 'http://unitsofmeasure.org', code: 'm\u0001g' } }, 'value-invalid Observation.value.code'),
  ['Patient', { identifier: [{ system: 'urn:\u0001x', value: '1' }] }, 'value-invalid Patient.identifier[0].system'],
  ['Patient', { identifier: [{ system: 'not a uri', value: '1' }] }, 'value-invalid Patient.identifier[0].system'],
  ['Patient', { identifier: [{ system: 'urn:oid:2.16.156.10011.1.3', value: '1' }] }],
  ['Patient', { telecom: [{ rank: 0, system: 'phone', value: '1' }] }, 'value-invalid Patient.telecom[0].rank'],
  ['Patient', { telecom: [{ rank: 1, system: 'phone', value: '1' }] }],
  ['Patient', { photo: [{ contentType: 'image/png', data: 'YWJ' }] }, 'value-invalid Patient.photo[0].data'],
  ['Patient', { photo: [{ contentType: 'image/png', data: 'YWJj' }] }],
  ['Patient', { photo: [{ size: -1, title: 'x' }] }, 'value-invalid Patient.photo[0].size'],
  ['Patient', { photo: [{ size: 0, title: 'x' }] }],
  ['Patient', { id: 'a b' }, 'id-invalid Patient.id'],
  ['Patient', { id: 'x'.repeat(65) }, 'id-invalid Patient.id'],
  ['Patient', { id: 'a-B.9' }],
  ['Patient', { extension: [{ url: 'http://x', valueOid: 'urn:oid:1.02' }] }, 'value-invalid Patient.extension[0].value'],
  ['Patient', { extension: [{ url: 'http://x', valueOid: 'urn:oid:1.2' }] }],
  ['Patient', { extension: [{ url: 'http://x', valueUuid: 'urn:uuid:0195D3A2-0000-7000-8000-000000000001' }] }, 'value-invalid Patient.extension[0].value'],
  ['Patient', { extension: [{ url: 'http://x', valueUuid: 'urn:uuid:0195d3a2-0000-7000-8000-000000000001' }] }],
  ['Patient', { text: { status: 'generated', div } }],
  ['Patient', { text: { status: 'generated', div: '<div>x</div>' } }, 'value-invalid Patient.text.div'],
  ['Patient', { text: { status: 'generated', div: div.replace('x', '<script>x</script>') } }, 'value-invalid Patient.text.div'],
  ['Patient', { text: { status: 'generated' } }, 'required Patient.text.div'],
  ['Patient', { text: { div } }, 'required Patient.text.status'],
]

const codes: Row[] = [
  ['Patient', { gender: 'man' }, 'code-unknown Patient.gender'],
  ['Patient', { gender: 'male' }],
  ['Patient', { gender: 'Male' }, 'code-unknown Patient.gender'],
  value({ status: 'done' }, 'code-unknown Observation.status'),
  ['Patient', { contact: [{ name: { text: 'x' }, gender: 'x' }] }, 'code-unknown Patient.contact[0].gender'],
  ['Patient', { telecom: [{ system: 'phone', value: '1', use: 'cell' }] }, 'code-unknown Patient.telecom[0].use'],
  ['Patient', { telecom: [{ system: 'phone', value: '1', use: 'mobile' }] }],
  ['Patient', { maritalStatus: { coding: [{ system: 'http://any', code: 'extensible-is-free' }] } }],
  ['Coverage', { costToBeneficiary: [{ valueMoney: { value: 1, currency: 'RMB' } }] }, 'code-unknown Coverage.costToBeneficiary[0].value.currency'],
  ['Coverage', { costToBeneficiary: [{ valueMoney: { value: 1, currency: 'CNY' } }] }],
  ['Patient', { photo: [{ contentType: 'jpeg', title: 'x' }] }, 'code-unknown Patient.photo[0].contentType'],
  ['Patient', { photo: [{ contentType: 'image/jpeg', title: 'x' }] }],
]

const references: Row[] = [
  ['Patient', { managingOrganization: { reference: 'Organization/1' } }],
  ['Patient', { managingOrganization: { reference: 'Practitioner/1' } }, 'reference-invalid Patient.managingOrganization.reference'],
  ['Patient', { managingOrganization: { reference: 'Organisation/1' } }, 'reference-invalid Patient.managingOrganization.reference'],
  ['Patient', { managingOrganization: { reference: 'Organization' } }, 'reference-invalid Patient.managingOrganization.reference'],
  ['Patient', { managingOrganization: { reference: 'Organization/a b' } }, 'reference-invalid Patient.managingOrganization.reference'],
  ['Patient', { managingOrganization: { reference: 'https://other.org/fhir/Organization/1' } }],
  ['Patient', { managingOrganization: { reference: 'urn:uuid:0195d3a2-0000-7000-8000-000000000001' } }],
  ['Patient', { managingOrganization: { reference: 'Organization?identifier=x' } }, 'reference-invalid Patient.managingOrganization.reference'],
  ['Patient', { managingOrganization: { display: '人民医院' } }],
  ['Patient', { managingOrganization: { identifier: { value: '1' }, type: 'Organization' } }],
  ['Patient', { managingOrganization: { identifier: { value: '1' }, type: 'Location' } }, 'reference-invalid Patient.managingOrganization.type'],
  ['Patient', { managingOrganization: { reference: 'Organization/1', type: 'Location' } }, 'reference-invalid Patient.managingOrganization.type'],
  ['Patient', { managingOrganization: { reference: '#o' } }, 'reference-unresolved Patient.managingOrganization.reference'],
  ['Patient', { contained: [{ resourceType: 'Organization', id: 'o', name: 'x' }], managingOrganization: { reference: '#o' } }],
  ['Patient', { contained: [{ resourceType: 'Practitioner', id: 'o' }], managingOrganization: { reference: '#o' } }, 'reference-invalid Patient.managingOrganization.reference'],
  ['Patient', { contained: [{ resourceType: 'Observation', id: 'o', status: 'final', code: { text: 'x' }, subject: { reference: '#' } }] }],
  value({ focus: [{ reference: 'Claim/1' }] }),
]

const inner: Row[] = [
  ['Patient', { contained: [{ resourceType: 'Organization', id: 'o', name: 'x', nmae: 'x' }], managingOrganization: { reference: '#o' } }, 'element-unknown Patient.contained[0].nmae'],
  ['Patient', { contained: [{ id: 'o' }], managingOrganization: { reference: '#o' } }, 'required Patient.contained[0].resourceType'],
  ['Patient', { contained: [{ resourceType: 'Organisation', id: 'o' }], extension: [{ url: 'http://x', valueReference: { reference: '#o' } }] }, 'structure Patient.contained[0].resourceType'],
  ['Patient', { contained: [{ resourceType: 'Organization', id: 'o', contained: [{ resourceType: 'Patient', link: [{ other: { reference: '#' }, type: 'seealso' }] }], name: 'x' }], managingOrganization: { reference: '#o' } }, 'invariant-broken Patient.contained[0].contained'],
  ['Bundle', { entry: [{ resource: { resourceType: 'Patient', gender: 'x' } }] }, 'code-unknown Bundle.entry[0].resource.gender'],
  ['Bundle', { entry: [{ resource: { resourceType: 'Patient' } }, { resource: { resourceType: 'DomainResource' } }] }, 'structure Bundle.entry[1].resource.resourceType'],
  ['Bundle', { entry: [{ resource: { resourceType: 'Patient', generalPractitioner: [{ reference: 'Practitioner?identifier=x' }] } }] }],
  ['Bundle', { entry: [{ resource: { resourceType: 'Patient', contained: [{ resourceType: 'Organization', id: 'o', name: 'x' }], managingOrganization: { reference: '#o' } } }] }],
  ['Bundle', { entry: [{ resource: [] }] }, 'structure Bundle.entry[0].resource'],
]

describe.each(Object.entries({ elements, cardinality, kinds, emptiness, siblings, formats, codes, references, inner }))('%s', (_, rows) => {
  test.each(rows.map(([base, change, ...issues]) => [`${base} ${JSON.stringify(change)} → ${issues.join(', ') || 'valid'}`, base, change, issues] as const))(
    '%s', (__, base, change, issues) => { check(base, change, issues) })
})

describe('other resources', () => {
  test.each<[string, unknown, string[]]>([
    ['required binding of a CodeableConcept', { resourceType: 'AllergyIntolerance', patient: { reference: 'Patient/1' }, clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'activ' }] } }, ['code-unknown AllergyIntolerance.clinicalStatus.coding[0]']],
    ['its right system', { resourceType: 'AllergyIntolerance', patient: { reference: 'Patient/1' }, clinicalStatus: { coding: [{ system: 'http://wrong', code: 'active' }] } }, ['code-unknown AllergyIntolerance.clinicalStatus.coding[0]']],
    ['text alone', { resourceType: 'AllergyIntolerance', patient: { reference: 'Patient/1' }, clinicalStatus: { text: 'active' } }, ['code-unknown AllergyIntolerance.clinicalStatus']],
    ['a second coding of one’s own', { resourceType: 'AllergyIntolerance', patient: { reference: 'Patient/1' }, clinicalStatus: { coding: [{ system: 'http://own', code: '1' }, { system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }] } }, []],
    ['R4 has no Binary.url', { resourceType: 'Binary', contentType: 'text/plain', url: 'http://x' }, ['element-unknown Binary.url']],
    ['nor Meta.project', { resourceType: 'Patient', meta: { project: 'x' } }, ['element-unknown Patient.meta.project']],
    ['an R4 element that was replaced later', { resourceType: 'EvidenceVariable', status: 'draft', characteristic: [{ definitionCodeableConcept: { text: 'x' }, groupMeasure: 'mean' }] }, []],
    ['Parameters hold resources', { resourceType: 'Parameters', parameter: [{ name: 'a', resource: { resourceType: 'Patient', birthDate: 'x' } }] }, ['value-invalid Parameters.parameter[0].resource.birthDate']],
    ['Parameters nest by reference to themselves', { resourceType: 'Parameters', parameter: [{ name: 'a', part: [{ name: 'b', part: [{ name: 'c', valueInteger: 1 }] }] }] }, []],
    ['and are checked inside', { resourceType: 'Parameters', parameter: [{ name: 'a', part: [{ part: [{ name: 'c', valueCode: 'd' }] }] }] }, ['required Parameters.parameter[0].part[0].name']],
    ['no resourceType', { id: 'x' }, ['required resourceType']],
    ['an unknown one', { resourceType: 'Patientt' }, ['structure resourceType']],
    ['an abstract one', { resourceType: 'DomainResource' }, ['structure resourceType']],
    ['a data type', { resourceType: 'HumanName' }, ['structure resourceType']],
    ['R4B has more types', { resourceType: 'SubscriptionStatus' }, ['structure resourceType']],
    ['an array', [], ['structure null']],
    ['null', null, ['structure null']],
    ['text', 'Patient', ['structure null']],
  ])('%s', (_, resource, expected) => { expect(issuesOf(resource)).toEqual(expected) })

  test('digits are judged as they were sent', () => {
    expect(issuesOf(parseJson('{"resourceType":"Patient","multipleBirthInteger":1.0}'))).toEqual(['value-invalid Patient.multipleBirth'])
    expect(issuesOf(parseJson('{"resourceType":"Patient","multipleBirthInteger":1}'))).toEqual([])
    expect(issuesOf(parseJson('{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1e999}}')))
      .toEqual(['value-invalid Observation.value.value'])
    expect(issuesOf(parseJson('{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.10e2}}'))).toEqual([])
  })

  test('__proto__ in a body is an unknown element and nothing more', () => {
    expect(issuesOf(parseJson('{"resourceType":"Patient","__proto__":{"gender":"male"}}'))).toEqual(['element-unknown Patient.__proto__'])
  })
})

describe('issues', () => {
  test('all are collected, in both languages, with a suggestion', () => {
    const issues = validateResource(model, { resourceType: 'Patient', gender: 'femal', birthdate: '1990', name: [{ given: '三' }] })
    expect(issues.map((each) => each.text)).toEqual([
      { zh: '代码“femal”不在值集 http://hl7.org/fhir/ValueSet/administrative-gender 中，是否想写“female”？', en: 'The code "femal" is not in the value set http://hl7.org/fhir/ValueSet/administrative-gender. Did you mean "female"?' },
      { zh: 'Patient 没有元素“birthdate”，是否想写“birthDate”？', en: 'Patient has no element "birthdate". Did you mean "birthDate"?' },
      { zh: '“given”应为数组 […]，收到的是字符串，请写成 "given": [ … ]。', en: '"given" must be an array […], not a string. Write "given": [ … ].' },
    ])
  })

  test('a time without a zone is answered with how to write it', () => {
    const [issue] = validateResource(model, { ...bases.Observation, effectiveDateTime: '2026-11-23T08:30:00' })
    expect(issue?.text.zh).toBe('“2026-11-23T08:30:00”有时刻但没有时区，请在末尾加上 +08:00。')
  })

  test('they stop at fifty', () => {
    const issues = validateResource(model, { resourceType: 'Patient', name: Array.from({ length: 500 }, () => ({ a: 1, b: 2 })) })
    expect(issues).toHaveLength(maxIssues)
  })
})

describe('any body at all', () => {
  const resource = fc.constantFrom(...resourceTypes).chain((type) => fc.tuple(fc.constant(type), fc.nat(13), fc.jsonValue({ maxDepth: 3 }), fc.nat()))

  test('gets issues with a place and sentences in both languages, never a throw', () => {
    fc.assert(fc.property(resource, ([type, round, junk, at]) => {
      const made = parseJson(JSON.stringify(fullResources(model, type)[round])) as Record<string, unknown>
      // Something else at a random place.
      let place: Record<string, unknown> = made
      for (let step = at; ;) {
        const keys = Object.keys(place)
        const key = keys[step % keys.length] as string
        const next = place[key]
        step = Math.floor(step / 3)
        if (step === 0 || typeof next !== 'object' || next === null || Object.keys(next).length === 0) {
          place[key] = junk
          break
        }
        place = next as Record<string, unknown>
      }
      for (const each of validateResource(model, made)) {
        expect(each.text.en).not.toBe('')
        expect(each.text.zh).toMatch(/\p{Script=Han}/u)
        expect(each.expression === null || /^[A-Za-z]+/.test(each.expression)).toBe(true)
      }
    }), { numRuns: 500 })
    fc.assert(fc.property(fc.jsonValue(), (junk) => { validateResource(model, junk) }))
  })
})

describe('whole types', () => {
  const types = [...model.structures.values()].filter((each) => each.kind === 'resource' && !each.abstract).map((each) => each.name)

  test('a resource of any type with all elements filled has a valid structure', () => {
    // Some invariants say that two elements exclude each other (validation/invariants.test.ts); the profile is an invented one.
    const structural = (resource: unknown) => issuesOf(resource).filter((each) => !/^(invariant-broken|profile-unknown)/.test(each))
    for (const type of types) for (const resource of fullResources(model, type)) expect(structural(resource), type).toEqual([])
    expect(types.sort()).toEqual([...resourceTypes].sort())
  })

  test('every real resource is valid', () => {
    if (!existsSync(realData)) {
      process.stdout.write('The real bundles are not here; the examples above are the whole check.\n')
      return
    }
    let count = 0
    for (const file of readdirSync(realData).filter((name) => name.endsWith('.json.gz'))) {
      const bundle = parseJson(gunzipSync(readFileSync(join(realData, file))).toString()) as { entry: { resource: unknown }[] }
      expect(issuesOf(bundle)).toEqual([])
      for (const { resource } of bundle.entry) {
        expect(issuesOf(resource)).toEqual([])
        count++
      }
    }
    process.stdout.write(`Validated ${count} real resources.\n`)
    expect(count).toBe(14_230)
  }, 120_000)
})

test.each([
  ['a code that its system does not have', { category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-sign' }] }] }, ['warning Observation.category[0].coding[0].code vital-signs']],
  ['a unit that is none', { valueQuantity: { value: 1, system: 'http://unitsofmeasure.org', code: 'fmm[Hg]' } }, ['warning Observation.value.code ']],
  ['what is right', { category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }], valueQuantity: { value: 1, system: 'http://unitsofmeasure.org', code: 'mm[Hg]' } }, []],
  ['a system that is not carried', { code: { coding: [{ system: 'http://loinc.org', code: 'x' }] } }, []],
])('advice on codes: %s', (_, change, expected) => {
  const found = validateResource(model, { ...bases.Observation, ...change }, { warnings: true }).filter(({ code }) => code === 'code-unknown')
  expect(found.map(({ severity, expression, text }) => `${severity} ${expression} ${/Did you mean "(.*)"/.exec(text.en)?.[1] ?? ''}`)).toEqual(expected)
  // It refuses no write.
  expect(validateResource(model, { ...bases.Observation, ...change })).toEqual([])
})
