/**
 * The sweep behind missed visits: who had not checked in when the grace after their segment was over did not come. A clinic that was suspended
 * or handed to another doctor without an answer is the hospital's doing and counts for nobody. Session by session, each in a transaction
 * of its own, so that it may be killed anywhere; a check-in that comes at the same moment wins or loses under the session's lock.
 */
import type { Appointment } from '@medplum/fhirtypes'
import { platform } from '../access/principal.ts'
import type { Ctx } from '../ctx.ts'
import { addMinutes } from '../fhir/date-time.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { recordAbsences } from './absences.ts'
import { appointmentInState } from './appointment-resource.ts'
import { placeOf } from './board.ts'
import { lockPatients, lockSessions, setState } from './booking-rows.ts'
import { parametersFor, regionOf } from './parameters.ts'
import { followBookings } from './referral/follow-booking.ts'
import { selectSessions } from './session-rows.ts'
import { storeAppointments } from './take-place.ts'

const sessionsPerRun = 500

/** @returns how many visits were missed. */
export async function markNoShows(db: Db, ctx: Ctx, store: Store): Promise<number> {
  const due = await db.selectFrom('booking').select('session_id').distinct().where('state', '=', 'booked').where('end_at', '<', ctx.now.toISOString()).limit(sessionsPerRun).execute()
  let marked = 0
  for (const { session_id } of due) marked += await inTransaction(db, (trx) => markSession(trx, { ...ctx, principal: platform }, store, session_id))
  return marked
}

async function markSession(trx: Trx, ctx: Ctx, store: Store, id: string): Promise<number> {
  const session = await selectSessions(trx).where('s.id', '=', id).executeTakeFirst()
  if (!session || session.status === 'suspended') return 0
  const numbers = await parametersFor(trx, placeOf(session), ctx.now)
  const before = addMinutes(ctx.now, -Math.max(numbers['noshow.graceMinutes'], numbers['checkin.lateMinutes']))
  const overdue = () => trx.selectFrom('booking').selectAll().where('session_id', '=', id).where('state', '=', 'booked').where('end_at', '<', before.toISOString()).where('choose_until', 'is', null)
  const found = await overdue().execute()
  if (found.length === 0) return 0
  await lockPatients(trx, found.map((row) => row.pid))
  await lockSessions(trx, [id])
  const rows = await overdue().where('pid', 'in', found.map((row) => row.pid)).execute()
  for (const row of rows) await setState(trx, row, 'noshow', ctx.now)
  await followBookings(trx, ctx, store, 'missed', rows)
  const appointments = await Promise.all(rows.map((row) => loadResource<Appointment>(trx, 'Appointment', row.appointment)))
  await storeAppointments(trx, store, appointments.flatMap((appointment) =>
    (appointment ? [{ ctx, appointment: appointmentInState(appointment, { state: 'noshow', reason: null, comment: null }), method: 'update' as const }] : [])))
  await recordAbsences(trx, ctx, rows.map((row) => ({ row, kind: 'noshow' })), regionOf(session.district_code))
  return rows.length
}
