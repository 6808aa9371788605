/**
 * The writes of a transaction, all or nothing, inside the caller's transaction. Conditions are resolved and ids given first, so that
 * references between entries resolve in any order; then everything goes through `writeResources` at once, in the order DELETE, POST, PUT and PATCH. Source: FHIR R4 § http.html#transaction (processing rules).
 */
import type { Resource } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { fail, type Issue, OutcomeError } from '../fhir/outcome.ts'
import { isResourceType, type ResourceType } from '../fhir/resource-types.ts'
import type { Trx } from '../storage/pool.ts'
import type { BundleEntry } from './bundle-entries.ts'
import { conditionalReferences, patientReference, rewriteReferences } from './bundle-references.ts'
import { type Condition, criteriaOf, findOne, lockConditions, patchTarget, updateTarget } from './conditional.ts'
import type { Stored } from './content.ts'
import { patchedWrite, patchOfResource } from './patch/patch-resource.ts'
import type { Store } from './store.ts'
import type { VersionMatch, Write, WriteMode } from './write-plan.ts'
import { writeResources, type Written } from './write-resources.ts'

/** An entry that writes, with its version of If-Match read. */
export interface WriteEntry extends BundleEntry { ifMatchVersion: VersionMatch | null }

/** What became of an entry: written, or found by its conditional create. */
export type EntryResult = { written: Written } | { existing: Stored }

interface Draft {
  entry: WriteEntry
  type: ResourceType
  method: Write['method']
  id: string | null
  /** What the condition of a create found. */
  existing: Stored | null
  /** A conditional delete that found nothing. */
  nothing: boolean
}

/** What is worked first, whatever order the entries have. */
export const methodOrder = { DELETE: 0, POST: 1, PUT: 2, PATCH: 2, GET: 3, HEAD: 3 } as const

/** Throws what `writeResources` throws, with the entry in `expression`, and reference-unresolved, conditional-ambiguous, patch-failed. */
export async function writeBundle(
  trx: Trx, ctx: Ctx, store: Store, entries: readonly WriteEntry[], mode: WriteMode, base: string,
): Promise<Map<number, EntryResult>> {
  await lockEntries(trx, entries)
  const drafts: Draft[] = []
  for (const entry of entries) drafts.push(await draftOf(trx, ctx, store, entry, base))
  const references = giveIds(ctx, store, drafts)
  await resolveConditional(trx, ctx, store, drafts, references, base)
  const writing = drafts.filter((draft) => draft.existing === null && !draft.nothing)
    .sort((a, b) => methodOrder[a.entry.method] - methodOrder[b.entry.method])
  const writes = await writesOf(trx, ctx, store, writing, references)
  const written = await writeResources(trx, ctx, store, writes, mode)
  const results = new Map<number, EntryResult>()
  for (const { entry, type, existing, nothing } of drafts) {
    if (existing) results.set(entry.index, { existing })
    if (nothing) results.set(entry.index, { written: { type, id: '', version: 0, lastUpdated: '', change: 'absent', pid: null, content: null } })
  }
  for (const [index, { entry }] of writing.entries()) results.set(entry.index, { written: written[index] as Written })
  return results
}

function conditionOf({ method, target, ifNoneExist, path }: WriteEntry): Condition | null {
  const type = target.type as ResourceType
  if (method === 'POST') {
    return ifNoneExist === null ? null : { type, query: new URLSearchParams(ifNoneExist.replace(/^[^?]*\?/, '')), path: `${path}.request.ifNoneExist` }
  }
  return target.id === null ? { type, query: target.query, path: `${path}.request.url` } : null
}

/** Also refuses a condition that stands twice: the second would have to find what the first has yet to make. */
async function lockEntries(trx: Trx, entries: readonly WriteEntry[]): Promise<void> {
  const conditions = entries.map(conditionOf).filter((each) => each !== null)
  const seen = new Set<string>()
  for (const each of conditions) {
    const name = `${each.type}?${criteriaOf(each)}`
    if (seen.has(name)) {
      throw fail('conditional-ambiguous', {
        zh: '同一事务中不能有两个相同的条件。', en: 'One condition may not stand twice in a transaction.',
      }, each.path)
    }
    seen.add(name)
  }
  await lockConditions(trx, conditions)
}

async function draftOf(trx: Trx, ctx: Ctx, store: Store, entry: WriteEntry, base: string): Promise<Draft> {
  const type = entry.target.type as ResourceType
  const draft: Draft = { entry, type, method: writeMethods[entry.method as keyof typeof writeMethods], id: entry.target.id, existing: null, nothing: false }
  const condition = conditionOf(entry)
  if (condition === null) return draft
  switch (entry.method) {
    case 'PUT': return { ...draft, ...await updateTarget(trx, ctx, store, condition, entry.resource as Resource, base) }
    case 'PATCH': return { ...draft, id: await patchTarget(trx, ctx, store, condition, base) }
    default: {
      const match = await findOne(trx, ctx, store, condition, base)
      return { ...draft, id: match?.id ?? null, existing: entry.method === 'POST' ? match : null, nothing: entry.method === 'DELETE' && match === null }
    }
  }
}

const writeMethods = { DELETE: 'delete', POST: 'create', PUT: 'update', PATCH: 'update' } as const

/** Gives every new resource its id, patients first: the others take their shard. @returns full url → `Type/id`. */
function giveIds(ctx: Ctx, store: Store, drafts: readonly Draft[]): Map<string, string> {
  const references = new Map<string, string>()
  const name = (draft: Draft): void => {
    const { fullUrl } = draft.entry
    if (fullUrl === null || draft.method === 'delete') return
    const target = `${draft.type}/${draft.id}`
    assertOnce(references, fullUrl, target, draft.entry)
    references.set(fullUrl, target)
    // A reference may be relative to the server that the full url names.
    const relative = /^https?:\/\/.*\/([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})$/.exec(fullUrl)?.[1]
    if (relative !== undefined) references.set(relative, target)
    if (draft.method !== 'create' || draft.existing !== null) return
    for (const url of relative === undefined ? [fullUrl] : [fullUrl, relative]) references.set(`${url}/_history/`, `${target}/_history/1`)
  }
  const isNewPatient = (draft: Draft): boolean => draft.type === 'Patient' && draft.id === null && !draft.nothing
  for (const draft of drafts) {
    if (isNewPatient(draft)) draft.id = ctx.newId(null)
    if (draft.id !== null) name(draft)
  }
  for (const draft of drafts) {
    if (draft.id !== null || draft.nothing) continue
    draft.id = ctx.newId(shardOfDraft(store, draft, references))
    name(draft)
  }
  return references
}

function assertOnce(references: ReadonlyMap<string, string>, fullUrl: string, target: string, entry: WriteEntry): void {
  const known = references.get(fullUrl)
  if (known === undefined || known === target) return
  throw fail('bad-request', { zh: `fullUrl ${fullUrl.slice(0, 100)} 出现了两次。`, en: `The fullUrl ${fullUrl.slice(0, 100)} occurs twice.` }, `${entry.path}.fullUrl`)
}

/** A guess that is nearly always right; a wrong one costs a row in id_alias, nothing more. */
function shardOfDraft({ model, base }: Store, { type, entry }: Draft, references: ReadonlyMap<string, string>): number | null {
  if (entry.resource === null || model.patientCompartment(type).length === 0) return null
  const patient = patientReference(entry.resource, references, base)
  return patient === null ? null : shardOf(keyOf(patient))
}

/** `Practitioner?identifier=…` → the one resource it finds; several entries share the answer. */
async function resolveConditional(trx: Trx, ctx: Ctx, store: Store, drafts: readonly Draft[], references: Map<string, string>, base: string): Promise<void> {
  const found = new Map<string, string>()
  for (const { entry } of drafts) {
    const named = new Set<string>()
    conditionalReferences(entry.resource, named)
    for (const reference of named) if (!found.has(reference)) found.set(reference, `${entry.path}.resource`)
  }
  for (const [reference, path] of found) {
    const at = reference.indexOf('?')
    const type = reference.slice(0, at)
    const match = isResourceType(type) ? await findOne(trx, ctx, store, { type, query: new URLSearchParams(reference.slice(at + 1)), path }, base) : null
    if (!match) {
      throw fail('reference-unresolved', {
        zh: `条件引用 ${reference.slice(0, 100)} 没有找到资源。`, en: `The conditional reference ${reference.slice(0, 100)} finds nothing.`,
      }, path)
    }
    references.set(reference, `${match.type}/${match.id}`)
  }
}

async function writesOf(trx: Trx, ctx: Ctx, store: Store, drafts: readonly Draft[], references: ReadonlyMap<string, string>): Promise<Write[]> {
  const issues: Issue[] = []
  const writes: Write[] = []
  for (const { entry, type, id, method } of drafts) {
    const path = `${entry.path}.resource`
    if (entry.method === 'PATCH') {
      const patch = patchOfResource(entry.resource as Resource, path, references)
      writes.push(await patchedWrite(trx, ctx, store, { type, id: id as string, patch, ifMatch: entry.ifMatchVersion, path }))
      continue
    }
    const write: Write = { method, type, id, resource: null, ifMatch: entry.ifMatchVersion, ifNoneMatch: entry.method === 'PUT' && entry.ifNoneMatch === '*', path: method === 'delete' ? entry.path : path }
    if (method !== 'delete' && entry.resource !== null) {
      const done = rewriteReferences(entry.resource, references, path)
      issues.push(...done.issues)
      write.resource = done.resource
    }
    writes.push(write)
  }
  if (issues.length > 0) throw new OutcomeError(issues.slice(0, 100))
  return writes
}
