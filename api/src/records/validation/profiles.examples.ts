/** Small profiles for tests. */
import type { Definition } from './profile.ts'

type Json = Record<string, unknown>

export const base = 'http://hl7.org/fhir/StructureDefinition/'
export const url = 'http://test/profile'

/** A profile on a type; elements by id below the type, such as `identifier:a.system`. */
export function profile(type: string, elements: Record<string, Json>, more: Partial<Definition> = {}): Definition {
  const element = Object.entries(elements).map(([id, each]) => ({ id: id === '' ? type : `${type}.${id}`, path: `${type}.${id}`.replace(/:[^.]+/g, ''), ...each }))
  return { resourceType: 'StructureDefinition', url, name: 'Test', type, baseDefinition: base + type, differential: { element }, ...more } as Definition
}
