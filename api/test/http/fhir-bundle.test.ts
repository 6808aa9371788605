/** Transaction and batch through the whole app: all or nothing, references in any order, errors by entry. */
import { describe, expect, test } from 'vitest'
import { clinician, system, testPlatform } from '../support/platform.ts'

const { request, db } = await testPlatform()

const post = (fullUrl: string, resource: { resourceType: string }) => ({ fullUrl, resource, request: { method: 'POST', url: resource.resourceType } })
const bundle = (type: string, entry: unknown[]) => ({ resourceType: 'Bundle', type, entry })
const send = (body: unknown, headers: Record<string, string> = {}) => request('POST', '/fhir', { as: system, body, headers })
const uuid = (n: number) => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const put = (id: string) => ({ resource: { resourceType: 'Patient', id }, request: { method: 'PUT', url: `Patient/${id}` } })
const observation = (subject: string, extra: object = {}) => ({ resourceType: 'Observation', status: 'final', code: { text: '血压' }, subject: { reference: subject }, ...extra })

describe('transaction', () => {
  test('references between entries resolve in any order, also in contained resources and extensions', async () => {
    const reply = await send(bundle('transaction', [
      post(uuid(1), observation(uuid(3), {
        encounter: { reference: uuid(2) },
        specimen: { reference: '#s' },
        contained: [{ resourceType: 'Specimen', id: 's', subject: { reference: uuid(3) } }],
        extension: [{ url: 'http://example.org/x', valueReference: { reference: uuid(2) } }, { url: 'http://example.org/y', valueUri: uuid(3) }],
        identifier: [{ system: 'urn:ietf:rfc:3986', value: uuid(3) }],
      })),
      post(uuid(2), { resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' }, subject: { reference: uuid(3) } } as { resourceType: string }),
      post(uuid(3), { resourceType: 'Patient' }),
    ]))
    expect(reply.status).toBe(200)
    expect(reply.json.type).toBe('transaction-response')
    expect(reply.json.entry.map((each: { response: { status: string } }) => each.response.status)).toEqual(['201 Created', '201 Created', '201 Created'])
    const [o, e, p] = reply.json.entry.map((each: { response: { location: string } }) => each.response.location.replace(/\/_history.*/, ''))
    const stored = (await request('GET', `/fhir/${o}`, { as: system })).json
    expect(stored.subject.reference).toBe(p)
    expect(stored.encounter.reference).toBe(e)
    expect(stored.contained[0].subject.reference).toBe(p)
    expect(stored.extension.map((each: Record<string, { reference?: string }>) => each.valueReference?.reference ?? each.valueUri)).toEqual([e, p])
    expect(stored.identifier[0].value).toBe(uuid(3))
    // Server ids of one patient's entries share the patient's shard, so none of them needs an alias.
    expect(await db.selectFrom('id_alias').selectAll().where('id', 'in', [o, e, p].map((name: string) => name.split('/')[1] ?? '')).execute()).toEqual([])
  })

  test('all or nothing: the failing entry is named and nothing is stored', async () => {
    const before = (await request('GET', '/fhir/Patient?_count=0', { as: system })).json.total
    const reply = await send(bundle('transaction', [
      post(uuid(1), { resourceType: 'Patient' }),
      post(uuid(2), { resourceType: 'Patient', birthDate: '2024-02-30' } as { resourceType: string }),
    ]))
    expect(reply.status).toBe(422)
    expect(reply.json.issue[0].expression).toEqual(['Bundle.entry[1].resource.birthDate'])
    expect((await request('GET', '/fhir/Patient?_count=0', { as: system })).json.total).toBe(before)
  })

  test('order of processing is DELETE, POST, PUT, GET; answers come in the order of the entries', async () => {
    await request('PUT', '/fhir/Patient/tx-old', { as: system, body: { resourceType: 'Patient', id: 'tx-old' } })
    const reply = await send(bundle('transaction', [
      { request: { method: 'GET', url: 'Patient/tx-new' } },
      { resource: { resourceType: 'Patient', id: 'tx-new', active: true }, request: { method: 'PUT', url: 'Patient/tx-new' } },
      { request: { method: 'DELETE', url: 'Patient/tx-old' } },
      { request: { method: 'GET', url: 'Patient?_id=tx-old,tx-new' } },
    ]))
    expect(reply.status).toBe(200)
    expect(reply.json.entry.map((each: { response: { status: string } }) => each.response.status)).toEqual(['200 OK', '201 Created', '204 No Content', '200 OK'])
    expect(reply.json.entry[0].resource).toMatchObject({ id: 'tx-new', active: true })
    expect(reply.json.entry[3].resource.entry).toHaveLength(1)
  })

  test('If-Match of an entry, conditional creates and conditional references', async () => {
    const doctor = { resourceType: 'Practitioner', identifier: [{ system: 'urn:doctor', value: '42' }] }
    const once = { fullUrl: uuid(9), resource: doctor, request: { method: 'POST', url: 'Practitioner', ifNoneExist: 'identifier=urn:doctor|42' } }
    const first = await send(bundle('transaction', [once]))
    const second = await send(bundle('transaction', [once, post(uuid(1), { resourceType: 'PractitionerRole', practitioner: { reference: uuid(9) } } as { resourceType: string })]))
    expect([first.json.entry[0].response.status, second.json.entry[0].response.status]).toEqual(['201 Created', '200 OK'])
    const third = await send(bundle('transaction', [post(uuid(1), { resourceType: 'PractitionerRole', practitioner: { reference: 'Practitioner?identifier=urn:doctor|42' } } as { resourceType: string })]), { Prefer: 'return=representation' })
    const { id } = (await request('GET', '/fhir/Practitioner?identifier=urn:doctor|42')).json.entry[0].resource
    expect(third.json.entry[0].resource.practitioner.reference).toBe(`Practitioner/${id}`)
    expect((await request('GET', `/fhir/PractitionerRole?practitioner=${id}&_total=accurate`)).json.total).toBe(2)
    const none = await send(bundle('transaction', [post(uuid(1), { resourceType: 'PractitionerRole', practitioner: { reference: 'Practitioner?identifier=urn:doctor|43' } } as { resourceType: string })]))
    expect(none.json.issue[0].details.coding[0].code).toBe('reference-unresolved')
    const stale = await send(bundle('transaction', [{ resource: { ...doctor, id }, request: { method: 'PUT', url: `Practitioner/${id}`, ifMatch: 'W/"5"' } }]))
    expect(stale.status).toBe(412)
    expect(stale.json.issue[0].expression[0]).toMatch(/^Bundle\.entry\[0\]/)
  })

  test.each([
    ['an entry without a request', [{ resource: { resourceType: 'Patient' } }], 422, 'Bundle.entry[0].request'],
    ['an unknown method', [{ request: { method: 'LINK', url: 'Patient/1' } }], 422, 'Bundle.entry[0].request.method'],
    ['an unknown type in the url', [{ resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patients' } }], 404, 'Bundle.entry[0].request.url'],
    ['an unknown type in the resource', [{ resource: { resourceType: 'Person2' }, request: { method: 'POST', url: 'Patient' } }], 404, 'Bundle.entry[0].resource.resourceType'],
    ['another type than the url', [{ resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Group' } }], 400, 'Bundle.entry[0].resource.resourceType'],
    ['another id than the url', [{ resource: { resourceType: 'Patient', id: 'a' }, request: { method: 'PUT', url: 'Patient/b' } }], 400, 'Bundle.entry[0].resource.id'],
    ['a reference to no entry', [post(uuid(1), observation(uuid(77)))], 422, 'Bundle.entry[0].resource.subject.reference'],
    ['one resource twice', ['x', 'y'].map((gender) => ({ resource: { resourceType: 'Patient', id: 'twice', active: gender === 'x' }, request: { method: 'PUT', url: 'Patient/twice' } })), 400, 'Bundle.entry[1].resource'],
    ['a fullUrl twice', [post(uuid(1), { resourceType: 'Patient' }), post(uuid(1), { resourceType: 'Patient' })], 400, 'Bundle.entry[1].fullUrl'],
    ['a workflow type', [post(uuid(1), { resourceType: 'AuditEvent' })], 405, 'Bundle.entry[0].resource'],
    ['no object', ['x'], 422, 'Bundle.entry[0]'],
  ])('%s is refused and the entry is named', async (_, entry, status, expression) => {
    const reply = await send(bundle('transaction', entry as unknown[]))
    expect([reply.status, reply.json.issue[0].expression?.[0]]).toEqual([status, expression])
  })

  test('thousands of entries are one transaction, each with its audit row', { timeout: 60_000 }, async () => {
    const reply = await send(bundle('transaction', Array.from({ length: 4000 }, (_, index) => put(`many-${index}`))))
    expect([reply.status, reply.json.entry?.length]).toEqual([200, 4000])
    const rows = await db.selectFrom('audit_event').select((eb) => eb.fn.countAll<string>().as('n')).where('resource_id', 'like', 'many-%').executeTakeFirst()
    expect(Number(rows?.n)).toBe(4000)
  })

  test('other bundles are refused', async () => {
    expect((await send(bundle('collection', []))).status).toBe(400)
    expect((await send({ resourceType: 'Patient' })).status).toBe(400)
    expect((await send({ resourceType: 'Bundle', type: 'transaction', entry: {} })).status).toBe(422)
    expect((await send(bundle('transaction', []))).json).toMatchObject({ type: 'transaction-response' })
  })

  test('a caller who may write only some of the entries writes none', async () => {
    const reply = await request('POST', '/fhir', { as: clinician('dr-1', 'org-1'), body: bundle('transaction', [post(uuid(1), { resourceType: 'Patient' })]) })
    expect(reply.status).toBe(403)
  })
})

describe('batch', () => {
  test('each entry by itself: one failure does not touch the others', async () => {
    const reply = await send(bundle('batch', [
      { resource: { resourceType: 'Patient', id: 'b1' }, request: { method: 'PUT', url: 'Patient/b1' } },
      { resource: { resourceType: 'Patient', wrong: 1 }, request: { method: 'POST', url: 'Patient' } },
      { request: { method: 'GET', url: 'Patient/b1' } },
      { request: { method: 'GET', url: 'Patient?nonsense=1' } },
      { request: { method: 'GET', url: 'Patient/b1/_history' } },
      { request: { method: 'GET', url: 'Patient/b1/_history/1' } },
      { request: { method: 'GET', url: 'Patient/nobody' } },
      { request: { method: 'DELETE', url: 'Patient/b1' } },
      { nothing: true },
    ]))
    expect(reply.status).toBe(200)
    expect(reply.json.type).toBe('batch-response')
    expect(reply.json.entry.map((each: { response: { status: string } }) => each.response.status.slice(0, 3))).toEqual(['201', '422', '200', '400', '200', '200', '404', '204', '422'])
    expect(reply.json.entry[1].response.outcome.issue[0].expression[0]).toBe('Bundle.entry[1].resource.wrong')
  })
})

describe('a file that is loaded', () => {
  const file = bundle('transaction', [post(uuid(1), { resourceType: 'Claim', status: 'active', use: 'claim', type: { text: 'x' }, created: '2020-01-01', patient: { reference: uuid(2) }, provider: { display: 'x' }, priority: { text: 'x' }, insurance: [{ sequence: 1, focal: true, coverage: { display: 'x' } }] } as { resourceType: string }), post(uuid(2), { resourceType: 'Patient' })])
  const headers = { 'X-Load-Sha256': 'a'.repeat(64), 'X-Load-Name': encodeURIComponent('病人.json') }

  test('is stored once, by a system with full rights only', async () => {
    const first = await send(file, headers)
    expect(first.status).toBe(200)
    expect(first.headers.get('X-Load-Skipped')).toBeNull()
    const second = await send(file, headers)
    expect([second.status, second.headers.get('X-Load-Skipped')]).toEqual([200, 'true'])
    expect((await request('GET', '/fhir/Claim?_total=accurate', { as: system })).json.total).toBe(1)
    expect(await db.selectFrom('loaded_file').select(['name', 'resources']).execute()).toEqual([{ name: '病人.json', resources: 2 }])
    expect((await request('POST', '/fhir', { as: { ...system, scopes: ['system/Patient.cruds'] }, body: file, headers })).status).toBe(403)
    expect((await send(file, { 'X-Load-Sha256': 'abc' })).status).toBe(400)
  })

  test('is not marked as loaded when it fails', async () => {
    const broken = bundle('transaction', [post(uuid(1), { resourceType: 'Patient', wrong: 1 } as { resourceType: string })])
    expect((await send(broken, { 'X-Load-Sha256': 'b'.repeat(64) })).status).toBe(422)
    expect(await db.selectFrom('loaded_file').select('name').where('sha256', '=', 'b'.repeat(64)).execute()).toEqual([])
  })

  test('sent twice at once is stored once', async () => {
    const same = { 'X-Load-Sha256': 'c'.repeat(64) }
    const replies = await Promise.all([1, 2, 3, 4].map(() => send(bundle('transaction', [post(uuid(1), { resourceType: 'Patient', active: false } as { resourceType: string })]), same)))
    expect(replies.filter((reply) => reply.headers.get('X-Load-Skipped') === null)).toHaveLength(1)
    expect((await request('GET', '/fhir/Patient?active=false&_total=accurate', { as: system })).json.total).toBe(1)
  })
})

describe('entries that ask', () => {
  const asked = async (type: 'batch' | 'transaction', ...requests: object[]) => (await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type, entry: requests } })).json
  const found = (entry: { resource?: { entry?: { resource: { id: string } }[] } }) => entry.resource?.entry?.map((each) => each.resource.id)

  test.each(['batch', 'transaction'] as const)('every address of a read or a search may stand in a %s', async (type) => {
    await request('PUT', '/fhir/Patient/asked', { as: system, body: { resourceType: 'Patient', id: 'asked' } })
    await request('PUT', '/fhir/Observation/asked', { as: system, body: { resourceType: 'Observation', id: 'asked', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/asked' } } })
    const read = (url: string) => ({ request: { method: 'GET', url } })
    const { entry } = await asked(type,
      read('metadata'), read('Patient/asked/Observation'), read('Patient/asked/*'), read('?_type=Patient&_id=asked'), read('http://127.0.0.1:8080/fhir?_type=Patient&_id=asked'),
      { request: { method: 'POST', url: 'Patient/_search?_id=asked' } }, { request: { method: 'POST', url: '_search?_type=Patient&_id=asked' } }, read('Patient/asked/$everything'),
      { request: { method: 'POST', url: 'Patient/$validate' }, resource: { resourceType: 'Patient' } }, read('Patient/asked/_history'), read('/Patient/asked'))
    expect(entry.map((each: { response: { status: string } }) => each.response.status)).toEqual(Array.from({ length: 11 }, () => '200 OK'))
    expect(entry[0].resource.resourceType).toBe('CapabilityStatement')
    expect(entry.slice(1, 8).map(found)).toEqual([['asked'], ['asked', 'asked'], ['asked'], ['asked'], ['asked'], ['asked'], ['asked', 'asked']])
    expect(entry[8].resource.resourceType).toBe('OperationOutcome')
  })

  test('an operation that changes something may stand in a batch, not in a transaction', async () => {
    const add = { request: { method: 'POST', url: 'Patient/asked/$meta-add' }, resource: { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] } }
    expect((await asked('transaction', add)).issue[0].expression).toEqual(['Bundle.entry[0].request.url'])
    expect((await asked('batch', add)).entry[0].response.status).toBe('200 OK')
  })

  test('addresses of the narrative are replaced', async () => {
    const div = (target: string) => `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${target}">see</a></div>`
    const answer = await asked('transaction',
      { fullUrl: 'urn:oid:1.2.3', resource: { resourceType: 'Observation', status: 'final', code: { text: 'x' }, text: { status: 'generated', div: div('urn:uuid:5b2e0a2c-0000-4000-8000-000000000001') } }, request: { method: 'POST', url: 'Observation' } },
      { fullUrl: 'urn:uuid:5b2e0a2c-0000-4000-8000-000000000001', resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } })
    const [observation, patient] = answer.entry.map((each: { response: { location: string } }) => each.response.location.replace(/\/_history.*/, ''))
    expect((await request('GET', `/fhir/${observation}`, { as: system })).json.text.div).toBe(div(patient))
  })
})
