/**
 * The turn of the benefit year (当年账户转历年账户): what is left on the account of the year goes to the account of earlier years. Once a
 * person and year, by the row of the person; on any number of processes, in pieces, never waiting for a settlement that holds a person.
 * A person who is met for the first time only learns which year their account is of. No interest is paid: no rule of one is known.
 */
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import type { InsurerDb } from '../storage/pool.ts'
import { policyOn } from './policies.ts'
import { benefitYear } from './rules.ts'

const pieceRows = 500

/** @returns how many accounts were turned. */
export async function turnAccounts(db: InsurerDb, ctx: Ctx, region: string): Promise<number> {
  const today = dayInShanghai(ctx.now)
  const policy = policyOn(region, 310, today)
  if (!policy) return 0
  const year = benefitYear(policy, today)
  let turned = 0
  for (;;) {
    const { rows } = await sql<{ turned: boolean }>`
      with due as (
        select psn_no, account_year, account_current_fen as fen from insured_person
        where region = ${region} and (account_year is null or account_year < ${year}::date) order by psn_no limit ${pieceRows} for update skip locked
      ), noted as (
        insert into account_turn (psn_no, year_from, moved_fen, turned_at) select psn_no, ${year}::date, fen, ${ctx.now} from due where account_year is not null
      )
      update insured_person p set account_year = ${year}::date,
        account_prior_fen = p.account_prior_fen + case when due.account_year is null then 0 else due.fen end,
        account_current_fen = case when due.account_year is null then p.account_current_fen else 0 end
      from due where p.psn_no = due.psn_no returning due.account_year is not null as turned`.execute(db)
    turned += rows.filter((row) => row.turned).length
    if (rows.length < pieceRows) return turned
  }
}
