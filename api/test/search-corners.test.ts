/** Searches in which two ways of reading meet: what one of them leaves to the other must be said, and a page token keeps to the way that it came from. */
import type { Resource } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import { makeCtx } from '../src/ctx.ts'
import type { ResourceType } from '../src/fhir/resource-types.ts'
import { bulkLoad } from '../src/records/bulk-load.ts'
import { search, searchScope } from '../src/records/search/search.ts'
import { connect } from '../src/storage/pool.ts'
import { system, testPlatform } from './support/platform.ts'

type Row = Resource & { id: string }

const { db, url, services, clock } = await testPlatform()
const ctx = makeCtx(system, { now: clock.now })

async function load(rows: readonly Row[], at = clock.now): Promise<void> {
  const sink = connect(url, { max: 2 })
  await bulkLoad(sink, services.store, rows, at)
  await sink.end()
}

const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))
const measured = (id: string, patient: string, more: object = {}): Row => ({ resourceType: 'Observation', id, status: 'final', code: { text: 'needle' }, subject: { reference: `Patient/${patient}` }, effectiveDateTime: '2025-01-01T00:00:00Z', ...more })

beforeAll(async () => {
  await load([
    ...many(600, (n): Row => ({ resourceType: 'Patient', id: `q${n}`, birthDate: '1900' })), ...many(40, (n): Row => ({ resourceType: 'Patient', id: `p${n}`, name: [{ family: 'Wanted' }] })),
    ...many(120, (n) => measured(`p${n}`, `p${n % 40}`)), ...many(5_500, (n) => measured(`x${n}`, `q${n % 600}`)),
    ...many(600, (n): Row => ({ resourceType: 'ValueSet', id: `v${n}`, status: 'active', url: `http://example.org/${n % 2}|1` })),
  ])
  await sql`vacuum analyze`.execute(db)
})

async function idsOf(type: ResourceType, query: string): Promise<string[]> {
  const ids: string[] = []
  for (let params: URLSearchParams | null = new URLSearchParams(query), pages = 0; params !== null && pages < 1_000; pages++) {
    const { matches, next } = await search(db, ctx, services.store, type, params)
    ids.push(...matches.map(({ id }) => id))
    params = next
  }
  return ids
}

test.each(['', '&_sort=-date', '&_sort=date'])('what reads every row counts those of the patients that a chain found, not all%s', async (sort) => {
  expect(await idsOf('Observation', `patient.family=Wanted&_content=needle&_count=50${sort}`)).toHaveLength(120)
})

test.each(['url', '-url', 'url,-date'])('an address with a version stands once in the order of %s', async (sort) => {
  const ids = await idsOf('ValueSet', `_sort=${sort}&_count=20`)
  expect([ids.length, new Set(ids).size]).toEqual([600, 600])
})

test('what another clock has as later is found in every order', async () => {
  await load(many(5, (n): Row => ({ resourceType: 'Condition', id: `c${n}`, subject: { reference: 'Patient/q1' } })), new Date(clock.now.getTime() + 5_000))
  const since = new Date(clock.now.getTime() + 1_000).toISOString()
  for (const order of ['', '&_sort=_lastUpdated', '&_sort=-_lastUpdated']) {
    const { matches } = await searchScope(db, ctx, services.store, { types: ['Observation', 'Condition'], compartment: null }, new URLSearchParams(`_lastUpdated=ge${since}${order}`))
    expect(matches.map(({ id }) => id).sort(), order).toEqual(['c0', 'c1', 'c2', 'c3', 'c4'])
  }
})

test.each(['ge0001-01-01&_sort=_lastUpdated', 'le9999-12-31&_sort=-_lastUpdated', 'ge0001-01-01&_sort=-_lastUpdated', 'le9999-12-31&_sort=_lastUpdated'])('bounds beyond all that is stored leave nothing out: %s', async (query) => {
  expect(new Set(await idsOf('Patient', `_lastUpdated=${query}&_count=300`)).size).toBeGreaterThanOrEqual(640)
})

test('a chain that finds more patients by the next page than are read one by one goes on', async () => {
  const growing = (from: number, until: number) => many(until - from, (n) => from + n).flatMap((n): Row[] => [{ resourceType: 'Patient', id: `g${n}`, name: [{ family: 'Growing' }] }, measured(`g${n}`, `g${n}`, { valueQuantity: { value: n } })])
  await load(growing(0, 999))
  await sql`vacuum analyze`.execute(db)
  const first = await search(db, ctx, services.store, 'Observation', new URLSearchParams('patient.family=Growing&value-quantity=ge0&_count=10'))
  await load(growing(999, 1_010))
  const second = await search(db, ctx, services.store, 'Observation', first.next as URLSearchParams)
  expect(second.matches).toHaveLength(10)
  expect(new Set([...first.matches, ...second.matches].map(({ id }) => id)).size).toBe(20)
})

test('of several types, what refers to many rows is asked of each by its index', async () => {
  await load(many(2_100, (n): Row => ({ resourceType: 'Provenance', id: `t${n}`, target: [{ reference: `Observation/x${n}` }], recorded: '2025-01-01T00:00:00Z', agent: [{ who: { display: 'x' } }] })))
  await sql`vacuum analyze`.execute(db)
  const { matches } = await searchScope(db, ctx, services.store, { types: ['Observation', 'Condition'], compartment: null }, new URLSearchParams('_has:Provenance:target:recorded=ge2024&_count=30'))
  expect(matches).toHaveLength(30)
  expect(matches.every(({ id }) => id.startsWith('x') && Number(id.slice(1)) < 2_100)).toBe(true)
})

test.each(['url', '-url'])('in the order of thousands of addresses, hardly one of which fits, those that are left are sorted: %s', async (sort) => {
  const drafts = [8_400, 8_700, 8_999]
  const place = (n: number) => (sort === 'url' ? n : 8_999 - n)
  await load(many(9_000, (n): Row => ({ resourceType: 'Library', id: `l${sort}${n}`.replace('-', 'r'), status: drafts.includes(n) ? 'draft' : 'active', type: { text: sort }, url: `http://example.org/${sort}/${String(place(n)).padStart(5, '0')}` })))
  await sql`vacuum analyze`.execute(db)
  const fitting = await idsOf('Library', `_sort=${sort}&status:not=active&_count=1`)
  // What the other order left behind stands at the far end of this one.
  expect(fitting.filter((id) => id.startsWith(`l${sort}`.replace('-', 'r')))).toEqual(drafts.map((n) => `l${sort}${n}`.replace('-', 'r')))
  expect(new Set(fitting).size).toBe(fitting.length)
})
