/**
 * What the access decision rests on follows from resources, in the transaction that writes them: relations from visits, referrals, care
 * teams and GP contracts; bars, shares, hidden entries and family grants from Consent, guardians from RelatedPerson. What a resource no longer says ends now.
 */
import type { Consent, Patient, RelatedPerson, Resource } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { type ConsentRule, type ReadConsent, readConsent } from '../access/consent-rules.ts'
import { endCareRelation, grantCareRelations } from '../access/grant-care-relation.ts'
import { hiddenBit } from '../access/labels.ts'
import { openingTypes, relationsOf } from '../access/relations-of.ts'
import type { Ctx } from '../ctx.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { typeCode } from '../fhir/resource-types.ts'
import type { Trx } from '../storage/pool.ts'
import { keepGuardians } from './keep-guardians.ts'
import { loadResource } from './read-resource.ts'
import type { Change } from './store.ts'

export async function keepAccess(trx: Trx, ctx: Ctx, changes: readonly Change[]): Promise<void> {
  for (const { type, id, before, after } of changes) {
    if (openingTypes.has(type)) await keepRelations(trx, ctx, id, before, after)
    if (type === 'Consent') await keepConsent(trx, ctx, id, after as Consent | null)
    if (type === 'RelatedPerson') await keepGuardians(trx, ctx, id, before as RelatedPerson | null, after as RelatedPerson | null)
  }
}

async function keepRelations(trx: Trx, ctx: Ctx, id: string, before: Resource | null, after: Resource | null): Promise<void> {
  const wanted = after === null ? [] : relationsOf(after, ctx.now)
  if (before !== null && relationsOf(before, ctx.now).length > 0) await endCareRelation(trx, keyOf(id), ctx.now)
  await grantCareRelations(trx, wanted.map((each) => ({ ...each, reasonId: keyOf(id) })))
}

/** A consent's rows are made anew with each version of it. */
async function keepConsent(trx: Trx, ctx: Ctx, id: string, after: Consent | null): Promise<void> {
  const consent = keyOf(id)
  await clear(trx, ctx, consent)
  const read = after === null ? null : readConsent(after)
  if (read === null) return
  for (const rule of read.rules) await keep(trx, consent, read, rule)
}

async function clear(trx: Trx, ctx: Ctx, consent: string): Promise<void> {
  await endCareRelation(trx, consent, ctx.now)
  await trx.deleteFrom('record_bar').where('consent', '=', consent).execute()
  await trx.deleteFrom('proxy_grant').where('source', '=', consent).where('kind', '=', 'authorization').execute()
  const shown = await trx.deleteFrom('hidden_item').where('consent', '=', consent).returning(['t', 'id']).execute()
  for (const each of shown) await flag(trx, each)
}

async function keep(trx: Trx, consent: string, { patient }: ReadConsent, rule: ConsentRule): Promise<void> {
  const pid = keyOf(patient)
  const shard = shardOf(pid)
  switch (rule.kind) {
    case 'bar':
      await trx.insertInto('record_bar').values({ shard, pid, actor: rule.actor, consent, from_at: rule.from, until_at: rule.until }).onConflict((conflict) => conflict.doNothing()).execute()
      return
    case 'share': {
      const organization = rule.actorType === 'Organization' ? rule.actor : nowhere
      await grantCareRelations(trx, [{ pid, practitioner: rule.actor, organization, reason: 'shared', reasonId: consent, opens: rule.opens, from: new Date(rule.from), until: new Date(rule.until) }])
      return
    }
    case 'hide': {
      const row = { t: typeCode(rule.type), id: keyOf(rule.id) }
      // Only the citizen's own entries: the id may be anybody's. One that was deleted has versions that stay hidden, and may come back.
      const own = sql`r where r.id = ${row.id}::uuid and r.t = ${row.t}::smallint and r.pid = ${pid}::uuid`
      const { rows } = await sql<{ id: string }>`select r.id from resource ${own} union all (select r.id from resource_history ${own} limit 1)`.execute(trx)
      if (rows.length === 0) return
      await trx.insertInto('hidden_item').values({ shard, pid, ...row, consent }).onConflict((conflict) => conflict.doNothing()).execute()
      await flag(trx, row)
      return
    }
    case 'family': {
      const name = (await loadResource<Patient>(trx, 'Patient', patient))?.name?.[0]
      const values = {
        shard, pid, grantee_pid: keyOf(rule.grantee), patient, relationship: rule.relationship, patient_name: name?.text ?? [name?.family, ...name?.given ?? []].filter(Boolean).join(''),
        kind: 'authorization' as const, groups: rule.groups, limited_at: null, source: consent, from_at: rule.from, until_at: rule.until,
      }
      await trx.insertInto('proxy_grant').values(values).onConflict((conflict) => conflict.constraint('proxy_grant_unique').doUpdateSet(values)).execute()
    }
  }
}

/** A share with a doctor is of no hospital's department. */
const nowhere = '00000000-0000-0000-0000-000000000000'

/** Brings the flag of an entry and of its former versions to what hidden_item says. Nothing that a client sees of it changes. */
async function flag(trx: Trx, { t, id }: { t: number; id: string }): Promise<void> {
  const set = sql`case when exists (select from hidden_item h where h.id = ${id}::uuid and h.t = ${t}::smallint)
    then labels | ${sql.raw(String(hiddenBit))} else labels & ~${sql.raw(String(hiddenBit))} end`
  for (const table of ['resource', 'resource_history'] as const) {
    await sql`update ${sql.table(table)} set labels = ${set} where id = ${id}::uuid and t = ${t}::smallint`.execute(trx)
  }
}
