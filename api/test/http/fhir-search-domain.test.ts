/** Slot and Schedule, which booking makes of its own tables, in searches: chains into them and through them, `_has`, includes, elements. */
import { beforeAll, describe, expect, test } from 'vitest'
import { generateSessions, insertTemplates, registerProviders } from '../../src/booking/generate-sessions.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { clinicTemplate, doctorId, hospital } from '../support/booking-data.ts'
import { system, testPlatform, type TestReply } from '../support/platform.ts'

const { request, db, clock } = await testPlatform()

let schedules: string[] = []
let slots: string[] = []

const put = (resource: { resourceType: string; id: string; [element: string]: unknown }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
const idsOf = (reply: TestReply, mode = 'match'): string[] => (reply.json.entry ?? [])
  .filter((each: { search: { mode: string } }) => each.search.mode === mode).map((each: { resource: { id: string } }) => each.resource.id)
const get = async (query: string, mode = 'match'): Promise<string[]> => {
  const reply = await request('GET', `/fhir/${query}`, { as: system })
  expect(reply.json.issue ?? []).toEqual([])
  return idsOf(reply, mode)
}

beforeAll(async () => {
  await inTransaction(db, async (trx) => {
    await registerProviders(trx, [hospital()])
    await insertTemplates(trx, [clinicTemplate(), clinicTemplate({ weekday: 3, practitioner: 'li-na', practitioner_name_zh: '李娜', practitioner_name_en: 'Li Na', capacity: 4 })])
  })
  await generateSessions(db, '2026-11-20', 7)
  schedules = await get('Schedule?_sort=date')
  slots = await get(`Slot?schedule=${schedules[1]}`)
  const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [
    put({ resourceType: 'Practitioner', id: doctorId, name: [{ text: '陈志远' }] }), put({ resourceType: 'Practitioner', id: 'li-na', name: [{ text: '李娜' }], gender: 'female' }),
    put({ resourceType: 'Patient', id: 'zhang', name: [{ text: '张三' }] }),
    put({ resourceType: 'Task', id: 't1', status: 'requested', intent: 'plan', focus: { reference: `Slot/${slots[0]}` }, for: { reference: 'Patient/zhang' } }),
    put({ resourceType: 'Task', id: 't2', status: 'draft', intent: 'plan', focus: { reference: `Schedule/${schedules[0]}` }, for: { reference: 'Patient/zhang' } }),
    put({ resourceType: 'List', id: 'l1', status: 'current', mode: 'working', entry: [{ item: { reference: `Slot/${slots[1]}` } }] }),
  ] } })
  expect(reply.json.issue ?? []).toEqual([])
})

describe('chains', () => {
  test('into a slot, and through it', async () => {
    expect(schedules).toHaveLength(2)
    expect(await get('Task?focus:Slot.start=ge2026-11-25T00:00:00%2B08:00')).toEqual(['t1'])
    expect(await get('Task?focus:Slot.start=lt2026-11-01')).toEqual([])
    expect(await get('Task?focus:Slot.schedule.actor=Practitioner/li-na')).toEqual(['t1'])
    expect(await get('Task?focus:Slot.schedule.actor:Practitioner.gender=female')).toEqual(['t1'])
    expect(await get('Task?focus:Schedule.actor.name=陈')).toEqual(['t2'])
    expect(await get('Task?focus:Slot.schedule.actor.name=陈')).toEqual([])
  })

  test('of slots and schedules themselves', async () => {
    expect(await get('Slot?schedule.actor=Practitioner/li-na')).toEqual(slots)
    expect(await get('Slot?schedule.actor:Practitioner.name=李娜')).toEqual(slots)
    expect(await get('Schedule?actor:Practitioner.gender=female')).toEqual([schedules[1]])
    expect(await get('Schedule?actor.name=nobody')).toEqual([])
    expect(await get(`Slot?schedule.actor=Practitioner/li-na&schedule=${schedules[0]}`)).toEqual([])
  })

  test('_has, from rows and from slots', async () => {
    expect(await get('Slot?_has:Task:focus:status=requested')).toEqual([slots[0]])
    expect(await get('Slot?_has:Task:focus:patient.name=张')).toEqual([slots[0]])
    expect(await get('Practitioner?_has:Schedule:actor:date=2026-11-25')).toEqual(['li-na'])
    expect(await get('Practitioner?_has:Schedule:actor:date=2020')).toEqual([])
  })
})

test('includes and reverse includes', async () => {
  expect(await get(`Slot?_id=${slots[0]}&_include=Slot:schedule`, 'include')).toEqual([schedules[1]])
  expect((await get(`Slot?_id=${slots[0]}&_include=Slot:schedule&_include:iterate=Schedule:actor`, 'include')).sort()).toEqual([schedules[1], 'li-na'].sort())
  expect(await get(`Slot?_id=${slots[0]}&_revinclude=Task:focus`, 'include')).toEqual(['t1'])
  expect(await get(`Schedule?_id=${schedules[1]}&_revinclude=Slot:schedule`, 'include')).toEqual(slots)
  expect(await get('Practitioner?_id=li-na&_revinclude=Schedule:actor', 'include')).toEqual([schedules[1]])
  expect(await get('Task?_id=t1&_include=Task:focus', 'include')).toEqual([slots[0]])
})

test('of a compartment', async () => {
  expect(await get('Practitioner/li-na/Schedule')).toEqual([schedules[1]])
  expect(await get('Practitioner/li-na/Schedule?date=2020')).toEqual([])
  const { json } = await request('GET', `/fhir/Practitioner/${doctorId}/Schedule?_count=1`)
  expect([json.entry.length, json.link[0].url]).toEqual([1, `http://127.0.0.1:8080/fhir/Practitioner/${doctorId}/Schedule?_count=1`])
})

test('elements, meta parameters, order, pages', async () => {
  const reply = await request('GET', `/fhir/Slot?schedule.actor=Practitioner/li-na&_elements=status&_count=3`)
  expect(reply.json.entry).toHaveLength(3)
  expect(Object.keys(reply.json.entry[0].resource).sort()).toEqual(['end', 'id', 'meta', 'resourceType', 'schedule', 'start', 'status'])
  const next = reply.json.link.find((each: { relation: string }) => each.relation === 'next').url as string
  expect(next).toContain('schedule.actor=Practitioner%2Fli-na')
  expect(idsOf(await request('GET', next.replace(/^https?:\/\/[^/]+/, '')))).toEqual([slots[3]])
  expect(await get('Slot?_tag=urn:x|y')).toEqual([])
  expect(await get(`Slot?schedule=${schedules[1]}&_tag:not=urn:x|y&_sort=start`)).toEqual(slots)
})

const links = (reply: { json: { link: { relation: string; url: string }[] } }) => Object.fromEntries(reply.json.link.map(({ relation, url }) => [relation, url.replace(/^https?:\/\/[^/]+/, '')])) as Record<string, string | undefined>

test.each([['Slot', 3, 'start'], ['Schedule', 1, 'date'], ['AuditEvent', 2, '-date']] as const)('%s: pages from either end, both ways, and totals', async (type, count, order) => {
  const turned = order.startsWith('-') ? order.slice(1) : `-${order}`
  // What is asked here is noted in the audit trail too, but later.
  const scope = type === 'AuditEvent' ? `date=le${clock.now.toISOString()}` : ''
  clock.now = new Date(clock.now.getTime() + 1000)
  const all = idsOf(await request('GET', `/fhir/${type}?${scope}&_count=500`, { as: system }))
  expect(all.length).toBeGreaterThan(count)
  for (const [sort, expected] of [[order, all], [turned, all.toReversed()]] as const) {
    const first = await request('GET', `/fhir/${type}?${scope}&_sort=${sort}&_count=${count}`, { as: system })
    expect(links(first).previous).toBeUndefined()
    const pages = [first]
    for (let next = links(first).next; next !== undefined; next = links(pages.at(-1) as TestReply).next) pages.push(await request('GET', next, { as: system }))
    expect(pages.flatMap((page) => idsOf(page))).toEqual(expected)
    const back = [pages.at(-1) as TestReply]
    for (let previous = links(back[0] as TestReply).previous; previous !== undefined; previous = links(back[0] as TestReply).previous) back.unshift(await request('GET', previous, { as: system }))
    expect(back.flatMap((page) => idsOf(page))).toEqual(expected)
    expect(back.length).toBe(pages.length)
  }
  for (const asked of ['_total=accurate&_count=1', '_total=estimate&_count=1', '_count=0', '_summary=count']) {
    const { json } = await request('GET', `/fhir/${type}?${scope}&${asked}`, { as: system })
    expect([asked, json.total, json.entry?.length ?? 0]).toEqual([asked, all.length, asked.includes('_count=1') ? 1 : 0])
  }
  expect((await request('GET', `/fhir/${type}?${scope}&_tag=urn:x|y&_total=accurate`, { as: system })).json.total).toBe(0)
})

test('a page of no day of the calendar is one of the day that it would be', async () => {
  const page = Buffer.from('2026-02-31T00:00:00.000Z 01890000-0000-7000-8000-000000000000 1').toString('base64url')
  for (const type of ['Slot', 'Schedule', 'AuditEvent']) expect((await request('GET', `/fhir/${type}?_page=${page}`, { as: system })).status).toBe(200)
})

test('a Schedule says when it last changed, and is found by it', async () => {
  const { json } = await request('GET', `/fhir/Schedule/${schedules[0]}`)
  const changed = json.meta.lastUpdated as string
  expect(await get(`Schedule?_id=${schedules[0]}&_lastUpdated=le${encodeURIComponent(changed)}`)).toEqual([schedules[0]])
  expect(await get(`Schedule?_id=${schedules[0]}&_lastUpdated=gt${encodeURIComponent(changed)}`)).toEqual([])
})

test.each<[string, string]>([
  ['Slot?schedul.actor=x', 'parameter-unknown'], ['Slot?schedule.actr=x', 'parameter-unknown'], ['Task?focus:Slot.stat=free', 'parameter-unknown'], ['Slot?_sort=-status', 'parameter-invalid'], ['Slot?_total=many', 'parameter-invalid'], ['Schedule?_page=x', 'parameter-invalid'], ...['0000-01-01T00:00:00.000Z', '2026-02-31T99:00:00.000Z', '9999-12-31T23:59:59.999999Z 0'].map((at) => [`Slot?_page=${Buffer.from(`${at} 01890000-0000-7000-8000-000000000000 1`).toString('base64url')}`, 'parameter-invalid'] as [string, string]), ['Slot?_count=0&nonsense=1', 'parameter-unknown'],
  ['Slot?_include=Slot:shedule', 'parameter-invalid'], ['Slot?_lastUpdated=2026', 'parameter-unknown'], ['Slot?_tag=x&nonsense=1', 'parameter-unknown'], ['Slot?_has:Task:focuss:status=x', 'parameter-unknown'],
])('%s is refused', async (query, code) => {
  const reply = await request('GET', `/fhir/${query}`, { as: system })
  expect([reply.status, reply.json.issue?.[0]?.details.coding[0].code]).toEqual([400, code])
})
