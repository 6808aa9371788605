/**
 * References between the entries of a transaction: `urn:uuid:…` and full urls become `Type/id` of what the entries will be,
 * wherever a reference or an address stands: in contained resources, extensions and the links of narratives too. The resources that came in are not changed; what has no
 * reference to rewrite is handed back as it is. Source: FHIR R4 § http.html#transaction (Replacing hyperlinks).
 */
import type { Resource } from '@medplum/fhirtypes'
import { type Issue, issue } from '../fhir/outcome.ts'
import { localReference } from '../fhir/references.ts'
import { rewriteTexts } from './rewrite-texts.ts'

/** `href` and `src` in a narrative. */
const link = /(\s(?:href|src)\s*=\s*["'])([^"'<>]{1,2000})(["'])/g

/** Full urls and conditional references → `Type/id`; a full url with `/_history/` behind it → the version that will be there. */
export type ReferenceMap = ReadonlyMap<string, string>

export interface Rewritten {
  resource: Resource
  /** References to entries that are not in the bundle. */
  issues: Issue[]
}

export function rewriteReferences(resource: Resource, references: ReferenceMap, path: string): Rewritten {
  const dangling = new Set<string>()
  const rewritten = rewriteTexts(resource, {
    reference(text) {
      const target = references.get(text) ?? versioned(text, references)
      if (target === undefined && isUrn(text)) dangling.add(text)
      return target ?? text
    },
    address: (text) => references.get(text) ?? text,
    narrative: (div) => div.replace(link, (whole, before: string, address: string, after: string) => (references.has(address) ? `${before}${references.get(address)}${after}` : whole)),
  })
  return { resource: rewritten, issues: [...dangling].map((reference) => unresolved(reference, pathTo(resource, reference, path) ?? path)) }
}

/** A reference to a version stays one: whatever version it names of what is created here becomes the first. */
function versioned(reference: string, references: ReferenceMap): string | undefined {
  const at = reference.lastIndexOf('/_history/')
  return at < 0 ? undefined : references.get(reference.slice(0, at + '/_history/'.length))
}

function isUrn(reference: string): boolean {
  return reference.startsWith('urn:uuid:') || reference.startsWith('urn:oid:')
}

function unresolved(reference: string, path: string): Issue {
  return issue('reference-unresolved', {
    zh: `引用 ${reference.slice(0, 100)} 在这个 Bundle 中找不到对应的条目。`, en: `No entry of this bundle has the fullUrl ${reference.slice(0, 100)}.`,
  }, path)
}

/** Where a reference stands; looked for only when it is wrong. */
function pathTo(value: unknown, reference: string, path: string): string | null {
  if (typeof value !== 'object' || value === null) return null
  for (const [key, child] of Object.entries(value)) {
    const here = Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`
    if (key === 'reference' && child === reference) return here
    const deeper = pathTo(child, reference, here)
    if (deeper !== null) return deeper
  }
  return null
}

/** Every conditional reference (`Practitioner?identifier=…`) in a resource. */
export function conditionalReferences(value: unknown, found: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const item of value) conditionalReferences(item, found)
    return
  }
  const holder = value as Record<string, unknown>
  for (const key of Object.keys(holder)) {
    const child = holder[key]
    if (typeof child === 'object') conditionalReferences(child, found)
    else if (key === 'reference' && typeof child === 'string' && /^[A-Z][A-Za-z]+\?/.test(child)) found.add(child)
  }
}

/** The first reference that may be to the patient a resource is about: its subject, else any that the map makes a Patient. */
export function patientReference(resource: Resource, references: ReferenceMap, base: string): string | null {
  const elements = resource as unknown as Record<string, { reference?: unknown } | undefined>
  for (const name of ['subject', 'patient', 'beneficiary', 'individual', 'for']) {
    const id = patientId(elements[name]?.reference, references, base)
    if (id !== null) return id
  }
  return firstPatient(resource, references, base)
}

function firstPatient(value: unknown, references: ReferenceMap, base: string): string | null {
  if (typeof value !== 'object' || value === null) return null
  for (const child of Array.isArray(value) ? value : Object.values(value)) {
    const id = typeof child === 'object' && child !== null ? patientId((child as { reference?: unknown }).reference, references, base) ?? firstPatient(child, references, base) : null
    if (id !== null) return id
  }
  return null
}

function patientId(reference: unknown, references: ReferenceMap, base: string): string | null {
  if (typeof reference !== 'string') return null
  return /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(references.get(reference) ?? localReference(reference, base))?.[1] ?? null
}
