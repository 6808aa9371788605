/**
 * The centre's ledger. A row moves an amount from one account to another, so it sums to zero whatever is written. What a fund
 * or an account pays is owed to the institution: debit the payer, credit `provider`. Append-only; a reversal posts the same
 * pairs the other way round.
 */
import type { Ctx } from '../ctx.ts'
import { fundCategories, type Split } from '../fhir/claim-message.ts'
import { insertMany } from '../storage/insert-many.ts'
import type { InsurerTrx } from '../storage/pool.ts'
import type { Scheme } from './enrolment.ts'

export interface Entry { debit: string; credit: string; amountFen: bigint }

/** National fund codes (fund_pay_type) by scheme; what a category has no code for stays under 999997, other. */
const fundCodes: Record<Scheme, Record<string, string>> = {
  310: { pool: '310100', supplementary: '330100', aid: '610100' },
  390: { pool: '390100', critical: '390200', aid: '610100' },
}

/**
 * What the institution gets from funds and accounts; what the patient pays in cash does not pass through the centre. Of a person
 * treated elsewhere the money is owed to the centre there, which pays the institution.
 * @param treatingRegion null when treated here.
 */
export function settlementEntries(scheme: Scheme, psnNo: string, split: Split, treatingRegion: string | null): Entry[] {
  const credit = treatingRegion === null ? 'provider' : regionAccount(treatingRegion)
  const funds = fundCategories.map((category) => ({ debit: `fund:${fundCodes[scheme][category] ?? '999997'}:${category}`, credit, amountFen: split[category] }))
  const accounts = (['account-current', 'account-prior'] as const).map((category) => ({ debit: `account:310200:${category}:${psnNo}`, credit, amountFen: split[category] }))
  return [...funds, ...accounts].filter((entry) => entry.amountFen > 0n)
}

/** What we owe the centre of a region, or it owes us. */
export function regionAccount(region: string): string {
  return `region:${region}`
}

interface About { messageId: string; kind: 'settle' | 'reverse'; provider: string }

export async function postEntries(trx: InsurerTrx, ctx: Ctx, about: About, entries: readonly Entry[]): Promise<void> {
  await insertMany(trx, 'fund_entry', entryRows(ctx, about, entries))
}

export function entryRows(ctx: Ctx, { messageId, kind, provider }: About, entries: readonly Entry[]) {
  return entries.map((entry) => ({
    id: ctx.newId(null), message_id: messageId, kind, provider, debit_account: entry.debit, credit_account: entry.credit, amount_fen: entry.amountFen, recorded_at: ctx.now, clearing: null,
  }))
}
