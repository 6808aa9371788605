/** Races of plain writes on one resource: whatever the order, versions have no gap and no double, and one row is left. */
import { expect, test } from 'vitest'
import { system, testPlatform } from '../support/platform.ts'

const { request, db } = await testPlatform()

async function versionsOf(id: string): Promise<number[]> {
  const { json } = await request('GET', `/fhir/Patient/${id}/_history?_count=1000`, { as: system })
  return json.entry.map((each: { response: { etag: string } }) => Number(/\d+/.exec(each.response.etag)?.[0])).reverse()
}

test('50 writers at once on one resource make 50 consecutive versions', async () => {
  const { json: { id } } = await request('POST', '/fhir/Patient', { as: system, body: { resourceType: 'Patient', name: [{ text: '初始' }] } })
  const replies = await Promise.all(Array.from({ length: 50 }, (_, index) =>
    request('PUT', `/fhir/Patient/${id}`, { as: system, body: { resourceType: 'Patient', id, name: [{ text: `第${index}位` }] } })))
  expect(replies.map((reply) => reply.status)).toEqual(replies.map(() => 200))
  expect(new Set(replies.map((reply) => reply.headers.get('ETag'))).size).toBe(50)
  expect(await versionsOf(id)).toEqual(Array.from({ length: 51 }, (_, index) => index + 1))
  expect(await db.selectFrom('idx_string').select('val').where('rid', '=', id).where('val', 'like', '第%').execute()).toHaveLength(1)
})

test('of two writers with the same If-Match one wins and the other gets 412', async () => {
  for (let round = 0; round < 10; round++) {
    const { json: { id } } = await request('POST', '/fhir/Patient', { as: system, body: { resourceType: 'Patient' } })
    const replies = await Promise.all(['male', 'female'].map((gender) =>
      request('PUT', `/fhir/Patient/${id}`, { as: system, body: { resourceType: 'Patient', id, gender }, headers: { 'If-Match': 'W/"1"' } })))
    expect(replies.map((reply) => reply.status).sort()).toEqual([200, 412])
    expect(await versionsOf(id)).toEqual([1, 2])
  }
})

test('many PUTs that would create one id leave one row', async () => {
  const { json: { id: patient } } = await request('POST', '/fhir/Patient', { as: system, body: { resourceType: 'Patient' } })
  const replies = await Promise.all(Array.from({ length: 24 }, (_, index) => putObservation('one-id', patient, index)))
  expect(replies.filter((reply) => reply.status === 201)).toHaveLength(1)
  expect(replies.filter((reply) => reply.status === 200)).toHaveLength(23)
  await expectOneRow('one-id', 24)
})

test('that holds when each would create it in another compartment', async () => {
  const patients = await Promise.all([1, 2, 3].map(() => request('POST', '/fhir/Patient', { as: system, body: { resourceType: 'Patient' } })))
  const replies = await Promise.all(patients.map((patient, index) => putObservation('wanted-by-three', patient.json.id, index)))
  expect(replies.map((reply) => reply.status).sort()).toEqual([200, 200, 201])
  await expectOneRow('wanted-by-three', 3)
})

function putObservation(id: string, patient: string, index: number) {
  return request('PUT', `/fhir/Observation/${id}`, { as: system, body: {
    resourceType: 'Observation', id, status: 'final', code: { text: `${index}` }, subject: { reference: `Patient/${patient}` },
  } })
}

async function expectOneRow(id: string, versions: number): Promise<void> {
  const history = (await request('GET', `/fhir/Observation/${id}/_history?_count=100`, { as: system })).json
  expect(history.total).toBe(versions)
  expect((await request('GET', `/fhir/Observation?_id=${id}&_total=accurate`, { as: system })).json.total).toBe(1)
  expect((await request('GET', `/fhir/Observation/${id}`, { as: system })).json).toEqual(history.entry[0].resource)
}

test('deletes, creations and updates of one id in any order leave a history without gaps', async () => {
  await Promise.all(Array.from({ length: 40 }, (_, index) => (index % 4 === 0
    ? request('DELETE', '/fhir/Patient/restless', { as: system })
    : request('PUT', '/fhir/Patient/restless', { as: system, body: { resourceType: 'Patient', id: 'restless', name: [{ text: `n${index}` }] } }))))
  const versions = await versionsOf('restless')
  expect(versions).toEqual(versions.map((_, index) => index + 1))
  expect(versions.length).toBeGreaterThanOrEqual(30)
})

test('conditional creates of the same thing at once make one', async () => {
  const body = { resourceType: 'Organization', identifier: [{ system: 'urn:test', value: 'only-once' }], name: '只有一个' }
  const replies = await Promise.all(Array.from({ length: 8 }, () =>
    request('POST', '/fhir/Organization', { as: system, body, headers: { 'If-None-Exist': 'identifier=urn:test|only-once' } })))
  expect(replies.filter((reply) => reply.status === 201)).toHaveLength(1)
  expect(replies.every((reply) => [200, 201, 503].includes(reply.status))).toBe(true)
  expect((await request('GET', '/fhir/Organization?identifier=urn:test|only-once&_total=accurate')).json.total).toBe(1)
})

test('two transactions over the same resources in opposite order both finish', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e'].map((name) => `crossing-${name}`)
  const bundle = (list: readonly string[], said: string) => ({
    resourceType: 'Bundle', type: 'transaction',
    entry: list.map((id) => ({ resource: { resourceType: 'Patient', id, name: [{ text: said }] }, request: { method: 'PUT', url: `Patient/${id}` } })),
  })
  for (const round of [1, 2, 3]) {
    const replies = await Promise.all([
      request('POST', '/fhir', { as: system, body: bundle(ids, `there ${round}`) }),
      request('POST', '/fhir', { as: system, body: bundle([...ids].reverse(), `back ${round}`) }),
    ])
    expect(replies.map((reply) => reply.status)).toEqual([200, 200])
  }
  for (const id of ids) expect(await versionsOf(id)).toHaveLength(6)
})
