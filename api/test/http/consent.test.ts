/** A citizen's choices: what may be written as Consent, and that each takes effect and ends at once. Emergency access and its review. */
import type { Consent } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import { consentCategorySystem, dataGroupSystem } from '../../src/access/consent-rules.ts'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { keyOf } from '../../src/fhir/id.ts'
import { citizen, clinician, testPlatform, type TestReply } from '../support/platform.ts'
import { put, testHospital, testId, testVisit } from '../support/visit.ts'

const platform = await testPlatform()
const { request, clock } = platform
const hospital = await testHospital(platform)
const elsewhere = await testHospital(platform)
const visit = await testVisit(platform, hospital, null)
const subject = { reference: `Patient/${visit.patient}` }
const me = citizen(visit.patient)
const doctor = clinician(hospital.practitioner, hospital.organization)
const colleague = clinician(elsewhere.practitioner, elsewhere.organization)
const machine: Principal = { ...anonymous, kind: 'client', id: 'city', name: '市平台', scopes: ['system/*.cruds'] }
const auditor: Principal = { ...anonymous, kind: 'person', id: 'auditor', name: '曹瑛', role: 'admin-audit' }

const icd = 'http://hl7.org/fhir/sid/icd-10'
const condition = (code: string, more: object = {}) => ({
  resourceType: 'Condition' as const, id: testId(), subject, code: { coding: [{ system: icd, code }] }, recorder: { reference: `Practitioner/${hospital.practitioner}` },
  encounter: { reference: `Encounter/${visit.encounter}` }, ...more,
})
const plain = condition('I10')
const other = condition('J06.9')
const psychiatric = condition('F32.1')
const allergy = { resourceType: 'AllergyIntolerance' as const, id: testId(), patient: subject, code: { text: '青霉素' } }
await put(platform, plain, other, psychiatric, allergy)
// A second visit, at the other hospital, brings the record to the colleague.
await put(platform, {
  resourceType: 'Encounter', id: testId(), status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject,
  serviceProvider: { reference: `Organization/${elsewhere.organization}` }, participant: [{ individual: { reference: `Practitioner/${elsewhere.practitioner}` } }],
  period: { start: clock.now.toISOString(), end: clock.now.toISOString() },
})

function consent(category: string, provision: object, more: Partial<Consent> = {}): Consent {
  return {
    resourceType: 'Consent', status: 'active', scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: consentCategorySystem, code: category }] }], policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTIN' }] },
    patient: subject as never, provision: provision as never, ...more,
  }
}
const actor = (reference: object, role = 'PRCP') => ({ role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: role }] }, reference })
const write = (body: Consent, as: Principal = me) => request('POST', '/fhir/Consent', { as, body })
const revoke = async (made: TestReply) => expect((await request('PUT', `/fhir/Consent/${made.json.id}`, { as: me, body: { ...made.json, status: 'inactive' } })).status).toBe(200)
const idsFor = async (as: Principal, type = 'Condition'): Promise<string[]> =>
  ((await request('GET', `/fhir/${type}?patient=${visit.patient}`, { as })).json.entry ?? []).map((each: { resource: { id: string } }) => each.resource.id).sort()
const end = (days: number) => new Date(clock.now.getTime() + days * 86_400_000).toISOString()

test('a sensitive entry carries its label and is for its author and the citizen, until the citizen opens it', async () => {
  const own = await request('GET', `/fhir/Condition/${psychiatric.id}`, { as: me })
  expect(own.json.meta.security).toEqual([{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' }])
  expect(await idsFor(doctor)).toEqual([plain.id, other.id, psychiatric.id].sort())
  expect(await idsFor(colleague)).toEqual([plain.id, other.id].sort())
  const hidden = await request('GET', `/fhir/Condition/${psychiatric.id}`, { as: colleague })
  const absent = await request('GET', `/fhir/Condition/${testId()}`, { as: colleague })
  expect([hidden.status, hidden.text.replaceAll(psychiatric.id, 'x')]).toEqual([404, absent.text.replaceAll(/Condition\/[0-9a-f-]+/g, 'Condition/x')])
  const shared = await write(consent('share', {
    type: 'permit', period: { end: end(10) }, actor: [actor({ reference: `Practitioner/${elsewhere.practitioner}` })], securityLabel: [{ system: dataGroupSystem, code: 'sensitive' }],
  }))
  expect([shared.status, shared.json.issue]).toEqual([201, undefined])
  expect(await idsFor(colleague)).toContain(psychiatric.id)
  await revoke(shared)
  expect(await idsFor(colleague)).not.toContain(psychiatric.id)
})

test('hiding an entry takes it from every doctor but its author, in every version, and showing it again brings it back', async () => {
  const hide = await write(consent('hide', { type: 'deny', data: [{ meaning: 'instance', reference: { reference: `Condition/${plain.id}` } }] }))
  expect([hide.status, hide.json.issue]).toEqual([201, undefined])
  expect(await idsFor(colleague)).toEqual([other.id])
  expect((await request('GET', `/fhir/Condition/${plain.id}/_history`, { as: colleague })).status).toBe(404)
  expect(await idsFor(doctor)).toContain(plain.id)
  expect(await idsFor(me)).toContain(plain.id)
  // A new version stays hidden.
  await put(platform, { ...plain, code: { coding: [{ system: icd, code: 'I11.9' }] } } as never)
  expect(await idsFor(colleague)).toEqual([other.id])
  // Nor does it show itself by being deleted and stored again under its id, whatever happens to the Consent meanwhile.
  expect((await request('DELETE', `/fhir/Condition/${plain.id}`, { as: machine })).status).toBe(204)
  expect((await request('PUT', `/fhir/Consent/${hide.json.id}`, { as: machine, body: { ...hide.json, dateTime: clock.now.toISOString() } })).status).toBe(200)
  expect((await request('GET', `/fhir/Condition/${plain.id}/_history`, { as: colleague })).status).toBe(404)
  expect((await request('PUT', `/fhir/Condition/${plain.id}`, { as: machine, body: plain })).status).toBe(201)
  expect(await idsFor(colleague)).toEqual([other.id])
  expect((await request('GET', `/fhir/Condition/${plain.id}/_history`, { as: colleague })).status).toBe(404)
  await revoke(hide)
  expect(await idsFor(colleague)).toEqual([plain.id, other.id].sort())
})

test('what may not be hidden is said', async () => {
  const refused = await write(consent('hide', { type: 'deny', data: [{ meaning: 'instance', reference: { reference: `AllergyIntolerance/${allergy.id}` } }] }))
  expect([refused.status, refused.json.issue[0].details.coding[0].code]).toEqual([422, 'business-rule'])
  const foreign = await write(consent('hide', { type: 'deny', data: [{ meaning: 'instance', reference: { reference: `Condition/${testId()}` } }] }))
  expect([foreign.status, foreign.json.issue[0].details.coding[0].code]).toEqual([422, 'reference-unresolved'])
})

test.each([
  ['no category of ours', consent('research', { type: 'permit' })],
  ['nobody named', consent('bar', { type: 'deny' })],
  ['a share without an end', consent('share', { type: 'permit', actor: [actor({ reference: `Practitioner/${elsewhere.practitioner}` })] })],
  ['a share of two years', consent('share', { type: 'permit', period: { end: end(730) }, actor: [actor({ reference: `Practitioner/${elsewhere.practitioner}` })] })],
  ['a permit that bars', consent('bar', { type: 'permit', actor: [actor({ reference: `Practitioner/${elsewhere.practitioner}` })] })],
  ['a proposal', consent('bar', { type: 'deny', actor: [actor({ reference: `Practitioner/${elsewhere.practitioner}` })] }, { status: 'proposed' })],
])('a consent that could not be kept is refused: %s', async (_name, body) => {
  expect((await write(body)).status).toBe(422)
})

test('nobody makes choices in another\'s record', async () => {
  const stranger = citizen((await testVisit(platform, hospital, null)).patient)
  const body = consent('bar', { type: 'deny', actor: [actor({ reference: `Practitioner/${elsewhere.practitioner}` })] })
  for (const as of [stranger, doctor, auditor]) expect((await write(body, as)).status).toBe(403)
})

test('a barred doctor sees allergies and what their own hospital wrote, and nothing else; so does a barred hospital', async () => {
  for (const reference of [`Practitioner/${elsewhere.practitioner}`, `Organization/${elsewhere.organization}`]) {
    const bar = await write(consent('bar', { type: 'deny', actor: [actor({ reference })] }))
    expect([bar.status, bar.json.issue]).toEqual([201, undefined])
    expect(await idsFor(colleague)).toEqual([])
    expect(await idsFor(colleague, 'AllergyIntolerance')).toEqual([allergy.id])
    expect(await idsFor(colleague, 'Encounter')).toHaveLength(1)
    expect(await idsFor(doctor)).toContain(plain.id)
    await revoke(bar)
    expect(await idsFor(colleague)).toEqual([plain.id, other.id].sort())
  }
})

test('a relative named by number and name has the groups and the time they were given; revoked at once', async () => {
  const relative = testId()
  await put(platform, { resourceType: 'Patient', id: relative, name: [{ text: '张小明' }], identifier: [{ system: 'urn:oid:2.16.156.10011.1.3', value: '999901199001010010' }] })
  const named = (display: string, value = '999901199001010010') => consent('family-share', {
    type: 'permit', period: { end: end(300) }, actor: [actor({ identifier: { system: 'urn:oid:2.16.156.10011.1.3', value }, display }, 'PRCP')], class: [{ system: dataGroupSystem, code: 'problems' }],
  })
  const wrongName = await write(named('李四'))
  const wrongNumber = await write(named('张小明', '999902198506150029'))
  expect([wrongName.status, wrongName.text]).toEqual([422, wrongNumber.text])
  const given = await write(named('张小明'))
  expect([given.status, given.json.issue]).toEqual([201, undefined])
  expect(given.text).not.toContain('999901199001010010')
  const them = citizen(relative)
  expect(await idsFor(them)).toEqual([plain.id, other.id].sort())
  expect(await idsFor(them, 'Encounter')).toEqual([])
  expect((await request('GET', `/fhir/Patient/${visit.patient}`, { as: them })).status).toBe(200)
  expect((await request('GET', `/fhir/Patient/${visit.patient}/$access-log`, { as: them })).status).toBe(404)
  await revoke(given)
  expect(await idsFor(them)).toEqual([])
})

test('the preview says what the decision says', async () => {
  const preview = async () => {
    const reply = await request('GET', `/fhir/Patient/${visit.patient}/$preview-access?practitioner=${elsewhere.practitioner}&organization=${elsewhere.organization}`, { as: me })
    expect(reply.status).toBe(200)
    const part = reply.json.parameter.find((each: { part?: { valueCode?: string }[] }) => each.part?.[0]?.valueCode === 'Condition').part
    return { shown: part.find((each: { name: string }) => each.name === 'shown').valueInteger, hidden: part.filter((each: { name: string }) => each.name === 'hidden').map((each: { part: { valueCode?: string; valueInteger?: number }[] }) => [each.part[0]?.valueCode, each.part[1]?.valueInteger]) }
  }
  expect(await preview()).toEqual({ shown: (await idsFor(colleague)).length, hidden: [['sensitive-label', 1]] })
  const bar = await write(consent('bar', { type: 'deny', actor: [actor({ reference: `Practitioner/${elsewhere.practitioner}` })] }))
  expect(await preview()).toEqual({ shown: 0, hidden: [['barred-by-citizen', 3]] })
  await revoke(bar)
  expect((await request('GET', `/fhir/Patient/${visit.patient}/$preview-access?practitioner=${elsewhere.practitioner}`, { as: doctor })).status).toBe(404)
})

test('emergency access: step-up, half an hour, everything; told at once; unreviewed it blocks the next; reviewed it does not', async () => {
  const stranger = clinician(elsewhere.practitioner, elsewhere.organization, '周医生', '第二医院')
  const patient = (await testVisit(platform, hospital, null)).patient
  const secret = condition('B20', { subject: { reference: `Patient/${patient}` }, encounter: undefined })
  await put(platform, secret as never)
  const body = { patient, reason: 'unconscious', explanation: '昏迷送入急诊，需要了解病史。' }
  const proven: Principal = { ...stranger, authLevel: 'second-factor', authAt: clock.now.toISOString() }
  const open = (as: Principal, sent: object = body) => request('POST', '/api/emergency-access', { as, body: sent })

  expect((await request('GET', `/fhir/Condition/${secret.id}`, { as: stranger })).status).toBe(404)
  expect((await open(stranger)).status).toBe(403)
  expect((await open({ ...proven, authAt: new Date(clock.now.getTime() - 6 * 60_000).toISOString() })).status).toBe(403)
  expect((await open(me)).status).toBe(403)
  expect((await open(proven, { ...body, explanation: 'x' })).status).toBe(400)
  expect((await open(proven, { ...body, patient: '999903202402290099' })).status).toBe(404)
  const opened = await open(proven)
  expect([opened.status, opened.json.until]).toEqual([201, new Date(clock.now.getTime() + 30 * 60_000).toISOString()])
  expect((await open(proven)).json.id).toBe(opened.json.id)
  expect((await request('GET', `/fhir/Condition/${secret.id}`, { as: stranger })).status).toBe(200)
  const logged = await platform.db.selectFrom('audit_event').select(['interaction', 'basis', 'purpose']).where('pid', '=', keyOf(patient)).where('principal_name', '=', '周医生').orderBy('recorded_at').execute()
  expect(logged).toContainEqual({ interaction: 'read', basis: 'break-glass', purpose: 'ETREAT' })

  const told = (await request('GET', '/api/emergency-access', { as: citizen(patient) })).json
  expect(told).toMatchObject([{ name: '周医生', organization: '第二医院', explanation: body.explanation, verdict: null }])
  const waiting = (await request('GET', '/api/emergency-access', { as: auditor })).json
  expect(waiting[0]).toMatchObject({ id: opened.json.id, verdict: null })
  expect((await open(proven, { ...body, patient: visit.patient })).status).toBe(409)

  clock.now = new Date(clock.now.getTime() + 31 * 60_000)
  const later: Principal = { ...proven, authAt: clock.now.toISOString() }
  expect((await request('GET', `/fhir/Condition/${secret.id}`, { as: stranger })).status).toBe(404)
  const next = await Promise.all([open(later), open(later)])
  expect(next.map((each) => [each.status, each.json.code])).toEqual([[409, 'emergency-unreviewed'], [409, 'emergency-unreviewed']])

  const review = (as: Principal) => request('POST', `/api/emergency-access/${opened.json.id}/review`, { as, body: { verdict: 'justified', note: '已核对急诊记录' } })
  expect((await review(later)).status).toBe(403)
  expect((await review({ ...auditor, role: 'admin-security' })).status).toBe(403)
  expect((await review(auditor)).json).toMatchObject({ verdict: 'justified', reviewer: '曹瑛' })
  expect((await review(auditor)).status).toBe(409)
  const both = await Promise.all([open(later), open(later, { ...body, patient: visit.patient })])
  expect(both.map((each) => each.status).sort()).toEqual([201, 409])
})
