/**
 * Offers a cooling place to one who waits, in one transaction: the rules of booking are asked as for anybody, the place goes from nobody to
 * them as `offered` (or `booked`, when they asked for that), the entry says until when they may answer. Locks: the patient, the
 * session, the rows. Nothing changes when a rule is broken or somebody was faster.
 */
import { grantCareRelations } from '../access/grant-care-relation.ts'
import type { Ctx } from '../ctx.ts'
import { addMinutes, addSeconds, clockInShanghai, instantInShanghai, minuteOfDay } from '../fhir/date-time.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { OutcomeError } from '../fhir/outcome.ts'
import { writeNotices } from '../notices/write-notices.ts'
import type { Store } from '../records/store.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { newAppointment } from './appointment-resource.ts'
import { loadBoard, lockBoard } from './board.ts'
import { insertBookings, type PlaceRow } from './booking-rows.ts'
import { channelTaken } from './channels.ts'
import { closeBookings } from './close-bookings.ts'
import { departmentName } from './departments.ts'
import { takeFacts, type TakeFacts } from './facts.ts'
import { followBookings } from './referral/follow-booking.ts'
import { brokenRules } from './rules.ts'
import { slotIdOf } from './segments.ts'
import { careReason, storeAppointment } from './take-place.ts'
import { serveEntry } from './serve-entry.ts'
import { changeEntry, endCooling, logWaits, type WaitEntry } from './wait-rows.ts'

/** After the end of an offer its place stays kept until the sweep has passed it on, and no longer than this. */
export const offerGraceSeconds = 120

/** `gone`: the place or the entry is no longer what it was. */
export type OfferResult = { done: 'offered' | 'gone' } | { refused: string }

export function offerPlace(db: Db, ctx: Ctx, store: Store, place: PlaceRow, entry: WaitEntry): Promise<OfferResult> {
  return inTransaction(db, async (trx): Promise<OfferResult> => {
    const wish = { slot: slotIdOf(place.session_id, place.no), patient: entry.patient, channel: null, replaces: entry.earlier_than }
    const member = { ctx, wish }
    const board = await loadBoard(trx, [member])
    await lockBoard(trx, board, [place.session_id])
    const still = await trx.selectFrom('wait_entry').select('state').where('id', '=', entry.id).where('shard', '=', entry.shard).forUpdate().executeTakeFirst()
    const kept = board.taken.get(place.session_id) ?? []
    if (still?.state !== 'waiting' || !kept.some((row) => row.id === place.id)) return { done: 'gone' }
    board.taken.set(place.session_id, kept.filter((row) => row.id !== place.id))
    try {
      const take = takeFacts(board, member)
      const [broken] = brokenRules('book', take.facts)
      if (broken) return { refused: broken.code }
      if (take.place !== place.no) return { done: 'gone' }
      await give(trx, ctx, store, { place, entry, take })
      return { done: 'offered' }
    } catch (error) {
      if (error instanceof OutcomeError) return { refused: error.issues[0]?.code ?? 'rule' }
      throw error
    }
  })
}

async function give(trx: Trx, ctx: Ctx, store: Store, { place, entry, take }: { place: PlaceRow; entry: WaitEntry; take: TakeFacts }): Promise<void> {
  const { session, segment } = take
  const until = answerUntil(ctx.now, take)
  const id = ctx.newId(shardOf(entry.pid))
  const state = entry.auto_accept ? 'booked' : 'offered'
  const channel = channelTaken(session, place.no, take.facts.entitled)
  await endCooling(trx, place)
  const replaced = take.toClose.filter((row) => row.id === entry.earlier_than)
  if (entry.auto_accept) await closeBookings(trx, ctx, store, replaced.map((row) => ({ row, reason: 'rescheduled', comment: null })))
  await insertBookings(trx, [{
    appointment: id, session: session.id, no: place.no, pid: entry.pid, patient: entry.patient, state, heldUntil: entry.auto_accept ? null : addSeconds(until, offerGraceSeconds),
    start: segment.start, end: segment.end, by: 'platform', channel, offerOf: entry.earlier_than, referral: entry.auto_accept ? take.referral?.id ?? null : null, at: ctx.now,
  }])
  if (entry.auto_accept) await followBookings(trx, ctx, store, 'book', [{ id: keyOf(id), appointment: id, referral: take.referral?.id ?? null, end_at: segment.end.toISOString() }])
  const appointment = newAppointment({ id, state, session, segment, place: place.no, patient: take.patient, created: ctx.now, heldUntil: entry.auto_accept ? null : until, given: null, channel, referral: take.referral?.request ?? null })
  await storeAppointment(trx, ctx, store, appointment, 'create')
  const about = { at: ctx.now, organization: session.organization, department: session.department, session_id: session.id, no: place.no, entry: entry.id, reason: null }
  await logWaits(trx, [{ ...about, event: 'offered' }])
  if (entry.auto_accept) {
    await grantCareRelations(trx, [careReason({ id: keyOf(id), pid: entry.pid, practitioner: session.practitioner, organization: session.organization, department: session.department, start: segment.start })])
    await serveEntry(trx, ctx, store, entry, { ...about, event: 'accepted' })
  } else {
    await changeEntry(trx, ctx, entry, { state: 'offered', offer: keyOf(id), answer_until: until })
  }
  await writeNotices(trx, ctx, [{
    recipient: { kind: 'patient', id: entry.patient }, kind: entry.auto_accept ? 'waitlist-booked' : 'waitlist-offer', appointment: id,
    params: {
      hospital: { zh: session.name_zh, en: session.name_en }, department: { ...departmentName(session.department) }, day: session.service_date,
      time: clockInShanghai(segment.start), until: instantInShanghai(until),
    },
  }])
}

/** Longer at night, when people sleep; never beyond an hour before the visit. */
function answerUntil(now: Date, { facts, segment }: TakeFacts): Date {
  const minute = minuteOfDay(now)
  const night = minute >= 21 * 60 || minute < 7 * 60
  const until = addMinutes(now, facts.parameters[night ? 'waitlist.offerNightMinutes' : 'waitlist.offerMinutes'])
  const latest = addMinutes(segment.start, -60)
  return until < latest ? until : latest
}
