/**
 * Search: query string → one statement → one page. Over one type, over several, or over the types of a compartment. Every row passes
 * `visible`, so nothing that the caller may not see shows as a row, in a total or by an error. Types with a projection answer
 * from their domain's tables. Source: FHIR R4 3.1.1; how statements are shaped for the planner: key-plan.ts and
 * docs/decisions/0002-storage.md.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { Ctx } from '../../ctx.ts'
import { fail, type Issue } from '../../fhir/outcome.ts'
import { type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import type { Stored } from '../content.ts'
import type { Store } from '../store.ts'
import { refreshParameters } from '../stored-parameters.ts'
import { changedKeys, changedOf } from './changed.ts'
import { type Compartment, inCompartment } from './compartment.ts'
import { makeWalk, planOf, settled } from './conditions.ts'
import type { Criterion, Walk, Wanted } from './criterion.ts'
import { withElements, withSummary } from './elements.ts'
import { includedWith } from './include.ts'
import { byIds, type OfType, type Planned } from './key-plan.ts'
import { type Position, writeToken } from './page.ts'
import { parseQuery, queryContext, type SearchQuery } from './parse-query.ts'
import type { PlanBeside } from './read-by-text.ts'
import { noPage, readPage, totalOf } from './read-page.ts'
import { searchProjected } from './search-projected.ts'
import { typeKey } from './sort.ts'

export interface SearchResult {
  matches: Stored[]
  /** By `_include` and `_revinclude`. */
  included: Stored[]
  /** Null when no total was asked for and there are other pages. */
  total: number | null
  /** What was applied. */
  self: URLSearchParams
  /** Query of the next page; null at the end. */
  next: URLSearchParams | null
  /** Query of the page before; null at the beginning. */
  previous: URLSearchParams | null
  /** What was left out under lenient handling, or of what is included. */
  warnings: Issue[]
}

export interface SearchOptions {
  /** `Prefer: handling=lenient`. */
  lenient?: boolean
  /** Address of /fhir, so that absolute references to it are understood. */
  base?: string
}

/** What is searched: the types, and the compartment it is in; null for all rows. */
export interface Scope { types: readonly ResourceType[]; compartment: Compartment | null }

/** Rows of several types that were changed in a time and are looked up first, at most. */
const changedMax = 2_000

/** Totals beyond this are estimated unless they are asked for accurately. */
const countedMax = 1_000

/** Throws OutcomeError parameter-unknown, parameter-invalid and too-costly. */
export async function search(
  db: Db, ctx: Ctx, store: Store, type: ResourceType, params: URLSearchParams, options: SearchOptions = {},
): Promise<SearchResult> {
  const projection = store.entries.get(type)?.projection
  if (!projection) return searchScope(db, ctx, store, { types: [type], compartment: null }, params, options)
  await refreshParameters(db, store)
  const { base = '', lenient = false } = options
  return searchProjected(makeWalk(db, ctx, store), type, projection, params, queryContext({ type, types: [type], ctx, base, lenient }, store))
}

/** Types that have rows; a projection's have none. */
export async function searchScope(
  db: Db, ctx: Ctx, store: Store, scope: Scope, params: URLSearchParams, options: SearchOptions = {},
): Promise<SearchResult> {
  await refreshParameters(db, store)
  const walk = makeWalk(db, ctx, store)
  const { query, criteria } = await readQuery(walk, scope, params, options)
  const matching: PlanBeside = (wanted, beside) => rowsOf(walk, scope, beside.length === 0 ? criteria : new Map([...criteria].map(([type, own]) => [type, [...own, ...beside]])), wanted)
  const page = query.count === 0 ? noPage : await readPage(walk, scope.types, query, matching)
  const total = await totalOf(query, page, () => countRows(db, matching, query.total === 'estimate'))
  const { included, warnings } = await includedWith(walk, page.matches, query.includes, query.revincludes)
  const part = (stored: Stored): Stored => (query.elements === null ? withSummary(store.model, stored, query.summary) : withElements(store.model, stored, query.elements))
  const linked = (position: Position | null): URLSearchParams | null => (position === null ? null : withPage(query.applied, writeToken(position)))
  return {
    matches: page.matches.map((match) => part(match.stored)), included: query.summary === 'false' ? included : included.map((stored) => withSummary(store.model, stored, query.summary)),
    total, self: withPage(query.applied, query.page), next: linked(page.next), previous: linked(page.previous), warnings: [...query.warnings, ...warnings],
  }
}

/** The query, and its criteria for each type: the keys they ask for are the type's. */
async function readQuery(
  walk: Walk, { types }: Scope, params: URLSearchParams, { base = '', lenient = false }: SearchOptions,
): Promise<{ query: SearchQuery; criteria: Map<ResourceType, Criterion[]> }> {
  const { store, ctx } = walk
  const criteria = new Map<ResourceType, Criterion[]>()
  let query: SearchQuery | null = null
  for (const type of types) {
    const parsed = parseQuery(queryContext({ type, types, ctx, base, lenient }, store), params)
    query ??= parsed
    criteria.set(type, parsed.criteria)
  }
  if (query === null) throw fail('parameter-invalid', { zh: '没有可搜索的资源类型。', en: 'There is no type to search.' }, '_type')
  for (const [type, own] of criteria) criteria.set(type, await settled(walk, own))
  if (types.length === 1) return { query, criteria }
  const foreign = query.sort.find((key) => !['', '_id', '_lastUpdated'].includes(key.code))
  if (foreign) {
    throw fail('parameter-invalid', {
      zh: `跨类型搜索不能按“${foreign.code}”排序，可用 _id、_lastUpdated。`, en: `A search over several types can't be sorted by "${foreign.code}". Use _id or _lastUpdated.`,
    }, '_sort')
  }
  return { query: { ...query, sort: [...query.sort, typeKey()] }, criteria }
}

function withPage(applied: URLSearchParams, token: string | null): URLSearchParams {
  const params = new URLSearchParams(applied)
  if (token !== null) params.set('_page', token)
  return params
}

/** The conditions of all matches, whatever page they are on, for so many rows of them. */
async function rowsOf(walk: Walk, { types, compartment }: Scope, criteria: ReadonlyMap<ResourceType, Criterion[]>, wanted: Wanted): Promise<Planned> {
  const ofTypes: OfType[] = []
  const several = types.length > 1 && compartment === null && typeof wanted === 'object'
  const changed = several ? changedOf(criteria.get(types[0] as ResourceType) ?? []) : null
  const recent = changed === null ? null : await changedKeys(walk.db, types, changed, changedMax)
  const begun = compartment !== null || recent !== null
  let few = begun
  let stretches: Planned['stretches'] = null
  let since: Planned['since'] = null
  let ofOne = false
  let ofSome: Planned['ofSome'] = null
  let found: Planned['found'] = null
  let dated: Planned['dated'] = null
  let datedByChain = false
  let expected: Planned['expected'] = null
  let between: Planned['between'] = { from: null, to: null }
  for (const [type, own] of criteria) {
    // What was changed is looked up for all types at once.
    const asked = types.length === 1 ? own : own.map(({ changed: _looked, ...rest }) => rest)
    const plan = await planOf(walk, type, asked, begun ? 'one of few' : types.length === 1 ? wanted : several ? wanted.rows : 'all')
    if (!several) few ||= plan.few
    stretches = plan.stretches
    dated = plan.dated
    datedByChain = plan.datedByChain
    expected = types.length === 1 && compartment === null ? plan.expected : null
    between = plan.between
    since = types.length === 1 ? plan.since : null
    ofOne = types.length === 1 && compartment === null && plan.ofOne
    found = plan.found
    ofSome = types.length === 1 && compartment === null ? plan.ofSome : null
    ofTypes.push({ condition: sql<SqlBool>`r.t = ${sql.raw(String(typeCode(type)))} and ${sql.join(plan.conditions, sql` and `)}`, few: plan.few })
  }
  const [only] = ofTypes
  const conditions = [ofTypes.length === 1 && only ? only.condition : sql<SqlBool>`r.t in (${sql.raw(types.map(typeCode).join(','))}) and (${sql.join(ofTypes.map((each) => sql`(${each.condition})`), sql` or `)})`]
  if (recent !== null) conditions.unshift(byIds(recent))
  if (compartment !== null) conditions.unshift(inCompartment(walk.store.model, compartment, types))
  return { conditions, few, changed: changedOf([...criteria.values()][0] ?? []), ofTypes: several && !few ? ofTypes : null, ofOne, ofSome, found, expected, dated, datedByChain, stretches, since, between }
}

async function countRows(db: Db, matching: PlanBeside, estimate: boolean): Promise<number> {
  const { conditions } = await matching(estimate ? countedMax : 'all', [])
  const found = sql`from resource r where ${sql.join(conditions, sql` and `)}`
  if (!estimate) {
    const { rows } = await sql<{ total: number }>`select count(*)::int as total ${found}`.execute(db)
    return rows[0]?.total ?? 0
  }
  const { rows } = await sql<{ total: number }>`select count(*)::int as total from (select 1 ${found} order by r.d0 desc, r.id limit ${countedMax + 1}) counted`.execute(db)
  const counted = rows[0]?.total ?? 0
  return counted <= countedMax ? counted : Math.max(counted, await plannedRows(db, found))
}

/** The planner's estimate. */
async function plannedRows(db: Db, matching: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ 'QUERY PLAN': unknown }>`explain (format json) select 1 ${matching}`.execute(db)
  const plan = rows[0]?.['QUERY PLAN']
  const parsed = (typeof plan === 'string' ? JSON.parse(plan) : plan) as [{ Plan: { 'Plan Rows': number } }] | undefined
  return Math.round(parsed?.[0]?.Plan['Plan Rows'] ?? 0)
}
