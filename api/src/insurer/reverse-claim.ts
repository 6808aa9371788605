/**
 * Undoes a settlement: gives accumulators and account back, posts the fund entries the other way round. Idempotent: asked
 * again, it gives the first answer. A message nobody knows is barred (`void`), so that it can't be settled when it arrives
 * late. Source: trade 2601 of the national interface, docs/settlement.md § When something goes wrong.
 */
import type { ClaimResponse } from '@medplum/fhirtypes'
import type { Selectable } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { messageIdPattern, splitOf } from '../fhir/claim-message.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import type { InsurerDb, InsurerTrx } from '../storage/pool.ts'
import type { ClaimTable } from '../storage/tables.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { Centre } from './centre.ts'
import { reversalResponse } from './claim-response.ts'
import { postEntries } from './fund-entries.ts'
import { lockMessage } from './submit-claim.ts'

type ClaimRow = Selectable<ClaimTable>

/** Throws OutcomeError value-invalid, and not-found for a message of another client. */
export async function reverseClaim(db: InsurerDb, ctx: Ctx, centre: Centre, messageId: string): Promise<ClaimResponse> {
  if (!messageIdPattern.test(messageId)) {
    throw fail('value-invalid', { zh: '报文编号格式不正确。', en: 'This is no message id.' }, 'Claim.id')
  }
  return inTransaction(db, async (trx) => {
    await lockMessage(trx, messageId)
    const claim = await trx.selectFrom('claim').selectAll().where('message_id', '=', messageId).forUpdate().executeTakeFirst()
    if (!claim) return barMessage(trx, ctx, centre, messageId)
    if (claim.client_id !== ctx.principal.id) throw notFound(`Claim/${messageId}`)
    if (claim.reversal !== null) return JSON.parse(claim.reversal) as ClaimResponse
    return undo(trx, ctx, centre, claim)
  })
}

async function barMessage(trx: InsurerTrx, ctx: Ctx, centre: Centre, messageId: string): Promise<ClaimResponse> {
  const id = ctx.newId(null)
  const reversal = reversalResponse(id, messageId, null, null, centre.region, ctx.now)
  await trx.insertInto('claim').values({
    message_id: messageId, client_id: ctx.principal.id, state: 'void', body_hash: null, psn_no: null, scheme: null, year_from: null, service_date: null,
    policy: null, content: null, response_id: null, response: null, received_at: ctx.now, reversed_at: ctx.now, reversal_id: id, reversal: JSON.stringify(reversal),
    provider: null, insured_region: null, treating_region: null, medical_type: null, stay: null, settled_day: null, reversed_day: dayInShanghai(ctx.now),
  }).execute()
  return reversal
}

async function undo(trx: InsurerTrx, ctx: Ctx, centre: Centre, claim: ClaimRow): Promise<ClaimResponse> {
  const original = JSON.parse(claim.response ?? '{}') as ClaimResponse
  const settled = claim.state === 'settled'
  if (settled) {
    await giveBack(trx, claim)
    const entries = await trx.selectFrom('fund_entry').select(['debit_account', 'credit_account', 'provider', 'amount_fen'])
      .where('message_id', '=', claim.message_id).where('kind', '=', 'settle').execute()
    await postEntries(trx, ctx, { messageId: claim.message_id, kind: 'reverse', provider: entries[0]?.provider ?? '' },
      entries.map((entry) => ({ debit: entry.credit_account, credit: entry.debit_account, amountFen: entry.amount_fen })))
  }
  const id = ctx.newId(null)
  const reversal = reversalResponse(id, claim.message_id, original, settled ? splitOf(original.total) : null, centre.region, ctx.now)
  await trx.updateTable('claim').set({ state: 'reversed', reversed_at: ctx.now, reversed_day: dayInShanghai(ctx.now), reversal_id: id, reversal: JSON.stringify(reversal) })
    .where('message_id', '=', claim.message_id).execute()
  return reversal
}

/** The person's row is locked first, as in a settlement, so that the two never wait for each other. */
async function giveBack(trx: InsurerTrx, claim: ClaimRow): Promise<void> {
  const psnNo = claim.psn_no ?? ''
  await trx.updateTable('insured_person').set((eb) => ({
    account_current_fen: eb('account_current_fen', '+', claim.account_current_fen), account_prior_fen: eb('account_prior_fen', '+', claim.account_prior_fen),
  })).where('psn_no', '=', psnNo).execute()
  await trx.updateTable('accumulator').set((eb) => ({
    deductible_outpatient_fen: eb('deductible_outpatient_fen', '-', claim.deductible_outpatient_fen),
    deductible_inpatient_fen: eb('deductible_inpatient_fen', '-', claim.deductible_inpatient_fen),
    above_deductible_fen: eb('above_deductible_fen', '-', claim.above_deductible_fen),
    outpatient_above_fen: eb('outpatient_above_fen', '-', claim.outpatient_above_fen),
    above_cap_fen: eb('above_cap_fen', '-', claim.above_cap_fen),
    self_fen: eb('self_fen', '-', claim.self_fen),
    aid_fen: eb('aid_fen', '-', claim.aid_fen),
  })).where('psn_no', '=', psnNo).where('scheme', '=', claim.scheme ?? 0).where('year_from', '=', claim.year_from ?? '').execute()
}
