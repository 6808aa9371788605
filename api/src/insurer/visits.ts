/**
 * Visits as institutions register them (2201) and take back (2202). A visit gathers the details that a claim settles. Registering is
 * idempotent by message id, and so is taking back. Invariants: a cancelled visit holds no details; one that is settled, or on
 * its way to another centre, is not touched until the settlement is reversed.
 */
import type { Encounter } from '@medplum/fhirtypes'
import type { Kysely, Selectable } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { divisionOf, holdsDivision, messageIdPattern } from '../fhir/claim-message.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { fail, notFound, type OutcomeError } from '../fhir/outcome.ts'
import { readVisitMessage, visitMessage, visitNumberSystem } from '../fhir/visit-message.ts'
import type { InsurerDb, InsurerTrx } from '../storage/pool.ts'
import type { InsurerTables, VisitTable } from '../storage/tables.ts'
import { inTransaction } from '../storage/transaction.ts'
import { type Centre, peerRegionOf } from './centre.ts'
import { bodyHashOf, lockMessage } from './claim-rows.ts'
import { isDay } from './read-claim.ts'

export type VisitRow = Selectable<VisitTable>

/** `POST /fhir/Encounter`. Throws OutcomeError value-invalid, region-wrong, forbidden, idempotency-mismatch. */
export async function registerVisit(db: InsurerDb, ctx: Ctx, centre: Centre, encounter: Encounter): Promise<Encounter> {
  const facts = readVisitMessage(encounter)
  if (!facts || !messageIdPattern.test(facts.messageId) || !/^[A-Z0-9]{12}$/.test(facts.institution) || facts.psnNo.length > 30) {
    throw fail('value-invalid', { zh: '登记须有报文编号、参保人员编号、机构编码、医疗类别和开始日期。', en: 'A registration needs message id, insured-person number, institution code, medical category and first day.' }, 'Encounter')
  }
  if (!isDay(facts.begunOn) || facts.begunOn > dayInShanghai(ctx.now)) throw fail('value-invalid', { zh: '开始日期不正确，或晚于今天。', en: 'The first day is not valid or lies ahead.' }, 'Encounter.period.start')
  if (peerRegionOf(ctx.principal) !== null || !holdsDivision(centre.region, divisionOf(facts.institution))) {
    throw fail('region-wrong', { zh: '就诊须在就医地的医保中心登记。', en: 'A visit is registered at the centre of the place of treatment.' }, 'Encounter.serviceProvider.identifier')
  }
  const bodyHash = bodyHashOf(encounter)
  return inTransaction(db, async (trx) => {
    await lockMessage(trx, facts.messageId)
    const earlier = await trx.selectFrom('visit').selectAll().where('message_id', '=', facts.messageId).executeTakeFirst()
    if (earlier && (earlier.client_id !== ctx.principal.id || earlier.body_hash !== bodyHash)) throw otherMessage('Encounter.identifier')
    return encounterOf(earlier ?? await trx.insertInto('visit').values({
      number: ctx.newId(null), client_id: ctx.principal.id, message_id: facts.messageId, body_hash: bodyHash, insured_region: facts.region, psn_no: facts.psnNo,
      provider: facts.institution, medical_type: facts.medicalType, begun_on: facts.begunOn, state: 'registered', registered_at: ctx.now, cancelled_at: null,
    }).returningAll().executeTakeFirstOrThrow())
  })
}

export function otherMessage(expression: string): OutcomeError {
  return fail('idempotency-mismatch', { zh: '该报文编号已用于另一份报文。', en: 'This message id was used for another message.' }, expression)
}

/** A visit of the caller, locked. Throws OutcomeError not-found. */
export async function lockVisit(trx: InsurerTrx, ctx: Ctx, number: string): Promise<VisitRow> {
  const row = await trx.selectFrom('visit').selectAll().where('number', '=', number).where('client_id', '=', ctx.principal.id).forUpdate().executeTakeFirst()
  if (!row) throw notFound(`Encounter/${number}`)
  return row
}

/** `POST /fhir/Encounter/[number]/$cancel`. Throws OutcomeError not-found, conflict. */
export async function cancelVisit(db: InsurerDb, ctx: Ctx, number: string): Promise<Encounter> {
  return inTransaction(db, async (trx) => {
    const visit = await lockVisit(trx, ctx, number)
    if (visit.state === 'cancelled') return encounterOf(visit)
    await assertUnsettled(trx, number)
    const detail = await trx.selectFrom('visit_detail').select('detail').where('visit', '=', number).limit(1).executeTakeFirst()
    if (detail) throw fail('conflict', { zh: '请先撤销费用明细，再撤销就诊登记。', en: 'Take back the details first, then the registration.' })
    return encounterOf(await trx.updateTable('visit').set({ state: 'cancelled', cancelled_at: ctx.now }).where('number', '=', number).returningAll().executeTakeFirstOrThrow())
  })
}

/** `GET /fhir/Encounter/[number]`, of the caller. Throws OutcomeError not-found. */
export async function readVisit(db: Kysely<InsurerTables>, ctx: Ctx, number: string): Promise<Encounter> {
  const row = await db.selectFrom('visit').selectAll().where('number', '=', number).where('client_id', '=', ctx.principal.id).executeTakeFirst()
  if (!row) throw notFound(`Encounter/${number}`)
  return encounterOf(row)
}

/** Throws OutcomeError conflict while a claim of the visit stands or is on its way. */
export async function assertUnsettled(db: Kysely<InsurerTables>, number: string): Promise<void> {
  const settled = await db.selectFrom('claim').select('message_id').where('visit', '=', number).where('state', '=', 'settled').executeTakeFirst()
  const away = settled ?? await db.selectFrom('forward').select('message_id').where('visit', '=', number).where('state', 'in', ['prepared', 'sent', 'unknown', 'reversing']).executeTakeFirst()
  if (away) throw fail('conflict', { zh: '该就诊已结算或正在结算，请先撤销结算。', en: 'The visit is settled or being settled. Reverse the settlement first.' })
}

function encounterOf(row: VisitRow): Encounter {
  const message = visitMessage({ messageId: row.message_id, region: row.insured_region, psnNo: row.psn_no, institution: row.provider, medicalType: row.medical_type, begunOn: row.begun_on })
  return {
    ...message, id: row.number, status: row.state === 'registered' ? 'in-progress' : 'cancelled',
    identifier: [...message.identifier ?? [], { system: visitNumberSystem, value: row.number }],
  }
}
