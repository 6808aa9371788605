/**
 * Taking what a hospital offers when a clinic is suspended or given to another doctor. A place that was kept as a choice (Appointment `proposed`) is
 * booked, the appointment it replaces is cancelled by the hospital, the other choices are let go, all in one transaction and with no rule asked: it
 * is the hospital's doing. Of an appointment whose doctor was substituted the patient agrees, and it names the new doctor.
 */
import type { Appointment, Patient } from '@medplum/fhirtypes'
import { endCareRelation } from '../access/grant-care-relation.ts'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { fail, type OutcomeError } from '../fhir/outcome.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import type { Trx } from '../storage/pool.ts'
import { actingFor } from './acting.ts'
import { appointmentInState, newAppointment } from './appointment-resource.ts'
import { type BookingRow, lockPatients, lockSessions, takeOffered, thisTransaction } from './booking-rows.ts'
import { closeBookings } from './close-bookings.ts'
import { isEnded } from './facts.ts'
import { carryReferral } from './referral/follow-booking.ts'
import { segmentOfPlace } from './segments.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'
import { openRecord, storeAppointment } from './take-place.ts'

/** The offered place stands for a visit whose clinic was suspended. */
async function isChoice(trx: Trx, row: Pick<BookingRow, 'offer_of'>): Promise<boolean> {
  if (row.offer_of === null) return false
  const replaced = await trx.selectFrom('booking').select('choose_until').where('id', '=', row.offer_of).executeTakeFirst()
  return (replaced?.choose_until ?? null) !== null
}

/**
 * Locks the patient and then all sessions at once, so that two who choose among the same clinics never wait for each other.
 * @returns the Appointment `booked`, also when it was taken before; null when it is about no choice, or the caller may not act.
 * @throws OutcomeError `offer-gone`.
 */
export async function acceptChoice(trx: Trx, ctx: Ctx, store: Store, appointment: Appointment): Promise<Appointment | null> {
  const key = keyOf(appointment.id as string)
  const seen = await trx.selectFrom('booking').select('pid').where('id', '=', key).executeTakeFirst()
  if (!seen || !(await actingFor(trx, ctx, seen.pid)).mayAct) return null
  await lockPatients(trx, [seen.pid])
  const row = await trx.selectFrom('booking').selectAll().where('id', '=', key).executeTakeFirstOrThrow()
  const current = await loadResource<Appointment>(trx, 'Appointment', row.appointment) ?? appointment
  if (row.state === 'offered' && await isChoice(trx, row)) return take(trx, ctx, store, row, current)
  if (row.state === 'booked' && row.offer_of !== null) return current
  if (row.state === 'booked' && row.choose_until !== null) return agree(trx, ctx, store, row, current)
  return null
}

export function choiceGone(): OutcomeError {
  return fail('offer-gone', { zh: '可选的号已失效或已被处理，请查看您的预约。', en: 'This choice is no longer there. Look at your appointments.' })
}

async function take(trx: Trx, ctx: Ctx, store: Store, row: BookingRow, appointment: Appointment): Promise<Appointment> {
  if (isEnded(row, ctx.now) || row.offer_of === null) throw choiceGone()
  const old = await trx.selectFrom('booking').selectAll().where('id', '=', row.offer_of).executeTakeFirst()
  const others = await trx.selectFrom('booking').selectAll().where('offer_of', '=', row.offer_of).where('state', '=', 'offered').where('id', '<>', row.id).execute()
  const sessions = await lockSessions(trx, [row, ...others, ...(old ? [old] : [])].map((each) => each.session_id))
  if (old?.state !== 'booked' || sessions.get(row.session_id)?.status !== 'open') throw choiceGone()
  const lost = await selectSessions(trx).where('s.id', '=', old.session_id).executeTakeFirstOrThrow()
  await closeBookings(trx, ctx, store, [
    { row: old, reason: 'provider-suspended', comment: null, refundFen: lost.fee_fen }, ...others.map((each) => ({ row: each, reason: 'hold-expired', comment: null })),
  ])
  await takeOffered(trx, ctx, row)
  await carryReferral(trx, ctx, store, old, row)
  await openRecord(trx, row)
  return storeAppointment(trx, ctx, store, appointmentInState(appointment, { state: 'booked', reason: null, comment: null }), 'update')
}

/** The Appointment names the new doctor, the new fee and nothing of a deadline. */
async function agree(trx: Trx, ctx: Ctx, store: Store, row: BookingRow, appointment: Appointment): Promise<Appointment> {
  await lockSessions(trx, [row.session_id])
  const session = await selectSessions(trx).where('s.id', '=', row.session_id).executeTakeFirstOrThrow()
  if (session.status !== 'open' || session.substitute_for === null || Date.parse(row.choose_until ?? '') <= ctx.now.getTime()) throw choiceGone()
  await trx.updateTable('booking').set({
    practitioner: session.practitioner, choose_until: null, refund_fen: feeDifference(appointment, session), updated_at: ctx.now, changed: thisTransaction,
  }).where('id', '=', row.id).where('shard', '=', row.shard).execute()
  await endCareRelation(trx, row.id, ctx.now)
  await openRecord(trx, { ...row, practitioner: session.practitioner })
  const patient = { ...await loadResource<Patient>(trx, 'Patient', row.patient), resourceType: 'Patient' as const, id: row.patient }
  return storeAppointment(trx, ctx, store, newAppointment({
    id: row.appointment, state: 'booked', session, segment: segmentOfPlace(session, row.no), place: row.no, patient, created: new Date(row.created_at), heldUntil: null,
    given: appointment, channel: row.channel,
  }), 'update')
}

/** What the patient was to pay more with the doctor who will not come; null when nothing. */
function feeDifference(appointment: Appointment, session: SessionRow): bigint | null {
  const was = appointment.extension?.find((each) => each.url.endsWith('/fee'))?.valueMoney?.value
  const difference = was === undefined ? 0n : BigInt(Math.round(was * 100)) - session.fee_fen
  return difference > 0n ? difference : null
}
