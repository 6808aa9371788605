/**
 * The compiled search expressions find what an independent FHIRPath engine finds: for every parameter of every type on a
 * resource with all elements filled, and on the real bundles where they are at hand.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { evalFhirPathTyped, indexStructureDefinitionBundle, parseFhirPath, toTypedValue } from '@medplum/core'
import type { Bundle, Resource, StructureDefinition } from '@medplum/fhirtypes'
import { readSource } from '@pujiang/fhir-profiles/source.ts'
import { beforeAll, describe, expect, test } from 'vitest'
import { fullResources } from '../../test/support/full-resource.ts'
import { loadModel } from './model.ts'
import { compileSearchExpression } from './search-expression.ts'
import { parseExpression } from './search-expression-parser.ts'

const model = loadModel()
const realData = join(import.meta.dirname, '../../../../shared/data/synthea-r4')

interface Compared { code: string; expression: string; ours(resource: object): string[]; theirs(resource: object): string[] }

function comparisons(type: string): Compared[] {
  const structure = model.structures.get(type)
  if (!structure) return []
  return [...model.searchParameters(type).values()].flatMap(({ code, expression, type: kind }) => {
    if (!expression || kind === 'composite') return []
    const branches = compileSearchExpression(expression, structure, model.structures)
    // The other engine does not know that every type is a Resource.
    const atom = parseFhirPath(expression.replaceAll(/^Resource\./g, `${type}.`))
    return [{
      code,
      expression,
      ours: (resource: object) => {
        const found = new Set<string>()
        for (const branch of branches) branch.run(resource, (value) => found.add(JSON.stringify(value)))
        // We read the type of another server's address off the address; the other engine takes it for unknown.
        return [...found].filter((each) => !expression.includes('resolve()') || !each.startsWith('{"reference":"http')).sort()
      },
      theirs: (resource: object) => [...new Set(evalFhirPathTyped(atom, [toTypedValue(resource as Resource)]).map((each) => JSON.stringify(each.value)))].sort(),
    }]
  })
}

describe('search expressions', () => {
  beforeAll(() => {
    for (const name of ['profiles-types.json', 'profiles-resources.json']) indexStructureDefinitionBundle(readSource(name) as Bundle<StructureDefinition>)
  })

  test('every parameter of every type compiles and finds what FHIRPath finds on a full resource', () => {
    const different = new Set<string>()
    let compared = 0
    let found = 0
    for (const [type, structure] of model.structures) {
      if (structure.kind !== 'resource' || structure.abstract) continue
      const cases = comparisons(type)
      for (const resource of fullResources(model, type)) {
        for (const each of cases) {
          const ours = each.ours(resource)
          const theirs = each.theirs(resource)
          if (ours.join() !== theirs.join()) different.add(`${type}.${each.code}: ${each.expression}\n  ours ${ours.join()}\n  theirs ${theirs.join()}`)
          compared++
          found += ours.length > 0 ? 1 : 0
        }
      }
    }
    expect([...different]).toEqual([])
    expect(compared).toBeGreaterThan(10_000)
    expect(found).toBeGreaterThan(compared / 4)
  })

  test('on real patients they find what FHIRPath finds', () => {
    if (!existsSync(realData)) {
      process.stdout.write('The real bundles are not here; the full resources above are the whole comparison.\n')
      return
    }
    const byType = new Map<string, Compared[]>()
    let compared = 0
    for (const file of readdirSync(realData).filter((name) => name.endsWith('.json.gz'))) {
      const bundle = JSON.parse(gunzipSync(readFileSync(join(realData, file))).toString()) as { entry: { resource: { resourceType: string } }[] }
      for (const { resource } of bundle.entry) {
        let cases = byType.get(resource.resourceType)
        if (!cases) byType.set(resource.resourceType, cases = comparisons(resource.resourceType))
        for (const each of cases) {
          const ours = each.ours(resource)
          const theirs = each.theirs(resource)
          if (ours.join('\n') !== theirs.join('\n')) expect(ours, `${resource.resourceType}.${each.code}: ${each.expression}`).toEqual(theirs)
          compared++
        }
      }
    }
    process.stdout.write(`Compared ${compared} evaluations on the real bundles.\n`)
    expect(compared).toBeGreaterThan(200_000)
  }, 180_000)

  test.each([
    ["Patient.telecom.where(system = 'phone' and use != 'old').value", ['1', '4']],
    ['Patient.telecom[0].value', ['1']],
    ['Patient.telecom[1].value', ['2']],
    ["Patient.extension('http://a').value as string", ['x']],
    ["Patient.extension('http://a').value.ofType(code)", []],
    ["Patient.telecom.where(use.exists() or system = 'email').value", ['1', '2', '3', '4']],
    ["Patient.telecom.where(use.exists() and system = 'email').value", []],
    ['Patient.deceased.exists() and Patient.deceased != false', [true]],
    ['Patient.active.exists() and Patient.active != false', [false]],
    ['Patient.link.other.where(resolve() is Patient).reference', ['Patient/2', '#c', 'http://other/fhir/Patient/9']],
    ['Patient.link.other.where(resolve() is RelatedPerson).reference', ['RelatedPerson/3']],
    ['(Patient.active | Patient.gender)', ['male']],
  ])('%s', (expression, expected) => {
    const patient = {
      resourceType: 'Patient', gender: 'male', deceasedDateTime: '2020-01-01',
      contained: [{ resourceType: 'Patient', id: 'c' }],
      extension: [{ url: 'http://a', valueString: 'x' }, { url: 'http://b', valueString: 'y' }],
      telecom: [{ system: 'phone', use: 'home', value: '1' }, { system: 'phone', use: 'old', value: '2' }, { system: 'email', value: '3' }, { system: 'phone', use: 'mobile', value: '4' }],
      link: ['Patient/2', '#c', 'RelatedPerson/3', 'http://other/fhir/Patient/9'].map((reference) => ({ type: 'seealso', other: { reference } })),
    }
    const found: unknown[] = []
    const structure = model.structures.get('Patient')
    if (!structure) throw new Error('no Patient')
    for (const branch of compileSearchExpression(expression, structure, model.structures)) branch.run(patient, (value) => found.push(value))
    expect(found).toEqual(expected)
  })

  test.each(['Patient.', 'Patient..name', 'Patient.name.first()', 'Patient.where(', 'Patient is Patient', 'Patient.name = x', 'Patient name', '€'])(
    'what is not understood is refused: %s', (expression) => { expect(() => parseExpression(expression)).toThrow('cannot be read') })

  test('an element that the type does not have is refused', () => {
    const structure = model.structures.get('Patient')
    if (!structure) throw new Error('no Patient')
    expect(() => compileSearchExpression('Patient.colour', structure, model.structures)).toThrow('Patient has no element colour')
  })
})
