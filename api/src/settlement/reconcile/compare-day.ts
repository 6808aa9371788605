/**
 * Our books of a day beside the centre's list: the list streams into a table of this transaction, one full join finds what
 * differs, and only that comes back, so a day of any size needs the memory of its differences. Reads only.
 */
import { sql } from 'kysely'
import type { DayRow } from '../../fhir/clearing-message.ts'
import { addDays } from '../../fhir/date-time.ts'
import { plainArray, textArray } from '../../storage/array-literal.ts'
import type { Trx } from '../../storage/pool.ts'
import type { DifferenceFacts, Side } from './differences.ts'

const pieceRows = 5000
/** Most differences of a day that are looked at one by one; beyond it something else is wrong. */
export const differencesMax = 10_000

export interface DaySums { count: bigint; totalFen: bigint; fundFen: bigint; accountFen: bigint }
export interface FoundDifference { messageId: string; facts: DifferenceFacts }
export interface Comparison { ours: DaySums; theirs: DaySums; differences: FoundDifference[] }

/** The scheme filter is '' for all. */
export interface DayAsked { institution: string; day: string; scheme: string }

export async function compareDay(trx: Trx, asked: DayAsked, listOf: (day: string) => AsyncIterable<DayRow>): Promise<Comparison> {
  await sql`create temp table centre_day (message_id text, kind text, settlement_id text, total_fen int8, fund_fen int8, account_fen int8, cash_fen int8) on commit drop`.execute(trx)
  const theirs = await fill(trx, asked.scheme, listOf(asked.day))
  await sql`analyze centre_day`.execute(trx)
  const ours = sql`(select message_id, kind, settlement_id, total_fen, fund_fen, account_fen, cash_fen from settlement_event
    where institution = ${asked.institution} and day = ${asked.day} ${asked.scheme === '' ? sql`` : sql`and scheme = ${asked.scheme}`})`
  const { rows: sums } = await sql<DaySums>`select count(*)::int8 as count, coalesce(sum(total_fen), 0)::int8 as "totalFen",
    coalesce(sum(fund_fen), 0)::int8 as "fundFen", coalesce(sum(account_fen), 0)::int8 as "accountFen" from ${ours} as rows`.execute(trx)
  const { rows } = await sql<JoinedRow>`select message_id, kind, o.settlement_id as o_id, t.settlement_id as t_id, o.total_fen as o_total, o.fund_fen as o_fund, o.account_fen as o_account, o.cash_fen as o_cash,
      t.total_fen as t_total, t.fund_fen as t_fund, t.account_fen as t_account, t.cash_fen as t_cash
    from ${ours} as o full join centre_day as t using (message_id, kind)
    where (o.total_fen, o.fund_fen, o.account_fen, o.cash_fen) is distinct from (t.total_fen, t.fund_fen, t.account_fen, t.cash_fen)
    order by message_id, kind limit ${differencesMax}`.execute(trx)
  return { ours: sums[0] as DaySums, theirs, differences: rows.length === 0 ? [] : await withFacts(trx, asked, rows, listOf) }
}

/**
 * Streams a list into the table, some thousands of rows a statement: while the database takes one piece in, the next is read. Two
 * pieces at most are held. @returns the sums of the list.
 */
async function fill(trx: Trx, scheme: string, list: AsyncIterable<DayRow>): Promise<DaySums> {
  const sums: DaySums = { count: 0n, totalFen: 0n, fundFen: 0n, accountFen: 0n }
  let count = 0
  let piece: DayRow[] = []
  let underWay: Promise<unknown> = Promise.resolve()
  for await (const row of list) {
    if (scheme !== '' && row.scheme !== scheme) continue
    count++
    sums.totalFen += row.totalFen
    sums.fundFen += row.fundFen
    sums.accountFen += row.accountFen
    piece.push(row)
    if (piece.length < pieceRows) continue
    await underWay
    underWay = insertPiece(trx, piece)
    // Whoever awaits it below sees its failure; until then it is nobody's.
    underWay.catch(() => {})
    piece = []
  }
  await underWay
  if (piece.length > 0) await insertPiece(trx, piece)
  return { ...sums, count: BigInt(count) }
}

async function insertPiece(trx: Trx, piece: readonly DayRow[]): Promise<void> {
  const texts = (name: 'messageId' | 'kind' | 'settlementId') => textArray(piece.map((row) => row[name]))
  const amounts = (name: 'totalFen' | 'fundFen' | 'accountFen' | 'cashFen') => plainArray(piece.map((row) => row[name]))
  await sql`insert into centre_day select * from unnest(${texts('messageId')}::text[], ${texts('kind')}::text[], ${texts('settlementId')}::text[],
    ${amounts('totalFen')}::int8[], ${amounts('fundFen')}::int8[], ${amounts('accountFen')}::int8[], ${amounts('cashFen')}::int8[])`.execute(trx)
}

interface JoinedRow {
  message_id: string; kind: 'settle' | 'reverse'; o_id: string | null; t_id: string | null
  o_total: bigint | null; o_fund: bigint; o_account: bigint; o_cash: bigint
  t_total: bigint | null; t_fund: bigint; t_account: bigint; t_cash: bigint
}

/** The neighbouring days are asked for only when something of today has no partner. */
async function withFacts(trx: Trx, asked: DayAsked, rows: readonly JoinedRow[], listOf: (day: string) => AsyncIterable<DayRow>): Promise<FoundDifference[]> {
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

async function neighbours(asked: DayAsked, wanted: ReadonlySet<string>, listOf: (day: string) => AsyncIterable<DayRow>): Promise<Set<string>> {
  const found = new Set<string>()
  for (const day of [addDays(asked.day, -1), addDays(asked.day, 1)]) {
    for await (const row of listOf(day)) if (wanted.has(row.messageId)) found.add(`${row.messageId} ${row.kind}`)
  }
  return found
}

function side(kind: Side['kind'], settlementId: string | null, totalFen: bigint, fundFen: bigint, accountFen: bigint, cashFen: bigint): Side {
  return { kind, settlementId: settlementId ?? '', totalFen, fundFen, accountFen, cashFen }
}
