/**
 * Definitions that somebody wrote through FHIR: code systems, value sets and concept maps for the terminology service below, which cannot know the record
 * store, profiles, and questionnaires. They are public (access/audience.ts), so whoever asks finds the same ones.
 */
import type { Questionnaire, StructureDefinition } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { isFhirId, keyOf } from '../fhir/id.ts'
import { typeCode } from '../fhir/resource-types.ts'
import { plainArray } from '../storage/array-literal.ts'
import type { Db } from '../storage/pool.ts'
import type { Definition, DefinitionStore, StoredDefinition } from '../terminology/shapes.ts'
import { resourceOf, type Stored, storedOf, type StoredRow } from './content.ts'
import { atKey } from './read-resource.ts'
import { uriKey } from './search/keys.ts'

/** Versions of one address, or maps of one code system; more than these are not looked at. */
const rowsMax = 200

export const storedDefinitions: DefinitionStore<Db> = {
  byUrls: (db, type, urls) => selectByUrls<Definition>(db, type, urls),
  conceptMaps: (db, system, side) => selectByKeys<Definition>(db, 'ConceptMap', [uriKey('ConceptMap', `${side}-system`, system)]),
  byId: (db, type, id) => selectById<Definition>(db, type, id),
}

/** All of the addresses, the one changed last first. */
export async function storedProfiles(db: Db, urls: readonly string[]): Promise<StructureDefinition[]> {
  return (await selectByUrls<StructureDefinition>(db, 'StructureDefinition', urls)).map(({ resource }) => resource)
}

/** All of the addresses. */
export function storedQuestionnaires(db: Db, urls: readonly string[]): Promise<Kept<Questionnaire>[]> {
  return selectByUrls<Questionnaire>(db, 'Questionnaire', urls)
}

export async function storedQuestionnaire(db: Db, id: string): Promise<Questionnaire | null> {
  return (await selectById<Questionnaire>(db, 'Questionnaire', id))?.resource ?? null
}

async function selectById<T extends Canonical>(db: Db, type: T['resourceType'], id: string): Promise<Kept<T> | null> {
  if (!isFhirId(id)) return null
  const { rows } = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content from resource r
    where ${atKey(sql`r`, type, keyOf(id))}`.execute(db)
  return rows[0] ? definitionOf(storedOf(type, rows[0])) : null
}

type Canonical = Definition | StructureDefinition | Questionnaire
type Kept<T> = Omit<StoredDefinition, 'resource'> & { resource: T }

/** What a version says never changes, so that the last few stay parsed: of those only where they stand is asked again. */
const kept = new Map<string, Kept<Canonical>>()
const keptMax = 32
/** Longer ones are read each time. */
const keptCharactersMax = 2_000_000

type Head = Omit<StoredRow, 'content'>

function selectByUrls<T extends Canonical>(db: Db, type: T['resourceType'], urls: readonly string[]): Promise<Kept<T>[]> {
  return selectByKeys(db, type, urls.map((url) => uriKey(type, 'url', url)))
}

async function selectByKeys<T extends Canonical>(db: Db, type: T['resourceType'], keys: readonly bigint[]): Promise<Kept<T>[]> {
  if (keys.length === 0) return []
  const t = sql.raw(String(typeCode(type)))
  const { rows } = await sql<Head>`select r.t, r.id, r.version, r.last_updated, r.pid from resource r
    where r.t = ${t} and r.keys && ${plainArray(keys)}::bigint[] order by r.last_updated desc, r.id desc limit ${rowsMax}`.execute(db)
  const known = new Map(rows.map((row) => [row.id, keptOf<T>(row)]))
  const unread = rows.filter((row) => known.get(row.id) === undefined)
  if (unread.length > 0) {
    const read = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content from resource r
      where r.t = ${t} and r.id = any(${plainArray(unread.map((row) => row.id))}::uuid[])`.execute(db)
    for (const row of read.rows) known.set(row.id, keep(row, definitionOf<T>(storedOf(type, row))))
  }
  // One that was deleted in between is gone.
  return rows.flatMap((row) => known.get(row.id) ?? [])
}

/** The one used last stands at the end. */
function keptOf<T>(row: Head): Kept<T> | undefined {
  const name = nameOf(row)
  const definition = kept.get(name)
  if (definition === undefined) return undefined
  kept.delete(name)
  kept.set(name, definition)
  // The name says the type.
  return definition as Kept<T>
}

/** Ids are of one database; with the instant none is taken for one of another. */
function nameOf({ t, id, version, last_updated }: Head): string {
  return `${t}/${id}/${version}/${last_updated}`
}

function keep<T extends Canonical>(row: StoredRow, definition: Kept<T>): Kept<T> {
  if (row.content.length > keptCharactersMax) return definition
  kept.set(nameOf(row), frozen(definition))
  const oldest = kept.keys().next().value
  if (kept.size > keptMax && oldest !== undefined) kept.delete(oldest)
  return definition
}

/** Many requests read it. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const each of Object.values(value)) frozen(each)
  return Object.freeze(value)
}

function definitionOf<T extends Canonical>(stored: Stored): Kept<T> {
  return { key: `${stored.type}/${stored.id}/${stored.version}`, lastUpdated: stored.lastUpdated, resource: resourceOf<T>(stored) }
}
