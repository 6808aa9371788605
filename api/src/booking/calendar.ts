/**
 * The working calendar: days that do not follow their weekday, of the whole city or of one hospital. A day without clinics has no
 * `as_weekday`; a weekend day that is worked instead names the weekday whose clinics are held. From November on, somebody has to have
 * entered the next year: `calendarAlarm` says when it is missing or only provisional, and hospitals get a notice.
 */
import type { Ctx } from '../ctx.ts'
import { addDays, dayInShanghai, isDate } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import { fail, forbidden } from '../fhir/outcome.ts'
import { writeNotices } from '../notices/write-notices.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { CalendarDay, CalendarSheet, Named } from './shapes.ts'

/** The notice for a year comes out in November of the year before. */
const alarmMonth = '11'

export type CalendarAlarm = 'missing' | 'provisional' | null

/** What is wrong with the calendar of the year to come; null until November and when all is well. Pure. */
export function alarmOf(today: string, days: readonly { day: string; provisional: boolean }[]): CalendarAlarm {
  if (today.slice(5, 7) < alarmMonth) return null
  const next = days.filter((each) => each.day.startsWith(nextYear(today)))
  if (next.length === 0) return 'missing'
  return next.some((each) => each.provisional) ? 'provisional' : null
}

function nextYear(today: string): string {
  return String(Number(today.slice(0, 4)) + 1)
}

/** The days of the city from today on, with those of a hospital in their place. */
export async function readCalendar(db: Db, ctx: Ctx, organization: string | null): Promise<CalendarSheet> {
  const today = dayInShanghai(ctx.now)
  const rows = await db.selectFrom('calendar_day').selectAll().where('day', '>=', addDays(today, -31)).where('organization', 'in', ['', organization ?? '']).orderBy('day').orderBy('organization').execute()
  const days = rows.map((row): CalendarDay => ({
    day: row.day, asWeekday: row.as_weekday, name: { zh: row.name_zh, en: row.name_en }, provisional: row.provisional, ownRule: row.organization !== '',
  }))
  return { days: [...new Map(days.map((each) => [each.day, each])).values()], alarm: alarmOf(today, rows.filter((row) => row.organization === '')), year: nextYear(today) }
}

export interface CalendarWish { day: string; asWeekday: number | null; name: Named; city: boolean }

/** Enters or changes a day. Sessions that are there already stay: those are suspended, so that people are told. */
export async function setCalendarDay(trx: Trx, ctx: Ctx, wish: CalendarWish): Promise<void> {
  const { principal, now } = ctx
  const organization = wish.city ? '' : principal.organization
  if (principal.kind !== 'person' || organization === null || principal.role !== (wish.city ? 'admin-system' : 'scheduler')) throw forbidden()
  if (!isDate(wish.day) || wish.day.length !== 10 || wish.day < dayInShanghai(now)) {
    throw fail('parameter-invalid', { zh: '日期应为今天或以后，例如 2026-12-01。', en: 'Give a day from today on, such as 2026-12-01.' }, 'day')
  }
  const row = { as_weekday: wish.asWeekday, name_zh: wish.name.zh, name_en: wish.name.en, provisional: false, set_by: principal.id, set_at: now }
  await trx.insertInto('calendar_day').values({ ...row, day: wish.day, organization })
    .onConflict((conflict) => conflict.columns(['day', 'organization']).doUpdateSet(row)).execute()
}

/** Tells every hospital once when next year's calendar is missing or provisional. @returns how many notices were new. */
export async function raiseCalendarAlarm(db: Db, ctx: Ctx): Promise<number> {
  const { alarm, year } = await readCalendar(db, ctx, null)
  if (alarm === null) return 0
  const hospitals = await db.selectFrom('clinic_provider').select('organization').execute()
  return inTransaction(db, (trx) => writeNotices(trx, ctx, hospitals.map(({ organization }) => ({
    recipient: { kind: 'organization' as const, id: organization }, kind: `calendar-${alarm}`, params: { year }, appointment: null,
    key: keyOf(`calendar-${alarm}-${year}-${organization}`),
  }))))
}
