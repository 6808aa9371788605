/**
 * What a page costs does not grow with the store: the rows that each statement of a search reads, as EXPLAIN (ANALYZE) counts them, in a store and
 * in one with five times the data, where as many rows fit a page. Rows and not times, so that a busy machine changes nothing.
 */
import { Kysely, sql } from 'kysely'
import type { Resource } from '@medplum/fhirtypes'
import { beforeAll, expect, test } from 'vitest'
import { type Ctx, makeCtx } from '../src/ctx.ts'
import { keyOf } from '../src/fhir/id.ts'
import type { ResourceType } from '../src/fhir/resource-types.ts'
import { bulkLoad } from '../src/records/bulk-load.ts'
import { readManyHistory } from '../src/records/history-many.ts'
import { reindexChanged } from '../src/records/reindex.ts'
import { search, searchScope } from '../src/records/search/search.ts'
import { postgresJsDialect } from '../src/storage/dialect.ts'
import { connect, type Db, openDb } from '../src/storage/pool.ts'
import type { Tables } from '../src/storage/tables.ts'
import { explain } from './support/explain.ts'
import { citizen, clinician, system, testPlatform } from './support/platform.ts'

const { db, url, services, clock } = await testPlatform()
const ctx = makeCtx(system, { now: clock.now })
const patients = 400
const growth = 5

/** A copy has other ids and days of change, and the same values. */
function* city(copy: number): Generator<Resource> {
  const day = (number: number) => new Date(Date.UTC(2024, 0, 1 + (number % 700))).toISOString().slice(0, 10)
  if (copy === 0) yield* ['some', 'few'].map((id): Resource => ({ resourceType: 'Practitioner', id, name: [{ family: '张', text: '张医生' }] }))
  for (let index = 0; index < patients; index++) {
    const subject = { reference: `Patient/p${copy}-${index}` }
    yield { resourceType: 'Patient', id: `p${copy}-${index}`, gender: index % 2 ? 'male' : 'female', birthDate: day(index), name: [{ family: '王', given: ['芳'], text: '王芳' }, { family: '王', text: `王${'梅兰竹菊'[index % 4]}` }, ...(copy === 0 && index < 30 ? [{ family: '欧阳' }] : [])], address: [{ city: '上海市' }], ...(index % 2 ? { deceasedDateTime: day(index) } : {}) }
    yield { resourceType: 'Encounter', id: `e${copy}-${index}`, status: 'finished', class: { code: copy === 0 && index < 30 ? 'EMER' : 'AMB' }, subject, period: { start: day(index) } }
    for (let number = 0; number < 5; number++) {
      yield { resourceType: 'Observation', id: `o${copy}-${index}-${number}`, status: 'final', subject, encounter: { reference: `Encounter/e${copy}-${index}` }, effectiveDateTime: day(index),
        code: { coding: [{ system: 'http://loinc.org', code: `code-${number}` }, { system: 'urn:own', code: `own-${number}` }, ...(index % 16 === 0 && number === 0 ? [{ system: 'urn:own', code: 'rare', display: 'Seldom measured' }] : [])] }, ...(index % 16 === 0 ? { performer: [{ reference: `Practitioner/${index % 32 ? 'few' : 'some'}` }] } : {}), valueQuantity: { value: number * 100 + index % 90, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' } }
    }
  }
}

interface Node { 'Node Type': string; 'Actual Rows': number; 'Actual Loops': number; 'Rows Removed by Filter'?: number; 'Rows Removed by Index Recheck'?: number; Plans?: Node[] }

function rowsRead(node: Node): number {
  const own = node['Node Type'].endsWith('Scan') && !/CTE|Subquery/.test(node['Node Type'])
    ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)) * node['Actual Loops'] : 0
  return own + (node.Plans ?? []).reduce((sum, each) => sum + rowsRead(each), 0)
}

/** Rows that the statements of some work read; those before `forget` don't count. */
async function readDuring<T>(work: (watched: Db, forget: () => void) => Promise<T>): Promise<{ read: number; result: T }> {
  const seen: { text: string; parameters: readonly unknown[] }[] = []
  const watched: Db = new Kysely<Tables>({
    dialect: postgresJsDialect((use) => connect(url, { max: 1 }, use)), log: (event) => { if (event.level === 'query') seen.push({ text: event.query.sql, parameters: event.query.parameters }) },
  })
  const result = await work(watched, () => { seen.length = 0 })
  await watched.destroy()
  let read = 0
  for (const { text, parameters } of seen.filter((each) => /\b(?:from|join) "?(?:resource|idx_\w+)"? [a-z]\b/.test(each.text))) {
    const [plan = '[]'] = await explain(db, { text, parameters }, 'analyze, format json')
    const [{ Plan }] = (typeof plan === 'string' ? JSON.parse(plan) : plan) as [{ Plan: Node }]
    read += rowsRead(Plan)
  }
  return { read, result }
}

/** Rows that the first page of a search reads, or the one `pages` behind it, and how many it shows. */
async function readBy(type: ResourceType | readonly ResourceType[], query: string, pages: number, caller: Ctx = ctx): Promise<{ read: number; shown: number }> {
  const { read, result } = await readDuring(async (watched, forget) => {
    const find = (asked: URLSearchParams) => (typeof type === 'string' ? search(watched, caller, services.store, type, asked) : searchScope(watched, caller, services.store, { types: type, compartment: null }, asked))
    let params = new URLSearchParams(query)
    for (let page = 0; page < pages; page++) params = (await find(params)).next ?? params
    forget()
    return (await find(params)).matches.length
  })
  return { read, shown: result }
}

const shapes: readonly (readonly [ResourceType, string, pages?: number])[] = [
  ['Patient', 'name=王'], ['Patient', 'name=wang', 3], ['Patient', 'family:exact=王'], ['Patient', 'address-city=上海', 5], ['Patient', 'name=王,芳', 2], ['Patient', 'name=王&gender=female'],
  ['Patient', 'death-date=ge2024-01-01', 2], ['Patient', 'death-date=gt2024-03'], ['Patient', 'death-date:missing=false'], ['Patient', 'gender=female'], ['Patient', '_sort=family'], ['Patient', '_sort=-birthdate', 3], ['Patient', '_sort=birthdate', 4], ['Patient', '_sort=-family', 4],
  ['Observation', 'code=code-1&_sort=-date'], ['Observation', 'code=http://loinc.org|code-1&value-quantity=gt120', 1], ['Observation', 'code-value-quantity=code-4$gt400', 2], ['Observation', 'code=code-4&value-quantity=lt450|http://unitsofmeasure.org|mg'],
  ['Observation', 'code=rare'], ['Observation', 'code=urn:own|rare&_sort=-date'], ['Observation', 'code=rare&_sort=date'], ['Observation', 'combo-code=rare'], ['Observation', 'code=rare&status=final'], ['Observation', 'code=rare&_sort=value-quantity'], ['Observation', 'code=rare&date=ge2024-01-01&_sort=-date'],
  ['Observation', 'code:text=seldom'], ['Observation', 'code:text=seldom&status=final&_sort=date'], ['Observation', 'performer=Practitioner/some', 2], ['Observation', 'performer=few&_sort=date'], ['Observation', 'performer:Practitioner.name=张', 1],
  ['Observation', 'code=own-1&value-quantity=gt150'], ['Observation', 'code=code-1&value-quantity=gt400'], ['Observation', 'code-value-quantity=code-2$ge0.25|http://unitsofmeasure.org|g'], ['Observation', 'code=code-1&value-quantity=gt400&_sort=-date'],
  ['Observation', 'value-quantity=gt450'], ['Observation', 'code=code-3&_sort=value-quantity', 2], ['Observation', 'code=code-0&_sort=-value-quantity'], ['Observation', 'status=final'], ['Observation', 'status=final&_sort=date', 4],
  ['Observation', '_filter=code eq code-1 or code eq own-4', 2], ['Observation', '_filter=code eq rare and (status eq final or status eq amended)'], ['Observation', '_filter=code eq code-1 and not (status eq amended)', 1], ['Patient', '_filter=name sw 王 and gender eq female', 1],
  ['Observation', 'patient.family=欧阳', 1], ['Observation', 'patient.family=欧阳&_sort=-date'], ['Observation', 'patient.family=欧阳&_sort=date&code=code-1'], ['Observation', 'encounter.class=EMER'], ['Observation', 'encounter.class=EMER&code=code-1&_sort=date'], ['Observation', 'encounter.class=EMER&code=code-1&_sort=value-quantity'], ['Observation', 'subject=Patient/p0-7&code=code-1&_sort=value-quantity'],
  ['Observation', 'encounter.class=EMER&status=amended'], ['Patient', '_id=p0-7&_revinclude=*'], ['Encounter', '_id=e0-7&_revinclude=*'], ['Observation', '_lastUpdated=ge2030'], ['Observation', '_lastUpdated=ge2030&code=code-1'],
  ['Patient', '_sort=gender', 2], ['Patient', '_sort=-gender'], ['Observation', '_sort=status,-date', 3], ['Observation', '_sort=-status,date'], ['Observation', '_sort=code', 1], ['Observation', '_sort=-code,-date'], ['Observation', 'code=code-1&_sort=status'], ['Patient', 'name=王&_sort=gender'],
  ['Patient', '_filter=family eq 欧阳 or (family sw 欧 and gender eq female)'],
]

async function load(from: number, until: number): Promise<void> {
  const sink = connect(url, { max: 3 })
  for (let copy = from; copy < until; copy++) await bulkLoad(sink, services.store, city(copy), new Date(clock.now.getTime() - (growth - copy) * 86_400_000))
  await sink.end()
  await sql`vacuum analyze`.execute(db)
}

/** The index of changes tells ranges of pages apart; in a store as small as this one they must be small, too. */
async function narrowRanges(): Promise<void> {
  const { rows } = await sql<{ name: string }>`select c.relname as name from pg_class c join pg_am a on a.oid = c.relam where a.amname = 'brin' and c.relkind = 'i' and c.relname ~ '^resource_(patient|observation|encounter)'`.execute(db)
  for (const { name } of rows) {
    await sql`alter index ${sql.table(name)} set (pages_per_range = 2)`.execute(db)
    await sql`reindex index ${sql.table(name)}`.execute(db)
  }
}

const first = new Map<string, { read: number; shown: number }>()
const last = new Map<string, { read: number; shown: number }>()

beforeAll(async () => {
  await reindexChanged(db, ctx, services.store)
  await narrowRanges()
  for (const [into, from, until] of [[first, 0, 1], [last, 1, growth]] as const) {
    await load(from, until)
    for (const [type, query, pages = 0] of shapes) into.set(`${type}?${query}/${pages}`, await readBy(type, query, pages))
  }
}, 180_000)

test.each(shapes.map(([type, query, pages = 0]) => `${type}?${query}/${pages}`))('%s', (name) => {
  const [one, more] = [first.get(name), last.get(name)]
  expect(more?.shown).toBe(one?.shown)
  expect(more?.read).toBeLessThanOrEqual((one?.read ?? 0) * 1.3 + 60)
})

test.each([0, 2])('of the last changes, page %i behind the first, no more is read than a window may hold', async (pages) => {
  const { read, shown } = await readBy('Patient', '_sort=-_lastUpdated', pages)
  expect(shown).toBe(20)
  expect(read).toBeLessThan(1_000)
})

test.each(['', '_tag=none', '_tag=none&_sort=-_lastUpdated', '_lastUpdated=ge2030'])('of several types a page reads what it shows of each: %s', async (query) => {
  const { read } = await readBy(['Patient', 'Encounter', 'Observation'], query, 1)
  expect(read).toBeLessThan(200)
})

test('the history of a type with few versions does not read the store to find where it ends', async () => {
  const { read, result } = await readDuring((watched) => readManyHistory(watched, ctx, 'Practitioner', { count: 20, since: null, at: null, cut: null }))
  expect(result.entries).toHaveLength(2)
  // Each window may look through the page of the table that holds them.
  expect(read).toBeLessThan(200)
})

test('of two conditions that each need a look-up, no more is read than may be looked up', async () => {
  const { read, shown } = await readBy('Patient', 'name=王&address-city=上海', 0)
  expect(shown).toBe(20)
  expect(read).toBeLessThan(2 * 2_001 + 500)
})

test.each(['', '&_sort=date', '&_sort=-date', '&code=code-1', '&_count=0'])('of a day with few matches no more is read than the day has and the day before%s', async (more) => {
  // 25 Observations a day, of 10,000.
  const { read } = await readBy('Observation', `date=ge2024-09-10&date=lt2024-09-11${more}`, 0)
  expect(read).toBeLessThan(150)
})

test('of several patients a page reads its rows and one of each patient, not all that they have', async () => {
  const named = Array.from({ length: 20 }, (_, index) => `p0-${index}`).join(',')
  const { read, shown } = await readBy('Observation', `patient=${named}&_count=5`, 0)
  expect(shown).toBe(5)
  expect(read).toBeLessThan(40)
})

const mine = makeCtx(citizen('p0-7'), { now: clock.now })
const ofFew = makeCtx(clinician('of-few', 'hospital', '王医生'), { now: clock.now })
const ofMany = makeCtx(clinician('of-many', 'hospital', '李医生'), { now: clock.now })

/** Every patient of the first copy but one in ten is in the care of one doctor, three in that of another. */
beforeAll(async () => {
  const relate = (doctor: string, ids: readonly string[]) => sql`insert into care_relation (shard, pid, practitioner, organization, reason, reason_id, from_at, until_at)
    select 0, pid, ${keyOf(doctor)}::uuid, ${keyOf('hospital')}::uuid, 'appointment', gen_random_uuid(), ${clock.now}::timestamptz - interval '1 day', ${clock.now}::timestamptz + interval '30 days'
    from unnest(${ids.map(keyOf)}::uuid[]) as pid`.execute(db)
  const all = Array.from({ length: growth }, (_, copy) => Array.from({ length: patients }, (_each, index) => `p${copy}-${index}`)).flat()
  await relate('of-few', ['p0-1', 'p1-2', 'p2-3'])
  await relate('of-many', all.filter((_, index) => index % 10 !== 0))
  await sql`analyze care_relation`.execute(db)
})

const asked: readonly (readonly [ResourceType, string])[] = [
  ['Observation', ''], ['Observation', 'status=final&_sort=-date'], ['Observation', 'date=ge2024-01-01&_sort=-date'], ['Observation', '_sort=value-quantity'], ['Observation', 'status=final&_sort=-_lastUpdated'],
  ['Observation', 'code=http://loinc.org|code-1&value-quantity=gt1'], ['Patient', 'name=王'], ['Patient', '_sort=birthdate'], ['Observation', 'subject:Patient.name=王'], ['Patient', '_has:Observation:patient:status=final'],
]

test.each(asked)('whoever sees the entries of few patients begins with those: %s?%s', async (type, query) => {
  for (const caller of [mine, ofFew]) {
    const { read, shown } = await readBy(type, query, 0, caller)
    expect(shown).toBeGreaterThan(0)
    expect(read).toBeLessThan(200)
  }
})

test.each([['Observation', 'date=ge2024-01-01&_sort=-date'], ['Patient', 'name=王'], ['Patient', '_sort=birthdate']] as const)('whoever sees those of many walks: %s?%s', async (type, query) => {
  const { read, shown } = await readBy(type, query, 0, ofMany)
  expect(shown).toBe(20)
  expect(read).toBeLessThan(300)
})

test('a doctor of many who has few by now goes on where the page before ended', async () => {
  const page = async (on: Db, params: URLSearchParams) => search(on, ofMany, services.store, 'Patient', params)
  const first = await page(db, new URLSearchParams('name=王&_count=5'))
  await sql`delete from care_relation where practitioner = ${keyOf('of-many')}::uuid and pid not in (select pid from care_relation where practitioner = ${keyOf('of-many')}::uuid order by pid desc limit 3)`.execute(db)
  const later = openDb(url, { max: 1 })
  const second = await page(later, first.next as URLSearchParams)
  expect(second.matches.length).toBeLessThanOrEqual(3)
  expect(second.matches.map(({ id }) => id).filter((id) => first.matches.some((each) => each.id === id))).toEqual([])
  await later.destroy()
})

test('what is nested deep in a _filter is asked once: the statements grow with the comparisons, not with the depth', async () => {
  const nested = (depth: number): string => (depth === 0 ? 'date pr true' : `(status eq amended and not (${nested(depth - 1)})) or value-quantity gt 1`)
  const statements: number[] = []
  for (const depth of [2, 4, 8]) {
    let seen = 0
    const watched: Db = new Kysely<Tables>({ dialect: postgresJsDialect((use) => connect(url, { max: 1 }, use)), log: () => { seen++ } })
    await search(watched, ctx, services.store, 'Observation', new URLSearchParams({ _filter: nested(depth), _count: '5' }))
    await watched.destroy()
    statements.push(seen)
  }
  const [two = 0, four = 0, eight = 0] = statements
  expect(eight - four).toBeLessThanOrEqual(2 * (four - two) + 4)
}, 60_000)
