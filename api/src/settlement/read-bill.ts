/**
 * Bills as people see them. What a bill costs comes from its lines, who pays what from the centre's answer alone; before a
 * settlement there is a split only when an estimate was asked for, and the parts of a line are nought. Without insurance no
 * centre is asked: the patient pays all.
 */
import type { ClaimResponse, Patient } from '@medplum/fhirtypes'
import { recordEvents } from '../audit/record-event.ts'
import type { Ctx } from '../ctx.ts'
import { adjudicationSystem, deductibleLeftUrl, fundOf, schemeSystem, schemeUrl, settlementIdSystem, type Split, splitOf, traceUrl } from '../fhir/claim-message.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { fenOf } from '../fhir/money.ts'
import { notFound, OutcomeError } from '../fhir/outcome.ts'
import { sentencesOf } from '../fhir/process-notes.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Db } from '../storage/pool.ts'
import { isLate } from './attempt-rows.ts'
import { type BillLineRow, billLines, type BillRow, findBill, lineFen } from './bill-rows.ts'
import { billsInSight, maySeeBillsAt } from './may-settle.ts'
import { selfPayCause, selfPayScheme, selfPaySentences, selfPaySplit } from './self-pay.ts'
import { awayRegion, filedFor } from './filing.ts'
import { dueFen } from './payments.ts'
import type { Bill, BillCorrection, BillLine, BillPayment, BillSplit, BillSummary, Doubt, SelfPayCause } from './shapes.ts'
import { estimateVisit, type SettlementDeps } from './submit-claim.ts'
import { uploadOf } from './visit-steps.ts'
import { insuranceOn, loadVisit, type Visit } from './visit.ts'

const billsMax = 200

/** A patient's bills, newest first; only those of the caller's institution for a cashier. Throws OutcomeError sign-in-required, not-found. */
export async function listBills(db: Db, ctx: Ctx, patientId: string): Promise<BillSummary[]> {
  const pid = keyOf(patientId)
  const sight = await billsInSight(db, ctx, pid)
  if (sight === 'none') throw notFound(`Patient/${patientId}`)
  let query = db.selectFrom('bill').selectAll().where('pid', '=', pid).where('shard', '=', shardOf(pid)).where('total_fen', '>', 0n)
  if (sight !== 'all') query = query.where('organization_id', '=', sight.organizationId)
  const rows = await query.orderBy('service_date', 'desc').orderBy('encounter').limit(billsMax).execute()
  await recordEvents(db, ctx, [{ action: 'R', interaction: 'bills', resourceType: 'Invoice', resourceId: null, pid, detail: `${rows.length} bills`, outcome: 200 }])
  return rows.map(summaryOf)
}

/** Bills of an institution for its registration office, newest first. Throws OutcomeError sign-in-required, not-found. */
export async function listBillsAt(db: Db, ctx: Ctx, organizationId: string): Promise<BillSummary[]> {
  if (!maySeeBillsAt(ctx, organizationId)) throw notFound(`Organization/${organizationId}`)
  const rows = await db.selectFrom('bill').selectAll().where('organization_id', '=', organizationId).where('total_fen', '>', 0n)
    .orderBy('service_date', 'desc').orderBy('encounter').limit(billsMax).execute()
  await recordEvents(db, ctx, [...new Set(rows.map((row) => row.pid))].map((pid) => ({ action: 'R', interaction: 'bills', resourceType: 'Invoice', resourceId: null, pid, detail: null, outcome: 200 })))
  return rows.map(summaryOf)
}

/** One bill. Throws OutcomeError sign-in-required, not-found. An estimate that the centre can't give is no fault: `message` says why. */
export async function readBill(deps: SettlementDeps, ctx: Ctx, encounterId: string, options: { estimate: boolean }): Promise<Bill> {
  const { db } = deps
  const visit = await loadVisit(db, encounterId)
  const sight = visit ? await billsInSight(db, ctx, visit.pid) : 'none'
  const row = visit && sight !== 'none' ? await findBill(db, visit) : null
  if (!visit || !row || (typeof sight === 'object' && sight.organizationId !== row.organization_id)) throw notFound(`Encounter/${encounterId}`)
  const lines = await billLines(db, visit)
  const cause = await selfPayCause(db, visit, row)
  const mayEstimate = options.estimate && row.state !== 'settled' && row.state !== 'settling'
  const estimate = mayEstimate && cause !== 'no-coverage' ? await estimateVisit(deps, ctx, visit).catch(messageOf) : null
  const answer = row.state === 'settled' ? await loadResource<ClaimResponse>(db, 'ClaimResponse', row.claim_response_id ?? '') : estimate && 'resourceType' in estimate ? estimate : null
  const patient = await loadResource<Patient>(db, 'Patient', row.patient_id)
  await recordEvents(db, ctx, [{ action: 'R', interaction: 'bill', resourceType: 'Encounter', resourceId: encounterId, pid: visit.pid, detail: null, outcome: 200 }])
  const away = awayRegion(visit, await insuranceOn(db, visit))
  const split = answer ? splitShape(answer) : selfPayShape(row, mayEstimate ? cause : null)
  return {
    ...summaryOf(row),
    ...(mayEstimate && split ? { cashFen: split.cashFen, fundFen: split.fundFen } : {}),
    patient: { id: row.patient_id, name: patient?.name?.[0]?.text ?? '' },
    lines: lines.map((line, index) => lineShape(line, index + 1, answer, split !== null && !answer)),
    split,
    estimate: mayEstimate && split !== null,
    selfPay: cause,
    message: estimate && !('resourceType' in estimate) ? estimate.message : refusalOf(answer) ?? (cause === 'no-coverage' ? selfPaySentences[cause] : storedMessage(row)),
    number: answer?.identifier?.find((each) => each.system === settlementIdSystem && row.state === 'settled')?.value ?? null,
    away, filed: away === null ? null : await filedFor(db, visit),
    inpatient: visit.medicalType === '21', paidFen: Number(row.paid_fen), dueFen: Number(dueFen(row)), payBy: row.state === 'settled' && dueFen(row) > 0n ? row.pay_by : null, depositFen: Number(row.deposit_fen),
    upload: await uploadOf(db, visit, lines), payments: await paymentsOf(db, visit), corrections: await correctionsOf(db, visit), doubt: row.state === 'settling' ? await doubtOf(db, ctx, visit) : null,
    claim: row.claim_id, claimResponse: row.claim_response_id, explanationOfBenefit: row.explanation_id, invoice: row.invoice_id,
  }
}

async function paymentsOf(db: Db, visit: Visit): Promise<BillPayment[]> {
  const rows = await db.selectFrom('payment').select(['kind', 'channel', 'amount_fen', 'recorded_at', 'principal_name']).where('shard', '=', visit.shard)
    .where('encounter', '=', visit.encounterKey).orderBy('recorded_at').orderBy('id').limit(billsMax).execute()
  return rows.map((row) => ({ kind: row.kind, channel: row.channel, amountFen: Number(row.amount_fen), at: row.recorded_at, by: row.principal_name }))
}

/** A correction knows its visit by its entries in the ledger. */
async function correctionsOf(db: Db, visit: Visit): Promise<BillCorrection[]> {
  const rows = await db.selectFrom('correction').select(['day', 'posted_at', 'total_fen', 'fund_fen', 'account_fen', 'cash_fen'])
    .where('difference', 'in', db.selectFrom('ledger_entry').select('attempt').where('encounter', '=', visit.encounterKey).where('shard', '=', visit.shard))
    .orderBy('posted_at').orderBy('difference').limit(billsMax).execute()
  return rows.map((row) => ({ day: row.day, at: row.posted_at, totalFen: Number(row.total_fen), fundFen: Number(row.fund_fen), accountFen: Number(row.account_fen), cashFen: Number(row.cash_fen) }))
}

async function doubtOf(db: Db, ctx: Ctx, visit: Visit): Promise<Doubt | null> {
  const row = await db.selectFrom('settlement_attempt').select(['kind', 'created_at', 'ask_at', 'tries']).where('shard', '=', visit.shard)
    .where('encounter', '=', visit.encounterKey).where('state', 'in', ['prepared', 'sent', 'unknown']).executeTakeFirst()
  return row ? { kind: row.kind, since: row.created_at, askAt: row.ask_at, tries: row.tries, late: isLate(ctx, row) } : null
}

function messageOf(error: unknown): { message: Bill['message'] } {
  if (error instanceof OutcomeError) return { message: error.issues[0]?.text ?? null }
  throw error
}

export function summaryOf(row: BillRow): BillSummary {
  return {
    encounter: row.encounter_id,
    organization: { zh: row.organization_zh, en: row.organization_en },
    department: { zh: row.department_zh, en: row.department_en },
    date: row.service_date,
    state: row.state,
    totalFen: Number(row.total_fen),
    cashFen: row.cash_fen === null ? null : Number(row.cash_fen),
    fundFen: row.fund_fen === null ? null : Number(row.fund_fen),
  }
}

function storedMessage(row: BillRow): Bill['message'] {
  return row.message_zh === null || row.message_en === null ? null : { zh: row.message_zh, en: row.message_en }
}

/** Why the centre pays nothing, when its answer is a refusal. */
function refusalOf(answer: ClaimResponse | null): Bill['message'] {
  if (answer?.outcome !== 'error') return null
  return sentencesOf(answer.processNote)[0] ?? null
}

/** @param selfPaid without insurance, so the whole line is own expense. */
function lineShape(line: BillLineRow, sequence: number, answer: ClaimResponse | null, selfPaid: boolean): BillLine {
  const adjudication = answer?.item?.find((each) => each.itemSequence === sequence)?.adjudication
  const part = (code: string) => Number(fenOf(adjudication?.find((each) => each.category.coding?.some((coding) => coding.system === adjudicationSystem && coding.code === code))?.amount) ?? 0n)
  return {
    code: line.code, name: { zh: line.name_zh, en: line.name_en }, quantity: line.quantity,
    unitPriceFen: Number(line.unit_price_fen), amountFen: Number(lineFen(line)),
    catalogueClass: line.catalogue_class, firstPayRatio: line.first_pay_ratio / 10_000,
    fullSelfFen: selfPaid ? Number(lineFen(line)) : part('fullself'), overLimitFen: part('overlimit'), firstPayFen: part('firstpay'), inScopeFen: part('inscope'),
  }
}

const schemes: Record<string, { zh: string; en: string }> = {
  310: { zh: '职工基本医疗保险', en: 'Employee basic medical insurance' },
  390: { zh: '城乡居民基本医疗保险', en: 'Resident basic medical insurance' },
}

function splitShape(answer: ClaimResponse): BillSplit | null {
  const split = splitOf(answer.total)
  if (!split) return null
  const extension = (url: string) => answer.extension?.find((each) => each.url === url)
  const scheme = extension(schemeUrl)?.valueCoding
  return {
    ...amountsOf(split),
    deductibleLeftFen: Number(fenOf(extension(deductibleLeftUrl)?.valueMoney) ?? 0n),
    capLeftFen: capLeftOf(extension(traceUrl)?.valueAttachment?.data),
    scheme: (scheme?.system === schemeSystem ? schemes[scheme.code ?? ''] : undefined) ?? selfPayScheme,
    reasons: sentencesOf(answer.processNote),
  }
}

/** From the trace of the sum: what was left below the cap less what this bill used of it; null when the trace does not say. */
function capLeftOf(trace: string | undefined): number | null {
  if (trace === undefined) return null
  const steps = JSON.parse(Buffer.from(trace, 'base64').toString('utf8')) as { name?: unknown; fen?: unknown }[]
  const of = (name: string) => (Array.isArray(steps) ? steps.find((each) => each.name === name)?.fen : undefined)
  const [left, used] = [of('cap-left'), of('below-cap')]
  return left === undefined || used === undefined ? null : Number(left) - Number(used)
}

/** Of a bill that was settled without insurance, or would be for want of one; null for any other and for an empty one. */
function selfPayShape(row: BillRow, cause: SelfPayCause | null): BillSplit | null {
  if (row.total_fen === 0n || (row.state !== 'settled' && cause !== 'no-coverage')) return null
  const reason = row.state === 'settled' ? storedMessage(row) : selfPaySentences['no-coverage']
  return { ...amountsOf(selfPaySplit(row.total_fen)), deductibleLeftFen: 0, capLeftFen: null, scheme: selfPayScheme, reasons: reason ? [reason] : [] }
}

function amountsOf(split: Split): Omit<BillSplit, 'deductibleLeftFen' | 'capLeftFen' | 'scheme' | 'reasons'> {
  return {
    totalFen: Number(split.submitted), fullSelfFen: Number(split.fullself), overLimitFen: Number(split.overlimit), firstPayFen: Number(split.firstpay),
    inScopeFen: Number(split.inscope), deductibleFen: Number(split.deductible), pooledFen: Number(split.pool), supplementaryFen: Number(split.supplementary),
    fundFen: Number(fundOf(split)), accountCurrentFen: Number(split['account-current']), accountPriorFen: Number(split['account-prior'] + split['account-family']),
    cashFen: Number(split.cash),
  }
}
