/** May the caller act in a patient's name: book, cancel, settle? */
import type { Kysely } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import type { Tables } from '../storage/tables.ts'
import { type DataGroup, groupBit } from './data-groups.ts'
import { loadAccessFacts } from './facts.ts'
import { scopesFor } from './scopes.ts'

/**
 * True for the citizen and for those with a valid proxy grant, also through an app that may create appointments, and for such systems.
 * @param pid key of the patient. @param group the group of data it is about; a relative may have been given others.
 */
export async function mayActFor(db: Kysely<Tables>, ctx: Ctx, pid: string, group: DataGroup = 'basics'): Promise<boolean> {
  const { principal } = ctx
  const scopes = scopesFor(principal, 'Appointment', 'c')
  if (principal.kind === 'client') return scopes.length > 0
  const launched = principal.launchPatient !== null && keyOf(principal.launchPatient) === pid
  if (principal.scopes.length > 0 && !scopes.some((scope) => scope.context === 'user' || launched)) return false
  const facts = (await loadAccessFacts(db, ctx, [pid])).get(pid)
  return facts.own || facts.grants.some((grant) => (grant.groups & groupBit(group)) !== 0)
}

/** True when the caller treats the patient now and has not been barred. @param pid key of the patient. */
export async function isInCare(db: Kysely<Tables>, ctx: Ctx, pid: string): Promise<boolean> {
  const facts = (await loadAccessFacts(db, ctx, [pid])).get(pid)
  return facts.relations.length > 0 && !facts.barred
}
