/** Settlements that come in together share their transactions on both sides; each must end as it would alone. */
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { keyOf } from '../../src/fhir/id.ts'
import { splitOf } from '../../src/fhir/claim-message.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { testCentre } from '../support/centre.ts'
import { testClaim } from '../support/claim.ts'
import { system, testPlatform } from '../support/platform.ts'
import { insuredVisits, testHospital, type TestVisit } from '../support/visit.ts'

const clock = { now: new Date('2026-11-23T07:30:00+08:00') }
const centre = await testCentre('310000', { clock })
const platform = await testPlatform({ gateway: centre.gateway })
platform.clock.now = clock.now
const hospital = await testHospital(platform)

let person = 0
const people = (count: number) => Array.from({ length: count }, () => `S${++person}`)
const visitsOf = (names: readonly string[]) => insuredVisits(platform, hospital, names, (all) => centre.enrol(...all.map((psnNo, index) => ({ psnNo, accountPriorFen: BigInt(index) * 5000n }))))
const settle = (visit: TestVisit) => platform.request('POST', '/fhir/Claim/$submit', {
  as: system, body: { resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${visit.encounter}` } }, { name: 'use', valueCode: 'claim' }] },
})

async function transactions(db: typeof platform.db): Promise<number> {
  const { rows } = await sql<{ n: bigint }>`select count(distinct xmin::text)::int8 as n from settlement_attempt`.execute(db)
  return Number(rows[0]?.n)
}

/** Of each visit: what it left on both sides. */
async function left(visit: TestVisit) {
  const key = keyOf(visit.encounter)
  const bill = await platform.db.selectFrom('bill').select(['state', 'fund_fen', 'cash_fen', 'account_prior_fen', 'claim_id', 'claim_response_id', 'explanation_id', 'invoice_id']).where('encounter', '=', key).executeTakeFirstOrThrow()
  const attempts = await platform.db.selectFrom('settlement_attempt').select(['state', 'message_id', 'response_id', 'sent_at', 'decided_at']).where('encounter', '=', key).execute()
  const entries = await platform.db.selectFrom('ledger_entry').select(['debit_account', 'credit_account', 'amount_fen']).where('encounter', '=', key).orderBy('debit_account').execute()
  const events = await platform.db.selectFrom('settlement_event').select(['message_id', 'total_fen', 'fund_fen']).where('encounter', '=', key).execute()
  const messages = attempts.map((each) => each.message_id)
  const claims = await centre.db.selectFrom('claim').select(['message_id', 'state', 'psn_no', 'total_fen', 'fund_fen', 'cash_fen', 'account_prior_fen']).where('message_id', 'in', messages).execute()
  const funds = await centre.db.selectFrom('fund_entry').select(['debit_account', 'amount_fen']).where('message_id', 'in', messages).orderBy('debit_account').execute()
  const used = await centre.db.selectFrom('accumulator').selectAll().where('psn_no', '=', visit.psnNo).execute()
  return { bill, attempts, entries, events, claims, funds, used }
}

describe('settlements at the same moment', () => {
  test('are each settled once, share transactions, and come to what they come to one by one', async () => {
    const apart = await visitsOf(people(20))
    for (const visit of apart) expect((await settle(visit)).status).toBe(200)
    const together = await visitsOf(people(20))
    const before = await transactions(platform.db)
    const replies = await Promise.all(together.map(settle))
    expect(replies.map(({ status }) => status)).toEqual(together.map(() => 200))
    expect(await transactions(platform.db) - before).toBeLessThan(12)
    for (const [index, visit] of together.entries()) {
      const [one, other] = [await left(visit), await left(apart[index] as TestVisit)]
      expect(one.bill).toMatchObject({ state: 'settled', fund_fen: other.bill.fund_fen, cash_fen: other.bill.cash_fen, account_prior_fen: other.bill.account_prior_fen })
      expect([one.bill.claim_id, one.bill.claim_response_id, one.bill.explanation_id, one.bill.invoice_id].every((id) => id !== null)).toBe(true)
      expect(one.attempts).toMatchObject([{ state: 'confirmed', response_id: one.bill.claim_response_id }])
      expect(one.attempts[0]?.sent_at !== null && one.attempts[0]?.decided_at !== null).toBe(true)
      expect(one.entries).toEqual(other.entries)
      expect(one.events.map(({ total_fen, fund_fen }) => [total_fen, fund_fen])).toEqual(other.events.map(({ total_fen, fund_fen }) => [total_fen, fund_fen]))
      expect(one.claims.map(({ message_id: _id, psn_no: _no, ...rest }) => rest)).toEqual(other.claims.map(({ message_id: _id, psn_no: _no, ...rest }) => rest))
      expect(one.claims).toMatchObject([{ psn_no: visit.psnNo, state: 'settled' }])
      expect(one.funds.map(({ amount_fen }) => amount_fen)).toEqual(other.funds.map(({ amount_fen }) => amount_fen))
      expect(one.used.map(({ psn_no: _no, ...rest }) => rest)).toEqual(other.used.map(({ psn_no: _no, ...rest }) => rest))
      expect(replies[index]?.json.id).toBe(one.bill.claim_response_id)
      expect(splitOf(replies[index]?.json.total)?.cash).toBe(one.bill.cash_fen)
    }
  })

  test('of one bill sent five times among others one is settled', async () => {
    const visits = await visitsOf(people(6))
    const [twice] = visits as [TestVisit]
    const replies = await Promise.all([...visits, twice, twice, twice, twice].map(settle))
    expect(replies.slice(1, 6).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    const ofTwice = [replies[0], ...replies.slice(6)].map((each) => each?.status).sort()
    expect(ofTwice).toEqual([200, 409, 409, 409, 409])
    expect((await left(twice)).attempts).toHaveLength(1)
  })

  test('a bill that another transaction holds keeps nobody waiting', async () => {
    const visits = await visitsOf(people(6))
    const held = visits[2] as TestVisit
    const release = Promise.withResolvers<null>()
    const holds = Promise.withResolvers<null>()
    const holding = inTransaction(platform.db, async (trx) => {
      await trx.selectFrom('bill').select('state').where('encounter', '=', keyOf(held.encounter)).forUpdate().execute()
      holds.resolve(null)
      await release.promise
    })
    await holds.promise
    const replies = visits.map(settle)
    expect((await Promise.all(replies.filter((_, index) => index !== 2))).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(await platform.db.selectFrom('settlement_attempt').select('id').where('encounter', '=', keyOf(held.encounter)).execute()).toEqual([])
    release.resolve(null)
    await holding
    expect((await replies[2])?.status).toBe(200)
  })

  test('what one of them may not do is nothing to the others', async () => {
    const visits = await visitsOf(people(6))
    const [emptied, refused] = visits as [TestVisit, TestVisit]
    await sql`delete from bill_line where encounter = ${keyOf(emptied.encounter)}::uuid`.execute(platform.db)
    await centre.db.updateTable('enrolment').set({ until_date: '2026-11-01' }).where('psn_no', '=', refused.psnNo).execute()
    const replies = await Promise.all(visits.map(settle))
    expect(replies.map(({ status, json }) => (status === 200 ? 200 : json.issue[0].details.coding[0].code))).toEqual(['bill-empty', 'insurer-rejected', 200, 200, 200, 200])
    expect((await left(refused)).bill.state).toBe('refused')
  })
})

describe('claims at the same moment at a centre', () => {
  const submit = (body: unknown) => centre.request('POST', '/fhir/Claim/$submit', body)

  test('of one person never use the deductible or a balance twice, of others in between too', async () => {
    const others = people(6)
    const [shared = ''] = people(1)
    await centre.enrol({ psnNo: shared, accountPriorFen: 60_000n }, ...others.map((psnNo) => ({ psnNo })))
    const replies = await Promise.all([...others, ...Array.from({ length: 8 }, () => shared)].map((psnNo) => submit(testClaim({ psnNo }, '300.00A'))))
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200))
    const used = await centre.db.selectFrom('accumulator').select(['deductible_outpatient_fen', 'above_deductible_fen']).where('psn_no', '=', shared).executeTakeFirstOrThrow()
    expect(used).toEqual({ deductible_outpatient_fen: 50_000n, above_deductible_fen: 190_000n })
    const { account_prior_fen: balance } = await centre.db.selectFrom('insured_person').select('account_prior_fen').where('psn_no', '=', shared).executeTakeFirstOrThrow()
    const paid = await centre.db.selectFrom('claim').select((eb) => eb.fn.sum<string>('account_prior_fen').as('fen')).where('psn_no', '=', shared).executeTakeFirstOrThrow()
    expect(balance + BigInt(paid.fen)).toBe(60_000n)
  })

  test('with a person that another transaction holds keep nobody waiting', async () => {
    const all = people(5)
    await centre.enrol(...all.map((psnNo) => ({ psnNo })))
    const release = Promise.withResolvers<null>()
    const holds = Promise.withResolvers<null>()
    const holding = inTransaction(centre.db, async (trx) => {
      await trx.selectFrom('insured_person').select('psn_no').where('psn_no', '=', all[1] ?? '').forUpdate().execute()
      holds.resolve(null)
      await release.promise
    })
    await holds.promise
    const replies = all.map((psnNo) => submit(testClaim({ psnNo }, '300.00A')))
    expect((await Promise.all(replies.filter((_, index) => index !== 1))).map(({ status }) => status)).toEqual([200, 200, 200, 200])
    release.resolve(null)
    await holding
    expect((await replies[1])?.status).toBe(200)
  })
})
