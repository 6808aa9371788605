/**
 * What opens a record, and until when: booking, visit, referral, care team, GP contract, a share for one visit and for a set time, a guardian at
 * fourteen and eighteen, a region's hospitals. Each is open exactly within its time and closed at once when its reason goes; and nobody ever holds two
 * of the three administrators.
 */
import type { Consent, Resource } from '@medplum/fhirtypes'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { generateSessions, insertTemplates, registerProviders } from '../../src/booking/generate-sessions.ts'
import { consentCategorySystem } from '../../src/access/consent-rules.ts'
import { allGroups } from '../../src/access/data-groups.ts'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { keyOf, shardOf } from '../../src/fhir/id.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { clinicTemplate, doctorId, hospital as clinicHospital, hospitalId, plainNumbers } from '../support/booking-data.ts'
import { citizen, clinician, system, testPlatform } from '../support/platform.ts'
import { put, testId } from '../support/visit.ts'

const platform = await testPlatform()
const { request, clock, db } = platform
const start = clock.now
const days = (n: number) => new Date(start.getTime() + n * 86_400_000)
const minute = 60_000
const doctor = clinician(doctorId, hospitalId, '陈志远')
const outsider = clinician('outsider', hospitalId)
const reference = (name: string) => ({ reference: name })
const hospital = reference(`Organization/${hospitalId}`)
const coding = (code: string, system = 'http://example.com/codes') => ({ coding: [{ system, code }] })

beforeAll(async () => {
  await put(platform, { resourceType: 'Organization', id: hospitalId, name: '测试医院' }, { resourceType: 'Practitioner', id: doctorId, name: [{ text: '陈志远' }] })
  await inTransaction(db, async (trx) => {
    await registerProviders(trx, [clinicHospital()])
    await insertTemplates(trx, [clinicTemplate({ weekday: 2 }), clinicTemplate({ weekday: 4, department: '10' })])
  })
  await plainNumbers(db)
  await generateSessions(db, '2026-11-23', 16)
})
beforeEach(() => { clock.now = start })

async function newPatient(more: object = {}): Promise<string> {
  const id = testId()
  await put(platform, { resourceType: 'Patient', id, gender: 'female', birthDate: '1985-06-15', name: [{ text: '王秀英' }], ...more })
  return id
}
const sees = async (patient: string, as: Principal, at: Date) => {
  clock.now = at
  return (await request('GET', `/fhir/Patient/${patient}`, { as })).status === 200
}
/** Open at both ends of the time and closed right outside it; null: open before, or for ever. */
async function expectOpen(patient: string, from: Date | null, until: Date | null, as: Principal = doctor): Promise<void> {
  if (from !== null) expect(['before', await sees(patient, as, new Date(from.getTime() - minute))]).toEqual(['before', false])
  if (from !== null) expect(['first', await sees(patient, as, new Date(from.getTime() + minute))]).toEqual(['first', true])
  if (until !== null) expect(['last', await sees(patient, as, new Date(until.getTime() - minute))]).toEqual(['last', true])
  if (until !== null) expect(['after', await sees(patient, as, new Date(until.getTime() + minute))]).toEqual(['after', false])
  expect(['somebody else of the hospital', await sees(patient, outsider, from ?? new Date((until as Date).getTime() - minute))]).toEqual(['somebody else of the hospital', false])
  clock.now = start
}
const write = async (resource: Resource & { id: string }) => {
  const reply = await request('PUT', `/fhir/${resource.resourceType}/${resource.id}`, { as: system, body: resource })
  expect([reply.status, reply.json?.issue]).toEqual([reply.status === 201 ? 201 : 200, undefined])
}

describe('what opens a record to a clinician', () => {
  test('a booking, from the day before the visit until thirty days after it; cancelled, not at all', async () => {
    const patient = await newPatient()
    const me = citizen(patient)
    const booked = async (weekday: string) => {
      const rows = await db.selectFrom('clinic_session').select(['id', 'start_at']).where('start_at', '>=', `${weekday}T00:00:00+08:00`).orderBy('start_at').limit(1).execute()
      const hold = await request('POST', '/fhir/Appointment/$hold', { as: me, body: { resourceType: 'Parameters', parameter: [{ name: 'slot', valueReference: reference(`Slot/${rows[0]?.id}-1`) }, { name: 'patient', valueReference: reference(`Patient/${patient}`) }] } })
      const book = await request('POST', '/fhir/Appointment/$book', { as: me, body: { resourceType: 'Parameters', parameter: [{ name: 'appointment', valueReference: reference(`Appointment/${hold.json.id}`) }] } })
      expect([book.json.status, hold.json.issue, book.json.issue]).toEqual(['booked', undefined, undefined])
      return book.json as { id: string; start: string }
    }
    const first = await booked('2026-11-24')
    const visit = new Date(first.start)
    await expectOpen(patient, new Date(visit.getTime() - 86_400_000), new Date(visit.getTime() + 30 * 86_400_000))
    const other = await newPatient()
    expect(await sees(other, doctor, visit)).toBe(false)
    clock.now = start
    const cancelled = await request('POST', `/fhir/Appointment/${first.id}/$cancel`, { as: me, body: { resourceType: 'Parameters' } })
    expect(cancelled.status).toBe(200)
    expect(await sees(patient, doctor, visit)).toBe(false)
  })

  test('a visit, the day before to thirty days after its end; entered in error, no more', async () => {
    const patient = await newPatient()
    const visit = {
      resourceType: 'Encounter' as const, id: testId(), status: 'finished' as const, class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject: reference(`Patient/${patient}`),
      serviceProvider: hospital, participant: [{ individual: reference(`Practitioner/${doctorId}`) }], period: { start: days(2).toISOString(), end: days(3).toISOString() },
    }
    await write(visit)
    await expectOpen(patient, days(1), days(33))
    await write({ ...visit, status: 'entered-in-error' })
    expect(await sees(patient, doctor, days(2))).toBe(false)
  })

  test('a referral to the doctor or to the hospital, for thirty days; revoked, no more; an order that is no referral, never', async () => {
    for (const to of [`Practitioner/${doctorId}`, `Organization/${hospitalId}`]) {
      const patient = await newPatient()
      const referral = {
        resourceType: 'ServiceRequest' as const, id: testId(), status: 'active' as const, intent: 'order' as const, subject: reference(`Patient/${patient}`), category: [coding('referral')],
        authoredOn: start.toISOString(), performer: [reference(to), hospital],
      }
      await write({ ...referral, category: [coding('laboratory')] })
      expect(await sees(patient, doctor, days(1))).toBe(false)
      await write(referral)
      expect(await sees(patient, doctor, new Date(start.getTime() - minute))).toBe(false)
      for (const [at, open] of [[days(1), true], [new Date(days(30).getTime() - minute), true], [new Date(days(30).getTime() + minute), false]] as const) expect([at, await sees(patient, doctor, at)]).toEqual([at, open])
      clock.now = days(1)
      await write({ ...referral, status: 'revoked' })
      expect(await sees(patient, doctor, days(2))).toBe(false)
    }
  })

  test('a care team, to its members while it is active, and for a year at most', async () => {
    const patient = await newPatient()
    const team = { resourceType: 'CareTeam' as const, id: testId(), status: 'active' as const, subject: reference(`Patient/${patient}`), participant: [{ member: reference(`Practitioner/${doctorId}`) }], managingOrganization: [hospital], period: { start: days(1).toISOString(), end: days(50).toISOString() } }
    await write(team)
    await expectOpen(patient, days(1), days(50))
    await write({ ...team, period: { start: days(1).toISOString() } })
    await expectOpen(patient, days(1), days(367))
    await write({ ...team, participant: [{ member: reference('Practitioner/outsider') }] })
    expect([await sees(patient, doctor, days(2)), await sees(patient, outsider, days(2))]).toEqual([false, true])
    await request('DELETE', `/fhir/CareTeam/${team.id}`, { as: system })
    expect(await sees(patient, outsider, days(2))).toBe(false)
  })

  test('a GP contract, as long as it says; ended, no more; another episode of care, never', async () => {
    const patient = await newPatient()
    const contract = { resourceType: 'EpisodeOfCare' as const, id: testId(), status: 'active' as const, patient: reference(`Patient/${patient}`), type: [coding('gp-contract')], careManager: reference(`Practitioner/${doctorId}`), managingOrganization: hospital, period: { start: days(0).toISOString(), end: days(365).toISOString() } }
    await write({ ...contract, type: [coding('pregnancy')] })
    expect(await sees(patient, doctor, days(1))).toBe(false)
    await write(contract)
    await expectOpen(patient, null, days(365), { ...doctor, role: 'gp' })
    await write({ ...contract, status: 'finished' })
    expect(await sees(patient, { ...doctor, role: 'gp' }, days(1))).toBe(false)
  })

  const share = (patient: string, provision: object): Consent => ({
    resourceType: 'Consent', status: 'active', scope: coding('patient-privacy'), category: [coding('share', consentCategorySystem)], policyRule: coding('OPTIN'), patient: reference(`Patient/${patient}`), provision: { type: 'permit', ...provision } as never,
  })

  test('a share for one visit, to the doctor of that booking, the day before to the day after; for a set time, until it ends', async () => {
    const patient = await newPatient()
    const other = await newPatient()
    const appointment = { resourceType: 'Appointment' as const, id: testId(), status: 'booked' as const, start: days(5).toISOString(), end: new Date(days(5).getTime() + 15 * minute).toISOString(), participant: [{ actor: reference(`Patient/${patient}`), status: 'accepted' as const }, { actor: reference(`Practitioner/${doctorId}`), status: 'accepted' as const }] }
    await put(platform, appointment)
    const visit = { data: [{ meaning: 'instance', reference: reference(`Appointment/${appointment.id}`) }] }
    // Written by the platform, the appointment opens nothing by itself.
    expect(await sees(patient, doctor, days(5))).toBe(false)
    clock.now = start
    expect((await request('POST', '/fhir/Consent', { as: citizen(other), body: share(other, visit) })).status).toBe(422)
    expect((await request('POST', '/fhir/Consent', { as: citizen(patient), body: share(patient, visit) })).status).toBe(201)
    await expectOpen(patient, days(4), days(6))

    const until = { period: { end: days(20).toISOString() }, actor: [{ role: coding('PRCP'), reference: reference(`Practitioner/${doctorId}`) }] }
    const given = await request('POST', '/fhir/Consent', { as: citizen(other), body: share(other, until) })
    expect(given.status).toBe(201)
    await expectOpen(other, null, days(20))
    expect((await request('PUT', `/fhir/Consent/${given.json.id}`, { as: citizen(other), body: { ...given.json, status: 'inactive' } })).status).toBe(200)
    expect(await sees(other, doctor, days(1))).toBe(false)
  })
})

test('a guardian has all of a child\'s record to the fourteenth birthday, a part to the eighteenth, and then nothing', async () => {
  const [child, parent] = [await newPatient({ birthDate: '2015-03-01' }), await newPatient()]
  const pid = keyOf(child)
  const note = { resourceType: 'DocumentReference' as const, id: testId(), status: 'current' as const, subject: reference(`Patient/${child}`), content: [{ attachment: { contentType: 'text/plain' } }] }
  const diagnosis = { resourceType: 'Condition' as const, id: testId(), subject: reference(`Patient/${child}`), code: { text: '哮喘' } }
  await put(platform, note, diagnosis)
  await db.insertInto('proxy_grant').values({
    shard: shardOf(pid), pid, grantee_pid: keyOf(parent), patient: child, relationship: 'SON', patient_name: '王小明', kind: 'guardian', groups: allGroups, source: null,
    from_at: '2015-03-01T00:00:00+08:00', limited_at: '2029-03-01T00:00:00+08:00', until_at: '2033-03-01T00:00:00+08:00',
  }).execute()
  const shown = async (at: string) => {
    clock.now = new Date(at)
    return Promise.all([`Patient/${child}`, `Condition/${diagnosis.id}`, `DocumentReference/${note.id}`].map(async (path) => (await request('GET', `/fhir/${path}`, { as: citizen(parent) })).status === 200))
  }
  expect(await shown('2029-02-28T23:59:00+08:00')).toEqual([true, true, true])
  expect(await shown('2029-03-01T00:01:00+08:00')).toEqual([true, true, false])
  expect(await shown('2033-02-28T23:59:00+08:00')).toEqual([true, true, false])
  expect(await shown('2033-03-01T00:01:00+08:00')).toEqual([false, false, false])
  // The log and the choices are the child's own from fourteen on.
  const log = async (at: string) => {
    clock.now = new Date(at)
    return (await request('GET', `/fhir/Patient/${child}/$access-log`, { as: citizen(parent) })).status
  }
  expect([await log('2029-02-28T23:59:00+08:00'), await log('2029-03-01T00:01:00+08:00')]).toEqual([200, 404])
})

describe('the system of a region', () => {
  const machine = (organization: string): Principal => ({ ...anonymous, kind: 'client', id: `system-${organization}`, name: organization, organization, scopes: ['system/*.cruds'] })
  const observation = (patient: string, at: string) => ({ resourceType: 'Observation' as const, id: testId(), status: 'final' as const, code: { text: 'x' }, subject: reference(`Patient/${patient}`), performer: [reference(`Organization/${at}`)] })
  const organization = (id: string, partOf: string | null) => ({ resourceType: 'Organization' as const, id, name: id, ...(partOf === null ? {} : { partOf: reference(`Organization/${partOf}`) }) })

  test('sees the entries of its hospitals and of their departments and no others; a hospital that leaves is gone at once', async () => {
    await put(platform, organization('district', null), organization('group', 'district'), organization('here', 'group'), organization('ward', 'here'), organization('there', null))
    const patient = await newPatient()
    const [ofHere, ofWard, ofThere] = [observation(patient, 'here'), observation(patient, 'ward'), observation(patient, 'there')]
    await put(platform, ofHere, ofWard, ofThere)
    const found = async (as: Principal) => new Set((await request('GET', `/fhir/Observation?patient=${patient}`, { as })).json.entry?.map((each: { resource: { id: string } }) => each.resource.id) ?? [])
    expect(await found(machine('district'))).toEqual(new Set([ofHere.id, ofWard.id]))
    expect(await found(machine('here'))).toEqual(new Set([ofHere.id, ofWard.id]))
    expect(await found(machine('ward'))).toEqual(new Set([ofWard.id]))
    expect(await found(machine('there'))).toEqual(new Set([ofThere.id]))
    expect((await request('GET', `/fhir/Patient/${patient}`, { as: machine('district') })).status).toBe(404)
    await put(platform, { resourceType: 'Encounter', id: testId(), status: 'finished', class: { code: 'AMB' }, subject: reference(`Patient/${patient}`), serviceProvider: reference('Organization/ward'), participant: [{ individual: reference('Practitioner/x') }], period: { start: start.toISOString() } })
    expect((await request('GET', `/fhir/Patient/${patient}`, { as: machine('district') })).status).toBe(200)
    expect((await request('GET', `/fhir/Patient/${patient}`, { as: machine('there') })).status).toBe(404)
    await put(platform, organization('group', null))
    expect(await found(machine('district'))).toEqual(new Set())
    // Who is part of himself ends nowhere but here.
    await put(platform, organization('district', 'group'), organization('group', 'district'))
    expect(await found(machine('district'))).toEqual(new Set([ofHere.id, ofWard.id]))
  })

  test('does not say which hospitals are its own', async () => {
    await put(platform, organization('apart', null))
    for (const [method, path, body] of [['PUT', 'Organization/apart', organization('apart', 'district')], ['POST', 'Organization', { resourceType: 'Organization', name: 'x', partOf: reference('Organization/district') }], ['DELETE', 'Organization/apart', undefined]] as const) {
      expect([method, (await request(method, `/fhir/${path}`, { as: machine('district'), body })).status]).toEqual([method, 403])
    }
    expect((await request('PUT', '/fhir/Location/its-own', { as: machine('district'), body: { resourceType: 'Location', id: 'its-own', name: 'x' } })).status).toBe(201)
  })
})

test('no account holds two of the three administrators, whoever asks first', async () => {
  const administrators = ['admin-system', 'admin-security', 'admin-audit'] as const
  for (const [one, other] of [[0, 1], [1, 2], [2, 0]] as const) {
    const id = crypto.randomUUID()
    await db.insertInto('account').values({ id, login: id, password_hash: 'x', display_name: 'x', demo: false, created_at: start, phone: null, password_changed_at: start, totp_secret: null, totp_confirmed_at: null, totp_step: null, proof: 'desk' }).execute()
    const give = (role: string) => db.insertInto('account_role').values({ account_id: id, role, patient: null, practitioner: null, organization: null, organization_name: null, person: crypto.randomUUID() }).execute()
    const done = await Promise.allSettled([give(administrators[one]), give(administrators[other])])
    expect(done.map((each) => each.status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(db.updateTable('account_role').set({ role: administrators[other] }).where('account_id', '=', id).execute()).resolves.toBeDefined()
    await expect(give('admin-system')).rejects.toThrow(/account_role/)
  }
})
