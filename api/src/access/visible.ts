/**
 * The SQL twin of `rules.ts` for reading: a condition on a row `r` of `resource` or `resource_history` (columns t, pid). What
 * it hides does not show in any answer: not as a row, not in a count, not by an error. Every query that reads records for a
 * caller carries it.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { isResourceType, type ResourceType, typeCode } from '../fhir/resource-types.ts'
import { audienceOf, typeCodesOf } from './audience.ts'
import { type Permission, typesGranted } from './scopes.ts'

const directoryCodes = sql.raw(typeCodesOf('directory').join(','))
const staffCodes = sql.raw(typeCodesOf('staff').join(','))
const patientCodes = sql.raw(typeCodesOf('patient').join(','))

/**
 * Rows of alias `r` that the caller may read. With `type` the condition is simpler, which keeps the planner on the right
 * index.
 */
export function visible(ctx: Ctx, type: ResourceType | null = null, permission: Permission = 'r'): RawBuilder<SqlBool> {
  if (type !== null) {
    return audienceOf(type) === 'directory' ? sql<SqlBool>`true` : byCaller(ctx, type, permission)
  }
  return sql<SqlBool>`(r.t in (${directoryCodes}) or ${byCaller(ctx, null, permission)})`
}

function byCaller(ctx: Ctx, type: ResourceType | null, permission: Permission): RawBuilder<SqlBool> {
  const { principal } = ctx
  if (principal.kind === 'client') return byScope(principal.scopes, permission)
  if (principal.kind === 'anonymous') return sql<SqlBool>`false`
  if (principal.role === 'citizen' && principal.patient !== null) return ofTypes(type, byFamily(ctx, keyOf(principal.patient)), false)
  if (principal.role === 'clinician' || principal.role === 'gp') {
    const patientRows = principal.practitioner === null ? sql<SqlBool>`false` : byCareRelation(ctx, keyOf(principal.practitioner))
    return ofTypes(type, patientRows, true)
  }
  return sql<SqlBool>`false`
}

function byScope(scopes: readonly string[], permission: Permission): RawBuilder<SqlBool> {
  const types = typesGranted(scopes, permission)
  if (types === null) return sql<SqlBool>`true`
  const codes = types.filter(isResourceType).map(typeCode)
  return codes.length === 0 ? sql<SqlBool>`false` : sql<SqlBool>`r.t in (${sql.raw(codes.join(','))})`
}

/** Patient data by the given condition; for professionals also the staff catalogue. */
function ofTypes(type: ResourceType | null, patientRows: RawBuilder<SqlBool>, professional: boolean): RawBuilder<SqlBool> {
  if (type !== null) {
    const audience = audienceOf(type)
    if (audience === 'patient') return patientRows
    return audience === 'staff' && professional ? sql<SqlBool>`true` : sql<SqlBool>`false`
  }
  const ofPatients = sql<SqlBool>`(r.t in (${patientCodes}) and ${patientRows})`
  return professional ? sql<SqlBool>`(${ofPatients} or r.t in (${staffCodes}))` : ofPatients
}

function byFamily(ctx: Ctx, own: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`(r.pid = ${own}::uuid or r.pid in (select g.pid from proxy_grant g
    where g.grantee_pid = ${own}::uuid and g.from_at <= ${ctx.now} and (g.until_at is null or g.until_at > ${ctx.now})))`
}

function byCareRelation(ctx: Ctx, practitioner: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`r.pid in (select c.pid from care_relation c
    where c.practitioner = ${practitioner}::uuid and c.from_at <= ${ctx.now} and c.until_at > ${ctx.now})`
}
