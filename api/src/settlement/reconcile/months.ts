/**
 * Months: closed when every day is compared and nothing is open or unsigned, then applied for at the centre (3203) and followed
 * until paid. A closed month is a row of clearing_month; the database refuses one while a difference is open. Reversing a
 * settlement of a closed month is refused: it is made by hand at the centre.
 */
import type { PaymentReconciliation } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import type { Ctx } from '../../ctx.ts'
import { clearingNumberSystem, clearingStates, clearingStateUrl, type ClearingState } from '../../fhir/clearing-message.ts'
import { addDays, dayInShanghai } from '../../fhir/date-time.ts'
import { fenOf } from '../../fhir/money.ts'
import { fail } from '../../fhir/outcome.ts'
import type { Db, Trx } from '../../storage/pool.ts'
import { inTransaction } from '../../storage/transaction.ts'
import type { ClearingApplication, SettlementGateway } from '../gateway.ts'
import { postClose, postPayout } from './clearing-ledger.ts'
import type { ClearingMonth, Month } from '../shapes.ts'

interface Deps { db: Db; gateway: SettlementGateway }
export interface MonthAsked { institution: string; organizationId: string; /** YYYY-MM */ month: string }

/** How a month stands: days compared, what is open, what was applied for. */
export async function readMonth(db: Db, asked: MonthAsked): Promise<Month> {
  const { from, until } = bounds(asked.month)
  const days = await db.selectFrom('settlement_event as e').leftJoin('reconciliation_day as r', (join) => join.onRef('r.institution', '=', 'e.institution').onRef('r.day', '=', 'e.day').on('r.scheme', '=', ''))
    .select(['e.day', 'r.state']).distinct().where('e.institution', '=', asked.institution).where('e.day', '>=', from).where('e.day', '<', until).orderBy('e.day').execute()
  const open = await db.selectFrom('difference').select([(eb) => eb.fn.countAll<bigint>().as('count'), (eb) => eb.fn.coalesce(eb.fn.sum<string>('at_risk_fen'), sql<string>`0`).as('risk')])
    .where('institution', '=', asked.institution).where('state', '=', 'open').where('day', '>=', from).where('day', '<', until).executeTakeFirstOrThrow()
  const rows = await db.selectFrom('clearing_month').selectAll().where('institution', '=', asked.institution).where('month', '=', from).orderBy('scheme').execute()
  return {
    month: asked.month, openDifferences: Number(open.count), atRiskFen: Number(open.risk), closed: rows.length > 0,
    daysToCompare: days.filter(({ state }) => state === null || state === 'failed').map(({ day }) => day),
    clearings: rows.map((row): ClearingMonth => ({
      scheme: row.scheme, state: row.state, count: Number(row.count), totalFen: Number(row.total_fen), fundFen: Number(row.fund_fen), accountFen: Number(row.account_fen),
      number: row.number, approvedFen: row.approved_fen === null ? null : Number(row.approved_fen), disposition: row.disposition,
    })),
  }
}

/** A closed month with a clearing that the centre sent back is applied for again. Throws OutcomeError period-open, period-closed, bill-empty, parameter-invalid. */
export async function closeMonth(deps: Deps, ctx: Ctx, asked: MonthAsked): Promise<Month> {
  const { from, until } = bounds(asked.month)
  if (dayInShanghai(ctx.now) < until) throw fail('period-open', { zh: '这个月还没有结束，不能关账。', en: 'The month is not over yet.' })
  const month = await readMonth(deps.db, asked)
  if (month.clearings.some(({ state }) => state === 'refused')) {
    await applyMonths(deps, ctx, { ...asked, from })
    return readMonth(deps.db, asked)
  }
  if (month.closed) throw fail('period-closed', { zh: '这个月已经关账。', en: 'The month is closed already.' })
  if (month.daysToCompare.length > 0) throw fail('period-open', { zh: `还有 ${month.daysToCompare.length} 天没有对账：${month.daysToCompare.slice(0, 5).join('、')}。`, en: `${month.daysToCompare.length} days are not compared yet: ${month.daysToCompare.slice(0, 5).join(', ')}.` })
  if (month.openDifferences > 0) throw fail('period-open', { zh: `还有 ${month.openDifferences} 笔差异未处理，请先更正或签字。`, en: `${month.openDifferences} differences are open. Put them right or sign for them first.` })
  await inTransaction(deps.db, (trx) => insertMonth(trx, ctx, asked, from, until))
  await applyMonths(deps, ctx, { ...asked, from })
  return readMonth(deps.db, asked)
}

async function insertMonth(trx: Trx, ctx: Ctx, asked: MonthAsked, from: string, until: string): Promise<void> {
  const sums = await sql<{ scheme: string; count: bigint; total: bigint; fund: bigint; account: bigint }>`select scheme, sum(count)::int8 as count, sum(total_fen)::int8 as total, sum(fund_fen)::int8 as fund, sum(account_fen)::int8 as account from (
      select scheme, 1 as count, total_fen, fund_fen, account_fen from settlement_event where institution = ${asked.institution} and day >= ${from} and day < ${until}
      union all select scheme, count, total_fen, fund_fen, account_fen from correction where institution = ${asked.institution} and scheme <> '' and day >= ${from} and day < ${until}
    ) as line group by scheme`.execute(trx)
  if (sums.rows.length === 0) throw fail('bill-empty', { zh: '这个月没有医保结算，无需清算。', en: 'Nothing was settled in this month, so there is nothing to clear.' })
  await trx.insertInto('clearing_month').values(sums.rows.map((row) => ({
    institution: asked.institution, organization_id: asked.organizationId, month: from, scheme: row.scheme, state: 'reconciled' as const, count: row.count, total_fen: row.total,
    fund_fen: row.fund, account_fen: row.account, number: null, approved_fen: null, disposition: null, closed_at: ctx.now, closed_by: ctx.principal.name, changed_at: ctx.now, in_ledger: true,
  }))).execute()
  for (const { scheme } of sums.rows) await postClose(trx, ctx, { ...asked, scheme }, from, until)
}

const monthsMax = 200

/** The job: applies for months that are closed, and asks how those stand that are not paid; one month, also what was sent back, when named. @returns how many changed. */
export async function applyMonths({ db, gateway }: Deps, ctx: Ctx, only: { institution: string; from: string } | null = null): Promise<number> {
  let query = db.selectFrom('clearing_month').selectAll().where('state', 'in', only ? ['reconciled', 'applied', 'approved', 'refused'] : ['reconciled', 'applied', 'approved'])
  if (only) query = query.where('institution', '=', only.institution).where('month', '=', only.from)
  let changed = 0
  for (const row of await query.orderBy('changed_at').limit(monthsMax).execute()) {
    const application: ClearingApplication = {
      month: row.month.slice(0, 7), institution: row.institution, scheme: row.scheme, count: Number(row.count), totalFen: row.total_fen, fundFen: row.fund_fen, accountFen: row.account_fen,
    }
    const answer = await gateway.applyClearing(application)
    const next = answer && stateOf(answer)
    if (!next || next.state === row.state) continue
    await inTransaction(db, async (trx) => {
      const moved = await trx.updateTable('clearing_month').set({ ...next, changed_at: ctx.now })
        .where('institution', '=', row.institution).where('month', '=', row.month).where('scheme', '=', row.scheme).where('state', '=', row.state).executeTakeFirst()
      if (moved.numUpdatedRows === 0n || next.state !== 'paid' || !row.in_ledger) return
      const dueFen = row.fund_fen + row.account_fen
      await postPayout(trx, ctx, { institution: row.institution, organizationId: row.organization_id, month: row.month.slice(0, 7), scheme: row.scheme }, dueFen, next.approved_fen ?? dueFen)
    })
    changed++
  }
  return changed
}

function stateOf(answer: PaymentReconciliation): { state: ClearingState; number: string | null; approved_fen: bigint | null; disposition: string | null } | null {
  const state = answer.extension?.find((each) => each.url === clearingStateUrl)?.valueCode as ClearingState | undefined
  const number = answer.identifier?.find((each) => each.system === clearingNumberSystem)?.value ?? null
  if (state === undefined || !clearingStates.includes(state) || (number === null && state !== 'refused')) return null
  return { state, number, approved_fen: fenOf(answer.paymentAmount), disposition: answer.disposition ?? null }
}

/** Throws OutcomeError period-closed when a settlement was booked in a month that is closed. */
export async function assertPeriodOpen(trx: Trx, messageId: string, shard: number): Promise<void> {
  const closed = await trx.selectFrom('settlement_event as e').innerJoin('clearing_month as m', (join) => join.onRef('m.institution', '=', 'e.institution').onRef('m.scheme', '=', 'e.scheme'))
    .select('m.month').where('e.message_id', '=', messageId).where('e.shard', '=', shard).where('e.kind', '=', 'settle')
    .whereRef('e.day', '>=', 'm.month').where(sql<boolean>`e.day < m.month + interval '1 month'`).limit(1).executeTakeFirst()
  if (closed) {
    throw fail('period-closed', {
      zh: `这笔结算属于 ${closed.month.slice(0, 7)}，该月已关账清算。请持票据到医保中心办理人工退费。`,
      en: `This settlement belongs to ${closed.month.slice(0, 7)}, which is closed and cleared. The insurance centre undoes it by hand, with the receipt.`,
    })
  }
}

/** Throws OutcomeError period-closed when the month of a day is closed. */
export async function assertMonthOpen(trx: Trx, institution: string, day: string): Promise<void> {
  const closed = await trx.selectFrom('clearing_month').select('month').where('institution', '=', institution).where('month', '=', `${day.slice(0, 7)}-01`).limit(1).executeTakeFirst()
  if (closed) throw fail('period-closed', { zh: `${day.slice(0, 7)} 已关账，不能再更正。`, en: `The month ${day.slice(0, 7)} is closed, so nothing can be corrected in it.` })
}

/** First day and the day after the last. Throws OutcomeError parameter-invalid. */
function bounds(month: string): { from: string; until: string } {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) throw fail('parameter-invalid', { zh: '月份须为 YYYY-MM。', en: 'The month must be YYYY-MM.' }, 'month')
  const from = `${month}-01`
  return { from, until: `${addDays(from, 31).slice(0, 7)}-01` }
}
