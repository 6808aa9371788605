/**
 * A write on its way through the pipeline of write-resources.ts, and the steps that need no lock: known type, id, structure, index. They may
 * run inside the transaction that writes or before it.
 */
import type { Resource } from '@medplum/fhirtypes'
import type { Placement } from '../access/placement.ts'
import type { Ctx } from '../ctx.ts'
import { isFhirId, keyOf, shardOf } from '../fhir/id.ts'
import { fail, type Issue, OutcomeError } from '../fhir/outcome.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import type { Db } from '../storage/pool.ts'
import { indexResource, type IndexRow } from './index-resource.ts'
import type { ResourceEntry, Store } from './store.ts'
import { withLocalReferences } from './rewrite-texts.ts'
import { refreshParameters } from './stored-parameters.ts'
import { validateResources } from './validation/validate-resources.ts'
import type { CurrentRow } from './write-rows.ts'

/** Versions one of which must be the current one, or any version at all (`*`). */
export type VersionMatch = readonly number[] | 'any'

export function isMatch(wanted: VersionMatch | null, current: number | null): boolean {
  if (wanted === null) return true
  return current !== null && (wanted === 'any' || wanted.includes(current))
}

export interface Write {
  method: 'create' | 'update' | 'delete'
  type: ResourceType
  /** Create: null, or a new id made by `ctx.newId`. Update and delete: the id, never null. */
  id: string | null
  /** Null for a delete. */
  resource: Resource | null
  /** What If-Match names; null when it was not given. */
  ifMatch: VersionMatch | null
  /** `If-None-Match: *` of an update: only as a create. */
  ifNoneMatch?: boolean
  /** FHIRPath of the resource inside the request, such as `Bundle.entry[3].resource`, for the issues of a refusal. */
  path?: string
  /** Whose request it is, where one call writes for several people; the call's own caller when left out. */
  by?: Ctx
}

/**
 * `client`: someone's request: validated, judged by access and by the type's rule. `import`: files of a system client: validated and judged,
 * but taken as they are, also of types that only operations write. `platform`: domain code that has judged already.
 * All are audited.
 */
export type WriteMode = 'client' | 'import' | 'platform'

export interface Plan {
  ctx: Ctx
  write: Write
  entry: ResourceEntry
  id: string
  key: string
  /** As it will be stored; null for a delete. */
  after: Resource | null
  current: CurrentRow | null
  before: Resource | null
  /** Patient whose entry is there but not for this caller: the log has the refusal, the answer does not. */
  closed: string | null
  index: IndexRow | null
  /** Stored text of `after`, and where it stands for the access decision; null for a delete. */
  content: string | null
  placement: Placement | null
  /** Number and instant of the last version there ever was, also of an id that was deleted; 0 and null when there was none. */
  lastVersion: number
  lastUpdated: string | null
  /** There is no such row now, but the citizen has hidden the entry of this id, and it stays hidden when it comes back. */
  hidden: boolean
}

/** A client's write of one resource with all its steps done that come before the lock. Throws what `writeResources` throws of them. */
export async function preparedWrite(db: Db, ctx: Ctx, store: Store, write: Write): Promise<Plan> {
  await refreshParameters(db, store)
  const plan = planOf(ctx, store, write, 'client')
  await assertValid(db, store, [plan], { mode: 'client', completed: false })
  indexPlan(store, plan)
  return plan
}

export function planOf(ctx: Ctx, store: Store, write: Write, mode: WriteMode): Plan {
  const entry = assertWritable(store, write.type, mode, write.path)
  const id = write.id ?? (write.type === 'Patient' ? ctx.newId(null) : '')
  if (write.method !== 'create' && !isFhirId(id)) throw idInvalid(write.path)
  const resource = write.method === 'delete' || !write.resource ? null : withLocalReferences(write.resource, store.base)
  const after = resource === null || id === '' ? resource : { ...resource, id }
  return { ctx: write.by ?? ctx, write, entry, id, key: id === '' ? '' : keyOf(id), after, current: null, before: null, closed: null, index: null, content: null, placement: null, lastVersion: 0, lastUpdated: null, hidden: false }
}

/** Throws type-unknown and read-only-type. `path`: where the write stands in the request. */
export function assertWritable(store: Store, type: ResourceType, mode: WriteMode, path: string | undefined): ResourceEntry {
  const entry = store.entries.get(type)
  if (!entry) throw typeUnknown(type)
  if (mode !== 'platform' && entry.projection) throw readOnly(type, path)
  if (mode === 'client' && entry.write === 'none') throw readOnly(type, path)
  return entry
}

/** Two writes of one resource in one request have no order that FHIR would define. */
export function assertDistinct(plans: readonly Plan[]): void {
  const seen = new Set<string>()
  for (const { write, id } of plans) {
    if (id === '') continue
    const name = `${write.type}/${id}`
    if (seen.has(name)) {
      throw fail('bad-request', {
        zh: `${name} 在同一请求中出现了两次。请每个资源只写一次。`, en: `${name} is written twice in one request. Write each resource once.`,
      }, write.path ?? null)
    }
    seen.add(name)
  }
}

/**
 * Collects the issues of all resources, so that one answer shows everything that is wrong. A write rule may complete what was
 * sent (the times of a booked place), so the invariants of such a type are judged when the rule has `completed` it.
 */
export async function assertValid(db: Db, store: Store, plans: readonly Plan[], { mode, completed }: { mode: WriteMode; completed: boolean }): Promise<void> {
  const written = plans.filter(({ after }) => after !== null)
  // Files of another system may name profiles that only it has, and answer questionnaires as they once were.
  const isImport = mode === 'import'
  const found = await validateResources(db, store.model, written.map(({ after }) => after), { unknownProfiles: isImport ? 'warning' : 'error', judgesAnswers: !isImport })
  const issues = written.flatMap(({ write: { path }, entry }, index) => (found[index] ?? [])
    .filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .filter(({ code }) => code !== 'invariant-broken' || completed || mode !== 'client' || !entry.rule)
    .map((each): Issue => (path ? { ...each, expression: inside(path, each.expression) } : each)))
  if (issues.length > 0) throw new OutcomeError(issues.slice(0, issuesMax))
}

const issuesMax = 100

/** `Patient.birthDate` inside `Bundle.entry[3].resource` → `Bundle.entry[3].resource.birthDate`. */
function inside(path: string, expression: string | null): string {
  return expression === null ? path : expression.replace(/^[A-Za-z]+/, path)
}

/** Makes the index row and, for a create without id, the id: its shard bits are those of the patient it is about. */
export function indexPlan(store: Store, plan: Plan): void {
  if (plan.after === null) return
  plan.index = indexResource(store.model, plan.after)
  if (plan.id !== '') return
  plan.id = plan.ctx.newId(plan.index.pid === null ? null : shardOf(plan.index.pid))
  plan.key = keyOf(plan.id)
  plan.after = { ...plan.after, id: plan.id }
}

function typeUnknown(type: string) {
  return fail('type-unknown', { zh: `不支持资源类型 ${type}。`, en: `The resource type ${type} is not offered here.` })
}

function readOnly(type: string, path: string | undefined) {
  const { issues } = fail('read-only-type', {
    zh: `${type} 不能直接写入，请使用相应的操作。`, en: `${type} can't be written directly. Use the operation made for it.`,
  }, path ?? null)
  return new OutcomeError(issues, { headers: { Allow: 'GET, HEAD' } })
}

function idInvalid(path: string | undefined) {
  return fail('id-invalid', {
    zh: '编号只能由 1 到 64 个字母、数字、“-”或“.”组成。', en: 'An id has 1 to 64 letters, digits, "-" or ".".',
  }, path ? `${path}.id` : null)
}
