/**
 * Guardians: a RelatedPerson of a minor who is a parent or guardian and is known to the city by document and name acts for the child until its eighteenth
 * birthday, from its fourteenth on for a part of the record. Only what the city's own systems write counts (the registers of births and of residents): a
 * hospital may note a relative, but gives nobody rights. What the RelatedPerson no longer says ends now. Source: Civil Code art. 27, PIPL art. 31; docs/access.md.
 */
import type { Patient, RelatedPerson } from '@medplum/fhirtypes'
import { type Insertable, sql } from 'kysely'
import { allGroups } from '../access/data-groups.ts'
import type { Ctx } from '../ctx.ts'
import { startOfDay, timeRange } from '../fhir/date-time.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { parseReference } from '../fhir/references.ts'
import { residentIdSystem } from '../fhir/resident-id.ts'
import { typeCode } from '../fhir/resource-types.ts'
import type { Trx } from '../storage/pool.ts'
import type { ProxyGrantTable } from '../storage/tables.ts'
import { namesOf, personByDocument } from './person-by-document.ts'
import { loadResource } from './read-resource.ts'

const roleCodeSystem = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode'
/** Of the related person to the patient: parents, by birth or adoption, and guardians. */
const guardianCodes: ReadonlySet<string> = new Set(['PRN', 'MTH', 'FTH', 'NMTH', 'NFTH', 'NPRN', 'ADOPTP', 'ADOPTM', 'ADOPTF', 'GUARD'])
const limitedAge = 14
const adultAge = 18
const relatedMax = 100
/** Who the child is to the guardian. */
const childCodes = { female: 'DAU', male: 'SON' } as Readonly<Record<string, string>>

/** Derives the guardians of the child anew, or of two when it was another child's: several entries may name one person, and the last to go ends it. */
export async function keepGuardians(trx: Trx, ctx: Ctx, id: string, before: RelatedPerson | null, after: RelatedPerson | null): Promise<void> {
  if (ctx.principal.kind !== 'client' || ctx.principal.organization !== null) return
  await trx.deleteFrom('proxy_grant').where('source', '=', keyOf(id)).where('kind', '=', 'guardian').execute()
  const children = new Set([before, after].flatMap((each) => childIn(each) ?? []))
  for (const child of children) await derive(trx, ctx, child)
}

async function derive(trx: Trx, ctx: Ctx, id: string): Promise<void> {
  const child = await loadResource<Patient & { id: string }>(trx, 'Patient', id)
  if (child?.birthDate?.length !== 10) return
  // What a hospital's system wrote says so in `org`.
  const { rows } = await sql<{ id: string; content: string }>`select r.id, r.content from resource r
    where r.pid = ${keyOf(id)}::uuid and r.t = ${sql.raw(String(typeCode('RelatedPerson')))} and r.org is null order by r.id limit ${relatedMax}`.execute(trx)
  for (const row of rows) {
    const grant = await grantOf(trx, ctx, child, row.id, JSON.parse(row.content) as RelatedPerson)
    if (grant) await trx.insertInto('proxy_grant').values(grant).onConflict((conflict) => conflict.constraint('proxy_grant_unique').doUpdateSet(grant)).execute()
  }
}

async function grantOf(trx: Trx, { now }: Ctx, child: Patient & { id: string }, source: string, related: RelatedPerson): Promise<Insertable<ProxyGrantTable> | null> {
  const guardian = related.active === false || !isGuardian(related) ? null : await guardianOf(trx, related)
  if (guardian === null || guardian === child.id) return null
  const birthday = (age: number) => birthdayAt(child.birthDate as string, age)
  const ends = [birthday(adultAge), ...(related.period?.end ? [endOf(related.period.end)] : [])]
  const until = new Date(Math.min(...ends.map((each) => each.getTime())))
  // A birthday that no calendar has is none.
  if (!(until > now)) return null
  const pid = keyOf(child.id)
  return {
    shard: shardOf(pid), pid, grantee_pid: keyOf(guardian), patient: child.id, relationship: childCodes[child.gender ?? ''] ?? 'CHILD', patient_name: child.name?.[0]?.text ?? namesOf(child.name)[0] ?? '',
    kind: 'guardian', groups: allGroups, limited_at: birthday(limitedAge), source, from_at: related.period?.start ? startOf(related.period.start) : birthday(0), until_at: until,
  }
}

function childIn(related: RelatedPerson | null): string | null {
  const target = parseReference(related?.patient?.reference ?? '')
  return target.kind === 'local' ? target.id : null
}

function isGuardian({ relationship }: RelatedPerson): boolean {
  return (relationship ?? []).some(({ coding }) => coding?.some(({ system, code }) => system === roleCodeSystem && guardianCodes.has(code ?? '')))
}

async function guardianOf(trx: Trx, { identifier, name }: RelatedPerson): Promise<string | null> {
  const document = identifier?.find(({ system }) => system === residentIdSystem)?.value
  const [first] = namesOf(name)
  return document === undefined || first === undefined ? null : personByDocument(trx, residentIdSystem, document, first)
}

/** Who is born on 29 February is a year older on 1 March where there is none. */
function birthdayAt(birthDate: string, age: number): Date {
  const [year = '', month = '', day = ''] = birthDate.split('-')
  const leap = month === '02' && day === '29' && new Date(Date.UTC(Number(year) + age, 1, 29)).getUTCMonth() !== 1
  return startOfDay(`${Number(year) + age}-${leap ? '03-01' : `${month}-${day}`}`)
}

const startOf = (text: string): Date => new Date(timeRange(text)?.lo ?? Number.POSITIVE_INFINITY)
const endOf = (text: string): Date => new Date((timeRange(text)?.hi ?? Number.NEGATIVE_INFINITY) + 1)
