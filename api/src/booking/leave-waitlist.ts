/**
 * Leaving the waitlist or a draw: `$cancel` on an Appointment `waitlist`, or on the ticket of a draw that has not been held. An offer that
 * waits for an answer is declined with it.
 */
import type { Appointment } from '@medplum/fhirtypes'
import { fail, notFound } from '../fhir/outcome.ts'
import { keyOf } from '../fhir/id.ts'
import { resourceOf } from '../records/content.ts'
import { readResource } from '../records/read-resource.ts'
import type { Ctx } from '../ctx.ts'
import type { OperationCall, Store } from '../records/store.ts'
import type { Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { actingFor } from './acting.ts'
import { lockBooking, lockPatients } from './booking-rows.ts'
import { closeBookings } from './close-bookings.ts'
import { endEntry, endTicket } from './serve-entry.ts'

/** @returns the Appointment as it is now; null when it is not an entry of the waitlist. @throws OutcomeError `not-your-patient`. */
export async function leaveWaitlist({ db, ctx, store, id }: OperationCall): Promise<Appointment | null> {
  if (id === null) throw notFound('Appointment')
  return inTransaction(db, async (trx) => {
    const found = await trx.selectFrom('wait_entry').selectAll().where('id', '=', keyOf(id)).executeTakeFirst()
    if (!found) return withdrawTicket(trx, ctx, store, id)
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

/** Null for an Appointment that is no ticket. The draw is locked as by whoever enters: a list that is closed stays. */
async function withdrawTicket(trx: Trx, ctx: Ctx, store: Store, id: string): Promise<Appointment | null> {
  const ticket = await trx.selectFrom('draw_ticket').selectAll().where('appointment', '=', id).executeTakeFirst()
  if (!ticket) return null
  const appointment = resourceOf<Appointment>(await readResource(trx, ctx, store, 'Appointment', id))
  if (!(await actingFor(trx, ctx, ticket.pid)).mayAct) throw fail('not-your-patient', { zh: '您不能为这位就诊人办理。', en: 'You may not act for this patient.' })
  const draw = await trx.selectFrom('draw').select('closes_at').where('session_id', '=', ticket.session_id).where('shard', '=', ticket.shard).forShare().executeTakeFirst()
  await lockPatients(trx, [ticket.pid])
  const now = await trx.selectFrom('draw_ticket').select('state').where('id', '=', ticket.id).where('shard', '=', ticket.shard).executeTakeFirst()
  if (now?.state !== 'entered') return appointment
  if (!draw || Date.parse(draw.closes_at) <= ctx.now.getTime()) throw fail('draw-closed', { zh: '登记已截止，正在抽签。', en: 'The time to enter is over; the draw is being held.' })
  return endTicket(trx, ctx, store, ticket, 'withdrawn', null)
}
