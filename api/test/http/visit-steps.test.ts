import { sql } from 'kysely'
import { beforeEach, expect, test } from 'vitest'
import { anonymous, platform as platformPrincipal, type Principal } from '../../src/access/principal.ts'
import { makeCtx } from '../../src/ctx.ts'
import { keyOf } from '../../src/fhir/id.ts'
import type { SettlementGateway } from '../../src/settlement/gateway.ts'
import type { Bill, BillUpload } from '../../src/settlement/shapes.ts'
import { uploadDue } from '../../src/settlement/upload-details.ts'
import type { StepAnswer, VisitGateway } from '../../src/settlement/visit-gateway.ts'
import { testCentre } from '../support/centre.ts'
import { citizen, system, testPlatform } from '../support/platform.ts'
import { charge, e02, put, testHospital, testVisit, type TestVisit } from '../support/visit.ts'

/**
 * What may befall a message of a step: `dropped` never arrives; `lost`: arrives, the answer does not; `doubled`: arrives twice; `stray`:
 * arrives, and a copy of it once more at the very end.
 */
const faults = ['none', 'dropped', 'lost', 'doubled', 'stray'] as const
type Fault = (typeof faults)[number]

let gateway: SettlementGateway
const swappable: SettlementGateway = {
  get visits() { return gateway.visits }, submit: (claim) => gateway.submit(claim), ask: (id) => gateway.ask(id), reverse: (id) => gateway.reverse(id), dayList: (day, institution) => gateway.dayList(day, institution),
  applyClearing: (application) => gateway.applyClearing(application), file: (filing) => gateway.file(filing),
}
const platform = await testPlatform({ gateway: swappable, now: new Date('2026-10-20T10:00:00+08:00') })
const { clock } = platform
const centre = await testCentre('310000', { clock })
const hospital = await testHospital(platform)
let people = 0
beforeEach(() => { gateway = centre.gateway })

const cashier = (): Principal => ({ ...anonymous, kind: 'person', id: 'cashier', name: '收费员', role: 'scheduler', organization: hospital.organization, authLevel: 'second-factor', authAt: clock.now.toISOString() })
const api = async <T>(method: string, path: string, body?: unknown, as: Principal = cashier()) => {
  const reply = await platform.request(method, path, { as, ...(body === undefined ? {} : { body }) })
  return { status: reply.status, json: reply.json as T, code: (reply.json?.code ?? reply.json?.issue?.[0]?.details?.coding?.[0]?.code) as string | undefined }
}
const upload = (visit: TestVisit, as?: Principal) => api<BillUpload>('POST', `/api/bills/${visit.encounter}/details`, undefined, as)
const takeBack = (visit: TestVisit, as?: Principal) => api<BillUpload>('POST', `/api/bills/${visit.encounter}/details/take-back`, undefined, as)
const bill = async (visit: TestVisit) => (await api<Bill>('GET', `/api/bills/${visit.encounter}?estimate=1`)).json
const settle = (visit: TestVisit, more: object[] = []) => api('POST', '/fhir/Claim/$submit', {
  resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${visit.encounter}` } }, { name: 'use', valueCode: 'claim' }, ...more],
})
const job = () => uploadDue({ db: platform.db, gateway: swappable }, makeCtx(platformPrincipal, { now: clock.now }))
const later = (seconds: number) => { clock.now = new Date(clock.now.getTime() + seconds * 1000) }
async function insured(codes: readonly string[] = e02): Promise<TestVisit> {
  const psnNo = `S${++people}`
  await centre.enrol({ psnNo, accountPriorFen: 15_000n })
  const visit = await testVisit(platform, hospital, { psnNo })
  await charge(platform, visit, codes)
  return visit
}
/** What stands at the centre for a person: visits, details, and the settled claim's visit. */
async function there({ psnNo }: TestVisit) {
  const { rows } = await sql<{ visits: number; details: number; named: string | null }>`
    select (select count(*)::int from visit where psn_no = ${psnNo} and state = 'registered') as visits,
      (select count(*)::int from visit_detail d join visit v on v.number = d.visit where v.psn_no = ${psnNo}) as details,
      (select visit from claim where psn_no = ${psnNo} and state = 'settled') as named`.execute(centre.db)
  return rows[0]
}

test('the cashier registers and uploads, pre-settles and settles under the visit; reversed and changed, the batch is sent anew', async () => {
  const visit = await insured()
  expect((await bill(visit)).upload).toEqual({ state: 'none', visit: null, uploaded: 0, reason: null })
  const uploaded = await upload(visit)
  expect(uploaded).toMatchObject({ status: 200, json: { state: 'uploaded', uploaded: 4, reason: null } })
  expect(await there(visit)).toEqual({ visits: 1, details: 4, named: null })
  expect((await upload(visit)).json).toEqual(uploaded.json)
  expect((await bill(visit)).split?.totalFen).toBe(80_717)
  await charge(platform, visit, ['care-45'])
  expect((await bill(visit)).upload).toMatchObject({ state: 'partly', uploaded: 4 })
  expect((await settle(visit)).status).toBe(200)
  expect(await there(visit)).toEqual({ visits: 1, details: 5, named: uploaded.json.visit })
  expect((await takeBack(visit)).code).toBe('settled-already')

  const settled = await bill(visit)
  expect((await api('POST', `/fhir/Claim/${settled.claim}/$reverse`)).status).toBe(200)
  const line = await platform.db.selectFrom('bill_line').select('charge_item_id').where('encounter', '=', keyOf(visit.encounter)).where('code', '=', 'drug-412').executeTakeFirstOrThrow()
  await platform.request('DELETE', `/fhir/ChargeItem/${line.charge_item_id}`, { as: system })
  expect((await settle(visit)).status).toBe(200)
  expect(await there(visit)).toEqual({ visits: 1, details: 4, named: uploaded.json.visit })
})

test('taken back, nothing stands there, the job leaves it alone, and it can be uploaded again', async () => {
  const visit = await insured()
  await upload(visit)
  expect((await takeBack(visit)).json).toMatchObject({ state: 'none', visit: null, uploaded: 0 })
  expect(await there(visit)).toEqual({ visits: 0, details: 0, named: null })
  later(600)
  await job()
  expect((await there(visit))?.visits).toBe(0)
  expect((await upload(visit)).json.state).toBe('uploaded')
  expect((await settle(visit)).status).toBe(200)
})

test('the job uploads a bill at rest; what was uploaded is taken back when the patient pays alone', async () => {
  const visit = await insured()
  await job()
  expect((await there(visit))?.details).toBe(0)
  later(61)
  await job()
  expect(await there(visit)).toMatchObject({ visits: 1, details: 4 })
  const before = centre.submitted
  await job()
  expect(centre.submitted).toBe(before)
  // The centre refuses the claim, and the patient chooses to pay alone.
  await centre.db.updateTable('enrolment').set({ from_date: '2026-12-01' }).where('psn_no', '=', visit.psnNo).execute()
  expect((await settle(visit)).code).toBe('insurer-rejected')
  expect((await settle(visit, [{ name: 'selfPay', valueBoolean: true }])).status).toBe(200)
  await job()
  expect(await there(visit)).toEqual({ visits: 0, details: 0, named: null })
})

test('a detail the centre refuses leaves the rest of the sequence as it was: the claim itself is decided', async () => {
  const visit = await insured()
  await centre.db.insertInto('catalogue_item').values({ code: 'visit-38', from_date: '2020-01-01', until_date: null, name: '诊查', catalogue_class: 'C', first_pay_parts: 0, limit_fen: null }).execute()
  expect((await upload(visit)).json).toMatchObject({ state: 'rejected' })
  expect((await bill(visit)).upload.reason).toContain('visit-38')
  expect((await settle(visit)).code).toBe('insurer-rejected')
  await centre.db.deleteFrom('catalogue_item').execute()
  expect((await settle(visit)).status).toBe(200)
  expect((await there(visit))?.named).not.toBeNull()
})

test('who may not settle may not upload, who is not of the desk may not take back, and nobody without charges', async () => {
  const visit = await insured()
  expect((await upload(visit, { ...cashier(), organization: 'elsewhere' })).status).toBe(404)
  expect((await takeBack(visit, citizen(visit.patient))).status).toBe(404)
  expect((await upload(visit, citizen(visit.patient))).json.state).toBe('uploaded')
  const empty = await testVisit(platform, hospital, { psnNo: visit.psnNo }, visit.patient)
  await put(platform)
  expect((await upload(empty)).code).toBe('bill-empty')
})

function combinations(steps: number, of: readonly Fault[] = faults): Fault[][] {
  return steps === 0 ? [[]] : combinations(steps - 1, of).flatMap((before) => of.map((fault) => [...before, fault]))
}

/** A gateway whose next messages of steps meet these faults. @returns what still strays about. */
function faulty(plan: Fault[]): { visits: VisitGateway; strays: (() => Promise<StepAnswer>)[] } {
  const strays: (() => Promise<StepAnswer>)[] = []
  const through = async (send: () => Promise<StepAnswer>): Promise<StepAnswer> => {
    const fault = plan.shift() ?? 'none'
    if (fault === 'dropped') return { kind: 'unknown', reason: 'dropped' }
    const answer = await send()
    if (fault === 'lost') return { kind: 'unknown', reason: 'lost' }
    if (fault === 'doubled') return send()
    if (fault === 'stray') strays.push(send)
    return answer
  }
  const { visits } = centre.gateway
  return { strays, visits: {
    register: (visit) => through(() => visits.register(visit)), upload: (number, batch) => through(() => visits.upload(number, batch)),
    cancelUpload: (number, id) => through(() => visits.cancelUpload(number, id)), cancel: (number) => through(() => visits.cancel(number)),
  } }
}

test('every fault at two messages, the worst at three: one visit, each detail once, and after taking back nothing, whatever strays in late', async () => {
  let met = 0
  for (const plan of [...combinations(2), ...combinations(3, ['dropped', 'lost', 'stray'])]) {
    const visit = await insured(['visit-38', 'drug-96'])
    const way = faulty([...plan])
    gateway = { ...centre.gateway, visits: way.visits }
    for (let tries = 0; tries < 6 && (await upload(visit)).status !== 200; tries++) met++
    expect(await there(visit), plan.join(' ')).toEqual({ visits: 1, details: 2, named: null })
    const back = faulty([...plan])
    gateway = { ...centre.gateway, visits: back.visits }
    for (let tries = 0; tries < 6 && (await takeBack(visit)).status !== 200; tries++) met++
    for (const stray of [...way.strays, ...back.strays]) await stray()
    expect(await there(visit), plan.join(' ')).toEqual({ visits: 0, details: 0, named: null })
  }
  expect(met).toBeGreaterThan(40)
}, 120_000)

test('uploading, settling and taking back at once: a settled visit has its details, one taken back has none', async () => {
  for (let round = 0; round < 4; round++) {
    const visit = await insured(['visit-38', 'drug-96'])
    if (round % 2 === 0) await upload(visit)
    await Promise.all([upload(visit), settle(visit), takeBack(visit), upload(visit)])
    const state = (await bill(visit)).state
    if (state !== 'settled') expect((await settle(visit)).status).toBe(200)
    later(120)
    await job()
    const end = await there(visit)
    expect([[1, 2], [0, 0]]).toContainEqual([end?.visits, end?.details])
    if (end?.named) expect(end.details).toBe(2)
  }
})
