/**
 * `npm run bench:insurer [-- adjudicate reconcile --settlements N --seconds S --rounds R]`: the insurance centre beside its
 * limits, on a database of its own with the durability of production. `adjudicate`: bills split in memory; pre-settlement and
 * settlement over HTTP at 64 connections, the latter beside the same rows written bare. `reconcile`: a day of N settlements
 * compared in one pass, beside the same join in bare SQL, with the memory of the process. Ratios count; seconds belong to the
 * machine.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import postgres from 'postgres'
import { systemCaller, tokenSource } from '../../api/src/access/system-call.ts'
import { newSigningKey } from '../../api/src/crypto.ts'
import { newResourceId } from '../../api/src/fhir/id.ts'
import { insertEnrolments } from '../../api/src/insurer/enrolment.ts'
import { findDifferences } from '../../api/src/insurer/reconcile.ts'
import { migrate } from '../../api/src/storage/migrate.ts'
import { type InsurerDb, openInsurerDb } from '../../api/src/storage/pool.ts'
import { startPostgres } from '../../api/src/storage/postgres-server.ts'
import { inTransaction } from '../../api/src/storage/transaction.ts'
import { claimBody, inMemory } from './insurer-claims.ts'
import { measure, median, type Order, warmUp, type Window } from './measure.ts'

const repository = join(import.meta.dirname, '..', '..')
const people = 2000
const connections = 64
const day = '2026-11-20'
const say = (line = '') => process.stdout.write(`${line}\n`)

const { values, positionals } = parseArgs({ allowPositionals: true, options: { settlements: { type: 'string', default: '1000000' }, seconds: { type: 'string', default: '6' }, rounds: { type: 'string', default: '3' } } })
const [rounds, windowSeconds] = [Number(values.rounds), Number(values.seconds)]
const unknown = positionals.filter((name) => name !== 'adjudicate' && name !== 'reconcile')
if (unknown.length > 0) throw new Error(`There is no benchmark ${unknown.join(', ')}; there are adjudicate and reconcile.`)
const wanted = (name: string) => positionals.length === 0 || positionals.includes(name)

const folder = mkdtempSync(join(tmpdir(), 'pujiang-bench-insurer-'))
chmodSync(folder, 0o755)
const cluster = join(folder, 'postgres')
const server = await startPostgres({ dir: cluster, durable: true })
const children: ChildProcess[] = []
const results: Record<string, unknown> = {}
try {
  const admin = postgres(server.url('postgres'), { max: 1, onnotice: () => {} })
  await admin.unsafe('create database centre')
  await admin.end()
  const db = openInsurerDb(server.url('centre'), { max: 4, statementTimeoutMs: 0 })
  await migrate(db, 'insurer')
  const key = await newSigningKey()
  await db.insertInto('client').values({ id: 'platform', display_name: 'Platform', jwks: { keys: [key.publicJwk] }, scopes: 'system/*.cruds', organization: null }).execute()
  if (wanted('adjudicate')) results['adjudicate'] = await adjudicateBench(db, key)
  if (wanted('reconcile')) results['reconcile'] = await reconcileBench(db, Number(values.settlements))
  await db.destroy()
  write()
} finally {
  for (const child of children) child.kill('SIGKILL')
  server.stop('fast')
  rmSync(folder, { recursive: true, force: true })
}

async function adjudicateBench(db: InsurerDb, key: Awaited<ReturnType<typeof newSigningKey>>): Promise<object> {
  const memory = inMemory(windowSeconds)
  say(`adjudicate in memory: ${Math.round(memory.perSecond).toLocaleString('en')} bills of 4 lines a second, ${memory.micros.toFixed(0)} µs of CPU each`)
  await inTransaction(db, (trx) => insertEnrolments(trx, Array.from({ length: people }, (_, n) => ({
    psnNo: `P${n}`, region: '310000', residentId: `99990119850101${n}`, name: '测试', sex: 'male' as const, birthDate: '1985-01-01', scheme: 310 as const, personType: 11,
    from: '2020-01-01', until: null, retiredOn: null, aid: false, accountCurrentFen: 0n, accountPriorFen: 1_000_000_000n,
  }))))
  const centre = await launch('api/src/insurer-main.ts', (port) => ({
    DATABASE_URL: server.url('centre'), PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}`, REGION: '310000', LOG_LEVEL: 'warn', DATA_DIR: folder,
  }), '/health/live')
  const bare = await launch('bench/src/bare-settle.ts', () => ({}), '/ready', (port) => [server.url('centre'), String(port)])
  const options = { baseUrl: centre.url, clientId: 'platform', key, timeoutMs: 10_000, now: () => new Date(), newId: () => newResourceId(null) }
  const token = await tokenSource(options).get()
  if (typeof token !== 'string') throw new Error(token.reason)
  const first = await systemCaller(options)('POST', '/fhir/Claim/$submit', JSON.parse(claimBody(0, 'predetermination', day, people)))
  if (first.status !== 200) throw new Error(JSON.stringify(first.json))
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' }
  const watched = (pid: number) => ({ server: pid, postmaster: Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]) })
  const order = (url: string, path: string, bodies: string[], seconds: number): Order => ({
    url, requests: bodies.map((body) => ({ method: 'POST', path, body })), headers, connections, seconds,
  })

  const estimates = Array.from({ length: 500 }, (_, n) => claimBody(n, 'predetermination', day, people))
  const windows: Record<'estimate' | 'settle' | 'bare', Window[]> = { estimate: [], settle: [], bare: [] }
  let serial = 1000
  /** Each message id once: more bodies than a window can send. */
  const fresh = (seconds: number) => Array.from({ length: 4000 * seconds }, () => claimBody(serial++, 'claim', day, people))
  await warmUp(order(centre.url, '/fhir/Claim/$submit', estimates, 2))
  await warmUp(order(centre.url, '/fhir/Claim/$submit', fresh(2), 2))
  await warmUp(order(bare.url, '/settle', fresh(2), 2))
  for (let round = 1; round <= rounds; round++) {
    windows.estimate.push(await measure(order(centre.url, '/fhir/Claim/$submit', estimates, windowSeconds), watched(centre.pid)))
    windows.bare.push(await measure(order(bare.url, '/settle', fresh(windowSeconds), windowSeconds), watched(bare.pid)))
    windows.settle.push(await measure(order(centre.url, '/fhir/Claim/$submit', fresh(windowSeconds), windowSeconds), watched(centre.pid)))
    say(`round ${round}/${rounds} done`)
  }
  const [estimate, settle, limit] = [median(windows.estimate), median(windows.settle), median(windows.bare)]
  for (const [name, window] of [['pre-settlement', estimate], ['settle', settle], ['settle, limit', limit]] as const) {
    say(`${name.padEnd(16)} ${Math.round(window.perSecond)} a second, p50 ${window.p50} ms, p99 ${window.p99} ms, Node ${window.nodeMicros} µs, PostgreSQL ${window.postgresMicros} µs`)
  }
  say(`settle is ${(100 * settle.perSecond / limit.perSecond).toFixed(0)} % of its limit`)
  for (const child of children.splice(0)) child.kill('SIGTERM')
  return { memory, estimate, settle, limit, connections, ratio: settle.perSecond / limit.perSecond }
}

/** A day of so many settlements here, and the sender's list of it with 40 seeded differences. */
async function reconcileBench(db: InsurerDb, settlements: number): Promise<object> {
  if (!Number.isInteger(settlements) || settlements < 1000) throw new Error('--settlements must be a whole number from 1000.')
  const bare = postgres(server.url('centre'), { max: 1, onnotice: () => {} })
  say(`reconcile: filling a day with ${settlements.toLocaleString('en')} settlements …`)
  await bare`insert into claim (message_id, client_id, state, body_hash, psn_no, scheme, service_date, policy, content, response, received_at, provider, insured_region, treating_region,
      medical_type, settled_day, total_fen, fund_fen, cash_fen)
    select 'H3101010000120261119' || lpad(n::text, 10, '0'), 'bench', 'settled', 'x', 'P' || n % 2000, 310, '2026-11-19', '310000-310-2025-07', '{}', '{}', '2026-11-19T02:00:00Z',
      'H31010100001', '310000', '310000', '11', '2026-11-19', 10000 + n % 500, 7000 + n % 500, 3000 from generate_series(1, ${settlements}) as n`
  await bare`insert into statement (id, client_id, provider, day, count, total_fen, fund_fen, account_fen, outcome, received_at)
    values ('s', 'bench', '*', '2026-11-19', 0, 0, 0, 0, 'differs', now())`
  await bare`insert into statement_line select 's', message_id, 'settle', total_fen, fund_fen + (case when ctr <= 20 then 1 else 0 end), 0
    from (select message_id, total_fen, fund_fen, row_number() over (order by message_id) as ctr from claim where client_id = 'bench') as c where ctr <= 20 or ctr > 40`
  await bare`analyze claim, statement_line`
  const asked = { day: '2026-11-19', institution: '*' }
  const seconds: { pass: number[]; bare: number[] } = { pass: [], bare: [] }
  let grown = 0
  const clock = async (into: number[], run: () => Promise<unknown>) => {
    const before = process.hrtime.bigint()
    await run()
    into.push(Number(process.hrtime.bigint() - before) / 1e9)
  }
  for (let round = 0; round < rounds; round++) {
    await clock(seconds.bare, () => bare`select count(*) from (
        select message_id, total_fen, fund_fen, account_current_fen + account_prior_fen as account_fen from claim where settled_day = '2026-11-19' and client_id = 'bench'
      ) h full join (select * from statement_line where statement_id = 's') t on t.message_id = h.message_id
      where h.message_id is null or t.message_id is null or h.total_fen <> t.total_fen or h.fund_fen <> t.fund_fen or h.account_fen <> t.account_fen`)
    await bare`delete from difference`
    const before = process.memoryUsage().rss
    let found = 0n
    await clock(seconds.pass, async () => { found = await inTransaction(db, (trx) => findDifferences(trx, 's', 'bench', asked)) })
    grown = Math.max(grown, process.memoryUsage().rss - before)
    if (found !== 40n) throw new Error(`40 differences were seeded, ${found} found.`)
  }
  const middle = (list: number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0
  const [pass, limit] = [middle(seconds.pass), middle(seconds.bare)]
  await bare.end()
  say(`reconcile: pass ${pass.toFixed(2)} s, bare join ${limit.toFixed(2)} s, ratio ${(pass / limit).toFixed(2)}; the process grew by ${(grown / 2 ** 20).toFixed(1)} MB; 40 of 40 differences found`)
  return { settlements, passSeconds: pass, bareSeconds: limit, ratio: pass / limit, memoryGrownMegabytes: grown / 2 ** 20 }
}

async function launch(
  file: string, environment: (port: number) => Record<string, string>, ready: string, args: (port: number) => string[] = () => [],
): Promise<{ url: string; pid: number }> {
  const port = await freePort()
  const child = spawn(process.execPath, [file, ...args(port)], { cwd: repository, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, NODE_ENV: undefined, ...environment(port) } })
  children.push(child)
  const url = `http://127.0.0.1:${port}`
  for (let tries = 0; tries < 600; tries++) {
    const answer = await fetch(`${url}${ready}`).catch(() => null)
    if (answer?.ok && child.pid) return { url, pid: child.pid }
    if (child.exitCode !== null) throw new Error(`${file} ended with code ${child.exitCode}.`)
    await sleep(100)
  }
  throw new Error(`${file} was not ready within 60 s.`)
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer()
    probe.once('error', failed)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => done(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function write(): void {
  const into = join(import.meta.dirname, '..', 'results')
  mkdirSync(into, { recursive: true })
  const at = new Date().toISOString()
  const machine = { processor: cpus()[0]?.model ?? '', cores: cpus().length, memoryGigabytes: Math.round(totalmem() / 2 ** 30), node: process.version }
  writeFileSync(join(into, `${at.slice(0, 10)}-insurer.json`), `${JSON.stringify({ at, machine, settings: { rounds, windowSeconds, connections, durable: true }, results }, null, 2)}\n`)
  say(`Written to bench/results/${at.slice(0, 10)}-insurer.json`)
}
