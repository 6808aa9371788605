/**
 * What an audit administrator looks for first: patterns in the log that a proper use seldom leaves. Each is a question to ask, not a finding.
 * A row of the table is one pattern; all look at professionals and at one span of time. The chain of daily digests is checked beside them.
 */
import { type RawBuilder, sql } from 'kysely'
import type { AuditAnomaly, AuditReview } from '../access/shapes.ts'
import { signInRequired } from '../access/may-write.ts'
import { brokenDay } from '../audit/seal-days.ts'
import type { Ctx } from '../ctx.ts'
import { addDays, dayInShanghai, startOfDay } from '../fhir/date-time.ts'
import { forbidden } from '../fhir/outcome.ts'
import { typeCode } from '../fhir/resource-types.ts'
import type { Db } from '../storage/pool.ts'

/** Patients a professional opens in one hour before it is asked why. */
const patientsPerHourMax = 30
const refusalsMax = 3
/** Patients a professional opens in one night, none of them seen around that time, before it is asked why. */
const nightPatientsMin = 3
const listMax = 100
const daysShown = 7

interface Row { principal_id: string; principal_name: string; role: string | null; organization_name: string | null; patient_id: string | null; count: number; first_at: string; last_at: string }

const patientId = sql`(select substring(r.content from '"id":"([^"]+)"') from resource r where r.t = ${sql.raw(String(typeCode('Patient')))} and r.id = e.pid)`
const who = sql`e.principal_id, min(e.principal_name) as principal_name, min(e.role) as role, min(e.organization_name) as organization_name`
const when = sql`min(e.recorded_at) as first_at, max(e.recorded_at) as last_at`
const clinical = sql`e.role in ('clinician', 'gp') and e.pid is not null`

type Pattern = (from: Date, until: Date) => RawBuilder<Row>

const patterns: readonly { kind: AuditAnomaly['kind']; rows: Pattern }[] = [
  { kind: 'own-name', rows: (from, until) => sql<Row>`select ${who}, ${patientId} as patient_id, count(*)::int as count, ${when} from audit_event e
    where ${clinical} and e.outcome < 400 and ${within(from, until)}
      and exists (select from resource r where r.t = ${sql.raw(String(typeCode('Patient')))} and r.id = e.pid and position('"text":"' || e.principal_name || '"' in r.content) > 0)
    group by e.principal_id, e.pid order by max(e.recorded_at) desc limit ${listMax}` },
  { kind: 'many-records', rows: (from, until) => sql<Row>`select ${who}, null as patient_id, count(distinct e.pid)::int as count, ${when} from audit_event e
    where ${clinical} and e.outcome < 400 and ${within(from, until)}
    group by e.principal_id, date_trunc('hour', e.recorded_at) having count(distinct e.pid) > ${patientsPerHourMax} order by count(distinct e.pid) desc limit ${listMax}` },
  { kind: 'no-visit', rows: (from, until) => sql<Row>`select ${who}, ${patientId} as patient_id, count(*)::int as count, ${when} from audit_event e
    where ${clinical} and e.outcome < 400 and e.action = 'R' and e.basis = 'appointment' and ${within(from, until)}
      and not exists (select from resource v where v.t = ${sql.raw(String(typeCode('Encounter')))} and v.pid = e.pid and v.d0 >= e.recorded_at - interval '31 days' and v.d0 < e.recorded_at + interval '2 days')
      and not exists (select from booking b where b.pid = e.pid and b.practitioner = e.practitioner and b.state <> 'cancelled' and b.start_at > e.recorded_at - interval '2 days' and b.start_at < e.recorded_at + interval '2 days')
    group by e.principal_id, e.pid order by max(e.recorded_at) desc limit ${listMax}` },
  // From ten in the evening to six in the morning; a night belongs to the day on which it begins.
  { kind: 'night', rows: (from, until) => sql<Row>`select ${who}, null as patient_id, count(distinct e.pid)::int as count, ${when} from audit_event e
    where ${clinical} and e.outcome < 400 and e.action = 'R' and e.basis is distinct from 'break-glass' and ${within(from, until)}
      and ((e.recorded_at at time zone 'Asia/Shanghai')::time >= time '22:00' or (e.recorded_at at time zone 'Asia/Shanghai')::time < time '06:00')
      and not exists (select from resource v where v.t = ${sql.raw(String(typeCode('Encounter')))} and v.pid = e.pid and v.d0 < e.recorded_at + interval '12 hours' and v.d1 > e.recorded_at - interval '12 hours')
    group by e.principal_id, ((e.recorded_at at time zone 'Asia/Shanghai') - interval '12 hours')::date having count(distinct e.pid) >= ${nightPatientsMin} order by max(e.recorded_at) desc limit ${listMax}` },
  { kind: 'refused', rows: (from, until) => sql<Row>`select ${who}, ${patientId} as patient_id, count(*)::int as count, ${when} from audit_event e
    where e.pid is not null and e.outcome >= 400 and e.principal_kind = 'person' and ${within(from, until)}
    group by e.principal_id, e.pid having count(*) >= ${refusalsMax} order by count(*) desc limit ${listMax}` },
]

function within(from: Date, until: Date): RawBuilder<unknown> {
  return sql`e.recorded_at >= ${from} and e.recorded_at < ${until}`
}

/** Throws sign-in-required and forbidden. @param day last day of the span; today when null. */
export async function reviewAudit(db: Db, ctx: Ctx, day: string | null): Promise<AuditReview> {
  const { principal } = ctx
  if (principal.kind === 'anonymous') throw signInRequired()
  if (principal.kind !== 'person' || principal.role !== 'admin-audit' || principal.scopes.length > 0) throw forbidden()
  const last = day ?? dayInShanghai(ctx.now)
  const from = addDays(last, 1 - daysShown)
  const anomalies: AuditAnomaly[] = []
  for (const { kind, rows: pattern } of patterns) {
    const { rows } = await pattern(startOfDay(from), startOfDay(addDays(last, 1))).execute(db)
    anomalies.push(...rows.map((row) => ({
      kind, account: row.principal_id, name: row.principal_name, role: row.role, organization: row.organization_name, patient: row.patient_id, count: row.count, first: row.first_at, last: row.last_at,
    })))
  }
  const sealed = await db.selectFrom('audit_day').select((eb) => eb.fn.max('day').as('day')).executeTakeFirst()
  return { from, until: last, anomalies, sealedUntil: sealed?.day ?? null, brokenDay: await brokenDay(db) }
}
