/**
 * Attempts to settle or reverse, and the states they go through: prepared → sent → confirmed | rejected | unknown, and
 * unknown → resolved (adopted or reversed). Each step is an update that names the state it expects, so that of two that race
 * only one goes on. Invariant (settlement_attempt_active): a bill has one undecided attempt at most.
 */
import { sql } from 'kysely'
import type { Selectable } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { addMinutes, addSeconds } from '../fhir/date-time.ts'
import { plainArray } from '../storage/array-literal.ts'
import { batched, perDatabase } from '../storage/batched.ts'
import { insertMany, rowsOfTable } from '../storage/insert-many.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { SettlementAttemptTable } from '../storage/tables.ts'

export type AttemptRow = Selectable<SettlementAttemptTable>
type AttemptState = AttemptRow['state']

/** How soon the centre is asked again about an attempt whose end we do not know: six times after 10 s, then every minute. */
export function askAfterSeconds(tries: number): number {
  return tries < 6 ? 10 : 60
}

/** An attempt that is still undecided so long after it was made is a person's task as well. */
const deadlineMinutes = 30

export function isLate(ctx: Ctx, attempt: Pick<AttemptRow, 'created_at'>): boolean {
  return attempt.created_at <= addMinutes(ctx.now, -deadlineMinutes).toISOString()
}

type NewAttempt = Pick<AttemptRow, 'shard' | 'id' | 'encounter' | 'kind' | 'message_id' | 'claim_id' | 'request' | 'request_hash'> & { idempotency_key?: string | null }

export async function insertAttempts(trx: Trx, attempts: readonly { ctx: Ctx; attempt: NewAttempt }[]): Promise<void> {
  await insertMany(trx, 'settlement_attempt', attempts.map(({ ctx, attempt }) => ({ idempotency_key: null, ...attempt, state: 'prepared', created_at: ctx.now, principal_id: ctx.principal.id })), ['request'])
}

export type AttemptKey = Pick<AttemptRow, 'shard' | 'id'>

/** Of several workers, the one whose update finds the row as it was read goes on. A sent attempt becomes unknown. */
export async function leaseAttempt(db: Db, ctx: Ctx, attempt: AttemptRow): Promise<AttemptRow | null> {
  const state = attempt.state === 'sent' ? 'unknown' : attempt.state
  const tries = attempt.tries + 1
  const query = db.updateTable('settlement_attempt').set({ state, tries, ask_at: addSeconds(ctx.now, askAfterSeconds(tries)) })
    .where('shard', '=', attempt.shard).where('id', '=', attempt.id).where('state', '=', attempt.state).where('tries', '=', attempt.tries)
  const done = await query.executeTakeFirst()
  return done.numUpdatedRows === 1n ? { ...attempt, state, tries } : null
}

/** @returns false when the attempt is no longer in one of the expected states: somebody else went on with it. */
export async function moveAttempt(
  db: Db, key: AttemptKey, from: readonly AttemptState[], to: Partial<Pick<AttemptRow, 'state' | 'resolution' | 'reason' | 'answer' | 'asked' | 'response_id'>> & { sent_at?: Date; ask_at?: Date; decided_at?: Date },
): Promise<boolean> {
  const done = await db.updateTable('settlement_attempt').set(to)
    .where('shard', '=', key.shard).where('id', '=', key.id).where('state', 'in', [...from]).executeTakeFirst()
  return done.numUpdatedRows === 1n
}

/** Committed before the message goes out. Attempts that are sent together are one statement. */
export async function markSent(db: Db, ctx: Ctx, key: AttemptKey): Promise<boolean> {
  return sentJoined(db, { ...key, at: ctx.now })
}

const sentJoined = perDatabase((db: Db) => batched<AttemptKey & { at: Date }, boolean>({
  max: 64,
  run: async (sent) => {
    const { rows } = await sql<{ id: string }>`update settlement_attempt a set state = 'sent', sent_at = u.sent_at
      from ${rowsOfTable('settlement_attempt', sent.map(({ id, shard, at }) => ({ id, shard, sent_at: at })))} as u
      where a.id = u.id and a.shard = u.shard and a.state = 'prepared' returning a.id`.execute(db)
    const moved = new Set(rows.map((row) => row.id))
    return sent.map(({ id }) => moved.has(id))
  },
}))

/**
 * Said before the message of an attempt is reversed for want of an answer: from then on it can only end reversed, whatever the centre
 * says in between, because the reversal may still be on its way.
 */
export async function markUndone(db: Db, ctx: Ctx, key: AttemptKey): Promise<boolean> {
  const done = await db.updateTable('settlement_attempt').set({ undo_at: sql`coalesce(undo_at, ${ctx.now})` })
    .where('shard', '=', key.shard).where('id', '=', key.id).where('state', 'in', ['sent', 'unknown']).executeTakeFirst()
  return done.numUpdatedRows === 1n
}

/** Of the call that sent it: the centre will be asked about it soon. */
export async function markUnknown(db: Db, ctx: Ctx, key: AttemptKey, reason: string): Promise<boolean> {
  return moveAttempt(db, key, ['sent'], { state: 'unknown', reason, ask_at: addSeconds(ctx.now, askAfterSeconds(0)) })
}

/** Of an attempt that is still undecided, locked; null when it has been decided meanwhile. */
export async function lockUndecided(trx: Trx, key: AttemptKey): Promise<AttemptRow | null> {
  return await trx.selectFrom('settlement_attempt').selectAll().where('shard', '=', key.shard).where('id', '=', key.id)
    .where('state', 'in', ['prepared', 'sent', 'unknown']).forUpdate().executeTakeFirst() ?? null
}

/** Of several attempts those that were sent and are undecided, locked, by id; without those that another transaction holds. */
export async function lockSent(trx: Trx, keys: readonly AttemptKey[]): Promise<Map<string, AttemptRow>> {
  const { rows } = await sql<AttemptRow>`select a.* from ${keysOf(keys)} join settlement_attempt a on a.id = u.id and a.shard = u.shard
    where a.state in ('sent', 'unknown') order by a.id for update of a skip locked`.execute(trx)
  return new Map(rows.map((row) => [row.id, row]))
}

const keysOf = (keys: readonly AttemptKey[]) => sql`unnest(${plainArray(keys.map(({ id }) => id))}::uuid[], ${plainArray(keys.map(({ shard }) => shard))}::int[]) as u (id, shard)`

type AttemptEnd = AttemptKey & { state: string; resolution: string | null; answer: string; decided_at: Date; response_id: string | null }

/** Of attempts that are locked and undecided. @throws Error when one of them was not: its settlement must not stand then. */
export async function endAttempts(trx: Trx, ends: readonly AttemptEnd[]): Promise<void> {
  const { numAffectedRows } = await sql`update settlement_attempt a set (state, resolution, answer, decided_at, response_id) = row(u.state, u.resolution, u.answer, u.decided_at, u.response_id)
    from ${rowsOfTable('settlement_attempt', ends, ['answer'])} as u where a.id = u.id and a.shard = u.shard and a.state in ('sent', 'unknown')`.execute(trx)
  if (numAffectedRows !== BigInt(ends.length)) throw new Error('An attempt was decided while its answer was adopted.')
}

/** Undecided attempts that somebody should look at: unsent or unanswered for 30 s, or due to be asked about; the longest due first. */
export async function dueAttempts(db: Db, ctx: Ctx, limit: number): Promise<AttemptRow[]> {
  const stale = addSeconds(ctx.now, -30).toISOString()
  return db.selectFrom('settlement_attempt').selectAll()
    .where((eb) => eb.or([
      eb.and([eb('state', 'in', ['prepared', 'sent']), eb(sql<string>`coalesce(sent_at, created_at)`, '<=', stale)]),
      eb.and([eb('state', '=', 'unknown'), eb('ask_at', '<=', ctx.now.toISOString())]),
    ])).orderBy(sql`coalesce(ask_at, created_at)`).limit(limit).execute()
}
