/** The registration office and the benefit check: enrolment, transition, retirement, waiting time, filings, stays. */
import type { Claim, ClaimResponse, Coverage, CoverageEligibilityResponse, OperationOutcome, Task } from '@medplum/fhirtypes'
import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { psnSystem, schemeSystem, schemeUrl, splitOf } from '../../src/fhir/claim-message.ts'
import { residentId } from '../../src/fhir/resident-id.ts'
import { testCentre } from '../support/centre.ts'
import { type ClaimWish, messageId, testClaim } from '../support/claim.ts'

const centre = await testCentre()
beforeEach(() => centre.empty())

async function call<T>(method: string, path: string, body?: unknown): Promise<{ status: number; json: T }> {
  return centre.request(method, `/fhir/${path}`, body) as Promise<{ status: number; json: T }>
}
const codeOf = (json: unknown) => (json as OperationOutcome).issue?.[0]?.details?.coding?.[0]?.code
const idNumber = residentId('99990119800101001')
const wrongNumber = `${idNumber.slice(0, 17)}${idNumber.endsWith('0') ? '1' : '0'}`

function coverage(scheme: number, from: string, more: Partial<Coverage> & { personType?: number; entry?: string } = {}): Coverage {
  const { personType, entry, ...rest } = more
  return {
    resourceType: 'Coverage', status: 'active', identifier: [{ system: psnSystem('310000'), value: 'P1' }],
    type: { coding: [{ system: schemeSystem, code: String(scheme) }] }, period: { start: from }, payor: [{ display: 'x' }],
    beneficiary: { identifier: { system: 'urn:oid:2.16.156.10011.1.3', value: idNumber }, display: '李明' },
    class: [{ type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/coverage-class', code: 'plan' }] }, value: String(personType ?? (scheme === 310 ? 11 : 1401)) }],
    ...(entry === undefined ? {} : { extension: [{ url: 'https://pujiang.health/fhir/StructureDefinition/coverage-entry', valueCode: entry }] }),
    ...rest,
  }
}

async function settle(wish: ClaimWish, items: string) {
  const { status, json } = await call<ClaimResponse>('POST', 'Claim/$submit', testClaim({ messageId: messageId(), ...wish }, items))
  const scheme = json.extension?.find((each) => each.url === schemeUrl)?.valueCoding?.code
  return { status, json, scheme, split: splitOf(json.total), refusal: json.error?.[0]?.code.coding?.[0]?.code }
}

describe('enrolment', () => {
  test('of someone new needs the resident ID number, and is then found and settled with', async () => {
    const unknown = await call('POST', 'Coverage', coverage(310, '2026-01-01', { beneficiary: { display: '李明' } }))
    expect(unknown.status).toBe(422)
    const made = await call<Coverage>('POST', 'Coverage', coverage(310, '2026-01-01'))
    expect(made.json).toMatchObject({ resourceType: 'Coverage', id: 'P1-2026-01-01', subscriberId: 'P1', period: { start: '2026-01-01' } })
    expect((await settle({}, '100.00A')).scheme).toBe('310')
  })

  test('a second basic insurance at the same time is refused and nothing changes', async () => {
    await call('POST', 'Coverage', coverage(310, '2026-01-01'))
    for (const again of [coverage(390, '2026-03-01'), coverage(310, '2026-03-01', { order: 1 }), coverage(390, '2025-03-01'), coverage(390, '2026-01-01')]) {
      const reply = await call('POST', 'Coverage', again)
      expect([reply.status, codeOf(reply.json)]).toEqual([409, 'coverage-overlap'])
    }
    expect(await centre.db.selectFrom('enrolment').select('from_date').execute()).toHaveLength(1)
  })

  test('of two who enter at once one is refused', async () => {
    await call('POST', 'Coverage', coverage(310, '2020-01-01'))
    await call('POST', 'Coverage/P1-2020-01-01/$end', { resourceType: 'Parameters', parameter: [{ name: 'end', valueDate: '2025-12-31' }] })
    const replies = await Promise.all([call('POST', 'Coverage', coverage(310, '2026-01-01')), call('POST', 'Coverage', coverage(390, '2026-02-01'))])
    expect(replies.map((each) => each.status).sort()).toEqual([200, 409])
  })

  test('who moves from the resident to the employee scheme keeps the old one until the new one gives benefits', async () => {
    await call('POST', 'Coverage', coverage(390, '2024-01-01'))
    // A flexible worker who was insured without a gap has no wait: the old insurance ends the day before.
    await call('POST', 'Coverage', coverage(310, '2026-06-01', { order: 1, entry: 'self' }))
    expect(await centre.db.selectFrom('enrolment').select(['scheme', 'from_date', 'until_date', 'rank', 'ended_because']).orderBy('from_date').execute()).toEqual([
      { scheme: 390, from_date: '2024-01-01', until_date: '2026-05-31', rank: 1, ended_because: 'transferred' },
      { scheme: 310, from_date: '2026-06-01', until_date: null, rank: 1, ended_because: null },
    ])
    expect((await settle({ day: '2026-05-31' }, '100.00A')).scheme).toBe('390')
    expect((await settle({ day: '2026-06-01' }, '100.00A')).scheme).toBe('310')
  })

  test('after a gap there is a waiting time, and a claim in it is refused with that reason', async () => {
    await call('POST', 'Coverage', coverage(310, '2024-01-01'))
    await call('POST', 'Coverage/P1-2024-01-01/$end', { resourceType: 'Parameters', parameter: [{ name: 'end', valueDate: '2025-12-31' }, { name: 'because', valueCode: 'interrupted' }] })
    await call('POST', 'Coverage', coverage(310, '2026-05-01', { entry: 'self' }))
    expect((await settle({ day: '2026-02-01' }, '100.00A')).refusal).toBe('coverage-inactive')
    expect((await settle({ day: '2026-10-31' }, '100.00A')).refusal).toBe('waiting-period')
    expect((await settle({ day: '2026-11-01' }, '100.00A')).scheme).toBe('310')
  })

  test('in a transition with a wait the outgoing insurance pays, at most three months', async () => {
    await centre.enrol({ psnNo: 'P1', scheme: 390, personType: 1401, from: '2024-01-01' })
    await centre.db.updateTable('enrolment').set({ rank: 2, until_date: '2026-10-31', ended_because: 'transferred' }).execute()
    await centre.db.insertInto('enrolment').values({ psn_no: 'P1', scheme: 310, person_type: 11, from_date: '2026-08-01', until_date: null, rank: 1, benefits_from: '2026-11-01', ended_because: null }).execute()
    expect((await settle({ day: '2026-10-31' }, '100.00A')).scheme).toBe('390')
    expect((await settle({ day: '2026-11-01' }, '100.00A')).scheme).toBe('310')
  })

  test('who retires meets the new deductible and ratio from the month after, with what is used up of the year', async () => {
    await call('POST', 'Coverage', coverage(310, '2020-01-01'))
    expect((await settle({ day: '2026-10-20', level: '08' }, '283.11A')).split).toMatchObject({ deductible: 28_311n, pool: 0n })
    const retired = await call<Coverage>('POST', 'Coverage/P1-2020-01-01/$retire', { resourceType: 'Parameters', parameter: [{ name: 'approved', valueDate: '2026-10-15' }] })
    expect(retired.json).toMatchObject({ period: { start: '2026-11-01' }, class: [{ value: '12' }] })
    // Still at work in October: 500 less 283.11. Retired in November: 300 less 283.11, 85 % at a community centre.
    expect((await settle({ day: '2026-10-31', level: '08', use: 'predetermination' }, '1000.00A')).split).toMatchObject({ deductible: 21_689n, pool: 62_649n })
    expect((await settle({ day: '2026-11-01', level: '08' }, '1000.00A')).split).toMatchObject({ deductible: 1689n, pool: 83_564n })
    expect((await call('POST', 'Coverage/P1-2026-11-01/$retire', { resourceType: 'Parameters', parameter: [{ name: 'approved', valueDate: '2026-11-15' }] })).status).toBe(404)
  })

  test.each([
    ['another region', { identifier: [{ system: psnSystem('320500'), value: 'P1' }] }, 'Coverage.identifier'],
    ['a scheme that is none', { type: { coding: [{ system: schemeSystem, code: '999' }] } }, 'Coverage.type'],
    ['a day that does not exist', { period: { start: '2026-02-30' } }, 'Coverage.period.start'],
    ['an end', { period: { start: '2026-02-01', end: '2026-03-01' } }, 'Coverage.period.end'],
    ['no person type', { class: [] }, 'Coverage.class'],
    ['a wrong check digit', { beneficiary: { identifier: { system: 'urn:oid:2.16.156.10011.1.3', value: wrongNumber }, display: 'x' } }, 'Coverage.beneficiary.identifier'],
  ])('%s is refused by field', async (_name, change, expression) => {
    const reply = await call<OperationOutcome>('POST', 'Coverage', { ...coverage(310, '2026-01-01'), ...change })
    expect([reply.status, reply.json.issue?.[0]?.expression]).toEqual([422, [expression]])
    expect(await centre.db.selectFrom('insured_person').select('psn_no').execute()).toEqual([])
  })
})

test('the benefit check says deductible, ratios, cap, what is used and what is left, in both languages', async () => {
  await centre.enrol({ psnNo: 'P1', accountPriorFen: 500n })
  await settle({}, '38.00A 1200.00A')
  const { json } = await call<CoverageEligibilityResponse>('POST', 'CoverageEligibilityRequest/$submit', {
    resourceType: 'CoverageEligibilityRequest', status: 'active', purpose: ['benefits'], created: '2026-11-23', servicedDate: '2026-11-23',
    patient: { identifier: { system: psnSystem('310000'), value: 'P1' } }, insurer: { display: 'x' },
  })
  const item = json.insurance?.[0]?.item?.[0]
  const benefits = Object.fromEntries(item?.benefit?.map((each) => [each.type.coding?.[0]?.code, each.allowedString ?? `${each.allowedMoney?.value} ${each.usedMoney?.value}`]) ?? [])
  expect(benefits).toEqual({
    'deductible-outpatient': '500 500', 'deductible-inpatient': '1500 0', 'ratio-outpatient-1': '80%', 'ratio-outpatient-2': '75%', 'ratio-outpatient-3': '70%',
    'ratio-inpatient-1': '85%', 'ratio-inpatient-2': '85%', 'ratio-inpatient-3': '85%', cap: '650000 738', 'account-current': '0 0', 'account-prior': '0 0',
  })
  expect(item?.description).toContain('门急诊起付线剩余 0.00 元')
  expect(item?.description).toContain('¥649262.00 left below the cap')
})

function filing(kind: string, more: Partial<Task> = {}): Task {
  return {
    resourceType: 'Task', status: 'requested', intent: 'order', code: { coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/filing-type', code: kind }] },
    for: { identifier: { system: psnSystem('310000'), value: 'P1' } }, location: { identifier: { system: 'https://pujiang.health/fhir/CodeSystem/region', value: '320500' } },
    executionPeriod: { start: '2026-01-01' }, ...more,
  }
}
const dialysis = filing('disease', { reasonCode: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'N18' }] } })

describe('a filing', () => {
  test('of a disease opens major-disease care for that diagnosis alone (E09)', async () => {
    await centre.enrol({ psnNo: 'P1' })
    await call('POST', 'Task', dialysis)
    expect((await settle({ type: '14', diagnosis: 'I10' }, '400.00A 655.30B10')).refusal).toBe('disease-not-filed')
    expect((await settle({ type: '14', diagnosis: 'N18.5' }, '400.00A 655.30B10')).split).toMatchObject({ deductible: 0n, pool: 84_130n, cash: 21_400n })
  })

  test('again gets the same number; withdrawn it holds no longer; an unknown person is rejected', async () => {
    await centre.enrol({ psnNo: 'P1' })
    const one = await call<Task>('POST', 'Task', dialysis)
    expect(one.json.status).toBe('accepted')
    expect((await call<Task>('POST', 'Task', dialysis)).json.id).toBe(one.json.id)
    expect((await call<Task>('POST', 'Task', { ...dialysis, executionPeriod: { start: '2026-06-01' } })).json).toMatchObject({ status: 'rejected' })
    expect((await call<Task>('POST', `Task/${one.json.id}/$withdraw`)).json.status).toBe('cancelled')
    expect((await settle({ type: '14', diagnosis: 'N18.5' }, '400.00A')).refusal).toBe('disease-not-filed')
    expect((await settle({ type: '14', diagnosis: 'N18.5', day: '2026-11-22' }, '400.00A')).split?.pool).toBe(34_000n)
    const found = await call<{ entry: { resource: Task }[] }>('GET', `Task?patient:identifier=${encodeURIComponent(`${psnSystem('310000')}|P1`)}`)
    expect(found.json.entry.map((each) => each.resource.status)).toEqual(['cancelled'])
    const stranger = { identifier: { system: psnSystem('310000'), value: 'P9' } }
    expect((await call<Task>('POST', 'Task', { ...dialysis, for: stranger })).json).toMatchObject({ status: 'rejected', statusReason: { coding: [{ code: 'not-insured' }] } })
  })

  test.each([
    ['a kind that is none', filing('holiday'), 'Task.code'],
    ['the place of insurance itself', filing('temporary', { location: { identifier: { system: 'https://pujiang.health/fhir/CodeSystem/region', value: '310115' } } }), 'Task.location.identifier'],
    ['days that end before they begin', filing('temporary', { executionPeriod: { start: '2026-02-01', end: '2026-01-01' } }), 'Task.executionPeriod'],
    ['a disease without its code', filing('disease'), 'Task.reasonCode'],
    ['nobody', filing('temporary', { for: { display: 'x' } }), 'Task.for.identifier'],
  ])('for %s is refused by field', async (_name, task, expression) => {
    const reply = await call<OperationOutcome>('POST', 'Task', task)
    expect([reply.status, reply.json.issue?.[0]?.expression]).toEqual([422, [expression]])
  })
})

describe('a stay', () => {
  test('E06 and E07: the deductible of the year is paid once', async () => {
    await centre.enrol({ psnNo: 'P1' })
    const first = await settle({ type: '21', day: '2026-10-01', until: '2026-10-12' }, '1260.00A 4180.66A 9322.15B10 16800.00B20/15000.00 5200.00A 1350.00C')
    expect(first.split).toMatchObject({ overlimit: 180_000n, firstpay: 393_222n, deductible: 150_000n, pool: 2_510_100n, cash: 1_301_181n })
    await centre.db.updateTable('insured_person').set({ account_prior_fen: 200_000n }).execute()
    const second = await settle({ type: '21', day: '2026-11-01', until: '2026-11-05' }, '630.00A 2210.40A 3077.77B10 480.00A')
    expect(second.split).toMatchObject({ deductible: 0n, pool: 517_683n, 'account-prior': 122_134n, cash: 0n })
  })

  test('of a resident settled in parts pays the deductible of the stay once, a new stay pays it anew (E12)', async () => {
    await centre.enrol({ psnNo: 'P1', scheme: 390, personType: 1404, birthDate: '1958-01-01' })
    const stay: ClaimWish = { type: '21', level: '05', day: '2026-09-01', until: '2026-09-10' }
    expect((await settle(stay, '480.00A 3321.18A 2750.05B10 960.00A')).split).toMatchObject({ deductible: 10_000n, pool: 570_898n, cash: 180_225n })
    expect((await settle({ ...stay, until: '2026-09-20' }, '1000.00A')).split).toMatchObject({ deductible: 0n, pool: 80_000n })
    expect((await settle({ ...stay, day: '2026-10-01', until: '2026-10-02' }, '1000.00A')).split).toMatchObject({ deductible: 10_000n, pool: 72_000n })
  })

  test('E13 and E14: critical illness by diagnosis, medical aid by entitlement, each within its yearly sums', async () => {
    const cancer: ClaimWish = { type: '21', day: '2026-09-01', until: '2026-09-20', diagnosis: 'C34.9' }
    const items = '21000.00B10 8450.75A 900.00A 2600.00C'
    await centre.enrol({ psnNo: 'P1', scheme: 390, personType: 1401, birthDate: '1981-01-01' }, { psnNo: 'P2', scheme: 390, personType: 1401, birthDate: '1981-01-01', aid: true })
    expect((await settle(cancer, items)).split).toMatchObject({ pool: 1_677_045n, critical: 688_818n, aid: 0n, cash: 929_212n })
    expect((await settle({ ...cancer, psnNo: 'P2' }, items)).split).toMatchObject({ critical: 688_818n, aid: 413_291n, cash: 515_921n })
    expect((await settle({ ...cancer, day: '2026-10-01', until: '2026-10-03', diagnosis: 'J18.9' }, '1000.00A')).split).toMatchObject({ critical: 0n })
  })

  test('that ends before it begins, or tomorrow, is refused', async () => {
    await centre.enrol({ psnNo: 'P1' })
    for (const until of ['2026-08-31', '2026-11-24']) expect((await settle({ type: '21', day: '2026-09-01', until }, '100.00A')).status).toBe(422)
  })
})

describe('what is refused before anything is decided', () => {
  const submit = async (body: Claim) => {
    const reply = await call<OperationOutcome>('POST', 'Claim/$submit', body)
    expect(await centre.db.selectFrom('claim').select('message_id').execute()).toEqual([])
    expect(await centre.db.selectFrom('fund_entry').select('id').execute()).toEqual([])
    return [reply.status, codeOf(reply.json), reply.json.issue?.[0]?.expression?.[0]]
  }

  test('an institution of another region', async () => {
    await centre.enrol({ psnNo: 'P1' })
    expect(await submit(testClaim({ provider: 'H32050100001' }, '100.00A'))).toEqual([422, 'region-wrong', 'Claim.provider.identifier'])
  })

  test('an item the catalogue lacks, or sees otherwise', async () => {
    await centre.enrol({ psnNo: 'P1' })
    await centre.db.insertInto('catalogue_item').values([
      { code: 't0', name: '检查', from_date: '2020-01-01', until_date: null, catalogue_class: 'B', first_pay_parts: 1000, limit_fen: null },
      { code: 't1', name: '耗材', from_date: '2020-01-01', until_date: '2026-06-30', catalogue_class: 'A', first_pay_parts: 0, limit_fen: null },
    ]).execute()
    expect(await submit(testClaim({}, '100.00B10 5.00A'))).toEqual([422, 'charge-unknown', 'Claim.item[1].productOrService'])
    expect(await submit(testClaim({}, '100.00B20'))).toEqual([422, 'value-invalid', 'Claim.item[0].extension'])
    expect(await submit(testClaim({}, '100.00A'))).toEqual([422, 'value-invalid', 'Claim.item[0].extension'])
    expect((await settle({}, '100.00B10')).status).toBe(200)
    expect((await settle({ day: '2026-06-30' }, '100.00B10 5.00A')).status).toBe(200)
  })

  test('a fraction of a fen, and ten thousand lines', async () => {
    await centre.enrol({ psnNo: 'P1' })
    const claim = testClaim({}, '100.00A')
    expect(await submit({ ...claim, item: claim.item?.map((item) => ({ ...item, unitPrice: { value: 100.001, currency: 'CNY' }, net: { value: 100.001, currency: 'CNY' } })) })).toEqual([422, 'value-invalid', 'Claim.item[0]'])
    expect(await submit(testClaim({}, Array.from({ length: 501 }, () => '1.00A').join(' ')))).toEqual([422, 'too-many-lines', 'Claim.item'])
    const many = await call('POST', 'Claim/$submit', testClaim({}, Array.from({ length: 10_000 }, () => '1.00A').join(' ')))
    expect([many.status, codeOf(many.json)]).toEqual([413, 'body-too-large'])
  })

  test('a body in chunks, compressed, too large without saying so, or not UTF-8', async () => {
    await centre.enrol({ psnNo: 'P1' })
    const token = await centre.token()
    const send = async (body: BodyInit, headers: Record<string, string> = {}) => {
      const answer = await fetch(`${centre.url}/fhir/Claim/$submit`, { method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json', ...headers }, body, duplex: 'half' } as RequestInit)
      const json: unknown = await answer.json()
      return [answer.status, answer.ok ? (json as ClaimResponse).outcome : codeOf(json)]
    }
    const text = JSON.stringify(testClaim({ use: 'predetermination' }, '100.00A'))
    const inChunks = (whole: string) => new Blob([whole]).stream()
    expect(await send(inChunks(text))).toEqual([200, 'complete'])
    expect(await send(gzipSync(text), { 'Content-Encoding': 'gzip' })).toEqual([200, 'complete'])
    expect(await send(inChunks(text + ' '.repeat(2 * 1024 * 1024)))).toEqual([413, 'body-too-large'])
    expect(await send(gzipSync(text + ' '.repeat(2 * 1024 * 1024)), { 'Content-Encoding': 'gzip' })).toEqual([413, 'body-too-large'])
    expect(await send(Buffer.from([0x7b, 0xff, 0xfe]))).toEqual([400, 'json-broken'])
  })
})

test('the ledger refuses change and removal, whoever asks', async () => {
  await centre.enrol({ psnNo: 'P1' })
  await settle({}, '1000.00A')
  await expect(centre.db.updateTable('fund_entry').set({ amount_fen: 1n }).execute()).rejects.toThrow('append-only')
  await expect(centre.db.deleteFrom('fund_entry').execute()).rejects.toThrow('append-only')
})
