/**
 * What the server knows of FHIR R4: the structure of every type as a compiled tree, the search parameters of every
 * resource type, the codes of required value sets, the Patient compartment, and this project's own definitions.
 * Loaded once a process from fhir-profiles/ (about 80 kB packed) and never changed afterwards.
 * Source: HL7 FHIR R4 4.0.1; see fhir-profiles/README.md.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { ConstraintRow, PatientCompartment, ProfileRow, SearchRow, StructureRow, ValueSetCodes } from '@pujiang/fhir-profiles/extracts.ts'
import { searchParametersByType, type SearchParam } from './search-parameters.ts'
import { buildStructures, type Structure } from './structure.ts'

/** Codes of a value set: all of them, and by code system. */
export interface ValueSetTable {
  url: string
  codes: ReadonlySet<string>
  systems: ReadonlyMap<string, ReadonlySet<string>>
}

/** A definition of our own: StructureDefinition, CodeSystem, ValueSet, SearchParameter … as it stands in fhir-profiles/pujiang. */
export interface Definition {
  resourceType: string
  id: string
  url: string
  [element: string]: unknown
}

export interface FhirModel {
  /** Every data type and resource type by name, abstract ones included. */
  structures: ReadonlyMap<string, Structure>
  /** Every element that has children by its path, such as `Patient.contact`. */
  backbones: ReadonlyMap<string, Structure>
  /** Parameters of a resource type by code, those of Resource and DomainResource included; empty for an unknown type. */
  searchParameters(type: string): ReadonlyMap<string, SearchParam>
  /** Codes of a required binding; undefined where they cannot be listed. */
  valueSet(url: string): ValueSetTable | undefined
  /** Search parameters whose Patient references put a type into that patient's compartment, the subject's first. */
  patientCompartment(type: string): readonly string[]
  /** Our own definitions by canonical address. */
  definitions: ReadonlyMap<string, Definition>
  /** Profiles and extension definitions by canonical address: HL7's, and ours among `definitions`. */
  profiles: ReadonlyMap<string, ProfileRow>
}

export function loadModel(): FhirModel {
  const folder = profilesFolder()
  const { structures, backbones } = buildStructures(
    readPacked<Record<string, StructureRow>>(folder, 'structures'), readPacked<Record<string, ConstraintRow[]>>(folder, 'constraints'),
  )
  const definitions = readDefinitions(join(folder, 'pujiang'))
  const byType = searchParametersByType(readPacked<SearchRow[]>(folder, 'search-parameters'), definitions.values(), structures)
  const sets = new Map(Object.entries(readPacked<Record<string, ValueSetCodes | null>>(folder, 'value-sets')).flatMap(
    ([url, codes]) => (codes ? [[url, valueSetTable(url, codes)]] : []),
  ))
  const compartment = readPacked<PatientCompartment>(folder, 'patient-compartment')
  const noParameters: ReadonlyMap<string, SearchParam> = new Map()
  const ordered = new Map(Object.entries(compartment).map(([type, codes]) => [type, subjectFirst(codes)]))
  return {
    structures,
    backbones,
    searchParameters: (type) => byType.get(type) ?? noParameters,
    valueSet: (url) => sets.get(url),
    patientCompartment: (type) => ordered.get(type) ?? [],
    definitions,
    profiles: profilesByUrl(readPacked<ProfileRow[]>(folder, 'profiles'), definitions.values()),
  }
}

function profilesByUrl(published: readonly ProfileRow[], own: Iterable<Definition>): Map<string, ProfileRow> {
  const ours = [...own].filter(({ resourceType }) => resourceType === 'StructureDefinition') as unknown as ProfileRow[]
  return new Map([...published, ...ours].map((each) => [each.url, each]))
}

/** The package's folder, found beside the workspace link, so that it works wherever the repository stands. */
function profilesFolder(): string {
  return dirname(fileURLToPath(import.meta.resolve('@pujiang/fhir-profiles/package.json')))
}

function readPacked<T>(folder: string, name: string): T {
  return JSON.parse(gunzipSync(readFileSync(join(folder, 'r4', `${name}.json.gz`))).toString()) as T
}

function readDefinitions(folder: string): Map<string, Definition> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json')).sort()
  const list = files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Definition)
  return new Map(list.map((definition) => [definition.url, definition]))
}

function valueSetTable(url: string, codes: ValueSetCodes): ValueSetTable {
  const systems = new Map(Object.entries(codes).map(([system, list]) => [system, new Set(list)]))
  return { url, codes: new Set(Object.values(codes).flat()), systems }
}

/** The person the resource is about decides `pid`; whoever performed, paid or wrote comes after. */
const subjects = ['patient', 'subject', 'beneficiary', 'individual']

function subjectFirst(codes: readonly string[]): string[] {
  return [...subjects.filter((code) => codes.includes(code)), ...codes.filter((code) => !subjects.includes(code))]
}
