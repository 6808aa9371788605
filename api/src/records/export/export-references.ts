/**
 * What the rows of an export of patients refer to in the directories: noted with each step, read at its end, each once. Without it a reader would know of a
 * doctor or a hospital by its id alone. Source: HL7 Bulk Data Access IG 2.0, § Patient-level and group-level export (resources that help to interpret the data).
 */
import { sql } from 'kysely'
import { isFhirId, keyOf } from '../../fhir/id.ts'
import { isResourceType, typeCode } from '../../fhir/resource-types.ts'
import type { Db, Trx } from '../../storage/pool.ts'
import type { Stored } from '../content.ts'
import { type ExportRequest, referencedTypes } from './export-request.ts'

/** A row that is referred to. */
export interface ReferencedRow { t: number; id: string }

type Running = { id: string; request: ExportRequest }

const rowsOfStep = 500

/** Of everything, everything comes anyway. */
export function withReferences({ level, types }: ExportRequest): boolean {
  return level !== 'system' && types.some((type) => referencedTypes.includes(type))
}

export async function noteReferences(trx: Trx, { id, request }: Running, rows: readonly Stored[]): Promise<void> {
  if (!withReferences(request)) return
  const found = new Map<string, ReferencedRow>()
  for (const { content } of rows) {
    for (const [, type = '', reference = ''] of content.matchAll(/"reference":"([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[^"]*)?"/g)) {
      if (!isResourceType(type) || !referencedTypes.includes(type) || !request.types.includes(type) || !isFhirId(reference)) continue
      found.set(`${type}/${reference}`, { t: typeCode(type), id: keyOf(reference) })
    }
  }
  const list = [...found.values()]
  if (list.length === 0) return
  await sql`insert into bulk_export_reference (export_id, t, id) select ${id}::uuid, w.t, w.id from unnest(${list.map((each) => each.t)}::smallint[], ${list.map((each) => each.id)}::uuid[]) as w (t, id)
    on conflict on constraint bulk_export_reference_pkey do nothing`.execute(trx)
}

export async function nextReferences(db: Db, { id }: Running): Promise<ReferencedRow[]> {
  return db.selectFrom('bulk_export_reference').select(['t', 'id']).where('export_id', '=', id).where('done', '=', false).orderBy('t').orderBy('id').limit(rowsOfStep).execute()
}

export async function markDone(db: Db, { id }: Running, rows: readonly ReferencedRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql`update bulk_export_reference b set done = true from unnest(${rows.map((each) => each.t)}::smallint[], ${rows.map((each) => each.id)}::uuid[]) as w (t, id)
    where b.export_id = ${id}::uuid and b.t = w.t and b.id = w.id`.execute(db)
}
