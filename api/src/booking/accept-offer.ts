/**
 * `POST Appointment/[id]/$accept`: the patient's word. Of a place that was kept as a choice (Appointment `proposed`): it is booked, the
 * appointment it replaces is cancelled by the hospital, the other choices are let go, all in one transaction. Of an appointment whose
 * doctor was substituted: the patient agrees, and the Appointment names the new doctor. Declining is `$cancel`.
 */
import type { Appointment, Patient } from '@medplum/fhirtypes'
import { endCareRelation, grantCareRelations } from '../access/grant-care-relation.ts'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { fail, notFound, type OutcomeError } from '../fhir/outcome.ts'
import { resourceOf } from '../records/content.ts'
import { loadResource, readResource } from '../records/read-resource.ts'
import type { Operation, OperationCall, OperationResult, Store } from '../records/store.ts'
import { answerOnce } from '../storage/answer-once.ts'
import type { Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { actingFor } from './acting.ts'
import { appointmentInState, newAppointment } from './appointment-resource.ts'
import { type BookingRow, lockPatients, lockSessions, setState, thisTransaction } from './booking-rows.ts'
import { closeBookings } from './close-bookings.ts'
import { isEnded } from './facts.ts'
import { readInput } from './operation-input.ts'
import { carryReferral } from './referral/follow-booking.ts'
import { segmentOfPlace } from './segments.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'
import { careReason, storeAppointment } from './take-place.ts'

export const acceptOperation: Operation = {
  name: '$accept', level: 'instance', types: ['Appointment'], methods: ['POST'], affectsState: true,
  summary: 'Takes a place that was kept as a choice, or agrees to a substitute doctor.',
  run: accept,
}

async function accept({ db, ctx, store, id, body, idempotencyKey }: OperationCall): Promise<OperationResult> {
  if (id === null) throw notFound('Appointment')
  readInput(body, [])
  const resource = await inTransaction(db, (trx) => answerOnce(trx, ctx, { key: idempotencyKey, request: `${id} $accept` }, async () => {
    const appointment = resourceOf<Appointment>(await readResource(trx, ctx, store, 'Appointment', id))
    return acceptRow(trx, ctx, store, appointment)
  }))
  return { resource }
}

/** The offered place stands for a visit whose clinic was suspended. */
export async function isChoice(trx: Trx, row: Pick<BookingRow, 'offer_of'>): Promise<boolean> {
  if (row.offer_of === null) return false
  const replaced = await trx.selectFrom('booking').select('choose_until').where('id', '=', row.offer_of).executeTakeFirst()
  return (replaced?.choose_until ?? null) !== null
}

/** @throws OutcomeError `offer-gone`. */
export async function acceptRow(trx: Trx, ctx: Ctx, store: Store, appointment: Appointment): Promise<Appointment> {
  const key = keyOf(appointment.id as string)
  const seen = await trx.selectFrom('booking').select('pid').where('id', '=', key).executeTakeFirst()
  if (!seen || !(await actingFor(trx, ctx, seen.pid)).mayAct) throw gone()
  await lockPatients(trx, [seen.pid])
  const row = await trx.selectFrom('booking').selectAll().where('id', '=', key).executeTakeFirstOrThrow()
  const current = await loadResource<Appointment>(trx, 'Appointment', row.appointment) ?? appointment
  if (row.state === 'offered') return take(trx, ctx, store, row, current)
  if (row.state === 'booked' && row.offer_of !== null) return current
  if (row.state === 'booked' && row.choose_until !== null) return agree(trx, ctx, store, row, current)
  throw gone()
}

function gone(): OutcomeError {
  return fail('offer-gone', { zh: '可选的号已失效或已被处理，请查看您的预约。', en: 'This choice is no longer there. Look at your appointments.' })
}

async function take(trx: Trx, ctx: Ctx, store: Store, row: BookingRow, appointment: Appointment): Promise<Appointment> {
  if (isEnded(row, ctx.now) || row.offer_of === null || !await isChoice(trx, row)) throw gone()
  const old = await trx.selectFrom('booking').selectAll().where('id', '=', row.offer_of).executeTakeFirst()
  const others = await trx.selectFrom('booking').selectAll().where('offer_of', '=', row.offer_of).where('state', '=', 'offered').where('id', '<>', row.id).execute()
  const sessions = await lockSessions(trx, [row, ...others, ...(old ? [old] : [])].map((each) => each.session_id))
  if (old?.state !== 'booked' || sessions.get(row.session_id)?.status !== 'open') throw gone()
  const lost = await selectSessions(trx).where('s.id', '=', old.session_id).executeTakeFirstOrThrow()
  await closeBookings(trx, ctx, store, [
    { row: old, reason: 'provider-suspended', comment: null, refundFen: lost.fee_fen }, ...others.map((each) => ({ row: each, reason: 'hold-expired', comment: null })),
  ])
  await setState(trx, row, 'booked', ctx.now)
  await carryReferral(trx, ctx, store, old, row)
  await open(trx, row, row.practitioner)
  return storeAppointment(trx, ctx, store, appointmentInState(appointment, { state: 'booked', reason: null, comment: null }), 'update')
}

/** The Appointment names the new doctor, the new fee and nothing of a deadline. */
async function agree(trx: Trx, ctx: Ctx, store: Store, row: BookingRow, appointment: Appointment): Promise<Appointment> {
  await lockSessions(trx, [row.session_id])
  const session = await selectSessions(trx).where('s.id', '=', row.session_id).executeTakeFirstOrThrow()
  if (session.status !== 'open' || session.substitute_for === null || Date.parse(row.choose_until ?? '') <= ctx.now.getTime()) throw gone()
  await trx.updateTable('booking').set({
    practitioner: session.practitioner, choose_until: null, refund_fen: feeDifference(appointment, session), updated_at: ctx.now, changed: thisTransaction,
  }).where('id', '=', row.id).where('shard', '=', row.shard).execute()
  await endCareRelation(trx, row.id, ctx.now)
  await open(trx, row, session.practitioner)
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

async function open(trx: Trx, row: BookingRow, practitioner: string): Promise<void> {
  await grantCareRelations(trx, [careReason({ id: row.id, pid: row.pid, practitioner, organization: row.organization, department: row.department, start: new Date(row.start_at) })])
}
