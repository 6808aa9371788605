/**
 * What a reference string points to. Our own resources are always written `Type/id`; everything else is kept as it is.
 * Source: FHIR R4 2.3 (literal, logical and contained references), 3.1.0.11.2 (conditional references in transactions).
 */
import { isResourceType } from './resource-types.ts'

export type ParsedReference =
  | { kind: 'local'; type: string; id: string; version: string | null }
  | { kind: 'contained'; id: string }
  | { kind: 'urn' }
  /** `type` and `id` are null when the address does not look like that of a FHIR server. */
  | { kind: 'absolute'; type: string | null; id: string | null; address: string }
  | { kind: 'conditional'; type: string; query: string }
  | { kind: 'invalid' }

const path = /(?:^|\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/

export function parseReference(reference: string): ParsedReference {
  const head = reference.charCodeAt(0)
  if (head === 35) return { kind: 'contained', id: reference.slice(1) }
  if (reference.startsWith('urn:')) return { kind: 'urn' }
  const match = path.exec(reference)
  const type = match?.[1]
  const id = match?.[2]
  if (type !== undefined && id !== undefined && isResourceType(type)) {
    if (match?.index === 0 && head !== 47) return { kind: 'local', type, id, version: match[3] ?? null }
    if (isAbsolute(reference)) return { kind: 'absolute', type, id, address: withoutVersion(reference) }
  }
  if (isAbsolute(reference)) return { kind: 'absolute', type: null, id: null, address: reference }
  const question = reference.indexOf('?')
  if (question > 0 && isResourceType(reference.slice(0, question))) {
    return { kind: 'conditional', type: reference.slice(0, question), query: reference.slice(question + 1) }
  }
  return { kind: 'invalid' }
}

/** `Type/id` of a reference by the absolute address of a server, with its version if it names one; any other reference as it is. */
export function localReference(reference: string, base: string): string {
  if (!reference.startsWith(base) || reference[base.length] !== '/') return reference
  const rest = reference.slice(base.length + 1)
  return parseReference(rest).kind === 'local' ? rest : reference
}

/** The text that `referenceKey` hashes; null for what cannot be searched (contained, conditional, invalid). */
export function referenceTarget(reference: string): string | null {
  const parsed = parseReference(reference)
  switch (parsed.kind) {
    case 'local': return `${parsed.type}/${parsed.id}`
    case 'absolute': return parsed.address
    case 'urn': return reference
    default: return null
  }
}

/** The resource type a reference points to, as far as its text says; null when it does not. `resource` holds the contained ones. */
export function referencedType(reference: { reference?: unknown; type?: unknown }, resource: { contained?: unknown } | null): string | null {
  if (typeof reference.reference === 'string') {
    const parsed = parseReference(reference.reference)
    if (parsed.kind === 'local' || parsed.kind === 'conditional') return parsed.type
    if (parsed.kind === 'absolute' && parsed.type) return parsed.type
    if (parsed.kind === 'contained') return containedType(parsed.id, resource)
  }
  return typeof reference.type === 'string' ? reference.type : null
}

function containedType(id: string, resource: { contained?: unknown } | null): string | null {
  const type = containedIn(resource, id)?.resourceType
  return typeof type === 'string' ? type : null
}

/** A container of thousands is asked thousands of times. */
const containedById = new WeakMap<readonly unknown[], ReadonlyMap<unknown, Record<string, unknown>>>()

/** What a resource contains under an id; the first of several. */
export function containedIn(resource: { contained?: unknown } | null, id: string): Record<string, unknown> | null {
  const list: unknown = resource?.contained
  if (!Array.isArray(list)) return null
  let known = containedById.get(list)
  if (!known) {
    const objects = list.filter((each): each is Record<string, unknown> => typeof each === 'object' && each !== null)
    containedById.set(list, known = new Map(objects.toReversed().map((each) => [each.id, each])))
  }
  return known.get(id) ?? null
}

function isAbsolute(reference: string): boolean {
  return /^https?:\/\/[^\s/]/.test(reference)
}

function withoutVersion(reference: string): string {
  const at = reference.indexOf('/_history/')
  return at < 0 ? reference : reference.slice(0, at)
}

/** Whether an address has a scheme, as `https://…` and `urn:uuid:…` do. Source: RFC 3986 § 3.1. */
export function hasScheme(uri: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:/.test(uri)
}
