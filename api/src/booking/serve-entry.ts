/** Ends entries of the waitlist and tickets of a draw: served, given up, or past their time. Their Appointment is cancelled with its reason. */
import type { Appointment } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import type { Trx } from '../storage/pool.ts'
import type { DrawTicketTable } from '../storage/tables.ts'
import { appointmentInState } from './appointment-resource.ts'
import { storeAppointment } from './take-place.ts'
import { changeEntry, logWaits, type WaitEntry } from './wait-rows.ts'

type Log = Parameters<typeof logWaits>[1][number]

export async function serveEntry(trx: Trx, ctx: Ctx, store: Store, entry: WaitEntry, log: Log): Promise<void> {
  await logWaits(trx, [log])
  await endEntry(trx, ctx, store, entry, 'served', 'waitlist-served')
}

/** @returns the Appointment as it is stored now; null when the entry has none. */
export async function endEntry(trx: Trx, ctx: Ctx, store: Store, entry: WaitEntry, state: 'served' | 'withdrawn' | 'expired', reason: string): Promise<Appointment | null> {
  await changeEntry(trx, ctx, entry, { state, offer: null, answer_until: null })
  return cancelAs(trx, ctx, store, entry.appointment, reason)
}

/** @param reason of a void ticket: the code of the rule that stood in the way. */
export async function endTicket(
  trx: Trx, ctx: Ctx, store: Store, ticket: { id: string; shard: number; appointment: string }, state: Exclude<DrawTicketTable['state'], 'entered'>, reason: string | null,
): Promise<Appointment | null> {
  await trx.updateTable('draw_ticket').set({ state, reason }).where('id', '=', ticket.id).where('shard', '=', ticket.shard).execute()
  return cancelAs(trx, ctx, store, ticket.appointment, state === 'withdrawn' ? 'patient' : `draw-${state}`)
}

async function cancelAs(trx: Trx, ctx: Ctx, store: Store, id: string, reason: string): Promise<Appointment | null> {
  const appointment = await loadResource<Appointment>(trx, 'Appointment', id)
  return appointment && storeAppointment(trx, ctx, store, appointmentInState(appointment, { state: 'cancelled', reason, comment: null }), 'update')
}
