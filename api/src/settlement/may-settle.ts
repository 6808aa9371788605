/**
 * Who may settle a visit and who may look at its bill. Settle: the citizen or who acts for them, the registration office of the
 * institution, a system with the scope. Look: these and who treats the patient now. Everyone else learns nothing, not even
 * that there is a bill.
 */
import { isInCare, mayActFor } from '../access/acts-for.ts'
import { signInRequired } from '../access/may-write.ts'
import type { Principal } from '../access/principal.ts'
import { scopeGrants } from '../access/scopes.ts'
import { assertStepUp } from '../access/step-up.ts'
import type { Ctx } from '../ctx.ts'
import { forbidden, notFound } from '../fhir/outcome.ts'
import type { Db } from '../storage/pool.ts'

interface About { pid: string; organizationId: string }

/**
 * Throws OutcomeError sign-in-required, not-found for who may not even look, forbidden for who may only look.
 * @param asked the reference that was asked for; who may not look is told that it is not there.
 */
export async function assertMaySettle(db: Db, ctx: Ctx, about: About, asked: string): Promise<void> {
  if (await maySettle(db, ctx, about)) return
  throw await isInCare(db, ctx, about.pid) ? forbidden() : notFound(asked)
}

async function maySettle(db: Db, ctx: Ctx, about: About): Promise<boolean> {
  const { principal } = ctx
  if (principal.kind === 'anonymous') throw signInRequired()
  if (principal.kind === 'client') return scopeGrants(principal.scopes, 'Claim', 'c') && isOwn(principal, about.organizationId)
  if (principal.role === 'scheduler') return principal.organization === about.organizationId
  return principal.role === 'citizen' && mayActFor(db, ctx, about.pid, 'costs')
}

/** A system of a hospital settles that hospital's bills only. */
function isOwn({ organization }: Principal, organizationId: string): boolean {
  return organization === null || organization === organizationId
}

/** Undoing a settlement moves money back: who does it has proved themselves minutes ago. */
const stepUpMinutes = 5

/** A citizen can not take a settlement back; the institution and its systems can. Throws as `assertMaySettle`, and step-up-required. */
export async function assertMayReverse(db: Db, ctx: Ctx, about: About, asked: string): Promise<void> {
  const { principal } = ctx
  if (principal.kind === 'client' && scopeGrants(principal.scopes, 'Claim', 'u') && isOwn(principal, about.organizationId)) return
  if (principal.kind === 'person' && principal.role === 'scheduler' && principal.organization === about.organizationId) return assertStepUp(ctx, stepUpMinutes)
  await assertMaySettle(db, ctx, about, asked)
  throw forbidden()
}

/**
 * Whose bills the caller may look at: `all` of the patient, only those of one organization, or `none`.
 * Throws OutcomeError sign-in-required.
 */
export async function billsInSight(db: Db, ctx: Ctx, pid: string): Promise<{ organizationId: string } | 'all' | 'none'> {
  const { principal } = ctx
  if (principal.kind === 'anonymous') throw signInRequired()
  if (principal.kind === 'client') {
    if (!scopeGrants(principal.scopes, 'Claim', 'r')) return 'none'
    return principal.organization === null ? 'all' : { organizationId: principal.organization }
  }
  if (principal.role === 'scheduler') return principal.organization === null ? 'none' : { organizationId: principal.organization }
  if (principal.role === 'citizen') return await mayActFor(db, ctx, pid, 'costs') ? 'all' : 'none'
  return await isInCare(db, ctx, pid) ? 'all' : 'none'
}

/** The registration office of an institution, and systems. Throws OutcomeError sign-in-required. */
export function maySeeBillsAt(ctx: Ctx, organizationId: string): boolean {
  const { principal } = ctx
  if (principal.kind === 'anonymous') throw signInRequired()
  if (principal.kind === 'client') return scopeGrants(principal.scopes, 'Claim', 's') && isOwn(principal, organizationId)
  return principal.role === 'scheduler' && principal.organization === organizationId
}
