/**
 * Random lives of places and appointments beside a model that knows nothing of tables: people hold, confirm, give up, book, move, cancel,
 * come, are called, passed over, seen or missed, while time goes on and the sweeps run or do not. What the model forbids is refused with its
 * code, what it allows is done, and after every step each Appointment says what the model says and no place has two owners. TEST_SEED and
 * BOOKING_LIVES draw others and more. Source of the model: the states of Slot and Appointment in docs/booking.md.
 */
import type { Appointment, Encounter } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { expireHolds } from '../../src/booking/expire-holds.ts'
import { markNoShows } from '../../src/booking/mark-no-shows.ts'
import { callNext, skipCalled } from '../../src/booking/queue.ts'
import { returnPlaces } from '../../src/booking/return-places.ts'
import { OutcomeError } from '../../src/fhir/outcome.ts'
import { loadResource } from '../../src/records/read-resource.ts'
import { writeResources } from '../../src/records/write-resources.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { clinicTemplate, doctorId, hospitalId } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { testDatabase } from '../support/database.ts'
import { clinician } from '../support/platform.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
const doctor = clinician(doctorId, hospitalId)
const lives = Number(process.env.BOOKING_LIVES ?? 60)
const seed = Number(process.env.TEST_SEED ?? 20261126)

const minute = 60_000
const capacity = 2
/** Two clinics of one segment each. */
const clinics = [{ start: Date.parse('2026-11-24T08:00:00+08:00'), end: Date.parse('2026-11-24T10:00:00+08:00') }, { start: Date.parse('2026-11-25T08:00:00+08:00'), end: Date.parse('2026-11-25T10:00:00+08:00') }] as const
const holdMs = 5 * minute
const graceMs = 30 * minute
/** Booking ends so long before the end of a segment; an appointment is moved so long before it begins. */
const leadMs = 30 * minute
const noticeMs = 12 * 60 * minute
const cancelsMax = 3

type Status = 'pending' | 'booked' | 'checked-in' | 'arrived' | 'fulfilled' | 'noshow' | 'cancelled'
interface Kept { id: string; person: number; clinic: number; status: Status; until: number }
interface Model { now: number; kept: Kept[]; cancels: Map<string, number>; queue: { id: string; passed: number }[][] }
interface Real { people: Principal[]; sessions: string[] }

const isLive = (model: Model, each: Kept) => each.status !== 'cancelled' && !(each.status === 'pending' && each.until <= model.now)
const ownOf = (model: Model, person: number, clinic: number) => model.kept.filter((each) => each.person === person && each.clinic === clinic).at(-1)
const dayOf = (model: Model) => new Date(model.now + 8 * 60 * minute).toISOString().slice(0, 10)
const cancelsOf = (model: Model, person: number) => model.cancels.get(`${person} ${dayOf(model)}`) ?? 0
const segmentOf = ({ clinic }: { clinic: number }) => clinics[clinic] as (typeof clinics)[number]

/** The code that a wish for a place is refused with; null when it is granted. Holds of the same person make way. */
function refusal(model: Model, person: number, clinic: number, moved: Kept | null): string | null {
  const others = model.kept.filter((each) => isLive(model, each) && each !== moved && !(each.person === person && each.status === 'pending'))
  if (model.now + leadMs >= segmentOf({ clinic }).end) return 'slot-in-past'
  if (others.some((each) => each.person === person && each.clinic === clinic)) return 'limit-department-day'
  if (moved === null && cancelsOf(model, person) >= cancelsMax) return 'limit-cancels'
  return others.filter((each) => each.clinic === clinic).length >= capacity ? 'slot-taken' : null
}

function grant(model: Model, person: number, clinic: number, status: 'pending' | 'booked', id: string): void {
  for (const each of model.kept) if (each.person === person && each.status === 'pending' && each.until > model.now) each.status = 'cancelled'
  model.kept.push({ id, person, clinic, status, until: model.now + holdMs })
}

/** How often each state was met after a step. */
const met = new Map<Status, number>()

abstract class Command implements fc.AsyncCommand<Model, Real> {
  readonly person: number
  readonly clinic: number
  constructor({ person, clinic }: { person: number; clinic: number }) { this.person = person; this.clinic = clinic }
  check = () => true
  abstract act(model: Model, real: Real): Promise<void>
  async run(model: Model, real: Real): Promise<void> {
    await this.act(model, real)
    for (const each of model.kept) {
      met.set(each.status, (met.get(each.status) ?? 0) + 1)
      const { status } = await loadResource<Appointment>(db, 'Appointment', each.id) as Appointment
      // A hold whose time is over is closed by whoever meets it first.
      if (each.status === 'pending' && each.until <= model.now) expect(['pending', 'cancelled']).toContain(status)
      else expect([each.id, status]).toEqual([each.id, each.status])
    }
    for (const [clinic] of clinics.entries()) expect(model.kept.filter((each) => each.clinic === clinic && isLive(model, each)).length).toBeLessThanOrEqual(capacity)
  }
  as = (real: Real) => real.people[this.person] as Principal
  toString = () => `${this.constructor.name}(${this.person}, ${this.clinic})`
}

class Take extends Command {
  readonly verb: '$hold' | '$book'
  constructor(where: { person: number; clinic: number }, verb: '$hold' | '$book') { super(where); this.verb = verb }
  async act(model: Model, real: Real): Promise<void> {
    const own = ownOf(model, this.person, this.clinic)
    const answer = await desk.run(this.as(real), this.verb, { slot: `${real.sessions[this.clinic]}-1`, patient: this.as(real).patient as string })
    // Once more what one has gives what one has.
    if (typeof answer !== 'string' && own !== undefined && own.id === answer.id && isLive(model, own)) {
      if (this.verb === '$book' && own.status === 'pending') own.status = 'booked'
      expect(answer.status).toBe(own.status)
      return
    }
    const code = refusal(model, this.person, this.clinic, null)
    if (code !== null) return expect(answer).toBe(code)
    expect(answer).toMatchObject({ status: this.verb === '$hold' ? 'pending' : 'booked' })
    grant(model, this.person, this.clinic, this.verb === '$hold' ? 'pending' : 'booked', (answer as Appointment).id as string)
  }
  override toString = () => `${this.verb}(${this.person}, ${this.clinic})`
}

/** What may be done with one's own appointment: from which state, and what it is refused with in any other. */
abstract class Own extends Command {
  async act(model: Model, real: Real): Promise<void> {
    const own = ownOf(model, this.person, this.clinic) ?? ownOf(model, this.person, 1 - this.clinic)
    if (own) await this.change(model, real, own)
  }
  abstract change(model: Model, real: Real, own: Kept): Promise<void>
}

class Confirm extends Own {
  async change(model: Model, real: Real, own: Kept): Promise<void> {
    const answer = await desk.run(this.as(real), '$book', { appointment: own.id })
    if (own.status === 'pending' && own.until <= model.now) return expect(answer).toBe('hold-expired')
    if (own.status !== 'pending' && own.status !== 'booked') return expect(answer).toMatch(/^(appointment-not-active|hold-expired)$/)
    expect(answer).toMatchObject({ status: 'booked' })
    own.status = 'booked'
  }
}

class Release extends Own {
  async change(model: Model, real: Real, own: Kept): Promise<void> {
    const answer = await desk.run(this.as(real), '$release', {}, { id: own.id })
    // Giving up once more is no error.
    if (own.status === 'cancelled' && typeof answer !== 'string') return expect(answer.status).toBe('cancelled')
    if (own.status !== 'pending') return expect(answer).toBe('appointment-not-active')
    if (typeof answer === 'string') expect([own.until <= model.now, answer]).toEqual([true, 'appointment-not-active'])
    own.status = 'cancelled'
  }
}

class Cancel extends Own {
  async change(model: Model, real: Real, own: Kept): Promise<void> {
    const { status } = own
    const answer = await desk.run(this.as(real), '$cancel', {}, { id: own.id })
    if (status === 'pending' && own.until <= model.now && answer === 'appointment-not-active') return
    if (status !== 'booked' && status !== 'pending') return expect(answer).toBe('appointment-not-active')
    if (model.now >= segmentOf(own).start && status === 'booked') return expect(answer).toBe('notice-too-short')
    expect(answer).toMatchObject({ status: 'cancelled' })
    own.status = 'cancelled'
    if (status === 'booked') model.cancels.set(`${this.person} ${dayOf(model)}`, cancelsOf(model, this.person) + 1)
  }
}

class Move extends Own {
  async change(model: Model, real: Real, own: Kept): Promise<void> {
    const to = 1 - own.clinic
    const answer = await desk.run(this.as(real), '$reschedule', { slot: `${real.sessions[to]}-1` }, { id: own.id })
    if (own.status !== 'booked') return expect(answer).toBe('appointment-not-active')
    const code = refusal(model, this.person, to, own) ?? (model.now >= segmentOf(own).start - noticeMs ? 'notice-too-short' : null)
    if (code !== null) return expect(answer).toBe(code)
    expect(answer).toMatchObject({ status: 'booked' })
    own.status = 'cancelled'
    grant(model, this.person, to, 'booked', (answer as Appointment).id as string)
  }
}

class CheckIn extends Own {
  async change(model: Model, real: Real, own: Kept): Promise<void> {
    const { start, end } = segmentOf(own)
    const answer = await desk.run(this.as(real), '$check-in', {}, { id: own.id })
    if (own.status === 'checked-in') return expect(answer).toMatchObject({ status: 'checked-in' })
    if (own.status !== 'booked') return expect(answer).toBe('appointment-not-active')
    if (model.now < start - 60 * minute || model.now > end + graceMs) return expect(answer).toBe('check-in-closed')
    expect(answer).toMatchObject({ status: 'checked-in' })
    own.status = 'checked-in'
    // Who comes when their time is over waits with those who were passed over.
    model.queue[own.clinic]?.push({ id: own.id, passed: model.now < end ? 0 : 1 })
  }
}

class Call extends Command {
  async act(model: Model, real: Real): Promise<void> {
    const called = await inTransaction(db, (trx) => callNext(trx, desk.ctx(doctor), desk.store, real.sessions[this.clinic] as string))
    const waiting = (model.queue[this.clinic] ?? []).filter(({ id }) => model.kept.some((each) => each.id === id && each.status === 'checked-in'))
    // Who was passed over waits behind; among equals who came first. Which of two passed over comes first is the queue's own test.
    const first = waiting.filter(({ passed }) => passed === Math.min(...waiting.map((each) => each.passed)))
    if (first.length === 0) return expect(called).toBeNull()
    expect(first.slice(0, first[0]?.passed === 0 ? 1 : capacity).map(({ id }) => id)).toContain(called?.id)
    const kept = model.kept.find((each) => each.id === called?.id) as Kept
    kept.status = 'arrived'
  }
}

class Pass extends Own {
  async change(model: Model, real: Real, own: Kept): Promise<void> {
    const answer = await inTransaction(db, (trx) => skipCalled(trx, desk.ctx(doctor), desk.store, real.sessions[own.clinic] as string, own.id)).catch((error: unknown) => {
      if (error instanceof OutcomeError) return error.issues[0]?.code
      throw error
    })
    if (own.status !== 'arrived') return expect(answer).toBe('queue-not-called')
    expect(answer).toMatchObject({ status: 'checked-in' })
    own.status = 'checked-in'
    for (const each of model.queue[own.clinic] ?? []) if (each.id === own.id) each.passed++
  }
}

class Finish extends Own {
  async change(_model: Model, real: Real, own: Kept): Promise<void> {
    const visit = {
      resourceType: 'Encounter', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject: { reference: `Patient/${this.as(real).patient}` },
      appointment: [{ reference: `Appointment/${own.id}` }], period: { start: desk.clock.now.toISOString(), end: desk.clock.now.toISOString() },
    } as Encounter
    const answer = await inTransaction(db, (trx) => writeResources(trx, desk.ctx(), desk.store, [{ method: 'create', type: 'Encounter', id: null, resource: visit, ifMatch: null }], 'client')).catch((error: unknown) => {
      if (error instanceof OutcomeError) return error.issues[0]?.code
      throw error
    })
    if (['booked', 'checked-in', 'arrived'].includes(own.status)) own.status = 'fulfilled'
    else if (own.status !== 'fulfilled') expect(answer).toBe('appointment-not-active')
  }
}

class Wait extends Command {
  readonly minutes: number
  constructor(minutes: number) { super({ person: 0, clinic: 0 }); this.minutes = minutes }
  async act(model: Model): Promise<void> {
    model.now += this.minutes * minute
    desk.clock.now = new Date(model.now)
  }
  override toString = () => `wait ${this.minutes} min`
}

/** Time goes on to a moment of a clinic's day that matters; never back. */
class Until extends Command {
  readonly offset: number
  constructor(where: { person: number; clinic: number }, offset: number) { super(where); this.offset = offset }
  async act(model: Model): Promise<void> {
    model.now = Math.max(model.now, segmentOf(this).start + this.offset * minute)
    desk.clock.now = new Date(model.now)
  }
  override toString = () => `until ${this.offset} min after the start of clinic ${this.clinic}`
}

class Sweep extends Command {
  async act(model: Model): Promise<void> {
    await expireHolds(db, desk.ctx(), desk.store)
    await returnPlaces(db, desk.ctx(), desk.store)
    await markNoShows(db, desk.ctx(), desk.store)
    for (const each of model.kept) {
      if (each.status === 'pending' && each.until <= model.now) each.status = 'cancelled'
      if (each.status === 'booked' && model.now > segmentOf(each).end + graceMs) each.status = 'noshow'
    }
  }
  override toString = () => 'sweep'
}

const where = fc.record({ person: fc.nat(2), clinic: fc.nat(1) })
const commands = [
  where.map((each) => new Take(each, '$hold')), where.map((each) => new Take(each, '$hold')), where.map((each) => new Take(each, '$book')), where.map((each) => new Confirm(each)), where.map((each) => new Confirm(each)), where.map((each) => new Release(each)),
  where.map((each) => new Cancel(each)), where.map((each) => new Move(each)), where.map((each) => new CheckIn(each)), where.map((each) => new CheckIn(each)), where.map((each) => new CheckIn(each)), where.map((each) => new Call(each)), where.map((each) => new Call(each)), where.map((each) => new Pass(each)), where.map((each) => new Finish(each)),
  fc.constantFrom(1, 3, 6, 90).map((minutes) => new Wait(minutes)), fc.tuple(where, fc.constantFrom(-90, -30, -30, 30, 135, 165)).map(([each, offset]) => new Until(each, offset)), where.map((each) => new Until({ ...each, clinic: 0 }, -30)), where.map((each) => new Sweep(each)),
]

test('places and appointments do what their states allow and nothing else, in whatever order', async () => {
  await fc.assert(fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: 'max' }), async (plan) => {
    await db.deleteFrom('booking').execute()
    await db.deleteFrom('clinic_session').execute()
    await db.deleteFrom('session_template').execute()
    desk.clock.now = new Date('2026-11-23T07:30:00+08:00')
    const people = await desk.citizens(3)
    const sessions = await desk.sessions(...[2, 3].map((weekday) => clinicTemplate({ weekday, capacity, segment_minutes: 120, end_time: '10:00' })))
    await fc.asyncModelRun(() => ({ model: { now: desk.clock.now.getTime(), kept: [], cancels: new Map(), queue: [[], []] } satisfies Model as Model, real: { people, sessions } }), plan)
    expect(await brokenInvariants(db)).toEqual([])
  }), { numRuns: lives, seed })
  // A run that never gets anywhere shows nothing.
  if (lives >= 60) expect([...met.keys()].sort()).toEqual(['arrived', 'booked', 'cancelled', 'checked-in', 'fulfilled', 'noshow', 'pending'])
}, 300_000)
