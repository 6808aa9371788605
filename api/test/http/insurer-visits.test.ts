import type { Bundle, ChargeItem, Claim, ClaimResponse, Encounter } from '@medplum/fhirtypes'
import { beforeEach, describe, expect, test } from 'vitest'
import { chargeItemSystem, readTerms } from '../../src/fhir/claim-message.ts'
import { fenOf } from '../../src/fhir/money.ts'
import { batchMessage, visitMessage, visitNumberOf, visitNumberSystem } from '../../src/fhir/visit-message.ts'
import { testCentre } from '../support/centre.ts'
import { type ClaimWish, e02, messageId, testClaim } from '../support/claim.ts'

const centre = await testCentre()
beforeEach(async () => {
  await centre.empty()
  await centre.enrol({ psnNo: 'P1' })
})

const registration = (more: Partial<Parameters<typeof visitMessage>[0]> = {}) => visitMessage({
  messageId: messageId(), region: '310000', psnNo: 'P1', institution: 'H31010100001', medicalType: '11', begunOn: '2026-11-23', ...more,
})
async function register(more: Parameters<typeof registration>[0] = {}): Promise<string> {
  const { status, json } = await centre.request('POST', '/fhir/Encounter', registration(more))
  expect(status).toBe(200)
  return visitNumberOf(json as Encounter) ?? ''
}
/** The lines of a claim as details `d1`, `d2` …, from a place in the list on. */
function batchOf(visit: string, claim: Claim, id = messageId(), from = 0, until?: number): Bundle<ChargeItem> {
  return batchMessage(id, visit, { region: '310000', psnNo: 'P1' }, (claim.item ?? []).slice(from, until).map((line, index) => ({
    detail: `d${from + index + 1}`, name: '项目', code: line.productOrService.coding?.find((each) => each.system === chargeItemSystem)?.code ?? '', quantity: line.quantity?.value ?? 0, amountFen: fenOf(line.net) ?? 0n,
    ...readTerms(line.extension) ?? { catalogueClass: 'A', firstPayParts: 0, limitFen: null },
  })))
}
const upload = (visit: string, batch: Bundle<ChargeItem>, token?: string) => centre.request('POST', `/fhir/Encounter/${visit}/$upload`, batch, token)
const cancelUpload = (visit: string, batch: string) => centre.request('POST', `/fhir/Encounter/${visit}/$cancel-upload`, { resourceType: 'Parameters', parameter: [{ name: 'batch', valueString: batch }] })
function claimOf(visit: string, items = e02, more: ClaimWish = {}): Claim {
  const claim = testClaim({ messageId: messageId(), ...more }, items)
  return { ...claim, item: claim.item?.map((line) => ({ ...line, encounter: [{ identifier: { system: visitNumberSystem, value: visit } }] })) }
}
const submit = async (claim: Claim) => {
  const { status, json } = await centre.request('POST', '/fhir/Claim/$submit', claim)
  return { status, json: json as ClaimResponse }
}

describe('the sequence', () => {
  test('register, upload in two batches, pre-settle, settle; reverse, take back the details, take back the visit', async () => {
    const visit = await register()
    const claim = claimOf(visit)
    const [one, two] = [messageId(), messageId()]
    const first = await upload(visit, batchOf(visit, claim, one, 0, 2))
    expect((first.json as ClaimResponse).item?.[1]?.adjudication.map((each) => [each.category.coding?.[0]?.code, each.amount?.value])).toEqual(
      [['submitted', 260], ['firstpay', 26], ['inscope', 234]])
    expect((await submit(claimOf(visit, e02, { use: 'predetermination' }))).status).toBe(409)
    expect((await upload(visit, batchOf(visit, claim, two, 2))).status).toBe(200)
    const estimate = await submit(claimOf(visit, e02, { use: 'predetermination' }))
    const settled = await submit(claim)
    expect(settled.json.outcome).toBe('complete')
    expect(estimate.json.total).toEqual(settled.json.total)
    expect((await cancelUpload(visit, one)).status).toBe(409)
    expect((await centre.request('POST', `/fhir/Encounter/${visit}/$cancel`)).status).toBe(409)
    expect((await submit(claimOf(visit))).status).toBe(409)

    await centre.request('POST', `/fhir/Claim/${claim.identifier?.[0]?.value}/$reverse`)
    expect((await centre.request('POST', `/fhir/Encounter/${visit}/$cancel`)).status).toBe(409)
    expect((await cancelUpload(visit, one)).json).toMatchObject({ status: 'cancelled', request: { identifier: { value: one } } })
    expect((await submit(claimOf(visit))).status).toBe(409)
    expect((await submit(claimOf(visit, '412.37B20 96.80A'))).status).toBe(409)
    await cancelUpload(visit, two)
    expect(((await centre.request('POST', `/fhir/Encounter/${visit}/$cancel`)).json as Encounter).status).toBe('cancelled')
    expect((await upload(visit, batchOf(visit, claim))).status).toBe(409)
    expect(await centre.db.selectFrom('visit_detail').selectAll().execute()).toEqual([])
  })

  test('after a reversal the rest is uploaded anew and settled: E20', async () => {
    const visit = await register()
    const claim = claimOf(visit)
    const batch = batchOf(visit, claim)
    await upload(visit, batch)
    await submit(claim)
    await centre.request('POST', `/fhir/Claim/${claim.identifier?.[0]?.value}/$reverse`)
    await cancelUpload(visit, batch.identifier?.value ?? '')
    const items = '38.00A 260.00B10 96.80A'
    expect((await upload(visit, batchOf(visit, testClaim({}, items)))).status).toBe(200)
    expect((await submit(claimOf(visit, items))).json.outcome).toBe('complete')
  })
})

describe('each message has one answer', () => {
  test('registered or uploaded twice, also at once, it is one visit and one batch', async () => {
    const message = registration()
    const answers = await Promise.all([1, 2, 3].map(() => centre.request('POST', '/fhir/Encounter', message)))
    expect(new Set(answers.map(({ json }) => visitNumberOf(json as Encounter))).size).toBe(1)
    const visit = visitNumberOf(answers[0]?.json as Encounter) ?? ''
    const batch = batchOf(visit, claimOf(visit))
    const uploads = await Promise.all([1, 2, 3].map(() => upload(visit, batch)))
    expect(uploads.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(uploads[1]?.json).toEqual(uploads[0]?.json)
    expect(await centre.db.selectFrom('visit_detail').select('detail').orderBy('detail').execute()).toHaveLength(4)
    expect((await upload(visit, { ...batchOf(visit, claimOf(visit, '1.00A')), identifier: batch.identifier })).status).toBe(409)
    expect((await centre.request('POST', '/fhir/Encounter', { ...message, period: { start: '2026-11-22' } })).status).toBe(409)
  })

  test('a batch that was taken back before it came never counts', async () => {
    const visit = await register()
    const batch = batchOf(visit, claimOf(visit))
    expect((await cancelUpload(visit, batch.identifier?.value ?? '')).status).toBe(200)
    expect((await cancelUpload(visit, batch.identifier?.value ?? '')).status).toBe(200)
    expect((await upload(visit, batch)).status).toBe(409)
    expect(await centre.db.selectFrom('visit_detail').selectAll().execute()).toEqual([])
  })

  test('of ten claims of a visit at once one is settled', async () => {
    const visit = await register()
    await upload(visit, batchOf(visit, claimOf(visit)))
    const answers = await Promise.all(Array.from({ length: 10 }, () => submit(claimOf(visit))))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9)
  })

  test('settling races with taking the details back: never a settled visit without its details', async () => {
    for (let round = 0; round < 6; round++) {
      const visit = await register()
      const batch = batchOf(visit, claimOf(visit))
      await upload(visit, batch)
      const [settled] = await Promise.all([submit(claimOf(visit)), cancelUpload(visit, batch.identifier?.value ?? '')])
      const left = await centre.db.selectFrom('visit_detail').select('detail').where('visit', '=', visit).execute()
      expect([settled.status, left.length]).toEqual(settled.status === 200 ? [200, 4] : [409, 0])
    }
  })
})

describe('refused with a code', () => {
  test.each([
    ['another city', { institution: 'H32050500001' }, 422], ['a day to come', { begunOn: '2026-12-01' }, 422], ['no message id', { messageId: 'x' }, 422],
  ])('registration of %s', async (_name, more, status) => {
    expect((await centre.request('POST', '/fhir/Encounter', registration(more))).status).toBe(status)
  })

  test('a detail twice, a line without class, 101 lines, more than 500 in all, somebody else’s visit', async () => {
    const visit = await register()
    const good = batchOf(visit, claimOf(visit))
    await upload(visit, good)
    expect((await upload(visit, batchOf(visit, claimOf(visit)))).status).toBe(409)
    const [entry] = good.entry ?? []
    const broken = { ...good, identifier: { ...good.identifier, value: messageId() }, entry: [{ resource: { ...entry?.resource, extension: [] } }] }
    expect((await upload(visit, broken as Bundle<ChargeItem>)).status).toBe(422)
    const many = (n: number, from: number) => batchMessage(messageId(), visit, { region: '310000', psnNo: 'P1' }, Array.from({ length: n }, (_, i) => ({ detail: `m${from + i}`, name: '项目', code: 't0', quantity: 1, amountFen: 1n, catalogueClass: 'A' as const, firstPayParts: 0, limitFen: null })))
    expect((await upload(visit, many(101, 0))).status).toBe(422)
    for (let batch = 0; batch < 4; batch++) expect((await upload(visit, many(100, batch * 100))).status).toBe(200)
    expect((await upload(visit, many(97, 400))).status).toBe(422)
    expect((await upload(visit, many(96, 400))).status).toBe(200)
    const other = await centre.token('other@')
    expect((await upload(visit, many(1, 900), other)).status).toBe(404)
    expect((await centre.request('GET', `/fhir/Encounter/${visit}`, undefined, other)).status).toBe(404)
    expect(((await centre.request('GET', `/fhir/Encounter/${visit}`)).json as Encounter).status).toBe('in-progress')
  })

  test('a claim of another person, another day or an unknown visit', async () => {
    await centre.enrol({ psnNo: 'P2' })
    const visit = await register()
    await upload(visit, batchOf(visit, claimOf(visit)))
    expect((await submit(claimOf(visit, e02, { psnNo: 'P2' }))).status).toBe(409)
    expect((await submit(claimOf(visit, e02, { day: '2026-11-22' }))).status).toBe(409)
    expect((await submit(claimOf('nowhere'))).status).toBe(404)
    const claim = claimOf(visit)
    expect((await submit({ ...claim, item: claim.item?.map((line, index) => (index === 0 ? { ...line, encounter: undefined } : line)) })).status).toBe(422)
  })
})
