/**
 * The history of a type or of the whole store: versions and deletions of all that the caller may see, newest first. Pages are cut at
 * the position of their last version, so a write between two pages shifts nothing. Time is walked backwards in windows that grow until a page is
 * full: no index on `resource` orders by time, because it would make every update dearer. Source: FHIR R4 § http.html#history.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { visible } from '../access/visible.ts'
import type { Ctx } from '../ctx.ts'
import { fail } from '../fhir/outcome.ts'
import { isResourceType, type ResourceType, resourceTypes, typeCode } from '../fhir/resource-types.ts'
import type { Db } from '../storage/pool.ts'
import type { StoredRow } from './content.ts'
import { idIn } from './content.ts'

export interface HistoryPosition { at: string; t: number; id: string; version: number }

export interface ManyHistoryQuery {
  count: number
  /** Only versions at or after this instant. */
  since: string | null
  /** Only versions that were current at some point of this time. */
  at: { from: string; to: string } | null
  /** Position of the last version of the page before; null for the first page. */
  after: HistoryPosition | null
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

export interface ManyHistoryPage { entries: ManyHistoryEntry[]; next: HistoryPosition | null }

type Row = Omit<StoredRow, 'content'> & { content: string | null; deleted: boolean; last_content: string | null }

const hour = 3_600_000

/** `type` null: every type. */
export async function readManyHistory(db: Db, ctx: Ctx, type: ResourceType | null, query: ManyHistoryQuery): Promise<ManyHistoryPage> {
  const rows: Row[] = []
  // A millisecond more: the window takes in its upper end.
  let to = query.after === null ? null : query.after.at
  let width = hour
  const bottom = query.since === null ? await oldest(db) : Date.parse(query.since)
  for (let lo = (to === null ? ctx.now.getTime() : Date.parse(to)) - width; ; lo -= width) {
    const from = Math.max(lo, bottom)
    rows.push(...await readWindow(db, ctx, type, query, { from: new Date(from).toISOString(), to }, query.count + 1 - rows.length))
    if (rows.length > query.count || from <= bottom) break
    to = new Date(from - 1).toISOString()
    width *= 8
  }
  const page = rows.slice(0, query.count)
  const last = page.at(-1)
  return {
    entries: page.map(entryOf),
    next: rows.length > query.count && last ? { at: last.last_updated, t: last.t, id: last.id, version: last.version } : null,
  }
}

/** Nothing is older. */
async function oldest(db: Db): Promise<number> {
  const { rows } = await sql<{ at: string | null }>`select least((select min(last_updated) from resource), (select min(last_updated) from resource_history)) as at`.execute(db)
  return Date.parse(rows[0]?.at ?? '') || 0
}

interface Window { from: string; to: string | null }

async function readWindow(db: Db, ctx: Ctx, type: ResourceType | null, query: ManyHistoryQuery, window: Window, limit: number): Promise<Row[]> {
  const within = conditionsOf(type, query, window)
  const { rows } = await sql<Row>`
    select r.t, r.id, r.version, r.last_updated, r.pid, r.content, r.deleted,
      case when r.deleted then (select h.content from resource_history h where h.id = r.id and h.t = r.t and h.version = r.version - 1) end as last_content
    from (
      select r.shard, r.t, r.id, r.version, r.last_updated, r.pid, r.labels, r.org, r.dept, r.author, r.content, false as deleted from resource r where ${sql.join(within, sql` and `)}
      union all
      select r.shard, r.t, r.id, r.version, r.last_updated, r.pid, r.labels, r.org, r.dept, r.author, r.content, r.deleted from resource_history r where ${sql.join(within, sql` and `)}
    ) r where ${visible(ctx, type)}
    order by r.last_updated desc, r.t, r.id, r.version desc limit ${limit}`.execute(db)
  return rows
}

function conditionsOf(type: ResourceType | null, { at, after }: ManyHistoryQuery, { from, to }: Window): RawBuilder<SqlBool>[] {
  const conditions = [sql<SqlBool>`r.last_updated >= ${from}::timestamptz`]
  if (type !== null) conditions.push(sql<SqlBool>`r.t = ${sql.raw(String(typeCode(type)))}`)
  if (to !== null) conditions.push(sql<SqlBool>`r.last_updated <= ${to}::timestamptz`)
  if (after !== null) {
    conditions.push(sql<SqlBool>`(r.last_updated < ${after.at}::timestamptz or (r.last_updated = ${after.at}::timestamptz
      and (r.t, r.id, -r.version) > (${after.t}::smallint, ${after.id}::uuid, ${-after.version}::int)))`)
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
    method: row.deleted ? 'delete' : row.version === 1 ? 'create' : 'update',
    pid: row.pid,
    content: row.content,
  }
}

export function writePosition({ at, t, id, version }: HistoryPosition): string {
  return Buffer.from(JSON.stringify([at, t, id, version])).toString('base64url')
}

/** Throws parameter-invalid. */
export function readPosition(token: string): HistoryPosition {
  const [at, t, id, version] = parsed(token)
  const fits = typeof at === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at) && !Number.isNaN(Date.parse(at))
    && typeof t === 'number' && isResourceType(typeByCode.get(t) ?? '') && typeof id === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
    && typeof version === 'number' && Number.isInteger(version) && version > 0 && version < 2 ** 31
  if (!fits) throw fail('parameter-invalid', { zh: '_page 不正确，请使用服务器给出的 next 链接。', en: '_page is not valid. Follow the next link that the server gave.' }, '_page')
  return { at, t, id, version }
}

function parsed(token: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString())
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}
