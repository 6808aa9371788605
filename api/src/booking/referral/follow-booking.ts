/**
 * A booking moves its referral along, in the transaction of the booking: booked, given back, missed, visited. Called wherever a booking changes its
 * state; a booking without a referral costs nothing. The patient is locked by everybody who changes a booking, so the referral is locked after
 * the patient here as everywhere.
 */
import { platform } from '../../access/principal.ts'
import type { Ctx } from '../../ctx.ts'
import type { Store } from '../../records/store.ts'
import type { Trx } from '../../storage/pool.ts'
import type { BookingRow } from '../booking-rows.ts'
import { lockedReferrals, type ReferralRow } from './rows.ts'
import { rowOf } from './steps.ts'
import { nothingGiven, takeStep } from './take-step.ts'

type Followed = Pick<BookingRow, 'id' | 'appointment' | 'referral'> & { end_at?: string }

/** @param step what became of the bookings. A referral that stands elsewhere by now is left alone. */
export async function followBookings(trx: Trx, ctx: Ctx, store: Store, step: 'book' | 'unbook' | 'missed' | 'attend', bookings: readonly Followed[]): Promise<void> {
  const followed = bookings.filter((each): each is Followed & { referral: string } => each.referral !== null)
  if (followed.length === 0) return
  const rows = await lockedReferrals(trx, followed.map((each) => each.referral))
  for (const booking of followed) {
    const row = rows.get(booking.referral)
    if (!row || !concerns(row, booking, step)) continue
    const visit = step === 'book' ? { booking: booking.id, appointment: booking.appointment, end: new Date(booking.end_at ?? ctx.now) } : null
    rows.set(row.id, (await takeStep(trx, { ...ctx, principal: platform }, store, row, step, { ...nothingGiven, visit })).row)
  }
}

function concerns(row: ReferralRow, booking: Followed, step: 'book' | 'unbook' | 'missed' | 'attend'): boolean {
  return rowOf(step, row.state) !== null && (step === 'book' || row.booking === booking.id)
}

/** A place that replaces another of the patient's keeps its referral, where it is of the same department. */
export async function carryReferral(trx: Trx, ctx: Ctx, store: Store, from: BookingRow, to: BookingRow): Promise<void> {
  if (from.referral === null || from.organization !== to.organization || from.department !== to.department) return
  await trx.updateTable('booking').set({ referral: from.referral }).where('id', '=', to.id).where('shard', '=', to.shard).execute()
  await followBookings(trx, ctx, store, 'book', [{ ...to, referral: from.referral }])
}
