import type { Claim, ClaimResponse } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { anonymous, platform as platformPrincipal, type Principal } from '../../src/access/principal.ts'
import { makeCtx } from '../../src/ctx.ts'
import { fundCategories, splitOf } from '../../src/fhir/claim-message.ts'
import { keyOf } from '../../src/fhir/id.ts'
import { loadResource } from '../../src/records/read-resource.ts'
import { validateResource } from '../../src/records/validate.ts'
import { resolveAttempts } from '../../src/settlement/resolve-attempts.ts'
import type { SettlementGateway } from '../../src/settlement/gateway.ts'
import type { Bill, BillSummary } from '../../src/settlement/shapes.ts'
import { prepareAttempt } from '../../src/settlement/prepare-attempt.ts'
import { loadVisit } from '../../src/settlement/visit.ts'
import { testCentre } from '../support/centre.ts'
import { citizen, clinician, system, testPlatform } from '../support/platform.ts'
import { charge, chargeItem, e01, e02, testHospital, testVisit, type TestVisit } from '../support/visit.ts'

// A test can swap the gateway for one that reaches nobody.
let gateway: SettlementGateway
const swappable: SettlementGateway = { get visits() { return gateway.visits }, submit: (claim) => gateway.submit(claim), ask: (id) => gateway.ask(id), reverse: (id) => gateway.reverse(id), dayList: (day, institution) => gateway.dayList(day, institution), applyClearing: (application) => gateway.applyClearing(application), file: (filing) => gateway.file(filing) }
const platform = await testPlatform({ gateway: swappable })
const { clock } = platform
const centre = await testCentre('310000', { clock })
const hospital = await testHospital(platform)
let person = 0

beforeEach(() => {
  gateway = centre.gateway
  centre.fault.submit = 'none'
  centre.fault.ask = 'none'
})

async function insuredVisit(codes: readonly string[], more: { accountPriorFen?: bigint; accountCurrentFen?: bigint } = {}): Promise<TestVisit> {
  const psnNo = `P${++person}`
  await centre.enrol({ psnNo, ...more })
  const visit = await testVisit(platform, hospital, { psnNo })
  await charge(platform, visit, codes)
  return visit
}

function parameters(visit: TestVisit, use = 'claim') {
  return { resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${visit.encounter}` } }, { name: 'use', valueCode: use }] }
}
async function submit(visit: TestVisit, as: Principal = citizen(visit.patient), use = 'claim') {
  const reply = await platform.request('POST', '/fhir/Claim/$submit', { as, body: parameters(visit, use) })
  return { ...reply, code: reply.json?.issue?.[0]?.details?.coding?.[0]?.code as string | undefined, split: splitOf(reply.json?.total) }
}
async function bill(visit: TestVisit, as: Principal = citizen(visit.patient), query = ''): Promise<Bill> {
  return (await platform.request('GET', `/api/bills/${visit.encounter}${query}`, { as })).json as Bill
}
const cashier: Principal = { ...anonymous, kind: 'person', id: 'cashier', name: '收费员', role: 'scheduler', organization: hospital.organization, authLevel: 'second-factor', authAt: '2027-01-01T00:00:00Z' }

function later(seconds: number): void {
  clock.now = new Date(clock.now.getTime() + seconds * 1000)
}
async function resolve(): Promise<number> {
  return resolveAttempts({ db: platform.db, store: platform.services.store, gateway: swappable },
    makeCtx(platformPrincipal, { now: clock.now }))
}
async function attempts(visit: TestVisit) {
  return platform.db.selectFrom('settlement_attempt').select(['kind', 'state', 'resolution', 'asked', 'message_id']).where('encounter', '=', keyOf(visit.encounter)).orderBy('created_at').orderBy('id').execute()
}

/** What our ledger says the funds and accounts owe, and what the centre's says: by message and category. */
async function ledgers(visit: TestVisit): Promise<{ ours: Record<string, bigint>; theirs: Record<string, bigint>; cash: bigint }> {
  const messages = [...new Set((await attempts(visit)).map((each) => each.message_id))]
  const our = await platform.db.selectFrom('ledger_entry').select(['debit_account', 'credit_account', 'amount_fen']).where('encounter', '=', keyOf(visit.encounter)).execute()
  const ours: Record<string, bigint> = {}
  const book = (into: Record<string, bigint>, account: string, fen: bigint) => { if (account !== 'provider') into[account] = (into[account] ?? 0n) + fen }
  for (const entry of our) { book(ours, entry.debit_account, entry.amount_fen); book(ours, entry.credit_account, -entry.amount_fen) }
  const theirs: Record<string, bigint> = {}
  if (messages.length > 0) {
    const entries = await centre.db.selectFrom('fund_entry').select(['debit_account', 'credit_account', 'amount_fen']).where('message_id', 'in', messages).execute()
    const category = (account: string) => account.split(':')[2] ?? account
    for (const entry of entries) { book(theirs, category(entry.debit_account), entry.amount_fen); book(theirs, category(entry.credit_account), -entry.amount_fen) }
  }
  const cash = ours.cash ?? 0n
  delete ours.cash
  const withoutNoughts = (amounts: Record<string, bigint>) => Object.fromEntries(Object.entries(amounts).filter(([, fen]) => fen !== 0n))
  return { ours: withoutNoughts(ours), theirs: withoutNoughts(theirs), cash }
}
async function expectConserved(visit: TestVisit): Promise<void> {
  const { ours, theirs } = await ledgers(visit)
  expect(ours).toEqual(theirs)
}

describe('charges', () => {
  test('cost what the price list says, with the insurance terms beside', async () => {
    const visit = await testVisit(platform, hospital, { psnNo: 'PX' })
    const reply = await platform.request('POST', '/fhir/ChargeItem', { as: system, body: chargeItem(visit, 'drug-412', { quantity: { value: 2 } }), headers: { Prefer: 'return=representation' } })
    expect(reply.status).toBe(201)
    expect(reply.json).toMatchObject({ priceOverride: { value: 824.74, currency: 'CNY' } })
    expect(validateResource(platform.services.store.model, reply.json)).toEqual([])
    const [id = ''] = await charge(platform, visit, ['visit-38'])
    expect((await bill(visit)).totalFen).toBe(82_474 + 3800)
    await platform.request('DELETE', `/fhir/ChargeItem/${id}`, { as: system })
    expect((await bill(visit)).totalFen).toBe(82_474)
  })

  test.each([
    ['a code that is not on the price list', { code: { coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/charge-item', code: 'free-lunch' }] } }, 422, 'charge-unknown'],
    ['a price of their own', { priceOverride: { value: 0.01, currency: 'CNY' } }, 409, 'amount-mismatch'],
    ['half of it', { quantity: { value: 0.5 } }, 422, 'value-invalid'],
    ['a negative number', { quantity: { value: -1 } }, 422, 'value-invalid'],
    ['a factor', { factorOverride: 0.1 }, 422, 'value-invalid'],
    ['no visit', { context: undefined }, 422, 'required'],
    ['a visit that is not there', { context: { reference: 'Encounter/none' } }, 422, 'reference-unresolved'],
  ] as const)('with %s are refused', async (_name, more, status, code) => {
    const visit = await testVisit(platform, hospital, null)
    const reply = await platform.request('POST', '/fhir/ChargeItem', { as: system, body: chargeItem(visit, 'visit-38', more) })
    expect([reply.status, reply.json?.issue?.[0]?.details?.coding?.[0]?.code]).toEqual([status, code])
  })

  test('for another patient than the visit is of are refused', async () => {
    const visit = await testVisit(platform, hospital, null)
    const other = await testVisit(platform, hospital, null)
    const reply = await platform.request('POST', '/fhir/ChargeItem', { as: system, body: chargeItem({ ...visit, patient: other.patient }, 'visit-38') })
    expect(reply.status).toBe(422)
  })

  test('come with their visit in one transaction bundle', async () => {
    const visit = await testVisit(platform, hospital, null)
    const entry = (method: string, url: string, resource: unknown, fullUrl: string) => ({ fullUrl, resource, request: { method, url } })
    const encounter = 'urn:uuid:5f0c1a52-1111-4a4a-8a8a-000000000001'
    const reply = await platform.request('POST', '/fhir', {
      as: system,
      body: {
        resourceType: 'Bundle', type: 'transaction', entry: [
          ...['visit-20', 'care-45', 'drug-96', 'lab-260', 'visit-38'].map((code, index) => (
            entry('POST', 'ChargeItem', chargeItem(visit, code, { context: { reference: encounter } }), `urn:uuid:5f0c1a52-1111-4a4a-8a8a-00000000001${index}`))),
          entry('POST', 'Encounter', {
            resourceType: 'Encounter', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
            subject: { reference: `Patient/${visit.patient}` }, serviceProvider: { reference: `Organization/${hospital.organization}` }, period: { start: '2026-11-23T08:00:00+08:00' },
          }, encounter),
        ],
      },
    })
    expect(reply.status).toBe(200)
    const bills = (await platform.request('GET', `/api/bills?patient=${visit.patient}`, { as: citizen(visit.patient) })).json as BillSummary[]
    expect(bills.map((each) => each.totalFen)).toEqual([45_980])
    expect((await bill({ ...visit, encounter: bills[0]?.encounter ?? '' })).lines.map((line) => line.code)).toEqual(['visit-20', 'care-45', 'drug-96', 'lab-260', 'visit-38'])
  })
})

describe('settling a visit', () => {
  test('E02 to the fen: answer, bill, record and ledgers agree', async () => {
    const first = await insuredVisit(e01)
    expect((await submit(first)).split).toMatchObject({ submitted: 34_675n, deductible: 28_311n, cash: 34_675n })
    const psnNo = first.psnNo
    await centre.db.updateTable('insured_person').set({ account_prior_fen: 15_000n }).where('psn_no', '=', psnNo).execute()
    const visit = await testVisit(platform, hospital, { psnNo }, first.patient)
    await charge(platform, visit, e02)

    const settled = await submit(visit)
    expect(settled.status).toBe(200)
    expect(settled.split).toMatchObject({ submitted: 80_717n, pool: 33_727n, 'account-prior': 15_000n, cash: 31_990n })
    const shown = await bill(visit)
    expect(shown).toMatchObject({ state: 'settled', totalFen: 80_717, fundFen: 33_727, cashFen: 31_990, estimate: false, message: null })
    expect(shown.split).toMatchObject({ firstPayFen: 10_847, inScopeFen: 69_870, deductibleFen: 21_689, deductibleLeftFen: 0, accountPriorFen: 15_000, scheme: { en: 'Employee basic medical insurance' } })
    expect(shown.lines.map((line) => line.firstPayFen)).toEqual([0, 2600, 8247, 0])
    expect(shown.split?.reasons.length).toBeGreaterThan(5)
    await expectConserved(visit)
    await expectConserved(first)
    expect((await ledgers(visit)).cash).toBe(31_990n)

    const { model } = platform.services.store
    for (const [type, id] of [['Claim', shown.claim], ['ClaimResponse', shown.claimResponse], ['ExplanationOfBenefit', shown.explanationOfBenefit]] as const) {
      const reply = await platform.request('GET', `/fhir/${type}/${id}`, { as: citizen(visit.patient) })
      expect(reply.status).toBe(200)
      expect(validateResource(model, reply.json)).toEqual([])
    }
    const invoices = await platform.request('GET', `/fhir/Invoice?patient=Patient/${visit.patient}`, { as: citizen(visit.patient) })
    expect(invoices.json.entry).toHaveLength(2)
    expect(validateResource(model, invoices.json.entry[0].resource)).toEqual([])
  })

  test('is estimated first without any effect', async () => {
    const visit = await insuredVisit(e02, { accountCurrentFen: 10_000n })
    const shown = await bill(visit, citizen(visit.patient), '?estimate=1')
    expect(shown).toMatchObject({ state: 'open', estimate: true, claim: null })
    expect(await attempts(visit)).toEqual([])
    const settled = await submit(visit)
    expect(Number(settled.split?.cash)).toBe(shown.cashFen)
    expect((await submit(visit, citizen(visit.patient), 'predetermination')).code).toBe('settled-already')
  })

  test('twice is refused, at once and in parallel, and money moves once', async () => {
    const visit = await insuredVisit(e02)
    const before = centre.submitted
    const replies = await Promise.all(Array.from({ length: 6 }, () => submit(visit)))
    expect(replies.filter((each) => each.status === 200)).toHaveLength(1)
    for (const each of replies) if (each.status !== 200) expect(['settlement-pending', 'settled-already']).toContain(each.code)
    expect(centre.submitted - before).toBe(1)
    expect((await submit(visit)).code).toBe('settled-already')
    await expectConserved(visit)
  })

  test('closes the bill: no charge may be added, changed or taken away', async () => {
    const visit = await insuredVisit(['visit-38'])
    const [item] = await platform.db.selectFrom('bill_line').select('charge_item_id').where('encounter', '=', keyOf(visit.encounter)).execute()
    await submit(visit)
    const added = await platform.request('POST', '/fhir/ChargeItem', { as: system, body: chargeItem(visit, 'visit-20') })
    expect([added.status, added.json.issue[0].details.coding[0].code]).toEqual([409, 'settled-already'])
    expect((await platform.request('DELETE', `/fhir/ChargeItem/${item?.charge_item_id}`, { as: system })).status).toBe(409)
    const { claim } = await bill(visit)
    const stored = (await platform.request('GET', `/fhir/Claim/${claim}`, { as: system })).json
    expect((await platform.request('PUT', `/fhir/Claim/${claim}`, { as: system, body: { ...stored, status: 'cancelled' } })).status).toBe(405)
  })

  test.each([
    ['an empty bill', async () => testVisit(platform, hospital, { psnNo: 'PE' }), 422, 'bill-empty'],
    ['a patient without insurance', async () => { const visit = await testVisit(platform, hospital, null); await charge(platform, visit, ['visit-38']); return visit }, 422, 'coverage-missing'],
    ['a number that the centre does not know', async () => { const visit = await testVisit(platform, hospital, { psnNo: 'UNKNOWN' }); await charge(platform, visit, ['visit-38']); return visit }, 422, 'insurer-rejected'],
  ] as const)('of %s is refused with a code', async (_name, make, status, code) => {
    const visit = await make()
    const reply = await submit(visit)
    expect([reply.status, reply.code]).toEqual([status, code])
    await expectConserved(visit)
  })

  test('of someone insured in another city ends as self-pay, said clearly', async () => {
    const visit = await testVisit(platform, hospital, { psnNo: 'S1', region: '320500' })
    await charge(platform, visit, e02)
    const estimate = await bill(visit, citizen(visit.patient), '?estimate=1')
    expect(estimate).toMatchObject({ estimate: true, cashFen: 80_717 })
    expect(estimate.message?.zh).toContain('参保地不在本市')
    const reply = await submit(visit)
    expect(reply.status).toBe(200)
    const shown = await bill(visit)
    expect(shown).toMatchObject({ state: 'settled', fundFen: 0, cashFen: 80_717, split: { scheme: { en: 'Self-pay' } } })
    expect(shown.message?.en).toContain('another city')
    expect((await ledgers(visit)).cash).toBe(80_717n)
    await expectConserved(visit)
  })

  test('needs parameters that make sense', async () => {
    const as = system
    for (const body of [null, {}, { resourceType: 'Parameters' }, { resourceType: 'Parameters', parameter: 7 }, { resourceType: 'Parameters', parameter: [null] }]) {
      expect((await platform.request('POST', '/fhir/Claim/$submit', { as, body })).status).toBe(422)
    }
    const visit = await insuredVisit(['visit-38'])
    expect((await submit(visit, as, 'wish')).status).toBe(422)
    expect((await submit({ ...visit, encounter: 'nothing' }, as)).status).toBe(404)
  })
})

describe('who may settle and look', () => {
  test('the citizen, who acts for them and the cashier settle; strangers find nothing; the doctor only looks', async () => {
    const visit = await insuredVisit(['visit-38'])
    const stranger = citizen((await testVisit(platform, hospital, null)).patient)
    const doctor = clinician(hospital.practitioner, hospital.organization)
    const elsewhere: Principal = { ...cashier, organization: 'another' }
    expect((await submit(visit, stranger)).status).toBe(404)
    expect((await submit(visit, elsewhere)).status).toBe(404)
    expect((await submit(visit, clinician('doctor-elsewhere', hospital.organization))).status).toBe(404)
    expect((await platform.request('GET', `/api/bills/${visit.encounter}`, { as: stranger })).status).toBe(404)
    expect((await platform.request('GET', `/api/bills?patient=${visit.patient}`, { as: stranger })).status).toBe(404)
    expect((await platform.request('GET', `/api/bills/${visit.encounter}`)).status).toBe(401)

    const pid = keyOf(visit.patient)
    expect((await submit(visit, doctor)).status).toBe(403)
    expect((await bill(visit, doctor)).totalFen).toBe(3800)
    expect((await bill(visit, cashier)).totalFen).toBe(3800)
    const listed = async (as: Principal) => (await platform.request('GET', `/api/bills?organization=${hospital.organization}`, { as }))
    expect(((await listed(cashier)).json as BillSummary[]).map((each) => each.encounter)).toContain(visit.encounter)
    expect((await listed(elsewhere)).status).toBe(404)
    expect((await listed(citizen(visit.patient))).status).toBe(404)
    expect((await submit(visit, cashier)).status).toBe(200)
    const seen = await platform.db.selectFrom('audit_event').select(['interaction', 'principal_name']).where('pid', '=', pid).execute()
    expect(seen).toContainEqual({ interaction: 'bill', principal_name: '测试医生' })
    expect(seen).toContainEqual({ interaction: '$submit', principal_name: '收费员' })
  })
})

describe('when the centre fails', () => {
  test('unreachable: nothing was sent, the bill stays open, the next try settles', async () => {
    const visit = await insuredVisit(e02)
    gateway = centre.nowhere
    const reply = await submit(visit)
    expect([reply.status, reply.code]).toEqual([503, 'insurer-unreachable'])
    expect((await bill(visit)).state).toBe('open')
    expect((await bill(visit, citizen(visit.patient), '?estimate=1')).message?.zh).toContain('连不上')
    gateway = centre.gateway
    expect((await submit(visit)).status).toBe(200)
    await expectConserved(visit)
  })

  test.each(['late', 'lost', 'garbled', 'altered'] as const)('settles but the answer is %s: the bill waits, the job adopts it, money moves once', async (fault) => {
    const visit = await insuredVisit(e02, { accountPriorFen: 5000n })
    centre.fault.submit = fault
    const reply = await submit(visit)
    expect([reply.status, reply.code]).toEqual([503, 'settlement-pending'])
    const waiting = await bill(visit)
    expect(waiting.state).toBe('settling')
    expect(waiting.message?.zh).toContain('请勿重复支付')
    expect((await submit(visit)).code).toBe('settlement-pending')
    expect((await platform.request('POST', '/fhir/ChargeItem', { as: system, body: chargeItem(visit, 'visit-20') })).status).toBe(409)

    centre.fault.submit = 'none'
    expect(await resolve()).toBe(0)
    later(15)
    expect(await resolve()).toBe(1)
    expect(await resolve()).toBe(0)
    expect((await attempts(visit)).map((each) => [each.state, each.resolution])).toEqual([['resolved', 'adopted']])
    expect((await bill(visit)).state).toBe('settled')
    await expectConserved(visit)
    const { rows } = await sql<{ n: bigint }>`select count(*) as n from ledger_entry where encounter = ${keyOf(visit.encounter)}::uuid and debit_account = 'pool'`.execute(platform.db)
    expect(rows[0]?.n).toBe(1n)
  })

  test('the message never arrives: asked three times, two minutes later barred there, the bill is open again', async () => {
    const visit = await insuredVisit(e02)
    centre.fault.submit = 'dropped'
    expect((await submit(visit)).code).toBe('settlement-pending')
    centre.fault.submit = 'none'
    for (let asked = 1; asked <= 3; asked++) {
      later(15)
      expect(await resolve()).toBe(0)
      expect((await attempts(visit))[0]?.asked).toBe(asked)
    }
    later(120)
    expect(await resolve()).toBe(1)
    expect((await attempts(visit)).map((each) => [each.state, each.resolution])).toEqual([['resolved', 'reversed']])
    expect((await bill(visit)).state).toBe('open')
    // The message arrives after all: the centre refuses it.
    const attempt = await platform.db.selectFrom('settlement_attempt').select('request').where('encounter', '=', keyOf(visit.encounter)).executeTakeFirstOrThrow()
    expect(await centre.gateway.submit((JSON.parse(attempt.request) as { sent: Claim }).sent)).toMatchObject({ kind: 'rejected' })
    expect((await submit(visit)).status).toBe(200)
    await expectConserved(visit)
  })

  test('the centre stays away while it is asked: the bill keeps waiting', async () => {
    const visit = await insuredVisit(e02)
    centre.fault.submit = 'lost'
    await submit(visit)
    gateway = centre.nowhere
    for (let round = 0; round < 5; round++) { later(60); expect(await resolve()).toBe(0) }
    expect((await bill(visit)).state).toBe('settling')
    gateway = centre.gateway
    centre.fault.submit = 'none'
    later(60)
    expect(await resolve()).toBe(1)
    expect((await bill(visit)).state).toBe('settled')
    await expectConserved(visit)
  })

  test('the process dies after the attempt is committed: nothing was sent, the bill opens again', async () => {
    const visit = await insuredVisit(e02)
    const loaded = await loadVisit(platform.db, visit.encounter)
    if (!loaded) throw new Error('no visit')
    await prepareAttempt(platform.db, makeCtx(citizen(visit.patient), { now: clock.now }), loaded)
    expect((await submit(visit)).code).toBe('settlement-pending')
    expect(await resolve()).toBe(0)
    later(31)
    expect(await resolve()).toBe(1)
    expect((await bill(visit)).state).toBe('open')
    expect((await submit(visit)).status).toBe(200)
    await expectConserved(visit)
  })

  test('the process dies after the centre settled: two workers at once adopt it once', async () => {
    const visit = await insuredVisit(e02)
    const loaded = await loadVisit(platform.db, visit.encounter)
    if (!loaded) throw new Error('no visit')
    const { attempt, claim } = await prepareAttempt(platform.db, makeCtx(citizen(visit.patient), { now: clock.now }), loaded)
    await platform.db.updateTable('settlement_attempt').set({ state: 'sent', sent_at: clock.now }).where('id', '=', attempt.id).execute()
    expect((await centre.gateway.submit(claim)).kind).toBe('answer')
    later(31)
    expect((await Promise.all([resolve(), resolve(), resolve()])).reduce((sum, each) => sum + each, 0)).toBe(1)
    expect((await bill(visit)).state).toBe('settled')
    await expectConserved(visit)
  })
})

describe('a reversal', () => {
  const reverse = (claim: string | null, as: Principal = cashier) => platform.request('POST', `/fhir/Claim/${claim}/$reverse`, { as })

  test('undoes everything, once, and the rest is settled anew (E20)', async () => {
    const visit = await insuredVisit(e02, { accountPriorFen: 15_000n })
    await submit(visit)
    const { claim, explanationOfBenefit } = await bill(visit)
    expect((await reverse(claim, citizen(visit.patient))).status).toBe(403)
    const done = await reverse(claim)
    expect(done.status).toBe(200)
    const negative = splitOf((done.json as ClaimResponse).total)
    expect(negative?.submitted).toBe(-80_717n)
    expect((await reverse(claim)).json.id).toBe(done.json.id)
    expect((await bill(visit)).state).toBe('reversed')
    expect(await ledgers(visit)).toEqual({ ours: {}, theirs: {}, cash: 0n })
    expect((await loadResource(platform.db, 'ExplanationOfBenefit', explanationOfBenefit ?? ''))).toMatchObject({ status: 'cancelled' })
    expect(validateResource(platform.services.store.model, (await platform.request('GET', `/fhir/ClaimResponse/${done.json.id}`, { as: system })).json)).toEqual([])

    const drug = await platform.db.selectFrom('bill_line').select('charge_item_id').where('encounter', '=', keyOf(visit.encounter)).where('code', '=', 'drug-412').executeTakeFirstOrThrow()
    expect((await platform.request('DELETE', `/fhir/ChargeItem/${drug.charge_item_id}`, { as: system })).status).toBe(204)
    const again = await submit(visit)
    expect(again.split).toMatchObject({ submitted: 39_480n, inscope: 36_880n })
    expect((await reverse(claim)).json.id).toBe(done.json.id)
    await expectConserved(visit)
  })

  test.each(['late', 'lost', 'garbled'] as const)('whose answer is %s is finished by the job', async (fault) => {
    const visit = await insuredVisit(e02)
    await submit(visit)
    const { claim } = await bill(visit)
    centre.fault.submit = fault
    const reply = await reverse(claim)
    expect(reply.status).toBe(503)
    expect((await bill(visit)).state).toBe('settling')
    centre.fault.submit = 'none'
    later(15)
    expect(await resolve()).toBe(1)
    expect((await bill(visit)).state).toBe('reversed')
    expect(await ledgers(visit)).toEqual({ ours: {}, theirs: {}, cash: 0n })
  })

  test('that can not be sent leaves the bill settled', async () => {
    const visit = await insuredVisit(e02)
    await submit(visit)
    gateway = centre.nowhere
    const { claim } = await bill(visit)
    expect((await reverse(claim)).json.issue[0].details.coding[0].code).toBe('insurer-unreachable')
    expect((await bill(visit)).state).toBe('settled')
    await expectConserved(visit)
  })
})

describe('without insurance', () => {
  const selfPay = (visit: TestVisit, as: Principal = citizen(visit.patient), more: readonly unknown[] = [{ name: 'selfPay', valueBoolean: true }], use = 'claim') =>
    platform.request('POST', '/fhir/Claim/$submit', { as, body: { resourceType: 'Parameters', parameter: [...parameters(visit, use).parameter, ...more] } })
  const reverse = (invoice: string | null, as: Principal = cashier) => platform.request('POST', `/fhir/Invoice/${invoice}/$reverse`, { as })
  const codeOf = (reply: Awaited<ReturnType<typeof platform.request>>) => reply.json?.issue?.[0]?.details?.coding?.[0]?.code as string | undefined
  const uninsuredVisit = async (codes: readonly string[] = e02, patient: string | null = null): Promise<TestVisit> => {
    const visit = await testVisit(platform, hospital, null, patient)
    await charge(platform, visit, codes)
    return visit
  }
  /** Of a number that the centre does not know: its claim is refused. */
  const refusedVisit = async (): Promise<TestVisit> => {
    const visit = await testVisit(platform, hospital, { psnNo: `UNKNOWN${++person}` })
    await charge(platform, visit, e02)
    expect((await submit(visit)).code).toBe('insurer-rejected')
    return visit
  }
  const entries = (visit: TestVisit) => platform.db.selectFrom('ledger_entry').select(['debit_account', 'credit_account', 'amount_fen']).where('encounter', '=', keyOf(visit.encounter)).orderBy('recorded_at').orderBy('id').execute()

  test('the bill says so in plain words and shows everything as cash', async () => {
    const visit = await uninsuredVisit()
    const shown = await bill(visit, citizen(visit.patient), '?estimate=1')
    expect(shown).toMatchObject({ state: 'open', estimate: true, selfPay: 'no-coverage', totalFen: 80_717, fundFen: 0, cashFen: 80_717 })
    expect(shown.split).toMatchObject({ scheme: { zh: '自费', en: 'Self-pay' }, totalFen: 80_717, fullSelfFen: 80_717, fundFen: 0, accountCurrentFen: 0, accountPriorFen: 0, cashFen: 80_717 })
    expect(shown.message?.zh).toContain('就诊当日没有有效的医疗保险')
    expect(shown.message?.en).toContain('No insurance was valid')
    expect(await bill(visit)).toMatchObject({ estimate: false, split: null, selfPay: 'no-coverage' })
    expect(await entries(visit)).toEqual([])
    expect((await bill(await insuredVisit(e02))).selfPay).toBeNull()
  })

  test('nothing is settled until somebody says so, and the answer says how', async () => {
    const visit = await uninsuredVisit()
    for (const more of [[], [{ name: 'selfPay', valueBoolean: false }]]) {
      const reply = await selfPay(visit, citizen(visit.patient), more)
      expect([reply.status, codeOf(reply)]).toEqual([422, 'coverage-missing'])
      expect(JSON.stringify(reply.json)).toContain('selfPay')
    }
    for (const more of [[{ name: 'selfPay', valueString: 'true' }], [{ name: 'selfPay' }], [{ name: 'selfPay', valueBoolean: 'true' }]]) {
      const reply = await selfPay(visit, citizen(visit.patient), more)
      expect([reply.status, codeOf(reply)]).toEqual([422, 'value-invalid'])
    }
    expect((await selfPay(visit, citizen(visit.patient), undefined, 'predetermination')).status).toBe(422)
    expect((await bill(visit)).state).toBe('open')
  })

  test('the bill is settled in cash: no message, no attempt, an invoice, a ledger that balances, audit rows', async () => {
    const visit = await uninsuredVisit()
    const before = centre.submitted
    const reply = await selfPay(visit)
    expect(reply.status).toBe(200)
    expect(reply.json).toMatchObject({ resourceType: 'Invoice', status: 'issued', totalNet: { value: 807.17, currency: 'CNY' } })
    expect(centre.submitted).toBe(before)
    expect(await attempts(visit)).toEqual([])
    const shown = await bill(visit)
    expect(shown).toMatchObject({ state: 'settled', fundFen: 0, cashFen: 80_717, selfPay: null, estimate: false, claim: null, claimResponse: null, explanationOfBenefit: null, invoice: reply.json.id })
    expect(shown.split).toMatchObject({ cashFen: 80_717, scheme: { en: 'Self-pay' }, reasons: [shown.message] })
    expect(shown.lines.map((line) => [line.amountFen, line.fullSelfFen])).toEqual([[3800, 3800], [26_000, 26_000], [41_237, 41_237], [9680, 9680]])
    expect(await entries(visit)).toEqual([{ debit_account: 'cash', credit_account: 'provider', amount_fen: 80_717n }])

    const read = await platform.request('GET', `/fhir/Invoice/${reply.json.id}`, { as: citizen(visit.patient) })
    expect(read.json).toEqual(reply.json)
    expect(validateResource(platform.services.store.model, read.json)).toEqual([])
    expect((await platform.request('PUT', `/fhir/Invoice/${reply.json.id}`, { as: system, body: { ...read.json, status: 'balanced' } })).status).toBe(405)
    const added = await platform.request('POST', '/fhir/ChargeItem', { as: system, body: chargeItem(visit, 'visit-20') })
    expect([added.status, codeOf(added)]).toEqual([409, 'settled-already'])
    const rows = await platform.db.selectFrom('audit_event').select(['interaction', 'resource_id']).where('pid', '=', keyOf(visit.patient)).execute()
    expect(rows.map((row) => row.interaction)).toContain('$submit')
    expect(rows).toContainEqual({ interaction: 'create', resource_id: reply.json.id })
  })

  test('a double click, and both ways at once, settle once', async () => {
    const visit = await uninsuredVisit()
    const replies = await Promise.all([selfPay(visit), selfPay(visit), selfPay(visit, cashier), submit(visit), selfPay(visit)])
    expect(replies.filter((each) => each.status === 200)).toHaveLength(1)
    for (const each of replies) if (each.status !== 200) expect(['settled-already', 'coverage-missing']).toContain(codeOf(each))
    expect(await entries(visit)).toHaveLength(1)
    expect((await platform.request('GET', `/fhir/Invoice?patient=Patient/${visit.patient}`, { as: citizen(visit.patient) })).json.entry).toHaveLength(1)

    const refused = await refusedVisit()
    const both = await Promise.all([submit(refused), selfPay(refused), submit(refused), selfPay(refused)])
    for (const each of both) expect([200, 409, 422]).toContain(each.status)
    if ((await bill(refused)).state !== 'settled') expect((await selfPay(refused)).status).toBe(200)
    expect((await ledgers(refused))).toEqual({ ours: {}, theirs: {}, cash: 80_717n })
    expect(await entries(refused)).toHaveLength(1)
  })

  test('insurance is not lost: a bill that it may pay is not taken as self-pay', async () => {
    const visit = await insuredVisit(e02)
    const reply = await selfPay(visit)
    expect([reply.status, codeOf(reply)]).toEqual([422, 'business-rule'])
    centre.fault.submit = 'lost'
    await submit(visit)
    expect(codeOf(await selfPay(visit))).toBe('settlement-pending')
    centre.fault.submit = 'none'
    later(15)
    await resolve()
    expect(codeOf(await selfPay(visit))).toBe('settled-already')
    await expectConserved(visit)
    const empty = await testVisit(platform, hospital, null)
    expect(codeOf(await selfPay(empty))).toBe('bill-empty')
  })

  test('a bill that the centre refused can be settled again or as self-pay', async () => {
    const visit = await refusedVisit()
    expect(await bill(visit)).toMatchObject({ state: 'refused', selfPay: 'refused' })
    expect((await submit(visit)).code).toBe('insurer-rejected')
    expect((await selfPay(visit)).status).toBe(200)
    const shown = await bill(visit)
    expect(shown).toMatchObject({ state: 'settled', cashFen: 80_717, claim: null, split: { scheme: { en: 'Self-pay' } } })
    expect(shown.message?.zh).toContain('医保中心未受理')
    expect(await ledgers(visit)).toEqual({ ours: {}, theirs: {}, cash: 80_717n })
  })

  test('not so a claim without an answer that could not be undone: the centre may have paid', async () => {
    const visit = await insuredVisit(e02)
    centre.fault.submit = 'lost'
    await submit(visit)
    centre.fault.submit = 'none'
    gateway = { ...centre.gateway, ask: async () => ({ kind: 'found', response: { resourceType: 'ClaimResponse' } as ClaimResponse }), reverse: async () => ({ kind: 'rejected', reason: 'no' }) }
    for (let round = 0; round < 5; round++) { later(70); expect(await resolve()).toBe(0) }
    expect(await bill(visit)).toMatchObject({ state: 'settling', selfPay: null })
    expect(codeOf(await selfPay(visit))).toBe('settlement-pending')
    expect(await entries(visit)).toEqual([])
    // People looked and undid it there: the job finds that out by itself.
    for (const { message_id } of await attempts(visit)) expect(await centre.gateway.reverse(message_id)).toMatchObject({ kind: 'answer' })
    gateway = centre.gateway
    later(70)
    expect(await resolve()).toBe(1)
    expect((await bill(visit)).state).toBe('open')
    await expectConserved(visit)
  })

  test('is for those who may settle', async () => {
    const visit = await uninsuredVisit()
    expect((await selfPay(visit, citizen((await testVisit(platform, hospital, null)).patient))).status).toBe(404)
    expect((await selfPay(visit, { ...cashier, organization: 'another' })).status).toBe(404)
    expect((await selfPay(visit, anonymous)).status).toBe(401)
    expect((await selfPay(visit, cashier)).status).toBe(200)
  })

  test('is reversed as a whole, once, and the bill is settled again', async () => {
    const visit = await uninsuredVisit()
    await selfPay(visit)
    const { invoice } = await bill(visit)
    expect((await reverse(invoice, citizen(visit.patient))).status).toBe(403)
    expect((await reverse(invoice, citizen((await testVisit(platform, hospital, null)).patient))).status).toBe(404)
    const done = await Promise.all([reverse(invoice), reverse(invoice)])
    expect(done.map((each) => [each.status, each.json.status, each.json.id])).toEqual([[200, 'cancelled', invoice], [200, 'cancelled', invoice]])
    expect(done[0]?.json).toEqual(done[1]?.json)
    expect(await entries(visit)).toHaveLength(2)
    expect(await ledgers(visit)).toEqual({ ours: {}, theirs: {}, cash: 0n })
    expect(await bill(visit, citizen(visit.patient), '?estimate=1')).toMatchObject({ state: 'reversed', selfPay: 'no-coverage', cashFen: 80_717 })

    expect((await selfPay(visit)).status).toBe(200)
    expect((await bill(visit)).invoice).not.toBe(invoice)
    expect((await reverse(invoice)).json).toEqual(done[0]?.json)
    expect(await ledgers(visit)).toEqual({ ours: {}, theirs: {}, cash: 80_717n })

    const insured = await insuredVisit(e02)
    await submit(insured)
    const other = await reverse((await bill(insured)).invoice)
    expect([other.status, codeOf(other)]).toEqual([409, 'conflict'])
    await expectConserved(insured)
  })

  test('a reversed bill goes back to insurance when there is one', async () => {
    const visit = await insuredVisit(e02)
    await submit(visit)
    const { claim } = await bill(visit)
    await platform.request('POST', `/fhir/Claim/${claim}/$reverse`, { as: cashier })
    expect(await bill(visit, citizen(visit.patient), '?estimate=1')).toMatchObject({ state: 'reversed', selfPay: null, estimate: true })
    expect(codeOf(await selfPay(visit))).toBe('business-rule')
    expect((await submit(visit)).status).toBe(200)
    await expectConserved(visit)
  })
})

test('under every fault by turns each bill is settled once or not at all, and the two ledgers are equal', async () => {
  const faults = ['none', 'none', 'late', 'lost', 'dropped', 'garbled', 'altered'] as const
  const visits = await Promise.all(Array.from({ length: 21 }, () => insuredVisit(['visit-38', 'drug-412', 'drug-96'], { accountPriorFen: 3000n })))
  for (const [index, visit] of visits.entries()) {
    centre.fault.submit = faults[index % faults.length] ?? 'none'
    await submit(visit)
  }
  centre.fault.submit = 'none'
  for (let round = 0; round < 20; round++) { later(20); await resolve() }
  const states = await Promise.all(visits.map(async (visit) => (await bill(visit)).state))
  expect(states).toEqual(visits.map((_, index) => (faults[index % faults.length] === 'dropped' ? 'open' : 'settled')))
  for (const visit of visits) await expectConserved(visit)
  const { rows: [ours] } = await sql<{ fen: bigint }>`select coalesce(sum(case when debit_account = any(${[...fundCategories]}::text[]) then amount_fen when credit_account = any(${[...fundCategories]}::text[]) then -amount_fen else 0 end), 0)::int8 as fen from ledger_entry`.execute(platform.db)
  const { rows: [theirs] } = await sql<{ fen: bigint }>`select coalesce(sum(case when debit_account like 'fund:%' then amount_fen when credit_account like 'fund:%' then -amount_fen else 0 end), 0)::int8 as fen from fund_entry`.execute(centre.db)
  expect(ours?.fen).toBe(theirs?.fen)
}, 60_000)
