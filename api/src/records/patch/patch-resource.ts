/**
 * A patch → the update it comes to. The row is locked first, so that what is patched is what is replaced, and a caller who may not see
 * the resource cannot find out about it by `test`. The result goes through the pipeline of writes like any update.
 * Source: FHIR R4 § http.html#patch, RFC 6902, § fhirpatch.html.
 */
import type { Resource } from '@medplum/fhirtypes'
import { assertMayAsk } from '../../access/may-ask.ts'
import type { Ctx } from '../../ctx.ts'
import { keyOf } from '../../fhir/id.ts'
import { parseJson } from '../../fhir/json.ts'
import { fail } from '../../fhir/outcome.ts'
import { type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import type { Trx } from '../../storage/pool.ts'
import { type ReferenceMap, rewriteReferences } from '../bundle-references.ts'
import { resourceOf } from '../content.ts'
import { readResource } from '../read-resource.ts'
import type { Store } from '../store.ts'
import { assertWritable, isMatch, type VersionMatch, type Write } from '../write-plan.ts'
import { versionConflict } from '../write-resources.ts'
import { lockRows } from '../write-rows.ts'
import { jsonPatchPlace, parametersPlace } from './fault.ts'
import { applyPathPatch } from './fhirpath-patch.ts'
import { applyJsonPatch, type JsonOperation, readJsonPatch } from './json-patch.ts'
import { type PathOperation, readParametersPatch } from './parameters-patch.ts'

export const jsonPatchType = 'application/json-patch+json'

export type Patch = { kind: 'json'; operations: JsonOperation[] } | { kind: 'path'; operations: PathOperation[] }

/** A JSON Patch from its parsed text. Throws patch-invalid. `path`: where it stands in the request; null for the body. */
export function jsonPatchOf(document: unknown, path: string | null): Patch {
  return { kind: 'json', operations: readJsonPatch(document, jsonPatchPlace(path)) }
}

/** A patch that came as a resource: Parameters, or in a bundle a Binary that holds a JSON Patch. Throws patch-invalid. */
export function patchOfResource(resource: Resource, path: string | null, references: ReferenceMap = new Map()): Patch {
  if (resource.resourceType === 'Parameters') {
    const { resource: rewritten } = rewriteReferences(resource, references, path ?? 'Parameters')
    return { kind: 'path', operations: readParametersPatch(rewritten as unknown as Record<string, unknown>, parametersPlace(path)) }
  }
  if (resource.resourceType === 'Binary' && path !== null && resource.contentType === jsonPatchType && typeof resource.data === 'string') {
    const document = parseJson(Buffer.from(resource.data, 'base64').toString())
    return jsonPatchOf(rewrittenDocument(document, references), path)
  }
  throw fail('patch-invalid', {
    zh: `补丁应是 Parameters${path === null ? '' : `，或内容类型为 ${jsonPatchType} 的 Binary`}。`,
    en: `A patch is a Parameters resource${path === null ? '' : ` or a Binary of type ${jsonPatchType}`}.`,
  }, path ?? 'resourceType')
}

/** References stand in the values of a JSON Patch, or are its values. */
function rewrittenDocument(document: unknown, references: ReferenceMap): unknown {
  if (!Array.isArray(document)) return document
  const { resource } = rewriteReferences({ document } as never, references, '')
  return (resource as unknown as { document: { path?: unknown; value?: unknown }[] }).document.map((each) => {
    if (typeof each !== 'object' || each === null || typeof each.path !== 'string' || !each.path.endsWith('/reference')) return each
    return typeof each.value === 'string' ? { ...each, value: references.get(each.value) ?? each.value } : each
  })
}

export interface PatchOf { type: ResourceType; id: string; patch: Patch; ifMatch: VersionMatch | null; path: string | null }

/** Throws not-found, gone, version-conflict, patch-failed and what `writeResources` throws of types that are not written. */
export async function patchedWrite(trx: Trx, ctx: Ctx, store: Store, { type, id, patch, ifMatch, path }: PatchOf): Promise<Write> {
  assertWritable(store, type, 'client', path ?? undefined)
  assertMayAsk(ctx, type, 'u')
  await lockRows(trx, [{ t: typeCode(type), id: keyOf(id) }])
  const stored = await readResource(trx, ctx, store, type, id)
  if (!isMatch(ifMatch, stored.version)) throw versionConflict(type, id, stored.version, path ?? undefined)
  const before = resourceOf(stored)
  const after = patch.kind === 'json'
    ? applyJsonPatch(before, patch.operations, jsonPatchPlace(path)) : applyPathPatch(store.model, before, patch.operations, parametersPlace(path))
  const { resourceType, id: newId } = (typeof after === 'object' && after !== null ? after : {}) as Partial<Resource>
  if (resourceType !== type || newId !== id) {
    throw fail('patch-failed', { zh: '补丁不能改变资源的类型或编号。', en: 'A patch may not change the type or the id of a resource.' }, path)
  }
  return { method: 'update', type, id, resource: after, ifMatch, ...(path === null ? {} : { path }) }
}
