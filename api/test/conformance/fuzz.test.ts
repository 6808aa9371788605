/**
 * Whatever is sent: never a 500, never more than was asked for, never anything of another's record, and of what is refused nothing is
 * left. `FUZZ_SECONDS=600 npx vitest run api/test/conformance/fuzz` looks for longer, from a seed of its own, which is printed; `FUZZ_SEED=…` repeats one.
 */
import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ResourceType } from '../../src/fhir/resource-types.ts'
import { fullResources } from '../support/full-resource.ts'
import { citizen, system, testPlatform, type TestReply } from '../support/platform.ts'

const { request, services, db } = await testPlatform()
const { model, entries } = services.store

const seconds = Number(process.env.FUZZ_SECONDS ?? 0)
const seed = Number(process.env.FUZZ_SEED ?? (seconds > 0 ? Date.now() % 2 ** 31 : 20261126))
const properties = 8
if (seconds > 0) process.stderr.write(`fuzz seed ${seed}\n`)

/** A property as often as its kind is worth, or as long as its share of the time is. */
async function hold<T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => Promise<void>, runs: number): Promise<void> {
  const limits = seconds > 0 ? { numRuns: 1e9, interruptAfterTimeLimit: (seconds * 1000) / properties, markInterruptAsFailure: false } : { numRuns: runs }
  await fc.assert(fc.asyncProperty(arbitrary, predicate), { seed, ...limits, endOnFailure: false })
}
const patience = (seconds + 60) * 1000

/** What only the record of `q` holds. */
const secret = 'ZQ7XSECRETOFQ'

const stored = [...entries.values()].filter((entry) => entry.projection === null && entry.write === 'open' && entry.rule === null).map((entry) => entry.type)
const all = [...entries.keys()]

const nastyText = fc.oneof(
  fc.constantFrom('', ' ', '\u0000', 'a\u0000b', '\ud800', 'x\udfffy', '\ufeff', '\u202eabc\u202c', '\u2066x', 'e\u0301', '👨‍👩‍👧‍👦', '𠮷', '\uf8ffnumber:1', 'null', 'true', '-1', '1e400', 'NaN', '[]', '{}', '..', '../../etc/passwd'),
  fc.constantFrom("'", "' or '1'='1", "'; drop table resource; --", '") or 1=1 --', '\\', '\\\\,', '$$', '%', '%25', '_', '*', '?', `${'$'}{7*7}`, '{{7*7}}', '<script>alert(1)</script>', '__proto__', 'constructor', 'toString', 'hasOwnProperty'),
  fc.constantFrom('a'.repeat(3000), `${'a'.repeat(2000)}!`, '('.repeat(300), `${'('.repeat(100)}${')'.repeat(100)}`, '(a+)+$', '|', '||', 'http://x|y|z', ',', ',,,', 'a,b\\,c', 'Patient/', '/Patient/1', 'Patient/1/_history/', '#', '#x', 'urn:uuid:', 'urn:oid:1.2'),
  fc.constantFrom('2024', '2024-13', '2024-02-30', '0000', '9999-12-31T23:59:60Z', 'ge', 'ge2024', 'eq', 'ap1e308', 'lt-0', '1e-400', '31.2|121.5|-1|km', 'gt5.4|http://unitsofmeasure.org|mg/{x', 'Patient.name', 'repeat($this)', 'descendants().where(true)', '%resource'),
  fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 20 }),
)
const rawNumber = fc.constantFrom('0', '-0', '1e400', '-1e400', '1e-400', '1E+2', '0.10', '1.000000000000000000001', '123456789012345678901234567890', '9007199254740993', '2147483648', '-2147483649', '0.1e1', '5e-324')
const rawJson = (text: string): unknown => JSON.rawJSON(text)
const isRaw = (value: object): boolean => Object.isFrozen(value) && 'rawJSON' in value
const deep = (depth: number): unknown => JSON.parse(`${'[{"extension":'.repeat(depth)}1${'}]'.repeat(depth)}`)

type Mutation = { kind: 'value'; value: unknown } | { kind: 'number'; text: string } | { kind: 'drop' | 'wrap' | 'double' | 'deep' } | { kind: 'rename'; name: string } | { kind: 'add'; name: string; value: unknown }
const mutation: fc.Arbitrary<{ at: number; what: Mutation }> = fc.record({
  at: fc.nat({ max: 10_000 }),
  what: fc.oneof(
    fc.oneof(nastyText, fc.constantFrom<unknown>(null, true, false, 0, {}, [], [[]], [null], { extension: [] }, { reference: 'Nothing/1' }, { reference: '#nothing' })).map((value) => ({ kind: 'value' as const, value })),
    rawNumber.map((text) => ({ kind: 'number' as const, text })),
    fc.constantFrom('drop' as const, 'wrap' as const, 'double' as const, 'deep' as const).map((kind) => ({ kind })),
    nastyText.map((name) => ({ kind: 'rename' as const, name })),
    fc.tuple(fc.oneof(nastyText, fc.constantFrom('id', '_id', 'extension', 'contained', 'meta', 'text', 'resourceType', '_birthDate', 'fhir_comments')), nastyText).map(([name, value]) => ({ kind: 'add' as const, name, value })),
  ),
})

/** Changes the n-th place of a resource, counted through all of it. */
function mutated(resource: unknown, { at, what }: { at: number; what: Mutation }): unknown {
  const places: { holder: Record<string, unknown>; key: string }[] = []
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || isRaw(value)) return
    for (const key of Object.keys(value)) {
      if (key === 'resourceType' && value === resource) continue
      places.push({ holder: value as Record<string, unknown>, key })
      walk((value as Record<string, unknown>)[key])
    }
  }
  walk(resource)
  const place = places[at % Math.max(places.length, 1)]
  if (!place) return resource
  const { holder, key } = place
  const set = (name: string, value: unknown): void => { Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true }) }
  switch (what.kind) {
    case 'value': set(key, structuredClone(what.value)); break
    case 'number': set(key, rawJson(what.text)); break
    case 'drop': delete holder[key]; break
    case 'wrap': set(key, [holder[key]]); break
    case 'double': set(key, Array.isArray(holder[key]) ? [...holder[key] as unknown[], ...holder[key] as unknown[]] : [holder[key], holder[key]]); break
    case 'deep': set(key, deep(70)); break
    case 'rename': { const value = holder[key]; delete holder[key]; set(what.name, value); break }
    default: if (!Array.isArray(holder)) set(what.name, what.value)
  }
  return resource
}

const wholes = new Map<string, readonly Record<string, unknown>[]>()
function whole(type: ResourceType, round: number): Record<string, unknown> {
  const list = wholes.get(type) ?? fullResources(model, type)
  wholes.set(type, list)
  const { meta: _, ...rest } = list[round % list.length] as Record<string, unknown>
  return structuredClone(rest)
}

/** A resource of any type, filled or nearly empty, with up to four changes, as text. */
const resourceText = fc.record({ type: fc.constantFrom(...stored), round: fc.nat({ max: 13 }), few: fc.boolean(), changes: fc.array(mutation, { minLength: 0, maxLength: 4 }) }).map(({ type, round, few, changes }) => {
  const full = whole(type, round)
  const properties = model.structures.get(type)?.properties
  const resource = few ? Object.fromEntries(Object.entries(full).filter(([key]) => key === 'resourceType' || (properties?.get(key)?.element.min ?? 0) > 0)) : full
  for (const change of changes) mutated(resource, change)
  return { type, resource }
})

function fine(reply: TestReply, sent: string): void {
  const known = reply.status >= 200 && reply.status < 500
  expect(known ? '' : `${reply.status} ${reply.text.slice(0, 300)} ← ${sent.slice(0, 2000)}`).toBe('')
  if (reply.status >= 400 && reply.text !== '') expect(reply.json.resourceType).toBe('OperationOutcome')
}

async function rows(): Promise<number> {
  const { rows: [counted] } = await sql<{ n: number }>`select (select count(*) from resource)::int + (select count(*) from resource_history)::int as n`.execute(db)
  return counted?.n ?? 0
}

const pulse = (id: string, patient: string, text: string) => ({
  resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: 'http://loinc.org', code: '8867-4', display: text }] }, subject: { reference: `Patient/${patient}` },
  effectiveDateTime: '2026-01-01', valueQuantity: { value: 70, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' }, performer: [{ reference: 'Practitioner/dr' }], note: [{ text }],
})

beforeAll(async () => {
  const put = (resource: { resourceType: string; id: string }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
  const condition = (id: string, patient: string, text: string) => ({ resourceType: 'Condition', id, subject: { reference: `Patient/${patient}` }, code: { text }, clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] } })
  const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [
    put({ resourceType: 'Practitioner', id: 'dr', name: [{ text: '李医生' }] } as never), put({ resourceType: 'Patient', id: 'p', name: [{ text: '王芳' }], gender: 'female' } as never),
    put({ resourceType: 'Patient', id: 'q', name: [{ text: secret }], identifier: [{ system: 'urn:x', value: secret }], generalPractitioner: [{ reference: 'Practitioner/dr' }] } as never),
    ...Array.from({ length: 6 }, (_, index) => put(pulse(`p${index}`, 'p', 'ordinary'))), ...Array.from({ length: 6 }, (_, index) => put(pulse(`q${index}`, 'q', secret))),
    put(condition('pc', 'p', 'ordinary')), put(condition('qc', 'q', secret)),
  ] } })
  expect(reply.json.issue ?? []).toEqual([])
})

describe('fuzz', () => {
  test('any resource is stored as it is or refused whole', async () => {
    await hold(resourceText, async ({ type, resource }) => {
      const own = { ...resource, id: 'fuzzed' }
      const body = JSON.stringify(own)
      const before = await rows()
      const reply = await request('PUT', `/fhir/${type}/fuzzed`, { as: system, body })
      fine(reply, body)
      if (reply.status >= 400) {
        expect(await rows()).toBe(before)
        return
      }
      const read = await request('GET', `/fhir/${type}/fuzzed`, { as: system })
      const { meta: _, ...content } = read.json
      const { meta: __, ...sent } = JSON.parse(body)
      expect(content).toEqual(sent)
      expect((await request('GET', `/fhir/${type}?_id=fuzzed`, { as: system })).json.entry).toHaveLength(1)
      expect((await request('DELETE', `/fhir/${type}/fuzzed`, { as: system })).status).toBe(204)
    }, 80)
  }, patience)

  test('$validate has something to say of any resource', async () => {
    await hold(resourceText, async ({ type, resource }) => {
      const body = JSON.stringify(resource)
      fine(await request('POST', `/fhir/${type}/$validate`, { as: system, body }), body)
    }, 40)
  }, patience)

  const codes = [...new Set(['Observation', 'Patient', 'Condition', 'Encounter', 'ValueSet', 'MolecularSequence'].flatMap((type) => [...model.searchParameters(type as ResourceType).keys()]))]
  const controls = ['_count', '_sort', '_include', '_revinclude', '_include:iterate', '_summary', '_elements', '_total', '_page', '_id', '_lastUpdated', '_tag', '_list', '_text', '_content', '_type', '_filter', '_has:Observation:patient:code', '_format', '_pretty', '_since', '_at']
  const modifiers = ['', '', '', ':exact', ':contains', ':missing', ':not', ':text', ':in', ':not-in', ':above', ':below', ':identifier', ':of-type', ':Patient', ':iterate', '.name', ':Patient.name', '.performer.name', ':nonsense', ':']
  const value = fc.oneof(nastyText, fc.constantFrom('p', 'q', 'Patient/p', 'Patient/q', 'ordinary', 'http://loinc.org|8867-4', 'final', '70', '2026', 'true', 'Observation:patient', 'Observation:*', '*', '-date', 'date,-code', '1000', 'count', 'text'))
  const parameter = fc.tuple(fc.oneof(fc.constantFrom(...codes), fc.constantFrom(...controls), nastyText), fc.constantFrom(...modifiers), value).map(([code, modifier, text]): [string, string] => [`${code}${modifier}`, text])
  const queryOf = (parameters: readonly (readonly [string, string])[]) => parameters.map(([name, text]) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(text.toWellFormed())}`).join('&')
  const matches = (reply: TestReply): string[] => (reply.json?.entry ?? []).filter((each: { search?: { mode: string } }) => each.search?.mode === 'match').map((each: { fullUrl: string }) => each.fullUrl)

  test('no parameter widens a search', async () => {
    const every = matches(await request('GET', '/fhir/Observation?patient=p&_count=1000', { as: system }))
    expect(every).toHaveLength(6)
    await hold(fc.array(parameter, { minLength: 1, maxLength: 4 }), async (parameters) => {
      const query = `patient=p&_count=1000&${queryOf(parameters)}`
      for (const headers of [{}, { Prefer: 'handling=lenient' }] as Record<string, string>[]) {
        const reply = await request('GET', `/fhir/Observation?${query}`, { as: system, headers })
        fine(reply, query)
        expect(matches(reply).filter((each) => !every.includes(each))).toEqual([])
      }
    }, 100)
  }, patience)

  const path = fc.tuple(fc.constantFrom(...all), fc.constantFrom('', '/p', '/q', '/p0', '/q0', '/qc', '/_history', '/q/_history', '/q/_history/1', '/q0/_history/1', '/p/Observation', '/q/Observation', '/q/*', '/$lastn', '/q/$everything', '/$everything', '/$meta', '/q/$meta', '/q/$access-log', '/_search', '/$export')).map((parts) => parts.join(''))
  const method = fc.constantFrom('GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'PATCH')

  test('nothing of another record, whatever is asked', async () => {
    let asked = 0
    await hold(fc.tuple(method, fc.oneof(path, fc.constantFrom('', '$meta', '_history', '$export')), fc.array(parameter, { maxLength: 3 })), async ([verb, address, parameters]) => {
      const target = `/fhir/${address}${parameters.length > 0 ? `?${queryOf(parameters)}` : ''}`
      const body = verb === 'PUT' || verb === 'PATCH' || verb === 'POST' ? {} : undefined
      // Another session each time: the rate of one is limited.
      const reply = await request(verb, target, { as: { ...citizen('p'), id: `account-p-${asked++}` }, ...(body ? { body } : {}) })
      fine(reply, `${verb} ${target}`)
      expect(reply.text.includes(secret) ? `${verb} ${target}` : '').toBe('')
      if (verb !== 'GET') expect([401, 403, 404, 405, 400, 415, 422, 200, 412, 204, 304, 406]).toContain(reply.status)
    }, 166)
    expect((await request('GET', '/fhir/Patient/q', { as: system })).json.meta.versionId).toBe('1')
  }, patience)

  const patchValue = fc.oneof(nastyText, fc.constantFrom<unknown>(null, 1, true, {}, [], { text: 'x' }))
  const pointer = fc.oneof(nastyText, fc.constantFrom('/gender', '/name/0/text', '/name/-', '/name/99999999999', '/birthDate', '/~0', '/~1', '/~2', '/__proto__/x', '/constructor', '/name/0/__proto__', '', '/', '/id', '/meta/versionId', '/resourceType'))
  const jsonPatch = fc.array(fc.record({ op: fc.oneof(fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'), nastyText), path: pointer, from: pointer, value: patchValue }, { requiredKeys: ['op'] }), { maxLength: 4 })
  const fhirPath = fc.oneof(nastyText, fc.constantFrom('Patient', 'Patient.name', 'Patient.name[0].text', "Patient.name.where(text = 'x')", 'Patient.gender', "Patient.name.where(text.matches('(a+)+$'))", 'Patient.descendants()', 'Patient.name.repeat(given)', '%resource', "'x'", '1 + 1'))
  const fhirPatch = fc.array(fc.record({ type: fc.oneof(fc.constantFrom('add', 'insert', 'delete', 'replace', 'move'), nastyText), path: fhirPath, name: nastyText, index: fc.oneof(fc.integer(), nastyText), value: patchValue }, { requiredKeys: ['type'] }), { maxLength: 3 })
    .map((operations) => ({ resourceType: 'Parameters', parameter: operations.map((each) => ({ name: 'operation', part: Object.entries(each).map(([name, given]) => ({ name, [typeof given === 'number' ? 'valueInteger' : typeof given === 'object' ? 'valueHumanName' : typeof given === 'boolean' ? 'valueBoolean' : 'valueString']: given })) })) }))

  test('a patch changes a resource into a valid one or not at all', async () => {
    const base = { resourceType: 'Patient', id: 'patched', name: [{ text: 'x' }], gender: 'male' }
    await request('PUT', '/fhir/Patient/patched', { as: system, body: base })
    await hold(fc.oneof(jsonPatch.map((body) => ({ type: 'application/json-patch+json', body: body as unknown })), fhirPatch.map((body) => ({ type: 'application/fhir+json', body: body as unknown }))), async ({ type, body }) => {
      const before = (await request('GET', '/fhir/Patient/patched', { as: system })).text
      const text = JSON.stringify(body)
      const reply = await request('PATCH', '/fhir/Patient/patched', { as: system, body: text, headers: { 'Content-Type': type } })
      fine(reply, text)
      const after = await request('GET', '/fhir/Patient/patched', { as: system })
      if (reply.status >= 400) expect(after.text).toBe(before)
      else if (after.text !== before) expect((await request('PUT', '/fhir/Patient/patched', { as: system, body: base })).status).toBe(200)
    }, 80)
  }, patience)

  const entry = fc.oneof(
    resourceText.map(({ type, resource }) => ({ fullUrl: 'urn:uuid:00000000-0000-4000-8000-000000000001', resource, request: { method: 'POST', url: type } })),
    fc.record({ fullUrl: nastyText, resource: fc.constantFrom<unknown>({ resourceType: 'Patient' }, null, [], 'x', { resourceType: 'Nothing' }), request: fc.record({ method: fc.oneof(fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'), nastyText), url: fc.oneof(path, nastyText, fc.constantFrom('Patient', 'Patient?identifier=x', 'Patient/p9')), ifMatch: nastyText, ifNoneExist: nastyText, ifNoneMatch: nastyText, ifModifiedSince: nastyText }, { requiredKeys: [] }) }, { requiredKeys: [] }),
    fc.constantFrom<unknown>(null, 1, [], {}, { request: null }),
  )

  test('a refused transaction leaves nothing behind; a batch answers every entry', async () => {
    await hold(fc.tuple(fc.constantFrom('transaction', 'batch'), fc.array(entry, { minLength: 1, maxLength: 4 })), async ([type, list]) => {
      const good = { resource: { resourceType: 'Basic', code: { text: 'x' } }, request: { method: 'POST', url: 'Basic' } }
      const body = JSON.stringify({ resourceType: 'Bundle', type, entry: [good, ...list] })
      const before = await rows()
      const reply = await request('POST', '/fhir', { as: system, body })
      fine(reply, body)
      if (reply.status >= 400) expect(await rows()).toBe(before)
      else {
        expect(reply.json.entry).toHaveLength(list.length + 1)
        for (const each of reply.json.entry) expect(each.response.status.startsWith('5') ? `${JSON.stringify(each)} ← ${body}` : '').toBe('')
      }
    }, 80)
  }, patience)

  const headerValue = nastyText.filter((text) => /^[\u0020-\u007e\u00a0-\u00ff]*$/.test(text) && text.length < 4000)
  const header = fc.tuple(fc.constantFrom('Accept', 'Accept-Language', 'Accept-Encoding', 'Prefer', 'If-Match', 'If-None-Match', 'If-Modified-Since', 'If-None-Exist', 'Content-Type', 'Content-Encoding', 'Idempotency-Key', 'X-Load-Sha256', 'X-Load-Name', 'Range', 'Origin', 'X-Security-Context', 'X-Request-Id'),
    fc.oneof(headerValue, fc.constantFrom('W/"1"', '*', 'return=minimal', 'handling=lenient', 'respond-async', 'gzip;q=0', 'application/json;q=x', 'application/fhir+json; fhirVersion=4.0', 'identifier=x', 'Mon, 01 Jan 2024 00:00:00 GMT', 'en;q=0.1, zh', 'br')))

  test('no header breaks anything', async () => {
    await hold(fc.tuple(method, path, fc.array(header, { maxLength: 4 })), async ([verb, address, headers]) => {
      const reply = await request(verb, `/fhir/${address}`, { as: system, headers: Object.fromEntries(headers), ...(verb === 'POST' || verb === 'PUT' ? { body: '{"resourceType":"Basic","code":{"text":"x"}}' } : {}) })
      expect(reply.status >= 500 ? `${reply.status} ${verb} ${address} ${JSON.stringify(headers)} ${reply.text.slice(0, 200)}` : '').toBe('')
    }, 133)
  }, patience)

  const operationCall = fc.record({
    operation: fc.constantFrom(...services.operations.filter((each) => !['$submit', '$reverse', '$reconcile'].includes(each.name))),
    parameters: fc.array(fc.record({ name: fc.oneof(nastyText, fc.constantFrom('url', 'system', 'code', 'coding', 'codeableConcept', 'filter', 'count', 'offset', 'valueSet', 'resource', 'profile', 'mode', 'meta', 'start', 'end', '_since', '_type', 'patient', 'max', 'display', 'version', 'property', 'displayLanguage', 'slot', 'practitioner', 'reason', 'appointment', 'department', 'organization', 'schedule', 'service-type', 'near', 'text')), value: fc.oneof(nastyText, fc.constantFrom<unknown>(1, -1, true, {}, [], { system: 'http://loinc.org', code: 'x' }, 'http://hl7.org/fhir/ValueSet/administrative-gender', 'http://hl7.org/fhir/administrative-gender', 'male')) }), { maxLength: 4 }),
  })

  test('no operation breaks, whatever its parameters', async () => {
    await hold(fc.tuple(operationCall, fc.boolean()), async ([{ operation, parameters }, posted]) => {
      const type = operation.types.length > 0 ? `/${operation.types[parameters.length % operation.types.length]}` : ''
      const address = `/fhir${type}${operation.level === 'instance' ? `/${['q', 'none', '0195d3a2-0000-7000-8000-000000000001'][parameters.length % 3]}` : ''}/${operation.name}`
      const key = (given: unknown) => (typeof given === 'string' ? 'valueString' : typeof given === 'number' ? 'valueInteger' : typeof given === 'boolean' ? 'valueBoolean' : 'valueCoding')
      const body = JSON.stringify({ resourceType: 'Parameters', parameter: parameters.map(({ name, value: given }) => ({ name, [key(given)]: given })) })
      const query = queryOf(parameters.map(({ name, value: given }) => [name, String(given)] as const))
      const headers: Record<string, string> = operation.name === '$export' ? { Prefer: 'respond-async' } : {}
      const reply = posted ? await request('POST', address, { as: system, body, headers }) : await request('GET', `${address}?${query}`, { as: system, headers })
      fine(reply, `${address} ${posted ? body : query}`)
    }, 100)
  }, patience)

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'])('the name %s, which every object has, means nothing', async (name) => {
    const status = async (path: string, headers = {}) => (await request('GET', `/fhir/${path}`, { as: system, headers })).status
    for (const path of [`Observation?${name}=x`, `Observation?${name}:exact=x`, `Observation?code:${name}=x`, `Observation?${name}.name=x`, `Observation?_sort=${name}`, `Observation?_include=Observation:${name}`, `Location?near=31|121|1|${name}`,
      `Patient/p?${name}=x`, `Patient/p/_history?${name}=x`, `Patient/p/$everything?${name}=x`, `ValueSet/$expand?${name}=x`, `Observation/$lastn?patient=p&${name}=x`, `$export?${name}=x`]) {
      expect([path, await status(path, path.includes('export') ? { Prefer: 'respond-async' } : {})]).toEqual([path, 400])
    }
    for (const path of [name, `Patient/p/$${name}`, `$${name}`]) expect([path, await status(path)]).toEqual([path, 404])
    const patient = (more: object) => request('POST', '/fhir/Patient', { as: system, body: JSON.stringify({ resourceType: 'Patient', ...more }) })
    expect((await patient({ [name === '__proto__' ? '_x' : name]: 'x' })).status).toBe(422)
    expect((await request('POST', '/fhir/Patient', { as: system, body: `{"resourceType":"Patient","${name}":{"x":1}}` })).status).toBe(422)
    expect((await patient({ gender: name })).status).toBe(422)
    expect((await patient({ text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">&${name};</div>` } })).status).toBeLessThan(500)
  })

  test('nesting of 10,000 levels, in a body, a bundle, a patch and a parameter', async () => {
    const nested = `${'[{"extension":'.repeat(10_000)}1${'}]'.repeat(10_000)}`
    for (const [verb, address, body, type] of [
      ['POST', '/fhir/Patient', `{"resourceType":"Patient","extension":${nested}}`, 'application/fhir+json'], ['POST', '/fhir', `{"resourceType":"Bundle","type":"transaction","entry":${nested}}`, 'application/fhir+json'],
      ['PATCH', '/fhir/Patient/p', `[{"op":"add","path":"/name","value":${nested}}]`, 'application/json-patch+json'], ['POST', '/fhir/ValueSet/$expand', `{"resourceType":"Parameters","parameter":${nested}}`, 'application/fhir+json'],
    ] as const) expect((await request(verb, address, { as: system, body, headers: { 'Content-Type': type } })).json.issue[0].details.coding[0].code).toBe('json-too-deep')
    expect((await request('GET', `/fhir/Observation?${'subject:Patient.'.repeat(10_000)}name=x`, { as: system })).status).toBe(400)
    expect((await request('GET', `/fhir/Observation?code=${'('.repeat(10_000)}`, { as: system })).status).toBe(200)
    expect((await request('GET', `/fhir/${'Patient/'.repeat(5_000)}`, { as: system })).status).toBe(404)
  })
})
