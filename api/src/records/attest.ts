/**
 * Stores what a client said of where its writes come from (http/provenance-header.ts), in the transaction of the writes: both or neither. The targets are
 * the versions that were made, and the patients whose records those belong to, because in R4 only a target that is the patient puts a Provenance
 * into that patient's record. What made no version needs no statement. Source: FHIR R4 provenance.html#header; docs/decisions/0052-provenance-header.md.
 */
import type { Provenance } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { typeCode } from '../fhir/resource-types.ts'
import type { Trx } from '../storage/pool.ts'
import { idIn } from './content.ts'
import type { Store } from './store.ts'
import { writeResources, type Written } from './write-resources.ts'

/** @param said its `target` is filled in. Throws what `writeResources` throws, with `X-Provenance` before the element. */
export async function attest(trx: Trx, ctx: Ctx, store: Store, said: Provenance, written: readonly Written[]): Promise<void> {
  const made = written.filter(({ change }) => change === 'created' || change === 'updated' || change === 'deleted')
  if (made.length === 0) return
  const versions = made.map(({ type, id, version }) => `${type}/${id}/_history/${version}`)
  const target = [...versions, ...await patientsOf(trx, made)].map((reference) => ({ reference }))
  await writeResources(trx, ctx, store, [{ method: 'create', type: 'Provenance', id: null, resource: { ...said, target }, ifMatch: null, path: 'X-Provenance' }], 'client')
}

/** `Patient/id` of each whose record was written to, as far as they are stored. */
async function patientsOf(trx: Trx, made: readonly Written[]): Promise<string[]> {
  const keys = [...new Set(made.flatMap(({ type, pid }) => (type === 'Patient' || pid === null ? [] : [pid])))]
  if (keys.length === 0) return []
  const rows = await trx.selectFrom('resource').select('content').where('t', '=', typeCode('Patient')).where('id', 'in', keys).execute()
  return rows.map(({ content }) => `Patient/${idIn(content ?? '')}`)
}
