/**
 * The sweep behind referrals: what is no longer valid expires, and where nobody acted in time the next one of the state's list is told
 * (steps.ts), who may then act too. One transaction a referral, so it may be killed anywhere; a step that comes at the same moment wins or
 * loses under the patient's lock. Nothing is told twice: the row says how many have been.
 */
import { platform } from '../../access/principal.ts'
import type { Ctx } from '../../ctx.ts'
import { addMinutes } from '../../fhir/date-time.ts'
import { writeNotices } from '../../notices/write-notices.ts'
import type { Store } from '../../records/store.ts'
import type { Db, Trx } from '../../storage/pool.ts'
import { inTransaction } from '../../storage/transaction.ts'
import { noticeTo } from './notices.ts'
import { changeReferral, lockReferral, logReferral, type ReferralRow } from './rows.ts'
import { states } from './steps.ts'
import { numbersOf, takeStep } from './take-step.ts'

const referralsPerRun = 1000

/** @returns how many referrals expired or were escalated. */
export async function escalateReferrals(db: Db, ctx: Ctx, store: Store): Promise<number> {
  const now = ctx.now.toISOString()
  const due = await db.selectFrom('referral').select('id').where((eb) => eb.or([
    eb('escalate_at', '<=', now), eb.and([eb('expires_at', '<=', now), eb('state', 'in', ['requested', 'returned', 'accepted', 'no-place'])]),
  ])).orderBy('id').limit(referralsPerRun).execute()
  let done = 0
  for (const { id } of due) if (await inTransaction(db, (trx) => sweepOne(trx, { ...ctx, principal: platform }, store, id))) done++
  return done
}

async function sweepOne(trx: Trx, ctx: Ctx, store: Store, id: string): Promise<boolean> {
  const row = await lockReferral(trx, id)
  if (!row) return false
  if (states[row.state].expires && Date.parse(row.expires_at) <= ctx.now.getTime()) {
    await takeStep(trx, ctx, store, row, 'expire')
    return true
  }
  if (row.escalate_at === null || Date.parse(row.escalate_at) > ctx.now.getTime()) return false
  await tellNext(trx, ctx, row)
  return true
}

async function tellNext(trx: Trx, ctx: Ctx, row: ReferralRow): Promise<void> {
  const { owner, escalation } = states[row.state]
  const next = escalation[row.escalation]
  const numbers = await numbersOf(trx, ctx, row)
  const more = row.escalation + 1 < escalation.length
  const changed = await changeReferral(trx, ctx, row, {
    escalation: next === undefined ? row.escalation : row.escalation + 1,
    escalate_at: more ? addMinutes(ctx.now, numbers['referral.escalateHours'] * 60).toISOString() : null,
  })
  if (next === undefined) return
  await logReferral(trx, ctx, { referral: row.id, step: 'escalate', from: row.state, to: row.state })
  // The owner is told too that the next one knows.
  await writeNotices(trx, ctx, [noticeTo(next, 'referral-overdue', changed), ...(owner === null || owner === next ? [] : [noticeTo(owner, 'referral-late', changed)])])
}
