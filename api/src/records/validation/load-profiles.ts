/**
 * Validation with the profiles that users have stored. A resource is validated with what is built in; only when it names a
 * definition that is not known is the store asked, for all resources of a request at once, and the resource validated again.
 * Definitions among the resources themselves count as stored, so that a bundle may bring a profile and what declares it.
 */
import { sql } from 'kysely'
import type { FhirModel } from '../../fhir/model.ts'
import type { Issue } from '../../fhir/outcome.ts'
import { typeCode } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import { resourceOf, storedOf, type StoredRow } from '../content.ts'
import { uriKey } from '../search/keys.ts'
import { validateResource, type ValidationOptions } from '../validate.ts'
import type { Definition } from './profile.ts'

/** A profile may be based on one that is based on another … */
const roundsMax = 8
const urlsMax = 200

/** @returns the issues of each resource, in the order given. */
export async function validateResources(
  db: Db, model: FhirModel, resources: readonly unknown[], options: Omit<ValidationOptions, 'stored' | 'unknown'> = {},
): Promise<Issue[][]> {
  const stored = new Map<string, Definition>()
  for (const each of resources) if (isDefinition(each)) stored.set(each.url, each)
  const asked = new Set<string>()
  const issues: Issue[][] = []
  let pending = resources.map((_, index) => index)
  for (let round = 0; round < roundsMax && pending.length > 0; round++) {
    const unknown = new Set<string>()
    const again: number[] = []
    for (const index of pending) {
      const named = new Set<string>()
      issues[index] = validateResource(model, resources[index], { ...options, stored, unknown: named })
      if ([...named].some((url) => !asked.has(url))) again.push(index)
      for (const url of named) if (!asked.has(url) && unknown.size < urlsMax) unknown.add(url)
    }
    for (const url of unknown) asked.add(url)
    for (const each of await storedProfiles(db, [...unknown])) stored.set(each.url, each)
    pending = stored.size > 0 ? again : []
  }
  return issues
}

function isDefinition(resource: unknown): resource is Definition {
  const { resourceType, url, type } = (resource ?? {}) as Partial<Definition>
  return resourceType === 'StructureDefinition' && typeof url === 'string' && typeof type === 'string'
}

/** The newest definition of each address. */
async function storedProfiles(db: Db, urls: readonly string[]): Promise<Definition[]> {
  if (urls.length === 0) return []
  const keys = urls.map((url) => uriKey('StructureDefinition', 'url', url))
  const { rows } = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content from resource r
    where r.t = ${sql.raw(String(typeCode('StructureDefinition')))} and r.keys && ${`{${keys.join(',')}}`}::bigint[]
    order by r.last_updated asc limit ${urlsMax}`.execute(db)
  return rows.map((row): unknown => resourceOf(storedOf('StructureDefinition', row))).filter(isDefinition).filter(({ url }) => urls.includes(url))
}
