/** Leaving the waitlist: `$cancel` on an Appointment `waitlist`. An offer that waits for an answer is declined with it. */
import type { Appointment } from '@medplum/fhirtypes'
import { fail, notFound } from '../fhir/outcome.ts'
import { keyOf } from '../fhir/id.ts'
import { resourceOf } from '../records/content.ts'
import { readResource } from '../records/read-resource.ts'
import type { OperationCall } from '../records/store.ts'
import { inTransaction } from '../storage/transaction.ts'
import { actingFor } from './acting.ts'
import { lockBooking, lockPatients } from './booking-rows.ts'
import { closeBookings } from './close-bookings.ts'
import { endEntry } from './serve-entry.ts'

/** @returns the Appointment as it is now; null when it is not an entry of the waitlist. @throws OutcomeError `not-your-patient`. */
export async function leaveWaitlist({ db, ctx, store, id }: OperationCall): Promise<Appointment | null> {
  if (id === null) throw notFound('Appointment')
  return inTransaction(db, async (trx) => {
    const found = await trx.selectFrom('wait_entry').selectAll().where('id', '=', keyOf(id)).executeTakeFirst()
    if (!found) return null
    const appointment = resourceOf<Appointment>(await readResource(trx, ctx, store, 'Appointment', id))
    if (!(await actingFor(trx, ctx, found.pid)).mayAct) throw fail('not-your-patient', { zh: '您不能为这位就诊人办理。', en: 'You may not act for this patient.' })
    await lockPatients(trx, [found.pid])
    const entry = await trx.selectFrom('wait_entry').selectAll().where('id', '=', found.id).where('shard', '=', found.shard).executeTakeFirst()
    if (!entry || (entry.state !== 'waiting' && entry.state !== 'offered')) return appointment
    if (entry.offer !== null) {
      const session = await trx.selectFrom('booking').select('session_id').where('id', '=', entry.offer).executeTakeFirst()
      const row = session ? await lockBooking(trx, entry.offer, session.session_id) : null
      if (row?.state === 'offered') await closeBookings(trx, ctx, store, [{ row, reason: 'offer-declined', comment: null }])
    }
    return endEntry(trx, ctx, store, entry, 'withdrawn', 'patient')
  })
}
