/**
 * Details of a registered visit, uploaded in batches (2204) and taken back a batch at a time (2205). A batch is taken whole or
 * not at all; each line comes back split into own expense, above the limit, first-pay and in scope. A batch that is taken back before
 * it came is barred. A claim that names the visit is settled only when its lines are exactly the details that stand
 * (`assertDetails`), so that what was checked and what is paid are one thing.
 */
import type { Bundle, ChargeItem, ClaimResponse } from '@medplum/fhirtypes'
import type { Kysely } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { messageIdPattern, messageIdSystem, psnSystem, regionSystem } from '../fhir/claim-message.ts'
import { fail, issue, notFound, OutcomeError } from '../fhir/outcome.ts'
import { batchDetailsMax, type Detail, readDetail } from '../fhir/visit-message.ts'
import type { InsurerDb } from '../storage/pool.ts'
import type { InsurerTables, VisitDetailTable } from '../storage/tables.ts'
import { inTransaction } from '../storage/transaction.ts'
import { splitLine } from './adjudicate.ts'
import { assertCatalogue } from './catalogue.ts'
import type { Centre } from './centre.ts'
import { bodyHashOf, lockMessage } from './claim-rows.ts'
import { lineItem } from './claim-response.ts'
import { type ClaimRequest, linesMax } from './read-claim.ts'
import { Trace } from './trace.ts'
import { assertUnsettled, lockVisit, otherMessage, type VisitRow } from './visits.ts'

/** `POST /fhir/Encounter/[number]/$upload`. Throws OutcomeError value-invalid, charge-unknown, not-found, conflict, idempotency-mismatch. */
export async function uploadDetails(db: InsurerDb, ctx: Ctx, centre: Centre, number: string, batch: Bundle<ChargeItem>): Promise<ClaimResponse> {
  const messageId = batch.identifier?.system === messageIdSystem ? batch.identifier.value ?? '' : ''
  if (!messageIdPattern.test(messageId)) throw fail('value-invalid', { zh: '批次须有 30 位报文编号。', en: 'A batch needs a message id of 30 characters.' }, 'Bundle.identifier')
  const details = readDetails(batch)
  const bodyHash = bodyHashOf(batch)
  return inTransaction(db, async (trx) => {
    await lockMessage(trx, messageId)
    const visit = await lockVisit(trx, ctx, number)
    const earlier = await trx.selectFrom('visit_batch').selectAll().where('message_id', '=', messageId).executeTakeFirst()
    if (earlier) {
      if (earlier.state !== 'uploaded' && (earlier.body_hash ?? bodyHash) === bodyHash && earlier.visit === number) throw fail('conflict', { zh: '该批次已撤销，不再受理。请用新的报文编号重新上传。', en: 'This batch was taken back. Upload under a new message id.' }, 'Bundle.identifier')
      if (earlier.visit !== number || earlier.body_hash !== bodyHash || earlier.response === null) throw otherMessage('Bundle.identifier')
      return JSON.parse(earlier.response) as ClaimResponse
    }
    if (visit.state !== 'registered') throw fail('conflict', { zh: '该就诊登记已撤销。', en: 'The registration of this visit was taken back.' })
    await assertUnsettled(trx, number)
    await assertCatalogue(trx, { lines: details.map((each, index) => ({ ...each, sequence: index + 1 })), begunOn: visit.begun_on })
    await assertRoom(trx, number, details)
    const response = answerOf(ctx, centre, visit, messageId, details)
    await trx.insertInto('visit_batch').values({
      message_id: messageId, client_id: ctx.principal.id, visit: number, state: 'uploaded', body_hash: bodyHash, content: JSON.stringify(batch), response: JSON.stringify(response),
      received_at: ctx.now, cancelled_at: null,
    }).execute()
    await trx.insertInto('visit_detail').values(details.map((each) => ({
      visit: number, detail: each.detail, batch: messageId, code: each.code, quantity: each.quantity, amount_fen: each.amountFen, catalogue_class: each.catalogueClass,
      first_pay_parts: each.firstPayParts, limit_fen: each.limitFen,
    }))).execute()
    return response
  })
}

function readDetails(batch: Bundle<ChargeItem>): Detail[] {
  const entries = batch.entry ?? []
  if (entries.length === 0 || entries.length > batchDetailsMax) throw fail('value-invalid', { zh: `一个批次须为 1 至 ${batchDetailsMax} 行。`, en: `A batch has 1 to ${batchDetailsMax} lines.` }, 'Bundle.entry')
  const read = entries.map(({ resource }) => (resource?.resourceType === 'ChargeItem' ? readDetail(resource) : null))
  const faults = read.flatMap((each, index) => (each ? [] : [issue('value-invalid', { zh: '明细须有明细编号、项目编码、整数数量、金额和目录等级。', en: 'A detail needs its number, an item code, a whole quantity, an amount and a catalogue class.' }, `Bundle.entry[${index}].resource`)]))
  if (faults.length > 0) throw new OutcomeError(faults)
  const details = read.filter((each) => each !== null)
  if (new Set(details.map((each) => each.detail)).size < details.length) throw fail('value-invalid', { zh: '明细编号重复。', en: 'A detail number comes twice.' }, 'Bundle.entry')
  return details
}

/** Each detail stands once, and no more of them than a claim can have lines. */
async function assertRoom(db: Kysely<InsurerTables>, number: string, details: readonly Detail[]): Promise<void> {
  const standing = await db.selectFrom('visit_detail').select('detail').where('visit', '=', number).execute()
  const known = new Set(standing.map((each) => each.detail))
  const twice = details.find((each) => known.has(each.detail))
  if (twice) throw fail('conflict', { zh: `明细 ${twice.detail} 已上传；如需更改，请先撤销其批次。`, en: `Detail ${twice.detail} was uploaded before. To change it, take back its batch first.` }, 'Bundle.entry')
  if (standing.length + details.length > linesMax) throw fail('value-invalid', { zh: `一次就诊最多 ${linesMax} 行明细。`, en: `A visit has at most ${linesMax} details.` }, 'Bundle.entry')
}

function answerOf(ctx: Ctx, centre: Centre, visit: VisitRow, messageId: string, details: readonly Detail[]): ClaimResponse {
  const trace = new Trace('half-up')
  return {
    resourceType: 'ClaimResponse', id: ctx.newId(null), status: 'active', use: 'predetermination', outcome: 'partial', created: ctx.now.toISOString(),
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claim-type', code: 'professional' }] },
    patient: { identifier: { system: psnSystem(visit.insured_region), value: visit.psn_no } }, insurer: { identifier: { system: regionSystem, value: centre.region } },
    request: { identifier: { system: messageIdSystem, value: messageId } }, disposition: '明细已受理',
    item: details.map((each, index) => lineItem(splitLine(trace, { ...each, sequence: index + 1 }))),
  }
}

/**
 * `POST /fhir/Encounter/[number]/$cancel-upload` with the message id of a batch; asked again, the same answer. One that never came
 * is barred. Throws OutcomeError value-invalid, not-found, conflict.
 */
export async function cancelUpload(db: InsurerDb, ctx: Ctx, number: string, messageId: string): Promise<ClaimResponse> {
  if (!messageIdPattern.test(messageId)) throw fail('value-invalid', { zh: '缺少批次的报文编号。', en: 'The message id of the batch is missing.' }, "Parameters.parameter.where(name='batch')")
  return inTransaction(db, async (trx) => {
    await lockMessage(trx, messageId)
    const visit = await lockVisit(trx, ctx, number)
    const batch = await trx.selectFrom('visit_batch').select(['visit', 'state', 'response']).where('message_id', '=', messageId).executeTakeFirst()
    if (batch && batch.visit !== number) throw notFound(`Bundle/${messageId}`)
    if (!batch) {
      await trx.insertInto('visit_batch').values({
        message_id: messageId, client_id: ctx.principal.id, visit: number, state: 'void', body_hash: null, content: null, response: null, received_at: ctx.now, cancelled_at: ctx.now,
      }).execute()
    } else if (batch.state === 'uploaded') {
      await assertUnsettled(trx, number)
      await trx.deleteFrom('visit_detail').where('batch', '=', messageId).execute()
      await trx.updateTable('visit_batch').set({ state: 'cancelled', cancelled_at: ctx.now }).where('message_id', '=', messageId).execute()
    }
    return takenBack(visit, messageId, batch?.response ?? null)
  })
}

function takenBack(visit: VisitRow, messageId: string, response: string | null): ClaimResponse {
  const given = response === null ? null : JSON.parse(response) as ClaimResponse
  return {
    resourceType: 'ClaimResponse', ...(given?.id === undefined ? {} : { id: given.id }), status: 'cancelled', use: 'predetermination', outcome: 'complete', created: given?.created ?? visit.registered_at,
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claim-type', code: 'professional' }] },
    patient: { identifier: { system: psnSystem(visit.insured_region), value: visit.psn_no } }, insurer: given?.insurer ?? {},
    request: { identifier: { system: messageIdSystem, value: messageId } }, disposition: '明细已撤销',
  }
}

type Line = Pick<VisitDetailTable, 'code' | 'quantity' | 'amount_fen' | 'catalogue_class' | 'first_pay_parts' | 'limit_fen'>

/**
 * The visit that a claim names is the caller's, of the same person, institution and first day, unsettled, and its details are the claim's
 * lines. Nothing to check when it names none. @param lock when it will be settled. Throws OutcomeError not-found, conflict, amount-mismatch.
 */
export async function assertDetails(db: Kysely<InsurerTables>, ctx: Ctx, request: ClaimRequest, lock: boolean): Promise<void> {
  if (request.visit === null) return
  let query = db.selectFrom('visit').selectAll().where('number', '=', request.visit).where('client_id', '=', ctx.principal.id)
  if (lock) query = query.forUpdate()
  const visit = await query.executeTakeFirst()
  if (!visit) throw notFound(`Encounter/${request.visit}`)
  if (visit.state !== 'registered') throw fail('conflict', { zh: '该就诊登记已撤销。', en: 'The registration of this visit was taken back.' }, 'Claim.item.encounter')
  await assertUnsettled(db, visit.number)
  const same = visit.psn_no === request.psnNo && visit.insured_region === request.region && visit.provider === request.provider && visit.medical_type === request.medicalType && visit.begun_on === request.begunOn
  if (!same) throw fail('conflict', { zh: '申报的人员、机构、医疗类别或日期与就诊登记不一致。', en: 'Person, institution, medical category or day differ from the registration of the visit.' }, 'Claim.item.encounter')
  const standing = await db.selectFrom('visit_detail').select(['code', 'quantity', 'amount_fen', 'catalogue_class', 'first_pay_parts', 'limit_fen']).where('visit', '=', visit.number).execute()
  const claimed = request.lines.map((each): Line => ({
    code: each.code, quantity: each.quantity, amount_fen: each.amountFen, catalogue_class: each.catalogueClass, first_pay_parts: each.firstPayParts, limit_fen: each.limitFen,
  }))
  if (sorted(standing) !== sorted(claimed)) throw fail('amount-mismatch', { zh: '申报明细与已上传的明细不一致。', en: 'The lines of the claim are not the details that were uploaded.' }, 'Claim.item')
}

function sorted(lines: readonly Line[]): string {
  return lines.map((each) => [each.code, each.quantity, each.amount_fen, each.catalogue_class, each.catalogue_class === 'B' ? each.first_pay_parts : 0, each.limit_fen ?? ''].join('|')).sort().join('\n')
}
