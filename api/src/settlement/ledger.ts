/**
 * Our ledger of settlements, append-only and double-entry. One row moves an amount from a payer's account to `provider`, so
 * every settlement sums to zero by its shape: a trigger that sums rows is not possible on distributed tables, and this form
 * needs none. A reversal posts the same pairs the other way round.
 */
import type { Ctx } from '../ctx.ts'
import { payingCategories, type Split } from '../fhir/claim-message.ts'
import type { Trx } from '../storage/pool.ts'
import type { Visit } from './visit.ts'

/** @param sign 1 settles, -1 reverses. */
export async function postSettlement(
  trx: Trx, ctx: Ctx, about: { visit: Visit; attemptId: string; messageId: string }, split: Split, sign: 1 | -1,
): Promise<void> {
  const { visit, attemptId, messageId } = about
  const rows = payingCategories.filter((category) => split[category] > 0n).map((category) => ({
    shard: visit.shard, id: ctx.newId(visit.shard), encounter: visit.encounterKey, attempt: attemptId, message_id: messageId,
    organization_id: visit.organizationId, amount_fen: split[category], recorded_at: ctx.now,
    ...(sign === 1 ? { debit_account: category, credit_account: 'provider' } : { debit_account: 'provider', credit_account: category }),
  }))
  if (rows.length > 0) await trx.insertInto('ledger_entry').values(rows).execute()
}
