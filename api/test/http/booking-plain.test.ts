/**
 * What is refused at the desk, each with a code and a sentence of its own in both languages, by the operation and by plain FHIR alike, beside
 * the nearest wish that is granted; and that no plain PUT, PATCH, conditional write or Bundle walks around a rule.
 */
import type { Appointment } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { keyOf, newResourceId, shardOf } from '../../src/fhir/id.ts'
import { clinicTemplate } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { system, testPlatform, type TestReply } from '../support/platform.ts'

const platform = await testPlatform()
const { db, request, clock } = platform
const desk = openDesk(db)
const start = new Date('2026-11-23T07:30:00+08:00')
const second = 1000
const minute = 60 * second

const code = (reply: TestReply) => reply.json?.issue?.[0]?.details?.coding?.[0]?.code
const reference = (name: string, target: string) => ({ name, valueReference: { reference: target } })
const parameters = (...parameter: unknown[]) => ({ resourceType: 'Parameters', parameter })
const appointment = (slot: string, patient: string, status = 'booked') => ({
  resourceType: 'Appointment', status, slot: [{ reference: `Slot/${slot}` }], participant: [{ actor: { reference: `Patient/${patient}` }, status: 'accepted' }],
})
const inEnglish = { 'Accept-Language': 'en' }

interface Scene { me: Principal; patient: string; session: string; slot: string }
type Send = (scene: Scene, headers?: Record<string, string>) => Promise<TestReply>

const byOperation: Send = ({ me, patient, slot }, headers = {}) => request('POST', '/fhir/Appointment/$book', { as: me, headers, body: parameters(reference('slot', `Slot/${slot}`), reference('patient', `Patient/${patient}`)) })
const byPost: Send = ({ me, patient, slot }, headers = {}) => request('POST', '/fhir/Appointment', { as: me, headers, body: appointment(slot, patient) })
const byBundle: Send = async ({ me, patient, slot }, headers = {}) => request('POST', '/fhir', {
  as: me, headers, body: { resourceType: 'Bundle', type: 'transaction', entry: [{ resource: appointment(slot, patient), request: { method: 'POST', url: 'Appointment' } }] },
})

/** A clinic of its own on Tuesday 08:00 to 12:00, one segment of eight places, and somebody who has never booked. */
async function scene(): Promise<Scene> {
  clock.now = start
  const [[me], [session]] = await Promise.all([desk.citizens(1), desk.sessions(clinicTemplate({ weekday: 2, capacity: 8, segment_minutes: 240, practitioner: newResourceId(null) }))])
  return { me: me as Principal, patient: me?.patient as string, session: session as string, slot: `${session}-1` }
}

const ends = new Date('2026-11-24T12:00:00+08:00').getTime()
async function grant(to: Principal, until: number): Promise<string> {
  const [other] = await desk.citizens(1)
  const patient = other?.patient as string
  await db.insertInto('proxy_grant').values({
    shard: shardOf(keyOf(patient)), pid: keyOf(patient), patient, grantee_pid: keyOf(to.patient as string), relationship: 'SPS', patient_name: '家人', from_at: '2020-01-01T00:00:00Z', until_at: new Date(until).toISOString(),
  }).execute()
  return patient
}
const session = (id: string, change: object) => db.updateTable('clinic_session').set(change).where('id', '=', id).execute()
const bar = (patient: string, until: number) => db.insertInto('booking_patient').values({ shard: shardOf(keyOf(patient)), pid: keyOf(patient), barred_until: new Date(until).toISOString() }).execute()

/** What is wrong, and the nearest that is right: both change a scene that is well. */
const refusals: [string, string, number, (scene: Scene) => Promise<Partial<Scene> | null>, (scene: Scene) => Promise<Partial<Scene> | null>][] = [
  ['a time that is almost over', 'slot-in-past', 422, async () => { clock.now = new Date(ends - 30 * minute); return null }, async () => { clock.now = new Date(ends - 31 * minute); return null }],
  ['a place that the clinic does not have', 'slot-unknown', 404, async ({ session: id }) => ({ slot: `${id}-9` }), async ({ session: id }) => ({ slot: `${id}-8` })],
  ['a clinic that is not there', 'slot-unknown', 404, async () => ({ slot: `${newResourceId(1)}-1` }), async () => null],
  ['someone else’s patient', 'not-your-patient', 403, async () => ({ patient: (await desk.citizens(1))[0]?.patient as string }), async ({ me }) => ({ patient: await grant(me, start.getTime() + minute) })],
  ['a proxy whose grant has ended', 'proxy-not-valid', 403, async ({ me }) => ({ patient: await grant(me, start.getTime()) }), async ({ me }) => ({ patient: await grant(me, start.getTime() + second) })],
  ['a person who is barred', 'booking-barred', 422, async ({ patient }) => { await bar(patient, start.getTime() + second); return null }, async ({ patient }) => { await bar(patient, start.getTime()); return null }],
  ['a clinic that is suspended', 'session-closed', 409, async ({ session: id }) => { await session(id, { status: 'suspended' }); return null }, async ({ session: id }) => { await session(id, { status: 'open' }); return null }],
  ['a second before the release', 'slot-not-released', 422, async ({ session: id }) => { await session(id, { release_at: new Date(start.getTime() + second).toISOString() }); return null }, async ({ session: id }) => { await session(id, { release_at: start.toISOString() }); return null }],
]

/** Plain FHIR asks first whether the caller may write about the patient at all, and says no more to who may not. */
const plainly: Readonly<Record<string, string>> = { 'not-your-patient': 'forbidden', 'proxy-not-valid': 'forbidden' }

test.each(refusals)('%s is refused as %s by whatever way it comes, and leaves nothing; the nearest is booked', async (_name, wanted, _status, wrong, right) => {
  for (const [way, send] of [['$book', byOperation], ['POST', byPost], ['Bundle', byBundle]] as const) {
    const before = await scene()
    const bad = { ...before, ...await wrong(before) }
    const [zh, en] = [await send(bad), await send(bad, inEnglish)]
    const said = way === '$book' ? wanted : plainly[wanted] ?? wanted
    expect([way, code(zh), code(en)]).toEqual([way, said, said])
    expect(zh.json.issue[0].details.text).toMatch(/[㐀-鿿]/)
    expect(en.json.issue[0].details.text).toMatch(/^[A-Z][^㐀-鿿]*$/)
    expect(zh.status).toBe(en.status)
    expect(zh.status).toBeGreaterThanOrEqual(400)
    expect(zh.status).toBeLessThan(500)
    expect(await db.selectFrom('booking').select('id').where('session_id', '=', before.session).execute()).toEqual([])
    const fine = await scene()
    const good = { ...fine, ...await right(fine) }
    const done = await send(good)
    expect([way, done.status < 300]).toEqual([way, true])
    expect((await db.selectFrom('booking').select('state').where('session_id', '=', fine.session).execute()).map((each) => each.state)).toEqual(['booked'])
  }
  expect(await brokenInvariants(db)).toEqual([])
})

test('the answers of the refusals differ: each has a status and a sentence of its own', async () => {
  const sentences = new Set<string>()
  for (const [, , status, wrong] of refusals) {
    const before = await scene()
    const reply = await byOperation({ ...before, ...await wrong(before) }, inEnglish)
    expect(reply.status).toBe(status)
    sentences.add(reply.json.issue[0].details.text.replaceAll(/[0-9a-f-]{36}-\d+/g, ''))
  }
  // The two unknown Slots say the same.
  expect(sentences.size).toBe(refusals.length - 1)
})

const held = async (at: Scene): Promise<Appointment> => (await request('POST', '/fhir/Appointment', { as: at.me, body: appointment(at.slot, at.patient, 'pending') })).json
const booked = async (at: Scene): Promise<Appointment> => (await byPost(at)).json
const put = (at: Scene, own: Appointment, change: object) => request('PUT', `/fhir/Appointment/${own.id}`, { as: at.me, body: { ...own, ...change } })

/** A hold or a booking, what happens meanwhile, and the PUT that a rule is against. */
const putCases: [string, 'held' | 'booked', (at: Scene) => unknown, object, string | null][] = [
  ['confirming a hold as it ends', 'held', () => { clock.now = new Date(start.getTime() + 300 * second) }, { status: 'booked' }, 'hold-expired'],
  ['confirming a hold in its last second', 'held', () => { clock.now = new Date(start.getTime() + 299 * second) }, { status: 'booked' }, null],
  ['confirming after the clinic was suspended', 'held', (at) => session(at.session, { status: 'suspended' }), { status: 'booked' }, 'session-closed'],
  ['confirming what is booked', 'booked', () => {}, { status: 'pending' }, 'business-rule'],
  ['checking in a day early', 'booked', () => {}, { status: 'checked-in' }, 'check-in-closed'],
  ['checking in an hour early', 'booked', () => { clock.now = new Date('2026-11-24T07:00:00+08:00') }, { status: 'checked-in' }, null],
  ['checking in a hold', 'held', () => {}, { status: 'checked-in' }, 'appointment-not-active'],
  ['cancelling when the visit has begun', 'booked', () => { clock.now = new Date('2026-11-24T08:00:00+08:00') }, { status: 'cancelled' }, 'notice-too-short'],
  ['cancelling a second before it begins', 'booked', () => { clock.now = new Date('2026-11-24T07:59:59+08:00') }, { status: 'cancelled' }, null],
  ['calling oneself in', 'booked', () => {}, { status: 'arrived' }, 'business-rule'],
  ['having been seen', 'booked', () => {}, { status: 'fulfilled' }, 'business-rule'],
  ['excusing oneself', 'booked', () => {}, { status: 'noshow' }, 'business-rule'],
  ['taking it out of the books', 'booked', () => {}, { status: 'entered-in-error' }, 'business-rule'],
  ['moving to another place', 'booked', () => {}, { slot: [{ reference: 'Slot/elsewhere' }] }, 'business-rule'],
  ['two places', 'booked', (at) => at, { slot: [{ reference: 'Slot/a' }, { reference: 'Slot/b' }] }, 'business-rule'],
  ['another time', 'booked', () => {}, { start: '2026-11-24T11:00:00+08:00', end: '2026-11-24T11:30:00+08:00' }, 'business-rule'],
  ['another patient', 'booked', () => {}, { participant: [{ actor: { reference: 'Patient/somebody' }, status: 'accepted' }] }, 'forbidden'],
  ['another fee, number or quota', 'booked', () => {}, { extension: undefined }, 'business-rule'],
  ['another department', 'booked', () => {}, { specialty: [{ text: '急诊' }] }, 'business-rule'],
  ['being urgent', 'booked', () => {}, { priority: 9 }, 'business-rule'],
  ['one’s own words', 'booked', () => {}, { comment: '需要轮椅' }, null],
]

test.each(putCases)('a plain PUT for %s (%s): obeys the rule', async (_name, state, meanwhile, change, wanted) => {
  const at = await scene()
  const own = state === 'held' ? await held(at) : await booked(at)
  await meanwhile(at)
  const reply = await put(at, own, change)
  if (wanted === null) expect(reply.status).toBe(200)
  else {
    expect(code(reply)).toBe(wanted)
    clock.now = new Date(Math.min(clock.now.getTime(), start.getTime()))
    expect((await request('GET', `/fhir/Appointment/${own.id}`, { as: at.me })).json.meta.versionId).toBe(own.meta?.versionId)
  }
})

test('nor does a PATCH, a conditional write, a deletion, a Bundle that says it twice, or somebody else', async () => {
  const at = await scene()
  const own = await booked(at)
  const patch = await request('PATCH', `/fhir/Appointment/${own.id}`, { as: at.me, headers: { 'Content-Type': 'application/json-patch+json' }, body: JSON.stringify([{ op: 'replace', path: '/status', value: 'fulfilled' }]) })
  expect(code(patch)).toBe('business-rule')
  expect((await request('DELETE', `/fhir/Appointment/${own.id}`, { as: system })).status).toBe(422)
  const conditional = await request('PUT', `/fhir/Appointment?_id=${own.id}`, { as: at.me, body: { ...own, start: '2026-11-24T10:00:00+08:00' } })
  expect(conditional.status).toBeGreaterThanOrEqual(400)
  const id = newResourceId(null)
  expect((await request('PUT', `/fhir/Appointment/${id}`, { as: at.me, body: { ...appointment(`${at.session}-2`, at.patient), id } })).status).toBeGreaterThanOrEqual(400)
  const [stranger] = await desk.citizens(1)
  expect((await request('PUT', `/fhir/Appointment/${own.id}`, { as: stranger as Principal, body: { ...own, status: 'cancelled' } })).status).toBeGreaterThanOrEqual(400)
  const again = await scene()
  const entry = [1, 2].map((place) => ({ resource: appointment(`${again.session}-${place}`, again.patient), request: { method: 'POST', url: 'Appointment' } }))
  const twice = await request('POST', '/fhir', { as: again.me, body: { resourceType: 'Bundle', type: 'transaction', entry } })
  expect(twice.status).toBeGreaterThanOrEqual(400)
  expect(await db.selectFrom('booking').select('id').where('session_id', '=', again.session).execute()).toEqual([])
  expect((await request('GET', `/fhir/Appointment/${own.id}`, { as: at.me })).json.status).toBe('booked')
  expect(await brokenInvariants(db)).toEqual([])
})

test('clocks that differ and requests that come late, twice or in another order: a hold is confirmed or not, never both', async () => {
  const at = await scene()
  const own = await held(at)
  const confirm = (key: string) => request('POST', '/fhir/Appointment/$book', { as: at.me, headers: { 'Idempotency-Key': key }, body: parameters(reference('appointment', `Appointment/${own.id}`)) })
  // The same wish three times at once, two of them with the same key.
  const replies = await Promise.all([confirm('a'), confirm('a'), confirm('b')])
  expect(replies.map((each) => [each.status, each.json.id, each.json.status])).toEqual(replies.map(() => [200, own.id, 'booked']))
  // A process whose clock is behind or ahead gives the same answer to the same key.
  for (const skew of [-2, 2, 600]) {
    clock.now = new Date(start.getTime() + skew * second)
    expect((await confirm('a')).json).toEqual(replies[0]?.json)
  }
  // The release that was sent before the confirmation arrives after it: the booking stays.
  const late = await request('POST', `/fhir/Appointment/${own.id}/$release`, { as: at.me, body: parameters() })
  expect(code(late)).toBe('appointment-not-active')
  // Cancelled: the confirmation that was under way all the time does not bring it back.
  await request('POST', `/fhir/Appointment/${own.id}/$cancel`, { as: at.me, body: parameters() })
  expect(code(await confirm('c'))).toBe('appointment-not-active')
  expect((await confirm('a')).json.status).toBe('booked')
  expect((await request('GET', `/fhir/Appointment/${own.id}`, { as: at.me })).json.status).toBe('cancelled')
  expect(await brokenInvariants(db)).toEqual([])
})
