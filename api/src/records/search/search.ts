/**
 * Search over one type: query string → one statement → one page. Every row passes `visible`, so nothing that the caller may not see
 * shows as a row, in a total or by an error. Types with a projection answer from their domain's tables.
 * Source: FHIR R4 3.1.1; how statements are shaped for the planner: key-plan.ts and docs/decisions/0002-storage.md.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { Ctx } from '../../ctx.ts'
import type { Issue } from '../../fhir/outcome.ts'
import { type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import { type Stored, storedOf, type StoredRow } from '../content.ts'
import { storedFrom } from '../read-resource.ts'
import type { Store } from '../store.ts'
import { conditionsOf, makeWalk } from './conditions.ts'
import { withElements } from './elements.ts'
import { includedBy, type Match, referringTo } from './include.ts'
import { after, orderBy, readToken, sortColumn, writeToken } from './page.ts'
import { parseQuery, queryContext, type SearchQuery } from './parse-query.ts'

export interface SearchResult {
  matches: Stored[]
  /** By `_include` and `_revinclude`. */
  included: Stored[]
  /** Null when no total was asked for. */
  total: number | null
  /** What was applied. */
  self: URLSearchParams
  /** Query of the next page; null at the end. */
  next: URLSearchParams | null
  /** What was left out under lenient handling. */
  warnings: Issue[]
}

export interface SearchOptions {
  /** `Prefer: handling=lenient`. */
  lenient?: boolean
  /** Address of /fhir, so that absolute references to it are understood. */
  base?: string
}

/** Totals beyond this are estimated unless they are asked for accurately. */
const countedMax = 10_000

/** Throws OutcomeError parameter-unknown and parameter-invalid. */
export async function search(
  db: Db, ctx: Ctx, store: Store, type: ResourceType, params: URLSearchParams, options: SearchOptions = {},
): Promise<SearchResult> {
  const projection = store.entries.get(type)?.projection
  if (projection) {
    const found = await projection.search(db, ctx, params)
    return { matches: found.resources.map((resource) => storedFrom(resource, ctx)), included: [], total: found.total, self: params, next: found.next, warnings: [] }
  }
  const query = parseQuery(queryContext({ type, ctx, base: options.base ?? '', lenient: options.lenient ?? false }, store), params)
  const conditions = await conditionsOf(makeWalk(db, ctx, store), type, query.criteria, isByDate(query))
  const page = query.count === 0 ? { matches: [], next: null } : await readPage(db, type, query, conditions)
  const total = query.count === 0 || query.total !== 'none' ? await countRows(db, type, conditions, query.total === 'estimate') : null
  const included = [
    ...(query.includes.length > 0 ? await includedBy(db, ctx, store, page.matches, query.includes) : []),
    ...(query.revincludes.length > 0 ? await referringTo(db, ctx, type, page.matches, query.revincludes) : []),
  ]
  const matches = page.matches.map((match) => match.stored)
  return {
    matches: query.elements === null ? matches : matches.map((match) => withElements(match, query.elements ?? [])),
    included, total, self: withPage(query.applied, query.page), next: page.next === null ? null : withPage(query.applied, page.next),
    warnings: query.warnings,
  }
}

function withPage(applied: URLSearchParams, token: string | null): URLSearchParams {
  const params = new URLSearchParams(applied)
  if (token !== null) params.set('_page', token)
  return params
}

function isByDate(query: SearchQuery): boolean {
  return query.sort.length === 1 && (query.sort[0]?.code === '' || query.sort[0]?.sqlType === 'timestamptz') && query.sort[0].code !== '_lastUpdated'
}

type Row = StoredRow & { keys?: bigint[] } & Record<string, unknown>

async function readPage(db: Db, type: ResourceType, query: SearchQuery, conditions: readonly RawBuilder<SqlBool>[]): Promise<{ matches: Match[]; next: string | null }> {
  const { sort, count } = query
  const where = query.page === null ? conditions : [...conditions, after(sort, readToken(query.page, sort))]
  const columns = [
    ...sort.map((key, index) => sql`${key.expression} as ${sql.raw(sortColumn(index))}`),
    ...(query.includes.length > 0 ? [sql`r.keys`] : []),
  ]
  const { rows } = await sql<Row>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content, ${sql.join(columns)} from resource r
    where r.t = ${sql.raw(String(typeCode(type)))} and ${sql.join(where, sql` and `)}
    order by ${orderBy(sort)} limit ${count + 1}`.execute(db)
  const shown = rows.slice(0, count)
  const last = shown.at(-1)
  return {
    matches: shown.map((row) => ({ stored: storedOf(type, row), keys: row.keys ?? [] })),
    next: rows.length > count && last ? writeToken({ values: sort.map((_, index) => textOrNull(last[sortColumn(index)])), id: last.id }) : null,
  }
}

function textOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}

async function countRows(db: Db, type: ResourceType, conditions: readonly RawBuilder<SqlBool>[], estimate: boolean): Promise<number> {
  const matching = sql`from resource r where r.t = ${sql.raw(String(typeCode(type)))} and ${sql.join(conditions, sql` and `)}`
  if (!estimate) {
    const { rows } = await sql<{ total: number }>`select count(*)::int as total ${matching}`.execute(db)
    return rows[0]?.total ?? 0
  }
  const { rows } = await sql<{ total: number }>`select count(*)::int as total from (select 1 ${matching} limit ${countedMax + 1}) counted`.execute(db)
  const counted = rows[0]?.total ?? 0
  return counted <= countedMax ? counted : Math.max(counted, await plannedRows(db, matching))
}

/** The planner's estimate. */
async function plannedRows(db: Db, matching: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ 'QUERY PLAN': unknown }>`explain (format json) select 1 ${matching}`.execute(db)
  const plan = rows[0]?.['QUERY PLAN']
  const parsed = (typeof plan === 'string' ? JSON.parse(plan) : plan) as [{ Plan: { 'Plan Rows': number } }] | undefined
  return Math.round(parsed?.[0]?.Plan['Plan Rows'] ?? 0)
}
