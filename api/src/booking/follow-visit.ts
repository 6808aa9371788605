/**
 * The visit moves its appointment along, in the transaction that writes the Encounter: arrived → checked-in, in-progress →
 * arrived, finished → fulfilled; never backwards. A visit cannot belong to somebody else's appointment, nor to one that was
 * never confirmed or was cancelled. Encounters without `appointment`, and appointments made elsewhere, are left alone.
 */
import type { Appointment, Encounter } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { fail } from '../fhir/outcome.ts'
import { parseReference } from '../fhir/references.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Change, Store } from '../records/store.ts'
import type { Trx } from '../storage/pool.ts'
import { appointmentInState } from './appointment-resource.ts'
import { type BookingRow, setState } from './booking-rows.ts'
import { findOwn } from './facts.ts'
import { followTicket, issueTicket } from './queue.ts'
import { followBookings } from './referral/follow-booking.ts'
import type { BookingState } from './rules.ts'
import { storeAppointment } from './take-place.ts'

type VisitState = 'checked-in' | 'arrived' | 'fulfilled'

const stateOf: Partial<Record<NonNullable<Encounter['status']>, VisitState>> = {
  arrived: 'checked-in', triaged: 'checked-in', 'in-progress': 'arrived', onleave: 'arrived', finished: 'fulfilled',
}

/** Later states only. */
const order: readonly BookingState[] = ['booked', 'checked-in', 'arrived', 'fulfilled']

/** @throws OutcomeError `reference-unresolved`, `business-rule`, `appointment-not-active`. */
export async function followVisit(trx: Trx, ctx: Ctx, store: Store, change: Change): Promise<undefined> {
  const encounter = change.after as Encounter | null
  const id = appointmentId(encounter)
  const state = encounter ? stateOf[encounter.status] : undefined
  if (!encounter || id === null) return
  const appointment = await loadResource<Appointment>(trx, 'Appointment', id)
  if (!appointment) throw fail('reference-unresolved', { zh: `没有找到预约 Appointment/${id}。`, en: `Appointment/${id} was not found.` }, 'Encounter.appointment')
  const own = await findOwn(trx, appointment)
  if (!own) return
  assertSamePatient(encounter, own.row)
  if (state === undefined || !isLater(own.row, state)) return
  await setState(trx, own.row, state, ctx.now)
  if (state === 'checked-in') await issueTicket(trx, ctx, own.row, own.session)
  else await followTicket(trx, ctx, own.row.id, state)
  if (state === 'fulfilled') await followBookings(trx, ctx, store, 'attend', [own.row])
  const current = await loadResource<Appointment>(trx, 'Appointment', id) ?? appointment
  await storeAppointment(trx, ctx, store, appointmentInState(current, { state, reason: null, comment: null }), 'update')
}

function appointmentId(encounter: Encounter | null): string | null {
  const reference = encounter?.appointment?.[0]?.reference
  const parsed = reference === undefined ? null : parseReference(reference)
  return parsed?.kind === 'local' && parsed.type === 'Appointment' ? parsed.id : null
}

function assertSamePatient(encounter: Encounter, row: BookingRow): void {
  const parsed = parseReference(encounter.subject?.reference ?? '')
  if (parsed.kind === 'local' && parsed.type === 'Patient' && keyOf(parsed.id) === row.pid) return
  throw fail('business-rule', { zh: '就诊记录的患者与预约的就诊人不一致。', en: 'The patient of the visit is not the patient of the appointment.' }, 'Encounter.subject')
}

/** @throws OutcomeError `appointment-not-active` for an appointment that no visit can follow. */
function isLater(row: BookingRow, state: VisitState): boolean {
  if (!order.includes(row.state)) {
    throw fail('appointment-not-active', { zh: '该预约未确认或已取消，不能据此接诊。', en: 'The appointment was not confirmed or was cancelled; no visit can follow from it.' }, 'Encounter.appointment')
  }
  return order.indexOf(state) > order.indexOf(row.state)
}
