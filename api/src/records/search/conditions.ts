/**
 * Criteria → the conditions a row `r` of one type must fulfil, `visible` always among them: what the caller may not see neither matches
 * nor helps another row to match, however long the chain that walks over it. Conditions of criteria that read other rows first are
 * got here. What the database begins with: key-plan.ts.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { visible } from '../../access/visible.ts'
import type { Ctx } from '../../ctx.ts'
import { fail } from '../../fhir/outcome.ts'
import { type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import { plainArray } from '../../storage/array-literal.ts'
import type { Store } from '../store.ts'
import { withinCodes } from './coded-values.ts'
import { patientsAlways, patientsOfChain, patientsWhenFew } from './begin-with-patients.ts'
import type { Criterion, PageWanted, Walk, Wanted } from './criterion.ts'
import { changedFirst, changedOf } from './changed.ts'
import { byIds, planned, type Planned, rarestKey } from './key-plan.ts'
import { sideBySideMax } from './by-date.ts'
import { betweenOf, nearOrFar, sinceOf } from './since.ts'

export function makeWalk(db: Db, ctx: Ctx, store: Store): Walk {
  const walk: Walk = {
    db, ctx, store, planOf: async (type, criteria, wanted) => planOf(walk, type, await settled(walk, criteria), wanted),
  }
  return walk
}

/** The criteria are settled. */
export async function planOf(walk: Walk, type: ResourceType, criteria: readonly Criterion[], wanted: Wanted): Promise<Planned> {
  const all = await withinCodes(walk, type, criteria)
  const patients = all.flatMap((each) => (each.patients === null ? [] : [each.patients]))
  const named = wanted === 'one of few' || patients.length > 0 || all.some((each) => each.narrow === true)
  const reached = named ? null : await reachedFirst(walk, type, all, wanted)
  const narrow = named || reached !== null
  const rarest = await planned(walk.db, type, all, narrow ? 'one of few' : orderFor(wanted, all))
  // Nothing is known yet to leave few rows, and the page is bound to no order of its own.
  const open = narrow || rarest.few || typeof wanted === 'string' || isBound(wanted) ? null : wanted
  const among = open === null || all.some(({ costly }) => costly === true) ? null : await patientsOfChain(walk.db, all, open)
  const recent = open === null || among !== null ? null : await changedFirst(walk.db, type, all, open)
  // What else is asked filters the rows of those patients, or those that were changed.
  const keyed = among === null && recent === null ? rarest : { ...await planned(walk.db, type, all, 'one of few'), expected: recent?.length ?? rarest.expected }
  // A page in the order of their keys begins with them.
  const found = typeof wanted === 'object' && wanted.free && wanted.side === null ? all.find((each) => each.found !== undefined) ?? null : null
  const wheres = (costly: boolean) => all.flatMap((each) => (each === found || each.where === null || (each.costly ?? false) !== costly ? [] : [each.where]))
  // Of few rows each is looked at as it is.
  const since = narrow || keyed.few ? null : sinceOf(all)
  const conditions = [
    ...patients.map(ofPatients),
    ...all.flatMap((each) => (each.among === undefined || each.among === among ? [] : [sql<SqlBool>`(r.pid in (select unnest(${plainArray(each.among)}::text::uuid[]))) is true`])),
    ...(reached === null ? [] : [reached]),
    ...(recent === null ? [] : [byIds(recent)]),
    ...wheres(false),
    ...keyed.conditions,
    ...(since !== null && wanted === 'all' ? [nearOrFar(since)] : []),
    visible(walk.ctx, type, 's', keyed.few || wanted !== 'all'),
  ]
  const costly = wheres(true)
  if (costly.length > 0) await assertFew(walk.db, type, conditions)
  const ofOne = patients.length === 1 && patients[0]?.length === 1
  const [some] = patients.length === 1 && !ofOne ? all.filter((each) => each.patients !== null) : []
  const ofSome = among !== null ? { keys: among, chained: true } : some?.patients && some.patients.length <= sideBySideMax ? { keys: some.patients, chained: some.chained === true } : null
  return { ...keyed, conditions: [...conditions, ...costly], ofOne, ofSome, found: found?.found ?? null, since, between: betweenOf(all), changed: changedOf(all) }
}

/** The pages before give it its order. */
function isBound(wanted: number | PageWanted): boolean {
  return typeof wanted === 'object' && (wanted.side !== null || wanted.referred)
}

/** The patients whose entries the caller sees, where they are what the search should begin with. */
async function reachedFirst(walk: Walk, type: ResourceType, criteria: readonly Criterion[], wanted: Wanted): Promise<RawBuilder<SqlBool> | null> {
  const always = patientsAlways(walk, type)
  if (always !== null || wanted === 'all' || wanted === 'one of few') return always
  // A page behind the first keeps to the order of the first, however many patients there are by now.
  if (typeof wanted === 'object' && wanted.side !== null) return null
  const few = await patientsWhenFew(walk, type, typeof wanted === 'object' ? wanted.rows : wanted)
  if (few === null) return null
  const rarest = await rarestKey(walk.db, type, criteria)
  return rarest !== null && rarest < few.rows ? null : few.condition
}

/** A time between two ends is found by the index of the clinical date, which then gives the order. */
function orderFor(wanted: Wanted, all: readonly Criterion[]): Wanted {
  if (typeof wanted !== 'object' || wanted.side !== null) return wanted
  if (all.some(({ costly }) => costly === true)) return wanted.rows
  const ends = (end: 'from' | 'to') => all.some(({ window }) => window !== null && window[end] !== null)
  return ends('from') && ends('to') ? { ...wanted, free: false } : wanted
}

/** Rows whose text one search may read. */
const readMax = 5_000

async function assertFew(db: Db, type: ResourceType, conditions: readonly RawBuilder<SqlBool>[]): Promise<void> {
  const { rows } = await sql<{ total: number }>`select count(*)::int as total from (select 1 from resource r
    where r.t = ${sql.raw(String(typeCode(type)))} and ${sql.join(conditions, sql` and `)} limit ${readMax + 1}) few`.execute(db)
  if ((rows[0]?.total ?? 0) <= readMax) return
  throw fail('too-costly', {
    zh: `_content 需要逐条阅读，其余条件最多只能留下 ${readMax} 条记录。请增加患者、日期等条件。`,
    en: `_content reads every row, so the other parameters may leave at most ${readMax}. Add a patient, a date or another parameter.`,
  }, '_content')
}

/** The criteria and what their reading made of them. One after the other: a search takes one connection at a time. */
export async function settled(walk: Walk, criteria: readonly Criterion[]): Promise<Criterion[]> {
  const all: Criterion[] = []
  for (const each of criteria) {
    all.push(each)
    if (each.later !== null) all.push(...await settled(walk, [await each.later(walk)]))
  }
  return all
}

function ofPatients(keys: readonly string[]): RawBuilder<SqlBool> {
  return keys.length === 1 ? sql<SqlBool>`r.pid = ${keys[0]}::uuid` : sql<SqlBool>`r.pid = any(${keys}::uuid[])`
}
