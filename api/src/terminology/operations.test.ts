/** Whatever is sent to a terminology operation, the answer is a resource or an error that the caller can read, never a fault of ours. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OutcomeError } from '../fhir/outcome.ts'
import { terminologyOperations } from './operations.ts'
import { animals, animalSystem, callOf, colourSystem, sourceOf, valueSet } from './sample.examples.ts'

const zoo = { ...valueSet('http://example.org/ValueSet/zoo', { include: [{ system: animals, filter: [{ property: 'concept', op: 'is-a', value: 'bird' }] }], exclude: [{ system: animals, concept: [{ code: 'dodo', display: '渡渡鸟', designation: [{ value: 'x' }] }] }] }), id: 'zoo' }
const map = {
  resourceType: 'ConceptMap' as const, id: 'map', url: 'http://example.org/map', status: 'active' as const,
  group: [{
    source: animals, target: 'urn:b', unmapped: { mode: 'other-map' as const, url: 'http://example.org/map' },
    element: [{ code: 'cat', target: [{ code: '1', equivalence: 'equal' as const, product: [{ property: 'p', system: 's', value: 'v' }] }] }],
  }],
}
const source = sourceOf([animalSystem, colourSystem, zoo, map])
const all = terminologyOperations(source.store)

const bodies: readonly object[] = [
  zoo,
  { resourceType: 'Parameters', parameter: [{ name: 'url', valueUri: zoo.url }, { name: 'filter', valueString: '鸟' }, { name: 'count', valueInteger: 3 }, { name: 'includeDesignations', valueBoolean: true }] },
  { resourceType: 'Parameters', parameter: [{ name: 'valueSet', resource: zoo }, { name: 'coding', valueCoding: { system: animals, code: 'hen', display: '母鸡' } }] },
  { resourceType: 'Parameters', parameter: [{ name: 'url', valueUri: zoo.url }, { name: 'codeableConcept', valueCodeableConcept: { coding: [{ system: animals, code: 'dodo' }, { system: animals, code: 'hen' }], text: 'x' } }] },
  { resourceType: 'Parameters', parameter: [{ name: 'codeSystem', resource: animalSystem }, { name: 'code', valueCode: 'cat' }, { name: 'display', valueString: '猫' }] },
  { resourceType: 'Parameters', parameter: [{ name: 'conceptMap', resource: map }, { name: 'coding', valueCoding: { system: animals, code: 'cat' } }] },
  { resourceType: 'Parameters', parameter: [{ name: 'url', valueUri: map.url }, { name: 'coding', valueCoding: { system: animals, code: 'lion' } }] },
  { resourceType: 'Parameters', parameter: [{ name: 'codingA', valueCoding: { system: animals, code: 'cat' } }, { name: 'codingB', valueCoding: { system: animals, code: 'mammal' } }] },
]

/** Every place of a JSON value, as paths. */
function places(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, each]) => places(each, [...path, Array.isArray(value) ? Number(key) : key]))]
}

function replaced(value: unknown, path: readonly (string | number)[], by: unknown): unknown {
  const [first, ...rest] = path
  if (first === undefined) return by
  const copy = (Array.isArray(value) ? [...value] : { ...value as object }) as Record<string | number, unknown>
  copy[first] = replaced(copy[first], rest, by)
  return copy
}

async function runs(body: unknown): Promise<void> {
  for (const operation of all) {
    try {
      const { resource } = await operation.run(callOf({}, body, operation.level === 'instance' ? 'zoo' : null))
      expect(resource.resourceType).toMatch(/Parameters|ValueSet/)
      JSON.stringify(resource)
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      expect(error.status).toBeLessThan(500)
      expect(error.issues.every((each) => each.text.zh !== '' && each.text.en !== '')).toBe(true)
    }
  }
}

test('the bodies themselves are good for at least one operation each', async () => {
  for (const body of bodies) {
    const answers = await Promise.allSettled(all.filter((each) => each.level === 'type').map((each) => each.run(callOf({}, body))))
    expect(answers.some((each) => each.status === 'fulfilled'), JSON.stringify(body)).toBe(true)
  }
})

test('a wrong thing at any place of a body', async () => {
  for (const body of bodies) for (const path of places(body)) for (const junk of [null, 7, '', true, 'junk', [], [null], {}, { code: 1 }]) await runs(replaced(body, path, junk))
})

test('any JSON at all', async () => {
  await fc.assert(fc.asyncProperty(fc.jsonValue(), runs), { numRuns: 200 })
  await fc.assert(fc.asyncProperty(fc.array(fc.record({ name: fc.constantFrom('url', 'code', 'coding', 'codeableConcept', 'valueSet', 'count', 'system'), valueString: fc.jsonValue() })), (parameter) => runs({ resourceType: 'Parameters', parameter })), { numRuns: 100 })
})

test('a code system of very many codes under one heading is compiled in a moment', async () => {
  const began = performance.now()
  const concept = [{ code: 'top', concept: Array.from({ length: 50_000 }, (_, no) => ({ code: `c${no}`, property: [{ code: 'parent', valueCode: 'top' }] })) }]
  const body = { resourceType: 'Parameters', parameter: [{ name: 'codeSystem', resource: { ...animalSystem, concept } }, { name: 'code', valueCode: 'c49999' }] }
  await runs(body)
  expect(performance.now() - began).toBeLessThan(5_000)
})

test('a map that leads to itself ends', async () => {
  const translate = all.find((each) => each.name === '$translate' && each.level === 'type')
  const { resource } = await translate?.run(callOf({ url: map.url, system: animals, code: 'lion' })) ?? {}
  expect(resource).toMatchObject({ parameter: [{ name: 'result', valueBoolean: false }, { name: 'message' }] })
})
