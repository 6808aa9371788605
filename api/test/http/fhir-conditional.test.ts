/** Writes that name their resource by a search, alone and in transactions, and what happens when many come at once. */
import { describe, expect, test } from 'vitest'
import { citizen, system, testPlatform, type TestReply } from '../support/platform.ts'

const { request } = await testPlatform()

type Json = Record<string, unknown>
const patient = (value: string, extra: Json = {}) => ({ resourceType: 'Patient', identifier: [{ system: 'urn:cond', value }], ...extra })
const make = async (value: string): Promise<string> => (await request('POST', '/fhir/Patient', { as: system, body: patient(value) })).json.id
const by = (value: string) => `/fhir/Patient?identifier=urn:cond|${value}`
const code = (reply: TestReply): string => reply.json?.issue?.[0]?.details.coding[0].code
const found = async (value: string): Promise<number> => (await request('GET', `${by(value)}&_total=accurate`, { as: system })).json.total
const twenty = Array.from({ length: 20 }, (_, n) => n)
const bundle = (...entry: Json[]) => ({ resourceType: 'Bundle', type: 'transaction', entry })
const send = (body: unknown) => request('POST', '/fhir', { as: system, body })

describe('conditional update', () => {
  test('nothing fits: created with an id of the server, or with the client’s', async () => {
    const made = await request('PUT', by('u1'), { as: system, body: patient('u1') })
    expect(made.status).toBe(201)
    expect(made.headers.get('Location')).toContain(`/Patient/${made.json.id}/_history/1`)
    const named = await request('PUT', by('u2'), { as: system, body: patient('u2', { id: 'cond-u2' }) })
    expect([named.status, named.json.id]).toEqual([201, 'cond-u2'])
  })

  test('one fits: updated, with or without its id; If-Match counts', async () => {
    const id = await make('u3')
    const first = await request('PUT', by('u3'), { as: system, body: patient('u3', { active: true }) })
    expect([first.status, first.json.id, first.headers.get('ETag')]).toEqual([200, id, 'W/"2"'])
    const second = await request('PUT', by('u3'), { as: system, body: patient('u3', { id, active: false }), headers: { 'If-Match': 'W/"2"' } })
    expect([second.status, second.headers.get('ETag')]).toEqual([200, 'W/"3"'])
    expect((await request('PUT', by('u3'), { as: system, body: patient('u3'), headers: { 'If-Match': 'W/"2"' } })).status).toBe(412)
    expect((await request('PUT', by('nobody'), { as: system, body: patient('nobody'), headers: { 'If-Match': 'W/"2"' } })).status).toBe(412)
  })

  test('one fits and the id is another: 400; nothing fits and the id is taken: 409; several fit: 412', async () => {
    const id = await make('u4')
    const other = await make('u5')
    const mismatch = await request('PUT', by('u4'), { as: system, body: patient('u4', { id: other }) })
    expect([mismatch.status, code(mismatch)]).toEqual([400, 'id-mismatch'])
    const taken = await request('PUT', by('u6'), { as: system, body: patient('u6', { id }) })
    expect([taken.status, code(taken)]).toEqual([409, 'conflict'])
    await make('u4')
    const several = await request('PUT', by('u4'), { as: system, body: patient('u4') })
    expect([several.status, code(several)]).toEqual([412, 'conditional-ambiguous'])
  })
})

describe('conditional delete', () => {
  test('none, one, several', async () => {
    expect((await request('DELETE', by('d1'), { as: system })).status).toBe(204)
    const id = await make('d1')
    expect((await request('DELETE', by('d1'), { as: system })).status).toBe(204)
    expect((await request('GET', `/fhir/Patient/${id}`, { as: system })).status).toBe(410)
    await make('d2')
    await make('d2')
    expect((await request('DELETE', by('d2'), { as: system })).status).toBe(412)
    expect(await found('d2')).toBe(2)
  })
})

describe('a condition', () => {
  test.each([
    ['PUT', '/fhir/Patient?nmae=x', 400], ['PUT', '/fhir/Patient?identifier=', 400], ['PUT', '/fhir/Patient?_count=1', 400], ['DELETE', '/fhir/Patient?_format=json', 400],
    ['DELETE', '/fhir/Patient?birthdate=soon', 400], ['DELETE', '/fhir/Patient', 405], ['PUT', '/fhir/Patient', 405], ['DELETE', '/fhir/AuditEvent?patient=1', 405], ['DELETE', '/fhir/Slot?status=free', 405],
  ])('%s %s is refused with %i, also when leniency is asked for', async (method, path, status) => {
    const reply = await request(method, path, { as: system, headers: { Prefer: 'handling=lenient' }, ...(method === 'PUT' ? { body: patient('x') } : {}) })
    expect(reply.status).toBe(status)
  })

  test('finds nothing that the caller may not see', async () => {
    const id = await make('v1')
    expect((await request('DELETE', by('v1'), { as: citizen('someone-else') })).status).toBe(204)
    expect((await request('DELETE', by('v1'), { as: citizen(id) })).status).toBe(403)
    expect((await request('DELETE', by('v1'))).status).toBe(401)
    expect((await request('DELETE', by('v1'), { as: { ...system, scopes: ['system/Patient.d'] } })).status).toBe(403)
    expect(await found('v1')).toBe(1)
  })
})

describe('many at once', () => {
  test('twenty conditional creates make one resource', async () => {
    const replies = await Promise.all(twenty.map(() => request('POST', '/fhir/Patient', { as: system, body: patient('race1'), headers: { 'If-None-Exist': 'identifier=urn:cond|race1' } })))
    expect(replies.map((reply) => reply.status).sort()).toEqual([...twenty.slice(1).map(() => 200), 201])
    expect(new Set(replies.map((reply) => reply.json.id)).size).toBe(1)
    expect(await found('race1')).toBe(1)
  })

  test('twenty conditional updates make one resource, whatever the order of the criteria', async () => {
    const criteria = ['identifier=urn:cond|race2&active:not=false', 'active:not=false&identifier=urn:cond|race2']
    const replies = await Promise.all(twenty.map((n) => request('PUT', `/fhir/Patient?${criteria[n % 2]}`, { as: system, body: patient('race2', { birthDate: `${1980 + n}` }) })))
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(1)
    expect(replies.every((reply) => reply.status < 300)).toBe(true)
    expect(await found('race2')).toBe(1)
  })

  test('twenty transactions with the same conditions make one resource each', async () => {
    const entry = (value: string) => ({ resource: patient(value), request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=urn:cond|${value}` } })
    const replies = await Promise.all(twenty.map((n) => send(n % 2 ? bundle(entry('race3'), entry('race4')) : bundle(entry('race4'), entry('race3')))))
    expect(replies.map((reply) => reply.status)).toEqual(twenty.map(() => 200))
    expect([await found('race3'), await found('race4')]).toEqual([1, 1])
  })
})

describe('in a transaction', () => {
  test('every verb, in the order of the specification, answered in the order of the entries', async () => {
    const [gone, changed, patched] = [await make('t1'), await make('t2'), await make('t3')]
    const uuid = 'urn:uuid:00000000-0000-4000-8000-000000000009'
    const reply = await send(bundle(
      { request: { method: 'GET', url: 'Patient?identifier=urn:cond|t1,urn:cond|t2,urn:cond|t4' } },
      { request: { method: 'HEAD', url: `Patient/${changed}` } },
      { resource: { resourceType: 'Parameters', parameter: [{ name: 'operation', part: [{ name: 'type', valueCode: 'add' }, { name: 'path', valueString: 'Patient' }, { name: 'name', valueString: 'active' }, { name: 'value', valueBoolean: true }] }] }, request: { method: 'PATCH', url: `Patient/${patched}` } },
      { fullUrl: uuid, resource: patient('t2', { active: true }), request: { method: 'PUT', url: 'Patient?identifier=urn:cond|t2' } },
      { resource: { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: uuid } }, request: { method: 'POST', url: 'Observation' } },
      { resource: patient('t4'), request: { method: 'PUT', url: 'Patient?identifier=urn:cond|t4' } },
      { request: { method: 'DELETE', url: 'Patient?identifier=urn:cond|t1' } },
      { request: { method: 'DELETE', url: 'Patient?identifier=urn:cond|nobody' } },
      { request: { method: 'GET', url: `Patient/${patched}`, ifNoneMatch: 'W/"2"' } },
    ))
    expect(reply.json.issue ?? []).toEqual([])
    const { entry } = reply.json
    expect(entry.map((each: { response: { status: string } }) => each.response.status)).toEqual([
      '200 OK', '200 OK', '200 OK', '200 OK', '201 Created', '201 Created', '204 No Content', '204 No Content', '304 Not Modified',
    ])
    expect(entry[0].resource.entry.map((each: { resource: { identifier: { value: string }[] } }) => each.resource.identifier[0]?.value).sort()).toEqual(['t2', 't4'])
    expect([entry[1].resource, entry[1].response.etag]).toEqual([undefined, 'W/"2"'])
    expect(entry[2].response).toMatchObject({ etag: 'W/"2"', location: `Patient/${patched}/_history/2`, lastModified: expect.stringMatching(/^20/) })
    const observation = (await request('GET', `/fhir/${entry[4].response.location.replace(/\/_history.*/, '')}`, { as: system })).json
    expect(observation.subject.reference).toBe(`Patient/${changed}`)
    expect((await request('GET', `/fhir/Patient/${gone}`, { as: system })).status).toBe(410)
  })

  test.each<[string, (id: string) => Json[], number, string]>([
    ['an id written twice', (id) => [{ resource: patient('o', { id }), request: { method: 'PUT', url: `Patient/${id}` } }, { request: { method: 'DELETE', url: `Patient/${id}` } }], 400, 'bad-request'],
    ['an id written twice by a condition', (id) => [{ resource: patient('o', { id }), request: { method: 'PUT', url: `Patient/${id}` } }, { request: { method: 'DELETE', url: 'Patient?identifier=urn:cond|o1' } }], 400, 'bad-request'],
    ['a condition twice', () => [1, 2].map(() => ({ resource: patient('o2'), request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=urn:cond|o2' } })), 412, 'conditional-ambiguous'],
    ['an id and a condition', (id) => [{ request: { method: 'DELETE', url: `Patient/${id}?active=true` } }], 400, 'bad-request'],
    ['no id and no condition', () => [{ request: { method: 'DELETE', url: 'Patient' } }], 422, 'structure'],
    ['an unknown verb', () => [{ request: { method: 'LINK', url: 'Patient/1' } }], 422, 'structure'],
    ['a patch that is none', (id) => [{ resource: patient('o'), request: { method: 'PATCH', url: `Patient/${id}` } }], 400, 'patch-invalid'],
    ['a conditional reference that finds nothing', () => [{ resource: { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient?identifier=urn:cond|nobody' } }, request: { method: 'POST', url: 'Observation' } }], 422, 'reference-unresolved'],
  ])('%s is refused and nothing is stored', async (_, entries, status, expected) => {
    const id = await make('o1')
    const reply = await send(bundle(...entries(id)))
    expect([reply.status, code(reply)]).toEqual([status, expected])
    expect(reply.json.issue[0].expression[0]).toMatch(/^Bundle\.entry\[\d\]/)
    expect((await request('GET', `/fhir/Patient/${id}`, { as: system })).headers.get('ETag')).toBe('W/"1"')
    await request('DELETE', `/fhir/Patient/${id}`, { as: system })
  })

  test('Prefer: OperationOutcome stands in response.outcome', async () => {
    const reply = await request('POST', '/fhir', { as: system, headers: { Prefer: 'return=OperationOutcome' }, body: bundle({ resource: patient('p1'), request: { method: 'POST', url: 'Patient' } }) })
    expect(reply.json.entry[0]).toMatchObject({ response: { status: '201 Created', outcome: { resourceType: 'OperationOutcome' } } })
    expect(reply.json.entry[0].resource).toBeUndefined()
  })
})
