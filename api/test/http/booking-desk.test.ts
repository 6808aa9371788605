/** What schedulers and administrators do at the desk: numbers with their history, the working calendar, quotas; and moving a booking. */
import { beforeAll, expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { alarmOf, raiseCalendarAlarm } from '../../src/booking/calendar.ts'
import { generateSessions, insertTemplates, registerProviders } from '../../src/booking/generate-sessions.ts'
import { makeCtx } from '../../src/ctx.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { clinicTemplate, doctorId, hospital, hospitalId } from '../support/booking-data.ts'
import { citizen, system, testPlatform, type TestReply } from '../support/platform.ts'

const platform = await testPlatform()
const { db, request, clock } = platform
const person = (role: Principal['role'], given: Partial<Principal> = {}): Principal => ({ ...anonymous, kind: 'person', id: `account-${role}`, name: `${role} 张`, role, ...given })
const scheduler = person('scheduler', { organization: hospitalId })
const admin = person('admin-system')
const patient = '01930000-0000-7001-8000-00000000aa01'
const me = citizen(patient)
const gp = person('gp', { practitioner: '01930000-0000-7a17-8000-0000000000d9' })

const code = (reply: TestReply) => reply.json?.issue?.[0]?.details?.coding?.[0]?.code ?? reply.json?.code
const parameters = (given: Record<string, string>) => ({
  resourceType: 'Parameters', parameter: Object.entries(given).map(([name, value]) => (name === 'channel' ? { name, valueCode: value } : { name, valueReference: { reference: `${name.charAt(0).toUpperCase()}${name.slice(1)}/${value}` } })),
})
const book = (slot: string, as: Principal = me, more: Record<string, string> = {}) => request('POST', '/fhir/Appointment/$book', { as, body: parameters({ slot, patient, ...more }) })
const set = (as: Principal, body: Record<string, unknown>) => request('POST', '/api/booking/parameters', { as, body })
const hospitalScope = { scope: 'hospital', id: hospitalId }

let sessions: { id: string; service_date: string; channels: string; release_at: string }[] = []

beforeAll(async () => {
  await request('PUT', `/fhir/Patient/${patient}`, { as: system, body: { resourceType: 'Patient', id: patient, gender: 'female', birthDate: '1985-06-15', name: [{ text: '王秀英' }] } })
  await inTransaction(db, async (trx) => {
    await registerProviders(trx, [hospital()])
    await insertTemplates(trx, [2, 3, 4, 5, 6].map((weekday, index) => clinicTemplate({ weekday, capacity: 10, segment_minutes: 240, department: ['03.04', '10', '11', '13', '07'][index] as string, practitioner: `${doctorId}-${weekday}` })))
  })
  await generateSessions(db, '2026-11-23', 14)
  sessions = await db.selectFrom('clinic_session').select(['id', 'service_date', 'channels', 'release_at']).orderBy('start_at').execute()
})

test('a session is cut into quotas, and released in the group of its hospital', () => {
  expect(sessions.map((each) => each.channels)).toEqual(Array(10).fill('pwpfpgpfpg'))
  // Group 7 of 8, five minutes each, after 07:00 in Shanghai.
  expect(sessions[0]?.release_at).toBe('2026-11-09T23:35:00.000Z')
})

test('everybody takes public places; a place kept for others leads to another of the segment', async () => {
  const first = sessions[0]?.id
  const booked = await book(`${first}-4`)
  expect([booked.status, booked.json.slot[0].reference]).toEqual([200, `Slot/${first}-1`])
  expect(code(await book(`${sessions[1]?.id}-6`, me, { channel: 'follow-up' }))).toBe('channel-not-yours')
  expect(code(await book(`${sessions[1]?.id}-2`, me, { channel: 'onsite' }))).toBe('channel-not-yours')
})

test('when only reserved places are left it is said so; at the hospital\'s desk the window places are there on the day', async () => {
  const session = sessions[1] as (typeof sessions)[number]
  for (const no of [1, 3, 5, 7, 9]) {
    await db.insertInto('booking').values({
      shard: 0xa17, id: `01930000-0000-7a17-8000-0000000001${no}0`, appointment: `a${no}`, session_id: session.id, no, pid: `01930000-0000-7a17-8000-0000000002${no}0`, patient: `p${no}`,
      state: 'booked', held_until: null, start_at: '2026-11-25T00:00:00Z', end_at: '2026-11-25T04:00:00Z', service_date: session.service_date, organization: hospitalId, department: '10',
      practitioner: 'x', booked_by: 'test', cancel_reason: null, created_at: clock.now, updated_at: clock.now, offer_of: null, choose_until: null, refund_fen: null,
    }).execute()
  }
  expect(code(await book(`${session.id}-1`))).toBe('slot-reserved')
  expect(code(await book(`${session.id}-1`, scheduler))).toBe('slot-reserved')
  clock.now = new Date('2026-11-25T07:00:00+08:00')
  const atDesk = await book(`${session.id}-1`, scheduler)
  expect([atDesk.status, atDesk.json.extension.find((each: { url: string }) => each.url.endsWith('/booking-channel')).valueCode]).toEqual([200, 'onsite'])
  clock.now = new Date('2026-11-23T07:30:00+08:00')
})

test('a GP books for a contracted resident, from the places kept for referrals, and for nobody else', async () => {
  const slot = `${sessions[3]?.id}-6`
  expect(code(await book(slot, gp))).toBe('proxy-not-valid')
  await db.insertInto('care_relation').values({
    shard: 1, pid: patient, practitioner: gp.practitioner as string, organization: hospitalId, reason: 'gp-contract', reason_id: hospitalId, from_at: '2026-01-01T00:00:00Z', until_at: '2027-01-01T00:00:00Z',
  }).execute()
  const booked = await book(slot, gp)
  expect([booked.status, booked.json.slot?.[0].reference]).toEqual([200, `Slot/${slot}`])
})

test('a proxy whose grant has ended is told so', async () => {
  const proxy = citizen('01930000-0000-7001-8000-00000000aa09')
  const slot = `${sessions[2]?.id}-1`
  expect(code(await book(slot, proxy))).toBe('not-your-patient')
  await db.insertInto('proxy_grant').values({ shard: 1, pid: patient, patient, grantee_pid: proxy.patient as string, relationship: 'FTH', patient_name: '王秀英', from_at: '2020-01-01T00:00:00Z', until_at: '2026-11-01T00:00:00Z' }).execute()
  expect(code(await book(slot, proxy))).toBe('proxy-not-valid')
})

test('moving a booking books the new place and frees the old one, or changes nothing', async () => {
  const before = (await request('GET', `/fhir/Appointment?patient=Patient/${patient}&date=2026-11-24`, { as: me })).json.entry[0].resource
  const move = (slot: string, as = me, headers = {}) => request('POST', `/fhir/Appointment/${before.id}/$reschedule`, { as, headers, body: parameters({ slot }) })
  expect(code(await move(`${sessions[1]?.id}-1`))).toBe('limit-department-day')
  const moved = await move(`${sessions[2]?.id}-3`, me, { 'Idempotency-Key': 'move-1' })
  expect([moved.status, moved.json.status, moved.json.slot[0].reference]).toEqual([200, 'booked', `Slot/${sessions[2]?.id}-3`])
  const old = await request('GET', `/fhir/Appointment/${before.id}`, { as: me })
  expect([old.json.status, old.json.cancelationReason.coding[0].code]).toEqual(['cancelled', 'rescheduled'])
  expect((await request('GET', `/fhir/Slot/${sessions[0]?.id}-1`)).json.status).toBe('busy-unavailable')
  expect((await move(`${sessions[2]?.id}-3`, me, { 'Idempotency-Key': 'move-1' })).json.id).toBe(moved.json.id)
  expect(code(await move(`${sessions[2]?.id}-5`))).toBe('appointment-not-active')
  expect((await move(`${sessions[2]?.id}-5`, citizen('01930000-0000-7001-8000-00000000aa08'))).status).toBe(404)
})

test('a scheduler changes the numbers of the hospital, and sees who changed what', async () => {
  const sheet = async (as: Principal) => (await request('GET', `/api/booking/parameters?scope=hospital&id=${hospitalId}`, { as })).json
  expect((await set(scheduler, { ...hospitalScope, name: 'limit.openFuture', value: 1 })).status).toBe(201)
  const now = await sheet(scheduler)
  expect(now.numbers.find((each: { name: string }) => each.name === 'limit.openFuture')).toMatchObject({ value: 1, scope: 'hospital', standard: 6 })
  expect(now.changes[0]).toMatchObject({ name: 'limit.openFuture', value: 1, setBy: 'scheduler 张', until: null })
  expect(code(await book(`${sessions[4]?.id}-1`))).toBe('limit-open')
  await set(scheduler, { ...hospitalScope, name: 'limit.openFuture', value: null })
  const after = await sheet(scheduler)
  expect(after.numbers.find((each: { name: string }) => each.name === 'limit.openFuture')).toMatchObject({ value: 6, scope: 'platform' })
  expect(after.changes).toHaveLength(2)
})

test('a change may begin later, and then counts from there', async () => {
  await set(scheduler, { ...hospitalScope, name: 'hold.ttlSeconds', value: 600, from: '2026-11-24T00:00:00+08:00' })
  const value = async () => (await request('GET', `/api/booking/parameters?scope=hospital&id=${hospitalId}`, { as: scheduler })).json.numbers.find((each: { name: string }) => each.name === 'hold.ttlSeconds').value
  expect(await value()).toBe(300)
  clock.now = new Date('2026-11-24T00:00:00+08:00')
  expect(await value()).toBe(600)
  clock.now = new Date('2026-11-23T07:30:00+08:00')
})

test.each([
  ['another hospital\'s number', scheduler, { scope: 'hospital', id: 'other', name: 'limit.week', value: 5 }, 'forbidden'],
  ['the city\'s number by a scheduler', scheduler, { scope: 'city', id: '310000', name: 'limit.week', value: 5 }, 'forbidden'],
  ['a citizen', me, { ...hospitalScope, name: 'limit.week', value: 5 }, 'forbidden'],
  ['a hospital\'s number by the administrator', admin, { ...hospitalScope, name: 'limit.week', value: 5 }, 'forbidden'],
  ['an unknown number', scheduler, { ...hospitalScope, name: 'no.such', value: 5 }, 'parameter-unknown'],
  ['out of bounds', scheduler, { ...hospitalScope, name: 'limit.week', value: 61 }, 'parameter-invalid'],
  ['not whole', scheduler, { ...hospitalScope, name: 'limit.week', value: 5.5 }, 'parameter-invalid'],
  ['in the past', scheduler, { ...hospitalScope, name: 'limit.week', value: 5, from: '2026-11-22T00:00:00+08:00' }, 'parameter-invalid'],
  ['ends before it begins', scheduler, { ...hospitalScope, name: 'limit.week', value: 5, from: '2026-11-25T00:00:00+08:00', until: '2026-11-25T00:00:00+08:00' }, 'parameter-invalid'],
  ['a clinic that is not there', scheduler, { scope: 'clinic', id: 'nowhere', name: 'limit.week', value: 5 }, 'forbidden'],
])('refused: %s', async (_name, as, body, expected) => {
  expect(code(await set(as, body))).toBe(expected)
})

test('departments, clinics and the city have numbers of their own', async () => {
  const clinic = clinicTemplate().healthcare_service
  for (const [as, body] of [[scheduler, { scope: 'department', id: `${hospitalId}/03.04` }], [scheduler, { scope: 'clinic', id: clinic }], [admin, { scope: 'city', id: '310000' }]] as const) {
    expect((await set(as, { ...body, name: 'limit.week', value: 9 })).status).toBe(201)
  }
})

test('a day without clinics has none, a worked weekend day those of its weekday, and the hospital\'s own rule wins', async () => {
  const put = (as: Principal, day: string, body: Record<string, unknown>) => request('PUT', `/api/booking/calendar/${day}`, { as, body: { name: { zh: '院庆', en: 'Anniversary' }, ...body } })
  expect((await put(admin, '2026-12-08', { asWeekday: null, city: true })).status).toBe(200)
  expect((await put(admin, '2026-12-13', { asWeekday: 2, city: true })).status).toBe(200)
  expect((await put(scheduler, '2026-12-09', { asWeekday: null })).json.days.find((each: { day: string }) => each.day === '2026-12-09')).toMatchObject({ ownRule: true, asWeekday: null })
  expect((await put(scheduler, '2026-12-08', { asWeekday: 3 })).status).toBe(200)
  expect(code(await put(scheduler, '2026-12-10', { asWeekday: null, city: true }))).toBe('forbidden')
  expect(code(await put(scheduler, '2026-11-01', { asWeekday: null }))).toBe('parameter-invalid')
  await generateSessions(db, '2026-12-07', 7)
  const made = await db.selectFrom('clinic_session').select(['service_date', 'department']).where('service_date', '>=', '2026-12-07').orderBy('start_at').execute()
  expect(made.map((each) => [each.service_date, each.department])).toEqual([['2026-12-08', '10'], ['2026-12-10', '11'], ['2026-12-11', '13'], ['2026-12-12', '07'], ['2026-12-13', '03.04']])
})

test('from November on a missing or provisional calendar of the next year raises the alarm, once', async () => {
  expect(alarmOf('2026-10-31', [])).toBe(null)
  expect(alarmOf('2026-11-01', [{ day: '2026-12-31', provisional: false }])).toBe('missing')
  expect(alarmOf('2026-11-01', [{ day: '2027-01-01', provisional: true }])).toBe('provisional')
  expect(alarmOf('2026-11-01', [{ day: '2027-01-01', provisional: false }])).toBe(null)
  expect((await request('GET', '/api/booking/calendar', { as: scheduler })).json.alarm).toBe('provisional')
  expect(await raiseCalendarAlarm(db, makeCtx(system, { now: clock.now }))).toBe(1)
  expect(await raiseCalendarAlarm(db, makeCtx(system, { now: clock.now }))).toBe(0)
  const inbox = await request('GET', '/api/notices', { as: scheduler })
  expect(inbox.json).toMatchObject([{ kind: 'calendar-provisional', params: { year: '2027' }, read: false }])
  await request('POST', '/api/notices/read', { as: scheduler })
  expect((await request('GET', '/api/notices', { as: scheduler })).json[0].read).toBe(true)
})

test('the price list of a day is that of its dated rows', async () => {
  await set(admin, { scope: 'city', id: '310000', name: 'fee.expert.chief', value: 6000, from: '2026-12-15T00:00:00+08:00' })
  await generateSessions(db, '2026-12-14', 4)
  const made = await db.selectFrom('clinic_session').select(['service_date', 'fee_fen']).where('service_date', '>=', '2026-12-14').orderBy('start_at').execute()
  expect(made).toEqual([{ service_date: '2026-12-15', fee_fen: 6000n }, { service_date: '2026-12-16', fee_fen: 6000n }, { service_date: '2026-12-17', fee_fen: 6000n }])
})

test('everybody reads only their own notices', async () => {
  expect((await request('GET', '/api/notices', { as: citizen('01930000-0000-7001-8000-00000000aa07') })).json).toEqual([])
  expect(code(await request('GET', `/api/notices?patient=${patient}`, { as: citizen('01930000-0000-7001-8000-00000000aa07') }))).toBe('forbidden')
  expect((await request('GET', '/api/notices')).status).toBe(403)
})
