/**
 * `_sort` by codes and addresses: each page from either end against a plain loop, alone and with the clinical date behind, for codes that nearly all rows have and codes that one has, rows
 * of several codes and of none, and other conditions that leave many rows or few.
 */
import type { Observation, ValueSet } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import { makeCtx } from '../src/ctx.ts'
import { keyOf } from '../src/fhir/id.ts'
import type { ResourceType } from '../src/fhir/resource-types.ts'
import { bulkLoad } from '../src/records/bulk-load.ts'
import { search } from '../src/records/search/search.ts'
import { connect } from '../src/storage/pool.ts'
import { system, testPlatform } from './support/platform.ts'

const { db, url, services, clock } = await testPlatform()
const ctx = makeCtx(system, { now: clock.now })
const seed = Number(process.env.TEST_SEED ?? 20261128)

interface Entry { id: string; patient: string; status: 'final' | 'amended' | 'registered'; codes: string[]; categories: string[]; day: number | null }
const entries: Entry[] = []
const addresses: { id: string; url: string | null; status: 'active' | 'draft' }[] = []

beforeAll(async () => {
  let state = seed
  const random = (of: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * of)
  }
  const some = (most: number, one: () => string): string[] => [...new Set(Array.from({ length: random(most + 1) }, one))]
  for (let n = 0; n < 2_500; n++) {
    entries.push({
      id: `o${n}`, patient: `p${random(40)}`, status: random(20) === 0 ? 'amended' : random(300) === 0 ? 'registered' : 'final', day: random(10) === 0 ? null : random(300),
      // Few are very frequent, many seldom; upper case stands before lower.
      codes: ['a', ...some(2, () => 'x')].map(() => `${random(2) ? 'c' : 'C'}${Math.floor(400 * (random(1_000) / 1_000) ** 4)}`), categories: some(2, () => `k${random(3)}`),
    })
  }
  for (let n = 0; n < 700; n++) addresses.push({ id: `v${n}`, url: random(8) === 0 ? null : `http://example.org/${random(500)}`, status: random(3) ? 'active' : 'draft' })
  const sink = connect(url, { max: 3 })
  await bulkLoad(sink, services.store, [
    ...entries.map(({ id, patient, status, codes, categories, day }): Observation & { id: string } => ({
      resourceType: 'Observation', id, status, subject: { reference: `Patient/${patient}` }, code: { coding: codes.map((code) => ({ code })) },
      ...(categories.length === 0 ? {} : { category: categories.map((code) => ({ coding: [{ code }] })) }), ...(day === null ? {} : { effectiveDateTime: new Date(Date.UTC(2025, 0, 1 + day)).toISOString() }),
    })),
    ...addresses.map(({ id, url: address, status }): ValueSet & { id: string } => ({ resourceType: 'ValueSet', id, status, ...(address === null ? {} : { url: address }) })),
  ], clock.now)
  await sink.end()
  await sql`vacuum analyze resource`.execute(db)
})

/** All ids from the first page to the last, and back. */
async function pagesOf(type: ResourceType, query: string): Promise<[string[], string[]]> {
  const page = (params: URLSearchParams) => search(db, ctx, services.store, type, params)
  const pages = [await page(new URLSearchParams(query))]
  for (let next = pages[0]?.next ?? null; next !== null; next = pages.at(-1)?.next ?? null) pages.push(await page(next))
  const back = [pages.at(-1) as (typeof pages)[number]]
  for (let previous = back[0]?.previous ?? null; previous !== null; previous = back[0]?.previous ?? null) back.unshift(await page(previous))
  const ids = (all: typeof pages) => all.flatMap((each) => each.matches.map(({ id }) => id))
  return [ids(pages), ids(back)]
}

const compare = <T>(one: T, other: T) => (one < other ? -1 : one > other ? 1 : 0)
/** Least first, or greatest; what has none is last either way. */
const byText = (one: string | undefined, other: string | undefined, down: boolean) => (one === undefined || other === undefined ? compare(one === undefined, other === undefined) : compare(one, other) * (down ? -1 : 1))
const least = (texts: readonly string[]) => texts.toSorted(compare)[0]
/** Newest first, before it what has no date; or the other way round. */
const byDay = (one: Entry, other: Entry, down: boolean) => compare(one.day ?? 1_000, other.day ?? 1_000) * (down ? -1 : 1)

const conditions: readonly (readonly [string, (entry: Entry) => boolean])[] = [
  ['', () => true], ['&status=final', ({ status }) => status === 'final'], ['&status=amended', ({ status }) => status === 'amended'], ['&code=c0', ({ codes }) => codes.includes('c0')],
  ['&subject=Patient/p7', ({ patient }) => patient === 'p7'], ['&category:missing=true', ({ categories }) => categories.length === 0], ['&date=ge2025-03-01', ({ day }) => day !== null && day >= 59], ['&code=none', () => false],
]
const texts = { status: (entry: Entry) => entry.status, code: (entry: Entry) => least(entry.codes), category: (entry: Entry) => least(entry.categories) }

test('of codes: each page from either end is what a plain loop finds', async () => {
  let found = 0
  const asked = fc.record({ by: fc.constantFrom('status', 'code', 'category'), down: fc.boolean(), date: fc.constantFrom('', ',-date', ',date'), condition: fc.constantFrom(...conditions), count: fc.constantFrom(17, 60, 400, 1000) })
  await fc.assert(fc.asyncProperty(asked, async ({ by, down, date, condition: [text, matches], count }) => {
    const [there, back] = await pagesOf('Observation', `_sort=${down ? '-' : ''}${by}${date}&_count=${count}${text}`)
    const textOf = texts[by]
    // Of equal rows those lie as the index that is walked has them.
    const keysDown = date === '' ? down : date === ',date'
    const expected = entries.filter(matches).sort((one, other) => byText(textOf(one), textOf(other), down) || (date === '' ? 0 : byDay(one, other, date === ',-date')) || compare(keyOf(one.id), keyOf(other.id)) * (keysDown ? -1 : 1)).map(({ id }) => id)
    expect(there).toEqual(expected)
    expect(back).toEqual(expected)
    found += expected.length
  }), { seed, numRuns: 60 })
  expect(found).toBeGreaterThan(10_000)
}, 240_000)

test.each(['url', '-url', 'url&status=draft', '-url&status=active', 'status', '-status'])('of addresses, and of definitions: %s', async (order) => {
  const [there, back] = await pagesOf('ValueSet', `_sort=${order}&_count=40`)
  const [by = '', condition = ''] = order.split('&')
  const down = by.startsWith('-')
  const textOf = (each: (typeof addresses)[number]) => (by.endsWith('url') ? each.url ?? undefined : each.status)
  const expected = addresses.filter(({ status }) => condition === '' || condition === `status=${status}`)
    .sort((one, other) => byText(textOf(one), textOf(other), down) || compare(keyOf(one.id), keyOf(other.id)) * (down ? -1 : 1)).map(({ id }) => id)
  expect(there).toEqual(expected)
  expect(back).toEqual(expected)
})

test('a code that nobody has any more is passed over', async () => {
  await sql`insert into search_text (k, h, val) select k, -h, 'A' || val from search_text where val in ('final', 'amended') on conflict do nothing`.execute(db)
  const [there] = await pagesOf('Observation', '_sort=status&_count=500')
  expect(there).toHaveLength(entries.length)
})
