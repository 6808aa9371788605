/**
 * Every table and column, as Kysely sees them. A test compares this file with the live schema.
 * Each table belongs to one domain, named above it; only its owner writes it.
 * Types: `timestamptz` is read as an ISO string in UTC and written as Date or ISO string; `date` is `YYYY-MM-DD`; `int8` is
 * bigint; money columns end in `_fen` and are bigint.
 */
import type { ColumnType, Generated } from 'kysely'

type Instant = ColumnType<string, Date | string, Date | string>
type InstantOrNull = ColumnType<string | null, Date | string | null, Date | string | null>

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
export interface IdxValueTable { shard: number; k: bigint; lo: number; hi: number; rid: string }

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

/** access */
export interface AccountTable {
  id: string
  login: string
  password_hash: string
  display_name: string
  demo: Generated<boolean>
  created_at: Instant
}
/** access */
export interface AccountRoleTable {
  account_id: string
  role: string
  patient: string | null
  practitioner: string | null
  organization: string | null
  organization_name: string | null
}
/** access */
export interface ProxyGrantTable {
  shard: number
  pid: string
  grantee_pid: string
  relationship: string
  patient_name: string
  from_at: Instant
  until_at: InstantOrNull
}
/** access */
export interface CareRelationTable {
  shard: number
  pid: string
  practitioner: string
  organization: string
  reason: 'appointment' | 'encounter' | 'gp-contract'
  reason_id: string
  from_at: Instant
  until_at: Instant
}
/** access */
export interface ClientTable { id: string; display_name: string; jwks: unknown; scopes: string; organization: string | null }
/** access */
export interface SigningKeyTable { kid: string; alg: string; private_jwk: unknown; public_jwk: unknown; created_at: Instant }
/** access */
export interface UsedAssertionTable { client_id: string; jti: string; expires_at: Instant }

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

export interface Tables {
  resource: ResourceTable
  resource_history: ResourceHistoryTable
  resource_type: ResourceTypeTable
  id_alias: IdAliasTable
  idx_string: IdxStringTable
  idx_value: IdxValueTable
  audit_event: AuditEventTable
  account: AccountTable
  account_role: AccountRoleTable
  proxy_grant: ProxyGrantTable
  care_relation: CareRelationTable
  client: ClientTable
  signing_key: SigningKeyTable
  used_assertion: UsedAssertionTable
  idempotency: IdempotencyTable
  loaded_file: LoadedFileTable
  platform_fact: PlatformFactTable
}

/** The database of an insurance centre. Tables are added by its own migrations under migrations/insurer. */
export interface InsurerTables {
  client: ClientTable
  signing_key: SigningKeyTable
  used_assertion: UsedAssertionTable
}
