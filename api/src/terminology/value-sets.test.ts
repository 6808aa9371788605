/** The terminology that other parts ask without HTTP: required bindings, hierarchy, and the systems that are rules. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadModel } from '../fhir/model.ts'
import { ancestorCodes, expandedCodes, isIn, membersOf, setOf, subsumedCodes } from './value-sets.ts'
import { animals, animalSystem, sourceOf, valueSet } from './sample.examples.ts'

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'

test('every required binding has the codes the structure validator knows', () => {
  const model = loadModel()
  const bindings = new Set([...model.structures.values()].flatMap((each) => [...each.properties.values()]).flatMap((each) => (each.required ? [each.required] : [])))
  const compared = [...bindings].flatMap((url) => (model.valueSet(url) ? [[url, [...model.valueSet(url)?.codes ?? []].sort()] as const] : []))
  expect(compared.length).toBeGreaterThan(100)
  for (const [url, codes] of compared) expect([...expandedCodes(url) ?? []].sort(), url).toEqual(codes)
})

test.each<[string, string | null, string, boolean | null]>([
  ['http://hl7.org/fhir/ValueSet/administrative-gender', null, 'male', true],
  ['http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1', null, 'male', true],
  ['http://hl7.org/fhir/ValueSet/administrative-gender', 'http://hl7.org/fhir/administrative-gender', 'male', true],
  ['http://hl7.org/fhir/ValueSet/administrative-gender', 'http://terminology.hl7.org/CodeSystem/v2-0001', 'male', false],
  ['http://hl7.org/fhir/ValueSet/administrative-gender', null, 'Male', false],
  ['http://hl7.org/fhir/ValueSet/ucum-units', null, 'mmol/L', true],
  ['http://hl7.org/fhir/ValueSet/ucum-units', null, 'mmols/L', false],
  ['http://hl7.org/fhir/ValueSet/all-time-units', null, 'min', true],
  ['http://hl7.org/fhir/ValueSet/all-time-units', null, 'kg', false],
  ['http://hl7.org/fhir/ValueSet/all-languages', null, 'zh-Hans-CN', true],
  ['http://hl7.org/fhir/ValueSet/all-languages', null, 'no language', false],
  ['http://hl7.org/fhir/ValueSet/mimetypes', null, 'application/fhir+json', true],
  ['http://hl7.org/fhir/ValueSet/mimetypes', null, 'application', false],
  ['http://hl7.org/fhir/ValueSet/currencies', null, 'CNY', true],
  ['http://hl7.org/fhir/ValueSet/currencies', null, 'RMB', false],
  ['http://hl7.org/fhir/ValueSet/iso3166-1-2', null, 'CN', true],
  ['http://hl7.org/fhir/ValueSet/iso3166-1-2', null, 'SU', false],
  ['http://hl7.org/fhir/ValueSet/jurisdiction', 'urn:iso:std:iso:3166', 'CN', true],
  ['http://hl7.org/fhir/ValueSet/condition-code', 'http://snomed.info/sct', '38341003', null],
  ['https://pujiang.health/fhir/ValueSet/department', null, '03.04', true],
  ['https://pujiang.health/fhir/ValueSet/gb-2261-1', 'urn:oid:2.16.156.10011.2.3.3.4', '9', true],
  ['http://example.org/none', null, 'x', null],
])('%s: %s %s → %s', (url, system, code, expected) => {
  const set = setOf(url)
  expect(set && isIn(set, system, code)).toBe(expected)
})

test('what cannot be listed has no set of codes', () => {
  expect(expandedCodes('http://hl7.org/fhir/ValueSet/ucum-units')).toBeNull()
  expect(expandedCodes('http://hl7.org/fhir/ValueSet/condition-code')).toBeNull()
  expect(expandedCodes('http://example.org/none')).toBeNull()
})

describe('hierarchy', () => {
  test('a region and its districts', () => {
    const region = 'https://pujiang.health/fhir/CodeSystem/region'
    expect(subsumedCodes(region, '310000')).toEqual(expect.arrayContaining(['310000', '310101', '310151']))
    expect(subsumedCodes(region, '310101')).toEqual(['310101'])
    expect(ancestorCodes(region, '310101')).toEqual(['310101', '310000'])
  })

  test('a code that is not known stands for itself, and of a system that is not carried nothing can be told', () => {
    expect(subsumedCodes('http://snomed.info/sct', '1')).toBeNull()
    expect(ancestorCodes(actCode, 'no such code')).toEqual(['no such code'])
  })

  test('above and below are each other’s inverse', () => {
    const codes = ['_ActCode', '_ActEncounterCode', '_ActCareProvisionCode'].flatMap((code) => subsumedCodes(actCode, code) ?? [])
    fc.assert(fc.property(fc.constantFrom(...codes), fc.constantFrom(...codes), (a, b) => {
      expect(subsumedCodes(actCode, a)?.includes(b)).toBe(ancestorCodes(actCode, b)?.includes(a))
    }))
  })
})

test('stored sets are listed too', async () => {
  const zoo = valueSet('http://example.org/ValueSet/zoo', { include: [{ system: animals, filter: [{ property: 'concept', op: 'is-a', value: 'bird' }] }] })
  const { db, store } = sourceOf([animalSystem, zoo])
  expect((await membersOf(db, store, 'http://example.org/ValueSet/zoo')).map((each) => `${each.system}|${each.concept.code}`)).toEqual([`${animals}|bird`, `${animals}|hen`, `${animals}|dodo`])
  await expect(membersOf(db, store, 'http://example.org/none')).rejects.toMatchObject({ status: 404 })
})
