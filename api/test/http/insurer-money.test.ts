/** Days and months at the centre: sums, lists, every class of difference, clearing to payout, months with another region, replay and what-if. */
import type { Claim, ClaimResponse, OperationOutcome, Parameters, PaymentReconciliation } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { platform } from '../../src/access/principal.ts'
import { makeCtx } from '../../src/ctx.ts'
import { clearingNumberSystem, clearingStateUrl, type DayRow, dayListText, readDayList } from '../../src/fhir/clearing-message.ts'
import { dayInShanghai } from '../../src/fhir/date-time.ts'
import { yuan } from '../../src/fhir/money.ts'
import { centreOf } from '../../src/insurer/centre.ts'
import { approveClearing, clearRegion, payClearing } from '../../src/insurer/clearing.ts'
import { policies } from '../../src/insurer/policies.ts'
import { loadHistory, replay, whatIf } from '../../src/insurer/what-if.ts'
import { introduce, testCentre, type TestCentre } from '../support/centre.ts'
import { type ClaimWish, testClaim } from '../support/claim.ts'

const clock = { now: new Date('2026-11-23T07:30:00+08:00') }
const centre = await testCentre('310000', { clock })
const suzhou = await testCentre('320500', { clock })
await introduce(centre, suzhou)
const start = clock.now

beforeEach(async () => {
  clock.now = start
  await centre.empty()
  await suzhou.empty()
})

const institution = 'H31010100001'
const at = (instant: string) => { clock.now = new Date(instant) }
const codeOf = (json: unknown) => (json as OperationOutcome).issue?.[0]?.details?.coding?.[0]?.code

async function settle(items: string, more: ClaimWish = {}): Promise<Claim> {
  const claim = testClaim({ day: dayInShanghai(clock.now), ...more }, items)
  const { status, json } = await centre.request('POST', '/fhir/Claim/$submit', claim)
  if (status !== 200 || (json as ClaimResponse).outcome !== 'complete') throw new Error(JSON.stringify(json))
  return claim
}
async function reverse(claim: Claim): Promise<void> {
  await centre.request('POST', `/fhir/Claim/${claim.identifier?.[0]?.value}/$reverse`)
}
async function listOf(day: string, whose = institution): Promise<DayRow[]> {
  const reply = await fetch(`${centre.url}/fhir/PaymentReconciliation/$day-list?date=${day}&institution=${encodeURIComponent(whose)}`, { headers: { Authorization: `Bearer ${await centre.token()}` } })
  return Array.fromAsync(readDayList((async function* pieces() { yield await reply.text() })()))
}
async function compare(day: string, rows: readonly DayRow[], whose = institution) {
  const body = (await Array.fromAsync(dayListText(rows))).join('')
  const reply = await fetch(`${centre.url}/fhir/PaymentReconciliation/$compare?date=${day}&institution=${encodeURIComponent(whose)}`, {
    method: 'POST', headers: { Authorization: `Bearer ${await centre.token()}`, 'Content-Type': 'text/tab-separated-values' }, body,
  })
  const json = await reply.json() as PaymentReconciliation
  const differences = await centre.db.selectFrom('difference').select(['message_id', 'class', 'here_fen', 'there_fen']).orderBy('message_id').execute()
  return { status: reply.status, json, classes: Object.fromEntries(differences.map((each) => [each.message_id, each.class])), differences }
}
const sums = (rows: readonly DayRow[]) => ({
  count: rows.length, total: rows.reduce((sum, row) => sum + row.totalFen, 0n), fund: rows.reduce((sum, row) => sum + row.fundFen, 0n), account: rows.reduce((sum, row) => sum + row.accountFen, 0n),
})
function sumParameters(head: NonNullable<Parameters['parameter']>, { count, total, fund, account }: ReturnType<typeof sums>): Parameters {
  return { resourceType: 'Parameters', parameter: [...head, { name: 'count', valueInteger: count }, { name: 'total', valueMoney: yuan(total) }, { name: 'fund', valueMoney: yuan(fund) }, { name: 'account', valueMoney: yuan(account) }] }
}
async function post(path: string, body: Parameters) {
  const { status, json } = await centre.request('POST', `/fhir/PaymentReconciliation/${path}`, body)
  return { status, json: json as PaymentReconciliation }
}

describe('a day', () => {
  test('agrees by sums and line by line with what the list says', async () => {
    await centre.enrol({ psnNo: 'P1', accountPriorFen: 10_000n })
    await settle('800.00A')
    await reverse(await settle('300.00A'))
    await centre.request('POST', '/fhir/Claim/$submit', testClaim({ type: '51' }, '10.00A'))
    const rows = await listOf('2026-11-23')
    expect(rows.map((row) => row.kind).sort()).toEqual(['reverse', 'settle', 'settle'])
    const head = [{ name: 'date', valueDate: '2026-11-23' }, { name: 'institution', valueString: institution }]
    expect((await post('$reconcile', sumParameters(head, sums(rows)))).json.outcome).toBe('complete')
    expect((await post('$reconcile', sumParameters(head, { ...sums(rows), fund: 1n }))).json.outcome).toBe('partial')
    expect((await compare('2026-11-23', rows)).json).toMatchObject({ outcome: 'complete' })
    expect(await centre.db.selectFrom('statement').select('outcome').execute()).toEqual([{ outcome: 'equal' }])
    expect((await compare('2026-11-23', await listOf('2026-11-23', '*'), '*')).json).toMatchObject({ outcome: 'complete' })
  })

  test('every seeded difference is found with its class: one side only, amount, state, day shift', async () => {
    await centre.enrol({ psnNo: 'P1' })
    at('2026-11-22T23:59:30+08:00')
    await settle('700.00A')
    const before = await listOf('2026-11-22')
    at('2026-11-23T00:01:00+08:00')
    for (let n = 0; n < 6; n++) await settle('100.00A 20.00B10')
    const undone = await settle('50.00A')
    await reverse(undone)
    const rows = (await listOf('2026-11-23')).sort((one, other) => (one.messageId < other.messageId ? -1 : 1))
    const settles = rows.filter((row) => row.kind === 'settle')
    const [here, amount, ...kept] = settles
    if (!here || !amount || !before[0]) throw new Error('too few rows')
    const sent = [
      ...kept, { ...amount, fundFen: amount.fundFen - 1n, cashFen: amount.cashFen + 1n },
      { ...before[0] }, { ...here, messageId: 'H31010100001202611230730009999' },
    ]
    const { json, classes } = await compare('2026-11-23', sent)
    expect(json.outcome).toBe('partial')
    expect(classes).toEqual({
      [here.messageId]: 'centre-only', [amount.messageId]: 'amount', [before[0].messageId]: 'day-shift', H31010100001202611230730009999: 'sender-only',
      [undone.identifier?.[0]?.value ?? '']: 'state',
    })
    // The day before lacks what came on the day after: a shift too, once that list is here.
    expect((await compare('2026-11-22', [])).classes[before[0].messageId]).toBe('day-shift')
    // Sent again, the day replaces what it said.
    expect((await compare('2026-11-23', rows)).json.outcome).toBe('complete')
    expect(await centre.db.selectFrom('statement').select('id').execute()).toHaveLength(2)
  })

  test('of any lists: what is taken away or changed is found, and nothing else', async () => {
    await centre.enrol({ psnNo: 'P1', accountPriorFen: 20_000n })
    for (let n = 0; n < 8; n++) await settle(`${100 + n}.00A`)
    const rows = await listOf('2026-11-23')
    await fc.assert(fc.asyncProperty(fc.array(fc.constantFrom('keep', 'lose', 'change'), { minLength: 8, maxLength: 8 }), async (plan) => {
      const sent = rows.flatMap((row, index) => (plan[index] === 'lose' ? [] : [plan[index] === 'change' ? { ...row, fundFen: row.fundFen + 5n, cashFen: row.cashFen - 5n } : row]))
      const { classes } = await compare('2026-11-23', sent)
      expect(classes).toEqual(Object.fromEntries(rows.flatMap((row, index) => (plan[index] === 'keep' ? [] : [[row.messageId, plan[index] === 'lose' ? 'centre-only' : 'amount']]))))
    }), { numRuns: 12 })
  })

  test('a list that is cut, of another institution or of a strange type is refused and keeps nothing', async () => {
    await centre.enrol({ psnNo: 'P1' })
    await settle('100.00A')
    const rows = await listOf('2026-11-23')
    const strange = await compare('2026-11-23', rows.map((row) => ({ ...row, institution: 'H31010100002' })))
    expect([strange.status, codeOf(strange.json)]).toEqual([422, 'value-invalid'])
    const cut = await fetch(`${centre.url}/fhir/PaymentReconciliation/$compare?date=2026-11-23&institution=${institution}`, {
      method: 'POST', headers: { Authorization: `Bearer ${await centre.token()}`, 'Content-Type': 'text/tab-separated-values' }, body: 'messageId\n',
    })
    expect(cut.status).toBe(422)
    expect((await centre.request('POST', `/fhir/PaymentReconciliation/$compare?date=2026-11-23&institution=${institution}`, {})).status).toBe(415)
    expect(await centre.db.selectFrom('statement').select('id').execute()).toEqual([])
  })
})

describe('a month', () => {
  async function october(): Promise<DayRow[]> {
    await centre.enrol({ psnNo: 'P1', accountPriorFen: 30_000n })
    at('2026-10-05T10:00:00+08:00')
    await settle('1800.00A')
    at('2026-10-20T10:00:00+08:00')
    await reverse(await settle('300.00A'))
    await settle('500.00B10')
    at('2026-11-03T10:00:00+08:00')
    return (await Promise.all(['2026-10-05', '2026-10-20'].map((day) => listOf(day)))).flat()
  }
  const head = (month: string) => [{ name: 'month', valueString: month }, { name: 'institution', valueString: institution }, { name: 'scheme', valueString: '310' }]
  const stateOf = (json: PaymentReconciliation) => json.extension?.find((each) => each.url === clearingStateUrl)?.valueCode
  const ctx = () => makeCtx(platform, { now: clock.now })

  test('is refused with other sums, applied with ours, approved with a deduction, paid once, and then closed', async () => {
    const rows = await october()
    expect(stateOf((await post('$apply', sumParameters(head('2026-10'), { ...sums(rows), fund: 1n }))).json)).toBe('refused')
    const applied = (await post('$apply', sumParameters(head('2026-10'), sums(rows)))).json
    expect(stateOf(applied)).toBe('applied')
    expect((await post('$apply', sumParameters(head('2026-10'), sums(rows)))).json).toEqual(applied)
    const id = applied.id ?? ''
    await expect(payClearing(centre.db, ctx(), id)).rejects.toThrow(/applied/)
    await expect(approveClearing(centre.db, ctx(), id, { fen: 100n, reason: null })).rejects.toThrow(/reason/)
    await expect(approveClearing(centre.db, ctx(), id, { fen: 100_000_000n, reason: 'x' })).rejects.toThrow(/more than/)
    await approveClearing(centre.db, ctx(), id, { fen: 1_000n, reason: '超量开药 Over-prescribed' })
    await Promise.all([payClearing(centre.db, ctx(), id), payClearing(centre.db, ctx(), id)])
    const due = sums(rows).fund + sums(rows).account - 1_000n
    expect(await centre.db.selectFrom('fund_entry').select(['debit_account', 'credit_account', 'amount_fen']).where('kind', '=', 'pay').execute()).toEqual([
      { debit_account: 'provider', credit_account: 'bank', amount_fen: due },
    ])
    const { json } = await centre.request('GET', `/fhir/PaymentReconciliation?identifier=${encodeURIComponent(`${clearingNumberSystem}|${id}`)}`)
    expect(JSON.stringify(json)).toContain('"valueCode":"paid"')
    const closed = await compare('2026-10-05', rows.filter((row) => row.decidedAt < '2026-10-06'))
    expect([closed.status, codeOf(closed.json)]).toEqual([409, 'period-closed'])
  })

  test('that has not ended, or is none, can not be applied for', async () => {
    const nothing = { count: 0, total: 0n, fund: 0n, account: 0n }
    for (const month of ['2026-11', '2026-13', '']) expect((await post('$apply', sumParameters(head(month), nothing))).status).toBe(422)
    expect((await post('$apply', { resourceType: 'Parameters', parameter: head('2026-10') })).status).toBe(422)
  })

  test('with another region: both sides keep the same sums, or both see the refusal', async () => {
    await suzhou.enrol({ psnNo: 'S1' })
    at('2026-10-05T10:00:00+08:00')
    await settle('2000.00A', { region: '320500', psnNo: 'S1', level: '08' })
    await reverse(await settle('2000.00A', { region: '320500', psnNo: 'S1', level: '08' }))
    at('2026-11-03T10:00:00+08:00')
    const home = centreOf('310000', centre.peers)
    const owed = await clearRegion(centre.db, ctx(), home, { month: '2026-10', region: '320500' })
    const owing = await suzhou.db.selectFrom('clearing').selectAll().executeTakeFirstOrThrow()
    expect(owed).toMatchObject({ direction: 'owed', state: 'approved', party: '320500' })
    expect(owing).toMatchObject({ direction: 'owing', state: 'approved', party: '310000', count: owed.count, fund_fen: owed.fund_fen, account_fen: owed.account_fen })
    expect(owed.fund_fen > 0n).toBe(true)
    await payClearing(centre.db, ctx(), owed.id)
    await payClearing(suzhou.db, ctx(), owing.id)
    const open = async (each: TestCentre, account: string) => (await sql<{ net: bigint }>`select coalesce(sum(case when debit_account = ${account} then amount_fen when credit_account = ${account} then -amount_fen else 0 end), 0)::int8 as net from fund_entry`.execute(each.db)).rows[0]?.net
    expect([await open(centre, 'region:320500'), await open(suzhou, 'region:310000')]).toEqual([0n, 0n])

    at('2026-11-05T10:00:00+08:00')
    await settle('1000.00A', { region: '320500', psnNo: 'S1', level: '08' })
    await suzhou.db.updateTable('claim').set({ treating_region: '330100' }).where('settled_day', '=', '2026-11-05').execute()
    at('2026-12-03T10:00:00+08:00')
    expect(await clearRegion(centre.db, ctx(), home, { month: '2026-11', region: '320500' })).toMatchObject({ state: 'refused' })
    expect(await suzhou.db.selectFrom('clearing').select(['month', 'state']).orderBy('month').execute()).toEqual([{ month: '2026-10', state: 'approved' }, { month: '2026-11', state: 'refused' }].map((each, index) => (index === 0 ? { ...each, state: 'paid' } : each)))
  })
})

describe('past claims', () => {
  /** A year of visits, stays, reversals and a change of policy, of people of every kind. */
  async function aYear(): Promise<void> {
    await centre.enrol(
      { psnNo: 'A', accountCurrentFen: 60_000n, accountPriorFen: 90_000n }, { psnNo: 'B', personType: 12, retiredOn: '2019-01-01', birthDate: '1956-01-01', accountPriorFen: 10_000n },
      { psnNo: 'C', scheme: 390, personType: 1404, birthDate: '1950-01-01', aid: true }, { psnNo: 'D', scheme: 390, personType: 1401 },
    )
    const bills = ['120.00A 80.00B10', '600.00A 300.00B20 45.00C', '2000.00A 900.00B10/500.00', '40.00A']
    for (let month = 0; month < 12; month++) {
      const day = `${month < 6 ? 2025 : 2026}-${String((month + 6) % 12 + 1).padStart(2, '0')}-05`
      at(`${day}T10:00:00+08:00`)
      for (const [index, psnNo] of ['A', 'B', 'C', 'D'].entries()) {
        const claim = await settle(bills[(month + index) % bills.length] ?? '', { psnNo, day, level: ['02', '05', '08'][(month + index) % 3] ?? '02' })
        if ((month + index) % 5 === 4) await reverse(claim)
      }
      if (month % 4 === 3) for (const psnNo of ['A', 'C']) await settle('9000.00A 4000.00B10', { psnNo, type: '21', day, diagnosis: 'C34.1' })
    }
    clock.now = start
  }
  const all = { from: '2000-01-01', until: '2099-12-31', limit: 10_000 }

  test('a replayed year gives every old answer again, to the fen', async () => {
    await aYear()
    for (const scheme of [310, 390]) {
      const history = await loadHistory(centre.db, { ...all, scheme })
      expect(history.length).toBeGreaterThan(15)
      expect(new Set(history.map((each) => each.policyId)).size).toBeGreaterThanOrEqual(1)
      expect(replay(history).changed).toEqual([])
    }
  })

  test('a lower deductible moves money from cash to the fund, person by person, and nothing is lost', async () => {
    await aYear()
    const history = await loadHistory(centre.db, { ...all, scheme: 310 })
    const base = policies.find((each) => each.id === '310000-310-2025-07')
    const outpatient = base?.categories.outpatient
    if (!base || !outpatient) throw new Error('no policy')
    const same = whatIf(history, () => base)
    const cheaper = whatIf(history, () => ({ ...base, id: 'draft', categories: { ...base.categories, outpatient: { ...outpatient, deductible: { per: 'year', fen: [[{}, 0n]] } } } }))
    expect(cheaper.becomes.submitted).toBe(cheaper.was.submitted)
    expect(cheaper.becomes.deductible < same.becomes.deductible).toBe(true)
    expect(cheaper.becomes.pool > same.becomes.pool).toBe(true)
    expect(cheaper.changed.length).toBeGreaterThan(0)
    expect(cheaper.changed.length).toBeLessThan(cheaper.claims)
    expect(cheaper.people).toBe(2)
    expect(await centre.db.selectFrom('claim').select('message_id').execute()).toHaveLength(history.length + (await loadHistory(centre.db, { ...all, scheme: 390 })).length + 9)
  })

  test('what is used up equals the sum of the settled claims, whatever was settled and reversed', async () => {
    await aYear()
    const { rows } = await sql<{ wrong: bigint }>`
      with summed as (
        select psn_no, scheme, year_from, sum(deductible_outpatient_fen) as o, sum(deductible_inpatient_fen) as i, sum(above_deductible_fen) as a, sum(outpatient_above_fen) as oa,
          sum(above_cap_fen) as ac, sum(self_fen) as s, sum(aid_fen) as d from claim where state = 'settled' and year_from is not null group by 1, 2, 3)
      select count(*)::int8 as wrong from accumulator x full join summed c on (c.psn_no, c.scheme, c.year_from) = (x.psn_no, x.scheme, x.year_from)
      where (coalesce(x.deductible_outpatient_fen, 0), coalesce(x.deductible_inpatient_fen, 0), coalesce(x.above_deductible_fen, 0), coalesce(x.outpatient_above_fen, 0), coalesce(x.above_cap_fen, 0), coalesce(x.self_fen, 0), coalesce(x.aid_fen, 0))
        is distinct from (coalesce(c.o, 0), coalesce(c.i, 0), coalesce(c.a, 0), coalesce(c.oa, 0), coalesce(c.ac, 0), coalesce(c.s, 0), coalesce(c.d, 0))`.execute(centre.db)
    expect(rows[0]?.wrong).toBe(0n)
    const ledger = await sql<{ net: bigint }>`select coalesce(sum(case when credit_account = 'provider' then amount_fen else -amount_fen end), 0)::int8 as net from fund_entry`.execute(centre.db)
    const claims = await sql<{ net: bigint }>`select sum(fund_fen + account_current_fen + account_prior_fen)::int8 as net from claim where state = 'settled'`.execute(centre.db)
    expect(ledger.rows[0]?.net).toBe(claims.rows[0]?.net)
  })
})
