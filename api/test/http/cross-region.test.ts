/**
 * Two centres and a person between them: catalogue of the place of treatment, policy of the insured place, both ledgers equal,
 * also when the wire between them loses, delays or garbles what travels.
 */
import type { Bundle, Claim, ClaimResponse, CoverageEligibilityResponse, OperationOutcome, Task } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { platform } from '../../src/access/principal.ts'
import { makeCtx } from '../../src/ctx.ts'
import { messageIdSystem, policyUrl, psnSystem, splitFault, splitOf } from '../../src/fhir/claim-message.ts'
import { addSeconds } from '../../src/fhir/date-time.ts'
import { centreOf } from '../../src/insurer/centre.ts'
import { resolveForwards } from '../../src/insurer/forward.ts'
import { type Fault, introduce, testCentre, type TestCentre } from '../support/centre.ts'
import { type ClaimWish, testClaim } from '../support/claim.ts'

const clock = { now: new Date('2026-11-23T07:30:00+08:00') }
const shanghai = await testCentre('310000', { clock })
const suzhou = await testCentre('320500', { clock })
const hangzhou = await testCentre('330100', { clock })
await introduce(shanghai, suzhou)
await introduce(shanghai, hangzhou)

const start = clock.now
beforeEach(async () => {
  clock.now = start
  for (const centre of [shanghai, suzhou, hangzhou]) {
    await centre.empty()
    centre.fault = { submit: 'none', ask: 'none' }
  }
})

const bill = '1050.00A 6120.00A 8888.80B10 12000.00B20 980.00C'
const stay: ClaimWish = { type: '21', level: '02', day: '2026-11-01', until: '2026-11-10' }

async function submit(centre: TestCentre, claim: Claim) {
  const { status, json } = await centre.request('POST', '/fhir/Claim/$submit', claim)
  const response = json as ClaimResponse
  return { status, response, split: splitOf(response.total), code: (json as OperationOutcome).issue?.[0]?.details?.coding?.[0]?.code }
}
async function reverse(centre: TestCentre, claim: Claim) {
  return centre.request('POST', `/fhir/Claim/${claim.identifier?.[0]?.value}/$reverse`)
}
async function file(centre: TestCentre, region: string, kind: string, treatment: string) {
  return (await centre.request('POST', '/fhir/Task', {
    resourceType: 'Task', status: 'requested', intent: 'order', code: { coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/filing-type', code: kind }] },
    for: { identifier: { system: psnSystem(region), value: 'P1' } }, location: { identifier: { system: 'https://pujiang.health/fhir/CodeSystem/region', value: treatment } },
    executionPeriod: { start: '2026-10-01' },
  })).json as Task
}
async function ask(centre: TestCentre, claim: Claim): Promise<ClaimResponse | undefined> {
  const { json } = await centre.request('GET', `/fhir/ClaimResponse?request-identifier=${encodeURIComponent(`${messageIdSystem}|${claim.identifier?.[0]?.value}`)}`)
  return (json as Bundle<ClaimResponse>).entry?.[0]?.resource
}
/** What two centres owe each other by their own books. */
async function owed(treating: TestCentre, insured: TestCentre): Promise<[bigint, bigint]> {
  const net = async (centre: TestCentre, other: string, side: 'debit_account' | 'credit_account') => {
    const back = side === 'debit_account' ? 'credit_account' : 'debit_account'
    const { rows } = await sql<{ net: bigint }>`select coalesce(sum(case when ${sql.ref(side)} = ${`region:${other}`} then amount_fen when ${sql.ref(back)} = ${`region:${other}`} then -amount_fen else 0 end), 0)::int8 as net from fund_entry`.execute(centre.db)
    return rows[0]?.net ?? 0n
  }
  return [await net(treating, insured.region, 'debit_account'), await net(insured, treating.region, 'credit_account')]
}

describe('direct settlement', () => {
  test('E15: Suzhou employee filed for good, treated in Shanghai; both ledgers say the same', async () => {
    await suzhou.enrol({ psnNo: 'P1' })
    expect(await file(shanghai, '320500', 'long-term', '310000')).toMatchObject({ status: 'accepted' })
    const claim = testClaim({ ...stay, region: '320500' }, bill)
    const { response, split } = await submit(shanghai, claim)
    expect(response.outcome).toBe('complete')
    expect(response.extension?.find((each) => each.url === policyUrl)?.valueString).toBe('320500-310-2025-01')
    expect(split).toMatchObject({ submitted: 2_903_880n, firstpay: 328_888n, inscope: 2_476_992n, deductible: 80_000n, pool: 2_157_293n, cash: 746_587n })
    expect(await owed(shanghai, suzhou)).toEqual([2_157_293n, 2_157_293n])
    expect(await ask(shanghai, claim)).toEqual(response)
    expect((await submit(shanghai, claim)).response).toEqual(response)
    expect(suzhou.submitted).toBe(1)
    const undone = await reverse(shanghai, claim)
    expect(splitOf((undone.json as ClaimResponse).total)?.pool).toBe(-2_157_293n)
    expect((await reverse(shanghai, claim)).json).toEqual(undone.json)
    expect(await owed(shanghai, suzhou)).toEqual([0n, 0n])
    expect(await suzhou.db.selectFrom('accumulator').select('above_deductible_fen').execute()).toEqual([{ above_deductible_fen: 0n }])
  })

  test('E16 and E17: Hangzhou, referred and not filed at all', async () => {
    await hangzhou.enrol({ psnNo: 'P1' }, { psnNo: 'P2', scheme: 390, personType: 1401 })
    await file(shanghai, '330100', 'referred', '310000')
    expect((await submit(shanghai, testClaim({ ...stay, region: '330100' }, bill))).split).toMatchObject({ deductible: 80_000n, pool: 1_773_774n, cash: 1_130_106n })
    expect((await submit(shanghai, testClaim({ ...stay, region: '330100', psnNo: 'P2' }, bill))).split).toMatchObject({ deductible: 80_000n, pool: 1_198_496n, cash: 1_705_384n })
    expect((await submit(shanghai, testClaim({ ...stay, region: '330100', psnNo: 'P2', day: '2026-11-12', until: '2026-11-13', type: '24' }, '1000.00A'))).split).toMatchObject({ deductible: 80_000n, pool: 12_000n })
  })

  test('E18: Suzhou retired at a Shanghai community centre, the account pays', async () => {
    await suzhou.enrol({ psnNo: 'P1', personType: 12, retiredOn: '2018-05-31', birthDate: '1958-01-01', accountPriorFen: 2500n, used: { day: '2026-11-01', deductibleOutpatientFen: 33_680n, aboveDeductibleFen: 0n } })
    await file(shanghai, '320500', 'long-term', '310000')
    const { split } = await submit(shanghai, testClaim({ region: '320500', level: '08' }, '10.00A 212.45A 98.60B10'))
    expect(split).toMatchObject({ deductible: 6320n, pool: 22_319n, 'account-prior': 2500n, cash: 7286n })
    expect(await owed(shanghai, suzhou)).toEqual([24_819n, 24_819n])
  })

  test('E19: the other way round, a Shanghai employee in Suzhou with the catalogue of Suzhou', async () => {
    await shanghai.enrol({ psnNo: 'P1' })
    await file(suzhou, '310000', 'long-term', '320500')
    for (const [code, catalogueClass, parts] of [['t0', 'A', 0], ['t1', 'A', 0], ['t2', 'B', 500], ['t3', 'B', 3000], ['t4', 'C', 0]] as const) {
      await suzhou.db.insertInto('catalogue_item').values({ code, name: code, from_date: '2020-01-01', until_date: null, catalogue_class: catalogueClass, first_pay_parts: parts, limit_fen: null }).execute()
    }
    const wish: ClaimWish = { ...stay, region: '310000', provider: 'H32050100001' }
    expect((await submit(suzhou, testClaim(wish, bill))).code).toBe('value-invalid')
    const { split } = await submit(suzhou, testClaim(wish, '1050.00A 6120.00A 8888.80B5 12000.00B30 980.00C'))
    expect(split).toMatchObject({ firstpay: 404_444n, deductible: 150_000n, pool: 1_913_721n, cash: 990_159n })
    expect(await owed(suzhou, shanghai)).toEqual([1_913_721n, 1_913_721n])
  })

  test('an estimate leaves nothing anywhere; the benefit check is handed on', async () => {
    await suzhou.enrol({ psnNo: 'P1' })
    const { split } = await submit(shanghai, testClaim({ ...stay, region: '320500', use: 'predetermination' }, bill))
    expect(split && splitFault(split)).toBeNull()
    for (const centre of [shanghai, suzhou]) {
      expect(await centre.db.selectFrom('claim').select('message_id').execute()).toEqual([])
      expect(await centre.db.selectFrom('forward').select('message_id').execute()).toEqual([])
    }
    const { json } = await shanghai.request('POST', '/fhir/CoverageEligibilityRequest/$submit', {
      resourceType: 'CoverageEligibilityRequest', status: 'active', purpose: ['benefits'], created: '2026-11-23', servicedDate: '2026-11-23',
      patient: { identifier: { system: psnSystem('320500'), value: 'P1' } }, insurer: { display: 'x' },
    })
    expect((json as CoverageEligibilityResponse).insurance?.[0]).toMatchObject({ inforce: true, item: [{ name: '320500-310-2025-01' }] })
  })

  test('a refusal there is a refusal here; another body under the id is refused; a stranger sees nothing', async () => {
    const claim = testClaim({ ...stay, region: '320500', psnNo: 'nobody' }, bill)
    expect((await submit(shanghai, claim)).response.error?.[0]?.code.coding?.[0]?.code).toBe('not-insured')
    expect(await owed(shanghai, suzhou)).toEqual([0n, 0n])
    expect((await submit(shanghai, { ...testClaim({ region: '320500' }, '1.00A'), identifier: claim.identifier })).status).toBe(409)
    expect((await shanghai.request('POST', `/fhir/Claim/${claim.identifier?.[0]?.value}/$reverse`, undefined, await shanghai.token('other@'))).status).toBe(404)
  })

  test('a centre may send only what was treated in its own region, and nothing on behalf of a third', async () => {
    await suzhou.enrol({ psnNo: 'P1' })
    const peer = suzhou.peers.get('310000')
    const answer = await peer?.submit(testClaim({ region: '310000', provider: 'H31010100001' }, '1.00A'))
    expect(answer).toMatchObject({ kind: 'rejected', reason: expect.stringContaining('422') as string })
  })
})

describe('when the wire between the centres fails', () => {
  const ctx = () => makeCtx(platform, { now: clock.now })
  const centre = () => centreOf('310000', shanghai.peers)
  /** The sweeps of the next minutes. */
  async function wait(minutes: number): Promise<void> {
    for (let second = 0; second < minutes * 60; second += 15) {
      clock.now = addSeconds(clock.now, 15)
      await resolveForwards(shanghai.db, ctx(), centre())
    }
  }

  test.each(['late', 'lost', 'garbled', 'altered'] as const)('settles, but the answer is %s: 503, then adopted, money moves once', async (fault) => {
    await suzhou.enrol({ psnNo: 'P1' })
    suzhou.fault.submit = fault
    const claim = testClaim({ ...stay, region: '320500' }, bill)
    const first = await submit(shanghai, claim)
    expect([first.status, first.code]).toEqual([503, 'settlement-pending'])
    expect((await submit(shanghai, claim)).status).toBe(503)
    suzhou.fault.submit = 'none'
    const found = await ask(shanghai, claim)
    expect(splitOf(found?.total)?.pool).toBe((await owed(shanghai, suzhou))[1])
    const [here, there] = await owed(shanghai, suzhou)
    expect(here).toBe(there)
    expect(here > 0n).toBe(true)
    expect((await submit(shanghai, claim)).response).toEqual(found)
  })

  test('never arrives: asked three times and for two minutes, then barred on both sides', async () => {
    await suzhou.enrol({ psnNo: 'P1' })
    suzhou.fault.submit = 'dropped'
    const claim = testClaim({ ...stay, region: '320500' }, bill)
    expect((await submit(shanghai, claim)).status).toBe(503)
    suzhou.fault.submit = 'none'
    await wait(1)
    expect(await ask(shanghai, claim)).toBeUndefined()
    await wait(2)
    expect(await ask(shanghai, claim)).toMatchObject({ status: 'cancelled' })
    expect((await submit(shanghai, claim)).status).toBe(409)
    expect(await owed(shanghai, suzhou)).toEqual([0n, 0n])
    expect(await suzhou.db.selectFrom('claim').select('state').execute()).toEqual([{ state: 'void' }])
  })

  test('is down before anything is sent: 424, surely nothing happened, and the person may pay and claim there', async () => {
    await suzhou.enrol({ psnNo: 'P1' })
    const peer = shanghai.peers.get('320500')
    if (!peer) throw new Error('The centres do not know each other.')
    shanghai.peers.set('320500', { ...peer, submit: shanghai.nowhere.submit })
    const claim = testClaim({ ...stay, region: '320500' }, bill)
    const refused = await submit(shanghai, claim)
    expect([refused.status, refused.code]).toEqual([424, 'insurer-unreachable'])
    shanghai.peers.set('320500', peer)
    const packetOf = async (id: string | undefined, token?: string) => shanghai.request('GET', `/fhir/Claim/${id}/$reimbursement-packet`, undefined, token)
    const packet = (await packetOf(claim.identifier?.[0]?.value)).json as Bundle
    expect(packet.entry?.map((each) => each.resource?.resourceType)).toEqual(['Claim', 'OperationOutcome'])
    expect(packet.entry?.[0]?.resource).toMatchObject({ item: claim.item, total: claim.total })
    expect((await packetOf(claim.identifier?.[0]?.value, await shanghai.token('other@'))).status).toBe(404)
    const stranger = testClaim({ ...stay, region: '320500', psnNo: 'nobody' }, bill)
    await submit(shanghai, stranger)
    expect(((await packetOf(stranger.identifier?.[0]?.value)).json as Bundle).entry).toHaveLength(3)
    const settled = testClaim({ ...stay, region: '320500' }, bill)
    await submit(shanghai, settled)
    expect((await packetOf(settled.identifier?.[0]?.value)).status).toBe(409)
  })

  test('dies between the commit and the send: after half a minute the message is barred', async () => {
    const claim = testClaim({ ...stay, region: '320500' }, bill)
    await shanghai.db.insertInto('forward').values({
      message_id: claim.identifier?.[0]?.value ?? '', client_id: 'platform', region: '320500', body_hash: 'x', content: JSON.stringify(claim), state: 'prepared',
      reason: null, created_at: clock.now, sent_at: null, ask_at: clock.now, decided_at: null,
    }).execute()
    await wait(1)
    expect(await ask(shanghai, claim)).toMatchObject({ status: 'cancelled' })
  })

  test('a reversal whose answer is lost is finished by the sweep, and both give everything back once', async () => {
    await suzhou.enrol({ psnNo: 'P1' })
    const claim = testClaim({ ...stay, region: '320500' }, bill)
    await submit(shanghai, claim)
    suzhou.fault.submit = 'lost'
    expect((await reverse(shanghai, claim)).status).toBe(503)
    suzhou.fault.submit = 'none'
    await wait(1)
    expect(await owed(shanghai, suzhou)).toEqual([0n, 0n])
    expect(await ask(shanghai, claim)).toMatchObject({ status: 'cancelled' })
    expect((await reverse(shanghai, claim)).status).toBe(200)
  })

  test('under every fault by turns, with reversals racing, both ledgers end equal', async () => {
    await suzhou.enrol({ psnNo: 'P1', accountPriorFen: 50_000n })
    const faults: Fault[] = ['none', 'late', 'lost', 'dropped', 'garbled', 'altered']
    const claims: Claim[] = []
    for (const [index, fault] of [...faults, ...faults].entries()) {
      suzhou.fault = { submit: fault, ask: index % 4 === 3 ? 'lost' : 'none' }
      const claim = testClaim({ region: '320500', level: '08' }, '120.00A 80.00B10')
      claims.push(claim)
      await Promise.all([submit(shanghai, claim), index % 3 === 2 ? reverse(shanghai, claim) : ask(shanghai, claim)])
    }
    suzhou.fault = { submit: 'none', ask: 'none' }
    await wait(4)
    expect(await shanghai.db.selectFrom('forward').select('state').where('state', 'in', ['prepared', 'sent', 'unknown', 'reversing']).execute()).toEqual([])
    const [here, there] = await owed(shanghai, suzhou)
    expect(here).toBe(there)
    for (const claim of claims) {
      const [mine, theirs] = await Promise.all([shanghai, suzhou].map((each) => each.db.selectFrom('claim').select('state').where('message_id', '=', claim.identifier?.[0]?.value ?? '').executeTakeFirst()))
      // Barred here may be reversed there: it was settled there and nobody knew.
      expect(mine?.state).toMatch(/settled|reversed|void/)
      expect(theirs?.state === 'settled').toBe(mine?.state === 'settled')
    }
  })
})
