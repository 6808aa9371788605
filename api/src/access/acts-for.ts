/** May the caller act in a patient's name: book, cancel, settle? */
import type { Kysely } from 'kysely'
import type { Ctx } from '../ctx.ts'
import type { Tables } from '../storage/tables.ts'
import { loadAccessFacts } from './facts.ts'
import { scopeGrants } from './scopes.ts'

/** True for the citizen, for those with a valid proxy grant, and for systems that may create appointments. @param pid key of the patient. */
export async function mayActFor(db: Kysely<Tables>, ctx: Ctx, pid: string): Promise<boolean> {
  if (ctx.principal.kind === 'client') return scopeGrants(ctx.principal.scopes, 'Appointment', 'c')
  const facts = (await loadAccessFacts(db, ctx, [pid])).get(pid)
  return facts !== undefined && (facts.own || facts.actsFor)
}

/** True when the caller treats the patient now. @param pid key of the patient. */
export async function isInCare(db: Kysely<Tables>, ctx: Ctx, pid: string): Promise<boolean> {
  return (await loadAccessFacts(db, ctx, [pid])).get(pid)?.inCare ?? false
}
