/** Who did not come, who cancelled late, what that costs, and how it is excused. */
import type { Appointment } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import type { Principal } from '../src/access/principal.ts'
import { anonymous } from '../src/access/principal.ts'
import { loadStanding } from '../src/booking/absences.ts'
import { markNoShows } from '../src/booking/mark-no-shows.ts'
import { keyOf } from '../src/fhir/id.ts'
import { loadResource } from '../src/records/read-resource.ts'
import { clinicTemplate, hospitalId } from './support/booking-data.ts'
import { brokenInvariants, openDesk } from './support/booking-desk.ts'
import { testDatabase } from './support/database.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
const scheduler: Principal = { ...anonymous, kind: 'person', id: 'scheduler-1', name: '挂号处', role: 'scheduler', organization: hospitalId, organizationName: '浦江市第一人民医院' }
let sessions: string[] = []

beforeAll(async () => {
  sessions = await desk.sessions(...[1, 2, 3, 4, 5].map((weekday) => clinicTemplate({ weekday, capacity: 160 })))
})

test('a visit nobody came to is missed after the grace, not before, and one who was there is not', async () => {
  const [absent, present] = await desk.citizens(2) as [Principal, Principal]
  const missed = await book(absent, 0)
  const there = await book(present, 0)
  at('2026-11-23T08:10:00+08:00')
  expect(await desk.run(present, '$check-in', {}, { id: there })).toMatchObject({ status: 'checked-in' })
  at('2026-11-23T09:00:00+08:00')
  expect(await mark()).toBe(0)
  at('2026-11-23T09:01:01+08:00')
  expect(await mark()).toBe(1)
  expect(await mark()).toBe(0)
  expect((await loadResource<Appointment>(db, 'Appointment', missed))?.status).toBe('noshow')
  expect((await loadResource<Appointment>(db, 'Appointment', there))?.status).toBe('checked-in')
  expect(await noticesOf(absent)).toEqual(['visit-missed'])
  expect(await brokenInvariants(db)).toEqual([])
})

test('the third missed visit of a year bars online booking; an excuse opens it at once', async () => {
  const [citizen] = await desk.citizens(1) as [Principal]
  const missed: string[] = []
  for (const day of [0, 1, 2]) {
    at(`2026-11-2${3 + day}T07:30:00+08:00`)
    missed.push(await book(citizen, day))
    at(`2026-11-2${3 + day}T20:00:00+08:00`)
    await mark()
  }
  at('2026-11-26T07:30:00+08:00')
  expect(await desk.run(citizen, '$book', { slot: slot(3), patient: citizen.patient as string })).toBe('booking-barred')
  expect(await desk.run(citizen, '$appeal', {}, { id: missed[2] as string })).toBe('required')
  expect(await desk.run(citizen, '$appeal', { reason: '地铁停运，有证明' }, { id: missed[2] as string })).toMatchObject({ status: 'noshow' })
  expect(await desk.run(citizen, '$appeal', { reason: '再次申诉' }, { id: missed[2] as string })).toBe('appeal-closed')
  expect(await desk.run(citizen, '$excuse', { decision: 'excused' }, { id: missed[2] as string })).toBe('forbidden')
  expect(await desk.run(scheduler, '$excuse', { decision: 'excused', reason: '属实' }, { id: missed[2] as string })).toMatchObject({ status: 'cancelled' })
  expect(await desk.run(scheduler, '$excuse', { decision: 'upheld', reason: '改判' }, { id: missed[2] as string })).toBe('appeal-closed')
  expect(await desk.run(citizen, '$book', { slot: slot(3), patient: citizen.patient as string })).toMatchObject({ status: 'booked' })
  expect((await noticesOf(citizen)).filter((kind) => kind !== 'visit-missed')).toEqual(['absence-excused'])
  expect(await brokenInvariants(db)).toEqual([])
})

test('an objection that is upheld leaves the bar; the time to object ends', async () => {
  const [citizen] = await desk.citizens(1) as [Principal]
  at('2026-11-23T07:30:00+08:00')
  const id = await book(citizen, 0)
  at('2026-11-23T20:00:00+08:00')
  await mark()
  at('2026-12-24T10:00:00+08:00')
  expect(await desk.run(citizen, '$appeal', { reason: '忘了' }, { id })).toBe('appeal-closed')
  expect(await desk.run(scheduler, '$excuse', { decision: 'upheld' }, { id })).toBe('required')
  expect(await desk.run(scheduler, '$excuse', { decision: 'upheld', reason: '无正当理由' }, { id })).toMatchObject({ status: 'noshow' })
  expect((await standing(citizen)).missed).toBe(1)
})

test('three late cancellations are one missed visit', async () => {
  const [citizen] = await desk.citizens(1) as [Principal]
  for (const day of [0, 1, 2]) {
    at(`2026-11-2${3 + day}T07:30:00+08:00`)
    const id = await book(citizen, day)
    expect(await desk.run(citizen, '$cancel', { reason: '有事' }, { id })).toMatchObject({ status: 'cancelled' })
    expect(await standing(citizen)).toMatchObject(day < 2 ? { missed: 0, lateLeft: day + 1 } : { missed: 1, lateLeft: 0 })
  }
  expect(await desk.run(citizen, '$appeal', { reason: '生病' }, { id: 'unknown-id' })).toBe('not-found')
})

test('check-in and the sweep at the same moment: one of them has the visit', async () => {
  const citizens = await desk.citizens(12)
  at('2026-11-24T07:30:00+08:00')
  const ids = await Promise.all(citizens.map((citizen) => book(citizen, 1)))
  at('2026-11-24T08:31:00+08:00')
  const late = new Date('2026-11-24T23:00:00+08:00')
  const [, ...answers] = await Promise.all([markNoShows(db, { ...desk.ctx(), now: late }, desk.store), ...ids.map((id, index) => desk.run(citizens[index] as Principal, '$check-in', {}, { id }))])
  for (const [index, id] of ids.entries()) {
    const answer = answers[index] as Appointment | string
    const { rows } = await sql<{ state: string }>`select state from booking where appointment = ${id}`.execute(db)
    expect(rows[0]?.state).toBe(typeof answer === 'string' ? 'noshow' : 'checked-in')
  }
  expect(await brokenInvariants(db)).toEqual([])
})

function at(instant: string): void {
  desk.clock.now = new Date(instant)
}

function slot(day: number): string {
  return `${sessions[day]}-1`
}

async function book(citizen: Principal, day: number): Promise<string> {
  const made = await desk.run(citizen, '$book', { slot: slot(day), patient: citizen.patient as string })
  if (typeof made === 'string') throw new Error(made)
  return made.id as string
}

function mark(): Promise<number> {
  return markNoShows(db, desk.ctx(), desk.store)
}

function standing(citizen: Principal) {
  return loadStanding(db, desk.ctx(), keyOf(citizen.patient as string), '310000')
}

async function noticesOf(citizen: Principal): Promise<string[]> {
  const rows = await db.selectFrom('notice').select('kind').where('recipient', '=', citizen.patient as string).orderBy('created_at').execute()
  return rows.map((row) => row.kind)
}
