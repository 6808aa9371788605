/**
 * Files → transaction bundles. A transaction stays as it is (a batch becomes one: a file is loaded wholly or not at all); collections,
 * single resources and bulk files become PUTs that keep their ids. What is large is cut into parts, each with a hash of its own, so
 * that a load that was interrupted goes on where it stopped. Source: FHIR R4 Bundle, Bulk Data 2.0 (ndjson).
 */
import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip, gunzipSync } from 'node:zlib'
import type { Resource } from '@medplum/fhirtypes'
import { parseJson, stringifyJson } from './fhir/json.ts'
import { OutcomeError } from './fhir/outcome.ts'
import { asResource } from './records/bundle-entries.ts'
import { rewriteReferences } from './records/bundle-references.ts'

export interface LoadUnit {
  /** File name, with the part behind it when the file is cut. */
  name: string
  /** Of the text that is stored, whether it was packed or not. */
  sha256: string
  /** A Bundle of type transaction, as JSON. */
  text: string
  /** Resources by type. */
  types: Map<string, number>
}

export interface LoadFile { path: string; bytes: number }

/** Entries of one transaction when a file is cut. */
const entriesPerUnit = 500
const extension = /\.(json|ndjson)(\.gz)?$/i

/** The files named and those in the folders named, sorted. Throws Error for a path that is not there. */
export function findFiles(paths: readonly string[]): LoadFile[] {
  const found = paths.flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (!stat) throw new Error(`${path} is not there.`)
    if (!stat.isDirectory()) return [path]
    return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => extension.test(name)).sort().map((name) => join(path, name))
  })
  return [...new Set(found)].map((path) => ({ path, bytes: statSync(path).size }))
}

/** The units of a file. Throws Error with a sentence when the file is broken. */
export async function* unitsOf({ path }: LoadFile): AsyncGenerator<LoadUnit> {
  if (!extension.test(path)) throw new Error('Only .json and .ndjson files are loaded, each also with .gz.')
  if (/\.ndjson(\.gz)?$/i.test(path)) yield* unitsOfLines(path)
  else yield* unitsOfDocument(path)
}

function* unitsOfDocument(path: string): Generator<LoadUnit> {
  const bytes = readFileSync(path)
  const text = (path.toLowerCase().endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  const resource = readable(() => asResource(parseJson(text), null))
  const name = basename(path)
  const type: unknown = resource.resourceType === 'Bundle' ? (resource as { type?: unknown }).type : null
  if (type === 'transaction') {
    yield { name, sha256: sha256(text), text, types: typesOf(resourcesOf(resource)) }
    return
  }
  if (type === 'batch') {
    yield { name, sha256: sha256(text), text: stringifyJson({ ...resource, type: 'transaction' }), types: typesOf(resourcesOf(resource)) }
    return
  }
  if (type !== null && type !== 'collection' && type !== 'searchset') throw new Error(`A Bundle of type ${String(type)} can't be loaded.`)
  yield* unitsOfResources(name, type === null ? [resource] : named(resource))
}

async function* unitsOfLines(path: string): AsyncGenerator<LoadUnit> {
  const source = createReadStream(path)
  const lines = createInterface({ input: path.toLowerCase().endsWith('.gz') ? source.pipe(createGunzip()) : source, crlfDelay: Number.POSITIVE_INFINITY })
  const name = basename(path)
  let resources: Resource[] = []
  let number = 0
  let part = 0
  for await (const line of lines) {
    number++
    if (line.trim() === '') continue
    const at = number
    resources.push(readable(() => asResource(parseJson(line), null), `Line ${at}: `))
    if (resources.length < entriesPerUnit) continue
    yield unitOf(`${name} #${++part}`, resources)
    resources = []
  }
  if (resources.length > 0) yield unitOf(part === 0 ? name : `${name} #${part + 1}`, resources)
}

function* unitsOfResources(name: string, resources: readonly Resource[]): Generator<LoadUnit> {
  for (let at = 0; at < resources.length; at += entriesPerUnit) {
    yield unitOf(resources.length <= entriesPerUnit ? name : `${name} #${at / entriesPerUnit + 1}`, resources.slice(at, at + entriesPerUnit))
  }
}

/** A transaction of PUTs, of POSTs where a resource has no id. */
function unitOf(name: string, resources: readonly Resource[]): LoadUnit {
  const entry = resources.map((resource) => ({
    resource,
    request: resource.id === undefined ? { method: 'POST', url: resource.resourceType } : { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }))
  const text = stringifyJson({ resourceType: 'Bundle', type: 'transaction', entry })
  return { name, sha256: sha256(text), text, types: typesOf(resources) }
}

interface Entry { fullUrl?: unknown; resource?: Resource | null }

function entriesOf(bundle: Resource): Entry[] {
  const entries: unknown = (bundle as { entry?: unknown }).entry
  return Array.isArray(entries) ? (entries as Entry[]) : []
}

function resourcesOf(bundle: Resource): Resource[] {
  return entriesOf(bundle).flatMap((entry) => (entry?.resource ? [entry.resource] : []))
}

/** The resources of a collection, their references by full url made to `Type/id`, because parts are sent one by one. */
function named(bundle: Resource): Resource[] {
  const references = new Map<string, string>()
  const resources = entriesOf(bundle).flatMap((entry, index) => {
    if (!entry?.resource) return []
    const resource = readable(() => asResource(entry.resource, `Bundle.entry[${index}].resource`))
    const id = resource.id ?? /^urn:uuid:([0-9a-f-]{36})$/.exec(String(entry.fullUrl))?.[1]
    if (typeof entry.fullUrl === 'string' && id !== undefined) references.set(entry.fullUrl, `${resource.resourceType}/${id}`)
    return [id === undefined ? resource : { ...resource, id }]
  })
  return resources.map((resource) => rewriteReferences(resource, references, resource.resourceType).resource)
}

function typesOf(resources: readonly Resource[]): Map<string, number> {
  const types = new Map<string, number>()
  for (const { resourceType } of resources) types.set(resourceType, (types.get(resourceType) ?? 0) + 1)
  return types
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** An outcome as the sentence of an Error, for a terminal. */
function readable<T>(body: () => T, before = ''): T {
  try {
    return body()
  } catch (error) {
    if (!(error instanceof OutcomeError)) throw error
    throw new Error(before + sentenceOf(error), { cause: error })
  }
}

export function sentenceOf(error: OutcomeError): string {
  const [first] = error.issues
  return `${first?.text.en ?? ''}${first?.expression ? ` (${first.expression})` : ''}${error.issues.length > 1 ? ` and ${error.issues.length - 1} more` : ''}`
}
