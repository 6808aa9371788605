/**
 * A sender's day against ours (3201, 3202): totals first, then line by line in one pass of the database, whatever the size. What
 * differs is kept with its class and the money on both sides; the same day sent again replaces what it said before. A day of a
 * month that was approved is closed.
 */
import type { Parameters, PaymentReconciliation } from '@medplum/fhirtypes'
import { type Kysely, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import type { DayRow } from '../fhir/clearing-message.ts'
import { fenOf, yuan } from '../fhir/money.ts'
import { fail } from '../fhir/outcome.ts'
import type { InsurerDb, InsurerTrx } from '../storage/pool.ts'
import type { InsurerTables } from '../storage/tables.ts'
import { inTransaction } from '../storage/transaction.ts'
import { isDay } from './read-claim.ts'

export interface Sums { count: bigint; totalFen: bigint; fundFen: bigint; accountFen: bigint }

/** Whose day: of one institution, or `*` for all of a sender's. */
export interface DayAsked { day: string; institution: string }

/** Settlements and reversals of a sender between two days; reversals count with their sign. */
function linesHere(clientId: string, from: string, until: string, institution: string) {
  return sql`${linesOf('settle', clientId, from, until, institution)} union all ${linesOf('reverse', clientId, from, until, institution)}`
}

type LineKind = 'settle' | 'reverse'

function linesOf(kind: LineKind, clientId: string, from: string, until: string, institution: string) {
  const of = institution === '*' ? sql`` : sql`and provider = ${institution}`
  return kind === 'settle'
    ? sql`select message_id, scheme, total_fen, fund_fen, account_current_fen + account_prior_fen as account_fen from claim
        where settled_day between ${from}::date and ${until}::date and client_id = ${clientId} and policy is not null ${of}`
    : sql`select message_id, scheme, -total_fen as total_fen, -fund_fen as fund_fen, -account_current_fen - account_prior_fen as account_fen from claim
        where reversed_day between ${from}::date and ${until}::date and client_id = ${clientId} and policy is not null and state = 'reversed' ${of}`
}

/** Of a scheme, or of all when null. */
export async function sumsHere(db: Kysely<InsurerTables>, clientId: string, asked: { from: string; until: string; institution: string; scheme: number | null }): Promise<Sums> {
  const { rows } = await sql<{ count: bigint; total: bigint; fund: bigint; account: bigint }>`
    select count(*)::int8 as count, coalesce(sum(total_fen), 0)::int8 as total, coalesce(sum(fund_fen), 0)::int8 as fund, coalesce(sum(account_fen), 0)::int8 as account
    from (${linesHere(clientId, asked.from, asked.until, asked.institution)}) as line where ${asked.scheme}::int is null or scheme = ${asked.scheme}`.execute(db)
  const [row] = rows
  return { count: row?.count ?? 0n, totalFen: row?.total ?? 0n, fundFen: row?.fund ?? 0n, accountFen: row?.account ?? 0n }
}

export function sameSums(one: Sums, other: Sums): boolean {
  return one.count === other.count && one.totalFen === other.totalFen && one.fundFen === other.fundFen && one.accountFen === other.accountFen
}

/** `count`, `total`, `fund`, `account` of Parameters. Throws OutcomeError value-invalid. */
export function readSums(parameters: Parameters): Sums {
  const find = (name: string) => parameters.parameter?.find((each) => each.name === name)
  const count = find('count')?.valueInteger ?? -1
  const [totalFen, fundFen, accountFen] = ['total', 'fund', 'account'].map((name) => fenOf(find(name)?.valueMoney))
  if (!Number.isInteger(count) || count < 0 || totalFen == null || fundFen == null || accountFen == null) {
    throw fail('value-invalid', { zh: '缺少笔数 count 或金额 total、fund、account。', en: 'The number of lines, count, or one of the amounts total, fund and account is missing.' }, 'Parameters.parameter')
  }
  return { count: BigInt(count), totalFen, fundFen, accountFen }
}

/** `POST …/$reconcile`: do the sums of a day agree? Throws OutcomeError value-invalid, period-closed. */
export async function reconcileDay(db: InsurerDb, ctx: Ctx, asked: DayAsked, theirs: Sums): Promise<PaymentReconciliation> {
  return inTransaction(db, async (trx) => {
    await assertOpen(trx, asked)
    const ours = await sumsHere(trx, ctx.principal.id, { from: asked.day, until: asked.day, institution: asked.institution, scheme: null })
    const equal = sameSums(ours, theirs)
    const id = await keepStatement(trx, ctx, asked, theirs, equal)
    return answerOf(ctx, id, asked, ours, equal)
  })
}

/** `POST …/$compare`: the list of a day, line by line. Throws OutcomeError value-invalid, period-closed. */
export async function compareDay(db: InsurerDb, ctx: Ctx, asked: DayAsked, lines: AsyncIterable<DayRow>): Promise<PaymentReconciliation> {
  return inTransaction(db, async (trx) => {
    await assertOpen(trx, asked)
    const id = await keepStatement(trx, ctx, asked, { count: 0n, totalFen: 0n, fundFen: 0n, accountFen: 0n }, false)
    const theirs = await stageLines(trx, id, asked, lines)
    const count = await findDifferences(trx, id, ctx.principal.id, asked)
    await trx.updateTable('statement').set({ count: theirs.count, total_fen: theirs.totalFen, fund_fen: theirs.fundFen, account_fen: theirs.accountFen, outcome: count === 0n ? 'equal' : 'differs' })
      .where('id', '=', id).execute()
    const ours = await sumsHere(trx, ctx.principal.id, { from: asked.day, until: asked.day, institution: asked.institution, scheme: null })
    return { ...answerOf(ctx, id, asked, ours, count === 0n), processNote: [{ type: 'display', text: `${count}` }], detail: await firstDifferences(trx, id) }
  })
}

async function assertOpen(trx: InsurerTrx, { day, institution }: DayAsked): Promise<void> {
  if (!isDay(day)) throw fail('value-invalid', { zh: '日期须为 YYYY-MM-DD。', en: 'The day must be YYYY-MM-DD.' }, 'date')
  const closed = await trx.selectFrom('clearing').select('id').where('direction', '=', 'to-institution').where('party', '=', institution)
    .where('month', '=', day.slice(0, 7)).where('state', 'in', ['approved', 'paid']).limit(1).executeTakeFirst()
  if (closed) throw fail('period-closed', { zh: `${day.slice(0, 7)} 已清算，不能再对账。`, en: `The month ${day.slice(0, 7)} has been cleared and is closed.` }, 'date')
}

async function keepStatement(trx: InsurerTrx, ctx: Ctx, asked: DayAsked, theirs: Sums, equal: boolean): Promise<string> {
  const id = ctx.newId(null)
  await trx.deleteFrom('statement').where('client_id', '=', ctx.principal.id).where('provider', '=', asked.institution).where('day', '=', asked.day).execute()
  await trx.insertInto('statement').values({
    id, client_id: ctx.principal.id, provider: asked.institution, day: asked.day, count: theirs.count, total_fen: theirs.totalFen, fund_fen: theirs.fundFen,
    account_fen: theirs.accountFen, outcome: equal ? 'equal' : 'differs', received_at: ctx.now,
  }).execute()
  return id
}

const pieceLines = 5000

/** Takes the lines in pieces, so that memory does not grow with the day. */
async function stageLines(trx: InsurerTrx, id: string, { institution }: DayAsked, lines: AsyncIterable<DayRow>): Promise<Sums> {
  const sums: Sums = { count: 0n, totalFen: 0n, fundFen: 0n, accountFen: 0n }
  let piece: DayRow[] = []
  const flush = async () => {
    if (piece.length === 0) return
    await sql`insert into statement_line (statement_id, message_id, kind, total_fen, fund_fen, account_fen)
      select ${id}, * from unnest(${piece.map((each) => each.messageId)}::text[], ${piece.map((each) => each.kind)}::text[], ${piece.map((each) => String(each.totalFen))}::int8[],
        ${piece.map((each) => String(each.fundFen))}::int8[], ${piece.map((each) => String(each.accountFen))}::int8[])`.execute(trx)
    piece = []
  }
  for await (const line of lines) {
    if (institution !== '*' && line.institution !== institution) {
      throw fail('value-invalid', { zh: `清单中有其他机构（${line.institution}）的记录。`, en: `The list has a line of another institution, ${line.institution}.` }, 'institution')
    }
    sums.count++
    sums.totalFen += line.totalFen
    sums.fundFen += line.fundFen
    sums.accountFen += line.accountFen
    piece.push(line)
    if (piece.length === pieceLines) await flush()
  }
  await flush()
  return sums
}

/**
 * A full join of the day here and there, settlements and reversals each by themselves: by one key, and in the order of the indexes where the database finds that
 * shorter. What differs goes to a table of the transaction first, and only that is given its class. @returns how many lines differ.
 */
export async function findDifferences(trx: InsurerTrx, id: string, clientId: string, { day, institution }: DayAsked): Promise<bigint> {
  const differingOf = (kind: LineKind) => sql`
    select h.message_id as here, t.message_id as there, coalesce(h.message_id, t.message_id) as message_id, ${kind}::text as kind,
      coalesce(h.fund_fen + h.account_fen, 0) as here_fen, coalesce(t.fund_fen + t.account_fen, 0) as there_fen
    from (${linesOf(kind, clientId, day, day, institution)}) as h
    full join (select * from statement_line where statement_id = ${id} and kind = ${kind}) as t on t.message_id = h.message_id
    where h.message_id is null or t.message_id is null or h.total_fen <> t.total_fen or h.fund_fen <> t.fund_fen or h.account_fen <> t.account_fen`
  await sql`create temporary table differing on commit drop as ${differingOf('settle')} union all ${differingOf('reverse')}`.execute(trx)
  const { numAffectedRows } = await sql`
    insert into difference (statement_id, message_id, kind, class, here_fen, there_fen)
    select ${id}, d.message_id, d.kind,
      case
        when d.here is not null and d.there is not null then 'amount'
        when d.here is null then (
          select case
            when c.message_id is null or c.policy is null then 'sender-only'
            when (case d.kind when 'settle' then c.settled_day else c.reversed_day end) between ${day}::date - 1 and ${day}::date + 1 then 'day-shift'
            else 'state' end
          from (values (1)) as one left join claim c on c.message_id = d.there)
        when exists (
          select 1 from statement_line l join statement s on s.id = l.statement_id
          where l.message_id = d.here and l.kind = d.kind and s.client_id = ${clientId} and s.id <> ${id} and s.day between ${day}::date - 1 and ${day}::date + 1) then 'day-shift'
        when d.kind = 'reverse' then 'state'
        else 'centre-only' end,
      d.here_fen, d.there_fen
    from differing d`.execute(trx)
  return numAffectedRows ?? 0n
}

const shownMax = 100

async function firstDifferences(trx: InsurerTrx, id: string): Promise<PaymentReconciliation['detail']> {
  const rows = await trx.selectFrom('difference').select(['message_id', 'kind', 'class', 'here_fen', 'there_fen']).where('statement_id', '=', id).orderBy('message_id').limit(shownMax).execute()
  return rows.map((row) => ({
    type: { coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/difference-class', code: row.class }] },
    identifier: { system: 'https://pujiang.health/fhir/sid/message-id', value: row.message_id }, amount: yuan(row.here_fen - row.there_fen),
  }))
}

function answerOf(ctx: Ctx, id: string, { day }: DayAsked, ours: Sums, equal: boolean): PaymentReconciliation {
  return {
    resourceType: 'PaymentReconciliation', id, status: 'active', created: ctx.now.toISOString(), paymentDate: day, period: { start: day, end: day },
    outcome: equal ? 'complete' : 'partial', paymentAmount: yuan(ours.fundFen + ours.accountFen),
    disposition: equal ? `对账相符 Equal: ${ours.count}` : `对账不符 Differs: ${ours.count}, ¥${Number(ours.totalFen) / 100}`,
  }
}
