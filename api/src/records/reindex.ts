/**
 * Indexes anew what was stored before the search parameters of its type changed, while everything goes on. A type is walked in the order
 * of its keys in small transactions; `reindex` says how far it is, so a killed run goes on where it was. Rows that are written
 * meanwhile are indexed by the new parameters already, and a row is indexed from its text as it is locked, so nothing is overwritten.
 * Done means: as many rows were seen as there are now, by a count at the end. A type whose parameters have not changed costs one look-up.
 */
import type { Resource } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { hiddenBit } from '../access/labels.ts'
import type { Placement } from '../access/placement.ts'
import type { Ctx } from '../ctx.ts'
import type { FhirModel } from '../fhir/model.ts'
import { type ResourceType, resourceTypes, typeCode } from '../fhir/resource-types.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { resourceOf } from './content.ts'
import { indexFingerprint } from './index-fingerprint.ts'
import { indexResource, type IndexRow } from './index-resource.ts'
import { keepTexts } from './index-texts.ts'
import { placementsOfStored } from './place-writes.ts'
import { paramKey } from './search/keys.ts'
import type { Store } from './store.ts'
import { settledParameters } from './stored-parameters.ts'
import { codesText, keysText } from './write-rows.ts'

const rowsPerStep = 200

export interface ReindexProgress { type: ResourceType; state: 'running' | 'done'; rowsDone: number; rowsTotal: number }

interface ProgressRow { fingerprint: string; state: 'running' | 'done'; position: string | null; rows_done: bigint; rows_total: bigint; started_at: string }

/**
 * Brings every type up to date; a sweep of the worker. Types without rows, and those that were never indexed otherwise, are noted as done.
 * @param stepsMax steps of one run, so that a sweep ends; the next goes on.
 * @returns rows that were indexed anew.
 */
export async function reindexChanged(db: Db, ctx: Ctx, store: Store, stepsMax = 500): Promise<number> {
  await settledParameters(db, ctx, store)
  let rows = 0
  let steps = 0
  // Visits first: other entries take hospital and department from them.
  for (const entry of [...store.entries.values()].sort((a, b) => Number(b.type === 'Encounter') - Number(a.type === 'Encounter'))) {
    if (entry.projection !== null) continue
    const fingerprint = indexFingerprint(store.model, entry.type)
    if (!await begin(db, ctx, entry.type, fingerprint)) continue
    for (;;) {
      if (steps++ >= stepsMax) return rows
      const done = await step(db, ctx, store, entry.type, fingerprint)
      if (done === null) break
      rows += done
    }
  }
  return rows
}

/** For whoever fills an empty store by the parameters of today: its types are noted as done, or the sweep would index anew all that follows. */
export async function noteEmptyStore(db: Db, now: Date, model: FhirModel): Promise<void> {
  if (await db.selectFrom('resource').select('id').limit(1).executeTakeFirst() !== undefined) return
  const at = now.toISOString()
  const rows = resourceTypes.map((type) => ({
    t: typeCode(type), fingerprint: indexFingerprint(model, type), state: 'done' as const, position: null, rows_done: 0n, rows_total: 0n, started_at: at, finished_at: at,
  }))
  await db.insertInto('reindex').values(rows).onConflict((conflict) => conflict.constraint('reindex_pkey').doNothing()).execute()
}

/** How far each type is that has ever been indexed anew. */
export async function reindexProgress(db: Db, store: Store): Promise<ReindexProgress[]> {
  const rows = await db.selectFrom('reindex').select(['t', 'state', 'rows_done', 'rows_total']).execute()
  const types = new Map([...store.entries.keys()].map((type) => [typeCode(type), type]))
  return rows.flatMap((row) => {
    const type = types.get(row.t)
    return type ? [{ type, state: row.state, rowsDone: Number(row.rows_done), rowsTotal: Number(row.rows_total) }] : []
  })
}

/** @returns whether there is something to do. */
async function begin(db: Db, ctx: Ctx, type: ResourceType, fingerprint: string): Promise<boolean> {
  const t = typeCode(type)
  const known = await db.selectFrom('reindex').select(['fingerprint', 'state']).where('t', '=', t).executeTakeFirst()
  if (known?.fingerprint === fingerprint) return known.state === 'running'
  const total = await countRows(db, type)
  const started = ctx.now.toISOString()
  const state = known === undefined && total === 0 ? 'done' : 'running'
  const fresh = { fingerprint, state, position: null, rows_done: 0n, rows_total: BigInt(total), started_at: started, finished_at: state === 'done' ? started : null } as const
  await db.insertInto('reindex').values({ t, ...fresh }).onConflict((conflict) => conflict.constraint('reindex_pkey').doUpdateSet(fresh)).execute()
  return state === 'running'
}

/** One small transaction. @returns rows done; null when the type is finished. */
function step(db: Db, ctx: Ctx, store: Store, type: ResourceType, fingerprint: string): Promise<number | null> {
  return inTransaction(db, async (trx) => {
    const t = typeCode(type)
    const { rows: [progress] } = await sql<ProgressRow>`select fingerprint, state, position, rows_done, rows_total, started_at from reindex where t = ${t}::smallint for update`.execute(trx)
    if (progress?.fingerprint !== fingerprint || progress.state === 'done') return null
    const { rows } = await sql<{ shard: number; id: string; version: number; last_updated: string; content: string }>`
      select r.shard, r.id, r.version, r.last_updated, r.content from resource r where r.t = ${sql.raw(String(t))}
      ${progress.position === null ? sql`` : sql`and r.id > ${progress.position}::uuid`} order by r.id limit ${rowsPerStep} for update`.execute(trx)
    const last = rows.at(-1)
    if (!last) return await finish(trx, ctx, type, progress)
    const resources = rows.map((row) => resourceOf<Resource & { id: string }>({ version: row.version, lastUpdated: row.last_updated, content: row.content }))
    const indexed = rows.map((row, at) => ({ shard: row.shard, id: row.id, index: indexResource(store.model, resources[at] as Resource) }))
    await replaceIndex(trx, store.model, type, indexed)
    await judge(trx, type, rows.map((row) => row.id), await placementsOfStored(trx, resources))
    await trx.updateTable('reindex').set({ position: last.id, rows_done: progress.rows_done + BigInt(rows.length) }).where('t', '=', t).execute()
    return rows.length
  })
}

/**
 * The end of the walk. Every row that is older than the walk and still there must have been seen; younger ones were indexed as they were written.
 * When rows are missing it begins once more.
 */
async function finish(trx: Trx, ctx: Ctx, type: ResourceType, progress: ProgressRow): Promise<null> {
  const complete = progress.rows_done >= BigInt(await countRows(trx, type, progress.started_at))
  await trx.updateTable('reindex').set(complete
    ? { state: 'done', rows_total: BigInt(await countRows(trx, type)), finished_at: ctx.now.toISOString() }
    : { position: null, rows_done: 0n }).where('t', '=', typeCode(type)).execute()
  return null
}

async function countRows(db: Db, type: ResourceType, before: string | null = null): Promise<number> {
  const { rows } = await sql<{ total: number }>`select count(*)::int as total from resource r
    where r.t = ${sql.raw(String(typeCode(type)))} ${before === null ? sql`` : sql`and r.last_updated < ${before}::timestamptz`}`.execute(db)
  return rows[0]?.total ?? 0
}

/** Rows keep their version: nothing that a client sees has changed. The patient of a row is as it was. */
async function replaceIndex(trx: Trx, model: FhirModel, type: ResourceType, rows: readonly { shard: number; id: string; index: IndexRow }[]): Promise<void> {
  await keepTexts(trx, rows.flatMap((row) => row.index.texts))
  await sql`update resource r set keys = w.keys::bigint[], d0 = w.d0, d1 = w.d1
    from unnest(${rows.map((row) => row.shard)}::int[], ${rows.map((row) => row.id)}::uuid[], ${rows.map((row) => keysText(row.index.keys))}::text[],
      ${rows.map((row) => row.index.d0)}::timestamptz[], ${rows.map((row) => row.index.d1)}::timestamptz[]) as w (shard, id, keys, d0, d1)
    where r.id = w.id and r.shard = w.shard and r.t = ${sql.raw(String(typeCode(type)))}
      and (r.keys <> w.keys::bigint[] or r.d0 is distinct from w.d0 or r.d1 is distinct from w.d1)`.execute(trx)
  // Ids of different types may have one key, so only what this type can have stored is taken out: all its parameters, and what is there now.
  const own = sideKeys(model, type, rows)
  const ids = rows.map((row) => row.id)
  for (const table of ['idx_string', 'idx_value'] as const) {
    await sql`delete from ${sql.table(table)} s where s.rid = any(${ids}::uuid[]) and s.k = any(${keysText(own)}::text::bigint[])`.execute(trx)
  }
  const strings = rows.flatMap((row) => row.index.strings.map((each) => ({ shard: row.shard, rid: row.id, ...each })))
  const values = rows.flatMap((row) => row.index.values.map((each) => ({ shard: row.shard, rid: row.id, ...each })))
  if (strings.length > 0) {
    await sql`insert into idx_string (shard, k, val, rid) select * from unnest(${strings.map((each) => each.shard)}::int[], ${keysText(strings.map((each) => each.k))}::text::bigint[],
      ${strings.map((each) => each.val)}::text[], ${strings.map((each) => each.rid)}::uuid[])`.execute(trx)
  }
  if (values.length > 0) {
    await sql`insert into idx_value (shard, k, c, lo, hi, rid) select * from unnest(${values.map((each) => each.shard)}::int[], ${keysText(values.map((each) => each.k))}::text::bigint[],
      ${codesText(values)}::text::bigint[],
      ${values.map((each) => each.lo)}::float8[], ${values.map((each) => each.hi)}::float8[], ${values.map((each) => each.rid)}::uuid[])`.execute(trx)
  }
}

/** Rows that were stored before the access decision looked at labels, and their former versions. What is judged already stays. */
async function judge(trx: Trx, type: ResourceType, ids: readonly string[], placements: readonly Placement[]): Promise<void> {
  const t = sql.raw(String(typeCode(type)))
  for (const table of ['resource', 'resource_history'] as const) {
    await sql`update ${sql.table(table)} r set org = w.org, dept = w.dept, author = w.author,
        labels = w.labels | case when exists (select from hidden_item h where h.id = r.id and h.t = r.t) then ${sql.raw(String(hiddenBit))} else 0 end
      from unnest(${[...ids]}::uuid[], ${placements.map((each) => each.labels)}::int[], ${placements.map((each) => each.organization)}::uuid[],
        ${placements.map((each) => each.department)}::text[], ${placements.map((each) => each.author)}::uuid[]) as w (id, labels, org, dept, author)
      where r.id = w.id and r.t = ${t} and r.labels is null`.execute(trx)
  }
}

function sideKeys(model: FhirModel, type: ResourceType, rows: readonly { index: IndexRow }[]): bigint[] {
  const keys = new Set<bigint>([...model.searchParameters(type).values()].map((param) => paramKey(type, param.code)))
  for (const { index } of rows) for (const each of [...index.strings, ...index.values]) keys.add(each.k)
  return [...keys]
}
