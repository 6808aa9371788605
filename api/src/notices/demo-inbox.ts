/** What the demonstration's telephone and app of a person received, newest first, and that a message was read. Who may look is decided by the caller. */
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { shardOf } from '../fhir/id.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { DemoMessage } from './shapes.ts'

const messagesMax = 200

export async function readMessages(db: Db, pid: string): Promise<DemoMessage[]> {
  const rows = await db.selectFrom('demo_message').select(['id', 'channel', 'address', 'language', 'body', 'appointment', 'received_at', 'read_at', 'recalled_at'])
    .where('pid', '=', pid).where('shard', '=', shardOf(pid)).orderBy('received_at', 'desc').orderBy('id').limit(messagesMax).execute()
  return rows.map((row) => ({
    id: row.id, channel: row.channel, address: row.address, language: row.language, body: row.recalled_at === null ? row.body : '', appointment: row.appointment,
    at: row.received_at, read: row.read_at !== null, recalled: row.recalled_at !== null,
  }))
}

/** @returns false when there is no such message of this person. */
export async function markMessageRead(trx: Trx, ctx: Ctx, pid: string, id: string): Promise<boolean> {
  const done = await trx.updateTable('demo_message').set({ read_at: sql`coalesce(read_at, ${ctx.now.toISOString()}::timestamptz)` })
    .where('id', '=', id).where('pid', '=', pid).where('shard', '=', shardOf(pid)).executeTakeFirst()
  return done.numUpdatedRows > 0n
}
