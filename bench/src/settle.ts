/**
 * `npm run bench -- settle`: settlements through HTTP (platform, centre and their databases as processes of their own) beside their
 * limit: the very rows that a settlement leaves on both sides, written by postgres.js alone in as many transactions. Rounds
 * alternate, the median counts. Then pre-settlements at 64 connections, with their 99th percentile.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres, { type Sql, type TransactionSql } from 'postgres'
import { readConfig } from '../../api/src/config.ts'
import { hospitalLevelSystem, institutionSystem, psnSystem, schemeSystem } from '../../api/src/fhir/claim-message.ts'
import { keyOf, newResourceId } from '../../api/src/fhir/id.ts'
import { mintDemoToken } from '../../api/src/mint-token.ts'
import { tokenAuthority } from '../../api/src/platform-services.ts'
import { chargeItemDefinition } from '../../api/src/settlement/charge-item-definition.ts'
import { migrate } from '../../api/src/storage/migrate.ts'
import { openDb, openInsurerDb } from '../../api/src/storage/pool.ts'
import { startPostgres } from '../../api/src/storage/postgres-server.ts'
import { measure, type Window } from './measure.ts'

const rounds = 3
const visitsPerRound = Number(process.env.BENCH_SETTLE_VISITS ?? 200)
const connections = 16
const repository = join(import.meta.dirname, '..', '..')
interface Running { url: string; centreUrl: string; pid: number; postmaster: number; token: string; platform: Sql; centre: Sql; stop(): Promise<void> }

interface SettleOutcome { settlesPerSecond: number[]; limitPerSecond: number[]; ratio: number; preSettlement: Window }

export async function benchSettle(say: (line?: string) => void): Promise<SettleOutcome> {
  say('Starting a database, the platform and an insurance centre …')
  const running = await start()
  try {
    await directory(running)
    const settles: number[] = []
    const limits: number[] = []
    const [sample = ''] = await visits(running, 40)
    await settle(running, sample)
    const rows = await rowsOf(running, sample)
    say(`A settlement leaves ${rows.reduce((sum, each) => sum + each.length, 0)} rows in ${transactions(rows).length} transactions.`)
    for (let round = 1; round <= rounds; round++) {
      const encounters = await visits(running, visitsPerRound)
      settles.push(await perSecond(encounters, (encounter) => settle(running, encounter)))
      limits.push(await perSecond(Array.from({ length: visitsPerRound * 3 }), () => writeRows(running, rows)))
      say(`settle ${round}/${rounds}: ${settles.at(-1)?.toFixed(1)} a second, limit ${limits.at(-1)?.toFixed(1)}`)
    }
    const open = await visits(running, visitsPerRound)
    const preSettlement = await measure({
      url: running.url, requests: open.map((encounter) => ({ method: 'POST', path: '/fhir/Claim/$submit', body: JSON.stringify(parameters(encounter, 'predetermination')) })),
      headers: { Authorization: `Bearer ${running.token}` }, connections: 64, seconds: 10,
    }, { server: running.pid, postmaster: running.postmaster })
    const ratio = middle(settles) / middle(limits)
    say(`settle: ${middle(settles).toFixed(1)} a second at ${connections} connections, ${(ratio * 100).toFixed(0)} % of its limit ${middle(limits).toFixed(1)}`)
    say(`pre-settlement: ${preSettlement.perSecond.toFixed(1)} a second at 64 connections, p50 ${preSettlement.p50} ms, p99 ${preSettlement.p99} ms`)
    return { settlesPerSecond: settles, limitPerSecond: limits, ratio, preSettlement }
  } finally {
    await running.stop()
  }
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

/** How many of the works are done in a second, `connections` at a time. */
async function perSecond<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<number> {
  const queue = [...items.entries()]
  const began = performance.now()
  await Promise.all(Array.from({ length: connections }, async () => { for (let next = queue.shift(); next; next = queue.shift()) await work(next[1]) }))
  return (items.length * 1000) / (performance.now() - began)
}

function parameters(encounter: string, use: string) {
  return { resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${encounter}` } }, { name: 'use', valueCode: use }] }
}

async function settle(running: Running, encounter: string): Promise<void> {
  await send(running, '/fhir/Claim/$submit', parameters(encounter, 'claim'))
}

async function send({ url, token }: Running, path: string, body: unknown): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' }, body: JSON.stringify(body) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 300)}`)
  return JSON.parse(text)
}

const organization = newResourceId(0)
const prices = ['A', 'B', 'A', 'C'].map((catalogueClass, n) => ({
  code: `item-${n}`, zh: `项目${n}`, en: `Item ${n}`, kind: 'service' as const, unit: '次', priceFen: 20_000 + n * 1357, catalogueClass: catalogueClass as 'A' | 'B' | 'C', firstPayRatio: catalogueClass === 'B' ? 0.1 : 0, limitFen: null,
}))

async function directory(running: Running): Promise<void> {
  const put = (resource: { resourceType: string; id?: string }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
  await send(running, '/fhir', {
    resourceType: 'Bundle', type: 'transaction', entry: [
      put({ resourceType: 'Organization', id: organization, active: true, name: '测试医院', identifier: [{ system: institutionSystem, value: 'H31010100001' }], type: [{ coding: [{ system: hospitalLevelSystem, code: '02' }] }] } as never),
      ...prices.map((price) => put(chargeItemDefinition(price))),
    ],
  })
}

let person = 0

/** Visits with four charges, of people who are insured. @returns ids of their encounters. */
async function visits(running: Running, count: number): Promise<string[]> {
  const encounters: string[] = []
  for (let from = 0; from < count; from += 40) {
    const people = Array.from({ length: Math.min(40, count - from) }, () => ({ psnNo: `P${++person}`, patient: newResourceId(person % 4096) }))
    await running.centre`insert into insured_person ${running.centre(people.map(({ psnNo }) => ({ psn_no: psnNo, region: '310000', resident_id: `99990119800101${String(person).padStart(4, '0')}`, name: '测试', sex: 'male', birth_date: '1980-01-01', account_prior_fen: 50_000 })))}`
    await running.centre`insert into enrolment ${running.centre(people.map(({ psnNo }) => ({ psn_no: psnNo, scheme: 310, person_type: 11, from_date: '2020-01-01' })))}`
    const answer = await send(running, '/fhir', { resourceType: 'Bundle', type: 'transaction', entry: people.flatMap(entries) }) as { entry: { response: { location: string } }[] }
    encounters.push(...answer.entry.flatMap(({ response }) => /Encounter\/([^/]+)/.exec(response.location)?.[1] ?? []))
  }
  return encounters
}

function entries({ psnNo, patient }: { psnNo: string; patient: string }) {
  const encounter = `urn:uuid:${newResourceId(null)}`
  const subject = { reference: `Patient/${patient}` }
  const post = (resource: Record<string, unknown>, fullUrl = `urn:uuid:${newResourceId(null)}`) => ({ fullUrl, resource, request: { method: 'POST', url: resource.resourceType } })
  return [
    { resource: { resourceType: 'Patient', id: patient, name: [{ text: '李明' }], gender: 'male', birthDate: '1980-01-01' }, request: { method: 'PUT', url: `Patient/${patient}` } },
    post({ resourceType: 'Coverage', status: 'active', identifier: [{ system: psnSystem('310000'), value: psnNo }], type: { coding: [{ system: schemeSystem, code: '310' }] }, beneficiary: subject, payor: [{ reference: `Organization/${organization}` }], period: { start: '2020-01-01' } }),
    post({ resourceType: 'Encounter', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject, serviceProvider: { reference: `Organization/${organization}` }, period: { start: new Date().toISOString() } }, encounter),
    ...prices.map(({ code }) => post({ resourceType: 'ChargeItem', status: 'billable', subject, context: { reference: encounter }, code: { coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/charge-item', code }] }, quantity: { value: 1 } })),
  ]
}

type Row = Record<string, unknown>
interface TableRows { side: 'platform' | 'centre'; step: 1 | 2; table: string; rows: Row[]; length: number }

/** Every row that a settlement left, by table; the copies are written into tables of the same shape, keys and indexes. */
async function rowsOf({ platform, centre }: Running, encounter: string): Promise<TableRows[]> {
  const key = keyOf(encounter)
  const [attempt] = await platform<{ message_id: string; claim_id: string; response_id: string }[]>`select message_id, claim_id, response_id from settlement_attempt where encounter = ${key}`
  const [bill] = await platform<{ claim_id: string; claim_response_id: string; explanation_id: string; invoice_id: string }[]>`select claim_id, claim_response_id, explanation_id, invoice_id from bill where encounter = ${key}`
  if (!attempt || !bill) throw new Error('The sample was not settled.')
  const resources = Object.values(bill).map(keyOf)
  const table = async (sql: Sql, side: TableRows['side'], step: TableRows['step'], name: string, where: postgres.PendingQuery<postgres.Row[]>): Promise<TableRows> => {
    const rows = await sql<Row[]>`select * from ${sql(name)} where ${where}`
    await sql.unsafe(`create table if not exists bare_${name} (like ${name} including defaults including indexes)`)
    return { side, step, table: `bare_${name}`, rows: [...rows], length: rows.length }
  }
  return [
    await table(platform, 'platform', 1, 'settlement_attempt', platform`encounter = ${key}`),
    await table(centre, 'centre', 1, 'claim', centre`message_id = ${attempt.message_id}`),
    await table(centre, 'centre', 1, 'fund_entry', centre`message_id = ${attempt.message_id}`),
    await table(platform, 'platform', 2, 'resource', platform`id = any(${resources}::uuid[])`),
    await table(platform, 'platform', 2, 'ledger_entry', platform`encounter = ${key}`),
    await table(platform, 'platform', 2, 'settlement_event', platform`encounter = ${key}`),
    await table(platform, 'platform', 2, 'audit_event', platform`resource_id = any(${Object.values(bill)})`),
  ]
}

/** The intention, what the centre commits, what the platform adopts: three, as the product has at least. */
function transactions(rows: readonly TableRows[]): TableRows[][] {
  return [rows.filter((each) => each.side === 'platform' && each.step === 1), rows.filter((each) => each.side === 'centre'), rows.filter((each) => each.side === 'platform' && each.step === 2)]
}

const keyColumns = new Set(['id', 'attempt', 'message_id', 'response_id', 'encounter'])

async function writeRows({ platform, centre }: Running, rows: readonly TableRows[]): Promise<void> {
  const fresh = new Map<unknown, string>()
  const renewed = (row: Row): Row => Object.fromEntries(Object.entries(row).map(([column, value]) => {
    if (!keyColumns.has(column) || typeof value !== 'string') return [column, value]
    if (!fresh.has(value)) fresh.set(value, newResourceId(0))
    return [column, fresh.get(value)]
  }))
  for (const part of transactions(rows)) {
    const sql = part[0]?.side === 'centre' ? centre : platform
    await sql.begin(async (trx: TransactionSql) => { for (const { table, rows: kept } of part) if (kept.length > 0) await trx`insert into ${trx(table)} ${trx(kept.map(renewed))}` })
  }
}

async function start(): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'pujiang-settle-'))
  chmodSync(folder, 0o755)
  const cluster = join(folder, 'postgres')
  const server = await startPostgres({ dir: cluster, durable: true })
  const children: ChildProcess[] = []
  const admin = postgres(server.url('postgres'), { max: 1, onnotice: () => {} })
  await admin.unsafe('create database bench')
  await admin.unsafe('create database bench_centre')
  await admin.end()
  const platform = postgres(server.url('bench'), { max: connections, onnotice: () => {} })
  const centre = postgres(server.url('bench_centre'), { max: connections, onnotice: () => {} })
  const stop = async () => {
    for (const child of children) child.kill('SIGKILL')
    await Promise.all([platform.end({ timeout: 1 }), centre.end({ timeout: 1 })])
    server.stop('fast')
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const centrePort = await freePort()
    const port = await freePort()
    const [url, centreUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${centrePort}`]
    const common = { DATA_DIR: folder, POOL_CONNECTIONS_MAX: '6', SEED: 'none', LOG_LEVEL: 'warn' }
    const environment = { ...common, DATABASE_URL: server.url('bench'), PORT: String(port), PUBLIC_URL: url, INSURER_URL: centreUrl }
    const db = openDb(environment.DATABASE_URL, { max: 1 })
    const insurer = openInsurerDb(server.url('bench_centre'), { max: 1 })
    await migrate(db, 'platform')
    await migrate(insurer, 'insurer')
    const client = { display_name: 'Benchmark', scopes: 'system/*.cruds', organization: null }
    const authority = await tokenAuthority(readConfig(environment), db, new Date())
    await db.insertInto('client').values({ id: 'bench', jwks: { keys: [] }, ...client }).execute()
    await insurer.insertInto('client').values({ id: 'platform', jwks: { keys: authority.keys.map((key) => key.publicJwk) }, ...client }).execute()
    await Promise.all([db.destroy(), insurer.destroy()])
    const token = await mintDemoToken(readConfig(environment), { client: 'bench', user: null, scope: null })
    await launch(children, 'api/src/insurer-main.ts', { ...common, DATABASE_URL: server.url('bench_centre'), PORT: String(centrePort), PUBLIC_URL: centreUrl, REGION: '310000' }, centreUrl)
    const pid = await launch(children, 'api/src/main.ts', environment, url)
    return { url, centreUrl, pid, token, platform, centre, stop, postmaster: Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]) }
  } catch (error) {
    await stop()
    throw error
  }
}

async function launch(children: ChildProcess[], file: string, environment: Record<string, string>, url: string): Promise<number> {
  const child = spawn(process.execPath, [file], { cwd: repository, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, NODE_ENV: undefined, ...environment } })
  children.push(child)
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error(`${file} ended with code ${child.exitCode}.`)
    if ((await fetch(`${url}/health/live`).catch(() => null))?.ok && child.pid) return child.pid
    await sleep(100)
  }
  throw new Error(`${file} was not ready within 60 s.`)
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => done(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
