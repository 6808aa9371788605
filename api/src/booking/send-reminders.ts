/**
 * The sweep behind reminders. The plan of a booking is written by the database with the booking itself; here it is asked, one transaction a
 * booking, what is due (reminder-ladder.ts). A message is handed over while the booking's row is locked against change: who cancels
 * waits that moment, or the message finds the visit cancelled and is not sent. A crash after the hand-over does it again with the same id,
 * which the channel knows. Locks: booking, plan, reminders, as with everybody who changes a booking.
 */
import { sql } from 'kysely'
import { platform } from '../access/principal.ts'
import type { Ctx } from '../ctx.ts'
import { addMinutes } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import type { Channels } from '../notices/channels.ts'
import type { MessageCount } from '../notices/shapes.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { placeOf } from './board.ts'
import type { BookingRow } from './booking-rows.ts'
import { oneByOne } from './one-by-one.ts'
import { parametersFor } from './parameters.ts'
import { nextReminder } from './reminder-ladder.ts'
import { reminderText } from './reminder-text.ts'
import { reachOf } from './reach.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'

const plansPerBatch = 200
/** A channel that fails is asked again after this. */
const retryMinutes = 2
/** A clinic that is not held as planned: its patients hear of that first. */
const unsettledMinutes = 15

interface Due { booking: string; shard: number }

/** @returns how many messages were handed over or taken back. */
export async function sendReminders(db: Db, ctx: Ctx, channels: Channels): Promise<number> {
  return oneByOne(db, {
    name: 'reminders', batch: plansPerBatch,
    due: () => db.selectFrom('reminder_plan').select(['booking', 'shard']).where('wake_at', '<=', ctx.now.toISOString()).orderBy('wake_at').limit(plansPerBatch).execute(),
    follow: (trx, each) => follow(trx, ctx, channels, each), putOff: (trx, each) => setWake(trx, each, addMinutes(ctx.now, retryMinutes)),
  })
}

async function follow(trx: Trx, ctx: Ctx, channels: Channels, due: Due): Promise<number> {
  const row = await trx.selectFrom('booking').selectAll().where('id', '=', due.booking).where('shard', '=', due.shard).forShare().executeTakeFirst()
  const session = row ? await selectSessions(trx).where('s.id', '=', row.session_id).where('s.shard', '=', row.shard).executeTakeFirst() : undefined
  if (!row || !session || (row.state !== 'booked' && row.state !== 'cancelled')) return setWake(trx, due, null)
  if (row.state === 'cancelled') return takeBack(trx, ctx, channels, row)
  // Suspended, or with a doctor whom the patient has not agreed to: what becomes of it is told by notices.
  if (session.status !== 'open' || row.choose_until !== null) return setWake(trx, due, addMinutes(ctx.now, unsettledMinutes))
  return remind(trx, ctx, channels, row, session)
}

async function remind(trx: Trx, ctx: Ctx, channels: Channels, row: BookingRow, session: SessionRow): Promise<number> {
  const reach = await reachOf(trx, ctx, row, channels)
  const sent = await remindersOf(trx, row)
  const start = new Date(row.start_at)
  const step = nextReminder({
    now: ctx.now, bookedAt: new Date(row.created_at), isByPlatform: row.booked_by === platform.id, start, channels: reach.channels,
    sent: sent.map((each) => ({ rung: each.rung, channel: each.channel, read: each.read_at !== null, readBy: each.read_by === null ? null : new Date(each.read_by) })),
    numbers: await parametersFor(trx, placeOf(session), ctx.now),
  })
  await setWake(trx, { booking: row.id, shard: row.shard }, step.wakeAt)
  if (!step.send) return 0
  const { rung, channel, readBy } = step.send
  const id = keyOf(`reminder ${row.id} ${rung} ${channel}`)
  await trx.insertInto('reminder').values({ shard: row.shard, id, booking: row.id, pid: row.pid, rung, channel, sent_at: ctx.now, read_by: readBy }).execute()
  await channels[channel]?.send({
    id, pid: row.pid, address: reach.addresses[channel] as string, language: reach.language, at: ctx.now, appointment: channel === 'app' ? row.appointment : null,
    body: reminderText({ session, start }, rung, channel, reach.language),
  })
  return 1
}

/** What was sent of a visit that is cancelled is recalled where that can be done; whoever did not cancel it themselves is told by a notice. */
async function takeBack(trx: Trx, ctx: Ctx, channels: Channels, row: BookingRow): Promise<number> {
  const sent = (await remindersOf(trx, row)).filter((each) => each.recalled_at === null)
  for (const each of sent) {
    await channels[each.channel]?.recall({ id: each.id, pid: row.pid, at: ctx.now })
    await trx.updateTable('reminder').set({ recalled_at: ctx.now, revoked_at: sql`coalesce(revoked_at, ${ctx.now.toISOString()}::timestamptz)` }).where('id', '=', each.id).where('shard', '=', row.shard).execute()
  }
  await setWake(trx, { booking: row.id, shard: row.shard }, null)
  return sent.length
}

function remindersOf(trx: Trx, row: BookingRow) {
  return trx.selectFrom('reminder').select(['id', 'rung', 'channel', 'read_at', 'read_by', 'recalled_at']).where('booking', '=', row.id).where('shard', '=', row.shard).orderBy('sent_at').orderBy('id').execute()
}

async function setWake(trx: Trx, { booking, shard }: Due, at: Date | null): Promise<0> {
  await trx.updateTable('reminder_plan').set({ wake_at: at }).where('booking', '=', booking).where('shard', '=', shard).execute()
  return 0
}

/** The person has read a message, or pressed the key that says so: no other channel is asked. A notice that was read is read in the portal too. */
export async function markSentRead(trx: Trx, ctx: Ctx, id: string): Promise<void> {
  await trx.updateTable('reminder').set({ read_at: ctx.now }).where('id', '=', id).where('read_at', 'is', null).execute()
  const told = await trx.updateTable('notice_message').set({ read_at: ctx.now }).where('id', '=', id).where('read_at', 'is', null).returning(['notice', 'shard']).executeTakeFirst()
  if (told) await trx.updateTable('notice').set({ read_at: ctx.now }).where('id', '=', told.notice).where('shard', '=', told.shard).where('read_at', 'is', null).execute()
}

/** Figures of reminders and notices of the last two weeks by day and channel, newest first: for who runs the platform. */
export async function countSent(db: Db, ctx: Ctx): Promise<MessageCount[]> {
  const from = addMinutes(ctx.now, -14 * 1440).toISOString()
  const { rows } = await sql<MessageCount>`select (sent_at at time zone 'Asia/Shanghai')::date::text as day, channel, count(*)::int as sent, count(read_at)::int as read, count(revoked_at)::int as revoked
    from (select sent_at, channel, read_at, revoked_at from reminder where sent_at > ${from}::timestamptz
      union all select sent_at, channel, read_at, null from notice_message where sent_at > ${from}::timestamptz) as message
    where sent_at <= ${ctx.now.toISOString()}::timestamptz group by 1, 2 order by 1 desc, 2`.execute(db)
  return rows
}
