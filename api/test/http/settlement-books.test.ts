import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bundle } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { anonymous, platform as platformPrincipal, type Principal } from '../../src/access/principal.ts'
import { makeCtx } from '../../src/ctx.ts'
import { type DayRow, dayListText, readDayList } from '../../src/fhir/clearing-message.ts'
import { keyOf, uuid7 } from '../../src/fhir/id.ts'
import { approveClearing, payClearing } from '../../src/insurer/clearing.ts'
import type { SettlementGateway } from '../../src/settlement/gateway.ts'
import { balanceJournal, journal, type JournalForm } from '../../src/settlement/journal.ts'
import { applyMonths } from '../../src/settlement/reconcile/months.ts'
import { reconcileYesterday } from '../../src/settlement/reconcile/reconcile.ts'
import { resolveAttempts } from '../../src/settlement/resolve-attempts.ts'
import type { Bill, DeskDay, DeskWork, Filing, Month } from '../../src/settlement/shapes.ts'
import { validateResource } from '../../src/records/validate.ts'
import { introduce, testCentre } from '../support/centre.ts'
import { citizen, system, testPlatform } from '../support/platform.ts'
import { charge, e02, insuredVisits, put, testHospital, testId, testVisit, type TestVisit } from '../support/visit.ts'

let gateway: SettlementGateway
const swappable: SettlementGateway = {
  get visits() { return gateway.visits },
  submit: (claim) => gateway.submit(claim), ask: (id) => gateway.ask(id), reverse: (id) => gateway.reverse(id), dayList: (day, institution) => gateway.dayList(day, institution),
  applyClearing: (application) => gateway.applyClearing(application), file: (filing) => gateway.file(filing),
}
const platform = await testPlatform({ gateway: swappable, now: new Date('2026-10-20T10:00:00+08:00') })
const { clock } = platform
const centre = await testCentre('310000', { clock })
gateway = centre.gateway
const hospital = await testHospital(platform)
const office = hospital.organization
let people = 0

const cashier = (): Principal => ({
  ...anonymous, kind: 'person', id: 'cashier', name: '收费员', role: 'scheduler', organization: office, authLevel: 'second-factor', authAt: clock.now.toISOString(),
})
const api = async <T>(method: string, path: string, body?: unknown, as: Principal = cashier(), headers: Record<string, string> = {}) => {
  const reply = await platform.request(method, path, { as, headers, ...(body === undefined ? {} : { body }) })
  return { status: reply.status, json: reply.json as T, code: (reply.json?.code ?? reply.json?.issue?.[0]?.details?.coding?.[0]?.code) as string | undefined }
}
const settle = (visit: TestVisit, as: Principal = cashier()) => api('POST', '/fhir/Claim/$submit', {
  resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${visit.encounter}` } }, { name: 'use', valueCode: 'claim' }],
}, as)
const bill = async (visit: TestVisit) => (await api<Bill>('GET', `/api/bills/${visit.encounter}`)).json
const pay = (visit: TestVisit, order: object, key?: string) => api(`POST`, `/api/bills/${visit.encounter}/payments`, { channel: 'cash', ...order }, cashier(), key ? { 'Idempotency-Key': key } : {})
const reverse = async (visit: TestVisit) => api('POST', `/fhir/Claim/${(await bill(visit)).claim}/$reverse`)
const today = () => clock.now.toLocaleDateString('sv', { timeZone: 'Asia/Shanghai' })
const reconcile = (day: string, more: object[] = [], as: Principal = cashier()) => api('POST', '/fhir/PaymentReconciliation/$reconcile', {
  resourceType: 'Parameters', parameter: [{ name: 'date', valueDate: day }, { name: 'organization', valueReference: { reference: `Organization/${office}` } }, ...more],
}, as)
const day = async (of: string) => (await api<DeskDay>('GET', `/api/desk/${office}/days/${of}`)).json

async function insured(codes: readonly string[] = e02, more: { accountPriorFen?: bigint } = {}): Promise<TestVisit> {
  const psnNo = `B${++people}`
  await centre.enrol({ psnNo, accountPriorFen: 15_000n, ...more })
  const visit = await testVisit(platform, hospital, { psnNo })
  await charge(platform, visit, codes)
  return visit
}
async function textOf(form: JournalForm): Promise<string> {
  return (await Array.fromAsync(journal(platform.db, { from: '2026-01-01', until: '2027-12-31', organizationId: null, form }))).join('')
}

test('E20 at the desk: paid, undone as a whole, settled for the rest, the difference given back to the fen', async () => {
  const visit = await insured()
  // E02 with a deductible that E01 has used in part.
  await centre.db.insertInto('accumulator').values({ psn_no: visit.psnNo, scheme: 310, year_from: '2026-07-01', deductible_outpatient_fen: 28_311n }).execute()
  expect((await settle(visit)).status).toBe(200)
  expect(await bill(visit)).toMatchObject({ state: 'settled', fundFen: 33_727, cashFen: 31_990, dueFen: 31_990, paidFen: 0, split: { accountPriorFen: 15_000, capLeftFen: 64_951_819 } })
  expect((await pay(visit, { kind: 'payment', amountFen: 31_991 })).code).toBe('amount-mismatch')
  const paid = await Promise.all([pay(visit, { kind: 'payment', amountFen: 31_990 }, 'key-1'), pay(visit, { kind: 'payment', amountFen: 31_990 }, 'key-1')])
  expect(paid.map(({ status }) => status)).toEqual([201, 201])
  expect(paid[0]?.json).toEqual(paid[1]?.json)
  expect(validateResource(platform.services.store.model, paid[0]?.json as never)).toEqual([])
  expect(await bill(visit)).toMatchObject({ dueFen: 0, paidFen: 31_990, payments: [{ kind: 'payment', channel: 'cash', amountFen: 31_990 }] })
  expect((await platform.request('GET', `/fhir/Invoice/${(await bill(visit)).invoice}`, { as: system })).json.status).toBe('balanced')
  expect((await pay(visit, { kind: 'payment', amountFen: 1 })).code).toBe('business-rule')

  expect((await reverse(visit)).status).toBe(200)
  expect(await bill(visit)).toMatchObject({ state: 'reversed', dueFen: -31_990 })
  const drug = await platform.db.selectFrom('bill_line').select('charge_item_id').where('encounter', '=', keyOf(visit.encounter)).where('code', '=', 'drug-412').executeTakeFirstOrThrow()
  expect((await platform.request('DELETE', `/fhir/ChargeItem/${drug.charge_item_id}`, { as: system })).status).toBe(204)
  expect((await settle(visit)).status).toBe(200)
  expect(await bill(visit)).toMatchObject({ totalFen: 39_480, fundFen: 10_634, cashFen: 13_846, dueFen: -18_144, split: { firstPayFen: 2600, inScopeFen: 36_880, accountPriorFen: 15_000 } })
  expect((await pay(visit, { kind: 'refund', amountFen: 18_145 })).code).toBe('amount-mismatch')
  expect((await pay(visit, { kind: 'refund', amountFen: 18_144 })).status).toBe(201)
  expect(await bill(visit)).toMatchObject({ dueFen: 0, paidFen: 13_846 })
  const work = (await api<DeskWork>('GET', `/api/desk/${office}/work`)).json
  expect(work.toBalance.map((each) => each.encounter)).not.toContain(visit.encounter)
})

test('a stay: deposit, interim bill, no settlement against the rules, the rest of the deposit given back', async () => {
  const visit = await testVisit(platform, hospital, null)
  await put(platform, { ...(await platform.request('GET', `/fhir/Encounter/${visit.encounter}`, { as: system })).json, class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' } })
  expect((await pay(visit, { kind: 'deposit', channel: 'card', amountFen: 100_000 })).code).toBe('required')
  expect((await pay(visit, { kind: 'deposit', channel: 'card', amountFen: 100_000, reference: 'T-1' })).status).toBe(201)
  await charge(platform, visit, e02)
  const interim = (await api<Bill>('GET', `/api/bills/${visit.encounter}?estimate=1`)).json
  expect(interim).toMatchObject({ state: 'open', inpatient: true, depositFen: 100_000, cashFen: 80_717, estimate: true })
  expect((await pay(visit, { kind: 'deposit-refund', amountFen: 1 })).code).toBe('business-rule')
  const selfPay = { resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${visit.encounter}` } }, { name: 'use', valueCode: 'claim' }, { name: 'selfPay', valueBoolean: true }] }
  expect((await api('POST', '/fhir/Claim/$submit', selfPay)).status).toBe(200)
  expect((await pay(visit, { kind: 'payment', channel: 'deposit', amountFen: 80_717 })).status).toBe(201)
  expect((await pay(visit, { kind: 'deposit-refund', amountFen: 19_284 })).code).toBe('amount-mismatch')
  expect((await pay(visit, { kind: 'deposit-refund', amountFen: 19_283 })).status).toBe(201)
  expect(await bill(visit)).toMatchObject({ dueFen: 0, depositFen: 0, paidFen: 80_717 })
  const [account] = (await platform.request('GET', `/fhir/Account?patient=Patient/${visit.patient}`, { as: citizen(visit.patient) })).json.entry
  expect(validateResource(platform.services.store.model, account.resource)).toEqual([])
})

test('money that makes no sense is refused with a code and leaves nothing', async () => {
  const visit = await insured(['visit-38'])
  const before = await platform.db.selectFrom('payment').select((eb) => eb.fn.countAll<bigint>().as('n')).executeTakeFirstOrThrow()
  for (const amountFen of [0, -1, 0.5, '100', null, 1e15]) expect((await pay(visit, { kind: 'payment', amountFen })).status).toBe(400)
  for (const body of [{}, { kind: 'gift', amountFen: 1 }, { kind: 'payment', amountFen: 1, channel: 'gold' }, { kind: 'payment', amountFen: 1, more: 1 }]) expect((await pay(visit, body)).status).toBe(400)
  expect((await pay(visit, { kind: 'payment', amountFen: 100 })).code).toBe('business-rule')
  expect((await pay(visit, { kind: 'deposit', amountFen: 100 })).code).toBe('business-rule')
  expect((await api('POST', `/api/bills/${visit.encounter}/payments`, { kind: 'payment', channel: 'cash', amountFen: 100 }, citizen(visit.patient))).status).toBe(404)
  expect((await api('POST', `/api/bills/${visit.encounter}/payments`, { kind: 'payment', channel: 'cash', amountFen: 100 }, { ...cashier(), organization: 'other' })).status).toBe(404)
  expect(await platform.db.selectFrom('payment').select((eb) => eb.fn.countAll<bigint>().as('n')).executeTakeFirstOrThrow()).toEqual(before)
})

test('the books can not be changed, in the database itself', async () => {
  for (const table of ['ledger_entry', 'settlement_event', 'payment']) {
    await expect(sql`update ${sql.table(table)} set recorded_at = recorded_at`.execute(platform.db)).rejects.toThrow(/append-only/)
    await expect(sql`delete from ${sql.table(table)}`.execute(platform.db)).rejects.toThrow(/append-only/)
    await expect(sql`truncate ${sql.table(table)}`.execute(platform.db)).rejects.toThrow(/append-only/)
  }
})

test('undoing a settlement asks the cashier to prove themselves again; a system with the scope need not', async () => {
  const visit = await insured(['visit-38'])
  await settle(visit)
  const { claim } = await bill(visit)
  const ask = (as: Principal) => api('POST', `/fhir/Claim/${claim}/$reverse`, undefined, as)
  expect(await ask({ ...cashier(), authLevel: 'password' })).toMatchObject({ status: 403, code: 'step-up-required' })
  expect(await ask({ ...cashier(), authAt: new Date(clock.now.getTime() - 6 * 60_000).toISOString() })).toMatchObject({ status: 403, code: 'step-up-required' })
  expect((await bill(visit)).state).toBe('settled')
  expect((await ask(system)).status).toBe(200)
})

test('a day is compared: equal, then every class of difference as it is seeded, and closed again once it is put right', async () => {
  clock.now = new Date('2026-10-21T09:00:00+08:00')
  const visits = await insuredVisits(platform, hospital, Array.from({ length: 6 }, () => `B${++people}`), (psnNos) => centre.enrol(...psnNos.map((psnNo) => ({ psnNo, accountPriorFen: 5000n }))))
  for (const visit of visits) expect((await settle(visit)).status).toBe(200)
  const of = today()
  expect((await reconcile(of)).json).toMatchObject({ resourceType: 'PaymentReconciliation', outcome: 'complete', detail: [] })
  expect((await day(of)).comparison).toMatchObject({ state: 'equal', ourCount: 6, theirCount: 6 })

  const rows = await Array.fromAsync(readDayList(centre.gateway.dayList(of, 'H31010100001')))
  const [a, b, c, d, e, f] = rows as [DayRow, DayRow, DayRow, DayRow, DayRow, DayRow]
  const changed = { ...c, fundFen: c.fundFen + 100n, cashFen: c.cashFen - 100n }
  const reversal: DayRow = { ...e, kind: 'reverse', settlementId: 'R1', totalFen: -e.totalFen, fundFen: -e.fundFen, accountFen: -e.accountFen, cashFen: -e.cashFen }
  const stranger: DayRow = { ...a, messageId: 'H3101010000120261021090000ZZZZ', settlementId: 'S-unknown' }
  // Attempts that we do not know the end of: the centre has settled one of them.
  const doubtful = await insured(['visit-38'])
  centre.fault.submit = 'lost'
  await settle(doubtful)
  centre.fault.submit = 'none'
  const [undecided] = (await Array.fromAsync(readDayList(centre.gateway.dayList(of, 'H31010100001')))).filter((row) => !rows.some((each) => each.messageId === row.messageId)) as [DayRow]
  const lists: Record<string, DayRow[]> = {
    [of]: [a, changed, e, reversal, f, stranger, undecided],        // b: only ours; d: on the next day at the centre
    '2026-10-22': [d], '2026-10-20': [],
  }
  gateway = { ...centre.gateway, async* dayList(asked) { yield* dayListText(lists[asked] ?? []) } }
  expect((await reconcile(of)).json).toMatchObject({ outcome: 'partial' })
  const found = await day(of)
  const classes = Object.fromEntries(found.differences.filter((each) => each.day === of).map((each) => [each.messageId, each.class]))
  expect(classes).toEqual({
    [b.messageId]: 'ours-only', [c.messageId]: 'amount', [d.messageId]: 'day-shift', [e.messageId]: 'state', [stranger.messageId]: 'centre-only', [undecided.messageId]: 'undecided',
  })
  const risk = (messageId: string) => found.differences.find((each) => each.messageId === messageId)
  expect(risk(b.messageId)).toMatchObject({ state: 'open', atRiskFen: Number(b.fundFen + b.accountFen), entries: expect.arrayContaining([{ debit: 'provider', credit: 'fund', fen: Number(b.fundFen) }]) })
  expect(risk(c.messageId)).toMatchObject({ atRiskFen: 100, entries: [{ debit: 'fund', credit: 'provider', fen: 100 }, { debit: 'provider', credit: 'cash', fen: 100 }] })
  expect(risk(d.messageId)).toMatchObject({ state: 'closed', atRiskFen: 0 })
  const tasks = (await platform.request('GET', '/fhir/Task?status=requested&_count=50', { as: system })).json
  expect(tasks.entry.length).toBeGreaterThanOrEqual(5)
  for (const { resource } of tasks.entry) expect(validateResource(platform.services.store.model, resource)).toEqual([])

  // Repeating changes nothing; putting things right closes them.
  await reconcile(of)
  expect((await day(of)).differences.filter((each) => each.day === of)).toHaveLength(6)
  gateway = centre.gateway
  clock.now = new Date('2026-10-21T09:05:00+08:00')
  await resolveAttempts({ db: platform.db, store: platform.services.store, gateway: swappable }, makeCtx(platformPrincipal, { now: clock.now }))
  expect((await reconcile(of)).json).toMatchObject({ outcome: 'complete' })
  expect((await day(of)).differences.filter((each) => each.state === 'open')).toEqual([])

  gateway = { ...centre.gateway, async* dayList() { yield (await Array.fromAsync(dayListText([a]))).slice(0, 2).join(''); throw new Error('the list breaks off') } }
  expect(await reconcile(of)).toMatchObject({ status: 503, code: 'insurer-unreachable' })
  expect((await day(of)).comparison).toMatchObject({ state: 'failed' })
  const text = (await Array.fromAsync(dayListText([a, b]))).join('')
  for (const broken of [
    text.replace('\tsettle\t', '\tsold\t'), text.replace(a.messageId, ''), text.replace(`\t${a.totalFen}\t`, `\t${a.totalFen + 1n}\t`), text.replace(`\t${a.cashFen}\n`, '\tmuch\n'),
    text.replace('\t310\t', '\t'), text.replace('#end\t2', '#end\t3'), `${text}more\n`, text.slice(0, -20), text.replace('messageId', 'message'), '',
  ]) {
    expect(broken).not.toBe(text)
    gateway = { ...centre.gateway, async* dayList() { yield broken } }
    expect(await reconcile(of), broken).toMatchObject({ status: 503, code: 'insurer-unreachable' })
  }
  // A backslash is a character like any other; in pieces of one character too.
  const odd = { ...a, settlementId: 'S\\N\\t\\', messageId: `${a.messageId}\\.` }
  gateway = { ...centre.gateway, async* dayList() { for (const character of (await Array.fromAsync(dayListText([odd]))).join('')) yield character } }
  expect((await reconcile(of)).json).toMatchObject({ outcome: 'partial' })
  expect((await day(of)).differences.find((each) => each.messageId === odd.messageId)).toMatchObject({ class: 'centre-only' })
  gateway = centre.gateway
  expect(await reconcile(of, [{ name: 'region', valueString: '320500' }])).toMatchObject({ status: 422, code: 'region-wrong' })
  expect((await reconcile(of, [{ name: 'scheme', valueString: '390' }])).json).toMatchObject({ outcome: 'complete', paymentAmount: { value: 0 } })
  expect((await reconcile('2026-13-01')).status).toBe(422)
  expect((await reconcile('2027-01-01')).status).toBe(422)
  expect((await reconcile(of, [], citizen(testId()))).status).toBe(404)
})

test('an attempt that is late becomes a task of people and closes by itself', async () => {
  const visit = await insured(['visit-38'])
  centre.fault.submit = 'lost'
  await settle(visit)
  gateway = centre.nowhere
  const work = async () => (await api<DeskWork>('GET', `/api/desk/${office}/work`)).json.inDoubt.find((each) => each.encounter === visit.encounter)
  const resolve = () => resolveAttempts({ db: platform.db, store: platform.services.store, gateway: swappable }, makeCtx(platformPrincipal, { now: clock.now }))
  expect((await work())?.doubt).toMatchObject({ kind: 'settle', late: false })
  for (let minutes = 0; minutes < 32; minutes += 2) { clock.now = new Date(clock.now.getTime() + 120_000); await resolve() }
  expect((await work())?.doubt).toMatchObject({ late: true })
  const open = (await day(today())).differences.filter((each) => each.state === 'open')
  expect(open.map((each) => each.class)).toEqual(['undecided'])
  gateway = centre.gateway
  centre.fault.submit = 'none'
  clock.now = new Date(clock.now.getTime() + 120_000)
  expect(await resolve()).toBe(1)
  expect((await day(today())).differences.filter((each) => each.state === 'open')).toEqual([])
})

test('the day is closed with what was counted; a miscount is a difference that somebody signs for', async () => {
  const of = today()
  const visit = await insured(['visit-38'], { accountPriorFen: 0n })
  await settle(visit)
  await pay(visit, { kind: 'payment', amountFen: (await bill(visit)).dueFen })
  const { expected } = await day(of)
  expect(expected.cash).toBeGreaterThan(0)
  expect((await api('POST', `/api/desk/${office}/days/${of}/close`, { ...expected, cash: 1.5 })).status).toBe(400)
  const closed = await api<DeskDay>('POST', `/api/desk/${office}/days/${of}/close`, { ...expected, cash: expected.cash - 1000 })
  expect(closed.json).toMatchObject({ closed: { by: '收费员', counted: { cash: expected.cash - 1000 } } })
  expect(await api('POST', `/api/desk/${office}/days/${of}/close`, expected)).toMatchObject({ status: 409, code: 'period-closed' })
  const short = closed.json.differences.find((each) => each.class === 'till-short')
  expect(short).toMatchObject({ state: 'open', atRiskFen: 1000, owner: null, entries: [{ debit: 'till-difference', credit: 'till-cash', fen: 1000 }] })
  const act = (body: object) => api('POST', `/api/desk/${office}/differences/${short?.id}`, body)
  expect((await act({ action: 'take' })).json).toMatchObject({ owner: '收费员', state: 'open' })
  expect((await act({ action: 'sign-off', reason: 'x' })).status).toBe(400)
  expect((await act({ action: 'sign-off', reason: '找零差错，已报损' })).json).toMatchObject({ state: 'signed-off', closedBy: '收费员' })
  expect((await act({ action: 'take' })).code).toBe('conflict')
})

test('yesterday is compared by the job; the month closes when nothing is open, is applied for, and then stands', async () => {
  clock.now = new Date('2026-10-31T15:00:00+08:00')
  const last = await insured(['visit-38', 'drug-412', 'drug-412'])
  await settle(last)
  clock.now = new Date('2026-11-01T05:00:00+08:00')
  const job = () => reconcileYesterday({ db: platform.db, store: platform.services.store, gateway: swappable }, makeCtx(platformPrincipal, { now: clock.now }))
  expect(await job()).toBe(0)
  const month = async () => (await api<Month>('GET', `/api/desk/${office}/months/2026-10`)).json
  expect((await month()).daysToCompare).toContain('2026-10-31')
  clock.now = new Date('2026-11-01T06:30:00+08:00')
  expect(await job()).toBe(1)
  expect(await job()).toBe(0)
  const close = (name = '2026-10') => api<Month>('POST', `/api/desk/${office}/months/${name}/close`)
  expect(await close()).toMatchObject({ status: 409, code: 'period-open' })
  for (const each of (await month()).daysToCompare) await reconcile(each)
  expect((await month()).openDifferences).toBe(0)
  const early = await platform.db.insertInto('difference').values({
    id: keyOf(uuid7(1, 1, Buffer.alloc(8))), institution: 'H31010100001', organization_id: office, day: '2026-10-20', message_id: 'X', kind: 'settle', class: 'ours-only', at_risk_fen: 1n, ours: null, theirs: null,
    entries: '[]', state: 'open', owner_id: null, owner_name: null, task_id: 'none', opened_at: clock.now, closed_at: null, closed_by: null, reason: null,
  }).returning('id').executeTakeFirstOrThrow()
  expect(await close()).toMatchObject({ status: 409, code: 'period-open' })
  await expect(platform.db.insertInto('clearing_month').values({
    institution: 'H31010100001', organization_id: office, month: '2026-10-01', scheme: '310', state: 'reconciled', count: 1n, total_fen: 1n, fund_fen: 1n, account_fen: 0n, number: null, approved_fen: null, disposition: null,
    closed_at: clock.now, closed_by: 'x', changed_at: clock.now,
  }).execute()).rejects.toThrow(/open differences/)
  expect((await api('POST', `/api/desk/${office}/differences/${early.id}`, { action: 'sign-off', reason: '测试签字' })).status).toBe(200)

  // Sums that are not the centre's are sent back, and applied for again once they are.
  gateway = { ...centre.gateway, applyClearing: (application) => centre.gateway.applyClearing({ ...application, count: application.count + 1 }) }
  expect((await close()).json).toMatchObject({ closed: true, clearings: [{ state: 'refused' }] })
  gateway = centre.gateway
  const [clearing] = (await close()).json.clearings
  expect(clearing).toMatchObject({ scheme: '310', state: 'applied', approvedFen: (clearing?.fundFen ?? 0) + (clearing?.accountFen ?? 0) })
  const officer = makeCtx(platformPrincipal, { now: clock.now })
  const follow = () => applyMonths({ db: platform.db, gateway: swappable }, officer)
  await approveClearing(centre.db, officer, clearing?.number ?? '', { fen: 100n, reason: '超限价扣减' })
  expect(await follow()).toBe(1)
  expect((await month()).clearings[0]).toMatchObject({ state: 'approved', approvedFen: (clearing?.approvedFen ?? 0) - 100 })
  await payClearing(centre.db, officer, clearing?.number ?? '')
  expect(await follow()).toBe(1)
  expect(await follow()).toBe(0)
  expect((await month()).clearings[0]).toMatchObject({ state: 'paid' })
  expect(await close()).toMatchObject({ status: 409, code: 'period-closed' })
  expect(await close('2026-11')).toMatchObject({ code: 'period-open' })
  expect((await close('2026-1')).status).toBe(400)
  expect(await reverse(last)).toMatchObject({ status: 409, code: 'period-closed' })
  expect((await bill(last)).state).toBe('settled')
})

test('a neighbour’s patient: filed at the desk, settled by the terms of the insured place; else a packet for reimbursement', async () => {
  clock.now = new Date('2026-11-10T10:00:00+08:00')
  const suzhou = await testCentre('320500', { clock })
  await introduce(centre, suzhou)
  await suzhou.enrol({ psnNo: 'SZ1', region: '320500' }, { psnNo: 'SZ2', region: '320500' })
  const neighbour = async (psnNo: string) => {
    const visit = await testVisit(platform, hospital, { psnNo, region: '320500' })
    await charge(platform, visit, ['drug-412', 'drug-412', 'lab-260', 'lab-260'])
    return visit
  }
  const file = (visit: TestVisit, body: object = { type: 'long-term' }, as: Principal = cashier()) => api<Filing>('POST', `/api/bills/${visit.encounter}/filing`, body, as)
  const visit = await neighbour('SZ1')
  const estimate = async () => (await api<Bill>('GET', `/api/bills/${visit.encounter}?estimate=1`)).json
  const before = await estimate()
  expect(before).toMatchObject({ away: '320500', estimate: true })
  const filed = await file(visit, { type: 'long-term' }, citizen(visit.patient))
  expect(filed).toMatchObject({ status: 201, json: { type: 'long-term', from: '2026-11-10', until: null } })
  expect((await file(visit)).json.number).toBe(filed.json.number)
  expect((await platform.request('GET', `/fhir/Task/${filed.json.number}`, { as: citizen(visit.patient) })).json).toMatchObject({ status: 'accepted', focus: { reference: `Encounter/${visit.encounter}` } })
  const after = await estimate()
  expect(after.fundFen ?? 0).toBeGreaterThan(before.fundFen ?? 0)
  expect((await settle(visit)).status).toBe(200)
  expect(await bill(visit)).toMatchObject({ state: 'settled', fundFen: after.fundFen, cashFen: after.cashFen })
  expect((await reconcile(today())).json).toMatchObject({ outcome: 'complete' })

  expect(await file(visit, { type: 'whim' })).toMatchObject({ status: 400 })
  expect(await file(await insured(['visit-38']))).toMatchObject({ status: 422, code: 'business-rule' })
  expect(await file(await neighbour('NOBODY'))).toMatchObject({ status: 422, code: 'insurer-rejected' })
  expect((await file(visit, { type: 'long-term' }, citizen(testId()))).status).toBe(404)

  // The insured place can not be reached: paid by the patient, with everything for the claim by hand.
  const stuck = await neighbour('SZ2')
  gateway = centre.nowhere
  expect(await file(stuck)).toMatchObject({ status: 503, code: 'insurer-unreachable' })
  gateway = { ...centre.gateway, submit: async () => ({ kind: 'rejected', reason: 'the insured place can not be reached' }) }
  expect(await settle(stuck)).toMatchObject({ status: 422, code: 'insurer-rejected' })
  gateway = centre.gateway
  expect((await api('GET', `/api/bills/${stuck.encounter}/packet`)).status).toBe(422)
  const selfPay = { resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${stuck.encounter}` } }, { name: 'use', valueCode: 'claim' }, { name: 'selfPay', valueBoolean: true }] }
  expect((await api('POST', '/fhir/Claim/$submit', selfPay)).status).toBe(200)
  const packet = await api<Bundle>('GET', `/api/bills/${stuck.encounter}/packet`, undefined, citizen(stuck.patient))
  expect(packet.json.entry?.map(({ resource }) => resource?.resourceType)).toEqual(['Invoice', 'Encounter', 'Patient', 'Coverage', ...Array.from({ length: 4 }, () => 'ChargeItem')])
  expect((await api('GET', `/api/bills/${stuck.encounter}/packet`, undefined, citizen(testId()))).status).toBe(404)
})

test('the ledger as a journal balances: by our own checker, and by an accounting tool where one is', async () => {
  const { rows: [ledger] } = await sql<{ owed: bigint; till: bigint }>`select sum(case when debit_account = 'cash' then amount_fen when credit_account = 'cash' then -amount_fen else 0 end)::int8 as owed,
    sum(case when debit_account = 'till-cash' then amount_fen when credit_account = 'till-cash' then -amount_fen else 0 end)::int8 as till from ledger_entry`.execute(platform.db)
  for (const [form, patient, till] of [['hledger', 'assets:receivable:patient', 'assets:till:cash'], ['beancount', 'Assets:Receivable:Patient', 'Assets:Till:Cash']] as const) {
    const text = await textOf(form)
    const { faults, balances, transactions } = balanceJournal(text)
    expect(faults).toEqual([])
    expect(transactions).toBeGreaterThan(20)
    expect([balances.get(patient), balances.get(till)]).toEqual([ledger?.owed, ledger?.till])
    expect([...balances.values()].reduce((sum, fen) => sum + fen, 0n)).toBe(0n)
  }
  expect(balanceJournal('2026-01-01 (X) settlement\n    a:b    1.00 CNY\n    c:d   -0.99 CNY\n').faults).toHaveLength(1)
  const folder = mkdtempSync(join(tmpdir(), 'journal-'))
  const tools: [JournalForm, string, string[]][] = [['hledger', 'hledger', ['-f', 'FILE', 'balance', '--no-total', '-O', 'csv', 'assets:receivable:patient']], ['beancount', 'bean-check', ['FILE']]]
  for (const [form, program, args] of tools) {
    if (spawnSync(program, ['--version']).error) { process.stdout.write(`${program} is not here: the journal was balanced by our own checker only\n`); continue }
    const file = join(folder, `books.${form === 'hledger' ? 'journal' : 'beancount'}`)
    writeFileSync(file, await textOf(form))
    const output = execFileSync(program, args.map((each) => each.replace('FILE', file)), { encoding: 'utf8' })
    if (form === 'hledger') expect(output).toContain((Number(ledger?.owed ?? 0n) / 100).toFixed(2))
    process.stdout.write(`${program} balanced the journal\n`)
  }
  rmSync(folder, { recursive: true })
})
