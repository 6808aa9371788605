/** Referrals of a GP: from the paper in the patient's hand to the answer that was read, with the quota, the PIN, deadlines and who may see what meanwhile. */
import type { Encounter, Parameters, ServiceRequest, Task } from '@medplum/fhirtypes'
import { beforeEach, expect, test } from 'vitest'
import type { Principal } from '../src/access/principal.ts'
import { loadAccessFacts } from '../src/access/facts.ts'
import { markNoShows } from '../src/booking/mark-no-shows.ts'
import { escalateReferrals } from '../src/booking/referral/escalate.ts'
import { readPaper, readReferrals } from '../src/booking/referral/read-referrals.ts'
import { openByPin } from '../src/booking/referral/pin.ts'
import { instantInShanghai } from '../src/fhir/date-time.ts'
import { keyOf } from '../src/fhir/id.ts'
import { OutcomeError } from '../src/fhir/outcome.ts'
import { loadResource } from '../src/records/read-resource.ts'
import { writeResources } from '../src/records/write-resources.ts'
import { inTransaction } from '../src/storage/transaction.ts'
import { clinicTemplate, hospitalId } from './support/booking-data.ts'
import { brokenInvariants, openDesk } from './support/booking-desk.ts'
import { testDatabase } from './support/database.ts'
import { book, brokenReferrals, call, contract, doctor, gp, office, otherGp, paperIn, people, refer, stateOf, step, stranger } from './support/referrals.ts'

const { db } = await testDatabase()
const desk = openDesk(db)
const [session = ''] = await desk.sessions(clinicTemplate({ weekday: 5, capacity: 16, segment_minutes: 120 }))
await desk.sessions(clinicTemplate({ weekday: 5, department: '10', practitioner: '01930000-0000-7a17-8000-0000000000d2' }))
await people(db, desk)
let patient: Principal
let id: string

beforeEach(async () => {
  at('2026-11-23T09:00:00+08:00')
  patient = (await desk.citizens(1))[0] as Principal
  id = patient.patient as string
  await contract(db, id)
})

test('a referral goes its way: accepted, booked, seen, answered, read; each step with an owner and a deadline', async () => {
  const { id: referral } = await refer(db, desk, id)
  expect(await row(referral)).toMatchObject({ state: 'requested', deadline_at: '2026-11-26T09:00:00+08:00' })
  expect(await book(db, desk, patient, { slot: `${session}-1`, patient: id, referral })).toBe('referral-not-bookable')
  expect(await step(db, desk, doctor, referral, 'accept')).toBe('accepted')
  expect(await row(referral)).toMatchObject({ deadline_at: '2026-12-07T09:00:00+08:00' })
  const appointment = await book(db, desk, patient, { slot: `${session}-1`, patient: id, referral })
  expect(appointment).toMatchObject({ status: 'booked', basedOn: [{ reference: `ServiceRequest/${referral}` }] })
  expect(await row(referral)).toMatchObject({ state: 'booked', deadline_at: '2026-11-28T10:00:00+08:00' })
  if (typeof appointment === 'string') throw new Error(appointment)
  at('2026-11-27T08:10:00+08:00')
  await inTransaction(db, (trx) => writeResources(trx, desk.ctx(), desk.store, [{ method: 'create', type: 'Encounter', id: null, ifMatch: null, resource: visit(appointment.id as string) }], 'client'))
  expect(await row(referral)).toMatchObject({ state: 'attended', deadline_at: '2026-12-04T08:10:00+08:00' })
  expect(await step(db, desk, doctor, referral, 'answer', { words: '考虑稳定型心绞痛，继续当前用药' })).toBe('answered')
  expect(await step(db, desk, gp, referral, 'read')).toBe('completed')
  expect(await loadResource<ServiceRequest>(db, 'ServiceRequest', referral)).toMatchObject({ status: 'completed', reasonCode: [{ text: '反复胸闷，请专科评估' }] })
  const task = await loadResource<Task>(db, 'Task', (await row(referral)).task)
  expect(task).toMatchObject({ status: 'completed', output: [{ valueReference: { reference: `Appointment/${appointment.id}` } }, { valueString: '考虑稳定型心绞痛，继续当前用药' }] })
  expect(await faults()).toEqual([])
})

test('who may refer whom, and where to', async () => {
  const input = { patient: id, organization: hospitalId, department: '03.04', reason: '请评估' }
  expect(await call(db, desk, otherGp, 'ServiceRequest', '$refer', input)).toBe('referral-no-contract')
  expect(await call(db, desk, doctor, 'ServiceRequest', '$refer', input)).toBe('forbidden')
  expect(await call(db, desk, patient, 'ServiceRequest', '$refer', input)).toBe('forbidden')
  expect(await call(db, desk, gp, 'ServiceRequest', '$refer', { ...input, department: '05' })).toBe('referral-target')
  expect(await call(db, desk, gp, 'ServiceRequest', '$refer', { ...input, practitioner: stranger.practitioner as string })).toBe('referral-target')
  expect(await call(db, desk, gp, 'ServiceRequest', '$refer', { ...input, reason: ' ' })).toBe('required')
  expect(await call(db, desk, gp, 'ServiceRequest', '$refer', { ...input, practitioner: doctor.practitioner as string, priority: 'urgent' })).toMatchObject({ resourceType: 'Parameters' })
  expect(await call(db, desk, gp, 'ServiceRequest', '$refer', input)).toBe('referral-twice')
})

test('a repeated request gives the same referral, and the PIN once', async () => {
  const input = { patient: id, organization: hospitalId, department: '03.04', reason: '请评估' }
  const first = paperIn(await call(db, desk, gp, 'ServiceRequest', '$refer', input, { key: `refer-${id}` }) as Parameters)
  const again = paperIn(await call(db, desk, gp, 'ServiceRequest', '$refer', input, { key: `refer-${id}` }) as Parameters)
  expect(first.pin).toMatch(/^\d{6}$/)
  expect(again).toEqual({ ...first, pin: '' })
  expect((await row(first.id)).pin_hash).toMatch(/^\$argon2id\$/)
})

test('returned for information, added to, redirected', async () => {
  const { id: referral } = await refer(db, desk, id)
  expect(await step(db, desk, doctor, referral, 'return', { words: '请补充近一周血压' })).toBe('returned')
  expect(await step(db, desk, doctor, referral, 'accept')).toBe('referral-state')
  expect(await step(db, desk, gp, referral, 'resubmit', { words: '血压 150/95' })).toBe('requested')
  expect(await step(db, desk, stranger, referral, 'accept')).toBe('not-found')
  expect(await step(db, desk, doctor, referral, 'redirect', { organization: hospitalId, department: '10' })).toBe('requested')
  expect(await row(referral)).toMatchObject({ department: '10', practitioner: null })
  expect(await step(db, desk, doctor, referral, 'accept')).toBe('not-found')
  const task = await loadResource<Task>(db, 'Task', (await row(referral)).task)
  expect(task?.note?.map((each) => each.text)).toEqual(['请补充近一周血压', '血压 150/95'])
  expect((await loadResource<ServiceRequest>(db, 'ServiceRequest', referral))?.note?.map((each) => each.text)).toEqual(['血压 150/95'])
  expect(await faults()).toEqual([])
})

test('the receiving hospital sees the record while the referral is open, and no longer', async () => {
  const pid = keyOf(id)
  const sees = async () => ((await loadAccessFacts(db, desk.ctx(doctor), [pid])).get(pid)?.relations.length ?? 0) > 0
  expect(await sees()).toBe(false)
  const { id: referral } = await refer(db, desk, id)
  expect(await sees()).toBe(true)
  at('2026-11-23T10:00:00+08:00')
  await step(db, desk, patient, referral, 'cancel')
  at('2026-11-23T10:00:01+08:00')
  expect(await sees()).toBe(false)
  const relation = await db.selectFrom('care_relation').select(['reason', 'department']).where('reason_id', '=', keyOf(referral)).execute()
  expect(relation).toEqual([{ reason: 'referral', department: '03.04' }])
})

test('places for referrals: earlier with one, for nobody else, and the database says so too', async () => {
  await quota(session, 'pg'.repeat(8), { release: '2026-11-25T07:00:00+08:00', gp: '2026-11-20T07:00:00+08:00', back: '2026-11-26T12:00:00+08:00' })
  const [another] = await desk.citizens(1) as [Principal]
  const { id: referral } = await refer(db, desk, id)
  await step(db, desk, doctor, referral, 'accept')
  expect(await book(db, desk, another, { slot: `${session}-2`, patient: another.patient as string })).toBe('slot-not-released')
  expect(await book(db, desk, another, { slot: `${session}-2`, patient: another.patient as string, referral })).toBe('referral-unknown')
  expect(await book(db, desk, patient, { slot: `${session}-2`, patient: id })).toBe('slot-not-released')
  const appointment = await book(db, desk, patient, { slot: `${session}-1`, patient: id, referral })
  if (typeof appointment === 'string') throw new Error(appointment)
  expect(appointment.slot).toEqual([{ reference: `Slot/${session}-2` }])
  expect(await db.selectFrom('booking').select(['no', 'channel']).where('referral', '=', keyOf(referral)).execute()).toEqual([{ no: 2, channel: 'gp' }])
  const { shard } = await db.selectFrom('clinic_session').select('shard').where('id', '=', session).executeTakeFirstOrThrow()
  // Whoever writes the row: not from another channel, not before its time.
  const copy = (no: number, channel: 'public' | 'gp', created: string) => db.insertInto('booking').values({
    shard, id: crypto.randomUUID(), appointment: 'x', session_id: session, no, pid: crypto.randomUUID(), patient: 'x', state: 'booked', held_until: null, start_at: created, end_at: created,
    service_date: '2026-11-27', organization: hospitalId, department: '03.04', practitioner: 'd', booked_by: 'x', cancel_reason: null, created_at: created, updated_at: created, channel,
    offer_of: null, choose_until: null, refund_fen: null, return_at: null, asked_at: null, referral: null,
  }).execute()
  await expect(copy(4, 'public', '2026-11-25T08:00:00+08:00')).rejects.toMatchObject({ constraint_name: 'booking_channel_kept' })
  await expect(copy(3, 'gp', '2026-11-25T08:00:00+08:00')).rejects.toMatchObject({ constraint_name: 'booking_channel_kept' })
  await expect(copy(4, 'gp', '2026-11-19T08:00:00+08:00')).rejects.toMatchObject({ constraint_name: 'booking_channel_kept' })
  await copy(4, 'gp', '2026-11-20T08:00:00+08:00')
  await copy(6, 'public', '2026-11-26T12:00:00+08:00')
  await db.deleteFrom('booking').where('appointment', '=', 'x').execute()
  await quota(session, '', { release: '2026-11-20T07:00:00+08:00', gp: null, back: null })
})

test('code and PIN let anybody book for the patient, with that referral and nothing else', async () => {
  const [helper] = await desk.citizens(1) as [Principal]
  const { id: referral, code, pin } = await refer(db, desk, id)
  await step(db, desk, doctor, referral, 'accept')
  const typed = `${code.slice(0, 5)} ${code.slice(5).toLowerCase()}`
  expect(await readPaper(db, desk.ctx(helper), await openByPin(db, desk.ctx(helper), { code: typed, pin }))).toMatchObject({ patientName: { zh: '市*1' }, bookable: true })
  expect(await book(db, desk, helper, { slot: `${session}-1`, patient: id })).toBe('not-your-patient')
  expect(await book(db, desk, helper, { slot: `${session}-1`, patient: id, referral })).toBe('not-your-patient')
  expect(await book(db, desk, helper, { slot: `${session}-1`, patient: helper.patient as string, code, pin })).toBe('referral-unknown')
  const appointment = await book(db, desk, helper, { slot: `${session}-1`, code: typed, pin })
  expect(appointment).toMatchObject({ status: 'booked' })
  expect(await stateOf(db, referral)).toBe('booked')
  const fresh = paperIn(await call(db, desk, patient, 'ServiceRequest', '$new-pin', {}, { id: referral }) as Parameters)
  expect(await pinOf(helper, code, pin)).toBe('referral-pin-wrong')
  expect(await pinOf(helper, code, fresh.pin)).toBe('right')
  expect(await call(db, desk, doctor, 'ServiceRequest', '$new-pin', {}, { id: referral })).toBe('referral-not-yours')
  expect(await call(db, desk, helper, 'ServiceRequest', '$new-pin', {}, { id: referral })).toBe('not-found')
})

test('whoever guesses a PIN locks out themselves and nobody else', async () => {
  const [thief, helper] = await desk.citizens(2) as [Principal, Principal]
  const { code, pin } = await refer(db, desk, id)
  const own = await refer(db, desk, await contracted(thief))
  // A right PIN of one's own between the guesses takes back only its own try.
  for (const guess of ['000000', '111111', '222222', '333333']) expect(await pinOf(thief, code, guess)).toBe('referral-pin-wrong')
  expect(await pinOf(thief, own.code, own.pin)).toBe('right')
  const rest = await Promise.all(Array.from({ length: 6 }, (_, index) => pinOf(thief, code, `44444${index}`)))
  expect(rest.sort()).toEqual([...Array<string>(5).fill('referral-pin-locked'), 'referral-pin-wrong'])
  expect(await pinOf(thief, code, pin)).toBe('referral-pin-locked')
  expect(await pinOf(helper, code, pin)).toBe('right')
  at('2026-11-23T09:31:00+08:00')
  expect(await pinOf(thief, code, pin)).toBe('right')
  expect(await pinOf(thief, 'ZZZZZZZZZZ', pin)).toBe('referral-pin-wrong')
})

test('cancelled, moved and missed: the referral can be booked with again, once at a time', async () => {
  const { id: referral } = await refer(db, desk, id)
  await step(db, desk, doctor, referral, 'accept')
  const first = await book(db, desk, patient, { slot: `${session}-1`, patient: id, referral })
  if (typeof first === 'string') throw new Error(first)
  expect(await step(db, desk, patient, referral, 'cancel')).toBe('referral-state')
  const moved = await desk.run(patient, '$reschedule', { slot: `${session}-9` }, { id: first.id as string })
  if (typeof moved === 'string') throw new Error(moved)
  expect(await row(referral)).toMatchObject({ state: 'booked', booking: keyOf(moved.id as string) })
  expect(await desk.run(patient, '$cancel', {}, { id: moved.id as string })).toMatchObject({ status: 'cancelled' })
  expect(await row(referral)).toMatchObject({ state: 'accepted', booking: null })
  const held = await book(db, desk, patient, { slot: `${session}-2`, patient: id, referral }, '$hold')
  if (typeof held === 'string') throw new Error(held)
  expect(await stateOf(db, referral)).toBe('accepted')
  expect(await desk.run(patient, '$book', { appointment: held.id as string })).toMatchObject({ status: 'booked' })
  at('2026-11-27T12:00:00+08:00')
  await markNoShows(db, desk.ctx(), desk.store)
  expect(await stateOf(db, referral)).toBe('accepted')
  expect(await faults()).toEqual([])
})

test('a referral that is cancelled while its place is held cannot be confirmed', async () => {
  const { id: referral } = await refer(db, desk, id)
  await step(db, desk, doctor, referral, 'accept')
  const held = await book(db, desk, patient, { slot: `${session}-3`, patient: id, referral }, '$hold')
  if (typeof held === 'string') throw new Error(held)
  await step(db, desk, gp, referral, 'cancel')
  expect(await desk.run(patient, '$book', { appointment: held.id as string })).toBe('referral-not-bookable')
  expect(await desk.run(patient, '$release', {}, { id: held.id as string })).toMatchObject({ status: 'cancelled' })
  expect(await faults()).toEqual([])
})

test('nobody acts: the next one is told, and may act; in the end it expires', async () => {
  const { id: referral } = await refer(db, desk, id)
  expect(await step(db, desk, office, referral, 'accept')).toBe('referral-not-yours')
  at('2026-11-26T08:59:59+08:00')
  expect(await sweep(referral)).toEqual([])
  at('2026-11-26T09:00:00+08:00')
  expect(await sweep(referral)).toEqual(['referral-late', 'referral-overdue'])
  expect(await sweep(referral)).toEqual([])
  const [seen] = (await readReferrals(db, desk.ctx(office), 'office', null)).filter((each) => each.id === referral)
  expect(seen).toMatchObject({ overdue: true, told: [{ en: 'the booking office of the hospital' }], patient: { name: { zh: '市*1' } }, steps: ['accept', 'redirect'] })
  at('2026-11-27T09:00:00+08:00')
  expect((await sweep(referral)).length).toBe(2)
  at('2026-11-28T09:00:00+08:00')
  expect(await sweep(referral)).toEqual([])
  expect(await step(db, desk, office, referral, 'accept')).toBe('accepted')
  at('2027-01-22T09:00:00+08:00')
  expect(await book(db, desk, patient, { slot: `${session}-1`, patient: id, referral })).toBe('referral-not-bookable')
  await sweep(referral)
  expect(await row(referral)).toMatchObject({ state: 'expired', deadline_at: null })
  expect(await step(db, desk, doctor, referral, 'accept')).toBe('referral-state')
  expect(await faults()).toEqual([])
})

test('no place found: it lands with the office, which opens places or sends it elsewhere', async () => {
  const { id: referral } = await refer(db, desk, id)
  await step(db, desk, doctor, referral, 'accept')
  expect(await step(db, desk, patient, referral, 'no-place')).toBe('no-place')
  expect(await step(db, desk, office, referral, 'reopen')).toBe('accepted')
  await step(db, desk, patient, referral, 'no-place')
  expect(await step(db, desk, office, referral, 'redirect', { organization: hospitalId, department: '10' })).toBe('requested')
})

test('a clinic that trusts its GPs: no look before booking', async () => {
  await db.insertInto('booking_parameter').values({ scope: 'department', scope_id: `${hospitalId}/10`, name: 'referral.triage', value: 0, from_at: '2026-01-01T00:00:00Z', until_at: null, set_by: 'test' }).execute()
  const { id: referral } = await refer(db, desk, id, { department: '10' })
  expect(await stateOf(db, referral)).toBe('accepted')
  expect(await book(db, desk, patient, { slot: `${session}-1`, patient: id, referral })).toBe('referral-elsewhere')
})

test('plain FHIR goes by the same steps', async () => {
  const write = async (as: Principal, method: 'create' | 'update' | 'delete', type: 'ServiceRequest' | 'Task', resource: ServiceRequest | Task | null, of: string | null) => {
    try {
      const [written] = await inTransaction(db, (trx) => writeResources(trx, desk.ctx(as), desk.store, [{ method, type, id: of, ifMatch: null, resource }], 'client'))
      return written?.id ?? ''
    } catch (error) {
      if (error instanceof OutcomeError) return error.issues.map((each) => `${each.code} ${each.expression ?? ''}`.trim()).join(', ')
      throw error
    }
  }
  const asked: ServiceRequest = {
    resourceType: 'ServiceRequest', status: 'active', intent: 'order', subject: { reference: `Patient/${id}` }, requester: { reference: `Practitioner/${gp.practitioner}` },
    category: [{ coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/service-request-category', code: 'referral' }] }],
    performerType: { coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/department', code: '03.04' }] }, performer: [{ reference: `Organization/${hospitalId}` }],
    reasonCode: [{ text: '请评估' }],
  }
  const { performer: _nowhere, ...toNobody } = asked
  const { category: _none, ...order } = asked
  expect(await write(gp, 'create', 'ServiceRequest', toNobody, null)).toContain('required ServiceRequest.performer')
  const request = await write(gp, 'create', 'ServiceRequest', asked, null)
  const { task } = await row(request)
  const current = async () => await loadResource<Task>(db, 'Task', task) as Task
  expect(await write(doctor, 'update', 'Task', { ...await current(), owner: { reference: `Practitioner/${doctor.practitioner}` } }, task)).toBe('business-rule Task.owner')
  expect(await write(doctor, 'update', 'Task', { ...await current(), status: 'in-progress' }, task)).toBe('business-rule Task.status')
  expect(await write(doctor, 'update', 'Task', { ...await current(), businessStatus: { text: '已完成' } }, task)).toBe('business-rule Task.businessStatus')
  expect(await write(gp, 'update', 'Task', { ...await current(), status: 'accepted' }, task)).toBe('referral-not-yours')
  expect(await write(doctor, 'update', 'Task', { ...await current(), status: 'rejected' }, task)).toBe('referral-words-missing')
  expect(await write(doctor, 'update', 'Task', { ...await current(), status: 'accepted' }, task)).toBe(task)
  expect(await row(request)).toMatchObject({ state: 'accepted' })
  const stored = await loadResource<ServiceRequest>(db, 'ServiceRequest', request) as ServiceRequest
  expect(await write(gp, 'update', 'ServiceRequest', { ...stored, priority: 'stat' }, request)).toBe('business-rule ServiceRequest.priority')
  expect(await write(gp, 'update', 'ServiceRequest', { ...stored, status: 'completed' }, request)).toBe('referral-state')
  expect(await write(gp, 'delete', 'ServiceRequest', null, request)).toBe('business-rule')
  expect(await write(gp, 'delete', 'Task', null, task)).toBe('business-rule')
  expect(await write(patient, 'update', 'Task', { ...await current(), status: 'cancelled' }, task)).toBe('forbidden')
  const { id: _id, ...copied } = await current()
  expect(await write(doctor, 'create', 'Task', copied, null)).toBe('business-rule Task.code')
  expect(await write(gp, 'update', 'ServiceRequest', { ...stored, status: 'revoked' }, request)).toBe(request)
  expect(await row(request)).toMatchObject({ state: 'cancelled' })
  // An order that is no referral is written as ever.
  expect(await write(gp, 'create', 'ServiceRequest', order, null)).toMatch(/^[0-9a-f-]{36}$/)
  expect(await faults()).toEqual([])
})

function at(instantText: string): void {
  desk.clock.now = new Date(instantText)
}

async function row(referral: string) {
  const found = await db.selectFrom('referral').selectAll().where('id', '=', keyOf(referral)).executeTakeFirstOrThrow()
  return { ...found, deadline_at: found.deadline_at === null ? null : instantInShanghai(new Date(found.deadline_at)) }
}

async function faults(): Promise<string[]> {
  return [...await brokenReferrals(db), ...await brokenInvariants(db)]
}

async function contracted(person: Principal): Promise<string> {
  await contract(db, person.patient as string)
  return person.patient as string
}

async function pinOf(as: Principal, code: string, pin: string): Promise<string> {
  try {
    await openByPin(db, desk.ctx(as), { code, pin })
    return 'right'
  } catch (error) {
    if (error instanceof OutcomeError) return error.issues[0]?.code ?? ''
    throw error
  }
}

/** Kinds of notices that a run of the sweep makes about the referral. */
async function sweep(referral: string): Promise<string[]> {
  const { code } = await row(referral)
  const kinds = async () => (await db.selectFrom('notice').select(['id', 'kind', 'params']).execute()).filter((each) => (each.params as { code?: string }).code === code)
  const before = new Set((await kinds()).map((each) => each.id))
  await escalateReferrals(db, desk.ctx(), desk.store)
  return (await kinds()).filter((each) => !before.has(each.id)).map((each) => each.kind).sort()
}

async function quota(sessionId: string, letters: string, times: { release: string; gp: string | null; back: string | null }): Promise<void> {
  await db.updateTable('clinic_session').set({ channels: letters, release_at: times.release, gp_release_at: times.gp, gp_return_at: times.back }).where('id', '=', sessionId).execute()
}

function visit(appointment: string): Encounter {
  return {
    resourceType: 'Encounter', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject: { reference: `Patient/${id}` },
    appointment: [{ reference: `Appointment/${appointment}` }], period: { start: '2026-11-27T08:00:00+08:00', end: '2026-11-27T08:10:00+08:00' },
    serviceProvider: { reference: `Organization/${hospitalId}` },
  }
}
