/**
 * The sweep behind holds: gives back the places of holds that ended, a session at a time, each in a transaction of its own.
 * Nothing waits for it: an ended hold blocks nobody, because taking a place closes those it meets.
 */
import type { Ctx } from '../ctx.ts'
import type { Store } from '../records/store.ts'
import type { Db } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { lockSessions, placesTakenIn } from './booking-rows.ts'
import { closeBookings } from './close-bookings.ts'
import { isEnded } from './facts.ts'

const sessionsPerRun = 200

/** @returns how many holds it ended. */
export async function expireHolds(db: Db, ctx: Ctx, store: Store): Promise<number> {
  const sessions = await db.selectFrom('booking').select('session_id').distinct()
    .where('state', 'in', ['held', 'offered']).where('held_until', '<=', ctx.now.toISOString()).limit(sessionsPerRun).execute()
  let ended = 0
  for (const { session_id } of sessions) {
    ended += await inTransaction(db, async (trx) => {
      await lockSessions(trx, [session_id])
      const rows = [...(await placesTakenIn(trx, [session_id])).values()].flat().filter((row) => isEnded(row, ctx.now))
      await closeBookings(trx, ctx, store, rows.map((row) => ({ row, reason: 'hold-expired', comment: null })))
      return rows.length
    })
  }
  return ended
}
