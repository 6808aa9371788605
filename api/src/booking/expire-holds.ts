/**
 * The sweep behind holds: gives back the places of holds that ended, a session at a time, each in a transaction of its own.
 * Nothing waits for it: an ended hold blocks nobody, because taking a place closes those it meets.
 */
import type { Ctx } from '../ctx.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import type { Store } from '../records/store.ts'
import type { Db } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { lockSessions, placesTaken } from './booking-rows.ts'
import { closeBookings } from './close-bookings.ts'
import { isEnded } from './facts.ts'
import { generateSessions } from './generate-sessions.ts'
import { platformDefaults } from './parameters.ts'

const sessionsPerRun = 200

/** @returns how many holds it ended. */
export async function expireHolds(db: Db, ctx: Ctx, store: Store): Promise<number> {
  const sessions = await db.selectFrom('booking').select('session_id').distinct()
    .where('state', '=', 'held').where('held_until', '<=', ctx.now.toISOString()).limit(sessionsPerRun).execute()
  let ended = 0
  for (const { session_id } of sessions) {
    ended += await inTransaction(db, async (trx) => {
      await lockSessions(trx, [session_id])
      const rows = (await placesTaken(trx, session_id)).filter((row) => isEnded(row, ctx.now))
      await closeBookings(trx, ctx, store, rows.map((row) => ({ row, reason: 'hold-expired', comment: null })))
      return rows.length
    })
  }
  return ended
}

/** Keeps the booking window full: the sessions of the next days, those there already left as they are. @returns how many were new. */
export async function generateAhead(db: Db, ctx: Ctx): Promise<number> {
  const today = dayInShanghai(ctx.now)
  return generateSessions(db, today, platformDefaults['window.daysAhead'] + 2)
}
