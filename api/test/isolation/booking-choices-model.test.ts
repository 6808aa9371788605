/**
 * Random lives of clinics that are not held as planned, beside a model that knows nothing of tables: people book, the clinic is suspended, or given to
 * another doctor and then suspended after all, they take one of the places kept for them, agree, decline or stay silent, while others book the same
 * places and time goes on. After every step each Appointment says what the model says, and places kept are kept for one person. TEST_SEED and
 * BOOKING_LIVES draw others and more. Source of the model: docs/booking.md, § When a clinic is not held.
 */
import type { Appointment } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { expireHolds } from '../../src/booking/expire-holds.ts'
import { followUp } from '../../src/booking/follow-up.ts'
import { keyOf } from '../../src/fhir/id.ts'
import { loadResource } from '../../src/records/read-resource.ts'
import { clinicTemplate, doctorId, hospitalId } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { testDatabase } from '../support/database.ts'
import { citizen as citizenOf } from '../support/platform.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
const scheduler: Principal = { ...citizenOf(''), id: 'account-desk', role: 'scheduler', patient: null, organization: hospitalId, organizationName: '医院' }
const lives = Number(process.env.BOOKING_LIVES ?? 100)
const seed = Number(process.env.TEST_SEED ?? 20261126)
const other = '01930000-0000-7a17-8000-0000000000d2'

const hour = 3_600_000
/** The clinic that is not held, the same doctor a day later, and another doctor of the same title on the day: one segment each. */
const clinics = [
  { start: Date.parse('2026-11-25T08:00:00+08:00'), capacity: 2, later: true },
  { start: Date.parse('2026-11-26T08:00:00+08:00'), capacity: 1, later: true },
  { start: Date.parse('2026-11-25T13:00:00+08:00'), capacity: 1, later: false },
] as const
const lengthMs = 2 * hour
const leadMs = hour / 2

interface Kept { id: string; person: number; clinic: number; state: 'booked' | 'proposed' | 'cancelled'; until: number | null; replaces: string | null; doctor: string }
interface Model { now: number; status: 'open' | 'substituted' | 'suspended'; kept: Kept[] }
interface Real { people: Principal[]; sessions: string[] }

const startOf = (clinic: number) => (clinics[clinic] as (typeof clinics)[number]).start
const isLive = (model: Model, each: Kept) => each.state === 'booked' || (each.state === 'proposed' && (each.until as number) > model.now)
const bookedOf = (model: Model, person: number, clinic: number) => model.kept.find((each) => each.person === person && each.clinic === clinic && each.state === 'booked')
const isFree = (model: Model, clinic: number) => model.kept.filter((each) => each.clinic === clinic && isLive(model, each)).length < (clinics[clinic]?.capacity ?? 0)
const deadline = (model: Model) => Math.max(Math.min(model.now + 24 * hour, startOf(0) - 12 * hour), model.now + hour / 2)
const letGo = (model: Model, id: string) => { for (const each of model.kept) if (each.replaces === id && each.state === 'proposed') each.state = 'cancelled' }

/** What the sweep does: deadlines end, and whoever has not been asked is. Places that were kept are read from the answer: which number is nobody's concern. */
async function followed(model: Model): Promise<void> {
  if (model.now < startOf(0) + lengthMs || model.kept.some((each) => each.clinic === 0 && each.until !== null)) {
    for (const each of model.kept.filter((one) => one.clinic === 0 && one.state === 'booked')) await followOne(model, each)
  }
}

async function followOne(model: Model, own: Kept): Promise<void> {
  const concerned = model.status === 'suspended' || (model.status === 'substituted' && own.doctor === doctorId)
  if (!concerned || (own.until !== null && own.until > model.now) || (own.until === null && startOf(0) + lengthMs <= model.now)) return
  if (own.until !== null) {
    own.state = 'cancelled'
    return letGo(model, own.id)
  }
  if (model.status === 'substituted') {
    own.until = deadline(model)
    return
  }
  const open = [1, 2].filter((clinic) => isFree(model, clinic) && bookedOf(model, own.person, clinic) === undefined && startOf(clinic) + lengthMs > model.now + leadMs)
  if (open.length === 0) {
    own.state = 'cancelled'
    return
  }
  own.until = deadline(model)
  const rows = await db.selectFrom('booking').select(['appointment', 'session_id']).where('offer_of', '=', keyOf(own.id)).where('state', '=', 'offered').orderBy('start_at').execute()
  expect(rows.length).toBe(open.length)
  // The soonest first: the other doctor's clinic of the day, then the same doctor's.
  for (const [index, clinic] of [2, 1].filter((each) => open.includes(each)).entries()) model.kept.push({ id: rows[index]?.appointment as string, person: own.person, clinic, state: 'proposed', until: own.until, replaces: own.id, doctor: '' })
}

const met = new Map<string, number>()
const meet = (what: string) => met.set(what, (met.get(what) ?? 0) + 1)

abstract class Command implements fc.AsyncCommand<Model, Real> {
  readonly person: number
  readonly clinic: number
  constructor({ person, clinic }: { person: number; clinic: number }) { this.person = person; this.clinic = clinic }
  check = () => true
  abstract act(model: Model, real: Real): Promise<void>
  async run(model: Model, real: Real): Promise<void> {
    await this.act(model, real)
    for (const each of model.kept) {
      const { status } = await loadResource<Appointment>(db, 'Appointment', each.id) as Appointment
      // A place kept whose time is over is let go by whoever meets it first.
      if (each.state === 'proposed' && !isLive(model, each)) expect(['proposed', 'cancelled']).toContain(status)
      else expect([each.id, each.clinic, status]).toEqual([each.id, each.clinic, each.state])
    }
  }
  as = (real: Real) => real.people[this.person] as Principal
  toString = () => `${this.constructor.name}(${this.person}, ${this.clinic})`
}

class Book extends Command {
  async act(model: Model, real: Real): Promise<void> {
    const answer = await desk.run(this.as(real), '$book', { slot: `${real.sessions[this.clinic]}-1`, patient: this.as(real).patient as string })
    const own = bookedOf(model, this.person, this.clinic)
    if (own) {
      // Once more what one has, or the rule that says so.
      if (typeof answer !== 'string') expect(answer.id).toBe(own.id)
      return
    }
    if (this.clinic === 0 && model.status === 'suspended') return expect(answer).toBe('session-closed')
    if (startOf(this.clinic) + lengthMs <= model.now + leadMs) return expect(answer).toBe('slot-in-past')
    // One place a day in the department.
    const sameDay = this.clinic === 1 ? [] : [0, 2].filter((clinic) => bookedOf(model, this.person, clinic))
    if (sameDay.length > 0) return expect(answer).toBe('limit-department-day')
    if (!isFree(model, this.clinic)) return expect(answer).toBe('slot-taken')
    expect(answer).toMatchObject({ status: 'booked' })
    model.kept.push({ id: (answer as Appointment).id as string, person: this.person, clinic: this.clinic, state: 'booked', until: null, replaces: null, doctor: model.status === 'substituted' && this.clinic === 0 ? other : doctorId })
  }
}

class Suspend extends Command {
  async act(model: Model, real: Real): Promise<void> {
    const answer = await desk.run(scheduler, '$suspend', { reason: '临时外出' }, { id: real.sessions[0] as string })
    if (startOf(0) + lengthMs <= model.now) return expect(answer).toBe('slot-in-past')
    if (model.status === 'suspended') return expect(answer).toBe('session-closed')
    // Whoever was asked about a substitute is asked anew.
    for (const each of model.kept) if (each.clinic === 0 && each.state === 'booked') each.until = null
    meet(model.status === 'substituted' ? 'suspended after all' : 'suspended')
    model.status = 'suspended'
    await followed(model)
  }
}

class Substitute extends Command {
  async act(model: Model, real: Real): Promise<void> {
    const answer = await desk.run(scheduler, '$substitute', { practitioner: other }, { id: real.sessions[0] as string })
    if (startOf(0) + lengthMs <= model.now) return expect(answer).toBe('slot-in-past')
    if (model.status !== 'open') return expect(answer).toBe(model.status === 'suspended' ? 'session-closed' : 'business-rule')
    model.status = 'substituted'
    meet('substituted')
    await followed(model)
  }
}

/** Takes a place that was kept for them, the first or the second. */
class Choose extends Command {
  async act(model: Model, real: Real): Promise<void> {
    const offers = model.kept.filter((each) => each.person === this.person && each.replaces !== null)
    const offer = offers.at(-1 - this.clinic) ?? offers.at(-1)
    if (!offer) return
    const answer = await desk.run(this.as(real), '$accept', {}, { id: offer.id })
    if (offer.state === 'booked') return expect(answer).toMatchObject({ status: 'booked' })
    if (offer.state === 'cancelled' || !isLive(model, offer)) return expect(answer).toMatch(/^offer-(gone|ended)$/)
    expect(answer).toMatchObject({ status: 'booked' })
    const old = model.kept.find((each) => each.id === offer.replaces) as Kept
    Object.assign(offer, { state: 'booked', until: null })
    old.state = 'cancelled'
    letGo(model, old.id)
    meet('chosen')
  }
}

class Agree extends Command {
  async act(model: Model, real: Real): Promise<void> {
    const own = bookedOf(model, this.person, 0)
    if (!own) return
    const answer = await desk.run(this.as(real), '$accept', {}, { id: own.id })
    if (own.until === null) return expect(answer).toMatchObject({ status: 'booked' })
    if (model.status === 'suspended' || own.until <= model.now) return expect(answer).toBe('offer-gone')
    expect(answer).toMatchObject({ status: 'booked' })
    Object.assign(own, { until: null, doctor: other })
    meet('agreed')
  }
}

class Cancel extends Command {
  async act(model: Model, real: Real): Promise<void> {
    const own = bookedOf(model, this.person, this.clinic)
    if (!own) return
    const asked = own.until !== null
    const answer = await desk.run(this.as(real), '$cancel', {}, { id: own.id })
    if (startOf(this.clinic) <= model.now && !asked) return expect(answer).toBe('notice-too-short')
    if (answer === 'notice-too-short') return expect(startOf(this.clinic)).toBeLessThanOrEqual(model.now)
    expect(answer).toMatchObject({ status: 'cancelled' })
    // What follows from a change of the hospital is owed back, and no fault of the patient.
    const row = await db.selectFrom('booking').select(['cancel_reason', 'refund_fen']).where('id', '=', keyOf(own.id)).executeTakeFirstOrThrow()
    if (asked) expect(row).toMatchObject({ cancel_reason: model.status === 'suspended' ? 'provider-suspended' : 'provider-changed', refund_fen: expect.any(BigInt) })
    else expect([row.cancel_reason?.startsWith('patient'), row.refund_fen]).toEqual([true, null])
    own.state = 'cancelled'
    letGo(model, own.id)
    if (asked) meet('declined')
  }
}

class Wait extends Command {
  readonly minutes: number
  constructor(minutes: number) { super({ person: 0, clinic: 0 }); this.minutes = minutes }
  async act(model: Model): Promise<void> {
    model.now += this.minutes * 60_000
    desk.clock.now = new Date(model.now)
  }
  override toString = () => `wait ${this.minutes} min`
}

class Sweep extends Command {
  async act(model: Model): Promise<void> {
    await followUp(db, desk.ctx(), desk.store)
    const before = model.kept.filter((each) => each.clinic === 0 && each.state === 'booked').length
    await followed(model)
    if (model.kept.filter((each) => each.clinic === 0 && each.state === 'booked').length < before) meet('silence')
    await expireHolds(db, desk.ctx(), desk.store)
    for (const each of model.kept) if (each.state === 'proposed' && !isLive(model, each)) each.state = 'cancelled'
  }
  override toString = () => 'sweep'
}

const where = fc.record({ person: fc.nat(2), clinic: fc.nat(2) })
const first = where.map((each) => ({ ...each, clinic: 0 }))
const commands = [
  first.map((each) => new Book(each)), first.map((each) => new Book(each)), where.map((each) => new Book(each)), first.map((each) => new Suspend(each)), first.map((each) => new Substitute(each)),
  where.map((each) => new Choose(each)), where.map((each) => new Choose(each)), where.map((each) => new Agree(each)), first.map((each) => new Cancel(each)), where.map((each) => new Cancel(each)),
  fc.constantFrom(10, 45, 300, 800).map((minutes) => new Wait(minutes)), fc.constantFrom(300, 800).map((minutes) => new Wait(minutes)), where.map((each) => new Sweep(each)), where.map((each) => new Sweep(each)),
]

test('whose clinic is not held is asked, and what they choose, agree to, decline or leave unsaid happens, in whatever order', async () => {
  await fc.assert(fc.asyncProperty(fc.commands(commands, { maxCommands: 40, size: 'max' }), async (plan) => {
    await db.deleteFrom('booking').execute()
    await db.deleteFrom('clinic_session').execute()
    await db.deleteFrom('session_template').execute()
    desk.clock.now = new Date('2026-11-24T07:30:00+08:00')
    const people = await desk.citizens(3)
    const times = { segment_minutes: 120, end_time: '10:00' } as const
    const ids: string[] = []
    // The week of the test only: a second one would offer more.
    for (const template of [
      clinicTemplate({ ...times, weekday: 3, capacity: 2 }), clinicTemplate({ ...times, weekday: 4, capacity: 1 }),
      clinicTemplate({ weekday: 3, half: 'pm', start_time: '13:00', end_time: '15:00', segment_minutes: 120, capacity: 1, practitioner: other, practitioner_name_zh: '林晓', practitioner_name_en: 'Lin Xiao' }),
    ]) ids.push((await desk.sessions(template))[0] as string)
    await db.deleteFrom('clinic_session').where('id', 'not in', ids).execute()
    await fc.asyncModelRun(() => ({ model: { now: desk.clock.now.getTime(), status: 'open', kept: [] } satisfies Model as Model, real: { people, sessions: ids } }), plan)
    expect(await brokenInvariants(db)).toEqual([])
  }), { numRuns: lives, seed })
  if (lives >= 100) expect([...met.keys()].sort()).toEqual(['agreed', 'chosen', 'declined', 'silence', 'substituted', 'suspended', 'suspended after all'])
}, 300_000)
