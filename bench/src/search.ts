/**
 * The benchmark `search`: each shape of search-shapes.ts on two databases of one server, the second with ten times the data, query by query in
 * turn, so that a busy machine slows both. Reported are the median and the 95th percentile of each and the ratio of the medians, those
 * over the limit of 1.3 marked. What a search costs over HTTP besides (token, audit rows) does not grow with the data and is left out.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { anonymous } from '../../api/src/access/principal.ts'
import { resourceEntries } from '../../api/src/catalogue/resource-types.ts'
import { makeCtx, monotonicMs } from '../../api/src/ctx.ts'
import { loadModel } from '../../api/src/fhir/model.ts'
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
const results = join(import.meta.dirname, '..', 'results')

interface SearchOutcome { name: string; query: string; p50AtOne: number; p95AtOne: number; p50AtTen: number; p95AtTen: number; ratio: number }

/** Prints every shape, and writes bench/results/<day>-search.json. */
export async function benchSearch(say: (line?: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pujiang-bench-search-'))
  chmodSync(folder, 0o755)
  const server = await startPostgres({ dir: join(folder, 'postgres'), durable: false })
  const opened: Db[] = []
  try {
    const store: Store = { model: loadModel(), entries: resourceEntries }
    const texts = bundleTexts()
    const samples = samplesOf([...copies(texts, 0, 1)], samplesMax)
    const admin = postgres(server.url('postgres'), { max: 1, onnotice: () => {} })
    for (const [name, count] of [['one', 1], ['ten', growth]] as const) {
      await admin.unsafe(`create database ${name}`)
      opened.push(await fill(server.url(name), store, texts, count))
      say(`search: ${count} copies of ${texts.length} bundles loaded`)
    }
    await admin.end()
    const [one, ten] = opened as [Db, Db]
    const outcomes: SearchOutcome[] = []
    for (const each of searchShapes) {
      const outcome = await compareShape(each, samples, [one, ten], store)
      outcomes.push(outcome)
      say(`search: ${outcome.name}`)
    }
    say()
    for (const line of table(heads, outcomes.map(rowOf))) say(line)
    const file = `${new Date().toISOString().slice(0, 10)}-search.json`
    mkdirSync(results, { recursive: true })
    writeFileSync(join(results, file), `${JSON.stringify({ resources: { bundles: texts.length, growth }, ratioLimit, shapes: outcomes }, null, 2)}\n`)
    say(`\n${outcomes.filter((each) => each.ratio <= ratioLimit).length} of ${outcomes.length} shapes keep to ${ratioLimit}. Written to bench/results/${file}\n`)
  } finally {
    for (const db of opened) await db.destroy()
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

async function compareShape(shape: Shape, samples: readonly Sample[], dbs: readonly [Db, Db], store: Store): Promise<SearchOutcome> {
  const times: [number[], number[]] = [[], []]
  const prepared = await Promise.all(dbs.map(async (db) => {
    const queries: URLSearchParams[] = []
    for (const sample of samples) queries.push(await pageOf(db, store, shape, sample))
    return queries
  })) as [URLSearchParams[], URLSearchParams[]]
  for (let round = 0; round < 2; round++) {
    for (const [index] of samples.entries()) {
      for (const side of [0, 1] as const) {
        const started = monotonicMs()
        await run(dbs[side], store, shape, prepared[side][index] as URLSearchParams)
        // The first round fills caches.
        if (round > 0) times[side].push(monotonicMs() - started)
      }
    }
  }
  const [one, ten] = times.map((list) => list.sort((a, b) => a - b)) as [number[], number[]]
  const at = (list: readonly number[], part: number): number => list[Math.min(list.length - 1, Math.floor(list.length * part))] ?? 0
  return {
    name: shape.name, query: `${shape.type}?${shape.query(samples[0] as Sample)}`,
    p50AtOne: at(one, 0.5), p95AtOne: at(one, 0.95), p50AtTen: at(ten, 0.5), p95AtTen: at(ten, 0.95), ratio: at(ten, 0.5) / at(one, 0.5),
  }
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

const heads = ['search', 'query', 'at one, ms', 'p95', 'at ten, ms', 'p95', 'ratio']

function rowOf({ name, query, p50AtOne, p95AtOne, p50AtTen, p95AtTen, ratio }: SearchOutcome): string[] {
  return [name, query.slice(0, 60).replaceAll('|', '\\|'), ...[p50AtOne, p95AtOne, p50AtTen, p95AtTen].map((each) => each.toFixed(2)), `${ratio.toFixed(2)}${ratio > ratioLimit ? ' **over**' : ''}`]
}
