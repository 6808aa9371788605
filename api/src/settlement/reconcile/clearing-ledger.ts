/**
 * The clearing of a month in our ledger. At the close what each fund and account owes for the month moves to one account a scheme,
 * by what was booked and what was corrected; at the payout from there to the bank, and what the centre deducted to a loss.
 */
import { sql } from 'kysely'
import type { Ctx } from '../../ctx.ts'
import { keyOf, shardOf } from '../../fhir/id.ts'
import type { Trx } from '../../storage/pool.ts'
import { postEntries } from '../ledger.ts'

interface About { institution: string; organizationId: string; /** YYYY-MM */ month: string; scheme: string }

function clearingAccount(scheme: string): string {
  return `clearing-${scheme}`
}

/** Moves a signed amount: above zero `debit` gets it. */
function pair(debit: string, credit: string, fen: bigint) {
  return fen >= 0n ? { debit, credit, fen } : { debit: credit, credit: debit, fen: -fen }
}

export async function postClose(trx: Trx, ctx: Ctx, about: About, from: string, until: string): Promise<void> {
  const { rows } = await sql<{ account: string; fen: bigint }>`
    with booked as (
      select attempt, shard from settlement_event where institution = ${about.institution} and scheme = ${about.scheme} and day >= ${from}::date and day < ${until}::date
      union all select difference, null from correction where institution = ${about.institution} and scheme = ${about.scheme} and day >= ${from}::date and day < ${until}::date)
    select side.account, sum(side.fen)::int8 as fen
    from booked b join ledger_entry l on l.attempt = b.attempt and (b.shard is null or l.shard = b.shard)
      cross join lateral (values (l.debit_account, l.amount_fen), (l.credit_account, -l.amount_fen)) as side (account, fen)
    where side.account not in ('provider', 'cash') group by side.account having sum(side.fen) <> 0 order by side.account`.execute(trx)
  await post(trx, ctx, about, rows.map(({ account, fen }) => pair(clearingAccount(about.scheme), account, fen)))
}

export async function postPayout(trx: Trx, ctx: Ctx, about: About, dueFen: bigint, paidFen: bigint): Promise<void> {
  await post(trx, ctx, about, [pair('bank', clearingAccount(about.scheme), paidFen), pair('clearing-deducted', clearingAccount(about.scheme), dueFen - paidFen)])
}

async function post(trx: Trx, ctx: Ctx, { institution, organizationId, month, scheme }: About, pairs: readonly { debit: string; credit: string; fen: bigint }[]): Promise<void> {
  const attempt = keyOf(ctx.newId(null))
  await postEntries(trx, ctx, { shard: shardOf(attempt), encounter: null, attempt, messageId: `${institution}/${month}/${scheme}`, organizationId }, pairs.filter(({ fen }) => fen !== 0n))
}
