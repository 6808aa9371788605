/**
 * Bad input to a settlement, a case for each code, at the centre and at the platform. After each: nothing is kept, nothing used up,
 * nothing posted on either side, and the bill is as open as before.
 */
import type { Claim, Money } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { keyOf } from '../../src/fhir/id.ts'
import { insertCatalogue } from '../../src/insurer/catalogue.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { testCentre } from '../support/centre.ts'
import { testClaim } from '../support/claim.ts'
import { system, testPlatform } from '../support/platform.ts'
import { charge, testHospital, testVisit, type TestVisit } from '../support/visit.ts'

const clock = { now: new Date('2026-11-23T07:30:00+08:00') }
const centre = await testCentre('310000', { clock })
const platform = await testPlatform({ gateway: centre.gateway })
platform.clock.now = clock.now
const hospital = await testHospital(platform)

interface Reply { status: number; json: { issue?: { expression?: string[]; details?: { coding?: { code?: string }[] } }[] } }
const said = ({ status, json }: Reply) => [status, json.issue?.[0]?.details?.coding?.[0]?.code, json.issue?.[0]?.expression?.[0]]

/** Everything that money of this centre stands in. */
async function books() {
  const { rows } = await sql<{ text: string }>`select (select count(*) from claim) || ' claims, ' || (select count(*) from fund_entry) || ' entries, accumulators '
    || coalesce((select string_agg(a::text, ';' order by psn_no) from accumulator a), '') || ' accounts ' || coalesce((select string_agg(account_prior_fen::text, ';' order by psn_no) from insured_person), '') as text`.execute(centre.db)
  return rows[0]?.text
}

describe('at the centre', () => {
  beforeEach(async () => {
    await centre.empty()
    await centre.enrol({ psnNo: 'F1', accountPriorFen: 10_000n })
    await inTransaction(centre.db, (trx) => insertCatalogue(trx, ['t0', 't1'].map((code) => ({ code, name: code, catalogueClass: 'A' as const, firstPayParts: 0, limitFen: null, from: '2020-01-01' }))))
  })
  const claim = (more: Parameters<typeof testClaim>[0] = {}, items = '38.00A 20.00A') => testClaim({ psnNo: 'F1', ...more }, items)
  const priced = (money: Money) => (body: Claim): Claim => ({ ...body, item: body.item?.map((item, index) => (index === 0 ? { ...item, unitPrice: money, net: money } : item)) })
  const many = (count: number): Claim => claim({}, Array.from({ length: count }, () => '1.00A').join(' '))
  const items = (each: (item: NonNullable<Claim['item']>[number], index: number) => object) => (body: Claim): Claim => ({ ...body, item: body.item?.map((item, index) => ({ ...item, ...each(item, index) })) })

  test.each<[string, () => unknown, number, string, string | undefined]>([
    ['an item the catalogue lacks', () => claim({}, '38.00A 20.00A 5.00A'), 422, 'charge-unknown', 'Claim.item[2].productOrService'],
    ['another class than the catalogue', () => claim({}, '38.00A 20.00C'), 422, 'value-invalid', 'Claim.item[1].extension'],
    ['a negative amount', () => priced({ value: -38, currency: 'CNY' })(claim()), 422, 'value-invalid', 'Claim.item[0]'],
    ['a fraction of a fen', () => priced({ value: 38.005, currency: 'CNY' })(claim()), 422, 'value-invalid', 'Claim.item[0]'],
    ['dollars', () => priced({ value: 38, currency: 'USD' })(claim()), 422, 'value-invalid', 'Claim.item[0]'],
    ['a line that is not price times quantity', () => items(() => ({ quantity: { value: 2 } }))(claim()), 409, 'amount-mismatch', 'Claim.item[0].net'],
    ['a sequence twice', () => items(() => ({ sequence: 1 }))(claim()), 422, 'value-invalid', 'Claim.item[1]'],
    ['another total than its lines', () => ({ ...claim(), total: { value: 58.01, currency: 'CNY' } }), 409, 'amount-mismatch', 'Claim.total'],
    ['an institution of another region', () => claim({ provider: 'H32050500001' }), 422, 'region-wrong', 'Claim.provider.identifier'],
    ['a message id that is none', () => claim({ messageId: 'H310101000012026' }), 422, 'value-invalid', 'Claim.identifier'],
    ['501 lines', () => many(501), 422, 'too-many-lines', 'Claim.item'],
    ['4,000 lines', () => many(4000), 422, 'too-many-lines', 'Claim.item'],
    ['10,000 lines', () => many(10_000), 413, 'body-too-large', undefined],
    ['lines that are no list', () => ({ ...claim(), item: { sequence: 1 } }), 422, 'value-invalid', 'Claim.item'],
  ])('%s', async (_name, body, ...expected) => {
    const before = await books()
    for (const use of ['claim', 'predetermination']) {
      expect(said(await centre.request('POST', '/fhir/Claim/$submit', { ...body() as Claim, use }) as Reply)).toEqual(expected)
    }
    expect(await books()).toBe(before)
  })

  test('a message id that was used for another claim', async () => {
    const first = claim()
    expect((await centre.request('POST', '/fhir/Claim/$submit', first)).status).toBe(200)
    const before = await books()
    const second = { ...claim({}, '38.00A'), identifier: first.identifier }
    expect(said(await centre.request('POST', '/fhir/Claim/$submit', second) as Reply)).toEqual([409, 'idempotency-mismatch', 'Claim.identifier'])
    expect(await books()).toBe(before)
  })

  test('one message id in two claims at once: one is settled', async () => {
    await centre.enrol({ psnNo: 'F2' }, { psnNo: 'F3' })
    const first = claim()
    const replies = await Promise.all([first, ...['F2', 'F3'].map((psnNo) => ({ ...claim({ psnNo }), identifier: first.identifier }))].map((body) => centre.request('POST', '/fhir/Claim/$submit', body) as Promise<Reply>))
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409, 409])
    expect(await centre.db.selectFrom('claim').select('message_id').execute()).toHaveLength(1)
    expect(await centre.db.selectFrom('accumulator').select('psn_no').execute()).toHaveLength(1)
  })

  test('many lines that are allowed', async () => {
    const body = items(() => ({ productOrService: claim().item?.[0]?.productOrService }))(many(500))
    expect((await centre.request('POST', '/fhir/Claim/$submit', body)).status).toBe(200)
  })
})

describe('at the platform', () => {
  let person = 0
  beforeAll(async () => centre.empty())

  async function visit(insured = true): Promise<TestVisit> {
    const psnNo = `L${++person}`
    await centre.enrol({ psnNo })
    return testVisit(platform, hospital, insured ? { psnNo } : null)
  }
  const submit = (of: TestVisit, use: string, more: object[] = []) => platform.request('POST', '/fhir/Claim/$submit', {
    as: system, body: { resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${of.encounter}` } }, { name: 'use', valueCode: use }, ...more] },
  }) as Promise<Reply>

  /** Lines beside those of the charge, without the two seconds that so many charges take over HTTP. */
  async function lengthen(of: TestVisit, count: number): Promise<void> {
    await inTransaction(platform.db, async (trx) => {
      const line = await trx.selectFrom('bill_line').selectAll().where('encounter', '=', keyOf(of.encounter)).executeTakeFirstOrThrow()
      await sql`insert into bill_line select (json_populate_record(l, json_build_object('charge_item', gen_random_uuid()))).* from bill_line l, generate_series(1, ${count - 1}) where l.encounter = ${line.encounter}::uuid`.execute(trx)
      await sql`update bill set total_fen = total_fen * ${count} where encounter = ${line.encounter}::uuid`.execute(trx)
    })
  }

  test.each<[string, () => Promise<TestVisit>, number, string]>([
    ['no charges', () => visit(), 422, 'bill-empty'],
    ['no insurance', async () => { const of = await visit(false); await charge(platform, of, ['visit-38']); return of }, 422, 'coverage-missing'],
    ['501 lines', async () => { const of = await visit(); await charge(platform, of, ['visit-38']); await lengthen(of, 501); return of }, 422, 'too-many-lines'],
    ['10,000 lines', async () => { const of = await visit(); await charge(platform, of, ['visit-38']); await lengthen(of, 10_000); return of }, 422, 'too-many-lines'],
    ['lines that do not sum to the bill', async () => {
      const of = await visit()
      await charge(platform, of, ['visit-38'])
      await sql`update bill set total_fen = total_fen + 1 where encounter = ${keyOf(of.encounter)}::uuid`.execute(platform.db)
      return of
    }, 409, 'amount-mismatch'],
  ])('%s', async (_name, make, status, code) => {
    const of = await make()
    const sent = centre.submitted
    for (const use of ['predetermination', 'claim']) expect(said(await submit(of, use)).slice(0, 2)).toEqual([status, code])
    expect(centre.submitted).toBe(sent)
    const key = keyOf(of.encounter)
    expect(await platform.db.selectFrom('settlement_attempt').select('id').where('encounter', '=', key).execute()).toEqual([])
    expect(await platform.db.selectFrom('ledger_entry').select('id').where('encounter', '=', key).execute()).toEqual([])
    expect((await platform.db.selectFrom('bill').select('state').where('encounter', '=', key).executeTakeFirst())?.state ?? 'open').toBe('open')
  })

  test('the bill of 10,000 lines is refused without insurance too', async () => {
    const of = await visit(false)
    await charge(platform, of, ['visit-38'])
    await lengthen(of, 10_000)
    expect(said(await submit(of, 'claim', [{ name: 'selfPay', valueBoolean: true }])).slice(0, 2)).toEqual([422, 'too-many-lines'])
    expect(await platform.db.selectFrom('ledger_entry').select('id').where('encounter', '=', keyOf(of.encounter)).execute()).toEqual([])
  })

  test.each([
    ['no visit', [], 422, 'required'],
    ['a visit that is not there', [{ name: 'encounter', valueReference: { reference: 'Encounter/none' } }, { name: 'use', valueCode: 'claim' }], 404, 'not-found'],
    ['no use', [{ name: 'encounter', valueReference: { reference: 'Encounter/none' } }], 422, 'value-invalid'],
    ['selfPay as a word', [{ name: 'encounter', valueReference: { reference: 'Encounter/none' } }, { name: 'use', valueCode: 'claim' }, { name: 'selfPay', valueString: 'true' }], 422, 'value-invalid'],
  ])('%s', async (_name, parameter, status, code) => {
    const reply = await platform.request('POST', '/fhir/Claim/$submit', { as: system, body: { resourceType: 'Parameters', parameter } }) as Reply
    expect(said(reply).slice(0, 2)).toEqual([status, code])
  })
})
