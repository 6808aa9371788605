/** What the instance operations of booking share: the Appointment the caller may see, locked, changed, stored, answered once. */
import type { Appointment } from '@medplum/fhirtypes'
import { notFound } from '../fhir/outcome.ts'
import { resourceOf } from '../records/content.ts'
import { readResource } from '../records/read-resource.ts'
import type { OperationCall, OperationResult } from '../records/store.ts'
import { answerOnce } from '../storage/answer-once.ts'
import type { Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { loadOwnFacts, type OwnFacts } from './facts.ts'
import { storeAppointment } from './take-place.ts'

/** `name` is the operation's, which an Idempotency-Key stands for. @throws OutcomeError `not-found`, `appointment-not-active` and what `change` throws. */
export async function changeOwn(call: OperationCall, name: string, change: (trx: Trx, own: OwnFacts) => Promise<Appointment>): Promise<OperationResult> {
  const { db, ctx, store, id, body, idempotencyKey } = call
  if (id === null) throw notFound('Appointment')
  const resource = await inTransaction(db, (trx) => answerOnce(trx, ctx, { key: idempotencyKey, request: `${id} ${name} ${JSON.stringify(body)}` }, async () => {
    const own = await loadOwnFacts(trx, ctx, resourceOf<Appointment>(await readResource(trx, ctx, store, 'Appointment', id)))
    return storeAppointment(trx, ctx, store, await change(trx, own), 'update')
  }))
  return { resource }
}
