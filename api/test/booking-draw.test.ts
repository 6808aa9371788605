/** A draw from its announcement to its publication: nobody gains by being first, and anybody can check it. */
import type { Appointment } from '@medplum/fhirtypes'
import { beforeEach, expect, test } from 'vitest'
import type { Principal } from '../src/access/principal.ts'
import { holdDraws } from '../src/booking/hold-draws.ts'
import { readDraw } from '../src/booking/read-draw.ts'
import type { DrawView } from '../src/booking/shapes.ts'
import { sha256Hex } from '../src/crypto.ts'
import { keyOf } from '../src/fhir/id.ts'
import { loadResource } from '../src/records/read-resource.ts'
import { clinicTemplate } from './support/booking-data.ts'
import { brokenInvariants, openDesk } from './support/booking-desk.ts'
import { testDatabase } from './support/database.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
const departments = ['03.01', '03.02', '03.03', '03.04', '03.05', '03.06']
let session = ''

/** A clinic of four places in two segments on Tuesday in two weeks, released and therefore drawn at 07:00 on Tuesday; entered from 06:30. */
beforeEach(async () => {
  await db.deleteFrom('booking_parameter').where('name', '=', 'draw.collectMinutes').execute()
  const department = departments.shift() as string
  await desk.sessions(clinicTemplate({ weekday: 2, capacity: 4, segment_minutes: 120, department }))
  await db.insertInto('booking_parameter').values({ scope: 'city', scope_id: '310000', name: 'draw.collectMinutes', value: 30, from_at: '2020-01-01T00:00:00Z', until_at: null, set_by: 'test' }).execute()
  const rows = await db.selectFrom('clinic_session').select(['id', 'release_at']).where('department', '=', department).orderBy('start_at').execute()
  session = rows.find((row) => Date.parse(row.release_at) > Date.parse('2026-11-23T08:00:00+08:00'))?.id ?? rows.at(-1)?.id ?? ''
  await db.updateTable('clinic_session').set({ release_at: '2026-11-24T07:00:00+08:00' }).where('id', '=', session).execute()
  at('2026-11-23T07:30:00+08:00')
  await sweep()
})

test('the commitment stands before the first ticket, and what is published afterwards gives the same order and the same winners', async () => {
  const before = await view()
  expect(before).toMatchObject({ held: null, entered: 0, opens: '2026-11-23T22:30:00.000Z', closes: '2026-11-23T23:00:00.000Z' })
  const citizens = await desk.citizens(20)
  expect(await enter(citizens[0] as Principal)).toBe('draw-closed')
  at('2026-11-24T06:30:00+08:00')
  for (const citizen of citizens) expect(await enter(citizen)).toMatchObject({ status: 'proposed' })
  expect(JSON.stringify(await view())).not.toContain('seed"')
  at('2026-11-24T07:00:00+08:00')
  expect(await enter(citizens[0] as Principal)).toBe('draw-closed')
  expect(await desk.run(citizens[0] as Principal, '$book', { slot: `${session}-1`, patient: patientOf(citizens[0]) })).toBe('slot-not-released')
  expect(await sweep()).toBe(1)
  expect(await sweep()).toBe(0)
  const { commitment, held } = await view()
  if (!held) throw new Error('not held')
  expect(commitment).toBe(before.commitment)
  expect(sha256Hex(held.seed)).toBe(commitment)
  const ids = held.tickets.map(({ id }) => id)
  expect(held.listHash).toBe(sha256Hex([...ids].sort().join('\n')))
  const order = ids.map((id) => [sha256Hex(`${held.seed}:${held.listHash}:${id}`), id] as const).sort().map(([, id]) => id)
  expect(held.tickets.filter(({ result }) => result === 'won').map(({ id }) => id).sort()).toEqual(order.slice(0, 4).sort())
  const booked = await db.selectFrom('booking').select('state').where('session_id', '=', session).execute()
  expect(booked).toEqual(Array(4).fill({ state: 'booked' }))
  expect(await brokenInvariants(db)).toEqual([])
})

test('one ticket a patient, however often it is asked for; withdrawn before the closing, not after', async () => {
  const [a, b] = await desk.citizens(2) as [Principal, Principal]
  at('2026-11-24T06:45:00+08:00')
  const tickets = await Promise.all(Array.from({ length: 8 }, () => enter(a)))
  expect(new Set(tickets.map((each) => (typeof each === 'string' ? each : each.id))).size).toBe(1)
  expect(await enter(b)).toMatchObject({ status: 'proposed' })
  expect(await enter(b, { patient: patientOf(a) })).toBe('not-your-patient')
  const first = tickets[0] as Appointment
  expect(await desk.run(b, '$cancel', {}, { id: first.id as string })).toBe('not-found')
  expect(await desk.run(a, '$cancel', {}, { id: first.id as string })).toMatchObject({ status: 'cancelled' })
  const again = await enter(a) as Appointment
  expect(again.id).not.toBe(first.id)
  at('2026-11-24T07:00:00+08:00')
  expect(await desk.run(a, '$cancel', {}, { id: again.id as string })).toBe('draw-closed')
  await sweep()
  expect((await view()).held?.tickets).toHaveLength(2)
})

test('whoever a rule stops leaves the place to the next; what nobody wants is released to everybody', async () => {
  const [barred, other, third] = await desk.citizens(3) as [Principal, Principal, Principal]
  at('2026-11-24T06:45:00+08:00')
  await enter(barred)
  await enter(other)
  await db.updateTable('booking_patient').set({ barred_until: '2027-01-01T00:00:00Z' }).where('pid', '=', keyOf(patientOf(barred))).execute()
  at('2026-11-24T07:00:00+08:00')
  await sweep()
  const results = (await view()).held?.tickets.map(({ result, reason }) => `${result} ${reason}`).sort()
  expect(results).toEqual(['void booking-barred', 'won null'])
  expect(await desk.run(third, '$book', { slot: `${session}-4`, patient: patientOf(third) })).toMatchObject({ status: 'booked' })
  expect(await noticesOf(other)).toEqual(['draw-won'])
  expect(await noticesOf(barred)).toEqual(['draw-void'])
  expect(await brokenInvariants(db)).toEqual([])
})

test('wishes count: a segment nobody else wants goes to who asked for it', async () => {
  const [late, any] = await desk.citizens(2) as [Principal, Principal]
  at('2026-11-24T06:45:00+08:00')
  await enter(any, { slot: `${session}-1` })
  const ticket = await enter(late, { slot: `${session}-4` }) as Appointment
  expect(await enter(late, { slot: `01930000-0000-7000-8000-000000000000-1` })).toMatchObject({ id: ticket.id })
  at('2026-11-24T07:00:00+08:00')
  await sweep()
  const row = await db.selectFrom('booking').select('no').where('pid', '=', keyOf(patientOf(late))).executeTakeFirst()
  expect(row?.no).toBeGreaterThan(2)
  expect(await loadResource<Appointment>(db, 'Appointment', ticket.id as string)).toMatchObject({ status: 'cancelled', cancelationReason: { coding: [{ code: 'draw-won' }] } })
})

test('a rush at the closing while the draw is held twice: no ticket is lost, no place goes twice', async () => {
  const citizens = await desk.citizens(24)
  at('2026-11-24T06:59:59+08:00')
  const ctx = { ...desk.ctx(), now: new Date('2026-11-24T07:00:00+08:00') }
  const [answers] = await Promise.all([Promise.all(citizens.map((citizen) => enter(citizen))), holdDraws(db, ctx, desk.store), holdDraws(db, ctx, desk.store)])
  const entered = answers.filter((each) => typeof each !== 'string')
  const { held } = await view()
  expect(held?.tickets).toHaveLength(entered.length)
  expect(held?.tickets.filter(({ result }) => result === 'won').length).toBe(Math.min(4, entered.length))
  expect(await brokenInvariants(db)).toEqual([])
})

function at(instant: string): void {
  desk.clock.now = new Date(instant)
}

function sweep(): Promise<number> {
  return holdDraws(db, desk.ctx(), desk.store)
}

async function view(): Promise<DrawView> {
  const found = await readDraw(db, session)
  if (!found) throw new Error('no draw')
  return found
}

function patientOf(citizen: Principal | undefined): string {
  return citizen?.patient as string
}

function enter(citizen: Principal, change: Record<string, string> = {}): Promise<Appointment | string> {
  return desk.run(citizen, '$enter-draw', { schedule: session, patient: patientOf(citizen), ...change })
}

async function noticesOf(citizen: Principal): Promise<string[]> {
  const rows = await db.selectFrom('notice').select('kind').where('recipient', '=', patientOf(citizen)).execute()
  return rows.map((row) => row.kind)
}
