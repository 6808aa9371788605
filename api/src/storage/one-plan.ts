/**
 * Statements for which one plan is right whatever their values are: walks along an index until there is enough, reads by key. PostgreSQL would plan most of
 * them anew each time, for without their values it takes them for dear, and planning costs more than running. They go to connections of
 * their own, which plan a statement once and along an index; docs/decisions/0049-one-plan.md. Inside a transaction they are ordinary statements.
 */
import { type RawBuilder, sql } from 'kysely'

/** What a pool is for. */
export type PoolUse = 'any plan' | 'one plan'

const mark = '/* one plan */ '

/** Begins such a statement. Where no index has the order that it asks for, rows are sorted all the same. */
export const onePlan: RawBuilder<unknown> = sql.raw(mark)

/** Stands in a condition that needs an index which only a bitmap reads (GIN, GiST): a statement that holds it is planned as any other. */
const exception = '/* any plan */'
export const anyPlan: RawBuilder<unknown> = sql.raw(exception)

export function hasOnePlan(statement: string): boolean {
  return statement.startsWith(mark) && !statement.includes(exception)
}

export const onePlanSettings = { plan_cache_mode: 'force_generic_plan', enable_sort: 'off', enable_seqscan: 'off', enable_bitmapscan: 'off' }
