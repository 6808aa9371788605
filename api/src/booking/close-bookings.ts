/**
 * Cancelling bookings: place back, Appointment `cancelled` with its reason, record closed to the doctor again; all in the
 * caller's transaction, under the locks of the sessions concerned.
 */
import type { Appointment } from '@medplum/fhirtypes'
import { endCareRelation } from '../access/grant-care-relation.ts'
import { platform } from '../access/principal.ts'
import type { Ctx } from '../ctx.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import type { Write } from '../records/write-plan.ts'
import { writeResources } from '../records/write-resources.ts'
import type { Trx } from '../storage/pool.ts'
import { appointmentInState } from './appointment-resource.ts'
import { cancelRow, type PlaceRow } from './booking-rows.ts'
import { keepReturned } from './keep-returned.ts'

export interface Closing {
  row: PlaceRow
  /** Code of CodeSystem cancel-reason. */
  reason: string
  /** The caller's own words; null when there are none. */
  comment: string | null
}

/** Takes back the places of bookings without touching their Appointments. @returns those that were not cancelled before. */
export async function giveBack(trx: Trx, ctx: Ctx, closings: readonly Closing[]): Promise<Closing[]> {
  const closed: Closing[] = []
  for (const closing of closings) {
    if (!(await cancelRow(trx, closing.row, closing.reason, ctx.now))) continue
    if (closing.row.state !== 'held' && closing.row.state !== 'offered') await endCareRelation(trx, closing.row.id, ctx.now)
    await keepReturned(trx, ctx, closing.row, closing.reason)
    closed.push(closing)
  }
  return closed
}

/** Cancels bookings that time or a newer wish ended, and writes their Appointments, in the platform's own name. */
export async function closeBookings(trx: Trx, ctx: Ctx, store: Store, closings: readonly Closing[]): Promise<void> {
  if (closings.length === 0) return
  const writes: Write[] = []
  for (const { row, reason, comment } of await giveBack(trx, ctx, closings)) {
    const appointment = await loadResource<Appointment>(trx, 'Appointment', row.appointment)
    if (!appointment) throw new Error(`The booking ${row.id} has no Appointment.`)
    writes.push({
      method: 'update', type: 'Appointment', id: row.appointment, ifMatch: null,
      resource: appointmentInState(appointment, { state: 'cancelled', reason, comment }),
    })
  }
  await writeResources(trx, { ...ctx, principal: platform }, store, writes, 'platform')
}
