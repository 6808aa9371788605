/** PATCH through the whole app: JSON Patch and FHIRPath Patch, by id, by condition and in bundles; what does not fit changes nothing. */
import { describe, expect, test } from 'vitest'
import { citizen, system, testPlatform, type TestReply } from '../support/platform.ts'

const { request } = await testPlatform()

const jsonPatch = { 'Content-Type': 'application/json-patch+json' }
const patient = {
  resourceType: 'Patient', active: true, gender: 'male', birthDate: '1980-05-01',
  name: [{ use: 'official', text: '张三', given: ['三'] }, { use: 'nickname', text: '小张' }],
  telecom: [{ system: 'phone', value: '1' }, { system: 'phone', value: '2' }, { system: 'phone', value: '3' }],
  contact: [{ name: { text: '李四' } }],
}

type Json = Record<string, unknown>
const make = async (resource: Json = patient): Promise<string> => (await request('POST', `/fhir/${resource.resourceType}`, { as: system, body: resource })).json.id
const code = (reply: TestReply): string => reply.json?.issue?.[0]?.details.coding[0].code
const send = (id: string, body: unknown, headers: Record<string, string> = {}) => request('PATCH', `/fhir/Patient/${id}`, { as: system, body, headers: Array.isArray(body) ? { ...jsonPatch, ...headers } : headers })
const operation = (parts: Json) => ({
  name: 'operation',
  part: Object.entries(parts).map(([name, value]) => (typeof value === 'object' ? { name, ...value } : name === 'type' ? { name, valueCode: value } : typeof value === 'number' ? { name, valueInteger: value } : { name, valueString: value })),
})
const parameters = (...operations: Json[]) => ({ resourceType: 'Parameters', parameter: operations.map(operation) })

describe('JSON Patch', () => {
  test.each<[string, unknown[], (changed: Json) => unknown, unknown]>([
    ['add sets', [{ op: 'add', path: '/maritalStatus', value: { text: '已婚' } }], (p) => p.maritalStatus, { text: '已婚' }],
    ['add inserts', [{ op: 'add', path: '/telecom/1', value: { system: 'phone', value: 'new' } }], (p) => (p.telecom as Json[]).map((each) => each.value), ['1', 'new', '2', '3']],
    ['add appends', [{ op: 'add', path: '/telecom/-', value: { system: 'phone', value: 'new' } }], (p) => (p.telecom as Json[])[3], { system: 'phone', value: 'new' }],
    ['remove', [{ op: 'remove', path: '/gender' }], (p) => p.gender, undefined],
    ['remove of the last item takes the list', [{ op: 'remove', path: '/contact/0' }], (p) => p.contact, undefined],
    ['replace', [{ op: 'replace', path: '/name/0/text', value: '张山' }], (p) => (p.name as Json[])[0]?.text, '张山'],
    ['move', [{ op: 'move', from: '/telecom/0', path: '/telecom/2' }], (p) => (p.telecom as Json[]).map((each) => each.value), ['2', '3', '1']],
    ['copy', [{ op: 'copy', from: '/name/0', path: '/contact/0/name' }], (p) => (p.contact as Json[])[0]?.name, { use: 'official', text: '张三', given: ['三'] }],
    ['test that holds', [{ op: 'test', path: '/name/0', value: { text: '张三', given: ['三'], use: 'official' } }, { op: 'replace', path: '/active', value: false }], (p) => p.active, false],
    ['test of the version', [{ op: 'test', path: '/meta/versionId', value: '1' }, { op: 'replace', path: '/active', value: false }], (p) => p.active, false],
    ['a key with / and ~', [{ op: 'add', path: '/extension', value: [{ url: 'http://example.org/a~b', valueString: 'x' }] }], (p) => p.extension, [{ url: 'http://example.org/a~b', valueString: 'x' }]],
  ])('%s', async (_, patch, pick, expected) => {
    const id = await make()
    const reply = await send(id, patch)
    expect(reply.json.issue ?? []).toEqual([])
    expect([reply.status, reply.headers.get('ETag')]).toEqual([200, 'W/"2"'])
    expect(pick(reply.json)).toEqual(expected)
    expect((await request('GET', `/fhir/Patient/${id}`, { as: system })).json).toEqual(reply.json)
  })

  test.each<[string, unknown, number, string, string | undefined]>([
    ['a test that fails', [{ op: 'replace', path: '/active', value: false }, { op: 'test', path: '/gender', value: 'female' }], 422, 'patch-failed', 'operation[1]'],
    ['nothing at the path', [{ op: 'replace', path: '/deceasedBoolean', value: true }], 422, 'patch-failed', 'operation[0]'],
    ['an index beyond the list', [{ op: 'add', path: '/telecom/9', value: {} }], 422, 'patch-failed', 'operation[0]'],
    ['a leading zero', [{ op: 'remove', path: '/telecom/01' }], 422, 'patch-failed', 'operation[0]'],
    ['into itself', [{ op: 'move', from: '/contact/0', path: '/contact/0/name' }], 422, 'patch-failed', 'operation[0]'],
    ['the whole resource', [{ op: 'remove', path: '' }], 422, 'patch-failed', 'operation[0]'],
    ['another id', [{ op: 'replace', path: '/id', value: 'other' }], 422, 'patch-failed', undefined],
    ['another type', [{ op: 'replace', path: '', value: { resourceType: 'Group' } }], 422, 'patch-failed', undefined],
    ['no object', [{ op: 'replace', path: '', value: 7 }], 422, 'patch-failed', undefined],
    ['__proto__', [{ op: 'add', path: '/__proto__', value: { x: 1 } }], 422, 'patch-failed', 'operation[0]'],
    ['the prototype', [{ op: 'add', path: '/constructor/prototype/x', value: 1 }], 422, 'patch-failed', 'operation[0]'],
    ['copies of copies', [{ op: 'add', path: '/x', value: ['y'.repeat(1000)] }, ...Array.from({ length: 40 }, () => ({ op: 'copy', from: '/x', path: '/x/-' }))], 422, 'patch-failed', undefined],
    ['an unknown op', [{ op: 'merge', path: '/x' }], 400, 'patch-invalid', 'operation[0]'],
    ['no pointer', [{ op: 'remove', path: 'gender' }], 400, 'patch-invalid', 'operation[0]'],
    ['a bad escape', [{ op: 'remove', path: '/a~2' }], 400, 'patch-invalid', 'operation[0]'],
    ['no value', [{ op: 'remove', path: '/gender' }, { op: 'add', path: '/gender' }], 400, 'patch-invalid', 'operation[1]'],
    ['a result that is not valid', [{ op: 'replace', path: '/gender', value: 'm' }], 422, 'code-unknown', 'Patient.gender'],
    ['a result with an unknown element', [{ op: 'add', path: '/nmae', value: 'x' }], 422, 'element-unknown', 'Patient.nmae'],
  ])('%s is refused and changes nothing', async (_, patch, status, expected, place) => {
    const id = await make()
    const reply = await send(id, patch)
    expect([reply.status, code(reply)]).toEqual([status, expected])
    if (place !== undefined) expect(reply.json.issue[0].expression).toEqual([place])
    expect((await request('GET', `/fhir/Patient/${id}`, { as: system })).headers.get('ETag')).toBe('W/"1"')
  })

  test('decimals keep their digits, those of the patch and those that were there', async () => {
    const body = '{"resourceType":"Observation","status":"final","code":{"text":"x"},"component":[{"code":{"text":"a"},"valueQuantity":{"value":1.10}}]}'
    const { id } = (await request('POST', '/fhir/Observation', { as: system, body })).json
    const reply = await request('PATCH', `/fhir/Observation/${id}`, { as: system, body: '[{"op":"add","path":"/valueQuantity","value":{"value":5.400}},{"op":"copy","from":"/component/0/valueQuantity","path":"/referenceRange","value":1},{"op":"remove","path":"/referenceRange"},{"op":"replace","path":"/component/0/valueQuantity/value","value":2.00}]', headers: jsonPatch })
    expect(reply.status).toBe(200)
    expect(reply.text).toContain('"valueQuantity":{"value":5.400}')
    expect(reply.text).toContain('"value":2.00}')
  })

  test('If-Match, absence, deletion, media types, preferences and rights', async () => {
    const id = await make()
    const patch = [{ op: 'replace', path: '/active', value: false }]
    expect((await send(id, patch, { 'If-Match': 'W/"9"' })).status).toBe(412)
    expect((await send(id, patch, { 'If-Match': 'W/"1"', Prefer: 'return=minimal' })).text).toBe('')
    expect((await send('never-was', patch)).status).toBe(404)
    expect((await send('not_an_id', patch)).status).toBe(400)
    const xml = await request('PATCH', `/fhir/Patient/${id}`, { as: system, body: '<diff/>', headers: { 'Content-Type': 'application/xml-patch+xml' } })
    expect([xml.status, xml.headers.get('Accept-Patch')]).toEqual([415, 'application/json-patch+json, application/fhir+json'])
    expect((await request('PATCH', `/fhir/Patient/${id}`, { body: patch, headers: jsonPatch })).status).toBe(401)
    expect((await request('PATCH', `/fhir/Patient/${id}`, { as: citizen(id), body: patch, headers: jsonPatch })).status).toBe(403)
    expect((await request('PATCH', `/fhir/Patient/${id}`, { as: citizen('another'), body: [{ op: 'test', path: '/gender', value: 'x' }], headers: jsonPatch })).status).toBe(404)
    expect((await request('PATCH', '/fhir/AuditEvent/1', { as: system, body: patch, headers: jsonPatch })).status).toBe(405)
    await request('DELETE', `/fhir/Patient/${id}`, { as: system })
    expect((await send(id, patch)).status).toBe(410)
  })

  test('twenty at once: each sees what the one before left', async () => {
    const id = await make()
    const replies = await Promise.all(Array.from({ length: 20 }, (_, n) => send(id, [{ op: 'add', path: '/telecom/-', value: { system: 'phone', value: `p${n}` } }])))
    expect(replies.map((reply) => reply.status)).toEqual(Array.from({ length: 20 }, () => 200))
    expect((await request('GET', `/fhir/Patient/${id}`, { as: system })).json.telecom).toHaveLength(23)
  })
})

const xhtml = 'xmlns="http://www.w3.org/1999/xhtml"'

describe('FHIRPath Patch', () => {
  test('Parameters without any change nothing', async () => {
    const id = await make()
    const reply = await request('PATCH', `/fhir/Patient/${id}`, { as: system, body: { resourceType: 'Parameters' } })
    const { meta: _, ...rest } = reply.json
    expect([reply.status, rest]).toEqual([200, { ...patient, id }])
  })

  test.each<[string, Json[], (changed: Json) => unknown, unknown]>([
    ['add sets', [{ type: 'add', path: 'Patient', name: 'maritalStatus', value: { valueCodeableConcept: { text: '已婚' } } }], (p) => p.maritalStatus, { text: '已婚' }],
    ['add appends', [{ type: 'add', path: 'Patient', name: 'telecom', value: { valueContactPoint: { system: 'phone', value: 'new' } } }], (p) => (p.telecom as Json[])[3], { system: 'phone', value: 'new' }],
    ['add starts a list', [{ type: 'add', path: 'Patient', name: 'identifier', value: { valueIdentifier: { value: 'x' } } }], (p) => p.identifier, [{ value: 'x' }]],
    ['add of a choice', [{ type: 'add', path: 'Patient', name: 'deceased', value: { valueBoolean: true } }], (p) => p.deceasedBoolean, true],
    ['add of an element made of parts', [{ type: 'add', path: 'Patient', name: 'contact', value: { part: [{ name: 'name', valueHumanName: { text: '王五' } }, { name: 'gender', valueCode: 'male' }] } }], (p) => (p.contact as Json[])[1], { name: { text: '王五' }, gender: 'male' }],
    ['add below a filtered element', [{ type: 'add', path: "Patient.name.where(use = 'official')", name: 'given', value: { valueString: '丰' } }], (p) => (p.name as Json[])[0]?.given, ['三', '丰']],
    ['insert', [{ type: 'insert', path: 'Patient.telecom', index: 1, value: { valueContactPoint: { system: 'phone', value: 'new' } } }], (p) => (p.telecom as Json[]).map((each) => each.value), ['1', 'new', '2', '3']],
    ['delete', [{ type: 'delete', path: 'Patient.gender' }], (p) => p.gender, undefined],
    ['delete of one item', [{ type: 'delete', path: 'Patient.telecom[1]' }], (p) => (p.telecom as Json[]).map((each) => each.value), ['1', '3']],
    ['delete of the only item takes the list', [{ type: 'delete', path: 'Patient.contact[0]' }], (p) => p.contact, undefined],
    ['delete takes what it leaves empty', [{ type: 'delete', path: 'Patient.contact[0].name.text' }, { type: 'delete', path: 'Patient.contact[0].name.use' }, { type: 'delete', path: 'Patient.contact[0].name.given[0]' }], (p) => p.contact, undefined],
    ['the text of a narrative, whose name is a word of FHIRPath', [{ type: 'add', path: 'Patient', name: 'text', value: { valueNarrative: { status: 'generated', div: `<div ${xhtml}>a</div>` } } }, { type: 'replace', path: 'Patient.text.div', value: { valueString: `<div ${xhtml}>b</div>` } }], (p) => (p.text as Json).div, `<div ${xhtml}>b</div>`],
    ['delete of what is absent is no error', [{ type: 'delete', path: 'Patient.photo' }, { type: 'delete', path: 'Patient.gender' }], (p) => p.gender, undefined],
    ['replace', [{ type: 'replace', path: 'Patient.birthDate', value: { valueDate: '1981-01-01' } }], (p) => p.birthDate, '1981-01-01'],
    ['replace in a list', [{ type: 'replace', path: 'Patient.telecom[1].value', value: { valueString: 'new' } }], (p) => (p.telecom as Json[])[1], { system: 'phone', value: 'new' }],
    ['replace of an item', [{ type: 'replace', path: 'Patient.telecom[1]', value: { valueContactPoint: { system: 'phone', value: 'new' } } }], (p) => (p.telecom as Json[])[1], { system: 'phone', value: 'new' }],
    ['move', [{ type: 'move', path: 'Patient.telecom', source: 0, destination: 2 }], (p) => (p.telecom as Json[]).map((each) => each.value), ['2', '3', '1']],
    ['each sees what the one before left', [{ type: 'delete', path: 'Patient.telecom[0]' }, { type: 'replace', path: 'Patient.telecom[0].value', value: { valueString: 'new' } }], (p) => (p.telecom as Json[]).map((each) => each.value), ['new', '3']],
  ])('%s', async (_, operations, pick, expected) => {
    const id = await make()
    const reply = await send(id, parameters(...operations))
    expect(reply.json.issue ?? []).toEqual([])
    expect([reply.status, reply.headers.get('ETag')]).toEqual([200, 'W/"2"'])
    expect(pick(reply.json)).toEqual(expected)
  })

  test('a choice of another type replaces the one that was there', async () => {
    const observation = await make({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, valueString: 'a' })
    const reply = await request('PATCH', `/fhir/Observation/${observation}`, { as: system, body: parameters({ type: 'replace', path: 'Observation.value', value: { valueQuantity: { value: 1 } } }) })
    expect(reply.json).toMatchObject({ valueQuantity: { value: 1 } })
    expect(reply.json.valueString).toBeUndefined()
  })

  test.each<[string, Json[], number, string]>([
    ['replace of what is absent', [{ type: 'replace', path: 'Patient.photo', value: { valueAttachment: {} } }], 422, 'patch-failed'],
    ['add of what is there', [{ type: 'add', path: 'Patient', name: 'gender', value: { valueCode: 'male' } }], 422, 'patch-failed'],
    ['add of an unknown element', [{ type: 'add', path: 'Patient', name: 'nmae', value: { valueString: 'x' } }], 422, 'patch-failed'],
    ['a value of another kind', [{ type: 'replace', path: 'Patient.gender', value: { valueHumanName: { text: 'x' } } }], 422, 'patch-failed'],
    ['several elements', [{ type: 'delete', path: 'Patient.telecom' }], 422, 'patch-failed'],
    ['an index beyond the list', [{ type: 'insert', path: 'Patient.telecom', index: 9, value: { valueContactPoint: { value: 'x' } } }], 422, 'patch-failed'],
    ['a move beyond the list', [{ type: 'move', path: 'Patient.telecom', source: 3, destination: 0 }], 422, 'patch-failed'],
    ['no FHIRPath', [{ type: 'delete', path: 'Patient..gender(' }], 422, 'patch-failed'],
    ['what is no element', [{ type: 'delete', path: "'x'" }], 422, 'patch-failed'],
    ['a pattern without end', [{ type: 'delete', path: `Patient.name.where(text.matches('(a+)+$'))` }], 422, 'patch-failed'],
    ['the resource itself', [{ type: 'delete', path: 'Patient' }], 422, 'patch-failed'],
    ['another id', [{ type: 'replace', path: 'Patient.id', value: { valueId: 'x' } }], 422, 'patch-failed'],
    ['an unknown type', [{ type: 'merge', path: 'Patient' }], 400, 'patch-invalid'],
    ['no path', [{ type: 'delete' }], 400, 'patch-invalid'],
    ['no value', [{ type: 'add', path: 'Patient', name: 'gender' }], 400, 'patch-invalid'],
    ['no operation', [], 400, 'patch-invalid'],
    ['a result that is not valid', [{ type: 'replace', path: 'Patient.gender', value: { valueCode: 'm' } }], 422, 'code-unknown'],
  ])('%s is refused', async (_, operations, status, expected) => {
    const id = await make()
    const reply = await send(id, parameters(...operations))
    expect([reply.status, code(reply)]).toEqual([status, expected])
    expect((await request('GET', `/fhir/Patient/${id}`, { as: system })).headers.get('ETag')).toBe('W/"1"')
  })

  test('the refusal names the operation', async () => {
    const reply = await send(await make(), parameters({ type: 'delete', path: 'Patient.gender' }, { type: 'replace', path: 'Patient.gender', value: { valueCode: 'male' } }))
    expect(reply.json.issue[0].expression).toEqual(['Parameters.parameter[1]'])
  })
})

describe('by condition and in bundles', () => {
  const identified = (value: string) => ({ ...patient, identifier: [{ system: 'urn:patch', value }] })
  const flip = [{ op: 'replace', path: '/active', value: false }]

  test('a conditional patch needs exactly one match', async () => {
    await make(identified('1'))
    const by = (value: string) => request('PATCH', `/fhir/Patient?identifier=urn:patch|${value}`, { as: system, body: flip, headers: jsonPatch })
    expect((await by('1')).json.active).toBe(false)
    expect((await by('none')).status).toBe(404)
    await make(identified('1'))
    const two = await by('1')
    expect([two.status, code(two)]).toEqual([412, 'conditional-ambiguous'])
  })

  test('a transaction patches with Parameters and with a Binary, references to its entries included', async () => {
    const [one, two] = [await make(identified('t1')), await make(identified('t2'))]
    const uuid = 'urn:uuid:00000000-0000-4000-8000-000000000001'
    const binary = (document: unknown) => ({ resourceType: 'Binary', contentType: 'application/json-patch+json', data: Buffer.from(JSON.stringify(document)).toString('base64') })
    const reply = await request('POST', '/fhir', { as: system, headers: { Prefer: 'return=representation' }, body: { resourceType: 'Bundle', type: 'transaction', entry: [
      { resource: binary([{ op: 'add', path: '/managingOrganization', value: { reference: uuid } }]), request: { method: 'PATCH', url: `Patient/${one}`, ifMatch: 'W/"1"' } },
      { resource: parameters({ type: 'add', path: 'Patient', name: 'managingOrganization', value: { valueReference: { reference: uuid } } }), request: { method: 'PATCH', url: 'Patient?identifier=urn:patch|t2' } },
      { fullUrl: uuid, resource: { resourceType: 'Organization', name: '浦江医院' }, request: { method: 'POST', url: 'Organization' } },
    ] } })
    expect(reply.status).toBe(200)
    const organization = `Organization/${reply.json.entry[2].resource.id}`
    expect(reply.json.entry.slice(0, 2).map((each: { resource: { id: string; managingOrganization: { reference: string } } }) => [each.resource.id, each.resource.managingOrganization.reference])).toEqual([[one, organization], [two, organization]])
  })

  test('a patch that fails fails the transaction and names its entry and operation', async () => {
    const one = await make(identified('t3'))
    const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [
      { resource: { resourceType: 'Patient', identifier: [{ system: 'urn:patch', value: 't4' }] }, request: { method: 'POST', url: 'Patient' } },
      { resource: parameters({ type: 'delete', path: 'Patient.photo' }, { type: 'replace', path: 'Patient.photo', value: { valueAttachment: { url: 'x' } } }), request: { method: 'PATCH', url: `Patient/${one}` } },
    ] } })
    expect([reply.status, reply.json.issue[0].expression]).toEqual([422, ['Bundle.entry[1].resource.parameter[1]']])
    expect((await request('GET', '/fhir/Patient?identifier=urn:patch|t4', { as: system })).json.entry).toBeUndefined()
  })
})
