/**
 * Searches by the time of change: in its order from either end, between bounds and without, over one type and several, against a plain loop. Many rows were changed at one instant, as a load
 * leaves them, others one by one.
 */
import type { Observation, Resource } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import { makeCtx } from '../src/ctx.ts'
import { keyOf } from '../src/fhir/id.ts'
import { type ResourceType, typeCode } from '../src/fhir/resource-types.ts'
import { bulkLoad } from '../src/records/bulk-load.ts'
import { searchScope } from '../src/records/search/search.ts'
import { connect } from '../src/storage/pool.ts'
import { system, testPlatform } from './support/platform.ts'

const { db, url, services, clock } = await testPlatform()
const ctx = makeCtx(system, { now: clock.now })
const seed = Number(process.env.TEST_SEED ?? 20261128)

interface Entry { id: string; type: ResourceType; status: string; day: number | null; changed: number }
const entries: Entry[] = []
const hour = 3_600_000
/** When they were changed: hours before now. */
const instants = [900, 400, 399, 30, 7, 6, 5, 1].map((hours) => clock.now.getTime() - hours * hour)

beforeAll(async () => {
  let state = seed
  const random = (of: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * of)
  }
  const sink = connect(url, { max: 3 })
  for (const [round, changed] of instants.entries()) {
    const own: Entry[] = Array.from({ length: round === 1 ? 1_500 : 20 + random(200) }, (_, n) => ({
      id: `x${round}-${n}`, type: random(3) ? 'Observation' : random(2) ? 'Condition' : 'Patient', status: random(5) ? 'final' : 'amended', day: random(10) ? random(200) : null, changed,
    }))
    entries.push(...own)
    await bulkLoad(sink, services.store, own.map(resourceOf), new Date(changed))
  }
  await sink.end()
  await sql`vacuum analyze resource`.execute(db)
})

function resourceOf({ id, type, status, day }: Entry): Resource & { id: string } {
  const date = day === null ? {} : { at: new Date(Date.UTC(2025, 0, 1 + day)).toISOString() }
  const meta = { tag: [{ code: status }] }
  if (type === 'Patient') return { resourceType: 'Patient', id, meta }
  const subject = { reference: 'Patient/somebody' }
  if (type === 'Condition') return { resourceType: 'Condition', id, meta, subject, ...(date.at === undefined ? {} : { recordedDate: date.at }) }
  return { resourceType: 'Observation', id, meta, status: status as Observation['status'], code: { text: 'x' }, subject, ...(date.at === undefined ? {} : { effectiveDateTime: date.at }) }
}

const compare = <T>(one: T, other: T) => (one < other ? -1 : one > other ? 1 : 0)
/** The clinical date: only some types have one, and nobody knows of a Patient's. */
const dayOf = ({ type, day }: Entry) => (type === 'Patient' || day === null ? Number.POSITIVE_INFINITY : day)

const asked = fc.record({
  types: fc.constantFrom<readonly ResourceType[]>(['Observation'], ['Patient'], ['Observation', 'Condition'], ['Patient', 'Condition', 'Observation']), order: fc.constantFrom('', '_lastUpdated', '-_lastUpdated'),
  from: fc.option(fc.record({ prefix: fc.constantFrom('ge', 'gt'), at: fc.constantFrom(...instants), off: fc.constantFrom(-1, 0, 1) })), to: fc.option(fc.record({ prefix: fc.constantFrom('le', 'lt'), at: fc.constantFrom(...instants), off: fc.constantFrom(-1, 0, 1) })),
  tag: fc.constantFrom(null, 'amended', 'none'), count: fc.constantFrom(11, 150, 1000),
})

test('each page from either end is what a plain loop finds', async () => {
  let found = 0
  await fc.assert(fc.asyncProperty(asked, async ({ types, order, from, to, tag, count }) => {
    const bounds = [from, to].flatMap((bound) => (bound === null ? [] : [{ prefix: bound.prefix, at: bound.at + bound.off * hour / 2 }]))
    const query = new URLSearchParams([['_count', String(count)], ...(order === '' ? [] : [['_sort', order]]), ...bounds.map(({ prefix, at }) => ['_lastUpdated', `${prefix}${new Date(at).toISOString()}`]), ...(tag === null ? [] : [['_tag', tag]])] as [string, string][])
    const page = (params: URLSearchParams) => searchScope(db, ctx, services.store, { types, compartment: null }, params)
    const pages = [await page(query)]
    for (let next = pages[0]?.next ?? null; next !== null; next = pages.at(-1)?.next ?? null) pages.push(await page(next))
    const back = [pages.at(-1) as (typeof pages)[number]]
    for (let previous = back[0]?.previous ?? null; previous !== null; previous = back[0]?.previous ?? null) back.unshift(await page(previous))
    const ids = (all: typeof pages) => all.flatMap((each) => each.matches.map(({ id }) => id))
    const within = (changed: number) => bounds.every(({ prefix, at }) => ({ ge: changed >= at, gt: changed > at, le: changed <= at, lt: changed < at })[prefix])
    const byTime = (one: Entry, other: Entry) => (order === '' ? compare(dayOf(other), dayOf(one)) : compare(one.changed, other.changed) * (order === '_lastUpdated' ? 1 : -1))
    const byKey = (one: Entry, other: Entry) => compare(keyOf(one.id), keyOf(other.id)) * (types.length === 1 && order === '-_lastUpdated' ? -1 : 1)
    const expected = entries.filter(({ type, status, changed }) => types.includes(type) && within(changed) && (tag === null || tag === status))
      .sort((one, other) => byTime(one, other) || compare(typeCode(one.type), typeCode(other.type)) || byKey(one, other)).map(({ id }) => id)
    expect(ids(pages)).toEqual(expected)
    expect(ids(back)).toEqual(expected)
    found += expected.length
  }), { seed, numRuns: 120 })
  expect(found).toBeGreaterThan(10_000)
}, 240_000)
