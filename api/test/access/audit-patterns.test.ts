/** Each pattern that the audit administrator is shown: met once by looks that should be asked about, and not by others like them. */
import { beforeAll, expect, test } from 'vitest'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { recordEvents } from '../../src/audit/record-event.ts'
import { makeCtx } from '../../src/ctx.ts'
import { keyOf } from '../../src/fhir/id.ts'
import { clinician, system, testPlatform } from '../support/platform.ts'

const { request, db, clock } = await testPlatform({ now: new Date('2026-11-23T12:00:00+08:00') })
const auditor: Principal = { ...anonymous, kind: 'person', id: 'auditor', name: '曹瑛', role: 'admin-audit' }
const doctor = (id: string, name = id): Principal => clinician(id, 'hospital', name)
const patients: string[] = []

async function make(body: { resourceType: string } & Record<string, unknown>): Promise<string> {
  const reply = await request('POST', `/fhir/${body.resourceType}`, { as: system, body })
  expect(reply.status).toBe(201)
  return reply.json.id
}

/** As the log has it; `at` in the city's time. */
async function looked(who: Principal, at: string, whom: readonly string[], { outcome = 200 } = {}): Promise<void> {
  await recordEvents(db, makeCtx(who, { now: new Date(`${at}+08:00`) }), whom.map((patient) => ({
    action: 'R', interaction: 'read', resourceType: 'Patient', resourceId: patient, pid: keyOf(patient), detail: null, outcome,
  })))
}

beforeAll(async () => {
  for (let n = 0; n < 40; n++) patients.push(await make({ resourceType: 'Patient', name: [{ text: n === 0 ? '王小兰' : `病人${n}` }] }))
  const [named = '', , , , , , there = ''] = patients
  await looked(doctor('namesake', '王小兰'), '2026-11-22T10:00:00', [named])
  await looked(doctor('many'), '2026-11-22T10:10:00', patients.slice(0, 31))
  await looked(doctor('busy'), '2026-11-22T10:10:00', patients.slice(0, 30))
  await looked(doctor('knocking'), '2026-11-22T11:00:00', [named, named, named], { outcome: 404 })
  await looked(doctor('mistaken'), '2026-11-22T11:00:00', [named, named], { outcome: 404 })
  // Before and after midnight is one night; the evening is none.
  await looked(doctor('owl'), '2026-11-21T23:30:00', patients.slice(1, 3))
  await looked(doctor('owl'), '2026-11-22T05:59:00', patients.slice(3, 4))
  await looked(doctor('late'), '2026-11-22T21:59:00', patients.slice(1, 9))
  await looked(doctor('early'), '2026-11-22T06:00:00', patients.slice(1, 9))
  await looked(doctor('two-nights'), '2026-11-21T23:30:00', patients.slice(1, 3))
  await looked(doctor('two-nights'), '2026-11-22T23:30:00', patients.slice(3, 4))
  // Who is in the ward at night is seen there.
  await make({ resourceType: 'Encounter', status: 'in-progress', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' }, subject: { reference: `Patient/${there}` }, period: { start: '2026-11-20T08:00:00+08:00' } })
  await looked(doctor('ward'), '2026-11-22T02:00:00', [there, ...patients.slice(1, 3)])
  await looked({ ...anonymous, kind: 'client', id: 'his', name: 'HIS', scopes: ['system/*.rs'] }, '2026-11-22T02:00:00', patients)
})

test('each pattern names whom it is about, how often, and nobody else', async () => {
  const reply = await request('GET', '/api/audit/review', { as: auditor })
  expect(reply.status).toBe(200)
  const found = reply.json.anomalies.filter(({ kind }: { kind: string }) => kind !== 'no-visit').map(({ kind, account, count, patient }: { kind: string; account: string; count: number; patient: string | null }) => [kind, account, count, patient])
  expect(found).toEqual([
    ['own-name', doctor('namesake').id, 1, patients[0]], ['many-records', doctor('many').id, 31, null], ['night', doctor('owl').id, 3, null], ['refused', doctor('knocking').id, 3, patients[0]],
  ])
  clock.now = new Date('2026-12-05T12:00:00+08:00')
  expect((await request('GET', '/api/audit/review', { as: auditor })).json.anomalies).toEqual([])
  expect((await request('GET', '/api/audit/review?day=2026-11-23', { as: auditor })).json.anomalies).toHaveLength(4)
})
