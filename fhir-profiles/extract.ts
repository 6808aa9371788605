/**
 * Makes the extracts in r4/ from the HL7 FHIR R4 (4.0.1) definitions: structures, search parameters, codes of the value
 * sets that required bindings name, the Patient compartment. Run by hand (see README.md); the results are committed, so
 * that neither start nor tests need the 90 MB of definitions. Our source carries some elements of later FHIR versions
 * and of its own; `corrections.ts` takes them out, so that what is accepted is R4 and nothing else.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { droppedElements, droppedSearchParameters, droppedTypes, replacedElements } from './corrections.ts'
import { terminologyExtracts } from './extract-terminology.ts'
import { constraintRows, profileRows } from './extract-profiles.ts'
import { readSource } from './source.ts'
import type { ElementRow, PatientCompartment, SearchRow, StructureRow, TypeRow, ValueSetCodes } from './extracts.ts'

interface Coded { code: string; concept?: Coded[] }
interface SourceElement {
  path: string
  min: number
  max: string
  base: { path: string }
  contentReference?: string
  type?: { code: string; targetProfile?: string[]; profile?: string[]; extension?: { url: string; valueUrl?: string }[] }[]
  binding?: { strength: string; valueSet?: string }
}
interface SourceResource {
  resourceType: string
  url: string
  name: string
  kind: string
  derivation?: string
  abstract: boolean
  baseDefinition?: string
  snapshot: { element: SourceElement[] }
  // SearchParameter
  id: string
  code: string
  base: string[]
  type: string
  expression?: string
  target?: string[]
  component?: { definition: string; expression: string }[]
  // ValueSet, CodeSystem
  compose?: { include: { system: string; concept?: Coded[] }[] }
  concept?: Coded[]
}

function readBundle(name: string): SourceResource[] {
  const bundle = readSource(name) as { entry: { resource: SourceResource }[] }
  return bundle.entry.map((entry) => entry.resource)
}

const tail = (url: string): string => url.slice(url.lastIndexOf('/') + 1)
const withoutVersion = (url: string): string => url.replace(/\|.*$/, '')

/** Names of all types that stay; references to others (a server's own) are taken out. */
const names = new Set<string>()

function typeRow(type: NonNullable<SourceElement['type']>[number]): TypeRow {
  const system = type.extension?.find((each) => each.url.endsWith('structuredefinition-fhir-type'))?.valueUrl
  const code = system ?? type.code
  const targets = (type.targetProfile ?? []).map(tail).filter((name) => name !== 'Resource' && names.has(name)).sort()
  return targets.length ? [code, targets] : code
}

function elementRow(type: string, element: SourceElement): ElementRow {
  const { binding } = element
  return {
    path: element.path.slice(type.length + 1),
    min: element.min,
    max: element.max === '*' ? null : Number(element.max),
    types: (element.type ?? []).map(typeRow),
    ...(element.contentReference ? { same: element.contentReference.slice(element.contentReference.indexOf('#') + 1) } : {}),
    ...(binding?.valueSet ? { binding: [binding.strength, withoutVersion(binding.valueSet)] as const } : {}),
  }
}

/** Own elements only; what a type has from its base stands with the base. */
function structureRow(definition: SourceResource): StructureRow {
  const own = definition.snapshot.element.filter((element) => element.path !== definition.name && element.base.path === element.path)
  return {
    kind: definition.kind === 'primitive-type' ? 'primitive' : definition.kind === 'complex-type' ? 'complex' : 'resource',
    base: definition.baseDefinition ? tail(definition.baseDefinition) : null,
    abstract: definition.abstract,
    elements: own
      .filter((element) => !droppedElements.some((path) => element.path === path || element.path.startsWith(`${path}.`)))
      .map((element) => replacedElements[element.path] ?? elementRow(definition.name, element))
      .concat(Object.entries(replacedElements)
        .filter(([path]) => path.startsWith(`${definition.name}.`) && !own.some((element) => element.path === path))
        .map(([, row]) => row)),
  }
}

function structures(): Record<string, StructureRow> {
  const definitions = [...readBundle('profiles-types.json'), ...readBundle('profiles-resources.json')]
    .filter((each) => each.resourceType === 'StructureDefinition' && each.derivation !== 'constraint' && !droppedTypes.includes(each.name))
  for (const { name } of definitions) names.add(name)
  return Object.fromEntries(definitions.map((each) => [each.name, structureRow(each)]))
}

function searchRows(): SearchRow[] {
  return readBundle('search-parameters.json')
    .filter((each) => each.resourceType === 'SearchParameter' && !droppedSearchParameters.includes(each.url))
    .map((each) => ({
      url: each.url,
      code: each.code,
      type: each.type as SearchRow['type'],
      base: each.base.filter((name) => names.has(name)),
      expression: each.expression ?? null,
      ...(each.target ? { targets: each.target.filter((name) => names.has(name)).sort() } : {}),
      ...(each.component ? { components: each.component.map(({ definition, expression }) => ({ definition, expression })) } : {}),
    }))
    .filter((row) => row.base.length > 0)
}

function allCodes(concepts: readonly Coded[] | undefined): string[] {
  return (concepts ?? []).flatMap((concept) => [concept.code, ...allCodes(concept.concept)])
}

/** The codes of each required value set by system; null where they cannot be listed (MIME types, UCUM, currencies). */
function valueSets(known: Record<string, StructureRow>): Record<string, ValueSetCodes | null> {
  const terminology = ['valuesets.json', 'v3-codesystems.json', 'v2-tables.json'].flatMap(readBundle)
  const find = (kind: string, url: string) => terminology.find((each) => each.resourceType === kind && each.url === url)
  const required = Object.values(known).flatMap((type) => type.elements).flatMap((row) => (row.binding?.[0] === 'required' ? [row.binding[1]] : []))
  return Object.fromEntries([...new Set(required)].sort().map((url) => {
    const codes: ValueSetCodes = {}
    for (const include of find('ValueSet', url)?.compose?.include ?? []) {
      const list = include.concept ? allCodes(include.concept) : allCodes(find('CodeSystem', include.system)?.concept)
      if (!list.length) return [url, null]
      codes[include.system] = [...codes[include.system] ?? [], ...list]
    }
    return [url, Object.keys(codes).length ? codes : null]
  }))
}

function patientCompartment(): PatientCompartment {
  const definition = readSource('compartmentdefinition-patient.json') as
    { resource: { code: string; param?: string[] }[] }
  return Object.fromEntries(definition.resource.flatMap(({ code, param }) => (param ? [[code, param]] : [])))
}

/** All extracts by file name; extract.test.ts compares them with what is committed. */
export function extracts(): Record<string, unknown> {
  const known = structures()
  return {
    'structures': known,
    'search-parameters': searchRows(),
    'value-sets': valueSets(known),
    'patient-compartment': patientCompartment(),
    'constraints': constraintRows(),
    'profiles': profileRows(),
    ...terminologyExtracts(),
  }
}

if (import.meta.main) {
  for (const [name, value] of Object.entries(extracts())) {
    const packed = gzipSync(JSON.stringify(value), { level: 9 })
    writeFileSync(join(import.meta.dirname, 'r4', `${name}.json.gz`), packed)
    process.stdout.write(`${name}.json.gz ${packed.length} bytes\n`)
  }
}
