/**
 * From weekly pattern to half-days: one statement makes the sessions of a span of days for every template in force.
 * Invariant: a session's id is a function of its template and day (UUIDv7 whose time is that day's midnight in Shanghai,
 * whose shard is the organization's and whose random part is md5 of both), so running it again adds nothing, and two
 * runs at once agree. Source: domain rules of session and segment, docs/booking.md.
 */
import { type Insertable, sql } from 'kysely'
import { keyOf, shardOf } from '../fhir/id.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { ClinicProviderTable, SessionTemplateTable } from '../storage/tables.ts'
import { platformDefaults } from './parameters.ts'

/** A hospital as booking shows it; `shard` follows from the organization. */
export type ProviderRow = Omit<Insertable<ClinicProviderTable>, 'shard'>
/** A weekly pattern; `shard` follows from the organization. Times are `HH:MM`, days `YYYY-MM-DD`. */
export type TemplateRow = Omit<Insertable<SessionTemplateTable>, 'shard'>

const rowsPerStatement = 1000

/** Shard of everything that one hospital's clinics own. */
export function organizationShard(organization: string): number {
  return shardOf(keyOf(organization))
}

/** Enters or renames hospitals. Call before `insertTemplates`. */
export async function registerProviders(trx: Trx, rows: readonly ProviderRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += rowsPerStatement) {
    const chunk = rows.slice(from, from + rowsPerStatement).map((row) => ({ ...row, shard: organizationShard(row.organization) }))
    await trx.insertInto('clinic_provider').values(chunk)
      .onConflict((conflict) => conflict.columns(['organization', 'shard']).doUpdateSet((eb) => ({
        name_zh: eb.ref('excluded.name_zh'), name_en: eb.ref('excluded.name_en'),
        level_code: eb.ref('excluded.level_code'), level_zh: eb.ref('excluded.level_zh'), level_en: eb.ref('excluded.level_en'),
        district_code: eb.ref('excluded.district_code'), district_zh: eb.ref('excluded.district_zh'), district_en: eb.ref('excluded.district_en'),
        address_zh: eb.ref('excluded.address_zh'), address_en: eb.ref('excluded.address_en'),
      }))).execute()
  }
}

/** Enters weekly patterns; one whose id is there already stays as it was. */
export async function insertTemplates(trx: Trx, rows: readonly TemplateRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += rowsPerStatement) {
    const chunk = rows.slice(from, from + rowsPerStatement).map((row) => ({ ...row, shard: organizationShard(row.organization) }))
    await trx.insertInto('session_template').values(chunk).onConflict((conflict) => conflict.columns(['id', 'shard']).doNothing()).execute()
  }
}

/**
 * Makes the sessions of `days` days from `from` (a day in Shanghai). Idempotent; a single statement, so it needs no
 * transaction around it but may run in one.
 * @returns how many sessions were new.
 */
export async function generateSessions(db: Db, from: string, days: number): Promise<number> {
  const { 'window.daysAhead': daysAhead, 'release.minuteOfDay': releaseMinute } = platformDefaults
  const result = await sql`
    insert into clinic_session (shard, id, template_id, organization, department, healthcare_service, practitioner_role, practitioner,
      practitioner_name_zh, practitioner_name_en, location, location_name_zh, location_name_en, service_date, half, start_at, end_at,
      capacity, segment_minutes, segments, release_at, fee_fen, clinic_type, title, updated_at)
    select t.shard,
      (substr(clock, 1, 8) || '-' || substr(clock, 9, 4) || '-7' || lpad(to_hex(t.shard), 3, '0') || '-'
        || substr('89ab', 1 + (ascii(h) & 3), 1) || substr(h, 2, 3) || '-' || substr(h, 5, 12))::uuid,
      t.id, t.organization, t.department, t.healthcare_service, t.practitioner_role, t.practitioner,
      t.practitioner_name_zh, t.practitioner_name_en, t.location, t.location_name_zh, t.location_name_en, d.day, t.half,
      (d.day + t.start_time) at time zone 'Asia/Shanghai', (d.day + t.end_time) at time zone 'Asia/Shanghai',
      t.capacity, t.segment_minutes,
      ceil(extract(epoch from t.end_time - t.start_time) / 60 / t.segment_minutes)::smallint,
      (d.day - ${daysAhead}::int + make_interval(mins => ${releaseMinute}::int)) at time zone 'Asia/Shanghai',
      t.fee_fen, t.clinic_type, t.title, d.midnight
    from (
      select day, midnight, lpad(to_hex((extract(epoch from midnight) * 1000)::bigint), 12, '0') as clock
      from (select ${from}::date + n as day, (${from}::date + n)::timestamp at time zone 'Asia/Shanghai' as midnight
            from generate_series(0, ${days}::int - 1) as n) as days
    ) as d
    join session_template t on t.weekday = extract(isodow from d.day) and t.valid_from <= d.day and (t.valid_until is null or t.valid_until >= d.day)
    cross join lateral md5(t.id::text || d.day::text) as h
    on conflict (id, shard) do nothing`.execute(db)
  return Number(result.numAffectedRows ?? 0n)
}
