/** Check-in at the desk or the machine: the person has to be the patient; then the numbers of the hall follow. */
import type { Patient } from '@medplum/fhirtypes'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Principal } from '../src/access/principal.ts'
import { isSamePerson, maskedName } from '../src/booking/identity.ts'
import { callNext } from '../src/booking/queue.ts'
import { residentId, residentIdSystem } from '../src/fhir/resident-id.ts'
import { loadResource } from '../src/records/read-resource.ts'
import { writeResources } from '../src/records/write-resources.ts'
import { inTransaction } from '../src/storage/transaction.ts'
import { clinicTemplate, hospitalId } from './support/booking-data.ts'
import { openDesk } from './support/booking-desk.ts'
import { citizen as citizenOf, system, testPlatform } from './support/platform.ts'

const { db, request, clock } = await testPlatform()
const desk = openDesk(db)
const departments = ['03.01', '03.02', '03.03', '03.04', '03.05', '03.06', '03.07', '03.08', '04.01', '04.02', '04.03', '04.04']
const deskOf = (organization: string): Principal => ({ ...citizenOf(''), id: `account-${organization}`, role: 'scheduler', patient: null, organization, organizationName: '医院' })
const registrar = deskOf(hospitalId)
const numbers = Array.from({ length: 30 }, (_, index) => residentId(`99990119800501${String(100 + index)}`))

let department = ''
let session = ''
let person: Principal
let document = ''

beforeEach(async () => {
  at('07:30')
  department = departments.shift() as string
  session = (await desk.sessions(clinicTemplate({ capacity: 12, segment_minutes: 60, department })))[0] as string
  ;[person, document] = await patient('王小明')
})

describe('at the desk', () => {
  test('name and document are those of the patient: a number, and the same one when asked again', async () => {
    const id = await book()
    expect(await arrive({ code: `pujiang:appointment:${id}`, name: '王小明', document })).toMatchObject({ status: 200, json: { number: 1, name: '王*明', again: false, doctor: { zh: '陈志远' } } })
    expect(await arrive({ code: id.replaceAll('-', '').slice(-6).toUpperCase(), name: '王 小明', document: document.toLowerCase() })).toMatchObject({ status: 200, json: { number: 1, again: true } })
    expect(await arrive({ name: '王小明', document })).toMatchObject({ status: 200, json: { appointment: id, number: 1 } })
  })

  test.each([['another name', { name: '王大明' }], ['another document', { document: 'other' }], ['no name to speak of', { name: ' ' }]])('%s is refused with its own code, and nothing changes', async (_what, wrong) => {
    const id = await book()
    const [, other] = await patient('李四')
    const wish = { code: `pujiang:appointment:${id}`, name: '王小明', document, ...wrong }
    const answer = await arrive({ ...wish, document: wish.document === 'other' ? other : wish.document })
    expect(answer).toMatchObject({ status: 422, json: { code: 'identity-mismatch' } })
    expect(answer.text).not.toMatch(/王小明|9999/)
    expect(await db.selectFrom('booking').select('state').where('appointment', '=', id).execute()).toEqual([{ state: 'booked' }])
    expect(await db.selectFrom('queue_ticket').select('number').where('session_id', '=', session).execute()).toEqual([])
  })

  test('somebody without an appointment, of another hospital or of another day finds nothing', async () => {
    const [, other] = await patient('李四')
    expect(await arrive({ name: '李四', document: other })).toMatchObject({ status: 422, json: { code: 'check-in-nothing' } })
    const id = await book()
    expect(await arrive({ code: `pujiang:appointment:${id}`, name: '王小明', document }, deskOf('another-hospital'))).toMatchObject({ json: { code: 'check-in-nothing' } })
    expect(await arrive({ code: 'pujiang:appointment:../../x', name: '王小明', document })).toMatchObject({ json: { code: 'check-in-nothing' } })
    clock.now = new Date('2026-11-22T09:00:00+08:00')
    expect(await arrive({ name: '王小明', document }, registrar, false)).toMatchObject({ json: { code: 'check-in-nothing' } })
    expect(await arrive({ code: `pujiang:appointment:${id}`, name: '王小明', document }, registrar, false)).toMatchObject({ json: { code: 'check-in-closed' } })
  })

  test('is for the desk of a hospital only; a body without a document is refused', async () => {
    expect(await arrive({ name: '王小明', document }, person)).toMatchObject({ status: 403 })
    expect(await arrive({ name: '王小明' })).toMatchObject({ status: 400, json: { code: 'parameter-invalid' } })
  })

  test('two machines at once give one number', async () => {
    const id = await book()
    const answers = await Promise.all([1, 2, 3].map(() => arrive({ code: `pujiang:appointment:${id}`, name: '王小明', document })))
    expect(answers.map((each) => each.json.number)).toEqual([1, 1, 1])
  })
})

test('$check-in by the desk needs the document as well', async () => {
  const id = await book()
  expect(await desk.run(registrar, '$check-in', {}, { id })).toBe('required')
  const named = (name: string) => request('POST', `/fhir/Appointment/${id}/$check-in`, {
    as: registrar, body: { resourceType: 'Parameters', parameter: [{ name: 'name', valueString: name }, { name: 'document', valueString: document }] },
  })
  clock.now = desk.clock.now
  expect((await named('别人')).json.issue[0].details.coding[0].code).toBe('identity-mismatch')
  expect((await named('王小明')).json.status).toBe('checked-in')
})

test('the hall shows numbers that are called, wait and are done, to everybody and without a name', async () => {
  const [second, secondDocument] = await patient('张三')
  await Promise.all([book(person, 1), book(second, 2)])
  expect(await hall()).toMatchObject([{ called: [], next: [], waiting: 0, done: 0, expected: 2 }])
  await arrive({ name: '王小明', document })
  await arrive({ name: '张三', document: secondDocument })
  expect(await hall()).toMatchObject([{ next: [1, 2], waiting: 2, expected: 0 }])
  await inTransaction(db, (trx) => callNext(trx, desk.ctx(registrar), desk.store, session))
  expect(await hall()).toMatchObject([{ called: [1], next: [2], waiting: 1, done: 0 }])
  const screen = await request('GET', `/api/booking/hall?organization=${hospitalId}`)
  expect(screen.text).not.toMatch(/王|张三|Patient|9999/)
  expect((await request('GET', '/api/booking/hall')).json.code).toBe('parameter-invalid')
  expect((await request('GET', '/api/booking/hall?organization=none')).status).toBe(404)
})

test('names and documents are compared as people write them', () => {
  const stored: Patient = { resourceType: 'Patient', name: [{ text: '阿依古丽·买买提' }, { text: 'Ayguli Memet' }], identifier: [{ system: residentIdSystem, value: '99990119800501123X' }] }
  for (const name of ['阿依古丽·买买提', '阿依古丽・买买提', '阿依古丽买买提', 'AYGULI MEMET']) expect(isSamePerson(stored, { name, document: '９９９９０１１９８００５０１１２３x' }), name).toBe(true)
  for (const name of ['阿依古丽', '', '·']) expect(isSamePerson(stored, { name, document: '99990119800501123X' }), name).toBe(false)
  expect(isSamePerson(stored, { name: '阿依古丽·买买提', document: '' })).toBe(false)
  expect(isSamePerson(null, { name: '', document: '' })).toBe(false)
  expect(['王', '王明', '王小明', '欧阳小明'].map(maskedName)).toEqual(['*', '王*', '王*明', '欧**明'])
})

function at(time: string): void {
  desk.clock.now = new Date(`2026-11-23T${time}:00+08:00`)
}

/** A citizen with a name and a resident number. */
async function patient(name: string): Promise<[Principal, string]> {
  const [found] = await desk.citizens(1) as [Principal]
  const number = numbers.shift() as string
  const id = found.patient as string
  const stored = await loadResource<Patient>(db, 'Patient', id) as Patient
  const resource: Patient = { ...stored, name: [{ use: 'official', text: name }], identifier: [{ system: residentIdSystem, value: number }] }
  await inTransaction(db, (trx) => writeResources(trx, desk.ctx(system), desk.store, [{ method: 'update', type: 'Patient', id, resource, ifMatch: null }], 'platform'))
  return [found, number]
}

async function book(as: Principal = person, no = 1): Promise<string> {
  const answer = await desk.run(as, '$book', { slot: `${session}-${no}`, patient: as.patient as string })
  if (typeof answer === 'string') throw new Error(answer)
  return answer.id as string
}

function arrive(body: object, as: Principal = registrar, now = true) {
  if (now) clock.now = desk.clock.now
  return request('POST', '/api/booking/arrivals', { as, body })
}

async function hall() {
  clock.now = desk.clock.now
  return (await request('GET', `/api/booking/hall?organization=${hospitalId}&department=${department}`)).json.clinics
}
