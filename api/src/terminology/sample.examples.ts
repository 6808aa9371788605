/** A small world for the tests: a code system with hierarchy, properties, names in two languages, and value sets over it. */
import type { CodeSystem, ValueSet, ValueSetCompose } from '@medplum/fhirtypes'
import { anonymous } from '../access/principal.ts'
import { makeCtx } from '../ctx.ts'
import type { Db } from '../storage/pool.ts'
import { compileCodeSystem } from './compile-code-system.ts'
import { compileValueSet, newBudget } from './compile-value-set.ts'
import type { Source } from './library.ts'
import type { TerminologyCall } from './operation-input.ts'
import type { CompiledSet, DefinitionStore, StoredDefinition } from './shapes.ts'

export const animals = 'http://example.org/CodeSystem/animals'
export const colours = 'http://example.org/CodeSystem/colours'

export const animalSystem: CodeSystem = {
  resourceType: 'CodeSystem', id: 'animals', url: animals, version: '1', status: 'active', content: 'complete', title: '动物',
  property: [{ code: 'legs', type: 'integer' }],
  concept: [
    {
      code: 'animal', display: '动物', property: [{ code: 'notSelectable', valueBoolean: true }],
      concept: [
        {
          code: 'mammal', display: '哺乳动物', designation: [{ language: 'en', value: 'Mammal' }],
          concept: [
            { code: 'cat', display: '猫', designation: [{ language: 'en', value: 'Cat' }], property: [{ code: 'legs', valueInteger: 4 }] },
            { code: 'dog', display: '狗', designation: [{ language: 'en', value: 'Dog' }], property: [{ code: 'legs', valueInteger: 4 }] },
            { code: 'whale', display: '鲸', designation: [{ language: 'en', value: 'Whale' }] },
          ],
        },
        {
          code: 'bird', display: '鸟',
          concept: [
            { code: 'hen', display: '母鸡', property: [{ code: 'legs', valueInteger: 2 }] },
            { code: 'dodo', display: '渡渡鸟', property: [{ code: 'legs', valueInteger: 2 }, { code: 'status', valueCode: 'retired' }] },
          ],
        },
      ],
    },
    // Under two parents: its place in the definition, and what the property adds.
    { code: 'platypus', display: '鸭嘴兽', property: [{ code: 'parent', valueCode: 'mammal' }, { code: 'legs', valueInteger: 4 }] },
  ],
}

export const colourSystem: CodeSystem = {
  resourceType: 'CodeSystem', id: 'colours', url: colours, version: '1', status: 'active', content: 'complete', caseSensitive: false,
  concept: [{ code: 'Red', display: 'Red' }, { code: 'Green', display: 'Green' }, { code: 'cat', display: 'Cat colour' }],
}

export const allAnimals = ['animal', 'mammal', 'cat', 'dog', 'whale', 'bird', 'hen', 'dodo', 'platypus']

export function valueSet(url: string, compose: ValueSetCompose): ValueSet {
  return { resourceType: 'ValueSet', url, status: 'active', compose }
}

/** Compiles a value set over the sample and the given others. */
export function compiled(compose: ValueSetCompose, others: readonly ValueSet[] = [], url = 'http://example.org/ValueSet/tested'): CompiledSet {
  const systems = new Map([animalSystem, colourSystem].map((each) => [each.url ?? '', compileCodeSystem(each)]))
  const root = valueSet(url, compose)
  const library = {
    system: (name: string) => systems.get(name) ?? null,
    valueSet: (name: string) => [root, ...others].find((each) => each.url === name) ?? null,
    compiledSet: () => null,
  }
  return compileValueSet(root, { library, budget: newBudget(), done: new Map() })
}

export function codesOf(set: CompiledSet): string[] {
  return set.members().map((each) => each.concept.code)
}

/** A record store that holds these definitions and nothing else. */
export function sourceOf(definitions: readonly StoredDefinition['resource'][]): Source {
  const stored = definitions.map((resource, no): StoredDefinition => ({ key: `${resource.url}/${no}`, lastUpdated: '2026-11-23T00:00:00.000Z', resource }))
  const store: DefinitionStore<Db> = {
    byUrls: async (_db, type, urls) => stored.filter(({ resource }) => resource.resourceType === type && urls.includes(resource.url ?? '')),
    byId: async (_db, type, id) => stored.find(({ resource }) => resource.resourceType === type && resource.id === id) ?? null,
    conceptMaps: async () => [],
  }
  return { db: {} as Db, store }
}

export function callOf(query: Record<string, string>, body: unknown = null, id: string | null = null): TerminologyCall {
  return { db: {} as Db, ctx: makeCtx(anonymous, { now: new Date('2026-11-23T00:00:00Z') }), id, query: new URLSearchParams(query), body }
}

