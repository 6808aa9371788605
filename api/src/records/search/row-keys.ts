/** Rows that match, by their keys, and alternatives of them. Every row passes `visible`. */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { reachOf } from '../../access/reach.ts'
import { type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import { onePlan } from '../../storage/one-plan.ts'
import { allOf, byCondition, byKeys, byRowKeys, type Criterion, isOnly, oneOf, type Walk } from './criterion.ts'
import { fitting, rarestKey } from './key-plan.ts'

/** Patients whose entries are begun with, at most. */
const patientsMax = 1_000
/** So many are looked at however rare a key is said to be. */
const besideMin = 20
/** Alternatives of which more rows fit are asked of each row that comes up. */
const namedMax = 2_000

/** Keys of the rows that match all; null when there are more than `most`. */
export async function rowKeys(walk: Walk, type: ResourceType, criteria: readonly Criterion[], most: number): Promise<string[] | null> {
  const beside = await besideKeys(walk, type, criteria, most)
  if (beside !== null) return beside
  const { conditions } = await walk.planOf(type, criteria, most)
  const { rows } = await sql<{ id: string }>`select r.id from resource r where ${rowsOf(type, conditions)} order by r.d0 desc, r.id limit ${most + 1}`.execute(walk.db)
  return rows.length > most ? null : rows.map((row) => row.id)
}

/**
 * Where a name, number or date is asked for and keys besides: the rows that the first has in its side table, each looked at, in one statement. Null where those are more than `most`, or than hold
 * the rarest of the keys, with which another statement begins. One row may have several of them. The outer join keeps those that do not match or may not be seen, so that all are counted.
 */
async function besideKeys(walk: Walk, type: ResourceType, criteria: readonly Criterion[], most: number): Promise<string[] | null> {
  const first = criteria.find((each) => isOnly(each, 'side'))
  // Who sees the entries of few patients begins with those.
  if (!first?.side || reachOf(walk.ctx, type, 's') !== null) return null
  const others = criteria.filter((each) => each !== first)
  if (!others.every((each) => each.patients === null && (isOnly(each, 'anyOf') || isOnly(each, 'side')))) return null
  const rarest = await rarestKey(walk.db, type, others)
  const bound = Math.min(most, patientsMax, rarest === null ? patientsMax : Math.max(besideMin, Math.ceil(rarest)))
  const { conditions } = await walk.planOf(type, others, 'one of few')
  const { rows } = await sql<{ id: string | null }>`${onePlan}select r.id from (select s.rid, s.shard from (${fitting(first.side, bound + 1)}) s limit ${bound + 1}) w left join lateral (
    select r.id from resource r where r.id = w.rid and r.shard = w.shard and ${rowsOf(type, conditions)} offset 0) r on true`.execute(walk.db)
  return rows.length > bound ? null : [...new Set(rows.flatMap(({ id }) => id ?? []))]
}

export function rowsOf(type: ResourceType, conditions: readonly RawBuilder<SqlBool>[]): RawBuilder<SqlBool> {
  return sql<SqlBool>`r.t = ${sql.raw(String(typeCode(type)))} and ${sql.join(conditions, sql` and `)}`
}

/** Whether any row holds one of some keys that hardly any row has. */
export async function isAnyHeld(walk: Walk, type: ResourceType, keys: readonly bigint[]): Promise<boolean> {
  const { conditions } = await walk.planOf(type, [byKeys(keys)], 'all')
  // Planned as if all were wanted: for one row the planner would rather look through the table, since it knows no key to be as rare as these.
  const { rows } = await sql`with held as materialized (select r.id from resource r where ${rowsOf(type, conditions)}) select 1 from held limit 1`.execute(walk.db)
  return rows.length > 0
}

/** Of alternatives with few rows those are named, so that no index is walked to its end for them. */
export async function either(walk: Walk, type: ResourceType, alternatives: readonly (readonly Criterion[])[]): Promise<Criterion> {
  const rows: string[] = []
  for (const criteria of alternatives) {
    const found = await rowKeys(walk, type, criteria, namedMax)
    if (found === null) {
      const conditions = []
      for (const each of alternatives) conditions.push(await conditionOf(walk, type, each))
      return byCondition(oneOf(conditions))
    }
    rows.push(...found)
  }
  return byRowKeys(rows)
}

/** What a row of the type must fulfil, asked row by row. */
export async function conditionOf(walk: Walk, type: ResourceType, criteria: readonly Criterion[]) {
  return allOf((await walk.planOf(type, criteria, 'one of few')).conditions)
}

