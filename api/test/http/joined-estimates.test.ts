import type { Bundle, ClaimResponse } from '@medplum/fhirtypes'
import { describe, expect, test } from 'vitest'
import { splitOf } from '../../src/fhir/claim-message.ts'
import { testCentre } from '../support/centre.ts'
import { e02, messageId, testClaim } from '../support/claim.ts'
import { system, testPlatform } from '../support/platform.ts'
import { charge, testHospital, testVisit, type TestVisit } from '../support/visit.ts'

const clock = { now: new Date('2026-11-23T07:30:00+08:00') }
const centre = await testCentre('310000', { clock })
const platform = await testPlatform({ gateway: centre.gateway })
platform.clock.now = clock.now
const hospital = await testHospital(platform)

const batch = (entry: unknown[]) => ({ resourceType: 'Bundle', type: 'batch', entry })
const submitted = (resource: unknown) => ({ resource, request: { method: 'POST', url: 'Claim/$submit' } })
const estimate = (psnNo: string, items = e02) => testClaim({ psnNo, use: 'predetermination' }, items)

async function sent(body: unknown): Promise<{ status: number; json: Bundle & { issue?: { details?: { coding?: { code?: string }[] } }[] } }> {
  return await centre.request('POST', '/fhir', body) as never
}

/** What an answer says, without what is new in each. */
function decided(answer: unknown) {
  const { outcome, total, item, extension, patient, error } = answer as ClaimResponse
  return { outcome, total, item, extension, patient, error }
}

describe('a batch of pre-settlements at the centre', () => {
  test('each entry is answered in its place as it would be alone, and nothing is kept', async () => {
    await centre.enrol({ psnNo: 'B1', accountPriorFen: 15_000n }, { psnNo: 'B2', personType: 12, retiredOn: '2015-01-01', birthDate: '1954-01-01' })
    const claims = [estimate('B1'), estimate('nobody'), estimate('B2', '10.00A 147.26A 63.07B5'), estimate('B1', '38.00A')]
    const broken = { ...estimate('B1'), total: { value: 1, currency: 'CNY' } }
    const together = await sent(batch([...claims, broken].map(submitted)))
    const alone = await Promise.all(claims.map((claim) => centre.request('POST', '/fhir/Claim/$submit', { ...claim, identifier: [{ ...claim.identifier?.[0], value: messageId() }] })))
    expect(together.json.type).toBe('batch-response')
    expect(together.json.entry?.map((each) => each.response?.status)).toEqual(['200', '200', '200', '200', '409'])
    for (const [index, each] of alone.entries()) expect(decided(together.json.entry?.[index]?.resource)).toEqual(decided(each.json))
    expect(together.json.entry?.map((each) => (each.resource as ClaimResponse | undefined)?.request?.identifier?.value).slice(0, 4)).toEqual(claims.map((claim) => claim.identifier?.[0]?.value))
    expect(await centre.db.selectFrom('claim').selectAll().execute()).toEqual([])
  })

  test('a settlement in a batch is refused, and so is what is no submission', async () => {
    const settlement = testClaim({ psnNo: 'B1', use: 'claim' }, e02)
    const { json } = await sent(batch([submitted(settlement), { resource: estimate('B1'), request: { method: 'GET', url: 'Claim' } }, null, submitted(estimate('B1'))]))
    expect(json.entry?.map((each) => each.response?.status)).toEqual(['422', '422', '422', '200'])
    expect(await centre.db.selectFrom('claim').selectAll().execute()).toEqual([])
  })

  test.each([
    ['no batch', { resourceType: 'Bundle', type: 'transaction', entry: [submitted(estimate('B1'))] }],
    ['empty', { resourceType: 'Bundle', type: 'batch' }],
    ['too many', batch(Array.from({ length: 101 }, () => submitted(estimate('B1'))))],
  ])('%s: value-invalid', async (_name, body) => {
    const { status, json } = await sent(body)
    expect([status, json.issue?.[0]?.details?.coding?.[0]?.code]).toEqual([422, 'value-invalid'])
  })
})

describe('pre-settlements that arrive together at the platform', () => {
  const ask = (visit: TestVisit) => platform.request('POST', '/fhir/Claim/$submit', {
    as: system, body: { resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${visit.encounter}` } }, { name: 'use', valueCode: 'predetermination' }] },
  })

  test('get each its own answer, the one that one by one gives', async () => {
    const visits = await Promise.all(Array.from({ length: 12 }, async (_, index) => {
      const psnNo = `J${index}`
      if (index !== 7) await centre.enrol({ psnNo, accountPriorFen: BigInt(index) * 1000n })
      const visit = await testVisit(platform, hospital, index === 5 ? null : { psnNo })
      if (index !== 3) await charge(platform, visit, e02Codes.slice(0, 1 + (index % 4)))
      return visit
    }))
    const oneByOne = []
    for (const visit of visits) oneByOne.push(await ask(visit))
    const before = centre.submitted
    const together = await Promise.all([...visits, ...visits].map(ask))
    // Fewer messages than answers: they did travel together.
    expect(centre.submitted - before).toBeLessThan(4)
    for (const [index, reply] of together.entries()) {
      const alone = oneByOne[index % visits.length]
      expect([reply.status, reply.json.issue?.[0]?.details]).toEqual([alone?.status, alone?.json.issue?.[0]?.details])
      if (reply.status === 200) expect([decided(reply.json), splitOf(reply.json.total)]).toEqual([decided(alone?.json), splitOf(alone?.json.total)])
    }
    expect(together.slice(0, 12).map((each) => each.status)).toEqual([200, 200, 200, 422, 200, 422, 200, 422, 200, 200, 200, 200])
  })

  test('a lost answer says of each that nothing was charged, and later all are answered', async () => {
    const visits = await Promise.all(['K1', 'K2', 'K3'].map(async (psnNo) => {
      await centre.enrol({ psnNo })
      const visit = await testVisit(platform, hospital, { psnNo })
      await charge(platform, visit, e02Codes)
      return visit
    }))
    centre.fault = { submit: 'lost', ask: 'lost' }
    const lost = await Promise.all(visits.map(ask))
    centre.fault = { submit: 'none', ask: 'none' }
    expect(lost.map((each) => [each.status, each.json.issue[0].details.coding[0].code])).toEqual(visits.map(() => [503, 'insurer-unreachable']))
    expect((await Promise.all(visits.map(ask))).map((each) => each.status)).toEqual([200, 200, 200])
    expect(await centre.db.selectFrom('claim').selectAll().execute()).toEqual([])
  })
})

const e02Codes = ['visit-38', 'lab-260', 'drug-412', 'drug-96']
