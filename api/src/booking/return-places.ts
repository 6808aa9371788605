/**
 * The sweep behind returned places and the waitlist: ends offers that were not answered and entries past their time, asks the waitlist about
 * each place that cools, and at its random instant gives it back to everybody. Each step is a transaction of its own, so it may be
 * killed anywhere and run twice. Who is passed over in favour of somebody behind them has a row in wait_log that says why.
 */
import { platform } from '../access/principal.ts'
import type { Ctx } from '../ctx.ts'
import { writeNotices } from '../notices/write-notices.ts'
import type { Store } from '../records/store.ts'
import type { Db } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { placeOf } from './board.ts'
import { type BookingRow, lockBooking, lockPatients, lockSessions } from './booking-rows.ts'
import { closeBookings } from './close-bookings.ts'
import { offerPlace } from './offer-place.ts'
import { parametersFor } from './parameters.ts'
import { endEntry } from './serve-entry.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'
import { endCooling, entriesThatHad, logWaits, type WaitEntry, waitingIn } from './wait-rows.ts'
import { type Candidate, candidatesFor, type Passed, waitOrder } from './waitlist-order.ts'

const perRun = 200

/** @returns how many offers ended, entries ended and places moved on. */
export async function returnPlaces(db: Db, at: Ctx, store: Store): Promise<number> {
  const ctx: Ctx = { ...at, principal: platform }
  return await lapseOffers(db, ctx, store) + await expireEntries(db, ctx, store) + await movePlaces(db, ctx, store)
}

async function lapseOffers(db: Db, ctx: Ctx, store: Store): Promise<number> {
  const due = await db.selectFrom('wait_entry as w').innerJoin('booking as b', 'b.id', 'w.offer').select(['w.offer', 'b.session_id'])
    .where('w.state', '=', 'offered').where('w.answer_until', '<=', ctx.now.toISOString()).limit(perRun).execute()
  for (const { offer, session_id } of due) {
    await inTransaction(db, async (trx) => {
      const row = await lockBooking(trx, offer as string, session_id)
      if (row?.state === 'offered') await closeBookings(trx, ctx, store, [{ row, reason: 'offer-lapsed', comment: null }])
    })
  }
  return due.length
}

async function expireEntries(db: Db, ctx: Ctx, store: Store): Promise<number> {
  const due = await db.selectFrom('wait_entry').selectAll().where('state', '=', 'waiting').where('deadline_at', '<=', ctx.now.toISOString()).limit(perRun).execute()
  for (const entry of due) {
    await inTransaction(db, async (trx) => {
      await lockPatients(trx, [entry.pid])
      const still = await trx.selectFrom('wait_entry').select('state').where('id', '=', entry.id).where('shard', '=', entry.shard).forUpdate().executeTakeFirst()
      if (still?.state !== 'waiting') return
      await endEntry(trx, ctx, store, entry, 'expired', 'waitlist-expired')
      await writeNotices(trx, ctx, [{ recipient: { kind: 'patient', id: entry.patient }, kind: 'waitlist-expired', appointment: entry.appointment, params: { until: entry.until_day } }])
    })
  }
  return due.length
}

async function movePlaces(db: Db, ctx: Ctx, store: Store): Promise<number> {
  const due = await db.selectFrom('booking').selectAll().where('state', '=', 'cooling')
    .where((eb) => eb.or([eb('asked_at', 'is', null), eb('return_at', '<=', ctx.now.toISOString())])).orderBy('return_at').orderBy('session_id').orderBy('no').limit(perRun).execute()
  let moved = 0
  for (const place of due) {
    const session = await selectSessions(db).where('s.id', '=', place.session_id).executeTakeFirst()
    if (session && await movePlace(db, ctx, store, place, session)) moved++
  }
  return moved
}

/** @returns whether the place went to somebody or back to everybody. */
async function movePlace(db: Db, ctx: Ctx, store: Store, place: BookingRow, session: SessionRow): Promise<boolean> {
  const list = session.status === 'open' && Date.parse(place.start_at) > ctx.now.getTime() ? await waitingIn(db, session.organization, session.department) : []
  const numbers = await parametersFor(db, placeOf(session), ctx.now)
  const had = await entriesThatHad(db, place)
  const candidates = list.map((entry) => candidateOf(entry, had))
  const { asked, passed } = candidatesFor(candidates, {
    day: session.service_date, half: session.half, practitioner: session.practitioner, clinicType: session.clinic_type, start: Date.parse(place.start_at),
  }, { declinesMax: numbers['waitlist.declinesMax'], sameWaitMs: numbers['waitlist.sameWaitMinutes'] * 60_000 }, ctx.now.getTime())
  const order = waitOrder(candidates, numbers['waitlist.sameWaitMinutes'] * 60_000).map(({ id }) => id)
  const skipped: { id: string; reason: string }[] = []
  for (const candidate of asked) {
    const result = await offerPlace(db, ctx, store, place, list.find(({ id }) => id === candidate.id) as WaitEntry)
    if ('refused' in result) {
      skipped.push({ id: candidate.id, reason: `rule: ${result.refused}` })
      continue
    }
    if (result.done === 'offered') await log(db, ctx, place, session, [...before(order, candidate.id, passed), ...skipped])
    return result.done === 'offered'
  }
  await log(db, ctx, place, session, [...passed, ...skipped])
  return release(db, ctx, place)
}

function candidateOf(entry: WaitEntry & { booked_at: string | null }, had: ReadonlySet<string>): Candidate {
  return {
    id: entry.id, priority: entry.priority, since: Date.parse(entry.joined_at), distanceMetres: entry.distance_m, from: entry.from_day, until: entry.until_day,
    half: entry.half, practitioner: entry.practitioner, clinicType: entry.clinic_type, bookedAt: entry.booked_at === null ? null : Date.parse(entry.booked_at),
    offered: entry.state === 'offered', hadIt: had.has(entry.id), declined: entry.declined, deadline: Date.parse(entry.deadline_at),
  }
}

/** Of those passed over, the ones who would have come before whoever got the place. */
function before(order: readonly string[], winner: string, passed: readonly Passed[]): Passed[] {
  const at = order.indexOf(winner)
  return passed.filter(({ id }) => order.indexOf(id) < at)
}

async function log(db: Db, ctx: Ctx, place: BookingRow, session: SessionRow, passed: readonly { id: string; reason: string }[]): Promise<void> {
  if (passed.length === 0) return
  const about = { at: ctx.now, organization: session.organization, department: session.department, session_id: session.id, no: place.no, event: 'passed-over' as const }
  await inTransaction(db, (trx) => logWaits(trx, passed.map(({ id, reason }) => ({ ...about, entry: id, reason }))))
}

/** Gives a place back to everybody when its instant has come; until then it is only noted that the waitlist was asked. */
function release(db: Db, ctx: Ctx, place: BookingRow): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    await lockSessions(trx, [place.session_id])
    if (Date.parse(place.return_at ?? '') > ctx.now.getTime()) {
      await trx.updateTable('booking').set({ asked_at: ctx.now }).where('id', '=', place.id).where('shard', '=', place.shard).execute()
      return false
    }
    if (!await endCooling(trx, place)) return false
    await logWaits(trx, [{ at: ctx.now, organization: place.organization, department: place.department, session_id: place.session_id, no: place.no, event: 'released', entry: null, reason: null }])
    return true
  })
}
