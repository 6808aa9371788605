/**
 * The profiles one validation knows: HL7's and ours, which are compiled once a process, and those that were loaded from the
 * store for it, by `url` (the newest) and by `url|version`. A profile of the store has no say over an address that the model defines.
 * A canonical with a version means that version and no other.
 */
import type { FhirModel } from '../../fhir/model.ts'
import { compileProfile, type Definition, type Profile, withoutVersion } from './profile.ts'

export interface ProfileSet {
  /** By canonical address, with or without version. */
  find(canonical: string): Profile | undefined
}

const noneStored: ReadonlyMap<string, Definition> = new Map()
const sets = new WeakMap<FhirModel, WeakMap<ReadonlyMap<string, Definition>, ProfileSet>>()

/** @param stored not changed any more: all resources that are validated with the same map share what was compiled. */
export function profileSet(model: FhirModel, stored: ReadonlyMap<string, Definition> = noneStored): ProfileSet {
  const ofModel = sets.get(model) ?? new WeakMap<ReadonlyMap<string, Definition>, ProfileSet>()
  sets.set(model, ofModel)
  const definitions = stored.size > 0 ? stored : noneStored
  const known = ofModel.get(definitions)
  if (known) return known
  const made = makeSet(model, definitions)
  ofModel.set(definitions, made)
  return made
}

function makeSet(model: FhirModel, stored: ReadonlyMap<string, Definition>): ProfileSet {
  const compiled = new Map<Definition, Profile>()
  const definition = (url: string): Definition | undefined => model.profiles.get(url) ?? stored.get(url)
  return {
    find(canonical) {
      const url = withoutVersion(canonical)
      const version = canonical.length > url.length ? canonical.slice(url.length + 1) : null
      const builtInto: Definition | undefined = model.profiles.get(url)
      const found = version === null ? definition(url) : builtInto ? (isVersion(builtInto, version) ? builtInto : undefined) : stored.get(canonical)
      if (!found) return undefined
      const known = compiled.get(found)
      if (known) return known
      const made = compileProfile(model, found, definition)
      compiled.set(found, made)
      return made
    },
  }
}

/** Definitions that were published with FHIR have its version. */
function isVersion({ url, version }: Definition, asked: string): boolean {
  return url.startsWith('http://hl7.org/fhir/StructureDefinition/') ? /^4\.0(\.1)?$/.test(asked) : version === asked
}
