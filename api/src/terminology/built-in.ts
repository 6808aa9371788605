/**
 * The definitions that come with the platform: R4's (fhir-profiles/r4, packed) and our own (fhir-profiles/pujiang). A packed
 * file is opened when something in it is first asked for and kept as bytes; of it only the definition asked for is parsed.
 * So start-up pays nothing and memory holds what is used. Every code system of ours that has no value set of its own gets
 * the one of all its codes, at `CodeSystem.valueSet`, else with `ValueSet` in place of `CodeSystem` in its address.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { CodeSystem, ConceptMap, ValueSet } from '@medplum/fhirtypes'
import type { TerminologyIndex } from '@pujiang/fhir-profiles/extracts.ts'
import type { Definition, DefinitionType } from './shapes.ts'

interface Place { type: DefinitionType; id: string; url: string; version: string | null; supplement: boolean; read(): Definition }

interface Shelf {
  /** By `Type url`: usually one, several where a v2 table exists in several versions. */
  byUrl: Map<string, Place[]>
  byId: Map<string, Place>
}

let shelf: Shelf | null = null

function places(): Shelf {
  if (shelf) return shelf
  shelf = { byUrl: new Map(), byId: new Map() }
  for (const place of [...packedPlaces(), ...ownPlaces()]) {
    const key = `${place.type} ${place.url}`
    shelf.byUrl.set(key, [...shelf.byUrl.get(key) ?? [], place])
    shelf.byId.set(`${place.type}/${place.id}`, place)
  }
  return shelf
}

const handedOut = new WeakSet<Definition>()

function read(place: Place | undefined): Definition | null {
  if (!place) return null
  const definition = place.read()
  handedOut.add(definition)
  return definition
}

/** Whether the object came from here, and not from a request that uses the same address. */
export function isBuiltIn(definition: Definition): boolean {
  return handedOut.has(definition)
}

/** By canonical address; the last version where none is asked for. Null when it is not here. */
export function builtIn(type: 'CodeSystem', url: string, version: string | null): CodeSystem | null
export function builtIn(type: 'ValueSet', url: string, version: string | null): ValueSet | null
export function builtIn(type: 'ConceptMap', url: string, version: string | null): ConceptMap | null
export function builtIn(type: DefinitionType, url: string, version: string | null): Definition | null
export function builtIn(type: DefinitionType, url: string, version: string | null): Definition | null {
  const found = places().byUrl.get(`${type} ${url}`) ?? []
  return read(found.findLast((each) => version === null || each.version === version))
}

/** By id, for `ValueSet/administrative-gender/$expand`. */
export function builtInById(type: DefinitionType, id: string): Definition | null {
  return read(places().byId.get(`${type}/${id}`))
}

export function builtInConceptMaps(): ConceptMap[] {
  return [...places().byId.values()].filter((each) => each.type === 'ConceptMap').map((each) => each.read() as ConceptMap)
}

/** What adds names in other languages to a code system, ours to HL7's for one. */
export function supplementsOf(url: string): CodeSystem[] {
  const all = ownSupplements ??= [...places().byId.values()].flatMap((each) => (each.supplement ? [each.read() as CodeSystem] : []))
  return all.filter((each) => each.supplements?.split('|')[0] === url)
}

let ownSupplements: CodeSystem[] | null = null

/** Addresses of all of a type. */
export function builtInUrls(type: DefinitionType): string[] {
  return [...places().byUrl.values()].flatMap((each) => (each[0]?.type === type ? [each[0].url] : []))
}

function profilesFolder(): string {
  return dirname(fileURLToPath(import.meta.resolve('@pujiang/fhir-profiles/package.json')))
}

function readPacked(file: string): Buffer {
  return gunzipSync(readFileSync(join(profilesFolder(), 'r4', `${file}.json.gz`)))
}

/** A file is a JSON array; its items stand where the lengths of the index say: `[`, item, `,`, item … */
function packedPlaces(): Place[] {
  const index = JSON.parse(readPacked('terminology-index').toString()) as TerminologyIndex
  return Object.entries(index).flatMap(([file, rows]) => {
    let bytes: Buffer | null = null
    let end = 0
    return rows.map(([type, id, url, version, length]): Place => {
      const start = end + 1
      end = start + length
      return { type, id, url, version, supplement: false, read: () => JSON.parse((bytes ??= readPacked(file)).toString('utf8', start, start + length)) as Definition }
    })
  })
}

const terminologyTypes: readonly string[] = ['CodeSystem', 'ValueSet', 'ConceptMap']

function ownPlaces(): Place[] {
  const folder = join(profilesFolder(), 'pujiang')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json')).sort()
  const own = files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Definition).filter((each) => terminologyTypes.includes(each.resourceType))
  const urls = new Set(own.map((each) => each.url))
  const whole = own.flatMap((each) => (each.resourceType === 'CodeSystem' && each.content !== 'supplement' ? [valueSetOf(each)] : [])).filter((each) => !urls.has(each.url))
  return [...own, ...whole].map((each) => ({
    type: each.resourceType, id: each.id ?? '', url: each.url ?? '', version: each.version ?? null,
    supplement: each.resourceType === 'CodeSystem' && each.content === 'supplement', read: () => each,
  }))
}

function valueSetOf({ id, url, valueSet, version, name, title, status }: CodeSystem): ValueSet {
  return {
    resourceType: 'ValueSet', status,
    ...(id ? { id } : {}), ...(version ? { version } : {}), ...(name ? { name } : {}), ...(title ? { title } : {}),
    url: valueSet ?? (url ?? '').replace('/CodeSystem/', '/ValueSet/'),
    compose: { include: [{ system: url ?? '' }] },
  }
}
