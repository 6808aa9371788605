/** The screen of a waiting hall: the clinics of a hospital today with the numbers that are called, wait and are done. Numbers only, so that everybody may read it. */
import type { Ctx } from '../ctx.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import type { Db } from '../storage/pool.ts'
import { departmentName } from './departments.ts'
import { queueOrder } from './queue-order.ts'
import { selectSessions } from './session-rows.ts'
import type { HallClinic, HallScreen } from './shapes.ts'

const clinicsMax = 300
const nextMax = 5

/** @param department null: all of the hospital. @returns null when there is no such hospital. */
export async function readHall(db: Db, ctx: Pick<Ctx, 'now'>, organization: string, department: string | null): Promise<HallScreen | null> {
  const provider = await db.selectFrom('clinic_provider').select(['name_zh', 'name_en']).where('organization', '=', organization).executeTakeFirst()
  if (!provider) return null
  const sessions = await selectSessions(db).where('s.organization', '=', organization).where('s.service_date', '=', dayInShanghai(ctx.now)).where('s.status', '=', 'open')
    .$if(department !== null, (query) => query.where('s.department', '=', department as string)).orderBy('s.department').orderBy('s.start_at').orderBy('s.id').limit(clinicsMax).execute()
  const ids = sessions.map((each) => each.id)
  const tickets = ids.length === 0 ? [] : await db.selectFrom('queue_ticket').selectAll().where('session_id', 'in', ids).execute()
  const booked = ids.length === 0 ? [] : await db.selectFrom('booking').select((eb) => ['session_id', eb.fn.countAll<number>().as('count')]).where('session_id', 'in', ids).where('state', '=', 'booked').groupBy('session_id').execute()
  const expected = new Map(booked.map((each) => [each.session_id, Number(each.count)]))
  const clinics = sessions.map((session): HallClinic => {
    const own = tickets.filter((each) => each.session_id === session.id)
    const waiting = queueOrder(own.filter((each) => each.state === 'waiting').map((each) => ({ id: each.booking, number: each.number, segment: each.turn, priority: each.priority, since: Date.parse(each.since) })))
    const called = own.filter((each) => each.state === 'called').sort((a, b) => (a.called_at ?? '') < (b.called_at ?? '') ? 1 : -1)
    return {
      schedule: session.id, department: { code: session.department, name: departmentName(session.department) }, doctor: { zh: session.practitioner_name_zh, en: session.practitioner_name_en },
      place: { zh: session.location_name_zh, en: session.location_name_en }, start: session.start_at, end: session.end_at,
      called: called.map((each) => each.number), next: waiting.slice(0, nextMax).map((each) => each.number),
      waiting: waiting.length, done: own.filter((each) => each.state === 'done').length, expected: expected.get(session.id) ?? 0,
    }
  })
  return { organization, name: { zh: provider.name_zh, en: provider.name_en }, at: ctx.now.toISOString(), clinics: clinics.filter((each) => Date.parse(each.end) > ctx.now.getTime() - 3_600_000 || each.waiting > 0 || each.called.length > 0) }
}
