/**
 * Attempts to settle or reverse, and the states they go through: prepared → sent → confirmed | rejected | unknown, and
 * unknown → resolved (adopted or reversed). Each step is an update that names the state it expects, so that of two that race
 * only one goes on. Invariant (settlement_attempt_active): a bill has one undecided attempt at most.
 */
import { sql } from 'kysely'
import type { Selectable } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { addSeconds } from '../fhir/date-time.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { SettlementAttemptTable } from '../storage/tables.ts'

export type AttemptRow = Selectable<SettlementAttemptTable>
type AttemptState = AttemptRow['state']

/** How soon the centre is asked about an attempt whose end we do not know. */
export const askAfterSeconds = 10

export async function insertAttempt(
  trx: Trx, ctx: Ctx, attempt: Pick<AttemptRow, 'shard' | 'id' | 'encounter' | 'kind' | 'message_id' | 'claim_id' | 'request' | 'request_hash'>,
): Promise<void> {
  await trx.insertInto('settlement_attempt').values({
    ...attempt, state: 'prepared', resolution: null, reason: null, answer: null, created_at: ctx.now, sent_at: null, ask_at: null, decided_at: null,
    principal_id: ctx.principal.id,
  }).execute()
}

export type AttemptKey = Pick<AttemptRow, 'shard' | 'id'>

/** @returns false when the attempt is no longer in one of the expected states: somebody else went on with it. */
export async function moveAttempt(
  db: Db, key: AttemptKey, from: readonly AttemptState[], to: Partial<Pick<AttemptRow, 'state' | 'resolution' | 'reason' | 'answer' | 'asked'>> & { sent_at?: Date; ask_at?: Date; decided_at?: Date },
): Promise<boolean> {
  const done = await db.updateTable('settlement_attempt').set(to)
    .where('shard', '=', key.shard).where('id', '=', key.id).where('state', 'in', [...from]).executeTakeFirst()
  return done.numUpdatedRows === 1n
}

export async function markSent(db: Db, ctx: Ctx, key: AttemptKey): Promise<boolean> {
  return moveAttempt(db, key, ['prepared'], { state: 'sent', sent_at: ctx.now })
}

export async function markUnknown(db: Db, ctx: Ctx, key: AttemptKey, reason: string): Promise<boolean> {
  return moveAttempt(db, key, ['sent', 'unknown'], { state: 'unknown', reason, ask_at: addSeconds(ctx.now, askAfterSeconds) })
}

/** Of an attempt that is still undecided, locked; null when it has been decided meanwhile. */
export async function lockUndecided(trx: Trx, key: AttemptKey): Promise<AttemptRow | null> {
  return await trx.selectFrom('settlement_attempt').selectAll().where('shard', '=', key.shard).where('id', '=', key.id)
    .where('state', 'in', ['prepared', 'sent', 'unknown']).forUpdate().executeTakeFirst() ?? null
}

/** Undecided attempts that somebody should look at: unsent or unanswered for 30 s, or due to be asked about. */
export async function dueAttempts(db: Db, ctx: Ctx, limit: number): Promise<AttemptRow[]> {
  const stale = addSeconds(ctx.now, -30).toISOString()
  return db.selectFrom('settlement_attempt').selectAll()
    .where((eb) => eb.or([
      eb.and([eb('state', 'in', ['prepared', 'sent']), eb(sql<string>`coalesce(sent_at, created_at)`, '<=', stale)]),
      eb.and([eb('state', '=', 'unknown'), eb('ask_at', '<=', ctx.now.toISOString())]),
    ])).orderBy('created_at').limit(limit).execute()
}
