/**
 * Terminology for other parts of the platform, without HTTP and without waiting: membership in the value sets that are built
 * in (required bindings), and the hierarchy of built-in code systems (`:above`, `:below`). Null always means: it cannot be
 * told here, because the set is not built in, has no end, or draws from a code system that is not carried.
 */
import { nearest } from '../fhir/nearest.ts'
import { OutcomeError } from '../fhir/outcome.ts'
import type { Db } from '../storage/pool.ts'
import { withAncestors, withDescendants } from './compile-code-system.ts'
import { builtInSet, builtInSystem, compile, findDefinition, findSystem } from './library.ts'
import { splitCanonical } from './read-compose.ts'
import type { CompiledSet, DefinitionStore, Member, System } from './shapes.ts'
import type { ValueSet } from '@medplum/fhirtypes'

/** Null instead of an error that says the question has no answer. */
function orNull<T>(ask: () => T): T | null {
  try {
    return ask()
  } catch (error) {
    if (error instanceof OutcomeError) return null
    throw error
  }
}

/** A value set that is built in; null where there is none. */
export function setOf(url: string): CompiledSet | null {
  const canonical = splitCanonical(url)
  return orNull(() => builtInSet(canonical.url, canonical.version))
}

const codesOf = new WeakMap<CompiledSet, ReadonlySet<string> | null>()

/** Codes of a built-in value set, of whatever system; null when they cannot be listed. */
export function expandedCodes(url: string): ReadonlySet<string> | null {
  const set = setOf(url)
  if (!set) return null
  const known = codesOf.get(set)
  if (known !== undefined) return known
  const members = orNull(() => set.members())
  const codes = members && new Set(members.map((each) => each.concept.code))
  codesOf.set(set, codes)
  return codes
}

/** A value set that is stored; null where there is none or it has no answer here. */
export function storedSet(db: Db, store: DefinitionStore<Db>, url: string): Promise<CompiledSet | null> {
  const source = { db, store }
  return unlessNone(findDefinition<ValueSet>(source, 'ValueSet', url, null).then((found) => compile(source, found)))
}

/** A value set that another resource contains; null where it has no answer here. */
export function compiledSet(db: Db, store: DefinitionStore<Db>, valueSet: ValueSet): Promise<CompiledSet | null> {
  return unlessNone(compile({ db, store }, valueSet))
}

function unlessNone<T>(found: Promise<T>): Promise<T | null> {
  return found.catch((error: unknown) => {
    if (error instanceof OutcomeError) return null
    throw error
  })
}

/** Whether a compiled set has the code; `system` null for a `code` element. Works for sets without end, such as UCUM's; null where it cannot tell. */
export function isIn(set: CompiledSet, system: string | null, code: string): boolean | null {
  return orNull(() => set.find(system, code) !== null)
}

/** Whether a code system that is built in, or a grammar such as UCUM's, has the code; null where not all of its codes are known here. */
export function hasCode(system: string, code: string): boolean | null {
  const canonical = splitCanonical(system)
  const found = orNull(() => builtInSystem(canonical.url, canonical.version))
  return found?.complete ? orNull(() => found.find(code) !== null) : null
}

/** The code of a built-in system that was probably meant. */
export function nearestCode(system: string, code: string): string | null {
  return nearest(code, (builtInSystem(splitCanonical(system).url, null)?.concepts ?? []).map((each) => each.code))
}

/** Every code of a value set, built in or stored, as `system|code` pairs for `:in` and `:not-in`. @throws as $expand does. */
export async function membersOf(db: Db, store: DefinitionStore<Db>, url: string): Promise<readonly Member[]> {
  const source = { db, store }
  return (await compile(source, await findDefinition<ValueSet>(source, 'ValueSet', url, null))).members()
}

/** The code and all below it; only itself where the built-in system does not have it, and null where the system is not built in. */
export function subsumedCodes(system: string, code: string): string[] | null {
  return closureOf(system, code, withDescendants)
}

/** The code and all above it. */
export function ancestorCodes(system: string, code: string): string[] | null {
  return closureOf(system, code, withAncestors)
}

function closureOf(system: string, code: string, closure: typeof withDescendants): string[] | null {
  const canonical = splitCanonical(system)
  const found = builtInSystem(canonical.url, canonical.version)
  return found && closureIn(found, code, closure)
}

function closureIn(system: System, code: string, closure: typeof withDescendants): string[] {
  const concept = system.find(code)
  return concept ? [...closure(concept)].map((each) => each.code) : [code]
}

/** The same in a code system that is stored; null where there is none with codes. */
export async function storedClosure(db: Db, store: DefinitionStore<Db>, asked: { system: string; code: string; direction: 'above' | 'below' }): Promise<string[] | null> {
  const system = await unlessNone(findSystem({ db, store }, asked.system, null))
  return system && closureIn(system, asked.code, asked.direction === 'below' ? withDescendants : withAncestors)
}
