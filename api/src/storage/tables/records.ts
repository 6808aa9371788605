/** Tables of records, of the audit trail and of what serves all domains; each names its owner above it. How columns are read: ../tables.ts. */
import type { ColumnType, Generated } from 'kysely'
import type { Instant, InstantOrNull } from './columns.ts'

/** records */
export interface ResourceTable {
  shard: number
  t: number
  id: string
  version: number
  last_updated: Instant
  pid: string | null
  d0: InstantOrNull
  d1: InstantOrNull
  keys: ColumnType<bigint[], bigint[] | string, bigint[] | string>
  /** Bits of access/labels.ts; null until judged. */
  labels: number | null
  /** Key of the Organization the entry comes from. */
  org: string | null
  /** Code of the national department catalogue. */
  dept: string | null
  /** Key of the Practitioner who wrote it. */
  author: string | null
  enc: Generated<number>
  content: string | null
  content_z: Uint8Array | null
}

/** records */
export interface ResourceHistoryTable {
  shard: number
  t: number
  id: string
  version: number
  last_updated: Instant
  deleted: Generated<boolean>
  pid: string | null
  labels: number | null
  org: string | null
  dept: string | null
  author: string | null
  /** C create, U update, D delete: the interaction that made this version. */
  method: Generated<string>
  enc: Generated<number>
  content: string | null
  content_z: Uint8Array | null
}

/** records */
export interface ResourceTypeTable { t: number; name: string }
/** records */
export interface IdAliasTable { shard: number; t: number; id: string; home: number }
/** records */
export interface IdxStringTable { shard: number; k: bigint; val: string; rid: string }
/** records: lo and hi bound the precision of the value; dates are seconds since 1970. */
export interface IdxValueTable { shard: number; k: bigint; c: bigint | null; lo: number; hi: number; rid: string }
/** records: the texts that keys stand for. */
export interface SearchTextTable { k: bigint; h: bigint; val: string }
/** records: progress of indexing a type anew. */
export interface ReindexTable {
  t: number
  fingerprint: string
  state: 'running' | 'done'
  position: string | null
  rows_done: Generated<bigint>
  rows_total: bigint
  started_at: Instant
  finished_at: InstantOrNull
}

/** records/export: `position` and `request` are the shapes of export-request.ts. */
export interface BulkExportTable {
  id: string
  state: 'accepted' | 'running' | 'done' | 'failed'
  principal: unknown
  request_url: string
  request: unknown
  transaction_at: Instant
  accepted_at: Generated<Instant>
  position: unknown
  rows_done: Generated<bigint>
  failures: Generated<number>
  issues: unknown
  expires_at: Instant
}

/** records/export */
export interface BulkExportMemberTable { export_id: string; pid: string; key: bigint; batch: number; whole: boolean }
/** records/export */
export interface BulkExportReferenceTable { export_id: string; t: number; id: string; done: Generated<boolean> }
/** records/export */
export interface BulkExportPatientTable { export_id: string; pid: string }
/** records/export */
export interface BulkExportChunkTable {
  export_id: string
  kind: 'output' | 'deleted' | 'error'
  type: string
  file: number
  chunk: number
  resources: number
  content: Uint8Array
}

/** audit */
export interface AuditEventTable {
  shard: number
  id: string
  recorded_at: Instant
  pid: string | null
  action: 'C' | 'R' | 'U' | 'D' | 'E'
  interaction: string
  resource_type: string | null
  resource_id: string | null
  detail: string | null
  outcome: number
  principal_kind: string
  principal_id: string
  principal_name: string
  role: string | null
  practitioner: string | null
  organization: string | null
  organization_name: string | null
  purpose: string
  basis: string
  request_id: string
}

/** audit: a digest of each day that is over, chained to the day before. */
export interface AuditDayTable { day: string; rows: bigint; digest: string; sealed_at: Instant }
/** records: emergency access; an unreviewed one blocks the clinician's next. */
export interface BreakGlassTable {
  shard: number
  id: string
  pid: string
  patient: string
  practitioner: string
  account: string
  name: string
  organization: string
  organization_name: string
  reason: 'unconscious' | 'life-threatening' | 'childbirth' | 'other-emergency'
  explanation: string
  opened_at: Instant
  until_at: Instant
  seen_at: InstantOrNull
  reviewed_at: InstantOrNull
  reviewer: string | null
  reviewer_name: string | null
  verdict: 'justified' | 'unjustified' | null
  note: string | null
}

/** http */
export interface IdempotencyTable {
  shard: number
  principal_id: string
  key: string
  body_hash: string
  status: number
  response: string
  created_at: Instant
}

/** records */
export interface LoadedFileTable { sha256: string; name: string; resources: number; loaded_at: Instant }
/** storage */
export interface PlatformFactTable { name: string; value: unknown }
