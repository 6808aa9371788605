/**
 * The claim of a visit as it stands, and the attempt to settle it: committed with its message id, the bill being `settling`, before
 * anything leaves the house. Attempts that are made together share a transaction; what one may not do does not touch the others, and
 * nobody waits there for the bill of another.
 */
import type { Claim } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { sha256Hex } from '../crypto.ts'
import { fail, OutcomeError } from '../fhir/outcome.ts'
import { batched, perDatabase } from '../storage/batched.ts'
import { rowsOfTable } from '../storage/insert-many.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { AttemptRequest } from './adopt-answer.ts'
import { type AttemptRow, insertAttempts } from './attempt-rows.ts'
import { assertBillIsOpen, assertLines, type BillLineRow, billLines, type BillRow, linesAt, lockBill, lockBills, pendingSentence } from './bill-rows.ts'
import { claimOf, keptClaim, newMessageId } from './claim-resource.ts'
import { coverageMissing } from './self-pay.ts'
import { visitToSettle } from './upload-details.ts'
import { type StepRow, standingSteps, stepsAt } from './visit-steps.ts'
import { type Insurance, insuranceOn, insurancesOn, type Visit } from './visit.ts'

export interface ClaimBasis { lines: BillLineRow[]; insurance: Insurance | null; steps: StepRow[] }
interface PreparedClaim { insurance: Insurance; messageId: string; visitNumber: string | null; claim: Claim }

export async function loadBasis(db: Db, visit: Visit): Promise<ClaimBasis> {
  const [lines, insurance, steps] = await Promise.all([billLines(db, visit), insuranceOn(db, visit), standingSteps(db, visit)])
  return { lines, insurance, steps }
}

/** The claim of a visit as it stands; the bill row is locked by the caller when it will be settled. */
export function prepareClaim(ctx: Ctx, visit: Visit, use: 'claim' | 'predetermination', totalFen: bigint, { lines, insurance, steps }: ClaimBasis): PreparedClaim {
  assertLines(lines, totalFen)
  if (!insurance) throw coverageMissing()
  const { institutionCode } = visit
  if (institutionCode === null) throw fail('business-rule', { zh: '该医疗机构不是医保定点机构，不能联网结算。', en: 'This institution is not designated by the insurer, so the visit can not be settled online.' })
  const messageId = newMessageId(institutionCode, ctx.now, ctx.newId)
  const visitNumber = visitToSettle(steps, visit, insurance, lines, use === 'claim')
  return { insurance, messageId, visitNumber, claim: claimOf({ visit, institutionCode, insurance, lines, messageId, use, visitNumber, at: ctx.now }) }
}

export type PreparedAttempt = Pick<AttemptRow, 'shard' | 'id' | 'encounter' | 'message_id'>
interface Prepared { attempt: PreparedAttempt; claim: Claim }
interface Preparing { ctx: Ctx; visit: Visit; key: string | null }

/** Throws as `$submit`. */
export async function prepareJoined(db: Db, ctx: Ctx, visit: Visit, key: string | null): Promise<Prepared> {
  const result = await joined(db, { ctx, visit, key })
  if (result === 'alone') return prepareAttempt(db, ctx, visit, key)
  if ('refused' in result) throw result.refused
  return result
}

/** In a transaction of its own; waits for the bill, and makes it when it is not there. */
export async function prepareAttempt(db: Db, ctx: Ctx, visit: Visit, key: string | null = null): Promise<Prepared> {
  return inTransaction(db, async (trx) => {
    const bill = await lockBill(trx, ctx, visit)
    assertBillIsOpen(bill)
    const made = attemptOf({ ctx, visit, key }, bill, await loadBasis(trx, visit))
    await keep(trx, [made])
    return { attempt: made.row, claim: made.claim }
  })
}

const joinedMax = 16
const joined = perDatabase((db: Db) => batched<Preparing, Prepared | { refused: OutcomeError } | 'alone'>({
  max: joinedMax, keyOf: ({ visit }) => visit.encounterKey, run: (members) => inTransaction(db, (trx) => prepareMany(trx, members)), runAlone: () => Promise.resolve('alone'),
}))

async function prepareMany(trx: Trx, members: readonly Preparing[]): Promise<(Prepared | { refused: OutcomeError } | 'alone')[]> {
  const visits = members.map(({ visit }) => visit)
  const bills = await lockBills(trx, visits)
  const [lines, insurances, steps] = [await linesAt(trx, visits), await insurancesOn(trx, visits), await stepsAt(trx, visits)]
  const results = members.map((member, index) => {
    const bill = bills.get(member.visit.encounterKey)
    if (!bill) return 'alone'
    try {
      assertBillIsOpen(bill)
      return attemptOf(member, bill, { lines: lines[index] ?? [], insurance: insurances[index] ?? null, steps: steps[index] ?? [] })
    } catch (error) {
      if (error instanceof OutcomeError) return { refused: error }
      throw error
    }
  })
  await keep(trx, results.filter((each) => typeof each === 'object' && 'row' in each))
  return results.map((each) => (typeof each === 'object' && 'row' in each ? { attempt: each.row, claim: each.claim } : each))
}

interface Made { ctx: Ctx; row: PreparedAttempt; claim: Claim; claimId: string; request: string; key: string | null; visitNumber: string | null }

function attemptOf({ ctx, visit, key }: Preparing, bill: Pick<BillRow, 'total_fen'>, basis: ClaimBasis): Made {
  const { claim, messageId, insurance, visitNumber } = prepareClaim(ctx, visit, 'claim', bill.total_fen, basis)
  const claimId = ctx.newId(visit.shard)
  const request = JSON.stringify({ sent: claim, kept: keptClaim(claim, claimId, visit, insurance), encounterId: visit.encounterId, fromHome: ctx.principal.kind === 'person' && ctx.principal.role === 'citizen' } satisfies AttemptRequest)
  return { ctx, claim, claimId, request, key, visitNumber, row: { shard: visit.shard, id: ctx.newId(visit.shard), encounter: visit.encounterKey, message_id: messageId } }
}

async function keep(trx: Trx, made: readonly Made[]): Promise<void> {
  if (made.length === 0) return
  await insertAttempts(trx, made.map(({ ctx, row, claim, claimId, request, key }) => ({
    ctx, attempt: { ...row, kind: 'settle' as const, idempotency_key: key, claim_id: claimId, request, request_hash: sha256Hex(JSON.stringify(claim)) },
  })))
  await sql`update bill b set state = 'settling', visit_number = u.visit_number, message_zh = ${pendingSentence.zh}, message_en = ${pendingSentence.en}, updated_at = u.updated_at
    from ${rowsOfTable('bill', made.map(({ ctx, row, visitNumber }) => ({ shard: row.shard, encounter: row.encounter, visit_number: visitNumber, updated_at: ctx.now })))} as u
    where b.shard = u.shard and b.encounter = u.encounter`.execute(trx)
}
