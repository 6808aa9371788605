/**
 * The resource that a reference goes to, as far as it is at hand: one that is contained, or an entry of the Bundle that the reference stands in.
 * A relative reference in a Bundle means the server of the entry it stands in. Source: FHIR R4 2.3.0.2 (contained), 2.36.4.1 (references in bundles).
 */
import { containedIn, parseReference, referencedType } from '../../fhir/references.ts'
import type { Run } from '../validate.ts'
import { isJson, type Item } from './items.ts'

type Json = Record<string, unknown>

export function resolve(run: Run, reference: Json): Json | null {
  const text = reference.reference
  // Most go elsewhere.
  if (typeof text !== 'string' || (run.bundle === null && !text.startsWith('#'))) return null
  const parsed = parseReference(text)
  if (parsed.kind === 'contained') return parsed.id === '' ? run.container : containedIn(run.container, parsed.id)
  return run.bundle === null ? null : entryOf(run, run.bundle, text)
}

/** Type of what a reference goes to: of the resource itself, else as the text says; null where neither is known. */
export function targetType(run: Run, reference: Json): string | null {
  const found = resolve(run, reference)?.resourceType
  return typeof found === 'string' ? found : referencedType(reference, run.container)
}

/** The type that is known for sure: of the resource where it is at hand, else as the text says; another server's address may only look like one. */
export function certainType(run: Run, reference: Json): string | null {
  const found = resolve(run, reference)?.resourceType
  if (typeof found === 'string') return found
  const text = typeof reference.reference === 'string' ? parseReference(reference.reference) : null
  return text === null || text.kind === 'absolute' || text.kind === 'urn' ? null : referencedType({ reference: reference.reference }, run.container)
}

/** The resource as a value that a profile can be asked about. */
export function resourceItem(run: Run, resource: Json): Item | null {
  const structure = typeof resource.resourceType === 'string' ? run.model.structures.get(resource.resourceType) : undefined
  return structure ? { value: resource, beside: null, property: null, type: structure.name, structure, steps: [] } : null
}

/** `bases`: of each entry's resource the server that its fullUrl names. */
interface Entries { byUrl: ReadonlyMap<string, Json>; bases: ReadonlyMap<Json, string> }

/** Longer addresses are no server's. */
const urlMax = 2_000

/** A Bundle of thousands is asked thousands of times. */
const entriesOfBundle = new WeakMap<Json, Entries>()

function entryOf(run: Run, bundle: Json, text: string): Json | null {
  const { byUrl, bases } = entriesOf(bundle)
  const direct = byUrl.get(text) ?? versioned(byUrl, text)
  if (direct) return direct
  const base = bases.get(run.container)
  return base === undefined ? null : byUrl.get(base + text) ?? versioned(byUrl, base + text)
}

/** `…/_history/2` is the entry of that address which has that version. */
function versioned(byUrl: ReadonlyMap<string, Json>, address: string): Json | null {
  const at = address.lastIndexOf('/_history/')
  if (at < 0) return null
  const [url, version] = [address.slice(0, at), address.slice(at + '/_history/'.length)]
  const found = byUrl.get(url)
  return found && isJson(found.meta) && found.meta.versionId === version ? found : null
}

function entriesOf(bundle: Json): Entries {
  const known = entriesOfBundle.get(bundle)
  if (known) return known
  const byUrl = new Map<string, Json>()
  const bases = new Map<Json, string>()
  for (const entry of Array.isArray(bundle.entry) ? bundle.entry : []) {
    if (!isJson(entry) || typeof entry.fullUrl !== 'string' || !isJson(entry.resource)) continue
    byUrl.set(entry.fullUrl, entry.resource)
    const base = entry.fullUrl.length > urlMax ? undefined : /^(https?:\/\/.+\/)[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/.exec(entry.fullUrl)?.[1]
    if (base !== undefined) bases.set(entry.resource, base)
  }
  const made = { byUrl, bases }
  entriesOfBundle.set(bundle, made)
  return made
}
