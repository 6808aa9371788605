import { beforeAll, expect, test } from 'vitest'
import { generateSessions, insertTemplates, registerProviders } from '../../src/booking/generate-sessions.ts'
import { validateResource } from '../../src/records/validate.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { clinicTemplate, doctorId, hospital, hospitalId, plainNumbers } from '../support/booking-data.ts'
import { citizen, clinician, system, testPlatform, type TestReply } from '../support/platform.ts'

const platform = await testPlatform()
const { db, request, clock } = platform

const parent = '01930000-0000-7001-8000-00000000aa01'
const child = '01930000-0000-7001-8000-00000000aa02'
const stranger = '01930000-0000-7001-8000-00000000aa03'
const me = citizen(parent)
const other = citizen(stranger)
const doctor = clinician(doctorId, hospitalId)

const patient = (id: string, name: string, latin: string) => ({
  resourceType: 'Patient', id, gender: 'female', birthDate: '1985-06-15', name: [{ use: 'official', text: name }, { text: latin }],
})
const reference = (name: string, target: string) => ({ name, valueReference: { reference: target } })
const parameters = (...parameter: unknown[]) => ({ resourceType: 'Parameters', parameter })
const hold = (slot: string, who: string, as = me) => request('POST', '/fhir/Appointment/$hold', { as, body: parameters(reference('slot', `Slot/${slot}`), reference('patient', `Patient/${who}`)) })
const book = (id: string, as = me, headers = {}) => request('POST', '/fhir/Appointment/$book', { as, headers, body: parameters(reference('appointment', `Appointment/${id}`)) })
const extension = (reply: TestReply, name: string) => reply.json.extension.find((each: { url: string }) => each.url === `https://pujiang.health/fhir/StructureDefinition/${name}`)
const code = (reply: TestReply) => reply.json.issue?.[0]?.details?.coding?.[0]?.code

let sessions: string[] = []
const slotOf = (index: number, place: number) => `${sessions[index]}-${place}`

beforeAll(async () => {
  for (const each of [patient(parent, '王秀英', 'Wang Xiuying'), patient(child, '王小明', 'Wang Xiaoming'), patient(stranger, '李强', 'Li Qiang')]) {
    expect((await request('PUT', `/fhir/Patient/${each.id}`, { as: system, body: each })).status).toBe(201)
  }
  await db.insertInto('proxy_grant').values({
    shard: 1, pid: child, patient: child, grantee_pid: parent, relationship: 'CHILD', patient_name: '王小明', from_at: '2020-01-01T00:00:00Z', until_at: null,
  }).execute()
  await inTransaction(db, async (trx) => {
    await registerProviders(trx, [hospital()])
    // Tuesday to Sunday, one department each, so that no case meets the limits of another.
    await insertTemplates(trx, ['03.04', '10', '11', '13', '04.03', '07'].map((department, index) => clinicTemplate({ department, weekday: index + 2, fee_fen: 2250n })))
  })
  await plainNumbers(db)
  await generateSessions(db, '2026-11-23', 16)
  sessions = (await db.selectFrom('clinic_session').select('id').orderBy('start_at').execute()).map((row) => row.id)
})

test('a citizen finds a place, holds it, confirms it, and sees it among the own appointments', async () => {
  const found = await request('GET', '/fhir/Appointment/$find?specialty=03.04&_count=1')
  expect(found.status).toBe(200)
  const part = (name: string) => found.json.parameter[0].part.find((each: { name: string }) => each.name === name)
  expect(part('practitioner').valueReference).toMatchObject({ reference: `Practitioner/${doctorId}`, display: '陈志远' })
  expect(part('fee').valueMoney).toEqual({ value: 22.5, currency: 'CNY' })
  expect(part('date').valueDate).toBe('2026-11-24')
  expect(found.json.parameter[1].name).toBe('next')
  const slot = part('segment').part.find((each: { name: string }) => each.name === 'slot').valueReference.reference.slice('Slot/'.length)

  const held = await hold(slot, parent)
  expect(held.status).toBe(200)
  expect(held.json).toMatchObject({ resourceType: 'Appointment', status: 'pending', start: '2026-11-24T08:00:00+08:00', end: '2026-11-24T08:30:00+08:00', slot: [{ reference: `Slot/${slot}` }] })
  expect(extension(held, 'expires-at').valueInstant).toBe('2026-11-23T07:35:00+08:00')
  expect((await request('GET', `/fhir/Slot/${slot}`)).json.status).toBe('busy-tentative')

  const booked = await book(held.json.id)
  expect(booked.json).toMatchObject({ id: held.json.id, status: 'booked', specialty: [{ coding: [{ code: '03.04' }], text: '心血管内科' }] })
  expect(extension(booked, 'expires-at')).toBeUndefined()
  expect(extension(booked, 'serial-number').valuePositiveInt).toBe(1)
  expect(extension(booked, 'fee').valueMoney).toEqual({ value: 22.5, currency: 'CNY' })
  expect(extension(booked, 'organization').valueReference).toMatchObject({ reference: `Organization/${hospitalId}`, display: '浦江市第一人民医院' })
  expect(booked.json.participant.map((each: { actor: { reference: string; display: string } }) => [each.actor.reference.split('/')[0], each.actor.display])).toEqual([
    ['Patient', '王秀英'], ['Practitioner', '陈志远'], ['PractitionerRole', '陈志远'], ['HealthcareService', '浦江市第一人民医院 心血管内科'], ['Location', '门诊楼 3 层 A 区'],
  ])
  expect((await request('GET', `/fhir/Slot/${slot}`)).json.status).toBe('busy')

  const mine = await request('GET', `/fhir/Appointment?patient=Patient/${parent}`, { as: me })
  expect(mine.json.entry.map((each: { resource: { id: string } }) => each.resource.id)).toEqual([booked.json.id])
})

test('the stored Appointment is valid FHIR', async () => {
  const mine = await request('GET', `/fhir/Appointment?patient=Patient/${parent}`, { as: me })
  for (const entry of mine.json.entry) expect(validateResource(platform.services.store.model, entry.resource).filter((each) => each.severity === 'error')).toEqual([])
  const schedules = await request('GET', '/fhir/Schedule?_count=3')
  const slots = await request('GET', '/fhir/Slot?_count=3')
  for (const entry of [...schedules.json.entry, ...slots.json.entry]) expect(validateResource(platform.services.store.model, entry.resource).filter((each) => each.severity === 'error')).toEqual([])
})

test('the doctor sees the patient from the day before the visit on, and no longer when it is cancelled', async () => {
  const booked = await book((await hold(slotOf(1, 1), child)).json.id)
  const seen = () => request('GET', `/fhir/Patient/${child}`, { as: doctor })
  expect((await seen()).status).toBe(404)
  clock.now = new Date('2026-11-24T08:30:00+08:00')
  expect((await seen()).status).toBe(200)
  const list = await request('GET', `/fhir/Appointment?practitioner=Practitioner/${doctorId}&date=2026-11-25`, { as: doctor })
  expect(list.json.entry.map((each: { resource: { id: string } }) => each.resource.id)).toEqual([booked.json.id])
  const cancelled = await request('POST', `/fhir/Appointment/${booked.json.id}/$cancel`, { as: me, body: parameters({ name: 'reason', valueString: '孩子好了' }) })
  expect(cancelled.json).toMatchObject({ status: 'cancelled', cancelationReason: { coding: [{ code: 'proxy' }], text: '孩子好了' } })
  expect((await seen()).status).toBe(404)
  clock.now = new Date('2026-11-23T07:30:00+08:00')
})

test('a stranger can neither book for a patient nor see or cancel the appointment', async () => {
  const refused = await hold(slotOf(2, 1), child, other)
  expect([refused.status, code(refused)]).toEqual([403, 'not-your-patient'])
  const anonymous = await request('POST', '/fhir/Appointment/$hold', { body: parameters(reference('slot', `Slot/${slotOf(2, 1)}`), reference('patient', `Patient/${child}`)) })
  expect([401, 403]).toContain(anonymous.status)
  const booked = await book((await hold(slotOf(2, 1), child)).json.id)
  for (const name of ['$cancel', '$release', '$check-in']) {
    expect((await request('POST', `/fhir/Appointment/${booked.json.id}/${name}`, { as: other, body: parameters() })).status).toBe(404)
  }
  expect((await book(booked.json.id, other)).status).toBe(404)
  expect((await request('GET', `/fhir/Appointment/${booked.json.id}`, { as: other })).status).toBe(404)
})

test('a released hold frees its place at once and leaves no appointment', async () => {
  const held = await hold(slotOf(3, 1), parent)
  expect((await request('POST', `/fhir/Appointment/${held.json.id}/$release`, { as: me })).json.status).toBe('cancelled')
  expect((await request('POST', `/fhir/Appointment/${held.json.id}/$release`, { as: me })).status).toBe(200)
  expect((await request('GET', `/fhir/Slot/${slotOf(3, 1)}`)).json.status).toBe('free')
  expect(code(await book(held.json.id))).toBe('hold-expired')
})

test('choosing another time replaces the hold one had', async () => {
  const first = await hold(slotOf(3, 1), parent)
  const second = await hold(slotOf(3, 5), parent)
  expect(second.json.start).toBe('2026-11-27T09:00:00+08:00')
  expect(second.json.id).not.toBe(first.json.id)
  expect((await request('GET', `/fhir/Appointment/${first.json.id}`, { as: me })).json.status).toBe('cancelled')
  expect((await hold(slotOf(3, 5), parent)).json.id).toBe(second.json.id)
  await request('POST', `/fhir/Appointment/${second.json.id}/$release`, { as: me })
})

test('the same Idempotency-Key gives the same answer, another body with it is refused', async () => {
  const held = await hold(slotOf(4, 1), parent)
  const key = { 'Idempotency-Key': 'key-1' }
  const answers = [await book(held.json.id, me, key), await book(held.json.id, me, key)]
  expect(answers[1]?.json).toEqual(answers[0]?.json)
  const mismatch = await request('POST', '/fhir/Appointment/$book', { as: me, headers: key, body: parameters(reference('slot', `Slot/${slotOf(5, 1)}`), reference('patient', `Patient/${parent}`)) })
  expect([mismatch.status, code(mismatch)]).toEqual([409, 'idempotency-mismatch'])
})

test('checking in is open around the time of the visit; the visit then moves the appointment along', async () => {
  const booked = await book((await hold(slotOf(5, 1), parent)).json.id)
  const checkIn = () => request('POST', `/fhir/Appointment/${booked.json.id}/$check-in`, { as: me })
  expect(code(await checkIn())).toBe('check-in-closed')
  clock.now = new Date('2026-11-29T07:30:00+08:00')
  expect((await checkIn()).json.status).toBe('checked-in')
  expect((await checkIn()).status).toBe(200)
  const encounter = (status: string, subject: string, id?: string) => ({
    resourceType: 'Encounter', ...(id ? { id } : {}), status, class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: `Patient/${subject}` }, appointment: [{ reference: `Appointment/${booked.json.id}` }], period: { start: '2026-11-29T08:02:00+08:00' },
  })
  const wrong = await request('POST', '/fhir/Encounter', { as: system, body: encounter('in-progress', child) })
  expect([wrong.status, code(wrong)]).toEqual([422, 'business-rule'])
  const begun = await request('POST', '/fhir/Encounter', { as: doctor, body: encounter('in-progress', parent) })
  expect(begun.status).toBe(201)
  const status = async () => (await request('GET', `/fhir/Appointment/${booked.json.id}`, { as: me })).json.status
  expect(await status()).toBe('arrived')
  expect((await request('PUT', `/fhir/Encounter/${begun.json.id}`, { as: doctor, body: encounter('finished', parent, begun.json.id) })).status).toBe(200)
  expect(await status()).toBe('fulfilled')
  expect(code(await request('POST', `/fhir/Appointment/${booked.json.id}/$cancel`, { as: me }))).toBe('appointment-not-active')
  clock.now = new Date('2026-11-23T07:30:00+08:00')
})

test('a plain FHIR POST is a booking that obeys every rule', async () => {
  const appointment = (slot: string, who: string, more = {}) => ({
    resourceType: 'Appointment', status: 'booked', slot: [{ reference: `Slot/${slot}` }], comment: '第一次来',
    participant: [{ actor: { reference: `Patient/${who}` }, status: 'accepted' }], ...more,
  })
  const made = await request('POST', '/fhir/Appointment', { as: me, body: appointment(slotOf(6, 3), parent) })
  expect(made.status).toBe(201)
  expect(made.json).toMatchObject({ status: 'booked', comment: '第一次来', start: '2026-12-01T08:30:00+08:00' })
  expect(code(await request('POST', '/fhir/Appointment', { as: me, body: appointment(slotOf(6, 5), parent) }))).toBe('limit-department-day')
  expect(code(await request('POST', '/fhir/Appointment', { as: me, body: { ...appointment(slotOf(7, 1), parent), slot: undefined } }))).toBe('required')
  expect(code(await request('POST', '/fhir/Appointment', { as: me, body: appointment(slotOf(7, 1), parent, { status: 'fulfilled' }) }))).toBe('business-rule')

  const put = (change: object) => request('PUT', `/fhir/Appointment/${made.json.id}`, { as: me, body: { ...made.json, ...change } })
  expect((await put({ comment: '需要轮椅' })).json.comment).toBe('需要轮椅')
  expect(code(await put({ start: '2026-12-01T09:00:00+08:00' }))).toBe('business-rule')
  expect(code(await put({ status: 'fulfilled' }))).toBe('business-rule')
  const cancelled = await put({ status: 'cancelled' })
  expect(cancelled.json).toMatchObject({ status: 'cancelled', cancelationReason: { coding: [{ code: 'patient' }] } })
  expect((await request('GET', `/fhir/Slot/${slotOf(6, 3)}`)).json.status).toBe('free')
  expect((await request('DELETE', `/fhir/Appointment/${made.json.id}`, { as: system })).status).toBe(422)
})

test('Schedule and Slot are read and searched by anyone, page by page, and written by no one', async () => {
  const schedule = await request('GET', `/fhir/Schedule/${sessions[0]}`)
  expect(schedule.json).toMatchObject({ resourceType: 'Schedule', active: true, planningHorizon: { start: '2026-11-24T08:00:00+08:00', end: '2026-11-24T12:00:00+08:00' } })
  expect(schedule.json.actor.map((each: { reference: string }) => each.reference.split('/')[0])).toEqual(['PractitionerRole', 'Practitioner', 'HealthcareService', 'Location'])
  const ids = async (path: string) => (await request('GET', path)).json.entry?.map((each: { resource: { id: string } }) => each.resource.id) ?? []
  expect(await ids('/fhir/Schedule?date=2026-11-24&specialty=03.04')).toEqual([sessions[0]])
  expect(await ids('/fhir/Schedule?actor=Practitioner/nobody')).toEqual([])
  expect((await ids(`/fhir/Schedule?actor=Practitioner/${doctorId}&date=ge2026-11-24&date=lt2026-11-26`)).length).toBe(2)
  expect(await ids(`/fhir/Slot?schedule=Schedule/${sessions[8]}&start=lt2026-12-03T08:30:00%2B08:00`)).toEqual([slotOf(8, 1), slotOf(8, 2)])
  const seen: string[] = []
  let path: string | null = `/fhir/Slot?schedule=Schedule/${sessions[8]}&status=free&_count=5`
  while (path) {
    const page: TestReply = await request('GET', path)
    seen.push(...page.json.entry.map((each: { resource: { id: string } }) => each.resource.id))
    const next: string | undefined = page.json.link.find((each: { relation: string }) => each.relation === 'next')?.url
    path = next ? new URL(next).pathname + new URL(next).search : null
  }
  expect(seen).toEqual(Array.from({ length: 16 }, (_, index) => slotOf(8, index + 1)))
  expect((await request('GET', '/fhir/Slot?colour=red')).status).toBe(400)
  expect((await request('GET', `/fhir/Slot/${sessions[0]}-99`)).status).toBe(404)
  expect((await request('PUT', `/fhir/Slot/${slotOf(0, 2)}`, { as: system, body: { resourceType: 'Slot', id: slotOf(0, 2), status: 'free', schedule: { reference: 'Schedule/x' }, start: '2026-11-24T08:00:00+08:00', end: '2026-11-24T08:30:00+08:00' } })).status).toBe(405)
})

test.each([
  ['a slot that is not there', parameters(reference('slot', 'Slot/nothing'), reference('patient', `Patient/${parent}`)), 404, 'slot-unknown'],
  ['no slot', parameters(reference('patient', `Patient/${parent}`)), 422, 'required'],
  ['a slot that is a patient', parameters(reference('slot', `Patient/${parent}`), reference('patient', `Patient/${parent}`)), 422, 'reference-invalid'],
  ['an unknown parameter', parameters({ name: 'colour', valueString: 'red' }), 422, 'element-unknown'],
  ['a parameter twice', parameters(reference('slot', 'Slot/a'), reference('slot', 'Slot/b')), 422, 'cardinality'],
  ['another resource', { resourceType: 'Patient' }, 400, 'resource-type-mismatch'],
  ['parameters of the wrong shape', { resourceType: 'Parameters', parameter: 'slot' }, 422, 'structure'],
  ['broken JSON', '{"resourceType":', 400, 'json-broken'],
])('a hold with %s is refused clearly', async (_name, body, status, wanted) => {
  const reply = await request('POST', '/fhir/Appointment/$hold', { as: me, body })
  expect([reply.status, code(reply)]).toEqual([status, wanted])
  expect(reply.json.issue[0].details.text).toMatch(/[㐀-鿿]/)
})

test.each([
  '/fhir/Appointment/$find?specialty=%00', '/fhir/Appointment/$find?start=0001-01-01&end=9999-12-31', '/fhir/Appointment/$find?specialty=03.04,,', '/fhir/Appointment/$find?_count=1e9',
  '/fhir/Appointment/$find?practitioner=%F0%9F%98%80', '/fhir/Appointment/$find?_page=MjAyNi0xMS0yNA', '/fhir/Slot?start=ge0001-01-01', '/fhir/Slot?start=le9999-12-31', '/fhir/Slot?_id=%00',
  '/fhir/Slot/%00', '/fhir/Schedule?date=eq9999&date=ne0001', '/fhir/Schedule/x', '/fhir/Schedule?active=maybe', '/fhir/Schedule?_count=-1', '/api/availability?department=03.04&from=9999-12-31',
  '/api/availability?department=%00', '/api/availability?department=03.04&district=%00', '/api/departments?x=1',
])('a strange question is no fault of the server: %s', async (path) => {
  expect((await request('GET', path)).status).toBeLessThan(500)
})

test('words that the database could not keep are refused', async () => {
  const body = parameters(reference('slot', `Slot/${slotOf(9, 1)}`), reference('patient', `Patient/${parent}`), { name: 'reason', valueString: 'a\u0000b' })
  expect(code(await request('POST', '/fhir/Appointment/$hold', { as: me, body }))).toBe('value-invalid')
})

test('places count for everyone at /api, with clear refusals of bad questions', async () => {
  const departments = await request('GET', '/api/departments')
  expect(departments.json.find((each: { code: string }) => each.code === '03.04')).toMatchObject({ zh: '心血管内科', en: 'Cardiology', hospitals: 1 })
  const hospitals = await request('GET', '/api/availability?department=03.04')
  expect(hospitals.json[0]).toMatchObject({ organization: hospitalId, level: { zh: '三级甲等' }, district: { code: '310101' }, feeFromFen: 2250 })
  for (const query of ['', '?department=99', '?department=03.04&from=tomorrow', '?department=03.04&district=x', '?department=03.04&colour=red', '?department=03.04&from=2026-12-01&to=2026-11-01']) {
    expect((await request('GET', `/api/availability${query}`)).status).toBe(400)
  }
})

test('the capability statement names what Slot can be searched by, and the operations of Appointment', async () => {
  const { rest: [{ resource }] } = (await request('GET', '/fhir/metadata')).json
  const entry = (type: string) => resource.find((each: { type: string }) => each.type === type)
  expect(entry('Slot').searchParam.map((each: { name: string }) => each.name).sort()).toEqual(['_id', 'appointment-type', 'schedule', 'service-type', 'specialty', 'start', 'status'])
  expect(entry('Slot').interaction.map((each: { code: string }) => each.code)).not.toContain('create')
  expect(entry('Appointment').operation.map((each: { name: string }) => each.name)).toEqual(expect.arrayContaining(['find', 'hold', 'book', 'release', 'cancel', 'check-in']))
})
