/**
 * Code systems and value sets as the terminology service thinks of them, once compiled from their FHIR resources.
 * A `System` answers about single codes; one that can be listed has `concepts`. Types only: nothing runs here.
 */
import type { MatchBudget } from './user-pattern.ts'
import type { CodeSystem, CodeSystemConceptDesignation, CodeSystemConceptProperty, ConceptMap, ValueSet } from '@medplum/fhirtypes'

export type Definition = CodeSystem | ValueSet | ConceptMap
export type DefinitionType = Definition['resourceType']

export interface Concept {
  code: string
  /** Null where the code system gives none: the code then stands for itself. */
  display: string | null
  definition: string | null
  designations: readonly CodeSystemConceptDesignation[]
  properties: readonly CodeSystemConceptProperty[]
  /** Direct ones; more than one only where the code system says so by properties. */
  parents: readonly Concept[]
  children: readonly Concept[]
  /** Not selectable: a heading over other codes. */
  abstract: boolean
  inactive: boolean
}

export interface SystemFilter { property: string; op: string; value: string }

export interface System {
  url: string
  version: string | null
  /** Title for people. */
  name: string
  /** Language of `Concept.display`. */
  language: string
  /** Every code of the system is known here. */
  complete: boolean
  /** In the order of definition, a parent before its children; null where there is no end of codes. */
  concepts: readonly Concept[] | null
  /** Names of the properties that filters may ask for. */
  properties: ReadonlySet<string>
  find(code: string): Concept | null
  /** A filter that only this system understands; null when it is none of those. */
  ownFilter(filter: SystemFilter): ((concept: Concept) => boolean) | null
}

/** A code in a value set. */
export interface Member {
  /** Empty for the code of a `code` element without system; never in a compiled set. */
  system: string
  version: string | null
  /** Language of the code system's displays. */
  language: string
  concept: Concept
  /** What the value set itself calls it; null: as the code system does. */
  display: string | null
  designations: readonly CodeSystemConceptDesignation[]
  /** Chosen by rule and not by name, so that it may be shown under its parent. */
  nests: boolean
}

export interface CompiledSet {
  url: string | null
  version: string | null
  /** `system` null: of whichever system of the set. @throws OutcomeError `code-system-absent` when it cannot be told. */
  find(system: string | null, code: string): Member | null
  /** All, each once, in order of the definition. @throws OutcomeError `too-costly`, `code-system-absent`. */
  members(): readonly Member[]
  /** `system|version` of the code systems it draws from, and what it imports. */
  systems: ReadonlySet<string>
  /** It takes a code system as a whole of which not all codes are known here: there may be more. */
  open: boolean
}

/** Definitions that a compilation may name. Built-in ones answer at once; stored ones were fetched before. */
export interface Library {
  /** Null when it is not here. */
  system(url: string, version: string | null): System | null
  valueSet(url: string, version: string | null): ValueSet | null
  /** Of those that need nothing but what is built in, compiled once for all requests. */
  compiledSet(url: string, version: string | null): CompiledSet | null
}

/** A definition that somebody wrote into the record store. */
export interface StoredDefinition {
  /** `Type/id/version`: never two texts under one key. */
  key: string
  lastUpdated: string
  resource: Definition
}

/** Where stored definitions come from; the record store stands above and hands this in. `Db` is its own. */
export interface DefinitionStore<Db> {
  /** All versions and statuses that carry one of the addresses. */
  byUrls(db: Db, type: DefinitionType, urls: readonly string[]): Promise<StoredDefinition[]>
  byId(db: Db, type: DefinitionType, id: string): Promise<StoredDefinition | null>
  /** Maps that have a group from (or to) a code system. */
  conceptMaps(db: Db, system: string, side: 'source' | 'target'): Promise<StoredDefinition[]>
}

/** What a request may cost, shared by everything it compiles and counted down: questions about single codes, and time in patterns. */
export interface Budget { questions: number; patterns: MatchBudget }
