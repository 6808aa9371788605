/**
 * The log recomputed from the answers of a random workload: readers and writers of every kind ask for whatever is there, alone and in
 * bundles; what each answer disclosed, changed or refused, by patient, is worked out from its bytes by code of this test. The log must say the
 * same, both ways: nothing disclosed without its row, no row without something disclosed. TEST_SEED repeats a run.
 */
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { keyOf } from '../../src/fhir/id.ts'
import { citizen, clinician, system, testPlatform } from '../support/platform.ts'
import { seededRandom } from '../support/random-resources.ts'
import { put, testHospital, testId, testVisit } from '../support/visit.ts'

const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)
const many = Number(process.env.AUDIT_REQUESTS ?? 400)
const random = seededRandom(seed)
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T

const platform = await testPlatform()
const { request, db } = platform
const [near, far] = [await testHospital(platform), await testHospital(platform)]
const visits = [await testVisit(platform, near, null), await testVisit(platform, near, null), await testVisit(platform, far, null)]
const patients = visits.map((visit) => visit.patient)

/** Whose record a resource belongs to, also after it is deleted. */
const patientOf = new Map<string, string>()
const known = new Map<string, string[]>([['Observation', []], ['Condition', []]])
const patientIn = (resource: Resource | undefined) => (resource as { subject?: { reference?: string } } | undefined)?.subject?.reference?.replace('Patient/', '')
const nameOf = (resource: { resourceType: string; id?: string }) => `${resource.resourceType}/${resource.id}`
function note(resource: Resource): void {
  const patient = patientIn(resource)
  if (patient === undefined || patientOf.has(nameOf(resource))) return
  patientOf.set(nameOf(resource), patient)
  known.get(resource.resourceType)?.push(nameOf(resource))
}
for (const { patient, encounter } of visits) patientOf.set(`Patient/${patient}`, patient).set(`Encounter/${encounter}`, patient)

const entryOf = (type: 'Observation' | 'Condition', patient: string, id?: string): Resource => ({
  ...(id === undefined ? {} : { id }), subject: { reference: `Patient/${patient}` }, code: { coding: [{ system: 'http://loinc.org', code: pick(['2339-0', '8480-6']) }] },
  ...(type === 'Observation' ? { resourceType: type, status: 'final', effectiveDateTime: '2026-11-20', valueQuantity: { value: Math.ceil(random() * 90), unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' } } : { resourceType: type }),
}) as Resource

const callers: readonly Principal[] = [
  clinician(near.practitioner, near.organization, '王医生'), clinician(far.practitioner, far.organization, '李医生'), clinician('nobody-knows', near.organization, '赵医生'),
  citizen(patients[0] as string), citizen(patients[2] as string), system,
  { ...anonymous, kind: 'client', id: 'his', name: 'HIS', organization: near.organization, scopes: ['system/*.rs'] },
  { ...anonymous, kind: 'person', id: 'phx', name: '疾控', role: 'public-health' }, { ...anonymous, kind: 'person', id: 'desk', name: '收费员', role: 'scheduler', organization: near.organization }, anonymous,
]

interface Asked { method: string; path: string; body?: Resource }
const anyOf = (type: 'Observation' | 'Condition') => pick(known.get(type) ?? [])
const reading: (() => string)[] = [
  () => anyOf('Observation'), () => anyOf('Condition'), () => `Patient/${pick(patients)}`, () => `Encounter/${pick(visits).encounter}`, () => `${anyOf('Observation')}/_history`, () => `${anyOf('Condition')}/_history/1`,
  () => `Observation?patient=${pick(patients)}`, () => `Condition?patient=${pick(patients)}&_include=Condition:subject`, () => 'Observation?code=2339-0&_count=4', () => 'Observation?_include=Observation:subject&_count=2', () => 'Patient?_has:Observation:patient:code=8480-6',
  () => 'Patient?_revinclude=Observation:subject', () => 'Observation?subject:Patient.gender=male', () => 'Encounter?_include=Encounter:subject&_count=1', () => 'Observation?_summary=count', () => '?_type=Observation,Encounter', () => 'Observation/_history?_count=5',
  () => `Patient/${pick(patients)}/$everything`, () => `Observation/$lastn?patient=${pick(patients)}`, () => `Patient/${pick(patients)}/Observation`, () => `Observation?value-quantity=gt${Math.ceil(random() * 90)}`, () => 'Observation?_elements=status&_count=3', () => `Observation/${testId()}`,
]
const writing: (() => Asked)[] = [
  () => ({ method: 'POST', path: 'Observation', body: entryOf('Observation', pick(patients)) }), () => ({ method: 'POST', path: 'Condition', body: entryOf('Condition', pick(patients)) }),
  () => { const name = anyOf('Observation'); return { method: 'PUT', path: name, body: entryOf('Observation', patientOf.get(name) as string, name.split('/')[1] as string) } },
  () => { const id = testId(); return { method: 'PUT', path: `Observation/${id}`, body: entryOf('Observation', pick(patients), id) } }, () => ({ method: 'DELETE', path: anyOf('Condition') }),
]
const drawn = (): Asked => (random() < 0.75 ? { method: 'GET', path: pick(reading)() } : pick(writing)())

/** What one answer did: `R` disclosed, `W` changed, `X` refused, by patient. */
function effects({ method, path, body }: Asked, status: number, answer: Resource | undefined): string[] {
  const about = body === undefined ? patientOf.get(path.split('/').slice(0, 2).join('/')) : patientIn(body)
  if (status === 410) return []
  if (status >= 400) return status === 401 || about === undefined ? [] : [`X ${about}`]
  if (method !== 'GET') return about === undefined ? [] : [`W ${about}`]
  const resources = answer?.resourceType === 'Bundle' ? (answer.entry ?? []).flatMap((each) => each.resource ?? []) : answer ? [answer] : []
  return [...new Set(resources.flatMap((each) => patientOf.get(nameOf(each)) ?? []))].map((patient) => `R ${patient}`)
}

/** The resources of an answer that nobody had seen before: created in this run. */
function learn(method: string, body: Resource | undefined, location: string | null | undefined): void {
  const id = location?.split('/_history/')[0]?.split('/').at(-1)
  if (method !== 'GET' && body && id) note({ ...body, id })
}

test('what the log says equals what the answers of a random workload did', async () => {
  const first = patients.flatMap((patient) => [0, 1, 2].flatMap(() => [entryOf('Observation', patient, testId()), entryOf('Condition', patient, testId())]))
  await put(platform, ...first)
  for (const each of first) note(each)
  const deleted = new Set<string>()
  const expected: string[] = []
  const described = new Map<string, string>()
  for (let n = 0; n < many; n++) {
    const as = pick(callers)
    const bundled = random() < 0.15
    const asked = Array.from({ length: bundled ? 1 + Math.floor(random() * 3) : 1 }, drawn)
    const bundle: Bundle = { resourceType: 'Bundle', type: 'batch', entry: asked.map(({ method, path, body }): BundleEntry => ({ request: { method: method as 'GET', url: path }, ...(body ? { resource: body } : {}) })) }
    const [only] = asked as [Asked]
    const reply = bundled ? await request('POST', '/fhir', { as, body: bundle }) : await request(only.method, `/fhir/${only.path}`, { as, ...(only.body ? { body: only.body } : {}) })
    if (reply.status === 429 || reply.status >= 500) throw new Error(`seed ${seed}: ${JSON.stringify(asked)} answered ${reply.status} ${reply.text}`)
    const id = reply.headers.get('X-Request-Id') as string
    described.set(id, `${as.role ?? as.id} ${asked.map(({ method, path }) => `${method} ${path}`).join(' + ')} ${reply.status}`)
    const found = new Set<string>()
    for (const [index, each] of asked.entries()) {
      const entry = bundled && reply.status === 200 ? (reply.json as Bundle).entry?.[index] : undefined
      const status = entry ? Number(entry.response?.status?.slice(0, 3)) : reply.status
      // What was not there for the caller answers like what is not there.
      const kept = each.method === 'DELETE' && status === 204 && (await request('GET', `/fhir/${each.path}`, { as: system })).status === 200
      // A clinician who treats the patient has only named an id that is not there, which people do not choose: nothing was refused.
      const strayed = each.method === 'PUT' && status === 404 && as.role === 'clinician' && (await request('GET', `/fhir/Patient/${patientIn(each.body)}`, { as })).status === 200
      learn(each.method, status < 300 ? each.body : undefined, entry ? entry.response?.location : reply.headers.get('Location'))
      const gone = each.method === 'DELETE' && deleted.has(each.path)
      for (const effect of effects(each, kept ? 404 : status, entry ? entry.resource : reply.json as Resource)) if (!gone && !strayed) found.add(effect)
      if (each.method === 'DELETE' && status === 204 && !kept) deleted.add(each.path)
    }
    expected.push(...[...found].map((effect) => `${id} ${effect.slice(0, 2)}${keyOf(effect.slice(2))}`))
  }
  const { rows } = await sql<{ request_id: string; pid: string; action: string; outcome: number }>`select request_id, pid, action, outcome from audit_event where request_id = any(${[...described.keys()]}) and pid is not null`.execute(db)
  const logged = new Set(rows.map((row) => `${row.request_id} ${row.outcome >= 400 ? 'X' : row.action === 'R' || row.action === 'E' ? 'R' : 'W'} ${row.pid}`))
  const name = (row: string) => `${row.slice(37)}: ${described.get(row.slice(0, 36))}`
  expect({ seed, missing: expected.filter((each) => !logged.has(each)).map(name), surplus: [...logged].filter((each) => !expected.includes(each)).map(name) }).toEqual({ seed, missing: [], surplus: [] })
  for (const kind of ['R', 'W', 'X']) expect(expected.filter((each) => each.slice(37).startsWith(kind)).length, `seed ${seed}: ${kind}`).toBeGreaterThan(many / 40)
}, 120_000)
