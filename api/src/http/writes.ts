/**
 * The interactions that write one resource: create, update, patch and delete, each by id or by a condition, from arguments to `Answer`.
 * One database transaction each, shared by writes by id that arrive together; conditions are resolved inside it, under a lock on their criteria,
 * and what `X-Provenance` says is stored in it.
 */
import type { Resource } from '@medplum/fhirtypes'
import type { Context } from 'hono'
import { fail } from '../fhir/outcome.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import { attest } from '../records/attest.ts'
import { type Condition, findOne, lockConditions, patchTarget, updateTarget } from '../records/conditional.ts'
import { joinWrite } from '../records/join-writes.ts'
import { type Patch, patchedWrite } from '../records/patch/patch-resource.ts'
import { assertWritable, type Write } from '../records/write-plan.ts'
import { writeResources, type Written } from '../records/write-resources.ts'
import type { Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { Edge } from './interactions.ts'
import { hasProvenance, provenanceOf } from './provenance-header.ts'
import { type Answer, answerOfWrite, ifMatchVersion, isCreateOnly, preferenceOf } from './reply.ts'
import { viewOf, viewParameters } from './view.ts'

/** One resource by its id, or by a condition: then `id` is null. */
export interface Target { type: ResourceType; id: string | null; query: URLSearchParams }

/** With `If-None-Exist` the answer is what is there already, if it is there. */
export async function create(edge: Edge, c: Context, type: ResourceType, query: URLSearchParams, resource: Resource): Promise<Answer> {
  const header = c.req.header('If-None-Exist')
  const write: Write = { method: 'create', type, id: null, resource, ifMatch: null }
  const view = viewOf(edge, type, query)
  if (header === undefined) return joined(edge, c, view, write)
  assertWritable(edge.store, type, 'client', undefined)
  // The header may hold the whole address, as early clients send it.
  const condition: Condition = { type, query: new URLSearchParams(header.replace(/^[^?]*\?/, '')), path: null }
  let found = false
  const answer = await written(edge, c, view, async (trx) => {
    await lockConditions(trx, [condition])
    const existing = await findOne(trx, edge.ctx, edge.store, condition, edge.base)
    found = existing !== null
    return existing ? { ...existing, change: 'unchanged' } : store(trx, edge, write)
  })
  return found ? { ...answer, found } : answer
}

export async function update(edge: Edge, c: Context, { type, id, query }: Target, resource: Resource): Promise<Answer> {
  const ifMatch = ifMatchVersion(c.req.header('If-Match'))
  const ifNoneMatch = isCreateOnly(c.req.header('If-None-Match'))
  const view = viewOfTarget(edge, { type, id, query })
  if (id !== null) return joined(edge, c, view, { method: 'update', type, id, resource, ifMatch, ifNoneMatch })
  return written(edge, c, view, async (trx) => {
    const condition = await locked(trx, edge, { type, id, query })
    const target = await updateTarget(trx, edge.ctx, edge.store, condition, resource, edge.base)
    if (target.method === 'create' && ifMatch !== null) throw nothingFits()
    return store(trx, edge, { ...target, type, resource, ifMatch, ifNoneMatch: ifNoneMatch && target.method === 'update' })
  })
}

export async function patch(edge: Edge, c: Context, { type, id, query }: Target, patchBody: Patch): Promise<Answer> {
  const { ctx, store: records, base } = edge
  const ifMatch = ifMatchVersion(c.req.header('If-Match'))
  return written(edge, c, viewOfTarget(edge, { type, id, query }), async (trx) => {
    const found = id ?? await patchTarget(trx, ctx, records, await locked(trx, edge, { type, id, query }), base)
    return store(trx, edge, await patchedWrite(trx, ctx, records, { type, id: found, patch: patchBody, ifMatch, path: null }))
  })
}

/** A condition that nothing fits deletes nothing and is no fault; one that fits several is 412. */
export async function remove(edge: Edge, c: Context, { type, id, query }: Target): Promise<Answer> {
  const { ctx, store: records, base } = edge
  const ifMatch = ifMatchVersion(c.req.header('If-Match'))
  const view = viewOfTarget(edge, { type, id, query })
  if (id !== null) return joined(edge, c, view, { method: 'delete', type, id, resource: null, ifMatch })
  return written(edge, c, view, async (trx) => {
    const found = (await findOne(trx, ctx, records, await locked(trx, edge, { type, id, query }), base))?.id ?? null
    if (found !== null) return store(trx, edge, { method: 'delete', type, id: found, resource: null, ifMatch })
    return { type, id: '', version: 0, lastUpdated: '', change: 'absent', pid: null, content: null }
  })
}

async function locked(trx: Trx, edge: Edge, { type, query }: Target): Promise<Condition> {
  assertWritable(edge.store, type, 'client', undefined)
  const condition = { type, query, path: null }
  await lockConditions(trx, [condition])
  return condition
}

async function store(trx: Trx, { ctx, store: records }: Edge, write: Write): Promise<Written> {
  const [one] = await writeResources(trx, ctx, records, [write], 'client')
  return one as Written
}

type View = ReturnType<typeof viewOf>

/** Beside an id nothing else may be asked; beside a condition everything else is the condition. */
function viewOfTarget(edge: Edge, { type, id, query }: Target): View {
  return viewOf(edge, type, id === null ? viewParameters(query) : query)
}

/** A write by id, together with others that arrive at the same time. */
async function joined(edge: Edge, c: Context, view: View, write: Write): Promise<Answer> {
  if (hasProvenance(c)) return written(edge, c, view, (trx) => store(trx, edge, write))
  return answerOfWrite(await joinWrite(edge.db, edge.ctx, edge.store, write), preferenceOf(c), edge.ctx.language, view)
}

async function written(edge: Edge, c: Context, view: View, body: (trx: Trx) => Promise<Written>): Promise<Answer> {
  const said = provenanceOf(c)
  const done = await inTransaction(edge.db, async (trx) => {
    const one = await body(trx)
    if (said !== null) await attest(trx, edge.ctx, edge.store, said, [one])
    return one
  })
  return answerOfWrite(done, preferenceOf(c), edge.ctx.language, view)
}

function nothingFits() {
  return fail('version-conflict', { zh: '没有资源符合条件，If-Match 无从比较。', en: 'Nothing fits the condition, so If-Match has nothing to match.' })
}
