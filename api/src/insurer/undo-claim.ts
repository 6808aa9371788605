/**
 * What a reversal does to the rows: accumulators and account get back exactly what the settlement used, the fund entries are posted
 * the other way round, a message that never came is barred.
 */
import type { ClaimResponse } from '@medplum/fhirtypes'
import { type Selectable, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { splitOf } from '../fhir/claim-message.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import type { InsurerTrx } from '../storage/pool.ts'
import type { ClaimTable } from '../storage/tables.ts'
import type { Centre } from './centre.ts'
import { reversalResponse } from './claim-response.ts'
import { postEntries } from './fund-entries.ts'

type ClaimRow = Selectable<ClaimTable>

/** A message nobody knows is barred (`void`). @param given the reversal of another centre, kept as it is; null: our own. */
export async function barMessage(trx: InsurerTrx, ctx: Ctx, centre: Centre, messageId: string, given: ClaimResponse | null = null): Promise<ClaimResponse> {
  const reversal = given ?? reversalResponse(ctx.newId(null), messageId, null, null, centre.region, ctx.now)
  await trx.insertInto('claim').values({
    message_id: messageId, client_id: ctx.principal.id, state: 'void', body_hash: null, psn_no: null, scheme: null, year_from: null, service_date: null,
    policy: null, content: null, response_id: null, response: null, received_at: ctx.now, reversed_at: ctx.now, reversal_id: reversal.id ?? null, reversal: JSON.stringify(reversal),
    provider: null, insured_region: null, treating_region: null, medical_type: null, stay: null, visit: null, settled_day: null, reversed_day: dayInShanghai(ctx.now),
  }).execute()
  return reversal
}

/** Gives everything back that a claim used. @param given as in `barMessage`. */
export async function undo(trx: InsurerTrx, ctx: Ctx, centre: Centre, claim: ClaimRow, given: ClaimResponse | null = null): Promise<ClaimResponse> {
  const original = JSON.parse(claim.response ?? '{}') as ClaimResponse
  const settled = claim.state === 'settled'
  if (settled) {
    await giveBack(trx, claim)
    const entries = await trx.selectFrom('fund_entry').select(['debit_account', 'credit_account', 'provider', 'amount_fen'])
      .where('message_id', '=', claim.message_id).where('kind', '=', 'settle').execute()
    await postEntries(trx, ctx, { messageId: claim.message_id, kind: 'reverse', provider: entries[0]?.provider ?? '' },
      entries.map((entry) => ({ debit: entry.credit_account, credit: entry.debit_account, amountFen: entry.amount_fen })))
  }
  const reversal = given ?? reversalResponse(ctx.newId(null), claim.message_id, original, settled ? splitOf(original.total) : null, centre.region, ctx.now)
  await trx.updateTable('claim').set({ state: 'reversed', reversed_at: ctx.now, reversed_day: dayInShanghai(ctx.now), reversal_id: reversal.id ?? null, reversal: JSON.stringify(reversal) })
    .where('message_id', '=', claim.message_id).execute()
  return reversal
}

/** The person's row is locked first, as in a settlement, so that the two never wait for each other. */
async function giveBack(trx: InsurerTrx, claim: ClaimRow): Promise<void> {
  const { psn_no: psnNo, scheme, year_from: yearFrom } = claim
  // Handed on to another centre, which keeps the person.
  if (psnNo === null || scheme === null || yearFrom === null) return
  // What the account of a year paid that has turned since is given to the account of earlier years.
  await sql`update insured_person set
      account_current_fen = account_current_fen + case when account_year > ${claim.settled_day}::date then 0 else ${claim.account_current_fen}::int8 end,
      account_prior_fen = account_prior_fen + ${claim.account_prior_fen}::int8 + case when account_year > ${claim.settled_day}::date then ${claim.account_current_fen}::int8 else 0 end
    where psn_no = ${psnNo}`.execute(trx)
  await trx.updateTable('accumulator').set((eb) => ({
    deductible_outpatient_fen: eb('deductible_outpatient_fen', '-', claim.deductible_outpatient_fen),
    deductible_inpatient_fen: eb('deductible_inpatient_fen', '-', claim.deductible_inpatient_fen),
    above_deductible_fen: eb('above_deductible_fen', '-', claim.above_deductible_fen),
    outpatient_above_fen: eb('outpatient_above_fen', '-', claim.outpatient_above_fen),
    above_cap_fen: eb('above_cap_fen', '-', claim.above_cap_fen),
    self_fen: eb('self_fen', '-', claim.self_fen),
    aid_fen: eb('aid_fen', '-', claim.aid_fen),
  })).where('psn_no', '=', psnNo).where('scheme', '=', scheme).where('year_from', '=', yearFrom).execute()
}
