/**
 * What the CapabilityStatement says is what the server does: for every type that it lists, with a resource in which every element
 * is filled, each interaction and each search parameter; what it does not list is refused. A type entered in the catalogue is
 * tested by that alone.
 */
import { describe, expect, test } from 'vitest'
import type { FhirModel } from '../../src/fhir/model.ts'
import type { ResourceEntry } from '../../src/records/store.ts'
import { validateResource } from '../../src/records/validate.ts'
import { fullResources } from '../support/full-resource.ts'
import { system, testPlatform } from '../support/platform.ts'

const { request, services } = await testPlatform()
const { model } = services.store
const statement = (await request('GET', '/fhir/metadata')).json

interface Listed { type: string; supportedProfile?: string[]; interaction: { code: string }[]; searchParam: { name: string; type: string }[]; searchInclude?: string[]; searchRevInclude?: string[] }
const listed: Listed[] = statement.rest[0].resource
const entries = [...services.store.entries.values()]

/** A filled resource, less the elements that break an invariant beside others: what must be there, then all else that stays valid. */
function example(of: FhirModel, type: string): Record<string, unknown> {
  const faults = (resource: object): number => validateResource(of, resource as never).filter((issue) => issue.severity === 'error' || issue.severity === 'fatal').length
  const properties = of.structures.get(type)?.properties
  let best: Record<string, unknown> = {}
  for (const { meta: _, ...filled } of fullResources(of, type)) {
    let built = Object.fromEntries(Object.entries(filled).filter(([key]) => key === 'resourceType' || (properties?.get(key)?.element.min ?? 0) > 0))
    let left = faults(built)
    for (const [key, value] of Object.entries(filled)) {
      const next = { ...built, [key]: value }
      const then = key in built ? Number.POSITIVE_INFINITY : faults(next)
      if (then > left) continue
      built = next
      left = then
    }
    if (left === 0 && Object.keys(built).length > Object.keys(best).length) best = built
  }
  return { ...(Object.keys(best).length > 0 ? best : byHand[type]), id: 'example' }
}

const text = { text: 'x' }
/** Types whose inner elements exclude each other. */
const byHand: Readonly<Record<string, Record<string, unknown>>> = Object.fromEntries(([
  ['EventDefinition', { status: 'draft', trigger: [{ type: 'named-event', name: 'x' }] }],
  ['EvidenceVariable', { status: 'draft', characteristic: [{ definitionCodeableConcept: text }] }],
  ['MedicinalProductPharmaceutical', { administrableDoseForm: text, routeOfAdministration: [{ code: text }] }],
  ['MolecularSequence', { coordinateSystem: 0, type: 'dna' }],
  ['ResearchElementDefinition', { status: 'draft', type: 'exposure', characteristic: [{ definitionCodeableConcept: text }] }],
  ['StructureDefinition', {
    url: 'http://example.org/s', name: 'S', status: 'draft', kind: 'resource', abstract: false, type: 'Patient', derivation: 'constraint',
    baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient', differential: { element: [{ id: 'Patient', path: 'Patient' }] },
  }],
  ['StructureMap', {
    url: 'http://example.org/m', name: 'M', status: 'draft',
    group: [{ name: 'g', typeMode: 'none', input: [{ name: 'i', mode: 'source' }], rule: [{ name: 'r', source: [{ context: 'i' }] }] }],
  }],
  ['VisionPrescription', {
    status: 'active', created: '2026-01-01', patient: { reference: 'Patient/x' }, dateWritten: '2026-01-01', prescriber: { display: 'x' },
    lensSpecification: [{ product: text, eye: 'right' }],
  }],
] as const).map(([type, content]) => [type, { resourceType: type, ...content }]))

/** A value of the right form for each kind of parameter. */
const values: Readonly<Record<string, string>> = {
  string: 'text', token: 'some-code', reference: 'Patient/patient-0', date: 'ge2026', number: '1', quantity: '1.5', uri: 'http://example.com/x', special: 'text',
}

/** Of types that a domain answers, which take only values that can be. */
const domainValues: Readonly<Record<string, string>> = { 'AuditEvent agent': 'Practitioner/dr', 'Schedule active': 'true', 'Schedule actor': 'Practitioner/dr', 'Slot schedule': 'Schedule/x', 'Slot status': 'free' }

function valueFor(type: string, { name, type: kind }: { name: string; type: string }): string {
  const own = domainValues[`${type} ${name}`]
  if (own !== undefined) return own
  if (name === '_id') return 'example'
  if (name === '_filter') return '_id eq example'
  if (name === 'near') return '31.2|121.5|10|km'
  if (kind !== 'composite') return values[kind] ?? 'text'
  const parameters = model.searchParameters(type)
  return (parameters.get(name)?.components ?? []).map(({ definition }) => {
    const component = [...parameters.values()].find((param) => param.url === definition)
    return values[component?.type ?? 'token']
  }).join('$')
}

async function store(entry: ResourceEntry, resource: Record<string, unknown>): Promise<void> {
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [{ resource, request: { method: 'PUT', url: `${entry.type}/example` } }] }
  const sha = Buffer.from(entry.type.padEnd(32, '.').slice(0, 32)).toString('hex')
  const reply = await request('POST', '/fhir', { as: system, body: bundle, headers: { 'X-Load-Sha256': sha } })
  expect([entry.type, reply.status, reply.json.issue ?? []]).toEqual([entry.type, 200, []])
}

test('the statement lists the types of the catalogue, each once', () => {
  expect(listed.map((each) => each.type)).toEqual(entries.map((entry) => entry.type))
})

test('what it says of the whole server is so', async () => {
  const [rest] = statement.rest
  expect(rest.interaction.map((each: { code: string }) => each.code).sort()).toEqual(['batch', 'history-system', 'search-system', 'transaction'])
  const bundle = (type: string) => request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type } })
  expect((await bundle('batch')).json.type).toBe('batch-response')
  expect((await bundle('transaction')).json.type).toBe('transaction-response')
  for (const path of ['_history?_count=1', '?_type=Patient', ...rest.compartment.map((each: string) => `${typeOfCompartment(each)}/none/*`)]) expect([path, (await request('GET', `/fhir/${path}`, { as: system })).status]).toEqual([path, 200])
  for (const format of statement.format) expect((await request('GET', `/fhir/metadata?_format=${encodeURIComponent(format)}`)).status).toBe(200)
  for (const format of statement.patchFormat) expect((await request('PATCH', '/fhir/Patient/none', { as: system, body: '{', headers: { 'Content-Type': format } })).status).toBe(400)
})

const typeOfCompartment = (definition: string) => entries.find(({ type }) => type.toLowerCase() === definition.split('/').at(-1)?.toLowerCase())?.type

test('every profile that it names is known and of that type', async () => {
  const named = listed.flatMap((each) => (each.supportedProfile ?? []).map((profile) => [each.type, profile] as const))
  expect(named.length).toBeGreaterThan(20)
  for (const [type, profile] of named) {
    const reply = await request('POST', `/fhir/${type}/$validate?profile=${encodeURIComponent(profile)}`, { as: system, body: { resourceType: type } })
    const codes = reply.json.issue.map((each: { details: { coding?: { code: string }[] }; expression?: string[] }) => [each.details.coding?.[0]?.code, each.expression?.[0]].join(' '))
    expect([profile, codes.filter((each: string) => each.startsWith('profile-unknown') || each === `structure ${type}`)]).toEqual([profile, []])
  }
})

interface Offered { name: string; definition: string }
const offeredBy = [{ type: '', operation: statement.rest[0].operation as Offered[] }, ...listed.map((each) => ({ type: each.type, operation: (each as { operation?: Offered[] }).operation ?? [] }))]
const here = services.operations

/** Asked of every type and level that has it, by every method, without anything: whatever it answers, it is there. */
describe.each(offeredBy.filter((each) => each.operation.length > 0).map((each) => [each.type === '' ? 'the system' : each.type, each] as const))('operations of %s', (_, { type, operation }) => {
  test('each of them is offered', async () => {
    for (const { name } of operation) {
      const known = here.filter((each) => each.name === `$${name}` && (type === '' ? each.level === 'system' : each.level !== 'system' && each.types.some((one) => one === type)))
      expect([name, known.length > 0]).toEqual([name, true])
      for (const { level, methods } of known) {
        for (const method of methods) {
          const reply = await request(method, `/fhir/${type === '' ? '' : `${type}/`}${level === 'instance' ? 'none/' : ''}$${name}`, { as: system })
          const code = reply.json?.issue?.[0]?.details?.coding?.[0].code ?? 'answered'
          expect([method, name, level, reply.status < 500 && !['operation-unknown', 'method-not-allowed', 'read-only-type', 'type-unknown'].includes(code) ? 'offered' : code]).toEqual([method, name, level, 'offered'])
        }
      }
    }
  })
})

test('an operation that the statement does not name of a type is refused there', async () => {
  for (const { type, operation } of offeredBy.slice(1)) {
    const absent = [...new Set(here.filter((each) => each.level !== 'system').map((each) => each.name.slice(1)))].filter((name) => !operation.some((each) => each.name === name))
    for (const name of absent.slice(0, 3)) expect([type, name, (await request('POST', `/fhir/${type}/$${name}`, { as: system })).status]).toEqual([type, name, 404])
  }
})

/** What a domain looks up, and the examples refer to what is not there. */
const lookedUp: Readonly<Record<string, readonly string[]>> = { Encounter: ['appointment'], ChargeItem: ['context'] }
const examples = new Map(entries.map((entry) => {
  const whole = entry.projection === null ? example(model, entry.type) : {}
  return [entry.type, Object.fromEntries(Object.entries(whole).filter(([key]) => !lookedUp[entry.type]?.includes(key)))]
}))

/** Each include and reverse include that is listed, so many to a request. */
async function answersIncludes({ type, searchInclude = [], searchRevInclude = [] }: Listed): Promise<void> {
  const all = [...searchInclude.map((each) => `_include=${each}`), ...searchRevInclude.map((each) => `_revinclude=${each}`)]
  for (let at = 0; at < all.length; at += 50) {
    const some = all.slice(at, at + 50)
    const reply = await request('GET', `/fhir/${type}?_count=1&${some.join('&')}`, { as: system })
    expect([some[0], reply.status === 200 ? 200 : reply.text]).toEqual([some[0], 200])
  }
}

test.each(entries.filter((entry) => entry.projection !== null).map((entry) => entry.type))('%s, which a domain answers, is found by every parameter and include', async (type) => {
  const said = listed.find((each) => each.type === type) as Listed
  expect(said.searchParam.length).toBeGreaterThan(0)
  for (const param of said.searchParam) {
    const reply = await request('GET', `/fhir/${type}?${param.name}=${encodeURIComponent(valueFor(type, param))}`, { as: system })
    expect([param.name, reply.status === 200 ? 200 : reply.text]).toEqual([param.name, 200])
  }
  await answersIncludes(said)
})

/** What the write rule of a type says of the example, which knows nothing of its domain. */
const ruled: Readonly<Record<string, { create: string; update: string; remove: string; patch: string }>> = {
  Appointment: { create: 'business-rule', update: 'business-rule', remove: 'done', patch: 'business-rule' },
  AppointmentResponse: { create: 'not-found', update: 'business-rule', remove: 'done', patch: 'business-rule' },
  ChargeItem: { create: 'required', update: 'required', remove: 'done', patch: 'required' },
}

describe.each(entries.filter((entry) => entry.projection === null).map((entry) => [entry.type, entry] as const))('%s', (type, entry) => {
  const said = listed.find((each) => each.type === type) as Listed
  const may = (code: string): boolean => said.interaction.some((each) => each.code === code)

  test('is stored, read, found by every parameter, and has a history', async () => {
    const resource = examples.get(type) ?? {}
    await store(entry, resource)
    const read = await request('GET', `/fhir/${type}/example`, { as: system, headers: { Accept: 'application/fhir+json' } })
    expect([read.status, may('read')]).toEqual([200, true])
    const { meta, ...content } = read.json
    expect(content).toEqual(resource)
    expect(meta.versionId).toBe('1')
    expect((await request('GET', `/fhir/${type}/example/_history/1`, { as: system, headers: { Accept: 'application/fhir+json' } })).json).toEqual(read.json)
    expect((await request('GET', `/fhir/${type}/example/_history`, { as: system })).json.total).toBe(1)
    expect((await request('GET', `/fhir/${type}?_id=example`, { as: system })).json.entry).toHaveLength(1)
    for (const param of said.searchParam) {
      const reply = await request('GET', `/fhir/${type}?${param.name}=${encodeURIComponent(valueFor(type, param))}`, { as: system })
      expect([param.name, reply.status === 200 ? 200 : reply.text]).toEqual([param.name, 200])
    }
    await answersIncludes(said)
    expect((await request('GET', `/fhir/${type}?no-such-parameter=1`, { as: system })).status).toBe(400)
  })

  test('is created, updated and deleted as the statement says', async () => {
    const resource = { ...examples.get(type), id: undefined }
    if (entry.write === 'none') {
      expect(['create', 'update', 'delete'].some(may)).toBe(false)
      expect((await request('POST', `/fhir/${type}`, { as: system, body: resource })).status).toBe(405)
      return
    }
    expect(['create', 'update', 'delete'].every(may)).toBe(true)
    const rule = ruled[type]
    if (rule) {
      const code = async (method: string, path: string, body?: unknown) => (await request(method, `/fhir/${type}${path}`, { as: system, ...(body === undefined ? {} : { body }), ...(method === 'PATCH' ? { headers: { 'Content-Type': 'application/json-patch+json' } } : {}) })).json?.issue?.[0].details.coding[0].code ?? 'done'
      expect({ create: await code('POST', '', resource), update: await code('PUT', '/example', { ...resource, id: 'example', language: 'fr' }), patch: await code('PATCH', '/example', [{ op: 'add', path: '/language', value: 'zh' }]), remove: await code('DELETE', '/none') }).toEqual(rule)
      return
    }
    const created = await request('POST', `/fhir/${type}`, { as: system, body: resource })
    expect([created.status, created.json.issue ?? []]).toEqual([201, []])
    const { id } = created.json
    const updated = await request('PUT', `/fhir/${type}/${id}`, { as: system, body: { ...resource, id, language: 'zh' } })
    expect(updated.headers.get('ETag')).toBe('W/"2"')
    expect((await request('DELETE', `/fhir/${type}/${id}`, { as: system })).status).toBe(204)
    expect((await request('GET', `/fhir/${type}/${id}`, { as: system })).status).toBe(410)
  })

  test('keeps what the statement says of conditions, versions and patches', async () => {
    expect(said).toMatchObject({ versioning: 'versioned', readHistory: true, conditionalRead: 'full-support' })
    const status = async (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) =>
      (await request(method, `/fhir/${type}${path}`, { as: system, headers, ...(body === undefined ? {} : { body }) })).status
    const { meta } = (await request('GET', `/fhir/${type}/example`, { as: system, headers: { Accept: 'application/fhir+json' } })).json
    expect(await status('GET', '/example', { 'If-None-Match': `W/"${meta.versionId}"` })).toBe(304)
    expect(await status('GET', '/example', { 'If-Modified-Since': new Date(Date.parse(meta.lastUpdated) + 1000).toUTCString() })).toBe(304)
    expect(await status('GET', '/_history?_count=1')).toBe(200)
    const writable = entry.write === 'open'
    expect(said).toMatchObject({ updateCreate: writable, conditionalCreate: writable, conditionalUpdate: writable, conditionalDelete: writable ? 'single' : 'not-supported' })
    expect(may('patch')).toBe(writable)
    if (!writable || ruled[type]) return
    const resource = { ...examples.get(type), id: undefined }
    expect(await status('POST', '', { 'If-None-Exist': '_id=example' }, resource)).toBe(200)
    expect(await status('PUT', '?_id=example', {}, { ...resource, id: 'example', language: 'en' })).toBe(200)
    expect(await status('PATCH', '/example', { 'Content-Type': 'application/json-patch+json', 'If-Match': 'W/"2"' }, [{ op: 'replace', path: '/language', value: 'zh' }])).toBe(200)
    expect(await status('PUT', '/made', {}, { ...resource, id: 'made' })).toBe(201)
    expect(await status('DELETE', '?_id=made')).toBe(204)
    expect((await request('GET', `/fhir/${type}/example/_history`, { as: system })).json.total).toBe(3)
  })
})
