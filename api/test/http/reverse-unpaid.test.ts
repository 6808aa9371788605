import { expect, test } from 'vitest'
import { anonymous, platform as platformPrincipal, type Principal } from '../../src/access/principal.ts'
import { makeCtx } from '../../src/ctx.ts'
import { keyOf } from '../../src/fhir/id.ts'
import type { SettlementGateway } from '../../src/settlement/gateway.ts'
import { resolveAttempts } from '../../src/settlement/resolve-attempts.ts'
import { reverseUnpaid } from '../../src/settlement/reverse-unpaid.ts'
import type { Bill } from '../../src/settlement/shapes.ts'
import { payBy } from '../../src/settlement/unpaid.ts'
import { testCentre } from '../support/centre.ts'
import { citizen, testPlatform } from '../support/platform.ts'
import { charge, e02, testHospital, testVisit, type TestVisit } from '../support/visit.ts'

let gateway: SettlementGateway
const swappable = new Proxy({}, { get: (_nothing, name) => Reflect.get(gateway, name) as unknown }) as SettlementGateway
const platform = await testPlatform({ gateway: swappable, now: new Date('2026-10-20T10:00:00+08:00') })
const { clock } = platform
const centre = await testCentre('310000', { clock })
gateway = centre.gateway
const hospital = await testHospital(platform)
let people = 0

const cashier = (): Principal => ({ ...anonymous, kind: 'person', id: 'cashier', name: '收费员', role: 'scheduler', organization: hospital.organization, authLevel: 'second-factor', authAt: clock.now.toISOString() })
const api = async <T>(method: string, path: string, body?: unknown, as: Principal = cashier()) => {
  const reply = await platform.request(method, path, { as, ...(body === undefined ? {} : { body }) })
  return { status: reply.status, json: reply.json as T, code: reply.json?.code as string | undefined }
}
const bill = async (visit: TestVisit) => (await api<Bill>('GET', `/api/bills/${visit.encounter}`)).json
const settle = (visit: TestVisit, as?: Principal) => api('POST', '/fhir/Claim/$submit', {
  resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${visit.encounter}` } }, { name: 'use', valueCode: 'claim' }],
}, as)
const pay = (visit: TestVisit, kind: 'payment' | 'refund', amountFen: number) => api('POST', `/api/bills/${visit.encounter}/payments`, { kind, channel: 'cash', amountFen })
const ctx = () => makeCtx(platformPrincipal, { now: clock.now })
const deps = { db: platform.db, store: platform.services.store, gateway: swappable }
const later = (minutes: number) => { clock.now = new Date(clock.now.getTime() + minutes * 60_000) }
async function settled(as?: Principal): Promise<TestVisit> {
  const psnNo = `U${++people}`
  await centre.enrol({ psnNo, accountPriorFen: 15_000n })
  const visit = await testVisit(platform, hospital, { psnNo })
  await charge(platform, visit, e02)
  expect((await settle(visit, as ?? cashier())).status).toBe(200)
  return visit
}
const reversals = async (visit: TestVisit) => (await platform.db.selectFrom('settlement_event').select('kind').where('encounter', '=', keyOf(visit.encounter)).where('kind', '=', 'reverse').execute()).length
const standingThere = async ({ psnNo }: TestVisit) => (await centre.db.selectFrom('claim').select('message_id').where('psn_no', '=', psnNo).where('state', '=', 'settled').execute()).length

test('not paid within a quarter of an hour it is undone once on both sides, and can be settled again', async () => {
  const visit = await settled()
  expect(Date.parse((await bill(visit)).payBy ?? '')).toBe(clock.now.getTime() + 15 * 60_000)
  later(14)
  expect(await reverseUnpaid(deps, ctx())).toBe(0)
  later(1)
  const done = await Promise.all([reverseUnpaid(deps, ctx()), reverseUnpaid(deps, ctx())])
  expect(done.reduce((sum, each) => sum + each, 0)).toBe(1)
  expect([await reversals(visit), await standingThere(visit)]).toEqual([1, 0])
  expect(await bill(visit)).toMatchObject({ state: 'reversed', payBy: null, dueFen: 0, message: { en: expect.stringContaining('not paid in time') as string } })
  expect((await centre.db.selectFrom('insured_person').select('account_prior_fen').where('psn_no', '=', visit.psnNo).executeTakeFirstOrThrow()).account_prior_fen).toBe(15_000n)
  expect((await settle(visit)).status).toBe(200)
})

test('what is paid stands; what is paid in part is undone and given back', async () => {
  const [whole, part] = [await settled(), await settled()]
  const due = (await bill(whole)).dueFen
  expect((await pay(whole, 'payment', due)).status).toBe(201)
  expect((await pay(part, 'payment', 1000)).status).toBe(201)
  expect((await bill(whole)).payBy).toBeNull()
  later(20)
  await reverseUnpaid(deps, ctx())
  expect([(await bill(whole)).state, (await bill(part)).state, (await bill(part)).dueFen]).toEqual(['settled', 'reversed', -1000])
  expect((await pay(part, 'refund', 1000)).status).toBe(201)
})

test('payment and undoing at once: one of them happens, never both', async () => {
  const seen = new Set<string>()
  for (let round = 0; round < 8; round++) {
    const visit = await settled()
    const { dueFen } = await bill(visit)
    later(16)
    const race = round % 2 === 0 ? [pay(visit, 'payment', dueFen), reverseUnpaid(deps, ctx())] as const : [pay(visit, 'payment', dueFen), new Promise((done) => { setTimeout(done, 3) }).then(() => reverseUnpaid(deps, ctx()))] as const
    const [paid] = await Promise.all(race)
    const after = await bill(visit)
    seen.add(after.state)
    expect([after.state, after.paidFen, await standingThere(visit)]).toEqual(paid.status === 201 ? ['settled', dueFen, 1] : ['reversed', 0, 0])
  }
  expect(seen.size).toBeGreaterThan(0)
})

test('an undoing without an answer is finished by the other job; a payment meanwhile is refused', async () => {
  const visit = await settled()
  const { dueFen } = await bill(visit)
  later(16)
  gateway = { ...centre.gateway, reverse: async () => ({ kind: 'unknown', reason: 'lost' }) }
  expect(await reverseUnpaid(deps, ctx())).toBe(0)
  expect((await pay(visit, 'payment', dueFen)).code).toBe('settlement-pending')
  gateway = centre.gateway
  later(1)
  await resolveAttempts(deps, ctx())
  expect(await bill(visit)).toMatchObject({ state: 'reversed', message: { zh: expect.stringContaining('未在时限内支付') as string } })
})

test('settled from home, the day is given; nothing to pay, nothing is undone', async () => {
  const at = (time: string) => payBy(new Date(`2026-10-20T${time}:00+08:00`), true).toISOString()
  expect([at('10:00'), at('23:20')]).toEqual(['2026-10-20T15:30:00.000Z', '2026-10-20T15:35:00.000Z'])
  const psnNo = `U${++people}`
  await centre.enrol({ psnNo, accountPriorFen: 1_000_000n })
  const visit = await testVisit(platform, hospital, { psnNo })
  await charge(platform, visit, ['visit-38'])
  expect((await settle(visit, citizen(visit.patient))).status).toBe(200)
  expect(await bill(visit)).toMatchObject({ state: 'settled', cashFen: 0, payBy: null })
  later(24 * 60)
  expect(await reverseUnpaid(deps, ctx())).toBe(0)
})
