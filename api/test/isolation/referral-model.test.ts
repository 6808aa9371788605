/**
 * Random lives of a referral on the real database, step by step beside a model that knows nothing of tables: where it stands, whose turn it
 * is, whether it is booked. What the model forbids the platform refuses, what it allows the platform does, and after every step row,
 * ServiceRequest, Task, booking and events say the same. Then races: two who act at once, of whom one wins and nothing is left half-done.
 */
import type { Appointment } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { markNoShows } from '../../src/booking/mark-no-shows.ts'
import { escalateReferrals } from '../../src/booking/referral/escalate.ts'
import { keyOf } from '../../src/fhir/id.ts'
import { clinicTemplate, hospitalId } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { testDatabase } from '../support/database.ts'
import { book, brokenReferrals, contract, doctor, gp, office, refer, stateOf, step } from '../support/referrals.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
const monday = new Date('2026-11-23T09:00:00+08:00')
let session = ''
let sessions: string[] = []

beforeAll(async () => {
  sessions = await desk.sessions(...[1, 2, 3, 4, 5].map((weekday) => clinicTemplate({ weekday, capacity: 200, segment_minutes: 120 })))
  await desk.sessions(clinicTemplate({ weekday: 5, department: '10', practitioner: '01930000-0000-7a17-8000-0000000000d2' }))
  // Not on Monday morning, which the clock begins in, nor so late that a life ends before it.
  const row = await db.selectFrom('clinic_session').select('id').where('service_date', '=', '2026-11-27').where('department', '=', '03.04').executeTakeFirstOrThrow()
  session = row.id
})

type State = 'requested' | 'returned' | 'accepted' | 'no-place' | 'booked' | 'answered' | 'completed' | 'cancelled'
interface Model { state: State; department: '03.04' | '10'; missed: boolean }
interface Real { id: string; patient: Principal; appointment: string | null }

const doctorOfTen: Principal = { ...doctor, id: 'account-ten', practitioner: '01930000-0000-7a17-8000-0000000000d2' }
const receiver = ({ department }: Model) => (department === '10' ? doctorOfTen : doctor)

/** One kind of step: from which states it works, for whom, and what becomes of the model. */
interface Kind { name: string; from: readonly State[]; as: (model: Model, real: Real) => Principal; input?: Record<string, string>; after: (model: Model) => void }
const to = (state: State) => (model: Model) => { model.state = state }
const kinds: readonly Kind[] = [
  { name: 'accept', from: ['requested'], as: receiver, after: to('accepted') },
  { name: 'return', from: ['requested'], as: receiver, input: { words: '请补充' }, after: to('returned') },
  { name: 'redirect', from: ['requested', 'no-place'], as: () => office, input: { organization: hospitalId, department: '10' }, after: (model) => { model.state = 'requested'; model.department = '10' } },
  { name: 'resubmit', from: ['returned'], as: () => gp, input: { words: '已补充' }, after: to('requested') },
  { name: 'no-place', from: ['accepted'], as: (_, real) => real.patient, after: to('no-place') },
  { name: 'reopen', from: ['no-place'], as: () => office, after: to('accepted') },
  { name: 'answer', from: ['requested', 'accepted'], as: receiver, input: { words: '可在社区随访' }, after: to('answered') },
  { name: 'read', from: ['answered'], as: () => gp, after: to('completed') },
  { name: 'cancel', from: ['requested', 'returned', 'accepted', 'no-place'], as: (_, real) => real.patient, after: to('cancelled') },
]

class Step implements fc.AsyncCommand<Model, Real> {
  readonly kind: Kind
  constructor(kind: Kind) { this.kind = kind }
  check = () => true
  async run(model: Model, real: Real): Promise<void> {
    const { kind } = this
    const answer = await step(db, desk, kind.as(model, real), real.id, kind.name, kind.input ?? {})
    if (!kind.from.includes(model.state)) expect(answer).toMatch(/^referral-(state|not-yours)/)
    else {
      kind.after(model)
      expect(answer).toBe(model.state)
    }
    expect(await stateOf(db, real.id)).toBe(model.state)
  }
  toString = () => this.kind.name
}

class Book implements fc.AsyncCommand<Model, Real> {
  check = () => true
  async run(model: Model, real: Real): Promise<void> {
    const answer = await book(db, desk, real.patient, { slot: `${session}-1`, patient: real.patient.patient as string, referral: real.id })
    const may = (model.state === 'accepted' || model.state === 'no-place') && model.department === '03.04' && !model.missed
    if (may) {
      expect(answer).toMatchObject({ status: 'booked' })
      real.appointment = (answer as Appointment).id as string
      model.state = 'booked'
    // Asking again for the time one has gives what one has.
    } else if (typeof answer !== 'string') expect([model.state, answer.id]).toEqual(['booked', real.appointment])
    else expect(answer).toMatch(/^(referral-not-bookable|referral-elsewhere|limit-department-day|slot-in-past)/)
  }
  toString = () => 'book'
}

class Cancel implements fc.AsyncCommand<Model, Real> {
  check = (model: Readonly<Model>) => model.state === 'booked'
  async run(model: Model, real: Real): Promise<void> {
    expect(await desk.run(real.patient, '$cancel', {}, { id: real.appointment as string })).toMatchObject({ status: 'cancelled' })
    model.state = 'accepted'
    // Three cancellations are allowed a day; the next life begins on another patient.
    desk.clock.now = new Date(desk.clock.now.getTime() + 1000)
  }
  toString = () => 'cancel the appointment'
}

class Miss implements fc.AsyncCommand<Model, Real> {
  check = (model: Readonly<Model>) => model.state === 'booked' && !model.missed
  async run(model: Model): Promise<void> {
    desk.clock.now = new Date('2026-11-27T13:00:00+08:00')
    await markNoShows(db, desk.ctx(), desk.store)
    model.state = 'accepted'
    model.missed = true
  }
  toString = () => 'miss the visit'
}

class Sweep implements fc.AsyncCommand<Model, Real> {
  check = () => true
  async run(): Promise<void> {
    await escalateReferrals(db, desk.ctx(), desk.store)
  }
  toString = () => 'sweep'
}

test('a referral does what its table says and nothing else, in whatever order people try', async () => {
  const commands = [...kinds.map((kind) => fc.constant(new Step(kind))), fc.constant(new Book()), fc.constant(new Book()), fc.constant(new Cancel()), fc.constant(new Miss()), fc.constant(new Sweep())]
  await fc.assert(fc.asyncProperty(fc.commands(commands, { maxCommands: 14 }), async (plan) => {
    desk.clock.now = new Date(monday)
    const [patient] = await desk.citizens(1) as [Principal]
    await contract(db, patient.patient as string)
    const { id } = await refer(db, desk, patient.patient as string)
    await fc.asyncModelRun(() => ({ model: { state: 'requested', department: '03.04', missed: false } satisfies Model as Model, real: { id, patient, appointment: null } satisfies Real as Real }), plan)
  }), { numRuns: 25 })
  expect(await brokenReferrals(db)).toEqual([])
  expect(await brokenInvariants(db)).toEqual([])
}, 120_000)

test('the same referral is booked with once, however many try at once', async () => {
  const { id, patient } = await accepted()
  const fridays = (await db.selectFrom('clinic_session').select('id').where('department', '=', '03.04').where('service_date', '>', '2026-11-24').execute()).map((each) => each.id)
  const answers = await Promise.all(fridays.slice(0, 6).map((each) => book(db, desk, patient, { slot: `${each}-3`, patient: patient.patient as string, referral: id })))
  expect(answers.filter((each) => typeof each !== 'string').length).toBe(1)
  for (const each of answers) if (typeof each === 'string') expect(each).toMatch(/^referral-(not-bookable|used)/)
  expect(await stateOf(db, id)).toBe('booked')
  expect(await brokenReferrals(db)).toEqual([])
})

test('two holds with one referral: one is kept, and it is confirmed once', async () => {
  const { id, patient } = await accepted()
  const input = { patient: patient.patient as string, referral: id }
  const holds = await Promise.all([0, 1].map((index) => book(db, desk, index === 0 ? patient : gp, { ...input, slot: `${sessions[index + 1]}-5` }, '$hold')))
  const kept = holds.filter((each): each is Appointment => typeof each !== 'string')
  for (const each of holds) if (typeof each === 'string') expect(each).toMatch(/^referral-used/)
  const confirmed = await Promise.all(kept.map((each) => desk.run(patient, '$book', { appointment: each.id as string })))
  expect(confirmed.filter((each) => typeof each !== 'string').length).toBe(1)
  expect(await brokenReferrals(db)).toEqual([])
})

test('cancelling races accepting and booking: what wins is whole', async () => {
  for (let round = 0; round < 6; round++) {
    const asked = await requested()
    const first = await Promise.all([step(db, desk, asked.patient, asked.id, 'cancel'), step(db, desk, doctor, asked.id, 'accept'), step(db, desk, doctor, asked.id, 'return', { words: '请补充' })])
    expect(['accepted', 'returned', 'cancelled']).toContain(await stateOf(db, asked.id))
    expect(first.filter((each) => ['accepted', 'returned'].includes(each)).length).toBeLessThanOrEqual(1)
    const ready = await accepted()
    const [cancelled, booked] = await Promise.all([step(db, desk, gp, ready.id, 'cancel'), book(db, desk, ready.patient, { slot: `${session}-9`, patient: ready.patient.patient as string, referral: ready.id })])
    expect([cancelled, typeof booked === 'string' ? booked.split(' ')[0] : 'booked']).toSatisfy((pair: string[]) => [['cancelled', 'referral-not-bookable'], ['referral-state', 'booked']].some((each) => each.join() === pair.join()))
  }
  expect(await brokenReferrals(db)).toEqual([])
  expect(await brokenInvariants(db)).toEqual([])
})

test('sweeps that run at once tell everybody once', async () => {
  const { id } = await requested()
  desk.clock.now = new Date('2026-11-26T09:00:00+08:00')
  await Promise.all([1, 2, 3].map(() => escalateReferrals(db, desk.ctx(), desk.store)))
  const events = await db.selectFrom('referral_event').select('step').where('referral', '=', keyOf(id)).orderBy('id').execute()
  expect(events.map((each) => each.step)).toEqual(['refer', 'escalate'])
})

async function requested(): Promise<{ id: string; patient: Principal }> {
  desk.clock.now = new Date(monday)
  const [patient] = await desk.citizens(1) as [Principal]
  await contract(db, patient.patient as string)
  return { id: (await refer(db, desk, patient.patient as string)).id, patient }
}

async function accepted(): Promise<{ id: string; patient: Principal }> {
  const made = await requested()
  await step(db, desk, doctor, made.id, 'accept')
  return made
}
