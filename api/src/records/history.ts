/**
 * The history of one resource: every version, newest first, with the request that made it and what it answered. The
 * current version is in `resource`, all others and the deletions in `resource_history`. Pages are cut at version numbers, so
 * a write between two pages shifts nothing. Source: FHIR R4 § history, Bundle.type history.
 */
import { sql } from 'kysely'
import { visible } from '../access/visible.ts'
import type { Ctx } from '../ctx.ts'
import { isFhirId, keyOf } from '../fhir/id.ts'
import { notFound } from '../fhir/outcome.ts'
import { type ResourceType, typeCode } from '../fhir/resource-types.ts'
import type { Db } from '../storage/pool.ts'
import type { StoredRow } from './content.ts'
import { absent, atKey } from './read-resource.ts'

export interface HistoryPage {
  entries: HistoryEntry[]
  /** Versions of the whole history that fit `since`. */
  total: number
  /** Where the older and the newer versions begin that this page does not show; null where there are none. */
  older: VersionCut | null
  newer: VersionCut | null
  /** Key of the patient of the newest version that is shown; null outside any compartment. */
  pid: string | null
}

export interface HistoryEntry {
  version: number
  lastUpdated: string
  /** What made the version; `create` also after a deletion. */
  method: 'create' | 'update' | 'delete'
  /** Stored text; null for a deletion. */
  content: string | null
}

export interface HistoryQuery {
  count: number
  /** Only versions at or after this instant; null for all. */
  since: string | null
  /** Only versions that were current at some point of this time; null for all. */
  at: { from: string; to: string } | null
  /** Null for the first page. */
  cut: VersionCut | null
}

/** The page next to a version, without it: the ones below it, newest first, or the ones above that are nearest to it. */
export interface VersionCut { side: 'below' | 'above'; version: number }

type Row = Omit<StoredRow, 'content'> & { content: string | null; deleted: boolean; after_deletion: boolean; total: number }

/** Throws OutcomeError not-found when there is no version the caller may see. */
export async function readHistory(db: Db, ctx: Ctx, type: ResourceType, id: string, query: HistoryQuery): Promise<HistoryPage> {
  if (!isFhirId(id)) throw notFound(`${type}/${id}`)
  const key = keyOf(id)
  const back = query.cut?.side === 'above'
  const { rows } = await sql<Row>`
    with r as materialized (
      select c.shard, c.t, c.id, c.version, c.last_updated, c.pid, c.labels, c.org, c.dept, c.author, c.content, false as deleted from resource c where ${atKey(sql`c`, type, key)}
      union all
      select h.shard, h.t, h.id, h.version, h.last_updated, h.pid, h.labels, h.org, h.dept, h.author, h.content, h.deleted from resource_history h
      where h.id = ${key}::uuid and h.t = ${sql.raw(String(typeCode(type)))}
    ), seen as (
      select r.*, coalesce(lag(r.deleted) over (order by r.version), true) as after_deletion, lead(r.last_updated) over (order by r.version) as superseded_at from r where ${visible(ctx, type)}
    ), fitting as (
      select * from seen where (${query.since}::timestamptz is null or last_updated >= ${query.since}::timestamptz)
        and (${query.at?.to ?? null}::timestamptz is null or last_updated <= ${query.at?.to ?? null}::timestamptz)
        and (${query.at?.from ?? null}::timestamptz is null or superseded_at is null or superseded_at > ${query.at?.from ?? null}::timestamptz)
    )
    select t, id, version, last_updated, pid, content, deleted, after_deletion, (select count(*)::int from fitting) as total
    from fitting where ${query.cut === null ? sql`true` : back ? sql`version > ${query.cut.version}::int` : sql`version < ${query.cut.version}::int`}
    order by version ${back ? sql`asc` : sql`desc`} limit ${query.count + 1}`.execute(db)
  if (rows.length === 0) {
    if (query.since === null && query.at === null && query.cut === null) throw await absent(db, type, id, `${type}/${id}`)
    await readHistory(db, ctx, type, id, { count: 1, since: null, at: null, cut: null })
  }
  const page = back ? rows.slice(0, query.count).reverse() : rows.slice(0, query.count)
  const isMore = rows.length > query.count
  const cut = (side: VersionCut['side'], row: Row | undefined): VersionCut | null => row ? { side, version: row.version } : null
  return {
    entries: page.map(entryOf),
    total: rows[0]?.total ?? 0,
    // A page that was reached from one of its sides has something there.
    older: back || isMore ? cut('below', page.at(-1)) : null,
    newer: (back ? isMore : query.cut !== null) ? cut('above', page[0]) : null,
    pid: page[0]?.pid ?? null,
  }
}

function entryOf(row: Row): HistoryEntry {
  return {
    version: row.version,
    lastUpdated: row.last_updated,
    method: row.deleted ? 'delete' : row.after_deletion ? 'create' : 'update',
    content: row.content,
  }
}
