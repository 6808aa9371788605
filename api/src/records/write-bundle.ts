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
import { ambiguous, type Condition, criteriaOf, findOne, lockConditions, patchTarget, updateTarget } from './conditional.ts'
import type { Stored } from './content.ts'
import { fitting } from './fits.ts'
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
  const drafts = await draftsOf(trx, ctx, store, entries, base)
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

/** Also refuses a condition that stands twice: the second would have to find what the first has yet to make. What is deleted may be made anew. */
async function lockEntries(trx: Trx, entries: readonly WriteEntry[]): Promise<void> {
  const conditions = entries.flatMap((entry) => [conditionOf(entry)].filter((each) => each !== null).map((each) => ({ ...each, deletes: entry.method === 'DELETE' })))
  const seen = new Set<string>()
  for (const each of conditions) {
    const name = `${each.deletes ? 'DELETE ' : ''}${each.type}?${criteriaOf(each)}`
    if (seen.has(name)) {
      throw fail('conditional-ambiguous', {
        zh: '同一事务中不能有两个相同的条件。', en: 'One condition may not stand twice in a transaction.',
      }, each.path)
    }
    seen.add(name)
  }
  await lockConditions(trx, conditions)
}

/** What each entry will do. Conditions find what is there once the deletions are done, and refuse what another entry makes. */
async function draftsOf(trx: Trx, ctx: Ctx, store: Store, entries: readonly WriteEntry[], base: string): Promise<Draft[]> {
  const drafts = new Map<WriteEntry, Draft>()
  const gone = new Set<string>()
  const made = entries.filter(({ method }) => method === 'POST')
  for (const entry of [...entries].sort((a, b) => methodOrder[a.method] - methodOrder[b.method])) {
    const draft = await draftOf(trx, ctx, store, entry, { base, gone })
    drafts.set(entry, draft)
    if (draft.method === 'delete' && draft.id !== null) gone.add(`${draft.type}/${draft.id}`)
    const condition = entry.method === 'PUT' || entry.method === 'PATCH' ? conditionOf(entry) : null
    if (condition !== null) assertNoneFits(ctx, store, condition, base, made.filter((each) => drafts.get(each)?.existing === null))
  }
  return entries.map((entry) => drafts.get(entry) as Draft)
}

/** An entry that is made before would be found by the condition too: two entries of one identity, which the specification has fail. */
function assertNoneFits(ctx: Ctx, store: Store, condition: Condition, base: string, made: readonly WriteEntry[]): void {
  const others = made.filter(({ target }) => target.type === condition.type)
  if (others.length === 0) return
  const fits = fitting(ctx, store, condition, base)
  if (fits && others.some(({ resource }) => resource !== null && fits(resource))) {
    throw fail('conditional-ambiguous', { zh: '同一事务中另有条目新建了符合此条件的资源。', en: 'Another entry of this transaction makes a resource that fits the condition.' }, condition.path)
  }
}

async function draftOf(trx: Trx, ctx: Ctx, store: Store, entry: WriteEntry, { base, gone }: { base: string; gone: ReadonlySet<string> }): Promise<Draft> {
  const type = entry.target.type as ResourceType
  const draft: Draft = { entry, type, method: writeMethods[entry.method as keyof typeof writeMethods], id: entry.target.id, existing: null, nothing: false }
  const condition = conditionOf(entry)
  if (condition === null) return draft
  switch (entry.method) {
    case 'PUT': return { ...draft, ...await updateTarget(trx, ctx, store, condition, entry.resource as Resource, base, gone) }
    case 'PATCH': return { ...draft, id: await patchTarget(trx, ctx, store, condition, base, gone) }
    default: {
      const match = await findOne(trx, ctx, store, condition, base, gone)
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

/** `Practitioner?identifier=…` → the one resource that it finds once all entries are done; several entries share the answer. */
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
    if (!isResourceType(type)) throw fail('type-unknown', { zh: `没有名为“${type.slice(0, 64)}”的资源类型。`, en: `There is no resource type "${type.slice(0, 64)}".` }, path)
    const target = await targetOf(trx, ctx, store, { type, query: new URLSearchParams(reference.slice(at + 1)), path }, drafts, base)
    if (target === null) {
      throw fail('reference-unresolved', {
        zh: `条件引用 ${reference.slice(0, 100)} 没有找到资源。`, en: `The conditional reference ${reference.slice(0, 100)} finds nothing.`,
      }, path)
    }
    references.set(reference, target)
  }
}

/** `Type/id` of the one resource that fits: among the entries as they will be, and what is stored besides. */
async function targetOf(trx: Trx, ctx: Ctx, store: Store, condition: Condition, drafts: readonly Draft[], base: string): Promise<string | null> {
  const own = drafts.filter(({ type, existing, nothing }) => type === condition.type && existing === null && !nothing)
  const fits = own.some(({ method }) => method !== 'delete') ? fitting(ctx, store, condition, base) : null
  // What a patch makes of a resource is not known yet: it counts as it is.
  const judged = own.filter(({ method, entry }) => method === 'delete' || (fits !== null && entry.method !== 'PATCH'))
  const fresh = judged.filter(({ method, entry }) => method !== 'delete' && entry.resource !== null && fits?.(entry.resource))
  const stored = await findOne(trx, ctx, store, condition, base, new Set(judged.map(({ type, id }) => `${type}/${id}`)))
  if (fresh.length + (stored === null ? 0 : 1) > 1) throw ambiguous(condition.path)
  const [draft] = fresh
  return draft ? `${draft.type}/${draft.id}` : stored && `${stored.type}/${stored.id}`
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
