/**
 * Searches from an instant on, over times that last minutes, months or without end: each page from either end against what a plain loop over the
 * resources finds. Both ways of finding long periods are met: few that are sorted, and many that are walked to.
 */
import type { Encounter } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { makeCtx } from '../src/ctx.ts'
import { bulkLoad } from '../src/records/bulk-load.ts'
import { search } from '../src/records/search/search.ts'
import { connect } from '../src/storage/pool.ts'
import { system, testPlatform } from './support/platform.ts'

const { db, url, services, clock } = await testPlatform()
const ctx = makeCtx(system, { now: clock.now })
const seed = Number(process.env.TEST_SEED ?? 20261126)
const hourMs = 3_600_000
const first = Date.parse('2025-01-01T00:00:00Z')
const hours = 24 * 365
/** Class of the stays: few are long among `some`, all are without end among `endless`. */
const kinds = { some: 'AMB', endless: 'HH' } as const

interface Stay { id: string; kind: keyof typeof kinds; lo: number; hi: number }
const stays: Stay[] = []

function encounterOf({ id, kind, lo, hi }: Stay): Encounter & { id: string } {
  const at = (time: number) => new Date(time).toISOString()
  return {
    resourceType: 'Encounter', id, status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: kinds[kind] }, subject: { reference: 'Patient/none' },
    period: { start: at(lo), ...(hi === Number.POSITIVE_INFINITY ? {} : { end: at(hi) }) },
  }
}

beforeAll(async () => {
  let state = seed
  const random = (of: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * of)
  }
  for (let n = 0; n < 700; n++) {
    const lo = first + random(hours) * hourMs
    const length = [0, 1, 8, 23, 24, 25, 72, 24 * 40, 24 * 300, Number.POSITIVE_INFINITY][random(12)] ?? 2
    stays.push({ id: `s${n}`, kind: 'some', lo, hi: lo + length * hourMs })
  }
  for (let n = 0; n < 2300; n++) stays.push({ id: `e${n}`, kind: 'endless', lo: first + random(hours / 2) * hourMs, hi: Number.POSITIVE_INFINITY })
  const sink = connect(url, { max: 3 })
  await bulkLoad(sink, services.store, stays.map(encounterOf), clock.now)
  await sink.end()
  await db.executeQuery({ sql: 'vacuum analyze resource', parameters: [], query: { kind: 'RawNode' } as never, queryId: { queryId: 'vacuum' } as never })
})

/** FHIR R4 3.1.1.4.5, by the hour: the range of the value is one second. */
function fits(prefix: string, { lo, hi }: Stay, at: number): boolean {
  const [from, to] = [at, at + 999]
  switch (prefix) {
    case 'ge': return hi > to || lo >= from
    case 'gt': return hi > to
    case 'sa': return lo > to
    case 'lt': return lo < from
    case 'le': return lo < from || (lo >= from && hi <= to)
    default: return hi < from && lo < from
  }
}

async function pagesOf(query: string, count: number): Promise<{ forwards: string[]; backwards: string[]; total: number | null }> {
  const page = (params: URLSearchParams) => search(db, ctx, services.store, 'Encounter', params)
  const start = await page(new URLSearchParams(`${query}&_count=${count}`))
  const pages = [start]
  for (let next = start.next; next !== null; next = pages.at(-1)?.next ?? null) pages.push(await page(next))
  const back = [pages.at(-1) as typeof start]
  for (let previous = back[0]?.previous ?? null; previous !== null; previous = back[0]?.previous ?? null) back.unshift(await page(previous))
  const { total } = await page(new URLSearchParams(`${query}&_count=0`))
  const ids = (all: typeof pages) => all.flatMap(({ matches }) => matches.map(({ id }) => id))
  return { forwards: ids(pages), backwards: ids(back), total }
}

const hour = fc.integer({ min: -24 * 10, max: hours + 24 * 10 })
const asked = fc.record({
  from: fc.constantFrom('ge', 'gt', 'sa'), at: hour, to: fc.option(fc.constantFrom('lt', 'le', 'eb')), span: fc.constantFrom(1, 5, 24, 24 * 7, 24 * 100),
  order: fc.constantFrom('-date', 'date', ''), kind: fc.constantFrom('some', 'some', 'endless', null), count: fc.constantFrom(7, 20, 100),
})

test('every page from either end, and the total, is what a loop over all finds', async () => {
  await fc.assert(fc.asyncProperty(asked, async ({ from, at, to, span, order, kind, count }) => {
    const [begin, end] = [first + at * hourMs, first + (at + span) * hourMs]
    const instant = (time: number) => new Date(time).toISOString().slice(0, 19) + 'Z'
    const query = [`date=${from}${instant(begin)}`, ...(to === null ? [] : [`date=${to}${instant(end)}`]), ...(order === '' ? [] : [`_sort=${order}`]), ...(kind === null ? [] : [`class=${kinds[kind]}`])].join('&')
    const expected = stays.filter((each) => (kind === null || each.kind === kind) && fits(from, each, begin) && (to === null || fits(to, each, end)))
    const found = await pagesOf(query, expected.length > 300 ? 100 : count)
    expect([...found.forwards].sort()).toEqual(expected.map(({ id }) => id).sort())
    expect(found.backwards).toEqual(found.forwards)
    expect(found.total).toBe(expected.length)
    const begins = found.forwards.map((id) => stays.find((each) => each.id === id)?.lo as number)
    expect(begins).toEqual(begins.toSorted((a, b) => (order === 'date' ? a - b : b - a)))
  }), { seed, numRuns: 60 })
}, 180_000)

test.each(['ge0001-01-01', 'gt0001', 'ap0001-01-01', 'ge0001-01-02', 'ge9999', 'gt9999-12-31'])('the ends of the calendar: date=%s is answered in both orders and counted', async (value) => {
  for (const order of ['-date', 'date']) {
    const start = await search(db, ctx, services.store, 'Encounter', new URLSearchParams(`date=${value}&_sort=${order}&_count=20`))
    const next = start.next && await search(db, ctx, services.store, 'Encounter', start.next)
    const { total } = await search(db, ctx, services.store, 'Encounter', new URLSearchParams(`date=${value}&_count=0`))
    // From the first instant on everything matches, in the last year what has no end; `ap` of the first year reaches two hundred years.
    const expected = value.startsWith('ap') ? 0 : value.includes('9999') ? stays.filter(({ hi }) => hi === Number.POSITIVE_INFINITY).length : stays.length
    expect([total, start.matches.length, next?.matches.length ?? 0]).toEqual([expected, Math.min(20, expected), Math.min(20, Math.max(0, expected - 20))])
  }
})
