import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { findHospitals, listDepartments } from '../../src/booking/availability.ts'
import { findSlots, findSlotsOperation, slotQuestion } from '../../src/booking/find-slots.ts'
import { generateSessions, insertTemplates, organizationShard, registerProviders } from '../../src/booking/generate-sessions.ts'
import { slotProjection } from '../../src/booking/slot-projection.ts'
import { makeCtx } from '../../src/ctx.ts'
import { anonymous } from '../../src/access/principal.ts'
import { OutcomeError } from '../../src/fhir/outcome.ts'
import { keyOf, newResourceId } from '../../src/fhir/id.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { clinicTemplate, doctorId, hospital, hospitalId, plainNumbers } from '../support/booking-data.ts'
import { testDatabase } from '../support/database.ts'

const { db } = await testDatabase()

const otherHospital = '01930000-0000-7b22-8000-000000000002'
// Monday 2026-11-23, 09:10 in Shanghai: the first segments of the morning are over.
const now = new Date('2026-11-23T09:10:00+08:00')
const ctx = makeCtx(anonymous, { now })

await inTransaction(db, async (trx) => {
  await registerProviders(trx, [hospital(), hospital({ organization: otherHospital, latitude: 31.19, longitude: 121.44, name_zh: '徐汇区中心医院', name_en: 'Xuhui District Central Hospital', level_code: '05', district_code: '310104', district_zh: '徐汇区', district_en: 'Xuhui' })])
  await insertTemplates(trx, [
    clinicTemplate(),
    clinicTemplate({ half: 'pm', start_time: '13:30', end_time: '16:30', clinic_type: 'special-need', fee_fen: 30000n, capacity: 6 }),
    clinicTemplate({ organization: otherHospital, practitioner: 'li-na', practitioner_name_zh: '李娜', practitioner_name_en: 'Li Na', weekday: 2, clinic_type: 'ordinary', title: 'attending', fee_fen: 2200n }),
    clinicTemplate({ department: '10', weekday: 5, practitioner: 'wang-fang', practitioner_name_zh: '王芳', practitioner_name_en: 'Wang Fang' }),
  ])
})
await plainNumbers(db)
await generateSessions(db, '2026-11-20', 30)

async function take(session: { id: string; organization: string; department: string; service_date: string }, no: number, heldUntil: Date | null = null) {
  const patient = newResourceId(1)
  await db.insertInto('booking').values({
    shard: organizationShard(session.organization), id: keyOf(patient), appointment: patient, session_id: session.id, no, pid: keyOf(patient), patient,
    state: heldUntil ? 'held' : 'booked', held_until: heldUntil, start_at: now, end_at: now, service_date: session.service_date,
    organization: session.organization, department: session.department, practitioner: doctorId, booked_by: 'test', cancel_reason: null, created_at: now, updated_at: now,
  }).execute()
  await db.updateTable('clinic_session').set((eb) => ({ used: eb('used', '+', 1) })).where('id', '=', session.id).execute()
}

const find = (query: string) => findSlots(db, ctx, slotQuestion(new URLSearchParams(query)))

test('sessions of a department come soonest first, with hospital, doctor, fee and segments', async () => {
  const { offers } = await find('specialty=03.04&end=2026-11-24')
  expect(offers.map((each) => [each.date, each.half, each.organization.name.zh, each.practitioner.name.zh, each.clinicType, each.feeFen, each.insured])).toEqual([
    ['2026-11-23', 'am', '浦江市第一人民医院', '陈志远', 'expert', 5000, true],
    ['2026-11-23', 'pm', '浦江市第一人民医院', '陈志远', 'special-need', 30000, false],
    ['2026-11-24', 'am', '徐汇区中心医院', '李娜', 'ordinary', 2200, true],
  ])
  expect(offers[0]?.department).toEqual({ code: '03.04', name: { zh: '心血管内科', en: 'Cardiology' } })
  expect(offers[2]?.segments[0]).toMatchObject({ start: '2026-11-24T08:00:00+08:00', end: '2026-11-24T08:30:00+08:00', free: 2 })
})

test('segments that are over or nearly over are not offered', async () => {
  const { offers } = await find('specialty=03.04&end=2026-11-23')
  const morning = offers[0]
  expect(morning?.segments.map((each) => each.free)).toEqual([0, 0, 0, 2, 2, 2, 2, 2])
  expect(morning?.segments[2]?.slot).toBeNull()
  expect(morning?.free).toBe(10)
})

test('taken places are left out, an ended hold is not, and a full session is not offered', async () => {
  const session = await db.selectFrom('clinic_session').selectAll().where('service_date', '=', '2026-12-01').executeTakeFirstOrThrow()
  await take(session, 1)
  await take(session, 2, new Date('2026-11-23T09:12:00+08:00'))
  await take(session, 3, new Date('2026-11-23T09:09:00+08:00'))
  const [offer] = (await find('start=2026-12-01&end=2026-12-01')).offers
  expect(offer?.segments.slice(0, 2).map((each) => [each.free, each.slot])).toEqual([[0, null], [2, `${session.id}-3`]])
  for (let no = 4; no <= 16; no++) await take(session, no)
  expect((await find('start=2026-12-01&end=2026-12-01')).offers[0]?.free).toBe(1)
  await db.updateTable('booking').set({ state: 'booked', held_until: null, changed: sql<string>`pg_current_xact_id()` }).where('session_id', '=', session.id).where('no', '=', 3).execute()
  expect((await find('start=2026-12-01&end=2026-12-01')).offers).toEqual([])
})

test('sessions beyond the window are not offered', async () => {
  const { offers } = await find('_count=100')
  expect(offers.map((each) => each.date).sort().at(-1)).toBe('2026-12-07')
})

test('pages join without a gap or a double', async () => {
  const all = (await find('_count=100')).offers.map((each) => each.schedule)
  const seen: string[] = []
  let query = new URLSearchParams('_count=2')
  for (let page = 0; page < 20; page++) {
    const answer = await findSlotsOperation.run({ db, ctx, store: { base: '', model: undefined as never, entries: new Map() }, base: 'http://127.0.0.1:8080/fhir', type: 'Appointment', id: null, query, body: null, idempotencyKey: null, respondAsync: false, lenient: false })
    const parameters = (JSON.parse(Buffer.from(answer.bytes as Uint8Array).toString()) as { parameter: { name: string; valueString?: string; part?: { name: string; valueReference?: { reference: string } }[] }[] }).parameter
    seen.push(...parameters.filter((each) => each.name === 'session').map((each) => each.part?.[0]?.valueReference?.reference.slice('Schedule/'.length) ?? ''))
    const next = parameters.find((each) => each.name === 'next')?.valueString
    if (!next) break
    query = new URLSearchParams({ _count: '2', _page: next })
  }
  expect(seen).toEqual(all)
})

test('hospital, doctor, district and clinic type narrow the search', async () => {
  const ids = async (query: string) => (await find(query)).offers.map((each) => each.practitioner.id)
  expect(new Set(await ids(`organization=Organization/${hospitalId}&specialty=https://pujiang.health/fhir/CodeSystem/department|10`))).toEqual(new Set(['wang-fang']))
  expect(new Set(await ids('practitioner=Practitioner/li-na'))).toEqual(new Set(['li-na']))
  expect(new Set(await ids('district=310104'))).toEqual(new Set(['li-na']))
  expect(new Set(await ids('service-type=ordinary'))).toEqual(new Set(['li-na']))
  expect(await ids('specialty=http://other|10')).toEqual([])
  expect(new Set(await ids('complaint=胸闷'))).toEqual(new Set([doctorId, 'li-na']))
  expect(new Set(await ids('complaint=eye'))).toEqual(new Set(['wang-fang']))
  expect(await ids('complaint=胸闷&specialty=10')).toEqual([])
  expect(new Set(await ids('doctor=ln'))).toEqual(new Set(['li-na']))
  expect(new Set(await ids('doctor=wangf'))).toEqual(new Set(['wang-fang']))
  expect(new Set(await ids('doctor=志远'))).toEqual(new Set([doctorId]))
  expect(new Set(await ids('fee-max=30'))).toEqual(new Set(['li-na']))
  expect((await find('insured=false&_count=100')).offers.every((each) => each.clinicType === 'special-need')).toBe(true)
  expect(new Set(await ids('near=31.2|121.44|2'))).toEqual(new Set(['li-na']))
  expect(await ids('near=31.2|121.44|1')).toEqual([])
})

test.each([
  ['speciality=03.04', 'parameter-unknown'], ['specialty:exact=03.04', 'parameter-unknown'], ['start=2026-13-01', 'parameter-invalid'],
  ['practitioner=Patient/1', 'parameter-invalid'], ['_count=0', 'parameter-invalid'], ['_page=abc', 'parameter-invalid'], ['near=31.2', 'parameter-invalid'], ['fee-max=cheap', 'parameter-invalid'], ['insured=perhaps', 'parameter-invalid'], ['channel=vip', 'parameter-invalid'], ['specialty=', 'parameter-invalid'],
])('a search for %s is refused with %s', (query, code) => {
  expect(() => slotQuestion(new URLSearchParams(query))).toThrow(OutcomeError)
  try { slotQuestion(new URLSearchParams(query)) } catch (error) { expect((error as OutcomeError).issues[0]?.code).toBe(code) }
})

test('departments count hospitals and free places; the segments that are over do not count', async () => {
  const list = await listDepartments(db, now)
  expect(list.map((each) => [each.code, each.parent, each.hospitals])).toEqual([['03', null, 0], ['03.04', '03', 2], ['10', null, 1]])
  const offers = (await find('_count=100&specialty=03.04')).offers
  expect(list[1]?.freePlaces).toBe(offers.reduce((sum, each) => sum + each.free, 0))
})

test('hospitals of a department are listed by the soonest day, with free places a day', async () => {
  const hospitals = await findHospitals(db, now, { department: '03.04', district: null, from: null, to: '2026-11-30' })
  expect(hospitals.map((each) => [each.name.en, each.days, each.free, each.feeFromFen])).toEqual([
    ['Pujiang First People’s Hospital', [{ date: '2026-11-23', free: 16 }, { date: '2026-11-30', free: 22 }], 38, 5000],
    ['Xuhui District Central Hospital', [{ date: '2026-11-24', free: 16 }], 16, 2200],
  ])
  expect((await findHospitals(db, now, { department: '03', district: '310104', from: null, to: null })).map((each) => each.organization)).toEqual([otherHospital])
})

test('what changed since the last look is seen by the next, whoever changed it and whatever the clock says', async () => {
  const free = async () => (await find('practitioner=Practitioner/wang-fang&start=2026-11-27&end=2026-11-27')).offers[0]?.free
  const session = await db.selectFrom('clinic_session').selectAll().where('practitioner', '=', 'wang-fang').where('service_date', '=', '2026-11-27').executeTakeFirstOrThrow()
  expect(await free()).toBe(16)
  await take(session, 5)
  expect(await free()).toBe(15)
  // A transaction that began before the last look and commits after it.
  let commit = () => {}
  const open = new Promise<void>((resolve) => { commit = resolve })
  let written = () => {}
  const begun = new Promise<void>((resolve) => { written = resolve })
  const slow = inTransaction(db, async (trx) => {
    await trx.updateTable('booking').set({ state: 'cancelled', cancel_reason: 'patient', changed: sql<string>`pg_current_xact_id()` }).where('session_id', '=', session.id).execute()
    written()
    await open
  })
  await begun
  await take(session, 6)
  expect(await free()).toBe(14)
  commit()
  await slow
  expect(await free()).toBe(15)
})

test('a session whose doctor changed stands under the new one', async () => {
  const ids = async (query: string) => (await find(query)).offers.map((each) => each.schedule)
  const [id] = await ids('practitioner=Practitioner/wang-fang')
  await db.updateTable('clinic_session').set({ practitioner: 'zhao-lei', changed: sql<string>`pg_current_xact_id()` }).where('id', '=', id as string).execute()
  expect(await ids('practitioner=Practitioner/zhao-lei')).toEqual([id])
  expect(await ids('practitioner=Practitioner/wang-fang')).not.toContain(id)
})

test('Slot and $find agree on what is free, place by place, also where places are kept for others', async () => {
  await db.updateTable('clinic_session').set({ channels: 'pgfw'.repeat(4), gp_return_at: '2026-11-23T00:00:00Z', follow_up_return_at: '2026-12-01T00:00:00Z', onsite_return_at: null, changed: sql<string>`pg_current_xact_id()` }).where('practitioner', '=', 'li-na').execute()
  const { resources } = await slotProjection.search(db, ctx, new URLSearchParams('specialty=03.04&status=free&start=ge2026-11-24&start=lt2026-11-25&_count=500')) as { resources: { schedule: { reference: string } }[] }
  const offers = (await find('practitioner=Practitioner/li-na&start=2026-11-24&end=2026-11-24')).offers
  expect(resources.length).toBe(offers.reduce((sum, each) => sum + each.free, 0))
  expect(offers[0]?.free).toBe(8)
  expect((await find('practitioner=Practitioner/li-na&start=2026-11-24&end=2026-11-24&channel=follow-up')).offers[0]?.free).toBe(12)
})
