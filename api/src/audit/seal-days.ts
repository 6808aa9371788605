/**
 * A digest over each day of the audit trail that is over, chained to the day before: whoever changes, adds or takes away a row of a sealed
 * day, by whatever means, breaks every digest from there on. Kept in `audit_day`; copies belong off the host (docs/access.md).
 */
import { createHash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { addDays, dayInShanghai } from '../fhir/date-time.ts'
import type { Tables } from '../storage/tables.ts'

/** A request that began before midnight may still write its rows. */
const graceMs = 3_600_000
const daysPerRun = 60
const rowsPerStep = 5_000

/** @returns days that were sealed. */
export async function sealDays(db: Kysely<Tables>, ctx: Ctx): Promise<number> {
  await sql`select make_audit_months(${dayInShanghai(ctx.now)}::date, 4)`.execute(db)
  const last = await db.selectFrom('audit_day').select(['day', 'digest']).orderBy('day', 'desc').limit(1).executeTakeFirst()
  const first = last ? addDays(last.day, 1) : await firstDay(db)
  const today = dayInShanghai(new Date(ctx.now.getTime() - graceMs))
  let digest = last?.digest ?? ''
  let sealed = 0
  for (let day = first; day !== null && day < today && sealed < daysPerRun; day = addDays(day, 1)) {
    const made = await digestOf(db, day, digest)
    await db.insertInto('audit_day').values({ day, rows: BigInt(made.rows), digest: made.digest, sealed_at: ctx.now }).execute()
    digest = made.digest
    sealed++
  }
  return sealed
}

/** @returns the first sealed day whose rows are not what they were; null when the whole chain holds. */
export async function brokenDay(db: Kysely<Tables>): Promise<string | null> {
  let previous = ''
  for (const { day, rows, digest } of await db.selectFrom('audit_day').select(['day', 'rows', 'digest']).orderBy('day').execute()) {
    const now = await digestOf(db, day, previous)
    if (now.digest !== digest || BigInt(now.rows) !== rows) return day
    previous = digest
  }
  return null
}

async function firstDay(db: Kysely<Tables>): Promise<string | null> {
  const row = await db.selectFrom('audit_event').select((eb) => eb.fn.min('recorded_at').as('at')).executeTakeFirst()
  return row?.at ? dayInShanghai(new Date(row.at)) : null
}

async function digestOf(db: Kysely<Tables>, day: string, previous: string): Promise<{ rows: number; digest: string }> {
  const hash = createHash('sha256').update(`${day} ${previous}\n`)
  let after = '00000000-0000-0000-0000-000000000000'
  let rows = 0
  for (;;) {
    const { rows: step } = await sql<{ id: string; text: string }>`select e.id, e::text as text from audit_event e
      where e.recorded_at >= (${day}::date)::timestamp at time zone 'Asia/Shanghai' and e.recorded_at < (${day}::date + 1)::timestamp at time zone 'Asia/Shanghai'
        and e.id > ${after}::uuid order by e.id limit ${rowsPerStep}`.execute(db)
    for (const row of step) hash.update(`${row.text}\n`)
    rows += step.length
    const last = step.at(-1)
    if (step.length < rowsPerStep || !last) return { rows, digest: hash.digest('hex') }
    after = last.id
  }
}
