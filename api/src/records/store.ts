/**
 * What `records` needs to know of the house above it: the definitions of FHIR, the entry of each type, and what an
 * operation is. The tables themselves stand in `catalogue/`; records never imports them.
 */
import type { Resource } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { FhirModel } from '../fhir/model.ts'
import type { ProjectedPage } from './search/projected-page.ts'

export interface Store {
  /** Absolute address of /fhir, without a slash at the end. */
  base: string
  /** Structure and search definitions, loaded once a process. */
  model: FhirModel
  /** One entry for every type that the server offers. */
  entries: ReadonlyMap<ResourceType, ResourceEntry>
}

/** What `writeResources` hands a write rule: the resource as it was (null at create) and as it will be (null at delete). */
export interface Change {
  type: ResourceType
  id: string
  before: Resource | null
  after: Resource | null
}

/**
 * A domain's say in a plain FHIR write of its type, run in the same transaction after validation and access.
 * May throw an OutcomeError, write other rows, and return a resource to be stored instead of `after`.
 * `all` are the changes of the whole request: a rule that needs another resource looks there before it looks in the store.
 */
export type WriteRule = (trx: Trx, ctx: Ctx, store: Store, change: Change, all: readonly Change[]) => Promise<Resource | undefined>

/** Search and read of a type whose facts live in tables of a domain, such as Slot. */
export interface Projection {
  /** Names of the search parameters it knows, for the CapabilityStatement. */
  parameters: readonly string[]
  /** What its results are in the order of, as in `_sort`, which may also turn it round. */
  order: string
  read(db: Db, ctx: Ctx, id: string): Promise<Resource | null>
  /** Unknown parameters are 400 in the projection too. @returns matches of one page and the queries of the pages beside it, null at the ends. */
  search(db: Db, ctx: Ctx, query: URLSearchParams): Promise<ProjectedPage>
  /** Number of all matches, whatever page is asked for. */
  count(db: Db, ctx: Ctx, query: URLSearchParams): Promise<number>
}

export interface ResourceEntry {
  type: ResourceType
  /**
   * Whom the type is about, which decides who may see it (access/rules.ts):
   * `directory`: everyone, also without a token; `patient`: by the Patient compartment; `staff`: signed-in professionals;
   * `system`: clients by scope only.
   */
  audience: 'directory' | 'patient' | 'staff' | 'system'
  /** `open`: plain create, update, delete; `none`: read-only over plain FHIR, only operations and domains write it. */
  write: 'open' | 'none'
  rule: WriteRule | null
  projection: Projection | null
}

export interface OperationCall {
  db: Db
  ctx: Ctx
  store: Store
  /** Address of /fhir, without a slash at its end. */
  base: string
  /** Null at system level. */
  type: ResourceType | null
  /** Null but at instance level. */
  id: string | null
  /** Number of the version that is asked about; absent or null for the current one. */
  version?: number | null
  query: URLSearchParams
  /** Parsed JSON body of a POST; null for GET or an empty body. */
  body: unknown
  /** The `Idempotency-Key` header; null when absent. */
  idempotencyKey: string | null
  /** `Prefer: respond-async`. */
  respondAsync: boolean
  /** `Prefer: handling=lenient`. */
  lenient: boolean
}

export interface OperationResult {
  status?: number
  /** Sent as JSON; null for an empty body. */
  resource: Resource | null
  /** In place of `resource`, where it is JSON text in UTF-8 already: sent as it is. */
  bytes?: Uint8Array<ArrayBuffer>
  headers?: Record<string, string>
  /** Patients whose data the answer discloses or changes: one audit row each. */
  patients?: readonly string[]
}

/** An operation is data: name, where it lives, and a function. Listed in catalogue/operations.ts. */
export interface Operation {
  /** With its dollar sign: `$find`. */
  name: string
  level: 'system' | 'type' | 'instance'
  types: readonly ResourceType[]
  methods: readonly ('GET' | 'POST')[]
  affectsState: boolean
  /** It may also be asked of an old version: `Type/id/_history/2/$meta`. */
  ofVersions?: true
  /** One sentence for the CapabilityStatement and the docs. */
  summary: string
  /** Canonical of its OperationDefinition where somebody else has written it; else it is one of ours. */
  definition?: string
  run(call: OperationCall): Promise<OperationResult>
}
