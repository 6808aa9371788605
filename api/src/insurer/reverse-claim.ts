/**
 * Undoes a settlement. Idempotent: asked again, it gives the first answer. A message nobody knows is barred, so that it can't be
 * settled when it arrives late; one that was handed on to another centre is undone there first. Source: trade 2601 of the
 * national interface, docs/settlement.md § When something goes wrong.
 */
import type { ClaimResponse } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { messageIdPattern } from '../fhir/claim-message.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import type { InsurerDb } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { Centre } from './centre.ts'
import { lockMessage } from './claim-rows.ts'
import { findForward, reverseForward } from './forward.ts'
import { barMessage, undo } from './undo-claim.ts'

/** Throws OutcomeError value-invalid, and not-found for a message of another client. */
export async function reverseClaim(db: InsurerDb, ctx: Ctx, centre: Centre, messageId: string): Promise<ClaimResponse> {
  if (!messageIdPattern.test(messageId)) {
    throw fail('value-invalid', { zh: '报文编号格式不正确。', en: 'This is no message id.' }, 'Claim.id')
  }
  // Under the lock of the message it is known for good whether it was handed on: then it is undone there first.
  const here = await inTransaction(db, async (trx) => {
    await lockMessage(trx, messageId)
    const forward = await findForward(trx, messageId)
    if (forward && forward.client_id !== ctx.principal.id) throw notFound(`Claim/${messageId}`)
    if (forward) return { region: forward.region }
    const claim = await trx.selectFrom('claim').selectAll().where('message_id', '=', messageId).forUpdate().executeTakeFirst()
    if (!claim) return barMessage(trx, ctx, centre, messageId)
    if (claim.client_id !== ctx.principal.id) throw notFound(`Claim/${messageId}`)
    if (claim.reversal !== null) return JSON.parse(claim.reversal) as ClaimResponse
    return undo(trx, ctx, centre, claim)
  })
  if (!('region' in here)) return here
  const peer = centre.peers.get(here.region)
  if (!peer) throw fail('insurer-unreachable', { zh: '没有通往参保地医保中心的连接，不能撤销。', en: 'There is no way to the centre of the insured place, so the claim can not be reversed.' })
  return reverseForward(db, ctx, centre, peer, messageId)
}
