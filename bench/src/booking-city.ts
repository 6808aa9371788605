/** A city to book in: hospitals, doctors with weekly patterns, citizens with a token of their own. Built by counting. */
import type { Resource } from '@medplum/fhirtypes'
import { anonymous } from '../../api/src/access/principal.ts'
import { issueToken } from '../../api/src/access/tokens.ts'
import { generateSessions, insertTemplates, type ProviderRow, registerProviders, type TemplateRow } from '../../api/src/booking/generate-sessions.ts'
import { readConfig } from '../../api/src/config.ts'
import { addDays, dayInShanghai } from '../../api/src/fhir/date-time.ts'
import { newResourceId } from '../../api/src/fhir/id.ts'
import { loadModel } from '../../api/src/fhir/model.ts'
import { tokenAuthority } from '../../api/src/platform-services.ts'
import { bulkLoad } from '../../api/src/records/bulk-load.ts'
import { connect, type Db } from '../../api/src/storage/pool.ts'
import { inTransaction } from '../../api/src/storage/transaction.ts'
import type { Servers } from './servers.ts'

export interface Person { patient: string; token: string }

const daysAhead = 14
/** Open places, as a city grows. */
export const sizes = [10_000, 100_000, 1_000_000] as const
/** Places of a half-day of them. */
export const capacity = 16
export const today = () => dayInShanghai(new Date())

/** Citizens with a Patient and a token; the platform has seen each token, as of somebody who was looking before the release. */
export async function citizens(servers: Servers, db: Db, count: number): Promise<Person[]> {
  const ids = Array.from({ length: count }, () => newResourceId(null))
  const pool = connect(servers.databaseUrl, { max: 2, statementTimeoutMs: 0 })
  const patients = function* (): Generator<Resource> {
    for (const [n, id] of ids.entries()) yield { resourceType: 'Patient', id, gender: n % 2 === 0 ? 'female' : 'male', birthDate: '1980-05-01', name: [{ use: 'official', text: `市民${n}` }] }
  }
  await bulkLoad(pool, { model: loadModel() }, patients(), new Date())
  await pool.end({ timeout: 1 })
  const authority = await tokenAuthority(readConfig(servers.environment), db, new Date())
  const people: Person[] = []
  for (const patient of ids) {
    const principal = { ...anonymous, kind: 'person' as const, id: `account-${patient}`, name: '市民', role: 'citizen' as const, patient }
    people.push({ patient, token: await issueToken(authority, principal, new Date(), 60, newResourceId(null)) })
  }
  return people
}

/** Places as a benchmark counts them: all for everybody, released long ago, no gap between visits to a doctor. */
export async function plainNumbers(db: Db): Promise<void> {
  const numbers = { 'quota.gpReferral': 0, 'quota.followUp': 0, 'quota.onsite': 0, 'release.groupMinutes': 0, 'limit.sameDoctor.gapDays': 0, 'limit.openFuture': 20, 'window.daysAhead': 28 }
  await db.insertInto('booking_parameter').values(Object.entries(numbers).map(([name, value]) => ({
    scope: 'city' as const, scope_id: '310000', name, value, from_at: '2020-01-01T00:00:00Z', until_at: null, set_by: 'bench',
  }))).execute()
}

const districts = ['310101', '310104', '310105', '310106', '310107', '310109', '310110', '310112', '310113', '310115'] as const
const departments = ['02', '03.01', '03.02', '03.03', '03.04', '03.05', '04.01', '04.02', '04.03', '05.01', '07', '08', '10', '11', '12', '13', '14', '15'] as const
const families = ['陈', '王', '李', '张', '刘', '杨', '黄', '赵', '周', '吴', '徐', '孙', '马', '朱', '胡', '林', '郭', '何', '高', '罗'] as const
const given = ['志远', '晓明', '建国', '丽华', '文静', '海燕', '国强', '春梅', '思雨', '子涵', '明轩', '秀英', '伟', '芳', '敏', '静'] as const

export function hospitalId(n: number): string {
  return `01930000-0000-7${(n * 97 % 4096).toString(16).padStart(3, '0')}-8000-${n.toString(16).padStart(12, '0')}`
}

export function provider(n: number): ProviderRow {
  const district = districts[n % districts.length] as string
  return {
    organization: hospitalId(n), name_zh: `浦江第${n}医院`, name_en: `Pujiang Hospital ${n}`, level_code: '02', level_zh: '三级甲等', level_en: 'Tertiary A',
    district_code: district, district_zh: '某区', district_en: 'A district', address_zh: `某路 ${n} 号`, address_en: `${n} Some Road`,
    latitude: 31.1 + (n % 7) * 0.03, longitude: 121.3 + (n % 9) * 0.03,
  }
}

/** The n-th pattern: a weekday, a half-day, a department and a doctor of a hospital. */
export function pattern(n: number, of: { hospital: number; doctor: number; weekday: number; half: 'am' | 'pm' | 'night'; capacity: number; segmentMinutes?: number; department?: string; days?: { from: string; until: string } }): TemplateRow {
  const id = (kind: string) => `0193${kind}-0000-7000-8000-${of.doctor.toString(16).padStart(12, '0')}`
  const [start, end] = ({ am: ['08:00', '12:00'], pm: ['13:00', '17:00'], night: ['17:30', '20:30'] } as const)[of.half]
  return {
    id: newResourceId(null), organization: hospitalId(of.hospital), department: of.department ?? departments[of.doctor % departments.length] as string, healthcare_service: id('00c1'),
    practitioner_role: id('00e1'), practitioner: id('00d1'), practitioner_name_zh: `${families[of.doctor % families.length]}${given[Math.floor(of.doctor / families.length) % given.length]}`,
    practitioner_name_en: `Doctor ${of.doctor}`, location: id('00f1'), location_name_zh: '门诊楼', location_name_en: 'Outpatient building', weekday: of.weekday, half: of.half,
    start_time: start, end_time: end, clinic_type: (['expert', 'ordinary', 'disease-specific', 'special-need'] as const)[n % 4] as 'expert', title: (['chief', 'associate-chief', 'attending'] as const)[n % 3] as 'chief',
    fee_fen: BigInt(1000 + (n % 5) * 1000), capacity: of.capacity, segment_minutes: of.segmentMinutes ?? 30, valid_from: of.days?.from ?? '2026-01-01', valid_until: of.days?.until ?? null,
  }
}

/** Enters patterns and makes their sessions. @returns ids of the sessions, by start. */
export async function openClinics(db: Db, templates: readonly TemplateRow[], from = today()): Promise<string[]> {
  const hospitals = new Set(templates.map((each) => each.organization))
  await inTransaction(db, async (trx) => {
    await registerProviders(trx, Array.from({ length: 40 }, (_, n) => provider(n)).filter((each) => hospitals.has(each.organization)))
    await insertTemplates(trx, templates)
  })
  await generateSessions(db, from, daysAhead)
  const first = templates[0]
  if (!first || templates.length > 2000) return []
  const rows = await db.selectFrom('clinic_session').select('id').where('template_id', 'in', templates.map((each) => each.id)).orderBy('start_at').orderBy('id').execute()
  return rows.map(({ id }) => id)
}

/** A day a number of days from now, and its weekday, 1 Monday. */
export function dayAhead(days: number): { day: string; weekday: number } {
  const day = addDays(today(), days)
  return { day, weekday: ((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7) + 1 }
}

/** Adds doctors with a half-day until so many places are open, spread over the days and hospitals. */
export async function grow(db: Db, places: number): Promise<void> {
  const there = Number((await db.selectFrom('session_template').select(({ fn }) => fn.countAll<bigint>().as('n')).executeTakeFirstOrThrow()).n)
  await openClinics(db, Array.from({ length: places / capacity - there }, (_, index) => {
    const n = there + index
    const { day, weekday } = dayAhead(1 + (n % (daysAhead - 1)))
    return pattern(n, { hospital: n % 40, doctor: n % 60_000, weekday, half: n % 2 === 0 ? 'am' : 'pm', capacity, days: { from: day, until: day } })
  }))
}
