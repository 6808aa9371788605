/** A citizen with an account and a phone: whom messages reach. */
import type { Patient } from '@medplum/fhirtypes'
import type { Principal } from '../../src/access/principal.ts'
import { loadResource } from '../../src/records/read-resource.ts'
import { writeResources } from '../../src/records/write-resources.ts'
import type { Db } from '../../src/storage/pool.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import type { Desk } from './booking-desk.ts'
import { system } from './platform.ts'

export async function reachablePatient(db: Db, desk: Desk, phone: string): Promise<Principal> {
  const [found] = await desk.citizens(1) as [Principal]
  const id = found.patient as string
  const stored = await loadResource<Patient>(db, 'Patient', id) as Patient
  const resource: Patient = { ...stored, telecom: [{ system: 'phone', value: phone }] }
  await inTransaction(db, async (trx) => {
    await writeResources(trx, desk.ctx(system), desk.store, [{ method: 'update', type: 'Patient', id, resource, ifMatch: null }], 'platform')
    const account = await trx.insertInto('account').values({ id: desk.ctx().newId(null), login: `p${id}`, password_hash: '', display_name: '', created_at: desk.clock.now }).returning('id').executeTakeFirstOrThrow()
    await trx.insertInto('account_role').values({ account_id: account.id, role: 'citizen', patient: id, practitioner: null, organization: null, organization_name: null }).execute()
  })
  return found
}
