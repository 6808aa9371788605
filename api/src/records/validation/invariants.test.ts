/**
 * Invariants: every key of R4 is listed with how it is evaluated; every function says what the reference engine says, on
 * resources of all types filled and thinned at random; and rows of broken resources with their nearest valid ones.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson } from '../../fhir/json.ts'
import { loadModel } from '../../fhir/model.ts'
import { resourceTypes } from '../../fhir/resource-types.ts'
import type { Constraint, Structure } from '../../fhir/structure.ts'
import { fullResources } from '../../../test/support/full-resource.ts'
import { maxIssues, validateResource } from '../validate.ts'
import { type Evaluate, evaluator, isDangerous, isKept } from './fhirpath-engine.ts'
import { beyondEngine } from './invariant-tests.ts'
import { evaluateOf, howEvaluated } from './invariants.ts'

type Json = Record<string, unknown>

const model = loadModel()
const structures = [...model.structures.values(), ...model.backbones.values()]
const constraints = [...new Set(structures.flatMap((each) => [...each.constraints, ...[...each.properties.values()].flatMap((property) => property.constraints)]))]

interface Place { constraint: Constraint; value: unknown; type: string | null; resource: Json; root: Json }

/** Every value of a resource with each constraint on it. */
function places(root: Json): Place[] {
  const found: Place[] = []
  const walk = (value: Json, structure: Structure, outer: Json): void => {
    const resource = structure.kind === 'resource' ? value : outer
    for (const constraint of structure.constraints) found.push({ constraint, value, type: structure.kind === 'resource' ? null : structure.name, resource, root })
    for (const [key, property] of structure.properties) {
      for (const each of [value[key]].flat().filter((item) => item !== undefined && item !== null)) {
        for (const constraint of property.constraints) found.push({ constraint, value: each, type: property.type, resource, root })
        if (property.primitive) continue
        const inner = property.content ?? model.structures.get(String((each as Json).resourceType))
        if (inner) walk(each as Json, inner, resource)
      }
    }
  }
  const structure = model.structures.get(String(root.resourceType))
  if (structure) walk(root, structure, root)
  return found
}

/** Leaves out optional elements, each or not by the bits of `seed`. */
function thinned(value: unknown, structure: Structure, random: () => number): unknown {
  const made: Json = {}
  for (const [key, each] of Object.entries(value as Json)) {
    const property = structure.properties.get(key)
    if (property && property.element.min === 0 && random() < 0.5) continue
    const inner = property?.content
    made[key] = !inner ? each : Array.isArray(each) ? each.map((item) => thinned(item, inner, random)) : thinned(each, inner, random)
  }
  return made
}

/** mulberry32: the same resources in every run. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

test('every constraint of R4 is evaluated, and this is how', () => {
  const listed = (how: string) => [...new Set(constraints.filter((each) => howEvaluated(each) === how).map(({ key }) => key))].sort()
  expect(listed('structure')).toEqual(['dom-2', 'ele-1', 'ref-1', 'txt-1', 'txt-2'])
  expect(listed('function')).toMatchInlineSnapshot(`
    [
      "adf-0",
      "ait-1",
      "ait-2",
      "app-1",
      "app-2",
      "app-3",
      "app-4",
      "apr-1",
      "att-1",
      "bdl-1",
      "bdl-10",
      "bdl-11",
      "bdl-12",
      "bdl-2",
      "bdl-3",
      "bdl-4",
      "bdl-5",
      "bdl-7",
      "bdl-8",
      "bdl-9",
      "cid-0",
      "cmd-0",
      "cmp-1",
      "cmp-2",
      "con-1",
      "con-2",
      "con-3",
      "con-4",
      "con-5",
      "cpb-0",
      "cpd-0",
      "cpl-3",
      "cpt-2",
      "csd-0",
      "csd-1",
      "ctm-1",
      "dom-3",
      "dom-4",
      "dom-5",
      "dom-6",
      "ees-0",
      "eld-1",
      "eld-11",
      "eld-12",
      "eld-13",
      "eld-14",
      "eld-15",
      "eld-16",
      "eld-17",
      "eld-18",
      "eld-19",
      "eld-2",
      "eld-20",
      "eld-22",
      "eld-3",
      "eld-4",
      "eld-5",
      "eld-6",
      "eld-7",
      "eld-8",
      "esc-0",
      "evd-0",
      "evi-0",
      "evv-0",
      "ext-1",
      "gdf-0",
      "gol-1",
      "ig-0",
      "ig-1",
      "imm-1",
      "inv-1",
      "ipn-1",
      "lib-0",
      "mad-1",
      "md-1",
      "mdd-1",
      "mea-0",
      "msd-0",
      "nsd-0",
      "obs-3",
      "obs-6",
      "obs-7",
      "opd-0",
      "org-1",
      "org-2",
      "org-3",
      "pat-1",
      "pdf-0",
      "per-1",
      "prr-1",
      "qrs-1",
      "qty-3",
      "que-0",
      "que-1",
      "que-10",
      "que-11",
      "que-12",
      "que-13",
      "que-2",
      "que-3",
      "que-4",
      "que-5",
      "que-6",
      "que-8",
      "que-9",
      "rat-1",
      "red-0",
      "rng-2",
      "rsd-0",
      "rvs-0",
      "sdf-0",
      "sdf-10",
      "smp-0",
      "spd-0",
      "sqty-1",
      "tcp-0",
      "tim-1",
      "tim-10",
      "tim-2",
      "tim-4",
      "tim-5",
      "tim-6",
      "tim-7",
      "tim-8",
      "tim-9",
      "tst-0",
      "vsd-0",
      "vsd-1",
      "vsd-10",
      "vsd-2",
      "vsd-3",
      "vsd-6",
      "vsd-9",
    ]
  `)
  expect(listed('engine')).toMatchInlineSnapshot(`
    [
      "age-1",
      "ces-1",
      "cmd-1",
      "cmd-2",
      "cmd-3",
      "cnt-3",
      "cpb-1",
      "cpb-12",
      "cpb-14",
      "cpb-15",
      "cpb-16",
      "cpb-2",
      "cpb-3",
      "cpb-7",
      "cpb-9",
      "dis-1",
      "drq-1",
      "drq-2",
      "drt-1",
      "eld-21",
      "exp-1",
      "fhs-1",
      "fhs-2",
      "grp-1",
      "ig-2",
      "imr-1",
      "inv-1",
      "inv-2",
      "lnk-1",
      "lst-1",
      "lst-2",
      "lst-3",
      "mea-1",
      "mrp-1",
      "mrp-2",
      "msq-3",
      "msq-5",
      "msq-6",
      "nor-1",
      "nsd-1",
      "nsd-2",
      "opd-1",
      "opd-2",
      "opd-3",
      "ppc-1",
      "ppc-2",
      "ppc-3",
      "ppc-4",
      "ppc-5",
      "que-7",
      "ras-1",
      "ras-2",
      "rqg-1",
      "sdf-1",
      "sdf-11",
      "sdf-14",
      "sdf-15",
      "sdf-15a",
      "sdf-16",
      "sdf-17",
      "sdf-18",
      "sdf-19",
      "sdf-2",
      "sdf-20",
      "sdf-21",
      "sdf-22",
      "sdf-23",
      "sdf-3",
      "sdf-4",
      "sdf-5",
      "sdf-6",
      "sdf-8",
      "sdf-8a",
      "sdf-8b",
      "sdf-9",
      "sev-1",
      "smp-1",
      "smp-2",
      "spd-1",
      "spd-2",
      "tcp-1",
      "tcp-2",
      "tcp-3",
      "tcp-4",
      "tcp-5",
      "trd-1",
      "trd-2",
      "trd-3",
      "tst-1",
      "tst-10",
      "tst-11",
      "tst-12",
      "tst-13",
      "tst-2",
      "tst-3",
      "tst-4",
      "tst-5",
      "tst-6",
      "tst-7",
      "tst-8",
      "tst-9",
    ]
  `)
})

test('every expression left to the engine compiles and decides', () => {
  const undecided = new Set(constraints.filter((each) => howEvaluated(each) === 'engine').map(({ key }) => key))
  for (const type of resourceTypes) {
    for (const full of fullResources(model, type)) {
      for (const { constraint, value, type: of, resource, root } of places(full)) {
        if (undecided.has(constraint.key) && typeof evaluator(constraint.expression, of)(value, { resource, rootResource: root }) === 'boolean') undecided.delete(constraint.key)
      }
    }
  }
  // No element of R4 has these types alone; they are values of extensions.
  const count = { value: 1, code: '1', system: 'http://unitsofmeasure.org' }
  for (const [key, type] of [['cnt-3', 'Count'], ['dis-1', 'Distance']] as const) {
    const found = constraints.find((each) => each.key === key)
    if (found && evaluator(found.expression, type)(count, { resource: {}, rootResource: {} }) === true) undecided.delete(key)
  }
  expect([...undecided]).toEqual([])
}, 60_000)

test('functions agree with the reference engine on every type, filled and thinned', () => {
  const seen = new Map<string, Set<boolean>>()
  for (const [index, type] of resourceTypes.entries()) {
    const random = randomOf(index)
    const structure = model.structures.get(type) as Structure
    for (const full of fullResources(model, type).slice(0, 3)) {
      for (const made of [full, thinned(full, structure, random)] as Json[]) {
        const done = new Set<string>()
        for (const { constraint, value, type: of, resource, root } of places(made)) {
          // The same rule on the same value twice says nothing new.
          const name = `${constraint.path} ${constraint.key} ${JSON.stringify(value)}`
          if (howEvaluated(constraint) !== 'function' || beyondEngine.has(constraint.key) || done.has(name)) continue
          done.add(name)
          const surroundings = { resource, rootResource: root }
          const own = evaluateOf(constraint, of)?.(value, surroundings) === true
          const reference = evaluator(constraint.expression, of)(value, surroundings)
          if (typeof reference === 'boolean') expect(own, `${name} in ${type}`).toBe(reference)
          seen.set(constraint.key, (seen.get(constraint.key) ?? new Set()).add(own))
        }
      }
    }
  }
  process.stdout.write(`Invariant functions seen both kept and broken: ${[...seen.values()].filter((each) => each.size === 2).length} of ${seen.size}.\n`)
}, 120_000)

const observation = { resourceType: 'Observation', status: 'final', code: { text: 'x' } }
const condition = { resourceType: 'Condition', subject: { reference: 'Patient/1' } }
const appointment = { resourceType: 'Appointment', status: 'proposed', participant: [{ status: 'accepted', actor: { reference: 'Patient/1' } }] }
const bundle = { resourceType: 'Bundle', type: 'collection' }
const item = { linkId: '1', type: 'string' }
const clinical = (code: string) => ({ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code }] })
const verification = (code: string) => ({ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code }] })
const loinc = (code: string) => ({ coding: [{ system: 'http://loinc.org', code }] })
const patient = (change: Json) => ({ resourceType: 'Patient', ...change })
const quantity = (value: number, code = 'mg') => ({ value, system: 'http://unitsofmeasure.org', code })
const uses = { generalPractitioner: [{ reference: '#p' }] }
const timing = (repeat: Json) => ({ resourceType: 'MedicationRequest', status: 'active', intent: 'order', medicationCodeableConcept: { text: 'x' }, subject: { reference: 'Patient/1' }, dosageInstruction: [{ timing: { repeat } }] })

/** [key, expression of the issue, broken, nearest valid]. */
const rows: [key: string, expression: string, broken: Json, kept: Json][] = [
  ['ext-1', 'Patient.extension[0]', patient({ extension: [{ url: 'http://x', valueCode: 'a', extension: [{ url: 'y', valueCode: 'b' }] }] }), patient({ extension: [{ url: 'http://x', extension: [{ url: 'y', valueCode: 'b' }] }] })],
  ['ext-1', 'Patient.extension[0]', patient({ extension: [{ url: 'http://x' }] }), patient({ extension: [{ url: 'http://x', _valueCode: { extension: [{ url: 'http://y', valueCode: 'b' }] } }] })],
  ['per-1', 'Patient.name[0].period', patient({ name: [{ text: 'x', period: { start: '2026-02', end: '2026-01' } }] }), patient({ name: [{ text: 'x', period: { start: '2026-02-10', end: '2026-02' } }] })],
  ['per-1', 'Patient.name[0].period', patient({ name: [{ text: 'x', period: { start: '2026-11-23T08:00:00+08:00', end: '2026-11-22T23:59:59Z' } }] }), patient({ name: [{ text: 'x', period: { start: '2026-11-23T08:00:00+08:00', end: '2026-11-23T00:00:00Z' } }] })],
  ['cpt-2', 'Patient.telecom[0]', patient({ telecom: [{ value: '1' }] }), patient({ telecom: [{ value: '1', system: 'phone' }] })],
  ['att-1', 'Patient.photo[0]', patient({ photo: [{ data: 'YWJj' }] }), patient({ photo: [{ data: 'YWJj', contentType: 'image/png' }] })],
  ['pat-1', 'Patient.contact[0]', patient({ contact: [{ gender: 'male' }] }), patient({ contact: [{ gender: 'male', name: { text: 'x' } }] })],
  ['dom-3', 'Patient', patient({ contained: [{ resourceType: 'Practitioner', id: 'p' }] }), patient({ contained: [{ resourceType: 'Practitioner', id: 'p' }], ...uses })],
  ['dom-4', 'Patient', patient({ contained: [{ resourceType: 'Practitioner', id: 'p', meta: { versionId: '1' } }], ...uses }), patient({ contained: [{ resourceType: 'Practitioner', id: 'p', meta: { source: 'http://x' } }], ...uses })],
  ['dom-5', 'Patient', patient({ contained: [{ resourceType: 'Practitioner', id: 'p', meta: { security: [{ code: 'R' }] } }], ...uses }), patient({ contained: [{ resourceType: 'Practitioner', id: 'p', meta: { tag: [{ code: 'R' }] } }], ...uses })],
  ['obs-6', 'Observation', { ...observation, valueString: 'x', dataAbsentReason: { text: 'y' } }, { ...observation, dataAbsentReason: { text: 'y' } }],
  ['obs-7', 'Observation', { ...observation, code: loinc('1'), valueString: 'x', component: [{ code: loinc('1') }] }, { ...observation, code: loinc('1'), valueString: 'x', component: [{ code: loinc('2') }] }],
  ['obs-3', 'Observation.referenceRange[0]', { ...observation, referenceRange: [{ type: { text: 'x' } }] }, { ...observation, referenceRange: [{ low: { value: 1 } }] }],
  ['sqty-1', 'Observation.referenceRange[0].low', { ...observation, referenceRange: [{ low: { value: 1, comparator: '<' } }] }, { ...observation, referenceRange: [{ low: { value: 1 } }], valueQuantity: { value: 1, comparator: '<' } }],
  ['qty-3', 'Observation.value', { ...observation, valueQuantity: { value: 1, code: 'mg' } }, { ...observation, valueQuantity: quantity(1) }],
  ['rng-2', 'Observation.value', { ...observation, valueRange: { low: quantity(2), high: quantity(1) } }, { ...observation, valueRange: { low: quantity(1), high: quantity(1) } }],
  ['rng-2', 'Observation.value', { ...observation, valueRange: { low: quantity(2, 'g'), high: quantity(500) } }, { ...observation, valueRange: { low: quantity(2, 'mg'), high: quantity(1, 'g') } }],
  ['rat-1', 'Observation.value', { ...observation, valueRatio: { numerator: quantity(1) } }, { ...observation, valueRatio: { numerator: quantity(1), denominator: quantity(1) } }],
  ['con-4', 'Condition', { ...condition, clinicalStatus: clinical('active'), abatementString: 'x' }, { ...condition, clinicalStatus: clinical('remission'), abatementString: 'x' }],
  ['con-5', 'Condition', { ...condition, clinicalStatus: clinical('active'), verificationStatus: verification('entered-in-error') }, { ...condition, verificationStatus: verification('entered-in-error') }],
  ['con-1', 'Condition.stage[0]', { ...condition, stage: [{ type: { text: 'x' } }] }, { ...condition, stage: [{ summary: { text: 'x' } }] }],
  ['ait-1', 'AllergyIntolerance', { resourceType: 'AllergyIntolerance', patient: { reference: 'Patient/1' } }, { resourceType: 'AllergyIntolerance', patient: { reference: 'Patient/1' }, verificationStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification', code: 'entered-in-error' }] } }],
  ['app-2', 'Appointment', { ...appointment, start: '2026-11-23T08:00:00Z' }, { ...appointment, start: '2026-11-23T08:00:00Z', end: '2026-11-23T08:10:00Z' }],
  ['app-3', 'Appointment', { ...appointment, status: 'booked' }, { ...appointment, status: 'waitlist' }],
  ['app-4', 'Appointment', { ...appointment, cancelationReason: { text: 'x' } }, { ...appointment, status: 'cancelled', cancelationReason: { text: 'x' } }],
  ['app-1', 'Appointment.participant[0]', { ...appointment, participant: [{ status: 'accepted' }] }, { ...appointment, participant: [{ status: 'accepted', type: [{ text: 'x' }] }] }],
  ['org-1', 'Organization', { resourceType: 'Organization', active: true }, { resourceType: 'Organization', active: true, name: 'x' }],
  ['org-3', 'Organization.telecom[0]', { resourceType: 'Organization', name: 'x', telecom: [{ system: 'phone', value: '1', use: 'home' }] }, { resourceType: 'Organization', name: 'x', telecom: [{ system: 'phone', value: '1', use: 'work' }] }],
  ['bdl-1', 'Bundle', { ...bundle, total: 1 }, { ...bundle, type: 'searchset', total: 1 }],
  ['bdl-3', 'Bundle', { ...bundle, type: 'batch', entry: [{ resource: patient({}) }] }, { ...bundle, type: 'batch', entry: [{ resource: patient({}), request: { method: 'POST', url: 'Patient' } }] }],
  ['bdl-7', 'Bundle', { ...bundle, entry: [{ fullUrl: 'http://x/Patient/1', resource: patient({ id: '1' }) }, { fullUrl: 'http://x/Patient/1', resource: patient({ id: '1' }) }] }, { ...bundle, entry: [{ fullUrl: 'http://x/Patient/1', resource: patient({ id: '1', meta: { versionId: '1' } }) }, { fullUrl: 'http://x/Patient/1', resource: patient({ id: '1', meta: { versionId: '2' } }) }] }],
  ['bdl-8', 'Bundle.entry[0]', { ...bundle, entry: [{ fullUrl: 'http://x/Patient/1/_history/1', resource: patient({}) }] }, { ...bundle, entry: [{ fullUrl: 'http://x/Patient/1', resource: patient({}) }] }],
  ['bdl-12', 'Bundle', { ...bundle, type: 'message', entry: [{ resource: patient({}) }] }, { ...bundle, type: 'message', entry: [{ resource: { resourceType: 'MessageHeader', eventUri: 'http://x', source: { endpoint: 'http://y' } } }] }],
  ['inv-1', 'Parameters.parameter[0]', { resourceType: 'Parameters', parameter: [{ name: 'a' }] }, { resourceType: 'Parameters', parameter: [{ name: 'a', valueCode: 'b' }] }],
  ['inv-1', 'Task', { resourceType: 'Task', status: 'draft', intent: 'order', authoredOn: '2026-02-01', lastModified: '2026-01-01' }, { resourceType: 'Task', status: 'draft', intent: 'order', authoredOn: '2026-01-01', lastModified: '2026-01-01' }],
  ['tim-1', 'MedicationRequest.dosageInstruction[0].timing.repeat', timing({ duration: 1 }), timing({ duration: 1, durationUnit: 'd' })],
  ['tim-5', 'MedicationRequest.dosageInstruction[0].timing.repeat', timing({ period: -1, periodUnit: 'd' }), timing({ period: 1, periodUnit: 'd' })],
  ['tim-9', 'MedicationRequest.dosageInstruction[0].timing.repeat', timing({ offset: 1, when: ['C'] }), timing({ offset: 1, when: ['AC'] })],
  ['que-2', 'Questionnaire', { resourceType: 'Questionnaire', status: 'draft', item: [item, item] }, { resourceType: 'Questionnaire', status: 'draft', item: [item, { ...item, linkId: '2' }] }],
  ['que-1', 'Questionnaire.item[0]', { resourceType: 'Questionnaire', status: 'draft', item: [{ ...item, type: 'group' }] }, { resourceType: 'Questionnaire', status: 'draft', item: [{ ...item, type: 'group', item: [{ ...item, linkId: '2' }] }] }],
  ['que-7', 'Questionnaire.item[0].enableWhen[0]', { resourceType: 'Questionnaire', status: 'draft', item: [{ ...item, enableWhen: [{ question: 'q', operator: 'exists', answerString: 'x' }] }] }, { resourceType: 'Questionnaire', status: 'draft', item: [{ ...item, enableWhen: [{ question: 'q', operator: 'exists', answerBoolean: true }] }] }],
  ['csd-1', 'CodeSystem', { resourceType: 'CodeSystem', status: 'draft', content: 'complete', concept: [{ code: 'a', concept: [{ code: 'a' }] }] }, { resourceType: 'CodeSystem', status: 'draft', content: 'complete', concept: [{ code: 'a', concept: [{ code: 'b' }] }] }],
  ['vsd-1', 'ValueSet.compose.include[0]', { resourceType: 'ValueSet', status: 'draft', compose: { include: [{ version: '1' }] } }, { resourceType: 'ValueSet', status: 'draft', compose: { include: [{ system: 'http://x', version: '1' }] } }],
  ['eld-3', 'StructureDefinition.differential.element[0].max', definition('x'), definition('1')],
  ['ctm-1', 'CareTeam.participant[0]', careTeam('Patient/1'), careTeam('Practitioner/1')],
]

function definition(max: string): Json {
  return { resourceType: 'StructureDefinition', url: 'http://x', name: 'X', status: 'draft', kind: 'resource', abstract: false, type: 'Patient', baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient', derivation: 'constraint', differential: { element: [{ id: 'Patient', path: 'Patient', max }] } }
}

function careTeam(member: string): Json {
  return { resourceType: 'CareTeam', participant: [{ member: { reference: member }, onBehalfOf: { reference: 'Organization/1' } }] }
}

describe('a broken invariant and its nearest valid row', () => {
  test.each(rows.map(([key, expression, broken, kept], index) => [`${key} at ${expression} (${index})`, key, expression, broken, kept] as const))('%s', (_, key, expression, broken, kept) => {
    const issues = (resource: Json) => validateResource(model, parseJson(JSON.stringify(resource)))
    expect(issues(broken).map((each) => [each.code, each.expression, each.text.en.split(':')[0]])).toContainEqual(['invariant-broken', expression, key])
    for (const each of issues(broken)) expect(each.text.zh).toMatch(/\p{Script=Han}/u)
    expect(issues(kept)).toEqual([])
  })
})

test('what is only advice is a warning, and only when it is asked for', () => {
  const resource = { ...condition, category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }] }] }
  expect(validateResource(model, resource)).toEqual([])
  expect(validateResource(model, resource, { warnings: true }).map(({ severity, expression, text }) => [severity, expression, text.en.split(':')[0]]))
    .toEqual([['warning', 'Condition', 'dom-6'], ['warning', 'Condition', 'con-3']])
})

test.each([
  ["name.matches('^(a+)+$')", true], ["name.matches('(a|aa)*')", true], ["name.matches('((ab)*c)+')", true], ['repeat(item)', true],
  ["name.matches('^[A-Z](\\\\d){2}$')", false], ["code.matches('^[0-9]{17}[0-9X]$')", false], ['name.exists()', false], ["(a or b) and x.matches('a+')", false],
])('an expression of a user that may never end is known: %s', (expression, dangerous) => { expect(isDangerous(expression)).toBe(dangerous) })

/** The reference engine and, where it says nothing, our function. */
function asReference(constraint: Constraint, type: string | null): Evaluate {
  return (value, surroundings) => evaluator(constraint.expression, type)(value, surroundings) ?? evaluateOf(constraint, type)?.(value, surroundings)
}

test('a generated resource is refused if and only if the reference engine finds a broken invariant', () => {
  fc.assert(fc.property(fc.constantFrom(...resourceTypes), fc.nat(3), fc.nat(), (type, round, seed) => {
    const structure = model.structures.get(type) as Structure
    const made = thinned(fullResources(model, type)[round], structure, randomOf(seed)) as Json
    const judged = places(made).filter(({ constraint, value }) => constraint.severity === 'error' && howEvaluated(constraint) !== 'structure' && JSON.stringify(value) !== '{}')
    const kept = judged.every(({ constraint, value, type: of, resource, root }) =>
      isKept((beyondEngine.has(constraint.key) || howEvaluated(constraint) === 'engine' ? evaluateOf(constraint, of) : asReference(constraint, of))
        ?.(value, { resource, rootResource: root })))
    const issues = validateResource(model, made)
    // Thinned objects may be empty, which is an issue of its own; a full list of issues leaves no room for others.
    if (issues.length < maxIssues) expect(issues.some((each) => each.code === 'invariant-broken')).toBe(!kept)
  }), { numRuns: 150 })
}, 60_000)
