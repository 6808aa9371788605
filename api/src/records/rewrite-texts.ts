/**
 * References and addresses of a resource rewritten wherever they stand: in contained resources, extensions and the links of narratives too. The resource
 * that came in is not changed; what has nothing to rewrite is handed back as it is.
 */
import type { Resource } from '@medplum/fhirtypes'
import { localReference } from '../fhir/references.ts'

/** What becomes of each text; the same text where nothing does. */
export interface TextRules {
  /** `Reference.reference`. */
  reference(text: string): string
  /** Elements of type uri, url, canonical and uuid that may name a resource. `Identifier.value` is a string and stays. */
  address?(text: string): string
  /** XHTML. */
  narrative?(div: string): string
}

const addressKeys = new Set(['url', 'uri', 'valueUri', 'valueUrl', 'valueCanonical', 'valueUuid', 'valueOid'])

export function rewriteTexts(resource: Resource, rules: TextRules): Resource {
  return rewrite(resource, rules) as Resource
}

/** References by the absolute address of this very server (`base`) as `Type/id`, which is how all others are stored and found. */
export function withLocalReferences(resource: Resource, base: string): Resource {
  return rewriteTexts(resource, { reference: (text) => localReference(text, base) })
}

function rewrite(value: unknown, rules: TextRules): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    let copy: unknown[] | null = null
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index]
      const changed = rewrite(item, rules)
      if (changed !== item) (copy ??= [...value])[index] = changed
    }
    return copy ?? value
  }
  const holder = value as Record<string, unknown>
  let copy: Record<string, unknown> | null = null
  for (const key of Object.keys(holder)) {
    const child = holder[key]
    const changed = typeof child === 'string' ? rewriteText(key, child, rules) : typeof child === 'object' ? rewrite(child, rules) : child
    if (changed !== child) (copy ??= { ...holder })[key] = changed
  }
  return copy ?? value
}

function rewriteText(key: string, text: string, { reference, address, narrative }: TextRules): string {
  if (key === 'reference') return reference(text)
  if (address && addressKeys.has(key)) return address(text)
  return narrative && key === 'div' ? narrative(text) : text
}
