/** Resources into the store: the great mass by COPY, a few inside a transaction of ours, and out again after a killed run. */
import type { Resource } from '@medplum/fhirtypes'
import { keyOf, shardOf } from '@pujiang/api/fhir/id.ts'
import type { FhirModel } from '@pujiang/api/fhir/model.ts'
import { typeCode } from '@pujiang/api/fhir/resource-types.ts'
import { indexResource } from '@pujiang/api/records/index-resource.ts'
import { loadPlacer } from '@pujiang/api/records/place-writes.ts'
import { insertRows, shardFor } from '@pujiang/api/records/write-rows.ts'
import type { Db, Trx } from '@pujiang/api/storage/pool.ts'
import { sql } from 'kysely'
import type { Made } from '../fhir-elements.ts'

const rowsPerStatement = 500
const keysPerDelete = 5000

export async function insertResources(trx: Trx, model: FhirModel, made: readonly Made[], at: Date): Promise<void> {
  const place = loadPlacer()
  for (let from = 0; from < made.length; from += rowsPerStatement) {
    await insertRows(trx, made.slice(from, from + rowsPerStatement).map((each) => {
      const { resource, content, placement } = place(each as unknown as Resource & { id: string })
      const index = indexResource(model, resource)
      const id = keyOf(each.id)
      const shard = shardFor(each.id, index)
      return { shard, t: typeCode(each.resourceType), id, version: 1, lastUpdated: at.toISOString(), index, placement, content, alias: shardOf(id) !== shard }
    }))
  }
}

/** Removes what a killed run may have left of these resources. */
export async function removeResources(db: Db, made: Iterable<Made>): Promise<number> {
  let removed = 0
  let keys: string[] = []
  const flush = async (): Promise<void> => {
    const gone = await sql`delete from resource where id = any(${keys}::uuid[])`.execute(db)
    removed += Number(gone.numAffectedRows ?? 0n)
    for (const [table, column] of [['idx_string', 'rid'], ['idx_value', 'rid'], ['id_alias', 'id']] as const) {
      await sql`delete from ${sql.table(table)} where ${sql.ref(column)} = any(${keys}::uuid[])`.execute(db)
    }
    keys = []
  }
  for (const each of made) {
    keys.push(keyOf(each.id))
    if (keys.length >= keysPerDelete) await flush()
  }
  if (keys.length > 0) await flush()
  return removed
}
