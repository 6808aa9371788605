/**
 * Emergency access (紧急调阅): one clinician, one patient, half an hour, for a stated reason and after a step-up. It is a care relation
 * that opens every label and passes the citizen's bars. The row is the notice: the citizen and the audit administrator see it the moment
 * it is committed. Invariant: a clinician has one unreviewed use at most (unique index break_glass_one_unreviewed).
 */
import type { Patient } from '@medplum/fhirtypes'
import { type Kysely, type Selectable, sql } from 'kysely'
import { groupBit } from '../access/data-groups.ts'
import { loadAccessFacts } from '../access/facts.ts'
import { grantCareRelations } from '../access/grant-care-relation.ts'
import { everyBit } from '../access/labels.ts'
import { signInRequired } from '../access/may-write.ts'
import type { BreakGlassUse, EmergencyReason } from '../access/shapes.ts'
import { assertStepUp } from '../access/step-up.ts'
import { recordEvents } from '../audit/record-event.ts'
import type { Ctx } from '../ctx.ts'
import { addMinutes } from '../fhir/date-time.ts'
import { isFhirId, keyOf, shardOf } from '../fhir/id.ts'
import { fail, forbidden, notFound } from '../fhir/outcome.ts'
import { residentIdSystem } from '../fhir/resident-id.ts'
import { typeCode } from '../fhir/resource-types.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { BreakGlassTable, Tables } from '../storage/tables.ts'
import { inTransaction } from '../storage/transaction.ts'
import { loadResource } from './read-resource.ts'
import { tokenKey } from './search/keys.ts'

const openMinutes = 30
const stepUpMinutes = 5
const listMax = 200

export interface EmergencyRequest {
  /** FHIR id of the Patient, or an identity number as it stands on the card. */
  patient: string
  reason: EmergencyReason
  explanation: string
}

/** Throws sign-in-required, forbidden, step-up-required, not-found, emergency-unreviewed. A use that is still open for the patient is given back. */
export async function openEmergency(db: Db, ctx: Ctx, request: EmergencyRequest): Promise<BreakGlassUse> {
  const { principal } = ctx
  if (principal.kind === 'anonymous') throw signInRequired()
  const clinical = principal.kind === 'person' && (principal.role === 'clinician' || principal.role === 'gp') && principal.scopes.length === 0
  if (!clinical || principal.practitioner === null || principal.organization === null) throw forbidden()
  assertStepUp(ctx, stepUpMinutes)
  const practitioner = keyOf(principal.practitioner)
  const organization = principal.organization
  const row = await inTransaction(db, async (trx) => {
    const patient = await findPatient(trx, request.patient)
    const pid = keyOf(patient)
    const standing = await trx.selectFrom('break_glass').selectAll().where('practitioner', '=', practitioner).where('reviewed_at', 'is', null).forUpdate().executeTakeFirst()
    if (standing) {
      if (standing.pid === pid && Date.parse(standing.until_at) > ctx.now.getTime()) return standing
      throw unreviewed()
    }
    const made = {
      shard: shardOf(practitioner), id: ctx.newId(shardOf(practitioner)), pid, patient, practitioner, account: principal.id, name: principal.name,
      organization, organization_name: principal.organizationName ?? '', reason: request.reason, explanation: request.explanation,
      opened_at: ctx.now.toISOString(), until_at: addMinutes(ctx.now, openMinutes).toISOString(),
    }
    const stored = await trx.insertInto('break_glass').values(made).onConflict((conflict) => conflict.doNothing()).returningAll().executeTakeFirst()
    if (!stored) throw unreviewed()
    await grantCareRelations(trx, [{
      pid, practitioner, organization: keyOf(organization), reason: 'break-glass', reasonId: made.id, opens: everyBit, from: ctx.now, until: addMinutes(ctx.now, openMinutes),
    }])
    await recordEvents(trx as Kysely<Tables>, ctx, [{ action: 'E', interaction: 'break-glass', resourceType: 'Patient', resourceId: patient, pid, detail: request.reason, outcome: 201 }])
    return stored
  })
  return shapeOf(row)
}

/** A FHIR id, else the identity number: exactly one Patient must have it. */
async function findPatient(trx: Trx, asked: string): Promise<string> {
  if (isFhirId(asked) && await loadResource<Patient>(trx, 'Patient', asked) !== null) return asked
  const key = tokenKey('Patient', 'identifier', residentIdSystem, asked.normalize('NFKC').replace(/[\s-]/g, '').toUpperCase())
  const { rows } = await sql<{ content: string }>`select r.content from resource r where r.t = ${sql.raw(String(typeCode('Patient')))} and r.keys @> ${`{${key}}`}::bigint[] limit 2`.execute(trx)
  const id = rows.length === 1 ? (JSON.parse(rows[0]?.content ?? '') as Patient).id : undefined
  if (id === undefined) throw notFound('Patient')
  return id
}

/**
 * Uses, newest first: a clinician's own; of a patient for the citizen, which marks them seen; all for the audit administrator, those to be
 * reviewed first. Throws sign-in-required, not-found.
 */
export async function listEmergencies(db: Db, ctx: Ctx, patient: string | null): Promise<BreakGlassUse[]> {
  const { principal } = ctx
  if (principal.kind === 'anonymous') throw signInRequired()
  const select = db.selectFrom('break_glass').selectAll().orderBy('opened_at', 'desc').limit(listMax)
  if (principal.kind !== 'person' || principal.scopes.length > 0) throw forbidden()
  if (principal.role === 'admin-audit') return (await select.clearOrderBy().orderBy(sql`reviewed_at is not null`).orderBy('opened_at', 'desc').execute()).map(shapeOf)
  if (principal.role === 'citizen' && patient !== null) {
    const pid = keyOf(patient)
    const facts = (await loadAccessFacts(db, ctx, [pid])).get(pid)
    if (!facts.own && facts.grants.length === 0) throw notFound(`Patient/${patient}`)
    // A relative who may not read the log is told nothing of this either.
    if (!facts.own && !facts.grants.some((grant) => (grant.groups & groupBit('access')) !== 0)) return []
    const rows = await select.where('pid', '=', pid).execute()
    if (rows.some((row) => row.seen_at === null)) await db.updateTable('break_glass').set({ seen_at: ctx.now }).where('pid', '=', pid).where('seen_at', 'is', null).execute()
    return rows.map(shapeOf)
  }
  if (principal.practitioner !== null) return (await select.where('practitioner', '=', keyOf(principal.practitioner)).execute()).map(shapeOf)
  throw forbidden()
}

/** Throws sign-in-required, forbidden, not-found, conflict when it was reviewed already. */
export async function reviewEmergency(db: Db, ctx: Ctx, id: string, review: { verdict: 'justified' | 'unjustified'; note: string | null }): Promise<BreakGlassUse> {
  const { principal } = ctx
  if (principal.kind === 'anonymous') throw signInRequired()
  if (principal.kind !== 'person' || principal.role !== 'admin-audit' || principal.scopes.length > 0) throw forbidden()
  return inTransaction(db, async (trx) => {
    const row = await trx.selectFrom('break_glass').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
    if (!row) throw notFound('emergency-access')
    if (row.reviewed_at !== null) throw fail('conflict', { zh: '这次紧急调阅已经复核过。', en: 'This emergency access has been reviewed already.' })
    const reviewed = await trx.updateTable('break_glass').set({ reviewed_at: ctx.now, reviewer: principal.id, reviewer_name: principal.name, verdict: review.verdict, note: review.note })
      .where('id', '=', id).returningAll().executeTakeFirstOrThrow()
    // What was found unjustified is closed now.
    if (review.verdict === 'unjustified') await trx.updateTable('care_relation').set({ until_at: sql`least(until_at, ${ctx.now})` }).where('reason_id', '=', id).execute()
    await recordEvents(trx as Kysely<Tables>, ctx, [{ action: 'E', interaction: 'break-glass-review', resourceType: 'Patient', resourceId: row.patient, pid: row.pid, detail: review.verdict, outcome: 200 }])
    return shapeOf(reviewed)
  })
}

function shapeOf(row: Selectable<BreakGlassTable>): BreakGlassUse {
  return {
    id: row.id, patient: row.patient, name: row.name, organization: row.organization_name, reason: row.reason, explanation: row.explanation,
    openedAt: row.opened_at, until: row.until_at, seenAt: row.seen_at, reviewedAt: row.reviewed_at, reviewer: row.reviewer_name, verdict: row.verdict, note: row.note,
  }
}

function unreviewed() {
  return fail('emergency-unreviewed', { zh: '您上一次紧急调阅尚未复核，复核之前不能再次使用。', en: 'Your last emergency access has not been reviewed yet. Until then there is no other.' })
}
