/**
 * Searches by code, by text of a code and by who did it, in the order of the clinical date: each page from either end against a plain loop over the resources, for
 * what few and what many have, several codes of one resource and of its components, texts beside one code, several or none, equal dates, long periods
 * and none, before and after all this is stored by date.
 */
import type { Observation, Practitioner } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import { makeCtx } from '../src/ctx.ts'
import { keyOf } from '../src/fhir/id.ts'
import { typeCode } from '../src/fhir/resource-types.ts'
import { bulkLoad } from '../src/records/bulk-load.ts'
import { reindexChanged } from '../src/records/reindex.ts'
import { linkKey } from '../src/records/search/keys.ts'
import { search } from '../src/records/search/search.ts'
import { connect, type Db, openDb } from '../src/storage/pool.ts'
import { system, testPlatform } from './support/platform.ts'

const { db, url, services, clock, request } = await testPlatform()
const ctx = makeCtx(system, { now: clock.now })
const seed = Number(process.env.TEST_SEED ?? 20261127)
const dayMs = 24 * 3_600_000
const first = Date.parse('2025-01-01T00:00:00Z')
const days = 200

interface Entry { id: string; codings: readonly (readonly [string, string])[]; text: string | null; performers: readonly string[]; parts: readonly string[]; lo: number | null; hi: number | null; status: 'final' | 'amended' }
const entries: Entry[] = []

function observationOf({ id, codings, text, performers, parts, lo, hi, status }: Entry): Observation & { id: string } {
  const at = (time: number) => new Date(time).toISOString()
  const ofTime = lo === null || hi === null ? {} : hi - lo < 1000 ? { effectiveInstant: at(lo) } : { effectivePeriod: { start: at(lo), end: at(hi) } }
  return {
    resourceType: 'Observation', id, status, code: { ...(codings.length === 0 ? {} : { coding: codings.map(([system, code]) => ({ system, code, display: displayOf(code) })) }), ...(text === null ? {} : { text }) }, ...ofTime,
    ...(performers.length === 0 ? {} : { performer: performers.map((reference) => ({ reference })) }),
    ...(parts.length === 0 ? {} : { component: parts.map((code) => ({ code: { coding: [{ system: 'urn:a', code }] } })) }),
  }
}

/** Codes `c1` and `second` share a text. */
const displayOf = (code: string) => (code === 'second' ? 'Display c1' : `Display ${code}`)

beforeAll(async () => {
  let state = seed
  const random = (of: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * of)
  }
  for (let n = 0; n < 1_500; n++) {
    const lo = random(12) === 0 ? null : first + random(days) * dayMs
    const length = random(15) === 0 ? (random(100) + 2) * dayMs : 0
    const main = random(100) < 3 ? 'rare' : `c${random(3)}`
    const codings: [string, string][] = random(40) === 0 ? [] : [[random(4) === 0 ? 'urn:b' : 'urn:a', main], ...(random(3) === 0 ? [['urn:b', 'second'] as [string, string]] : []), ...(random(20) === 0 ? [['urn:c', main] as [string, string]] : [])]
    const text = codings.length === 0 || random(10) === 0 ? ['seldom said', 'often said'][Number(random(4) > 0)] as string : null
    const doctor = random(30) === 0 ? 'few' : 'many'
    const performers = random(3) === 0 ? [] : [`Practitioner/${doctor}`, ...(random(doctor === 'few' ? 2 : 25) === 0 ? ['Practitioner/third'] : []), ...(random(8) === 0 ? ['Organization/many'] : []), ...(random(40) === 0 ? ['https://other.example/Practitioner/few'] : [])]
    entries.push({ id: `o${n}`, codings, text, performers, parts: random(5) === 0 ? ['part', ...(random(2) === 0 ? ['rare'] : [])] : [], lo, hi: lo === null ? null : lo + length, status: random(4) === 0 ? 'amended' : 'final' })
  }
  const sink = connect(url, { max: 3 })
  await bulkLoad(sink, services.store, [
    ...['few', 'many', 'third'].map((id): Practitioner & { id: string } => ({ resourceType: 'Practitioner', id, name: [{ family: id === 'many' ? 'Alone' : 'Shared', given: ['All'] }] })), ...entries.map(observationOf),
  ], clock.now)
  await sink.end()
  await sql`vacuum analyze resource`.execute(db)
})

const asked = fc.record({
  what: fc.oneof(
    fc.record({ param: fc.constantFrom('code', 'code', 'combo-code', 'component-code'), values: fc.subarray(['rare', 'c0', 'second', 'part', 'urn:a|c1', 'urn:b|rare', 'urn:c|', 'none'], { minLength: 1, maxLength: 3 }) }),
    fc.record({ param: fc.constantFrom('code:text', 'code:text', 'combo-code:text'), values: fc.subarray(['display', 'display rare', 'c1', 'said', 'seldom', 'nothing'], { minLength: 1, maxLength: 2 }) }),
    fc.record({ param: fc.constant('performer:Practitioner.name'), values: fc.constantFrom(['All'], ['Shared'], ['Shared'], ['Shared', 'Alone'], ['Nobody']) }),
    fc.record({ param: fc.constant('performer'), values: fc.subarray(['Practitioner/few', 'Practitioner/many', 'few', 'many', 'Organization/many', 'https://other.example/Practitioner/few', 'nobody'], { minLength: 1, maxLength: 2 }) }),
  ),
  order: fc.constantFrom('', '-date', 'date'), status: fc.constantFrom(null, null, 'final'), count: fc.constantFrom(3, 7, 40, 1000),
  window: fc.constantFrom(null, null, 'ge', 'lt', 'both'), from: fc.integer({ min: -5, max: days + 5 }), span: fc.constantFrom(1, 20, 90),
})
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never

/** Doctors that a chain finds, by the order in which their entries come. */
function chained(names: readonly string[]): string[] {
  const doctors = ['few', 'many', 'third'].filter((id) => names.some((name) => name === 'All' || (name === 'Alone' && id === 'many') || (name === 'Shared' && id !== 'many')))
  return doctors.sort((one, other) => (linkKey(0n, keyOf(one)) < linkKey(0n, keyOf(other)) ? -1 : 1)).map((id) => `Practitioner/${id}`)
}

function matches(entry: Entry, { what: { param, values }, status, window, from, span }: Asked): boolean {
  const has = (list: readonly (readonly [string, string])[]) => values.some((each) => {
    const [system, code] = each.includes('|') ? each.split('|') as [string, string] : [null, each]
    return list.some((coding) => (system === null || coding[0] === system) && (code === '' || coding[1] === code))
  })
  const parts = entry.parts.map((code) => ['urn:a', code] as const)
  if (status !== null && entry.status !== status) return false
  const texts = [...entry.codings.map(([, code]) => displayOf(code)), ...(entry.text === null ? [] : [entry.text])].map((each) => each.toLowerCase())
  const said = () => values.some((each) => texts.some((text) => text.startsWith(each) || text.includes(` ${each}`)))
  const did = () => values.some((each) => entry.performers.some((performer) => (each.includes('/') ? performer === each : performer.endsWith(`/${each}`) && !performer.startsWith('https:'))))
  if (param.startsWith('performer:') ? !entry.performers.some((each) => chained(values).includes(each)) : param === 'performer' ? !did() : param.endsWith(':text') ? !said() : !has(param === 'code' ? entry.codings : param === 'component-code' ? parts : [...entry.codings, ...parts])) return false
  if (window === null) return true
  const [begin, end] = [first + from * dayMs, first + (from + span) * dayMs]
  if (entry.lo === null || entry.hi === null) return false
  const ge = entry.hi > begin + 999 || entry.lo >= begin
  return window === 'ge' ? ge : window === 'lt' ? entry.lo < end : ge && entry.lo < end
}

async function compare(on: Db, query: Asked, stored: boolean): Promise<number> {
  const { what: { param, values }, order, status, count, window, from, span } = query
  const instant = (day: number) => `${new Date(first + day * dayMs).toISOString().slice(0, 19)}Z`
  const text = [`${param}=${values.join(',')}`, `_count=${count}`, ...(order === '' ? [] : [`_sort=${order}`]), ...(status === null ? [] : [`status=${status}`]),
    ...(window === 'ge' || window === 'both' ? [`date=ge${instant(from)}`] : []), ...(window === 'lt' || window === 'both' ? [`date=lt${instant(from + span)}`] : [])].join('&')
  const page = (params: URLSearchParams) => search(on, ctx, services.store, 'Observation', params)
  const pages = [await page(new URLSearchParams(text))]
  for (let next = pages[0]?.next ?? null; next !== null; next = pages.at(-1)?.next ?? null) pages.push(await page(next))
  const back = [pages.at(-1) as (typeof pages)[number]]
  for (let previous = back[0]?.previous ?? null; previous !== null; previous = back[0]?.previous ?? null) back.unshift(await page(previous))
  const ids = (all: typeof pages) => all.flatMap((each) => each.matches.map(({ id }) => id))
  const down = order !== 'date'
  // What has no date is first where the newest is, and last where the oldest is; equal dates lie by key.
  // What most rows have is found along the date index.
  const doctors = stored && param.startsWith('performer:') && values.join() === 'Shared' && order === '' && window !== 'ge' && window !== 'both' ? chained(values) : []
  const groupOf = ({ performers }: Entry) => doctors.findIndex((each) => performers.includes(each))
  const placeOf = ({ lo, id }: Entry): [number, string] => [lo === null ? Number.NEGATIVE_INFINITY : -lo, keyOf(id)]
  const expected = entries.filter((each) => matches(each, query)).sort((one, other) => {
    const [a, b] = [placeOf(one), placeOf(other)]
    if (groupOf(one) !== groupOf(other)) return groupOf(one) - groupOf(other)
    return (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : 1) * (down ? 1 : -1)
  }).map(({ id }) => id)
  expect(ids(pages)).toEqual(expected)
  expect(ids(back)).toEqual(expected)
  return expected.length
}

async function all(on: Db, stored: boolean): Promise<number> {
  let found = 0
  await fc.assert(fc.asyncProperty(asked, async (query) => { found += await compare(on, query, stored) }), { seed, numRuns: 250 })
  return found
}

test('while the codes of a type are not stored by date, they are found as any other token', async () => {
  await db.deleteFrom('reindex').where('t', '=', typeCode('Observation')).execute()
  expect(await all(db, false)).toBeGreaterThan(1000)
}, 120_000)

test('stored by date, every page from either end is what a loop over all finds, in the order of the date', async () => {
  await reindexChanged(db, ctx, services.store)
  // A search looks every ten seconds whether a type is done; another pool looks at once.
  const fresh = openDb(url, { max: 2 })
  expect(await all(fresh, true)).toBeGreaterThan(1000)
  await fresh.destroy()
}, 120_000)

test('a code that is changed, given a date or deleted is found where it stands now', async () => {
  const of = async (code: string) => (await request('GET', `/fhir/Observation?code=${code}&_sort=-date&_count=50`, { as: system })).json.entry?.map((each: { resource: { id: string } }) => each.resource.id) ?? []
  const make = (codes: string[], date: string | null) => ({ resourceType: 'Observation', id: 'moved', status: 'final', code: { coding: codes.map((code) => ({ system: 'urn:x', code })) }, ...(date === null ? {} : { effectiveDateTime: date }) })
  const put = async (body: object) => expect((await request('PUT', '/fhir/Observation/moved', { as: system, body })).status).toBeLessThan(300)
  await put({ ...make(['x1'], '2025-03-03') })
  await request('PUT', '/fhir/Observation/stays', { as: system, body: { ...make(['x1', 'x2'], '2025-02-02'), id: 'stays' } })
  expect([await of('x1'), await of('x2')]).toEqual([['moved', 'stays'], ['stays']])
  await put(make(['x1'], '2025-01-01'))
  expect(await of('x1')).toEqual(['stays', 'moved'])
  await put(make(['x1'], null))
  expect(await of('x1')).toEqual(['moved', 'stays'])
  await put(make(['x2'], '2025-06-01'))
  expect([await of('x1'), await of('x2')]).toEqual([['stays'], ['moved', 'stays']])
  expect((await request('DELETE', '/fhir/Observation/moved', { as: system })).status).toBe(204)
  expect([await of('x1'), await of('x2')]).toEqual([['stays'], ['stays']])
})
