/**
 * Settles claims: claim, answer, accumulators, account balances and fund entries are one transaction under the locks of the messages and
 * the persons. Claims that come in together share it, each decided for itself; there nobody waits for a message or a person that
 * another transaction holds: who would have to has a transaction of their own, and so has a claim that names a registered visit.
 */
import type { Claim, ClaimResponse } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { fundOf } from '../fhir/claim-message.ts'
import { OutcomeError } from '../fhir/outcome.ts'
import { textArray } from '../storage/array-literal.ts'
import { batched, perDatabase } from '../storage/batched.ts'
import { insertMany, rowsOfTable } from '../storage/insert-many.ts'
import type { InsurerDb, InsurerTrx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { Adjudication } from './adjudicate.ts'
import { type Centre, peerRegionOf } from './centre.ts'
import { answerAgain, bodyHashOf, claimColumns, lockMessage } from './claim-rows.ts'
import { loadStandings } from './coverage-facts.ts'
import { askedOf, decideClaim, type Decision } from './decide-claim.ts'
import { entryRows, settlementEntries } from './fund-entries.ts'
import type { ClaimRequest } from './read-claim.ts'
import { assertDetails } from './visit-details.ts'

interface Settling { ctx: Ctx; centre: Centre; claim: Claim; request: ClaimRequest }
type Settled = { response: ClaimResponse } | { refused: OutcomeError } | 'alone'

/** Throws OutcomeError idempotency-mismatch, conflict, and what `assertDetails` throws. */
export async function settleClaim(db: InsurerDb, settling: Settling): Promise<ClaimResponse> {
  const together = settling.request.visit === null ? await joined(db, settling) : 'alone'
  const result = together === 'alone' ? (await inTransaction(db, (trx) => settleMany(trx, [settling], true)))[0] : together
  if (result === undefined || result === 'alone') throw new Error('A claim that waits for its locks gets them.')
  if ('refused' in result) throw result.refused
  return result.response
}

const joinedMax = 16
const joined = perDatabase((db: InsurerDb) => batched<Settling, Settled>({
  max: joinedMax, keyOf: ({ request }) => request.psnNo, run: (members) => inTransaction(db, (trx) => settleMany(trx, members, false)), runAlone: () => Promise.resolve('alone'),
}))

/** @param wait for messages and persons that another transaction holds; there is one claim then. */
async function settleMany(trx: InsurerTrx, members: readonly Settling[], wait: boolean): Promise<Settled[]> {
  const results = new Map<Settling, Settled>()
  const open = () => members.filter((member) => !results.has(member))
  const hashes = new Map(members.map((member) => [member, bodyHashOf(member.claim)]))

  const messages = await lockMessages(trx, members, wait)
  for (const member of members) if (!messages.has(member)) results.set(member, 'alone')
  const earlier = await trx.selectFrom('claim').select(['message_id', 'client_id', 'state', 'body_hash', 'response'])
    .where((eb) => eb('message_id', '=', eb.fn.any(eb.val(open().map(({ request }) => request.messageId))))).execute()
  for (const row of earlier) {
    const member = open().find(({ request }) => request.messageId === row.message_id)
    if (member) results.set(member, attempted(() => ({ response: answerAgain(row, member.ctx, hashes.get(member) ?? '') })))
  }
  // A message that it refuses changes nothing: the rest of the transaction is empty.
  if (wait) for (const { ctx, request } of open()) if (peerRegionOf(ctx.principal) === null) await assertDetails(trx, ctx, request, true)

  const persons = await lockPersons(trx, open(), wait)
  if (!wait) for (const member of open()) if (!persons.has(member.request.psnNo)) results.set(member, 'alone')
  const deciding = open()
  if (deciding.length === 0) return members.map((member) => results.get(member) as Settled)
  const standings = await loadStandings(trx, deciding.map(({ centre, request }) => ({ own: centre.region, asked: askedOf(centre, request) })))
  const decided: Decided[] = []
  for (const [index, member] of deciding.entries()) {
    const decision = await decideClaim(trx, member.ctx, member.centre, member.request, standings[index] ?? { refusal: 'not-insured' })
    decided.push({ ...member, ...decision, hash: hashes.get(member) ?? '', grows: growth(member.request, decision.adjudication) })
    results.set(member, { response: decision.response })
  }
  await keep(trx, decided)
  return members.map((member) => results.get(member) as Settled)
}

function attempted(answer: () => Settled): Settled {
  try {
    return answer()
  } catch (error) {
    if (error instanceof OutcomeError) return { refused: error }
    throw error
  }
}

/** Members whose message is now theirs alone; of two with one message id the first. */
async function lockMessages(trx: InsurerTrx, members: readonly Settling[], wait: boolean): Promise<Set<Settling>> {
  const firsts = [...new Map(members.toReversed().map((member) => [member.request.messageId, member])).values()]
  if (wait) {
    for (const { request } of firsts) await lockMessage(trx, request.messageId)
    return new Set(firsts)
  }
  const { rows } = await sql<{ id: string }>`select id from unnest(${textArray(firsts.map(({ request }) => request.messageId))}::text[]) as id
    where pg_try_advisory_xact_lock(hashtextextended(id, 0))`.execute(trx)
  const held = new Set(rows.map(({ id }) => id))
  return new Set(firsts.filter(({ request }) => held.has(request.messageId)))
}

/** Numbers of the persons that are known here and locked now. */
async function lockPersons(trx: InsurerTrx, members: readonly Settling[], wait: boolean): Promise<Set<string>> {
  const numbers = members.filter(({ centre, request }) => request.region === centre.region).map(({ request }) => request.psnNo)
  if (numbers.length === 0) return new Set()
  const { rows } = await sql<{ psn_no: string }>`select psn_no from insured_person where psn_no = any(${textArray(numbers)}::text[]) order by psn_no for update ${wait ? sql`` : sql`skip locked`}`.execute(trx)
  return new Set(rows.map((row) => row.psn_no))
}

type Decided = Settling & Decision & { hash: string; grows: ReturnType<typeof growth> }

async function keep(trx: InsurerTrx, decided: readonly Decided[]): Promise<void> {
  await insertMany(trx, 'claim', decided.map(({ ctx, centre, request, claim, hash, standing, adjudication, response, grows }) => ({
    ...claimColumns(ctx, centre, request, hash, claim, response), state: adjudication ? 'settled' : 'refused',
    psn_no: standing?.psnNo ?? null, scheme: standing?.scheme ?? null, year_from: standing?.yearFrom ?? null,
    policy: adjudication ? standing?.policy.id ?? null : null, ...grows,
    fund_fen: adjudication ? fundOf(adjudication.split) : 0n, cash_fen: adjudication?.split.cash ?? request.totalFen,
  })), ['content', 'response'])
  await useUp(trx, decided)
  await insertMany(trx, 'fund_entry', decided.flatMap(({ ctx, request, standing, adjudication }) => (standing && adjudication
    ? entryRows(ctx, { messageId: request.messageId, kind: 'settle', provider: request.provider }, settlementEntries(standing.scheme, standing.psnNo, adjudication.split, peerRegionOf(ctx.principal)))
    : [])))
}

/** What the claim uses up, as kept in its row so that a reversal gives exactly that back. */
function growth(request: ClaimRequest, adjudication: Adjudication | null) {
  const grows = adjudication?.grows
  const category = request.kind?.category
  return {
    deductible_outpatient_fen: category === 'inpatient' ? 0n : grows?.deductibleFen ?? 0n,
    deductible_inpatient_fen: category === 'inpatient' ? grows?.deductibleFen ?? 0n : 0n,
    above_deductible_fen: grows?.aboveDeductibleFen ?? 0n,
    outpatient_above_fen: category === 'outpatient' ? grows?.categoryAboveFen ?? 0n : 0n,
    above_cap_fen: grows?.aboveCapFen ?? 0n,
    self_fen: grows?.selfFen ?? 0n,
    aid_fen: grows?.aidFen ?? 0n,
    account_current_fen: adjudication?.split['account-current'] ?? 0n,
    account_prior_fen: adjudication?.split['account-prior'] ?? 0n,
  }
}

const accumulated = ['deductible_outpatient_fen', 'deductible_inpatient_fen', 'above_deductible_fen', 'outpatient_above_fen', 'above_cap_fen', 'self_fen', 'aid_fen'] as const
const columns = sql.join(['psn_no', 'scheme', 'year_from', ...accumulated].map((name) => sql.ref(name)))
const added = sql.join(accumulated.map((name) => sql`${sql.ref(name)} = accumulator.${sql.ref(name)} + excluded.${sql.ref(name)}`))

/** Each person once: who is in this transaction is in no other and in it with one claim. */
async function useUp(trx: InsurerTrx, decided: readonly Decided[]): Promise<void> {
  const settled = decided.flatMap(({ standing, adjudication, grows }) => (standing && adjudication ? [{ psn_no: standing.psnNo, scheme: standing.scheme, year_from: standing.yearFrom, ...grows }] : []))
  if (settled.length === 0) return
  await sql`insert into accumulator (${columns}) select ${columns} from ${rowsOfTable('accumulator', settled)} on conflict (psn_no, scheme, year_from) do update set ${added}`.execute(trx)
  const paying = settled.filter((each) => each.account_current_fen + each.account_prior_fen > 0n)
  if (paying.length === 0) return
  await sql`update insured_person p set account_current_fen = p.account_current_fen - u.account_current_fen, account_prior_fen = p.account_prior_fen - u.account_prior_fen
    from ${rowsOfTable('insured_person', paying)} as u where p.psn_no = u.psn_no`.execute(trx)
}
