/**
 * The writes of a transaction, all or nothing, inside the caller's transaction. Ids are given first, so that references between
 * entries resolve in any order; then everything goes through `writeResources` at once, in the order DELETE, POST, PUT.
 * Source: FHIR R4 § http.html#transaction (processing rules).
 */
import type { Resource } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { fail, type Issue, OutcomeError } from '../fhir/outcome.ts'
import { isResourceType, type ResourceType } from '../fhir/resource-types.ts'
import type { FhirModel } from '../fhir/model.ts'
import type { Trx } from '../storage/pool.ts'
import type { BundleEntry } from './bundle-entries.ts'
import { conditionalReferences, patientReference, rewriteReferences } from './bundle-references.ts'
import type { Stored } from './content.ts'
import { search } from './search/search.ts'
import type { Store } from './store.ts'
import { type Write, writeResources, type WriteMode, type Written } from './write-resources.ts'

/** An entry that writes, with its version of If-Match read. */
export interface WriteEntry extends BundleEntry { ifMatchVersion: number | null }

/** What became of an entry: written, or found by its conditional create. */
export type EntryResult = { written: Written } | { existing: Stored }

interface Draft { entry: WriteEntry; type: ResourceType; id: string | null; existing: Stored | null }

const methodOrder = { DELETE: 0, POST: 1, PUT: 2, GET: 3 } as const
const writeMethods = { DELETE: 'delete', POST: 'create', PUT: 'update' } as const

/** Throws what `writeResources` throws, with the entry in `expression`, and reference-unresolved, conditional-ambiguous. */
export async function writeBundle(
  trx: Trx, ctx: Ctx, store: Store, entries: readonly WriteEntry[], mode: WriteMode, base: string,
): Promise<Map<number, EntryResult>> {
  const drafts = await Promise.all(entries.map((entry) => draftOf(trx, ctx, store, entry, base)))
  const references = giveIds(ctx, store.model, drafts)
  await resolveConditional(trx, ctx, store, drafts, references, base)
  const writing = drafts.filter((draft) => draft.existing === null).sort((a, b) => methodOrder[a.entry.method] - methodOrder[b.entry.method])
  const writes = rewritten(writing, references)
  const written = await writeResources(trx, ctx, store, writes, mode)
  const results = new Map<number, EntryResult>()
  for (const { entry, existing } of drafts) if (existing) results.set(entry.index, { existing })
  for (const [index, { entry }] of writing.entries()) results.set(entry.index, { written: written[index] as Written })
  return results
}

async function draftOf(trx: Trx, ctx: Ctx, store: Store, entry: WriteEntry, base: string): Promise<Draft> {
  const type = entry.target.type as ResourceType
  const existing = entry.method === 'POST' && entry.ifNoneExist !== null
    ? await findOne(trx, ctx, store, type, new URLSearchParams(entry.ifNoneExist), { base, path: `${entry.path}.request.ifNoneExist` }) : null
  return { entry, type, id: existing?.id ?? entry.target.id, existing }
}

/** The one match of a condition, null when there is none. Throws conditional-ambiguous (412) when there are several. */
export async function findOne(
  trx: Trx, ctx: Ctx, store: Store, type: ResourceType, query: URLSearchParams, where: { base: string; path: string | null },
): Promise<Stored | null> {
  const params = new URLSearchParams([...query].filter(([name]) => name !== '_count' && name !== '_sort'))
  if (params.size === 0) {
    throw fail('parameter-invalid', { zh: '条件为空。', en: 'The condition is empty.' }, where.path)
  }
  params.set('_count', '2')
  const { matches } = await search(trx, ctx, store, type, params, { base: where.base })
  if (matches.length > 1) {
    throw fail('conditional-ambiguous', { zh: '有多个资源符合条件。', en: 'More than one resource fits the condition.' }, where.path)
  }
  return matches[0] ?? null
}

/** Gives every new resource its id, patients first: the others take their shard. @returns full url → `Type/id`. */
function giveIds(ctx: Ctx, model: FhirModel, drafts: readonly Draft[]): Map<string, string> {
  const references = new Map<string, string>()
  const name = (draft: Draft): void => {
    const { fullUrl } = draft.entry
    if (fullUrl === null || draft.entry.method === 'DELETE') return
    const target = `${draft.type}/${draft.id}`
    assertOnce(references, fullUrl, target, draft.entry)
    references.set(fullUrl, target)
    // A reference may be relative to the server that the full url names.
    const relative = /^https?:\/\/.*\/([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})$/.exec(fullUrl)?.[1]
    if (relative !== undefined) references.set(relative, target)
  }
  const isNewPatient = (draft: Draft): boolean => draft.type === 'Patient' && draft.id === null
  for (const draft of drafts) {
    if (isNewPatient(draft)) draft.id = ctx.newId(null)
    if (draft.id !== null) name(draft)
  }
  for (const draft of drafts) {
    if (draft.id !== null) continue
    draft.id = ctx.newId(shardOfDraft(model, draft, references))
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
function shardOfDraft(model: FhirModel, { type, entry }: Draft, references: ReadonlyMap<string, string>): number | null {
  if (entry.resource === null || model.patientCompartment(type).length === 0) return null
  const patient = patientReference(entry.resource, references)
  return patient === null ? null : shardOf(keyOf(patient))
}

/** `Practitioner?identifier=…` → the one resource it finds; several entries share the answer. */
async function resolveConditional(trx: Trx, ctx: Ctx, store: Store, drafts: readonly Draft[], references: Map<string, string>, base: string): Promise<void> {
  const found = new Set<string>()
  for (const { entry } of drafts) conditionalReferences(entry.resource, found)
  for (const reference of found) {
    const at = reference.indexOf('?')
    const type = reference.slice(0, at)
    const match = isResourceType(type) ? await findOne(trx, ctx, store, type, new URLSearchParams(reference.slice(at + 1)), { base, path: null }) : null
    if (!match) {
      throw fail('reference-unresolved', {
        zh: `条件引用 ${reference.slice(0, 100)} 没有找到资源。`, en: `The conditional reference ${reference.slice(0, 100)} finds nothing.`,
      })
    }
    references.set(reference, `${match.type}/${match.id}`)
  }
}

function rewritten(drafts: readonly Draft[], references: ReadonlyMap<string, string>): Write[] {
  const issues: Issue[] = []
  const writes = drafts.map(({ entry, type, id }): Write => {
    const path = `${entry.path}.resource`
    const method = writeMethods[entry.method as keyof typeof writeMethods]
    let resource: Resource | null = method === 'delete' ? null : entry.resource
    if (resource !== null) {
      const done = rewriteReferences(resource, references, path)
      issues.push(...done.issues)
      resource = done.resource
    }
    return { method, type, id, resource, ifMatch: entry.ifMatchVersion, path: method === 'delete' ? entry.path : path }
  })
  if (issues.length > 0) throw new OutcomeError(issues.slice(0, 100))
  return writes
}
