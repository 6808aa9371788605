/**
 * Shapes of the files in r4/, written by extract.ts and read by api/src/fhir/model.ts. Types only: nothing runs here.
 */

/** A type's code, or a reference or canonical with the types it may point to (none listed: any). */
export type TypeRow = string | [code: string, targets: string[]]

export interface ElementRow {
  /** Below its type, such as `contact.name` or `value[x]`. */
  path: string
  min: number
  /** Null: no limit. */
  max: number | null
  types: TypeRow[]
  /** Path of the element whose content it repeats, such as `Bundle.link`. */
  same?: string
  /** Strength (required, extensible, preferred, example) and the address of the value set, without version. */
  binding?: readonly [strength: string, valueSet: string]
}

export interface StructureRow {
  kind: 'primitive' | 'complex' | 'resource'
  /** Null for Element and Resource. */
  base: string | null
  abstract: boolean
  /** Own elements, not those of the base. */
  elements: ElementRow[]
}

export interface SearchRow {
  url: string
  code: string
  type: 'number' | 'date' | 'string' | 'token' | 'reference' | 'composite' | 'quantity' | 'uri' | 'special'
  base: string[]
  /** FHIRPath; null for parameters without one, such as _content. */
  expression: string | null
  targets?: string[]
  components?: { definition: string; expression: string }[]
}

/** Code system → codes. */
export type ValueSetCodes = Record<string, string[]>

/** Resource type → search parameters that may put it into a Patient compartment. */
export type PatientCompartment = Record<string, string[]>

/** File of r4/ → what it holds, in order, with the length of its JSON text in bytes. */
export type TerminologyIndex = Record<string, [
  resourceType: 'CodeSystem' | 'ValueSet' | 'ConceptMap', id: string, url: string, version: string | null, bytes: number,
][]>

/** An invariant: its key, whether breaking it is an error, what it says in English, its FHIRPath. */
export type ConstraintRow = [key: string, severity: 'error' | 'warning', human: string, expression: string]

/** What of an ElementDefinition constrains an instance; `fixed[x]`, `pattern[x]`, `minValue[x]`, `maxValue[x]` stand beside. */
export interface ProfileElement {
  id: string
  path: string
  min?: number
  max?: string
  maxLength?: number
  sliceName?: string
  contentReference?: string
  type?: { code: string; profile?: string[]; targetProfile?: string[] }[]
  binding?: { strength: string; valueSet?: string }
  slicing?: { discriminator?: { type: string; path: string }[]; rules: string; ordered?: boolean }
  constraint?: { key: string; severity: string; human: string; expression?: string }[]
}

/** A profile or an extension's definition. */
export interface ProfileRow {
  resourceType: string
  url: string
  name: string
  /** Type it constrains, such as `Observation` or `Extension`. */
  type: string
  baseDefinition: string | null
  /** Where an extension may stand. */
  context?: { type: string; expression: string }[]
  /** FHIRPath that must be true of the element it stands on. */
  contextInvariant?: string[]
  differential: { element: ProfileElement[] }
}
