/** The plan of a statement as it was sent: those of one plan are planned without their values and along an index, as on their connections. */
import { sql } from 'kysely'
import { hasOnePlan, onePlanSettings } from '../../src/storage/one-plan.ts'
import type { Db } from '../../src/storage/pool.ts'

export interface Sent { text: string; parameters: readonly unknown[] }

/** @param options of `explain`, such as `analyze, format json`. One value a line of the plan. */
export async function explain(db: Db, { text, parameters }: Sent, options = 'costs'): Promise<unknown[]> {
  const named = { query: { kind: 'RawNode' } as never, queryId: { queryId: 'explain' } as never }
  const valuesOf = (rows: readonly { 'QUERY PLAN': unknown }[]) => rows.map((row) => row['QUERY PLAN'])
  if (!hasOnePlan(text)) return valuesOf((await db.executeQuery<{ 'QUERY PLAN': unknown }>({ sql: `explain (${options}) ${text}`, parameters, ...named })).rows)
  return db.transaction().execute(async (trx) => {
    for (const [name, value] of Object.entries(onePlanSettings)) await sql`select set_config(${name}, ${value}, true)`.execute(trx)
    await sql.raw(`prepare walked as ${text}`).execute(trx)
    try {
      const { rows } = await sql.raw<{ 'QUERY PLAN': unknown }>(`explain (${options}) execute walked(${parameters.map(literal).join(', ')})`).execute(trx)
      return valuesOf(rows)
    } finally {
      await sql`deallocate walked`.execute(trx)
    }
  })
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return literal(`{${value.join(',')}}`)
  return `'${(value instanceof Date ? value.toISOString() : String(value)).replaceAll('\'', '\'\'')}'`
}
