/**
 * Putting a difference right: a person of the desk, freshly proved, posts the entries that were proposed. The centre's list is read
 * again first, so that nothing is posted on what is no longer so. Once: the difference is the key of the correction and of its ledger
 * entries. The bill of a visit is not changed but says what was corrected; settling, voiding or undoing it there is a step of its own.
 */
import { assertStepUp } from '../../access/step-up.ts'
import type { Ctx } from '../../ctx.ts'
import { readDayList } from '../../fhir/clearing-message.ts'
import { fail, type OutcomeError } from '../../fhir/outcome.ts'
import { shardOf } from '../../fhir/id.ts'
import type { Store } from '../../records/store.ts'
import type { Db, Trx } from '../../storage/pool.ts'
import { inTransaction } from '../../storage/transaction.ts'
import type { SettlementGateway } from '../gateway.ts'
import { postEntries } from '../ledger.ts'
import { closeDifferences, type DifferenceRow } from './difference-rows.ts'
import type { DifferenceClass, ProposedEntry } from './differences.ts'
import { assertMonthOpen } from './months.ts'

interface Deps { db: Db; store: Store; gateway: SettlementGateway }

const postable: readonly DifferenceClass[] = ['centre-only', 'ours-only', 'amount', 'state', 'till-short', 'till-over']
const stepUpMinutes = 5

interface Amounts { totalFen: bigint; fundFen: bigint; accountFen: bigint; cashFen: bigint }
const nothing: Amounts = { totalFen: 0n, fundFen: 0n, accountFen: 0n, cashFen: 0n }

/** Throws OutcomeError step-up-required, business-rule, conflict, period-closed, insurer-unreachable. */
export async function postCorrection({ db, store, gateway }: Deps, ctx: Ctx, row: DifferenceRow, reason: string): Promise<void> {
  if (ctx.principal.kind === 'person') assertStepUp(ctx, stepUpMinutes)
  if (!postable.includes(row.class)) throw fail('business-rule', { zh: '这类差异没有更正分录。', en: 'There is nothing to post for a difference of this kind.' })
  const scheme = row.kind === 'till' ? '' : await schemeNow(db, gateway, row)
  await inTransaction(db, async (trx) => {
    if (await closeDifferences(trx, ctx, store, [row.id], reason, ctx.principal.name) === 0) throw changed()
    await assertMonthOpen(trx, row.institution, row.day)
    const [ours, theirs] = [amountsOf(row.ours), amountsOf(row.theirs)]
    await trx.insertInto('correction').values({
      difference: row.id, institution: row.institution, organization_id: row.organization_id, day: row.day, scheme, reason, posted_by: ctx.principal.id, posted_at: ctx.now,
      count: (row.theirs === null ? 0 : 1) - (row.ours === null ? 0 : 1), total_fen: theirs.totalFen - ours.totalFen, fund_fen: theirs.fundFen - ours.fundFen,
      account_fen: theirs.accountFen - ours.accountFen, cash_fen: theirs.cashFen - ours.cashFen,
    }).execute()
    await post(trx, ctx, row)
  })
}

async function post(trx: Trx, ctx: Ctx, row: DifferenceRow): Promise<void> {
  const event = await trx.selectFrom('settlement_event').select(['shard', 'encounter']).where('message_id', '=', row.message_id).where('institution', '=', row.institution).executeTakeFirst()
  const pairs = (JSON.parse(row.entries) as ProposedEntry[]).map(({ debit, credit, fen }) => ({ debit, credit, fen: BigInt(fen) }))
  await postEntries(trx, ctx, { shard: event?.shard ?? shardOf(row.id), encounter: event?.encounter ?? null, attempt: row.id, messageId: row.message_id, organizationId: row.organization_id }, pairs)
}

/** The scheme of the message; what the list of the day says now must be what the difference says. */
async function schemeNow(db: Db, gateway: SettlementGateway, row: DifferenceRow): Promise<string> {
  let there: (Amounts & { scheme: string }) | null = null
  try {
    for await (const line of readDayList(gateway.dayList(row.day, row.institution))) if (line.messageId === row.message_id && line.kind === row.kind) there = line
  } catch (cause) {
    throw Object.assign(fail('insurer-unreachable', { zh: '暂时取不到医保中心当日清单，请稍后再试。', en: 'The centre’s list of the day can not be had at the moment. Please try again later.' }), { cause })
  }
  const said = row.theirs === null ? null : amountsOf(row.theirs)
  if ((said === null) !== (there === null) || (said && there && !sameAmounts(said, there))) throw changed()
  if (there) return there.scheme
  const event = await db.selectFrom('settlement_event').select('scheme').where('message_id', '=', row.message_id).where('institution', '=', row.institution).executeTakeFirst()
  return event?.scheme ?? ''
}

function sameAmounts(one: Amounts, other: Amounts): boolean {
  return one.totalFen === other.totalFen && one.fundFen === other.fundFen && one.accountFen === other.accountFen && one.cashFen === other.cashFen
}

function amountsOf(side: string | null): Amounts {
  if (side === null) return nothing
  const of = JSON.parse(side) as Record<keyof Amounts, string>
  return { totalFen: BigInt(of.totalFen), fundFen: BigInt(of.fundFen), accountFen: BigInt(of.accountFen), cashFen: BigInt(of.cashFen) }
}

function changed(): OutcomeError {
  return fail('conflict', { zh: '差异已经变化或处理，请重新对账后再办。', en: 'The difference has changed or been dealt with. Compare the day again first.' })
}
