import type { Appointment } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import { expireHolds } from '../../src/booking/expire-holds.ts'
import { clinicTemplate } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { testDatabase } from '../support/database.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
const otherHospital = '01930000-0000-7b22-8000-000000000002'

const appointments = (answers: (Appointment | string)[]) => answers.filter((each) => typeof each !== 'string')
const refusals = (answers: (Appointment | string)[]) => answers.filter((each) => typeof each === 'string')
const number = (appointment: Appointment) => appointment.extension?.find((each) => each.url.endsWith('/serial-number'))?.valuePositiveInt

test('200 people book 10 places at once: ten distinct places, 190 clear refusals', async () => {
  const [session] = await desk.sessions(clinicTemplate({ capacity: 10, segment_minutes: 240, weekday: 2 }))
  const people = await desk.citizens(200)
  const answers = await Promise.all(people.map((person, index) => desk.run(person, '$book', { slot: `${session}-${(index % 10) + 1}`, patient: person.patient as string })))
  expect(appointments(answers).map(number).sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  expect(refusals(answers)).toEqual(Array(190).fill('slot-taken'))
  expect(await brokenInvariants(db)).toEqual([])
})

test('two people on the last place: one gets it, the other is told that it was taken', async () => {
  const [session] = await desk.sessions(clinicTemplate({ capacity: 1, weekday: 3 }))
  const [a, b] = await desk.citizens(2)
  if (!a || !b) throw new Error('no citizens')
  const answers = await Promise.all([a, b].map((person) => desk.run(person, '$hold', { slot: `${session}-1`, patient: person.patient as string })))
  expect(appointments(answers)).toHaveLength(1)
  expect(refusals(answers)).toEqual(['slot-taken'])
})

test('a double click on book gives one appointment twice', async () => {
  const [session] = await desk.sessions(clinicTemplate({ weekday: 4 }))
  const [person] = await desk.citizens(1)
  if (!person) throw new Error('no citizen')
  const held = await desk.run(person, '$hold', { slot: `${session}-1`, patient: person.patient as string }) as Appointment
  expect(held.status).toBe('pending')
  const answers = await Promise.all([1, 2, 3].map(() => desk.run(person, '$book', { appointment: held.id as string }))) as Appointment[]
  expect(answers.map((each) => [each.id, each.status])).toEqual(Array(3).fill([held.id, 'booked']))
  expect(new Set(answers.map((each) => each.meta?.versionId)).size).toBe(1)
})

test('a double click on a slot, without and with a key, takes one place', async () => {
  const [session] = await desk.sessions(clinicTemplate({ weekday: 5 }))
  const [a, b] = await desk.citizens(2)
  if (!a || !b) throw new Error('no citizens')
  const plain = await Promise.all([1, 2].map(() => desk.run(a, '$book', { slot: `${session}-3`, patient: a.patient as string })))
  const keyed = await Promise.all([1, 2].map(() => desk.run(b, '$book', { slot: `${session}-3`, patient: b.patient as string }, { key: 'k1' })))
  for (const answers of [plain, keyed]) {
    expect(refusals(answers)).toEqual([])
    expect(new Set(appointments(answers).map((each) => (each as Appointment).id)).size).toBe(1)
  }
  expect(await desk.run(b, '$book', { slot: `${session}-5`, patient: b.patient as string }, { key: 'k1' })).toBe('idempotency-mismatch')
})

test('one patient, two sessions of a department on a day at once: one is booked', async () => {
  const sessions = await desk.sessions(clinicTemplate({ weekday: 6 }), clinicTemplate({ weekday: 6, half: 'pm', start_time: '13:30', end_time: '16:30' }))
  const [person] = await desk.citizens(1)
  if (!person) throw new Error('no citizen')
  const answers = await Promise.all(sessions.slice(0, 2).map((session) => desk.run(person, '$book', { slot: `${session}-1`, patient: person.patient as string })))
  expect(appointments(answers)).toHaveLength(1)
  expect(refusals(answers)).toEqual(['limit-department-day'])
})

test('one patient, two hospitals at the same hour at once: one is booked', async () => {
  const sessions = await desk.sessions(clinicTemplate({ weekday: 7 }), clinicTemplate({ weekday: 7, organization: otherHospital, department: '10' }))
  const [person] = await desk.citizens(1)
  if (!person) throw new Error('no citizen')
  const answers = await Promise.all(sessions.slice(0, 2).map((session) => desk.run(person, '$book', { slot: `${session}-1`, patient: person.patient as string })))
  expect(appointments(answers)).toHaveLength(1)
  expect(refusals(answers)).toEqual(['patient-busy'])
})

test('an ended hold blocks nobody, before and after the sweep', async () => {
  const [session] = await desk.sessions(clinicTemplate({ weekday: 2, capacity: 2, segment_minutes: 240, department: '11' }))
  const [a, b, c] = await desk.citizens(3)
  if (!a || !b || !c) throw new Error('no citizens')
  const slot = `${session}-1`
  const first = await desk.run(a, '$hold', { slot, patient: a.patient as string }) as Appointment
  const second = await desk.run(b, '$hold', { slot, patient: b.patient as string }) as Appointment
  expect([number(first), number(second)]).toEqual([1, 2])
  expect(await desk.run(c, '$book', { slot, patient: c.patient as string })).toBe('slot-taken')
  desk.clock.now = new Date(desk.clock.now.getTime() + 301_000)
  expect(await desk.run(a, '$book', { appointment: first.id as string })).toBe('hold-expired')
  const third = await desk.run(c, '$book', { slot, patient: c.patient as string }) as Appointment
  expect([third.status, number(third)]).toEqual(['booked', 1])
  expect(await brokenInvariants(db)).toEqual([])
  const again = await desk.run(b, '$hold', { slot, patient: b.patient as string }) as Appointment
  desk.clock.now = new Date(desk.clock.now.getTime() + 301_000)
  expect(await expireHolds(db, desk.ctx(), desk.store)).toBeGreaterThan(0)
  expect(await expireHolds(db, desk.ctx(), desk.store)).toBe(0)
  expect(await desk.run(b, '$book', { appointment: again.id as string })).toBe('hold-expired')
  expect(await brokenInvariants(db)).toEqual([])
})

test('cancelling and checking in at once: one of them wins', async () => {
  const [session] = await desk.sessions(clinicTemplate({ weekday: 1, department: '13', start_time: '08:30' }))
  const [person] = await desk.citizens(1)
  if (!person) throw new Error('no citizen')
  desk.clock.now = new Date('2026-11-23T07:45:00+08:00')
  const booked = await desk.run(person, '$book', { slot: `${session}-1`, patient: person.patient as string }) as Appointment
  const answers = await Promise.all(['$cancel', '$check-in'].map((name) => desk.run(person, name, {}, { id: booked.id as string })))
  expect(appointments(answers)).toHaveLength(1)
  expect(refusals(answers)).toEqual(['appointment-not-active'])
  expect(await brokenInvariants(db)).toEqual([])
})

test('confirming a hold while choosing another time: the booking stays, or the new hold does, never half of each', async () => {
  for (let round = 0; round < 10; round++) {
    const [first, second] = await desk.sessions(clinicTemplate({ weekday: 3, department: '04.03' }), clinicTemplate({ weekday: 3, department: '12', half: 'pm', start_time: '13:30', end_time: '16:30' }))
    const [person] = await desk.citizens(1)
    if (!person) throw new Error('no citizen')
    desk.clock.now = new Date('2026-11-23T07:30:00+08:00')
    const held = await desk.run(person, '$hold', { slot: `${first}-1`, patient: person.patient as string }) as Appointment
    const [confirmed, chosen] = await Promise.all([
      desk.run(person, '$book', { appointment: held.id as string }), desk.run(person, '$hold', { slot: `${second}-1`, patient: person.patient as string }),
    ])
    expect(typeof chosen).toBe('object')
    const row = await db.selectFrom('booking').select('state').where('appointment', '=', held.id as string).executeTakeFirstOrThrow()
    expect(row.state).toBe(confirmed === 'hold-expired' ? 'cancelled' : 'booked')
  }
  expect(await brokenInvariants(db)).toEqual([])
})
