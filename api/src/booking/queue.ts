/**
 * The queue of a clinic, from check-in to the end of the visit: a number, a place in the order, how long it takes; calling the next, and
 * putting behind who was called and not there. Everything under the lock of the session. Who is in the queue is whoever has a ticket that
 * is not done; the states of booking and Appointment follow: called is `arrived`, put behind is `checked-in` again.
 */
import type { Appointment, Patient } from '@medplum/fhirtypes'
import type { Selectable } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { clockInShanghai } from '../fhir/date-time.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { fail, forbidden, notFound } from '../fhir/outcome.ts'
import { writeNotices } from '../notices/write-notices.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { QueueTicketTable } from '../storage/tables.ts'
import { worksAt } from './acting.ts'
import { appointmentInState } from './appointment-resource.ts'
import { type BookingRow, lockPatients, lockSessions, setState } from './booking-rows.ts'
import { minutesEach, queueOrder, turnOf, waitMinutes } from './queue-order.ts'
import { segmentAt, segmentIndexOf, type SessionTimes } from './segments.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'
import type { QueueList, QueuePlace } from './shapes.ts'
import { storeAppointment } from './take-place.ts'

type Ticket = Selectable<QueueTicketTable>

const priorityAge = 70

/** Gives a number at check-in; checking in again keeps it. Under the session's lock. */
export async function issueTicket(trx: Trx, ctx: Ctx, row: BookingRow, session: SessionRow): Promise<void> {
  const own = segmentIndexOf(session, row.no)
  const patient = await loadResource<Patient>(trx, 'Patient', row.patient)
  const last = await trx.selectFrom('queue_ticket').select((eb) => eb.fn.max('number').as('number')).where('session_id', '=', session.id).executeTakeFirst()
  await trx.insertInto('queue_ticket').values({
    shard: session.shard, booking: row.id, session_id: session.id, number: (last?.number ?? 0) + 1,
    turn: turnOf({ segment: own, endsAt: segmentAt(session, own).end.getTime() }, segmentNow(session, ctx.now), ctx.now.getTime()),
    priority: ageOn(patient?.birthDate, session.service_date) >= priorityAge ? 'age-70' : null, since: ctx.now, state: 'waiting', called_at: null, done_at: null,
  }).onConflict((conflict) => conflict.doNothing()).execute()
}

/** Index of the segment under way. */
function segmentNow(session: SessionTimes, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - Date.parse(session.start_at)) / (session.segment_minutes * 60_000)))
}

function ageOn(birthDate: string | undefined, day: string): number {
  if (!birthDate || birthDate.length !== 10) return 0
  return Number(day.slice(0, 4)) - Number(birthDate.slice(0, 4)) - (day.slice(5) < birthDate.slice(5) ? 1 : 0)
}

/** The visit itself says that somebody was called or is done. */
export async function followTicket(trx: Trx, ctx: Ctx, booking: string, state: 'arrived' | 'fulfilled'): Promise<void> {
  const to = state === 'arrived' ? { state: 'called' as const, called_at: ctx.now } : { state: 'done' as const, done_at: ctx.now }
  await trx.updateTable('queue_ticket').set(to).where('booking', '=', booking).where('state', '<>', 'done').execute()
}

/** @throws OutcomeError `not-found`; `forbidden` for who neither holds the clinic nor works at its desk. */
async function clinicOf(db: Db, ctx: Ctx, id: string): Promise<SessionRow> {
  const session = await selectSessions(db).where('s.id', '=', id).executeTakeFirst()
  if (!session) throw notFound(`Schedule/${id}`)
  const { principal } = ctx
  if (principal.practitioner === session.practitioner && principal.kind === 'person') return session
  if (principal.role === 'scheduler' && worksAt(ctx, session.organization)) return session
  throw forbidden()
}

/** Calls the next in the order. @returns the Appointment `arrived`; null when nobody waits. */
export async function callNext(trx: Trx, ctx: Ctx, store: Store, id: string): Promise<Appointment | null> {
  const session = await clinicOf(trx, ctx, id)
  // Patients before the session, as everybody does.
  const there = await trx.selectFrom('queue_ticket as q').innerJoin('booking as b', 'b.id', 'q.booking').select('b.pid').where('q.session_id', '=', id).where('q.state', '=', 'waiting').execute()
  await lockPatients(trx, there.map((row) => row.pid))
  await lockSessions(trx, [id])
  const [next] = queueOrder((await openTickets(trx, id)).filter((ticket) => ticket.state === 'waiting').map(waitingOf))
  if (!next) return null
  const row = await bookingOf(trx, session, next.id)
  await trx.updateTable('queue_ticket').set((eb) => ({ state: 'called', called_at: ctx.now, calls: eb('calls', '+', 1) })).where('booking', '=', next.id).where('shard', '=', session.shard).execute()
  await writeNotices(trx, ctx, [{
    recipient: { kind: 'patient', id: row.patient }, kind: 'queue-called', appointment: row.appointment, params: { place: { zh: session.location_name_zh, en: session.location_name_en }, time: clockInShanghai(ctx.now) },
  }])
  return moveTo(trx, ctx, store, row, 'arrived')
}

/** Puts behind who was called and did not come. @throws OutcomeError `queue-not-called`. */
export async function skipCalled(trx: Trx, ctx: Ctx, store: Store, id: string, appointment: string): Promise<Appointment> {
  const session = await clinicOf(trx, ctx, id)
  const booking = keyOf(appointment)
  const found = await trx.selectFrom('booking').select('pid').where('id', '=', booking).where('session_id', '=', id).executeTakeFirst()
  if (found) await lockPatients(trx, [found.pid])
  await lockSessions(trx, [id])
  const ticket = await trx.selectFrom('queue_ticket').selectAll().where('booking', '=', booking).where('session_id', '=', id).executeTakeFirst()
  if (ticket?.state !== 'called') throw fail('queue-not-called', { zh: '这位患者不在已叫号、待就诊的状态。', en: 'This patient is not waiting to come in after a call.' })
  const row = await bookingOf(trx, session, booking)
  if (row.state !== 'arrived') throw fail('queue-not-called', { zh: '这位患者的就诊已经开始。', en: 'The visit of this patient has begun.' })
  await trx.updateTable('queue_ticket').set({ state: 'waiting', called_at: null, since: ctx.now, turn: turnOf({ segment: ticket.turn, endsAt: 0 }, segmentNow(session, ctx.now), ctx.now.getTime()) })
    .where('booking', '=', booking).where('shard', '=', session.shard).execute()
  await writeNotices(trx, ctx, [{ recipient: { kind: 'patient', id: row.patient }, kind: 'queue-passed', appointment: row.appointment, params: { time: clockInShanghai(ctx.now) } }])
  return moveTo(trx, ctx, store, row, 'checked-in')
}

async function bookingOf(trx: Trx, session: SessionRow, id: string): Promise<BookingRow> {
  return trx.selectFrom('booking').selectAll().where('id', '=', id).where('shard', '=', session.shard).forUpdate().executeTakeFirstOrThrow()
}

async function moveTo(trx: Trx, ctx: Ctx, store: Store, row: BookingRow, state: 'arrived' | 'checked-in'): Promise<Appointment> {
  await setState(trx, row, state, ctx.now)
  const appointment = await loadResource<Appointment>(trx, 'Appointment', row.appointment)
  if (!appointment) throw new Error(`The booking ${row.id} has no Appointment.`)
  return storeAppointment(trx, ctx, store, appointmentInState(appointment, { state, reason: null, comment: null }), 'update')
}

function openTickets(db: Db, session: string): Promise<Ticket[]> {
  return db.selectFrom('queue_ticket').selectAll().where('session_id', '=', session).where('shard', '=', shardOf(session)).where('state', '<>', 'done').execute()
}

function waitingOf(ticket: Ticket) {
  return { id: ticket.booking, number: ticket.number, segment: ticket.turn, priority: ticket.priority, since: Date.parse(ticket.since) }
}

/** For the doctor and the desk: who is in, who comes next. Numbers and Appointments; names come with the Appointments they may read. */
export async function readQueue(db: Db, ctx: Ctx, id: string): Promise<QueueList> {
  const session = await clinicOf(db, ctx, id)
  const tickets = await openTickets(db, id)
  const bookings = await db.selectFrom('booking').select(['id', 'appointment']).where('session_id', '=', id).where('shard', '=', session.shard).execute()
  const appointmentOf = new Map(bookings.map((row) => [row.id, row.appointment]))
  const order = queueOrder(tickets.filter((ticket) => ticket.state === 'waiting').map(waitingOf)).map((each) => each.id)
  const sorted = [...tickets.filter((ticket) => ticket.state === 'called'), ...order.flatMap((each) => tickets.find((ticket) => ticket.booking === each) ?? [])]
  return { schedule: id, tickets: sorted.map((ticket) => ({ appointment: appointmentOf.get(ticket.booking) ?? '', number: ticket.number, state: ticket.state as 'waiting' | 'called', priority: ticket.priority, calls: ticket.calls })) }
}

/** For a patient: their number, how many are called before, how long it takes. Null when they have not checked in or are done. */
export async function placeInQueue(db: Db, ctx: Ctx, booking: string): Promise<QueuePlace | null> {
  const own = await db.selectFrom('queue_ticket').selectAll().where('booking', '=', booking).where('state', '<>', 'done').executeTakeFirst()
  const session = own && await selectSessions(db).where('s.id', '=', own.session_id).executeTakeFirst()
  if (!own || !session) return null
  const order = queueOrder((await openTickets(db, session.id)).filter((ticket) => ticket.state === 'waiting').map(waitingOf)).map((each) => each.id)
  const ahead = Math.max(0, order.indexOf(booking))
  const done = await db.selectFrom('queue_ticket').select(['called_at', 'done_at']).where('session_id', '=', session.id).where('state', '=', 'done').where('called_at', 'is not', null).execute()
  const visits = done.map((each) => (Date.parse(each.done_at ?? '') - Date.parse(each.called_at ?? '')) / 60_000)
  const each = minutesEach(visits, (session.segment_minutes * session.segments) / session.capacity)
  const untilTurn = (segmentAt(session, own.turn).start.getTime() - ctx.now.getTime()) / 60_000
  return {
    number: own.number, state: own.state as 'waiting' | 'called', ahead, minutes: own.state === 'called' ? 0 : waitMinutes(ahead + 1, each, untilTurn), priority: own.priority,
    place: { zh: session.location_name_zh, en: session.location_name_en },
  }
}
