/**
 * From weekly pattern to half-days: one statement makes the sessions of a span of days for every template in force, on the days that
 * the calendar gives it, with quotas, release and fee of its clinic's numbers.
 * Invariant: a session's id is a function of its template and day (UUIDv7 whose time is that day's midnight in Shanghai,
 * whose shard is the organization's and whose random part is md5 of both), so running it again adds nothing, and two
 * runs at once agree. Source: domain rules of session and segment, docs/booking.md.
 */
import { type Insertable, sql } from 'kysely'
import { addDays, dayInShanghai, startOfDay } from '../fhir/date-time.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { ClinicProviderTable, SessionTemplateTable } from '../storage/tables.ts'
import type { Ctx } from '../ctx.ts'
import { layChannels } from './channels.ts'
import { parameterDefinitions, type Parameters, platformDefaults } from './parameter-definitions.ts'
import { allParameterRows, type ParameterPlace, type ParameterRow, parametersBy, regionOf } from './parameters.ts'

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
        latitude: eb.ref('excluded.latitude'), longitude: eb.ref('excluded.longitude'),
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
 * Makes the sessions of `days` days from `from` (a day in Shanghai), by the numbers of each clinic and the calendar of each hospital.
 * Idempotent; may run inside a transaction.
 * @returns how many sessions were new.
 */
export async function generateSessions(db: Db, from: string, days: number): Promise<number> {
  const rows = await allParameterRows(db)
  const kinds = await clinicKinds(db)
  let made = 0
  for (const span of spansOfEqualNumbers(rows, from, days)) made += await insertSessions(db, span, plansOf(kinds, rows, span.from))
  return made
}

/** The sessions of one pattern only, as it was just entered. @returns how many were new. */
export async function generatePattern(db: Db, from: string, days: number, pattern: string): Promise<number> {
  const rows = await allParameterRows(db)
  const kinds = await clinicKinds(db, pattern)
  let made = 0
  for (const span of spansOfEqualNumbers(rows, from, days)) made += await insertSessions(db, span, plansOf(kinds, rows, span.from), pattern)
  return made
}

/** Templates that differ in nothing that a plan depends on. */
interface ClinicKind extends ParameterPlace { clinicType: string; title: string; capacity: number }

/** @param pattern that one only; null: all. */
async function clinicKinds(db: Db, pattern: string | null = null): Promise<ClinicKind[]> {
  const { rows } = await sql<Omit<ClinicKind, 'region'> & { district: string }>`
    select t.organization, t.department, t.healthcare_service as "healthcareService", t.clinic_type as "clinicType", t.title, t.capacity, p.district_code as district
    from session_template t join clinic_provider p on p.organization = t.organization and p.shard = t.shard
    where ${pattern}::uuid is null or t.id = ${pattern}::uuid
    group by 1, 2, 3, 4, 5, 6, 7`.execute(db)
  return rows.map(({ district, ...row }) => ({ ...row, region: regionOf(district) }))
}

interface Span { from: string; days: number }

/** Days are handled together while no number begins or ends between them. */
export function spansOfEqualNumbers(rows: readonly ParameterRow[], from: string, days: number): Span[] {
  const changes = new Set(rows.flatMap((row) => [row.from_at, ...(row.until_at === null ? [] : [row.until_at])]).map((at) => dayAtOrAfter(at)))
  const starts = Array.from({ length: days }, (_, n) => addDays(from, n)).filter((day, n) => n === 0 || changes.has(day))
  return starts.map((day, index) => {
    const next = starts[index + 1]
    return { from: day, days: next === undefined ? days - daysFrom(from, day) : daysFrom(day, next) }
  })
}

/** The first day in Shanghai whose midnight is not before an instant. */
function dayAtOrAfter(instant: string): string {
  const day = dayInShanghai(new Date(instant))
  return startOfDay(day).toISOString() === instant ? day : addDays(day, 1)
}

function daysFrom(one: string, other: string): number {
  return Math.round((Date.parse(other) - Date.parse(one)) / 86_400_000)
}

/** What the numbers of a clinic make of its sessions: minutes are offsets from midnight of the day of the clinic. */
interface Plan extends ClinicKind { channels: string; release: number; gpRelease: number; gpReturn: number; followUpReturn: number; onsiteRelease: number; feeFen: number | null }

const minutesADay = 1440
const noon = 720

function plansOf(kinds: readonly ClinicKind[], rows: readonly ParameterRow[], day: string): Plan[] {
  const numbers = parametersBy(rows)
  return kinds.map((kind) => planOf(kind, numbers(kind, startOfDay(day))))
}

function planOf(kind: ClinicKind, numbers: Parameters): Plan {
  const share = (percent: number) => Math.round((kind.capacity * percent) / 100)
  const expert = kind.clinicType === 'expert' || kind.clinicType === 'disease-specific'
  const onsite = numbers['quota.onsite']
  const release = numbers['release.minuteOfDay'] + releaseGroup(kind.organization, numbers['release.groups']) * numbers['release.groupMinutes'] - numbers['window.daysAhead'] * minutesADay
  const fee = (numbers as Record<string, number>)[`fee.${kind.clinicType}.${kind.title}`]
  return {
    ...kind, release,
    channels: layChannels(kind.capacity, {
      gp: expert ? share(numbers['quota.gpReferral']) : 0, followUp: share(numbers['quota.followUp']), onsite: onsite === 0 ? 0 : Math.max(1, share(onsite)),
    }),
    gpRelease: release - numbers['quota.gpReferral.leadDays'] * minutesADay,
    gpReturn: noon - numbers['quota.gpReferral.returnDays'] * minutesADay,
    followUpReturn: noon - numbers['quota.followUp.returnDays'] * minutesADay,
    onsiteRelease: numbers['quota.onsite.minuteOfDay'],
    feeFen: fee ? fee : null,
  }
}

/** Which of the groups a hospital releases with: the same every day, spread evenly by its id. */
export function releaseGroup(organization: string, groups: number): number {
  return organizationShard(organization) % groups
}

async function insertSessions(db: Db, { from, days }: Span, plans: readonly Plan[], pattern: string | null = null): Promise<number> {
  const column = <K extends keyof Plan>(name: K) => plans.map((plan) => plan[name])
  const result = await sql`
    insert into clinic_session (shard, id, template_id, organization, department, healthcare_service, practitioner_role, practitioner,
      practitioner_name_zh, practitioner_name_en, location, location_name_zh, location_name_en, service_date, half, start_at, end_at,
      capacity, segment_minutes, segments, release_at, fee_fen, clinic_type, title, updated_at,
      channels, gp_release_at, gp_return_at, follow_up_return_at, onsite_release_at, onsite_return_at)
    select t.shard,
      (substr(clock, 1, 8) || '-' || substr(clock, 9, 4) || '-7' || lpad(to_hex(t.shard), 3, '0') || '-'
        || substr('89ab', 1 + (ascii(h) & 3), 1) || substr(h, 2, 3) || '-' || substr(h, 5, 12))::uuid,
      t.id, t.organization, t.department, t.healthcare_service, t.practitioner_role, t.practitioner,
      t.practitioner_name_zh, t.practitioner_name_en, t.location, t.location_name_zh, t.location_name_en, d.day, t.half,
      (d.day + t.start_time) at time zone 'Asia/Shanghai', (d.day + t.end_time) at time zone 'Asia/Shanghai',
      t.capacity, t.segment_minutes,
      ceil(extract(epoch from t.end_time - t.start_time) / 60 / t.segment_minutes)::smallint,
      d.midnight + make_interval(mins => k.release), coalesce(k.fee, t.fee_fen), t.clinic_type, t.title, d.midnight,
      k.channels, d.midnight + make_interval(mins => k.gp_release), d.midnight + make_interval(mins => k.gp_return),
      d.midnight + make_interval(mins => k.follow_up_return), d.midnight + make_interval(mins => k.onsite_release),
      (d.day + t.start_time) at time zone 'Asia/Shanghai'
    from (
      select day, midnight, lpad(to_hex((extract(epoch from midnight) * 1000)::bigint), 12, '0') as clock
      from (select ${from}::date + n as day, (${from}::date + n)::timestamp at time zone 'Asia/Shanghai' as midnight
            from generate_series(0, ${days}::int - 1) as n) as days
    ) as d
    join session_template t on t.valid_from <= d.day and (t.valid_until is null or t.valid_until >= d.day)
    left join calendar_day city on city.day = d.day and city.organization = ''
    left join calendar_day own on own.day = d.day and own.organization = t.organization
    join unnest(${column('organization')}::text[], ${column('department')}::text[], ${column('healthcareService')}::text[], ${column('clinicType')}::text[],
      ${column('title')}::text[], ${column('capacity')}::smallint[], ${column('channels')}::text[], ${column('release')}::int[], ${column('gpRelease')}::int[],
      ${column('gpReturn')}::int[], ${column('followUpReturn')}::int[], ${column('onsiteRelease')}::int[], ${column('feeFen')}::bigint[])
      as k (organization, department, healthcare_service, clinic_type, title, capacity, channels, release, gp_release, gp_return, follow_up_return, onsite_release, fee)
      on k.organization = t.organization and k.department = t.department and k.healthcare_service = t.healthcare_service
        and k.clinic_type = t.clinic_type and k.title = t.title and k.capacity = t.capacity
    cross join lateral md5(t.id::text || d.day::text) as h
    where (${pattern}::uuid is null or t.id = ${pattern}::uuid) and t.weekday = case when own.day is not null then own.as_weekday when city.day is not null then city.as_weekday else extract(isodow from d.day) end
    on conflict (id, shard) do nothing`.execute(db)
  return Number(result.numAffectedRows ?? 0n)
}

/** A GP sees places before the public does: sessions are there before their earliest release. */
const daysBeforeRelease = 2

/** Keeps the booking windows full, also the longest: the sessions of the days to come, those there already left as they are. @returns how many were new. */
export async function generateAhead(db: Db, ctx: Ctx): Promise<number> {
  return generateSessions(db, dayInShanghai(ctx.now), await daysKeptAhead(db))
}

/** How many days, from today, have sessions. */
export async function daysKeptAhead(db: Db): Promise<number> {
  const rows = await allParameterRows(db)
  const longest = (name: 'window.daysAhead' | 'quota.gpReferral.leadDays') =>
    Math.max(platformDefaults[name], ...rows.filter((row) => row.name === name && row.value !== null && row.value <= parameterDefinitions[name].max).map((row) => row.value ?? 0))
  return longest('window.daysAhead') + longest('quota.gpReferral.leadDays') + daysBeforeRelease
}
