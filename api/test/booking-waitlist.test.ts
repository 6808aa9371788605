/** Returned places: they cool, the waitlist has them first in its order, and nobody is passed over without a reason. */
import type { Appointment, AppointmentResponse } from '@medplum/fhirtypes'
import { beforeEach, expect, test } from 'vitest'
import type { Principal } from '../src/access/principal.ts'
import { expireHolds } from '../src/booking/expire-holds.ts'
import { returnPlaces } from '../src/booking/return-places.ts'
import { keyOf } from '../src/fhir/id.ts'
import { OutcomeError } from '../src/fhir/outcome.ts'
import { loadResource } from '../src/records/read-resource.ts'
import { writeResources } from '../src/records/write-resources.ts'
import { inTransaction } from '../src/storage/transaction.ts'
import { clinicTemplate, hospitalId } from './support/booking-data.ts'
import { brokenInvariants, openDesk } from './support/booking-desk.ts'
import { testDatabase } from './support/database.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
let session = ''
let department = ''
const departments = ['03.01', '03.02', '03.03', '03.04', '03.05', '03.06', '03.07', '03.08', '03.09', '04.01', '04.02', '04.03']

/** Each test has a clinic of its own with two places, on Friday. */
beforeEach(async () => {
  at('2026-11-23T09:00:00+08:00')
  department = departments.shift() as string
  const ids = await desk.sessions(clinicTemplate({ weekday: 5, capacity: 2, segment_minutes: 120, department }))
  session = ids[0] as string
  await cooling(5, 90)
})

test('a returned place is seen by nobody until its instant, which nobody can foresee', async () => {
  const [a, b, c] = await desk.citizens(3) as [Principal, Principal, Principal]
  const booked = await book(a, 1)
  await book(b, 2)
  expect(await desk.run(a, '$cancel', {}, { id: booked })).toMatchObject({ status: 'cancelled' })
  expect(await desk.run(c, '$book', { slot: `${session}-1`, patient: c.patient as string })).toBe('slot-taken')
  const row = await db.selectFrom('booking').selectAll().where('session_id', '=', session).where('state', '=', 'cooling').executeTakeFirstOrThrow()
  const minutes = (Date.parse(row.return_at ?? '') - desk.clock.now.getTime()) / 60_000
  expect(minutes).toBeGreaterThanOrEqual(5)
  expect(minutes).toBeLessThanOrEqual(90)
  await sweep()
  expect(await desk.run(c, '$book', { slot: `${session}-1`, patient: c.patient as string })).toBe('slot-taken')
  desk.clock.now = new Date(Date.parse(row.return_at ?? ''))
  expect(await sweep()).toBe(1)
  expect(await desk.run(c, '$book', { slot: `${session}-1`, patient: c.patient as string })).toMatchObject({ status: 'booked' })
  expect(await faults()).toEqual([])
})

test('who waits longest is asked first; declining passes the place to the next; accepting books it', async () => {
  const [a, first, second] = await desk.citizens(3) as [Principal, Principal, Principal]
  const booked = await book(a, 1)
  const one = await wait(first)
  at('2026-11-23T09:01:00+08:00')
  await wait(second)
  await desk.run(a, '$cancel', {}, { id: booked })
  await sweep()
  const offer = await offerOf(first)
  expect(offer).toMatchObject({ status: 'proposed' })
  expect(await offersOf(second)).toEqual([])
  expect(await respond(second, offer, 'accepted')).toBe('forbidden')
  expect(await respond(first, offer, 'tentative')).toBe('business-rule')
  expect(await respond(first, offer, 'declined')).toBe('declined')
  expect(await respond(first, offer, 'accepted')).toBe('offer-ended')
  await sweep()
  const next = await offerOf(second)
  expect(await desk.run(first, '$accept', {}, { id: next.id as string })).toBe('not-found')
  expect(await desk.run(second, '$accept', {}, { id: next.id as string })).toMatchObject({ id: next.id, status: 'booked' })
  expect(await respond(second, next, 'accepted')).toBe('accepted')
  expect(await loadResource<Appointment>(db, 'Appointment', next.id as string)).toMatchObject({ status: 'booked' })
  expect(await loadResource<Appointment>(db, 'Appointment', one)).toMatchObject({ status: 'waitlist' })
  expect(await events()).toEqual(['returned', 'offered', 'declined', 'offered', 'passed-over', 'accepted'])
  expect(await faults()).toEqual([])
})

test('an offer that is not answered in time goes on, and after two the entry ends', async () => {
  const [a, b, idle] = await desk.citizens(3) as [Principal, Principal, Principal]
  const booked = [await book(a, 1), await book(b, 2)]
  const entry = await wait(idle)
  for (const [index, [asked, over]] of [['09:05:00', '09:35:00'], ['09:40:00', '10:10:00']].entries()) {
    at(`2026-11-23T${asked}+08:00`)
    await desk.run(index === 0 ? a : b, '$cancel', {}, { id: booked[index] as string })
    await sweep()
    const offer = await offerOf(idle)
    at(`2026-11-23T${over}+08:00`)
    expect(await respond(idle, offer, 'accepted')).toBe('offer-ended')
    await sweep()
  }
  expect((await db.selectFrom('wait_entry').select(['state', 'declined']).where('appointment', '=', entry).executeTakeFirst())).toEqual({ state: 'withdrawn', declined: 2 })
  expect(await faults()).toEqual([])
})

test('a rule that stands in the way is logged, and the next is asked', async () => {
  const [a, busy, next] = await desk.citizens(3) as [Principal, Principal, Principal]
  const booked = await book(a, 1)
  await wait(busy)
  at('2026-11-23T09:01:00+08:00')
  await wait(next)
  await db.updateTable('booking_patient').set({ barred_until: '2027-01-01T00:00:00Z' }).where('pid', '=', keyOf(busy.patient as string)).execute()
  await desk.run(a, '$cancel', {}, { id: booked })
  await sweep()
  expect(await offersOf(busy)).toEqual([])
  expect(await offerOf(next)).toMatchObject({ status: 'proposed' })
  const log = await db.selectFrom('wait_log').select(['event', 'reason']).where('session_id', '=', session).where('event', '=', 'passed-over').execute()
  expect(log).toEqual([{ event: 'passed-over', reason: 'rule: booking-barred' }])
})

test('an earlier place replaces the visit that was booked, when it is accepted', async () => {
  const [later] = await desk.sessions(clinicTemplate({ weekday: 1, capacity: 4, segment_minutes: 120, department })).then((ids) => ids.filter((id) => id !== session))
  const monday = (await db.selectFrom('clinic_session').select(['id', 'service_date']).where('department', '=', department).where('service_date', '=', '2026-11-30').executeTakeFirst())?.id ?? later
  const [a, b] = await desk.citizens(2) as [Principal, Principal]
  const booked = await book(a, 1)
  const held = await desk.run(b, '$book', { slot: `${monday}-1`, patient: b.patient as string }) as Appointment
  await wait(b, { earlierThan: held.id as string })
  await desk.run(a, '$cancel', {}, { id: booked })
  await sweep()
  expect(await loadResource<Appointment>(db, 'Appointment', held.id as string)).toMatchObject({ status: 'booked' })
  expect(await respond(b, await offerOf(b), 'accepted')).toBe('accepted')
  expect(await loadResource<Appointment>(db, 'Appointment', held.id as string)).toMatchObject({ status: 'cancelled', cancelationReason: { coding: [{ code: 'rescheduled' }] } })
  expect(await faults()).toEqual([])
})

test('who asked for it is booked at once', async () => {
  const [a, b] = await desk.citizens(2) as [Principal, Principal]
  const booked = await book(a, 1)
  const entry = await wait(b, { autoAccept: true })
  await desk.run(a, '$cancel', {}, { id: booked })
  await sweep()
  expect(await loadResource<Appointment>(db, 'Appointment', entry)).toMatchObject({ status: 'cancelled', cancelationReason: { coding: [{ code: 'waitlist-served' }] } })
  expect((await db.selectFrom('booking').select('state').where('pid', '=', keyOf(b.patient as string)).execute())).toEqual([{ state: 'booked' }])
  expect(await events()).toEqual(['returned', 'offered', 'accepted'])
  expect(await faults()).toEqual([])
})

test('leaving gives an offered place to the next; the list closes on the eve', async () => {
  const [a, b, c] = await desk.citizens(3) as [Principal, Principal, Principal]
  const booked = await book(a, 1)
  const entry = await wait(b)
  await desk.run(a, '$cancel', {}, { id: booked })
  await sweep()
  expect(await desk.run(c, '$cancel', {}, { id: entry })).toBe('not-found')
  expect(await desk.run(b, '$cancel', {}, { id: entry })).toMatchObject({ status: 'cancelled' })
  expect(await offersOf(b)).toEqual([])
  const late = await wait(c)
  at('2026-11-26T18:00:00+08:00')
  await sweep()
  expect(await loadResource<Appointment>(db, 'Appointment', late)).toMatchObject({ status: 'cancelled' })
  expect(await faults()).toEqual([])
})

test.each<[string, Record<string, unknown>, string]>([
  ['days gone by', { from: '2026-11-22' }, 'value-invalid'],
  ['days the wrong way round', { from: '2026-11-27', until: '2026-11-26' }, 'value-invalid'],
  ['too far ahead', { until: '2027-03-01' }, 'value-invalid'],
  ['no such day', { until: '2026-02-30' }, 'value-invalid'],
  ['no such department', { department: '99.99' }, 'value-invalid'],
  ['no such hospital', { organization: 'nowhere' }, 'not-found'],
  ['urgent, said by a citizen', { urgent: true }, 'forbidden'],
  ['a visit that is not booked', { earlierThan: 'nothing' }, 'appointment-not-active'],
  ['closed: the eve of the last day', { from: '2026-11-23', until: '2026-11-23' }, 'waitlist-closed'],
])('%s is refused', async (_, change, code) => {
  departments.unshift(department)
  const [a] = await desk.citizens(1) as [Principal]
  expect(await join(a, change)).toBe(code)
})

test('once a department, three in all, and only for oneself or those one acts for', async () => {
  const [a, b] = await desk.citizens(2) as [Principal, Principal]
  expect(await join(a, {})).toMatchObject({ status: 'waitlist' })
  expect(await join(a, {})).toBe('waitlist-twice')
  expect(await join(a, { department: '05.01' })).toMatchObject({ status: 'waitlist' })
  expect(await join(a, { department: '05.02' })).toMatchObject({ status: 'waitlist' })
  expect(await join(a, { department: '05.03' })).toBe('waitlist-full')
  expect(await join(b, { patient: a.patient as string })).toBe('not-your-patient')
})

test('many cancel, many wait, sweeps run twice at once: every place has one holder and every offer one entry', async () => {
  department = '04.04'
  const ids = await desk.sessions(clinicTemplate({ weekday: 5, capacity: 10, segment_minutes: 240, department }))
  session = ids[0] as string
  const holders = await desk.citizens(10)
  const waiters = await desk.citizens(14)
  const booked = await Promise.all(holders.map((each) => book(each, 1)))
  await Promise.all(waiters.map((each) => wait(each)))
  await Promise.all(booked.slice(0, 7).map((id, index) => desk.run(holders[index] as Principal, '$cancel', {}, { id })))
  await Promise.all([sweep(), sweep(), expireHolds(db, desk.ctx(), desk.store)])
  const offers = (await Promise.all(waiters.map((each) => offersOf(each)))).flat()
  expect(offers).toHaveLength(7)
  await Promise.all(offers.map((offer, index) => respond(waiters.find((each) => patientOf(offer) === each.patient) as Principal, offer, index % 2 === 0 ? 'accepted' : 'declined')))
  await Promise.all([sweep(), sweep()])
  expect(await faults()).toEqual([])
  const entries = await db.selectFrom('wait_entry').select(['state', 'offer']).where('department', '=', department).execute()
  expect(entries.filter((each) => each.state === 'served')).toHaveLength(4)
  expect(new Set(entries.flatMap((each) => each.offer ?? [])).size).toBe(entries.filter((each) => each.state === 'offered').length)
})

function at(instant: string): void {
  desk.clock.now = new Date(instant)
}

async function cooling(min: number, max: number): Promise<void> {
  await db.deleteFrom('booking_parameter').where('name', 'in', ['return.maxMinutes', 'return.minMinutes']).execute()
  await db.insertInto('booking_parameter').values([['return.minMinutes', min], ['return.maxMinutes', max]].map(([name, value]) => ({
    scope: 'city' as const, scope_id: '310000', name: name as string, value: value as number, from_at: '2020-01-01T00:00:00Z', until_at: null, set_by: 'test',
  }))).execute()
}

async function book(citizen: Principal, place: number): Promise<string> {
  const made = await desk.run(citizen, '$book', { slot: `${session}-${place}`, patient: citizen.patient as string })
  if (typeof made === 'string') throw new Error(made)
  return made.id as string
}

async function join(citizen: Principal, change: Record<string, unknown>): Promise<Appointment | string> {
  const wish = { patient: citizen.patient as string, organization: hospitalId, department, from: '2026-11-24', until: '2026-11-27', ...change }
  return desk.run(citizen, '$join-waitlist', wish as Record<string, string>)
}

async function wait(citizen: Principal, change: Record<string, unknown> = {}): Promise<string> {
  const made = await join(citizen, change)
  if (typeof made === 'string') throw new Error(made)
  return made.id as string
}

function sweep(): Promise<number> {
  return returnPlaces(db, desk.ctx(), desk.store)
}

async function offersOf(citizen: Principal): Promise<Appointment[]> {
  const rows = await db.selectFrom('booking').select('appointment').where('pid', '=', keyOf(citizen.patient as string)).where('state', '=', 'offered').execute()
  return Promise.all(rows.map(async (row) => await loadResource<Appointment>(db, 'Appointment', row.appointment) as Appointment))
}

async function offerOf(citizen: Principal): Promise<Appointment> {
  const [offer] = await offersOf(citizen)
  if (!offer) throw new Error('no offer')
  return offer
}

function patientOf(appointment: Appointment): string {
  return appointment.participant.find((each) => each.actor?.reference?.startsWith('Patient/'))?.actor?.reference?.slice(8) ?? ''
}

async function respond(citizen: Principal, offer: Appointment, answer: AppointmentResponse['participantStatus']): Promise<string> {
  const resource: AppointmentResponse = { resourceType: 'AppointmentResponse', appointment: { reference: `Appointment/${offer.id}` }, actor: { reference: `Patient/${patientOf(offer)}` }, participantStatus: answer }
  try {
    await inTransaction(db, (trx) => writeResources(trx, desk.ctx(citizen), desk.store, [{ method: 'create', type: 'AppointmentResponse', id: null, resource, ifMatch: null }], 'client'))
    return answer as string
  } catch (error) {
    if (error instanceof OutcomeError) return error.issues[0]?.code ?? ''
    throw error
  }
}

async function events(): Promise<string[]> {
  const rows = await db.selectFrom('wait_log').select('event').where('session_id', '=', session).orderBy('id').execute()
  return rows.map((row) => row.event)
}

function faults(): Promise<string[]> {
  return brokenInvariants(db)
}
