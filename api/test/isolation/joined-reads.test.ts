/** Reads that arrive together share statements, never decisions: everybody gets their own answer, and every answered read its audit row. */
import { expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { keyOf, shardOf } from '../../src/fhir/id.ts'
import { citizen, clinician, system, testPlatform } from '../support/platform.ts'

const { request, db, clock } = await testPlatform()

async function createdId(type: string, body: object): Promise<string> {
  return (await request('POST', `/fhir/${type}`, { as: system, body: { resourceType: type, ...body } })).json.id
}

async function reads(principalId: string): Promise<{ resource_id: string | null; request_id: string }[]> {
  return db.selectFrom('audit_event').select(['resource_id', 'request_id']).where('interaction', '=', 'read').where('principal_id', '=', principalId).execute()
}

test('of many callers who read the same rows at once, each sees what they may see and no more', async () => {
  const patients = await Promise.all([0, 1, 2].map(() => createdId('Patient', {})))
  const observations = await Promise.all(patients.map((id) => createdId('Observation', { status: 'final', code: { text: 'x' }, subject: { reference: `Patient/${id}` } })))
  const doctor = await createdId('Practitioner', {})
  const [first = '', second = ''] = patients
  await db.insertInto('care_relation').values({
    shard: shardOf(second), pid: second, practitioner: keyOf(doctor), organization: keyOf('o'), reason: 'appointment', reason_id: keyOf('a'),
    from_at: new Date(clock.now.getTime() - 1000), until_at: new Date(clock.now.getTime() + 1000),
  }).execute()
  const callers: { as: Principal; sees: readonly number[] }[] = [
    { as: citizen(first), sees: [0] }, { as: citizen(second), sees: [1] }, { as: clinician(doctor, 'o'), sees: [1] },
    { as: { ...system, id: 'all' }, sees: [0, 1, 2] }, { as: { ...system, id: 'none', scopes: ['system/Condition.r', 'system/Observation.s'] }, sees: [] },
    // The same person in another role, and the same client with other scopes, are other callers.
    { as: { ...citizen(first), role: 'scheduler' }, sees: [] }, { as: { ...system, id: 'all', scopes: ['system/Patient.r'] }, sees: [] },
  ]
  const asked = Array.from({ length: 6 }).flatMap(() => callers.flatMap((caller) => observations.map((id, index) => ({ ...caller, id, index }))))
  const replies = await Promise.all(asked.map(({ as, id }) => request('GET', `/fhir/Observation/${id}`, { as })))
  for (const [at, { status, json }] of replies.entries()) {
    const { sees, index, id } = asked[at] as (typeof asked)[number]
    if (sees.includes(index)) expect([status, json.id]).toEqual([200, id])
    else expect([403, 404]).toContain(status)
  }
  const answered = new Map<string, string[]>()
  for (const [at, { status, headers }] of replies.entries()) {
    const { as } = asked[at] as (typeof asked)[number]
    if (status === 200) answered.set(as.id, [...answered.get(as.id) ?? [], headers.get('X-Request-Id') ?? ''])
  }
  for (const id of new Set(callers.map(({ as }) => as.id))) {
    expect((await reads(id)).map((row) => row.request_id).sort()).toEqual((answered.get(id) ?? []).sort())
  }
})

test('an id of a client, a moved entry, what is gone and what never was are found as before, also in one batch', async () => {
  const [one, other] = await Promise.all([createdId('Patient', {}), createdId('Patient', {})])
  const body = (patient: string | undefined, id?: string) => ({ resourceType: 'Condition', ...(id ? { id } : {}), subject: { reference: `Patient/${patient}` } })
  await request('PUT', '/fhir/Condition/chosen-id', { as: system, body: body(one, 'chosen-id') })
  const moved = await createdId('Condition', body(one))
  expect((await request('PUT', `/fhir/Condition/${moved}`, { as: system, body: body(other, moved) })).status).toBe(200)
  const deleted = await createdId('Condition', body(one))
  await request('DELETE', `/fhir/Condition/${deleted}`, { as: system })
  const ids = ['chosen-id', moved, deleted, 'never-was', 'chosen-id']
  const replies = await Promise.all(ids.map((id) => request('GET', `/fhir/Condition/${id}`, { as: system })))
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 410, 404, 200])
  expect(replies[1]?.json.subject.reference).toBe(`Patient/${other}`)
})

test('everybody may read the directory, and it leaves no row', async () => {
  const id = await createdId('Organization', { name: '公共' })
  const replies = await Promise.all([system, anonymous, citizen('p')].map((as) => request('GET', `/fhir/Organization/${id}`, as === anonymous ? {} : { as })))
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(await db.selectFrom('audit_event').select('id').where('resource_id', '=', id).where('interaction', '=', 'read').execute()).toEqual([])
})
