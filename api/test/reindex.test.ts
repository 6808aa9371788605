/** A search parameter that comes later finds what was stored before, while others write, after a run that was cut short. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { makeCtx } from '../src/ctx.ts'
import { typeCode } from '../src/fhir/resource-types.ts'
import { reindexChanged, reindexProgress } from '../src/records/reindex.ts'
import { search } from '../src/records/search/search.ts'
import { system, testPlatform } from './support/platform.ts'

const platform = await testPlatform()
const { db, services, request, clock } = platform
const ctx = makeCtx(system, { now: new Date(clock.now.getTime() + 60_000) })
const t = typeCode('Patient')

async function total(query: string): Promise<number> {
  return (await request('GET', `/fhir/Patient?${query}&_total=accurate&_count=0`, { as: system })).json.total
}

test('rows that were indexed otherwise are found again, each once, and done is counted', async () => {
  const entry = Array.from({ length: 450 }, (_, index) => ({
    resource: { resourceType: 'Patient', id: `p${index}`, gender: 'male', birthDate: '1980', name: [{ text: `张${index}` }] }, request: { method: 'PUT', url: `Patient/p${index}` },
  }))
  expect((await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry } })).status).toBe(200)
  // As if the parameters had not been there when the rows were written.
  await sql`update resource set keys = '{}', d0 = null, d1 = null where t = ${t}`.execute(db)
  await sql`delete from idx_string`.execute(db)
  expect([await total('gender=male'), await total('name=张'), await total('birthdate=1980')]).toEqual([0, 0, 0])

  expect(await reindexChanged(db, ctx, services.store, 2)).toBe(400)
  expect(await reindexProgress(db, services.store)).toContainEqual({ type: 'Patient', state: 'running', rowsDone: 400, rowsTotal: 450 })
  const shown = (await request('GET', '/fhir/$reindex-progress', { as: system })).json
  expect(shown.parameter.map((each: { part: object[] }) => each.part)).toContainEqual([{ name: 'resourceType', valueCode: 'Patient' }, { name: 'state', valueCode: 'running' }, { name: 'rowsDone', valueInteger: 400 }, { name: 'rowsTotal', valueInteger: 450 }])
  expect((await request('GET', '/fhir/$reindex-progress')).status).toBe(403)
  clock.now = new Date(clock.now.getTime() + 120_000)
  // A new row and a changed one, before the walk goes on.
  await request('PUT', '/fhir/Patient/p1', { as: system, body: { resourceType: 'Patient', id: 'p1', gender: 'female', name: [{ text: '李' }] } })
  await request('PUT', '/fhir/Patient/later', { as: system, body: { resourceType: 'Patient', id: 'later', gender: 'male', name: [{ text: '张后' }] } })
  while (await reindexChanged(db, ctx, services.store, 50) > 0);
  expect([await total('gender=male'), await total('gender=female'), await total('name=张'), await total('birthdate=1980')]).toEqual([450, 1, 450, 449])
  const strings = await sql<{ many: number }>`select count(*)::int as many from idx_string`.execute(db)
  const again = await sql<{ many: number }>`select count(*)::int as many from (select distinct k, val, rid from idx_string) each`.execute(db)
  expect(strings.rows).toEqual(again.rows)
  expect((await reindexProgress(db, services.store)).filter((each) => each.state !== 'done')).toEqual([])
  expect((await reindexProgress(db, services.store)).find((each) => each.type === 'Patient')).toMatchObject({ state: 'done', rowsTotal: 451 })
  expect(await reindexChanged(db, ctx, services.store)).toBe(0)
  expect((await request('GET', '/fhir/Patient/p2', { as: system })).json.meta.versionId).toBe('1')
})

test('a SearchParameter that is written is searched by, for what comes and, when the walk is done, for what was there', async () => {
  const parameter = {
    resourceType: 'SearchParameter', id: 'marital', url: 'http://example.org/SearchParameter/marital', name: 'marital', status: 'active', description: 'Marital status',
    code: 'marital', base: ['Patient'], type: 'token', expression: 'Patient.maritalStatus',
  }
  const married = (id: string) => request('PUT', `/fhir/Patient/${id}`, { as: system, body: { resourceType: 'Patient', id, maritalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'M' }] } } })
  expect((await married('m1')).status).toBe(201)
  expect((await request('GET', '/fhir/Patient?marital=M', { as: system })).status).toBe(400)
  expect((await request('PUT', '/fhir/SearchParameter/marital', { as: system, body: parameter })).json.issue ?? []).toEqual([])
  expect((await request('PUT', '/fhir/SearchParameter/broken', { as: system, body: { ...parameter, id: 'broken', code: 'broken', expression: 'Patient.nothing.at.all' } })).json.issue ?? []).toEqual([])
  // Another process, whose clock is a minute further.
  const store = { ...services.store }
  const later = makeCtx(system, { now: new Date(clock.now.getTime() + 120_000) })
  while (await reindexChanged(db, later, store, 100) > 0);
  const found = await search(db, later, store, 'Patient', new URLSearchParams('marital=M'))
  expect(found.matches.map((each) => each.id)).toEqual(['m1'])
  expect(store.model.searchParameters('Patient').has('broken')).toBe(false)
})
