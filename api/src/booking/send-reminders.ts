/**
 * The sweep behind reminders. The plan of a booking is written by the database with the booking itself; here it is asked, one transaction a
 * booking, what is due (reminder-ladder.ts). A message is handed over while the booking's row is locked against change: who cancels
 * waits that moment, or the message finds the visit cancelled and is not sent. A crash after the hand-over does it again with the same id,
 * which the channel knows. Locks: booking, plan, reminders, as with everybody who changes a booking.
 */
import type { Patient } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { addMinutes } from '../fhir/date-time.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import type { Channels } from '../notices/channels.ts'
import { contactPreference } from '../notices/contact-preference.ts'
import type { ChannelName, ContactPreference, MessageCount } from '../notices/shapes.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { ReminderTable } from '../storage/tables.ts'
import { inTransaction } from '../storage/transaction.ts'
import { placeOf } from './board.ts'
import type { BookingRow } from './booking-rows.ts'
import { parametersFor } from './parameters.ts'
import { nextReminder, quietEnd, type Rung } from './reminder-ladder.ts'
import { reminderText } from './reminder-text.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'

const plansPerRun = 200
/** A channel that fails is asked again after this. */
const retryMinutes = 2
/** A clinic that is not held as planned: its patients hear of that first. */
const unsettledMinutes = 15

interface Due { booking: string; shard: number }

/** @returns how many messages were handed over or taken back. */
export async function sendReminders(db: Db, ctx: Ctx, channels: Channels): Promise<number> {
  const due = await db.selectFrom('reminder_plan').select(['booking', 'shard']).where('wake_at', '<=', ctx.now.toISOString()).orderBy('wake_at').limit(plansPerRun).execute()
  let handled = 0
  const failed: unknown[] = []
  for (const each of due) {
    try {
      handled += await inTransaction(db, (trx) => follow(trx, ctx, channels, each))
    } catch (error) {
      failed.push(error)
      await inTransaction(db, (trx) => setWake(trx, each, addMinutes(ctx.now, retryMinutes)))
    }
  }
  if (failed.length > 0) throw new Error(`${failed.length} of ${due.length} reminders could not be sent and will be tried again.`, { cause: failed[0] })
  return handled
}

async function follow(trx: Trx, ctx: Ctx, channels: Channels, due: Due): Promise<number> {
  const row = await trx.selectFrom('booking').selectAll().where('id', '=', due.booking).where('shard', '=', due.shard).forShare().executeTakeFirst()
  const session = row ? await selectSessions(trx).where('s.id', '=', row.session_id).where('s.shard', '=', row.shard).executeTakeFirst() : undefined
  if (!row || !session || (row.state !== 'booked' && row.state !== 'cancelled')) return setWake(trx, due, null)
  if (row.state === 'cancelled') return takeBack(trx, ctx, channels, row, session)
  // Suspended, or with a doctor whom the patient has not agreed to: what becomes of it is told by notices.
  if (session.status !== 'open' || row.choose_until !== null) return setWake(trx, due, addMinutes(ctx.now, unsettledMinutes))
  return remind(trx, ctx, channels, row, session)
}

async function remind(trx: Trx, ctx: Ctx, channels: Channels, row: BookingRow, session: SessionRow): Promise<number> {
  const preference = await contactPreference(trx, row.pid)
  const addresses = await addressesOf(trx, ctx, row)
  const sent = await remindersOf(trx, row)
  const step = nextReminder({
    now: ctx.now, bookedAt: new Date(row.created_at), start: new Date(row.start_at), channels: preference.channels.filter((each) => channels[each] && addresses[each]),
    sent: sent.map((each) => ({ rung: each.rung as Rung, channel: each.channel, read: each.read_at !== null, readBy: each.read_by === null ? null : new Date(each.read_by) })),
    numbers: await parametersFor(trx, placeOf(session), ctx.now),
  })
  await setWake(trx, { booking: row.id, shard: row.shard }, step.wakeAt)
  if (!step.send) return 0
  const { rung, channel, readBy } = step.send
  await handOver(trx, ctx, channels, { row, session, language: preference.language, address: addresses[channel] as string }, { rung, channel, readBy })
  return 1
}

interface To { row: BookingRow; session: SessionRow; language: ContactPreference['language']; address: string }

async function handOver(trx: Trx, ctx: Ctx, channels: Channels, { row, session, language, address }: To, how: { rung: ReminderTable['rung']; channel: ChannelName; readBy: Date | null }): Promise<void> {
  const { rung, channel, readBy } = how
  const id = keyOf(`reminder ${row.id} ${rung} ${channel}`)
  await trx.insertInto('reminder').values({ shard: row.shard, id, booking: row.id, pid: row.pid, rung, channel, sent_at: ctx.now, read_by: readBy }).execute()
  await channels[channel]?.send({
    id, pid: row.pid, address, language, at: ctx.now, appointment: channel === 'app' ? row.appointment : null,
    body: reminderText({ session, start: new Date(row.start_at) }, rung, channel, language),
  })
}

/** Who cancels their own visit knows it; others are told where the reminder cannot be taken back. */
const ownWish: ReadonlySet<string> = new Set(['patient', 'patient-late', 'rescheduled'])

/** What was sent of a visit that is cancelled is recalled; where that cannot be done, a message says so. */
async function takeBack(trx: Trx, ctx: Ctx, channels: Channels, row: BookingRow, session: SessionRow): Promise<number> {
  const due = { booking: row.id, shard: row.shard }
  const sent = (await remindersOf(trx, row)).filter((each) => each.recalled_at === null && each.rung !== 'withdrawn')
  const numbers = await parametersFor(trx, placeOf(session), ctx.now)
  const preference = await contactPreference(trx, row.pid)
  const addresses = await addressesOf(trx, ctx, row)
  const told = new Set<ChannelName>()
  let wakeAt: Date | null = null
  for (const each of sent) {
    const start = new Date(row.start_at)
    const recalled = await channels[each.channel]?.recall({ id: each.id, pid: row.pid, at: ctx.now }) ?? false
    const tell = !recalled && !ownWish.has(row.cancel_reason ?? '') && ctx.now < start && addresses[each.channel] !== undefined && channels[each.channel] !== undefined
    const quiet = tell ? quietEnd({ start, numbers }, ctx.now, each.channel) : null
    if (quiet !== null) {
      wakeAt = quiet
      continue
    }
    if (tell && !told.has(each.channel)) await handOver(trx, ctx, channels, { row, session, language: preference.language, address: addresses[each.channel] as string }, { rung: 'withdrawn', channel: each.channel, readBy: null })
    told.add(each.channel)
    await trx.updateTable('reminder').set({ recalled_at: ctx.now, revoked_at: sql`coalesce(revoked_at, ${ctx.now.toISOString()}::timestamptz)` }).where('id', '=', each.id).where('shard', '=', row.shard).execute()
  }
  await setWake(trx, due, wakeAt)
  return sent.length
}

function remindersOf(trx: Trx, row: BookingRow) {
  return trx.selectFrom('reminder').select(['id', 'rung', 'channel', 'read_at', 'read_by', 'recalled_at']).where('booking', '=', row.id).where('shard', '=', row.shard).orderBy('sent_at').orderBy('id').execute()
}

/** Where each channel reaches the patient: the app when they or somebody who acts for them has an account, a call or message when a phone number is known. */
async function addressesOf(trx: Trx, ctx: Ctx, row: BookingRow): Promise<Partial<Record<ChannelName, string>>> {
  const patient = await loadResource<Patient>(trx, 'Patient', row.patient)
  const phone = patient?.telecom?.find((each) => each.system === 'phone' && each.value)?.value
  const account = await trx.selectFrom('account_role').select('account_id').where('patient', '=', row.patient).where('role', '=', 'citizen').executeTakeFirst()
  const reader = account ?? await trx.selectFrom('proxy_grant').select('pid').where('pid', '=', row.pid).where('shard', '=', shardOf(row.pid)).where('from_at', '<=', ctx.now.toISOString())
    .where((eb) => eb.or([eb('until_at', 'is', null), eb('until_at', '>', ctx.now.toISOString())])).limit(1).executeTakeFirst()
  return { ...(reader ? { app: row.patient } : {}), ...(phone ? { sms: phone, phone } : {}) }
}

async function setWake(trx: Trx, { booking, shard }: Due, at: Date | null): Promise<0> {
  await trx.updateTable('reminder_plan').set({ wake_at: at }).where('booking', '=', booking).where('shard', '=', shard).execute()
  return 0
}

/** The person has read a message, or pressed the key that says so: no other channel is asked. */
export async function markReminderRead(trx: Trx, ctx: Ctx, id: string): Promise<void> {
  await trx.updateTable('reminder').set({ read_at: ctx.now }).where('id', '=', id).where('read_at', 'is', null).execute()
}

/** Figures of the last two weeks by day and channel, newest first: for who runs the platform. */
export async function countReminders(db: Db, ctx: Ctx): Promise<MessageCount[]> {
  const { rows } = await sql<MessageCount>`select (sent_at at time zone 'Asia/Shanghai')::date::text as day, channel, count(*)::int as sent, count(read_at)::int as read, count(revoked_at)::int as revoked
    from reminder where sent_at > ${addMinutes(ctx.now, -14 * 1440).toISOString()}::timestamptz and sent_at <= ${ctx.now.toISOString()}::timestamptz group by 1, 2 order by 1 desc, 2`.execute(db)
  return rows
}
