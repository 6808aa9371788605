/** What an officer of this centre sees: claims with their trace, differences, clearings, filings. Reads, and the note under a difference. */
import type { Claim, ClaimResponse } from '@medplum/fhirtypes'
import { type Kysely, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { fundOf, payingCategories, traceUrl } from '../fhir/claim-message.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import type { InsurerTables } from '../storage/tables.ts'
import { policies } from './policies.ts'
import { policyFileOf } from './policy-file.ts'
import { readClaim } from './read-claim.ts'
import type { Policy } from './rules.ts'
import type { OfficeClaim, OfficeClaimDetail, OfficeClearing, OfficeDifference, OfficeFiling, OfficePolicy, OfficeStep, WhatIfAnswer, WhatIfQuestion } from './shapes.ts'
import { stepText } from './step-labels.ts'
import { traceFromJson } from './trace.ts'
import { loadHistory, type PastClaim, whatIf } from './what-if.ts'

type Db = Kysely<InsurerTables>

const rowsMax = 100
const claimColumns = ['message_id', 'state', 'provider', 'service_date', 'medical_type', 'scheme', 'policy', 'insured_region', 'total_fen', 'fund_fen', 'account_current_fen', 'account_prior_fen', 'cash_fen'] as const

interface ClaimRow {
  message_id: string; state: OfficeClaim['state']; provider: string | null; service_date: string | null; medical_type: string | null; scheme: number | null; policy: string | null
  insured_region: string | null; total_fen: bigint; fund_fen: bigint; account_current_fen: bigint; account_prior_fen: bigint; cash_fen: bigint
}

/** The newest of a day, or of all days; a message id finds its claim alone. */
export async function listClaims(db: Db, asked: { day: string | null; messageId: string | null }): Promise<OfficeClaim[]> {
  let query = db.selectFrom('claim').select(claimColumns).where('state', '<>', 'void').orderBy('received_at', 'desc').orderBy('message_id').limit(rowsMax)
  if (asked.day !== null) query = query.where('settled_day', '=', asked.day)
  if (asked.messageId !== null) query = query.where('message_id', '=', asked.messageId)
  return (await query.execute()).map(claimOf)
}

function claimOf(row: ClaimRow): OfficeClaim {
  return {
    messageId: row.message_id, state: row.state, provider: row.provider ?? '', serviceDate: row.service_date ?? '', medicalType: row.medical_type ?? '', scheme: row.scheme, policy: row.policy,
    insuredRegion: row.insured_region ?? '', totalFen: Number(row.total_fen), fundFen: Number(row.fund_fen), accountFen: Number(row.account_current_fen + row.account_prior_fen), cashFen: Number(row.cash_fen),
  }
}

/** Throws OutcomeError not-found. */
export async function readOfficeClaim(db: Db, messageId: string): Promise<OfficeClaimDetail> {
  const row = await db.selectFrom('claim').select([...claimColumns, 'psn_no', 'content', 'response']).where('message_id', '=', messageId).executeTakeFirst()
  if (!row?.content || !row.response) throw notFound(`Claim/${messageId}`)
  const response = JSON.parse(row.response) as ClaimResponse
  const claim = JSON.parse(row.content) as Claim
  const { lines } = readClaim(claim, '9999-12-31')
  const nameOf = (sequence: number) => claim.item?.find((item) => item.sequence === sequence)?.productOrService?.coding?.find(({ display }) => display)?.display ?? null
  return {
    ...claimOf(row), psnNo: row.psn_no ?? '', disposition: response.disposition ?? '',
    lines: lines.map((line) => ({ sequence: line.sequence, code: line.code, name: nameOf(line.sequence), amountFen: Number(line.amountFen), catalogueClass: line.catalogueClass, firstPayPercent: line.firstPayParts / 100 })),
    steps: stepsOf(response),
  }
}

function stepsOf(response: ClaimResponse): OfficeStep[] {
  const data = response.extension?.find((each) => each.url === traceUrl)?.valueAttachment?.data
  if (!data) return []
  return traceFromJson(Buffer.from(data, 'base64').toString()).map((step) => ({
    name: step.name, operation: step.operation, of: [...step.of], parts: step.parts, fen: Number(step.fen), text: stepText(step), rule: step.rule ?? null,
  }))
}

/** Open ones first, the oldest day first. */
export async function listDifferences(db: Db): Promise<OfficeDifference[]> {
  const rows = await db.selectFrom('difference as d').innerJoin('statement as s', 's.id', 'd.statement_id')
    .select(['d.statement_id', 'd.message_id', 'd.kind', 'd.class', 'd.here_fen', 'd.there_fen', 'd.resolved_at', 'd.note', 's.day', 's.provider'])
    .orderBy(sql`d.resolved_at is not null`).orderBy('s.day').orderBy('d.message_id').limit(rowsMax).execute()
  return rows.map((row) => ({
    statement: row.statement_id, messageId: row.message_id, kind: row.kind === 'reverse' ? 'reverse' : 'settle', class: row.class, day: row.day, provider: row.provider,
    hereFen: Number(row.here_fen), thereFen: Number(row.there_fen), resolvedAt: row.resolved_at, note: row.note,
  }))
}

/** Says how a difference was settled, and by whom. Throws OutcomeError value-invalid, not-found. */
export async function resolveDifference(db: Db, ctx: Ctx, key: { statement: string; messageId: string; kind: string }, note: string, officer: string): Promise<void> {
  if (note.trim() === '') throw fail('value-invalid', { zh: '请说明如何处理。', en: 'Say how it was settled.' }, 'note')
  const done = await db.updateTable('difference').set({ resolved_at: ctx.now, resolved_by: officer, note: note.trim().slice(0, 500) })
    .where('statement_id', '=', key.statement).where('message_id', '=', key.messageId).where('kind', '=', key.kind).where('resolved_at', 'is', null).executeTakeFirst()
  if (done.numUpdatedRows === 0n) throw notFound('difference')
}

export async function listClearings(db: Db): Promise<OfficeClearing[]> {
  const rows = await db.selectFrom('clearing').selectAll().orderBy('month', 'desc').orderBy('party').orderBy('scheme').limit(rowsMax).execute()
  return rows.map((row) => ({
    id: row.id, month: row.month, direction: row.direction, party: row.party, scheme: row.scheme, state: row.state, count: Number(row.count),
    fundFen: Number(row.fund_fen), accountFen: Number(row.account_fen), deductedFen: Number(row.deducted_fen), reason: row.reason, approvedBy: row.approved_by, paidBy: row.paid_by,
  }))
}

export async function listFilings(db: Db): Promise<OfficeFiling[]> {
  const rows = await db.selectFrom('filing').selectAll().orderBy('filed_at', 'desc').orderBy('id').limit(rowsMax).execute()
  return rows.map((row) => ({
    id: row.id, psnNo: row.psn_no, kind: row.kind, region: row.region, disease: row.disease, from: row.from_date, until: row.until_date, withdrawnOn: row.withdrawn_on,
  }))
}

export function listPolicies(region: string): OfficePolicy[] {
  return policies.filter((each) => each.region === region).map((each) => ({ id: each.id, name: each.name, from: each.from, until: each.until, scheme: each.scheme, capFen: Number(each.capFen) }))
}

const claimsMax = 20_000
const largestMax = 20

/** Throws OutcomeError value-invalid. */
export async function askWhatIf(db: Db, region: string, question: WhatIfQuestion): Promise<WhatIfAnswer> {
  const base = policies.find((each) => each.id === question.policy && each.region === region)
  if (!base) throw fail('value-invalid', { zh: '没有这项政策。', en: 'There is no such policy.' }, 'policy')
  return workOut(db, changedPolicy(base, question), question, (past) => past.policyId === base.id)
}

/** A whole new policy over the claims of a time, whichever policy decided them. Throws OutcomeError value-invalid, region-wrong. */
export async function tryPolicy(db: Db, region: string, { policy, from, until }: { policy: Policy; from: string; until: string }): Promise<WhatIfAnswer> {
  if (policy.region !== region) throw fail('region-wrong', { zh: '这份政策文件属于其他统筹区。', en: 'The policy file is of another region.' }, 'policy.region')
  if (until < from) throw fail('value-invalid', { zh: '结束日期早于开始日期。', en: 'The last day lies before the first.' }, 'until')
  return workOut(db, policy, { from, until }, () => true)
}

/** The present policy of a region as a file, to begin a new one from. Throws OutcomeError not-found. */
export function policyFile(region: string, id: string): unknown {
  const policy = policies.find((each) => each.id === id && each.region === region)
  if (!policy) throw notFound(`policy ${id}`)
  return policyFileOf(policy)
}

async function workOut(db: Db, policy: Policy, { from, until }: { from: string; until: string }, counts: (past: PastClaim) => boolean): Promise<WhatIfAnswer> {
  const history = await loadHistory(db, { scheme: policy.scheme, from, until, limit: claimsMax + 1 })
  const { claims, people, was, becomes, groups, changed } = whatIf(history.slice(0, claimsMax).filter(counts), () => policy)
  return {
    claims, people, changedClaims: changed.length, cut: history.length > claimsMax,
    fundWasFen: Number(fundOf(was)), fundBecomesFen: Number(fundOf(becomes)), cashWasFen: Number(was.cash), cashBecomesFen: Number(becomes.cash),
    parts: payingCategories.filter((category) => was[category] !== 0n || becomes[category] !== 0n).map((category) => ({ category, wasFen: Number(was[category]), becomesFen: Number(becomes[category]) })),
    groups: groups.map((each) => ({
      personType: each.personType, people: each.people.size, fundWasFen: Number(fundOf(each.was)), fundBecomesFen: Number(fundOf(each.becomes)), cashWasFen: Number(each.was.cash), cashBecomesFen: Number(each.becomes.cash),
    })),
    largest: changed.slice(0, largestMax).map((each) => ({
      messageId: each.messageId, fundWasFen: Number(fundOf(each.was)), fundBecomesFen: Number(fundOf(each.becomes)), cashWasFen: Number(each.was.cash), cashBecomesFen: Number(each.becomes.cash),
    })),
  }
}

/** The policy with what is asked about; it is never stored and never used for a claim. */
function changedPolicy(base: Policy, { ratioPoints, deductibleYuan, capYuan }: Pick<WhatIfQuestion, 'ratioPoints' | 'deductibleYuan' | 'capYuan'>): Policy {
  const fen = (yuan: number) => BigInt(Math.round(yuan * 100))
  const raised = (parts: number) => Math.min(10_000, Math.max(0, parts + Math.round((ratioPoints ?? 0) * 100)))
  return {
    ...base, id: `${base.id}+draft`, capFen: capYuan === null ? base.capFen : fen(capYuan),
    categories: Object.fromEntries(Object.entries(base.categories).map(([category, terms]) => [category, {
      ...terms, ratio: terms.ratio.map(([condition, parts]) => [condition, raised(parts)] as const),
      ...(deductibleYuan === null || category !== 'outpatient' ? {} : { deductible: { ...terms.deductible, fen: [[{}, fen(deductibleYuan)] as const] } }),
    }])),
  }
}
