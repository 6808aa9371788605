/**
 * Validation with the profiles that users have stored. A resource is validated with what is built in; only when it names a
 * definition that is not known is the store asked, for all resources of a request at once, and the resource validated again.
 * Definitions among the resources themselves count as stored, so that a bundle may bring a profile and what declares it. The value sets that profiles
 * bind to are compiled then, too.
 */
import { sql } from 'kysely'
import { sha256Hex } from '../../crypto.ts'
import { monotonicMs } from '../../ctx.ts'
import type { FhirModel } from '../../fhir/model.ts'
import type { Issue } from '../../fhir/outcome.ts'
import type { Db } from '../../storage/pool.ts'
import type { CompiledSet, Definition as TerminologyDefinition, DefinitionStore } from '../../terminology/shapes.ts'
import { storedSet } from '../../terminology/value-sets.ts'
import { paramKey } from '../search/keys.ts'
import { storedDefinitions, storedProfiles } from '../stored-definitions.ts'
import { lookEveryMs } from '../stored-parameters.ts'
import { validateResource, type ValidationOptions } from '../validate.ts'
import type { Definition } from './profile.ts'

/** A profile may be based on one that is based on another … */
const roundsMax = 8
const urlsMax = 200
/** Value sets that profiles of one request bind to, which are compiled for it. */
const setsMax = 50

/** @returns the issues of each resource, in the order given. */
export async function validateResources(
  db: Db, model: FhirModel, resources: readonly unknown[], options: Omit<ValidationOptions, 'stored' | 'unknown' | 'storedExtensions' | 'valueSets' | 'unknownSets'> = {},
): Promise<Issue[][]> {
  let stored = new Map<string, Definition>()
  for (const each of resources) if (isDefinition(each)) keep(stored, each)
  const extensions = await storedExtensions(db)
  const asked = new Set<string>()
  const valueSets = new Map<string, CompiledSet | null>()
  const issues: Issue[][] = []
  let pending = resources.map((_, index) => index)
  for (let round = 0; round < roundsMax && pending.length > 0; round++) {
    const unknown = new Set<string>()
    const unknownSets = new Set<string>()
    const again: number[] = []
    for (const index of pending) {
      const named = new Set<string>()
      const namedSets = new Set<string>()
      issues[index] = validateResource(model, resources[index], { ...options, stored, unknown: named, storedExtensions: extensions, valueSets, unknownSets: namedSets })
      for (const url of namedSets) if (valueSets.size + unknownSets.size < setsMax) unknownSets.add(url)
      if ([...namedSets].some((url) => unknownSets.has(url)) || [...named].some((url) => !asked.has(url))) again.push(index)
      for (const url of named) if (!asked.has(url) && unknown.size < urlsMax) unknown.add(url)
    }
    for (const url of unknown) asked.add(url)
    const found = await definitionsOf(db, unknown)
    // Another map, for what was compiled with the one before may miss what came now.
    if (found.length > 0) stored = new Map(stored)
    for (const each of found) keep(stored, each)
    if (unknownSets.size > 0) {
      const definitions = definitionsWith(resources.filter((_, index) => issues[index]?.length === 0))
      for (const url of unknownSets) valueSets.set(url, await storedSet(db, definitions, url))
    }
    const hasSets = [...unknownSets].some((url) => valueSets.get(url) !== null)
    pending = stored.size > 0 || hasSets ? again : []
  }
  return issues
}

/** Value sets and code systems of the store, and before them those that come with the request and are valid. */
function definitionsWith(resources: readonly unknown[]): DefinitionStore<Db> {
  const own = resources.filter((each): each is TerminologyDefinition => {
    const { resourceType, url } = (each ?? {}) as { resourceType?: unknown; url?: unknown }
    return (resourceType === 'ValueSet' || resourceType === 'CodeSystem') && typeof url === 'string'
  })
  if (own.length === 0) return storedDefinitions
  return {
    ...storedDefinitions,
    byUrls: async (db, type, urls) => [
      ...own.filter((each) => each.resourceType === type && urls.includes(each.url ?? '')).map((resource) => ({ key: sha256Hex(JSON.stringify(resource)), lastUpdated: '9999', resource })),
      ...await storedDefinitions.byUrls(db, type, urls),
    ],
  }
}

/** All definitions of each address, the newest last. */
async function definitionsOf(db: Db, urls: ReadonlySet<string>): Promise<Definition[]> {
  if (urls.size === 0) return []
  const found: unknown[] = await storedProfiles(db, [...urls])
  return found.toReversed().filter(isDefinition).filter(({ url }) => urls.has(url))
}

/** Under its address the last one that comes, and each under its version. */
function keep(stored: Map<string, Definition>, definition: Definition): void {
  stored.set(definition.url, definition)
  if (typeof definition.version === 'string') stored.set(`${definition.url}|${definition.version}`, definition)
}

interface Known { urls: ReadonlySet<string>; lookedAt: number }

const knownExtensions = new WeakMap<object, Known>()
const extensionsMax = 10_000

/**
 * Addresses that stored definitions have or had, for extensions: nearly all that resources carry are defined nowhere, and must not cost a question
 * each. Looked up as often as stored search parameters are; those of the request itself count at once.
 */
async function storedExtensions(db: Db): Promise<ReadonlySet<string>> {
  const pool = db.getExecutor().adapter
  const known = knownExtensions.get(pool)
  if (known && monotonicMs() - known.lookedAt < lookEveryMs) return known.urls
  const { rows } = await sql<{ val: string }>`select val from search_text where k = ${String(paramKey('StructureDefinition', 'url'))}::bigint limit ${extensionsMax}`.execute(db)
  const urls = new Set(rows.map((row) => row.val))
  knownExtensions.set(pool, { urls, lookedAt: monotonicMs() })
  return urls
}

function isDefinition(resource: unknown): resource is Definition {
  const { resourceType, url, type } = (resource ?? {}) as Partial<Definition>
  return resourceType === 'StructureDefinition' && typeof url === 'string' && typeof type === 'string'
}
