import type { Bundle, Claim, ClaimResponse, CoverageEligibilityResponse } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { messageIdSystem, psnSystem, splitFault, splitOf, termExtensions, traceUrl } from '../../src/fhir/claim-message.ts'
import { replayTrace, traceFromJson } from '../../src/insurer/trace.ts'
import { testCentre } from '../support/centre.ts'
import { type ClaimWish, e01, e02, messageId, testClaim } from '../support/claim.ts'

const centre = await testCentre()
beforeEach(async () => {
  await centre.empty()
})

const claim = (items: string, more: ClaimWish = {}) => testClaim({ messageId: messageId(), ...more }, items)
async function submit(body: unknown) {
  const { status, json } = await centre.request('POST', '/fhir/Claim/$submit', body)
  return { status, response: json as ClaimResponse, split: splitOf((json as ClaimResponse).total) }
}
async function reverse(id: string) {
  return centre.request('POST', `/fhir/Claim/${id}/$reverse`)
}
async function standing() {
  return {
    people: await centre.db.selectFrom('insured_person').select(['psn_no', 'account_current_fen', 'account_prior_fen']).orderBy('psn_no').execute(),
    used: await centre.db.selectFrom('accumulator').select(['psn_no', 'year_from', 'deductible_outpatient_fen', 'above_deductible_fen']).orderBy('psn_no').execute(),
  }
}
async function fundTotal(): Promise<bigint> {
  const { rows } = await sql<{ net: bigint }>`select coalesce(sum(case kind when 'settle' then amount_fen else -amount_fen end), 0)::int8 as net from fund_entry`.execute(centre.db)
  return rows[0]?.net ?? 0n
}

describe('a claim', () => {
  test('two visits of a year give E01 and E02, and E20 after the return of a drug', async () => {
    await centre.enrol({ psnNo: 'P1', accountPriorFen: 15_000n })
    // E01 is settled with an empty account in the example; here the account exists, so only what does not depend on it is compared.
    const first = await submit(claim(e01))
    expect(first.response.outcome).toBe('complete')
    expect(first.split).toMatchObject({ submitted: 34_675n, fullself: 4500n, firstpay: 1864n, inscope: 28_311n, deductible: 28_311n, pool: 0n })
    await centre.db.updateTable('insured_person').set({ account_prior_fen: 15_000n }).execute()
    const second = claim(e02)
    const { split } = await submit(second)
    expect(split).toMatchObject({ submitted: 80_717n, firstpay: 10_847n, inscope: 69_870n, deductible: 21_689n, pool: 33_727n, 'account-prior': 15_000n, cash: 31_990n })
    expect((await standing()).used).toEqual([{ psn_no: 'P1', year_from: '2026-07-01', deductible_outpatient_fen: 50_000n, above_deductible_fen: 48_181n }])

    await reverse(second.identifier?.[0]?.value ?? '')
    expect((await standing()).used[0]?.deductible_outpatient_fen).toBe(28_311n)
    const rest = await submit(claim('38.00A 260.00B10 96.80A'))
    expect(rest.split).toMatchObject({ submitted: 39_480n, deductible: 21_689n, pool: 10_634n, 'account-prior': 15_000n, cash: 13_846n })
  })

  test('the answer carries a trace from which every amount follows, and sentences in two languages', async () => {
    await centre.enrol({ psnNo: 'P1' })
    const { response, split } = await submit(claim(e02))
    const data = response.extension?.find((each) => each.url === traceUrl)?.valueAttachment?.data ?? ''
    const values = replayTrace(traceFromJson(Buffer.from(data, 'base64').toString()))
    expect(values.get('cash')).toBe(split?.cash)
    expect(split && splitFault(split)).toBeNull()
    const [zh, en, ...more] = response.processNote ?? []
    expect([zh?.language?.coding?.[0]?.code, en?.language?.coding?.[0]?.code, more]).toEqual(['zh', 'en', []])
    expect(zh?.text.split('\n').at(-1)).toBe('现金支付 668.08 元')
    expect(en?.text.split('\n').at(-1)).toBe('Cash: ¥668.08')
    expect(en?.text.split('\n')).toHaveLength(zh?.text.split('\n').length ?? 0)
    expect(response.item?.map((item) => item.adjudication.every(({ amount, category }) => category.coding?.[0]?.code === 'submitted' || amount?.value !== 0))).toEqual([true, true, true, true])
  })

  test('of someone who came with a used-up deductible goes on from there', async () => {
    await centre.enrol({ psnNo: 'P1', accountPriorFen: 15_000n, used: { day: '2026-11-01', deductibleOutpatientFen: 28_311n, aboveDeductibleFen: 0n } })
    expect((await submit(claim(e02))).split).toMatchObject({ deductible: 21_689n, pool: 33_727n, 'account-prior': 15_000n, cash: 31_990n })
  })

  test('a predetermination says the same and changes nothing', async () => {
    await centre.enrol({ psnNo: 'P1', accountCurrentFen: 10_000n })
    const before = await standing()
    const estimate = await submit(claim(e02, { use: 'predetermination' }))
    expect(await standing()).toEqual(before)
    expect(await centre.db.selectFrom('claim').select('message_id').execute()).toEqual([])
    expect((await submit(claim(e02))).split).toEqual(estimate.split)
  })

  test('the same message again gets the same answer and moves money once', async () => {
    await centre.enrol({ psnNo: 'P1' })
    const body = claim(e02)
    const [one, two] = await Promise.all([submit(body), submit(body)])
    const again = await submit({ ...body })
    expect(two.response).toEqual(one.response)
    expect(again.response).toEqual(one.response)
    expect(await fundTotal()).toBe(one.split?.pool)
    const changed = await submit({ ...claim(e01), identifier: body.identifier })
    expect(changed.status).toBe(409)
  })

  test('parallel claims of one person never use a balance or the deductible twice', async () => {
    await centre.enrol({ psnNo: 'P1', accountCurrentFen: 30_000n, accountPriorFen: 10_000n })
    const answers = await Promise.all(Array.from({ length: 8 }, () => submit(claim('120.00A 80.00B10'))))
    const total = (category: 'account-current' | 'account-prior' | 'deductible') => answers.reduce((sum, each) => sum + (each.split?.[category] ?? 0n), 0n)
    expect(total('account-current')).toBe(30_000n)
    expect(total('account-prior')).toBe(10_000n)
    expect(total('deductible')).toBe(50_000n)
    expect((await standing()).people).toEqual([{ psn_no: 'P1', account_current_fen: 0n, account_prior_fen: 0n }])
  })

  test.each([
    ['a person of another city', { region: '320500' }, 'cross-region'],
    ['an unknown person', { psnNo: 'nobody' }, 'not-insured'],
    ['a day before the insurance', { day: '2019-12-31' }, 'coverage-inactive'],
    ['a day we know no policy for', { day: '2021-05-01' }, 'policy-missing'],
    ['maternity care', { type: '51' }, 'category-not-offered'],
    ['a chronic disease without its filing', { type: '14' }, 'disease-not-filed'],
  ])('%s is refused with a reason, kept, and all is cash', async (_name, more, code) => {
    await centre.enrol({ psnNo: 'P1' })
    const body = claim(e01, more)
    const { response, split } = await submit(body)
    expect(response.outcome).toBe('error')
    expect(response.error?.[0]?.code.coding?.[0]?.code).toBe(code)
    expect(split).toMatchObject({ submitted: 34_675n, cash: 34_675n, pool: 0n })
    expect((await submit(body)).response).toEqual(response)
    expect(await fundTotal()).toBe(0n)
  })

  test.each([
    ['a sum that is wrong', (body: Claim) => ({ ...body, total: { value: 1, currency: 'CNY' } }), 409, 'Claim.total'],
    ['no lines', (body: Claim) => ({ ...body, item: [] }), 422, 'Claim.item'],
    ['a day in the future', (body: Claim) => ({ ...body, billablePeriod: { start: '2026-11-24' } }), 422, 'Claim.billablePeriod.start'],
    ['a day that does not exist', (body: Claim) => ({ ...body, billablePeriod: { start: '2026-02-30' } }), 422, 'Claim.billablePeriod.start'],
    ['a message id that is none', (body: Claim) => ({ ...body, identifier: [{ system: messageIdSystem, value: 'x' }] }), 422, 'Claim.identifier'],
    ['half a pill', (body: Claim) => ({ ...body, item: body.item?.map((item) => ({ ...item, quantity: { value: 0.5 } })) }), 422, 'Claim.item[0]'],
    ['a negative price', (body: Claim) => ({ ...body, item: body.item?.map((item) => ({ ...item, unitPrice: { value: -1 }, net: { value: -1 } })) }), 422, 'Claim.item[0]'],
    ['a ratio above one', (body: Claim) => ({ ...body, item: body.item?.map((item) => ({ ...item, extension: termExtensions({ catalogueClass: 'B', firstPayParts: 10_001, limitFen: null }) })) }), 422, 'Claim.item[0]'],
  ] as const)('%s is refused by field and leaves nothing', async (_name, change, status, expression) => {
    await centre.enrol({ psnNo: 'P1' })
    const reply = await centre.request('POST', '/fhir/Claim/$submit', change(claim(e01)))
    expect(reply.status).toBe(status)
    expect((reply.json as { issue: { expression?: string[] }[] }).issue[0]?.expression).toEqual([expression])
    expect(await centre.db.selectFrom('claim').select('message_id').execute()).toEqual([])
  })

  test('broken JSON, another type and no token are clear 4xx', async () => {
    expect((await centre.request('POST', '/fhir/Claim/$submit', '{')).status).toBe(400)
    expect((await centre.request('POST', '/fhir/Claim/$submit', { resourceType: 'Patient' })).status).toBe(400)
    expect((await centre.request('POST', '/fhir/Claim/$submit', claim(e01), 'rubbish')).status).toBe(401)
    expect((await centre.request('POST', '/fhir/Claim/$submit', claim(e01), await centre.token('reader@'))).status).toBe(403)
  })
})

describe('a reversal', () => {
  test('gives everything back, once, however often it is asked', async () => {
    await centre.enrol({ psnNo: 'P1', accountCurrentFen: 5000n, accountPriorFen: 8000n })
    const before = await standing()
    const body = claim(e02)
    const id = body.identifier?.[0]?.value ?? ''
    const settled = await submit(body)
    const [first, second] = await Promise.all([reverse(id), reverse(id)])
    expect(second.json).toEqual(first.json)
    const negative = splitOf((first.json as ClaimResponse).total)
    expect(negative?.pool).toBe(-(settled.split?.pool ?? 0n))
    expect(negative && splitFault(negative, -1)).toBeNull()
    expect((await standing()).people).toEqual(before.people)
    expect((await standing()).used).toEqual([{ psn_no: 'P1', year_from: '2026-07-01', deductible_outpatient_fen: 0n, above_deductible_fen: 0n }])
    expect(await fundTotal()).toBe(0n)
  })

  test('of a message that never came bars it from coming late', async () => {
    await centre.enrol({ psnNo: 'P1' })
    const body = claim(e02)
    const id = body.identifier?.[0]?.value ?? ''
    expect((await reverse(id)).status).toBe(200)
    expect((await submit(body)).status).toBe(409)
    expect(await fundTotal()).toBe(0n)
  })

  test('of a message of somebody else is not found', async () => {
    await centre.enrol({ psnNo: 'P1' })
    const body = claim(e02)
    await submit(body)
    const reply = await centre.request('POST', `/fhir/Claim/${body.identifier?.[0]?.value}/$reverse`, undefined, await centre.token('other@'))
    expect(reply.status).toBe(404)
  })

  test('racing with its own claim ends in nothing settled or everything given back', async () => {
    await centre.enrol({ psnNo: 'P1', accountPriorFen: 8000n })
    await Promise.all(Array.from({ length: 10 }, async () => {
      const body = claim(e02)
      await Promise.all([submit(body), reverse(body.identifier?.[0]?.value ?? '')])
    }))
    expect(await fundTotal()).toBe(0n)
    expect((await standing()).people[0]?.account_prior_fen).toBe(8000n)
    expect((await standing()).used.every((each) => each.deductible_outpatient_fen === 0n && each.above_deductible_fen === 0n)).toBe(true)
  })
})

describe('asking', () => {
  test('by message id finds the answer, the reversal after it, and nothing for an unknown one', async () => {
    await centre.enrol({ psnNo: 'P1' })
    const body = claim(e02)
    const id = body.identifier?.[0]?.value ?? ''
    const ask = async () => (await centre.request('GET', `/fhir/ClaimResponse?request-identifier=${encodeURIComponent(`${messageIdSystem}|${id}`)}`)).json as Bundle
    expect((await ask()).total).toBe(0)
    const { response } = await submit(body)
    expect((await ask()).entry?.[0]?.resource).toEqual(response)
    await reverse(id)
    expect((await ask()).entry?.[0]?.resource).toMatchObject({ status: 'cancelled' })
    const found = (await centre.request('GET', `/fhir/Claim?identifier=${encodeURIComponent(`${messageIdSystem}|${id}`)}`)).json as Bundle
    expect(found.entry?.[0]?.resource).toMatchObject({ id, status: 'cancelled' })
    expect((await centre.request('GET', `/fhir/ClaimResponse/${response.id}`)).status).toBe(200)
    expect((await centre.request('GET', '/fhir/ClaimResponse?patient=1')).status).toBe(400)
  })

  test('who is insured, with what is left', async () => {
    await centre.enrol({ psnNo: 'P1', accountCurrentFen: 0n, accountPriorFen: 500n })
    await submit(claim(e01))
    const { json } = await centre.request('POST', '/fhir/CoverageEligibilityRequest/$submit', {
      resourceType: 'CoverageEligibilityRequest', status: 'active', purpose: ['benefits'], created: '2026-11-23', servicedDate: '2026-11-23',
      patient: { identifier: { system: psnSystem('310000'), value: 'P1' } }, insurer: { display: 'x' },
    })
    const answer = json as CoverageEligibilityResponse
    expect(answer.insurance?.[0]?.inforce).toBe(true)
    expect(answer.insurance?.[0]?.item?.[0]?.benefit?.[0]).toMatchObject({ allowedMoney: { value: 500 }, usedMoney: { value: 283.11 } })
    const found = (await centre.request('GET', `/fhir/Coverage?identifier=${encodeURIComponent(`${psnSystem('310000')}|P1`)}`)).json as Bundle
    expect(found.entry?.[0]?.resource).toMatchObject({ resourceType: 'Coverage', subscriberId: 'P1' })
    const byId = new URLSearchParams({ 'beneficiary:identifier': 'urn:oid:2.16.156.10011.1.3|999901198001010011' }).toString()
    expect(((await centre.request('POST', '/fhir/Coverage/_search', byId)).json as Bundle).total).toBe(1)
    expect((await centre.request('GET', `/fhir/Coverage?${byId}`)).status).toBe(400)
  })
})

describe('the database', () => {
  test('refuses a negative balance, a second scheme at a time and an entry without two accounts', async () => {
    await centre.enrol({ psnNo: 'P1' })
    await expect(centre.db.updateTable('insured_person').set({ account_current_fen: -1n }).execute()).rejects.toThrow('account_current_not_negative')
    await expect(centre.db.insertInto('enrolment').values({ psn_no: 'P1', scheme: 390, person_type: 1400, from_date: '2026-01-01', until_date: null }).execute()).rejects.toThrow('enrolment_one_scheme')
  })
})
