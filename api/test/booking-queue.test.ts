/** The queue of a clinic: numbers, the order of calling, who was not there, how long it takes. */
import type { Appointment } from '@medplum/fhirtypes'
import { beforeEach, expect, test } from 'vitest'
import { anonymous, type Principal } from '../src/access/principal.ts'
import { callNext, placeInQueue, readQueue, skipCalled } from '../src/booking/queue.ts'
import { keyOf } from '../src/fhir/id.ts'
import { OutcomeError } from '../src/fhir/outcome.ts'
import { inTransaction } from '../src/storage/transaction.ts'
import { clinicTemplate, doctorId } from './support/booking-data.ts'
import { brokenInvariants, openDesk } from './support/booking-desk.ts'
import { testDatabase } from './support/database.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
const doctor: Principal = { ...anonymous, kind: 'person', id: 'account-doctor', name: '陈志远', role: 'clinician', practitioner: doctorId }
const departments = ['03.01', '03.02', '03.03', '03.04', '03.05']
let session = ''

/** Monday 08:00–12:00, four segments of an hour with three places each. */
beforeEach(async () => {
  at('2026-11-23T07:30:00+08:00')
  session = (await desk.sessions(clinicTemplate({ capacity: 12, segment_minutes: 60, department: departments.shift() as string })))[0] as string
})

test('numbers follow check-in, calls follow segments; the place and the wait are said', async () => {
  const citizens = await desk.citizens(3)
  const [later, first, second] = await Promise.all([book(citizens[0], 4), book(citizens[1], 1), book(citizens[2], 1)]) as [string, string, string]
  at('2026-11-23T08:20:00+08:00')
  for (const [index, id] of [[1, first], [2, second], [0, later]] as const) await checkIn(citizens[index], id)
  expect((await queue()).map(({ appointment, number }) => [appointment, number])).toEqual([[first, 1], [second, 2], [later, 3]])
  expect(await placeInQueue(db, desk.ctx(), keyOf(second))).toMatchObject({ number: 2, ahead: 1, minutes: 40, state: 'waiting' })
  // The second segment begins at nine: not before, however short the queue.
  expect(await placeInQueue(db, desk.ctx(), keyOf(later))).toMatchObject({ ahead: 2, minutes: 60 })
  expect(await call()).toBe(first)
  expect(await placeInQueue(db, desk.ctx(), keyOf(first))).toMatchObject({ state: 'called', minutes: 0 })
  expect(await brokenInvariants(db)).toEqual([])
})

test('who was called and is not there goes behind, and is called again', async () => {
  const citizens = await desk.citizens(2)
  const [gone, there] = await Promise.all([book(citizens[0], 1), book(citizens[1], 4)]) as [string, string]
  at('2026-11-23T08:30:00+08:00')
  await checkIn(citizens[0], gone)
  await checkIn(citizens[1], there)
  expect(await call()).toBe(gone)
  expect(await skip(there)).toBe('queue-not-called')
  expect(await skip(gone)).toMatchObject({ status: 'checked-in' })
  expect(await call()).toBe(there)
  expect(await call()).toBe(gone)
  expect(await call()).toBeNull()
})

test('who comes late is put behind the segment under way', async () => {
  const citizens = await desk.citizens(2)
  const [late, next] = await Promise.all([book(citizens[0], 1), book(citizens[1], 7)]) as [string, string]
  at('2026-11-23T09:25:00+08:00')
  await checkIn(citizens[0], late)
  await checkIn(citizens[1], next)
  expect(await call()).toBe(next)
})

test('two doctors’ screens call at once: nobody is called twice', async () => {
  const citizens = await desk.citizens(3)
  const ids = await Promise.all(citizens.map((citizen) => book(citizen, 1)))
  at('2026-11-23T08:10:00+08:00')
  await Promise.all(ids.map((id, index) => checkIn(citizens[index], id)))
  const called = await Promise.all([call(), call(), call(), call()])
  expect([...called].sort()).toEqual([...ids, null].sort())
  expect(new Set((await queue()).map(({ number }) => number)).size).toBe(3)
})

test('the queue is for its doctor and the hospital’s desk', async () => {
  const [citizen] = await desk.citizens(1) as [Principal]
  await expect(readQueue(db, desk.ctx(citizen), session)).rejects.toThrow(OutcomeError)
  await expect(readQueue(db, desk.ctx({ ...doctor, practitioner: 'another' }), session)).rejects.toThrow(OutcomeError)
  await expect(inTransaction(db, (trx) => callNext(trx, desk.ctx(citizen), desk.store, session))).rejects.toThrow(OutcomeError)
})

function at(instant: string): void {
  desk.clock.now = new Date(instant)
}

async function book(citizen: Principal | undefined, place: number): Promise<string> {
  const made = await desk.run(citizen as Principal, '$book', { slot: `${session}-${place}`, patient: citizen?.patient as string })
  if (typeof made === 'string') throw new Error(made)
  return made.id as string
}

async function checkIn(citizen: Principal | undefined, id: string): Promise<void> {
  expect(await desk.run(citizen as Principal, '$check-in', {}, { id })).toMatchObject({ status: 'checked-in' })
}

async function queue() {
  return (await readQueue(db, desk.ctx(doctor), session)).tickets
}

async function call(): Promise<string | null> {
  return (await inTransaction(db, (trx) => callNext(trx, desk.ctx(doctor), desk.store, session)))?.id ?? null
}

async function skip(id: string): Promise<Appointment | string> {
  try {
    return await inTransaction(db, (trx) => skipCalled(trx, desk.ctx(doctor), desk.store, session, id))
  } catch (error) {
    if (error instanceof OutcomeError) return error.issues[0]?.code ?? ''
    throw error
  }
}
