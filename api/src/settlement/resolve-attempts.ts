/**
 * The job that ends what nobody finished: attempts whose process died, whose answer was lost, late or broken. It asks the
 * centre by message id, never sends again: found → adopted; not found three times and for two minutes → reversed there, which
 * also bars a late arrival, and the bill is open again. Runs as often as it likes, on any number of workers; several attempts at
 * a time, so that a centre that hangs delays the others little. One that is still undecided at its deadline becomes a task of people.
 * Source: failure table of docs/settlement.md.
 */
import type { Ctx } from '../ctx.ts'
import { addSeconds, dayInShanghai } from '../fhir/date-time.ts'
import { fenOf } from '../fhir/money.ts'
import type { Store } from '../records/store.ts'
import type { Db } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { adoptAnswer, type AttemptRequest, reopenBill } from './adopt-answer.ts'
import { type AttemptRow, dueAttempts, isLate, leaseAttempt, lockUndecided, markUndone, moveAttempt } from './attempt-rows.ts'
import type { SettlementGateway } from './gateway.ts'
import { closeDifferences, openDifferences } from './reconcile/difference-rows.ts'
import { resumeReversal } from './reverse-settlement.ts'
import { loadVisit } from './visit.ts'

const attemptsMax = 100
const atOnce = 8
const notFoundMin = 3
const notFoundSecondsMin = 120

interface Deps { db: Db; store: Store; gateway: SettlementGateway }

/**
 * @returns how many attempts came to an end.
 * @throws the first fault of an attempt, after all others have had their turn.
 */
export async function resolveAttempts(deps: Deps, ctx: Ctx): Promise<number> {
  const due = await dueAttempts(deps.db, ctx, attemptsMax)
  let ended = 0
  let fault: unknown
  const worker = async () => {
    for (let attempt = due.shift(); attempt; attempt = due.shift()) {
      try {
        const leased = await leaseAttempt(deps.db, ctx, attempt)
        if (!leased) continue
        if (await resolve(deps, ctx, leased)) {
          ended++
          if (leased.escalated_at !== null) await tellEnd(deps, ctx, leased)
        } else if (leased.escalated_at === null && isLate(ctx, leased)) await tellPeople(deps, ctx, leased)
      } catch (error) {
        fault ??= error
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  if (fault !== undefined) throw fault
  return ended
}

async function resolve(deps: Deps, ctx: Ctx, attempt: AttemptRow): Promise<boolean> {
  if (attempt.kind === 'reverse') return resumeReversal(deps, ctx, attempt)
  // Marked as sent before sending: a prepared attempt never left the house.
  if (attempt.state === 'prepared') return end(deps.db, ctx, attempt, { state: 'rejected', reason: 'never sent' })
  if (attempt.undo_at !== null) return reverseThere(deps, ctx, attempt, attempt.reason ?? 'reversed for want of an answer')
  const finding = await deps.gateway.ask(attempt.message_id)
  if (finding.kind === 'unknown') return later(deps.db, attempt, finding.reason)
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

/**
 * Makes sure that nothing is settled there, now or later, then opens the bill. As long as the centre does not say so the bill
 * stays blocked: the message may still be on its way.
 */
async function reverseThere({ db, gateway }: Deps, ctx: Ctx, attempt: AttemptRow, reason: string): Promise<boolean> {
  if (!await markUndone(db, ctx, attempt)) return false
  const answer = await gateway.reverse(attempt.message_id)
  if (answer.kind === 'answer' && answer.response.status === 'cancelled') return end(db, ctx, attempt, { state: 'resolved', resolution: 'reversed', reason })
  return later(db, attempt, answer.kind === 'answer' ? 'the reversal is broken' : answer.reason)
}

async function end(db: Db, ctx: Ctx, attempt: AttemptRow, to: { state: 'rejected' | 'resolved'; resolution?: 'reversed'; reason: string }): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    if (!await lockUndecided(trx, attempt)) return false
    await moveAttempt(trx, attempt, ['prepared', 'unknown'], { ...to, decided_at: ctx.now })
    await reopenBill(trx, ctx, attempt)
    return true
  })
}

/** Stays unknown; the lease has said when it is asked about again. */
async function later(db: Db, attempt: AttemptRow, reason: string): Promise<false> {
  await moveAttempt(db, attempt, ['unknown'], { reason })
  return false
}

/** Late: a difference that people own, once. It closes by itself when the attempt ends. */
async function tellPeople({ db, store }: Deps, ctx: Ctx, attempt: AttemptRow): Promise<void> {
  const request = JSON.parse(attempt.request) as AttemptRequest
  await inTransaction(db, async (trx) => {
    if (!await lockUndecided(trx, attempt)) return
    const visit = await loadVisit(trx, request.encounterId)
    if (!visit) return
    await openDifferences(trx, ctx, store, [{
      institution: visit.institutionCode ?? '', organizationId: visit.organizationId, day: dayInShanghai(new Date(attempt.created_at)), messageId: attempt.message_id,
      kind: attempt.kind, class: 'undecided', ours: null, theirs: null, atRiskFen: fenOf(request.sent.total) ?? 0n,
    }])
    await trx.updateTable('settlement_attempt').set({ escalated_at: ctx.now }).where('shard', '=', attempt.shard).where('id', '=', attempt.id).execute()
  })
}

async function tellEnd({ db, store }: Deps, ctx: Ctx, attempt: AttemptRow): Promise<void> {
  await inTransaction(db, async (trx) => {
    const open = await trx.selectFrom('difference').select('id').where('message_id', '=', attempt.message_id).where('class', '=', 'undecided').where('state', '=', 'open').execute()
    await closeDifferences(trx, ctx, store, open.map(({ id }) => id), '中心已答复，结果已定。', null)
  })
}
