/** What resources name and only the store can know: what was found of it, and what a validation still asks for. */
import type { Questionnaire } from '@medplum/fhirtypes'
import type { CompiledSet } from '../../terminology/shapes.ts'
import type { Definition } from './profile.ts'

export interface Stored {
  /** Profiles and extensions by address, and by `address|version`. */
  profiles: ReadonlyMap<string, Definition>
  /** Addresses of extensions that the store may define. */
  extensions: ReadonlySet<string>
  /** By address as profiles name it; null for one that was looked for in vain. */
  valueSets: ReadonlyMap<string, CompiledSet | null>
  /** By address as responses name it, the newest first; none for one that was looked for in vain. */
  questionnaires: ReadonlyMap<string, readonly Questionnaire[]>
}

/** Addresses of definitions that were needed and not known. */
export interface Wanted {
  profiles: Set<string>
  valueSets: Set<string>
  questionnaires: Set<string>
}

export const nothingStored: Stored = { profiles: new Map(), extensions: new Set(), valueSets: new Map(), questionnaires: new Map() }

export function nothingWanted(): Wanted {
  return { profiles: new Set(), valueSets: new Set(), questionnaires: new Set() }
}
