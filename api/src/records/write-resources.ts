/**
 * The one way into the store: one pipeline for one write or for the three hundred of a transaction bundle, each step a single
 * statement over all of them. Order: known type, structure, lock of the current rows, access, If-Match, the type's write
 * rule, rows, audit. Invariants: versions of a resource are 1, 2, 3 … without gap or double, also over delete and re-creation;
 * a superseded version is in resource_history in the same statement that replaces it; `last_updated` grows with every version.
 * An update that would store what is stored already makes no version. Source: FHIR R4 § RESTful API; docs/decisions/0002-storage.md.
 */
import type { Resource } from '@medplum/fhirtypes'
import { judgeWrites, type JudgedChange } from '../access/may-write.ts'
import { unjudged } from '../access/labels.ts'
import type { Placement } from '../access/placement.ts'
import { type AuditEntry, recordEvents } from '../audit/record-event.ts'
import type { Ctx } from '../ctx.ts'
import { isFhirId, keyOf, shardOf } from '../fhir/id.ts'
import { fail, type Issue, OutcomeError } from '../fhir/outcome.ts'
import { type ResourceType, typeCode } from '../fhir/resource-types.ts'
import type { Trx } from '../storage/pool.ts'
import { resourceOf } from './content.ts'
import { indexResource, type IndexRow } from './index-resource.ts'
import { keepAccess } from './keep-access.ts'
import { placeWrites } from './place-writes.ts'
import type { Change, ResourceEntry, Store } from './store.ts'
import { refreshParameters } from './stored-parameters.ts'
import { validateResources } from './validation/load-profiles.ts'
import {
  type CurrentRow, deleteRows, insertRows, lastVersions, lockAliases, lockRows, type NewRow, type Replacement, replaceRows, rowKey, shardFor,
} from './write-rows.ts'

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

export interface Written {
  type: ResourceType
  id: string
  /** Version that is current now; of a delete the tombstone's; 0 when there was nothing to delete. */
  version: number
  lastUpdated: string
  change: 'created' | 'updated' | 'unchanged' | 'deleted' | 'absent'
  pid: string | null
  /** Stored text; null after a delete. `sendable` makes the reply of it. */
  content: string | null
}

/**
 * `client`: someone's request: validated, judged by access and by the type's rule. `import`: files of a system client: validated and judged,
 * but taken as they are, also of types that only operations write. `platform`: domain code that has judged already.
 * All are audited.
 */
export type WriteMode = 'client' | 'import' | 'platform'

interface Plan {
  write: Write
  entry: ResourceEntry
  id: string
  key: string
  /** As it will be stored; null for a delete. */
  after: Resource | null
  current: CurrentRow | null
  before: Resource | null
  index: IndexRow | null
  /** Stored text of `after`, and where it stands for the access decision; null for a delete. */
  content: string | null
  placement: Placement | null
  /** Number and instant of the last version there ever was, also of an id that was deleted; 0 and null when there was none. */
  lastVersion: number
  lastUpdated: string | null
}

/**
 * Throws OutcomeError type-unknown, read-only-type, id-invalid, the codes of validation, version-conflict, forbidden,
 * conflict and whatever the type's write rule throws. Nothing is written then: the transaction is the caller's.
 * @returns one result per write, in the order given.
 */
export async function writeResources(trx: Trx, ctx: Ctx, store: Store, writes: readonly Write[], mode: WriteMode): Promise<Written[]> {
  if (writes.length === 0) return []
  await refreshParameters(trx, store)
  const plans = writes.map((write) => planOf(ctx, store, write, mode))
  assertDistinct(plans)
  if (mode !== 'platform') await assertValid(trx, store, plans, { mode, completed: false })
  for (const plan of plans) indexPlan(ctx, store, plan)
  await loadCurrent(trx, plans)
  // Access first: a version conflict would tell a stranger that the resource is there.
  await placeWrites(trx, ctx, store, plans)
  if (mode !== 'platform') {
    const unseen = await judgeWrites(trx, ctx, plans.map((plan) => judgedOf(ctx, store, plan)))
    plans.filter((_, index) => unseen[index]).forEach(forgetCurrent)
  }
  for (const plan of plans) assertMatch(plan)
  if (mode === 'client' && plans.some(({ entry }) => entry.rule)) {
    await applyRules(trx, ctx, store, plans)
    await assertValid(trx, store, plans.filter(({ entry }) => entry.rule), { mode, completed: true })
  }
  const written = await writePlans(trx, ctx, store, plans)
  await keepAccess(trx, ctx, plans.filter((plan) => plan.current !== null || plan.after !== null).map(changeOf))
  await recordEvents(trx, ctx, written.flatMap((each, index) => eventsOf(each, plans[index] as Plan)))
  return written
}

function planOf(ctx: Ctx, store: Store, write: Write, mode: WriteMode): Plan {
  const entry = assertWritable(store, write.type, mode, write.path)
  const id = write.id ?? (write.type === 'Patient' ? ctx.newId(null) : '')
  if (write.method !== 'create' && !isFhirId(id)) throw idInvalid(write.path)
  const after = write.method === 'delete' || !write.resource ? null : id === '' ? write.resource : { ...write.resource, id }
  return { write, entry, id, key: id === '' ? '' : keyOf(id), after, current: null, before: null, index: null, content: null, placement: null, lastVersion: 0, lastUpdated: null }
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
function assertDistinct(plans: readonly Plan[]): void {
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
async function assertValid(trx: Trx, store: Store, plans: readonly Plan[], { mode, completed }: { mode: WriteMode; completed: boolean }): Promise<void> {
  const written = plans.filter(({ after }) => after !== null)
  // Files of another system may name profiles that only it has.
  const found = await validateResources(trx, store.model, written.map(({ after }) => after), { unknownProfiles: mode === 'import' ? 'warning' : 'error' })
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
function indexPlan(ctx: Ctx, store: Store, plan: Plan): void {
  if (plan.after === null) return
  plan.index = indexResource(store.model, plan.after)
  if (plan.id !== '') return
  plan.id = ctx.newId(plan.index.pid === null ? null : shardOf(plan.index.pid))
  plan.key = keyOf(plan.id)
  plan.after = { ...plan.after, id: plan.id }
}

/** Reads and locks what is there now of everything that is not a create. */
async function loadCurrent(trx: Trx, plans: readonly Plan[]): Promise<void> {
  const wanted = plans.filter((plan) => plan.write.method !== 'create')
  adopt(wanted, await lockRows(trx, wanted.map(rowOf)))
  const absent = wanted.filter((plan) => plan.current === null && plan.write.method === 'update')
  if (absent.length === 0) return
  const known = await lockAliases(trx, absent.map((plan) => ({ ...rowOf(plan), shard: shardFor(plan.id, plan.index as IndexRow) })))
  // Someone else may have created the id while we waited for its alias; or it was there once and has a history.
  const doubtful = absent.filter((plan) => known.has(rowKey(rowOf(plan))) || plan.key === plan.id)
  if (doubtful.length === 0) return
  adopt(doubtful, await lockRows(trx, doubtful.map(rowOf)))
  const gone = doubtful.filter((plan) => plan.current === null)
  const last = await lastVersions(trx, gone.map(rowOf))
  for (const plan of gone) {
    const found = last.get(rowKey(rowOf(plan)))
    plan.lastVersion = found?.version ?? 0
    plan.lastUpdated = found?.lastUpdated ?? null
  }
}

function rowOf(plan: Plan): { t: number; id: string } {
  return { t: typeCode(plan.write.type), id: plan.key }
}

function adopt(plans: readonly Plan[], rows: ReadonlyMap<string, CurrentRow>): void {
  for (const plan of plans) {
    const row = rows.get(rowKey(rowOf(plan)))
    if (!row) continue
    plan.current = row
    plan.lastVersion = row.version
    plan.lastUpdated = row.last_updated
    plan.before = resourceOf({ version: row.version, lastUpdated: row.last_updated, content: row.content })
  }
}

function judgedOf(ctx: Ctx, store: Store, plan: Plan): JudgedChange {
  const { current, before } = plan
  // Only scopes that name a category look at keys.
  const keys = before !== null && ctx.principal.scopes.some((scope) => scope.includes('?')) ? indexResource(store.model, before).keys : []
  return {
    ...changeOf(plan), named: plan.write.method === 'update',
    was: current && { labels: current.labels ?? unjudged, organization: current.org, department: current.dept, author: current.author, keys },
    will: plan.placement && { ...plan.placement, keys: plan.index?.keys ?? [] },
  }
}

/** To the caller it is not there. */
function forgetCurrent(plan: Plan): void {
  plan.current = null
  plan.before = null
  plan.lastVersion = 0
  plan.lastUpdated = null
}

function assertMatch({ write, current, id }: Plan): void {
  if (write.ifNoneMatch === true && current !== null) {
    throw fail('version-conflict', { zh: `${write.type}/${id} 已经存在。`, en: `${write.type}/${id} exists already.` }, write.path ?? null)
  }
  if (!isMatch(write.ifMatch, current?.version ?? null)) throw versionConflict(write.type, id, current?.version ?? null, write.path)
}

/** If-Match names another version than the current one; `current` null when there is none. */
export function versionConflict(type: string, id: string, current: number | null, path: string | undefined): OutcomeError {
  return fail('version-conflict', {
    zh: `${type}/${id} 已有新的版本（当前版本 ${current ?? '无'}）。请重新读取后再修改。`,
    en: `${type}/${id} has changed (its version is ${current ?? 'none'} now). Read it again, then repeat your change.`,
  }, path ?? null)
}

function changeOf(plan: Plan): Change {
  return { type: plan.write.type, id: plan.id, before: plan.before, after: plan.after }
}

async function applyRules(trx: Trx, ctx: Ctx, store: Store, plans: readonly Plan[]): Promise<void> {
  const all = plans.map(changeOf)
  for (const [index, plan] of plans.entries()) {
    const change = all[index]
    if (!plan.entry.rule || !change) continue
    const replaced = await plan.entry.rule(trx, ctx, store, change, all)
    if (replaced === undefined || plan.after === null) continue
    plan.after = { ...replaced, id: plan.id }
    plan.index = indexResource(store.model, plan.after)
    plan.content = null
  }
  await placeWrites(trx, ctx, store, plans.filter((plan) => plan.content === null))
}

async function writePlans(trx: Trx, ctx: Ctx, store: Store, plans: readonly Plan[]): Promise<Written[]> {
  const inserted: NewRow[] = []
  const replaced: Replacement[] = []
  const deleted: Parameters<typeof deleteRows>[1][number][] = []
  const written = plans.map((plan): Written => {
    const at = instantAfter(ctx.now, plan.lastUpdated)
    const common = { type: plan.write.type, id: plan.id, version: plan.lastVersion + 1, lastUpdated: at }
    const { current, before } = plan
    if (plan.after === null) {
      if (!current || !before) return { ...common, version: plan.lastVersion, change: 'absent', pid: null, content: null }
      deleted.push({ old: current, oldIndex: indexResource(store.model, before), at })
      return { ...common, change: 'deleted', pid: current.pid, content: null }
    }
    const row = newRow(plan, common.version, at)
    const { content } = row
    if (!current || !before) {
      inserted.push(row)
      return { ...common, change: 'created', pid: row.index.pid, content }
    }
    if (current.content === content) {
      return { ...common, version: current.version, lastUpdated: current.last_updated, change: 'unchanged', pid: current.pid, content }
    }
    replaced.push({ old: current, oldIndex: indexResource(store.model, before), row })
    return { ...common, change: 'updated', pid: row.index.pid, content }
  })
  await insertRows(trx, inserted)
  await replaceRows(trx, replaced)
  await deleteRows(trx, deleted)
  return written
}

function newRow(plan: Plan, version: number, lastUpdated: string): NewRow {
  const index = plan.index as IndexRow
  const shard = shardFor(plan.id, index)
  // An update has locked its alias already; only a write rule can have changed the shard since.
  const alias = plan.write.method === 'update' ? plan.entry.rule !== null : shard !== shardOf(plan.key) || plan.key[14] !== '7'
  return { shard, ...rowOf(plan), version, lastUpdated, index, placement: plan.placement as Placement, content: plan.content as string, alias }
}

/** One row for each patient concerned: the one it is about now and, when it moved, the one it was about. */
function eventsOf(written: Written, plan: Plan): AuditEntry[] {
  const common = { resourceType: written.type, resourceId: written.id, detail: null, ...(plan.write.by ? { by: plan.write.by } : {}) }
  const pids = new Set([written.pid, ...(plan.current ? [plan.current.pid] : [])])
  if (pids.size > 1) pids.delete(null)
  const [action, interaction, outcome] = auditWords[written.change]
  return written.change === 'absent' ? [] : [...pids].map((pid) => ({ ...common, action, interaction, outcome, pid }))
}

const auditWords = {
  created: ['C', 'create', 201], updated: ['U', 'update', 200], unchanged: ['U', 'update', 200], deleted: ['D', 'delete', 204], absent: ['D', 'delete', 204],
} as const

/** `now`, or a millisecond after the previous version when the clock has not moved on. */
function instantAfter(now: Date, previous: string | null): string {
  return previous === null || previous < now.toISOString() ? now.toISOString() : new Date(Date.parse(previous) + 1).toISOString()
}

function typeUnknown(type: string) {
  return fail('type-unknown', { zh: `不支持资源类型 ${type}。`, en: `The resource type ${type} is not offered here.` })
}

function readOnly(type: string, path: string | undefined) {
  return fail('read-only-type', {
    zh: `${type} 不能直接写入，请使用相应的操作。`, en: `${type} can't be written directly. Use the operation made for it.`,
  }, path ?? null)
}

function idInvalid(path: string | undefined) {
  return fail('id-invalid', {
    zh: '编号只能由 1 到 64 个字母、数字、“-”或“.”组成。', en: 'An id has 1 to 64 letters, digits, "-" or ".".',
  }, path ? `${path}.id` : null)
}
