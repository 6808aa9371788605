/**
 * The statements on `referral` and `referral_event`. Every change of a referral is made under the lock of its patient (booking_patient) and
 * of its row, in that order, so that a step, a booking with it and the sweep see each other. Events are only added.
 */
import { type Selectable, sql, type SqlBool } from 'kysely'
import type { Ctx } from '../../ctx.ts'
import { keyOf } from '../../fhir/id.ts'
import type { Db, Trx } from '../../storage/pool.ts'
import type { ReferralTable } from '../../storage/tables.ts'
import { lockPatients } from '../booking-rows.ts'
import type { StepName } from './steps.ts'

export type ReferralRow = Selectable<ReferralTable>
export type NewReferral = Omit<ReferralRow, 'escalation'>

/** Without a lock; null when there is no such referral. @param key of the ServiceRequest. */
export async function readReferral(db: Db, key: string): Promise<ReferralRow | null> {
  return await db.selectFrom('referral').selectAll().where('id', '=', key).executeTakeFirst() ?? null
}

/** The referral with its patient locked; null when there is none. */
export async function lockReferral(trx: Trx, key: string): Promise<ReferralRow | null> {
  const found = await readReferral(trx, key)
  if (!found) return null
  await lockPatients(trx, [found.pid])
  return (await lockedReferrals(trx, [key])).get(key) ?? null
}

/** Referrals by key, locked; the caller holds the locks of their patients. */
export async function lockedReferrals(trx: Trx, keys: readonly string[]): Promise<Map<string, ReferralRow>> {
  if (keys.length === 0) return new Map()
  const rows = await trx.selectFrom('referral').selectAll().where(sql<SqlBool>`id = any(${[...new Set(keys)].sort()}::uuid[])`).orderBy('id').forUpdate().execute()
  return new Map(rows.map((row) => [row.id, row]))
}

/** Is there another open referral of the patient to the department? @param except key of one that does not count. */
export async function hasOpenReferral(trx: Trx, at: Pick<ReferralRow, 'pid' | 'organization' | 'department'>, except: string | null): Promise<boolean> {
  const row = await trx.selectFrom('referral').select('id').where('pid', '=', at.pid).where('organization', '=', at.organization).where('department', '=', at.department)
    .where('state', 'not in', ['answered', 'completed', 'cancelled', 'expired']).where('id', '<>', except ?? '00000000-0000-0000-0000-000000000000').limit(1).executeTakeFirst()
  return row !== undefined
}

export async function insertReferral(trx: Trx, row: NewReferral): Promise<ReferralRow> {
  return trx.insertInto('referral').values(row).returningAll().executeTakeFirstOrThrow()
}

export type ReferralChange = Partial<Pick<ReferralRow, 'state' | 'organization' | 'department' | 'practitioner' | 'booking' | 'deadline_at' | 'escalation' | 'escalate_at' | 'pin_hash'>>

export async function changeReferral(trx: Trx, ctx: Ctx, row: ReferralRow, to: ReferralChange): Promise<ReferralRow> {
  return trx.updateTable('referral').set({ ...to, updated_at: ctx.now }).where('id', '=', row.id).where('shard', '=', row.shard).returningAll().executeTakeFirstOrThrow()
}

/** @param step of the table, or what happens beside it. */
export async function logReferral(trx: Trx, ctx: Ctx, event: { referral: string; step: StepName | 'refer' | 'escalate' | 'new-pin'; from: string | null; to: string }): Promise<void> {
  await trx.insertInto('referral_event').values({
    referral: event.referral, at: ctx.now, step: event.step, from_state: event.from, to_state: event.to, by_id: ctx.principal.id, by_name: ctx.principal.name,
  }).execute()
}

/** Does the hospital hold clinics of the department, and the doctor if one is named? */
export async function holdsClinics(db: Db, at: { organization: string; department: string; practitioner: string | null }, day: string): Promise<boolean> {
  let query = db.selectFrom('session_template').select('id').where('organization', '=', at.organization).where('department', '=', at.department)
    .where((eb) => eb.or([eb('valid_until', 'is', null), eb('valid_until', '>=', day)]))
  if (at.practitioner !== null) query = query.where('practitioner', '=', at.practitioner)
  return await query.limit(1).executeTakeFirst() !== undefined
}

/** Departments in which a doctor holds clinics at a hospital. */
export async function departmentsOfDoctor(db: Db, practitioner: string, organization: string): Promise<string[]> {
  const rows = await db.selectFrom('session_template').select('department').distinct().where('practitioner', '=', practitioner).where('organization', '=', organization).execute()
  return rows.map((row) => row.department)
}

export async function hasContract(db: Db, ctx: Ctx, pid: string, practitioner: string): Promise<boolean> {
  const row = await db.selectFrom('care_relation').select('pid').where('pid', '=', pid).where('practitioner', '=', keyOf(practitioner)).where('reason', '=', 'gp-contract')
    .where('from_at', '<=', ctx.now.toISOString()).where('until_at', '>', ctx.now.toISOString()).limit(1).executeTakeFirst()
  return row !== undefined
}
