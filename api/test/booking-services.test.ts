/** Clinics and doctors that a hospital's desk opens, enters, closes and lets go: what FHIR says of them, what a pattern may be of, and what is refused. */
import type { HealthcareService, Practitioner, PractitionerRole } from '@medplum/fhirtypes'
import { beforeAll, expect, test } from 'vitest'
import type { Principal } from '../src/access/principal.ts'
import { loadResource } from '../src/records/read-resource.ts'
import { clinicTemplate, hospitalId } from './support/booking-data.ts'
import { openDesk } from './support/booking-desk.ts'
import { citizen, system, testPlatform } from './support/platform.ts'

const { db, request, clock } = await testPlatform()
const desk = openDesk(db)
const scheduler: Principal = { ...citizen(''), id: 'account-desk', name: '李排班', role: 'scheduler', patient: null, organization: hospitalId, organizationName: '医院' }
const post = (path: string, body: object, as: Principal = scheduler) => request('POST', `/api/booking/${path}`, { as, body })
const sheetOf = async (department: string) => (await request('GET', `/api/booking/supply?department=${department}`, { as: scheduler })).json
const room = '01930000-0000-7a17-8000-0000000000f1'
const times = (given: object = {}) => ({ weekday: 2, half: 'am', start: '08:00', end: '12:00', room, capacity: 16, segmentMinutes: 30, feeFen: 5000, ...given })

beforeAll(async () => {
  clock.now = new Date('2026-11-23T07:30:00+08:00')
  // A hospital with one clinic of one doctor, and one room.
  await desk.sessions(clinicTemplate())
})

test('a department is opened, a doctor entered, a pattern begun: citizens find the clinic', async () => {
  const opened = await post('services', { department: '03.07', clinicType: 'disease-specific' })
  expect(opened.status).toBe(201)
  expect(opened.json.services).toEqual([{ id: expect.any(String), clinicType: 'disease-specific', patterns: 0, closedFrom: null }])
  const [{ id: service }] = opened.json.services
  expect(await loadResource<HealthcareService>(db, 'HealthcareService', service)).toMatchObject({
    active: true, name: '内分泌科', providedBy: { reference: `Organization/${hospitalId}` }, specialty: [{ coding: [{ code: '03.07' }] }], type: [{ coding: [{ code: 'disease-specific' }] }],
  })
  // Another kind of clinic is of the same service.
  const second = await post('services', { department: '03.07', clinicType: 'ordinary' })
  expect(second.json.services.map((each: { id: string; clinicType: string }) => [each.id, each.clinicType])).toEqual([[service, 'ordinary'], [service, 'disease-specific']])
  expect((await loadResource<HealthcareService>(db, 'HealthcareService', service))?.type).toHaveLength(2)

  const entered = await post('doctors', { department: '03.07', title: 'attending', name: { zh: '沈𠮷', en: 'Shen Ji' } })
  expect(entered.json.doctors).toEqual([{ id: expect.any(String), name: { zh: '沈𠮷', en: 'Shen Ji' }, title: 'attending', patterns: 0, leftFrom: null }])
  const [{ id: doctor }] = entered.json.doctors
  expect(await loadResource<Practitioner>(db, 'Practitioner', doctor)).toMatchObject({ active: true, name: [{ text: '沈𠮷' }, { text: 'Shen Ji' }] })
  expect((await request('GET', `/fhir/PractitionerRole?practitioner=${doctor}&active=true`)).json.entry[0].resource).toMatchObject({
    organization: { reference: `Organization/${hospitalId}` }, specialty: [{ coding: [{ code: '03.07' }] }], healthcareService: [{ reference: `HealthcareService/${service}` }],
  })

  const wish = { pattern: null, from: '2026-11-24', practitioner: doctor, service, times: times() }
  expect((await post('patterns', wish)).json).toMatchObject({ code: 'parameter-invalid' })
  expect((await post('patterns', { ...wish, clinicType: 'expert' })).json.code).toBe('parameter-invalid')
  expect((await post('patterns', { ...wish, clinicType: 'disease-specific' })).status).toBe(201)
  const { patterns, changes } = await sheetOf('03.07')
  expect(patterns).toMatchObject([{ doctor: { id: doctor }, clinicType: 'disease-specific', service, title: 'attending' }])
  expect(changes.map((each: { kind: string }) => each.kind)).toEqual(['pattern-new', 'doctor-new', 'service-new', 'service-new'])
  const found = await request('GET', `/fhir/Schedule?specialty=03.07&actor=Practitioner/${doctor}`, { as: system })
  expect(found.json.entry.length).toBeGreaterThan(0)

  // What is in use stays.
  expect((await post('services/close', { service, clinicType: 'disease-specific', from: '2026-11-24' })).json.code).toBe('business-rule')
  expect((await post('doctors/leave', { practitioner: doctor, department: '03.07', from: '2026-11-24' })).json.code).toBe('business-rule')
  // What nobody needs is closed, and no new pattern takes it.
  const closed = await post('services/close', { service, clinicType: 'ordinary', from: '2026-11-23' })
  expect(closed.status).toBe(200)
  expect((await sheetOf('03.07')).services).toContainEqual({ id: service, clinicType: 'ordinary', patterns: 0, closedFrom: '2026-11-23' })
  expect(await loadResource<HealthcareService>(db, 'HealthcareService', service)).toMatchObject({ active: true, type: [{ coding: [{ code: 'disease-specific' }] }] })
  expect((await post('patterns', { ...wish, clinicType: 'ordinary', times: times({ weekday: 4 }) })).json.code).toBe('parameter-invalid')
  expect((await post('services', { department: '03.07', clinicType: 'ordinary' })).json.services).toHaveLength(2)
})

test('who works elsewhere in the city is taken by name and keeps it; who leaves may come back', async () => {
  const id = '01930000-0000-7a17-8000-0000000abcde'
  await request('PUT', `/fhir/Practitioner/${id}`, { as: system, body: { resourceType: 'Practitioner', id, active: true, name: [{ text: '周敏' }, { text: 'Zhou Min' }] } })
  await post('services', { department: '10', clinicType: 'expert' })
  const wish = { department: '10', title: 'chief', practitioner: id }
  expect((await post('doctors', { ...wish, name: { zh: '别的名字', en: 'Another Name' } })).json.doctors).toMatchObject([{ id, name: { zh: '周敏', en: 'Zhou Min' }, title: 'chief' }])
  expect((await post('doctors', wish)).json.code).toBe('business-rule')
  expect((await post('doctors/leave', { practitioner: id, department: '10', from: '2026-11-23' })).json.doctors).toEqual([])
  const roles = async () => (await request('GET', `/fhir/PractitionerRole?practitioner=${id}`)).json.entry.map((each: { resource: PractitionerRole }) => each.resource) as PractitionerRole[]
  expect(await roles()).toMatchObject([{ active: false, period: { end: '2026-11-22' } }])
  const [{ id: service }] = (await sheetOf('10')).services
  expect((await post('patterns', { pattern: null, from: '2026-11-24', practitioner: id, service, times: times() })).json.code).toBe('parameter-invalid')
  expect((await post('doctors', { ...wish, title: 'associate-chief' })).json.doctors).toMatchObject([{ id, title: 'associate-chief' }])
  const [back, ...others] = await roles()
  expect([back?.active, back?.period, others]).toEqual([true, undefined, []])
})

test.each([
  ['services', { department: '99', clinicType: 'expert' }, 'parameter-invalid'], ['services', { department: '03.04', clinicType: 'expert' }, 'business-rule'],
  ['services', { department: '03.04', clinicType: 'night' }, 'parameter-invalid'], ['services/close', { service: 'nobody', clinicType: 'expert', from: '2026-11-24' }, 'not-found'],
  ['doctors', { department: '12', title: 'chief', name: { zh: '某', en: 'Mou' } }, 'parameter-invalid'], ['doctors', { department: '03.04', title: 'chief' }, 'parameter-invalid'],
  ['doctors', { department: '03.04', title: 'chief', practitioner: 'nobody' }, 'parameter-invalid'], ['doctors/leave', { practitioner: 'nobody', department: '03.04', from: '2026-11-24' }, 'not-found'],
  ['doctors/leave', { practitioner: 'nobody', department: '03.04', from: '2026-11-01' }, 'parameter-invalid'],
])('%s %o is refused with %s and changes nothing', async (path, body, code) => {
  const before = await db.selectFrom('supply_change').select('id').execute()
  const answer = await post(path, body)
  expect([answer.json.code, answer.status]).toEqual([code, code === 'not-found' ? 404 : code === 'business-rule' ? 422 : 400])
  expect(await db.selectFrom('supply_change').select('id').execute()).toHaveLength(before.length)
})

test('only the scheduler of the hospital keeps it', async () => {
  for (const as of [citizen('p1'), { ...scheduler, role: 'clinician' as const }]) {
    expect((await post('services', { department: '11', clinicType: 'ordinary' }, as)).status).toBe(403)
    expect((await post('doctors', { department: '03.04', title: 'chief', name: { zh: '某', en: 'Mou' } }, as)).status).toBe(403)
  }
})

test('two desks open the same clinic at once: one of them does', async () => {
  const answers = await Promise.all([1, 2].map(() => post('services', { department: '11', clinicType: 'ordinary' })))
  expect(answers.map((each) => each.status).sort()).toEqual([201, 422])
  expect((await sheetOf('11')).services).toHaveLength(1)
})
