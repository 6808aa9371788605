/**
 * The text of a resource as it is stored and as it is sent. Stored text begins `{"resourceType":"T","id":"I","meta":{` and
 * has neither `meta.versionId` nor `meta.lastUpdated`: those belong to the row and are spliced in when the text is sent, so
 * that a version's text need not be rebuilt once its number is known. Decimals keep the digits the client wrote.
 */
import type { Resource } from '@medplum/fhirtypes'
import { parseStored, stringifyJson } from '../fhir/json.ts'
import type { ResourceType } from '../fhir/resource-types.ts'

/** One version of a resource, as read from the database. */
export interface Stored {
  type: ResourceType
  /** The FHIR id, as the client wrote it. */
  id: string
  /** 1, 2, 3 …; 0 for what a projection makes anew at each reading. */
  version: number
  /** ISO instant in UTC with milliseconds; of what a projection makes as it says, empty when it does not. */
  lastUpdated: string
  /** Key of the Patient whose compartment it is in; null outside any. */
  pid: string | null
  /** Stored text; `sendable` makes the text of a reply of it. */
  content: string
}

/** A row as the select lists of this folder name it. */
export interface StoredRow {
  t: number
  id: string
  version: number
  last_updated: string
  pid: string | null
  content: string
}

const metaOpening = '"meta":{'

/** Stored text of a resource. Its `id` must be set. */
export function contentOf(resource: Resource): string {
  const { resourceType, id, meta, ...rest } = resource as Resource & { id: string; meta?: Record<string, unknown> }
  const { versionId: _version, lastUpdated: _updated, ...kept } = meta ?? {}
  return stringifyJson({ resourceType, id, meta: kept, ...rest })
}

/** The FHIR id inside stored text. (The column holds only its key.) */
export function idIn(content: string): string {
  const start = content.indexOf('"id":"') + 6
  return content.slice(start, content.indexOf('"', start))
}

/** The JSON text of a version as it goes out. */
export function sendable(stored: Pick<Stored, 'version' | 'lastUpdated' | 'content'>): string {
  if (stored.version === 0 && stored.lastUpdated === '') return stored.content.replace(/^(\{"resourceType":"\w+","id":"[^"]+"),"meta":\{\}/, '$1')
  const at = stored.content.indexOf(metaOpening) + metaOpening.length
  const comma = stored.content[at] === '}' ? '' : ','
  return `${stored.content.slice(0, at)}${stored.version === 0 ? '' : `"versionId":"${stored.version}",`}"lastUpdated":"${stored.lastUpdated}"${comma}${stored.content.slice(at)}`
}

/** The parsed resource with its `meta.versionId` and `meta.lastUpdated`. */
export function resourceOf<T extends Resource = Resource>(stored: Pick<Stored, 'version' | 'lastUpdated' | 'content'>): T {
  return parseStored(sendable(stored)) as T
}

export function storedOf(type: ResourceType, row: StoredRow): Stored {
  return { type, id: idIn(row.content), version: row.version, lastUpdated: row.last_updated, pid: row.pid, content: row.content }
}
