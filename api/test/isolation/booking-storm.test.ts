/** The rush, bounded: many people for few places, many sessions at once, requests doubled and out of order. */
import type { Appointment } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { clinicTemplate } from '../support/booking-data.ts'
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
