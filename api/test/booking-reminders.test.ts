/** Reminders on a real database: written with the booking, sent once, never of a visit that is cancelled, by the channels the person wants. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Principal } from '../src/access/principal.ts'
import { sendReminders } from '../src/booking/send-reminders.ts'
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
const departments = ['03.01', '03.02', '03.03', '03.04', '03.05', '03.06', '03.07', '03.08', '04.01', '04.02', '04.03', '04.04', '04.05', '12', '10', '11']
const scheduler: Principal = { ...citizenOf(''), id: 'account-desk', role: 'scheduler', patient: null, organization: hospitalId, organizationName: '医院' }

let session = ''
let person: Principal
let pid = ''

beforeEach(async () => {
  at('2026-11-23T09:30:00')
  await clinic(departments.shift() as string)
  person = await patient('13800001234')
  pid = keyOf(person.patient as string)
})

test('a booking has its reminder in its own transaction: the confirmation at once, then a ladder, each message once', async () => {
  const id = await book()
  expect(await run()).toBe(1)
  expect(await run()).toBe(0)
  at('2026-11-28T10:00:00')
  expect(await run()).toBe(1)
  expect(await inbox()).toEqual([expect.stringMatching(/^app 【浦江健康】您已约好/), expect.stringMatching(/^app 【浦江健康】提醒您11月30日/)])
  const rows = await db.selectFrom('demo_message').select(['appointment', 'body']).where('pid', '=', pid).execute()
  expect(rows.map((each) => each.appointment)).toEqual([id, id])
  expect(rows[0]?.body).toContain('陈志远')
})

test('a wish that is refused, and a hold, plan nothing; a confirmed hold does', async () => {
  const held = await desk.run(person, '$hold', { slot: `${session}-1`, patient: person.patient as string })
  expect(await db.selectFrom('reminder_plan').selectAll().execute()).not.toContainEqual(expect.objectContaining({ booking: keyOf(idOf(held)) }))
  await desk.run(person, '$book', { appointment: idOf(held) })
  expect(await plan(idOf(held))).not.toBeNull()
})

test('unread, the next channel is asked; read, nobody is', async () => {
  await book()
  await run()
  at('2026-11-28T10:00:00')
  await run()
  at('2026-11-28T12:00:01')
  await run()
  expect(await channels()).toEqual(['app', 'app', 'sms'])
  const text = (await db.selectFrom('demo_message').select(['body', 'address', 'appointment']).where('pid', '=', pid).where('channel', '=', 'sms').executeTakeFirstOrThrow())
  expect(text).toMatchObject({ address: '138****1234', appointment: null })
  expect(text.body).not.toMatch(/科|陈志远|市民/)
  const sms = await db.selectFrom('demo_message').select('id').where('pid', '=', pid).where('channel', '=', 'sms').executeTakeFirstOrThrow()
  clock.now = desk.clock.now
  expect((await request('POST', `/api/messages/${sms.id}/read`, { as: person })).status).toBe(200)
  at('2026-11-28T15:00:00')
  await run()
  expect(await channels()).toEqual(['app', 'app', 'sms'])
})

test('a person chooses channels and language; who wants none gets none', async () => {
  clock.now = desk.clock.now
  expect((await request('PUT', '/api/messages/preference', { as: person, body: { channels: ['sms'], language: 'en' } })).json).toEqual({ channels: ['sms'], language: 'en' })
  expect((await request('PUT', '/api/messages/preference', { as: person, body: { channels: ['sms', 'sms'], language: 'en' } })).json).toMatchObject({ code: 'parameter-invalid' })
  await book()
  await run()
  expect(await inbox()).toEqual([expect.stringMatching(/^sms Pujiang Health\. Booked: an appointment at Pujiang First People’s Hospital on Monday,? 30 November at 08:00/)])
  const other = await patient('13800009999')
  await inTransaction(db, (trx) => setContactPreference(trx, desk.ctx(other), keyOf(other.patient as string), { channels: [], language: 'zh' }))
  await book(other, 2)
  expect(await run()).toBe(0)
})

test('of a sensitive department not even the app says which', async () => {
  await clinic('15.01')
  await book()
  await run()
  const [text] = await inbox()
  expect(text).toMatch(/^app 【浦江健康】您已约好11月30日周一 08:00 在浦江市第一人民医院的预约/)
  expect(text).not.toMatch(/精神|陈志远|门诊楼/)
})

describe('a visit that is cancelled', () => {
  test('is never reminded of, and what the app shows is taken back', async () => {
    const id = await book()
    await run()
    await desk.run(person, '$cancel', {}, { id })
    expect(await revoked(id)).toBe(true)
    at('2026-11-28T10:00:00')
    await run()
    expect(await db.selectFrom('demo_message').select(['channel', 'recalled_at']).where('pid', '=', pid).execute()).toEqual([{ channel: 'app', recalled_at: expect.any(String) }])
    expect(await plan(id)).toBeNull()
  })

  test('moved: the old one is revoked, the new one has reminders of its own', async () => {
    const id = await book()
    await run()
    const moved = idOf(await desk.run(person, '$reschedule', { slot: `${session}-9` }, { id }))
    await run()
    expect(await revoked(id)).toBe(true)
    expect(await revoked(moved)).toBe(false)
    expect(await db.selectFrom('demo_message').select('appointment').where('pid', '=', pid).where('recalled_at', 'is', null).execute()).toEqual([{ appointment: moved }])
  })

  test.each(['cancel first', 'message first'] as const)('at the very moment of sending (%s): no message after the cancellation', async (order) => {
    const id = await book()
    const log: string[] = []
    const handing = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    const slow = spy(async (message) => {
      handing.resolve()
      await go.promise
      log.push(`sent ${message.channel}`)
    })
    if (order === 'cancel first') {
      // The cancellation holds the row; the sweep has to wait for it.
      await inTransaction(db, async (trx) => {
        await trx.selectFrom('booking').select('id').where('id', '=', keyOf(id)).forUpdate().execute()
        const sweep = sendReminders(db, desk.ctx(), slow)
        await trx.updateTable('booking').set({ state: 'cancelled', cancel_reason: 'patient' }).where('id', '=', keyOf(id)).execute()
        go.resolve()
        return { sweep }
      }).then(({ sweep }) => sweep)
      expect(log).toEqual([])
    } else {
      const sweep = sendReminders(db, desk.ctx(), slow)
      await handing.promise
      const cancel = desk.run(person, '$cancel', {}, { id }).then(() => log.push('cancelled'))
      go.resolve()
      await Promise.all([sweep, cancel])
      expect(log).toEqual(['sent app', 'cancelled'])
    }
    await sendReminders(db, desk.ctx(), slow)
    expect(log.filter((each) => each.startsWith('sent')).length).toBe(order === 'cancel first' ? 0 : 1)
    expect(await db.selectFrom('booking as b').innerJoin('reminder as r', 'r.booking', 'b.id').select('r.id').where('b.state', '=', 'cancelled').where('r.revoked_at', 'is', null).execute()).toEqual([])
  })
})

test('a sweep that dies after the hand-over hands over again, and nobody gets it twice', async () => {
  const id = await book()
  const real = demoChannels(db)
  const dying: Channels = { ...real, app: { ...real.app as Channel, send: async (message) => { await real.app?.send(message); throw new Error('killed') } } }
  await expect(sendReminders(db, desk.ctx(), dying)).rejects.toThrow('will be tried again')
  expect(await db.selectFrom('reminder').select('id').where('booking', '=', keyOf(id)).execute()).toEqual([])
  expect(await run()).toBe(0)
  at('2026-11-23T09:32:00')
  expect(await run()).toBe(1)
  expect((await inbox()).length).toBe(1)
})

test('one channel that fails keeps nobody else from being reminded', async () => {
  await book()
  const other = await patient('13800005555')
  await book(other, 2)
  const real = demoChannels(db)
  const broken: Channels = { ...real, app: { ...real.app as Channel, send: async (message) => { if (message.pid === pid) throw new Error('line is dead'); await real.app?.send(message) } } }
  await expect(sendReminders(db, desk.ctx(), broken)).rejects.toThrow('1 of 2')
  expect(await db.selectFrom('demo_message').select('id').where('pid', '=', keyOf(other.patient as string)).execute()).toHaveLength(1)
})

test('a suspended clinic is not reminded of', async () => {
  await book()
  await db.updateTable('clinic_session').set({ status: 'suspended' }).where('id', '=', session).execute()
  expect(await run()).toBe(0)
})

test('messages are for the person and who acts for them; the administrator sees figures only', async () => {
  await book()
  await run()
  clock.now = desk.clock.now
  const stranger = await patient('13800007777')
  expect((await request('GET', '/api/messages', { as: person })).json).toHaveLength(1)
  expect((await request('GET', `/api/messages?patient=${person.patient}`, { as: stranger })).status).toBe(403)
  expect((await request('GET', '/api/messages')).status).toBe(403)
  const [own] = (await request('GET', '/api/messages', { as: person })).json as { id: string }[]
  expect((await request('POST', `/api/messages/${own?.id}/read`, { as: stranger })).status).toBe(404)
  const administrator: Principal = { ...scheduler, role: 'admin-system', organization: null }
  expect((await request('GET', `/api/messages?patient=${person.patient}`, { as: administrator })).status).toBe(403)
  expect((await request('GET', '/api/messages/counts', { as: person })).status).toBe(403)
  const counts = (await request('GET', '/api/messages/counts', { as: administrator })).json as Record<string, unknown>[]
  expect(counts.every((each) => Object.keys(each).sort().join() === 'channel,day,read,revoked,sent')).toBe(true)
  expect(counts.length).toBeGreaterThan(0)
})

function at(instant: string): void {
  desk.clock.now = new Date(`${instant}+08:00`)
}

/** The second Monday of the booking window, 08:00. */
async function clinic(department: string): Promise<void> {
  session = (await desk.sessions(clinicTemplate({ department }))).at(-1) as string
}

function patient(phone: string): Promise<Principal> {
  return reachablePatient(db, desk, phone)
}

async function book(as: Principal = person, no = 1): Promise<string> {
  return idOf(await desk.run(as, '$book', { slot: `${session}-${no}`, patient: as.patient as string }))
}

function idOf(answer: Awaited<ReturnType<typeof desk.run>>): string {
  if (typeof answer === 'string') throw new Error(answer)
  return answer.id as string
}

function run(): Promise<number> {
  return sendReminders(db, desk.ctx(), demoChannels(db))
}

async function inbox(): Promise<string[]> {
  return (await db.selectFrom('demo_message').select(['channel', 'body']).where('pid', '=', pid).orderBy('received_at').orderBy('id').execute()).map((each) => `${each.channel} ${each.body}`)
}

async function channels(): Promise<string[]> {
  return (await db.selectFrom('demo_message').select('channel').where('pid', '=', pid).orderBy('received_at').execute()).map((each) => each.channel)
}

async function plan(appointment: string): Promise<string | null> {
  return (await db.selectFrom('reminder_plan').select('wake_at').where('booking', '=', keyOf(appointment)).executeTakeFirst())?.wake_at ?? null
}

async function revoked(appointment: string): Promise<boolean> {
  const rows = await db.selectFrom('reminder').select('revoked_at').where('booking', '=', keyOf(appointment)).execute()
  return rows.length > 0 && rows.every((each) => each.revoked_at !== null)
}

function spy(send: (message: Message & { channel: string }) => Promise<void>): Channels {
  return Object.fromEntries(channelNames.map((channel) => [channel, { send: (message: Message) => send({ ...message, channel }), recall: async () => true }]))
}
