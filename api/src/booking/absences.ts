/**
 * Missed visits and late cancellations, and what follows from them. Invariant: `booking_patient.barred_until` is what `standingOf` makes of
 * the patient's rows of the year, because both are written here, in one transaction, under the patient's lock. The numbers are
 * those of the city: a bar holds for all its hospitals.
 */
import { type Selectable, sql, type SqlBool } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { clockInShanghai, dayInShanghai } from '../fhir/date-time.ts'
import { shardOf } from '../fhir/id.ts'
import { writeNotices } from '../notices/write-notices.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { AbsenceTable } from '../storage/tables.ts'
import type { BookingRow } from './booking-rows.ts'
import { type ParameterPlace, parametersFor } from './parameters.ts'
import { type Absence, type Standing, standingOf } from './penalties.ts'

export type AbsenceRow = Selectable<AbsenceTable>

/** Whose numbers count: those of the city. */
export function cityOf({ region }: Pick<ParameterPlace, 'region'>): ParameterPlace {
  return { region, organization: '', department: '', healthcareService: '' }
}

/** Records what happened, bars who has come to a level by it, and tells them. Under the locks of the patients. */
export async function recordAbsences(trx: Trx, ctx: Ctx, found: readonly { row: BookingRow; kind: AbsenceRow['kind'] }[], region: string): Promise<void> {
  if (found.length === 0) return
  await trx.insertInto('absence').values(found.map(({ row, kind }) => ({
    shard: shardOf(row.pid), booking: row.id, appointment: row.appointment, pid: row.pid, patient: row.patient, organization: row.organization,
    department: row.department, kind, day: row.service_date, recorded_at: ctx.now, appealed_at: null, appeal_text: null, decided_at: null, decided_by: null, decision_text: null,
  }))).onConflict((conflict) => conflict.doNothing()).execute()
  for (const { row, kind } of found) {
    const standing = await refreshStanding(trx, ctx, row.pid, region)
    await writeNotices(trx, ctx, [{
      recipient: { kind: 'patient', id: row.patient }, kind: kind === 'noshow' ? 'visit-missed' : 'cancelled-late', appointment: row.appointment,
      params: { day: row.service_date, time: clockInShanghai(new Date(row.start_at)), missed: standing.missed, until: untilOf(standing) },
    }])
  }
}

/** The last day of a bar; null when there is none. */
export function untilOf({ barredUntil }: Standing): string | null {
  return barredUntil === null ? null : dayInShanghai(new Date(barredUntil.getTime() - 1))
}

/** Writes the bar that follows from the patient's rows. */
export async function refreshStanding(trx: Trx, ctx: Ctx, pid: string, region: string): Promise<Standing> {
  const standing = await loadStanding(trx, ctx, pid, region)
  await trx.insertInto('booking_patient').values({ shard: shardOf(pid), pid, barred_until: standing.barredUntil })
    .onConflict((conflict) => conflict.columns(['pid', 'shard']).doUpdateSet({ barred_until: standing.barredUntil })).execute()
  return standing
}

/** How a patient stands this year. A bar of last year that reaches into this one stays until its end. */
export async function loadStanding(db: Db, ctx: Ctx, pid: string, region: string): Promise<Standing> {
  const year = Number(dayInShanghai(ctx.now).slice(0, 4))
  const rows = await absencesOf(db, pid, `${year - 1}-01-01`)
  const numbers = await parametersFor(db, cityOf({ region }), ctx.now)
  const absences = rows.map((row): Absence => ({ kind: row.kind, day: row.day, excused: row.excused }))
  const now = standingOf(absences, numbers, year)
  const before = standingOf(absences, numbers, year - 1).barredUntil
  const barredUntil = [now.barredUntil, before].filter((each) => each !== null && each > ctx.now).sort((a, b) => Number(b) - Number(a))[0] ?? null
  return { ...now, barredUntil }
}

/** Newest first. */
export function absencesOf(db: Db, pid: string, since: string): Promise<AbsenceRow[]> {
  return db.selectFrom('absence').selectAll().where('pid', '=', pid).where(sql<SqlBool>`day >= ${since}::date`).orderBy('day', 'desc').limit(200).execute()
}
