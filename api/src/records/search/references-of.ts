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

export function referencesOf(content: string, keys: Iterable<bigint>, wanted: readonly ReferenceBy[]): { type: ResourceType; id: string }[] {
  const found = new Map<string, { type: ResourceType; id: string }>()
  const held = new Set(keys)
  for (const [, reference = ''] of content.matchAll(/"reference":"([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})/g)) {
    if (found.has(reference)) continue
    const parsed = parseReference(reference)
    if (parsed.kind !== 'local' || !isResourceType(parsed.type)) continue
    const { type, id } = parsed
    const asked = wanted.some((each) => (each.target === null || each.target === type) && each.codes.some((code) => held.has(referenceKey(each.source, code, reference))))
    if (asked) found.set(reference, { type, id })
  }
  return [...found.values()]
}
