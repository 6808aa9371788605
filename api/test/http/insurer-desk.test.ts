/** The officer's desk: through the platform, for the role `insurer` only, to the centre of the region. */
import { beforeEach, expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { systemCaller } from '../../src/access/system-call.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import type { OfficeClaim, OfficeClaimDetail, OfficeClearing, OfficeDifference, WhatIfAnswer } from '../../src/insurer/shapes.ts'
import { testCentre } from '../support/centre.ts'
import { e02, testClaim } from '../support/claim.ts'
import { citizen, system, testPlatform } from '../support/platform.ts'

const centre = await testCentre()
const call = systemCaller({ baseUrl: centre.url, clientId: 'platform', key: centre.key, timeoutMs: 10_000, now: () => centre.clock.now, newId: () => newResourceId(null) })
let reachable = true
const { request, db } = await testPlatform({ centreDesk: (...args) => (reachable ? call(...args) : Promise.reject(new Error('down'))) })
const officer: Principal = { ...anonymous, kind: 'person', id: 'officer-1', name: '经办员', role: 'insurer' }

beforeEach(async () => {
  reachable = true
  await centre.empty()
})

async function get<T>(path: string, as: Principal = officer): Promise<{ status: number; json: T }> {
  return request('GET', `/api/insurer/${path}`, { as })
}
async function post<T>(path: string, body: unknown = {}, as: Principal = officer): Promise<{ status: number; json: T }> {
  return request('POST', `/api/insurer/${path}`, { as, body, headers: { 'Content-Type': 'application/json' } })
}

test('claims with every step of their sum, and nobody but an officer sees them', async () => {
  await centre.enrol({ psnNo: 'P1', accountPriorFen: 15_000n, used: { day: '2026-11-01', deductibleOutpatientFen: 28_311n, aboveDeductibleFen: 0n } })
  const claim = testClaim({}, e02)
  const [named] = claim.item ?? []
  Object.assign(named?.productOrService?.coding?.[0] ?? {}, { display: '普通门诊诊查费' })
  await centre.request('POST', '/fhir/Claim/$submit', claim)
  const id = claim.identifier?.[0]?.value ?? ''
  const { json: claims } = await get<OfficeClaim[]>('claims?day=2026-11-23')
  expect(claims).toMatchObject([{ messageId: id, state: 'settled', totalFen: 80_717, fundFen: 33_727, accountFen: 15_000, cashFen: 31_990, policy: '310000-310-2025-07' }])
  expect((await get<OfficeClaim[]>('claims?day=2026-11-22')).json).toEqual([])
  const { json: detail } = await get<OfficeClaimDetail>(`claims/${id}`)
  expect(detail.lines.map(({ name }) => name)).toEqual(['普通门诊诊查费', null, null, null])
  expect(detail.steps.find((step) => step.name === 'pool')).toMatchObject({ operation: 'share', of: ['below-cap'], parts: 7000, fen: 33_727, rule: '310000-310-2025-07/outpatient/ratio/8' })
  expect((await get(`claims/${id.slice(0, 29)}X`)).status).toBe(404)
  for (const stranger of [citizen('p1'), system, { ...officer, role: 'scheduler' as const }]) expect((await get('claims', stranger)).status).toBe(403)
  expect((await request('GET', '/api/insurer/claims')).status).toBe(401)
  expect((await get('../fhir/Claim')).status).toBe(404)
  // Every look of an officer is in the audit log, with what was looked at and the answer.
  const looks = await db.selectFrom('audit_event').select(['resource_type', 'resource_id', 'detail', 'outcome']).where('interaction', '=', 'insurer-desk').orderBy('recorded_at').execute()
  expect(looks).toContainEqual({ resource_type: 'Claim', resource_id: id, detail: `/claims/${id}`, outcome: 200 })
  expect(looks).toContainEqual({ resource_type: 'InsurancePlan', resource_id: null, detail: '/claims', outcome: 200 })
  reachable = false
  expect((await get('claims')).status).toBe(503)
})

test('a difference is settled with a note, once; a clearing goes its way', async () => {
  await centre.db.insertInto('statement').values({ id: 's1', client_id: 'platform', provider: 'H31010100001', day: '2026-11-22', count: 1n, total_fen: 1n, fund_fen: 1n, account_fen: 0n, outcome: 'differs', received_at: centre.clock.now }).execute()
  await centre.db.insertInto('difference').values({ statement_id: 's1', message_id: 'M1', kind: 'settle', class: 'centre-only', here_fen: 500n, there_fen: 0n, resolved_at: null, resolved_by: null, note: null }).execute()
  expect((await get<OfficeDifference[]>('differences')).json).toMatchObject([{ class: 'centre-only', hereFen: 500, resolvedAt: null }])
  expect((await post('differences/s1/M1/settle', { note: ' ' })).status).toBe(422)
  expect((await post('differences/s1/M1/settle', { note: '次日补记' })).status).toBe(200)
  expect((await post('differences/s1/M1/settle', { note: '再次' })).status).toBe(404)
  expect(await centre.db.selectFrom('difference').select(['resolved_by', 'note']).execute()).toEqual([{ resolved_by: 'officer-1', note: '次日补记' }])

  await centre.db.insertInto('clearing').values({ id: 'c1', client_id: 'platform', month: '2026-10', direction: 'to-institution', party: 'H31010100001', scheme: 310, state: 'applied', count: 1n, total_fen: 900n, fund_fen: 700n, account_fen: 100n, reason: null, applied_at: centre.clock.now, approved_at: null, paid_at: null, approved_by: null, paid_by: null }).execute()
  expect((await post('clearings/c1/pay')).status).toBe(409)
  expect((await post('clearings/c1/approve', { deductedFen: 50, reason: null })).status).toBe(422)
  expect((await post('clearings/c1/approve', { deductedFen: 50, reason: '超限 Over' })).status).toBe(200)
  expect((await post('clearings/c1/pay')).status).toBe(200)
  expect((await get<OfficeClearing[]>('clearings')).json).toMatchObject([{ state: 'paid', deductedFen: 50 }])
  expect(await centre.db.selectFrom('fund_entry').select('amount_fen').execute()).toEqual([{ amount_fen: 750n }])
  expect((await post('clearings/region', { month: '2026-10', region: '999999' })).status).toBe(422)
})

test('what a change of policy would make of past claims, and what is no question', async () => {
  await centre.enrol({ psnNo: 'P1' })
  for (let n = 0; n < 3; n++) await centre.request('POST', '/fhir/Claim/$submit', testClaim({}, '400.00A'))
  const question = { policy: '310000-310-2025-07', from: '2025-07-01', until: '2026-11-30', ratioPoints: 5, deductibleYuan: null, capYuan: null }
  const { json } = await post<WhatIfAnswer>('what-if', question)
  // 1200 yuan, 500 of deductible: 70 % of 700 becomes 75 %.
  expect(json).toMatchObject({ claims: 3, people: 1, changedClaims: 2, cut: false, fundWasFen: 49_000, fundBecomesFen: 52_500, cashWasFen: 71_000, cashBecomesFen: 67_500 })
  expect(json.largest).toHaveLength(2)
  expect((await post<WhatIfAnswer>('what-if', { ...question, ratioPoints: null, deductibleYuan: 0 })).json.fundBecomesFen).toBe(84_000)
  expect((await post<WhatIfAnswer>('what-if', { ...question, ratioPoints: null, capYuan: 100 })).json).toMatchObject({ fundBecomesFen: 7000 + 48_000 })
  expect((await post('what-if', { ...question, policy: '320500-310-2025-01' })).status).toBe(422)
  expect((await post('what-if', { ...question, ratioPoints: 1000 })).status).toBe(400)
  expect((await get<unknown[]>('policies')).json).toHaveLength(5)
  expect((await get('filings')).json).toEqual([])
})

test('a whole new policy over past claims: by fund, by group of people, nothing written; a broken file is told where', async () => {
  await centre.enrol({ psnNo: 'W1', accountPriorFen: 0n }, { psnNo: 'W2', personType: 12, retiredOn: '2015-01-01', birthDate: '1955-01-01' })
  for (const psnNo of ['W1', 'W2']) for (const day of ['2026-10-01', '2026-11-01']) expect((await centre.request('POST', '/fhir/Claim/$submit', testClaim({ psnNo, day }, e02))).status).toBe(200)
  type File = { id: string; from: string; capFen: number; categories: Record<string, { ratio: [object, number][] }> }
  const { json: file } = await get<File>('policies/310000-310-2025-07')
  const ask = (policy: unknown, from = '2026-01-01', until = '2026-11-30') => post<WhatIfAnswer & { errors?: unknown; issue?: unknown }>('what-if/file', { policy, from, until })
  const same = await ask(file)
  expect(same.json).toMatchObject({ claims: 4, people: 2, changedClaims: 0 })
  const draft = structuredClone(file)
  Object.assign(draft, { id: '310000-310-2027-07', from: '2027-07-01' })
  for (const band of draft.categories.outpatient?.ratio ?? []) band[1] -= 1000
  const { json: less } = await ask(draft)
  expect(less.changedClaims).toBeGreaterThan(0)
  expect(less.fundBecomesFen).toBeLessThan(less.fundWasFen)
  expect(less.fundWasFen - less.fundBecomesFen).toBe(less.cashBecomesFen - less.cashWasFen)
  expect(less.groups.map((each) => [each.personType, each.people])).toEqual([[11, 1], [12, 1]])
  expect(less.groups.reduce((sum, each) => sum + each.fundBecomesFen, 0)).toBe(less.fundBecomesFen)
  expect(less.parts.find((each) => each.category === 'pool')).toEqual({ category: 'pool', wasFen: less.fundWasFen, becomesFen: less.fundBecomesFen })
  expect(less.largest[0]?.cashBecomesFen).toBeGreaterThan(less.largest[0]?.cashWasFen ?? 0)
  expect(await centre.db.selectFrom('claim').select('policy').distinct().execute()).toEqual([{ policy: '310000-310-2025-07' }])

  expect((await ask({ ...file, capFen: 1.5 })).status).toBe(422)
  expect((await ask({ ...file, surprise: 1 })).status).toBe(422)
  expect((await ask({ ...file, id: '320500-310-2027-01', region: '320500' })).status).toBe(422)
  expect((await ask({ ...file, categories: { outpatient: { ...file.categories.outpatient, ratio: [[{ level: 3 }, 7000]] } } })).status).toBe(422)
  expect((await ask(file, '2026-11-30', '2026-01-01')).status).toBe(422)
  expect((await get('policies/310000-310-1999-01')).status).toBe(404)
})
