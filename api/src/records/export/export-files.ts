/**
 * What a system may ask about its own exports: how far one is, the manifest, the files; and that it be cancelled or forgotten. Another
 * system's export is not there, nor one that has expired. Source: HL7 Bulk Data Access IG 2.0, § Status Request, § Output File Request.
 */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { assertMayAsk } from '../../access/may-ask.ts'
import { signInRequired } from '../../access/may-write.ts'
import type { Ctx } from '../../ctx.ts'
import { type Issue, notFound } from '../../fhir/outcome.ts'
import { isResourceType } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import type { BulkExportChunkTable } from '../../storage/tables.ts'
import type { ExportPosition, ExportRequest } from './export-request.ts'

export interface ExportState {
  state: 'accepted' | 'running' | 'done' | 'failed'
  /** One line for people. */
  progress: string
  issues: readonly Issue[]
  /** ISO instant. */
  expiresAt: string
  manifest: Manifest | null
}

interface FileItem { type: string; url: string; count: number }

/** The JSON of a finished export, as the IG has it. */
interface Manifest { transactionTime: string; request: string; requiresAccessToken: true; output: FileItem[]; deleted: FileItem[]; error: FileItem[] }

interface ExportRow { id: string; state: ExportState['state']; request_url: string; request: ExportRequest; transaction_at: string; position: ExportPosition | null; rows_done: bigint; issues: Issue[]; expires_at: string }

/** Throws sign-in-required and not-found. */
export async function exportState(db: Db, ctx: Ctx, id: string): Promise<ExportState> {
  const row = await ownExport(db, ctx, id)
  return { state: row.state, progress: progressOf(row), issues: row.issues, expiresAt: row.expires_at, manifest: row.state === 'done' ? await manifestOf(db, row) : null }
}

/** A step that is under way ends first; what it wrote goes with the rest. */
export async function forgetExport(db: Db, ctx: Ctx, id: string): Promise<void> {
  await ownExport(db, ctx, id)
  await db.deleteFrom('bulk_export').where('id', '=', id).execute()
}

/** The text of a file, a chunk at a time. Throws also forbidden, when the caller may no longer read the type. */
export async function exportFile(db: Db, ctx: Ctx, id: string, name: string): Promise<AsyncIterable<Uint8Array>> {
  const row = await ownExport(db, ctx, id)
  const [, kind, type = '', file] = /^(output|deleted|error)-([A-Za-z]+)-(\d{1,6})\.ndjson$/.exec(name) ?? []
  if (kind === undefined || row.state !== 'done') throw notFound(name.slice(0, 100))
  if (kind === 'output' && isResourceType(type)) assertMayAsk(ctx, type, 'r')
  const place = { id, kind: kind as BulkExportChunkTable['kind'], type, file: Number(file) }
  const first = await readChunk(db, place, 0)
  if (first === null) throw notFound(name)
  return chunks(db, place, first)
}

interface Place { id: string; kind: BulkExportChunkTable['kind']; type: string; file: number }

async function* chunks(db: Db, place: Place, first: Uint8Array): AsyncIterable<Uint8Array> {
  let chunk: Uint8Array | null = first
  for (let number = 1; chunk !== null; number++) {
    yield chunk
    chunk = await readChunk(db, place, number)
  }
}

const unpack = promisify(gunzip)

async function readChunk(db: Db, { id, kind, type, file }: Place, chunk: number): Promise<Uint8Array | null> {
  const row = await db.selectFrom('bulk_export_chunk').select('content')
    .where('export_id', '=', id).where('kind', '=', kind).where('type', '=', type).where('file', '=', file).where('chunk', '=', chunk).executeTakeFirst()
  return row ? unpack(row.content) : null
}

async function ownExport(db: Db, { principal, now }: Ctx, id: string): Promise<ExportRow> {
  if (principal.kind === 'anonymous') throw signInRequired()
  const row = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
    ? await db.selectFrom('bulk_export').select(['id', 'state', 'principal', 'request_url', 'request', 'transaction_at', 'position', 'rows_done', 'issues', 'expires_at'])
      .where('id', '=', id).executeTakeFirst() : undefined
  const asker = row?.principal as { kind: string; id: string } | undefined
  if (!row || asker?.kind !== principal.kind || asker.id !== principal.id || row.expires_at <= now.toISOString()) throw notFound(`_export/${id.slice(0, 64)}`)
  return row as unknown as ExportRow
}

/** At most 100 characters. */
function progressOf({ state, position, request, rows_done }: ExportRow): string {
  if (state === 'accepted') return 'accepted'
  const part = position?.phase === 'deleted' ? 'deletions' : position?.phase === 'referenced' ? 'references' : request.level === 'group' || request.patients !== null ? `batch ${(position?.part ?? 0) + 1}`
    : `type ${Math.min((position?.part ?? 0) + 1, request.types.length)} of ${request.types.length}`
  return `${rows_done} resources written, ${part}`
}

async function manifestOf(db: Db, row: ExportRow): Promise<Manifest> {
  const files = await db.selectFrom('bulk_export_chunk').select((eb) => ['kind', 'type', 'file', eb.fn.sum<string>('resources').as('resources')])
    .where('export_id', '=', row.id).groupBy(['kind', 'type', 'file']).orderBy('type').orderBy('file').execute()
  const items = (kind: string): FileItem[] => files.filter((each) => each.kind === kind).map((each) => ({
    type: each.type, url: `${row.request.base}/_export/${row.id}/${kind}-${each.type}-${each.file}.ndjson`, count: Number(each.resources),
  }))
  return { transactionTime: row.transaction_at, request: row.request_url, requiresAccessToken: true, output: items('output'), deleted: items('deleted'), error: items('error') }
}
