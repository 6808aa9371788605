/**
 * Two booking commands at once in every order of their named steps (support/every-order.ts): whatever the order, one of the outcomes that the commands
 * may have one after the other, the invariants of places hold, and nobody is left in between. All orders
 * of each pair but one, of which BOOKING_ORDERS and as many by chance (TEST_SEED).
 */
import type { Appointment } from '@medplum/fhirtypes'
import { afterAll, expect, test } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { expireHolds } from '../../src/booking/expire-holds.ts'
import { followUp } from '../../src/booking/follow-up.ts'
import { markNoShows } from '../../src/booking/mark-no-shows.ts'
import { callNext } from '../../src/booking/queue.ts'
import { returnPlaces } from '../../src/booking/return-places.ts'
import { keyOf } from '../../src/fhir/id.ts'
import type { Db } from '../../src/storage/pool.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { clinicTemplate, doctorId, hospitalId } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { testDatabase } from '../support/database.ts'
import { orders } from '../support/every-order.ts'
import { citizen as citizenOf, clinician } from '../support/platform.ts'

const { db, url } = await testDatabase()
const desk = openDesk(db)
const { every, end } = orders(url)
afterAll(end)
const max = Number(process.env.BOOKING_ORDERS ?? 200)
const seed = Number(process.env.TEST_SEED ?? 20261126)
const start = '2026-11-24T08:00:00+08:00'
const scheduler: Principal = { ...citizenOf(''), id: 'account-desk', role: 'scheduler', patient: null, organization: hospitalId, organizationName: '医院' }
const doctor = clinician(doctorId, hospitalId)

interface Clinic { session: string; other: string }
let serial = 0

const people = await desk.citizens(3)
const clinics = new Map<number, { session: string; other: string }>()

/** Two clinics of the doctor on a Tuesday and a Wednesday, of one segment each, as if nobody had been there yet. */
async function clinic({ capacity = 1, cools = 0 } = {}): Promise<Clinic> {
  for (const table of ['wait_log', 'wait_entry', 'queue_ticket', 'absence', 'booking'] as const) await db.deleteFrom(table).execute()
  desk.clock.now = new Date('2026-11-23T09:00:00+08:00')
  let found = clinics.get(capacity)
  if (!found) {
    const times = { department: `03.0${capacity}`, capacity, segment_minutes: 120, end_time: '10:00' }
    const [[session], [other]] = [await desk.sessions(clinicTemplate({ ...times, weekday: 2 })), await desk.sessions(clinicTemplate({ ...times, weekday: 3 }))] as [[string], [string]]
    clinics.set(capacity, found = { session, other })
    await db.deleteFrom('clinic_session').where('id', 'not in', [...clinics.values()].flatMap((each) => [each.session, each.other])).execute()
  }
  await db.updateTable('clinic_session').set({ status: 'open', used: 0, status_reason: null, substitute_for: null }).execute()
  await db.deleteFrom('booking_parameter').where('set_by', '=', 'orders').execute()
  if (cools > 0) await db.insertInto('booking_parameter').values(['return.minMinutes', 'return.maxMinutes'].map((name) => ({ scope: 'city' as const, scope_id: '310000', name, value: cools, from_at: '2021-01-01T00:00:00Z', until_at: null, set_by: 'orders' }))).execute()
  return found
}

const who = (n: number) => people[n] as Principal
const wish = (on: Clinic, n: number, session = on.session) => ({ slot: `${session}-1`, patient: who(n).patient as string })
const idOf = (answer: unknown) => (answer as Appointment).id as string

const desks = new WeakMap<Db, ReturnType<typeof openDesk>>()
function deskOf(own: Db): ReturnType<typeof openDesk> {
  const there = desks.get(own) ?? openDesk(own)
  desks.set(own, there)
  return there
}

/** The operation as another process runs it, by its own clock. */
function as(person: Principal, name: string, input: Record<string, string | boolean>, options: { id?: string; key?: string } = {}, lateMs = 0): (db: Db) => Promise<Appointment | string> {
  return (own) => {
    const there = deskOf(own)
    there.clock.now = new Date(desk.clock.now.getTime() + lateMs)
    return there.run(person, name, input, options)
  }
}

/** What both gave: a status, a code, or what a sweep counted. Anything else is a fault. */
function said(results: readonly unknown[]): string {
  return results.map((each) => (typeof each === 'string' ? each : typeof each === 'number' ? 'swept' : each === null ? 'nobody' : (each as Appointment).resourceType === 'Appointment' ? (each as Appointment).status : String(each))).join(' + ')
}

async function soundAfter(order: string): Promise<void> {
  expect([order, await brokenInvariants(db)]).toEqual([order, []])
}

/** Every outcome that may be was met, and no other. `sampled`: there are thousands of orders, of which some are tried. */
async function holds<T extends Clinic>(outcomes: readonly string[], race: Omit<Parameters<typeof every<T>>[0], 'check'> & { check?(on: T, outcome: string): Promise<void>; sampled?: true }): Promise<void> {
  const met = new Set<string>()
  const { tried, all } = await every<T>({
    ...race,
    async check(on, results, order) {
      const outcome = said(results)
      expect([order, outcome, outcomes.includes(outcome)]).toEqual([order, outcome, true])
      met.add(outcome)
      await race.check?.(on, outcome)
      await soundAfter(order)
    },
  }, max, seed)
  expect([tried > 15, all]).toEqual([true, race.sampled !== true])
  expect([...met].sort()).toEqual([...outcomes].sort())
}

const states = async (session: string) => (await db.selectFrom('booking').select('state').where('session_id', '=', session).where('state', '<>', 'cancelled').orderBy('no').execute()).map((row) => row.state).join()

test('two people, the last place', () => holds(['booked + slot-taken', 'slot-taken + booked'], {
  prepare: () => clinic(),
  first: (own, on) => as(who(0), '$book', wish(on, 0))(own),
  second: (own, on) => as(who(1), '$book', wish(on, 1))(own),
}), 120_000)

test('one patient, two devices, two clinics: the later hold replaces the earlier, and none is left behind', () => holds(['pending + pending'], {
  prepare: () => clinic(),
  first: (own, on) => as(who(0), '$hold', wish(on, 0))(own),
  second: (own, on) => as(who(0), '$hold', wish(on, 0, on.other))(own),
  check: async (on) => { expect([await states(on.session), await states(on.other)].sort()).toEqual(['', 'held']) },
}), 120_000)

test('the same request twice, with its key: one place, one answer', () => holds(['booked + booked'], {
  prepare: async () => ({ ...await clinic({ capacity: 2 }), key: `twice-${serial++}` }),
  first: (own, on) => as(who(0), '$book', wish(on, 0), { key: on.key })(own),
  second: (own, on) => as(who(0), '$book', wish(on, 0), { key: on.key })(own),
  check: async (on) => { expect(await states(on.session)).toBe('booked') },
}), 120_000)

test('a hold confirmed in its last moment and the sweep behind it, whose clock is ahead', () => holds(['booked + swept', 'hold-expired + swept'], {
  prepare: held,
  first: (own, on) => as(who(0), '$book', { appointment: on.hold }, {}, 299_000)(own),
  second: (own) => expireHolds(own, ahead(301_000), desk.store),
}), 120_000)

test('a hold that has ended for others: its owner confirms by a slow clock, somebody else takes the place', () => holds(['booked + slot-taken', 'hold-expired + booked'], {
  prepare: held,
  first: (own, on) => as(who(0), '$book', { appointment: on.hold }, {}, 299_000)(own),
  second: (own, on) => as(who(1), '$book', wish(on, 1), {}, 301_000)(own),
  check: async (on) => { expect(await states(on.session)).toBe('booked') },
}), 120_000)

test('cancelling and checking in', () => holds(['cancelled + appointment-not-active', 'appointment-not-active + checked-in'], {
  prepare: () => booked({ at: '2026-11-24T07:30:00+08:00' }),
  first: (own, on) => as(who(0), '$cancel', {}, { id: on.booking })(own),
  second: (own, on) => as(who(0), '$check-in', {}, { id: on.booking })(own),
}), 120_000)

test('cancelling and moving', () => holds(['cancelled + appointment-not-active', 'appointment-not-active + booked'], {
  prepare: () => booked(),
  first: (own, on) => as(who(0), '$cancel', {}, { id: on.booking })(own),
  second: (own, on) => as(who(0), '$reschedule', { slot: `${on.other}-1` }, { id: on.booking })(own),
  check: async (on, outcome) => { expect([await states(on.session), await states(on.other)]).toEqual(['', outcome.startsWith('cancelled') ? '' : 'booked']) },
}), 120_000)

test('two people move crosswise between two clinics: neither waits for the other for ever', () => holds(['booked + booked'], {
  prepare: async () => {
    const on = await clinic({ capacity: 2 })
    return { ...on, here: idOf(await desk.run(who(0), '$book', wish(on, 0))), there: idOf(await desk.run(who(1), '$book', wish(on, 1, on.other))) }
  },
  first: (own, on) => as(who(0), '$reschedule', { slot: `${on.other}-1` }, { id: on.here })(own),
  second: (own, on) => as(who(1), '$reschedule', { slot: `${on.session}-1` }, { id: on.there })(own),
  check: async (on) => { expect([await states(on.session), await states(on.other)]).toEqual(['booked', 'booked']) },
}), 120_000)

test('checking in at the last moment and being marked as missed, by clocks that differ', () => holds(['checked-in + swept', 'appointment-not-active + swept'], {
  prepare: () => booked({ at: '2026-11-24T10:29:00+08:00' }),
  first: (own, on) => as(who(0), '$check-in', {}, { id: on.booking })(own),
  second: (own) => markNoShows(own, ahead(120_000), desk.store),
}), 120_000)

test('a clinic is suspended while somebody books: refused, or booked and asked like the others', () => holds(['booked + Schedule', 'session-closed + Schedule'], {
  prepare: () => clinic({ capacity: 2 }),
  first: (own, on) => as(who(0), '$book', wish(on, 0))(own),
  second: (own, on) => as(scheduler, '$suspend', {}, { id: on.session })(own).then((answer) => (typeof answer === 'string' ? answer : 'Schedule')),
  check: async (on, outcome) => {
    await followUp(db, desk.ctx(), desk.store)
    const rows = await db.selectFrom('booking').select('choose_until').where('session_id', '=', on.session).where('state', '=', 'booked').execute()
    expect(rows.map((row) => row.choose_until !== null)).toEqual(outcome.startsWith('booked') ? [true] : [])
  },
}), 120_000)

test('a choice taken in its last moment and the sweep that ends it, whose clock is ahead', () => holds(['booked + swept', 'offer-gone + swept'], {
  prepare: async () => {
    const on = await booked()
    await desk.run(scheduler, '$suspend', {}, { id: on.session })
    const choice = await db.selectFrom('booking').select(['appointment', 'held_until']).where('offer_of', '=', keyOf(on.booking)).executeTakeFirstOrThrow()
    desk.clock.now = new Date(Date.parse(choice.held_until as string) - 1000)
    return { ...on, choice: choice.appointment }
  },
  first: (own, on) => as(who(0), '$accept', {}, { id: on.choice })(own),
  second: (own) => followUp(own, ahead(2000), desk.store),
  check: async (on, outcome) => { expect([await states(on.session), await states(on.other)]).toEqual(['', outcome.startsWith('booked') ? 'booked' : '']) },
}), 120_000)

test('an offer accepted in its last moment and the sweep that passes it on, whose clock is ahead', () => holds(['booked + swept', 'offer-ended + swept'], {
  sampled: true,
  prepare: offered,
  first: (own, on) => as(who(1), '$accept', {}, { id: on.offer })(own),
  second: (own) => returnPlaces(own, ahead(2000), desk.store),
  check: async (on, outcome) => { expect(await states(on.session)).toBe(outcome.startsWith('booked') ? 'booked' : 'offered') },
}), 120_000)

test('two workers return one place: it is offered to one person, once', () => holds(['swept + swept'], {
  prepare: async () => {
    const on = await booked({ cools: 10 })
    for (const n of [1, 2]) await wait(on, n)
    await desk.run(who(0), '$cancel', {}, { id: on.booking })
    return on
  },
  first: (own) => returnPlaces(own, ahead(0), desk.store),
  second: (own) => returnPlaces(own, ahead(0), desk.store),
  check: async (on) => {
    expect(await states(on.session)).toBe('offered')
    expect((await db.selectFrom('wait_entry').select('pid').where('state', '=', 'offered').execute()).map((row) => row.pid)).toEqual([keyOf(who(1).patient as string)])
    expect(await db.selectFrom('wait_log').select('entry').where('event', '=', 'offered').execute()).toHaveLength(1)
  },
}), 120_000)

test('leaving the waitlist while a place is offered: it is offered to somebody, or to nobody, and waits for nobody who left', () => holds(['cancelled + swept'], {
  prepare: async () => {
    const on = await booked({ cools: 10 })
    const entry = await wait(on, 1)
    await desk.run(who(0), '$cancel', {}, { id: on.booking })
    return { ...on, entry }
  },
  first: (own, on) => as(who(1), '$cancel', {}, { id: on.entry })(own),
  second: (own) => returnPlaces(own, ahead(0), desk.store),
  check: async (on) => {
    expect(await states(on.session)).toBe('cooling')
    expect(await db.selectFrom('wait_entry').select('state').execute()).toEqual([{ state: 'withdrawn' }])
  },
}), 120_000)

test('two screens call the next: two patients, each once', () => holds(['arrived + arrived'], {
  prepare: async () => {
    const on = await clinic({ capacity: 2 })
    for (const n of [0, 1]) {
      const id = idOf(await desk.run(who(n), '$book', wish(on, n)))
      desk.clock.now = new Date('2026-11-24T07:30:00+08:00')
      await desk.run(who(n), '$check-in', {}, { id })
      desk.clock.now = new Date('2026-11-23T09:00:00+08:00')
    }
    desk.clock.now = new Date(start)
    return on
  },
  first: (own, on) => inTransaction(own, (trx) => callNext(trx, desk.ctx(doctor), desk.store, on.session)),
  second: (own, on) => inTransaction(own, (trx) => callNext(trx, desk.ctx(doctor), desk.store, on.session)),
  check: async (on) => { expect(await states(on.session)).toBe('arrived,arrived') },
}), 120_000)

function ahead(ms: number) {
  const now = desk.clock.now
  desk.clock.now = new Date(now.getTime() + ms)
  const ctx = desk.ctx()
  desk.clock.now = now
  return ctx
}

async function held(): Promise<Clinic & { hold: string }> {
  const on = await clinic()
  return { ...on, hold: idOf(await desk.run(who(0), '$hold', wish(on, 0))) }
}

async function booked({ at, ...given }: { at?: string; cools?: number } = {}): Promise<Clinic & { booking: string }> {
  const on = await clinic(given)
  const booking = idOf(await desk.run(who(0), '$book', wish(on, 0)))
  if (at !== undefined) desk.clock.now = new Date(at)
  return { ...on, booking }
}

async function wait(on: Clinic, n: number): Promise<string> {
  const { department } = await db.selectFrom('clinic_session').select('department').where('id', '=', on.session).executeTakeFirstOrThrow()
  desk.clock.now = new Date(desk.clock.now.getTime() + 1000)
  return idOf(await desk.run(who(n), '$join-waitlist', { patient: who(n).patient as string, organization: hospitalId, department, from: '2026-11-23', until: '2026-11-24' }))
}

/** A place offered to the second of three, a second before the offer ends; the third waits too. */
async function offered(): Promise<Clinic & { offer: string }> {
  const on = await booked({ cools: 10 })
  for (const n of [1, 2]) await wait(on, n)
  await desk.run(who(0), '$cancel', {}, { id: on.booking })
  await returnPlaces(db, desk.ctx(), desk.store)
  const { offer, answer_until } = await db.selectFrom('wait_entry').select(['offer', 'answer_until']).where('state', '=', 'offered').executeTakeFirstOrThrow()
  const { appointment } = await db.selectFrom('booking').select('appointment').where('id', '=', offer as string).executeTakeFirstOrThrow()
  desk.clock.now = new Date(Date.parse(answer_until as string) - 1000)
  return { ...on, offer: appointment }
}
