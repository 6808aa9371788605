/**
 * Claims of people insured elsewhere: handed on to the centre of the insured place, whose answer is adopted as it is. The
 * catalogue is this region's, the policy theirs. A row of `forward` is committed before anything is sent; a message is sent
 * once; after a timeout its end is unknown until the other centre is asked, and what it does not know after three questions
 * and two minutes is reversed there, which bars a late arrival. Adopting is one transaction and happens once. The money: they
 * owe us what funds and accounts pay, we owe it to the institution.
 */
import type { Claim, ClaimResponse } from '@medplum/fhirtypes'
import type { Kysely, Selectable } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { fundOf, linesFault, messageIdSystem, policyUrl, schemeUrl, type Split, splitFault, splitOf } from '../fhir/claim-message.ts'
import { addSeconds, dayInShanghai } from '../fhir/date-time.ts'
import { fail, OutcomeError } from '../fhir/outcome.ts'
import type { InsurerDb, InsurerTrx } from '../storage/pool.ts'
import type { ForwardTable, InsurerTables } from '../storage/tables.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { Centre } from './centre.ts'
import { answerAgain, bodyHashOf, claimColumns, lockMessage } from './claim-rows.ts'
import { postEntries, regionAccount } from './fund-entries.ts'
import type { PeerAnswer, PeerCentre } from './peer.ts'
import { type ClaimRequest, readClaim } from './read-claim.ts'
import { barMessage, undo } from './undo-claim.ts'
import { assertDetails } from './visit-details.ts'

type ForwardRow = Selectable<ForwardTable>
const undecided = ['prepared', 'sent', 'unknown', 'reversing'] as const
const askAfterSeconds = 10
const asksMin = 3
const reverseAfterSeconds = 120

/** Throws OutcomeError idempotency-mismatch, conflict, settlement-pending (503), insurer-unreachable (424), insurer-rejected. */
export async function forwardClaim(db: InsurerDb, ctx: Ctx, centre: Centre, peer: PeerCentre, claim: Claim, request: ClaimRequest): Promise<ClaimResponse> {
  if (request.use === 'predetermination') return estimate(peer, claim)
  const earlier = await inTransaction(db, (trx) => prepare(trx, ctx, claim, request))
  if (earlier) return earlier
  await moveForward(db, request.messageId, ['prepared'], { state: 'sent', sent_at: ctx.now, ask_at: addSeconds(ctx.now, askAfterSeconds) })
  return finish(db, ctx, centre, request.messageId, await peer.submit(claim))
}

async function estimate(peer: PeerCentre, claim: Claim): Promise<ClaimResponse> {
  const answer = await peer.submit(claim)
  if (answer.kind === 'answer' && answerFault(claim, answer.response) === null) return answer.response
  if (answer.kind === 'rejected') throw rejectedThere(answer.reason)
  throw unreachable('reason' in answer ? answer.reason : 'the answer does not add up')
}

/** Commits the intention. @returns the answer when the message was decided before. */
async function prepare(trx: InsurerTrx, ctx: Ctx, claim: Claim, request: ClaimRequest): Promise<ClaimResponse | null> {
  await lockMessage(trx, request.messageId)
  const bodyHash = bodyHashOf(claim)
  const decided = await trx.selectFrom('claim').select(['client_id', 'state', 'body_hash', 'response']).where('message_id', '=', request.messageId).executeTakeFirst()
  if (decided) return answerAgain(decided, ctx, bodyHash)
  const earlier = await trx.selectFrom('forward').selectAll().where('message_id', '=', request.messageId).executeTakeFirst()
  if (earlier) {
    if (earlier.client_id !== ctx.principal.id || earlier.body_hash !== bodyHash) return answerAgain({ ...earlier, state: 'settled', response: null }, ctx, '')
    if (earlier.state === 'rejected') throw rejectedThere(earlier.reason ?? '')
    throw pendingThere()
  }
  await assertDetails(trx, ctx, request, true)
  await trx.insertInto('forward').values({
    message_id: request.messageId, client_id: ctx.principal.id, region: request.region, body_hash: bodyHash, content: JSON.stringify(claim), state: 'prepared',
    reason: null, created_at: ctx.now, sent_at: null, ask_at: addSeconds(ctx.now, askAfterSeconds), decided_at: null, visit: request.visit,
  }).execute()
  return null
}

async function finish(db: InsurerDb, ctx: Ctx, centre: Centre, messageId: string, answer: PeerAnswer): Promise<ClaimResponse> {
  if (answer.kind === 'answer') {
    const adopted = await adoptForward(db, ctx, centre, messageId, answer.response)
    if (adopted) return adopted
    throw pendingThere()
  }
  const { reason } = answer
  if (answer.kind === 'unknown') {
    await moveForward(db, messageId, ['sent'], { state: 'unknown', reason })
    throw pendingThere()
  }
  await moveForward(db, messageId, ['sent'], { state: 'rejected', reason, decided_at: ctx.now })
  throw answer.kind === 'rejected' ? rejectedThere(reason) : unreachable(reason)
}

/** Makes the other centre's answer ours; null when it is not one we may book, or somebody else decided first. */
async function adoptForward(db: InsurerDb, ctx: Ctx, centre: Centre, messageId: string, response: ClaimResponse): Promise<ClaimResponse | null> {
  return inTransaction(db, async (trx) => {
    await lockMessage(trx, messageId)
    const forward = await trx.selectFrom('forward').selectAll().where('message_id', '=', messageId).where('state', 'in', ['sent', 'unknown']).forUpdate().executeTakeFirst()
    if (!forward) return null
    if (response.status === 'cancelled') {
      await bar(trx, ctx, centre, forward, response)
      return null
    }
    const claim = JSON.parse(forward.content) as Claim
    const split = splitOf(response.total)
    const fault = answerFault(claim, response)
    if (fault !== null || split === null) {
      await trx.updateTable('forward').set({ state: 'unknown', reason: fault ?? 'no totals' }).where('message_id', '=', messageId).execute()
      return null
    }
    await keepAnswer(trx, { ...ctx, principal: { ...ctx.principal, id: forward.client_id } }, centre, claim, response, split, forward)
    await trx.updateTable('forward').set({ state: 'confirmed', decided_at: ctx.now }).where('message_id', '=', messageId).execute()
    return response
  })
}

async function keepAnswer(trx: InsurerTrx, ctx: Ctx, centre: Centre, claim: Claim, response: ClaimResponse, split: Split, forward: ForwardRow): Promise<void> {
  const request = readClaim(claim, dayInShanghai(ctx.now))
  const settled = response.outcome === 'complete'
  const of = (url: string) => response.extension?.find((each) => each.url === url)
  await trx.insertInto('claim').values({
    ...claimColumns(ctx, centre, request, forward.body_hash, claim, response), state: settled ? 'settled' : 'refused',
    psn_no: request.psnNo, scheme: Number(of(schemeUrl)?.valueCoding?.code ?? 0) || null, year_from: null, policy: settled ? of(policyUrl)?.valueString ?? forward.region : null,
    fund_fen: fundOf(split), cash_fen: split.cash, account_current_fen: split['account-current'], account_prior_fen: split['account-prior'] + split['account-family'],
  }).execute()
  const owedFen = split.submitted - split.cash
  await postEntries(trx, ctx, { messageId: request.messageId, kind: 'settle', provider: request.provider },
    settled && owedFen > 0n ? [{ debit: regionAccount(forward.region), credit: 'provider', amountFen: owedFen }] : [])
}

/** What is wrong with an answer to a claim; null when it may be booked. */
function answerFault(claim: Claim, response: ClaimResponse): string | null {
  const messageId = claim.identifier?.find((each) => each.system === messageIdSystem)?.value
  if (response.request?.identifier?.value !== messageId || response.status !== 'active' || response.use !== claim.use) return 'the answer belongs to another message'
  const split = splitOf(response.total)
  if (!split) return 'the totals of the answer are incomplete'
  return splitFault(split) ?? linesFault(response.item, split) ?? (split.submitted === BigInt(Math.round((claim.total?.value ?? -1) * 100)) ? null : 'the answer is about another amount')
}

async function moveForward(db: InsurerDb, messageId: string, from: readonly ForwardRow['state'][], to: Partial<Pick<ForwardRow, 'state' | 'reason' | 'asked'>> & { sent_at?: Date; ask_at?: Date; decided_at?: Date }): Promise<boolean> {
  const done = await db.updateTable('forward').set(to).where('message_id', '=', messageId).where('state', 'in', [...from]).executeTakeFirst()
  return done.numUpdatedRows === 1n
}

/** Nothing stands at the other centre and nothing ever will: the message is barred here too. */
async function bar(trx: InsurerTrx, ctx: Ctx, centre: Centre, forward: ForwardRow, reversal: ClaimResponse | null): Promise<ClaimResponse> {
  const barred = await barMessage(trx, { ...ctx, principal: { ...ctx.principal, id: forward.client_id } }, centre, forward.message_id, reversal)
  await trx.updateTable('forward').set({ state: 'reversed', decided_at: ctx.now }).where('message_id', '=', forward.message_id).execute()
  return barred
}

/** A forward of the caller that is not decided yet, or was; null when this message was never handed on. */
export async function findForward(db: Kysely<InsurerTables>, messageId: string): Promise<ForwardRow | null> {
  return await db.selectFrom('forward').selectAll().where('message_id', '=', messageId).executeTakeFirst() ?? null
}

/**
 * Asks about an undecided forward, and reverses one that the other centre does not know. Safe to call at any time by anybody.
 * @returns the state afterwards.
 */
export async function resolveForward(db: InsurerDb, ctx: Ctx, centre: Centre, peer: PeerCentre, forward: ForwardRow): Promise<void> {
  const { message_id: messageId, state } = forward
  const age = (ctx.now.getTime() - Date.parse(forward.sent_at ?? forward.created_at)) / 1000
  if (state === 'prepared') {
    // Marked as sent before sending, so after a while this one never was.
    if (age >= 30) await inTransaction(db, async (trx) => {
      await lockMessage(trx, messageId)
      const still = await trx.selectFrom('forward').selectAll().where('message_id', '=', messageId).where('state', '=', 'prepared').forUpdate().executeTakeFirst()
      if (still) await bar(trx, ctx, centre, still, null)
    })
    return
  }
  if (state === 'reversing') { await reverseThere(db, ctx, centre, peer, messageId); return }
  if (state !== 'sent' && state !== 'unknown') return
  const finding = await peer.ask(messageId)
  if (finding.kind === 'found') {
    if (await adoptForward(db, ctx, centre, messageId, finding.response) !== null || finding.response.status === 'cancelled') return
  } else if (finding.kind === 'not-found') {
    await moveForward(db, messageId, ['sent', 'unknown'], { state: 'unknown', asked: forward.asked + 1, ask_at: addSeconds(ctx.now, askAfterSeconds) })
    if (forward.asked + 1 < asksMin || age < reverseAfterSeconds) return
    if (await moveForward(db, messageId, ['unknown'], { state: 'reversing' })) await reverseThere(db, ctx, centre, peer, messageId)
    return
  }
  await moveForward(db, messageId, ['sent', 'unknown'], { state: 'unknown', ask_at: addSeconds(ctx.now, askAfterSeconds) })
}

/** Undecided forwards whose time to be asked about has come. @returns how many were looked at. */
export async function resolveForwards(db: InsurerDb, ctx: Ctx, centre: Centre): Promise<number> {
  const due = await db.selectFrom('forward').selectAll().where('state', 'in', [...undecided]).where('ask_at', '<=', ctx.now.toISOString()).orderBy('ask_at').limit(100).execute()
  for (const forward of due) {
    const peer = centre.peers.get(forward.region)
    if (peer) await resolveForward(db, ctx, centre, peer, forward)
  }
  return due.length
}

/**
 * Undoes a claim that was handed on: first there, then here. Throws OutcomeError settlement-pending (503) while the other
 * centre does not answer; the same call again goes on.
 */
export async function reverseForward(db: InsurerDb, ctx: Ctx, centre: Centre, peer: PeerCentre, messageId: string): Promise<ClaimResponse> {
  await moveForward(db, messageId, ['prepared', 'sent', 'unknown', 'confirmed', 'rejected'], { state: 'reversing', ask_at: addSeconds(ctx.now, askAfterSeconds) })
  const reversal = await reverseThere(db, ctx, centre, peer, messageId)
  if (!reversal) throw pendingThere()
  return reversal
}

async function reverseThere(db: InsurerDb, ctx: Ctx, centre: Centre, peer: PeerCentre, messageId: string): Promise<ClaimResponse | null> {
  const answer = await peer.reverse(messageId)
  if (answer.kind !== 'answer' || answer.response.status !== 'cancelled' || answer.response.request?.identifier?.value !== messageId) {
    await moveForward(db, messageId, ['reversing'], { ask_at: addSeconds(ctx.now, askAfterSeconds), reason: 'reason' in answer ? answer.reason : 'the answer is no reversal' })
    return null
  }
  const { response } = answer
  return inTransaction(db, async (trx) => {
    await lockMessage(trx, messageId)
    const claim = await trx.selectFrom('claim').selectAll().where('message_id', '=', messageId).forUpdate().executeTakeFirst()
    if (claim?.reversal) return JSON.parse(claim.reversal) as ClaimResponse
    const forward = await trx.selectFrom('forward').selectAll().where('message_id', '=', messageId).forUpdate().executeTakeFirstOrThrow()
    if (!claim) return bar(trx, ctx, centre, forward, response)
    await trx.updateTable('forward').set({ state: 'reversed', decided_at: ctx.now }).where('message_id', '=', messageId).execute()
    return undo(trx, ctx, centre, claim, response)
  })
}

/** The end is not known yet: 503, so that the sender asks instead of sending again. */
function pendingThere(): OutcomeError {
  const { issues } = fail('settlement-pending', { zh: '参保地医保中心尚未答复，正在核对，请勿重复申报。', en: 'The centre of the insured place has not answered yet and is being asked. Please do not submit again.' })
  return new OutcomeError(issues, { status: 503, headers: { 'Retry-After': String(askAfterSeconds) } })
}

/** Surely nothing happened there: 424, a client error, so that the sender may submit anew under a new message id. */
function unreachable(reason: string): OutcomeError {
  const { issues } = fail('insurer-unreachable', { zh: '暂时连不上参保地医保中心，没有记账。请稍后再试，或全额支付后凭报销资料回参保地报销。', en: 'The centre of the insured place can not be reached. Nothing was booked: try again later, or pay in full and claim there with the reimbursement packet.' })
  return new OutcomeError(issues, { status: 424, cause: new Error(reason) })
}

function rejectedThere(reason: string): OutcomeError {
  return fail('insurer-rejected', { zh: `参保地医保中心未受理：${reason}`, en: `The centre of the insured place refused the message: ${reason}` })
}
