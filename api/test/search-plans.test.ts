/**
 * The plans of common searches on a store with enough rows: each is served by an index, and no clinical table is read from end to end.
 * The statements are those of the search itself, caught on their way to the database.
 */
import { type Sample, samplesOf, type Shape, searchShapes } from '../../bench/src/search-shapes.ts'
import { Kysely, sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import { makeCtx } from '../src/ctx.ts'
import type { ResourceType } from '../src/fhir/resource-types.ts'
import { bulkLoad } from '../src/records/bulk-load.ts'
import { search } from '../src/records/search/search.ts'
import { postgresJsDialect } from '../src/storage/dialect.ts'
import { connect, type Db } from '../src/storage/pool.ts'
import type { Tables } from '../src/storage/tables.ts'
import type { Resource } from '@medplum/fhirtypes'
import { explain } from './support/explain.ts'
import { system, testPlatform } from './support/platform.ts'

const { db, url, services, clock } = await testPlatform()
const patients = 1_500
const ctx = makeCtx(system, { now: clock.now })
const seen: { text: string; parameters: readonly unknown[] }[] = []
const watched: Db = new Kysely<Tables>({
  dialect: postgresJsDialect((use) => connect(url, { max: 1 }, use)), log: (event) => { if (event.level === 'query') seen.push({ text: event.query.sql, parameters: event.query.parameters }) },
})

/** Enough of every type that the shapes search: what is read from end to end shows. */
function* city(): Generator<Resource> {
  const day = (number: number) => new Date(Date.UTC(2024, 0, 1 + (number % 700))).toISOString().slice(0, 10)
  for (let index = 0; index < patients; index++) {
    const subject = { reference: `Patient/p${index}` }
    yield { resourceType: 'Patient', id: `p${index}`, gender: index % 2 ? 'male' : 'female', birthDate: day(index * 7), name: [{ family: `姓${index}`, text: `姓${index}名` }], identifier: [{ system: 'urn:id', value: String(index) }], address: [{ city: `城${index % 300}` }], generalPractitioner: [{ reference: `Practitioner/d${index % 50}` }] }
    for (let visit = 0; visit < 3; visit++) {
      yield { resourceType: 'Encounter', id: `e${index}-${visit}`, status: 'finished', class: { code: 'AMB' }, subject, period: { start: `${day(index + visit * 30)}T08:00:00+08:00`, end: `${day(index + visit * 30)}T09:00:00+08:00` } }
      for (let number = 0; number < 4; number++) {
        yield { resourceType: 'Observation', id: `o${index}-${visit}-${number}`, status: 'final', subject, encounter: { reference: `Encounter/e${index}-${visit}` }, effectiveDateTime: day(index + visit * 30),
          code: { coding: [{ system: 'http://loinc.org', code: number === 0 ? `rare-${index % 200}` : `common-${number}` }] }, valueQuantity: { value: index + number, unit: 'mg' } }
      }
    }
  }
  for (let index = 0; index < 50; index++) yield { resourceType: 'Practitioner', id: `d${index}`, name: [{ family: '医', text: `医生${index}` }] }
  for (let index = 0; index < patients; index++) {
    const subject = { reference: `Patient/p${index}` }
    const encounter = { reference: `Encounter/e${index}-0` }
    yield { resourceType: 'Condition', id: `c${index}`, subject, encounter, recordedDate: day(index), code: { coding: [{ code: `diagnosis-${index % 20}` }] }, clinicalStatus: { coding: [{ code: index % 3 ? 'active' : 'resolved' }] } }
    yield { resourceType: 'MedicationRequest', id: `m${index}`, status: index % 4 ? 'active' : 'stopped', intent: 'order', medicationCodeableConcept: { text: 'x' }, subject, encounter, authoredOn: day(index), requester: { reference: `Practitioner/d${index % 50}` } }
    yield { resourceType: 'CarePlan', id: `k${index}`, status: 'active', intent: 'plan', subject, encounter: { reference: `Encounter/e${index}-0/_history/1` }, period: { start: day(index) }, text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">Respiratory therapy ${index}</div>` } }
  }
}

beforeAll(async () => {
  const load = connect(url, { max: 4 })
  await bulkLoad(load, services.store, city(), clock.now)
  await load.end()
  await sql`vacuum analyze`.execute(db)
}, 120_000)

/** Node types with the index or table they read. */
async function plan(type: ResourceType, query: string): Promise<string[]> {
  seen.length = 0
  await search(watched, ctx, services.store, type, new URLSearchParams(query))
  return plansOfSeen()
}

async function plansOfSeen(): Promise<string[]> {
  const found: string[] = []
  for (const { text, parameters } of [...seen].filter((each) => /\b(?:resource|idx_\w+)\b/.test(each.text) && !/^explain|pg_inherits/.test(each.text))) {
    found.push(...(await explain(db, { text, parameters })).map((line) => String(line).trim()))
  }
  return found
}

/** A table of one page, or of none: reading it whole is right. */
const small = /on resource_(?:practitioner|organization|other)\b|\(cost=0\.00\.\.0\.00 rows=1 /
// A side table may be read from its beginning where so much of it fits that the first two thousand are found at once.
const scans = /Seq Scan on resource(?!_type)\w*/

test.each<[ResourceType, string, RegExp]>([
  ['Observation', 'patient=p7&code=common-1&_sort=-date', /Index Scan.*resource_observation_pid/], ['Observation', 'code=rare-7', /Bitmap Index Scan on resource_observation_keys/],
  ['Observation', 'code=common-1&_sort=-date', /Index Scan using resource_observation_t_d0/], ['Observation', 'code=http://loinc.org|rare-9&status=final', /Bitmap Index Scan on resource_observation_keys/],
  ['Observation', 'date=ge2024-03-01&date=le2024-03-02', /resource_observation_t_d0/], ['Observation', 'encounter=Encounter/e9-1', /resource_observation_keys/], ['Patient', 'identifier=urn:id|77', /resource_patient_keys/],
  ['Patient', 'name=姓77', /idx_string_value/], ['Patient', 'gender=male', /Index/], ['Patient', 'birthdate=2024-05-05', /resource_patient_t_d0/], ['Patient', '_id=p9', /resource_patient_pkey/],
  ['Observation', 'patient.identifier=urn:id|77', /resource_observation_pid/], ['Observation', 'subject:Patient.name=姓77名', /resource_observation_pid/], ['Patient', '_has:Observation:patient:code=rare-7', /resource_observation_keys/],
  ['Encounter', '_has:Observation:encounter:code=rare-7', /resource_encounter_pkey/], ['Encounter', 'date=ge2024-03-01&date=lt2024-03-03', /tstzrange|resource_encounter/], ['Patient', 'general-practitioner=Practitioner/d7', /resource_patient_keys/],
  ['Practitioner', '_has:Patient:general-practitioner:identifier=urn:id|77', /resource_practitioner_pkey/], ['Patient', 'general-practitioner.name=医生7', /resource_patient_keys/], ['Observation', 'patient=p7&_include=Observation:encounter', /resource_observation_pid/],
  ['Patient', '_id=p7&_revinclude=Observation:patient', /resource_observation_keys/], ['Observation', 'patient=p7&_total=accurate', /resource_observation_pid/], ['Observation', 'code:text=zzz', /One-Time Filter: false|Result/],
])('%s?%s', async (type, query, index) => {
  const lines = await plan(type, query)
  expect(lines.filter((line) => scans.test(line) && !small.test(line))).toEqual([])
  expect(lines.join('\n')).toMatch(index)
})

const [sample = {} as Sample] = samplesOf([...city()], 1)

// Time has no btree: its index tells ranges of 128 pages apart, more than this store has.
test.each(searchShapes.filter((each) => each.name !== 'list by last change').map((each): [string, Shape] => [each.name, each]))('no table is read from end to end: %s', async (_, shape) => {
  let query: URLSearchParams | null = new URLSearchParams(shape.query(sample))
  for (let page = 0; page < Math.min(shape.pages ?? 0, 2); page++) query = (await search(db, ctx, services.store, shape.type, query)).next ?? query
  const lines = await plan(shape.type, query.toString())
  expect(lines.length).toBeGreaterThan(0)
  expect(lines.filter((line) => scans.test(line) && !small.test(line))).toEqual([])
})

test('versions that references name are found by their keys, among many', async () => {
  await sql`insert into resource_history (shard, t, id, version, last_updated, deleted, pid, labels, org, dept, author, method, enc, content)
    select shard, t, id, version + 1000, last_updated, false, pid, labels, org, dept, author, 'U', enc, content from resource`.execute(db)
  await sql`vacuum analyze resource_history`.execute(db)
  const lines = await plan('CarePlan', 'patient=p7&_include=CarePlan:encounter')
  expect(lines.filter((line) => scans.test(line) && !small.test(line))).toEqual([])
  expect(lines.join('\n')).toMatch(/resource_history\w*_pkey/)
  expect(lines.join('\n')).toMatch(/resource_encounter\w*_pkey/)
})
