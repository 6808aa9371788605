/**
 * Our ledger of settlements, append-only and double-entry. One row moves an amount from a payer's account to `provider`, so
 * every settlement sums to zero by its shape: a trigger that sums rows is not possible on distributed tables, and this form
 * needs none. A reversal posts the same pairs the other way round.
 */
import type { ClaimResponse } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { payingCategories, settlementIdSystem, type Split } from '../fhir/claim-message.ts'
import { dayAmountsOf } from '../fhir/clearing-message.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { insertMany } from '../storage/insert-many.ts'
import type { Trx } from '../storage/pool.ts'
import type { Visit } from './visit.ts'

interface About { visit: Visit; attemptId: string; messageId: string }

/** @param sign 1 settles, -1 reverses. */
export async function postSettlement(trx: Trx, ctx: Ctx, about: About, split: Split, sign: 1 | -1): Promise<void> {
  await insertMany(trx, 'ledger_entry', ledgerRows(ctx, about, split, sign))
}

/** One row for each who pays. @param sign 1 settles, -1 reverses. */
export function ledgerRows(ctx: Ctx, { visit, attemptId, messageId }: About, split: Split, sign: 1 | -1) {
  return payingCategories.filter((category) => split[category] > 0n).map((category) => ({
    shard: visit.shard, id: ctx.newId(visit.shard), encounter: visit.encounterKey, attempt: attemptId, message_id: messageId,
    organization_id: visit.organizationId, amount_fen: split[category], recorded_at: ctx.now,
    ...(sign === 1 ? { debit_account: category, credit_account: 'provider' } : { debit_account: 'provider', credit_account: category }),
  }))
}

/** One pair: `debit` gets what `credit` gives. Money at the desk: `till-…`, `deposit`, `cash` (what the patient owes). */
export async function postPair(trx: Trx, ctx: Ctx, about: { visit: Visit; attemptId: string; messageId: string }, debit: string, credit: string, amountFen: bigint): Promise<void> {
  const { visit, attemptId, messageId } = about
  await trx.insertInto('ledger_entry').values({
    shard: visit.shard, id: ctx.newId(visit.shard), encounter: visit.encounterKey, attempt: attemptId, message_id: messageId, organization_id: visit.organizationId,
    debit_account: debit, credit_account: credit, amount_fen: amountFen, recorded_at: ctx.now,
  }).execute()
}

type AboutEvent = About & { kind: 'settle' | 'reverse'; medicalType: string; region: string; scheme: string }

/** What the centre decided, as it is compared with its list of the day; a settlement's answer or that of its reversal. */
export async function recordEvent(trx: Trx, ctx: Ctx, about: AboutEvent, answer: ClaimResponse, split: Split): Promise<void> {
  await insertMany(trx, 'settlement_event', [eventRow(ctx, about, answer, split)])
}

export function eventRow(ctx: Ctx, { visit, attemptId, messageId, kind, medicalType, region, scheme }: AboutEvent, answer: ClaimResponse, split: Split) {
  const { totalFen, fundFen, accountFen, cashFen } = dayAmountsOf(split)
  return {
    shard: visit.shard, attempt: attemptId, kind, message_id: messageId, encounter: visit.encounterKey, organization_id: visit.organizationId,
    settlement_id: answer.identifier?.find((each) => each.system === settlementIdSystem)?.value ?? answer.id ?? '',
    institution: visit.institutionCode ?? '', region, scheme, medical_type: medicalType, day: dayInShanghai(ctx.now),
    decided_at: new Date(answer.created), recorded_at: ctx.now, total_fen: totalFen, fund_fen: fundFen, account_fen: accountFen, cash_fen: cashFen,
  }
}

export interface EntryAbout { shard: number; encounter: string | null; attempt: string; messageId: string; organizationId: string }

/** Pairs of one cause; `attempt` is its key, under which no pair of accounts is posted twice. */
export async function postEntries(trx: Trx, ctx: Ctx, { shard, encounter, attempt, messageId, organizationId }: EntryAbout, pairs: readonly { debit: string; credit: string; fen: bigint }[]): Promise<void> {
  if (pairs.length === 0) return
  await trx.insertInto('ledger_entry').values(pairs.map(({ debit, credit, fen }) => ({
    shard, id: ctx.newId(shard), encounter, attempt, message_id: messageId, organization_id: organizationId, debit_account: debit, credit_account: credit, amount_fen: fen, recorded_at: ctx.now,
  }))).execute()
}
