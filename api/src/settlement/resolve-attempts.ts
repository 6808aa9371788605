/**
 * The job that ends what nobody finished: attempts whose process died, whose answer was lost, late or broken. It asks the
 * centre by message id, never sends again: found → adopted; not found three times and for two minutes → reversed there, which
 * also bars a late arrival, and the bill is open again. Runs as often as it likes, on any number of workers.
 * Source: failure table of docs/settlement.md.
 */
import type { Ctx } from '../ctx.ts'
import { addSeconds } from '../fhir/date-time.ts'
import type { Store } from '../records/store.ts'
import type { Db } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { adoptAnswer, refuseBill, reopenBill } from './adopt-answer.ts'
import { askAfterSeconds, type AttemptRow, dueAttempts, lockUndecided, markUnknown, moveAttempt } from './attempt-rows.ts'
import type { SettlementGateway } from './gateway.ts'
import { resumeReversal } from './reverse-settlement.ts'

const attemptsMax = 100
const notFoundMin = 3
const notFoundSecondsMin = 120

interface Deps { db: Db; store: Store; gateway: SettlementGateway }

/** @returns how many attempts came to an end. */
export async function resolveAttempts(deps: Deps, ctx: Ctx): Promise<number> {
  let ended = 0
  for (const attempt of await dueAttempts(deps.db, ctx, attemptsMax)) {
    const leased = await lease(deps.db, ctx, attempt)
    if (leased && await resolve(deps, ctx, leased)) ended++
  }
  return ended
}

/** Of several workers, the one whose update finds the row as it was read goes on. A sent attempt becomes unknown. */
async function lease(db: Db, ctx: Ctx, attempt: AttemptRow): Promise<AttemptRow | null> {
  const state = attempt.state === 'sent' ? 'unknown' : attempt.state
  const query = db.updateTable('settlement_attempt').set({ state, ask_at: addSeconds(ctx.now, askAfterSeconds) })
    .where('shard', '=', attempt.shard).where('id', '=', attempt.id).where('state', '=', attempt.state)
  const done = await (attempt.ask_at === null ? query.where('ask_at', 'is', null) : query.where('ask_at', '=', attempt.ask_at)).executeTakeFirst()
  return done.numUpdatedRows === 1n ? { ...attempt, state } : null
}

async function resolve(deps: Deps, ctx: Ctx, attempt: AttemptRow): Promise<boolean> {
  if (attempt.kind === 'reverse') return resumeReversal(deps, ctx, attempt)
  // Marked as sent before sending: a prepared attempt never left the house.
  if (attempt.state === 'prepared') return end(deps.db, ctx, attempt, { state: 'rejected', reason: 'never sent' })
  const finding = await deps.gateway.ask(attempt.message_id)
  if (finding.kind === 'unknown') return later(deps.db, ctx, attempt, finding.reason)
  if (finding.kind === 'found') {
    const adoption = await adoptAnswer(deps.db, ctx, deps.store, attempt, finding.response)
    return adoption.kind === 'broken' ? reverseThere(deps, ctx, attempt, adoption.reason) : true
  }
  const asked = attempt.asked + 1
  await moveAttempt(deps.db, attempt, ['unknown'], { asked })
  const since = attempt.sent_at ?? attempt.created_at
  const longEnough = addSeconds(ctx.now, -notFoundSecondsMin).toISOString() >= since
  return asked >= notFoundMin && longEnough ? reverseThere(deps, ctx, attempt, 'the centre does not know the message') : false
}

/** Makes sure that nothing is settled there, now or later, then opens the bill. */
async function reverseThere({ db, gateway }: Deps, ctx: Ctx, attempt: AttemptRow, reason: string): Promise<boolean> {
  const answer = await gateway.reverse(attempt.message_id)
  if (answer.kind === 'answer' && answer.response.status === 'cancelled') return end(db, ctx, attempt, { state: 'resolved', resolution: 'reversed', reason })
  if (answer.kind === 'rejected') return refuse(db, ctx, attempt, answer.reason)
  return later(db, ctx, attempt, answer.kind === 'answer' ? 'the reversal is broken' : answer.reason)
}

async function end(db: Db, ctx: Ctx, attempt: AttemptRow, to: { state: 'rejected' | 'resolved'; resolution?: 'reversed'; reason: string }): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    if (!await lockUndecided(trx, attempt)) return false
    await moveAttempt(trx, attempt, ['prepared', 'unknown'], { ...to, decided_at: ctx.now })
    await reopenBill(trx, ctx, attempt)
    return true
  })
}

/** The centre will not even undo it: people must look. The bill stays refused with the reason. */
async function refuse(db: Db, ctx: Ctx, attempt: AttemptRow, reason: string): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    if (!await lockUndecided(trx, attempt)) return false
    await moveAttempt(trx, attempt, ['unknown'], { state: 'rejected', reason, decided_at: ctx.now })
    await refuseBill(trx, ctx, attempt, { zh: `医保中心未受理：${reason}`, en: `The insurance centre refused: ${reason}` })
    return true
  })
}

async function later(db: Db, ctx: Ctx, attempt: AttemptRow, reason: string): Promise<false> {
  await markUnknown(db, ctx, attempt, reason)
  return false
}
