/** Referrals over HTTP: who reads and finds them, the lists of each part, the paper of somebody else, and a PUT that is a step or nothing. */
import type { Bundle, Parameters, Task } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import { generateSessions, insertTemplates, registerProviders } from '../../src/booking/generate-sessions.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { clinicTemplate, hospital, hospitalId, plainNumbers } from '../support/booking-data.ts'
import { citizen, system, testPlatform } from '../support/platform.ts'
import { contract, doctor, gp, office, otherGp, paperIn, stranger } from '../support/referrals.ts'

const platform = await testPlatform()
const { db, request } = platform
await plainNumbers(db)
await inTransaction(db, async (trx) => {
  await registerProviders(trx, [hospital()])
  await insertTemplates(trx, [clinicTemplate({ weekday: 5 })])
})
await generateSessions(db, '2026-11-23', 14)
for (const [type, id] of [['Organization', hospitalId], ...[gp, doctor, otherGp].map((each) => ['Practitioner', each.practitioner as string])]) {
  await request('PUT', `/fhir/${type}/${id}`, { as: system, body: { resourceType: type, id, ...(type === 'Organization' ? { name: '医院' } : { name: [{ text: '陆敏' }] }) } })
}

async function referred(): Promise<{ patient: string; id: string; code: string; pin: string; task: Task }> {
  const patient = newResourceId(null)
  await request('PUT', `/fhir/Patient/${patient}`, { as: system, body: { resourceType: 'Patient', id: patient, gender: 'female', birthDate: '1980-05-01', name: [{ text: '王小明' }] } })
  await contract(db, patient)
  const reply = await request('POST', '/fhir/ServiceRequest/$refer', {
    as: gp, body: { resourceType: 'Parameters', parameter: [
      { name: 'patient', valueReference: { reference: `Patient/${patient}` } }, { name: 'organization', valueReference: { reference: `Organization/${hospitalId}` } },
      { name: 'department', valueCode: '03.04' }, { name: 'reason', valueString: '请评估' },
    ] },
  })
  expect(reply.status).toBe(200)
  const paper = paperIn(reply.json as Parameters)
  const found = await request('GET', `/fhir/Task?focus=ServiceRequest/${paper.id}`, { as: gp })
  return { patient, ...paper, task: (found.json as Bundle).entry?.[0]?.resource as Task }
}

test('GP, receiving doctor and patient read and find ServiceRequest and Task; others do not', async () => {
  const { patient, id, task, code } = await referred()
  const counts = async (as: typeof gp, query: string) => ((await request('GET', `/fhir/${query}`, { as })).json as Bundle).entry?.length ?? 0
  const queries = [`ServiceRequest?patient=Patient/${patient}&status=active`, `ServiceRequest?identifier=${code}`, `Task?patient=Patient/${patient}&status=requested`, `Task?owner=Organization/${hospitalId}&_id=${task.id}`]
  for (const query of queries) {
    for (const as of [gp, doctor, citizen(patient)]) expect(await counts(as, query), query).toBe(1)
    for (const as of [otherGp, office, citizen(newResourceId(null))]) expect(await counts(as, query), query).toBe(0)
  }
  expect((await request('GET', `/fhir/ServiceRequest/${id}`, { as: otherGp })).status).toBe(404)
})

test('each part has its list; a part that is not one\'s own is refused', async () => {
  const { patient, id } = await referred()
  const list = async (as: typeof gp, part: string) => {
    const reply = await request('GET', `/api/booking/referrals?as=${part}`, { as })
    return reply.status === 200 ? (reply.json as { id: string; steps: string[] }[]).filter((each) => each.id === id).flatMap((each) => each.steps) : reply.status
  }
  expect(await list(gp, 'gp')).toEqual(['cancel'])
  expect(await list(doctor, 'department')).toEqual(['accept', 'return', 'redirect', 'answer'])
  expect(await list(office, 'office')).toEqual(['redirect'])
  expect(await list(citizen(patient), 'patient')).toEqual(['cancel'])
  expect(await list(stranger, 'department')).toEqual([])
  expect(await list(otherGp, 'gp')).toEqual([])
  expect([await list(doctor, 'gp'), await list(gp, 'office'), await list(citizen(patient), 'office'), await list(gp, 'nobody')]).toEqual([403, 403, 403, 400])
  const audit = await db.selectFrom('audit_event').select('principal_id').where('resource_id', '=', id).where('interaction', '=', 'search-type').where('detail', '=', 'referrals').execute()
  expect(new Set(audit.map((each) => each.principal_id))).toEqual(new Set([gp.id, doctor.id, office.id]))
})

test('the paper opens for anybody signed in, and says no more than it must', async () => {
  const { code, pin } = await referred()
  expect((await request('POST', '/api/booking/referral-paper', { body: { code, pin } })).status).toBe(401)
  const reply = await request('POST', '/api/booking/referral-paper', { as: citizen(newResourceId(null)), body: { code, pin } })
  expect(reply.json).toMatchObject({ code, patientName: { zh: '王*明' }, state: 'requested', bookable: false })
  expect(Object.keys(reply.json as object).sort()).toEqual(['bookable', 'code', 'department', 'expires', 'organization', 'patientName', 'practitioner', 'state', 'stateName'])
  const wrong = await request('POST', '/api/booking/referral-paper', { as: citizen(newResourceId(null)), body: { code, pin: pin === '123456' ? '654321' : '123456' } })
  expect([wrong.status, (wrong.json as { code: string }).code]).toEqual([422, 'referral-pin-wrong'])
})

test('a PUT of the Task is a step of the table or nothing', async () => {
  const { id, task } = await referred()
  const put = async (as: typeof gp, changed: Partial<Task>) => {
    const current = (await request('GET', `/fhir/Task/${task.id}`, { as: gp })).json as Task
    return request('PUT', `/fhir/Task/${task.id}`, { as, body: { ...current, ...changed } })
  }
  expect((await put(stranger, { status: 'accepted' })).status).toBe(404)
  expect((await put(gp, { status: 'accepted' })).status).toBe(403)
  expect((await put(doctor, { status: 'failed' })).status).toBe(422)
  const accepted = await put(doctor, { status: 'accepted' })
  expect([accepted.status, (accepted.json as Task).businessStatus?.coding?.[0]?.code]).toEqual([200, 'accepted'])
  const answered = await put(doctor, { status: 'completed', output: [{ type: { text: 'answer' }, valueString: '可在社区随访' }] })
  expect(answered.json).toMatchObject({ status: 'completed', output: [{ valueString: '可在社区随访' }] })
  expect((await request('GET', `/fhir/ServiceRequest/${id}`, { as: gp })).json).toMatchObject({ status: 'completed' })
  expect((await request('DELETE', `/fhir/Task/${task.id}`, { as: gp })).status).toBe(422)
  expect((await request('PATCH', `/fhir/Task/${task.id}`, {
    as: gp, headers: { 'Content-Type': 'application/json-patch+json' }, body: JSON.stringify([{ op: 'replace', path: '/status', value: 'requested' }]),
  })).status).toBe(409)
})
