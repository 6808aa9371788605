/** What bulkLoad stores is what writeResources would have stored. */
import { afterAll, expect, test } from 'vitest'
import type { Resource } from '@medplum/fhirtypes'
import { newResourceId, shardOf } from '../src/fhir/id.ts'
import { bulkLoad } from '../src/records/bulk-load.ts'
import { connect } from '../src/storage/pool.ts'
import { system, testPlatform } from './support/platform.ts'

const { request, url, services, db, clock } = await testPlatform()
const sql = connect(url, { max: 6 })
afterAll(() => sql.end())

test('bulk-loaded resources are read, found and updated like any other', async () => {
  const patient = newResourceId(77)
  const resources: Resource[] = [
    { resourceType: 'Patient', id: patient, name: [{ text: '王\t"芳\\' }], birthDate: '1990-01-02' },
    { resourceType: 'Patient', id: 'chosen-by-hand', name: [{ text: '李四' }] },
    ...Array.from({ length: 2500 }, (_, index): Resource => ({
      resourceType: 'Observation', id: newResourceId(shardOf(patient)), status: 'final', code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
      subject: { reference: `Patient/${patient}` }, effectiveDateTime: `2024-01-01T00:00:${String(index % 60).padStart(2, '0')}+08:00`, valueQuantity: { value: index, unit: '/min' },
    })),
  ]
  const totals = await bulkLoad(sql, services.store, resources, clock.now)
  expect(Object.fromEntries(totals)).toEqual({ Patient: 2, Observation: 2500 })
  expect((await request('GET', `/fhir/Patient/${patient}`, { as: system })).json).toMatchObject({ name: [{ text: '王\t"芳\\' }], meta: { versionId: '1' } })
  expect((await request('GET', '/fhir/Patient/chosen-by-hand', { as: system })).json.name).toEqual([{ text: '李四' }])
  const found = await request('GET', `/fhir/Observation?subject=Patient/${patient}&code=http://loinc.org|8867-4&value-quantity=gt2497&_total=accurate`, { as: system })
  expect(found.json.total).toBe(2)
  const updated = await request('PUT', '/fhir/Patient/chosen-by-hand', { as: system, body: { resourceType: 'Patient', id: 'chosen-by-hand', active: true } })
  expect(updated.headers.get('ETag')).toBe('W/"2"')
  expect(await db.selectFrom('idx_string').selectAll().where('val', '=', '李四').execute()).toEqual([])
})

test('a resource that is there already fails the load', async () => {
  await expect(bulkLoad(sql, services.store, [{ resourceType: 'Patient', id: 'chosen-by-hand' }, { resourceType: 'Patient', id: 'not-stored' }], clock.now)).rejects.toThrow(/Patient\/chosen-by-hand/)
  expect((await request('GET', '/fhir/Patient/chosen-by-hand', { as: system })).json.meta.versionId).toBe('2')
  expect((await request('GET', '/fhir/Patient/not-stored', { as: system })).status).toBe(404)
})
