/**
 * `POST Appointment/[id]/$cancel`: gives a booked place back, or leaves the waitlist. Input: reason? or comment?, the caller's own words. The reason code
 * follows from who cancels and when: patient, patient-late, proxy, provider-suspended, provider-changed. The place cools
 * before it comes back (keep-returned.ts), and the doctor's view of the record that the booking opened is closed.
 */
import type { Appointment } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { writeNotices } from '../notices/write-notices.ts'
import type { Operation, OperationCall, OperationResult, Store } from '../records/store.ts'
import type { Trx } from '../storage/pool.ts'
import { recordAbsences } from './absences.ts'
import { appointmentInState } from './appointment-resource.ts'
import { lockSessions } from './booking-rows.ts'
import { closeBookings, giveBack } from './close-bookings.ts'
import type { OwnFacts } from './facts.ts'
import { sessionsWithOffers } from './follow-up.ts'
import { leaveWaitlist } from './leave-waitlist.ts'
import { noticeParams } from './notice-params.ts'
import { freeText, readInput } from './operation-input.ts'
import { changeOwn } from './own-appointment.ts'
import { regionOf } from './parameters.ts'
import { checkRules, isLateCancel } from './rules.ts'

export const cancelAppointmentOperation: Operation = {
  name: '$cancel', level: 'instance', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Cancels an appointment and frees its place.',
  run: cancelAppointment,
}

async function cancelAppointment(call: OperationCall): Promise<OperationResult> {
  const input = readInput(call.body, ['reason', 'comment'])
  const comment = freeText(input, 'reason') ?? freeText(input, 'comment')
  const waiting = await leaveWaitlist(call)
  if (waiting) return { resource: waiting }
  return changeOwn(call, '$cancel', (trx, own) => cancelRowOf(trx, call.ctx, call.store, own, comment))
}

/** @returns the Appointment `cancelled`, to be stored by the caller. */
export async function cancelRowOf(trx: Trx, ctx: Ctx, store: Store, own: OwnFacts, comment: string | null): Promise<Appointment> {
  checkRules('cancel', own.facts)
  const reason = cancelReason(ctx, own)
  const refundFen = reason.startsWith('provider-') ? own.session.fee_fen : null
  await letChoicesGo(trx, ctx, store, own)
  await giveBack(trx, ctx, store, [{ row: own.row, reason, comment, refundFen }])
  const told = toldOf(ctx, own)
  if (told !== null) await writeNotices(trx, ctx, [{ recipient: { kind: 'patient', id: own.row.patient }, kind: told, params: noticeParams(own.session, new Date(own.row.start_at)), appointment: own.row.appointment }])
  if (reason === 'patient-late') await recordAbsences(trx, ctx, [{ row: own.row, kind: 'late-cancel' }], regionOf(own.session.district_code))
  return appointmentInState(own.appointment, { state: 'cancelled', reason, comment, refundFen })
}

/** A visit that others cancel is told to the patient; who cancels their own knows it, and declines a change they were asked about. */
function toldOf(ctx: Ctx, { facts, row }: OwnFacts): string | null {
  if (row.state !== 'booked' || row.choose_until !== null) return null
  if (!facts.mayAct) return 'cancelled-by-hospital'
  return actsForAnother(ctx, row) ? 'cancelled-by-proxy' : null
}

/** A family member or the GP; a system stands for the patient who uses it. */
function actsForAnother({ principal }: Ctx, row: OwnFacts['row']): boolean {
  return principal.kind === 'person' && (principal.patient === null || keyOf(principal.patient) !== row.pid)
}

/** Who wants none of the other places that were kept lets them go. Sessions are locked by id; the own one is locked already, so a clash is retried. */
async function letChoicesGo(trx: Trx, ctx: Ctx, store: Store, { row }: OwnFacts): Promise<void> {
  if (row.choose_until === null) return
  await lockSessions(trx, await sessionsWithOffers(trx, row))
  const offers = await trx.selectFrom('booking').selectAll().where('offer_of', '=', row.id).where('state', '=', 'offered').execute()
  await closeBookings(trx, ctx, store, offers.map((each) => ({ row: each, reason: 'hold-expired', comment: null })))
}

/** Who cancelled, and whether late; a hold that is let go was never confirmed. */
function cancelReason(ctx: Ctx, { facts, row, session }: OwnFacts): string {
  if (row.state === 'held' || row.state === 'offered') return 'hold-expired'
  if (!facts.mayAct) return 'provider-suspended'
  if (row.choose_until !== null) return session.status === 'suspended' ? 'provider-suspended' : 'provider-changed'
  if (isLateCancel(facts)) return 'patient-late'
  return actsForAnother(ctx, row) ? 'proxy' : 'patient'
}
