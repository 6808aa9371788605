/** The definitions as loaded: R4 and nothing else, our own beside them, each search parameter with a place. */
import { describe, expect, test } from 'vitest'
import { validateResource } from '../records/validate.ts'
import { clinicalDate, clinicalDateParameters } from './clinical-date.ts'
import { loadModel } from './model.ts'
import { resourceTypes } from './resource-types.ts'
import { compileSearchExpression } from './search-expression.ts'
import { searchParametersByType } from './search-parameters.ts'

const model = loadModel()

describe('the model', () => {
  test('has the structure of every resource type', () => {
    expect(resourceTypes.filter((name) => model.structures.get(name)?.kind !== 'resource')).toEqual([])
  })

  test('names no reference target and no content that R4 does not have', () => {
    for (const structure of [...model.structures.values(), ...model.backbones.values()]) {
      for (const property of structure.properties.values()) {
        expect(property.targets.filter((name) => !model.structures.has(name)), `${structure.name}.${property.key}`).toEqual([])
        expect(property.primitive || property.content !== null || property.type === 'Resource', `${structure.name}.${property.key}`).toBe(true)
      }
    }
  })

  test('knows the required value sets but those that cannot be listed', () => {
    const required = new Set([...model.structures.values(), ...model.backbones.values()].flatMap((each) => [...each.properties.values()]).flatMap((each) => each.required ?? []))
    expect([...required].filter((url) => !model.valueSet(url)).sort()).toEqual([
      'http://hl7.org/fhir/ValueSet/currencies', 'http://hl7.org/fhir/ValueSet/mimetypes', 'http://hl7.org/fhir/ValueSet/ucum-units', 'http://loinc.org/vs/LL379-9',
    ])
    expect(model.valueSet('http://hl7.org/fhir/ValueSet/administrative-gender')?.codes).toEqual(new Set(['male', 'female', 'other', 'unknown']))
  })

  test('every clinical date is a date parameter of its type, and the only one stored as such', () => {
    for (const [type, code] of Object.entries(clinicalDateParameters)) {
      expect(model.searchParameters(type).get(code), `${type}.${code}`).toMatchObject({ type: 'date', storage: 'date' })
      expect([...model.searchParameters(type).values()].filter((each) => each.storage === 'date').map((each) => each.code)).toEqual([code])
    }
    expect(clinicalDate('Organization')).toBeNull()
  })

  test('a parameter that several types share has the expression and targets of each', () => {
    const patient = model.searchParameters('Observation').get('patient')
    expect(patient).toMatchObject({ expression: 'Observation.subject.where(resolve() is Patient)', targets: ['Patient'], storage: 'keys', storedAs: ['patient'] })
    expect(model.searchParameters('Observation').get('_tag')?.storage).toBe('keys')
    expect(model.searchParameters('Observation').get('code-value-quantity')).toMatchObject({ type: 'composite', storage: 'none' })
    expect(model.searchParameters('Nothing').size).toBe(0)
  })

  test('a parameter of our own is one more file, indexed like the others', () => {
    const own = {
      resourceType: 'SearchParameter', id: 'patient-ethnic-group', url: 'https://pujiang.health/fhir/SearchParameter/patient-ethnic-group', code: 'ethnic-group',
      type: 'token', base: ['Patient'], expression: "Patient.extension('https://pujiang.health/fhir/StructureDefinition/ethnic-group').value.ofType(Coding)",
    }
    const parameter = searchParametersByType([], [own], model.structures).get('Patient')?.get('ethnic-group')
    const patient = model.structures.get('Patient')
    if (!parameter?.expression || !patient) throw new Error('the parameter is missing')
    expect(parameter).toMatchObject({ storage: 'keys', storedAs: ['ethnic-group'], targets: [] })
    const found: unknown[] = []
    const extension = [{ url: 'http://x', valueCoding: { code: '02' } }, { url: 'https://pujiang.health/fhir/StructureDefinition/ethnic-group', valueCoding: { code: '01' } }]
    for (const branch of compileSearchExpression(parameter.expression, patient, model.structures)) {
      branch.run({ resourceType: 'Patient', extension }, (value) => found.push([branch.type, value]))
    }
    expect(found).toEqual([['Coding', { code: '01' }]])
  })

  test('the subject comes first in a compartment', () => {
    expect(model.patientCompartment('Coverage')[0]).toBe('beneficiary')
    expect(model.patientCompartment('Organization')).toEqual([])
  })

  test('is loaded in a moment', () => {
    const started = performance.now()
    loadModel()
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})

describe('our own definitions', () => {
  test('are valid resources at their address, in Chinese and English', () => {
    expect(model.definitions.size).toBeGreaterThan(15)
    for (const [url, definition] of model.definitions) {
      expect(validateResource(model, definition), url).toEqual([])
      // National standards keep the OID they have.
      if (!url.startsWith('urn:oid:2.16.156.')) expect(url).toBe(`https://pujiang.health/fhir/${definition.resourceType}/${definition.id}`)
      expect(JSON.stringify(definition._title)).toContain('"valueCode":"en"')
    }
  })

  test('every code has a Chinese display and an English designation', () => {
    interface Concept { code: string; display?: string; designation?: { language?: string; value: string }[]; concept?: Concept[] }
    const walk = (concepts: readonly Concept[]): Concept[] => concepts.flatMap((each) => [each, ...walk(each.concept ?? [])])
    for (const definition of model.definitions.values()) {
      // A supplement adds Chinese names to codes of HL7.
      if (definition.resourceType !== 'CodeSystem' || definition.content === 'supplement') continue
      const all = walk(definition.concept as Concept[])
      expect(all.filter((each) => !/\p{Script=Han}/u.test(each.display ?? '') || each.designation?.[0]?.language !== 'en').map((each) => each.code)).toEqual([])
      expect(new Set(all.map((each) => each.code)).size).toBe(all.length)
      expect(definition.count).toBe(all.length)
    }
  })
})
