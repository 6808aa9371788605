/** How a person wants to be told: channels in their order and language. Nobody who set nothing goes without: app, then message, then call. */
import type { Ctx } from '../ctx.ts'
import { shardOf } from '../fhir/id.ts'
import { fail } from '../fhir/outcome.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { channelNames } from './channels.ts'
import type { ChannelName, ContactPreference } from './shapes.ts'

export async function contactPreference(db: Db, pid: string): Promise<ContactPreference> {
  const row = await db.selectFrom('contact_preference').select(['channels', 'language']).where('pid', '=', pid).where('shard', '=', shardOf(pid)).executeTakeFirst()
  return row ? { channels: row.channels as ChannelName[], language: row.language } : { channels: [...channelNames], language: 'zh' }
}

/** @throws OutcomeError `parameter-invalid` for a channel named twice. */
export async function setContactPreference(trx: Trx, ctx: Ctx, pid: string, { channels, language }: ContactPreference): Promise<void> {
  if (new Set(channels).size !== channels.length) throw fail('parameter-invalid', { zh: '同一种方式只能选一次。', en: 'Name each channel once.' }, 'channels')
  const row = { channels, language, set_by: ctx.principal.id, set_at: ctx.now }
  await trx.insertInto('contact_preference').values({ shard: shardOf(pid), pid, ...row })
    .onConflict((conflict) => conflict.columns(['pid', 'shard']).doUpdateSet(row)).execute()
}
