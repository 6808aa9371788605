/**
 * Taking a place: rules, then the session's lock, then the lowest free place of the segment (the asked one when it is
 * free), then the booking row. What stood in the way only by name is closed in the same transaction: ended holds, and the
 * same caller's unconfirmed hold for this patient, which a new choice replaces.
 * Invariant: nobody takes a place that somebody keeps; guarded by the lock and, behind it, by booking_place_unique.
 */
import type { Appointment } from '@medplum/fhirtypes'
import { grantCareRelation } from '../access/grant-care-relation.ts'
import type { Ctx } from '../ctx.ts'
import { addMinutes, addSeconds } from '../fhir/date-time.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { fail } from '../fhir/outcome.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import { writeResources } from '../records/write-resources.ts'
import type { Trx } from '../storage/pool.ts'
import { newAppointment } from './appointment-resource.ts'
import { type BookingRow, insertBooking, lockSessions, placesTaken } from './booking-rows.ts'
import { closeBookings } from './close-bookings.ts'
import { isEnded, loadTakeFacts, type TakeFacts, type Wish } from './facts.ts'
import { checkRules, slotTakenSentence } from './rules.ts'
import { freePlaceIn } from './segments.ts'

export interface Taking extends Wish {
  verb: 'hold' | 'book'
  /** An Appointment sent along with its reason and comment; null when there is none. */
  given: Appointment | null
  /** FHIR id for the Appointment; null to make one. */
  id: string | null
}

/** @returns the Appointment to be stored; the caller writes it in the same transaction. */
export async function takePlace(trx: Trx, ctx: Ctx, store: Store, taking: Taking, loaded?: TakeFacts): Promise<Appointment> {
  const take = loaded ?? await loadTakeFacts(trx, ctx, taking)
  checkRules(taking.verb, take.facts)
  const place = await lockPlace(trx, ctx, store, take)
  const id = taking.id ?? ctx.newId(shardOf(take.pid))
  const heldUntil = taking.verb === 'hold' ? addSeconds(ctx.now, take.facts.parameters['hold.ttlSeconds']) : null
  const { session, segment } = take
  await insertBooking(trx, {
    shard: session.shard, id: keyOf(id), appointment: id, session_id: session.id, no: place, pid: take.pid, patient: taking.patient,
    state: heldUntil ? 'held' : 'booked', held_until: heldUntil, start_at: segment.start, end_at: segment.end, service_date: session.service_date,
    organization: session.organization, department: session.department, practitioner: session.practitioner, booked_by: ctx.principal.id,
    cancel_reason: null, created_at: ctx.now, updated_at: ctx.now,
  })
  if (!heldUntil) await openRecord(trx, { id: keyOf(id), pid: take.pid, practitioner: session.practitioner, organization: session.organization, department: session.department, start: segment.start })
  return newAppointment({ id, state: heldUntil ? 'held' : 'booked', session, segment, place, patient: take.patient, created: ctx.now, heldUntil, given: taking.given })
}

/** Locks the sessions concerned in one order, closes what has to go, and chooses the place. */
async function lockPlace(trx: Trx, ctx: Ctx, store: Store, take: TakeFacts): Promise<number> {
  const { session, segment } = take
  const locked = (await lockSessions(trx, [session.id, ...take.toClose.map((row) => row.session_id)])).get(session.id)
  checkRules('book', { ...take.facts, session: { ...take.facts.session, status: locked?.status ?? 'closed' } })
  const rows = await placesTaken(trx, session.id)
  const ended = rows.filter((row) => isEnded(row, ctx.now))
  const closing = [...new Map([...take.toClose, ...ended].map((row) => [row.id, row])).values()]
  await closeBookings(trx, ctx, store, closing.map((row) => ({ row, reason: 'hold-expired', comment: null })))
  const taken = new Set(rows.filter((row) => !closing.some((each) => each.id === row.id)).map((row) => row.no))
  const place = taken.has(take.place) ? freePlaceIn(segment, taken) : take.place
  if (place === null) throw fail('slot-taken', slotTakenSentence)
  return place
}

/** The doctor may read the record from the day before the visit until thirty days after it. */
export async function openRecord(trx: Trx, visit: { id: string; pid: string; practitioner: string; organization: string; department: string; start: Date }): Promise<void> {
  await grantCareRelation(trx, {
    pid: visit.pid, practitioner: keyOf(visit.practitioner), organization: keyOf(visit.organization), department: visit.department, reason: 'appointment', reasonId: visit.id,
    from: addMinutes(visit.start, -24 * 60), until: addMinutes(visit.start, 30 * 24 * 60),
  })
}

/** Takes a place and stores its Appointment. A repeated wish of the same caller gets what it got before. */
export async function takeAndStore(trx: Trx, ctx: Ctx, store: Store, taking: Taking): Promise<Appointment> {
  const take = await loadTakeFacts(trx, ctx, taking)
  const { existing } = take
  if (existing && answers(existing, taking.verb)) {
    const appointment = await loadResource<Appointment>(trx, 'Appointment', existing.appointment)
    if (appointment) return appointment
  }
  const appointment = await takePlace(trx, ctx, store, taking, take)
  return storeAppointment(trx, ctx, store, appointment, 'create')
}

function answers(existing: BookingRow, verb: 'hold' | 'book'): boolean {
  return verb === 'hold' ? existing.state === 'held' : existing.state === 'booked'
}

/** Writes an Appointment for booking. @returns it with its version. */
export async function storeAppointment(trx: Trx, ctx: Ctx, store: Store, appointment: Appointment, method: 'create' | 'update'): Promise<Appointment> {
  const id = appointment.id as string
  const [written] = await writeResources(trx, ctx, store, [{ method, type: 'Appointment', id, resource: appointment, ifMatch: null }], 'platform')
  return { ...appointment, meta: { ...appointment.meta, versionId: String(written?.version ?? 1), lastUpdated: written?.lastUpdated ?? ctx.now.toISOString() } }
}
