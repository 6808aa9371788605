/**
 * Random lives of the places of one clinic and of those who wait for them, beside a model that knows nothing of tables: people book, give back, wait,
 * leave the list, accept and decline what they are offered or let it lapse, while returned places cool and time goes on. After every step each place and each entry
 * is where the model says, and whoever was passed over by somebody behind them has a reason in the log. TEST_SEED and BOOKING_LIVES draw others
 * and more. Source of the model: docs/waiting.md.
 */
import type { Appointment, AppointmentResponse } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { returnPlaces } from '../../src/booking/return-places.ts'
import { keyOf } from '../../src/fhir/id.ts'
import { OutcomeError } from '../../src/fhir/outcome.ts'
import { writeResources } from '../../src/records/write-resources.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { clinicTemplate, hospitalId } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { testDatabase } from '../support/database.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
const lives = Number(process.env.BOOKING_LIVES ?? 80)
const seed = Number(process.env.TEST_SEED ?? 20261126)

const minute = 60_000
const capacity = 2
const start = Date.parse('2026-11-26T08:00:00+08:00')
const bookUntil = start + 90 * minute
const waitUntil = Date.parse('2026-11-25T18:00:00+08:00')
/** `return.minMinutes` and `return.maxMinutes` are both this here: the instant is no longer random. */
const coolMs = 10 * minute
const hurryMs = 60 * minute
const declinesMax = 2

type Place = { kind: 'booked'; person: number; id: string } | { kind: 'cooling'; returnAt: number; asked: boolean } | { kind: 'offered'; person: number; id: string; until: number }
interface Entry { id: string; joined: number; state: 'waiting' | 'offered' | 'served' | 'expired' | 'withdrawn'; declined: number }
interface Model { now: number; places: Map<number, Place>; entries: Map<number, Entry>; had: Map<number, Set<string>> }
interface Real { people: Principal[]; session: string }

const bookedBy = (model: Model, person: number) => [...model.places].find(([, place]) => place.kind === 'booked' && place.person === person)
const offeredTo = (model: Model, person: number) => [...model.places].find(([, place]) => place.kind === 'offered' && place.person === person)
const open = (entry: Entry | undefined): entry is Entry => entry?.state === 'waiting' || entry?.state === 'offered'

function offerUntil(now: number): number {
  const minuteOfDay = ((now + 480 * minute) % (1440 * minute)) / minute
  return Math.min(now + (minuteOfDay >= 21 * 60 || minuteOfDay < 7 * 60 ? 120 : 30) * minute, start - hurryMs)
}

/** An offer that was not taken: the entry waits on or is out, and the place goes on at once. */
function offerEnds(model: Model, no: number): void {
  const place = model.places.get(no)
  if (place?.kind !== 'offered') throw new Error('no offer')
  const entry = model.entries.get(place.person) as Entry
  entry.declined++
  entry.state = entry.declined >= declinesMax ? 'withdrawn' : 'waiting'
  model.had.set(no, new Set([...model.had.get(no) ?? [], entry.id]))
  coolOrFree(model, no, 0)
}

function coolOrFree(model: Model, no: number, ms: number): void {
  if (start < model.now + hurryMs) model.places.delete(no)
  else model.places.set(no, { kind: 'cooling', returnAt: Math.min(model.now + ms, start - hurryMs), asked: false })
}

const met = new Map<string, number>()
const meet = (what: string) => met.set(what, (met.get(what) ?? 0) + 1)

async function sweep(model: Model): Promise<void> {
  for (const [no, place] of model.places) {
    if (place.kind !== 'offered' || place.until > model.now) continue
    meet('lapsed')
    offerEnds(model, no)
  }
  for (const entry of model.entries.values()) {
    if (entry.state !== 'waiting' || waitUntil > model.now) continue
    entry.state = 'expired'
    meet('expired')
  }
  const due = [...model.places].flatMap(([no, place]) => (place.kind === 'cooling' && (!place.asked || place.returnAt <= model.now) ? [{ no, place }] : []))
  for (const { no, place } of due.sort((a, b) => a.place.returnAt - b.place.returnAt || a.no - b.no)) await moveOn(model, no, place)
}

async function moveOn(model: Model, no: number, place: Extract<Place, { kind: 'cooling' }>): Promise<void> {
  const line = [...model.entries].filter(([, entry]) => open(entry)).sort(([, a], [, b]) => a.joined - b.joined)
  const fits = ([person, entry]: [number, Entry]) => entry.state === 'waiting' && entry.declined < declinesMax && model.now < waitUntil && !model.had.get(no)?.has(entry.id)
    && bookedBy(model, person) === undefined && model.now + 30 * minute < bookUntil + 30 * minute
  const winner = start > model.now ? line.find(fits) : undefined
  if (!winner) {
    if (place.returnAt <= model.now) {
      model.places.delete(no)
      meet('released')
    } else place.asked = true
    return
  }
  const [person, entry] = winner
  const row = await db.selectFrom('booking').select(['appointment', 'patient']).where('no', '=', no).where('state', '=', 'offered').executeTakeFirst()
  model.places.set(no, { kind: 'offered', person, id: row?.appointment as string, until: offerUntil(model.now) })
  entry.state = 'offered'
  meet('offered')
  // Nobody is passed over without a reason.
  for (const [, before] of line.slice(0, line.indexOf(winner))) {
    const logged = await db.selectFrom('wait_log').select('reason').where('entry', '=', before.id).where('no', '=', no).where('event', '=', 'passed-over').where('at', '=', new Date(model.now).toISOString()).execute()
    expect(logged.length).toBeGreaterThan(0)
    meet('passed over')
  }
}

abstract class Command implements fc.AsyncCommand<Model, Real> {
  readonly person: number
  constructor(person: number) { this.person = person }
  check = () => true
  abstract act(model: Model, real: Real): Promise<void>
  async run(model: Model, real: Real): Promise<void> {
    await this.act(model, real)
    const rows = await db.selectFrom('booking').select(['no', 'state', 'patient']).where('session_id', '=', real.session).where('state', '<>', 'cancelled').orderBy('no').execute()
    const patientOf = (person: number) => real.people[person]?.patient as string
    expect(rows).toEqual([...model.places].sort(([a], [b]) => a - b).map(([no, place]) => ({ no, state: place.kind, patient: place.kind === 'cooling' ? '' : patientOf(place.person) })))
    for (const entry of model.entries.values()) expect((await db.selectFrom('wait_entry').select(['state', 'declined']).where('id', '=', entry.id).executeTakeFirstOrThrow())).toEqual({ state: entry.state, declined: entry.declined })
  }
  as = (real: Real) => real.people[this.person] as Principal
  toString = () => `${this.constructor.name}(${this.person})`
}

class Sweep extends Command {
  async act(model: Model): Promise<void> {
    await returnPlaces(db, desk.ctx(), desk.store)
    await sweep(model)
  }
  override toString = () => 'sweep'
}

/** Whoever books meets what the sweep left; here it has just run. */
class Book extends Command {
  async act(model: Model, real: Real): Promise<void> {
    await returnPlaces(db, desk.ctx(), desk.store)
    await sweep(model)
    const answer = await desk.run(this.as(real), '$book', { slot: `${real.session}-1`, patient: this.as(real).patient as string })
    const own = bookedBy(model, this.person)
    if (own) {
      // Once more what one has, or the rule that says so.
      if (typeof answer !== 'string') expect(answer.id).toBe((own[1] as { id: string }).id)
      return
    }
    if (model.now >= bookUntil) return expect(answer).toBe('slot-in-past')
    if (model.places.size >= capacity) return expect(answer).toBe('slot-taken')
    // An offer in the same clinic is a place already.
    if (offeredTo(model, this.person) !== undefined && typeof answer === 'string') return expect(answer).toBe('limit-department-day')
    expect(answer).toMatchObject({ status: 'booked' })
    const no = Number((answer as Appointment).slot?.[0]?.reference?.split('-').at(-1))
    expect(model.places.has(no)).toBe(false)
    model.places.set(no, { kind: 'booked', person: this.person, id: (answer as Appointment).id as string })
  }
}

class GiveBack extends Command {
  async act(model: Model, real: Real): Promise<void> {
    const own = bookedBy(model, this.person)
    if (!own) return
    const answer = await desk.run(this.as(real), '$cancel', {}, { id: (own[1] as { id: string }).id })
    if (model.now >= start) return expect(answer).toBe('notice-too-short')
    expect(answer).toMatchObject({ status: 'cancelled' })
    coolOrFree(model, own[0], coolMs)
    meet('returned')
  }
}

class Join extends Command {
  async act(model: Model, real: Real): Promise<void> {
    // No two wait since the same instant: who was first is then a matter of ids.
    model.now += 1000
    desk.clock.now = new Date(model.now)
    if (model.now >= start) return
    const from = new Date(model.now + 480 * minute).toISOString().slice(0, 10)
    const answer = await desk.run(this.as(real), '$join-waitlist', { patient: this.as(real).patient as string, organization: hospitalId, department: '03.04', from, until: '2026-11-26' })
    if (open(model.entries.get(this.person))) return expect(answer).toBe('waitlist-twice')
    if (model.now >= waitUntil) return expect(answer).toBe('waitlist-closed')
    expect(answer).toMatchObject({ status: 'waitlist' })
    model.entries.set(this.person, { id: keyOf((answer as Appointment).id as string), joined: model.now, state: 'waiting', declined: 0 })
  }
}

class Leave extends Command {
  async act(model: Model, real: Real): Promise<void> {
    const entry = model.entries.get(this.person)
    if (!entry) return
    const { appointment } = await db.selectFrom('wait_entry').select('appointment').where('id', '=', entry.id).executeTakeFirstOrThrow()
    expect(await desk.run(this.as(real), '$cancel', {}, { id: appointment })).toMatchObject({ status: open(entry) ? 'cancelled' : expect.any(String) })
    if (!open(entry)) return
    const offer = offeredTo(model, this.person)
    if (offer) offerEnds(model, offer[0])
    entry.state = 'withdrawn'
    meet('left')
  }
}

class Answer extends Command {
  readonly accept: boolean
  constructor(person: number, accept: boolean) { super(person); this.accept = accept }
  async act(model: Model, real: Real): Promise<void> {
    const offer = offeredTo(model, this.person)
    if (!offer) return
    const [no, place] = offer as [number, Extract<Place, { kind: 'offered' }>]
    const answer = await this.respond(real, place.id)
    if (place.until <= model.now) return expect(answer).toBe('offer-ended')
    if (!this.accept) {
      expect(answer).toBeNull()
      meet('declined')
      return offerEnds(model, no)
    }
    // Whoever has booked another place of the clinic meanwhile has one already.
    if (bookedBy(model, this.person)) return expect(answer).toBe('limit-department-day')
    expect(answer).toBeNull()
    model.places.set(no, { kind: 'booked', person: this.person, id: place.id })
    ;(model.entries.get(this.person) as Entry).state = 'served'
    meet('accepted')
  }
  respond(real: Real, appointment: string): Promise<string | null> {
    const person = this.as(real)
    const resource: AppointmentResponse = { resourceType: 'AppointmentResponse', appointment: { reference: `Appointment/${appointment}` }, actor: { reference: `Patient/${person.patient}` }, participantStatus: this.accept ? 'accepted' : 'declined' }
    return inTransaction(db, (trx) => writeResources(trx, desk.ctx(person), desk.store, [{ method: 'create', type: 'AppointmentResponse', id: null, resource, ifMatch: null }], 'client')).then(() => null, (error: unknown) => {
      if (error instanceof OutcomeError) return error.issues[0]?.code ?? ''
      throw error
    })
  }
  override toString = () => `${this.accept ? 'accept' : 'decline'}(${this.person})`
}

class Wait extends Command {
  readonly minutes: number
  constructor(minutes: number) { super(0); this.minutes = minutes }
  async act(model: Model): Promise<void> {
    model.now += this.minutes * minute
    desk.clock.now = new Date(model.now)
  }
  override toString = () => `wait ${this.minutes} min`
}

const who = fc.nat(3)
const commands = [
  who.map((each) => new Book(each)), who.map((each) => new Book(each)), who.map((each) => new GiveBack(each)), who.map((each) => new GiveBack(each)), who.map((each) => new Join(each)), who.map((each) => new Join(each)), who.map((each) => new Leave(each)),
  who.map((each) => new Answer(each, true)), who.map((each) => new Answer(each, true)), who.map((each) => new Answer(each, false)), fc.constantFrom(3, 11, 31, 121).map((minutes) => new Wait(minutes)), fc.constantFrom(3, 11, 600).map((minutes) => new Wait(minutes)), who.map((each) => new Sweep(each)), who.map((each) => new Sweep(each)),
]

test('returned places and those who wait for them, in whatever order', async () => {
  await fc.assert(fc.asyncProperty(fc.commands(commands, { maxCommands: 50, size: 'max' }), async (plan) => {
    for (const table of ['wait_log', 'wait_entry', 'booking', 'clinic_session', 'session_template'] as const) await db.deleteFrom(table).execute()
    desk.clock.now = new Date('2026-11-25T09:00:00+08:00')
    const people = await desk.citizens(4)
    const [session] = await desk.sessions(clinicTemplate({ weekday: 4, capacity, segment_minutes: 120, end_time: '10:00' })) as [string]
    await db.deleteFrom('clinic_session').where('id', '<>', session).execute()
    await db.deleteFrom('booking_parameter').where('set_by', '=', 'model').execute()
    await db.insertInto('booking_parameter').values(([['return.minMinutes', 10], ['return.maxMinutes', 10], ['cancel.maxPerDay', 20], ['noshow.level1.count', 50], ['noshow.level2.count', 50]] as const)
      .map(([name, value]) => ({ scope: 'city' as const, scope_id: '310000', name, value, from_at: '2021-01-01T00:00:00Z', until_at: null, set_by: 'model' }))).execute()
    await fc.asyncModelRun(() => ({ model: { now: desk.clock.now.getTime(), places: new Map(), entries: new Map(), had: new Map() } satisfies Model as Model, real: { people, session } }), plan)
    expect(await brokenInvariants(db)).toEqual([])
  }), { numRuns: lives, seed })
  if (lives >= 80) expect([...met.keys()].sort()).toEqual(['accepted', 'declined', 'expired', 'lapsed', 'left', 'offered', 'passed over', 'released', 'returned'])
}, 300_000)
