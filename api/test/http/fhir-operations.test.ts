/** $everything, $meta, $meta-add, $meta-delete and $lastn through the whole app. */
import { beforeAll, describe, expect, test } from 'vitest'
import { citizen, system, testPlatform, type TestReply } from '../support/platform.ts'

const { request } = await testPlatform()

const put = (resource: object) => ({ resource, request: { method: 'PUT', url: `${(resource as { resourceType: string }).resourceType}/${(resource as { id: string }).id}` } })
const observation = (id: string, patient: string, code: string, date?: string) => put({
  resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: 'http://loinc.org', code }] }, subject: { reference: `Patient/${patient}` },
  ...(date ? { effectiveDateTime: date } : {}), performer: [{ reference: 'Practitioner/dr' }],
})

beforeAll(async () => {
  const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [
    put({ resourceType: 'Organization', id: 'h', name: '浦江医院' }), put({ resourceType: 'Practitioner', id: 'dr' }),
    put({ resourceType: 'Patient', id: 'p', managingOrganization: { reference: 'Organization/h' } }), put({ resourceType: 'Patient', id: 'q' }),
    observation('a1', 'p', '1', '2024-01-01'), observation('a2', 'p', '1', '2024-03-01'), observation('a3', 'p', '1', '2024-02-01'), observation('b1', 'p', '2', '2024-02-02'), observation('c1', 'p', '3'),
    observation('x1', 'q', '1', '2024-05-01'), put({ resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/p' }, clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] } }),
  ] } })
  expect(reply.json.issue ?? []).toEqual([])
})

const names = (reply: TestReply): string[] => (reply.json.entry ?? []).map((each: { resource: { resourceType: string; id: string } }) => `${each.resource.resourceType}/${each.resource.id}`).sort()
const own = ['Condition/c', 'Observation/a1', 'Observation/a2', 'Observation/a3', 'Observation/b1', 'Observation/c1', 'Patient/p']
const get = (path: string) => request('GET', `/fhir/${path}`, { as: system })

describe('$everything', () => {
  test.each([
    ['', [...own, 'Organization/h', 'Practitioner/dr']],
    ['?start=2024-02-15', ['Condition/c', 'Observation/a2', 'Observation/c1', 'Organization/h', 'Patient/p', 'Practitioner/dr']],
    ['?start=2024-02-01&end=2024-02-02', ['Condition/c', 'Observation/a3', 'Observation/b1', 'Observation/c1', 'Organization/h', 'Patient/p', 'Practitioner/dr']],
    ['?_type=Patient,Condition', ['Condition/c', 'Patient/p']],
    ['?_since=2099-01-01', []],
  ])('%s', async (query, expected) => {
    const reply = await get(`Patient/p/$everything${query}`)
    expect(reply.json.issue ?? []).toEqual([])
    expect(names(reply)).toEqual([...expected].sort())
  })

  test('in pages, and by POST', async () => {
    const seen: string[] = []
    let path: string | undefined = 'Patient/p/$everything?_count=2'
    while (path) {
      const page: TestReply = await get(path)
      seen.push(...names(page).filter((name) => own.includes(name)))
      path = page.json.link.find((each: { relation: string }) => each.relation === 'next')?.url.replace('http://127.0.0.1:8080/fhir/', '')
    }
    expect(seen.sort()).toEqual(own)
    const posted = await request('POST', '/fhir/Patient/p/$everything', { as: system, body: { resourceType: 'Parameters', parameter: [{ name: '_type', valueString: 'Condition' }] } })
    expect(names(posted)).toEqual(['Condition/c'])
  })

  test('of all patients: whom the caller may see, in pages', async () => {
    const everybody = [...own, 'Observation/x1', 'Patient/q']
    const seen: string[] = []
    let path: string | undefined = 'Patient/$everything?_count=3'
    while (path) {
      const page: TestReply = await get(path)
      seen.push(...(page.json.entry as { search: { mode: string }; resource: { resourceType: string; id: string } }[]).filter((each) => each.search.mode === 'match').map(({ resource }) => `${resource.resourceType}/${resource.id}`))
      path = page.json.link.find((each: { relation: string }) => each.relation === 'next')?.url.replace('http://127.0.0.1:8080/fhir/', '')
    }
    expect(seen.sort()).toEqual(everybody.sort())
    expect(names(await request('GET', '/fhir/Patient/$everything?_type=Patient,Observation', { as: citizen('q') }))).toEqual(['Observation/x1', 'Patient/q'])
    expect((await request('GET', '/fhir/Patient/$everything')).status).toBe(401)
  })

  test('only what the caller may see, and bad parameters are 400', async () => {
    expect(names(await request('GET', '/fhir/Patient/p/$everything', { as: citizen('p') }))).toContain('Observation/a1')
    expect((await request('GET', '/fhir/Patient/p/$everything', { as: citizen('q') })).status).toBe(404)
    expect((await request('GET', '/fhir/Patient/p/$everything')).status).toBe(401)
    for (const query of ['start=soon', '_type=Slot', '_count=0', 'sort=x', '_page=x']) expect((await get(`Patient/p/$everything?${query}`)).status).toBe(400)
  })
})

describe('$meta', () => {
  const tag = (code: string) => ({ resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ system: 'urn:t', code }] } }] })
  const post = (operation: string, body: unknown, as = system) => request('POST', `/fhir/Patient/q/${operation}`, { as, body })

  test('adds, shows and takes away', async () => {
    expect((await post('$meta-add', tag('one'))).json.parameter[0].valueMeta.tag).toEqual([{ system: 'urn:t', code: 'one' }])
    await post('$meta-add', tag('one'))
    expect((await post('$meta-add', tag('two'))).json.parameter[0].valueMeta.tag).toHaveLength(2)
    const shown = (await get('Patient/q/$meta')).json
    expect(shown).toMatchObject({ resourceType: 'Parameters', parameter: [{ name: 'return', valueMeta: { versionId: '3' } }] })
    expect((await get('Patient?_tag=urn:t|two&_total=accurate')).json.total).toBe(1)
    await post('$meta-delete', tag('one'))
    expect((await get('Patient/q')).json.meta.tag).toEqual([{ system: 'urn:t', code: 'two' }])
    expect((await post('$meta-delete', tag('two'))).json.parameter[0].valueMeta.tag).toBeUndefined()
  })

  test('of an old version, of a type and of everything that the caller may see', async () => {
    await post('$meta-add', tag('three'))
    await request('PUT', '/fhir/Organization/labelled', { as: system, body: { resourceType: 'Organization', id: 'labelled', name: 'x', meta: { security: [{ system: 'urn:s', code: 'R' }], tag: [{ system: 'urn:t', code: 'three' }] } } })
    expect((await get('Patient/q/_history/1/$meta')).json.parameter[0].valueMeta).toEqual({ versionId: '1', lastUpdated: expect.any(String) })
    expect((await get('Patient/q/_history/99/$meta')).status).toBe(404)
    expect((await request('POST', '/fhir/Patient/q/_history/1/$meta-add', { as: system, body: tag('x') })).status).toBe(404)
    expect((await get('Patient/$meta')).json.parameter[0].valueMeta).toEqual({ tag: [{ system: 'urn:t', code: 'three' }] })
    expect((await get('$meta')).json.parameter[0].valueMeta).toEqual({ tag: [{ system: 'urn:t', code: 'three' }], security: [{ system: 'urn:s', code: 'R' }] })
    expect((await request('GET', '/fhir/Patient/$meta', { as: citizen('p') })).json.parameter[0].valueMeta).toEqual({})
    expect((await request('GET', '/fhir/$meta')).status).toBe(401)
  })

  test('refuses what is no meta and those who may not', async () => {
    for (const body of [{ resourceType: 'Patient' }, { resourceType: 'Parameters' }, { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: 'x' } }] }]) expect((await post('$meta-add', body)).status).toBe(422)
    expect((await post('$meta-add', tag('x'), citizen('q'))).status).toBe(403)
    expect((await post('$meta-add', tag('x'), citizen('p'))).status).toBe(404)
    expect((await request('GET', '/fhir/Patient/q/$meta-add', { as: system })).status).toBe(405)
  })
})

describe('$lastn', () => {
  test.each([
    ['patient=p', ['a2', 'b1', 'c1']], ['patient=p&max=2', ['a2', 'a3', 'b1', 'c1']], ['subject=Patient/p&code=http://loinc.org|1&max=2', ['a2', 'a3']], ['patient=nobody', []],
  ])('%s', async (query, expected) => {
    const reply = await get(`Observation/$lastn?${query}`)
    expect(reply.json.issue ?? []).toEqual([])
    expect(names(reply)).toEqual(expected.map((id) => `Observation/${id}`))
  })

  test.each(['', 'code=x', 'patient=p&max=0', 'patient=p&max=many', 'patient=p&nmae=x'])('"%s" is 400', async (query) => {
    expect((await get(`Observation/$lastn?${query}`)).status).toBe(400)
  })
})
