/** The scheduler's supply: a pattern changed from a day on, what that does to sessions and patients, rooms, days of the calendar, and who did it. */
import type { Appointment } from '@medplum/fhirtypes'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Principal } from '../src/access/principal.ts'
import { keyOf } from '../src/fhir/id.ts'
import { loadResource } from '../src/records/read-resource.ts'
import { clinicTemplate, doctorId, hospitalId } from './support/booking-data.ts'
import { brokenInvariants, openDesk } from './support/booking-desk.ts'
import { citizen as citizenOf, testPlatform } from './support/platform.ts'

const { db, request, clock } = await testPlatform()
const desk = openDesk(db)
const departments = ['03.01', '03.02', '03.03', '03.04', '03.05', '03.06', '03.07', '03.08', '04.01', '04.02', '04.03', '04.04', '04.05', '04.06', '10', '11', '12', '02', '01', '03']
const scheduler: Principal = { ...citizenOf(''), id: 'account-desk', name: '李排班', role: 'scheduler', patient: null, organization: hospitalId, organizationName: '医院' }
let department = ''
let pattern = ''
let doctor = ''
let sessions: string[] = []
let serial = 0

/** A doctor's Mondays 08:00–12:00; sessions on 23 and 30 November. */
beforeEach(async () => {
  clock.now = new Date('2026-11-23T07:30:00+08:00')
  await db.deleteFrom('calendar_day').where('organization', '=', hospitalId).execute()
  department = departments.shift() as string
  serial++
  doctor = `${doctorId.slice(0, -3)}a${String(serial).padStart(2, '0')}`
  const template = clinicTemplate({ department, practitioner: doctor, healthcare_service: `service-${serial}` })
  pattern = template.id
  sessions = await desk.sessions(template)
})

const times = (given: object = {}) => ({ weekday: 1, half: 'am', start: '08:00', end: '12:00', room: '01930000-0000-7a17-8000-0000000000f1', capacity: 16, segmentMinutes: 30, feeFen: 5000, ...given })
const change = (wish: object, path = '') => request('POST', `/api/booking/patterns${path}`, { as: scheduler, body: { pattern, from: '2026-11-24', times: times(), ...wish } })

describe('a pattern', () => {
  test('changed from a day on: the preview says what will be, the change does it, the row before ends the day before', async () => {
    expect((await change({ times: times({ capacity: 32 }) }, '/preview')).json).toMatchObject({ closed: 1, moved: 0, suspended: 0, patients: 0 })
    expect(await open()).toEqual([['2026-11-23', 16], ['2026-11-30', 16]])
    expect((await change({ times: times({ capacity: 32 }) })).json).toEqual({ closed: 1, moved: 0, suspended: 0, patients: 0 })
    expect(await open()).toEqual([['2026-11-23', 16], ['2026-11-30', 32]])
    const rows = await db.selectFrom('session_template').select(['valid_from', 'valid_until', 'capacity']).where('practitioner', '=', doctor).orderBy('valid_from').execute()
    expect(rows).toEqual([{ valid_from: '2026-01-01', valid_until: '2026-11-23', capacity: 16 }, { valid_from: '2026-11-24', valid_until: null, capacity: 32 }])
    expect((await supply()).changes[0]).toMatchObject({ kind: 'pattern-changed', from: '2026-11-24', before: { capacity: 16 }, after: { capacity: 32 }, sessions: 1, patients: 0, setBy: '李排班' })
    expect((await supply()).patterns).toHaveLength(2)
  })

  test('with booked patients is suspended, and they may choose the new clinic; nobody is left in limbo', async () => {
    const id = await book(sessions[1] as string)
    expect((await change({ times: times({ start: '08:30' }) }, '/preview')).json).toMatchObject({ closed: 0, moved: 0, suspended: 1, patients: 1 })
    await change({ times: times({ start: '08:30' }) })
    const told = await db.selectFrom('notice').select('kind').where('appointment', '=', id).execute()
    expect(told).toEqual([{ kind: 'session-suspended' }])
    const offers = await db.selectFrom('booking').select(['state', 'service_date']).where('offer_of', '=', keyOf(id)).execute()
    expect(offers).toContainEqual({ state: 'offered', service_date: '2026-11-30' })
    expect(await brokenInvariants(db)).toEqual([])
  })

  test('in another room only: the session stays, Appointment and patient are told', async () => {
    const id = await book(sessions[1] as string)
    await request('POST', '/api/booking/rooms', { as: scheduler, body: { name: { zh: `新诊室 ${serial}`, en: `New room ${serial}` } } })
    const room = (await supply()).rooms.find((each: { name: { en: string } }) => each.name.en === `New room ${serial}`)
    expect((await change({ times: times({ room: room.id }) })).json).toEqual({ closed: 0, moved: 1, suspended: 0, patients: 1 })
    expect(await open()).toEqual([['2026-11-23', 16], ['2026-11-30', 16]])
    const appointment = await loadResource<Appointment>(db, 'Appointment', id) as Appointment
    expect(appointment).toMatchObject({ status: 'booked' })
    expect(appointment.participant?.find((each) => each.actor?.reference?.startsWith('Location/'))?.actor?.reference).toBe(`Location/${room.id}`)
    expect(await db.selectFrom('notice').select(['kind']).where('appointment', '=', id).execute()).toEqual([{ kind: 'room-changed' }])
    expect(await brokenInvariants(db)).toEqual([])
  })

  test('in a room that others use at that time: the preview names them, and the room counts its patterns', async () => {
    await request('POST', '/api/booking/rooms', { as: scheduler, body: { name: { zh: `合用诊室 ${serial}`, en: `Shared room ${serial}` } } })
    const roomOf = async () => (await supply()).rooms.find((each: { name: { en: string } }) => each.name.en === `Shared room ${serial}`)
    const { id: room, patterns } = await roomOf()
    expect(patterns).toBe(0)
    await desk.sessions(clinicTemplate({ department, practitioner: `${doctor.slice(0, -1)}f`, practitioner_name_zh: '林晓', practitioner_name_en: 'Lin Xiao', location: room, location_name_zh: `合用诊室 ${serial}`, location_name_en: `Shared room ${serial}`, start_time: '10:00' }))
    expect((await change({ times: times({ room }) }, '/preview')).json.shares).toEqual([{ zh: '林晓', en: 'Lin Xiao' }])
    expect((await change({ times: times({ room, end: '10:00' }) }, '/preview')).json.shares).toEqual([])
    expect((await roomOf()).patterns).toBe(1)
  })

  test('ends, begins anew, and is the doctor’s only one at a time', async () => {
    expect((await change({ from: '2026-11-30', times: null })).json).toMatchObject({ closed: 1 })
    expect(await open()).toEqual([['2026-11-23', 16]])
    const fresh = { pattern: null, practitioner: doctor, service: `service-${serial}`, from: '2026-11-25' }
    expect((await change({ ...fresh, times: times({ weekday: 3 }) })).status).toBe(201)
    expect(await open()).toEqual([['2026-11-23', 16], ['2026-11-25', 16], ['2026-12-02', 16]])
    expect((await change({ ...fresh, times: times({ weekday: 3, start: '11:00', end: '13:00' }) })).json.code).toBe('business-rule')
  })

  test.each([
    ['from today', { from: '2026-11-23' }, 400], ['of no day', { from: '2026-13-01' }, 400], ['that ends before it begins', { times: times({ end: '07:00' }) }, 400],
    ['with fewer places than segments', { times: times({ capacity: 3 }) }, 400], ['in a room of nobody', { times: times({ room: 'nowhere' }) }, 400],
    ['that is not there', { pattern: '01930000-0000-7a17-8000-00000000dead' }, 404], ['new, of a doctor from elsewhere', { pattern: null, practitioner: 'nobody', service: 'service-1' }, 400],
  ])('%s is refused and changes nothing', async (_what, wish, status) => {
    expect((await change(wish)).status).toBe(status)
    expect(await open()).toHaveLength(2)
  })

  test('is for the scheduler of its hospital', async () => {
    const others = [citizenOf('p1'), { ...scheduler, organization: 'another-hospital' }, { ...scheduler, role: 'clinician' as const }]
    const answers = await Promise.all(others.map((as) => request('POST', '/api/booking/patterns', { as, body: { pattern, from: '2026-11-24', times: null } })))
    expect(answers.map((each) => each.status)).toEqual([403, 404, 403])
    expect((await request('GET', '/api/booking/supply', { as: citizenOf('p1') })).status).toBe(403)
  })

  test('changed twice at once: one after the other, one row in force', async () => {
    const answers = await Promise.all([20, 24].map((capacity) => change({ times: times({ capacity }) })))
    expect(answers.map((each) => each.status).sort()).toEqual([201, 400])
    expect(await open()).toHaveLength(2)
  })
})

test('people book at the very moment of a change: nobody keeps a place in a clinic that is closed', async () => {
  const people = await desk.citizens(8)
  const slot = `${sessions[1]}-1`
  const [changed, ...answers] = await Promise.all([
    change({ times: times({ start: '08:30' }) }), ...people.map((person) => desk.run(person, '$book', { slot, patient: person.patient as string })),
  ])
  expect(changed.status).toBe(201)
  for (const answer of answers) if (typeof answer === 'string') expect(['session-closed', 'slot-taken']).toContain(answer)
  const left = await db.selectFrom('booking as b').innerJoin('clinic_session as s', 's.id', 'b.session_id').select(['b.state', 's.status', 'b.choose_until']).where('b.session_id', '=', sessions[1] as string).where('b.state', '=', 'booked').execute()
  // Who was quicker than the change has a deadline and a choice; the others were refused.
  expect(left.every((each) => each.status === 'suspended' && each.choose_until !== null)).toBe(true)
  expect(await brokenInvariants(db)).toEqual([])
})

test('a room that patterns need cannot be closed; one that nobody needs can, and no new pattern takes it', async () => {
  const close = (room: string) => request('POST', '/api/booking/rooms/close', { as: scheduler, body: { room, from: '2026-11-24' } })
  expect((await close(times().room)).json.code).toBe('business-rule')
  await request('POST', '/api/booking/rooms', { as: scheduler, body: { name: { zh: '空诊室', en: 'Empty room' } } })
  expect((await request('POST', '/api/booking/rooms', { as: scheduler, body: { name: { zh: '空诊室', en: 'Again' } } })).json.code).toBe('business-rule')
  const room = (await supply()).rooms.find((each: { name: { en: string } }) => each.name.en === 'Empty room')
  expect(await loadResource(db, 'Location', room.id)).toMatchObject({ status: 'active', name: '空诊室' })
  expect((await close(room.id)).status).toBe(200)
  expect((await change({ times: times({ room: room.id }) })).json.code).toBe('parameter-invalid')
})

test('a day without clinics closes the empty sessions and suspends the others, after saying so', async () => {
  const id = await book(sessions[1] as string)
  const body = { asWeekday: null, name: { zh: '院庆', en: 'Anniversary' } }
  const effects = (await request('POST', '/api/booking/calendar/2026-11-30/effects', { as: scheduler, body })).json
  expect(effects).toMatchObject({ moved: 0, patients: expect.any(Number) })
  expect(effects.suspended).toBeGreaterThan(0)
  expect((await request('POST', '/api/booking/calendar/2026-11-30', { as: scheduler, body })).status).toBe(201)
  expect(await open()).toEqual([['2026-11-23', 16]])
  expect(await db.selectFrom('notice').select('kind').where('appointment', '=', id).execute()).toHaveLength(1)
  expect((await supply()).changes[0]).toMatchObject({ kind: 'day-set', subject: '2026-11-30', after: { en: 'Anniversary', asWeekday: null } })
  expect((await request('POST', '/api/booking/calendar/tomorrow', { as: scheduler, body })).json.code).toBe('parameter-invalid')
  expect(await brokenInvariants(db)).toEqual([])
})

test('the history cannot be changed, and the releases to come are listed', async () => {
  await change({ times: times({ capacity: 20 }) })
  await expect(db.updateTable('supply_change').set({ set_by_name: 'somebody' }).execute()).rejects.toThrow('append-only')
  await db.updateTable('clinic_session').set({ release_at: '2026-11-24T07:00:00+08:00' }).where('service_date', '=', '2026-11-30').execute()
  const rows = (await request('GET', '/api/booking/releases', { as: scheduler })).json
  expect(rows).toContainEqual(expect.objectContaining({ releaseAt: '2026-11-23T23:00:00.000Z', day: '2026-11-30', drawn: 0 }))
})

async function open(): Promise<[string, number][]> {
  const rows = await db.selectFrom('clinic_session').select(['service_date', 'capacity']).where('practitioner', '=', doctor).where('status', '=', 'open').where('service_date', '<', '2026-12-06').orderBy('service_date').execute()
  return rows.map((row) => [row.service_date, row.capacity])
}

async function book(session: string): Promise<string> {
  const [person] = await desk.citizens(1) as [Principal]
  const answer = await desk.run(person, '$book', { slot: `${session}-1`, patient: person.patient as string })
  if (typeof answer === 'string') throw new Error(answer)
  return answer.id as string
}

async function supply() {
  return (await request('GET', `/api/booking/supply?department=${department}`, { as: scheduler })).json
}

test('a change of a number says which sessions keep the old one, and from which day the new one counts', async () => {
  const effects = (name: string, more = '') => request('GET', `/api/booking/parameters/effects?scope=department&id=${hospitalId}/${department}&name=${name}${more}`, { as: scheduler })
  expect((await effects('quota.gpReferral')).json).toEqual({ kept: 2, firstDay: '2026-12-16' })
  expect((await effects('quota.gpReferral', '&from=2026-11-24')).json).toEqual({ kept: 1, firstDay: '2026-12-16' })
  expect((await effects('quota.gpReferral', '&from=2027-01-04')).json).toEqual({ kept: 0, firstDay: '2027-01-04' })
  expect((await effects('cancel.noticeMinutes')).json).toEqual({ kept: 0, firstDay: null })
  expect((await effects('quota.gpReferral', '&from=soon')).json.code).toBe('parameter-invalid')
  expect((await request('GET', `/api/booking/parameters/effects?scope=hospital&id=${hospitalId}&name=fee.expert.chief`, { as: citizenOf('p1') })).status).toBe(403)
})
