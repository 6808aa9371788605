/**
 * The list of a day for one institution, or for all of a sender's (trade 3202): every settlement decided and every reversal made on
 * it, as the sender compares it with its own books. A settlement reversed later stays in the list of its own day, and its
 * reversal stands in the list of the day it was made. A client sees only what it sent itself. Read in pieces, so that a day of
 * any size fits.
 */
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import type { DayRow } from '../fhir/clearing-message.ts'
import type { InsurerDb } from '../storage/pool.ts'
import type { DayAsked } from './reconcile.ts'

const pieceRows = 2000

interface Event {
  at: string; message_id: string; kind: 'settle' | 'reverse'; decision: string | null; scheme: number | null; medical_type: string | null; provider: string | null
  total_fen: bigint; fund_fen: bigint; account_fen: bigint; cash_fen: bigint
}

/** Rows that moved money: a refusal and its reversal did not. */
export async function* dayList(db: InsurerDb, ctx: Ctx, { day, institution }: DayAsked): AsyncGenerator<DayRow> {
  const mine = institution === '*' ? sql`client_id = ${ctx.principal.id}` : sql`client_id = ${ctx.principal.id} and provider = ${institution}`
  let after: Event | undefined
  for (;;) {
    const { rows }: { rows: Event[] } = await sql<Event>`select * from (
        select received_at as at, message_id, 'settle' as kind, response_id as decision, scheme, medical_type, provider,
          total_fen, fund_fen, account_current_fen + account_prior_fen as account_fen, cash_fen
        from claim where policy is not null and ${mine} and settled_day = ${day}::date
        union all
        select reversed_at, message_id, 'reverse', reversal_id, scheme, medical_type, provider, -total_fen, -fund_fen, -account_current_fen - account_prior_fen, -cash_fen
        from claim where policy is not null and state = 'reversed' and ${mine} and reversed_day = ${day}::date
      ) as event
      ${after ? sql`where (at, message_id, kind) > (${after.at}::timestamptz, ${after.message_id}, ${after.kind})` : sql``}
      order by at, message_id, kind limit ${pieceRows}`.execute(db)
    yield* rows.map(lineOf)
    after = rows.at(-1)
    if (rows.length < pieceRows) return
  }
}

function lineOf(event: Event): DayRow {
  return {
    messageId: event.message_id, kind: event.kind, settlementId: event.decision ?? '', decidedAt: event.at, scheme: String(event.scheme ?? ''),
    medicalType: event.medical_type ?? '', institution: event.provider ?? '', totalFen: event.total_fen, fundFen: event.fund_fen, accountFen: event.account_fen, cashFen: event.cash_fen,
  }
}
