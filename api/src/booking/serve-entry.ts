/** Ends entries of the waitlist: served, given up, or past their time. The Appointment of the entry is cancelled with its reason. */
import type { Appointment } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import type { Trx } from '../storage/pool.ts'
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
  const appointment = await loadResource<Appointment>(trx, 'Appointment', entry.appointment)
  return appointment && storeAppointment(trx, ctx, store, appointmentInState(appointment, { state: 'cancelled', reason, comment: null }), 'update')
}
