/** The rush, bounded: many people for few places, many sessions at once, recorded histories, a week whose books balance. */
import type { Appointment } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { expireHolds } from '../../src/booking/expire-holds.ts'
import { followUp } from '../../src/booking/follow-up.ts'
import { suspendOperation } from '../../src/booking/suspend-session.ts'
import { clinicTemplate, hospitalId } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { testDatabase } from '../support/database.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
const people = (await Promise.all(Array.from({ length: 10 }, () => desk.citizens(200)))).flat()
const book = (person: Principal, slot: string, key?: string) => desk.run(person, '$book', { slot, patient: person.patient as string }, key ? { key } : {})
const place = (appointment: Appointment) => Number(appointment.slot?.[0]?.reference?.split('-').at(-1))
const counts = (answers: readonly (Appointment | string)[]) => {
  const found: Record<string, number> = {}
  for (const each of answers) found[typeof each === 'string' ? each : 'booked'] = (found[typeof each === 'string' ? each : 'booked'] ?? 0) + 1
  return found
}

test('2,000 people at once for 100 places: a hundred get one each, in the order they came, all others are told', async () => {
  const [session] = await desk.sessions(clinicTemplate({ capacity: 100, segment_minutes: 240, weekday: 2 }))
  const answers = await Promise.all(people.map((person) => book(person, `${session}-1`)))
  expect(counts(answers)).toEqual({ booked: 100, 'slot-taken': 1900 })
  expect(answers.slice(0, 100).every((each) => typeof each !== 'string')).toBe(true)
  expect(new Set(answers.slice(0, 100).map((each) => place(each as Appointment))).size).toBe(100)
  expect(await brokenInvariants(db)).toEqual([])
}, 60_000)

test('500 sessions at once, each with one more wish than places, every request sent twice: nobody has two, nothing is over', async () => {
  const sessions = await desk.sessions(...Array.from({ length: 500 }, (_, index) => clinicTemplate({ capacity: 2, segment_minutes: 240, weekday: 3, department: '10', practitioner: `doctor-${index}` })))
  const wishes = people.slice(0, 1500).flatMap((person, index) => [0, 1].map(() => book(person, `${sessions[(index * 7) % 500]}-1`, 'once')))
  const answers = await Promise.all(wishes)
  expect(counts(answers.filter((_, index) => index % 2 === 0))).toEqual({ booked: 1000, 'slot-taken': 500 })
  for (let index = 0; index < answers.length; index += 2) {
    const [one, other] = [answers[index], answers[index + 1]]
    expect(typeof one === 'string' ? one : one?.id).toBe(typeof other === 'string' ? other : other?.id)
  }
  const { used } = await db.selectFrom('clinic_session').select(({ fn }) => fn.sum<bigint>('used').as('used')).where('department', '=', '10').executeTakeFirstOrThrow()
  expect(Number(used)).toBe(1000)
}, 60_000)

test('duplicated, delayed and reordered requests, clocks that differ by seconds: one booking a person, answers that agree', async () => {
  const [session] = await desk.sessions(clinicTemplate({ capacity: 12, segment_minutes: 240, weekday: 6, department: '04.03' }))
  const now = desk.clock.now
  await fc.assert(fc.asyncProperty(fc.shuffledSubarray(people.slice(100, 140).flatMap((person, index) => [0, 1, 2].map((copy) => ({ person, index, copy }))), { minLength: 60 }), async (sent) => {
    const answers = await Promise.all(sent.map(({ person, index, copy }) => {
      desk.clock.now = new Date(now.getTime() + (((index * 3 + copy) % 5) - 2) * 1000)
      return book(person, `${session}-1`, `k-${index}`)
    }))
    desk.clock.now = now
    const byPerson = new Map<number, Set<string>>()
    for (const [at, { index }] of sent.entries()) {
      const answer = answers[at]
      byPerson.set(index, (byPerson.get(index) ?? new Set()).add(typeof answer === 'string' ? answer : answer?.id ?? ''))
    }
    for (const each of byPerson.values()) expect(each.size).toBe(1)
    const { used } = await db.selectFrom('clinic_session').select('used').where('id', '=', session as string).executeTakeFirstOrThrow()
    expect(used).toBeLessThanOrEqual(12)
  }), { numRuns: 4 })
  expect(await brokenInvariants(db)).toEqual([])
}, 60_000)

test('a week of releases, bookings, holds that end, cancellations, moves and suspensions: the books balance', async () => {
  const scheduler: Principal = { ...anonymous, kind: 'person', id: 'account-week', name: '挂号处', role: 'scheduler', organization: hospitalId }
  for (const table of ['booking', 'clinic_session', 'session_template', 'notice'] as const) await db.deleteFrom(table).execute()
  const sessions = await desk.sessions(...[1, 2, 3, 4, 5].flatMap((weekday) => ['03.04', '10'].map((department, index) => clinicTemplate({ weekday, department, capacity: 6, segment_minutes: 120, practitioner: `week-${weekday % 3}-${index}`, half: index === 0 ? 'am' : 'pm', start_time: index === 0 ? '08:00' : '13:00', end_time: index === 0 ? '12:00' : '17:00' }))))
  const random = (of: number) => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed % of }
  let seed = 7
  let suspended = 0
  for (let hour = 0; hour < 24 * 5; hour += 3) {
    desk.clock.now = new Date(new Date('2026-11-23T06:00:00+08:00').getTime() + hour * 3_600_000)
    const acts = Array.from({ length: 12 }, async () => {
      const person = people[random(60)] as Principal
      const slot = `${sessions[random(sessions.length)]}-${1 + random(6)}`
      const answer = await desk.run(person, random(3) === 0 ? '$hold' : '$book', { slot, patient: person.patient as string })
      if (typeof answer === 'string') return
      const next = random(5)
      if (next === 0) await desk.run(person, '$cancel', {}, { id: answer.id as string })
      else if (next === 1) await desk.run(person, '$reschedule', { slot: `${sessions[random(sessions.length)]}-1` }, { id: answer.id as string })
    })
    await Promise.all(acts)
    if (hour % 24 === 12) {
      const id = sessions.slice(10)[random(10)] as string
      const done = await suspendOperation.run({ db, ctx: desk.ctx(scheduler), store: desk.store, base: '', type: 'Schedule', id, query: new URLSearchParams(), body: null, idempotencyKey: null, respondAsync: false, lenient: false }).catch(() => null)
      if (done) suspended++
    }
    const offers = await db.selectFrom('booking').select(['appointment', 'patient']).where('state', '=', 'offered').limit(2).execute()
    for (const each of offers) await desk.run(people.find((one) => one.patient === each.patient) as Principal, '$accept', {}, { id: each.appointment })
    await expireHolds(db, desk.ctx(), desk.store)
    await followUp(db, desk.ctx(), desk.store)
  }
  for (let hour = 24 * 5; hour < 24 * 12; hour += 6) {
    desk.clock.now = new Date(new Date('2026-11-23T06:00:00+08:00').getTime() + hour * 3_600_000)
    await followUp(db, desk.ctx(), desk.store)
    await expireHolds(db, desk.ctx(), desk.store)
  }
  expect(suspended).toBeGreaterThan(2)
  expect(await brokenInvariants(db)).toEqual([])
  const rows = await db.selectFrom('booking').innerJoin('clinic_session as s', 's.id', 'booking.session_id').select(['booking.state', 'booking.cancel_reason', 'booking.refund_fen', 'booking.choose_until', 's.status', 's.end_at', 'booking.pid', 'booking.service_date', 'booking.department']).execute()
  // No hold without end, nobody waiting for a choice after its deadline, the fee owed back exactly where the hospital cancelled.
  expect(rows.filter((each) => each.state === 'held' || each.state === 'offered' || each.choose_until !== null)).toEqual([])
  expect(rows.filter((each) => (each.cancel_reason === 'provider-suspended') !== (each.refund_fen !== null))).toEqual([])
  expect(rows.filter((each) => each.status === 'suspended' && each.state === 'booked' && Date.parse(each.end_at) > Date.parse('2026-11-28T00:00:00Z'))).toEqual([])
  const active = rows.filter((each) => each.state === 'booked').map((each) => `${each.pid} ${each.service_date} ${each.department}`)
  expect(new Set(active).size).toBe(active.length)
  expect(active.length).toBeGreaterThan(20)
}, 90_000)
