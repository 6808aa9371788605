/**
 * Finding definitions: what is built in first, then what is stored, of that the newest active version. A stored definition
 * cannot replace a built-in one of the same address and version, so nobody redefines HL7's codes by a write.
 * A compilation must not wait: `libraryFor` fetches beforehand whatever a value set names, however indirectly.
 */
import type { CodeSystem, ConceptMap, ValueSet } from '@medplum/fhirtypes'
import type { Db } from '../storage/pool.ts'
import { builtIn, builtInById, isBuiltIn, supplementsOf } from './built-in.ts'
import { compileCodeSystem } from './compile-code-system.ts'
import { type Compilation, compileValueSet, newBudget } from './compile-value-set.ts'
import { readCompose, splitCanonical } from './read-compose.ts'
import { ruleSystem } from './rule-systems.ts'
import * as say from './sentences.ts'
import type { CompiledSet, Definition, DefinitionStore, DefinitionType, Library, StoredDefinition, System } from './shapes.ts'

/** The database of a request and the way to its definitions. */
export interface Source { db: Db; store: DefinitionStore<Db> }

const systems = new Map<string, System>()
const sets = new Map<string, CompiledSet>()

export function builtInSystem(url: string, version: string | null): System | null {
  const key = `${url}|${version ?? ''}`
  const known = systems.get(key)
  if (known) return known
  const resource = builtIn('CodeSystem', url, version)
  // R4 describes some systems without their codes, SNOMED CT for one; a stored one may have them. A supplement has none of its own.
  if (!resource || resource.content === 'not-present' || resource.content === 'supplement') return version === null ? ruleSystem(url) : null
  const exact = `${url}|${resource.version ?? ''}`
  const system = systems.get(exact) ?? compileCodeSystem(resource, supplementsOf(url))
  systems.set(key, system)
  systems.set(exact, system)
  return system
}

/** Compiled once; null when there is none of that address, or when it may draw from definitions that are stored. */
export function builtInSet(url: string, version: string | null): CompiledSet | null {
  const key = `${url}|${version ?? ''}`
  const known = sets.get(key)
  if (known) return known
  const resource = builtIn('ValueSet', url, version)
  if (!resource) return null
  const unlimited = { questions: Infinity, patterns: { ms: 10_000 } }
  const compiled = compileValueSet(resource, { library: { system: builtInSystem, valueSet: (a, b) => builtIn('ValueSet', a, b), compiledSet: () => null }, budget: unlimited, done: new Map() })
  sets.set(key, compiled)
  return compiled
}

/** Whether a set draws from nothing but what is built in. */
function isWhole(set: CompiledSet): boolean {
  return [...set.systems].every((each) => builtInSystem(splitCanonical(each).url, null) !== null)
}

function wholeBuiltInSet(url: string, version: string | null): CompiledSet | null {
  try {
    const set = builtInSet(url, version)
    return set && isWhole(set) ? set : null
  } catch {
    return null // It imports a set that is not built in; with the stored ones it may be complete.
  }
}

/** A definition by address. @throws OutcomeError `not-found` naming it. */
export async function findDefinition<T extends Definition>(source: Source, type: T['resourceType'], url: string, version: string | null): Promise<T> {
  const given = version === null ? splitCanonical(url) : { url, version }
  const own = builtIn(type as DefinitionType, given.url, given.version)
  if (own) return own as T
  const stored = choose(await source.store.byUrls(source.db, type, [given.url]), given.url, given.version)
  if (!stored) throw say.definitionUnknown(type, given.version === null ? given.url : `${given.url}|${given.version}`)
  return stored.resource as T
}

/** A definition by id: stored ones first, because plain reads find those. @throws OutcomeError `not-found`. */
export async function findDefinitionById<T extends Definition>(source: Source, type: T['resourceType'], id: string): Promise<T> {
  const stored = await source.store.byId(source.db, type, id)
  const found = stored?.resource ?? builtInById(type, id)
  if (!found) throw say.definitionUnknown(type, `${type}/${id}`)
  return found as T
}

/** @throws OutcomeError `not-found`, `code-system-absent`. */
export async function findSystem(source: Source, url: string, version: string | null): Promise<System> {
  const given = version === null ? splitCanonical(url) : { url, version }
  const own = builtInSystem(given.url, given.version)
  const system = own ?? storedSystem(choose(await source.store.byUrls(source.db, 'CodeSystem', [given.url]), given.url, given.version))
  if (!system) throw say.definitionUnknown('CodeSystem', given.version === null ? given.url : `${given.url}|${given.version}`)
  if (!system.complete && system.concepts?.length === 0) throw say.systemAbsent(url)
  return system
}

/** The stored system of that id, else the built-in one. @throws OutcomeError `not-found`, `code-system-absent`. */
export async function findSystemById(source: Source, id: string): Promise<System> {
  const stored = await source.store.byId(source.db, 'CodeSystem', id)
  if (stored) {
    const system = storedSystem(stored) as System
    if (!system.complete && system.concepts?.length === 0) throw say.systemAbsent(system.url)
    return system
  }
  const resource = await findDefinitionById<CodeSystem>(source, 'CodeSystem', id)
  return builtInSystem(resource.url ?? '', resource.version ?? null) ?? compileCodeSystem(resource)
}

const compiledMax = 16
const compiled = new Map<string, System>()

/** The last few stay compiled: a version's text never changes. */
function storedSystem(definition: StoredDefinition | null): System | null {
  if (!definition) return null
  const system = compiled.get(definition.key) ?? compileCodeSystem(definition.resource as CodeSystem)
  compiled.delete(definition.key)
  compiled.set(definition.key, system)
  const oldest = compiled.keys().next().value
  if (compiled.size > compiledMax && oldest !== undefined) compiled.delete(oldest)
  return system
}

const statusOrder: readonly string[] = ['active', 'draft', 'unknown', 'retired']

/** A definition of any type as it is stored. */
interface Versioned { resource: { url?: string; version?: string; status?: string; content?: string }; lastUpdated: string }

/** The newest active version; where none is active, the newest draft. Supplements define no codes of their own. */
export function choose<T extends Versioned>(found: readonly T[], url: string, version: string | null): T | null {
  const fitting = found.filter(({ resource }) => resource.url === url && (version === null || resource.version === version) && resource.content !== 'supplement')
  const newestFirst = new Intl.Collator('en', { numeric: true })
  return fitting.sort((a, b) => statusOrder.indexOf(a.resource.status ?? 'unknown') - statusOrder.indexOf(b.resource.status ?? 'unknown')
    || newestFirst.compare(b.resource.version ?? '', a.resource.version ?? '')
    || b.lastUpdated.localeCompare(a.lastUpdated))[0] ?? null
}

/** A value set with all it needs. @throws what `compileValueSet` throws. */
export async function compile(source: Source, resource: ValueSet): Promise<CompiledSet> {
  const { url, version } = resource
  if (url && isBuiltIn(resource)) {
    const whole = wholeBuiltInSet(url, version ?? null)
    if (whole) return whole
  }
  const compilation: Compilation = { library: await libraryFor(source, resource), budget: newBudget(), done: new Map() }
  return compileValueSet(resource, compilation)
}

const setsMax = 300

async function libraryFor(source: Source, root: ValueSet): Promise<Library> {
  const stored = { CodeSystem: new Map<string, StoredDefinition[]>(), ValueSet: new Map<string, StoredDefinition[]>() }
  const fetchMissing = async (type: 'CodeSystem' | 'ValueSet', urls: Iterable<string>): Promise<void> => {
    const missing = [...new Set(urls)].filter((url) => !stored[type].has(url))
    if (missing.length === 0) return
    for (const url of missing) stored[type].set(url, [])
    for (const each of await source.store.byUrls(source.db, type, missing)) stored[type].get(each.resource.url ?? '')?.push(each)
  }
  const library: Library = {
    system: (url, version) => builtInSystem(url, version) ?? storedSystem(choose(stored.CodeSystem.get(url) ?? [], url, version)),
    valueSet: (url, version) => builtIn('ValueSet', url, version) ?? choose(stored.ValueSet.get(url) ?? [], url, version)?.resource as ValueSet | undefined ?? null,
    compiledSet: wholeBuiltInSet,
  }
  const seen = new Set<string>()
  let round: ValueSet[] = [root]
  while (round.length > 0) {
    const clauses = round.map(readCompose).flatMap(({ include, exclude }) => [...include, ...exclude])
    await fetchMissing('CodeSystem', clauses.flatMap(({ system, version }) => (system !== null && !builtInSystem(system, version) ? [system] : [])))
    const imports = new Map(clauses.flatMap((each) => each.valueSets).map((each) => [`${each.url}|${each.version ?? ''}`, each]))
    const open = [...imports].filter(([key, { url, version }]) => !seen.has(key) && !wholeBuiltInSet(url, version))
    await fetchMissing('ValueSet', open.flatMap(([, { url, version }]) => (builtIn('ValueSet', url, version) ? [] : [url])))
    for (const [key] of open) seen.add(key)
    if (seen.size > setsMax) throw say.tooMuchWork()
    round = open.flatMap(([, { url, version }]) => library.valueSet(url, version) ?? [])
  }
  return library
}

/** A concept map by address; see `findDefinition`. */
export function findConceptMap(source: Source, url: string, version: string | null): Promise<ConceptMap> {
  return findDefinition<ConceptMap>(source, 'ConceptMap', url, version)
}
