/** Looking for the definitions that a validation wants: in the request itself, then in the store. */
import type { Questionnaire, ValueSet } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { sha256Hex } from '../../crypto.ts'
import { monotonicMs } from '../../ctx.ts'
import type { Db } from '../../storage/pool.ts'
import { choose } from '../../terminology/library.ts'
import type { CompiledSet, Definition as TerminologyDefinition, DefinitionStore } from '../../terminology/shapes.ts'
import { compiledSet, storedSet } from '../../terminology/value-sets.ts'
import { paramKey } from '../search/keys.ts'
import { storedDefinitions, storedProfiles, storedQuestionnaire, storedQuestionnaires } from '../stored-definitions.ts'
import { lookEveryMs } from '../stored-parameters.ts'
import { objects } from './items.ts'
import { type Definition, withoutVersion } from './profile.ts'
import type { Stored, Wanted } from './stored.ts'

/** What was found so far, for all resources of a request. */
export interface Found extends Stored {
  profiles: ReadonlyMap<string, Definition>
  valueSets: Map<string, CompiledSet | null>
  questionnaires: Map<string, readonly Questionnaire[]>
}

/** Before anything was looked for: the profiles that the resources bring. */
export async function foundIn(db: Db, resources: readonly unknown[]): Promise<Found> {
  const profiles = new Map<string, Definition>()
  for (const each of resources) if (isDefinition(each)) keep(profiles, each)
  return { profiles, extensions: await storedExtensions(db), valueSets: new Map(), questionnaires: new Map() }
}

/** What a request brings: all of its resources, and those that are valid so far. */
export interface Brought { resources: readonly unknown[]; valid: readonly unknown[] }

/** Looks for what is wanted and adds it to what was found. @returns whether there was anything. */
export async function lookUp(db: Db, found: Found, open: Wanted, { resources, valid }: Brought): Promise<boolean> {
  const definitions = await definitionsOf(db, open.profiles)
  if (definitions.length > 0) {
    // Another map, for what was compiled with the one before may miss what came now.
    const profiles = new Map(found.profiles)
    for (const each of definitions) keep(profiles, each)
    found.profiles = profiles
  }
  let isFound = definitions.length > 0
  if (open.valueSets.size + open.questionnaires.size === 0) return isFound
  const store = definitionsWith(valid)
  for (const url of open.valueSets) {
    const contained = containedSet(found, url)
    const set = contained ? await compiledSet(db, store, contained) : await storedSet(db, store, url)
    found.valueSets.set(url, set)
    isFound ||= set !== null
  }
  for (const [canonical, questionnaires] of await questionnairesOf(db, resources, open.questionnaires)) {
    found.questionnaires.set(canonical, questionnaires)
    isFound ||= questionnaires.length > 0
  }
  return isFound
}

/** `questionnaire#id` is a value set that a questionnaire contains. */
function containedSet({ questionnaires }: Found, name: string): ValueSet | null {
  const at = name.indexOf('#')
  const sets = (questionnaires.get(name.slice(0, at)) ?? []).flatMap(({ contained }) => objects(contained)).filter(({ resourceType, id }) => resourceType === 'ValueSet' && id === name.slice(at + 1))
  return at < 0 ? null : (sets[0] as unknown as ValueSet | undefined) ?? null
}

/** Questionnaires by address, `address|version` or `Questionnaire/id`: those that come with the request, then those of the store that it does not replace. */
async function questionnairesOf(db: Db, resources: readonly unknown[], names: ReadonlySet<string>): Promise<[string, Questionnaire[]][]> {
  if (names.size === 0) return []
  const own = resources.filter((each): each is Questionnaire => (each as { resourceType?: unknown } | null)?.resourceType === 'Questionnaire')
  const ownIds = new Set(own.map(({ id }) => id))
  const stored = (await storedQuestionnaires(db, [...names].map(withoutVersion))).filter(({ resource }) => !ownIds.has(resource.id))
  const result: [string, Questionnaire[]][] = []
  for (const name of names) {
    if (name.startsWith(byId)) {
      const found = own.find(({ id }) => name === byId + id) ?? await storedQuestionnaire(db, name.slice(byId.length))
      result.push([name, found ? [found] : []])
      continue
    }
    const url = withoutVersion(name)
    const version = name.length > url.length ? name.slice(url.length + 1) : null
    result.push([name, [...allOf(own.map((resource) => ({ resource, lastUpdated: '' })), url, version), ...allOf(stored, url, version)]])
  }
  return result
}

/** Those of an address, the one that counts first. */
function allOf(found: readonly { resource: Questionnaire; lastUpdated: string }[], url: string, version: string | null): Questionnaire[] {
  const left = [...found]
  const ordered: Questionnaire[] = []
  for (let next = choose(left, url, version); next !== null; next = choose(left, url, version)) {
    ordered.push(next.resource)
    left.splice(left.indexOf(next), 1)
  }
  return ordered
}

const byId = 'Questionnaire/'

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
