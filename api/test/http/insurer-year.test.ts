import type { ClaimResponse } from '@medplum/fhirtypes'
import { beforeEach, expect, test } from 'vitest'
import { platform } from '../../src/access/principal.ts'
import { makeCtx } from '../../src/ctx.ts'
import { psnSystem, schemeSystem, splitOf } from '../../src/fhir/claim-message.ts'
import { turnAccounts } from '../../src/insurer/turn-accounts.ts'
import { loadHistory, replay } from '../../src/insurer/what-if.ts'
import { testCentre } from '../support/centre.ts'
import { testClaim } from '../support/claim.ts'

/** A year replayed: the days pass, and with them the benefit year, the account, the scheme and the working life of a person. */
const centre = await testCentre()
beforeEach(async () => {
  await centre.empty()
})

const on = (day: string) => { centre.clock.now = new Date(`${day}T10:00:00+08:00`) }
const turn = () => turnAccounts(centre.db, makeCtx(platform, { now: centre.clock.now }), '310000')
async function claim(psnNo: string, day: string, items: string, more: { type?: string; until?: string; level?: string } = {}) {
  on(more.until ?? day)
  const body = testClaim({ psnNo, day, ...more }, items)
  const { status, json } = await centre.request('POST', '/fhir/Claim/$submit', body)
  expect(status).toBe(200)
  const response = json as ClaimResponse
  const split = splitOf(response.total)
  return { id: body.identifier?.[0]?.value ?? '', outcome: response.outcome, code: response.error?.[0]?.code.coding?.[0]?.code, deductible: Number(split?.deductible), pool: Number(split?.pool), current: Number(split?.['account-current']), prior: Number(split?.['account-prior']), cash: Number(split?.cash) }
}
const account = async (psnNo: string) => {
  const row = await centre.db.selectFrom('insured_person').select(['account_current_fen', 'account_prior_fen']).where('psn_no', '=', psnNo).executeTakeFirstOrThrow()
  return [Number(row.account_current_fen), Number(row.account_prior_fen)]
}

test('an employee over the turn of the year: account to prior, deductible anew, the old year still counted for its days, a reversal to where the money is now', async () => {
  on('2026-05-01')
  await centre.enrol({ psnNo: 'Y1', accountCurrentFen: 30_000n, accountPriorFen: 5_000n })
  await turn()
  // 800 in scope: 300 by the account of the year, then the deductible of 500; nothing is left to share.
  const spring = await claim('Y1', '2026-05-10', '800.00A')
  expect(spring).toMatchObject({ current: 30_000, deductible: 50_000, pool: 0, prior: 5_000, cash: 45_000 })
  await centre.db.updateTable('insured_person').set({ account_current_fen: 12_000n }).where('psn_no', '=', 'Y1').execute()
  expect(await claim('Y1', '2026-06-20', '100.00A')).toMatchObject({ current: 10_000, deductible: 0, pool: 0, cash: 0 })

  on('2026-06-30')
  expect(await turn()).toBe(0)
  on('2026-07-01')
  expect(await Promise.all([turn(), turn(), turn()]).then((done) => done.reduce((sum, each) => sum + each, 0))).toBe(1)
  expect(await account('Y1')).toEqual([0, 2_000])
  expect(await centre.db.selectFrom('account_turn').select(['psn_no', 'year_from', 'moved_fen']).execute()).toEqual([{ psn_no: 'Y1', year_from: '2026-07-01', moved_fen: 2_000n }])
  // The new year begins with its whole deductible; a visit of June that comes late belongs to the old one, whose deductible is used up.
  expect(await claim('Y1', '2026-07-02', '400.00A')).toMatchObject({ deductible: 40_000, pool: 0, prior: 2_000, cash: 38_000 })
  on('2026-07-03')
  const late = testClaim({ psnNo: 'Y1', day: '2026-06-29' }, '200.00A')
  expect(splitOf(((await centre.request('POST', '/fhir/Claim/$submit', late)).json as ClaimResponse).total)).toMatchObject({ deductible: 0n, pool: 14_000n })
  // Undone after the turn, what the account of the old year paid is given to the account of earlier years.
  await centre.request('POST', `/fhir/Claim/${spring.id}/$reverse`)
  expect(await account('Y1')).toEqual([0, 35_000])
  const used = await centre.db.selectFrom('accumulator').select(['year_from', 'deductible_outpatient_fen', 'above_deductible_fen']).orderBy('year_from').execute()
  expect(used).toEqual([{ year_from: '2025-07-01', deductible_outpatient_fen: 0n, above_deductible_fen: 20_000n }, { year_from: '2026-07-01', deductible_outpatient_fen: 40_000n, above_deductible_fen: 0n }])
  await expect(centre.db.deleteFrom('account_turn').execute()).rejects.toThrow(/append-only/)
})

test('retired within the year: the new deductible and ratio from the month after, what is used stays used', async () => {
  on('2026-08-01')
  await centre.enrol({ psnNo: 'Y2', birthDate: '1964-05-01' })
  // At work 500: 400 of it used.
  expect(await claim('Y2', '2026-08-10', '400.00A')).toMatchObject({ deductible: 40_000, pool: 0 })
  on('2026-09-15')
  expect((await centre.request('POST', '/fhir/Coverage/Y2-2020-01-01/$retire', { resourceType: 'Parameters', parameter: [{ name: 'approved', valueDate: '2026-09-15' }] })).status).toBe(200)
  // Until the end of September at work: 100 of the deductible is left, 70 % in a tertiary hospital.
  expect(await claim('Y2', '2026-09-20', '300.00A')).toMatchObject({ deductible: 10_000, pool: 14_000 })
  // From October retired: 300 is less than what is used, so nothing is left of it; 75 % in a tertiary hospital to 69 years.
  const autumn = await claim('Y2', '2026-10-05', '300.00A')
  expect(autumn).toMatchObject({ deductible: 0, pool: 22_500 })
  const total = await centre.db.selectFrom('accumulator').selectAll().where('psn_no', '=', 'Y2').execute()
  expect(total).toMatchObject([{ year_from: '2026-07-01', deductible_outpatient_fen: 50_000n, above_deductible_fen: 50_000n }])
})

test('from the resident scheme into work within a year: each scheme has its own year and its own deductible', async () => {
  on('2026-03-01')
  await centre.enrol({ psnNo: 'Y3', scheme: 390, personType: 1401 })
  expect(await claim('Y3', '2026-03-10', '600.00A')).toMatchObject({ deductible: 50_000, pool: 5_000 })
  on('2026-09-01')
  const moved = await centre.request('POST', '/fhir/Coverage', {
    resourceType: 'Coverage', status: 'active', order: 1, identifier: [{ system: psnSystem('310000'), value: 'Y3' }], type: { coding: [{ system: schemeSystem, code: '310' }] },
    class: [{ type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/coverage-class', code: 'plan' }] }, value: '11' }], period: { start: '2026-09-01' }, beneficiary: {}, payor: [{ display: '医保中心' }],
  })
  expect(moved.status).toBe(200)
  expect(await claim('Y3', '2026-09-10', '600.00A')).toMatchObject({ deductible: 50_000, pool: 7_000 })
  // A visit of August that comes late is the resident scheme's, whose deductible is used up.
  const late = testClaim({ psnNo: 'Y3', day: '2026-08-31' }, '100.00A')
  expect(splitOf(((await centre.request('POST', '/fhir/Claim/$submit', late)).json as ClaimResponse).total)).toMatchObject({ deductible: 0n, pool: 5_000n })
  const used = await centre.db.selectFrom('accumulator').select(['scheme', 'year_from', 'deductible_outpatient_fen']).where('psn_no', '=', 'Y3').orderBy('scheme').execute()
  expect(used).toEqual([{ scheme: 310, year_from: '2026-07-01', deductible_outpatient_fen: 50_000n }, { scheme: 390, year_from: '2026-01-01', deductible_outpatient_fen: 50_000n }])
  // Every answer of the year comes out again from what it says of itself.
  for (const scheme of [310, 390]) {
    const again = replay(await loadHistory(centre.db, { scheme, from: '2026-01-01', until: '2026-12-31', limit: 100 }))
    expect([again.claims > 0, again.changed]).toEqual([true, []])
  }
})
