/**
 * The cashier's desk: what is to be settled, in doubt, to be taken or given back; the day as it stands and its close. Every entry
 * says how it stands; what is to be done follows from that. Closing compares the money counted with the books; a surplus or
 * shortage becomes a difference like those with the centre.
 */
import { recordEvents } from '../audit/record-event.ts'
import type { Ctx } from '../ctx.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import type { Store } from '../records/store.ts'
import type { Db } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { BillRow } from './bill-rows.ts'
import { isLate } from './attempt-rows.ts'
import { dueFen, mayTakeMoney } from './payments.ts'
import { summaryOf } from './read-bill.ts'
import { closeDifferences, type DifferenceRow, type NewDifference, openDifferences, ownDifference } from './reconcile/difference-rows.ts'
import { differenceClasses, type ProposedEntry } from './reconcile/differences.ts'
import type { SettlementGateway } from './gateway.ts'
import { postCorrection } from './reconcile/corrections.ts'
import type { DeskBill, DeskDay, DeskWork, DifferenceShape, TillChannel, TillCount } from './shapes.ts'
import { loadInstitution } from './visit.ts'

const billsMax = 200
export const tillChannels = ['cash', 'card', 'mobile'] as const satisfies readonly TillChannel[]

/** Throws OutcomeError sign-in-required, not-found. @returns the institution the caller works for. */
export async function deskOf(db: Db, ctx: Ctx, organizationId: string): Promise<{ id: string; code: string }> {
  const institution = mayTakeMoney(ctx, organizationId) ? await loadInstitution(db, organizationId) : null
  if (!institution) throw notFound(`Organization/${organizationId}`)
  return institution
}

/** Bills that want something of the cashier, oldest first in each list. Throws as `deskOf`. */
export async function readWork(db: Db, ctx: Ctx, organizationId: string): Promise<DeskWork> {
  await deskOf(db, ctx, organizationId)
  const at = db.selectFrom('bill').selectAll().where('organization_id', '=', organizationId)
  const toSettle = await at.where('state', 'in', ['open', 'refused', 'reversed']).where('total_fen', '>', 0n).orderBy('service_date', 'desc').orderBy('encounter').limit(billsMax).execute()
  const doubtful = await at.where('state', '=', 'settling').orderBy('updated_at').limit(billsMax).execute()
  const unbalanced = await at.where((eb) => eb('paid_fen', '<>', eb.case().when('state', '=', 'settled').then(eb.ref('cash_fen')).else(0n).end())).orderBy('updated_at').limit(billsMax).execute()
  const deposits = await at.where('deposit_fen', '>', 0n).orderBy('updated_at').limit(billsMax).execute()
  const attempts = doubtful.length === 0 ? [] : await db.selectFrom('settlement_attempt').select(['encounter', 'kind', 'created_at', 'ask_at', 'tries'])
    .where('encounter', 'in', doubtful.map(({ encounter }) => encounter)).where('state', 'in', ['prepared', 'sent', 'unknown']).execute()
  const rows = [...toSettle, ...doubtful, ...unbalanced, ...deposits]
  await recordEvents(db, ctx, [...new Set(rows.map((row) => row.pid))].map((pid) => ({ action: 'R', interaction: 'bills', resourceType: 'Invoice', resourceId: null, pid, detail: null, outcome: 200 })))
  return {
    toSettle: toSettle.map((row) => deskBill(row)),
    inDoubt: doubtful.map((row) => {
      const attempt = attempts.find((each) => each.encounter === row.encounter)
      return { ...deskBill(row), doubt: attempt ? { kind: attempt.kind, since: attempt.created_at, askAt: attempt.ask_at, tries: attempt.tries, late: isLate(ctx, attempt) } : null }
    }),
    toBalance: unbalanced.map((row) => deskBill(row)),
    deposits: deposits.map((row) => deskBill(row)),
  }
}

function deskBill(row: BillRow): DeskBill {
  return { ...summaryOf(row), dueFen: Number(dueFen(row)), paidFen: Number(row.paid_fen), depositFen: Number(row.deposit_fen), updatedAt: row.updated_at, doubt: null }
}

/** A day of the desk: money by channel, settlements, the comparison with the centre, what is open. Throws as `deskOf`. */
export async function readDay(db: Db, ctx: Ctx, organizationId: string, day: string): Promise<DeskDay> {
  const { id, code } = await deskOf(db, ctx, organizationId)
  const settled = await db.selectFrom('settlement_event').select(['kind', (eb) => eb.fn.countAll<bigint>().as('count'), (eb) => eb.fn.sum<string>('total_fen').as('total'), (eb) => eb.fn.sum<string>('fund_fen').as('fund'), (eb) => eb.fn.sum<string>('account_fen').as('account')])
    .where('institution', '=', code).where('organization_id', '=', id).where('day', '=', day).groupBy('kind').execute()
  const sums = (kind: 'settle' | 'reverse') => {
    const row = settled.find((each) => each.kind === kind)
    return { count: Number(row?.count ?? 0), totalFen: Number(row?.total ?? 0), fundFen: Number(row?.fund ?? 0), accountFen: Number(row?.account ?? 0) }
  }
  const compared = await db.selectFrom('reconciliation_day').selectAll().where('institution', '=', code).where('day', '=', day).where('scheme', '=', '').executeTakeFirst()
  const closed = await db.selectFrom('desk_day').selectAll().where('organization_id', '=', id).where('day', '=', day).executeTakeFirst()
  return {
    day, expected: await expectedOf(db, id, day), settled: sums('settle'), reversed: sums('reverse'),
    comparison: compared ? {
      state: compared.state, reason: compared.reason, at: compared.compared_at, ourCount: Number(compared.our_count), theirCount: Number(compared.their_count),
      ourTotalFen: Number(compared.our_total_fen), theirTotalFen: Number(compared.their_total_fen),
    } : null,
    closed: closed ? { at: closed.closed_at, by: closed.closed_by, counted: JSON.parse(closed.counted) as TillCount } : null,
    differences: (await openAndOf(db, code, day)).map((row) => differenceShape(ctx, row)),
  }
}

/** What each channel holds of a day: taken less given back. */
async function expectedOf(db: Db, organizationId: string, day: string): Promise<TillCount> {
  const rows = await db.selectFrom('payment').select(['kind', 'channel', (eb) => eb.fn.sum<string>('amount_fen').as('fen')]).where('organization_id', '=', organizationId).where('day', '=', day).groupBy(['kind', 'channel']).execute()
  const of = (channel: TillChannel) => rows.filter((row) => row.channel === channel).reduce((sum, row) => sum + (row.kind === 'payment' || row.kind === 'deposit' ? 1 : -1) * Number(row.fen), 0)
  return { cash: of('cash'), card: of('card'), mobile: of('mobile') }
}

/** Open ones of all days, and all of this day. */
async function openAndOf(db: Db, institution: string, day: string): Promise<DifferenceRow[]> {
  return db.selectFrom('difference').selectAll().where('institution', '=', institution)
    .where((eb) => eb.or([eb('state', '=', 'open'), eb('day', '=', day)])).orderBy('day').orderBy('opened_at').orderBy('id').limit(500).execute()
}

function differenceShape(ctx: Ctx, row: DifferenceRow): DifferenceShape {
  const about = differenceClasses[row.class]
  const side = (text: string | null) => (text === null ? null : JSON.parse(text) as { totalFen: string; fundFen: string; accountFen: string; cashFen: string })
  const shown = (text: string | null) => {
    const found = side(text)
    return found && { totalFen: Number(found.totalFen), fundFen: Number(found.fundFen), accountFen: Number(found.accountFen), cashFen: Number(found.cashFen) }
  }
  return {
    id: row.id, day: row.day, class: row.class, name: about.name, action: about.action, messageId: row.message_id, atRiskFen: Number(row.at_risk_fen),
    ageDays: Math.floor((ctx.now.getTime() - Date.parse(row.opened_at)) / 86_400_000), state: row.state, owner: row.owner_name, ours: shown(row.ours), theirs: shown(row.theirs),
    entries: (JSON.parse(row.entries) as ProposedEntry[]).map(({ debit, credit, fen }) => ({ debit, credit, fen: Number(fen) })), reason: row.reason, closedBy: row.closed_by,
  }
}

/** Throws OutcomeError period-closed, value-invalid, and as `deskOf`. A day is closed once; a miscount is a difference with a reason. */
export async function closeDay({ db, store }: { db: Db; store: Store }, ctx: Ctx, organizationId: string, day: string, counted: TillCount): Promise<DeskDay> {
  const { id, code } = await deskOf(db, ctx, organizationId)
  if (day > dayInShanghai(ctx.now)) throw fail('value-invalid', { zh: '不能为将来的日期日结。', en: 'A day that lies ahead can not be closed.' }, 'day')
  await inTransaction(db, async (trx) => {
    const expected = await expectedOf(trx, id, day)
    const closed = await trx.insertInto('desk_day').values({ organization_id: id, day, counted: JSON.stringify(counted), expected: JSON.stringify(expected), closed_at: ctx.now, closed_by: ctx.principal.name })
      .onConflict((conflict) => conflict.doNothing()).executeTakeFirst()
    if (Number(closed.numInsertedOrUpdatedRows ?? 0n) === 0) throw fail('period-closed', { zh: '这一天已经日结。', en: 'This day is closed already.' })
    await openDifferences(trx, ctx, store, tillDifferences(code, id, day, expected, counted))
  })
  return readDay(db, ctx, organizationId, day)
}

/** Pure. */
export function tillDifferences(institution: string, organizationId: string, day: string, expected: TillCount, counted: TillCount): NewDifference[] {
  return tillChannels.flatMap((channel) => {
    const apart = counted[channel] - expected[channel]
    if (apart === 0) return []
    const till = `till-${channel}`
    const fen = String(Math.abs(apart))
    return [{
      institution, organizationId, day, messageId: channel, kind: 'till', class: apart < 0 ? 'till-short' as const : 'till-over' as const, ours: null, theirs: null, atRiskFen: BigInt(fen),
      entries: [apart < 0 ? { debit: 'till-difference', credit: till, fen } : { debit: till, credit: 'till-difference', fen }],
    }]
  })
}

/** Takes a difference on oneself, signs for it with a reason, or posts its proposed entries. Throws OutcomeError not-found, conflict, and as `deskOf` and `postCorrection`. */
export async function actOnDifference({ db, store, gateway }: { db: Db; store: Store; gateway: SettlementGateway }, ctx: Ctx, organizationId: string, id: string, act: { action: 'take' } | { action: 'sign-off' | 'post'; reason: string }): Promise<DifferenceShape> {
  const { code } = await deskOf(db, ctx, organizationId)
  if (act.action === 'post') {
    await postCorrection({ db, store, gateway }, ctx, await own(db, code, id), act.reason)
    return differenceShape(ctx, await own(db, code, id))
  }
  return inTransaction(db, async (trx) => {
    const row = await own(trx, code, id)
    const done = act.action === 'take' ? await ownDifference(trx, ctx, store, row.id) : await closeDifferences(trx, ctx, store, [row.id], act.reason, ctx.principal.name) > 0
    if (!done) throw fail('conflict', { zh: '这笔差异已经处理，请刷新。', en: 'This difference has been dealt with. Reload.' })
    return differenceShape(ctx, await own(trx, code, id))
  })
}

async function own(trx: Db, institution: string, id: string): Promise<DifferenceRow> {
  const row = await trx.selectFrom('difference').selectAll().where('id', '=', id).where('institution', '=', institution).executeTakeFirst()
  if (!row) throw notFound('Difference')
  return row
}
