/**
 * What is open, counted: for each department across the city, and for each hospital of a department by day. One statement
 * each over the sessions of the booking window, by the same rules as `$find`: released, open, not past, a hold that ended
 * takes no place in a session under way.
 */
import { type RawBuilder, sql } from 'kysely'
import { addDays, addMinutes, dayInShanghai } from '../fhir/date-time.ts'
import type { Db } from '../storage/pool.ts'
import { departments } from './departments.ts'
import { platformDefaults } from './parameter-definitions.ts'
import type { DepartmentSummary, HospitalAvailability } from './shapes.ts'

export interface AvailabilityQuestion {
  /** Code of the department catalogue; a level-1 code means its level-2 departments too. */
  department: string
  district: string | null
  /** First and last day; null is the booking window's. */
  from: string | null
  to: string | null
}

/** Places of `s` that can still be booked; segments that are (nearly) over do not count. */
function freePlaces(now: Date): RawBuilder<number> {
  const bookableUntil = addMinutes(now, platformDefaults['window.minLeadMinutes']).toISOString()
  const over = sql`ceil(floor(extract(epoch from ${bookableUntil}::timestamptz - s.start_at) / 60 / s.segment_minutes) * s.capacity / s.segments)`
  return sql<number>`case
    when s.start_at + make_interval(mins => s.segment_minutes) > ${bookableUntil}::timestamptz then s.capacity - s.used
    else (s.capacity - ${over})::int - (select count(*) from booking b where b.session_id = s.id and b.shard = s.shard
      and b.state <> 'cancelled' and (b.held_until is null or b.held_until > ${now.toISOString()}::timestamptz) and b.no > ${over})::int
    end`
}

function openSessions(now: Date): RawBuilder<unknown> {
  const instant = now.toISOString()
  return sql`s.status = 'open' and s.release_at <= ${instant}::timestamptz and s.start_at >= ${addMinutes(now, -720).toISOString()}::timestamptz
    and s.end_at > ${addMinutes(now, platformDefaults['window.minLeadMinutes']).toISOString()}::timestamptz`
}

/** Departments that have a session in the window, with the level-1 departments above them, in catalogue order. */
export async function listDepartments(db: Db, now: Date): Promise<DepartmentSummary[]> {
  const { rows } = await sql<{ department: string; hospitals: number; free: number }>`
    select department, count(*)::int as hospitals, sum(free)::int as free from (
      select s.department, s.organization, sum(${freePlaces(now)}) as free
      from clinic_session s where ${openSessions(now)} group by s.department, s.organization
    ) as by_hospital group by department`.execute(db)
  const found = new Map(rows.map((row) => [row.department, row]))
  const parents = new Set(rows.map((row) => row.department.slice(0, 2)))
  return departments.filter((each) => found.has(each.code) || parents.has(each.code)).map((each) => ({
    code: each.code, parent: each.parent, zh: each.zh, en: each.en, keywords: [...each.keywords],
    hospitals: found.get(each.code)?.hospitals ?? 0, freePlaces: found.get(each.code)?.free ?? 0,
  }))
}

interface HospitalDay {
  organization: string
  name_zh: string
  name_en: string
  level_zh: string
  level_en: string
  district_code: string
  district_zh: string
  district_en: string
  address_zh: string
  address_en: string
  service_date: string
  free: number
  fee_from: bigint
}

/** Hospitals with an open place, the one with the soonest first. */
export async function findHospitals(db: Db, now: Date, question: AvailabilityQuestion): Promise<HospitalAvailability[]> {
  const codes = departments.filter((each) => each.code === question.department || each.parent === question.department).map((each) => each.code)
  const from = question.from ?? dayInShanghai(now)
  const to = question.to ?? addDays(from, platformDefaults['window.daysAhead'])
  const { rows } = await sql<HospitalDay>`
    select s.organization, p.name_zh, p.name_en, p.level_zh, p.level_en, p.district_code, p.district_zh, p.district_en, p.address_zh, p.address_en,
      s.service_date, sum(${freePlaces(now)})::int as free, min(s.fee_fen) as fee_from
    from clinic_session s join clinic_provider p on p.organization = s.organization and p.shard = s.shard
    where s.department = any(${codes}::text[]) and ${openSessions(now)} and s.service_date between ${from}::date and ${to}::date
      ${question.district === null ? sql`` : sql`and p.district_code = ${question.district}`}
    group by s.organization, p.organization, p.shard, s.service_date order by s.service_date, s.organization`.execute(db)
  return hospitalsOf(rows.filter((row) => row.free > 0))
}

/** The pure part: rows by day, soonest first → one entry a hospital. */
function hospitalsOf(rows: readonly HospitalDay[]): HospitalAvailability[] {
  const byHospital = new Map<string, HospitalAvailability>()
  for (const row of rows) {
    const hospital = byHospital.get(row.organization) ?? {
      organization: row.organization,
      name: { zh: row.name_zh, en: row.name_en },
      level: { zh: row.level_zh, en: row.level_en },
      district: { code: row.district_code, zh: row.district_zh, en: row.district_en },
      address: { zh: row.address_zh, en: row.address_en },
      days: [], free: 0, feeFromFen: Number(row.fee_from),
    }
    hospital.days.push({ date: row.service_date, free: row.free })
    hospital.free += row.free
    hospital.feeFromFen = Math.min(hospital.feeFromFen, Number(row.fee_from))
    byHospital.set(row.organization, hospital)
  }
  return [...byHospital.values()].sort((a, b) => soonest(a).localeCompare(soonest(b)) || b.free - a.free || (a.organization < b.organization ? -1 : 1))
}

function soonest(hospital: HospitalAvailability): string {
  return hospital.days[0]?.date ?? ''
}
