/**
 * The steps before a settlement: the visit is registered at the centre, its details are uploaded in batches, both can be taken back.
 * Each step is committed with its message id, then sent; the centre gives one message one answer, so an unanswered step is sent
 * again as it is, by the next call or by the job. The job also uploads the details of bills that have come to rest, so that the
 * cashier finds them there. Source: docs/settlement.md, § The steps before.
 */
import type { Bundle, ChargeItem, Encounter } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { addDays, addMinutes, addSeconds, dayInShanghai } from '../fhir/date-time.ts'
import { fail, notFound, OutcomeError } from '../fhir/outcome.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { askAfterSeconds } from './attempt-rows.ts'
import { assertBillIsOpen, assertLines, billLines, type BillLineRow, findBill, lockBill, lockedBill, pending } from './bill-rows.ts'
import type { SettlementGateway } from './gateway.ts'
import { assertMaySettle } from './may-settle.ts'
import { mayTakeMoney } from './payments.ts'
import { coverageMissing } from './self-pay.ts'
import type { BillUpload } from './shapes.ts'
import type { StepAnswer } from './visit-gateway.ts'
import { factsOf, insertBatches, insertRegistration, moveStep, planSteps, standingSteps, type StepRow, uploadOf } from './visit-steps.ts'
import { insuranceOn, loadVisit, type Visit } from './visit.ts'

interface Deps { db: Db; gateway: SettlementGateway }

/** Registration, taking back what changed, uploading; a change on the way makes one more round. */
const roundsMax = 8

/** `POST /api/bills/{encounter}/details`. Throws OutcomeError not-found, forbidden, coverage-missing, bill-empty, settled-already, settlement-pending, insurer-unreachable. */
export async function uploadNow(deps: Deps, ctx: Ctx, encounterId: string): Promise<BillUpload> {
  const visit = await loadVisit(deps.db, encounterId)
  if (!visit) throw notFound(`Encounter/${encounterId}`)
  await assertMaySettle(deps.db, ctx, visit, `Encounter/${encounterId}`)
  await setHeld(deps.db, visit, false)
  await ensureUploaded(deps, ctx, visit)
  return uploadOf(deps.db, visit, await billLines(deps.db, visit))
}

/** `POST /api/bills/{encounter}/details/take-back`, for the institution and its systems. Throws as `uploadNow`. */
export async function takeBackNow(deps: Deps, ctx: Ctx, encounterId: string): Promise<BillUpload> {
  const visit = await loadVisit(deps.db, encounterId)
  if (!visit || !mayTakeMoney(ctx, visit.organizationId)) throw notFound(`Encounter/${encounterId}`)
  assertBillIsOpen(await findBill(deps.db, visit) ?? { state: 'open' })
  await setHeld(deps.db, visit, true)
  await takeBack(deps, ctx, visit)
  return uploadOf(deps.db, visit, await billLines(deps.db, visit))
}

async function setHeld(db: Db, visit: Visit, held: boolean): Promise<void> {
  await db.updateTable('bill').set({ details_held: held }).where('shard', '=', visit.shard).where('encounter', '=', visit.encounterKey).where('details_held', '<>', held).execute()
}

export async function hasSteps(db: Db, visit: Visit): Promise<boolean> {
  return (await standingSteps(db, visit)).length > 0
}

/**
 * Brings what stands at the centre to what the bill says. @returns whether all of it is there; false when the centre refused a step: its
 * reason stands on the step, and a settlement names no visit then. Throws OutcomeError insurer-unreachable and as `uploadNow`.
 */
export async function ensureUploaded(deps: Deps, ctx: Ctx, visit: Visit): Promise<boolean> {
  for (let round = 0; round < roundsMax; round++) {
    const due = await inTransaction(deps.db, (trx) => prepareSteps(trx, ctx, visit))
    if (due.length === 0) return true
    if (!await runAll(deps, ctx, due)) return false
  }
  throw fail('conflict', { zh: '费用一直在变动，请稍后再试。', en: 'The charges keep changing. Try again in a moment.' })
}

/** Steps in their order; after a refusal the rest waits. @returns false when one was refused. */
async function runAll(deps: Deps, ctx: Ctx, due: readonly StepRow[]): Promise<boolean> {
  for (const step of due) if (!await runStep(deps, ctx, step)) return false
  return true
}

async function prepareSteps(trx: Trx, ctx: Ctx, visit: Visit): Promise<StepRow[]> {
  const bill = await lockBill(trx, ctx, visit)
  assertBillIsOpen(bill)
  if (visit.institutionCode === null) throw fail('business-rule', { zh: '该医疗机构不是医保定点机构，不能联网结算。', en: 'This institution is not designated by the insurer, so the visit can not be settled online.' })
  const insurance = await insuranceOn(trx, visit)
  if (!insurance) throw coverageMissing()
  const lines = await billLines(trx, visit)
  assertLines(lines, bill.total_fen)
  const facts = factsOf(visit, insurance)
  const plan = planSteps(await standingSteps(trx, visit), JSON.stringify(facts), lines)
  if (plan.open.length > 0) return inOrder(plan.open)
  for (const step of plan.stale) await moveStep(trx, step, 'done', { state: 'undoing', tries: 0, try_at: ctx.now })
  if (plan.stale.length === 0 && plan.register) await insertRegistration(trx, ctx, visit, facts)
  else if (plan.open.length === 0 && plan.stale.length === 0 && plan.missing.length > 0 && plan.visitNumber !== null) await insertBatches(trx, ctx, visit, facts, plan.visitNumber, plan.missing)
  return inOrder((await standingSteps(trx, visit)).filter((each) => each.state !== 'done'))
}

/** A registration is made before its batches and taken back after them. */
function inOrder(steps: readonly StepRow[]): StepRow[] {
  const rank = (step: StepRow) => (step.kind === 'register' ? (step.state === 'prepared' ? 0 : 2) : 1)
  return [...steps].sort((one, other) => rank(one) - rank(other))
}

/** Sends a step, or takes it back. @returns false when the centre refused it. Throws OutcomeError insurer-unreachable when there is no answer. */
async function runStep({ db, gateway }: Deps, ctx: Ctx, step: StepRow): Promise<boolean> {
  const answer = await sendStep(gateway, step)
  const undoing = step.state === 'undoing'
  if (answer.kind === 'done' && (undoing || step.kind === 'upload' || answer.visitNumber !== null)) {
    await moveStep(db, step, step.state, { state: undoing ? 'undone' : 'done', reason: null, decided_at: ctx.now, ...(answer.visitNumber === null ? {} : { visit_number: answer.visitNumber }) })
    return true
  }
  const reason = answer.kind === 'done' ? 'the answer names no visit' : answer.reason
  if (answer.kind === 'rejected' && !undoing) {
    await moveStep(db, step, 'prepared', { state: 'rejected', reason, decided_at: ctx.now })
    return false
  }
  // Also a refused taking back is asked for again: what it waits for may have gone by then.
  await moveStep(db, step, step.state, { reason, tries: step.tries + 1, try_at: addSeconds(ctx.now, askAfterSeconds(step.tries)) })
  const { issues } = fail('insurer-unreachable', { zh: '医保中心暂时没有答复，费用明细稍后会自动重传。', en: 'The insurance centre does not answer at the moment. The details are sent again by themselves in a while.' })
  throw new OutcomeError(issues, { headers: { 'Retry-After': '30' }, cause: new Error(reason) })
}

function sendStep({ visits }: SettlementGateway, step: StepRow): Promise<StepAnswer> {
  if (step.kind === 'register') return step.state === 'undoing' ? visits.cancel(step.visit_number ?? '') : visits.register(JSON.parse(step.request) as Encounter)
  return step.state === 'undoing' ? visits.cancelUpload(step.visit_number ?? '', step.message_id) : visits.upload(step.visit_number ?? '', JSON.parse(step.request) as Bundle<ChargeItem>)
}

/** Takes back everything that stands: first what was not answered is brought to its end, then batches, then the registration. */
async function takeBack(deps: Deps, ctx: Ctx, visit: Visit): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    const due = await inTransaction(deps.db, async (trx) => {
      const bill = await lockedBill(trx, visit)
      if (bill.state === 'settling') throw pending()
      if (bill.state === 'settled' && bill.visit_number !== null) assertBillIsOpen(bill)
      const steps = await standingSteps(trx, visit)
      const unsent = steps.filter((each) => each.state === 'prepared')
      if (unsent.length > 0) return unsent
      for (const step of steps) await moveStep(trx, step, 'done', { state: 'undoing', tries: 0, try_at: ctx.now })
      return standingSteps(trx, visit)
    })
    if (due.length === 0) return
    await runAll(deps, ctx, inOrder(due))
  }
}

/**
 * The visit a claim names: null when its details were not uploaded. Pure. @param settles the bill is locked and will be settled.
 * Throws OutcomeError conflict when it will be settled while a step is under way.
 */
export function visitToSettle(steps: readonly StepRow[], visit: Visit, insurance: { region: string; psnNo: string }, lines: readonly BillLineRow[], settles: boolean): string | null {
  if (steps.length === 0) return null
  const plan = planSteps(steps, JSON.stringify(factsOf(visit, insurance)), lines)
  if (plan.open.length > 0 && settles) throw fail('conflict', { zh: '费用明细正在上传或撤销，请稍后再试。', en: 'Details are being uploaded or taken back. Try again in a moment.' })
  return plan.stale.length === 0 && plan.missing.length === 0 ? plan.visitNumber : null
}

const billsMax = 50
const restSeconds = 60
const daysBack = 7

/**
 * The job: steps that were not answered; details of bills that have come to rest; and what stands at the centre though its bill was
 * settled without it. @returns how many visits it went on with. @throws the first fault that is none of the centre's, at the end.
 */
export async function uploadDue(deps: Deps, ctx: Ctx): Promise<number> {
  const { db } = deps
  const unanswered = await db.selectFrom('visit_step as s').innerJoin('bill as b', (join) => join.onRef('b.encounter', '=', 's.encounter').onRef('b.shard', '=', 's.shard'))
    .select(['b.encounter_id', 'b.state', 'b.details_held', 'b.updated_at']).distinct().where('s.state', 'in', ['prepared', 'undoing']).where('s.try_at', '<=', addSeconds(ctx.now, -5).toISOString()).limit(billsMax).execute()
  const rested = await db.selectFrom('bill').select(['encounter_id', 'state', 'details_held', 'updated_at']).where('state', 'in', ['open', 'reversed']).where('total_fen', '>', 0n).where('details_held', '=', false)
    .where('updated_at', '<=', addMinutes(ctx.now, -restSeconds / 60).toISOString()).where('service_date', '>=', addDays(dayInShanghai(ctx.now), -daysBack))
    .where((eb) => eb.or([eb('uploaded_at', 'is', null), eb('uploaded_at', '<', eb.ref('updated_at'))])).orderBy('updated_at').limit(billsMax).execute()
  const stranded = await db.selectFrom('visit_step as s').innerJoin('bill as b', (join) => join.onRef('b.encounter', '=', 's.encounter').onRef('b.shard', '=', 's.shard'))
    .select(['b.encounter_id', 'b.state', 'b.details_held', 'b.updated_at']).where('s.kind', '=', 'register').where('s.state', '=', 'done').where('b.state', '=', 'settled').where('b.visit_number', 'is', null).limit(billsMax).execute()
  let fault: unknown
  const bills = new Map([...unanswered, ...rested, ...stranded].map((each) => [each.encounter_id, each]))
  for (const bill of bills.values()) await goOn(deps, ctx, bill).catch((error: unknown) => { if (!(error instanceof OutcomeError)) fault ??= error })
  if (fault !== undefined) throw fault
  return bills.size
}

async function goOn(deps: Deps, ctx: Ctx, bill: { encounter_id: string; state: string; details_held: boolean; updated_at: string }): Promise<void> {
  const visit = await loadVisit(deps.db, bill.encounter_id)
  if (!visit || bill.state === 'settling') return
  if (bill.state === 'settled' || bill.details_held) return takeBack(deps, ctx, visit)
  // Looked at, whatever comes of it: a bill that can not be uploaded waits for its next change.
  await deps.db.updateTable('bill').set({ uploaded_at: sql`updated_at` }).where('shard', '=', visit.shard).where('encounter', '=', visit.encounterKey).execute()
  await ensureUploaded(deps, ctx, visit)
}
