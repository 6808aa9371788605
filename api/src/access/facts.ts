/** Loads what the rules look at: what the caller is to each of these patients, now. One statement a kind of caller. */
import { type Kysely, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { typeCode } from '../fhir/resource-types.ts'
import type { Tables } from '../storage/tables.ts'
import { guardianGroupsFrom14 } from './data-groups.ts'
import type { AccessFacts, Grant, Relation } from './rules.ts'

export const noAccessFacts: AccessFacts = { own: false, grants: [], relations: [], barred: false, known: false, insured: false, members: [] }

/** Facts by patient key; null is asked for entries of nobody. */
export interface KnownFacts { get(pid: string | null): AccessFacts }

export async function loadAccessFacts(db: Kysely<Tables>, ctx: Ctx, pids: readonly string[]): Promise<KnownFacts> {
  const { principal } = ctx
  const found = new Map<string, AccessFacts>()
  const members = principal.kind === 'client' && principal.organization !== null ? await membersOf(db, keyOf(principal.organization)) : []
  const others: AccessFacts = members.length > 0 ? { ...noAccessFacts, members } : noAccessFacts
  const known: KnownFacts = { get: (pid) => (pid === null ? undefined : found.get(pid)) ?? others }
  if (pids.length === 0) return known
  const note = (pid: string, facts: Partial<AccessFacts>) => found.set(pid, { ...others, ...found.get(pid), ...facts })
  if (members.length > 0) for (const pid of await knownAt(db, ctx, members, pids)) note(pid, { known: true })
  if (principal.kind !== 'person') return known
  if (principal.role === 'citizen' && principal.patient !== null) {
    const own = keyOf(principal.patient)
    if (pids.includes(own)) note(own, { own: true })
    for (const [pid, grants] of await grantsOf(db, ctx, own, pids)) note(pid, { grants })
  } else if (principal.practitioner !== null && (principal.role === 'clinician' || principal.role === 'gp')) {
    const actors = actorsOf(ctx)
    for (const [pid, relations] of await relationsOf(db, ctx, actors, pids)) note(pid, { relations })
    for (const pid of await barredFrom(db, ctx, actors, pids)) note(pid, { barred: true })
  } else if (principal.organization !== null) {
    if (principal.role === 'scheduler') for (const pid of await knownAt(db, ctx, [keyOf(principal.organization)], pids)) note(pid, { known: true })
    if (principal.role === 'insurer') for (const pid of await insuredBy(db, keyOf(principal.organization), pids)) note(pid, { insured: true })
  }
  return known
}

/** Keys under which a professional stands in care_relation and record_bar: their own and their hospital's. */
export function actorsOf({ principal }: Pick<Ctx, 'principal'>): string[] {
  return [principal.practitioner, principal.organization].filter((id) => id !== null).map(keyOf)
}

async function grantsOf(db: Kysely<Tables>, ctx: Ctx, own: string, pids: readonly string[]): Promise<Map<string, Grant[]>> {
  const rows = await db.selectFrom('proxy_grant').select(['pid', 'kind', 'groups', 'limited_at'])
    .where('grantee_pid', '=', own).where('pid', 'in', [...pids]).where('from_at', '<=', ctx.now.toISOString())
    .where((eb) => eb.or([eb('until_at', 'is', null), eb('until_at', '>', ctx.now.toISOString())])).execute()
  const limited = (at: string | null) => at !== null && Date.parse(at) <= ctx.now.getTime()
  return grouped(rows, (row) => ({ kind: row.kind, groups: limited(row.limited_at) ? row.groups & guardianGroupsFrom14 : row.groups }))
}

async function relationsOf(db: Kysely<Tables>, ctx: Ctx, actors: readonly string[], pids: readonly string[]): Promise<Map<string, Relation[]>> {
  const rows = await db.selectFrom('care_relation').select(['pid', 'organization', 'department', 'opens'])
    .where('practitioner', 'in', [...actors]).where('pid', 'in', [...pids])
    .where('from_at', '<=', ctx.now.toISOString()).where('until_at', '>', ctx.now.toISOString()).execute()
  return grouped(rows, ({ organization, department, opens }) => ({ organization, department, opens }))
}

function grouped<R extends { pid: string }, T>(rows: readonly R[], make: (row: R) => T): Map<string, T[]> {
  const map = new Map<string, T[]>()
  for (const row of rows) map.set(row.pid, [...map.get(row.pid) ?? [], make(row)])
  return map
}

async function barredFrom(db: Kysely<Tables>, ctx: Ctx, actors: readonly string[], pids: readonly string[]): Promise<string[]> {
  const rows = await db.selectFrom('record_bar').select('pid').distinct().where('actor', 'in', [...actors]).where('pid', 'in', [...pids])
    .where('from_at', '<=', ctx.now.toISOString()).where('until_at', '>', ctx.now.toISOString()).execute()
  return rows.map((row) => row.pid)
}

async function knownAt(db: Kysely<Tables>, ctx: Ctx, organizations: readonly string[], pids: readonly string[]): Promise<string[]> {
  const rows = await db.selectFrom('care_relation').select('pid').distinct().where('organization', 'in', [...organizations]).where('pid', 'in', [...pids])
    .where('from_at', '<=', ctx.now.toISOString()).where('until_at', '>', ctx.now.toISOString()).execute()
  return rows.map((row) => row.pid)
}

async function insuredBy(db: Kysely<Tables>, organization: string, pids: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ pid: string }>`select distinct c.pid from resource c
    where c.t = ${sql.raw(String(typeCode('Coverage')))} and c.org = ${organization}::uuid and c.pid = any(${[...pids]}::uuid[])`.execute(db)
  return rows.map((row) => row.pid)
}

/** An organization and all that are part of it (Organization.partOf). */
async function membersOf(db: Kysely<Tables>, organization: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`select access_members(${organization}::uuid) as id`.execute(db)
  return rows.map((row) => row.id)
}
