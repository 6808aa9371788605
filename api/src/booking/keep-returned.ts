/**
 * What happens to a place at the moment it is given back. A place that patients returned cools: nobody knows when it comes back to everybody,
 * so nobody can hand it over; the waitlist is asked first. A place that was offered and not taken goes on to the next who waits. A
 * hold that was never confirmed is free at once. Under the lock of the session, in the transaction that gave it back.
 */
import { randomWithin } from '../crypto.ts'
import type { Ctx } from '../ctx.ts'
import { addMinutes } from '../fhir/date-time.ts'
import type { Trx } from '../storage/pool.ts'
import { placeOf } from './board.ts'
import type { BookingRow } from './booking-rows.ts'
import { parametersFor } from './parameters.ts'
import { selectSessions } from './session-rows.ts'
import { changeEntry, coolPlace, entryOfOffer, logWaits } from './wait-rows.ts'

/** Reasons of patients; a place the hospital takes back is not returned to anybody. */
const returned: ReadonlySet<string> = new Set(['patient', 'patient-late', 'proxy', 'rescheduled'])
const offerEnded: ReadonlySet<string> = new Set(['offer-declined', 'offer-lapsed', 'hold-expired'])

/** A place that comes back this close to its time is free at once: cooling would waste it. */
const hurryMinutes = 60

export async function keepReturned(trx: Trx, ctx: Ctx, row: Pick<BookingRow, 'id' | 'shard' | 'session_id' | 'no' | 'state'>, reason: string): Promise<void> {
  if (row.state === 'offered' ? !offerEnded.has(reason) : !returned.has(reason)) return
  const session = await selectSessions(trx).where('s.id', '=', row.session_id).executeTakeFirst()
  const booking = await trx.selectFrom('booking').selectAll().where('id', '=', row.id).where('shard', '=', row.shard).executeTakeFirst()
  if (!session || !booking) return
  const numbers = await parametersFor(trx, placeOf(session), ctx.now)
  const entry = row.state === 'offered' ? await entryOfOffer(trx, row.id) : null
  const about = { at: ctx.now, organization: session.organization, department: session.department, session_id: session.id, no: row.no }
  if (entry) {
    const declined = entry.declined + 1
    await changeEntry(trx, ctx, entry, { state: declined >= numbers['waitlist.declinesMax'] ? 'withdrawn' : 'waiting', declined, offer: null, answer_until: null })
    await logWaits(trx, [{ ...about, event: reason === 'offer-declined' ? 'declined' : 'lapsed', entry: entry.id, reason: null }])
  } else if (row.state !== 'offered') {
    await logWaits(trx, [{ ...about, event: 'returned', entry: null, reason }])
  }
  const longest = numbers['return.maxMinutes']
  if (session.status !== 'open' || longest === 0 || Date.parse(booking.start_at) < addMinutes(ctx.now, hurryMinutes).getTime()) return
  const minutes = entry || row.state === 'offered' ? 0 : randomWithin(Math.min(numbers['return.minMinutes'], longest), longest)
  const latest = Date.parse(booking.start_at) - hurryMinutes * 60_000
  await coolPlace(trx, ctx, { ...booking }, new Date(Math.min(addMinutes(ctx.now, minutes).getTime(), latest)))
}
