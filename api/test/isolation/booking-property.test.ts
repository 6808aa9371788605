import type { Appointment } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expireHolds } from '../../src/booking/expire-holds.ts'
import { clinicTemplate } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { testDatabase } from '../support/database.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
const verbs = ['$hold', '$hold', '$book', '$book-held', '$book-held', '$release', '$cancel', '$check-in', 'wait', 'sweep'] as const
const step = fc.record({ verb: fc.constantFrom(...verbs), person: fc.nat(5), session: fc.nat(3), place: fc.integer({ min: 1, max: 4 }), pick: fc.nat(30), at: fc.nat(400) })

test('whatever people do, and in whatever order or at once: places are counted right and every booking has its Appointment', async () => {
  const people = await desk.citizens(6)
  let weekday = 0
  await fc.assert(fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 5, maxLength: 15 }), async (rounds) => {
    desk.clock.now = new Date('2026-11-23T07:30:00+08:00')
    weekday = (weekday % 5) + 1
    await db.deleteFrom('booking').execute()
    await db.deleteFrom('clinic_session').execute()
    await db.deleteFrom('session_template').execute()
    const sessions = await desk.sessions(
      clinicTemplate({ weekday, capacity: 3, segment_minutes: 120 }), clinicTemplate({ weekday, capacity: 4, segment_minutes: 60, department: '10', half: 'pm', start_time: '13:00', end_time: '16:00' }),
    )
    const made: Appointment[] = []
    for (const round of rounds) {
      await Promise.all(round.map(async (each) => {
        const person = people[each.person]
        const session = sessions[each.session % sessions.length]
        const known = made[each.pick % Math.max(1, made.length)]
        if (!person || !session) return
        if (each.verb === 'wait') desk.clock.now = new Date(desk.clock.now.getTime() + each.at * 1000)
        else if (each.verb === 'sweep') await expireHolds(db, desk.ctx(), desk.store)
        else if (each.verb === '$hold' || each.verb === '$book') {
          const answer = await desk.run(person, each.verb, { slot: `${session}-${each.place}`, patient: person.patient as string })
          if (typeof answer !== 'string') made.push(answer)
        } else if (known) {
          const owner = people.find((one) => known.participant.some((actor) => actor.actor?.reference === `Patient/${one.patient}`)) ?? person
          if (each.verb === '$book-held') await desk.run(owner, '$book', { appointment: known.id as string })
          else await desk.run(owner, each.verb, {}, { id: known.id as string })
        }
      }))
    }
    expect(await brokenInvariants(db)).toEqual([])
  }), { numRuns: 25 })
}, 120_000)
