/**
 * What a caller may not see has no influence on any answer: every way of asking, and of writing, answers the same bytes whether the hidden
 * entries are there or have been taken out of every table. Random records, relations, choices and callers; the requests are drawn from
 * all that is there, hidden entries among them.
 */
import type { Resource } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { visible } from '../../src/access/visible.ts'
import { makeCtx } from '../../src/ctx.ts'
import { keyOf } from '../../src/fhir/id.ts'
import { typeName } from '../../src/fhir/resource-types.ts'
import { citizen, clinician, testPlatform } from '../support/platform.ts'
import { put, testId } from '../support/visit.ts'

const platform = await testPlatform()
const { request, db, clock } = platform
const doctors = ['doctor-a', 'doctor-b']
const hospitals = ['hospital-a', 'hospital-b']
await put(platform, ...hospitals.map((id): Resource => ({ resourceType: 'Organization', id, name: id })), ...doctors.map((id): Resource => ({ resourceType: 'Practitioner', id, name: [{ text: id }] })))

interface Drawn { type: 'Condition' | 'Observation' | 'Encounter' | 'AllergyIntolerance' | 'Claim' | 'DocumentReference'; patient: number; code: string; hospital: number; doctor: number; hidden: boolean; refers: number; versions: number }
const drawn: fc.Arbitrary<Drawn> = fc.record({
  type: fc.constantFrom('Condition', 'Condition', 'Observation', 'Observation', 'Encounter', 'AllergyIntolerance', 'Claim', 'DocumentReference'), patient: fc.nat(2), code: fc.constantFrom('I10', 'F32.1', 'B20', 'J06.9'),
  hospital: fc.nat(1), doctor: fc.nat(1), hidden: fc.boolean(), refers: fc.nat(30), versions: fc.integer({ min: 1, max: 2 }),
})
const world = fc.record({ entries: fc.array(drawn, { minLength: 6, maxLength: 12 }), treats: fc.subarray([0, 1, 2], { minLength: 1 }), barred: fc.boolean(), caller: fc.constantFrom(0, 0, 1, 2, 3, 4), launch: fc.nat(2) })

/** References go to entries of the right type, so that chains and includes lead somewhere, into hidden entries too. */
function resourceOf(each: Drawn, id: string, entries: readonly Drawn[], ids: readonly string[], patients: readonly string[]): Resource {
  const subject = { reference: `Patient/${patients[each.patient]}` }
  const organization = { reference: `Organization/${hospitals[each.hospital]}` }
  const code = { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: each.code }] }
  const referred = (type: Drawn['type']) => {
    const possible = ids.filter((_, index) => entries[index]?.type === type)
    return `${type}/${possible[each.refers % possible.length] ?? id}`
  }
  switch (each.type) {
    case 'Condition': return { resourceType: 'Condition', id, subject, code, recorder: { reference: `Practitioner/${doctors[each.doctor]}` }, evidence: [{ detail: [{ reference: referred('Observation') }] }] }
    case 'Observation': return { resourceType: 'Observation', id, status: 'final', code, subject, performer: [organization], effectiveDateTime: '2026-11-20', hasMember: [{ reference: referred('Observation') }] }
    case 'Encounter': return { resourceType: 'Encounter', id, status: 'finished', class: { code: 'AMB' }, subject, serviceProvider: organization, period: { start: '2026-01-20', end: '2026-01-20' }, diagnosis: [{ condition: { reference: referred('Condition') } }] } as Resource
    case 'AllergyIntolerance': return { resourceType: 'AllergyIntolerance', id, patient: subject, code } as Resource
    case 'Claim': return { resourceType: 'Claim', id, status: 'active', type: { text: 'x' }, use: 'claim', patient: subject, created: '2026-11-20', provider: organization, priority: { text: 'x' }, insurance: [{ sequence: 1, focal: true, coverage: { display: 'x' } }] } as Resource
    case 'DocumentReference': return { resourceType: 'DocumentReference', id, status: 'current', subject, custodian: organization, content: [{ attachment: { title: 'x' } }], context: { related: [{ reference: referred('Condition') }] } } as Resource
  }
}

function callerOf(patients: readonly string[], caller: number, launch: number): Principal {
  const doctor = clinician('doctor-a', 'hospital-a')
  return [doctor, citizen(patients[0] as string), { ...anonymous, kind: 'person' as const, id: 's', name: 's', role: 'scheduler' as const, organization: 'hospital-a' }, { ...anonymous, kind: 'client' as const, id: 'his', name: 'his', organization: 'hospital-a', scopes: ['system/*.rs'] },
    { ...doctor, scopes: ['patient/*.rs'], launchPatient: patients[launch] as string }][caller] as Principal
}

/** The answer without what is made anew for each request. */
async function ask(as: Principal, method: string, path: string, body?: unknown): Promise<string> {
  const reply = await request(method, path, { as, ...(body === undefined ? {} : { body }), ...(method === 'PATCH' ? { headers: { 'Content-Type': 'application/json-patch+json' } } : {}) })
  if (reply.status === 429 || reply.status >= 500) throw new Error(`${method} ${path} answered ${reply.status}`)
  return `${method} ${path} ${reply.status} ${reply.headers.get('ETag')} ${reply.headers.get('Location')} ${reply.text.replace(/"id":"[^"]+","meta":\{"lastUpdated":"[^"]+"\},"type"/, '"type"')}`
}

async function answers(as: Principal, names: readonly string[], hidden: readonly string[], patients: readonly string[]): Promise<string[]> {
  const paths = [
    ...names.flatMap((name) => [`/fhir/${name}`, `/fhir/${name}/_history`, `/fhir/${name}/_history/1`]), ...patients.flatMap((id) => [`/fhir/Patient/${id}`, `/fhir/Patient/${id}/$everything`, `/fhir/Patient/${id}/*`, `/fhir/Observation/$lastn?patient=${id}`, `/fhir/Condition?patient=${id}&_total=accurate`]),
    '/fhir/Condition?_summary=count', '/fhir/Condition?_sort=-_lastUpdated&_count=2', '/fhir/Condition?_include=Condition:evidence-detail&_include=Condition:subject', '/fhir/Observation?_include:iterate=Observation:has-member&_include=Observation:has-member',
    '/fhir/Encounter?_include=Encounter:diagnosis', '/fhir/DocumentReference?_include=DocumentReference:related', '/fhir/Patient?_revinclude=Condition:subject&_revinclude=Claim:patient', '/fhir/Patient?_has:Condition:subject:code=F32.1', '/fhir/Condition?evidence-detail:Observation.code=F32.1', '/fhir/Encounter?diagnosis:Condition.code=B20&_elements=id',
    '/fhir/DocumentReference?related:Condition.code:not=I10', '/fhir/?_type=Condition,Observation,Claim,Encounter&_total=accurate', '/fhir/_history?_count=50', '/fhir/Condition/_history', '/fhir/Condition?code:missing=false&_sort=code', '/fhir/AuditEvent?_count=1&patient=nobody',
  ]
  const read = await Promise.all(paths.map((path) => ask(as, 'GET', path)))
  // Writes that name an entry: to change it, to delete it, and on a condition. None of them may come to pass on what is hidden.
  const writes: string[] = []
  if (as.kind === 'person' && as.role === 'clinician' && as.scopes.length === 0) {
    for (const name of hidden) {
      const [type, id] = name.split('/')
      writes.push(await ask(as, 'PATCH', `/fhir/${name}`, [{ op: 'add', path: '/language', value: 'fr' }]), await ask(as, 'DELETE', `/fhir/${name}`))
      if (type === 'Condition') writes.push(await ask(as, 'PUT', `/fhir/${name}`, { resourceType: type, id, code: { text: 'x' }, subject: { reference: `Patient/${patients[0]}` } }))
    }
  }
  return [...read, ...writes]
}

test('answers are byte-equal with and without what the caller may not see', async () => {
  let hiddenRows = 0
  await fc.assert(fc.asyncProperty(world, async ({ entries, treats, barred, caller, launch }) => {
    const patients = [testId(), testId(), testId()]
    const ids = entries.map(() => testId())
    await put(platform, ...patients.map((id): Resource => ({ resourceType: 'Patient', id, name: [{ text: '测试' }] })))
    for (const version of [1, 2]) {
      const list = entries.flatMap((each, index) => (each.versions >= version ? [{ ...resourceOf(each, ids[index] as string, entries, ids, patients), language: version === 1 ? 'zh' : 'en' } as Resource] : []))
      await put(platform, ...list)
    }
    const hours = (n: number) => new Date(clock.now.getTime() + n * 3_600_000)
    for (const index of treats) {
      await db.insertInto('care_relation').values({ shard: 0, pid: keyOf(patients[index] as string), practitioner: keyOf('doctor-a'), organization: keyOf('hospital-a'), department: null, reason: 'appointment', reason_id: testId(), from_at: hours(-1), until_at: hours(9) }).execute()
    }
    const choice = (category: string, patient: string, provision: object): Resource => ({
      resourceType: 'Consent', id: testId(), status: 'active', scope: { text: 'x' }, category: [{ coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/consent-category', code: category }] }], patient: { reference: `Patient/${patient}` }, policyRule: { text: 'x' }, provision,
    } as Resource)
    const hides = entries.flatMap((each, index) => (each.hidden ? [choice('hide', patients[each.patient] as string, { type: 'deny', data: [{ meaning: 'instance', reference: { reference: `${each.type}/${ids[index]}` } }] })] : []))
    await put(platform, ...hides, ...(barred ? [choice('bar', patients[0] as string, { type: 'deny', actor: [{ role: { text: 'x' }, reference: { reference: 'Practitioner/doctor-a' } }] })] : []))

    const as = callerOf(patients, caller, launch)
    const names = entries.map((each, index) => `${each.type}/${ids[index]}`)
    // Whatever is hidden goes, current and former, as if it had never been.
    const ctx = makeCtx(as, { now: clock.now })
    const { rows } = await sql<{ t: number; id: string }>`select r.t, r.id from resource r where r.pid = any(${patients.map(keyOf)}::uuid[]) and not ${visible(ctx)}`.execute(db)
    hiddenRows += rows.length
    const gone = new Set(rows.map((row) => `${typeName(row.t)}/${row.id}`))
    const hidden = names.filter((name) => gone.has(name))
    const before = await answers(as, names, hidden, patients)
    for (const table of ['resource', 'resource_history'] as const) {
      await sql`delete from ${sql.table(table)} using unnest(${rows.map((row) => row.t)}::smallint[], ${rows.map((row) => row.id)}::uuid[]) as w (t, id) where ${sql.ref(`${table}.t`)} = w.t and ${sql.ref(`${table}.id`)} = w.id`.execute(db)
    }
    for (const table of ['idx_string', 'idx_value'] as const) await sql`delete from ${sql.table(table)} where rid = any(${rows.map((row) => row.id)}::uuid[])`.execute(db)
    expect(await answers(as, names, hidden, patients)).toEqual(before)
    // The next world begins empty: answers about the whole store stay small.
    for (const table of ['resource', 'resource_history'] as const) await sql`delete from ${sql.table(table)} where pid = any(${patients.map(keyOf)}::uuid[])`.execute(db)
  }), { numRuns: 8, endOnFailure: true })
  expect(hiddenRows).toBeGreaterThan(15)
}, 120_000)
