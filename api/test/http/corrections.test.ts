import type { Resource } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { anonymous, platform as platformPrincipal, type Principal } from '../../src/access/principal.ts'
import { makeCtx } from '../../src/ctx.ts'
import { approveClearing, payClearing } from '../../src/insurer/clearing.ts'
import type { InsurerTrx } from '../../src/storage/pool.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { applyMonths } from '../../src/settlement/reconcile/months.ts'
import type { Bill, DeskDay, DifferenceShape, Month } from '../../src/settlement/shapes.ts'
import { validateResource } from '../../src/records/validate.ts'
import { testCentre } from '../support/centre.ts'
import { testClaim } from '../support/claim.ts'
import { system, testPlatform } from '../support/platform.ts'
import { charge, e02, testHospital, testVisit, type TestVisit } from '../support/visit.ts'

const clock = { now: new Date('2026-10-20T10:00:00+08:00') }
const centre = await testCentre('310000', { clock })
const platform = await testPlatform({ gateway: centre.gateway, now: clock.now })
const hospital = await testHospital(platform)
const office = hospital.organization
let people = 0

const cashier = (proved = true): Principal => ({ ...anonymous, kind: 'person', id: 'cashier', name: '收费员', role: 'scheduler', organization: office, authLevel: 'second-factor', authAt: proved ? platform.clock.now.toISOString() : '2026-10-01T00:00:00Z' })
const api = async <T>(method: string, path: string, body?: unknown, as: Principal = cashier()) => {
  const reply = await platform.request(method, path, { as, ...(body === undefined ? {} : { body }) })
  return { status: reply.status, json: reply.json as T, code: reply.json?.code as string | undefined }
}
const at = (instant: string) => { clock.now = new Date(instant); platform.clock.now = clock.now }
async function settled(): Promise<TestVisit & { messageId: string }> {
  const psnNo = `C${++people}`
  await centre.enrol({ psnNo, accountPriorFen: 15_000n })
  const visit = await testVisit(platform, hospital, { psnNo })
  await charge(platform, visit, e02)
  const answer = await api('POST', '/fhir/Claim/$submit', { resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${visit.encounter}` } }, { name: 'use', valueCode: 'claim' }] })
  expect(answer.status).toBe(200)
  const row = await centre.db.selectFrom('claim').select('message_id').where('psn_no', '=', psnNo).executeTakeFirstOrThrow()
  return { ...visit, messageId: row.message_id }
}
const compare = (day: string) => api('POST', '/fhir/PaymentReconciliation/$reconcile', { resourceType: 'Parameters', parameter: [{ name: 'date', valueDate: day }, { name: 'organization', valueReference: { reference: `Organization/${office}` } }] })
const open = async (day: string) => (await api<DeskDay>('GET', `/api/desk/${office}/days/${day}`)).json.differences.filter((each) => each.state === 'open')
const act = (id: string, action: 'post' | 'sign-off', as?: Principal) => api<DifferenceShape>('POST', `/api/desk/${office}/differences/${id}`, { action, reason: '按中心记录更正' }, as)
/** What each account owes us: debits less credits. */
async function balances(): Promise<Record<string, number>> {
  const { rows } = await sql<{ account: string; fen: bigint }>`select side.account, sum(side.fen)::int8 as fen from ledger_entry l
    cross join lateral (values (l.debit_account, l.amount_fen), (l.credit_account, -l.amount_fen)) as side (account, fen) group by side.account order by side.account`.execute(platform.db)
  return Object.fromEntries(rows.map((row) => [row.account, Number(row.fen)]))
}
const profiles = 'https://pujiang.health/fhir/StructureDefinition'
/** What is wrong with a resource as one of our profiles. */
const faults = (resource: unknown, profile: string) => validateResource(platform.services.store.model, { ...resource as Resource, meta: { profile: [`${profiles}/${profile}`] } } as Resource)
/** The centre changes its mind behind everybody's back. */
async function tamper(change: (trx: InsurerTrx) => Promise<unknown>): Promise<void> {
  await inTransaction(centre.db, async (trx) => {
    await sql`set local session_replication_role = replica`.execute(trx)
    await change(trx)
  })
}

test('differences are put right by their proposed entries; the month is then cleared, approved, paid, and its accounts are empty', async () => {
  const [good, less, gone] = [await settled(), await settled(), await settled()]
  await centre.enrol({ psnNo: 'ELSE' })
  const only = testClaim({ psnNo: 'ELSE', day: '2026-10-20', messageId: 'H3101010000120261020100000ZZZ1' }, '900.00A')
  expect((await centre.request('POST', '/fhir/Claim/$submit', only)).status).toBe(200)
  await tamper((trx) => sql`update claim set fund_fen = fund_fen - 1000, cash_fen = cash_fen + 1000 where message_id = ${less.messageId}`.execute(trx))
  await tamper((trx) => sql`delete from claim where message_id = ${gone.messageId}`.execute(trx))

  at('2026-10-21T09:00:00+08:00')
  const compared = await compare('2026-10-20')
  expect([compared.status, faults(compared.json, 'pujiang-day-reconciliation')]).toEqual([200, []])
  const tasks = (await platform.request('GET', '/fhir/Task?_count=50', { as: system })).json.entry as { resource: Resource }[]
  expect(tasks.map(({ resource }) => faults(resource, 'pujiang-difference'))).toEqual([[], [], []])
  const differences = await open('2026-10-20')
  expect(differences.map((each) => each.class).sort()).toEqual(['amount', 'centre-only', 'ours-only'])
  const [first] = differences
  expect((await act(first?.id ?? '', 'post', cashier(false))).code).toBe('step-up-required')
  // The centre's list of the day is read again: what has changed meanwhile is not posted.
  const amount = differences.find((each) => each.class === 'amount')
  await tamper((trx) => sql`update claim set fund_fen = fund_fen - 1, cash_fen = cash_fen + 1 where message_id = ${less.messageId}`.execute(trx))
  expect((await act(amount?.id ?? '', 'post')).code).toBe('conflict')
  await tamper((trx) => sql`update claim set fund_fen = fund_fen + 1, cash_fen = cash_fen - 1 where message_id = ${less.messageId}`.execute(trx))

  const posted = await Promise.all(differences.flatMap((each) => [act(each.id, 'post'), act(each.id, 'post')]))
  expect(posted.filter(({ status }) => status === 200)).toHaveLength(3)
  expect(posted.filter(({ code }) => code === 'conflict')).toHaveLength(3)
  expect(posted.find(({ status }) => status === 200)?.json).toMatchObject({ state: 'signed-off', closedBy: '收费员', reason: '按中心记录更正' })
  expect(await open('2026-10-20')).toEqual([])
  const theirs = await sql<{ fund: bigint; account: bigint }>`select sum(fund_fen)::int8 as fund, sum(account_current_fen + account_prior_fen)::int8 as account from claim where state = 'settled'`.execute(centre.db)
  const ours = await balances()
  expect((ours.pool ?? 0) + (ours.fund ?? 0)).toBe(Number(theirs.rows[0]?.fund))
  expect((ours['account-prior'] ?? 0) + (ours.account ?? 0)).toBe(Number(theirs.rows[0]?.account))
  // The bill says by how much it was put right; a bill that was not says nothing.
  const { corrections, ...corrected } = (await api<Bill>('GET', `/api/bills/${less.encounter}`)).json
  expect(corrections).toMatchObject([{ day: '2026-10-20', totalFen: 0, fundFen: -1000, accountFen: 0, cashFen: 1000 }])
  expect(corrected.state).toBe('settled')
  expect((await api<Bill>('GET', `/api/bills/${good.encounter}`)).json.corrections).toEqual([])
  await expect(platform.db.updateTable('correction').set({ reason: 'x' }).execute()).rejects.toThrow(/append-only/)
  // Comparing again finds what is known, and opens nothing.
  await compare('2026-10-20')
  expect(await open('2026-10-20')).toEqual([])

  at('2026-11-02T09:00:00+08:00')
  const closed = await api<Month>('POST', `/api/desk/${office}/months/2026-10/close`)
  expect(closed.json.clearings).toMatchObject([{ scheme: '310', state: 'applied', count: 3, fundFen: Number(theirs.rows[0]?.fund) }])
  expect(await balances()).toMatchObject({ 'clearing-310': Number(theirs.rows[0]?.fund) + Number(theirs.rows[0]?.account) })
  const officer = makeCtx(platformPrincipal, { now: clock.now })
  const number = closed.json.clearings[0]?.number ?? ''
  const found = (await centre.request('GET', `/fhir/PaymentReconciliation?identifier=${encodeURIComponent(`https://pujiang.health/fhir/sid/clearing-number|${number}`)}`)).json as { entry: { resource: Resource }[] }
  expect(found.entry.map(({ resource }) => faults(resource, 'pujiang-clearing'))).toEqual([[]])
  const due = (await api<Bill>('GET', `/api/bills/${good.encounter}`)).json.dueFen
  const notice = await api('POST', `/api/bills/${good.encounter}/payments`, { kind: 'payment', channel: 'card', amountFen: due, reference: '12345' })
  expect([notice.status, faults(notice.json, 'pujiang-payment-notice')]).toEqual([201, []])
  await approveClearing(centre.db, officer, number, { fen: 500n, reason: '超限价扣减' }, 'officer-1')
  await payClearing(centre.db, officer, number, 'officer-2')
  const job = () => applyMonths({ db: platform.db, gateway: centre.gateway }, makeCtx(platformPrincipal, { now: clock.now }))
  await Promise.all([job(), job()])
  await job()
  const end = await balances()
  const owed = Number(theirs.rows[0]?.fund) + Number(theirs.rows[0]?.account)
  expect(end).toMatchObject({ bank: owed - 500, 'clearing-deducted': 500, 'clearing-310': 0 })
  expect([end.pool ?? 0, end['account-prior'] ?? 0, end.fund ?? 0, end.account ?? 0].every((fen) => fen === 0)).toBe(true)
  expect(await centre.db.selectFrom('clearing').select(['approved_by', 'paid_by']).execute()).toEqual([{ approved_by: 'officer-1', paid_by: 'officer-2' }])
})

test('a till that was miscounted is corrected; a closed month is not', async () => {
  at('2026-12-01T18:00:00+08:00')
  await api('POST', `/api/desk/${office}/days/2026-12-01/close`, { cash: 700, card: 0, mobile: 0 })
  const [over] = await open('2026-12-01')
  expect(over).toMatchObject({ class: 'till-over', atRiskFen: 700 })
  expect((await act(over?.id ?? '', 'post')).status).toBe(200)
  expect(await balances()).toMatchObject({ 'till-cash': 700, 'till-difference': -700 })
  await platform.db.insertInto('difference').values({
    id: '01930000-0000-7a17-8000-00000000d1ff', institution: 'H31010100001', organization_id: office, day: '2026-10-05', message_id: 'cash', kind: 'till', class: 'till-short', at_risk_fen: 1n, ours: null, theirs: null,
    entries: JSON.stringify([{ debit: 'till-difference', credit: 'till-cash', fen: '1' }]), state: 'open', owner_id: null, owner_name: null, task_id: 'none', opened_at: clock.now, closed_at: null, closed_by: null, reason: null,
  }).execute()
  expect((await act('01930000-0000-7a17-8000-00000000d1ff', 'post')).code).toBe('period-closed')
  expect(await balances()).toMatchObject({ 'till-cash': 700 })
})
