/**
 * Each thing a profile can ask, with a failing resource and its nearest passing one: cardinality, fixed, pattern, types,
 * targets, bindings, lengths, limits, invariants, every kind of slicing, extensions, profiles on profiles.
 */
import { readSource } from '@pujiang/fhir-profiles/source.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson } from '../../fhir/json.ts'
import { loadModel } from '../../fhir/model.ts'
import { validateResource } from '../validate.ts'
import type { Definition } from './profile.ts'
import { base, profile, url } from './profiles.examples.ts'
import { profileSet } from './profiles.ts'
import { stepsOf } from './slices.ts'

type Json = Record<string, unknown>

const model = loadModel()
function issuesOf(resource: Json, definitions: readonly Definition[]): string[] {
  const stored = new Map(definitions.map((each) => [each.url, each]))
  return validateResource(model, parseJson(JSON.stringify(resource)), { stored: { profiles: stored }, profiles: [url] }).map((each) => {
    expect(each.text.zh).toMatch(/\p{Script=Han}/u)
    expect(each.text.en).not.toMatch(/undefined|\[object/)
    return `${each.code} ${each.expression}`
  })
}

const patient = (change: Json): Json => ({ resourceType: 'Patient', ...change })
const observation = (change: Json): Json => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, ...change })
const coded = (...codes: string[]) => ({ coding: codes.map((each) => ({ system: 'http://s', code: each })) })

const kilograms = (value: number) => ({ value, system: 'http://unitsofmeasure.org', code: 'kg' })

/** [what, elements, broken, issues, kept] */
type Row = [what: string, definition: Definition, broken: Json, issues: string[], kept: Json]

const elements: Row[] = [
  ['min', profile('Patient', { birthDate: { min: 1 } }), patient({}), ['required Patient.birthDate'], patient({ birthDate: '1990' })],
  ['min of an absent parent is not asked', profile('Patient', { 'name.family': { min: 1 } }), patient({ name: [{ text: 'x' }] }), ['required Patient.name[0].family'], patient({})],
  ['min of several', profile('Patient', { name: { min: 2 } }), patient({ name: [{ text: 'x' }] }), ['required Patient.name'], patient({ name: [{ text: 'x' }, { text: 'y' }] })],
  ['an extension alone counts', profile('Patient', { birthDate: { min: 1 } }), patient({ active: true }), ['required Patient.birthDate'], patient({ _birthDate: { extension: [{ url: 'http://x', valueCode: 'y' }] } })],
  ['max', profile('Patient', { name: { max: '1' } }), patient({ name: [{ text: 'x' }, { text: 'y' }] }), ['cardinality Patient.name'], patient({ name: [{ text: 'x' }] })],
  ['max 0', profile('Patient', { photo: { max: '0' } }), patient({ photo: [{ title: 'x' }] }), ['cardinality Patient.photo'], patient({})],
  ['fixed primitive', profile('Patient', { gender: { fixedCode: 'male' } }), patient({ gender: 'female' }), ['value-invalid Patient.gender'], patient({ gender: 'male' })],
  ['fixed is exact', profile('Patient', { maritalStatus: { fixedCodeableConcept: { text: 'x' } } }), patient({ maritalStatus: { text: 'x', coding: [{ code: 'M' }] } }), ['value-invalid Patient.maritalStatus'], patient({ maritalStatus: { text: 'x' } })],
  ['pattern is at least', profile('Patient', { maritalStatus: { patternCodeableConcept: coded('a') } }), patient({ maritalStatus: coded('b') }), ['value-invalid Patient.maritalStatus'], patient({ maritalStatus: { ...coded('b', 'a'), text: 'x' } })],
  ['maxLength in characters', profile('Patient', { 'name.text': { maxLength: 2 } }), patient({ name: [{ text: '张三丰' }] }), ['value-invalid Patient.name[0].text'], patient({ name: [{ text: '张𠮷' }] })],
  ['minLength, by an extension', profile('Patient', { 'name.text': { extension: [{ url: `${base}minLength`, valueInteger: 2 }] } }), patient({ name: [{ text: '张' }] }), ['value-invalid Patient.name[0].text'], patient({ name: [{ text: '张三' }] })],
  ['minValue', profile('Patient', { 'multipleBirth[x]': { minValueInteger: 1 } }), patient({ multipleBirthInteger: 0 }), ['value-invalid Patient.multipleBirth'], patient({ multipleBirthInteger: 1 })],
  ['minValue of a quantity, in another unit', profile('Observation', { 'value[x]': { minValueQuantity: kilograms(1) } }), observation({ valueQuantity: { value: 999, system: 'http://unitsofmeasure.org', code: 'g' } }), ['value-invalid Observation.value'], observation({ valueQuantity: { value: 1000, system: 'http://unitsofmeasure.org', code: 'g' } })],
  ['maxValue of a quantity, of what does not convert nothing', profile('Observation', { 'value[x]': { maxValueQuantity: kilograms(1) } }), observation({ valueQuantity: kilograms(1.1) }), ['value-invalid Observation.value'], observation({ valueQuantity: { value: 2, system: 'http://unitsofmeasure.org', code: 'cm' } })],
  ['maxValue of a date', profile('Patient', { birthDate: { maxValueDate: '2026-11-23' } }), patient({ birthDate: '2026-11-24' }), ['value-invalid Patient.birthDate'], patient({ birthDate: '2026-11' })],
  ['type narrowing', profile('Observation', { 'value[x]': { type: [{ code: 'Quantity' }] } }), observation({ valueString: 'x' }), ['structure Observation.value'], observation({ valueQuantity: { value: 1 } })],
  ['one type of a choice by its name', profile('Observation', { 'valueQuantity.unit': { min: 1 } }), observation({ valueQuantity: { value: 1 } }), ['required Observation.value.unit'], observation({ valueString: 'x' })],
  ['target type', profile('Observation', { subject: { type: [{ code: 'Reference', targetProfile: [`${base}Patient`] }] } }), observation({ subject: { reference: 'Device/1' } }), ['reference-invalid Observation.subject'], observation({ subject: { reference: 'Patient/1' } })],
  ['target type by identifier', profile('Observation', { subject: { type: [{ code: 'Reference', targetProfile: [`${base}Patient`] }] } }), observation({ subject: { type: 'Device', identifier: { value: '1' } } }), ['reference-invalid Observation.subject'], observation({ subject: { identifier: { value: '1' } } })],
  ['required binding', profile('Patient', { maritalStatus: { binding: { strength: 'required', valueSet: 'http://hl7.org/fhir/ValueSet/administrative-gender' } } }), patient({ maritalStatus: { coding: [{ system: 'http://hl7.org/fhir/administrative-gender', code: 'x' }] } }), ['code-unknown Patient.maritalStatus'], patient({ maritalStatus: { coding: [{ system: 'http://hl7.org/fhir/administrative-gender', code: 'male' }] } })],
  ['required binding without a coding', profile('Patient', { maritalStatus: { binding: { strength: 'required', valueSet: 'http://hl7.org/fhir/ValueSet/administrative-gender' } } }), patient({ maritalStatus: { text: 'x' } }), ['code-unknown Patient.maritalStatus'], patient({})],
  ['preferred binding is free', profile('Patient', { active: { min: 1 }, maritalStatus: { binding: { strength: 'preferred', valueSet: 'http://hl7.org/fhir/ValueSet/administrative-gender' } } }), patient({}), ['required Patient.active'], patient({ active: true, maritalStatus: { text: 'x' } })],
  ['invariant', profile('Patient', { '': { constraint: [{ key: 't-1', severity: 'error', human: 'x', expression: 'name.exists() or identifier.exists()' }] } }), patient({}), ['invariant-broken Patient'], patient({ name: [{ text: 'x' }] })],
  ['invariant of an element', profile('Patient', { name: { constraint: [{ key: 't-1', severity: 'error', human: 'x', expression: 'text.length() < 3' }] } }), patient({ name: [{ text: 'x' }, { text: 'xxx' }] }), ['invariant-broken Patient.name[1]'], patient({ name: [{ text: 'x' }] })],
  ['invariant of a primitive', profile('Patient', { birthDate: { constraint: [{ key: 't-1', severity: 'error', human: 'x', expression: '$this <= @2020-01-01' }] } }), patient({ birthDate: '2020-01-02' }), ['invariant-broken Patient.birthDate'], patient({ birthDate: '2020-01-01' })],
  ['an invariant that may never end is not run', profile('Patient', { active: { min: 1 }, '': { constraint: [{ key: 't-1', severity: 'error', human: 'x', expression: "gender.matches('^(a+)+$')" }] } }), patient({ gender: 'male' }), ['required Patient.active'], patient({ gender: 'male', active: true })],
  ['contained resources', profile('Patient', { contained: { type: [{ code: 'Organization' }] } }), patient({ contained: [{ resourceType: 'Practitioner', id: 'p' }], generalPractitioner: [{ reference: '#p' }] }), ['structure Patient.contained[0]'], patient({ contained: [{ resourceType: 'Organization', id: 'p', name: 'x' }], generalPractitioner: [{ reference: '#p' }] })],
  ['another type', profile('Observation', {}), patient({}), ['structure Patient.meta.profile'], observation({})],
]

const slicing = (type: string, path: string, rules = 'open', ordered = false) => ({ slicing: { discriminator: [{ type, path }], rules, ordered } })
const systems = (rules = 'open', ordered = false): Record<string, Json> => ({
  identifier: slicing('value', 'system', rules, ordered), 'identifier:a': { min: 1, max: '1' }, 'identifier:a.system': { fixedUri: 'http://a' }, 'identifier:a.value': { min: 1 },
  'identifier:b': {}, 'identifier:b.system': { fixedUri: 'http://b' },
})
const ids = (...letters: string[]) => patient({ identifier: letters.map((each) => ({ system: `http://${each}`, value: '1' })) })
const components = (discriminator: Json, inside: Record<string, Json>) => profile('Observation', { component: { slicing: { discriminator: [discriminator], rules: 'open' } }, ...inside })

const slices: Row[] = [
  ['value: slice min', profile('Patient', systems()), ids('b'), ['required Patient.identifier'], ids('a')],
  ['value: slice max', profile('Patient', systems()), ids('a', 'a'), ['cardinality Patient.identifier'], ids('a', 'b', 'b')],
  ['value: inside a slice', profile('Patient', systems()), patient({ identifier: [{ system: 'http://a' }] }), ['required Patient.identifier[0].value'], patient({ identifier: [{ system: 'http://b' }, { system: 'http://a', value: '1' }] })],
  ['closed', profile('Patient', systems('closed')), ids('a', 'c'), ['structure Patient.identifier[1]'], ids('a', 'b')],
  ['open', profile('Patient', systems()), ids('c'), ['required Patient.identifier'], ids('c', 'a')],
  ['openAtEnd', profile('Patient', systems('openAtEnd')), ids('c', 'a'), ['structure Patient.identifier[0]'], ids('a', 'c')],
  ['ordered', profile('Patient', systems('open', true)), ids('b', 'a'), ['structure Patient.identifier[1]'], ids('a', 'b')],
  ['pattern at $this', profile('Observation', { category: slicing('pattern', '$this'), 'category:lab': { min: 1, patternCodeableConcept: coded('lab') } }), observation({ category: [coded('x')] }), ['required Observation.category'], observation({ category: [coded('x'), coded('y', 'lab')] })],
  ['value in a pattern above', profile('Observation', { category: slicing('value', 'coding.code'), 'category:lab': { min: 1, patternCodeableConcept: coded('lab') } }), observation({ category: [coded('x')] }), ['required Observation.category'], observation({ category: [coded('lab')] })],
  ['value below a nested slice', components({ type: 'value', path: 'code.coding.code' }, { 'component:s': { min: 1 }, 'component:s.code.coding:x.code': { fixedCode: '1' }, 'component:s.value[x]': { min: 1 } }), observation({ component: [{ code: coded('1') }] }), ['required Observation.component[0].value'], observation({ component: [{ code: coded('2') }, { code: coded('1'), valueString: 'x' }] })],
  ['a slice that says nothing of a discriminator takes whatever stands there', profile('Patient', { telecom: { slicing: { discriminator: [{ type: 'value', path: 'system' }, { type: 'value', path: 'use' }], rules: 'closed', ordered: false } }, 'telecom:mail': { min: 1 }, 'telecom:mail.system': { fixedCode: 'email' } }), patient({ telecom: [{ system: 'phone', use: 'home' }] }), ['required Patient.telecom', 'structure Patient.telecom[0]'], patient({ telecom: [{ system: 'email', use: 'home' }, { system: 'email' }] })],
  ['a discriminator that a slice forbids', profile('Patient', { telecom: { slicing: { discriminator: [{ type: 'value', path: 'system' }, { type: 'value', path: 'use' }], rules: 'closed', ordered: false } }, 'telecom:mail': { min: 1 }, 'telecom:mail.system': { fixedCode: 'email' }, 'telecom:mail.use': { max: '0' } }), patient({ telecom: [{ system: 'email', use: 'home' }] }), ['required Patient.telecom', 'structure Patient.telecom[0]'], patient({ telecom: [{ system: 'email' }] })],
  ['value by a binding', profile('Patient', { telecom: slicing('value', 'system'), 'telecom:known': { max: '1' }, 'telecom:known.system': { binding: { strength: 'required', valueSet: 'http://hl7.org/fhir/ValueSet/contact-point-system' } } }), patient({ telecom: [{ system: 'phone' }, { system: 'fax' }] }), ['cardinality Patient.telecom'], patient({ telecom: [{ system: 'phone' }] })],
  ['exists', profile('Patient', { name: slicing('exists', 'period'), 'name:old': { max: '1' }, 'name:old.period': { min: 1 }, 'name:now': { min: 1 }, 'name:now.period': { max: '0' } }), patient({ name: [{ text: 'x', period: { end: '2020' } }] }), ['required Patient.name'], patient({ name: [{ text: 'x', period: { end: '2020' } }, { text: 'y' }] })],
  ['type of a choice', profile('Observation', { 'value[x]': slicing('type', '$this', 'closed'), 'value[x]:valueQuantity': { type: [{ code: 'Quantity' }] }, 'value[x]:valueQuantity.unit': { min: 1 } }), observation({ valueQuantity: { value: 1 } }), ['required Observation.value.unit'], observation({ valueQuantity: { value: 1, unit: 'x' } })],
  ['type of a choice, closed', profile('Observation', { 'value[x]': slicing('type', '$this', 'closed'), 'value[x]:valueQuantity': { type: [{ code: 'Quantity' }] } }), observation({ valueString: 'x' }), ['structure Observation.value'], observation({ valueQuantity: { value: 1 } })],
  ['type without slicing, by name', profile('Observation', { 'value[x]:valueQuantity.unit': { min: 1 } }), observation({ valueQuantity: { value: 1 } }), ['required Observation.value.unit'], observation({ valueString: 'x' })],
  ['type of a resource', profile('Bundle', { entry: slicing('type', 'resource'), 'entry:p': { min: 1 }, 'entry:p.resource': { type: [{ code: 'Patient' }] } }), { resourceType: 'Bundle', type: 'collection', entry: [{ resource: observation({}) }] }, ['required Bundle.entry'], { resourceType: 'Bundle', type: 'collection', entry: [{ resource: patient({}) }] }],
  ['type of a target', profile('Encounter', { participant: slicing('type', 'individual.resolve()'), 'participant:doctor': { min: 1 }, 'participant:doctor.individual': { type: [{ code: 'Reference', targetProfile: [`${base}Practitioner`] }] } }), encounter('RelatedPerson/1'), ['required Encounter.participant'], encounter('Practitioner/1')],
  ['several discriminators', profile('Patient', { telecom: { slicing: { discriminator: [{ type: 'value', path: 'system' }, { type: 'value', path: 'use' }], rules: 'open' } }, 'telecom:mobile': { min: 1 }, 'telecom:mobile.system': { fixedCode: 'phone' }, 'telecom:mobile.use': { fixedCode: 'mobile' } }), patient({ telecom: [{ system: 'phone', use: 'home' }] }), ['required Patient.telecom'], patient({ telecom: [{ system: 'phone', use: 'mobile' }] })],
  ['extension slice by url', profile('Patient', { 'extension:e': { min: 1, type: [{ code: 'Extension', profile: ['http://test/e'] }] } }), patient({ extension: [{ url: 'http://x', valueCode: 'y' }] }), ['required Patient.extension'], patient({ extension: [{ url: 'http://test/e', valueCode: 'y' }] })],
  ['extension slice without any extension', profile('Patient', { extension: slicing('value', 'url'), 'extension:e': { min: 1 }, 'extension:e.url': { fixedUri: 'http://test/e' } }), patient({}), ['required Patient.extension'], patient({ extension: [{ url: 'http://test/e', valueCode: 'y' }] })],
  ['extension slice twice', profile('Patient', { 'extension:e': { max: '1', type: [{ code: 'Extension', profile: ['http://test/e'] }] } }), patient({ extension: [{ url: 'http://test/e', valueCode: 'y' }, { url: 'http://test/e', valueCode: 'y' }] }), ['cardinality Patient.extension'], patient({ extension: [{ url: 'http://test/e', valueCode: 'y' }] })],
  ['by an extension', profile('Patient', { name: slicing('value', "extension('http://test/e').value"), 'name:e': { min: 1 }, 'name:e.extension:e': { type: [{ code: 'Extension', profile: ['http://test/e'] }] }, 'name:e.extension:e.value[x]': { fixedCode: 'IDE' } }), patient({ name: [{ text: 'x', extension: [{ url: 'http://test/e', valueCode: 'SYL' }] }] }), ['required Patient.name'], patient({ name: [{ text: 'x', extension: [{ url: 'http://test/e', valueCode: 'IDE' }] }] })],
  ['no discriminator: what is kept', profile('Patient', { name: { slicing: { rules: 'open' } }, 'name:o': { min: 1 }, 'name:o.use': { min: 1, fixedCode: 'official' } }), patient({ name: [{ text: 'x' }] }), ['required Patient.name'], patient({ name: [{ text: 'x', use: 'official' }] })],
]

function encounter(individual: string): Json {
  return { resourceType: 'Encounter', status: 'planned', class: { code: 'AMB' }, participant: [{ individual: { reference: individual } }] }
}

describe.each(Object.entries({ elements, slices }))('%s', (_, rows) => {
  test.each(rows.map(([what, ...rest]) => [what, rest] as const))('%s', (__, [definition, broken, issues, kept]) => {
    expect(issuesOf(broken, [definition])).toEqual(issues)
    expect(issuesOf(kept, [definition])).toEqual([])
  })
})

describe('definitions that rest on others', () => {
  const parent = profile('Patient', { ...systems() }, { url: 'http://test/parent' })

  test('a derived profile keeps its base and may say more of its slices', () => {
    const child = profile('Patient', { 'identifier:b': { min: 1 } }, { baseDefinition: 'http://test/parent|1' })
    expect(issuesOf(ids('a'), [parent, child])).toEqual(['required Patient.identifier'])
    expect(issuesOf(ids('b'), [parent, child])).toEqual(['required Patient.identifier'])
    expect(issuesOf(ids('a', 'b'), [parent, child])).toEqual([])
  })

  test('a snapshot is enough where the base is not known, and its absence is told', () => {
    const element = [{ id: 'Patient', path: 'Patient' }, { id: 'Patient.gender', path: 'Patient.gender', min: 1 }]
    const alone = profile('Patient', {}, { baseDefinition: 'http://test/unknown' })
    expect(issuesOf(patient({}), [{ ...alone, snapshot: { element } }])).toEqual(['required Patient.gender'])
    expect(issuesOf(patient({}), [alone])).toEqual(['profile-unknown Patient.meta.profile'])
  })

  test('a value keeps one of the profiles its type names', () => {
    const name = profile('HumanName', { family: { min: 1 } }, { url: 'http://test/name' })
    const uses = profile('Patient', { name: { type: [{ code: 'HumanName', profile: ['http://test/name'] }] } })
    expect(issuesOf(patient({ name: [{ text: 'x' }] }), [uses, name])).toEqual(['required Patient.name[0].family'])
    expect(issuesOf(patient({ name: [{ family: 'x' }] }), [uses, name])).toEqual([])
  })

  test('profiles that rest on each other end', () => {
    const one = profile('Patient', { gender: { min: 1 } }, { baseDefinition: 'http://test/two' })
    const two = profile('Patient', { active: { min: 1 } }, { url: 'http://test/two', baseDefinition: url })
    expect(issuesOf(patient({ gender: 'male', active: true }), [one, two]).every((each) => each.startsWith('profile-unknown'))).toBe(true)
    const self = profile('Bundle', { 'entry.resource': { type: [{ code: 'Bundle', profile: [url] }] } })
    expect(issuesOf({ resourceType: 'Bundle', type: 'collection', entry: [{ resource: { resourceType: 'Bundle', type: 'collection' } }] }, [self])).toEqual([])
  })

  test('HL7’s blood pressure: slices of slices, and its base the vital signs', () => {
    const component = (code: string, value: number) => ({ code: { coding: [{ system: 'http://loinc.org', code }] }, valueQuantity: { value, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' } })
    const bp = {
      ...observation({}), meta: { profile: [`${base}bp`] }, subject: { reference: 'Patient/1' }, effectiveDateTime: '2026-11-23',
      category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
      code: { coding: [{ system: 'http://loinc.org', code: '85354-9' }] }, component: [component('8480-6', 120), component('8462-4', 80)],
    }
    const issues = (change: Json) => validateResource(model, { ...bp, ...change }).map((each) => `${each.code} ${each.expression}`)
    expect(issues({})).toEqual([])
    expect(issues({ category: undefined })).toContain('required Observation.category')
    expect(issues({ component: [component('8480-6', 120)] })).toEqual(['required Observation.component', 'required Observation.component'])
    expect(issues({ component: [component('8480-6', 120), { ...component('8462-4', 80), valueQuantity: { value: 80, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'kPa' } }] }))
      .toContain('value-invalid Observation.component[1].value.code')
    expect(issues({ subject: undefined })).toContain('required Observation.subject')
  })
})

describe('extensions', () => {
  const own = 'https://pujiang.health/fhir/StructureDefinition/'
  const issues = (resource: Json) => validateResource(model, parseJson(JSON.stringify(resource))).map((each) => `${each.code} ${each.expression}`)
  const ethnic = { url: `${own}ethnic-group`, valueCoding: { code: '01' } }

  test.each<[string, Json, string[], Json]>([
    ['where it may stand', { resourceType: 'Practitioner', extension: [ethnic] }, ['structure Practitioner.extension[0]'], patient({ extension: [ethnic] })],
    ['type of its value', patient({ extension: [{ url: ethnic.url, valueString: 'x' }] }), ['structure Patient.extension[0].value'], patient({ extension: [ethnic] })],
    ['how often', patient({ extension: [ethnic, ethnic] }), ['cardinality Patient.extension'], patient({ extension: [ethnic] })],
    ['a value at all', patient({ extension: [{ url: ethnic.url, extension: [{ url: 'x', valueCode: 'y' }] }] }), ['cardinality Patient.extension[0].extension', 'required Patient.extension[0].value'], patient({ extension: [ethnic] })],
    ['in a data type', patient({ extension: [{ url: `${own}region`, valueCoding: { code: '310101' } }] }), ['structure Patient.extension[0]'], patient({ address: [{ text: 'x', extension: [{ url: `${own}region`, valueCoding: { code: '310101' } }] }] })],
    ['inside a complex one', patient({ name: [{ _text: { extension: [{ url: `${base}translation`, extension: [{ url: 'lang', valueCode: 'en' }] }] } }] }), ['required Patient.name[0].text.extension[0].extension'], patient({ name: [{ _text: { extension: [{ url: `${base}translation`, extension: [{ url: 'lang', valueCode: 'en' }, { url: 'content', valueString: 'x' }] }] } }] })],
    ['an unknown modifier', patient({ modifierExtension: [{ url: 'http://x', valueCode: 'y' }] }), ['element-unknown Patient.modifierExtension[0]'], patient({ extension: [{ url: 'http://x', valueCode: 'y' }] })],
  ])('%s', (_, broken, expected, kept) => {
    expect(issues(broken)).toEqual(expected)
    expect(issues(kept)).toEqual([])
  })
})

test('an extension of HL7 at a strange place is advice, as HL7 itself puts some there', () => {
  const translation = { url: `${base}translation`, extension: [{ url: 'lang', valueCode: 'en' }, { url: 'content', valueString: 'x' }] }
  const issues = (resource: Json) => validateResource(model, { text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' }, ...resource }, { warnings: true })
    .map((each) => `${each.severity} ${each.code} ${each.expression}`)
  expect(issues(patient({ birthDate: '1990', _birthDate: { extension: [translation] } }))).toEqual(['warning structure Patient.birthDate.extension[0]'])
  expect(issues(patient({ name: [{ text: 'x', _text: { extension: [translation] } }] }))).toEqual([])
})

test('the definitions that HL7 published are valid, but for those that name what is nowhere', () => {
  const found = ['profiles-types.json', 'profiles-others.json', 'search-parameters.json', 'valuesets.json', 'conceptmaps.json'].flatMap((name) => {
    const { entry } = readSource(name) as { entry: { resource: Json }[] }
    return entry.flatMap(({ resource }) => validateResource(model, resource).map((each) => `${each.code} ${resource.resourceType as string}/${resource.id as string} ${each.expression}`))
  })
  expect(found.toSorted()).toEqual([
    'profile-unknown ValueSet/endpoint-connection-type ValueSet.meta.profile[0]',
    'profile-unknown ValueSet/endpoint-payload-type ValueSet.meta.profile[0]',
    'profile-unknown ValueSet/provenance-history-agent-type ValueSet.meta.profile[0]',
    'profile-unknown ValueSet/provenance-history-record-activity ValueSet.meta.profile[0]',
  ])
}, 120_000)

test('elements without ids are of the slice that they follow', () => {
  const element = [
    { path: 'Communication.payload', slicing: { discriminator: [{ type: 'type', path: 'content' }], rules: 'closed' } },
    { path: 'Communication.payload', sliceName: 'text', max: '1' }, { path: 'Communication.payload.contentString', min: 1, type: [{ code: 'string' }] },
    { path: 'Communication.payload', sliceName: 'file' }, { path: 'Communication.payload.contentAttachment', type: [{ code: 'Attachment' }] }, { path: 'Communication.payload.contentAttachment.title', min: 1 },
    { path: 'Communication.note', min: 1 },
  ]
  const definition = { ...profile('Communication', {}), differential: { element } } as unknown as Definition
  const communication = (...payload: Json[]) => ({ resourceType: 'Communication', status: 'completed', note: [{ text: 'x' }], payload })
  expect(issuesOf(communication({ contentString: 'a' }, { contentAttachment: { title: 'b' } }, { contentAttachment: { title: 'c' } }), [definition])).toEqual([])
  expect(issuesOf(communication({ contentString: 'a' }, { contentString: 'b' }, { contentAttachment: { contentType: 'text/plain' } }), [definition])).toEqual(['cardinality Communication.payload', 'required Communication.payload[2].content.title'])
  expect(issuesOf({ resourceType: 'Communication', status: 'completed', payload: [{ contentReference: { reference: 'Basic/1' } }] }, [definition])).toEqual(['structure Communication.payload[0]', 'required Communication.note'])
})

test('below a resource that stands in another %resource is the inner one, %rootResource the outer', () => {
  const named = (expression: string) => profile('Patient', { 'contained.name': { constraint: [{ key: 'x-1', severity: 'error', human: 'x', expression }] } })
  const inner = { resourceType: 'Practitioner', id: 'p', name: [{ text: 'x' }], gender: 'female' }
  const both = patient({ gender: 'male', contained: [inner], generalPractitioner: [{ reference: '#p' }] })
  expect(issuesOf(both, [named("%resource.gender = 'female' and %rootResource.gender = 'male'")])).toEqual([])
  expect(issuesOf(both, [named("%resource.gender = 'male'")])).toEqual(['invariant-broken Patient.contained[0].name[0]'])
})

test.each<[string, { type: string; expression: string }, Json, Json]>([
  ['a path', { type: 'fhirpath', expression: "Patient.telecom.where(system = 'phone')" }, patient({ telecom: [{ system: 'phone' }, { system: 'email', extension: [{ url: 'http://test/e', valueCode: 'x' }] }] }), patient({ telecom: [{ system: 'email' }, { system: 'phone', extension: [{ url: 'http://test/e', valueCode: 'x' }] }] })],
  ['a path to a choice', { type: 'fhirpath', expression: 'Patient.deceased' }, patient({ active: true, _active: { extension: [{ url: 'http://test/e', valueCode: 'x' }] } }), patient({ deceasedBoolean: true, _deceasedBoolean: { extension: [{ url: 'http://test/e', valueCode: 'x' }] } })],
  ['another extension', { type: 'extension', expression: 'http://test/outer' }, patient({ extension: [{ url: 'http://test/other', extension: [{ url: 'http://test/e', valueCode: 'x' }] }] }), patient({ extension: [{ url: 'http://test/outer', extension: [{ url: 'http://test/e', valueCode: 'x' }] }] })],
])('an extension stands only where its context allows: %s', (_, context, broken, kept) => {
  const definition = { ...profile('Extension', { 'value[x]': { min: 1 } }), url: 'http://test/e', context: [context] } as unknown as Definition
  const found = (resource: Json) => validateResource(model, resource, { stored: { profiles: new Map([[definition.url, definition]]) } }).map((each) => each.code)
  expect([found(broken), found(kept)]).toEqual([['structure'], []])
})

test('a profile may ask more of slices that the profile of a type defines', () => {
  const address: Definition = {
    ...profile('Address', { extension: slicing('value', 'url', 'closed'), 'extension:street': { type: [{ code: 'Extension', profile: ['http://test/street'] }] }, 'line': slicing('value', '$this'), 'line:first': { fixedString: 'a' } }), url: 'http://test/address',
  }
  const tighter = profile('Organization', { address: { type: [{ code: 'Address', profile: [address.url] }] }, 'address.extension:street': { min: 1 }, 'address.line:first': { min: 1 } })
  const organization = (...address: Json[]) => ({ resourceType: 'Organization', name: 'x', address })
  const street = { url: 'http://test/street', valueString: 'a' }
  expect(issuesOf(organization({ extension: [street], line: ['b', 'a'] }), [address, tighter])).toEqual([])
  expect(issuesOf(organization({ line: ['b'] }), [address, tighter])).toEqual(['required Organization.address[0].extension', 'required Organization.address[0].line'])
})

test('profiles of types that name each other, as often as they like, end soon', () => {
  const named = (name: string, next: string): Definition => ({
    ...profile('Extension', {}), type: 'Address', url: `http://test/${name}`, baseDefinition: `${base}Address`,
    differential: { element: Array.from({ length: 300 }, (_, n) => [{ id: `Address.period:s${n}`, path: 'Address.period', type: [{ code: 'Period', profile: [`http://test/${next}`] }] }, { id: `Address.period:s${n}.start`, path: 'Address.period.start', min: 0 }]).flat() },
  }) as unknown as Definition
  expect(issuesOf({ resourceType: 'Organization', name: 'x', address: [{ period: { start: '2026' } }] }, [named('a', 'b'), named('b', 'a'), profile('Organization', { address: { type: [{ code: 'Address', profile: ['http://test/a'] }] }, 'address.period': { min: 1 } })])).toEqual([])
})

test('any list of extensions gets issues, never a throw', () => {
  const known = [...model.profiles.values()].filter((each) => each.type === 'Extension').slice(0, 20).map((each) => each.url)
  const extension = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.record({ url: fc.oneof(fc.constantFrom(...known, 'x', ''), fc.jsonValue({ maxDepth: 1 })), valueString: fc.jsonValue({ maxDepth: 1 }) }, { requiredKeys: [] }))
  fc.assert(fc.property(fc.array(extension, { maxLength: 4 }), fc.array(extension, { maxLength: 3 }), (here, below) => {
    validateResource(model, { resourceType: 'Patient', extension: here, modifierExtension: below, name: [{ text: 'x', extension: below, _text: { extension: here } }], _birthDate: { extension: here } }, { warnings: true })
  }), { numRuns: 400 })
})

test('paths of discriminators are read in steps', () => {
  expect(stepsOf('$this')).toEqual([])
  expect(stepsOf("extension('http://a.b/c').value.ofType(Coding).code")).toEqual(["extension('http://a.b/c')", 'value', 'ofType(Coding)', 'code'])
  expect(stepsOf('$this.resolve()')).toEqual(['resolve()'])
})

test('every definition that is carried compiles, with its base', () => {
  const set = profileSet(model)
  for (const each of model.profiles.keys()) expect(set.find(each)?.missing, each).toEqual([])
})

test('any definition and any resource get issues, never a throw', () => {
  const json = fc.jsonValue({ maxDepth: 3 })
  const element = fc.record({ id: fc.constantFrom('Patient', 'Patient.name', 'Patient.name:a', 'Patient.name:a.family', 'Patient.x[x]', '.', ':'), path: fc.constantFrom('Patient', 'Patient.name') })
    .chain((each) => fc.dictionary(fc.constantFrom('min', 'max', 'type', 'slicing', 'fixedString', 'patternHumanName', 'binding', 'constraint', 'maxLength', 'sliceName', 'minValueDate'), json).map((more) => ({ ...more, ...each })))
  // A discriminator is text of users too.
  for (const path of ['[', 'x[', '(', '$', "extension('", 'a..b', 'resolve()', 'ofType(', '\\']) {
    validateResource(model, ids('a'), { stored: { profiles: new Map([[url, profile('Patient', { identifier: slicing('value', path), 'identifier:a': { min: 1 } })]]) }, profiles: [url] })
  }
  fc.assert(fc.property(fc.array(element, { maxLength: 6 }), json, json, (list, name, birthDate) => {
    const definition = { ...profile('Patient', {}), differential: { element: list } } as unknown as Definition
    validateResource(model, { resourceType: 'Patient', name, birthDate, identifier: [{ system: 'x' }] }, { stored: { profiles: new Map([[url, definition]]) }, profiles: [url], warnings: true })
    validateResource(model, { resourceType: 'Patient', name: [{ text: 'x' }, { family: 'y' }] }, { stored: { profiles: new Map([[url, definition]]) }, profiles: [url], warnings: true })
  }), { numRuns: 400 })
})
