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
import { type BookingRow, cancelRow, type PlaceRow } from './booking-rows.ts'
import { keepReturned } from './keep-returned.ts'
import { followBookings } from './referral/follow-booking.ts'

export interface Closing {
  row: PlaceRow
  /** Code of CodeSystem cancel-reason. */
  reason: string
  /** The caller's own words; null when there are none. */
  comment: string | null
  /** What the hospital owes back; left out when nothing. */
  refundFen?: bigint | null
}

/** Takes back the places of bookings without touching their Appointments; a referral can be booked with again. @returns those that were not cancelled before. */
export async function giveBack(trx: Trx, ctx: Ctx, store: Store, closings: readonly Closing[]): Promise<Closing[]> {
  const closed: Closing[] = []
  for (const closing of closings) {
    if (!(await cancelRow(trx, closing.row, closing.reason, ctx.now, closing.refundFen ?? null))) continue
    if (closing.row.state !== 'held' && closing.row.state !== 'offered') await endCareRelation(trx, closing.row.id, ctx.now)
    await keepReturned(trx, ctx, closing.row, closing.reason)
    closed.push(closing)
  }
  await followBookings(trx, ctx, store, 'unbook', closed.map((each) => each.row))
  return closed
}

/** Cancels bookings that time or a newer wish ended, and writes their Appointments, in the platform's own name. */
export async function closeBookings(trx: Trx, ctx: Ctx, store: Store, closings: readonly Closing[]): Promise<void> {
  if (closings.length === 0) return
  const writes: Write[] = []
  for (const { row, reason, comment, refundFen } of await giveBack(trx, ctx, store, closings)) {
    const appointment = await loadResource<Appointment>(trx, 'Appointment', row.appointment)
    if (!appointment) throw new Error(`The booking ${row.id} has no Appointment.`)
    writes.push({
      method: 'update', type: 'Appointment', id: row.appointment, ifMatch: null,
      resource: appointmentInState(appointment, { state: 'cancelled', reason, comment, refundFen: refundFen ?? null }),
    })
  }
  await writeResources(trx, { ...ctx, principal: platform }, store, writes, 'platform')
}

/**
 * Cancels one booking and lets the choices go that were kept for it, under the locks of all their sessions. `refundFen` is what the
 * hospital owes back; null when nothing.
 */
export async function cancelOwed(trx: Trx, ctx: Ctx, store: Store, row: BookingRow, how: { reason: string; comment: string | null; refundFen: bigint | null }): Promise<void> {
  const offers = await trx.selectFrom('booking').selectAll().where('offer_of', '=', row.id).where('state', '=', 'offered').execute()
  await closeBookings(trx, ctx, store, [{ row, reason: how.reason, comment: how.comment, refundFen: how.refundFen }, ...offers.map((each) => ({ row: each, reason: 'hold-expired', comment: null }))])
}
