/**
 * Whose entries a caller can see at most. A person sees entries of few patients in a city: a search that names nobody begins with those patients, for
 * otherwise it looks through everybody's entries until it has found enough of theirs. It only narrows: what of these entries is seen is decided
 * by `visible`, and a patient who is left out here is one whose entries the decision hides (`api/test/access/visible.test.ts`).
 */
import { type RawBuilder, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import { audienceOf, clinicalReadable } from './audience.ts'
import { actorsOf } from './facts.ts'
import { type Permission, scopesFor } from './scopes.ts'

export interface Reach {
  /** A select of the patients' keys (column `pid`). */
  patients: RawBuilder<unknown>
  /** Who they are reached as; null when they are always few. Callers of one name reach about as many. */
  counted: string | null
}

/** Null when the caller reaches entries of no patient, of everybody, or of whole hospitals. */
export function reachOf(ctx: Ctx, type: ResourceType, permission: Permission): Reach | null {
  const { principal } = ctx
  if (principal.kind !== 'person' || audienceOf(type) !== 'patient') return null
  const { launchPatient, patient, role, practitioner, scopes } = principal
  if (launchPatient !== null && scopes.length > 0 && scopesFor(principal, type, permission).every(({ context }) => context === 'patient')) {
    return { patients: sql`select ${keyOf(launchPatient)}::uuid as pid`, counted: null }
  }
  if (role === 'citizen' && patient !== null) {
    const own = keyOf(patient)
    return { patients: sql`select ${own}::uuid as pid union all select g.pid from proxy_grant g where g.grantee_pid = ${own}::uuid`, counted: null }
  }
  if ((role === 'clinician' || role === 'gp') && practitioner !== null && clinicalReadable.includes(type)) {
    const actors = actorsOf(ctx)
    return {
      patients: sql`select c.pid from care_relation c where c.practitioner = any(${actors}::uuid[]) and c.from_at <= ${ctx.now} and c.until_at > ${ctx.now}`,
      counted: actors.join(),
    }
  }
  return null
}
