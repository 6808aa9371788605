/** Tables of access: accounts, relations, choices, sign-in and apps; each names its owner above it. How columns are read: ../tables.ts. */
import type { Generated } from 'kysely'
import type { Instant, InstantOrNull } from './columns.ts'

/** access */
export interface AccountTable {
  id: string
  login: string
  password_hash: string
  display_name: string
  demo: Generated<boolean>
  created_at: Instant
  phone: string | null
  password_changed_at: InstantOrNull
  totp_secret: string | null
  totp_confirmed_at: InstantOrNull
  totp_step: bigint | null
  recovery_codes: Generated<string[]>
  proof: Generated<'register' | 'desk'>
  /** A password that was handed out counts until then; null: the person chose it. */
  initial_until: InstantOrNull
}

/** access */
export interface AccountRoleTable {
  account_id: string
  role: string
  patient: string | null
  practitioner: string | null
  organization: string | null
  organization_name: string | null
  /** Key of the Patient who an administrator is; null for other roles. */
  person: string | null
}

/** access */
export interface ProxyGrantTable {
  shard: number
  pid: string
  grantee_pid: string
  /** FHIR id of the patient. */
  patient: string
  relationship: string
  patient_name: string
  kind: Generated<'guardian' | 'authorization'>
  /** Bits of access/data-groups.ts. */
  groups: Generated<number>
  /** From then on a guardian sees less: the child's fourteenth birthday. */
  limited_at: InstantOrNull
  /** Key of the Consent or RelatedPerson that gave it. */
  source: string | null
  from_at: Instant
  until_at: InstantOrNull
}

/** access: `practitioner` is the key of an Organization when a whole hospital is meant. */
export interface CareRelationTable {
  shard: number
  pid: string
  practitioner: string
  organization: string
  department: string | null
  /** Label bits opened whatever the department. */
  opens: Generated<number>
  reason: 'appointment' | 'encounter' | 'gp-contract' | 'referral' | 'care-team' | 'shared' | 'break-glass'
  reason_id: string
  from_at: Instant
  until_at: Instant
}

/** access: whom a citizen has barred, by key. */
export interface RecordBarTable { shard: number; pid: string; actor: string; consent: string; from_at: Instant; until_at: Instant }
/** access: entries a citizen has hidden. */
export interface HiddenItemTable { shard: number; pid: string; t: number; id: string; consent: string }
/** access */
export interface ClientTable { id: string; display_name: string; jwks: unknown; scopes: string; organization: string | null }
/** access */
export interface SigningKeyTable { kid: string; alg: string; private_jwk: unknown; public_jwk: unknown; created_at: Instant }
/** access */
export interface UsedAssertionTable { client_id: string; jti: string; expires_at: Instant }
/** access */
export interface SignInSessionTable {
  id: string
  account_id: string
  kind: 'portal' | 'app'
  role: string
  patient: string | null
  practitioner: string | null
  organization: string | null
  organization_name: string | null
  auth_level: 'password' | 'second-factor'
  auth_at: Instant
  device: string
  network: string
  created_at: Instant
  last_seen_at: Instant
  expires_at: Instant
  ended_at: InstantOrNull
  ended_why: 'sign-out' | 'elsewhere' | 'password' | 'revoked' | 'replay' | null
  app: string | null
  parent: string | null
  grant_id: string | null
  scopes: string | null
  launch_patient: string | null
  launch_encounter: string | null
  offline: Generated<boolean>
}

/** access */
export interface AppTable {
  id: string
  name_zh: string
  name_en: string
  publisher: string
  auth_method: 'none' | 'private_key_jwt'
  jwks: unknown
  redirect_uris: string[]
  post_logout_redirect_uris: Generated<string[]>
  launch_uri: string | null
  scopes: string
  roles: string[]
  created_at: Instant
}

/** access: id is the SHA-256 of the launch id. */
export interface SmartLaunchTable {
  id: string
  app: string
  session_id: string
  patient: string
  encounter: string | null
  created_at: Instant
  expires_at: Instant
  used_at: InstantOrNull
}

/** access: id is the SHA-256 of the secret. */
export interface OidcArtefactTable {
  model: string
  id: string
  payload: unknown
  grant_id: string | null
  uid: string | null
  consumed_at: InstantOrNull
  expires_at: Instant
}

/** access */
export interface SignInFailureTable { key: string; failures: number; last_at: Instant; blocked_until: InstantOrNull }
/** access */
export interface KnownDeviceTable { account_id: string; device_hash: string; last_at: Instant }
