/** Value sets are what their definition says: a case for each rule, and the algebra of include, exclude and import at random. */
import type { ValueSetCompose, ValueSetComposeInclude } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OutcomeError } from '../fhir/outcome.ts'
import { allAnimals, animals, codesOf, colours, compiled, valueSet } from './sample.examples.ts'

const where = (property: string, op: string, value: string): ValueSetCompose => ({ include: [{ system: animals, filter: [{ property, op: op as '=', value }] }] })
const cats = valueSet('http://example.org/ValueSet/cats', { include: [{ system: animals, concept: [{ code: 'cat' }] }] })
const mammals = valueSet('http://example.org/ValueSet/mammals', { include: [{ system: animals, filter: [{ property: 'concept', op: 'is-a', value: 'mammal' }] }] })

test.each<[string, ValueSetCompose, string[]]>([
  ['a whole system, in its order', { include: [{ system: animals }] }, allAnimals],
  ['listed codes, in their order', { include: [{ system: animals, concept: [{ code: 'dog' }, { code: 'cat' }] }] }, ['dog', 'cat']],
  ['a listed code that the system does not have is not there', { include: [{ system: animals, concept: [{ code: 'dog' }, { code: 'unicorn' }] }] }, ['dog']],
  ['a listed code of a system that nobody has stays', { include: [{ system: 'http://nowhere', concept: [{ code: 'x' }] }] }, ['x']],
  ['is-a: the code and all below, by nesting and by property', where('concept', 'is-a', 'mammal'), ['mammal', 'cat', 'dog', 'whale', 'platypus']],
  ['descendent-of: without the code itself', where('concept', 'descendent-of', 'mammal'), ['cat', 'dog', 'whale', 'platypus']],
  ['is-not-a', where('concept', 'is-not-a', 'mammal'), ['animal', 'bird', 'hen', 'dodo']],
  ['generalizes: the code and all above', where('concept', 'generalizes', 'hen'), ['animal', 'bird', 'hen']],
  ['= on a property', where('legs', '=', '2'), ['hen', 'dodo']],
  ['= on a parent', where('parent', '=', 'bird'), ['hen', 'dodo']],
  ['in', where('code', 'in', 'cat, hen,unicorn'), ['cat', 'hen']],
  ['not-in', where('code', 'not-in', 'animal,mammal,bird,cat,hen'), ['dog', 'whale', 'dodo', 'platypus']],
  ['exists', where('legs', 'exists', 'true'), ['cat', 'dog', 'hen', 'dodo', 'platypus']],
  ['does not exist', where('legs', 'exists', 'false'), ['animal', 'mammal', 'whale', 'bird']],
  ['regex matches whole codes', where('code', 'regex', '.*a.'), ['animal', 'mammal', 'cat']],
  ['regex on the display', where('display', 'regex', '.鸡|.'), ['cat', 'dog', 'whale', 'bird', 'hen']],
  ['several filters: all of them', { include: [{ system: animals, filter: [{ property: 'concept', op: 'is-a', value: 'mammal' }, { property: 'legs', op: '=', value: '4' }] }] }, ['cat', 'dog', 'platypus']],
  ['several includes: any of them, each code once', { include: [{ system: animals, concept: [{ code: 'cat' }] }, { valueSet: [mammals.url ?? ''] }] }, ['cat', 'mammal', 'dog', 'whale', 'platypus']],
  ['imported sets of one include: in all of them', { include: [{ valueSet: [mammals.url ?? '', cats.url ?? ''] }] }, ['cat']],
  ['a system with an imported set: in both', { include: [{ system: animals, filter: [{ property: 'legs', op: '=', value: '4' }], valueSet: [mammals.url ?? ''] }] }, ['cat', 'dog', 'platypus']],
  ['exclude by name', { include: [{ valueSet: [mammals.url ?? ''] }], exclude: [{ system: animals, concept: [{ code: 'dog' }] }] }, ['mammal', 'cat', 'whale', 'platypus']],
  ['exclude by filter', { include: [{ system: animals }], exclude: [{ system: animals, filter: [{ property: 'concept', op: 'is-a', value: 'mammal' }] }] }, ['animal', 'bird', 'hen', 'dodo']],
  ['exclude an imported set', { include: [{ system: animals }], exclude: [{ valueSet: [mammals.url ?? ''] }] }, ['animal', 'bird', 'hen', 'dodo']],
  ['an exclude of another system takes nothing away', { include: [{ valueSet: [cats.url ?? ''] }], exclude: [{ system: colours }] }, ['cat']],
  ['inactive: false leaves out retired codes', { inactive: false, include: [{ system: animals, filter: [{ property: 'concept', op: 'is-a', value: 'bird' }] }] }, ['bird', 'hen']],
  ['the same code of two systems is two codes', { include: [{ valueSet: [cats.url ?? ''] }, { system: colours, concept: [{ code: 'cat' }] }] }, ['cat', 'cat']],
])('%s', (_name, compose, codes) => {
  expect(codesOf(compiled(compose, [cats, mammals]))).toEqual(codes)
})

test('a display of the value set goes before that of the system', () => {
  const [member] = compiled({ include: [{ system: animals, concept: [{ code: 'cat', display: '家猫' }] }] }).members()
  expect(member).toMatchObject({ display: '家猫', concept: { display: '猫' } })
})

test('a system that does not mind case finds a code however it is written', () => {
  expect(compiled({ include: [{ system: colours }] }).find(colours, 'rED')?.concept.code).toBe('Red')
  expect(compiled({ include: [{ system: colours, concept: [{ code: 'Red' }] }] }).find(colours, 'red')?.concept.code).toBe('Red')
  expect(compiled({ include: [{ system: animals }] }).find(animals, 'CAT')).toBeNull()
})

test.each<[string, unknown, string, string]>([
  ['no compose', undefined, 'value-invalid', 'ValueSet.compose'],
  ['compose is no object', 'all', 'value-invalid', 'ValueSet.compose'],
  ['no include', { include: [] }, 'value-invalid', 'ValueSet.compose.include'],
  ['include is no array', { include: { system: animals } }, 'value-invalid', 'ValueSet.compose.include'],
  ['an empty clause (vsd-1)', { include: [{}] }, 'value-invalid', 'ValueSet.compose.include[0]'],
  ['a clause that is null', { include: [null] }, 'value-invalid', 'ValueSet.compose.include[0]'],
  ['codes without a system (vsd-2)', { include: [{ valueSet: ['x'], concept: [{ code: 'a' }] }] }, 'value-invalid', 'ValueSet.compose.include[0]'],
  ['codes and filters (vsd-3)', { include: [{ system: animals, concept: [{ code: 'cat' }], filter: [{ property: 'code', op: '=', value: 'cat' }] }] }, 'value-invalid', 'ValueSet.compose.include[0]'],
  ['a code that is a number', { include: [{ system: animals, concept: [{ code: 7 }] }] }, 'value-invalid', 'ValueSet.compose.include[0].concept[0].code'],
  ['a filter without value', { include: [{ system: animals, filter: [{ property: 'code', op: '=' }] }] }, 'value-invalid', 'ValueSet.compose.include[0].filter[0].value'],
  ['an operator there is not', where('code', 'like', 'c'), 'value-invalid', 'ValueSet.compose.include[0].filter[0].op'],
  ['an operator named like a method', where('code', 'constructor', 'c'), 'value-invalid', 'ValueSet.compose.include[0].filter[0].op'],
  ['a property there is not', where('wings', '=', '2'), 'value-invalid', 'ValueSet.compose.include[0].filter[0].property'],
  ['is-a on another property', where('legs', 'is-a', '2'), 'value-invalid', 'ValueSet.compose.include[0].filter[0].property'],
  ['is-a of a code there is not', where('concept', 'is-a', 'unicorn'), 'value-invalid', 'ValueSet.compose.include[0].filter[0].value'],
  ['exists of neither true nor false', where('legs', 'exists', 'maybe'), 'value-invalid', 'ValueSet.compose.include[0].filter[0].value'],
  ['a broken pattern', where('code', 'regex', '(a'), 'value-invalid', 'ValueSet.compose.include[0].filter[0].value'],
  ['an imported set there is not', { include: [{ valueSet: ['http://example.org/none'] }] }, 'not-found', 'ValueSet.compose.include[0].valueSet[0]'],
  ['an exclude of a set there is not', { include: [{ system: animals }], exclude: [{ valueSet: ['http://example.org/none'] }] }, 'not-found', 'ValueSet.compose.exclude[0].valueSet[0]'],
  ['all of a system there is not', { include: [{ system: 'http://nowhere' }] }, 'code-system-absent', 'ValueSet.compose.include[0].system'],
  ['a set that imports itself', { include: [{ valueSet: ['http://example.org/ValueSet/tested'] }] }, 'value-invalid', 'ValueSet.compose.include.valueSet'],
])('refuses %s', (_name, compose, code, expression) => {
  const issue = issueOf(() => compiled(compose as ValueSetCompose).members())
  expect(issue).toMatchObject({ code, expression })
  expect(issue?.text.zh).not.toBe('')
})

test('refuses a circle over three sets and names it', () => {
  const set = (name: string, imports: string) => valueSet(`http://example.org/${name}`, { include: [{ valueSet: [`http://example.org/${imports}`] }] })
  const issue = issueOf(() => compiled({ include: [{ valueSet: ['http://example.org/a'] }] }, [set('a', 'b'), set('b', 'c'), set('c', 'a')]))
  expect(issue).toMatchObject({ code: 'value-invalid' })
  expect(issue?.text.en).toContain('http://example.org/a → http://example.org/b → http://example.org/c → http://example.org/a')
})

test('a set that two others import is no circle', () => {
  const both = [cats, valueSet('http://example.org/a', { include: [{ valueSet: [cats.url ?? ''] }] }), valueSet('http://example.org/b', { include: [{ valueSet: [cats.url ?? ''] }] })]
  expect(codesOf(compiled({ include: [{ valueSet: ['http://example.org/a', 'http://example.org/b'] }] }, both))).toEqual(['cat'])
})

test('sets that import each other twice, level after level, are stopped', () => {
  const name = (no: number) => `http://example.org/deep-${no}`
  const deep = Array.from({ length: 30 }, (_, no) => valueSet(name(no), { include: [no === 29 ? { system: animals } : { valueSet: [name(no + 1), name(no + 1)] }] }))
  const set = compiled({ include: [{ valueSet: [name(0)] }] }, deep)
  expect(issueOf(() => set.find(animals, 'cat'))).toMatchObject({ code: 'too-costly', type: 'too-costly' })
})

describe('the algebra, with random definitions', () => {
  const codes = fc.subarray(allAnimals, { minLength: 1 })
  const listed = codes.map((list): ValueSetComposeInclude => ({ system: animals, concept: list.map((code) => ({ code })) }))
  const byFilter = fc.oneof(
    fc.tuple(fc.constantFrom('is-a', 'descendent-of', 'is-not-a', 'generalizes'), fc.constantFrom(...allAnimals)).map(([op, value]) => ({ property: 'concept', op, value })),
    fc.constantFrom('2', '4').map((value) => ({ property: 'legs', op: '=', value })),
    fc.constantFrom('true', 'false').map((value) => ({ property: 'legs', op: 'exists', value })),
  ).map((filter): ValueSetComposeInclude => ({ system: animals, filter: [filter] as ValueSetComposeInclude['filter'] & object }))
  const imported = fc.constantFrom<ValueSetComposeInclude>({ valueSet: [mammals.url ?? ''] }, { valueSet: [mammals.url ?? '', cats.url ?? ''] }, { system: animals, valueSet: [mammals.url ?? ''] })
  const clause = fc.oneof(listed, byFilter, imported, fc.constant<ValueSetComposeInclude>({ system: colours }))
  const clauses = fc.array(clause, { minLength: 1, maxLength: 4 })
  const sets = [cats, mammals]
  const keys = (compose: ValueSetCompose) => new Set(compiled(compose, sets).members().map((each) => `${each.system}|${each.concept.code}`))

  test('exclude is set difference', () => {
    fc.assert(fc.property(clauses, clauses, (include, exclude) => {
      const [all, without, both] = [keys({ include }), keys({ include: exclude }), keys({ include, exclude })]
      expect([...both].sort()).toEqual([...all].filter((each) => !without.has(each)).sort())
    }))
  })

  test('several includes are the union, whatever their order', () => {
    fc.assert(fc.property(clauses, (include) => {
      const parts = include.flatMap((each) => [...keys({ include: [each] })])
      expect([...keys({ include })].sort()).toEqual([...new Set(parts)].sort())
      expect([...keys({ include: include.toReversed() })].sort()).toEqual([...new Set(parts)].sort())
    }))
  })

  test('a code is found exactly when it is listed', () => {
    fc.assert(fc.property(clauses, fc.option(clauses, { nil: undefined }), (include, exclude) => {
      const compose = { include, ...(exclude ? { exclude } : {}) }
      const set = compiled(compose, sets)
      const all = keys(compose)
      for (const system of [animals, colours]) for (const code of [...allAnimals, 'Red', 'Green', 'unicorn']) {
        expect(set.find(system, code) !== null).toBe(all.has(`${system}|${code}`))
      }
    }))
  })
})

function issueOf(run: () => unknown) {
  try {
    run()
    return null
  } catch (error) {
    if (error instanceof OutcomeError) return error.issues[0] ?? null
    throw error
  }
}
