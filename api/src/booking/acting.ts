/**
 * In whose name the caller acts: the citizen for themselves or as a proxy with a valid grant, a GP for a resident under contract, the
 * hospital's desk for whoever stands before it, a system by its scopes. Says also why a claimed proxy is none.
 */
import { mayActFor } from '../access/acts-for.ts'
import type { Principal } from '../access/principal.ts'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import type { Db } from '../storage/pool.ts'
import type { Channel } from './channels.ts'
import type { ProxyFault } from './rules.ts'

export interface Acting { mayAct: boolean; proxyFault: ProxyFault; hasContract: boolean }

const self: Acting = { mayAct: true, proxyFault: null, hasContract: false }

/** @param pid key of the patient. No question to the database for one's own patient. */
export async function actingFor(db: Db, ctx: Ctx, pid: string): Promise<Acting> {
  const { principal } = ctx
  const alone = principal.kind === 'person' && principal.role === 'citizen' && principal.scopes.length === 0
  if (alone && principal.patient !== null && keyOf(principal.patient) === pid) return self
  if (await mayActFor(db, ctx, pid)) return self
  if (principal.role === 'gp' && principal.practitioner !== null) {
    const contract = await db.selectFrom('care_relation').select('pid').where('pid', '=', pid).where('practitioner', '=', keyOf(principal.practitioner))
      .where('reason', '=', 'gp-contract').where('from_at', '<=', ctx.now.toISOString()).where('until_at', '>', ctx.now.toISOString()).limit(1).executeTakeFirst()
    return contract ? { ...self, hasContract: true } : { mayAct: false, proxyFault: 'no-contract', hasContract: false }
  }
  return { mayAct: false, proxyFault: await hadGrant(db, principal, pid) ? 'ended' : null, hasContract: false }
}

/** A grant of any time: to its holder we may say that it has ended. */
async function hadGrant(db: Db, principal: Principal, pid: string): Promise<boolean> {
  if (principal.patient === null) return false
  const grant = await db.selectFrom('proxy_grant').select('pid').where('grantee_pid', '=', keyOf(principal.patient)).where('pid', '=', pid).limit(1).executeTakeFirst()
  return grant !== undefined
}

/** The caller works at the hospital. */
export function worksAt({ principal }: Ctx, organization: string): boolean {
  return principal.kind === 'person' && principal.role !== 'citizen' && principal.organization === organization
}

export interface Entitlement { entitled: ReadonlySet<Channel>; refused: Channel | null }

/** The quotas a caller may take from; one that was named and is not theirs is `refused`. */
export function entitlement(ctx: Ctx, named: Channel | null, facts: { organization: string; hasContract: boolean; hasReferral: boolean; visitedLately: boolean }): Entitlement {
  const { principal } = ctx
  const rights = new Set<Channel>(['public'])
  if (facts.hasContract || facts.hasReferral) rights.add('gp')
  if (facts.visitedLately) rights.add('follow-up')
  if (principal.role === 'scheduler' && worksAt(ctx, facts.organization)) rights.add('onsite')
  if (named === null) return { entitled: rights, refused: null }
  // A hospital's own system says by which channel the patient came.
  if (principal.kind !== 'client' && !rights.has(named)) return { entitled: new Set(['public']), refused: named }
  return { entitled: new Set(['public', named]), refused: null }
}
