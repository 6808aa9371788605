/** `_filter`: what each operator finds, how and, or and not join, and that random expressions find what sets of plain searches say. */
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { citizen, system, testPlatform, type TestReply } from '../support/platform.ts'

const { request } = await testPlatform()

const loinc = 'http://loinc.org'
const ucum = 'http://unitsofmeasure.org'
const put = (resource: { resourceType: string; id: string; [element: string]: unknown }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
const patient = (id: string, family: string, given: string, more: object = {}) => put({ resourceType: 'Patient', id, name: [{ family, given: [given] }], ...more })
const observation = (id: string, code: string, value: number, subject: string, more: object = {}) => put({
  resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: loinc, code }] }, subject: { reference: `Patient/${subject}` }, valueQuantity: { value, unit: 'mmol/L', system: ucum, code: 'mmol/L' }, ...more,
})

beforeAll(async () => {
  const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [
    patient('peter', 'Chalmers', 'Peter', { birthDate: '2014-10-10', gender: 'male', active: true, managingOrganization: { reference: 'Organization/hospital' }, identifier: [{ system: 'urn:a', value: '7, (x)' }] }),
    patient('petra', 'Müller-Peters', 'Petra', { birthDate: '2014', gender: 'female', active: false, identifier: [{ system: 'urn:a', value: '1' }, { system: 'urn:b', value: '2' }] }),
    patient('zhang', '张', '三丰', { birthDate: '1950-01-02', gender: 'male', generalPractitioner: [{ reference: 'Practitioner/chen' }], address: [{ city: '100% "上海"' }] }),
    put({ resourceType: 'Patient', id: 'nobody' }),
    put({ resourceType: 'Organization', id: 'hospital', name: '浦江医院' }), put({ resourceType: 'Practitioner', id: 'chen', name: [{ text: '陈医生' }] }),
    observation('sodium1', '2951-2', 140, 'peter', { effectiveDateTime: '2026-01-10' }), observation('sodium2', '2951-2', 151, 'zhang', { effectivePeriod: { start: '2026-01-05', end: '2026-02-05' } }),
    observation('glucose1', '2339-0', 5.4, 'peter', { effectiveDateTime: '2026-03-01', status: 'amended' }), observation('glucose2', '2339-0', 11, 'petra', { status: 'preliminary' }),
    put({ resourceType: 'Encounter', id: 'stay', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'ACUTE' }, subject: { reference: 'Patient/peter' } }),
    put({ resourceType: 'ValueSet', id: 'vs', status: 'active', url: 'http://example.org/vs/one' }),
  ] } })
  expect(reply.json.issue ?? []).toEqual([])
})

const ids = (reply: TestReply): string[] => (reply.json.entry ?? []).map((each: { resource: { id: string } }) => each.resource.id).sort()
const filtered = (type: string, filter: string, more = '') => request('GET', `/fhir/${type}?_filter=${encodeURIComponent(filter)}&_count=100${more}`, { as: system })

describe('what is found', () => {
  test.each<[string, string, string[]]>([
    ['Patient', 'name co "pet"', ['peter', 'petra']], ['Patient', 'given eq "peter"', ['peter']], ['Patient', 'given eq pet', []], ['Patient', 'given sw pet', ['peter', 'petra']], ['Patient', 'family ew "PETERS"', ['petra']], ['Patient', 'family eq "muller-peters"', ['petra']],
    ['Patient', 'given ne "peter"', ['petra', 'zhang']], ['Patient', 'given pr true', ['peter', 'petra', 'zhang']], ['Patient', 'given pr false', ['nobody']], ['Patient', 'name co 三', ['zhang']], ['Patient', 'address-city co "100% \\"上"', ['zhang']], ['Patient', 'address-city ew "%"', []],
    ['Patient', 'given eq "peter" and birthdate ge 2014-10-10', ['peter']], ['Patient', 'birthdate eq 2014', ['peter', 'petra']], ['Patient', 'birthdate ne 2014', ['zhang']], ['Patient', 'birthdate lt 2000-01-01', ['zhang']], ['Patient', 'birthdate po 2014-10', ['peter', 'petra']], ['Patient', 'birthdate sa 2000', ['peter', 'petra']], ['Patient', 'birthdate eb 2000', ['zhang']], ['Patient', 'birthdate ap 1950', ['zhang']],
    ['Patient', 'gender eq male', ['peter', 'zhang']], ['Patient', 'gender ne male', ['petra']], ['Patient', 'not (gender eq male)', ['nobody', 'petra']], ['Patient', 'active eq true', ['peter']], ['Patient', 'active pr true', ['peter', 'petra']],
    ['Patient', 'identifier eq "urn:a|7, (x)"', ['peter']], ['Patient', 'identifier eq urn:a|', ['peter', 'petra']], ['Patient', 'identifier ne 1', ['peter']], ['Patient', 'identifier eq urn:a|1 or identifier eq "urn:a|7, (x)"', ['peter', 'petra']],
    ['Patient', 'organization re Organization/hospital', ['peter']], ['Patient', 'organization eq hospital', ['peter']], ['Patient', 'organization ne Organization/other', ['peter']], ['Patient', 'organization.name co 浦江', ['peter']], ['Patient', 'general-practitioner:Practitioner.name sw 陈', ['zhang']],
    ['Patient', 'id eq peter', ['peter']], ['Patient', '_id eq peter or _id eq zhang', ['peter', 'zhang']], ['Patient', 'id ne peter and gender eq male', ['zhang']], ['Observation', 'subject.id ne peter', ['glucose2', 'sodium2']], ['Patient', '_lastUpdated gt 2020-01-01 and gender eq female', ['petra']], ['Patient', '_has:Observation:patient:code eq 2951-2', ['peter', 'zhang']],
    ['Observation', `code eq ${loinc}|2951-2`, ['sodium1', 'sodium2']], ['Observation', 'subject.name co "pet"', ['glucose1', 'glucose2', 'sodium1']], ['Observation', 'subject.id eq peter', ['glucose1', 'sodium1']], ['Observation', 'patient.birthdate le 1960', ['sodium2']],
    ['Observation', 'value-quantity gt 140', ['sodium2']], ['Observation', `value-quantity ge "140|${ucum}|mmol/L"`, ['sodium1', 'sodium2']], ['Observation', `value-quantity eq 5400|${ucum}|umol/L`, ['glucose1']], ['Observation', `code-value-quantity eq "${loinc}|2951-2$gt145"`, ['sodium2']], ['Observation', 'value-quantity pr false', []],
    ['Observation', 'date po 2026-01-10', ['sodium1', 'sodium2']], ['Observation', 'date eq 2026-01', ['sodium1']], ['Observation', 'not (date ge 2026)', ['glucose2']], ['Observation', 'status in http://hl7.org/fhir/ValueSet/observation-status and status ne final', ['glucose1', 'glucose2']],
    ['Encounter', 'class ss http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP', ['stay']], ['Encounter', 'class sb http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP', []], ['Encounter', 'class ni http://terminology.hl7.org/ValueSet/v3-ActEncounterCode', []], ['ValueSet', 'url sw http://example.org/vs', ['vs']], ['ValueSet', 'url eq http://example.org/vs/one', ['vs']],
    // and, or, not
    ['Patient', 'gender eq male and active eq true or gender eq female', ['peter', 'petra']], ['Patient', 'gender eq female or gender eq male and active eq true', ['peter']], ['Patient', 'gender eq female or (gender eq male and active eq true)', ['peter', 'petra']],
    ['Patient', 'not(gender eq male or gender eq female)', ['nobody']], ['Patient', '  ( ( gender eq male ) )  and not ( not ( active eq true ) ) ', ['peter']], ['Patient', 'name co pet and (birthdate lt 2014-06-01 or identifier pr true)', ['peter', 'petra']],
    ['Patient', 'gender eq nonsense or name eq nobody', []], ['Patient', 'not (gender eq nonsense)', ['nobody', 'peter', 'petra', 'zhang']],
  ])('%s: %s', async (type, filter, expected) => {
    const reply = await filtered(type, filter)
    expect(reply.json.issue ?? []).toEqual([])
    expect(ids(reply)).toEqual(expected)
  })

  test('beside other parameters, twice, with a total and an order; self has it', async () => {
    const reply = await filtered('Patient', 'gender eq male or gender eq female', '&name=pet&_filter=active%20pr%20true&_total=accurate&_sort=-birthdate')
    expect([ids(reply), reply.json.total]).toEqual([['peter', 'petra'], 2])
    expect(new URL(reply.json.link[0].url).searchParams.getAll('_filter')).toEqual(['gender eq male or gender eq female', 'active pr true'])
  })

  test('page by page', async () => {
    const seen: string[] = []
    let path: string | undefined = `/fhir/Patient?_filter=${encodeURIComponent('gender pr true or name pr false')}&_count=1`
    while (path) {
      const page: TestReply = await request('GET', path, { as: system })
      seen.push(...ids(page))
      path = page.json.link.find((each: { relation: string }) => each.relation === 'next')?.url.replace('http://127.0.0.1:8080', '')
    }
    expect(seen.sort()).toEqual(['nobody', 'peter', 'petra', 'zhang'])
  })

  test('in a compartment, over several types, in a condition of a write, and in the search of a citizen', async () => {
    expect(ids(await request('GET', `/fhir/Patient/peter/Observation?_filter=${encodeURIComponent('value-quantity lt 100 or status eq x')}`, { as: system }))).toEqual(['glucose1'])
    expect(ids(await request('GET', `/fhir?_type=Patient,Encounter&_filter=${encodeURIComponent('_id eq peter or _id eq stay')}`, { as: system }))).toEqual(['peter', 'stay'])
    const found = await request('POST', '/fhir/Patient', { as: system, body: { resourceType: 'Patient' }, headers: { 'If-None-Exist': `_filter=${encodeURIComponent('given eq peter and gender eq male')}` } })
    expect([found.status, found.json.id]).toEqual([200, 'peter'])
    for (const filter of ['gender eq male or gender eq female', 'not (gender eq nonsense)']) expect(ids(await request('GET', `/fhir/Patient?_filter=${encodeURIComponent(filter)}`, { as: citizen('peter') }))).toEqual(['peter'])
  })
})

describe('what is refused', () => {
  test.each<[string, RegExp]>([
    ['gender', /character 7.*operator such as/], ['gender equals male', /character 8.*eq/], ['gender eq', /character 8|character 10/], ['eq male', /character 4/], ['gender eq male and', /character 16|character 19/], ['gender eq male nad active eq true', /character 16: and, or/], ['(gender eq male', /closing bracket/],
    ['gender eq male)', /character 15/], ['gender eq "male', /character 11/], ['gender eq "\\q"', /JSON string/], ['related[type eq x].target pr true', /square brackets/], ['gendr eq male', /gender/], ['subject.name eq x', /subject/], ['organization.nmae eq x', /name/],
    ['gender gt male', /gender can't be compared by "gt/], ['_id in x', /_id can't be compared by "in/], ['gender pr maybe', /pr takes true or false/], ['birthdate co 2014', /po, ne|po/], ['birthdate ge soon', /2026-11/], ['name:exact eq x', /exact/], ['name:equal eq x', /equal/], ['_has:Observation:patient:kode eq x', /code/], ['code-value-quantity ne x', /no search parameter/],
    [`${'('.repeat(30)}gender eq male${')'.repeat(30)}`, /20 levels/], [Array.from({ length: 70 }, () => 'gender eq male').join(' or '), /60/], ['not gender eq male', /operator|not/],
  ])('%s', async (filter, said) => {
    const reply = await filtered('Patient', filter)
    expect(reply.status).toBe(400)
    expect(reply.text).toMatch(/parameter-(invalid|unknown)/)
    expect((await request('GET', `/fhir/Patient?_filter=${encodeURIComponent(filter)}`, { as: system, headers: { 'Accept-Language': 'en' } })).json.issue[0].diagnostics).toMatch(said)
  })

  test('a modifier of its own is no modifier of a search', async () => {
    for (const query of ['name:equal=peter', 'name:ends=r', 'organization.name:ends=院']) expect([query, (await request('GET', `/fhir/Patient?${query}`, { as: system })).status]).toEqual([query, 400])
  })

  test('under lenient handling it is left out, and said so', async () => {
    const reply = await request('GET', '/fhir/Patient?_filter=nonsense&_count=100', { as: system, headers: { Prefer: 'handling=lenient' } })
    expect([reply.status, reply.json.entry.at(-1).resource.resourceType]).toEqual([200, 'OperationOutcome'])
  })
})

/** Comparisons, and the plain search that finds the same. */
const tests: [string, string][] = [
  ['status eq final', 'status=final'], ['code eq 2951-2', 'code=2951-2'], ['value-quantity gt 100', 'value-quantity=gt100'], ['subject.name co pet', 'subject:Patient.name:contains=pet'], ['date ge 2026-02', 'date=ge2026-02'], ['date pr false', 'date:missing=true'],
  ['patient re Patient/peter', 'patient=Patient/peter'], ['_id eq sodium1', '_id=sodium1'], ['code-value-quantity eq 2339-0$lt10', 'code-value-quantity=2339-0$lt10'], ['patient.organization.name sw 浦江', 'patient.organization.name=浦江'], ['code eq none', 'code=none'],
]

type Tree = { test: number } | { join: 'and' | 'or'; parts: Tree[] } | { not: Tree }
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.nat(tests.length - 1).map((index) => ({ test: index })), fc.record({ join: fc.constantFrom('and' as const, 'or' as const), parts: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }) }), tie('tree').map((not) => ({ not }))),
}))

test('random expressions find what the sets of their comparisons say', async () => {
  const all = ids(await request('GET', '/fhir/Observation?_count=100', { as: system }))
  const sets: Set<string>[] = []
  for (const [, query] of tests) sets.push(new Set(ids(await request('GET', `/fhir/Observation?${query}&_count=100`, { as: system }))))
  const textOf = (node: Tree): string => ('test' in node ? tests[node.test]?.[0] ?? '' : 'not' in node ? `not (${textOf(node.not)})` : node.parts.map((part) => ('join' in part ? `(${textOf(part)})` : textOf(part))).join(` ${node.join} `))
  const fits = (node: Tree, id: string): boolean => {
    if ('test' in node) return sets[node.test]?.has(id) ?? false
    if ('not' in node) return !fits(node.not, id)
    return node.join === 'and' ? node.parts.every((part) => fits(part, id)) : node.parts.some((part) => fits(part, id))
  }
  await fc.assert(fc.asyncProperty(tree, async (node) => {
    fc.pre(textOf(node).length < 1500)
    const reply = await filtered('Observation', textOf(node))
    expect(reply.json.issue ?? []).toEqual([])
    expect(ids(reply)).toEqual(all.filter((id) => fits(node, id)))
  }), { numRuns: 150 })
})
