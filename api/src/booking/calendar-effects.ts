/**
 * A day of the calendar that has sessions already: which of them do not fit the day any more, and what becomes of them. Those that nobody has a
 * place in are closed; the others are suspended, so that their patients choose another place (follow-up.ts). Of the hospital's own days only.
 */
import type { Ctx } from '../ctx.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { endSessions, lockPatients, lockSessions } from './booking-rows.ts'
import type { CalendarWish } from './calendar.ts'
import type { Effects } from './pattern-effects.ts'
import { recordSupplyChange } from './supply-changes.ts'

type Day = Pick<CalendarWish, 'day' | 'asWeekday'>

/** Sessions of a day that no longer fit it. */
async function misfits(db: Db, organization: string, { day, asWeekday }: Day) {
  const rows = await db.selectFrom('clinic_session as s').innerJoin('session_template as t', (join) => join.onRef('t.id', '=', 's.template_id').onRef('t.shard', '=', 's.shard')).select(['s.id', 's.used', 't.weekday'])
    .select((eb) => eb.selectFrom('booking as b').select((each) => each.fn.countAll<number>().as('count')).whereRef('b.session_id', '=', 's.id').where('b.state', 'in', ['held', 'booked']).as('patients'))
    .where('s.organization', '=', organization).where('s.service_date', '=', day).where('s.status', '=', 'open').orderBy('s.id').execute()
  return rows.filter((row) => row.weekday !== asWeekday).map((row) => ({ id: row.id, used: row.used, patients: Number(row.patients ?? 0) }))
}

export async function calendarEffects(db: Db, organization: string, day: Day): Promise<Effects> {
  return countOf(await misfits(db, organization, day))
}

function countOf(sessions: readonly { used: number; patients: number }[]): Effects {
  const taken = sessions.filter((each) => each.used > 0)
  return { closed: sessions.length - taken.length, moved: 0, suspended: taken.length, patients: taken.reduce((sum, each) => sum + each.patients, 0) }
}

/** Closes and suspends them and notes the change. @returns the suspended ones, whose bookings have to be followed up. */
export async function applyCalendarDay(trx: Trx, ctx: Ctx, organization: string, wish: CalendarWish): Promise<string[]> {
  const found = await misfits(trx, organization, wish)
  const holders = found.length === 0 ? [] : await trx.selectFrom('booking').select('pid').where('session_id', 'in', found.map((each) => each.id)).where('state', 'in', ['held', 'booked']).execute()
  await lockPatients(trx, holders.map((each) => each.pid))
  await lockSessions(trx, found.map((each) => each.id))
  const sessions = await misfits(trx, organization, wish)
  const [empty, taken] = [sessions.filter((each) => each.used === 0), sessions.filter((each) => each.used > 0)]
  for (const [status, group] of [['closed', empty], ['suspended', taken]] as const) await endSessions(trx, group.map((each) => each.id), { status, reason: wish.name.zh, now: ctx.now })
  const effects = countOf(sessions)
  await recordSupplyChange(trx, ctx, { kind: 'day-set', subject: wish.day, from: wish.day, before: null, after: { ...wish.name, asWeekday: wish.asWeekday }, sessions: effects.closed + effects.suspended, patients: effects.patients })
  return taken.map((each) => each.id)
}
