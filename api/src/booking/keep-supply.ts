/** What all changes of a hospital's supply have in common: one at a time, from a day on, and nothing is ended that a pattern or a clinic still needs. */
import { sql, type SqlBool } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { dayInShanghai, isDate } from '../fhir/date-time.ts'
import { fail, notFound, type Sentence } from '../fhir/outcome.ts'
import type { Trx } from '../storage/pool.ts'

/** One change of a hospital's supply at a time. @throws OutcomeError `not-found`. */
export async function lockHospital(trx: Trx, organization: string): Promise<{ name_zh: string; name_en: string }> {
  const row = await trx.selectFrom('clinic_provider').select(['name_zh', 'name_en']).where('organization', '=', organization).forUpdate().executeTakeFirst()
  if (!row) throw notFound(organization)
  return row
}

/** @throws OutcomeError `parameter-invalid`. */
export function assertEndDay({ now }: Pick<Ctx, 'now'>, from: string): void {
  if (!isDate(from) || from.length !== 10 || from < dayInShanghai(now)) throw fail('parameter-invalid', { zh: '应为今天或以后的日期。', en: 'Give a day from today on.' }, 'from')
}

/** Columns that a weekly pattern and a clinic have alike, and their values. */
export type Needed = Partial<Record<'location' | 'department' | 'healthcare_service' | 'clinic_type' | 'practitioner', string>>

/** @throws OutcomeError `business-rule` while patterns, or clinics that are open, need it from that day on. */
export async function assertNotNeeded(trx: Trx, organization: string, needed: Needed, from: string, says: { patterns(count: number): Sentence; clinics: Sentence }): Promise<void> {
  const its = sql<SqlBool>`${sql.join(Object.entries({ organization, ...needed }).map(([column, value]) => sql`${sql.ref(column)} = ${value}`), sql` and `)}`
  const { count } = await trx.selectFrom('session_template').select((eb) => eb.fn.countAll<number>().as('count')).where(its)
    .where((eb) => eb.or([eb('valid_until', 'is', null), eb('valid_until', '>=', from)])).where(sql<SqlBool>`valid_from <= coalesce(valid_until, 'infinity')`).executeTakeFirstOrThrow()
  if (Number(count) > 0) throw fail('business-rule', says.patterns(Number(count)))
  const clinic = await trx.selectFrom('clinic_session').select('id').where(its).where('service_date', '>=', from).where('status', '=', 'open').limit(1).executeTakeFirst()
  if (clinic) throw fail('business-rule', says.clinics)
}
