/**
 * The job that undoes settlements whose patient's part is not paid in time. Exactly once: the reversal is prepared under the lock of
 * the bill, where it is looked at again, so a payment that came first stands and one that comes later is refused. A reversal without
 * an answer is finished by `resolve-settlements`. One whose month is closed is left to people.
 */
import type { Claim } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { OutcomeError } from '../fhir/outcome.ts'
import { loadResource } from '../records/read-resource.ts'
import { reverseNow } from './reverse-settlement.ts'
import type { SettlementDeps } from './submit-claim.ts'
import { loadVisit } from './visit.ts'

const billsMax = 50

/** @returns how many were undone. @throws the first fault that is no refusal, after all others have had their turn. */
export async function reverseUnpaid(deps: SettlementDeps, ctx: Ctx): Promise<number> {
  const due = await deps.db.selectFrom('bill').select(['encounter_id', 'claim_id']).where('state', '=', 'settled').where('claim_id', 'is not', null)
    .whereRef('cash_fen', '>', 'paid_fen').where('pay_by', '<=', ctx.now.toISOString()).orderBy('pay_by').limit(billsMax).execute()
  let undone = 0
  let fault: unknown
  for (const bill of due) {
    try {
      const visit = await loadVisit(deps.db, bill.encounter_id)
      const claim = await loadResource<Claim>(deps.db, 'Claim', bill.claim_id ?? '')
      if (!visit || !claim) continue
      await reverseNow(deps, ctx, visit, claim, true)
      undone++
    } catch (error) {
      if (!(error instanceof OutcomeError)) fault ??= error
    }
  }
  if (fault !== undefined) throw fault
  return undone
}
