/**
 * Recorded histories of every command of booking can be put one after another. Several people, each with two devices that know nothing of each
 * other, hold, confirm, book, give up, cancel, move and check in at the same clinics at once; requests are sent twice under one key, late and
 * out of order. The specification below is sequential and knows no tables. The checker is shown histories that are wrong.
 */
import { expect, test } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { clinicTemplate } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { testDatabase } from '../support/database.ts'
import { isLinearizable, type Recorded } from '../support/linearizable.ts'
import { seededRandom } from '../support/random-resources.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)
const rounds = Number(process.env.BOOKING_HISTORIES ?? 12)
const random = seededRandom(seed)
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
const capacity = 2

type Status = 'pending' | 'booked' | 'checked-in' | 'cancelled'
/** Each appointment as `person clinic status`. */
type State = Readonly<Record<string, string>>
const told = (state: State, id: string) => (state[id] ?? '  ').split(' ') as [string, string, Status]

interface Act { verb: '$hold' | '$book' | 'confirm' | '$release' | '$cancel' | '$check-in' | '$reschedule'; person: number; clinic: number; about: string | null; answer: string; status: string | null }

function step(state: State, { verb, person, clinic, about, answer, status }: Act): State | null {
  const own = about === null ? null : told(state, about)
  const active = Object.entries(state).filter(([id, text]) => !text.endsWith('cancelled') && id !== (verb === '$reschedule' ? about : null))
  const taken = active.filter(([, text]) => text.split(' ')[1] === String(clinic) && !(text.startsWith(`${person} `) && text.endsWith('pending'))).length
  const there = active.some(([, text]) => text.startsWith(`${person} ${clinic} `) && !text.endsWith('pending'))
  const set = (id: string, to: Status): State => ({ ...state, [id]: `${told(state, id)[0]} ${told(state, id)[1]} ${to}` })
  const granted = (to: 'pending' | 'booked'): State | null => {
    if (there || taken >= capacity || answer in state) return null
    const free = Object.fromEntries(Object.entries(state).map(([id, text]) => [id, text.startsWith(`${person} `) && (text.endsWith('pending') || id === (verb === '$reschedule' ? about : null)) ? text.replace(/\S+$/, 'cancelled') : text]))
    return { ...free, [answer]: `${person} ${clinic} ${to}` }
  }
  switch (verb) {
    case '$hold': case '$book': {
      if (status === null) return (answer === 'limit-department-day' && there) || (answer === 'slot-taken' && !there && taken >= capacity) ? state : null
      const known = told(state, answer)
      if (answer in state && known[2] !== 'cancelled') return known[0] === String(person) && known[1] === String(clinic) && (status === known[2] || (verb === '$book' && known[2] === 'pending')) ? (verb === '$book' && known[2] === 'pending' ? set(answer, 'booked') : state) : null
      return granted(verb === '$hold' ? 'pending' : 'booked')
    }
    case 'confirm':
      if (status === null) return own?.[2] !== 'pending' && own?.[2] !== 'booked' ? state : null
      return own?.[2] === 'pending' || own?.[2] === 'booked' ? set(about as string, 'booked') : null
    case '$release':
      if (status === null) return own?.[2] !== 'pending' ? state : null
      return own?.[2] === 'pending' || own?.[2] === 'cancelled' ? set(about as string, 'cancelled') : null
    case '$cancel':
      if (status === null) return own?.[2] !== 'pending' && own?.[2] !== 'booked' ? state : null
      return own?.[2] === 'pending' || own?.[2] === 'booked' ? set(about as string, 'cancelled') : null
    case '$check-in':
      // Only the first clinic is open for it.
      if (status === null) return (own?.[2] === 'booked' ? own[1] === '1' : own?.[2] !== 'checked-in') ? state : null
      return (own?.[2] === 'booked' && own[1] === '0') || own?.[2] === 'checked-in' ? set(about as string, 'checked-in') : null
    case '$reschedule':
      if (status === null) return own?.[2] !== 'booked' || there || taken >= capacity ? state : null
      return own?.[2] === 'booked' ? granted('booked') : null
  }
}

test('the checker knows a history that is wrong', () => {
  const one = (act: Partial<Act>, called: number): Recorded<Act> => ({ called, answered: called + 1, act: { verb: '$book', person: 0, clinic: 0, about: null, answer: 'a', status: 'booked', ...act } })
  expect(isLinearizable([one({}, 0), one({ person: 1, answer: 'b' }, 2)], {}, step)).toBe(true)
  expect(isLinearizable([one({}, 0), one({ person: 1, answer: 'slot-taken', status: null }, 2)], {}, step)).toBe(false)
  expect(isLinearizable([one({}, 0), one({ person: 1, answer: 'b' }, 2), one({ person: 2, answer: 'c' }, 4)], {}, step)).toBe(false)
  expect(isLinearizable([one({}, 0), one({ verb: '$cancel', about: 'a', status: 'cancelled' }, 2), one({ verb: '$check-in', about: 'a', status: 'checked-in' }, 4)], {}, step)).toBe(false)
  expect(isLinearizable([one({}, 0), { ...one({ verb: '$cancel', about: 'a', status: 'cancelled' }, 2), answered: 9 }, one({ verb: '$check-in', about: 'a', status: 'checked-in' }, 4)], {}, step)).toBe(false)
  expect(isLinearizable([one({}, 0), { ...one({ verb: '$cancel', about: 'a', status: null, answer: 'appointment-not-active' }, 2), answered: 9 }, one({ verb: '$check-in', about: 'a', status: 'checked-in' }, 4)], {}, step)).toBe(true)
})

test('all commands at once, from two devices each, doubled and out of order: some order explains every answer', async () => {
  const people = await desk.citizens(3 * rounds)
  // Moving on the very day is allowed here: it races with everything else.
  await db.insertInto('booking_parameter').values({ scope: 'city', scope_id: '310000', name: 'cancel.noticeMinutes', value: 0, from_at: '2020-01-01T00:00:00Z', until_at: null, set_by: 'model' }).execute()
  for (let round = 0; round < rounds; round++) {
    await db.deleteFrom('booking').execute()
    await db.deleteFrom('clinic_session').execute()
    await db.deleteFrom('session_template').execute()
    desk.clock.now = new Date('2026-11-23T07:30:00+08:00')
    const sessions = await desk.sessions(clinicTemplate({ weekday: 2, capacity, segment_minutes: 240 }), clinicTemplate({ weekday: 2, capacity, segment_minutes: 240, half: 'pm', start_time: '13:00', end_time: '17:00', department: '10' }))
    desk.clock.now = new Date('2026-11-24T07:30:00+08:00')
    const here = people.slice(round * 3, round * 3 + 3)
    const history: Recorded<Act>[] = []
    const known: string[][] = [[], [], []]
    const clinicOf = new Map<string, number>()
    let clock = 0
    const device = async (person: number, name: string): Promise<void> => {
      for (let turn = 0; turn < 4; turn++) {
        const as = here[person] as Principal
        const about = known[person]?.length ? pick(known[person] ?? []) : null
        const verb: Act['verb'] = about === null ? pick(['$hold', '$book']) : pick(['$hold', '$book', 'confirm', 'confirm', '$release', '$cancel', '$check-in', '$check-in', '$reschedule', '$reschedule'])
        const clinic = verb === '$reschedule' ? 1 - (clinicOf.get(about as string) ?? 0) : random() < 0.7 ? 0 : 1
        if (random() < 0.3) await new Promise((later) => setTimeout(later, random() * 20))
        const called = clock++
        const send = () => (verb === '$hold' || verb === '$book' ? desk.run(as, verb, { slot: `${sessions[clinic]}-1`, patient: as.patient as string }, { key: `${name}-${turn}` })
          : verb === 'confirm' ? desk.run(as, '$book', { appointment: about as string }) : desk.run(as, verb, verb === '$reschedule' ? { slot: `${sessions[clinic]}-1` } : {}, { id: about as string }))
        const twice = (verb === '$hold' || verb === '$book') && random() < 0.4
        const answers = await Promise.all(Array.from({ length: twice ? 2 : 1 }, async () => ({ answer: await send(), answered: clock++ })))
        // One key, one grant; a refusal is not kept, so the second copy may be granted what the first was not.
        expect(new Set(answers.flatMap(({ answer }) => (typeof answer === 'string' ? [] : [answer.id]))).size).toBeLessThanOrEqual(1)
        for (const { answer, answered } of answers) {
          const id = typeof answer === 'string' ? answer : answer.id as string
          if (typeof answer !== 'string' && !known[person]?.includes(id)) {
            known[person]?.push(id)
            clinicOf.set(id, clinic)
          }
          history.push({ called, answered, act: { verb, person, clinic, about, answer: id, status: typeof answer === 'string' ? null : answer.status } })
        }
      }
    }
    await Promise.all([0, 1, 2].flatMap((person) => [device(person, `a${person}`), device(person, `b${person}`)]))
    expect(isLinearizable(history, {} as State, step), `seed ${seed}, round ${round}: ${JSON.stringify(history.sort((a, b) => a.called - b.called))}`).toBe(true)
    expect(await brokenInvariants(db)).toEqual([])
  }
}, 120_000)
