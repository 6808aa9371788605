/** Loads what the rules look at: whether patients are the caller's own, acted for, or in their care, now. */
import type { Kysely } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import type { Tables } from '../storage/tables.ts'
import type { AccessFacts } from './rules.ts'

const nothing: AccessFacts = { own: false, actsFor: false, inCare: false }

/** Facts for each patient key; a key that has none is missing from the map. */
export async function loadAccessFacts(db: Kysely<Tables>, ctx: Ctx, pids: readonly string[]): Promise<Map<string, AccessFacts>> {
  const found = new Map<string, AccessFacts>()
  const { principal } = ctx
  if (pids.length === 0 || principal.kind !== 'person') return found
  if (principal.role === 'citizen' && principal.patient !== null) {
    const own = keyOf(principal.patient)
    if (pids.includes(own)) found.set(own, { ...nothing, own: true })
    const others = pids.filter((pid) => pid !== own)
    if (others.length > 0) for (const pid of await proxied(db, ctx, own, others)) found.set(pid, { ...nothing, actsFor: true })
  } else if (principal.practitioner !== null) {
    for (const pid of await inCare(db, ctx, keyOf(principal.practitioner), pids)) found.set(pid, { ...nothing, inCare: true })
  }
  return found
}

async function proxied(db: Kysely<Tables>, ctx: Ctx, own: string, pids: readonly string[]): Promise<string[]> {
  const rows = await db.selectFrom('proxy_grant').select('pid')
    .where('grantee_pid', '=', own).where('pid', 'in', [...pids]).where('from_at', '<=', ctx.now.toISOString())
    .where((eb) => eb.or([eb('until_at', 'is', null), eb('until_at', '>', ctx.now.toISOString())])).execute()
  return rows.map((row) => row.pid)
}

async function inCare(db: Kysely<Tables>, ctx: Ctx, practitioner: string, pids: readonly string[]): Promise<string[]> {
  const rows = await db.selectFrom('care_relation').select('pid').distinct()
    .where('practitioner', '=', practitioner).where('pid', 'in', [...pids])
    .where('from_at', '<=', ctx.now.toISOString()).where('until_at', '>', ctx.now.toISOString()).execute()
  return rows.map((row) => row.pid)
}

export const noAccessFacts = nothing
