/**
 * The access matrix, cell by cell: every caller, situation and group of api/src/access/matrix.ts against a running platform, by id, version, history of the
 * entry and of the whole store, search, count, chain, `_has`, reverse include, compartment, `$everything` and system search; and creating. One
 * entry of each group a patient; a caller sees exactly the groups of the table, by each of these ways.
 */
import type { Resource } from '@medplum/fhirtypes'
import { beforeAll, describe, expect, test } from 'vitest'
import { allGroups, groupBits } from '../../src/access/data-groups.ts'
import { everyBit } from '../../src/access/labels.ts'
import { creatable, groupsIn, type MatrixCaller, matrixCallers, type MatrixGroup, matrixGroups, readable, type Situation, situations } from '../../src/access/matrix.ts'
import { anonymous, type Principal, type Role } from '../../src/access/principal.ts'
import { keyOf, shardOf } from '../../src/fhir/id.ts'
import { citizen, clinician, testPlatform } from '../support/platform.ts'
import { put, testId } from '../support/visit.ts'

const platform = await testPlatform()
const { request, clock, db } = platform
const [hospital, elsewhere, agency] = ['hospital-a', 'hospital-b', 'agency']
const doctor = clinician('doctor', hospital, '王医生')
const person = (role: Role, more: Partial<Principal> = {}): Principal => ({ ...anonymous, kind: 'person', id: `p-${role}`, name: role, role, ...more })
/** As the table names them; the patient of `own` is the citizen. */
const callers: Readonly<Record<MatrixCaller, Principal>> = {
  'citizen': citizen('record-own'), 'guardian': citizen('guardian'), 'guardian-14': citizen('guardian-14'), 'relative': citizen('relative'), 'clinician': doctor, 'gp': { ...doctor, id: 'gp', role: 'gp', practitioner: 'gp' },
  'emergency': { ...doctor, id: 'emergency', practitioner: 'emergency', organization: 'hospital-c' }, 'scheduler': person('scheduler', { organization: hospital }), 'insurer': person('insurer', { organization: agency }),
  'public-health': person('public-health'), 'admin-system': person('admin-system'), 'admin-security': person('admin-security'), 'admin-audit': person('admin-audit'),
  'hospital-system': { ...anonymous, kind: 'client', id: 'his', name: 'HIS', organization: hospital, scopes: ['system/*.rs'] },
  'app': { ...doctor, scopes: ['patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory'], launchPatient: null },
  'anonymous': anonymous,
}
const recordOf = (situation: Situation) => `record-${situation}`
const entryId = (situation: Situation, group: MatrixGroup) => (group === 'patient' ? recordOf(situation) : `${situation}-${group}`)
const terminology = 'http://terminology.hl7.org/CodeSystem'

function entriesOf(situation: Situation): Resource[] {
  const subject = { reference: `Patient/${recordOf(situation)}` }
  const id = (group: MatrixGroup) => entryId(situation, group)
  // An unrelated patient is another hospital's and another payer's.
  const [at, payer] = situation === 'unrelated' ? [elsewhere, elsewhere] : [hospital, agency]
  const from = (organization: string) => ({ reference: `Organization/${organization}` })
  const resources: unknown[] = [
    { resourceType: 'Patient', id: id('patient'), name: [{ text: '测试' }], gender: 'female' },
    { resourceType: 'Appointment', id: id('appointment'), status: 'booked', start: '2026-11-23T01:00:00Z', end: '2026-11-23T01:15:00Z', participant: [{ actor: subject, status: 'accepted' }], extension: [{ url: 'https://pujiang.health/fhir/StructureDefinition/organization', valueReference: from(at) }] },
    { resourceType: 'Condition', id: id('problem'), subject, code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: situation === 'sensitive' ? 'F32.1' : 'I10' }] }, recorder: { reference: 'Practitioner/someone' }, encounter: { reference: `Encounter/${id('visit')}` } },
    { resourceType: 'AllergyIntolerance', id: id('allergy'), patient: subject, clinicalStatus: { coding: [{ system: `${terminology}/allergyintolerance-clinical`, code: 'active' }] }, code: { text: '青霉素' } },
    { resourceType: 'Observation', id: id('result'), status: 'final', category: [{ coding: [{ system: `${terminology}/observation-category`, code: 'laboratory' }] }], code: { coding: [{ system: 'http://loinc.org', code: '2339-0' }] }, subject, performer: [from(at)], effectiveDateTime: '2026-11-20' },
    { resourceType: 'Encounter', id: id('visit'), status: 'finished', class: { system: `${terminology}/v3-ActCode`, code: 'AMB' }, subject, serviceProvider: from(elsewhere), period: { start: '2026-11-20', end: '2026-11-20' } },
    { resourceType: 'DocumentReference', id: id('note'), status: 'current', subject, content: [{ attachment: { contentType: 'text/plain' } }], custodian: from(elsewhere) },
    { resourceType: 'Immunization', id: id('vaccination'), status: 'completed', vaccineCode: { text: '流感疫苗' }, patient: subject, occurrenceDateTime: '2026-10-01' },
    { resourceType: 'Coverage', id: `${situation}-coverage`, status: 'active', beneficiary: subject, payor: [from(payer)] },
    { resourceType: 'Claim', id: id('claim'), status: 'active', type: { coding: [{ system: `${terminology}/claim-type`, code: 'institutional' }] }, use: 'claim', patient: subject, created: '2026-11-20', provider: from(at), priority: { text: 'normal' }, insurance: [{ sequence: 1, focal: true, coverage: { reference: `Coverage/${situation}-coverage` } }] },
    { resourceType: 'Consent', id: id('consent'), status: 'active', scope: { text: 'x' }, category: [{ text: 'x' }], patient: subject, policyRule: { text: 'x' } },
  ]
  return resources as Resource[]
}

beforeAll(async () => {
  await put(platform, ...[hospital, elsewhere, 'hospital-c', agency].map((id): Resource => ({ resourceType: 'Organization', id, name: id })))
  for (const situation of situations) await put(platform, ...entriesOf(situation))
  const hours = (n: number) => new Date(clock.now.getTime() + n * 3_600_000)
  const open = { from_at: hours(-1), until_at: hours(100) }
  for (const situation of situations.filter((each) => each !== 'own')) {
    const pid = keyOf(recordOf(situation))
    const common = { shard: shardOf(pid), pid, ...open }
    const relation = (practitioner: string, organization: string, reason: 'appointment' | 'gp-contract' | 'break-glass', opens = 0) => db.insertInto('care_relation').values({
      ...common, practitioner: keyOf(practitioner), organization: keyOf(organization), department: '03.04', opens, reason, reason_id: testId(),
    }).execute()
    await relation('emergency', 'hospital-c', 'break-glass', everyBit)
    if (situation === 'unrelated') continue
    await relation('doctor', hospital, 'appointment')
    await relation('gp', hospital, 'gp-contract')
    const grant = (grantee: string, kind: 'guardian' | 'authorization', groups: number, limited: Date | null) => db.insertInto('proxy_grant').values({
      ...common, grantee_pid: keyOf(grantee), patient: recordOf(situation), relationship: 'CHILD', patient_name: 'x', kind, groups, limited_at: limited, consent: null,
    }).execute()
    await grant('guardian', 'guardian', allGroups, hours(50))
    await grant('guardian-14', 'guardian', allGroups, hours(-0.5))
    await grant('relative', 'authorization', groupBits(['basics', 'problems', 'visits']), null)
  }
  const hide = { resourceType: 'Consent', id: 'hide-it', status: 'active', scope: { text: 'x' }, category: [{ coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/consent-category', code: 'hide' }] }], patient: { reference: `Patient/${recordOf('hidden')}` }, policyRule: { text: 'x' }, provision: { type: 'deny', data: [{ meaning: 'instance', reference: { reference: `Condition/${entryId('hidden', 'problem')}` } }] } }
  const bar = { ...hide, id: 'bar-them', category: [{ coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/consent-category', code: 'bar' }] }], patient: { reference: `Patient/${recordOf('barred')}` }, provision: { type: 'deny', actor: [{ role: { text: 'x' }, reference: { reference: `Organization/${hospital}` } }] } }
  await put(platform, hide as never, bar as never)
})

const groups = Object.keys(matrixGroups) as MatrixGroup[]
/** An app is launched for the patient in question. */
const principalOf = (caller: MatrixCaller, situation: Situation): Principal => (caller === 'app' ? { ...callers.app, launchPatient: recordOf(situation) } : callers[caller])
const names = (reply: Awaited<ReturnType<typeof request>>): Set<string> => new Set((reply.json?.entry ?? []).flatMap((each: { resource?: Resource }) => (each.resource ? [`${each.resource.resourceType}/${each.resource.id}`] : [])))

/** Ways to read one entry; each says whether it showed. */
const ways: Readonly<Record<string, (as: Principal, type: string, id: string) => Promise<boolean>>> = {
  'read': async (as, type, id) => (await request('GET', `/fhir/${type}/${id}`, { as })).status === 200,
  'vread': async (as, type, id) => (await request('GET', `/fhir/${type}/${id}/_history/1`, { as })).status === 200,
  'history': async (as, type, id) => (await request('GET', `/fhir/${type}/${id}/_history`, { as })).status === 200,
  'search': async (as, type, id) => names(await request('GET', `/fhir/${type}?_id=${id}`, { as })).has(`${type}/${id}`),
  'total': async (as, type, id) => ((await request('GET', `/fhir/${type}?_id=${id}&_summary=count`, { as })).json?.total ?? 0) === 1,
}
/** Ways that lead over the patient: they show an entry only to who sees the patient too. */
const patientWays: typeof ways = {
  'reverse include': async (as, type, id) => names(await request('GET', `/fhir/Patient?_id=${recordIn(id)}&_revinclude=${type}:${link(type)}`, { as })).has(`${type}/${id}`),
  '_has': async (as, type, id) => names(await request('GET', `/fhir/Patient?_has:${type}:${link(type)}:_id=${id}`, { as })).size > 0,
  'chain': async (as, type, id) => names(await request('GET', `/fhir/${type}?_id=${id}&${link(type)}:Patient._id=${recordIn(id)}`, { as })).size > 0,
}
const link = (type: string) => (type === 'Appointment' ? 'actor' : 'patient')
const recordIn = (id: string) => recordOf(id.split('-')[0] as Situation)
/** Answers about many entries at once. */
const many: Readonly<Record<string, (record: string) => string>> = {
  'compartment': (record) => `/fhir/Patient/${record}/*?_count=1000`,
  'everything': (record) => `/fhir/Patient/${record}/$everything`,
  'system search': () => `/fhir/?_count=1000&_type=${groups.map((group) => matrixGroups[group].type).join(',')}`,
  'system history': () => '/fhir/_history?_count=1000',
}

describe.each((Object.keys(matrixCallers) as MatrixCaller[]).flatMap((caller) => situations.filter((each) => readable[caller][each] !== undefined).map((situation) => [caller, situation] as const)))('%s, %s', (caller, situation) => {
  const as = principalOf(caller, situation)
  const record = recordOf(situation)
  const expected = groupsIn(readable[caller], situation)

  test('reads exactly what the table says, by every way', async () => {
    const seen: string[] = []
    const wanted: string[] = []
    const note = (list: string[], way: string, group: MatrixGroup, shown: boolean) => { if (shown) list.push(`${group} by ${way}`) }
    await Promise.all(groups.map(async (group) => {
      const { type } = matrixGroups[group]
      const id = entryId(situation, group)
      for (const [name, way] of Object.entries(ways)) {
        note(seen, name, group, await way(as, type, id))
        note(wanted, name, group, expected.has(group))
      }
      if (group === 'patient') return
      for (const [name, way] of Object.entries(patientWays)) {
        note(seen, name, group, await way(as, type, id))
        note(wanted, name, group, expected.has('patient') && expected.has(group))
      }
    }))
    for (const [name, path] of Object.entries(many)) {
      const shown = names(await request('GET', path(record), { as }))
      for (const group of groups) {
        note(seen, name, group, shown.has(`${matrixGroups[group].type}/${entryId(situation, group)}`))
        note(wanted, name, group, expected.has(group) && (name !== 'everything' || expected.has('patient')))
      }
    }
    expect(seen.sort()).toEqual(wanted.sort())
  })

  test('creates exactly what the table says', async () => {
    const wanted = groupsIn(creatable[caller], situation)
    const made: MatrixGroup[] = []
    for (const [index, group] of groups.entries()) {
      if (['patient', 'appointment', 'visit', 'claim', 'consent'].includes(group)) continue
      const { id: _, ...resource } = entriesOf(situation)[[0, 1, 2, 3, 4, 5, 6, 7, 9, 10][index] as number] as Resource
      if ((await request('POST', `/fhir/${matrixGroups[group].type}`, { as, body: resource })).status === 201) made.push(group)
    }
    expect(made).toEqual(groups.filter((group) => wanted.has(group) && !['consent'].includes(group)))
  })
})
