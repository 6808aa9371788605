/** What the scheduler of a hospital sees: the sessions of some days with places, quotas and release, and the doctors who may substitute. */
import type { Ctx } from '../ctx.ts'
import { addDays } from '../fhir/date-time.ts'
import { forbidden } from '../fhir/outcome.ts'
import type { Db } from '../storage/pool.ts'
import { departmentName } from './departments.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'
import type { Roster, RosterSession } from './shapes.ts'

const daysMax = 14
const sessionsMax = 2000

/** @param from day in Shanghai. @throws OutcomeError `forbidden`. */
export async function readRoster(db: Db, ctx: Ctx, from: string, days: number): Promise<Roster> {
  const { principal } = ctx
  if (principal.kind !== 'person' || principal.role !== 'scheduler' || principal.organization === null) throw forbidden()
  const rows = await selectSessions(db).where('s.organization', '=', principal.organization).where('s.service_date', '>=', from)
    .where('s.service_date', '<', addDays(from, Math.min(days, daysMax))).orderBy('s.start_at').orderBy('s.department').orderBy('s.id').limit(sessionsMax).execute()
  const doctors = await db.selectFrom('session_template').select(['practitioner', 'practitioner_name_zh', 'practitioner_name_en', 'department']).distinct()
    .where('organization', '=', principal.organization).where((eb) => eb.or([eb('valid_until', 'is', null), eb('valid_until', '>=', from)])).execute()
  return {
    sessions: rows.map(rosterSession),
    doctors: doctors.map((each) => ({ id: each.practitioner, name: { zh: each.practitioner_name_zh, en: each.practitioner_name_en }, department: each.department })),
  }
}

function rosterSession(row: SessionRow): RosterSession {
  const count = (letter: string) => [...row.channels].filter((each) => each === letter).length
  return {
    id: row.id, department: { code: row.department, name: departmentName(row.department) },
    practitioner: { id: row.practitioner, name: { zh: row.practitioner_name_zh, en: row.practitioner_name_en } },
    title: row.title, clinicType: row.clinic_type, date: row.service_date, half: row.half, start: row.start_at, end: row.end_at, status: row.status,
    capacity: row.capacity, used: row.used, releaseAt: row.release_at, quotas: { gp: count('g'), followUp: count('f'), onsite: count('w') },
    substituted: row.substitute_for !== null, reason: row.status_reason,
  }
}
