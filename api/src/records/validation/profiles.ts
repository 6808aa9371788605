/**
 * The profiles one validation knows: HL7's and ours, which are compiled once a process, and those that were loaded from the
 * store for it. A profile of the store has no say over an address that the model defines.
 */
import type { FhirModel } from '../../fhir/model.ts'
import { compileProfile, type Definition, type Profile, withoutVersion } from './profile.ts'

export interface ProfileSet {
  /** By canonical address, with or without version. */
  find(canonical: string): Profile | undefined
}

const builtIn = new WeakMap<FhirModel, ProfileSet>()

export function profileSet(model: FhirModel, stored: ReadonlyMap<string, Definition> | null = null): ProfileSet {
  if (stored !== null && stored.size > 0) return makeSet(model, stored)
  const known = builtIn.get(model)
  if (known) return known
  const made = makeSet(model, new Map())
  builtIn.set(model, made)
  return made
}

function makeSet(model: FhirModel, stored: ReadonlyMap<string, Definition>): ProfileSet {
  const compiled = new Map<string, Profile>()
  const definition = (url: string) => model.profiles.get(url) ?? stored.get(url)
  return {
    find(canonical) {
      const url = withoutVersion(canonical)
      const known = compiled.get(url)
      if (known) return known
      const found = definition(url)
      if (!found) return undefined
      const made = compileProfile(model, found, definition)
      compiled.set(url, made)
      return made
    },
  }
}
