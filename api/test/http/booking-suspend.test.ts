/** A clinic that is not held, or by somebody else: nobody is left in limbo. */
import type { Appointment } from '@medplum/fhirtypes'
import { beforeEach, expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { chooseUntil } from '../../src/booking/choices.ts'
import { expireHolds } from '../../src/booking/expire-holds.ts'
import { followUp } from '../../src/booking/follow-up.ts'
import { clinicTemplate, doctorId, hospitalId } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { testPlatform } from '../support/platform.ts'

const { db, request, clock } = await testPlatform()
const desk = openDesk(db)
const scheduler: Principal = { ...anonymous, kind: 'person', id: 'account-scheduler', name: '挂号处', role: 'scheduler', organization: hospitalId }
const other = '01930000-0000-7a17-8000-0000000000d2'

/** Sessions by doctor, day and half: the doctor on Tuesday and Thursday, another of the same title on Tuesday afternoon. */
let tuesday = ''
let thursday = ''
let afternoon = ''
let people: Principal[] = []
let booked: Appointment[] = []
const patientOf = (person: Principal | undefined) => person?.patient as string

beforeEach(async () => {
  clock.now = desk.clock.now = new Date('2026-11-23T07:30:00+08:00')
  for (const table of ['booking', 'clinic_session', 'session_template', 'notice'] as const) await db.deleteFrom(table).execute()
  const sessions = await desk.sessions(
    clinicTemplate({ weekday: 2, capacity: 4 }), clinicTemplate({ weekday: 4, capacity: 4 }),
    clinicTemplate({ weekday: 2, half: 'pm', start_time: '13:00', end_time: '17:00', capacity: 4, practitioner: other, practitioner_name_zh: '李明', fee_fen: 3000n }),
  )
  const [a, b, c] = await db.selectFrom('clinic_session').select('id').where('id', 'in', sessions).where('service_date', '<', '2026-11-27').orderBy('start_at').execute()
  ;[tuesday, afternoon, thursday] = [a?.id ?? '', b?.id ?? '', c?.id ?? '']
  people = await desk.citizens(2)
  booked = await Promise.all(people.map((person, index) => desk.run(person, '$book', { slot: `${tuesday}-${index + 1}`, patient: patientOf(person) }))) as Appointment[]
})

const suspend = (as: Principal = scheduler, id = tuesday) => request('POST', `/fhir/Schedule/${id}/$suspend`, { as, body: { resourceType: 'Parameters', parameter: [{ name: 'reason', valueString: '医生出差' }] } })
const substitute = (practitioner: string) => request('POST', `/fhir/Schedule/${tuesday}/$substitute`, { as: scheduler, body: { resourceType: 'Parameters', parameter: [{ name: 'practitioner', valueReference: { reference: `Practitioner/${practitioner}` } }] } })
const appointments = async (person: Principal | undefined): Promise<Appointment[]> => (await request('GET', `/fhir/Appointment?patient=Patient/${patientOf(person)}`, { as: person as Principal })).json.entry.map((each: { resource: Appointment }) => each.resource)
const offersOf = async (person: Principal | undefined) => (await appointments(person)).filter((each) => each.status === 'proposed')
const run = (person: Principal | undefined, name: string, id: string | undefined) => desk.run(person as Principal, name, {}, { id: id as string })
const inbox = async (as: Principal) => (await request('GET', '/api/notices', { as })).json.map((each: { kind: string }) => each.kind)
const extension = (appointment: Appointment | undefined, name: string) => appointment?.extension?.find((each) => each.url.endsWith(`/${name}`))
const status = async (id: string | undefined) => {
  const row = await db.selectFrom('booking').select(['state', 'cancel_reason', 'refund_fen']).where('appointment', '=', id as string).executeTakeFirstOrThrow()
  return [row.state, row.cancel_reason, row.refund_fen]
}

test('a suspended clinic: places are kept to choose from, nobody books it, everybody concerned is told', async () => {
  const answer = await suspend()
  expect([answer.status, answer.json.active]).toEqual([200, false])
  const offers = await offersOf(people[0])
  expect(offers).toHaveLength(3)
  expect(offers.map((each) => each.slot?.[0]?.reference?.slice(5, -2))).toEqual(expect.arrayContaining([afternoon, thursday]))
  for (const each of offers) expect(extension(each, 'replaces')?.valueReference?.reference).toBe(`Appointment/${booked[0]?.id}`)
  // Twelve hours before the visit, which is sooner than a day from now.
  expect(extension((await appointments(people[0])).find((each) => each.id === booked[0]?.id), 'choose-until')?.valueInstant).toBe('2026-11-23T20:00:00+08:00')
  expect(await inbox(people[0] as Principal)).toEqual(['session-suspended'])
  expect(await inbox({ ...anonymous, kind: 'person', id: 'd', name: 'd', role: 'clinician', practitioner: doctorId, organization: hospitalId })).toEqual(['session-suspended-doctor'])
  const [stranger] = await desk.citizens(1)
  expect(await desk.run(stranger as Principal, '$book', { slot: `${tuesday}-3`, patient: patientOf(stranger) })).toBe('session-closed')
  expect(await followUp(db, desk.ctx(), desk.store)).toBe(0)
  expect((await suspend()).status).toBe(409)
  expect(await brokenInvariants(db)).toEqual([])
})

test('one tap takes a place that was kept: the old one is cancelled with the fee owed back, the other choices go', async () => {
  await suspend()
  const [first, second] = await offersOf(people[0])
  const taken = await run(people[0], '$accept', first?.id) as Appointment
  expect([taken.status, extension(taken, 'replaces'), extension(taken, 'expires-at')]).toEqual(['booked', undefined, undefined])
  expect(await status(booked[0]?.id)).toEqual(['cancelled', 'provider-suspended', 5000n])
  expect(await status(second?.id)).toEqual(['cancelled', 'hold-expired', null])
  expect(await run(people[0], '$accept', first?.id)).toMatchObject({ id: first?.id, status: 'booked' })
  expect(await run(people[0], '$accept', second?.id)).toBe('offer-gone')
  expect(await run(people[1], '$accept', first?.id)).toBe('not-found')
  expect(await brokenInvariants(db)).toEqual([])
})

test('two taps at once on two choices take one of them', async () => {
  await suspend()
  const [first, second] = await offersOf(people[0])
  const answers = await Promise.all([run(people[0], '$accept', first?.id), run(people[0], '$accept', second?.id)])
  expect(answers.filter((each) => typeof each !== 'string')).toHaveLength(1)
  expect(answers.filter((each) => each === 'offer-gone')).toHaveLength(1)
  expect(await brokenInvariants(db)).toEqual([])
})

test('who wants none of them cancels at any time; it is the hospital\'s doing and not counted', async () => {
  await suspend()
  clock.now = desk.clock.now = new Date('2026-11-23T19:59:00+08:00')
  expect(await run(people[0], '$cancel', booked[0]?.id)).toMatchObject({ status: 'cancelled', cancelationReason: { coding: [{ code: 'provider-suspended' }] } })
  expect(await offersOf(people[0])).toEqual([])
  expect(await status(booked[0]?.id)).toEqual(['cancelled', 'provider-suspended', 5000n])
  expect(await brokenInvariants(db)).toEqual([])
})

test('silence: at the deadline the booking is cancelled with the fee owed back, and the places are free again', async () => {
  await suspend()
  const [offer] = await offersOf(people[0])
  clock.now = desk.clock.now = new Date('2026-11-23T21:00:00+08:00')
  expect(await run(people[0], '$accept', offer?.id)).toBe('offer-gone')
  expect(await followUp(db, desk.ctx(), desk.store)).toBe(2)
  await expireHolds(db, desk.ctx(), desk.store)
  expect(await status(booked[0]?.id)).toEqual(['cancelled', 'provider-suspended', 5000n])
  expect(await inbox(people[0] as Principal)).toEqual(['choice-ended-suspended', 'session-suspended'])
  expect((await db.selectFrom('clinic_session').select('used').where('used', '>', 0).execute())).toEqual([])
  expect(await brokenInvariants(db)).toEqual([])
})

test('where there is nothing to choose from the booking is cancelled at once', async () => {
  await db.updateTable('clinic_session').set({ status: 'closed' }).where('id', 'not in', [tuesday]).execute()
  await suspend()
  expect(await status(booked[0]?.id)).toEqual(['cancelled', 'provider-suspended', 5000n])
  expect(await inbox(people[0] as Principal)).toEqual(['session-suspended-no-choice'])
})

test('what a crash left undone the worker does', async () => {
  await db.updateTable('clinic_session').set({ status: 'suspended' }).where('id', '=', tuesday).execute()
  expect(await followUp(db, desk.ctx(), desk.store)).toBe(2)
  expect(await offersOf(people[1])).toHaveLength(3)
})

test('a substitute: the patient is asked, and agreeing names the new doctor and owes the difference back', async () => {
  await db.updateTable('clinic_session').set({ status: 'closed' }).where('practitioner', '=', other).execute()
  expect((await substitute(other)).status).toBe(200)
  expect(await inbox(people[0] as Principal)).toEqual(['doctor-substituted'])
  const agreed = await run(people[0], '$accept', booked[0]?.id) as Appointment
  expect(agreed.participant.map((each) => each.actor?.display)).toContain('李明')
  expect([agreed.status, extension(agreed, 'fee')?.valueMoney?.value, extension(agreed, 'choose-until')]).toEqual(['booked', 30, undefined])
  expect(await status(booked[0]?.id)).toEqual(['booked', null, 2000n])
  clock.now = desk.clock.now = new Date('2026-11-23T21:00:00+08:00')
  expect(await followUp(db, desk.ctx(), desk.store)).toBe(1)
  expect(await status(booked[1]?.id)).toEqual(['cancelled', 'provider-changed', 3000n])
  expect(await brokenInvariants(db)).toEqual([])
})

test('a substitute is agreed to or declined by AppointmentResponse as well', async () => {
  await db.updateTable('clinic_session').set({ status: 'closed' }).where('practitioner', '=', other).execute()
  expect((await substitute(other)).status).toBe(200)
  const respond = (person: Principal | undefined, appointment: Appointment | undefined, participantStatus: string) => request('POST', '/fhir/AppointmentResponse', {
    as: person as Principal, body: { resourceType: 'AppointmentResponse', appointment: { reference: `Appointment/${appointment?.id}` }, actor: { reference: `Patient/${patientOf(person)}` }, participantStatus },
  })
  expect((await respond(people[0], booked[0], 'accepted')).status).toBe(201)
  expect(await status(booked[0]?.id)).toEqual(['booked', null, 2000n])
  expect((await respond(people[1], booked[1], 'declined')).status).toBe(201)
  expect(await status(booked[1]?.id)).toEqual(['cancelled', 'provider-changed', 3000n])
  const late = await respond(people[0], booked[0], 'declined')
  expect([late.status, late.json.issue[0].details.coding[0].code]).toEqual([422, 'offer-ended'])
  expect(await brokenInvariants(db)).toEqual([])
})

test.each([
  ['the same doctor', doctorId, 'business-rule'],
  ['a doctor of no clinic here', '01930000-0000-7a17-8000-0000000000d9', 'reference-unresolved'],
])('no substitute: %s', async (_name, practitioner, code) => {
  const answer = await substitute(practitioner)
  expect(answer.json.issue[0].details.coding[0].code).toBe(code)
})

test('a clinic that is over is not suspended', async () => {
  clock.now = desk.clock.now = new Date('2026-11-24T12:00:00+08:00')
  expect((await suspend()).json.issue[0].details.coding[0].code).toBe('slot-in-past')
})

test('only the desk of the hospital suspends', async () => {
  for (const as of [people[0], { ...scheduler, organization: 'other' }] as Principal[]) expect((await suspend(as)).status).toBe(403)
})

test('the time to choose ends twelve hours before the visit, and is never less than half an hour', () => {
  const now = new Date('2026-11-23T08:00:00+08:00')
  const until = (start: string) => chooseUntil(now, new Date(start), 1440).toISOString()
  expect(until('2026-11-30T08:00:00+08:00')).toBe('2026-11-24T00:00:00.000Z')
  expect(until('2026-11-24T08:00:00+08:00')).toBe('2026-11-23T12:00:00.000Z')
  expect(until('2026-11-23T10:00:00+08:00')).toBe('2026-11-23T00:30:00.000Z')
})
