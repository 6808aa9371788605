/**
 * Code systems, value sets and concept maps that somebody wrote through FHIR, for the terminology service below, which cannot
 * know the record store. They are public (access/audience.ts), so whoever asks finds the same ones.
 */
import type { CodeSystem } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { isFhirId, keyOf } from '../fhir/id.ts'
import { type ResourceType, typeCode } from '../fhir/resource-types.ts'
import type { Db } from '../storage/pool.ts'
import type { Definition, DefinitionStore, DefinitionType, StoredDefinition } from '../terminology/shapes.ts'
import { resourceOf, type Stored, storedOf, type StoredRow } from './content.ts'
import { atKey } from './read-resource.ts'
import { uriKey } from './search/keys.ts'

/** Versions of one address, or maps of one code system; more than these are not looked at. */
const rowsMax = 200

export const storedDefinitions: DefinitionStore<Db> = {
  byUrls: (db, type, urls) => selectByKeys(db, type, urls.map((url) => uriKey(type, 'url', url))),
  conceptMaps: (db, system, side) => selectByKeys(db, 'ConceptMap', [uriKey('ConceptMap', `${side}-system`, system)]),
  async byId(db, type, id) {
    if (!isFhirId(id)) return null
    const { rows } = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content from resource r
      where ${atKey(sql`r`, type, keyOf(id))}`.execute(db)
    return rows[0] ? definitionOf(storedOf(type, rows[0])) : null
  },
}

async function selectByKeys(db: Db, type: DefinitionType & ResourceType, keys: readonly bigint[]): Promise<StoredDefinition[]> {
  if (keys.length === 0) return []
  const { rows } = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content from resource r
    where r.t = ${sql.raw(String(typeCode(type)))} and r.keys && ${`{${keys.join(',')}}`}::bigint[]
    order by r.last_updated desc limit ${rowsMax}`.execute(db)
  return rows.map((row) => definitionOf(storedOf(type, row)))
}

function definitionOf(stored: Stored): StoredDefinition {
  return { key: `${stored.type}/${stored.id}/${stored.version}`, lastUpdated: stored.lastUpdated, resource: resourceOf<Definition & CodeSystem>(stored) }
}
