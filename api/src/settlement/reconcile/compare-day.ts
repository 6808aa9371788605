/**
 * Our books of a day beside the centre's list: the list streams into a table of this transaction, one full join finds what
 * differs, and only that comes back, so a day of any size needs the memory of its differences. Reads only.
 */
import { sql } from 'kysely'
import { type DayListEnd, dayListLines, readDayList } from '../../fhir/clearing-message.ts'
import { addDays } from '../../fhir/date-time.ts'
import { copyInto } from '../../storage/dialect.ts'
import type { Trx } from '../../storage/pool.ts'
import type { DifferenceFacts, Side } from './differences.ts'

/** Most differences of a day that are looked at one by one; beyond it something else is wrong. */
export const differencesMax = 10_000

export interface DaySums { count: bigint; totalFen: bigint; fundFen: bigint; accountFen: bigint }
export interface FoundDifference { messageId: string; facts: DifferenceFacts }
export interface Comparison { ours: DaySums; theirs: DaySums; differences: FoundDifference[] }

/** The scheme filter is '' for all. */
export interface DayAsked { institution: string; day: string; scheme: string }

/** The centre's list is not there, not whole or can't be read. It is told apart from a fault of ours. */
export class ListFault extends Error {}

/** @param listOf text of the centre's list of a day, in pieces. @throws ListFault. */
export async function compareDay(trx: Trx, asked: DayAsked, listOf: (day: string) => AsyncIterable<string>): Promise<Comparison> {
  const theirs = await takeIn(trx, asked.scheme, listOf(asked.day))
  const ofScheme = (and: string) => (asked.scheme === '' ? sql`` : sql`${sql.raw(and)} scheme = ${asked.scheme}`)
  const ours = sql`(select message_id, kind, settlement_id, total_fen, fund_fen, account_fen, cash_fen from settlement_event where institution = ${asked.institution} and day = ${asked.day} ${ofScheme('and')})`
  const { rows: [ourSums] } = await sql<DaySums>`select ${sums} from ${ours} as rows`.execute(trx)
  const { rows } = await sql<JoinedRow>`select message_id, kind, o.settlement_id as o_id, t.settlement_id as t_id, o.total_fen as o_total, o.fund_fen as o_fund, o.account_fen as o_account, o.cash_fen as o_cash,
      t.total_fen as t_total, t.fund_fen as t_fund, t.account_fen as t_account, t.cash_fen as t_cash
    from ${ours} as o full join (select message_id, kind, settlement_id, total_fen, fund_fen, account_fen, cash_fen from centre_day ${ofScheme('where')}) as t using (message_id, kind)
    where (o.total_fen, o.fund_fen, o.account_fen, o.cash_fen) is distinct from (t.total_fen, t.fund_fen, t.account_fen, t.cash_fen)
    order by message_id, kind limit ${differencesMax}`.execute(trx)
  return { ours: ourSums as DaySums, theirs, differences: rows.length === 0 ? [] : await withFacts(trx, asked, rows, listOf) }
}

const sums = sql`count(*)::int8 as count, coalesce(sum(total_fen), 0)::int8 as "totalFen", coalesce(sum(fund_fen), 0)::int8 as "fundFen", coalesce(sum(account_fen), 0)::int8 as "accountFen"`

/** The list by COPY, whose text form it has, without the columns nobody compares. What a line must be is said by the table. @returns the sums of the scheme. */
async function takeIn(trx: Trx, scheme: string, list: AsyncIterable<string>): Promise<DaySums> {
  await sql`create temp table centre_day (message_id text check (message_id <> ''), kind text check (kind in ('settle', 'reverse')), settlement_id text, scheme text,
    total_fen int8, fund_fen int8, account_fen int8, cash_fen int8, check (total_fen = fund_fen + account_fen + cash_fen)) on commit drop`.execute(trx)
  const end: DayListEnd = { count: -1n, totalFen: 0n }
  try {
    await copyInto(trx, 'copy centre_day from stdin', compared(dayListLines(list, end)))
  } catch (error) {
    // 22: what is no number or no row; 23: what the table does not allow; 25P02: one of them at the end; without a code the list itself broke off.
    const code = (error as { code?: unknown }).code
    if (typeof code === 'string' && !/^(22|23|25P02$)/.test(code)) throw error
    throw new ListFault(code === undefined && error instanceof Error ? error.message : 'A line of the list can not be read.')
  }
  await sql`analyze centre_day`.execute(trx)
  const { rows: [all] } = await sql<DaySums>`select ${sums} from centre_day`.execute(trx)
  if (!all || all.count !== end.count || all.totalFen !== end.totalFen) throw new ListFault('The list does not add up to its last line.')
  return scheme === '' ? all : (await sql<DaySums>`select ${sums} from centre_day where scheme = ${scheme}`.execute(trx)).rows[0] as DaySums
}

/** Lines without `medicalType`, `institution` and `decidedAt`; one with too few columns stays as it is, or falls short, and the table refuses it. To COPY a backslash is the beginning of an escape. */
async function* compared(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const piece of pieces) yield (piece.includes('\\') ? piece.replaceAll('\\', '\\\\') : piece).replaceAll(/^((?:[^\t\n]*\t){4})(?:[^\t\n]*\t){3}/gm, '$1')
}

interface JoinedRow {
  message_id: string; kind: 'settle' | 'reverse'; o_id: string | null; t_id: string | null
  o_total: bigint | null; o_fund: bigint; o_account: bigint; o_cash: bigint
  t_total: bigint | null; t_fund: bigint; t_account: bigint; t_cash: bigint
}

/** The neighbouring days are asked for only when something of today has no partner. */
async function withFacts(trx: Trx, asked: DayAsked, rows: readonly JoinedRow[], listOf: (day: string) => AsyncIterable<string>): Promise<FoundDifference[]> {
  const keys = rows.map((row) => row.message_id)
  const ourOthers = await trx.selectFrom('settlement_event').select(['message_id', 'kind', 'day']).where('institution', '=', asked.institution)
    .where('message_id', 'in', keys).where('day', '<>', asked.day).execute()
  const open = await trx.selectFrom('settlement_attempt').select('message_id').where('message_id', 'in', keys).where('state', 'in', ['prepared', 'sent', 'unknown']).execute()
  const theirOthers = rows.some((row) => row.t_total === null) ? await neighbours(asked, new Set(keys), listOf) : new Set<string>()
  const key = (messageId: string, kind: string) => `${messageId} ${kind}`
  const nextDoorDays = [addDays(asked.day, -1), addDays(asked.day, 1)]
  const oursNextDoor = new Set(ourOthers.filter(({ day }) => nextDoorDays.includes(day)).map((row) => key(row.message_id, row.kind)))
  const oursAnyDay = new Set(ourOthers.map((row) => key(row.message_id, row.kind)))
  const undecided = new Set(open.map((row) => row.message_id))
  const oursToday = new Set((await trx.selectFrom('settlement_event').select('message_id').where('institution', '=', asked.institution).where('message_id', 'in', keys)
    .where('kind', '=', 'settle').execute()).map((row) => row.message_id))
  return rows.map((row) => ({
    messageId: row.message_id,
    facts: {
      ours: row.o_total === null ? null : side(row.kind, row.o_id, row.o_total, row.o_fund, row.o_account, row.o_cash),
      theirs: row.t_total === null ? null : side(row.kind, row.t_id, row.t_total, row.t_fund, row.t_account, row.t_cash),
      nextDoor: row.o_total === null ? oursNextDoor.has(key(row.message_id, row.kind)) : row.t_total === null && theirOthers.has(key(row.message_id, row.kind)),
      settledOnBoth: oursToday.has(row.message_id) || oursAnyDay.has(key(row.message_id, 'settle')),
      undecided: undecided.has(row.message_id),
    },
  }))
}

async function neighbours(asked: DayAsked, wanted: ReadonlySet<string>, listOf: (day: string) => AsyncIterable<string>): Promise<Set<string>> {
  const found = new Set<string>()
  for (const day of [addDays(asked.day, -1), addDays(asked.day, 1)]) {
    for await (const row of readDayList(listOf(day))) if (wanted.has(row.messageId)) found.add(`${row.messageId} ${row.kind}`)
  }
  return found
}

function side(kind: Side['kind'], settlementId: string | null, totalFen: bigint, fundFen: bigint, accountFen: bigint, cashFen: bigint): Side {
  return { kind, settlementId: settlementId ?? '', totalFen, fundFen, accountFen, cashFen }
}
