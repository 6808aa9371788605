/**
 * Fills the store with resources that are known to be right, by COPY: for the demo city and for benchmarks. Ids are set already and
 * new, every resource gets version 1; nothing is validated, judged or audited. Chunks are committed one by one, so whoever calls notes
 * somewhere that a load has finished. While PostgreSQL takes one chunk the next is made.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Resource } from '@medplum/fhirtypes'
import type { ReservedSql, Sql } from 'postgres'
import { keyOf, shardOf } from '../fhir/id.ts'
import { type ResourceType, typeCode } from '../fhir/resource-types.ts'
import { indexResource } from './index-resource.ts'
import type { TextRow } from './index-texts.ts'
import { loadPlacer } from './place-writes.ts'
import type { Store } from './store.ts'
import { keysText, shardFor } from './write-rows.ts'

const chunkSize = 2_000
const chunksUnderWayMax = 2
const turnSize = 20

/** Rows of COPY text, a line each. */
interface Chunk { resource: string[]; idx_string: string[]; idx_value: string[]; id_alias: string[]; texts: Map<bigint, TextRow> }

const columns: Record<Exclude<keyof Chunk, 'texts'>, string> = {
  resource: 'shard, t, id, version, last_updated, pid, d0, d1, keys, labels, org, dept, author, content',
  idx_string: 'shard, k, val, rid',
  idx_value: 'shard, k, c, lo, hi, rid',
  id_alias: 'shard, t, id, home',
}

/**
 * Stores resources that have an `id` that no row has yet.
 * @param sql a pool of at least two connections. @param at `meta.lastUpdated` of all of them.
 * @returns how many were stored, by type.
 */
export async function bulkLoad(sql: Sql, store: Pick<Store, 'model'>, resources: Iterable<Resource> | AsyncIterable<Resource>, at: Date): Promise<Map<string, number>> {
  const totals = new Map<string, number>()
  const underWay = new Set<Promise<void>>()
  const instant = at.toISOString()
  const place = loadPlacer()
  let chunk = emptyChunk()
  const send = async (): Promise<void> => {
    while (underWay.size >= chunksUnderWayMax) await Promise.race(underWay)
    const sent = copyChunk(sql, chunk).finally(() => underWay.delete(sent))
    // A failure is thrown by the race or at the end; until then nobody waits for it.
    sent.catch(() => {})
    underWay.add(sent)
    chunk = emptyChunk()
  }
  for await (const resource of resources) {
    addRows(chunk, store, place(resource as Resource & { id: string }), instant)
    totals.set(resource.resourceType, (totals.get(resource.resourceType) ?? 0) + 1)
    if (chunk.resource.length >= chunkSize) await send()
    // The socket gets its turn between resources, or PostgreSQL would wait while the next chunk is made.
    else if (chunk.resource.length % turnSize === 0) await nextTurn()
  }
  if (chunk.resource.length > 0) await send()
  await Promise.all(underWay)
  return totals
}

function emptyChunk(): Chunk {
  return { resource: [], idx_string: [], idx_value: [], id_alias: [], texts: new Map() }
}

function addRows(chunk: Chunk, { model }: Pick<Store, 'model'>, { resource, content: text, placement }: ReturnType<ReturnType<typeof loadPlacer>>, instant: string): void {
  const index = indexResource(model, resource)
  const id = resource.id ?? ''
  const key = keyOf(id)
  const t = typeCode(resource.resourceType as ResourceType)
  const shard = shardFor(id, index)
  const content = text.replaceAll('\\', '\\\\')
  const or = (value: string | null) => value ?? '\\N'
  chunk.resource.push(`${shard}\t${t}\t${key}\t1\t${instant}\t${or(index.pid)}\t${or(index.d0)}\t${or(index.d1)}\t${keysText(index.keys)}\t${placement.labels}\t${or(placement.organization)}\t${or(placement.department)}\t${or(placement.author)}\t${content}\n`)
  for (const each of index.texts) chunk.texts.set(each.h, each)
  for (const { k, val } of index.strings) chunk.idx_string.push(`${shard}\t${k}\t${val.replaceAll('\\', '\\\\')}\t${key}\n`)
  for (const { k, c, lo, hi } of index.values) chunk.idx_value.push(`${shard}\t${k}\t${c ?? '\\N'}\t${lo}\t${hi}\t${key}\n`)
  if (shardOf(key) !== shard || key[14] !== '7') chunk.id_alias.push(`${shardOf(key)}\t${t}\t${key}\t${shard}\n`)
}

/** One transaction a chunk. */
async function copyChunk(sql: Sql, chunk: Chunk): Promise<void> {
  await copyTexts(sql, [...chunk.texts.values()])
  const connection = await sql.reserve()
  try {
    await connection.unsafe('begin')
    for (const name of Object.keys(columns) as (keyof typeof columns)[]) if (chunk[name].length > 0) await copyRows(connection, name, chunk[name])
    await connection.unsafe('commit')
  } catch (cause) {
    await connection.unsafe('rollback').catch(() => {})
    throw new Error(`The load stopped: ${(cause as Error).message} Resources from ${firstName(chunk)} on are not stored; an id may be there already.`, { cause })
  } finally {
    connection.release()
  }
}

/** On its own and before the rows: one too many does no harm, and no chunk waits for another. */
async function copyTexts(sql: Sql, texts: readonly TextRow[]): Promise<void> {
  if (texts.length === 0) return
  const sorted = [...texts].sort((a, b) => (a.h < b.h ? -1 : 1))
  await sql.unsafe(`insert into search_text (k, h, val) select * from unnest($1::text::bigint[], $2::text::bigint[], $3::text[])
    on conflict on constraint search_text_pkey do nothing`, [keysText(sorted.map((each) => each.k)), keysText(sorted.map((each) => each.h)), sorted.map((each) => each.val)])
}

/**
 * The driver tells of a failure only while a COPY is still being written to; of one that comes with its end it says nothing, and
 * its stream waits for ever. So a statement follows: after a failed COPY it is refused, because the transaction is aborted.
 */
async function copyRows(connection: ReservedSql, name: keyof typeof columns, lines: readonly string[]): Promise<void> {
  const target = await connection.unsafe(`copy ${name} (${columns[name]}) from stdin`).writable()
  const closed = new Promise<void>((done) => { target.once('close', done) })
  let failure: Error | null = null
  target.on('error', (error) => { failure = error })
  for (const piece of pieces(lines)) {
    if (failure) throw failure
    await new Promise<void>((done, failed) => { target.write(piece, (error) => { if (error) failed(error); else done() }) })
  }
  // Nothing is pending, so the end goes out before the next turn.
  target.end()
  await nextTurn()
  await connection.unsafe('select 1')
  await closed
}

function firstName(chunk: Chunk): string {
  return /\{"resourceType":"(\w+)","id":"([^"]+)"/.exec(chunk.resource[0] ?? '')?.slice(1).join('/') ?? 'the first'
}

/** Lines joined to pieces of some size: a write a line would cost more than the copy. */
function* pieces(lines: readonly string[]): Generator<Buffer> {
  for (let at = 0; at < lines.length; at += 250) yield Buffer.from(lines.slice(at, at + 250).join(''))
}
