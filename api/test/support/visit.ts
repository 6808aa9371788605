/** A visit to settle: institution, price list, patient with insurance, encounter, charges. Written as the platform itself, but for the charges. */
import type { Resource } from '@medplum/fhirtypes'
import { platform as platformPrincipal } from '../../src/access/principal.ts'
import { makeCtx } from '../../src/ctx.ts'
import { hospitalLevelSystem, institutionSystem, psnSystem, chargeItemSystem, schemeSystem } from '../../src/fhir/claim-message.ts'
import { uuid7, shardOf } from '../../src/fhir/id.ts'
import { writeResources } from '../../src/records/write-resources.ts'
import { chargeItemDefinition, type PriceListItem } from '../../src/settlement/charge-item-definition.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { system, type TestPlatform } from './platform.ts'

let serial = 0

/** A new id; of the given shard when said, so that a patient's resources share one. */
export function testId(shard: number | null = null): string {
  serial++
  const tail = Buffer.alloc(8)
  tail.writeUInt32BE(serial, 4)
  return uuid7(1_790_000_000_000 + serial, shard ?? (serial * 37) % 4096, tail)
}

export async function put(platform: TestPlatform, ...resources: Resource[]): Promise<void> {
  const ctx = makeCtx(platformPrincipal, { now: platform.clock.now })
  await inTransaction(platform.db, (trx) => writeResources(trx, ctx, platform.services.store,
    resources.map((resource) => ({ method: 'update', type: resource.resourceType as never, id: resource.id ?? null, resource, ifMatch: null })), 'platform'))
}

/** Items of E01, E02 and E20 of docs/settlement.md, one price each. */
export const prices: PriceListItem[] = [
  item('visit-38', '专家诊查费', 'Expert consultation', 38_00, 'A'), item('visit-20', '普通诊查费', 'Consultation', 20_00, 'A'),
  item('lab-260', '生化检验', 'Biochemistry panel', 260_00, 'B', 0.1), item('drug-412', '单抗注射液', 'Antibody injection', 412_37, 'B', 0.2),
  item('drug-96', '阿托伐他汀片', 'Atorvastatin tablets', 96_80, 'A'), item('drug-186', '瑞舒伐他汀片', 'Rosuvastatin tablets', 186_40, 'B', 0.1),
  item('drug-57', '二甲双胍片', 'Metformin tablets', 57_35, 'A'), item('care-45', '特需服务', 'Extra service', 45_00, 'C'),
]
export const e01 = ['visit-38', 'visit-20', 'drug-186', 'drug-57', 'care-45']
export const e02 = ['visit-38', 'lab-260', 'drug-412', 'drug-96']

function item(code: string, zh: string, en: string, priceFen: number, catalogueClass: 'A' | 'B' | 'C', firstPayRatio = 0): PriceListItem {
  return { code, zh, en, kind: 'service', unit: '次', priceFen, catalogueClass, firstPayRatio, limitFen: null }
}

export interface TestHospital { organization: string; practitioner: string }

export async function testHospital(platform: TestPlatform): Promise<TestHospital> {
  const [organization, practitioner] = [testId(), testId()]
  await put(platform,
    {
      resourceType: 'Organization', id: organization, active: true, name: '测试医院',
      identifier: [{ system: institutionSystem, value: 'H31010100001' }], type: [{ coding: [{ system: hospitalLevelSystem, code: '02' }] }],
    },
    { resourceType: 'Practitioner', id: practitioner, active: true, name: [{ text: '王医生' }] },
    ...prices.map(chargeItemDefinition))
  return { organization, practitioner }
}

export interface TestVisit { patient: string; encounter: string; psnNo: string }

/** @param insured.region where the patient is insured; null: not insured. */
export async function testVisit(platform: TestPlatform, hospital: TestHospital, insured: { psnNo: string; region?: string } | null, patientId: string | null = null): Promise<TestVisit> {
  const patient = patientId ?? testId()
  const shard = shardOf(patient)
  const encounter = testId(shard)
  const { now } = platform.clock
  await put(platform,
    ...(patientId === null ? [{ resourceType: 'Patient' as const, id: patient, name: [{ text: '李明' }], gender: 'male' as const, birthDate: '1986-03-04' }] : []),
    ...(insured === null || patientId !== null ? [] : [{
      id: testId(shard), ...coverageOf({ patient, encounter, psnNo: insured.psnNo }, hospital, insured.region ?? '310000'),
    }]),
    {
      resourceType: 'Encounter', id: encounter, status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject: { reference: `Patient/${patient}` }, serviceProvider: { reference: `Organization/${hospital.organization}` },
      serviceType: { coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/department', code: '03.04', display: '心血管内科专业' }] },
      participant: [{ individual: { reference: `Practitioner/${hospital.practitioner}` } }], period: { start: now.toISOString() },
    })
  return { patient, encounter, psnNo: insured?.psnNo ?? '' }
}

export function chargeItem(visit: TestVisit, code: string, more: Record<string, unknown> = {}) {
  return {
    resourceType: 'ChargeItem', status: 'billable', subject: { reference: `Patient/${visit.patient}` }, context: { reference: `Encounter/${visit.encounter}` },
    code: { coding: [{ system: chargeItemSystem, code }] }, quantity: { value: 1 }, ...more,
  }
}

/** Enters charges over HTTP. @returns their ids. */
export async function charge(platform: TestPlatform, visit: TestVisit, codes: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  for (const code of codes) {
    const reply = await platform.request('POST', '/fhir/ChargeItem', { as: system, body: chargeItem(visit, code) })
    if (reply.status !== 201) throw new Error(reply.text)
    ids.push(reply.json?.id ?? (reply.headers.get('Location') ?? '').split('/ChargeItem/')[1]?.split('/')[0] ?? '')
  }
  return ids
}

/** Many visits with four charges each, for people whom `enrol` makes known to a centre; forty in one transaction over HTTP. */
export async function insuredVisits(platform: TestPlatform, hospital: TestHospital, people: readonly string[], enrol: (people: readonly string[]) => Promise<void>): Promise<TestVisit[]> {
  await enrol(people)
  const visits: TestVisit[] = people.map((psnNo) => ({ psnNo, patient: testId(), encounter: '' }))
  for (let from = 0; from < visits.length; from += 40) {
    const part = visits.slice(from, from + 40)
    const reply = await platform.request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: part.flatMap((visit) => entriesOf(platform, hospital, visit)) } })
    if (reply.status !== 200) throw new Error(reply.text)
    const encounters = (reply.json.entry as { response: { location: string } }[]).flatMap(({ response }) => /Encounter\/([^/]+)/.exec(response.location)?.[1] ?? [])
    for (const [index, visit] of part.entries()) visit.encounter = encounters[index] ?? ''
  }
  return visits
}

function entriesOf(platform: TestPlatform, hospital: TestHospital, visit: TestVisit) {
  const encounter = `urn:uuid:${testId()}`
  const post = (resource: { resourceType: string }, fullUrl = `urn:uuid:${testId()}`) => ({ fullUrl, resource, request: { method: 'POST', url: resource.resourceType } })
  const patient = { resourceType: 'Patient', id: visit.patient, name: [{ text: '李明' }], gender: 'male', birthDate: '1986-03-04' }
  return [
    { resource: patient, request: { method: 'PUT', url: `Patient/${visit.patient}` } },
    post(coverageOf(visit, hospital, '310000') as never),
    post({
      resourceType: 'Encounter', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject: { reference: `Patient/${visit.patient}` },
      serviceProvider: { reference: `Organization/${hospital.organization}` }, period: { start: platform.clock.now.toISOString() },
    } as never, encounter),
    ...['visit-38', 'drug-412', 'drug-412', 'drug-96'].map((code) => post(chargeItem(visit, code, { context: { reference: encounter } }))),
  ]
}

function coverageOf(visit: TestVisit, hospital: TestHospital, region: string) {
  return {
    resourceType: 'Coverage' as const, status: 'active' as const, identifier: [{ system: psnSystem(region), value: visit.psnNo }],
    type: { coding: [{ system: schemeSystem, code: '310' }] }, beneficiary: { reference: `Patient/${visit.patient}` },
    payor: [{ reference: `Organization/${hospital.organization}`, display: '医保中心' }], period: { start: '2020-01-01' },
  }
}
