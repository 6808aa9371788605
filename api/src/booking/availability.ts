/**
 * What is open, counted: for each department across the city, and for each hospital of a department by day. Out of memory
 * (open-sessions.ts), by the same rules as `$find`.
 */
import type { Selectable } from 'kysely'
import { addDays, addMinutes, dayInShanghai } from '../fhir/date-time.ts'
import type { Db } from '../storage/pool.ts'
import type { ClinicProviderTable } from '../storage/tables.ts'
import type { Channel } from './channels.ts'
import { departments } from './departments.ts'
import { freeBySegment, type OpenSession, openSessions } from './open-sessions.ts'
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

const everybody: ReadonlySet<Channel> = new Set(['public'])

function freeOf(session: OpenSession, now: Date): number {
  return freeBySegment(session, everybody, now).reduce((sum, { places }) => sum + places.length, 0)
}

/** Released, and not over. */
function isOpen({ row, parameters }: OpenSession, now: Date): boolean {
  return row.status === 'open' && Date.parse(row.release_at) <= now.getTime() && Date.parse(row.end_at) > addMinutes(now, parameters['window.minLeadMinutes']).getTime()
}

/** Departments that have a session in the window, with the level-1 departments above them, in catalogue order. */
export async function listDepartments(db: Db, now: Date): Promise<DepartmentSummary[]> {
  const { byDepartment } = await openSessions(db, now)
  const found = new Map<string, { hospitals: number; free: number }>()
  for (const [department, sessions] of byDepartment) {
    const open = sessions.filter((each) => isOpen(each, now))
    if (open.length > 0) found.set(department, { hospitals: new Set(open.map((each) => each.row.organization)).size, free: open.reduce((sum, each) => sum + freeOf(each, now), 0) })
  }
  const parents = new Set([...found.keys()].map((code) => code.slice(0, 2)))
  return departments.filter((each) => found.has(each.code) || parents.has(each.code)).map((each) => ({
    code: each.code, parent: each.parent, zh: each.zh, en: each.en, keywords: [...each.keywords],
    hospitals: found.get(each.code)?.hospitals ?? 0, freePlaces: found.get(each.code)?.free ?? 0,
  }))
}

type HospitalDay = Provider & { service_date: string; free: number; fee_from: number }
type Provider = Omit<Selectable<ClinicProviderTable>, 'shard' | 'level_code' | 'latitude' | 'longitude'>

/** Hospitals with an open place, the one with the soonest first. */
export async function findHospitals(db: Db, now: Date, question: AvailabilityQuestion): Promise<HospitalAvailability[]> {
  const codes = departments.filter((each) => each.code === question.department || each.parent === question.department).map((each) => each.code)
  const from = question.from ?? dayInShanghai(now)
  const to = question.to ?? addDays(from, platformDefaults['window.daysAhead'])
  const { byDepartment } = await openSessions(db, now)
  const days = new Map<string, { organization: string; service_date: string; free: number; fee_from: number }>()
  for (const session of codes.flatMap((code) => byDepartment.get(code) ?? [])) {
    const { row } = session
    if (row.service_date < from || row.service_date > to || !isOpen(session, now) || (question.district !== null && row.district_code !== question.district)) continue
    const key = `${row.service_date} ${row.organization}`
    const day = days.get(key) ?? { organization: row.organization, service_date: row.service_date, free: 0, fee_from: Number(row.fee_fen) }
    days.set(key, { ...day, free: day.free + freeOf(session, now), fee_from: Math.min(day.fee_from, Number(row.fee_fen)) })
  }
  const providers = await providersOf(db)
  const rows = [...days].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, day]): HospitalDay[] => {
    const provider = providers.get(day.organization)
    return provider && day.free > 0 ? [{ ...provider, ...day }] : []
  })
  return hospitalsOf(rows)
}

async function providersOf(db: Db): Promise<Map<string, Provider>> {
  const rows = await db.selectFrom('clinic_provider').select([
    'organization', 'name_zh', 'name_en', 'level_zh', 'level_en', 'district_code', 'district_zh', 'district_en', 'address_zh', 'address_en',
  ]).execute()
  return new Map(rows.map((row) => [row.organization, row]))
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
      days: [], free: 0, feeFromFen: row.fee_from,
    }
    hospital.days.push({ date: row.service_date, free: row.free })
    hospital.free += row.free
    hospital.feeFromFen = Math.min(hospital.feeFromFen, row.fee_from)
    byHospital.set(row.organization, hospital)
  }
  return [...byHospital.values()].sort((a, b) => soonest(a).localeCompare(soonest(b)) || b.free - a.free || (a.organization < b.organization ? -1 : 1))
}

function soonest(hospital: HospitalAvailability): string {
  return hospital.days[0]?.date ?? ''
}
