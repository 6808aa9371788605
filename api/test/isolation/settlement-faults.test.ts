import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { platform as platformPrincipal } from '../../src/access/principal.ts'
import { makeCtx } from '../../src/ctx.ts'
import { keyOf } from '../../src/fhir/id.ts'
import { resolveAttempts } from '../../src/settlement/resolve-attempts.ts'
import { testCentre } from '../support/centre.ts'
import { faultProxy, type NetworkFault, networkFaults } from '../support/fault-proxy.ts'
import { system, testPlatform } from '../support/platform.ts'
import { insuredVisits, testHospital, type TestVisit } from '../support/visit.ts'
import type { SettlementGateway } from '../../src/settlement/gateway.ts'

/**
 * Every combination of all faults at the first two steps, and at three steps of those that differ in what they leave behind (to
 * the platform `lost`, `late` and `garbled` are one). SETTLEMENT_FAULT_DEPTH=3 takes all faults at three steps, also of
 * reversals, and runs for minutes; 4 for an hour.
 */
const depth = Number(process.env.SETTLEMENT_FAULT_DEPTH ?? 2)
const distinct: readonly NetworkFault[] = ['none', 'dropped', 'lost', 'reordered', 'broken', 'doubled-broken']
const timeoutMs = 300
const atOnce = 16
const deadlineSeconds = 600
const priorFen = 50_000n

let gateway: SettlementGateway
const swappable: SettlementGateway = { get visits() { return gateway.visits }, submit: (claim) => gateway.submit(claim), ask: (id) => gateway.ask(id), reverse: (id) => gateway.reverse(id), dayList: (day, institution) => gateway.dayList(day, institution), applyClearing: (application) => gateway.applyClearing(application), file: (filing) => gateway.file(filing) }
const platform = await testPlatform({ gateway: swappable })
const { clock } = platform
const centre = await testCentre('310000', { clock })
const proxy = await faultProxy(centre.url, timeoutMs)
gateway = centre.gatewayThrough(proxy.url, timeoutMs)
const hospital = await testHospital(platform)
let person = 0

interface Episode extends TestVisit { faults: readonly NetworkFault[] }

function combinations(steps: number, faults: readonly NetworkFault[] = networkFaults): NetworkFault[][] {
  return steps === 0 ? [[]] : combinations(steps - 1, faults).flatMap((before) => faults.map((fault) => [...before, fault]))
}

async function episodes(plans: readonly (readonly NetworkFault[])[]): Promise<Episode[]> {
  const visits = await insuredVisits(platform, hospital, plans.map(() => `F${++person}`), (people) => centre.enrol(...people.map((psnNo) => ({ psnNo, accountPriorFen: priorFen }))))
  return visits.map((visit, index) => ({ ...visit, faults: plans[index] ?? [] }))
}

async function forAll<T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<void> {
  const queue = [...items]
  await Promise.all(Array.from({ length: atOnce }, async () => { for (let item = queue.shift(); item !== undefined; item = queue.shift()) await run(item) }))
}

async function undecided(): Promise<number> {
  return Number((await platform.db.selectFrom('settlement_attempt').select((eb) => eb.fn.countAll<bigint>().as('n')).where('state', 'in', ['prepared', 'sent', 'unknown']).executeTakeFirstOrThrow()).n)
}

/** The job at its interval until nothing is undecided. @returns seconds of the clock that took. */
async function settleDown(): Promise<number> {
  let seconds = 0
  for (; await undecided() > 0; seconds += 10) {
    if (seconds > deadlineSeconds) throw new Error(`${await undecided()} attempts are still undecided after ${seconds} s.`)
    clock.now = new Date(clock.now.getTime() + 10_000)
    await resolveAttempts({ db: platform.db, store: platform.services.store, gateway: swappable }, makeCtx(platformPrincipal, { now: clock.now }))
  }
  return seconds
}

async function settle({ encounter }: TestVisit): Promise<number> {
  return (await platform.request('POST', '/fhir/Claim/$submit', {
    as: system, body: { resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${encounter}` } }, { name: 'use', valueCode: 'claim' }] },
  })).status
}

async function unsettled(visits: readonly Episode[]): Promise<Episode[]> {
  const rows = await platform.db.selectFrom('bill').select('encounter').where('state', '<>', 'settled').execute()
  return visits.filter(({ encounter }) => rows.some((row) => row.encounter === keyOf(encounter)))
}

/** Both ledgers, message by message; what each person was charged; what is left on each account. */
async function expectOneTruth(visits: readonly Episode[]): Promise<{ settled: number; open: number; reversed: number }> {
  await proxy.release()
  const ours = await sql<{ message_id: string; fen: bigint }>`select message_id, sum(case when debit_account = 'provider' then -amount_fen else amount_fen end)::int8 as fen
    from ledger_entry where 'cash' not in (debit_account, credit_account) group by message_id having sum(case when debit_account = 'provider' then -amount_fen else amount_fen end) <> 0 order by 1`.execute(platform.db)
  const theirs = await sql<{ message_id: string; fen: bigint }>`select message_id, sum(case when debit_account = 'provider' then -amount_fen else amount_fen end)::int8 as fen
    from fund_entry group by message_id having sum(case when debit_account = 'provider' then -amount_fen else amount_fen end) <> 0 order by 1`.execute(centre.db)
  expect(ours.rows).toEqual(theirs.rows)
  const people = new Map((await sql<{ psn_no: string; standing: number; left: bigint; used: bigint }>`select p.psn_no, p.account_prior_fen as left,
      count(c.message_id) filter (where c.state = 'settled')::int as standing, coalesce(sum(c.account_prior_fen) filter (where c.state = 'settled'), 0)::int8 as used
    from insured_person p left join claim c using (psn_no) group by p.psn_no`.execute(centre.db)).rows.map((row) => [row.psn_no, row]))
  const states = new Map((await platform.db.selectFrom('bill').select(['encounter', 'state']).execute()).map((row) => [row.encounter, row.state]))
  const count = { settled: 0, open: 0, reversed: 0 }
  for (const visit of visits) {
    const state = states.get(keyOf(visit.encounter))
    const at = people.get(visit.psnNo)
    // A message that came broken is refused at the centre and bars nothing: the bill may be settled anew, as after `open`.
    const kind = state === 'settled' ? 'settled' : state === 'reversed' ? 'reversed' : 'open'
    count[kind]++
    expect(['settled', 'open', 'reversed', 'refused'], visit.faults.join(' ')).toContain(state)
    expect([at?.standing, at && at.left + at.used], visit.faults.join(' ')).toEqual([kind === 'settled' ? 1 : 0, priorFen])
  }
  return count
}

test('every combination of faults at the first three steps: settled once or not at all, the books equal, in time', async () => {
  const visits = await episodes([...combinations(depth), ...(depth < 3 ? combinations(3, distinct) : [])])
  for (const { psnNo, faults } of visits) proxy.plan(psnNo, faults)
  await forAll(visits, settle)
  const seconds = await settleDown()
  const count = await expectOneTruth(visits)
  process.stdout.write(`settlements under faults: ${visits.length} combinations, ${JSON.stringify(count)}, decided within ${seconds} s; ${JSON.stringify(proxy.counts)}\n`)
  expect(count.settled + count.open).toBe(visits.length)
  // What was not settled can be, and what was is not settled again. Nobody is in a hurry now.
  gateway = centre.gatewayThrough(proxy.url, 20_000)
  for (const { psnNo } of visits) proxy.plan(psnNo, [])
  const refusedNow = (await Promise.all(visits.slice(0, 20).map(settle))).filter((status) => status === 409).length
  expect(refusedNow).toBeGreaterThan(0)
  await forAll(await unsettled(visits), settle)
  await settleDown()
  expect(await expectOneTruth(visits)).toEqual({ settled: visits.length, open: 0, reversed: 0 })
}, 4_000_000)

test('the same of reversals: undone as a whole on both sides or still standing on both', async () => {
  const visits = await episodes(combinations(depth))
  gateway = centre.gatewayThrough(proxy.url, 20_000)
  await forAll(visits, settle)
  gateway = centre.gatewayThrough(proxy.url, timeoutMs)
  for (const { psnNo, faults } of visits) proxy.plan(psnNo, faults)
  const reverse = async ({ encounter }: Episode) => {
    const bill = await platform.db.selectFrom('bill').select(['claim_id', 'state']).where('encounter', '=', keyOf(encounter)).executeTakeFirstOrThrow()
    if (bill.state === 'settled') await platform.request('POST', `/fhir/Claim/${bill.claim_id}/$reverse`, { as: system })
  }
  await forAll(visits, reverse)
  const seconds = await settleDown()
  const count = await expectOneTruth(visits)
  process.stdout.write(`reversals under faults: ${visits.length} combinations, ${JSON.stringify(count)}, decided within ${seconds} s\n`)
  expect(count.settled + count.reversed).toBe(visits.length)
  gateway = centre.gatewayThrough(proxy.url, 20_000)
  for (const { psnNo } of visits) proxy.plan(psnNo, [])
  await forAll(visits, reverse)
  await settleDown()
  expect((await expectOneTruth(visits)).reversed).toBe(visits.length)
}, 4_000_000)
