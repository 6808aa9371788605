/** Public health: the monthly report shows nobody, whatever is asked; cases are those of notifiable diseases, each look in the log of the person. */
import { beforeAll, expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { registerProviders } from '../../src/booking/generate-sessions.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { keyOf } from '../../src/fhir/id.ts'
import { hospital, hospitalId } from '../support/booking-data.ts'
import { citizen, clinician, system, testPlatform } from '../support/platform.ts'
import { put, testId } from '../support/visit.ts'

const platform = await testPlatform()
const { request, db } = platform
const officer: Principal = { ...anonymous, kind: 'person', id: 'cdc', name: '疾控 周敏', role: 'public-health' }
const region = 'https://pujiang.health/fhir/StructureDefinition/region'
const icd = 'http://hl7.org/fhir/sid/icd-10'
const people: string[] = []

beforeAll(async () => {
  await inTransaction(db, (trx) => registerProviders(trx, [hospital(), hospital({ organization: testId(), district_code: '310115', district_zh: '浦东新区', district_en: 'Pudong' })]))
  await put(platform, { resourceType: 'Organization', id: hospitalId, name: '浦江市第一人民医院' })
  const patient = (district: string) => ({ resourceType: 'Patient' as const, id: testId(), name: [{ text: '某人' }], address: [{ extension: [{ url: region, valueCoding: { system: 'urn:oid:2.16.156.10011.2.3.4.1', code: district } }], city: '上海市' }] })
  const case_ = (who: string, code: string, more: object = {}) => ({ resourceType: 'Condition' as const, id: testId(), subject: { reference: `Patient/${who}` }, code: { coding: [{ system: icd, code }] }, recordedDate: '2026-11-10', onsetDateTime: '2026-11-10', ...more })
  const many = (count: number, district: string, code: string) => Array.from({ length: count }, () => {
    const each = patient(district)
    people.push(each.id)
    return [each, case_(each.id, code)]
  }).flat()
  await put(platform, ...many(14, '310101', 'J10.1'), ...many(3, '310115', 'J10.1'), ...many(12, '310101', 'B08.4'), ...many(11, '310115', 'B08.4'), ...many(2, '310101', 'A15.0'), ...many(12, '310115', 'I10'))
  // A second diagnosis of one person is one person; what was ruled out does not count; nor does another month.
  const [one] = people as [string]
  await put(platform, case_(one, 'J10.1'), case_(one, 'B08.4', { verificationStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'refuted' }] } }), case_(one, 'B08.4', { recordedDate: '2026-10-10', onsetDateTime: '2026-10-10' }))
})

test('the report counts people by disease and district and hides what is small, and what it would follow from', async () => {
  const reply = await request('GET', '/api/public-health/report?month=2026-11', { as: officer })
  expect([reply.status, reply.json.threshold, reply.json.districts.map((each: { code: string }) => each.code)]).toEqual([200, 10, ['310101', '310115', 'elsewhere']])
  const row = (id: string) => reply.json.rows.find((each: { id: string }) => each.id === id)
  // 3 in Pudong are hidden, and with them 14: the total of 17 would give them away.
  expect(row('influenza')).toMatchObject({ class: 'C', counts: [null, null, null], total: 17 })
  expect(row('hand-foot-mouth').total).toBe(23)
  expect(row('tuberculosis')).toMatchObject({ counts: [null, null, null], total: null })
  expect(row('plague')).toMatchObject({ counts: [null, null, null], total: null })
  const shown = JSON.stringify([reply.json.rows.map((each: { counts: unknown; total: unknown }) => [each.counts, each.total]), reply.json.totals, reply.json.total])
  expect(shown.match(/\b\d\b/g)).toBeNull()
  const log = await db.selectFrom('audit_event').select(['pid', 'detail']).where('interaction', '=', '$notifiable-report').execute()
  expect(log).toEqual([{ pid: null, detail: '2026-11' }])
})

test('the cases are those of notifiable diseases, without a name, and each person reads of it', async () => {
  const reply = await request('GET', '/api/public-health/cases?month=2026-11', { as: officer })
  expect(reply.json).toHaveLength(14 + 3 + 12 + 11 + 2 + 1)
  const tuberculosis = reply.json.find((each: { code: string }) => each.code === 'A15.0')
  expect(tuberculosis).toMatchObject({ disease: { id: 'tuberculosis', class: 'B' }, hospital: null })
  expect(Date.parse(tuberculosis.dueAt) - Date.parse(tuberculosis.diagnosedAt)).toBe(24 * 3_600_000)
  expect(reply.text).not.toContain('某人')
  expect((await request('GET', `/fhir/Condition/${tuberculosis.id}`, { as: officer })).status).toBe(200)
  const [one] = people as [string]
  const log = await db.selectFrom('audit_event').select(['purpose', 'basis']).where('pid', '=', keyOf(one)).where('interaction', '=', '$notifiable-cases').execute()
  expect(log).toEqual([{ purpose: 'PUBHLTH', basis: 'statutory-report' }])
})

test('nobody else has them, and a month is a month', async () => {
  for (const path of ['report', 'cases']) {
    for (const as of [citizen('p'), clinician('d', 'h'), system, { ...officer, role: 'admin-system' as const }, { ...officer, scopes: ['user/*.rs'] }]) {
      expect([path, as.role, (await request('GET', `/api/public-health/${path}`, { as })).status]).toEqual([path, as.role, 403])
    }
    expect((await request('GET', `/api/public-health/${path}`)).status).toBe(401)
    for (const month of ['2026', '2026-13', '2026-11-01', 'x']) expect((await request('GET', `/api/public-health/${path}?month=${month}`, { as: officer })).status).toBe(400)
  }
})
