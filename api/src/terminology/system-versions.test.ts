/** $expand: which version of a code system is used, and leaving one out. Two versions are stored, the newer one has a code more. */
import type { CodeSystem, ValueSet, ValueSetComposeInclude } from '@medplum/fhirtypes'
import { describe, expect, test } from 'vitest'
import { expand } from './expand.ts'
import { callOf, colours, colourSystem, sourceOf, valueSet } from './sample.examples.ts'

const fruit = 'http://example.org/CodeSystem/fruit'
const fruitOf = (version: string, codes: readonly string[]): CodeSystem => ({ resourceType: 'CodeSystem', url: fruit, version, status: 'active', content: 'complete', concept: codes.map((code) => ({ code })) })
const set = (name: string, ...include: ValueSetComposeInclude[]): ValueSet => valueSet(`http://example.org/ValueSet/${name}`, { include })
const source = sourceOf([
  fruitOf('1', ['apple']), fruitOf('2', ['apple', 'pear']), colourSystem,
  set('any', { system: fruit }), set('first', { system: fruit, version: '1' }), set('import', { valueSet: ['http://example.org/ValueSet/first'] }),
  set('both', { system: fruit }, { system: colours }),
])

async function codes(name: string, query: [string, string][]): Promise<string[]> {
  const call = { ...callOf({}), query: new URLSearchParams([['url', `http://example.org/ValueSet/${name}`], ...query]) }
  const { resource } = await expand(call, source)
  return (resource.expansion?.contains ?? []).map((each) => each.code ?? '')
}

describe('versions', () => {
  test.each<[string, string, string, string[] | 'value-invalid']>([
    ['any', 'system-version', `${fruit}|1`, ['apple']], ['any', 'check-system-version', `${fruit}|1`, ['apple']], ['any', 'force-system-version', `${fruit}|1`, ['apple']],
    ['first', 'system-version', `${fruit}|2`, ['apple']], ['first', 'check-system-version', `${fruit}|2`, 'value-invalid'], ['first', 'check-system-version', `${fruit}|1`, ['apple']],
    ['first', 'force-system-version', `${fruit}|2`, ['apple', 'pear']], ['import', 'check-system-version', `${fruit}|2`, 'value-invalid'], ['import', 'force-system-version', `${fruit}|2`, 'value-invalid'],
    ['import', 'check-system-version', `${fruit}|1`, ['apple']], ['any', 'system-version', `${colours}|9`, ['apple', 'pear']],
  ])('%s, %s=%s', async (name, parameter, value, expected) => {
    const asked = codes(name, [[parameter, value]])
    if (expected === 'value-invalid') await expect(asked).rejects.toMatchObject({ issues: [{ code: 'value-invalid', text: { zh: expect.stringContaining(fruit), en: expect.stringContaining(fruit) } }] })
    else expect(await asked).toEqual(expected)
  })

  test('without a word the newest is used; one that is not here is missed', async () => {
    expect(await codes('any', [])).toEqual(['apple', 'pear'])
    await expect(codes('any', [['force-system-version', `${fruit}|3`]])).rejects.toMatchObject({ issues: [{ code: 'code-system-absent' }] })
    for (const value of [fruit, '|1', `${fruit}|`]) await expect(codes('any', [['system-version', value]])).rejects.toMatchObject({ issues: [{ code: 'parameter-invalid' }] })
  })

  test('of HL7, whose definitions are compiled once for all', async () => {
    const gender = 'http://hl7.org/fhir/administrative-gender'
    const asked = (version: string) => expand(callOf({ 'url': 'http://hl7.org/fhir/ValueSet/administrative-gender', 'force-system-version': `${gender}|${version}` }), source)
    expect((await asked('4.0.1')).resource.expansion?.total).toBe(4)
    await expect(asked('3.0.0')).rejects.toMatchObject({ issues: [{ code: 'code-system-absent' }] })
    expect((await expand(callOf({ url: 'http://hl7.org/fhir/ValueSet/administrative-gender' }), source)).resource.expansion?.total).toBe(4)
  })
})

test.each<[string[], string[]]>([
  [[colours], ['apple', 'pear']], [[fruit], ['Red', 'Green', 'cat']], [[`${fruit}|2`], ['Red', 'Green', 'cat']], [[`${fruit}|1`], ['apple', 'pear', 'Red', 'Green', 'cat']], [[fruit, colours], []],
])('exclude-system %j', async (systems, expected) => {
  expect(await codes('both', systems.map((each) => ['exclude-system', each]))).toEqual(expected)
})
