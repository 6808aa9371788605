/** What a scheduler keeps of a department: weekly patterns, services, doctors, rooms; what is released when in the days to come; and the history of changes. */
import { type SqlBool, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import type { Db } from '../storage/pool.ts'
import { ownHospital, timesOf } from './change-pattern.ts'
import { departmentName, departments } from './departments.ts'
import { listDoctors, works } from './doctors.ts'
import { listRooms } from './rooms.ts'
import { listServices } from './services.ts'
import type { ReleaseRow, SupplySheet } from './shapes.ts'
import { listSupplyChanges } from './supply-changes.ts'

const patternsMax = 1000
const releasesMax = 500

/** @param department null: the first of the hospital. @throws OutcomeError `forbidden`. */
export async function readSupply(db: Db, ctx: Ctx, department: string | null): Promise<SupplySheet> {
  const organization = ownHospital(ctx)
  const today = dayInShanghai(ctx.now)
  const services = await listServices(db, organization)
  const codes = [...new Set(services.map((each) => each.department))]
  const chosen = department !== null && codes.includes(department) ? department : codes[0] ?? ''
  const rows = await db.selectFrom('session_template').selectAll().where('organization', '=', organization).where('department', '=', chosen)
    .where((eb) => eb.or([eb('valid_until', 'is', null), eb('valid_until', '>=', today)])).where(sql<SqlBool>`valid_from <= coalesce(valid_until, 'infinity')`)
    .orderBy('practitioner_name_zh').orderBy('practitioner').orderBy('weekday').orderBy('start_time').limit(patternsMax).execute()
  return {
    department: chosen, departments: codes.map((code) => ({ code, name: { ...departmentName(code) } })), rooms: await listRooms(db, ctx, organization),
    doctors: (await listDoctors(db, organization, chosen)).filter((each) => works(each, today)).map((each) => ({
      id: each.practitioner, name: each.name, title: each.title, patterns: rows.filter((row) => row.practitioner === each.practitioner).length, leftFrom: each.leftFrom,
    })),
    services: services.filter((each) => each.department === chosen).map((each) => ({
      id: each.id, clinicType: each.clinicType, patterns: rows.filter((row) => row.healthcare_service === each.id && row.clinic_type === each.clinicType).length, closedFrom: each.closedFrom,
    })),
    catalogue: departments.map(({ code, zh, en }) => ({ code, name: { zh, en } })),
    patterns: rows.map((row) => ({
      id: row.id, doctor: { id: row.practitioner, name: { zh: row.practitioner_name_zh, en: row.practitioner_name_en } }, title: row.title, clinicType: row.clinic_type, service: row.healthcare_service,
      times: timesOf(row), roomName: { zh: row.location_name_zh, en: row.location_name_en }, from: row.valid_from, until: row.valid_until,
    })),
    changes: await listSupplyChanges(db, organization),
  }
}

/** What of the hospital is released from now on, by instant and day of the clinics. @throws OutcomeError `forbidden`. */
export async function readReleases(db: Db, ctx: Ctx): Promise<ReleaseRow[]> {
  const { rows } = await sql<{ release_at: string; day: string; sessions: number; places: number; gp: number; follow_up: number; onsite: number; drawn: number }>`
    select s.release_at, s.service_date as day, count(*)::int as sessions, sum(s.capacity)::int as places,
      sum(length(s.channels) - length(replace(s.channels, 'g', '')))::int as gp, sum(length(s.channels) - length(replace(s.channels, 'f', '')))::int as follow_up,
      sum(length(s.channels) - length(replace(s.channels, 'w', '')))::int as onsite, count(d.session_id)::int as drawn
    from clinic_session s left join draw d on d.session_id = s.id and d.shard = s.shard
    where s.organization = ${ownHospital(ctx)} and s.status = 'open' and s.release_at > ${ctx.now.toISOString()}::timestamptz and s.start_at > ${ctx.now.toISOString()}::timestamptz
    group by 1, 2 order by 1, 2 limit ${releasesMax}`.execute(db)
  return rows.map((row) => ({ releaseAt: row.release_at, day: row.day, sessions: row.sessions, places: row.places, gp: row.gp, followUp: row.follow_up, onsite: row.onsite, drawn: row.drawn }))
}
