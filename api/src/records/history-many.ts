/**
 * The history of a type or of the whole store: versions and deletions of all that the caller may see, newest first. Pages are cut at
 * the position of a version, so a write between two pages shifts nothing. Time is walked in windows (time-windows.ts). Source: FHIR R4 § http.html#history.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { visible } from '../access/visible.ts'
import type { Ctx } from '../ctx.ts'
import { fail } from '../fhir/outcome.ts'
import { isResourceType, type ResourceType, resourceTypes, typeCode } from '../fhir/resource-types.ts'
import type { Db } from '../storage/pool.ts'
import type { StoredRow } from './content.ts'
import { idIn } from './content.ts'
import { partitionOf } from './search/statistics.ts'
import { walkTime } from './time-windows.ts'

export interface HistoryPosition { at: string; t: number; id: string; version: number }

/** The page next to a version, without it: what is older, or what is newer and nearest to it. */
export interface HistoryCut { side: 'older' | 'newer'; position: HistoryPosition }

export interface ManyHistoryQuery {
  count: number
  /** Only versions at or after this instant. */
  since: string | null
  /** Only versions that were current at some point of this time. */
  at: { from: string; to: string } | null
  /** Null for the first page. */
  cut: HistoryCut | null
}

export interface ManyHistoryEntry {
  type: ResourceType
  id: string
  /** Key of the id. */
  key: string
  version: number
  lastUpdated: string
  method: 'create' | 'update' | 'delete'
  pid: string | null
  content: string | null
}

/** Where the older and the newer versions begin that the page does not show; null where there are none. */
export interface ManyHistoryPage { entries: ManyHistoryEntry[]; older: HistoryCut | null; newer: HistoryCut | null }

type Row = Omit<StoredRow, 'content'> & { content: string | null; deleted: boolean; after_deletion: boolean; last_content: string | null }

/** `type` null: every type. */
export async function readManyHistory(db: Db, ctx: Ctx, type: ResourceType | null, query: ManyHistoryQuery): Promise<ManyHistoryPage> {
  const { cut, count } = query
  const back = cut?.side === 'newer'
  const rows = await readVersions(db, ctx, type, query)
  const page = back ? rows.slice(0, count).reverse() : rows.slice(0, count)
  const isMore = rows.length > count
  // A page that was reached from one of its sides has something there.
  return {
    entries: page.map(entryOf), older: back || isMore ? cutAt('older', page.at(-1)) : null, newer: (back ? isMore : cut !== null) ? cutAt('newer', page[0]) : null,
  }
}

function cutAt(side: HistoryCut['side'], row: Row | undefined): HistoryCut | null {
  return row ? { side, position: { at: row.last_updated, t: row.t, id: row.id, version: row.version } } : null
}

/** From the cut on or from now, one more than a page: the newest first, or when the page before is wanted the oldest. */
async function readVersions(db: Db, ctx: Ctx, type: ResourceType | null, query: ManyHistoryQuery): Promise<Row[]> {
  const { cut, since, at, count } = query
  const down = cut?.side !== 'newer'
  const start = cut?.position.at ?? null
  const updates = new Set<number>()
  for (const each of type === null ? resourceTypes : [type]) for (const instant of (await partitionOf(db, each))?.updates ?? []) updates.add(instant)
  return walkTime({ down, start, end: down ? since : at?.to ?? null, updates: [...updates], now: ctx.now.getTime(), limit: count + 1 }, (window, most, limit) => readWindow(db, ctx, type, query, [...window, ...boundsOf(type, query)], most, limit))
}

const columns = sql.raw(['shard', 't', 'id', 'version', 'last_updated', 'pid', 'labels', 'org', 'dept', 'author', 'content'].map((name) => `r.${name}`).join(', '))

async function readWindow(db: Db, ctx: Ctx, type: ResourceType | null, query: ManyHistoryQuery, window: readonly RawBuilder<SqlBool>[], most: number | null, limit: number): Promise<{ held: number; page: Row[] }> {
  const within = sql.join(window, sql` and `)
  const bound = most === null ? sql`` : sql`limit ${most + 1}`
  const { rows } = await sql<Row & { held: number }>`
    with held as materialized (
      (select ${columns}, false as deleted from resource r where ${within} ${bound})
      union all
      (select ${columns}, r.deleted from resource_history r where ${within} ${bound})
    )
    select r.t, r.id, r.version, r.last_updated, r.pid, r.content, r.deleted, (select count(*)::int from held) as held,
      exists (select from resource_history h where h.id = r.id and h.t = r.t and h.version = r.version - 1 and h.deleted) as after_deletion,
      case when r.deleted then (select h.content from resource_history h where h.id = r.id and h.t = r.t and h.version = r.version - 1) end as last_content
    from (select) one left join lateral (
      select r.* from held r where ${sql.join([visible(ctx, type), ...conditionsOf(query)], sql` and `)}
      order by ${query.cut?.side === 'newer' ? sql`r.last_updated, r.t desc, r.id desc, r.version` : sql`r.last_updated desc, r.t, r.id, r.version desc`} limit ${limit}
    ) r on true`.execute(db)
  return { held: rows[0]?.held ?? 0, page: rows.filter(({ id }) => (id as string | null) !== null) }
}

/** What every version is asked for. */
function boundsOf(type: ResourceType | null, { since }: ManyHistoryQuery): RawBuilder<SqlBool>[] {
  return [...(type === null ? [sql<SqlBool>`true`] : [sql<SqlBool>`r.t = ${sql.raw(String(typeCode(type)))}`]), ...(since === null ? [] : [sql<SqlBool>`r.last_updated >= ${since}::timestamptz`])]
}

/** What is asked besides of those that lie in a window. */
function conditionsOf({ at, cut }: ManyHistoryQuery): RawBuilder<SqlBool>[] {
  const conditions: RawBuilder<SqlBool>[] = []
  if (cut !== null) {
    const [time, place] = cut.side === 'older' ? [sql`<`, sql`>`] : [sql`>`, sql`<`]
    const { position } = cut
    conditions.push(sql<SqlBool>`(r.last_updated ${time} ${position.at}::timestamptz or (r.last_updated = ${position.at}::timestamptz
      and (r.t, r.id, -r.version) ${place} (${position.t}::smallint, ${position.id}::uuid, ${-position.version}::int)))`)
  }
  if (at !== null) conditions.push(wasCurrent(at))
  return conditions
}

/** Made before the time ended and not superseded before it began. */
function wasCurrent({ from, to }: { from: string; to: string }): RawBuilder<SqlBool> {
  const superseded = (table: 'resource' | 'resource_history') => sql<SqlBool>`exists (select from ${sql.table(table)} n
    where n.id = r.id and n.t = r.t and n.version = r.version + 1 and n.last_updated <= ${from}::timestamptz)`
  return sql<SqlBool>`(r.last_updated <= ${to}::timestamptz and not ${superseded('resource')} and not ${superseded('resource_history')})`
}

const typeByCode = new Map(resourceTypes.map((type) => [typeCode(type), type]))

function entryOf(row: Row): ManyHistoryEntry {
  return {
    type: typeByCode.get(row.t) as ResourceType,
    // A deletion has no text; the version before it says how the client wrote the id.
    id: idIn(row.content ?? row.last_content ?? `"id":"${row.id}"`),
    key: row.id,
    version: row.version,
    lastUpdated: row.last_updated,
    method: row.deleted ? 'delete' : row.version === 1 || row.after_deletion ? 'create' : 'update',
    pid: row.pid,
    content: row.content,
  }
}

export function writeCut({ side, position: { at, t, id, version } }: HistoryCut): string {
  return Buffer.from(JSON.stringify(side === 'older' ? [at, t, id, version] : [at, t, id, version, side])).toString('base64url')
}

/** Throws parameter-invalid. */
export function readCut(token: string): HistoryCut {
  const [at, t, id, version, side = 'older'] = parsed(token)
  const fits = typeof at === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at) && !Number.isNaN(Date.parse(at))
    && typeof t === 'number' && isResourceType(typeByCode.get(t) ?? '') && typeof id === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
    && typeof version === 'number' && Number.isInteger(version) && version > 0 && version < 2 ** 31 && (side === 'older' || side === 'newer')
  if (!fits) throw fail('parameter-invalid', { zh: '_page 不正确，请使用服务器给出的链接。', en: '_page is not valid. Follow the links that the server gave.' }, '_page')
  return { side, position: { at, t, id, version } }
}

function parsed(token: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString())
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}
