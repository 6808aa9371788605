/** What a profile asks of the resources that references go to: contained ones, and entries of the same Bundle. */
import { describe, expect, test } from 'vitest'
import { loadModel } from '../../fhir/model.ts'
import { validateResource } from '../validate.ts'
import type { Definition } from './profile.ts'
import { base, profile, url } from './profiles.examples.ts'

type Json = Record<string, unknown>

const model = loadModel()
const born = profile('Patient', { birthDate: { min: 1 } }, { url: 'http://test/born' })

function issuesOf(resource: Json, ...definitions: Definition[]): string[] {
  const profiles = new Map([born, ...definitions].map((each) => [each.url, each]))
  return validateResource(model, resource, { stored: { profiles }, profiles: [url] }).map((each) => `${each.code} ${each.expression}`)
}

const reference = (...targetProfile: string[]) => ({ type: [{ code: 'Reference', targetProfile }] })
const observation = (subject: Json, ...contained: Json[]): Json => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject, ...(contained.length > 0 ? { contained } : {}) })
const bundle = (...entry: [fullUrl: string, resource: Json][]): Json => ({ resourceType: 'Bundle', type: 'collection', entry: entry.map(([fullUrl, resource]) => ({ fullUrl, resource })) })
const patient = (more: Json = {}): Json => ({ resourceType: 'Patient', gender: 'male', ...more })
const ofBundle = (elements: Record<string, Json>) => profile('Bundle', { entry: { min: 1 }, 'entry.resource': { type: [{ code: 'Resource' }] } }, { differential: { element: Object.entries(elements).map(([id, each]) => ({ id: `Bundle.${id}`, path: `Bundle.${id}`.replace(/:[^.]+/g, ''), ...each })) } } as Partial<Definition>)

describe('the resource that a reference goes to keeps the profile that is named for it', () => {
  const aboutTheBorn = profile('Observation', { subject: reference('http://test/born') })
  const broken = ['reference-invalid Observation.subject']

  test('when it is contained', () => {
    expect(issuesOf(observation({ reference: '#p' }, patient({ id: 'p' })), aboutTheBorn)).toEqual(broken)
    expect(issuesOf(observation({ reference: '#p' }, patient({ id: 'p', birthDate: '1990' })), aboutTheBorn)).toEqual([])
    expect(issuesOf(observation({ reference: '#d' }, { resourceType: 'Device', id: 'd', status: 'active' }), aboutTheBorn)).toEqual(broken)
  })

  test('or one of several, or the type is enough; what lies elsewhere is known by its type alone', () => {
    const contained = patient({ id: 'p' })
    expect(issuesOf(observation({ reference: '#p' }, contained), profile('Observation', { subject: reference('http://test/born', `${base}Patient`) }))).toEqual([])
    expect(issuesOf(observation({ reference: '#p' }, contained), profile('Observation', { subject: reference('http://test/born', `${base}Device`) }))).toEqual(broken)
    expect(issuesOf(observation({ reference: 'Patient/1' }), aboutTheBorn)).toEqual([])
    expect(issuesOf(observation({ reference: 'Device/1' }), aboutTheBorn)).toEqual(broken)
  })

  const declared = { 'entry:o': { min: 1 }, 'entry:o.resource': { type: [{ code: 'Observation', profile: [`${url}-o`] }] }, entry: { slicing: { discriminator: [{ type: 'type', path: 'resource' }], rules: 'open' } } }
  const inner = { ...aboutTheBorn, url: `${url}-o` }
  test.each<[string, string, string, string]>([
    ['by urn', 'urn:uuid:0b7a5a3e-90a8-4d0a-8a2b-0c7cbb1b7a01', 'urn:uuid:0b7a5a3e-90a8-4d0a-8a2b-0c7cbb1b7a02', 'urn:uuid:0b7a5a3e-90a8-4d0a-8a2b-0c7cbb1b7a02'],
    ['by address', 'http://a.test/fhir/Observation/1', 'http://a.test/fhir/Patient/2', 'http://a.test/fhir/Patient/2'],
    ['relative to the server of the entry', 'http://a.test/fhir/Observation/1', 'http://a.test/fhir/Patient/2', 'Patient/2'],
    ['by version', 'http://a.test/fhir/Observation/1', 'http://a.test/fhir/Patient/2', 'Patient/2/_history/3'],
  ])('in the same Bundle, %s', (_, own, other, text) => {
    const of = (more: Json) => issuesOf(bundle([own, observation({ reference: text })], [other, patient({ ...more, meta: { versionId: '3' } })]), ofBundle(declared), inner)
    expect(of({})).toEqual(['reference-invalid Bundle.entry[0].resource.subject'])
    expect(of({ birthDate: '1990' })).toEqual([])
  })

  test('a relative reference means no entry of another server', () => {
    expect(issuesOf(bundle(['http://a.test/fhir/Observation/1', observation({ reference: 'Patient/2' })], ['http://b.test/fhir/Patient/2', patient()]), ofBundle(declared), inner)).toEqual([])
  })

  test('long chains of references end', () => {
    const next = profile('Observation', { hasMember: reference(`${url}-o`) }, { url: `${url}-o` })
    const entries = Array.from({ length: 3000 }, (_, n): [string, Json] => [`http://a.test/fhir/Observation/${n}`, { ...observation({ reference: 'Patient/1' }), ...(n < 2999 ? { hasMember: [{ reference: `http://a.test/fhir/Observation/${n + 1}` }] } : {}) }])
    expect(issuesOf(bundle(...entries), ofBundle(declared), next)).toEqual([])
  })

  test('references in a circle end', () => {
    const circle = profile('Observation', { hasMember: reference(`${url}-o`), value: { min: 1 } }, { url: `${url}-o` })
    const about = (name: string) => ({ ...observation({ reference: 'Patient/1' }), hasMember: ['a', 'b', 'c'].filter((each) => each !== name).map((each) => ({ reference: `http://a.test/fhir/Observation/${each}` })) })
    const all = (['a', 'b', 'c'] as const).map((name): [string, Json] => [`http://a.test/fhir/Observation/${name}`, about(name)])
    expect(issuesOf(bundle(...all), ofBundle(declared), circle)).toEqual([])
    const broken = { ...circle, differential: { element: [...(circle.differential.element), { id: 'Observation.method', path: 'Observation.method', min: 1 }] } }
    expect(issuesOf(bundle(...all), ofBundle(declared), broken)).toContain('required Bundle.entry[2].resource.method')
  })
})

test('a slice by what its reference goes to is found among the entries', () => {
  const document = profile('Composition', {
    section: { slicing: { discriminator: [{ type: 'profile', path: 'entry.resolve()' }], rules: 'closed' } },
    'section:people': { min: 1 }, 'section:people.entry': reference('http://test/born'),
  }, { url: `${url}-c` })
  const declared = ofBundle({ entry: { slicing: { discriminator: [{ type: 'type', path: 'resource' }], rules: 'open' } }, 'entry:c': { min: 1 }, 'entry:c.resource': { type: [{ code: 'Composition', profile: [`${url}-c`] }] } })
  const uuid = 'urn:uuid:0b7a5a3e-90a8-4d0a-8a2b-0c7cbb1b7a02'
  const composition = { resourceType: 'Composition', status: 'final', type: { text: 'x' }, date: '2026', author: [{ display: 'x' }], title: 'x', section: [{ entry: [{ reference: uuid }] }] }
  const of = (more: Json) => issuesOf(bundle(['urn:uuid:0b7a5a3e-90a8-4d0a-8a2b-0c7cbb1b7a01', composition], [uuid, patient(more)]), declared, document)
  expect(of({ birthDate: '1990' })).toEqual([])
  expect(of({})).toEqual(['required Bundle.entry[0].resource.section', 'structure Bundle.entry[0].resource.section[0]'])
})

test('what an entry contains is found while the Bundle is judged', () => {
  const inner = profile('Observation', { subject: reference('http://test/born') }, { url: `${url}-o` })
  const declared = ofBundle({ entry: { slicing: { discriminator: [{ type: 'type', path: 'resource' }], rules: 'open' } }, 'entry:o': { min: 1 }, 'entry:o.resource': { type: [{ code: 'Observation', profile: [`${url}-o`] }] } })
  const of = (more: Json) => issuesOf(bundle(['http://a.test/fhir/Observation/1', observation({ reference: '#p' }, patient({ id: 'p', ...more }))]), declared, inner)
  expect(of({})).toEqual(['reference-invalid Bundle.entry[0].resource.subject'])
  expect(of({ birthDate: '1990' })).toEqual([])
})

test('a part of another profile is kept where an extension of the type says so', () => {
  const library = profile('Composition', { section: { slicing: { discriminator: [{ type: 'value', path: 'code' }], rules: 'open' } }, 'section:a.title': { min: 1 }, 'section:b.text': { min: 1 } }, { url: 'http://test/library' })
  const part = (element: string) => ({ type: [{ code: 'BackboneElement', profile: [library.url], _profile: [{ extension: [{ url: `${base}elementdefinition-profile-element`, valueString: element }] }] }] })
  const asked = (element: string) => profile('Composition', { section: part(element) })
  const composition = (section: Json): Json => ({ resourceType: 'Composition', status: 'final', type: { text: 'x' }, date: '2026', author: [{ display: 'x' }], title: 'x', section: [{ entry: [{ display: 'x' }], ...section }] })
  expect(issuesOf(composition({}), asked('Composition.section:a'), library)).toEqual(['required Composition.section[0].title'])
  expect(issuesOf(composition({ title: 'x' }), asked('Composition.section:a'), library)).toEqual([])
  expect(issuesOf(composition({ title: 'x' }), asked('Composition.section:b'), library)).toEqual(['required Composition.section[0].text'])
  // A part that the profile says nothing of asks nothing.
  expect(issuesOf(composition({}), asked('Composition.section:c.d'), library)).toEqual([])
})

test('a part that is a profile of itself ends, and says what is wrong once', () => {
  const own = (element: string) => ({ type: [{ code: 'BackboneElement', profile: ['http://test/self'], _profile: [{ extension: [{ url: `${base}elementdefinition-profile-element`, valueString: element }] }] }] })
  const self = profile('Composition', { 'section.title': { min: 1 }, 'section.section': own('Composition.section') }, { url: 'http://test/self' })
  const asked = profile('Composition', { section: own('Composition.section') })
  const nest = (depth: number): Json => (depth === 0 ? { entry: [{ display: 'x' }] } : { title: 'x', section: [nest(depth - 1)] })
  const composition = { resourceType: 'Composition', status: 'final', type: { text: 'x' }, date: '2026', author: [{ display: 'x' }], title: 'x', section: [nest(9)] }
  expect(issuesOf(composition, asked, self)).toEqual([`required Composition.section[0]${'.section[0]'.repeat(9)}.title`])
})

test('a slice is known by what the profile of its type fixes', () => {
  const coded = (code: string) => ({ coding: [{ system: 'http://s', code }] })
  const library = profile('Composition', { section: { slicing: { discriminator: [{ type: 'value', path: 'code' }], rules: 'open' } }, 'section:a.code': { patternCodeableConcept: coded('a') }, 'section:a.title': { min: 1 } }, { url: 'http://test/library' })
  const asked = profile('Composition', {
    section: { slicing: { discriminator: [{ type: 'value', path: 'code' }], rules: 'closed' } },
    'section:first': { min: 1, type: [{ code: 'BackboneElement', profile: [library.url], _profile: [{ extension: [{ url: `${base}elementdefinition-profile-element`, valueString: 'Composition.section:a' }] }] }] },
  })
  const composition = (section: Json): Json => ({ resourceType: 'Composition', status: 'final', type: { text: 'x' }, date: '2026', author: [{ display: 'x' }], title: 'x', section: [{ entry: [{ display: 'x' }], ...section }] })
  expect(issuesOf(composition({ code: coded('a'), title: 'x' }), asked, library)).toEqual([])
  expect(issuesOf(composition({ code: coded('a') }), asked, library)).toEqual(['required Composition.section[0].title'])
  expect(issuesOf(composition({ code: coded('b'), title: 'x' }), asked, library)).toEqual(['required Composition.section', 'structure Composition.section[0]'])
})

test('a resource that stands in another is a part of it, and the resource of what is in it', () => {
  const named = (expression: string) => ({ constraint: [{ key: 'x-1', severity: 'error', human: 'x', expression }] })
  const entry = '%resource.ofType(Bundle).exists() and %rootResource.ofType(Bundle).exists()'
  const within = '%resource.ofType(Patient).exists() and %rootResource.ofType(Patient).exists()'
  const declared = ofBundle({ 'entry.resource': named(entry), 'entry.resource.gender': named(within) })
  expect(issuesOf(bundle(['http://a.test/fhir/Patient/1', patient()]), declared)).toEqual([])
  expect(issuesOf(bundle(['http://a.test/fhir/Patient/1', patient()]), ofBundle({ 'entry.resource': named(within), 'entry.resource.gender': named(entry) }))).toHaveLength(2)
})

test('a reference goes to an entry of another type than the element allows', () => {
  const [own, other] = ['urn:uuid:0b7a5a3e-90a8-4d0a-8a2b-0c7cbb1b7a01', 'urn:uuid:0b7a5a3e-90a8-4d0a-8a2b-0c7cbb1b7a02']
  const about = (resource: Json) => validateResource(model, bundle([own, observation({ reference: other })], [other, resource])).map((each) => `${each.code} ${each.expression}`)
  expect([about({ resourceType: 'Organization', name: 'x' }), about(patient())]).toEqual([['reference-invalid Bundle.entry[0].resource.subject.reference'], []])
})

test('a document brings what its Composition refers to, and entries have a fullUrl: advice', () => {
  const uuid = (n: number) => `urn:uuid:0b7a5a3e-90a8-4d0a-8a2b-0c7cbb1b7a0${n}`
  const composition = { resourceType: 'Composition', status: 'final', type: { text: 'x' }, date: '2026', author: [{ reference: uuid(2) }], title: 'x', section: [{ section: [{ entry: [{ reference: uuid(2) }, { reference: uuid(3) }] }] }] }
  const document = { ...bundle([uuid(1), composition], [uuid(2), patient()]), type: 'document', timestamp: '2026-11-28T00:00:00Z', identifier: { system: 'urn:ietf:rfc:3986', value: uuid(9) } }
  const advice = (resource: Json) => validateResource(model, resource, { warnings: true }).filter(({ code }) => code !== 'invariant-broken').map((each) => `${each.severity} ${each.code} ${each.expression}`)
  expect(advice(document)).toEqual(['warning reference-unresolved Bundle.entry[0].resource.section[0].section[0].entry[1]'])
  expect(validateResource(model, document)).toEqual([])
  expect(advice({ resourceType: 'Bundle', type: 'collection', entry: [{ resource: patient() }] })).toEqual(['warning required Bundle.entry[0].fullUrl'])
  expect(advice({ resourceType: 'Bundle', type: 'transaction', entry: [{ resource: patient(), request: { method: 'POST', url: 'Patient' } }] })).toEqual([])
})

test('definitions have absolute addresses, and a complex extension the parts that its definition names', () => {
  const of = (resource: Json) => validateResource(model, resource).map((each) => `${each.code} ${each.expression}`)
  const valueSet = (url: string) => ({ resourceType: 'ValueSet', status: 'active', url })
  // Of a device it is where it is reached.
  expect(of({ resourceType: 'Device', url: '192.168.1.20' })).toEqual([])
  expect([of(valueSet('ValueSet/x')), of(valueSet('http://test/x'))]).toEqual([['value-invalid ValueSet.url'], []])
  const animal = (...names: string[]) => patient({ extension: [{ url: `${base}patient-animal`, extension: names.map((each) => ({ url: each, valueCodeableConcept: { text: 'x' } })) }] })
  expect([of(animal('species', 'breed')), of(animal('species', 'breeed')), of(animal('species', 'http://test/more'))]).toEqual([[], ['element-unknown Patient.extension[0].extension[1].url'], []])
})

test('what an extension asks of the element it stands on', () => {
  const definition = { ...profile('Extension', { 'value[x]': { min: 1 } }), url: 'http://test/e', context: [{ type: 'element', expression: 'Patient.telecom' }], contextInvariant: ["system = 'phone' or %extension.valueCode = 'any'"] } as unknown as Definition
  const of = (system: string, valueCode: string) => validateResource(model, patient({ telecom: [{ system, extension: [{ url: 'http://test/e', valueCode }] }] }), { stored: { profiles: new Map([[definition.url, definition]]) } }).map((each) => `${each.code} ${each.expression}`)
  expect([of('phone', 'x'), of('email', 'any'), of('email', 'x')]).toEqual([[], [], ['structure Patient.telecom[0].extension[0]']])
  // Of those that HL7 published it is advice.
  const sheet = { resourceType: 'Questionnaire', status: 'active', item: [{ linkId: 'a', type: 'string', extension: [{ url: `${base}questionnaire-unit`, valueCoding: { code: 'kg' } }] }] }
  expect(validateResource(model, sheet)).toEqual([])
  expect(validateResource(model, sheet, { warnings: true }).filter(({ code }) => code === 'structure').map(({ severity }) => severity)).toEqual(['warning'])
})
