/** The inbox of a recipient, newest first. Who may read whose is decided by the caller (http/inbox.ts). */
import type { Ctx } from '../ctx.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { NoticeTable } from '../storage/tables.ts'
import type { Notice } from './shapes.ts'

const noticesMax = 200

export type Recipient = { kind: NoticeTable['recipient_kind']; id: string }

export async function readNotices(db: Db, ctx: Ctx, { kind, id }: Recipient): Promise<Notice[]> {
  const rows = await db.selectFrom('notice').select(['id', 'kind', 'params', 'appointment', 'created_at', 'read_at'])
    .where('recipient', '=', id).where('recipient_kind', '=', kind).where('created_at', '<=', ctx.now.toISOString())
    .orderBy('created_at', 'desc').orderBy('id', 'desc').limit(noticesMax).execute()
  return rows.map((row) => ({
    id: row.id, kind: row.kind, params: row.params as Notice['params'], appointment: row.appointment, at: row.created_at, read: row.read_at !== null,
  }))
}

/** Marks all notices of an inbox as read. @returns how many were not before. */
export async function markNoticesRead(trx: Trx, ctx: Ctx, { kind, id }: Recipient): Promise<number> {
  const done = await trx.updateTable('notice').set({ read_at: ctx.now }).where('recipient', '=', id).where('recipient_kind', '=', kind)
    .where('read_at', 'is', null).where('created_at', '<=', ctx.now.toISOString()).executeTakeFirst()
  return Number(done.numUpdatedRows)
}
