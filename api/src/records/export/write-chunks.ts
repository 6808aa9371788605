/** The NDJSON of a step, put at the end of the files of an export: a file takes a bounded number of resources, a chunk is a step's share of it. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { stringifyJson } from '../../fhir/json.ts'
import { type Language, operationOutcome } from '../../fhir/outcome.ts'
import type { Trx } from '../../storage/pool.ts'
import type { BulkExportChunkTable } from '../../storage/tables.ts'
import { sendable, type Stored } from '../content.ts'
import { withElements } from '../search/elements.ts'
import type { Store } from '../store.ts'
import type { ExportRequest } from './export-request.ts'
import type { ExportStep, RunningExport } from './export-rows.ts'

type Kind = BulkExportChunkTable['kind']

const resourcesPerFile = 100_000
const pack = promisify(gzip)

/** @returns resources and deletions that were written. */
export async function writeChunks(trx: Trx, store: Store, { id, request }: RunningExport, { rows, deleted }: ExportStep): Promise<number> {
  const lines = new Map<string, string[]>()
  for (const row of rows) {
    const list = lines.get(row.type) ?? []
    lines.set(row.type, list)
    list.push(sendable(narrowed(store, request, row)))
  }
  for (const [type, list] of lines) await append(trx, id, 'output', type, list)
  // Of what was deleted only the address is left to tell.
  await append(trx, id, 'deleted', 'Bundle', deleted.map(({ reference }) =>
    `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":${JSON.stringify(reference)}}}]}`))
  return rows.length + deleted.length
}

/** What lenient handling left out. */
export function writeWarnings(trx: Trx, { id, request }: RunningExport, language: Language): Promise<void> {
  return append(trx, id, 'error', 'OperationOutcome', request.warnings.map((each) => stringifyJson(operationOutcome([each], language))))
}

function narrowed(store: Store, { elements }: ExportRequest, row: Stored): Stored {
  const names = elements[row.type] ?? elements['*']
  return names === undefined ? row : withElements(store.model, row, names)
}

async function append(trx: Trx, exportId: string, kind: Kind, type: string, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return
  const last = await trx.selectFrom('bulk_export_chunk').select((eb) => ['file', eb.fn.max('chunk').as('chunk'), eb.fn.sum<string>('resources').as('resources')])
    .where('export_id', '=', exportId).where('kind', '=', kind).where('type', '=', type).groupBy('file').orderBy('file', 'desc').limit(1).executeTakeFirst()
  const place = last === undefined ? { file: 1, chunk: 0 } : Number(last.resources) < resourcesPerFile ? { file: last.file, chunk: last.chunk + 1 } : { file: last.file + 1, chunk: 0 }
  const content = await pack(`${lines.join('\n')}\n`, { level: 4 })
  await trx.insertInto('bulk_export_chunk').values({ export_id: exportId, kind, type, ...place, resources: lines.length, content }).execute()
}
