/**
 * Differences as they stand: a row and a Task each, opened once, closed when they are gone or somebody signs for them. A day
 * shift closes as it is found. Whoever signs is named; the reason is kept. Invariant (constraint difference_once): the same
 * difference is one row however often a day is compared.
 */
import type { Task } from '@medplum/fhirtypes'
import type { Selectable } from 'kysely'
import type { Ctx } from '../../ctx.ts'
import { messageIdSystem } from '../../fhir/claim-message.ts'
import { addDays, dayInShanghai, instantInShanghai } from '../../fhir/date-time.ts'
import { keyOf } from '../../fhir/id.ts'
import { yuan } from '../../fhir/money.ts'
import { loadResource } from '../../records/read-resource.ts'
import type { Store } from '../../records/store.ts'
import { writeResources } from '../../records/write-resources.ts'
import type { Trx } from '../../storage/pool.ts'
import type { DifferenceTable } from '../../storage/tables.ts'
import { atRiskFen, type DifferenceClass, differenceClasses, type ProposedEntry, proposedEntries, type Side } from './differences.ts'

export type DifferenceRow = Selectable<DifferenceTable>

export interface NewDifference {
  institution: string
  organizationId: string
  day: string
  /** '' of a till. */
  messageId: string
  kind: string
  class: DifferenceClass
  ours: Side | null
  theirs: Side | null
  /** Of a till, where there are no sides. */
  atRiskFen?: bigint
  entries?: ProposedEntry[]
}

const classSystem = 'https://pujiang.health/fhir/CodeSystem/difference-class'

/** Opens what is not there yet. @returns ids of all that were named, new or not. */
export async function openDifferences(trx: Trx, ctx: Ctx, store: Store, found: readonly NewDifference[]): Promise<string[]> {
  const ids: string[] = []
  for (const each of found) {
    const earlier = await trx.selectFrom('difference').select('id').where('institution', '=', each.institution).where('day', '=', each.day)
      .where('message_id', '=', each.messageId).where('kind', '=', each.kind).where('class', '=', each.class).executeTakeFirst()
    ids.push(earlier?.id ?? await openDifference(trx, ctx, store, each))
  }
  return ids
}

async function openDifference(trx: Trx, ctx: Ctx, store: Store, found: NewDifference): Promise<string> {
  const shifted = found.class === 'day-shift'
  const id = keyOf(ctx.newId(null))
  const row: DifferenceRow = {
    id, institution: found.institution, organization_id: found.organizationId, day: found.day, message_id: found.messageId, kind: found.kind, class: found.class,
    at_risk_fen: found.atRiskFen ?? atRiskFen(found.class, found.ours, found.theirs), ours: jsonOf(found.ours), theirs: jsonOf(found.theirs),
    entries: JSON.stringify(found.entries ?? proposedEntries(found.class, found.ours, found.theirs)),
    state: shifted ? 'closed' : 'open', owner_id: null, owner_name: null, task_id: ctx.newId(null), opened_at: ctx.now.toISOString(),
    closed_at: shifted ? ctx.now.toISOString() : null, closed_by: null, reason: shifted ? differenceClasses['day-shift'].action.zh : null,
  }
  await writeResources(trx, ctx, store, [{ method: 'create', type: 'Task', id: row.task_id, resource: taskOf(row), ifMatch: null }], 'platform')
  await trx.insertInto('difference').values(row).execute()
  return id
}

/** Ends open differences. @param by who signs; null when the difference is gone. */
export async function closeDifferences(trx: Trx, ctx: Ctx, store: Store, ids: readonly string[], reason: string, by: string | null): Promise<number> {
  let closed = 0
  for (const id of ids) {
    const row = await trx.updateTable('difference').set({ state: by === null ? 'closed' : 'signed-off', closed_at: ctx.now, closed_by: by, reason })
      .where('id', '=', id).where('state', '=', 'open').returningAll().executeTakeFirst()
    if (!row) continue
    closed++
    await rewriteTask(trx, ctx, store, row)
  }
  return closed
}

/** @returns false when it is not open any more. */
export async function ownDifference(trx: Trx, ctx: Ctx, store: Store, id: string): Promise<boolean> {
  const row = await trx.updateTable('difference').set({ owner_id: ctx.principal.id, owner_name: ctx.principal.name })
    .where('id', '=', id).where('state', '=', 'open').returningAll().executeTakeFirst()
  if (row) await rewriteTask(trx, ctx, store, row)
  return row !== undefined
}

async function rewriteTask(trx: Trx, ctx: Ctx, store: Store, row: DifferenceRow): Promise<void> {
  if (!await loadResource<Task>(trx, 'Task', row.task_id)) return
  await writeResources(trx, ctx, store, [{ method: 'update', type: 'Task', id: row.task_id, resource: { ...taskOf(row), lastModified: instantInShanghai(ctx.now) }, ifMatch: null }], 'platform')
}

function taskOf(row: DifferenceRow): Task {
  const about = differenceClasses[row.class]
  const opened = new Date(row.opened_at)
  return {
    resourceType: 'Task', id: row.task_id, status: row.state !== 'open' ? 'completed' : row.owner_id === null ? 'requested' : 'in-progress', intent: 'order',
    code: { coding: [{ system: classSystem, code: row.class, display: about.name.zh }], text: about.name.zh },
    description: about.action.zh,
    ...(row.message_id ? { focus: { identifier: { system: messageIdSystem, value: row.message_id } } } : {}),
    authoredOn: instantInShanghai(opened),
    owner: { reference: `Organization/${row.organization_id}`, ...(row.owner_name ? { display: row.owner_name } : {}) },
    restriction: { period: { end: addDays(dayInShanghai(opened), about.dueDays) } },
    ...(row.reason ? { statusReason: { text: row.reason } } : {}),
    input: [
      { type: { text: 'day' }, valueDate: row.day },
      { type: { text: 'at-risk' }, valueMoney: yuan(row.at_risk_fen) },
      { type: { text: 'proposed-entries' }, valueString: row.entries },
    ],
  }
}

function jsonOf(side: Side | null): string | null {
  return side === null ? null : JSON.stringify(side, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}
