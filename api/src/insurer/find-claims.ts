/**
 * Asking what became of a message: by message id for a sender that got no answer, by the centre's own id for a read. A client
 * only finds what it sent itself. Has no effect, also on the locks of a running settlement: one that is not committed yet is
 * not found yet.
 */
import type { Bundle, Claim, ClaimResponse, ExplanationOfBenefit, Resource } from '@medplum/fhirtypes'
import type { Kysely } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { messageIdSystem } from '../fhir/claim-message.ts'
import { fail, issue, notFound, operationOutcome } from '../fhir/outcome.ts'
import { statementOf } from '../fhir/statement.ts'
import type { InsurerDb } from '../storage/pool.ts'
import type { InsurerTables } from '../storage/tables.ts'
import type { Centre } from './centre.ts'
import { findForward, resolveForward } from './forward.ts'

/** The Claim of a message with its present status; null when unknown. */
export async function findClaim(db: Kysely<InsurerTables>, ctx: Ctx, messageId: string): Promise<Claim | null> {
  const row = await db.selectFrom('claim').select(['content', 'state']).where('message_id', '=', messageId).where('client_id', '=', ctx.principal.id).executeTakeFirst()
  if (!row?.content) return null
  const claim = JSON.parse(row.content) as Claim
  return { ...claim, id: messageId, status: row.state === 'reversed' ? 'cancelled' : 'active' }
}

/** The answer of a message: of a reversed one, the reversal. Null when unknown. */
async function findAnswer(db: Kysely<InsurerTables>, ctx: Ctx, messageId: string): Promise<ClaimResponse | null> {
  const row = await db.selectFrom('claim').select(['response', 'reversal']).where('message_id', '=', messageId).where('client_id', '=', ctx.principal.id).executeTakeFirst()
  const text = row?.reversal ?? row?.response
  return text ? JSON.parse(text) as ClaimResponse : null
}

/** As `findAnswer`; of a message on its way to another centre, that one is asked first. */
export async function askAnswer(db: InsurerDb, ctx: Ctx, centre: Centre, messageId: string): Promise<ClaimResponse | null> {
  const answer = await findAnswer(db, ctx, messageId)
  if (answer) return answer
  const forward = await findForward(db, messageId)
  const peer = forward?.client_id === ctx.principal.id ? centre.peers.get(forward.region) : undefined
  if (!forward || !peer) return null
  await resolveForward(db, ctx, centre, peer, forward)
  return findAnswer(db, ctx, messageId)
}

/** Throws OutcomeError not-found. */
export async function readClaimResponse(db: Kysely<InsurerTables>, ctx: Ctx, id: string): Promise<ClaimResponse> {
  const row = await db.selectFrom('claim').select(['response_id', 'response', 'reversal']).where('client_id', '=', ctx.principal.id)
    .where((eb) => eb.or([eb('response_id', '=', id), eb('reversal_id', '=', id)])).executeTakeFirst()
  const text = row?.response_id === id ? row.response : row?.reversal
  if (!text) throw notFound(`ClaimResponse/${id}`)
  return JSON.parse(text) as ClaimResponse
}

/**
 * What a person takes to the insured place when nobody settled directly: the claim with its lines as the catalogue here sees them, why
 * it was not settled, and what else to bring. Throws OutcomeError not-found, settled-already.
 */
export async function reimbursementPacket(db: InsurerDb, ctx: Ctx, messageId: string): Promise<Bundle> {
  const row = await db.selectFrom('claim').select(['content', 'response', 'state']).where('message_id', '=', messageId).where('client_id', '=', ctx.principal.id).executeTakeFirst()
  if (row?.state === 'settled') throw fail('settled-already', { zh: '该费用已直接结算，不需要手工报销。', en: 'This was settled directly; there is nothing to claim on paper.' })
  const forward = await findForward(db, messageId)
  const content = row?.content ?? (forward?.client_id === ctx.principal.id ? forward.content : null)
  if (content === null) throw notFound(`Claim/${messageId}`)
  const text = {
    zh: '请携带本资料、医疗费用票据、费用清单和病历，向参保地医保经办机构申请手工（零星）报销。',
    en: 'Take this packet, the receipts, the list of charges and the medical record to the insurance office of the insured place and claim on paper.',
  }
  return {
    resourceType: 'Bundle', type: 'collection', timestamp: ctx.now.toISOString(), identifier: { system: messageIdSystem, value: messageId },
    entry: [
      { resource: { ...JSON.parse(content) as Claim, id: messageId } },
      ...(row?.response ? [{ resource: JSON.parse(row.response) as ClaimResponse }] : []),
      { resource: operationOutcome([issue('insurer-unreachable', { zh: `${text.zh} ${text.en}`, en: `${text.en} ${text.zh}` }, null, 'information')], ctx.language) as unknown as Resource },
    ],
  }
}

/** A searchset of the matches, at most a handful. */
export function searchset(base: string, self: string, resources: readonly Resource[]): Resource {
  return {
    resourceType: 'Bundle', type: 'searchset', total: resources.length, link: [{ relation: 'self', url: `${base}${self}` }],
    entry: resources.map((resource) => ({ fullUrl: `${base}/${resource.resourceType}/${resource.id}`, resource, search: { mode: 'match' as const } })),
  }
}

/** The statement of a settled or reversed claim of the caller, by message id; null when there is none, or it was refused. */
export async function findStatement(db: Kysely<InsurerTables>, ctx: Ctx, messageId: string): Promise<ExplanationOfBenefit | null> {
  const row = await db.selectFrom('claim').select(['content', 'response', 'state']).where('message_id', '=', messageId).where('client_id', '=', ctx.principal.id).where('state', 'in', ['settled', 'reversed']).executeTakeFirst()
  if (!row?.content || !row.response) return null
  const response = JSON.parse(row.response) as ClaimResponse
  if (response.outcome !== 'complete') return null
  return { ...statementOf({ ...JSON.parse(row.content) as Claim, id: messageId }, response, messageId), status: row.state === 'reversed' ? 'cancelled' : 'active' }
}
