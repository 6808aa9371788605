/**
 * Reading one resource. `readResource` and `readVersion` answer a caller: what the caller may not see is `not-found`, as if it
 * were not there, and `gone` is said only of what could have been seen. `loadResource` is for domain code that has judged by
 * itself. A server id says its shard; an id chosen by a client is looked up through id_alias in the same statement.
 * Reads of one type by one caller that arrive together are one statement, and so are loads of one type; a decision is never shared
 * between callers.
 */
import type { Resource } from '@medplum/fhirtypes'
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { visible } from '../access/visible.ts'
import { callerOf, type Ctx } from '../ctx.ts'
import { isFhirId, keyOf, shardOf } from '../fhir/id.ts'
import { gone, notFound, OutcomeError, refused } from '../fhir/outcome.ts'
import { type ResourceType, typeCode } from '../fhir/resource-types.ts'
import { plainArray } from '../storage/array-literal.ts'
import { batchedByGroup, perDatabase } from '../storage/batched.ts'
import type { Db } from '../storage/pool.ts'
import { contentOf, resourceOf, type Stored, storedOf, type StoredRow } from './content.ts'
import type { Store } from './store.ts'

/** Most members of a statement that reads for several. */
const joinedMax = 64

/** Throws OutcomeError not-found (also for what the caller may not see) and gone. */
export async function readResource(db: Db, ctx: Ctx, store: Store, type: ResourceType, id: string): Promise<Stored> {
  const projection = store.entries.get(type)?.projection
  if (projection) return readProjected(await projection.read(db, ctx, id), type, id)
  if (!isFhirId(id)) throw notFound(`${type}/${id}`)
  const wanted = { ctx, type, key: keyOf(id) }
  const stored = db.isTransaction ? (await selectMany(db, [wanted]))[0] : await readerOf(db)(wanted)
  if (stored) return stored
  await throwIfGone(db, ctx, type, id)
  throw await absent(db, type, id, `${type}/${id}`)
}

/** The refusal of what is not there for the caller; where it is or was there, it knows whose record stayed closed. The answer is the same. */
export async function absent(db: Db, type: ResourceType, id: string, name: string): Promise<OutcomeError> {
  const { rows } = await sql<{ pid: string | null }>`
    select r.pid from resource r where ${atKey(sql`r`, type, keyOf(id))}
    union all (select h.pid from resource_history h where h.id = ${keyOf(id)}::uuid and h.t = ${sql.raw(String(typeCode(type)))} order by h.version desc limit 1) limit 1`.execute(db)
  const pid = rows[0]?.pid ?? null
  return pid === null ? notFound(name) : refused(notFound(name), [pid])
}

/** A version of a resource, the current one or one from history. Throws not-found; gone when the version is the deletion. */
export async function readVersion(db: Db, ctx: Ctx, store: Store, type: ResourceType, id: string, version: number): Promise<Stored> {
  const name = `${type}/${id}/_history/${version}`
  if (!isFhirId(id) || version < 1 || version > 2 ** 31 - 1) throw notFound(name)
  if (store.entries.get(type)?.projection) {
    const stored = await readResource(db, ctx, store, type, id)
    if (stored.version !== version) throw notFound(name)
    return stored
  }
  const { rows } = await sql<StoredRow & { deleted: boolean }>`
    select r.t, r.id, r.version, r.last_updated, r.pid, r.content, r.deleted from (
      select c.shard, c.t, c.id, c.version, c.last_updated, c.pid, c.labels, c.org, c.dept, c.author, c.content, false as deleted from resource c where ${atKey(sql`c`, type, keyOf(id))} and c.version = ${version}
      union all
      select h.shard, h.t, h.id, h.version, h.last_updated, h.pid, h.labels, h.org, h.dept, h.author, h.content, h.deleted from resource_history h
      where h.id = ${keyOf(id)}::uuid and h.t = ${sql.raw(String(typeCode(type)))} and h.version = ${version}
    ) r where ${visible(ctx, type)}`.execute(db)
  const row = rows[0]
  if (!row) throw await absent(db, type, id, name)
  if (row.deleted) throw gone(`${type}/${id}`)
  return storedOf(type, row)
}

/** The current version, whoever asks; null when there is none. For domain code that has decided on access by itself. */
export async function loadResource<T extends Resource>(db: Db, type: T['resourceType'], id: string): Promise<T | null> {
  const wanted = { type: type as ResourceType, key: keyOf(id) }
  const stored = db.isTransaction ? (await selectCurrent(db, [wanted]))[0] : await loadJoined(db, wanted)
  return stored ? resourceOf<T>(stored) : null
}

const loadJoined = perDatabase((db: Db) => batchedByGroup(({ type }) => type, { max: joinedMax, run: (wanted: Current[]) => selectCurrent(db, wanted) }))

/** The current versions of several, by FHIR id; those that are not there are missing from the map. */
export async function loadResources<T extends Resource>(db: Db, type: T['resourceType'], ids: readonly string[]): Promise<Map<string, T>> {
  if (ids.length === 0) return new Map()
  const keys = [...new Set(ids)].map(keyOf)
  const { rows } = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content from ${wantedRows(type as ResourceType, keys)}`.execute(db)
  return new Map(rows.map((row) => storedOf(type as ResourceType, row)).map((stored) => [stored.id, resourceOf<T>(stored)]))
}

/** `alias.id`, `alias.t` and `alias.shard` of a key: one index probe where the id says its shard. */
export function atKey(alias: RawBuilder<unknown>, type: ResourceType, key: string): RawBuilder<SqlBool> {
  const t = sql.raw(String(typeCode(type)))
  const own = shardOf(key)
  const home = sql`(select a.home from id_alias a where a.id = ${key}::uuid and a.t = ${t} and a.shard = ${own})`
  return sql<SqlBool>`${alias}.id = ${key}::uuid and ${alias}.t = ${t} and ${alias}.shard in (${own}, ${home})`
}

interface Current { type: ResourceType; key: string }

/** The current versions of one type, whoever asks; null for each that is not there. */
async function selectCurrent(db: Db, wanted: readonly Current[]): Promise<(Stored | null)[]> {
  const [first] = wanted
  if (!first) return []
  const { type } = first
  const keys = [...new Set(wanted.map((each) => each.key))]
  const { rows } = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content from ${wantedRows(type, keys)}`.execute(db)
  return inOrder(type, wanted, rows)
}

/**
 * Rows `r` of one type by key: one index probe each where the id says its shard. The limit takes all of them. It is there for the planner, which
 * then counts on one row of an unknown list instead of ten and so finds the plan that it can keep as cheap as one made anew: planning what a
 * clinician may see takes longer than finding it.
 */
function wantedRows(type: ResourceType, keys: readonly string[]): RawBuilder<unknown> {
  const t = sql.raw(String(typeCode(type)))
  return sql`(select * from unnest(${plainArray(keys)}::uuid[], ${plainArray(keys.map(shardOf))}::int[]) limit ${keys.length}) as w (id, shard) join resource r on r.id = w.id and r.t = ${t}
    and (r.shard = w.shard or r.shard = (select a.home from id_alias a where a.id = w.id and a.t = ${t} and a.shard = w.shard))`
}

function inOrder(type: ResourceType, wanted: readonly { key: string }[], rows: readonly StoredRow[]): (Stored | null)[] {
  const found = new Map(rows.map((row) => [row.id, row]))
  return wanted.map(({ key }) => {
    const row = found.get(key)
    return row ? storedOf(type, row) : null
  })
}

interface Wanted { ctx: Ctx; type: ResourceType; key: string }

const readers = new WeakMap<Db, (wanted: Wanted) => Promise<Stored | null>>()
function readerOf(db: Db): (wanted: Wanted) => Promise<Stored | null> {
  let reader = readers.get(db)
  if (!reader) {
    reader = batchedByGroup(({ ctx, type }) => `${type} ${callerOf(ctx)}`, { max: joinedMax, run: (wanted: Wanted[]) => selectMany(db, wanted) })
    readers.set(db, reader)
  }
  return reader
}

/** What one caller may see of resources of one type, at the moment of the last who asked; null for each that is not there for them. */
async function selectMany(db: Db, wanted: readonly Wanted[]): Promise<(Stored | null)[]> {
  const last = wanted.at(-1)
  if (!last) return []
  const { ctx, type } = last
  const keys = [...new Set(wanted.map((each) => each.key))]
  const { rows } = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content from ${wantedRows(type, keys)} where ${visible(ctx, type, 'r', true)}`.execute(db)
  return inOrder(type, wanted, rows)
}

async function throwIfGone(db: Db, ctx: Ctx, type: ResourceType, id: string): Promise<void> {
  const { rows } = await sql<{ deleted: boolean; version: number }>`select r.deleted, r.version from resource_history r
    where r.id = ${keyOf(id)}::uuid and r.t = ${sql.raw(String(typeCode(type)))} and ${visible(ctx, type)}
    order by r.version desc limit 1`.execute(db)
  const [last] = rows
  // Who brings it back may want to be sure that nobody else did meanwhile.
  if (last?.deleted) throw new OutcomeError(gone(`${type}/${id}`).issues, { headers: { ETag: `W/"${last.version}"` } })
}

function readProjected(resource: Resource | null, type: ResourceType, id: string): Stored {
  if (!resource) throw notFound(`${type}/${id}`)
  return storedFrom(resource)
}

/** Makes of a resource that no row holds what a row would give: its version and instant are those it states, else 0 and none. */
export function storedFrom(resource: Resource): Stored {
  return {
    type: resource.resourceType as ResourceType,
    id: resource.id ?? '',
    version: Number(resource.meta?.versionId ?? 0),
    lastUpdated: resource.meta?.lastUpdated ?? '',
    pid: null,
    content: contentOf(resource),
  }
}
