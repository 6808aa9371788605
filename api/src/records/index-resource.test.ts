/**
 * What of a resource is found by which search: each row says what a person may ask for and what must be in the index, and the
 * nearest thing that must not.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { fullResources } from '../../test/support/full-resource.ts'
import { openEnd, openStart } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import { parseJson } from '../fhir/json.ts'
import { loadModel } from '../fhir/model.ts'
import { indexResource, openD0, openD1, type IndexRow } from './index-resource.ts'
import { canonicalUnit } from '../terminology/ucum.ts'
import { precisionRange } from './search/extract-values.ts'
import { compartmentKey, paramKey, referenceIdentifierKey, referenceKey, systemKey, tokenKey, unitKey, uriKey } from './search/keys.ts'
import { askedUnits } from './search/units.ts'

const model = loadModel()
const realData = join(import.meta.dirname, '../../../../shared/data/synthea-r4')
const loinc = 'http://loinc.org'

/** From text, as a resource arrives, so that decimals have their digits. */
function indexed(text: string): IndexRow {
  return indexResource(model, parseJson(text) as { resourceType: string })
}

function index(resource: Record<string, unknown> & { resourceType: string }): IndexRow {
  return indexed(JSON.stringify(resource))
}

describe('keys', () => {
  const observation = index({
    resourceType: 'Observation', id: 'o', status: 'final',
    meta: { profile: ['http://p|1'], source: 'urn:s', tag: [{ system: 'urn:t', code: 'a' }], security: [{ code: 'R' }] },
    code: { coding: [{ system: loinc, code: '8480-6' }, { code: 'local' }, { system: 'urn:only-system' }, { display: 'x' }] },
    subject: { reference: 'Patient/7/_history/3', identifier: { system: 'urn:i', value: '9' } },
    encounter: { reference: 'http://other.org/fhir/Encounter/1' },
    performer: [{ reference: 'Practitioner/2' }, { reference: '#c' }, { reference: 'Patient/8' }],
    component: [{ code: { coding: [{ system: loinc, code: '8462-4' }] }, valueCodeableConcept: { coding: [{ code: 'v' }] } }],
  })
  const t = (...rest: [string, string | null | undefined, string]) => tokenKey('Observation', ...rest)
  const r = (param: string, reference: string) => referenceKey('Observation', param, reference)
  test.each<[string, bigint, boolean]>([
    ['code=system|code', t('code', loinc, '8480-6'), true],
    ['code=code', t('code', undefined, '8480-6'), true],
    ['code=|code of a coding with system', t('code', null, '8480-6'), false],
    ['code=|code of one without', t('code', null, 'local'), true],
    ['code=system|', systemKey('Observation', 'code', loinc), true],
    ['a coding that is only a system', systemKey('Observation', 'code', 'urn:only-system'), true],
    ['code=of a component', t('code', loinc, '8462-4'), false],
    ['component-code', t('component-code', loinc, '8462-4'), true],
    ['component-value-concept', t('component-value-concept', undefined, 'v'), true],
    ['combo-code is found under code', t('combo-code', loinc, '8480-6'), false],
    ['status with the system of its value set', t('status', 'http://hl7.org/fhir/observation-status', 'final'), true],
    ['status', t('status', undefined, 'final'), true],
    ['subject=Patient/7', r('subject', 'Patient/7'), true],
    ['patient=Patient/7', r('patient', 'Patient/7'), true],
    ['subject=Patient/8', r('subject', 'Patient/8'), false],
    ['subject with its version', r('subject', 'Patient/7/_history/3'), false],
    ['subject:identifier', referenceIdentifierKey('Observation', 'subject', 'urn:i', '9'), true],
    ['subject:identifier without system', referenceIdentifierKey('Observation', 'subject', undefined, '9'), true],
    ['encounter elsewhere', r('encounter', 'http://other.org/fhir/Encounter/1'), true],
    ['encounter elsewhere is not ours', r('encounter', 'Encounter/1'), false],
    ['performer', r('performer', 'Practitioner/2'), true],
    ['performer that is contained', r('performer', '#c'), false],
    ['_profile with version', uriKey('Observation', '_profile', 'http://p|1'), true],
    ['_profile', uriKey('Observation', '_profile', 'http://p'), true],
    ['_source', uriKey('Observation', '_source', 'urn:s'), true],
    ['_tag', t('_tag', 'urn:t', 'a'), true],
    ['_security', t('_security', null, 'R'), true],
    ['the second patient’s compartment', compartmentKey(keyOf('8')), true],
    ['the first patient is a column', compartmentKey(keyOf('7')), false],
  ])('%s', (_, key, there) => { expect(observation.keys.includes(key)).toBe(there) })

  test('a key stands once', () => { expect(new Set(observation.keys).size).toBe(observation.keys.length) })

  const patient = index({
    resourceType: 'Patient', id: 'p', active: true, gender: 'female', deceasedDateTime: '2020-01-01',
    identifier: [{ system: 'urn:oid:2.16.156.10011.1.3', value: '310101199003074477' }], telecom: [{ system: 'phone', value: '138 0013-8000' }],
    link: [{ other: { reference: 'Patient/q' }, type: 'seealso' }], generalPractitioner: [{ reference: 'urn:uuid:1' }],
  })
  const p = (...rest: [string, string | null | undefined, string]) => tokenKey('Patient', ...rest)
  test.each<[string, bigint, boolean]>([
    ['identifier', p('identifier', 'urn:oid:2.16.156.10011.1.3', '310101199003074477'), true],
    ['identifier by value', p('identifier', undefined, '310101199003074477'), true],
    ['active=true', p('active', undefined, 'true'), true],
    ['active=false', p('active', undefined, 'false'), false],
    ['deceased=true from a date', p('deceased', undefined, 'true'), true],
    ['phone as written', p('phone', undefined, '138 0013-8000'), true],
    ['phone without spaces', p('phone', undefined, '13800138000'), true],
    ['telecom with its kind', p('telecom', 'phone', '13800138000'), true],
    ['email', p('email', undefined, '13800138000'), false],
    ['general-practitioner by urn', referenceKey('Patient', 'general-practitioner', 'urn:uuid:1'), true],
    ['a linked patient', compartmentKey(keyOf('q')), true],
  ])('%s', (_, key, there) => { expect(patient.keys.includes(key)).toBe(there) })
  test('a living patient is deceased=false', () => {
    expect(index({ resourceType: 'Patient', id: 'p' }).keys).toContain(p('deceased', undefined, 'false'))
    expect(index({ resourceType: 'Patient', id: 'p', deceasedBoolean: false }).keys).toContain(p('deceased', undefined, 'false'))
  })
  test('a document is found by its composition', () => {
    const bundle = index({ resourceType: 'Bundle', type: 'document', entry: [{ resource: { resourceType: 'Composition', id: 'c' } }, { resource: { resourceType: 'Patient', id: 'p' } }] })
    expect(bundle.keys).toContain(referenceKey('Bundle', 'composition', 'Composition/c'))
    expect(bundle.keys).not.toContain(referenceKey('Bundle', 'composition', 'Patient/p'))
  })
})

describe('compartment', () => {
  test.each<[string, Record<string, unknown> & { resourceType: string }, string | null]>([
    ['a patient is in its own', { resourceType: 'Patient', id: 'a' }, 'a'],
    ['by subject', { resourceType: 'Condition', subject: { reference: 'Patient/a' } }, 'a'],
    ['the insured before the payer', { resourceType: 'Coverage', policyHolder: { reference: 'Patient/parent' }, beneficiary: { reference: 'Patient/child' }, payor: [{ reference: 'Patient/parent' }] }, 'child'],
    ['by actor', { resourceType: 'Appointment', participant: [{ actor: { reference: 'Practitioner/1' } }, { actor: { reference: 'Patient/a' } }] }, 'a'],
    ['of a group: none', { resourceType: 'Observation', subject: { reference: 'Group/1' } }, null],
    ['elsewhere: none', { resourceType: 'Observation', subject: { reference: 'http://other.org/fhir/Patient/a' } }, null],
    ['of an organisation: none', { resourceType: 'Organization', id: 'a' }, null],
    ['a type outside any', { resourceType: 'Medication', code: { text: 'x' } }, null],
  ])('%s', (_, resource, id) => { expect(index(resource).pid).toBe(id === null ? null : keyOf(id)) })
})

describe('clinical date', () => {
  test.each<[Record<string, unknown> & { resourceType: string }, string | null, string | null]>([
    [{ resourceType: 'Observation', effectiveDateTime: '2026-11-23' }, '2026-11-22T16:00:00.000Z', '2026-11-23T15:59:59.999Z'],
    [{ resourceType: 'Observation', effectiveInstant: '2026-11-23T08:30:00.5Z' }, '2026-11-23T08:30:00.500Z', '2026-11-23T08:30:00.599Z'],
    [{ resourceType: 'Observation', effectivePeriod: { start: '2026-11-23', end: '2026-11-24T12:00:00Z' } }, '2026-11-22T16:00:00.000Z', '2026-11-24T12:00:00.999Z'],
    [{ resourceType: 'Observation', effectiveTiming: { event: ['2026-02', '2026-01-05'] } }, '2026-01-04T16:00:00.000Z', '2026-02-28T15:59:59.999Z'],
    [{ resourceType: 'Encounter', period: { start: '2026-11-23T08:30:00+08:00' } }, '2026-11-23T00:30:00.000Z', openD1],
    [{ resourceType: 'Encounter', period: { end: '2026-11-23T08:30:00+08:00' } }, openD0, '2026-11-23T00:30:00.999Z'],
    [{ resourceType: 'Encounter' }, null, null],
    [{ resourceType: 'Encounter', period: { start: 'yesterday' } }, null, null],
    [{ resourceType: 'Condition', onsetDateTime: '2020', recordedDate: '2026-11-23T08:30:00Z' }, '2026-11-23T08:30:00.000Z', '2026-11-23T08:30:00.999Z'],
    [{ resourceType: 'Patient', birthDate: '1990-05-05' }, '1990-05-04T16:00:00.000Z', '1990-05-05T15:59:59.999Z'],
    [{ resourceType: 'Organization' }, null, null],
  ])('%j', (resource, d0, d1) => { expect([index(resource).d0, index(resource).d1]).toEqual([d0, d1]) })

  test('other dates are values in seconds', () => {
    expect(index({ resourceType: 'Condition', onsetDateTime: '2026-11-23T08:30:00+08:00' }).values)
      .toEqual([{ k: paramKey('Condition', 'onset-date'), lo: Date.UTC(2026, 10, 23, 0, 30) / 1000, hi: Date.UTC(2026, 10, 23, 0, 30, 0, 999) / 1000 }])
    expect(index({ resourceType: 'Condition', abatementPeriod: { start: '2026-11-23T00:00:00Z' } }).values)
      .toEqual([{ k: paramKey('Condition', 'abatement-date'), lo: Date.UTC(2026, 10, 23) / 1000, hi: openEnd / 1000 }])
    expect(openStart).toBeLessThan(0)
  })
})

describe('quantities and numbers', () => {
  const k = (param: string) => paramKey('Observation', param)
  const u = (param: string, system: string | null, unit: string) => unitKey('Observation', param, system, unit)
  const ucum = 'http://unitsofmeasure.org'
  const value = (quantity: string) => indexed(`{"resourceType":"Observation","valueQuantity":${quantity}}`).values
  test.each([['100', 99.5, 100.5], ['5.4', 5.35, 5.45], ['5.40', 5.395, 5.405], ['-2', -2.5, -1.5], ['0', -0.5, 0.5], ['1e3', 500, 1500], ['1.0e3', 950, 1050], ['2e-2', 0.015, 0.025]])(
    '%s', (text, lo, hi) => {
      const range = precisionRange(text)
      expect(range?.lo).toBeCloseTo(lo, 10)
      expect(range?.hi).toBeCloseTo(hi, 10)
    })
  test.each(['', 'x', '1.', '.5', '1e999', '0x10'])('%j is no number', (text) => { expect(precisionRange(text)).toBeNull() })

  test('a quantity is stored bare, and in the canonical unit of its kind or the unit it has', () => {
    const milligrams = value(`{"value":5.40,"unit":"mg","system":"${ucum}","code":"mg"}`)
    expect(milligrams).toEqual([
      { k: k('value-quantity'), lo: 5.40, hi: 5.40 },
      { k: u('value-quantity', ucum, `= ${canonicalUnit('g')?.name}`), lo: 5.40 / 1000, hi: 5.40 / 1000 },
    ])
    expect(value(`{"value":0.0054,"system":"${ucum}","code":"g"}`)[1]?.k).toBe(milligrams[1]?.k)
    expect(value(`{"value":5.40,"unit":"score","system":"${ucum}","code":"{score}"}`).map((row) => row.k)).toEqual([k('value-quantity'), u('value-quantity', ucum, '{score}'), u('value-quantity', null, 'score')])
  })
  test('what a search for a unit without system asks for is stored, however the unit is written', () => {
    const asked = askedUnits('Observation', 'value-quantity', null, '次').map((row) => row.k)
    for (const quantity of ['{"value":2,"unit":"次"}', '{"value":2,"code":"次"}', '{"value":2,"unit":"次","system":"urn:own","code":"time"}', `{"value":2,"system":"${ucum}","code":"次"}`]) {
      expect(value(quantity).some((row) => asked.includes(row.k)), quantity).toBe(true)
    }
    expect(askedUnits('Observation', 'value-quantity', ucum, '次').map((row) => row.k)).toEqual([u('value-quantity', ucum, '次')])
  })
  test('a comparator opens the range', () => {
    expect(value('{"value":5,"comparator":"<"}')).toEqual([{ k: k('value-quantity'), lo: -Number.MAX_VALUE, hi: 5 }])
    expect(value('{"value":5,"comparator":">="}')).toEqual([{ k: k('value-quantity'), lo: 5, hi: Number.MAX_VALUE }])
  })
  test('components have a parameter of their own, combo repeats neither', () => {
    const row = indexed('{"resourceType":"Observation","component":[{"valueQuantity":{"value":1}}]}')
    expect(row.values.map((each) => each.k)).toEqual([k('component-value-quantity')])
    expect(model.searchParameters('Observation').get('combo-value-quantity')?.storedAs).toEqual(['value-quantity', 'component-value-quantity'])
  })
  test('money is a quantity in its currency, a probability a number, a range a range', () => {
    const money = index({ resourceType: 'Invoice', totalGross: { value: 12.5, currency: 'CNY' } })
    expect(money.values.map((row) => row.k)).toContain(unitKey('Invoice', 'totalgross', 'urn:iso:std:iso:4217', 'CNY'))
    expect(index({ resourceType: 'RiskAssessment', prediction: [{ probabilityDecimal: 0.25 }, { probabilityRange: { low: { value: 1 }, high: { value: 3 } } }] }).values)
      .toEqual([
        { k: paramKey('RiskAssessment', 'probability'), lo: 0.25, hi: 0.25 },
        { k: paramKey('RiskAssessment', 'probability'), lo: 1, hi: 3 },
      ])
  })
})

describe('strings', () => {
  const of = (row: IndexRow, type: string, param: string) => row.strings.filter((each) => each.k === paramKey(type, param)).map((each) => each.val)
  const person = index({
    resourceType: 'Patient', id: 'p', name: [{ text: '欧阳娜', family: '欧阳', given: ['娜'] }, { text: 'Ouyang Na' }], address: [{ text: '浦东新区 世纪大道1号', city: '上海市', line: ['世纪大道1号'] }],
  })
  test.each([
    ['name', ['欧阳娜', 'ouyangna', 'oyn', '欧阳', '娜', 'ouyang na']],
    ['family', ['欧阳', 'ouyang', 'oy']], ['given', ['娜', 'na']], ['phonetic', []],
    ['address', ['浦东新区 世纪大道1号', '世纪大道1号', '上海市']], ['address-city', ['上海市']],
  ])('%s', (param, expected) => { expect(of(person, 'Patient', param)).toEqual(expected) })
  test('phonetic asks for name', () => { expect(model.searchParameters('Patient').get('phonetic')?.storedAs).toEqual(['name']) })
  test('a western name is kept as its text and parts', () => {
    expect(of(index({ resourceType: 'Practitioner', name: [{ family: 'Müller', given: ['Anna', 'Maria'] }] }), 'Practitioner', 'name'))
      .toEqual(['anna maria muller', 'muller', 'anna', 'maria'])
  })
  test('an organisation is found by pinyin and initials', () => {
    expect(of(index({ resourceType: 'Organization', name: '仁济医院' }), 'Organization', 'name')).toEqual(['仁济医院', 'renjiyiyuan', 'rjyy'])
  })
  test('other text is not', () => {
    expect(of(index({ resourceType: 'Observation', valueString: '阴性' }), 'Observation', 'value-string')).toEqual(['阴性'])
  })
})

describe('any resource', () => {
  test('of every type is indexed', () => {
    for (const [type, structure] of model.structures) {
      if (structure.kind !== 'resource' || structure.abstract) continue
      for (const resource of fullResources(model, type)) {
        const row = indexResource(model, resource as { resourceType: string })
        expect(row.values.every(({ lo, hi }) => Number.isFinite(lo) && Number.isFinite(hi) && lo <= hi), type).toBe(true)
      }
    }
  })

  test('that is broken is indexed as far as it goes: the validator judges, not the index', () => {
    for (const resource of [{ name: 'x' }, { name: [null, 'x', { given: 'y', family: 7 }] }, { birthDate: 5, link: [{ other: 'Patient/1' }] }, { identifier: { value: {} } }, { meta: [] }]) {
      expect(() => indexResource(model, { resourceType: 'Patient', ...resource })).not.toThrow()
    }
  })

  test('a real record takes few rows', () => {
    if (!existsSync(realData)) {
      process.stdout.write('The real bundles are not here; nothing to measure.\n')
      return
    }
    const file = readdirSync(realData).find((name) => name.endsWith('.json.gz')) ?? ''
    const { entry } = parseJson(gunzipSync(readFileSync(join(realData, file))).toString()) as { entry: { resource: { resourceType: string } }[] }
    const rows = entry.map(({ resource }) => indexResource(model, resource))
    expect(rows.reduce((sum, row) => sum + row.strings.length + row.values.length, 0)).toBeLessThan(3 * rows.length)
  })
})
