/** $expand: pages are slices, filters and languages, nesting, and that a definition from anybody cannot hold the server up. */
import type { CodeSystem, ValueSet, ValueSetExpansionContains } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { builtInUrls } from './built-in.ts'
import { expand } from './expand.ts'
import { builtInSet } from './library.ts'
import { allAnimals, animals, animalSystem, callOf, colourSystem, sourceOf, valueSet } from './sample.examples.ts'

const zoo = { ...valueSet('http://example.org/ValueSet/zoo', { include: [{ system: animals }] }), id: 'zoo' }
const source = sourceOf([animalSystem, colourSystem, zoo])

async function expanded(query: Record<string, string>, body: unknown = null): Promise<NonNullable<ValueSet['expansion']>> {
  const { resource } = await expand(callOf(query, body), source)
  if (!resource.expansion) throw new Error('No expansion.')
  return resource.expansion
}

function flat(contains: readonly ValueSetExpansionContains[] | undefined): string[] {
  return (contains ?? []).flatMap((each) => [each.code ?? '', ...flat(each.contains)])
}

describe('pages', () => {
  test('offset and count give slices of the whole, and total counts all', async () => {
    const urls = ['http://example.org/ValueSet/zoo', 'http://hl7.org/fhir/ValueSet/administrative-gender', 'http://terminology.hl7.org/ValueSet/v3-RoleCode', 'https://pujiang.health/fhir/ValueSet/department']
    await fc.assert(fc.asyncProperty(fc.constantFrom(...urls), fc.nat(120), fc.nat(120), fc.boolean(), async (url, offset, count, filtered) => {
      const filter: Record<string, string> = filtered ? { filter: 'a' } : {}
      const whole = await expanded({ url, excludeNested: 'true', ...filter })
      const page = await expanded({ url, offset: String(offset), count: String(count), ...filter })
      expect(page.total).toBe(flat(whole.contains).length)
      expect(page.offset).toBe(offset)
      expect(page.contains ?? []).toEqual((whole.contains ?? []).slice(offset, offset + count))
    }), { numRuns: 60 })
  })

  test('pages one after the other give every code once', async () => {
    const url = 'http://terminology.hl7.org/ValueSet/v3-ActCode'
    const codes: string[] = []
    const { total = 0 } = await expanded({ url, count: '0' })
    for (let offset = 0; offset < total; offset += 100) codes.push(...flat((await expanded({ url, offset: String(offset), count: '100' })).contains))
    expect(codes).toHaveLength(total)
    expect(new Set(codes).size).toBe(total)
    expect([...codes].sort()).toEqual(flat((await expanded({ url })).contains).sort())
  })
})

describe('what is shown', () => {
  test('codes stand under their parents, headings are marked, and excludeNested makes it flat', async () => {
    const tree = await expanded({ url: zoo.url ?? '' })
    expect(flat(tree.contains).sort()).toEqual([...allAnimals].sort())
    expect(tree.contains).toMatchObject([{ code: 'animal', abstract: true, contains: [{ code: 'mammal' }, { code: 'bird', contains: [{ code: 'hen' }, { code: 'dodo', inactive: true }] }] }])
    expect((await expanded({ url: zoo.url ?? '', excludeNested: 'true' })).contains?.map((each) => each.code)).toEqual(allAnimals)
  })

  test.each<[Record<string, string>, string[]]>([
    [{ filter: '鸟' }, ['bird', 'dodo']],
    [{ filter: 'MAM' }, ['mammal']],
    [{ filter: 'dog' }, ['dog']],
    [{ filter: 'ca t' }, ['cat']],
    [{ filter: '猫　cat' }, ['cat']],
    [{ filter: 'unicorn' }, []],
    [{ filter: 'o', activeOnly: 'true' }, ['dog']],
    [{ excludeNotForUI: 'true', filter: '物' }, ['mammal']],
  ])('%j leaves %j', async (query, codes) => {
    expect(flat((await expanded({ url: zoo.url ?? '', ...query })).contains)).toEqual(codes)
  })

  test('displayLanguage chooses the name, includeDesignations shows all', async () => {
    const [cat] = (await expanded({ url: zoo.url ?? '', filter: 'cat', displayLanguage: 'en', includeDesignations: 'true' })).contains ?? []
    expect(cat).toMatchObject({ display: 'Cat', designation: [{ language: 'zh', value: '猫' }, { language: 'en', value: 'Cat' }] })
    expect((await expanded({ url: zoo.url ?? '', filter: 'cat', displayLanguage: 'zh-CN' })).contains?.[0]?.display).toBe('猫')
    expect((await expanded({ url: zoo.url ?? '', filter: 'hen', displayLanguage: 'en' })).contains?.[0]?.display).toBe('母鸡')
  })

  test('a set of a code system that is a fragment says that there may be more', async () => {
    const fragment: CodeSystem = { resourceType: 'CodeSystem', url: 'http://example.org/part', status: 'active', content: 'fragment', concept: [{ code: 'one' }] }
    const whole = valueSet('http://example.org/ValueSet/part', { include: [{ system: 'http://example.org/part' }] })
    const { resource } = await expand(callOf({ url: whole.url ?? '' }), sourceOf([fragment, whole]))
    expect(resource.expansion?.extension).toEqual([{ url: 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed', valueBoolean: true }])
    expect((await expanded({ url: zoo.url ?? '' })).extension).toBeUndefined()
  })
})

describe('work has a limit', () => {
  const long: CodeSystem = { resourceType: 'CodeSystem', url: 'http://example.org/long', status: 'active', content: 'complete', concept: [{ code: 'a'.repeat(60) }] }
  const pattern = (value: string) => ({ system: 'http://example.org/long', filter: [{ property: 'code', op: 'regex' as const, value }] })

  test('a pattern that would take for ever is stopped soon', async () => {
    const began = performance.now()
    await expect(expand(callOf({}, valueSet('http://example.org/evil', { include: [pattern('(a+)+b')] })), sourceOf([long]))).rejects.toMatchObject({ issues: [{ code: 'too-costly' }] })
    await expect(expand(callOf({}, valueSet('http://example.org/evil', { include: Array.from({ length: 400 }, (_, no) => pattern(`(a+){${no + 2}}b`)) })), sourceOf([long])))
      .rejects.toMatchObject({ issues: [{ code: 'too-costly' }] })
    expect(performance.now() - began).toBeLessThan(3000)
  })

  test('many large systems in one definition are stopped soon', async () => {
    const began = performance.now()
    const include = Array.from({ length: 500 }, () => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode' }))
    await expect(expand(callOf({}, valueSet('http://example.org/wide', { include, exclude: include })), source)).rejects.toMatchObject({ issues: [{ code: 'too-costly' }] })
    expect(performance.now() - began).toBeLessThan(3000)
  })

  test('what has no end is refused with a sentence that names it', async () => {
    for (const [url, name] of [['http://hl7.org/fhir/ValueSet/ucum-units', 'UCUM'], ['http://hl7.org/fhir/ValueSet/all-languages', 'BCP 47'], ['http://hl7.org/fhir/ValueSet/mimetypes', 'BCP 13']] as const) {
      await expect(expanded({ url })).rejects.toMatchObject({ status: 422, issues: [{ code: 'too-costly', type: 'too-costly', text: { zh: expect.stringContaining(name), en: expect.stringContaining(name) } }] })
    }
  })

  test('more than ten thousand codes come in pages only', async () => {
    const big: CodeSystem = { resourceType: 'CodeSystem', url: 'http://example.org/big', status: 'active', content: 'complete', concept: Array.from({ length: 10_001 }, (_, no) => ({ code: `c${no}` })) }
    const all = valueSet('http://example.org/ValueSet/big', { include: [{ system: 'http://example.org/big' }] })
    await expect(expand(callOf({}, all), sourceOf([big]))).rejects.toMatchObject({ issues: [{ code: 'too-costly' }] })
    const { resource } = await expand(callOf({ count: '3', offset: '10000' }, all), sourceOf([big]))
    expect(resource.expansion).toMatchObject({ total: 10_001, contains: [{ code: 'c10000' }] })
  })
})

test('every value set of R4 can be listed, or says why not', () => {
  const outcomes = new Map<string, number>()
  for (const url of builtInUrls('ValueSet')) {
    let outcome = 'listed'
    try {
      const set = builtInSet(url, null)
      for (const member of set?.members() ?? []) expect(set?.find(member.system, member.concept.code), `${url} ${member.concept.code}`).not.toBeNull()
    } catch (error) {
      outcome = (error as { issues: { code: string }[] }).issues[0]?.code ?? ''
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  expect(Object.fromEntries(outcomes)).toMatchObject({ 'too-costly': 5, 'value-invalid': 1 })
  expect(outcomes.get('listed')).toBeGreaterThan(1200)
})
