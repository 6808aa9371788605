/**
 * What the portal shows of the waitlist and of missed visits: the place in the list, when an offer may be expected, what is offered; how the
 * patient stands this year and what may be objected to. Who may ask is decided by the caller (http/waiting-routes.ts).
 */
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { addDays, dayInShanghai } from '../fhir/date-time.ts'
import type { Db } from '../storage/pool.ts'
import { absencesOf, loadStanding, untilOf } from './absences.ts'
import { departmentName } from './departments.ts'
import { parametersFor, regionOf } from './parameters.ts'
import type { AbsenceView, OpenAppeal, StandingView, WaitView } from './shapes.ts'
import { waitingIn } from './wait-rows.ts'
import { expectedDays, waitOrder } from './waitlist-order.ts'

/** Days over which returned places are counted to say when an offer may be expected. */
const countedDays = 28

export async function readWaits(db: Db, ctx: Ctx, pid: string): Promise<WaitView[]> {
  const entries = await db.selectFrom('wait_entry as w').innerJoin('clinic_provider as p', 'p.organization', 'w.organization')
    .selectAll('w').select(['p.name_zh', 'p.name_en', 'p.district_code']).where('w.pid', '=', pid).where('w.state', 'in', ['waiting', 'offered']).orderBy('w.joined_at').execute()
  return Promise.all(entries.map(async (entry): Promise<WaitView> => {
    const list = await waitingIn(db, entry.organization, entry.department)
    const numbers = await parametersFor(db, { region: regionOf(entry.district_code), organization: entry.organization, department: entry.department, healthcareService: '' }, ctx.now)
    const order = waitOrder(list.map((each) => ({
      id: each.id, priority: each.priority, since: Date.parse(each.joined_at), distanceMetres: each.distance_m, bookedAt: each.booked_at === null ? null : Date.parse(each.booked_at),
    })), numbers['waitlist.sameWaitMinutes'] * 60_000)
    const ahead = Math.max(0, order.findIndex(({ id }) => id === entry.id))
    const offer = entry.offer === null ? undefined : await db.selectFrom('booking').select(['appointment', 'start_at']).where('id', '=', entry.offer).executeTakeFirst()
    return {
      appointment: entry.appointment, organization: { id: entry.organization, name: { zh: entry.name_zh, en: entry.name_en } },
      department: { code: entry.department, name: { ...departmentName(entry.department) } }, from: entry.from_day, until: entry.until_day, half: entry.half, priority: entry.priority,
      ahead, ...expectation(ctx, expectedDays(ahead, await returnedPerDay(db, ctx, entry.organization, entry.department)), entry.until_day), distanceMetres: entry.distance_m, deadline: entry.deadline_at, autoAccept: entry.auto_accept,
      offer: offer && entry.answer_until !== null ? { appointment: offer.appointment, start: offer.start_at, until: entry.answer_until } : null,
    }
  }))
}

/** The day of an expected offer; null also when it would come after the last day that suits. */
function expectation({ now }: Ctx, days: number | null, until: string): Pick<WaitView, 'expectedDays' | 'expectedDate'> {
  const day = days === null ? null : addDays(dayInShanghai(now), days)
  return { expectedDays: days, expectedDate: day !== null && day <= until ? day : null }
}

async function returnedPerDay(db: Db, ctx: Ctx, organization: string, department: string): Promise<number> {
  const since = addDays(dayInShanghai(ctx.now), -countedDays)
  const { rows } = await sql<{ places: number }>`select count(*)::int as places from wait_log
    where organization = ${organization} and department = ${department} and event = 'returned' and at >= ${since}::date`.execute(db)
  return (rows[0]?.places ?? 0) / countedDays
}

/** @param district code of any hospital of the city; its region's numbers count. */
export async function readStanding(db: Db, ctx: Ctx, pid: string, district: string): Promise<StandingView> {
  const region = regionOf(district)
  const standing = await loadStanding(db, ctx, pid, region)
  const numbers = await parametersFor(db, { region, organization: '', department: '', healthcareService: '' }, ctx.now)
  const today = dayInShanghai(ctx.now)
  const rows = await absencesOf(db, pid, addDays(today, -365))
  return {
    missed: standing.missed, late: standing.lateLeft, barredUntil: untilOf(standing),
    levels: [
      { missed: numbers['noshow.level1.count'], days: numbers['noshow.level1.days'] }, { missed: numbers['noshow.level2.count'], days: numbers['noshow.level2.days'] },
    ],
    latePerMissed: numbers['cancel.latePerNoShow'],
    absences: rows.map((row): AbsenceView => ({
      appointment: row.appointment, kind: row.kind, day: row.day, department: { ...departmentName(row.department) }, excused: row.excused,
      appeal: row.appealed_at === null ? null : { text: row.appeal_text ?? '', at: row.appealed_at }, decision: row.decided_at === null ? null : { text: row.decision_text, at: row.decided_at },
      mayAppeal: row.appealed_at === null && row.decided_at === null && today <= addDays(row.day, numbers['noshow.appealDays']),
    })),
  }
}

/** Objections that wait for a hospital's decision, oldest first. */
export async function openAppeals(db: Db, organization: string): Promise<OpenAppeal[]> {
  const rows = await db.selectFrom('absence').selectAll().where('organization', '=', organization).where('appealed_at', 'is not', null).where('decided_at', 'is', null)
    .orderBy('appealed_at').limit(200).execute()
  return rows.map((row) => ({
    appointment: row.appointment, patient: row.patient, kind: row.kind, day: row.day, department: { ...departmentName(row.department) }, text: row.appeal_text ?? '', at: row.appealed_at ?? '',
  }))
}
