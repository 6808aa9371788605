/**
 * A month's money (3203): an institution applies with its sums, which must be ours; an officer approves, perhaps less a deduction
 * with its reason, and pays. With another region both sides keep the same sums or nothing. Reversals count in the month in which
 * they were made, so that a cleared month never changes. The payout is one ledger entry.
 */
import type { Parameters, PaymentReconciliation } from '@medplum/fhirtypes'
import { type Kysely, type Selectable, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { clearingNumberSystem, clearingStateUrl } from '../fhir/clearing-message.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { yuan } from '../fhir/money.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import type { InsurerDb, InsurerTrx } from '../storage/pool.ts'
import type { ClearingTable, InsurerTables } from '../storage/tables.ts'
import { inTransaction } from '../storage/transaction.ts'
import { type Centre, peerRegionOf } from './centre.ts'
import { regionAccount } from './fund-entries.ts'
import { handOn } from './peer.ts'
import { isDay } from './read-claim.ts'
import { readSums, sameSums, type Sums, sumsHere } from './reconcile.ts'
import { addMonths } from './transitions.ts'

export type ClearingRow = Selectable<ClearingTable>

/** A month that has ended. Throws OutcomeError value-invalid. */
function readMonth(ctx: Ctx, parameters: Parameters): { month: string; from: string; until: string } {
  const month = text(parameters, 'month')
  if (!isDay(`${month}-01`) || month >= dayInShanghai(ctx.now).slice(0, 7)) {
    throw fail('value-invalid', { zh: '月份须为已结束的 YYYY-MM。', en: 'The month must be YYYY-MM and have ended.' }, "Parameters.parameter.where(name='month')")
  }
  return { month, ...daysOf(month) }
}

function daysOf(month: string): { from: string; until: string } {
  const from = `${month}-01`
  return { from, until: new Date(Date.parse(addMonths(from, 1)) - 86_400_000).toISOString().slice(0, 10) }
}

function text(parameters: Parameters, name: string): string {
  return parameters.parameter?.find((each) => each.name === name)?.valueString ?? ''
}

/** `POST …/$apply`. The same again gets the state as it is now; a refused one may be sent again. Throws OutcomeError value-invalid. */
export async function applyClearing(db: InsurerDb, ctx: Ctx, parameters: Parameters): Promise<PaymentReconciliation> {
  const { month, from, until } = readMonth(ctx, parameters)
  const institution = text(parameters, 'institution')
  const scheme = Number(text(parameters, 'scheme'))
  if (!/^[A-Z0-9]{12}$/.test(institution)) throw fail('value-invalid', { zh: '缺少 12 位机构编码。', en: 'The institution code of 12 characters is missing.' }, "Parameters.parameter.where(name='institution')")
  if (scheme !== 310 && scheme !== 390) throw fail('value-invalid', { zh: '险种须为 310 或 390。', en: 'The scheme must be 310 or 390.' }, "Parameters.parameter.where(name='scheme')")
  const theirs = readSums(parameters)
  return inTransaction(db, async (trx) => {
    const key = { month, direction: 'to-institution' as const, party: institution, scheme }
    await lockClearing(trx, key)
    const ours = await sumsHere(trx, ctx.principal.id, { from, until, institution, scheme })
    return clearingOf(await keepClearing(trx, ctx, key, ours, refusalOf(ours, theirs), 'applied'))
  })
}

type Key = Pick<ClearingRow, 'month' | 'direction' | 'party' | 'scheme'>

async function lockClearing(trx: InsurerTrx, key: Key): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${key.month} ${key.direction} ${key.party} ${key.scheme}`}, 1))`.execute(trx)
}

function refusalOf(ours: Sums, theirs: Sums): string | null {
  return sameSums(ours, theirs) ? null
    : `与中心记录不符 Not our sums: 中心 here ${ours.count} / ${Number(ours.totalFen) / 100} / ${Number(ours.fundFen) / 100} / ${Number(ours.accountFen) / 100}，申请 applied ${theirs.count} / ${Number(theirs.totalFen) / 100} / ${Number(theirs.fundFen) / 100} / ${Number(theirs.accountFen) / 100}`
}

/** A clearing that was decided stays as it is; a refused one is replaced. */
async function keepClearing(trx: InsurerTrx, ctx: Ctx, key: Key, sums: Sums, refusal: string | null, state: 'applied' | 'approved'): Promise<ClearingRow> {
  const earlier = await trx.selectFrom('clearing').selectAll().where('month', '=', key.month).where('direction', '=', key.direction)
    .where('party', '=', key.party).where('scheme', '=', key.scheme).executeTakeFirst()
  if (earlier && earlier.state !== 'refused') return earlier
  if (earlier) await trx.deleteFrom('clearing').where('id', '=', earlier.id).execute()
  return trx.insertInto('clearing').values({
    id: ctx.newId(null), client_id: ctx.principal.id, ...key, state: refusal === null ? state : 'refused', count: sums.count, total_fen: sums.totalFen,
    fund_fen: sums.fundFen, account_fen: sums.accountFen, reason: refusal, applied_at: ctx.now, approved_by: null, paid_by: null, approved_at: refusal === null && state === 'approved' ? ctx.now : null, paid_at: null,
  }).returningAll().executeTakeFirstOrThrow()
}

/** Of the caller. Throws OutcomeError not-found. */
export async function findClearing(db: Kysely<InsurerTables>, ctx: Ctx, id: string): Promise<PaymentReconciliation> {
  const row = await db.selectFrom('clearing').selectAll().where('id', '=', id).where('client_id', '=', ctx.principal.id).executeTakeFirst()
  if (!row) throw notFound(`PaymentReconciliation/${id}`)
  return clearingOf(row)
}

/** applied → approved. @param officer who decides. Throws OutcomeError conflict, value-invalid, not-found. */
export async function approveClearing(db: InsurerDb, ctx: Ctx, id: string, deduction: { fen: bigint; reason: string | null }, officer: string | null = null): Promise<ClearingRow> {
  if (deduction.fen < 0n || (deduction.fen > 0n && !deduction.reason)) throw fail('value-invalid', { zh: '扣减金额须不小于零，并注明原因。', en: 'A deduction is not negative and needs a reason.' })
  return moveClearing(db, id, 'applied', { state: 'approved', approved_at: ctx.now, approved_by: officer, deducted_fen: deduction.fen, reason: deduction.reason }, (row) => {
    if (deduction.fen > row.fund_fen + row.account_fen) throw fail('value-invalid', { zh: '扣减金额超过应付金额。', en: 'The deduction is more than what is due.' })
  })
}

/** approved → paid, with its ledger entry. @param officer who pays. Throws OutcomeError conflict, not-found. */
export async function payClearing(db: InsurerDb, ctx: Ctx, id: string, officer: string | null = null): Promise<ClearingRow> {
  return moveClearing(db, id, 'approved', { state: 'paid', paid_at: ctx.now, paid_by: officer }, async (row, trx) => {
    const fen = row.fund_fen + row.account_fen - row.deducted_fen
    if (fen === 0n) return
    const party = row.direction === 'to-institution' ? 'provider' : regionAccount(row.party)
    // What we pay leaves the bank; what another region owes us comes in. A month of more reversals than settlements turns it round.
    const [debit, credit] = (row.direction === 'owed') === (fen > 0n) ? ['bank', party] : [party, 'bank']
    await trx.insertInto('fund_entry').values({
      id: ctx.newId(null), message_id: null, clearing: row.id, kind: 'pay', debit_account: debit, credit_account: credit, provider: row.party,
      amount_fen: fen < 0n ? -fen : fen, recorded_at: ctx.now,
    }).execute()
  })
}

async function moveClearing(
  db: InsurerDb, id: string, from: ClearingRow['state'], to: { state: ClearingRow['state']; approved_by?: string | null; paid_by?: string | null; approved_at?: Date; paid_at?: Date; deducted_fen?: bigint; reason?: string | null },
  also: (row: ClearingRow, trx: InsurerTrx) => void | Promise<void>,
): Promise<ClearingRow> {
  return inTransaction(db, async (trx) => {
    const row = await trx.selectFrom('clearing').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
    if (!row) throw notFound(`PaymentReconciliation/${id}`)
    if (row.state === to.state) return row
    if (row.state !== from) throw fail('conflict', { zh: `该清算为“${row.state}”状态，不能进行这一步。`, en: `The clearing is ${row.state}, so this step can not be taken.` })
    await also(row, trx)
    return trx.updateTable('clearing').set(to).where('id', '=', id).returningAll().executeTakeFirstOrThrow()
  })
}

/** What of a month another region owes us (`owed`: treated here) or we owe it (`owing`: ours treated there). */
async function regionSums(db: Kysely<InsurerTables>, own: string, region: string, direction: 'owed' | 'owing', days: { from: string; until: string }): Promise<Sums> {
  const [treating, insured] = direction === 'owed' ? [own, region] : [region, own]
  const { rows } = await sql<{ count: bigint; total: bigint; fund: bigint; account: bigint }>`
    select count(*)::int8 as count, coalesce(sum(total_fen * sign), 0)::int8 as total, coalesce(sum(fund_fen * sign), 0)::int8 as fund,
      coalesce(sum((account_current_fen + account_prior_fen) * sign), 0)::int8 as account
    from claim cross join (values (1), (-1)) as way (sign)
    where policy is not null and treating_region = ${treating} and insured_region = ${insured}
      and (case sign when 1 then settled_day else reversed_day end) between ${days.from}::date and ${days.until}::date and (sign = 1 or state = 'reversed')`.execute(db)
  const [row] = rows
  return { count: row?.count ?? 0n, totalFen: row?.total ?? 0n, fundFen: row?.fund ?? 0n, accountFen: row?.account ?? 0n }
}

/** `POST …/$confirm`, from the centre of the place of treatment: are those our sums too? Throws OutcomeError value-invalid, forbidden. */
export async function confirmRegionMonth(db: InsurerDb, ctx: Ctx, centre: Centre, parameters: Parameters): Promise<PaymentReconciliation> {
  const region = peerRegionOf(ctx.principal)
  if (region === null) throw fail('forbidden', { zh: '只有其他统筹区的医保中心可以确认。', en: 'Only the centre of another region may confirm.' })
  const { month, from, until } = readMonth(ctx, parameters)
  const theirs = readSums(parameters)
  return inTransaction(db, async (trx) => {
    const key = { month, direction: 'owing' as const, party: region, scheme: 0 }
    await lockClearing(trx, key)
    const ours = await regionSums(trx, centre.region, region, 'owing', { from, until })
    return clearingOf(await keepClearing(trx, ctx, key, ours, refusalOf(ours, theirs), 'approved'))
  })
}

/** An officer of the place of treatment closes a month with another region. Throws OutcomeError value-invalid, insurer-unreachable. */
export async function clearRegion(db: InsurerDb, ctx: Ctx, centre: Centre, asked: { month: string; region: string }): Promise<ClearingRow> {
  const peer = centre.peers.get(asked.region)
  if (!peer) throw fail('value-invalid', { zh: '没有通往该统筹区的连接。', en: 'There is no way to the centre of that region.' })
  const { month, ...days } = readMonth(ctx, { resourceType: 'Parameters', parameter: [{ name: 'month', valueString: asked.month }] })
  const ours = await regionSums(db, centre.region, asked.region, 'owed', days)
  const answer = await handOn(() => peer.confirmMonth({
    resourceType: 'Parameters', parameter: [
      { name: 'month', valueString: month }, { name: 'count', valueInteger: Number(ours.count) }, { name: 'total', valueMoney: yuan(ours.totalFen) },
      { name: 'fund', valueMoney: yuan(ours.fundFen) }, { name: 'account', valueMoney: yuan(ours.accountFen) },
    ],
  }))
  const state = answer.extension?.find((each) => each.url === clearingStateUrl)?.valueCode
  return inTransaction(db, async (trx) => {
    const key = { month, direction: 'owed' as const, party: asked.region, scheme: 0 }
    await lockClearing(trx, key)
    return keepClearing(trx, ctx, key, ours, state === 'refused' ? answer.disposition ?? 'refused' : null, 'approved')
  })
}

function clearingOf(row: ClearingRow): PaymentReconciliation {
  const { from, until } = daysOf(row.month)
  return {
    resourceType: 'PaymentReconciliation', id: row.id, identifier: [{ system: clearingNumberSystem, value: row.id }], status: 'active',
    extension: [{ url: clearingStateUrl, valueCode: row.state }], period: { start: from, end: until }, created: row.applied_at, paymentDate: (row.paid_at ?? row.applied_at).slice(0, 10),
    outcome: row.state === 'refused' ? 'error' : 'complete', paymentAmount: yuan(row.fund_fen + row.account_fen - row.deducted_fen),
    ...(row.reason === null ? {} : { disposition: row.reason }),
  }
}
