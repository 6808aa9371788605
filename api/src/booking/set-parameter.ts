/**
 * Changing a number: a new dated row, never an overwrite, so that the rows are the history of who changed what and when. A scheduler sets
 * the numbers of their own hospital, its departments and clinics; the system administrator those of the city. A change begins
 * now or later, never in the past: what people were told stays what they were told.
 */
import type { Ctx } from '../ctx.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { fail, forbidden, type OutcomeError } from '../fhir/outcome.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { findDepartment } from './departments.ts'
import { parameterDefinitions } from './parameter-definitions.ts'
import { allParameterRows, isParameterName, numbersInForce, type ParameterPlace, regionOf, type Scope, scopes } from './parameters.ts'
import type { ParameterChange, ParameterSheet } from './shapes.ts'

export interface ScopeKey { scope: Scope; id: string }

export interface ParameterWish extends ScopeKey {
  name: string
  /** Null gives the number back to the wider scope. */
  value: number | null
  /** Null: now. */
  from: Date | null
  /** Null: until somebody changes it. */
  until: Date | null
}

export async function setParameter(trx: Trx, ctx: Ctx, wish: ParameterWish): Promise<void> {
  await assertMayChange(trx, ctx, wish)
  const from = wish.from ?? ctx.now
  assertWish(wish, from, ctx.now)
  await trx.insertInto('booking_parameter').values({
    scope: wish.scope, scope_id: wish.id, name: wish.name, value: wish.value, from_at: from, until_at: wish.until,
    set_by: ctx.principal.id, set_by_name: ctx.principal.name, set_at: ctx.now,
  }).execute()
}

/** @throws OutcomeError `parameter-unknown`, `parameter-invalid` naming the field. */
function assertWish(wish: ParameterWish, from: Date, now: Date): void {
  const { name, value } = wish
  if (!isParameterName(name)) throw fail('parameter-unknown', { zh: `没有名为 ${name} 的参数。`, en: `There is no number called ${name}.` }, 'name')
  const { min, max, unit } = parameterDefinitions[name]
  if (value !== null && (!Number.isInteger(value) || value < min || value > max)) {
    throw invalid('value', `应为 ${min} 到 ${max} 之间的整数（${unit.zh}）。`, `Give a whole number from ${min} to ${max} (${unit.en}).`)
  }
  // A minute of grace: the form was filled in before it was sent.
  if (from.getTime() < now.getTime() - 60_000) throw invalid('from', '生效时间不能早于现在。', 'A change cannot begin in the past.')
  if (wish.until !== null && wish.until <= from) throw invalid('until', '结束时间应晚于生效时间。', 'The end must lie after the beginning.')
}

function invalid(field: string, zh: string, en: string): OutcomeError {
  return fail('parameter-invalid', { zh, en }, field)
}

/** @throws OutcomeError `forbidden`; `parameter-invalid` for a scope that is not there. */
export async function assertMayChange(db: Db, { principal }: Ctx, { scope, id }: ScopeKey): Promise<void> {
  if (!(scopes as readonly string[]).includes(scope)) throw invalid('scope', '应为 city、hospital、department 或 clinic。', 'Give city, hospital, department or clinic.')
  if (principal.kind !== 'person') throw forbidden()
  if (scope === 'city') {
    if (principal.role !== 'admin-system' || !/^\d{2}0000$/.test(id)) throw forbidden()
    return
  }
  const organization = principal.role === 'scheduler' ? principal.organization : null
  if (organization === null) throw forbidden()
  if (scope === 'hospital' && id === organization) return
  if (scope === 'department' && id.startsWith(`${organization}/`) && findDepartment(id.slice(organization.length + 1))) return
  if (scope === 'clinic') {
    const own = await db.selectFrom('session_template').select('id').where('healthcare_service', '=', id).where('organization', '=', organization).limit(1).executeTakeFirst()
    if (own) return
  }
  throw forbidden()
}

/** Every number as it stands for a scope now, with its own changes to come and gone, newest first. */
export async function parameterSheet(db: Db, ctx: Ctx, key: ScopeKey): Promise<ParameterSheet> {
  await assertMayChange(db, ctx, key)
  const place = await placeOf(db, key)
  const inForce = numbersInForce(await allParameterRows(db), place, ctx.now)
  const own = await db.selectFrom('booking_parameter').select(['id', 'name', 'value', 'from_at', 'until_at', 'set_at', 'set_by_name'])
    .where('scope', '=', key.scope).where('scope_id', '=', key.id).orderBy('set_at', 'desc').limit(1000).execute()
  return {
    scope: key.scope, id: key.id, day: dayInShanghai(ctx.now),
    numbers: Object.entries(parameterDefinitions).map(([name, { default: standard, min, max, unit, name: label, source }]) => ({
      name, label, unit, standard, min, max, source, ...inForce[name as keyof typeof inForce],
    })),
    changes: own.map((row): ParameterChange => ({
      id: row.id, name: row.name, value: row.value, from: row.from_at, until: row.until_at, setAt: row.set_at, setBy: row.set_by_name,
    })),
  }
}

/** A place that stands for a scope: narrower scopes are left empty and match nothing. */
async function placeOf(db: Db, { scope, id }: ScopeKey): Promise<ParameterPlace> {
  if (scope === 'city') return { region: id, organization: '', department: '', healthcareService: '' }
  const clinic = scope === 'clinic'
    ? await db.selectFrom('session_template').select(['organization', 'department']).where('healthcare_service', '=', id).limit(1).executeTakeFirst()
    : undefined
  const organization = clinic?.organization ?? id.split('/')[0] ?? ''
  const provider = await db.selectFrom('clinic_provider').select('district_code').where('organization', '=', organization).executeTakeFirst()
  return {
    region: regionOf(provider?.district_code ?? ''), organization, department: clinic?.department ?? id.split('/')[1] ?? '',
    healthcareService: scope === 'clinic' ? id : '',
  }
}
