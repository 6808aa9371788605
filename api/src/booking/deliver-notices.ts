/**
 * The sweep behind notices to patients: each is looked at as soon as it is written, and what cannot wait in the portal goes out by the person's
 * channels (notice-delivery.ts), one transaction a notice. A question is handed over while its booking is locked against change: who answers
 * waits that moment, or the message is not sent. A crash after the hand-over does it again with the same id, which the channel knows.
 * Locks: booking, notice, messages.
 */
import type { Selectable } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { addMinutes } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import type { Channels } from '../notices/channels.ts'
import type { Notice } from '../notices/shapes.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { NoticeTable } from '../storage/tables.ts'
import { placeOf } from './board.ts'
import { deliveryOf, nextDelivery, saidUntil, type Weight } from './notice-delivery.ts'
import { noticeText } from './notice-text.ts'
import { oneByOne } from './one-by-one.ts'
import { type ParameterPlace, parametersFor } from './parameters.ts'
import { reachOf } from './reach.ts'
import { selectSessions } from './session-rows.ts'

const noticesPerBatch = 200
/** A channel that fails is asked again after this. */
const retryMinutes = 2
/** Of what no clinic stands behind. */
const anywhere: ParameterPlace = { region: '', organization: '', department: '', healthcareService: '' }

interface Due { id: string; shard: number }

/** @returns how many messages were handed over. */
export async function deliverNotices(db: Db, ctx: Ctx, channels: Channels): Promise<number> {
  return oneByOne(db, {
    name: 'notices', batch: noticesPerBatch,
    due: () => db.selectFrom('notice').select(['id', 'shard']).where('wake_at', '<=', ctx.now.toISOString()).orderBy('wake_at').limit(noticesPerBatch).execute(),
    follow: (trx, each) => deliver(trx, ctx, channels, each), putOff: (trx, each) => setWake(trx, each, addMinutes(ctx.now, retryMinutes)),
  })
}

async function deliver(trx: Trx, ctx: Ctx, channels: Channels, due: Due): Promise<number> {
  const notice = await trx.selectFrom('notice').selectAll().where('id', '=', due.id).where('shard', '=', due.shard).executeTakeFirstOrThrow()
  const delivery = deliveryOf(notice.kind)
  if (delivery === null || notice.recipient_kind !== 'patient') return setWake(trx, due, null)
  const params = notice.params as Notice['params']
  const { settled, place } = await standing(trx, notice, delivery.weight)
  const person = { pid: keyOf(notice.recipient), patient: notice.recipient }
  const reach = await reachOf(trx, ctx, person, channels)
  const sent = await trx.selectFrom('notice_message').select(['channel', 'read_at', 'read_by']).where('notice', '=', notice.id).where('shard', '=', notice.shard).orderBy('sent_at').orderBy('id').execute()
  const step = nextDelivery({
    now: ctx.now, weight: delivery.weight, until: saidUntil(delivery, params, new Date(notice.created_at)), settled: settled || notice.read_at !== null, channels: reach.channels,
    sent: sent.map((each) => ({ channel: each.channel, read: each.read_at !== null, readBy: each.read_by === null ? null : new Date(each.read_by) })),
    numbers: await parametersFor(trx, place, ctx.now),
  })
  await setWake(trx, due, step.wakeAt)
  if (!step.send) return 0
  const { channel, readBy } = step.send
  const id = keyOf(`notice ${notice.id} ${channel}`)
  await trx.insertInto('notice_message').values({ shard: notice.shard, id, notice: notice.id, pid: person.pid, channel, sent_at: ctx.now, read_by: readBy }).execute()
  await channels[channel]?.send({
    id, pid: person.pid, address: reach.addresses[channel] as string, language: reach.language, at: ctx.now, appointment: channel === 'app' ? notice.appointment : null,
    body: noticeText(notice.kind, params, channel, reach.language),
  })
  return 1
}

/** Whether a question has been answered or another was asked since, and whose numbers count: those of the clinic it is about. Only a question holds its booking still. */
async function standing(trx: Trx, { id, recipient, appointment, created_at }: Selectable<NoticeTable>, weight: Weight): Promise<{ settled: boolean; place: ParameterPlace }> {
  if (appointment === null) return { settled: weight === 'question', place: anywhere }
  const row = await trx.selectFrom('booking').select(['state', 'choose_until', 'session_id', 'shard']).where('id', '=', keyOf(appointment)).$if(weight === 'question', (one) => one.forShare()).executeTakeFirst()
  const session = row ? await selectSessions(trx).where('s.id', '=', row.session_id).where('s.shard', '=', row.shard).executeTakeFirst() : undefined
  const open = row !== undefined && (row.state === 'offered' || (row.choose_until !== null && (row.state === 'held' || row.state === 'booked')))
  const place = session ? placeOf(session) : anywhere
  if (weight !== 'question' || !open) return { settled: weight === 'question', place }
  const later = await trx.selectFrom('notice').select('kind').where('recipient', '=', recipient).where('recipient_kind', '=', 'patient').where('appointment', '=', appointment)
    .where('id', '<>', id).where('created_at', '>', created_at).execute()
  return { settled: later.some(({ kind }) => deliveryOf(kind)?.weight === 'question'), place }
}

async function setWake(trx: Trx, { id, shard }: Due, at: Date | null): Promise<0> {
  await trx.updateTable('notice').set({ wake_at: at }).where('id', '=', id).where('shard', '=', shard).execute()
  return 0
}
