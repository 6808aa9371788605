/**
 * The one way into the store: one pipeline for one write or for the three hundred of a transaction bundle, each step a single
 * statement over all of them. Order: known type, structure, lock of the current rows, access, If-Match, the type's write
 * rule, rows, audit. Invariants: versions of a resource are 1, 2, 3 … without gap or double, also over delete and re-creation;
 * a superseded version is in resource_history in the same statement that replaces it; `last_updated` grows with every version.
 * An update that would store what is stored already makes no version.
 * `writeResources` takes the writes of one request, all or nothing; `writeApart` takes requests of their own, each judged for itself. Source: FHIR R4 § RESTful API; docs/decisions/0002-storage.md.
 */
import type { Resource } from '@medplum/fhirtypes'
import { judgeWrites, type JudgedChange } from '../access/may-write.ts'
import { unjudged } from '../access/labels.ts'
import type { Placement } from '../access/placement.ts'
import { type AuditEntry, recordEventsOf } from '../audit/record-event.ts'
import type { Ctx } from '../ctx.ts'
import { shardOf } from '../fhir/id.ts'
import { fail, OutcomeError } from '../fhir/outcome.ts'
import { type ResourceType, typeCode } from '../fhir/resource-types.ts'
import type { Trx } from '../storage/pool.ts'
import { resourceOf } from './content.ts'
import { indexResource, type IndexRow } from './index-resource.ts'
import { keepAccess } from './keep-access.ts'
import { placeWrites } from './place-writes.ts'
import type { Change, Store } from './store.ts'
import { refreshParameters } from './stored-parameters.ts'
import { assertDistinct, assertValid, indexPlan, isMatch, type Plan, planOf, type Write, type WriteMode } from './write-plan.ts'
import {
  type CurrentRow, deleteRows, insertRows, lastVersions, lockAliases, lockRows, type NewRow, type Replacement, replaceRows, rowKey, shardFor,
} from './write-rows.ts'

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
  for (const plan of plans) indexPlan(store, plan)
  await loadCurrent(trx, plans)
  await placeWrites(trx, store, plans)
  if (mode === 'platform') plans.forEach(assertMatch)
  else await judge(trx, ctx, store, plans)
  if (mode === 'client' && plans.some(({ entry }) => entry.rule)) {
    await applyRules(trx, ctx, store, plans)
    await assertValid(trx, store, plans.filter(({ entry }) => entry.rule), { mode, completed: true })
  }
  return writePlans(trx, store, plans)
}

/** What the platform itself creates on behalf of several callers, in one transaction; each row says whose it is. Throws as `writeResources`. */
export async function createForMany(trx: Trx, store: Store, creates: readonly { ctx: Ctx; resource: Resource & { id: string } }[]): Promise<Written[]> {
  await refreshParameters(trx, store)
  const plans = creates.map(({ ctx, resource }) => planOf(ctx, store, { method: 'create', type: resource.resourceType as ResourceType, id: resource.id, resource, ifMatch: null }, 'platform'))
  assertDistinct(plans)
  for (const plan of plans) indexPlan(store, plan)
  await placeWrites(trx, store, plans)
  return writePlans(trx, store, plans)
}

/** `alone`: it would wait for another transaction, or makes an id that a client chose, or there is nothing to write to. */
export type ApartResult = { written: Written } | { refused: OutcomeError } | 'alone'

/**
 * Writes of several requests in one transaction, each prepared by its own caller (`preparedWrite`) and of types without a rule. What one
 * may not do does not touch the others. Nobody waits here for a row: whoever would have to does so in a transaction of their own.
 * @returns one result per write, in the order given.
 */
export async function writeApart(trx: Trx, store: Store, prepared: readonly Plan[]): Promise<ApartResult[]> {
  // Copies: the transaction may be tried again.
  const plans = prepared.map((plan) => ({ ...plan }))
  const results = new Map<Plan, ApartResult>()
  const open = () => plans.filter((plan) => !results.has(plan))
  const named = plans.filter(({ write }) => write.method !== 'create')
  adopt(named, await lockRows(trx, named.map(rowOf), { wait: false }))
  for (const plan of named) if (plan.current === null) results.set(plan, 'alone')
  await placeWrites(trx, store, open(), { apart: true })
  await Promise.all(open().map((plan) => judge(trx, plan.ctx, store, [plan]).catch((error: unknown) => {
    if (!(error instanceof OutcomeError)) throw error
    results.set(plan, { refused: error })
  })))
  const allowed = open()
  const written = await writePlans(trx, store, allowed)
  for (const [index, plan] of allowed.entries()) results.set(plan, { written: written[index] as Written })
  return plans.map((plan) => results.get(plan) as ApartResult)
}

/** Access first: a version conflict would tell a stranger that the resource is there. */
async function judge(trx: Trx, ctx: Ctx, store: Store, plans: readonly Plan[]): Promise<void> {
  const unseen = await judgeWrites(trx, ctx, plans.map((plan) => judgedOf(store, plan)))
  plans.filter((_, index) => unseen[index]).forEach(forgetCurrent)
  plans.forEach(assertMatch)
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
    plan.hidden = found?.hidden ?? false
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

function judgedOf(store: Store, plan: Plan): JudgedChange {
  const { ctx, current, before } = plan
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
  plan.closed = plan.current?.pid ?? null
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
    // There is nothing to say of the deletion of what is not there.
    if (!plan.entry.rule || !change || (change.before === null && change.after === null)) continue
    const replaced = await plan.entry.rule(trx, ctx, store, change, all)
    if (replaced === undefined || plan.after === null) continue
    plan.after = { ...replaced, id: plan.id }
    plan.index = indexResource(store.model, plan.after)
    plan.content = null
  }
  await placeWrites(trx, store, plans.filter((plan) => plan.content === null))
}

/** Rows, what access follows from them, and the audit trail. */
async function writePlans(trx: Trx, store: Store, plans: readonly Plan[]): Promise<Written[]> {
  const inserted: NewRow[] = []
  const replaced: Replacement[] = []
  const deleted: Parameters<typeof deleteRows>[1][number][] = []
  const written = plans.map((plan): Written => {
    const at = instantAfter(plan.ctx.now, plan.lastUpdated)
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
  for (const plan of plans) if (plan.current !== null || plan.after !== null) await keepAccess(trx, plan.ctx, [changeOf(plan)])
  await recordEventsOf(trx, plans.map((plan, index) => ({ ctx: plan.ctx, entries: eventsOf(written[index] as Written, plan) })))
  return written
}

function newRow(plan: Plan, version: number, lastUpdated: string): NewRow {
  const index = plan.index as IndexRow
  const shard = shardFor(plan.id, index)
  // An update has locked its alias already; only a write rule can have changed the shard since.
  const alias = plan.write.method === 'update' ? plan.entry.rule !== null : shard !== shardOf(plan.key) || plan.key[14] !== '7'
  return { shard, ...rowOf(plan), version, lastUpdated, index, placement: plan.placement as Placement, content: plan.content as string, alias }
}

/** One row for each patient concerned: the one it is about now and, when it moved, the one it was about; or the one whose entry stayed closed. */
function eventsOf(written: Written, plan: Plan): AuditEntry[] {
  const common = { resourceType: written.type, resourceId: written.id, detail: null }
  const pids = new Set([written.pid, ...(plan.current ? [plan.current.pid] : [])])
  if (pids.size > 1) pids.delete(null)
  const [action, interaction, outcome] = auditWords[written.change]
  if (written.change === 'absent') return plan.closed === null ? [] : [{ ...common, action, interaction, outcome: 404, pid: plan.closed }]
  return [...pids].map((pid) => ({ ...common, action, interaction, outcome, pid }))
}

const auditWords = {
  created: ['C', 'create', 201], updated: ['U', 'update', 200], unchanged: ['U', 'update', 200], deleted: ['D', 'delete', 204], absent: ['D', 'delete', 204],
} as const

/** `now`, or a millisecond after the previous version when the clock has not moved on. */
function instantAfter(now: Date, previous: string | null): string {
  return previous === null || previous < now.toISOString() ? now.toISOString() : new Date(Date.parse(previous) + 1).toISOString()
}
