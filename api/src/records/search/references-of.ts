/**
 * What a row refers to by given parameters, read off without FHIRPath: a reference in its text counts when its key under that
 * parameter is among the row's keys.
 */
import { parseReference } from '../../fhir/references.ts'
import { isResourceType, type ResourceType } from '../../fhir/resource-types.ts'
import { referenceKey } from './keys.ts'

export interface ReferenceBy {
  /** Type of the row. */
  source: ResourceType
  /** Codes whose keys hold the references of the parameter. */
  codes: readonly string[]
  /** Only targets of this type; null for all. */
  target: ResourceType | null
}

export interface Referred {
  type: ResourceType
  id: string
  /** Null for the current one. */
  version: number | null
}

export function referencesOf(content: string, keys: Iterable<bigint>, wanted: readonly ReferenceBy[]): Referred[] {
  const found = new Map<string, Referred>()
  const held = new Set(keys)
  for (const [whole, reference = '', version] of content.matchAll(/"reference":"([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})(?:\/_history\/(\d{1,10})")?/g)) {
    if (found.has(whole)) continue
    const parsed = parseReference(reference)
    if (parsed.kind !== 'local' || !isResourceType(parsed.type)) continue
    const { type, id } = parsed
    const asked = wanted.some((each) => (each.target === null || each.target === type) && each.codes.some((code) => held.has(referenceKey(each.source, code, reference))))
    if (asked) found.set(whole, { type, id, version: version === undefined ? null : Number(version) })
  }
  return [...found.values()]
}
