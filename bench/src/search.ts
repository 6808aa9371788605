/**
 * The benchmark `search`: each shape of search-shapes.ts on two databases of one server, the second with ten times the data, query by query in
 * turn, so that a busy machine slows both. Reported are the median and the 95th percentile of each and the ratio of the medians, those
 * over the limit of 1.3 marked. The ratio of the whole application (token, access decision, search, audit rows, JSON; without the sockets), for which an app waits, stands
 * beside it: most of what it costs besides does not grow with the data, but there is an audit row for each patient on the page, and in ten times the data a page shows more of them.
 *
 * Where the first database has fewer matches than a page holds, the second answers with up to ten times as many, and the time grows with the
 * answer. Such a shape is timed a second time with pages as long as what the first database has (`_count`), and that ratio is held to the limit:
 * what it costs to find as much in ten times the data. Both are printed.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { anonymous } from '../../api/src/access/principal.ts'
import { issueToken } from '../../api/src/access/tokens.ts'
import { createApp } from '../../api/src/app.ts'
import { resourceEntries } from '../../api/src/catalogue/resource-types.ts'
import { readConfig } from '../../api/src/config.ts'
import { makeCtx, monotonicMs } from '../../api/src/ctx.ts'
import { newResourceId } from '../../api/src/fhir/id.ts'
import { loadModel } from '../../api/src/fhir/model.ts'
import { makeServices } from '../../api/src/platform-services.ts'
import { bulkLoad } from '../../api/src/records/bulk-load.ts'
import { reindexChanged } from '../../api/src/records/reindex.ts'
import { search } from '../../api/src/records/search/search.ts'
import type { Store } from '../../api/src/records/store.ts'
import { migrate } from '../../api/src/storage/migrate.ts'
import { type Db, openDb } from '../../api/src/storage/pool.ts'
import { startPostgres } from '../../api/src/storage/postgres-server.ts'
import { table } from './report.ts'
import { bundleTexts, copies } from './search-data.ts'
import { type Sample, samplesOf, searchShapes, type Shape } from './search-shapes.ts'

/** Copies of the bundles in the second database; the first has one. */
const growth = 10
const samplesMax = 30
const ratioLimit = 1.3
/** Times that each sample is timed on each side. */
const rounds = 9
const results = join(import.meta.dirname, '..', 'results')

/** Milliseconds, and the middle number of matches on a page. */
interface Timing { p50: number; p95: number; matches: number }

interface SearchOutcome {
  name: string
  query: string
  one: Timing
  ten: Timing
  /** Ratio of the medians as the search stands, and with pages of equal length: the same where the page is full at one. */
  ratio: number
  equalPages: number
  /** As `equalPages`, of the application around the search. */
  application: number
}

/** One of the two databases, and the application over it. */
interface Side {
  db: Db
  /** Throws unless it is answered 200. */
  ask(path: string): Promise<void>
}

type Sides = readonly [Side, Side]

/** Prints every shape, and writes bench/results/<day>-search.json. */
export async function benchSearch(say: (line?: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pujiang-bench-search-'))
  chmodSync(folder, 0o755)
  const server = await startPostgres({ dir: join(folder, 'postgres'), durable: false })
  const sides: Side[] = []
  try {
    const store: Store = { base: 'http://127.0.0.1:8080/fhir', model: loadModel(), entries: resourceEntries }
    const texts = bundleTexts()
    const samples = samplesOf([...copies(texts, 0, 1)], samplesMax)
    const admin = postgres(server.url('postgres'), { max: 1, onnotice: () => {} })
    for (const [name, count] of [['one', 1], ['ten', growth]] as const) {
      await admin.unsafe(`create database ${name}`)
      sides.push(await sideOf(await fill(server.url(name), store, texts, count), folder))
      say(`search: ${count} copies of ${texts.length} bundles loaded`)
    }
    await admin.end()
    const outcomes: SearchOutcome[] = []
    for (const each of searchShapes) {
      const outcome = await compareShape(each, samples, sides as unknown as Sides, store)
      outcomes.push(outcome)
      say(`search: ${outcome.name}`)
    }
    say()
    for (const line of table(heads, outcomes.map(rowOf))) say(line)
    const file = `${new Date().toISOString().slice(0, 10)}-search.json`
    mkdirSync(results, { recursive: true })
    writeFileSync(join(results, file), `${JSON.stringify({ resources: { bundles: texts.length, growth }, ratioLimit, shapes: outcomes }, null, 2)}\n`)
    say(`\n${outcomes.filter((each) => each.equalPages <= ratioLimit).length} of ${outcomes.length} shapes keep to ${ratioLimit}. Written to bench/results/${file}\n`)
  } finally {
    for (const { db } of sides) await db.destroy()
    server.stop('fast')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fill(url: string, store: Store, texts: readonly string[], count: number): Promise<Db> {
  const db = openDb(url, { max: 2 })
  await migrate(db, 'platform')
  // Notes each type as indexed by the parameters of today, which it is from its first row on.
  await reindexChanged(db, ctx, store)
  const load = postgres(url, { max: 3, onnotice: () => {} })
  // A copy a day, the newest last, as a store that is written day by day.
  for (let copy = 0; copy < count; copy++) await bulkLoad(load, store, copies(texts, copy, copy + 1), new Date(Date.UTC(2024, 0, 1 + copy)))
  await load.unsafe('vacuum analyze')
  await load.end()
  return db
}

async function sideOf(db: Db, folder: string): Promise<Side> {
  const services = await makeServices(readConfig({ DATA_DIR: folder, LOG_LEVEL: 'silent', PUBLIC_URL: 'http://bench.invalid', RATE_CLIENT: '0' }), 'bench', { db })
  const app = createApp(services)
  const headers = { Authorization: `Bearer ${await issueToken(services.authority, client, services.now(), 3_600, newResourceId(null))}` }
  return {
    db,
    ask: async (path) => {
      const answer = await app.request(path, { headers })
      await answer.text()
      if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}.`)
    },
  }
}

type Queries = readonly [readonly URLSearchParams[], readonly URLSearchParams[]]

async function compareShape(shape: Shape, samples: readonly Sample[], sides: Sides, store: Store): Promise<SearchOutcome> {
  const queries = await Promise.all(sides.map(async ({ db }) => {
    const each: URLSearchParams[] = []
    for (const sample of samples) each.push(await pageOf(db, store, shape, sample))
    return each
  })) as unknown as Queries
  const matches = await Promise.all(sides.map(({ db }, side) => matchesOf(db, shape, queries[side] as readonly URLSearchParams[], store))) as [number[], number[]]
  const application: Ask = (side, query) => sides[side].ask(`/fhir/${shape.type}?${query}`)
  const alone: Ask = (side, query) => run(sides[side].db, store, shape, query)
  const [one, ten] = await time(queries, alone)
  const ratio = ten.p50 / one.p50
  const [found, foundTen] = matches.map((each) => at(each, 0.5)) as [number, number]
  const outcome = { name: shape.name, query: `${shape.type}?${shape.query(samples[0] as Sample)}`, one: { ...one, matches: found }, ten: { ...ten, matches: foundTen }, ratio }
  const equal = foundTen <= found ? queries : queries.map((side) => side.map((each, index) => withCount(each, matches[0][index] ?? 0))) as unknown as Queries
  const ratioOf = ([first, second]: readonly [{ p50: number }, { p50: number }]) => second.p50 / first.p50
  return { ...outcome, equalPages: equal === queries ? ratio : ratioOf(await time(equal, alone)), application: ratioOf(await time(equal, application)) }
}

/** How many each query shows. */
async function matchesOf(db: Db, shape: Shape, queries: readonly URLSearchParams[], store: Store): Promise<number[]> {
  const found: number[] = []
  for (const query of queries) found.push((await run(db, store, shape, query)).matches.length)
  return found
}

type Ask = (side: 0 | 1, query: URLSearchParams) => Promise<unknown>

/** Both sides, in turns. */
async function time(queries: Queries, ask: Ask): Promise<[Omit<Timing, 'matches'>, Omit<Timing, 'matches'>]> {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round <= rounds; round++) {
    for (const index of queries[0].keys()) {
      for (const side of round % 2 === 0 ? [0, 1] as const : [1, 0] as const) {
        const started = monotonicMs()
        await ask(side, queries[side][index] as URLSearchParams)
        // The first round fills caches.
        if (round > 0) times[side].push(monotonicMs() - started)
      }
    }
  }
  const timing = (side: 0 | 1) => ({ p50: at(times[side], 0.5), p95: at(times[side], 0.95) })
  return [timing(0), timing(1)]
}

function at(list: readonly number[], part: number): number {
  const sorted = list.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}

/** Where the first database has none, so has the second. */
function withCount(query: URLSearchParams, count: number): URLSearchParams {
  const bounded = new URLSearchParams(query)
  if (count > 0) bounded.set('_count', String(count))
  return bounded
}

/** The query of the page that the shape asks for. */
async function pageOf(db: Db, store: Store, shape: Shape, sample: Sample): Promise<URLSearchParams> {
  let query = new URLSearchParams(shape.query(sample))
  for (let page = 0; page < (shape.pages ?? 0); page++) {
    const { next } = await run(db, store, shape, query)
    if (next === null) break
    query = next
  }
  return query
}

const client = { ...anonymous, kind: 'client' as const, id: 'bench', name: 'Benchmark', scopes: ['system/*.cruds'] }
const ctx = makeCtx(client, { now: new Date(Date.UTC(2026, 0, 1)) })

function run(db: Db, store: Store, shape: Shape, query: URLSearchParams) {
  return search(db, ctx, store, shape.type, query)
}

const heads = ['search', 'query', 'matches', 'at one, ms', 'p95', 'at ten, ms', 'p95', 'ratio', 'equal pages', 'application']

function rowOf({ name, query, one, ten, ratio, equalPages, application }: SearchOutcome): string[] {
  const matches = one.matches === ten.matches ? String(one.matches) : `${one.matches}, ${ten.matches}`
  return [
    name, query.slice(0, 60).replaceAll('|', '\\|'), matches, ...[one.p50, one.p95, ten.p50, ten.p95, ratio].map((each) => each.toFixed(2)),
    `${equalPages.toFixed(2)}${equalPages > ratioLimit ? ' **over**' : ''}`, application.toFixed(2),
  ]
}
