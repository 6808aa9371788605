/** Pages while others write: every row that was there all the time comes once, forwards and backwards, by any order. */
import { beforeAll, expect, test } from 'vitest'
import { system, testPlatform, type TestReply } from '../support/platform.ts'

const { request } = await testPlatform()

const families = ['王', '李', 'Zhang', '欧阳', null]
const patient = (id: string, index: number) => ({
  resourceType: 'Patient', id, ...(index % 7 === 0 ? {} : { birthDate: `19${50 + (index % 5)}-01-0${1 + (index % 3)}` }), name: [{ given: ['三'], ...(families[index % 5] ? { family: families[index % 5] } : {}) }], ...(index % 3 === 0 ? {} : { gender: index % 2 ? 'male' : 'female' }), ...(index % 4 === 0 ? { deceasedDateTime: `200${index % 8}-01-01` } : {}),
})
const put = (resource: { resourceType: string; id: string }) => ({ resource, request: { method: 'PUT', url: `Patient/${resource.id}` } })
const bundle = (entry: object[]) => request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry } })

beforeAll(async () => {
  expect((await bundle(Array.from({ length: 90 }, (_, index) => put(patient(`stay-${index}`, index))))).status).toBe(200)
})

const idsOf = (reply: TestReply): string[] => (reply.json.entry ?? []).map((each: { resource: { id: string } }) => each.resource.id)
const linkOf = (reply: TestReply, relation: string): string | undefined =>
  reply.json.link.find((each: { relation: string }) => each.relation === relation)?.url.replace(/^https?:\/\/[^/]+/, '')

/** Where no order is asked for, what the search begins with may give it. */
const free: [string, number][] = [['&given=三', 90], ['&name=王,li,三', 90], ['&family=zhang,欧', 36], ['&death-date=ge1900-01-01', 23], ['&death-date=gt2001', 11], ['&death-date=ne2000-01-01&given=三', 11], ['&name:contains=三&gender:missing=false', 60]]
const ordered = ['', '&_sort=birthdate', '&_sort=-birthdate', '&_sort=family', '&_sort=-family,birthdate', '&_sort=birthdate,-family,_id', '&_sort=-_id', '&_sort=_lastUpdated,family', '&_sort=-_lastUpdated', '&_sort=gender,-name', '&_sort=-death-date', '&_sort=death-date,gender']

test.each([...ordered.map((sort): [string, number] => [sort, 90]), ...free])('%s', async (sort, staying) => {
  let number = 0
  const disturb = async () => {
    number++
    const gone = `brief-${sort.length}-${number - 3}`
    await bundle([
      ...[1, 2].map((each) => put(patient(`brief-${sort.length}-${number}${each === 1 ? '' : '-b'}`, number * 3 + each))),
      ...(number > 3 ? [gone, `${gone}-b`].map((id) => ({ request: { method: 'DELETE', url: `Patient/${id}` } })) : []),
    ])
  }
  const walk = async (start: TestReply, relation: 'next' | 'previous'): Promise<{ seen: string[]; last: TestReply }> => {
    const seen: string[] = []
    let reply = start
    for (;;) {
      const writing = disturb()
      const url = linkOf(reply, relation)
      await writing
      if (url === undefined) return { seen, last: reply }
      reply = await request('GET', url, { as: system })
      seen.push(...(relation === 'next' ? idsOf(reply) : idsOf(reply).reverse()))
    }
  }
  const first = await request('GET', `/fhir/Patient?_count=7${sort}`, { as: system })
  const forwards = await walk(first, 'next')
  const all = [...idsOf(first), ...forwards.seen]
  expect(new Set(all).size).toBe(all.length)
  const stayed = all.filter((id) => id.startsWith('stay'))
  expect(stayed).toHaveLength(staying)
  const backwards = await walk(forwards.last, 'previous')
  const back = [...backwards.seen].reverse().concat(idsOf(forwards.last))
  expect(new Set(back).size).toBe(back.length)
  expect(back.filter((id) => id.startsWith('stay'))).toEqual(stayed)
})
