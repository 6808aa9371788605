/**
 * `POST /fhir/PaymentReconciliation/$reconcile`: a day of an institution compared with the centre's list, and the job that does it
 * for every institution the morning after. Repeating overwrites the day's result: what no longer differs is closed, what still
 * does stays the one difference it was.
 */
import type { Parameters, PaymentReconciliation } from '@medplum/fhirtypes'
import { signInRequired } from '../../access/may-write.ts'
import { scopeGrants } from '../../access/scopes.ts'
import type { Ctx } from '../../ctx.ts'
import { institutionSystem, messageIdSystem } from '../../fhir/claim-message.ts'
import { addDays, clockInShanghai, dayInShanghai, instantInShanghai, isDate } from '../../fhir/date-time.ts'
import { yuan } from '../../fhir/money.ts'
import { fail, notFound, OutcomeError } from '../../fhir/outcome.ts'
import { loadResource } from '../../records/read-resource.ts'
import type { Operation, OperationCall, OperationResult, Store } from '../../records/store.ts'
import { writeResources } from '../../records/write-resources.ts'
import type { Db, Trx } from '../../storage/pool.ts'
import { inTransaction } from '../../storage/transaction.ts'
import type { SettlementGateway } from '../gateway.ts'
import { idIn, loadInstitution } from '../visit.ts'
import { compareDay, type Comparison, type DayAsked, ListFault } from './compare-day.ts'
import { closeDifferences, type NewDifference, openDifferences } from './difference-rows.ts'
import { classify } from './differences.ts'

interface Deps { db: Db; store: Store; gateway: SettlementGateway }
/** An institution and a day; scheme '' for all. */
export interface DayOf extends DayAsked { organizationId: string }

export function reconcileOperation(gateway: SettlementGateway): Operation {
  return {
    name: '$reconcile', level: 'type', types: ['PaymentReconciliation'], methods: ['POST'], affectsState: true,
    summary: 'Compares a day of an institution (date, organization; region and scheme when given) with the list of the insurance centre; what differs becomes tasks.',
    run: (call) => reconcile(call, gateway),
  }
}

/** Throws OutcomeError required, value-invalid, not-found, region-wrong, insurer-unreachable. */
async function reconcile({ db, ctx, store, body }: OperationCall, gateway: SettlementGateway): Promise<OperationResult> {
  const asked = readParameters(body)
  if (!mayReconcile(ctx, asked.organizationId)) throw notFound(`Organization/${asked.organizationId}`)
  const institution = await loadInstitution(db, asked.organizationId)
  if (!institution) throw notFound(`Organization/${asked.organizationId}`)
  if (asked.region !== null && !institution.code.startsWith(asked.region.slice(0, 2), 1)) {
    throw fail('region-wrong', { zh: `机构 ${institution.code} 不在地区 ${asked.region}。`, en: `Institution ${institution.code} is not in region ${asked.region}.` }, "Parameters.parameter.where(name='region').value")
  }
  if (asked.day > dayInShanghai(ctx.now)) throw fail('value-invalid', { zh: '对账日期不能晚于今天。', en: 'The day lies in the future.' }, "Parameters.parameter.where(name='date').value")
  return { resource: await reconcileDay({ db, store, gateway }, ctx, { institution: institution.code, organizationId: institution.id, day: asked.day, scheme: asked.scheme }) }
}

/** The registration office of the institution, and systems with the scope. Throws OutcomeError sign-in-required. */
export function mayReconcile({ principal }: Ctx, organizationId: string): boolean {
  if (principal.kind === 'anonymous') throw signInRequired()
  if (principal.kind === 'client') return scopeGrants(principal.scopes, 'PaymentReconciliation', 'c')
  return principal.role === 'scheduler' && principal.organization === organizationId
}

function readParameters(body: unknown): { day: string; organizationId: string; region: string | null; scheme: string } {
  const { resourceType, parameter } = (body ?? {}) as Partial<Parameters>
  const find = (name: string) => (resourceType === 'Parameters' && Array.isArray(parameter) ? parameter.find((each) => each?.name === name) : undefined)
  const text = (name: string) => find(name)?.valueString ?? find(name)?.valueCode ?? null
  const day = find('date')?.valueDate ?? ''
  if (!isDate(day) || day.length !== 10) throw fail('required', { zh: '请提供参数 date（valueDate，YYYY-MM-DD）。', en: 'Send parameter `date`, a valueDate YYYY-MM-DD.' }, "Parameters.parameter.where(name='date').value")
  const organizationId = idIn(find('organization')?.valueReference?.reference, 'Organization')
  if (organizationId === null) throw fail('required', { zh: '请提供参数 organization（机构的引用）。', en: 'Send parameter `organization`, a reference to the institution.' }, "Parameters.parameter.where(name='organization').value")
  const region = text('region')
  if (region !== null && !/^\d{6}$/.test(region)) throw fail('value-invalid', { zh: '参数 region 须为六位行政区划代码。', en: '`region` must be a region code of six digits.' }, "Parameters.parameter.where(name='region').value")
  return { day, organizationId, region, scheme: text('scheme') ?? '' }
}

/** Throws OutcomeError insurer-unreachable when the list can't be had whole; the failure is kept as the day's result. */
export async function reconcileDay(deps: Deps, ctx: Ctx, asked: DayOf): Promise<PaymentReconciliation> {
  try {
    return await inTransaction(deps.db, async (trx) => {
      const comparison = await compareDay(trx, asked, (day) => listed(deps.gateway, day, asked.institution))
      const found = comparison.differences.map(({ messageId, facts }): NewDifference => ({
        institution: asked.institution, organizationId: asked.organizationId, day: asked.day, messageId, kind: (facts.ours ?? facts.theirs)?.kind ?? 'settle', class: classify(facts), ours: facts.ours, theirs: facts.theirs,
      }))
      const still = new Set(await openDifferences(trx, ctx, deps.store, found))
      await closeGone(trx, ctx, deps.store, asked, still)
      const open = await trx.selectFrom('difference').select('id').where('institution', '=', asked.institution).where('day', '=', asked.day).where('state', '=', 'open').where('kind', '<>', 'till').limit(1).executeTakeFirst()
      return keep(trx, ctx, deps.store, asked, comparison, found, open ? 'differs' : 'equal', null)
    })
  } catch (error) {
    if (!(error instanceof ListFault)) throw error
    const none = { count: 0n, totalFen: 0n, fundFen: 0n, accountFen: 0n }
    await inTransaction(deps.db, (trx) => keep(trx, ctx, deps.store, asked, { ours: none, theirs: none, differences: [] }, [], 'failed', error.message))
    const { issues } = fail('insurer-unreachable', { zh: '暂时取不到医保中心的对账清单，请稍后重试。原有结果已标为未完成。', en: 'The list of the insurance centre can not be had at the moment. Try again later; the day counts as not compared.' })
    throw new OutcomeError(issues, { headers: { 'Retry-After': '60' }, cause: error })
  }
}

/** A list that breaks off is told apart from a fault of ours. */
async function* listed(gateway: SettlementGateway, day: string, institution: string) {
  try {
    yield* gateway.dayList(day, institution)
  } catch (error) {
    throw new ListFault(error instanceof Error ? error.message : 'unreadable')
  }
}

/** What the comparison did not find again is gone. A late attempt is not of the list: it closes when the attempt ends. */
async function closeGone(trx: Trx, ctx: Ctx, store: Store, asked: DayOf, still: ReadonlySet<string>): Promise<void> {
  let query = trx.selectFrom('difference').select('id').where('institution', '=', asked.institution).where('day', '=', asked.day).where('state', '=', 'open').where('kind', '<>', 'till')
  if (asked.scheme !== '') query = query.where('class', '<>', 'undecided')
  const gone = (await query.execute()).map(({ id }) => id).filter((id) => !still.has(id))
  await closeDifferences(trx, ctx, store, gone, '再次对账时已一致。', null)
}

async function keep(
  trx: Trx, ctx: Ctx, store: Store, asked: DayOf, { ours, theirs }: Comparison, found: readonly NewDifference[], state: 'equal' | 'differs' | 'failed', reason: string | null,
): Promise<PaymentReconciliation> {
  const earlier = await trx.selectFrom('reconciliation_day').select('resource_id').where('institution', '=', asked.institution).where('day', '=', asked.day).where('scheme', '=', asked.scheme).executeTakeFirst()
  const id = earlier?.resource_id ?? ctx.newId(null)
  const before = earlier ? await loadResource<PaymentReconciliation>(trx, 'PaymentReconciliation', id) : null
  const resource: PaymentReconciliation = {
    resourceType: 'PaymentReconciliation', id, status: 'active', period: { start: asked.day, end: asked.day }, created: instantInShanghai(ctx.now),
    identifier: [{ system: reconciliationSystem, value: [asked.institution, asked.day, ...(asked.scheme ? [asked.scheme] : [])].join(' ') }],
    requestor: { reference: `Organization/${asked.organizationId}`, identifier: { system: institutionSystem, value: asked.institution } },
    outcome: state === 'equal' ? 'complete' : state === 'differs' ? 'partial' : 'error', paymentDate: asked.day, paymentAmount: yuan(ours.fundFen + ours.accountFen),
    disposition: state === 'failed' ? `未完成：${reason}` : `院内 ${ours.count} 笔，中心 ${theirs.count} 笔，差异 ${found.filter((each) => each.class !== 'day-shift').length} 笔`,
    detail: found.map((each) => ({
      type: { coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/difference-class', code: each.class }] },
      request: { identifier: { system: messageIdSystem, value: each.messageId } }, date: asked.day, amount: yuan((each.ours ?? each.theirs)?.totalFen ?? 0n),
    })),
  }
  await writeResources(trx, ctx, store, [{ method: before ? 'update' : 'create', type: 'PaymentReconciliation', id, resource, ifMatch: null }], 'platform')
  const row = {
    organization_id: asked.organizationId, state, reason, our_count: ours.count, our_total_fen: ours.totalFen, our_fund_fen: ours.fundFen, our_account_fen: ours.accountFen,
    their_count: theirs.count, their_total_fen: theirs.totalFen, their_fund_fen: theirs.fundFen, their_account_fen: theirs.accountFen, resource_id: id, compared_at: ctx.now,
  }
  await trx.insertInto('reconciliation_day').values({ institution: asked.institution, day: asked.day, scheme: asked.scheme, ...row })
    .onConflict((conflict) => conflict.columns(['institution', 'day', 'scheme']).doUpdateSet(row)).execute()
  return resource
}

const reconciliationSystem = 'https://pujiang.health/fhir/sid/reconciliation'
/** The list of a day is complete a few hours after its end. */
const fromClock = '06:00'
const institutionsMax = 500

/** Yesterday of every institution that settled or was asked to, once; a day that failed is tried again. @returns days compared. */
export async function reconcileYesterday(deps: Deps, ctx: Ctx): Promise<number> {
  if (clockInShanghai(ctx.now) < fromClock) return 0
  const day = addDays(dayInShanghai(ctx.now), -1)
  const due = await deps.db.selectFrom('settlement_event as e').select(['e.institution', 'e.organization_id']).distinct().where('e.day', '>=', addDays(day, -6)).where('e.day', '<=', day)
    .where((eb) => eb.not(eb.exists(eb.selectFrom('reconciliation_day as r').select('r.day').whereRef('r.institution', '=', 'e.institution').where('r.day', '=', day).where('r.scheme', '=', '').where('r.state', '<>', 'failed'))))
    .limit(institutionsMax).execute()
  let done = 0
  for (const { institution, organization_id } of due) {
    const compared = await reconcileDay(deps, ctx, { institution, organizationId: organization_id, day, scheme: '' }).catch((error: unknown) => {
      if (error instanceof OutcomeError) return null
      throw error
    })
    if (compared) done++
  }
  return done
}

