/** fhirpatch.html of FHIR R4, and RFC 6902 as http.html#patch uses it. */
import { type Expected, type Rule, rulesOf, type Step } from './rule.ts'

type Json = Record<string, unknown>
const whole = { resourceType: 'Patient', id: 'rule-patch', active: true, birthDate: '1990-01-02', name: [{ family: 'Patched', given: ['A', 'B', 'C'] }, { text: 'second' }], contact: [{ name: { text: 'a' }, gender: 'male' }], maritalStatus: { text: 'm' } }
const reset: Step = ['PUT Patient/rule-patch', { body: whole }, { status: [200, 201] }]
const jsonPatch = { 'Content-Type': 'application/json-patch+json' }
const send = (operations: unknown, expected: number | Expected): Step => ['PATCH Patient/rule-patch', { headers: jsonPatch, body: typeof operations === 'string' ? operations : operations }, expected]
const makes = (operations: readonly Json[], json: object): Step[] => [reset, send(operations, { status: 200, json })]
const fails = (operations: unknown, ...status: number[]): Step[] => [reset, send(operations, { status, json: { resourceType: 'OperationOutcome' } }), ['GET Patient/rule-patch', { status: 200, json: { birthDate: '1990-01-02' } }]]

const ofJson: Rule[] = rulesOf('http.html', [
  ['patch', 'SHALL', 'add, at an end, in the middle, over what is there', ...makes([{ op: 'add', path: '/gender', value: 'male' }], { gender: 'male' }), ...makes([{ op: 'add', path: '/name/0/given/1', value: 'X' }, { op: 'add', path: '/name/0/given/-', value: 'Z' }], { name: [{ given: ['A', 'X', 'B', 'C', 'Z'] }, {}] }), ...makes([{ op: 'add', path: '/active', value: false }], { active: false })],
  ['patch', 'SHALL', 'remove, replace, move, copy', ...makes([{ op: 'remove', path: '/name/1' }], { name: [{ family: 'Patched' }] }), ...makes([{ op: 'replace', path: '/birthDate', value: '2000-01-01' }], { birthDate: '2000-01-01' }), ...makes([{ op: 'move', from: '/name/0/given/0', path: '/name/0/given/2' }], { name: [{ given: ['B', 'C', 'A'] }, {}] }), ...makes([{ op: 'copy', from: '/name/0/family', path: '/name/1/family' }], { name: [{}, { family: 'Patched', text: 'second' }] })],
  ['patch', 'SHALL', 'test lets pass or fails all', ...makes([{ op: 'test', path: '/active', value: true }, { op: 'add', path: '/gender', value: 'male' }], { gender: 'male' }), ...fails([{ op: 'add', path: '/gender', value: 'male' }, { op: 'test', path: '/active', value: false }], 400, 409, 412, 422), ...fails([{ op: 'test', path: '/name/5', value: {} }], 400, 409, 412, 422)],
  ['patch', 'SHALL', 'a path that is not there fails: 4xx', ...fails([{ op: 'remove', path: '/gender' }], 400, 422), ...fails([{ op: 'replace', path: '/nothing/0', value: 1 }], 400, 422), ...fails([{ op: 'add', path: '/name/9', value: {} }], 400, 422), ...fails([{ op: 'add', path: '/name/x', value: {} }], 400, 422), ...fails([{ op: 'move', from: '/none', path: '/gender' }], 400, 422), ...fails([{ op: 'move', from: '/name', path: '/name/0' }], 400, 422)],
  ['patch', 'SHALL', 'what is no patch is 400', ...fails({ op: 'add' }, 400), ...fails('nonsense', 400), ...fails('', 400), ...fails([{ op: 'nonsense', path: '/x' }], 400), ...fails([{ path: '/x' }], 400), ...fails([{ op: 'add', path: 'x', value: 1 }], 400), ...fails([{ op: 'add', path: '/gender' }], 400), ...fails([1], 400)],
  ['patch', 'SHALL', 'id, type and version cannot be patched away', ...fails([{ op: 'replace', path: '/id', value: 'other' }], 400, 422), ...fails([{ op: 'replace', path: '/resourceType', value: 'Group' }], 400, 422), ...fails([{ op: 'remove', path: '/id' }], 400, 422)],
])

const part = (name: string, value: Json): Json => ({ name, ...value })
const operation = (type: string, path: string, more: readonly Json[] = []): Json => ({ name: 'operation', part: [part('type', { valueCode: type }), part('path', { valueString: path }), ...more] })
const named = (name: string): Json => part('name', { valueString: name })
const at = (name: string, value: number): Json => part(name, { valueInteger: value })
const fhirPatch = (parameter: readonly Json[], expected: number | Expected): Step => ['PATCH Patient/rule-patch', { body: { resourceType: 'Parameters', parameter } }, expected]
const becomes = (parameter: readonly Json[], json: object): Step[] => [reset, fhirPatch(parameter, { status: 200, json })]
const refused = (parameter: readonly Json[]): Step[] => [reset, fhirPatch(parameter, { status: [400, 422], json: { resourceType: 'OperationOutcome' } }), ['GET Patient/rule-patch', { status: 200, json: { birthDate: '1990-01-02', name: [{ family: 'Patched' }, { text: 'second' }] } }]]
const text = (value: string): Json => part('value', { valueString: value })

const ofPath: Rule[] = rulesOf('fhirpatch.html', [
  ['', 'SHALL', 'add an element, to a list at its end, a complex one, an anonymous one', ...becomes([operation('add', 'Patient', [named('gender'), part('value', { valueCode: 'male' })])], { gender: 'male' }), ...becomes([operation('add', 'Patient.contact[0]', [named('gender'), part('value', { valueCode: 'female' })])], {}).slice(0, 1), ...becomes([operation('add', 'Patient', [named('name'), part('value', { valueHumanName: { text: 'third' } })])], { name: [{}, {}, { text: 'third' }] }),
    ...becomes([operation('add', 'Patient', [named('contact'), { name: 'value', part: [{ name: 'name', valueHumanName: { text: 'anonymous' } }] }])], { contact: [{}, { name: { text: 'anonymous' } }] }), ...becomes([operation('add', 'Patient', [named('maritalStatus'), part('value', { valueCodeableConcept: { text: 'x' } })])], {}).slice(0, 1)],
  ['', 'SHALL', 'insert at an index', ...becomes([operation('insert', 'Patient.name[0].given', [at('index', 1), text('X')])], { name: [{ given: ['A', 'X', 'B', 'C'] }, {}] }), ...becomes([operation('insert', 'Patient.name[0].given', [at('index', 3), text('X')])], { name: [{ given: ['A', 'B', 'C', 'X'] }, {}] }), ...refused([operation('insert', 'Patient.name[0].given', [at('index', 9), text('X')])])],
  ['', 'SHALL', 'delete one; nothing to delete is no error; several are', ...becomes([operation('delete', 'Patient.name[1]')], { name: [{ family: 'Patched' }] }), ...becomes([operation('delete', 'Patient.maritalStatus')], { birthDate: '1990-01-02' }), ...becomes([operation('delete', 'Patient.gender')], { birthDate: '1990-01-02' }), ...becomes([operation('delete', "Patient.name.where(text = 'second')")], { name: [{ family: 'Patched' }] }), ...refused([operation('delete', 'Patient.name')])],
  ['', 'SHALL', 'replace one; what is not there fails', ...becomes([operation('replace', 'Patient.birthDate', [part('value', { valueDate: '2001-02-03' })])], { birthDate: '2001-02-03' }), ...becomes([operation('replace', "Patient.name.where(text = 'second').text", [text('new')])], { name: [{}, { text: 'new' }] }), ...refused([operation('replace', 'Patient.gender', [part('value', { valueCode: 'male' })])])],
  ['', 'SHALL', 'move within a list', ...becomes([operation('move', 'Patient.name[0].given', [at('source', 2), at('destination', 0)])], { name: [{ given: ['C', 'A', 'B'] }, {}] }), ...refused([operation('move', 'Patient.name[0].given', [at('source', 9), at('destination', 0)])])],
  ['', 'SHALL', 'operations are applied in their order, each to what the one before left', ...becomes([operation('add', 'Patient', [named('gender'), part('value', { valueCode: 'male' })]), operation('replace', 'Patient.gender', [part('value', { valueCode: 'other' })])], { gender: 'other' })],
  ['', 'SHALL', 'what is no operation, no path, no element of the type is 4xx', ...refused([{ name: 'nonsense' }]), ...refused([operation('nonsense', 'Patient')]), ...refused([operation('add', 'Patient.(', [named('gender'), text('x')])]), ...refused([operation('add', 'Patient', [named('nonsense'), text('x')])]), ...refused([operation('add', 'Patient', [named('gender')])]), ...refused([operation('add', 'Observation', [named('status'), text('final')])]), ...refused([operation('replace', 'Patient.birthDate', [part('value', { valueDate: 'nonsense' })])]), ...refused([operation('delete', '')]), ...refused([])],
])

export const patchRules: readonly Rule[] = [...ofJson, ...ofPath]
