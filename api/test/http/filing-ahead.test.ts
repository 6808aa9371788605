import { expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { keyOf, shardOf } from '../../src/fhir/id.ts'
import type { Bill, Filing, FilingAhead } from '../../src/settlement/shapes.ts'
import { introduce, testCentre } from '../support/centre.ts'
import { citizen, testPlatform } from '../support/platform.ts'
import { charge, e02, testHospital, testId, testVisit, type TestVisit } from '../support/visit.ts'
import type { SettlementGateway } from '../../src/settlement/gateway.ts'

let gateway: SettlementGateway
const swappable = new Proxy({}, { get: (_nothing, name) => Reflect.get(gateway, name) as unknown }) as SettlementGateway
const platform = await testPlatform({ gateway: swappable, now: new Date('2026-10-20T10:00:00+08:00') })
const { clock } = platform
const centre = await testCentre('310000', { clock })
const suzhou = await testCentre('320500', { clock })
await introduce(centre, suzhou)
gateway = centre.gateway
const hospital = await testHospital(platform)

const api = async <T>(method: string, path: string, as: Principal, body?: unknown) => {
  const reply = await platform.request(method, path, { as, ...(body === undefined ? {} : { body }) })
  return { status: reply.status, json: reply.json as T, code: reply.json?.code as string | undefined }
}
/** An appointment of the patient of a visit, two days ahead. */
async function appointment(visit: TestVisit, state: 'booked' | 'cancelled' = 'booked'): Promise<string> {
  const id = testId()
  const at = new Date(clock.now.getTime() + 2 * 86_400_000)
  await platform.db.insertInto('booking').values({
    shard: shardOf(keyOf(hospital.organization)), id: keyOf(id), appointment: id, session_id: keyOf(testId()), no: 1, pid: keyOf(visit.patient), patient: visit.patient, state, held_until: null,
    start_at: at, end_at: at, service_date: '2026-10-22', organization: hospital.organization, department: '03.04', practitioner: hospital.practitioner, booked_by: visit.patient,
    cancel_reason: state === 'cancelled' ? 'test' : null, created_at: clock.now, updated_at: clock.now, offer_of: null, choose_until: null, refund_fen: null, return_at: null, asked_at: null,
  }).execute()
  return id
}

test('filed with the appointment, once, the filing counts at the settlement of the visit', async () => {
  await suzhou.enrol({ psnNo: 'SZ1', region: '320500' }, { psnNo: 'SZ2', region: '320500' })
  const filed = await testVisit(platform, hospital, { psnNo: 'SZ1', region: '320500' })
  const unfiled = await testVisit(platform, hospital, { psnNo: 'SZ2', region: '320500' })
  const id = await appointment(filed)
  const who = citizen(filed.patient)
  expect((await api<FilingAhead>('GET', `/api/appointments/${id}/filing`, who)).json).toEqual({ region: '320500', filed: null })
  const first = await api<Filing>('POST', `/api/appointments/${id}/filing`, who, { type: 'referred' })
  expect(first).toMatchObject({ status: 201, json: { type: 'referred', from: '2026-10-22', until: '2027-04-22' } })
  expect((await api<Filing>('POST', `/api/appointments/${id}/filing`, who, { type: 'referred' })).json).toEqual(first.json)
  expect((await api<FilingAhead>('GET', `/api/appointments/${id}/filing`, who)).json).toEqual({ region: '320500', filed: first.json })
  expect(await suzhou.db.selectFrom('filing').select(['psn_no', 'kind', 'region']).execute()).toEqual([{ psn_no: 'SZ1', kind: 'referred', region: '310101' }])
  // Another kind for the same place and time is the insured place's to refuse.
  expect((await api('POST', `/api/appointments/${id}/filing`, who, { type: 'temporary' })).code).toBe('insurer-rejected')

  clock.now = new Date('2026-10-22T10:00:00+08:00')
  const pays = async (visit: TestVisit) => {
    const later = await testVisit(platform, hospital, { psnNo: visit.psnNo, region: '320500' }, visit.patient)
    await charge(platform, later, ['drug-412', ...e02])
    return (await api<Bill>('GET', `/api/bills/${later.encounter}?estimate=1`, citizen(visit.patient))).json
  }
  const [one, other] = [await pays(filed), await pays(unfiled)]
  expect(one.filed).toEqual(first.json)
  expect(other.filed).toBeNull()
  expect(one.split?.pooledFen).toBeGreaterThan(other.split?.pooledFen ?? 0)
})

test('at home nothing is to be filed; strangers and cancelled appointments find nothing; no answer is said', async () => {
  const visit = await testVisit(platform, hospital, { psnNo: 'P1' })
  const id = await appointment(visit)
  expect((await api<FilingAhead>('GET', `/api/appointments/${id}/filing`, citizen(visit.patient))).json).toEqual({ region: null, filed: null })
  expect((await api('POST', `/api/appointments/${id}/filing`, citizen(visit.patient), { type: 'temporary' })).code).toBe('business-rule')
  expect((await api('GET', `/api/appointments/${id}/filing`, citizen(testId()))).status).toBe(404)
  expect((await api('GET', `/api/appointments/${id}/filing`, anonymous)).status).toBe(401)
  expect((await api('GET', `/api/appointments/${await appointment(visit, 'cancelled')}/filing`, citizen(visit.patient))).status).toBe(404)
  expect((await api('POST', `/api/appointments/${id}/filing`, citizen(visit.patient), { type: 'disease' })).status).toBe(400)
  const away = await testVisit(platform, hospital, { psnNo: 'SZ2', region: '320500' })
  gateway = centre.nowhere
  expect((await api('POST', `/api/appointments/${await appointment(away)}/filing`, citizen(away.patient), { type: 'temporary' })).code).toBe('insurer-unreachable')
  gateway = centre.gateway
})
