/** Notices that cannot wait, on a real database: out by the person's channels at once, on to the next when unread, silent once answered. */
import { beforeEach, expect, test } from 'vitest'
import type { Principal } from '../src/access/principal.ts'
import { deliverNotices } from '../src/booking/deliver-notices.ts'
import { followUp } from '../src/booking/follow-up.ts'
import { setContactPreference } from '../src/notices/contact-preference.ts'
import { type Channel, type Channels, channelNames, type Message } from '../src/notices/channels.ts'
import { demoChannels } from '../src/notices/demo-channels.ts'
import { keyOf } from '../src/fhir/id.ts'
import { inTransaction } from '../src/storage/transaction.ts'
import { clinicTemplate, hospitalId } from './support/booking-data.ts'
import { openDesk } from './support/booking-desk.ts'
import { citizen as citizenOf, testPlatform } from './support/platform.ts'
import { reachablePatient } from './support/reachable-patient.ts'

const platform = await testPlatform()
const { db, request, clock } = platform
const desk = openDesk(db)
const departments = ['03.01', '03.02', '03.03', '03.04', '03.05', '03.06', '03.07', '03.08', '04.01', '04.02', '04.03', '04.04']
const scheduler: Principal = { ...citizenOf(''), id: 'account-desk', role: 'scheduler', patient: null, organization: hospitalId, organizationName: '医院' }

let session = ''
let person: Principal

beforeEach(async () => {
  at('2026-11-23T09:30:00')
  session = (await desk.sessions(clinicTemplate({ department: departments.shift() as string }))).at(-1) as string
  person = await reachablePatient(db, desk, '13800001234')
})

test('a suspended clinic: the app at once, unread a text, unread a call; read in the portal too', async () => {
  await book()
  await suspend()
  expect(await run()).toBe(1)
  expect(await run()).toBe(0)
  at('2026-11-23T09:45:00')
  await run()
  at('2026-11-23T10:00:00')
  await run()
  expect((await inbox()).map((each) => each.channel)).toEqual(['app', 'sms', 'phone'])
  const [app, sms, call] = await inbox()
  expect(sms?.body).toMatch(/^【浦江健康】您11月30日周一 08:00 在浦江市第一人民医院的预约停诊了。.*请在11月24日周二 09:30前/)
  expect(call?.body).toMatch(/听清请按 1/)
  expect([app?.appointment === null, sms?.appointment, sms?.address]).toEqual([false, null, '138****1234'])
  clock.now = desk.clock.now
  expect((await request('POST', `/api/messages/${sms?.id}/read`, { as: person })).status).toBe(200)
  expect((await request('GET', '/api/notices', { as: person })).json).toEqual([expect.objectContaining({ kind: 'session-suspended', read: true })])
})

test('whoever has answered, or looked into the portal, hears no more of it', async () => {
  const [first, second] = [await book(), person]
  await suspend()
  await run()
  const choice = await db.selectFrom('booking').select('appointment').where('offer_of', '=', keyOf(first)).executeTakeFirstOrThrow()
  expect(await desk.run(second, '$accept', {}, { id: choice.appointment })).toMatchObject({ status: 'booked' })
  at('2026-11-23T09:45:00')
  expect(await run()).toBe(0)

  session = (await desk.sessions(clinicTemplate({ department: departments.shift() as string }))).at(-1) as string
  person = await reachablePatient(db, desk, '13800001235')
  at('2026-11-23T09:30:00')
  await book()
  await suspend()
  await run()
  clock.now = desk.clock.now
  expect((await request('POST', '/api/notices/read', { as: person })).status).toBe(200)
  at('2026-11-23T09:45:00')
  expect(await run()).toBe(0)
})

test.each(['answer first', 'message first'] as const)('at the very moment of the answer (%s): no message after it', async (order) => {
  const appointment = await book()
  await suspend()
  const log: string[] = []
  const handing = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const pid = keyOf(person.patient as string)
  const slow = spy(async (message) => {
    if (message.pid !== pid) return
    handing.resolve()
    await go.promise
    log.push(`sent ${message.channel}`)
  })
  if (order === 'answer first') {
    await inTransaction(db, async (trx) => {
      await trx.selectFrom('booking').select('id').where('id', '=', keyOf(appointment)).forUpdate().execute()
      const sweep = deliverNotices(db, desk.ctx(), slow)
      await trx.updateTable('booking').set({ choose_until: null }).where('id', '=', keyOf(appointment)).execute()
      go.resolve()
      return { sweep }
    }).then(({ sweep }) => sweep)
    expect(log).toEqual([])
  } else {
    const sweep = deliverNotices(db, desk.ctx(), slow)
    await handing.promise
    const answer = desk.run(person, '$cancel', {}, { id: appointment }).then(() => log.push('answered'))
    go.resolve()
    await Promise.all([sweep, answer])
    expect(log).toEqual(['sent app', 'answered'])
  }
})

test('a visit that others cancel is told to the patient, by the channel they chose and in their language; who cancels their own knows', async () => {
  await inTransaction(db, (trx) => setContactPreference(trx, desk.ctx(person), keyOf(person.patient as string), { channels: ['sms'], language: 'en' }))
  expect(await desk.run(scheduler, '$cancel', { reason: '设备检修' }, { id: await book() })).toMatchObject({ status: 'cancelled' })
  await run()
  expect((await inbox()).map((each) => each.body)).toEqual([expect.stringMatching(/^Pujiang Health\. Your appointment at Pujiang First People’s Hospital on Monday,? 30 November 08:00 was cancelled by the hospital/)])

  const own = await reachablePatient(db, desk, '13800001236')
  await desk.run(own, '$cancel', {}, { id: await book(own, 3) })
  expect(await run()).toBe(0)
})

test('a substitute and then a suspension after all: the first question falls silent, the second is asked', async () => {
  const { department } = await db.selectFrom('clinic_session').select('department').where('id', '=', session).executeTakeFirstOrThrow()
  const other = '01930000-0000-7a17-8000-0000000000d2'
  await desk.sessions(clinicTemplate({ department, weekday: 3, practitioner: other, practitioner_name_zh: '林晓', practitioner_name_en: 'Lin Xiao' }))
  await book()
  await desk.run(scheduler, '$substitute', { practitioner: other }, { id: session })
  await run()
  at('2026-11-23T09:40:00')
  await suspend()
  await run()
  at('2026-11-23T10:10:00')
  await run()
  expect((await inbox()).map((each) => `${each.channel} ${/换了医生|停诊/.exec(each.body)?.[0]}`)).toEqual(['app 换了医生', 'app 停诊', 'sms 停诊'])
})

test('what waits in the portal is looked at once; what is for others is never sent', async () => {
  await book()
  await suspend()
  await run()
  expect(await db.selectFrom('notice').select('kind').where('recipient_kind', '<>', 'patient').where('wake_at', 'is not', null).execute()).toEqual([])
  expect((await db.selectFrom('notice').select('kind').where('recipient_kind', '=', 'practitioner').execute()).length).toBeGreaterThan(0)
})

test('a sweep that dies after the hand-over hands over again, nobody gets it twice, and nobody else waits', async () => {
  await book()
  const other = await reachablePatient(db, desk, '13800001237')
  await book(other, 2)
  await suspend()
  const real = demoChannels(db)
  const pid = keyOf(person.patient as string)
  const dying: Channels = { ...real, app: { ...real.app as Channel, send: async (message) => { await real.app?.send(message); if (message.pid === pid) throw new Error('killed') } } }
  await expect(deliverNotices(db, desk.ctx(), dying)).rejects.toThrow('1 of 2')
  expect(await db.selectFrom('notice_message').select('channel').where('pid', '=', pid).execute()).toEqual([])
  expect(await db.selectFrom('notice_message').select('channel').where('pid', '=', keyOf(other.patient as string)).execute()).toEqual([{ channel: 'app' }])
  at('2026-11-23T09:32:00')
  expect(await run()).toBe(1)
  expect((await inbox()).length).toBe(1)
})

test('a whole hospital at once: five hundred notices go out in one run', async () => {
  const shard = Number((await db.selectFrom('notice').select('shard').where('recipient', '=', person.patient as string).executeTakeFirst())?.shard ?? 0)
  await db.insertInto('notice').values(Array.from({ length: 500 }, (_, n) => ({
    shard, id: keyOf(`mass ${n}`), recipient_kind: 'patient' as const, recipient: person.patient as string, kind: 'queue-passed', params: JSON.stringify({ time: '09:30' }), appointment: null, created_at: desk.clock.now, wake_at: desk.clock.now,
  }))).execute()
  expect(await run()).toBe(500)
  expect(await run()).toBe(0)
})

test('without a channel, as in production before a carrier is written, the portal has it and nothing is sent', async () => {
  await book()
  await suspend()
  expect(await deliverNotices(db, desk.ctx(), {})).toBe(0)
  expect(await db.selectFrom('notice').select('wake_at').where('recipient', '=', person.patient as string).execute()).toEqual([{ wake_at: null }])
})

function at(instant: string): void {
  desk.clock.now = new Date(`${instant}+08:00`)
}

async function book(as: Principal = person, no = 1): Promise<string> {
  const answer = await desk.run(as, '$book', { slot: `${session}-${no}`, patient: as.patient as string })
  if (typeof answer === 'string') throw new Error(answer)
  return answer.id as string
}

async function suspend(): Promise<void> {
  await desk.run(scheduler, '$suspend', { reason: '医生临时外出' }, { id: session })
  await followUp(db, desk.ctx(), desk.store)
}

function run(): Promise<number> {
  return deliverNotices(db, desk.ctx(), demoChannels(db))
}

function inbox() {
  return db.selectFrom('demo_message').select(['id', 'channel', 'body', 'address', 'appointment']).where('pid', '=', keyOf(person.patient as string)).orderBy('received_at').orderBy('id').execute()
}

function spy(send: (message: Message & { channel: string }) => Promise<void>): Channels {
  return Object.fromEntries(channelNames.map((channel) => [channel, { send: (message: Message) => send({ ...message, channel }), recall: async () => true }]))
}
