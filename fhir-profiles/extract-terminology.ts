/**
 * The part of extract.ts that is terminology: the code systems, value sets and concept maps of HL7 FHIR R4 4.0.1 with the v2
 * tables and v3 code systems it was published with. Kept is what a terminology service answers from; narrative, contacts and
 * extensions are not. Copyright statements stay with the value sets that carry them (some list codes of SNOMED CT and LOINC).
 * Each file is an array of definitions; the index says what stands where, so that one definition is read without the rest.
 */
import { readSource } from './source.ts'
import type { TerminologyIndex } from './extracts.ts'

interface Source extends Record<string, unknown> { resourceType: string; id: string; url: string; version?: string }

const sources: readonly (readonly [file: string, source: string])[] = [
  ['terminology-r4', 'valuesets.json'],
  ['terminology-v3', 'v3-codesystems.json'],
  ['terminology-v2', 'v2-tables.json'],
  ['terminology-maps', 'conceptmaps.json'],
]

/** Elements of a definition that stay; `compose`, `concept` and `group` are cut further. */
const kept: readonly string[] = [
  'resourceType', 'id', 'url', 'version', 'name', 'title', 'status', 'copyright',
  'caseSensitive', 'valueSet', 'hierarchyMeaning', 'compositional', 'content', 'supplements', 'property', 'concept',
  'compose',
  'sourceUri', 'sourceCanonical', 'targetUri', 'targetCanonical', 'group',
]

/** Definitions of another FHIR version, and an example that refers into itself. */
function isOurs(resource: Source): boolean {
  return resource.version !== '5.0.0' && resource.id !== 'example-hierarchical' && resource.content !== 'supplement'
}

function cut(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cut)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'extension' && name !== 'id').map(([name, each]) => [name, cut(each)]))
}

/** Three v2 tables exist in several versions and are named `url|version` in the wrong element. */
function withVersionApart(compose: { include: { system?: string; version?: string }[] }) {
  for (const include of compose.include) {
    const [system, version] = include.system?.split('|') ?? []
    if (system && version) Object.assign(include, { system, version })
    // The example names a version that was never published with this one.
    if (include.system === 'http://hl7.org/fhir/CodeSystem/task-code') delete include.version
  }
  return compose
}

function definition(resource: Source): Source {
  const entries = kept.filter((name) => resource[name] !== undefined).map((name) => [name, cut(resource[name])] as const)
  const made = Object.fromEntries(entries) as Source
  made.id = resource.id
  const [url, version] = resource.url.split('|')
  if (url && version) Object.assign(made, { url, version })
  if (made.compose) withVersionApart(made.compose as Parameters<typeof withVersionApart>[0])
  return made
}

/** The files by name, and `terminology-index`. */
export function terminologyExtracts(): Record<string, unknown> {
  const index: TerminologyIndex = {}
  const files: Record<string, unknown> = {}
  for (const [file, source] of sources) {
    const bundle = readSource(source) as { entry: { resource: Source }[] }
    const definitions = bundle.entry.map((entry) => entry.resource).filter(isOurs).map(definition)
    files[file] = definitions
    index[file] = definitions.map((each) => [
      each.resourceType as 'CodeSystem', each.id, each.url, each.version ?? null, Buffer.byteLength(JSON.stringify(each)),
    ])
  }
  return { ...files, 'terminology-index': index }
}
