/** A guardian by RelatedPerson: what the register of births writes opens the child's record to the parent until it is grown; what others write does not. */
import type { RelatedPerson } from '@medplum/fhirtypes'
import { beforeEach, expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { citizen, system, testPlatform } from '../support/platform.ts'
import { testId } from '../support/visit.ts'

const { request, clock, db } = await testPlatform()
const residentId = 'urn:oid:2.16.156.10011.1.3'
let serial = 0
let child = ''
let mother = ''
let document = ''

beforeEach(async () => {
  clock.now = new Date('2026-11-23T08:00:00+08:00')
  serial++
  ;[child, mother, document] = [testId(), testId(), `99990119900101${String(1000 + serial)}`]
  const made = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [
    put({ resourceType: 'Patient', id: mother, name: [{ text: '沈 静' }], identifier: [{ system: residentId, value: document }], gender: 'female', birthDate: '1990-01-01' }),
    put({ resourceType: 'Patient', id: child, name: [{ text: '沈小安' }], gender: 'female', birthDate: '2014-03-05' }),
    put({ resourceType: 'Condition', id: testId(), subject: { reference: `Patient/${child}` }, code: { text: '咳嗽' } }),
    put({ resourceType: 'Observation', id: testId(), status: 'final', subject: { reference: `Patient/${child}` }, code: { text: '血红蛋白' } }),
  ] } })
  expect(made.json.issue ?? []).toEqual([])
})

const put = (resource: { resourceType: string; id: string; [element: string]: unknown }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
const related = (given: Partial<RelatedPerson> = {}, code = 'MTH'): RelatedPerson => ({
  resourceType: 'RelatedPerson', active: true, patient: { reference: `Patient/${child}` }, name: [{ text: '沈静' }], identifier: [{ system: residentId, value: document }],
  relationship: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code }] }], ...given,
})
const write = async (resource: RelatedPerson, as: Principal = system) => {
  const reply = await request('POST', '/fhir/RelatedPerson', { as, body: resource })
  expect(reply.json.issue ?? []).toEqual([])
  return reply.json as RelatedPerson & { id: string }
}
/** Which of the child's entries the mother finds. */
const seen = async () => {
  const found: string[] = []
  for (const type of ['Condition', 'Observation']) if ((await request('GET', `/fhir/${type}?patient=${child}`, { as: citizen(mother) })).json.entry?.length > 0) found.push(type)
  return found
}
const people = async () => (await request('GET', '/api/me', { as: citizen(mother) })).json.people.map((each: { name: string; relationship: string; until: string | null }) => [each.name, each.relationship, each.until])

test('opens the record at once: in full to the fourteenth birthday, in part to the eighteenth, and then no more', async () => {
  expect(await seen()).toEqual([])
  await write(related())
  expect(await seen()).toEqual(['Condition', 'Observation'])
  expect(await people()).toContainEqual(['沈小安', 'child', '2032-03-04T16:00:00.000Z'])
  for (const [day, types] of [['2028-03-04T23:59:00+08:00', ['Condition', 'Observation']], ['2028-03-05T00:00:00+08:00', ['Condition']], ['2032-03-04T23:59:00+08:00', ['Condition']], ['2032-03-05T00:00:00+08:00', []]] as const) {
    clock.now = new Date(day)
    expect([day, await seen()]).toEqual([day, types])
  }
})

test.each([
  ['taken back', { active: false }, 'MTH'], ['of a past period', { period: { end: '2026-11-22' } }, 'MTH'], ['of another relative', {}, 'AUNT'], ['without a document', { identifier: [] }, 'MTH'],
  ['of another name', { name: [{ text: '别的人' }] }, 'MTH'], ['of an unknown document', { identifier: [{ system: residentId, value: '1' }] }, 'MTH'], ['that begins tomorrow', { period: { start: '2026-11-24' } }, 'MTH'],
] as const)('one %s opens nothing, and ends what it gave', async (_what, given, code) => {
  const { identifier, ...more } = given as Partial<RelatedPerson>
  const body = { ...related(more, code), ...(identifier === undefined ? {} : identifier.length > 0 ? { identifier } : { identifier: undefined }) } as RelatedPerson
  await write(body)
  expect(await seen()).toEqual([])
  const made = await write(related())
  expect(await seen()).toHaveLength(2)
  expect((await request('PUT', `/fhir/RelatedPerson/${made.id}`, { as: system, body: { ...body, id: made.id } })).status).toBe(200)
  expect(await seen()).toEqual([])
})

test('deleting it ends it; a second parent keeps their own', async () => {
  const made = await write(related())
  const father = testId()
  await request('PUT', `/fhir/Patient/${father}`, { as: system, body: { resourceType: 'Patient', id: father, name: [{ text: '李强' }], identifier: [{ system: residentId, value: `${document}X` }] } })
  await write(related({ name: [{ text: '李强' }], identifier: [{ system: residentId, value: `${document}X` }] }, 'FTH'))
  expect((await request('DELETE', `/fhir/RelatedPerson/${made.id}`, { as: system })).status).toBe(204)
  expect(await seen()).toEqual([])
  expect(await db.selectFrom('proxy_grant').select('kind').where('patient', '=', child).execute()).toEqual([{ kind: 'guardian' }])
})

test('two entries of one parent: the last to go ends it', async () => {
  const [one, other] = [await write(related()), await write(related({}, 'GUARD'))]
  expect((await request('DELETE', `/fhir/RelatedPerson/${other.id}`, { as: system })).status).toBe(204)
  expect(await seen()).toHaveLength(2)
  expect((await request('DELETE', `/fhir/RelatedPerson/${one.id}`, { as: system })).status).toBe(204)
  expect(await seen()).toEqual([])
})

test('what a hospital writes gives nobody rights, nor takes them', async () => {
  const hospital: Principal = { ...anonymous, kind: 'client', id: 'his', name: '医院系统', scopes: ['system/*.cruds'], organization: testId() }
  await write(related(), hospital)
  expect(await seen()).toEqual([])
  await write(related())
  await write(related({ active: false }), hospital)
  expect(await seen()).toHaveLength(2)
})

test('nobody becomes guardian of somebody grown up, nor a citizen by writing it', async () => {
  await request('PUT', `/fhir/Patient/${child}`, { as: system, body: { resourceType: 'Patient', id: child, name: [{ text: '沈小安' }], birthDate: '2008-11-23' } })
  await write(related())
  expect(await seen()).toEqual([])
  expect((await request('POST', '/fhir/RelatedPerson', { as: citizen(mother), body: related() })).status).toBe(403)
})

test.each(['0005-01-01', '9990-06-01', '2020'])('a birth date of %s makes no guardian, and is no fault of ours', async (birthDate) => {
  await request('PUT', `/fhir/Patient/${child}`, { as: system, body: { resourceType: 'Patient', id: child, name: [{ text: '沈小安' }], birthDate } })
  await write(related())
  expect(await seen()).toEqual([])
})

test('born on 29 February: grown up on 1 March where there is none', async () => {
  await request('PUT', `/fhir/Patient/${child}`, { as: system, body: { resourceType: 'Patient', id: child, name: [{ text: '沈小安' }], birthDate: '2012-02-29' } })
  await write(related())
  expect((await people()).at(-1)?.[2]).toBe('2030-02-28T16:00:00.000Z')
})
