/**
 * The outbox of notices: who should know what, written in the transaction of the event, so that none is lost and none is told of what
 * did not happen. A notice has no text: the reader makes it from `kind` and `params`, in their language. What is for a patient is looked at by the
 * worker at once (`wake_at`), which sends what cannot wait by the person's channels (booking/deliver-notices.ts). A key makes a notice that is written once, however often its cause is seen.
 */
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import type { Trx } from '../storage/pool.ts'
import type { NoticeTable } from '../storage/tables.ts'

export interface NewNotice {
  recipient: { kind: NoticeTable['recipient_kind']; id: string }
  /** Key of the sentence in the portal's language files, under `notice`. */
  kind: string
  /** What the sentence needs; no diagnosis, no names of others. */
  params: Record<string, string | number | { zh: string; en: string } | null>
  /** FHIR id of the Appointment it is about. */
  appointment: string | null
  /** A uuid that names the event; left out: every call is an event of its own. */
  key?: string
}

/** @returns how many were new. */
export async function writeNotices(trx: Trx, ctx: Ctx, notices: readonly NewNotice[]): Promise<number> {
  if (notices.length === 0) return 0
  const rows = notices.map((each) => ({ ...each, shard: shardOf(keyOf(each.recipient.id)), id: each.key ?? ctx.newId(shardOf(keyOf(each.recipient.id))) }))
  const result = await sql`insert into notice (shard, id, recipient_kind, recipient, kind, params, appointment, created_at, wake_at)
    select w.shard, w.id, w.recipient_kind, w.recipient, w.kind, w.params::jsonb, w.appointment, ${ctx.now.toISOString()}::timestamptz,
      case when w.recipient_kind = 'patient' then ${ctx.now.toISOString()}::timestamptz end
    from unnest(${rows.map((row) => row.shard)}::int[], ${rows.map((row) => row.id)}::uuid[], ${rows.map((row) => row.recipient.kind)}::text[],
      ${rows.map((row) => row.recipient.id)}::text[], ${rows.map((row) => row.kind)}::text[], ${rows.map((row) => JSON.stringify(row.params))}::text[],
      ${rows.map((row) => row.appointment)}::text[]) as w (shard, id, recipient_kind, recipient, kind, params, appointment)
    on conflict do nothing`.execute(trx)
  return Number(result.numAffectedRows ?? 0n)
}
