/**
 * `npm run bench [-- NAME…]`: each figure beside its limit, measured in the same run. Windows of platform and bare server
 * alternate, so that a machine that slows down slows both; of three rounds the median counts. What matters is the ratio and the
 * CPU time per request; requests per second belong to the machine. Writes bench/results/<day>.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Benchmark, benchmark, type BenchmarkName, benchmarkNames, type Stored, type Work } from './benchmarks.ts'
import { observation, patient } from './documents.ts'
import { measure, median, type Order, warmUp, type Window } from './measure.ts'
import { benchReconcile } from './reconcile.ts'
import { benchSearch } from './search.ts'
import { poolConnections, type Server, type Servers, startServers } from './servers.ts'
import { benchSettle } from './settle.ts'

const rounds = 3
const windowSeconds = 6
const warmUpSeconds = 1
const storedObservations = 5000

interface Outcome { name: string; what: string; resources: number; connections: number; platform: Window; bare: Window; ratio: number }

const say = (line = '') => process.stdout.write(`${line}\n`)

/** Parts with servers of their own. */
const parts: Record<string, (say: (line?: string) => void) => Promise<unknown>> = { search: benchSearch, settle: benchSettle, reconcile: benchReconcile }

function chosen(): { names: BenchmarkName[]; alone: string[] } {
  const { positionals } = parseArgs({ allowPositionals: true })
  const known = [...benchmarkNames, ...Object.keys(parts)]
  const unknown = positionals.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`There is no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}.`)
  const wanted = (name: string) => positionals.length === 0 || positionals.includes(name)
  return { names: benchmarkNames.filter(wanted), alone: Object.keys(parts).filter(wanted) }
}

async function main(): Promise<void> {
  const { names, alone } = chosen()
  for (const name of alone) await parts[name]?.(say)
  if (names.length === 0) return
  say('Starting a database, the platform and the bare server …')
  const servers = await startServers()
  try {
    const stored = await fill(servers)
    const outcomes: Outcome[] = []
    for (const name of names) {
      const each = benchmark(name, stored)
      if (each === null) say(`${name}: left out, its bundles (../shared/data/synthea-r4) are not here.`)
      else outcomes.push(await compare(each, servers))
    }
    say()
    print(outcomes)
    say(`\nWritten to ${write(outcomes, servers)}`)
  } finally {
    await servers.stop()
  }
}

/** What is read later: one patient and Observations of theirs, sent over HTTP like everything else. */
async function fill(servers: Servers): Promise<Stored> {
  const [patientId] = await send(servers, [{ resource: patient(0), request: { method: 'POST', url: 'Patient' } }])
  if (!patientId) throw new Error('The patient was not stored.')
  const observations: string[] = []
  for (let from = 0; from < storedObservations; from += 500) {
    const entries = Array.from({ length: 500 }, (_, i) => ({
      resource: observation(from + i, { reference: `Patient/${patientId}` }), request: { method: 'POST', url: 'Observation' },
    }))
    observations.push(...await send(servers, entries))
  }
  return { observations, patient: patientId }
}

/** Ids of what a transaction made. */
async function send(servers: Servers, entry: unknown[]): Promise<string[]> {
  const answer = await fetch(`${servers.platform.url}/fhir`, {
    method: 'POST', headers: { Authorization: `Bearer ${servers.token}`, 'Content-Type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
  })
  if (!answer.ok) throw new Error(`The platform answered ${answer.status}: ${(await answer.text()).slice(0, 500)}`)
  const { entry: made } = await answer.json() as { entry: { response: { location: string } }[] }
  return made.map(({ response }) => /[A-Z][A-Za-z]+\/([A-Za-z0-9\-.]+)/.exec(response.location)?.[1] ?? '')
}

async function compare(each: Benchmark, servers: Servers): Promise<Outcome> {
  const windows: Record<'platform' | 'bare', Window[]> = { platform: [], bare: [] }
  const sides = [['bare', servers.bare, each.bare, {}], ['platform', servers.platform, each.platform, { Authorization: `Bearer ${servers.token}` }]] as const
  for (let round = 1; round <= rounds; round++) {
    for (const [side, server, work, headers] of sides) {
      const watched = { server: server.pid, postmaster: servers.postmaster }
      await warmUp(order(each, server, work, headers, warmUpSeconds))
      const window = await measure(order(each, server, work, headers, windowSeconds), watched)
      windows[side].push(window)
      say(`${each.name} ${round}/${rounds} ${side.padEnd(8)} ${perSecond(window.perSecond)} a second`)
    }
  }
  const platform = median(windows.platform)
  const bare = median(windows.bare)
  return { name: each.name, what: each.what, resources: each.resources, connections: each.connections, platform, bare, ratio: platform.perSecond / bare.perSecond }
}

function order(each: Benchmark, server: Server, work: Work, headers: Record<string, string>, seconds: number): Order {
  return { url: server.url, ...work, headers, connections: each.connections, seconds }
}

function print(outcomes: readonly Outcome[]): void {
  const heads = ['benchmark', 'side', 'connections', 'per second', 'p50 ms', 'p99 ms', 'node µs', 'postgres µs', 'of limit']
  const rows = outcomes.flatMap((each) => [
    [each.name, 'limit', String(each.connections), ...columns(each.bare), ''],
    ['', 'platform', '', ...columns(each.platform), `${(each.ratio * 100).toFixed(0)} %`],
  ])
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]) => row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')
  say(line(heads))
  for (const row of rows) say(line(row))
  for (const each of outcomes) {
    if (each.resources > 1) say(`${each.name}: ${Math.round(each.resources)} resources a request, ${perSecond(each.platform.perSecond * each.resources)} resources a second stored and indexed`)
  }
}

function columns(window: Window): string[] {
  return [perSecond(window.perSecond), String(window.p50), String(window.p99), micros(window.nodeMicros), micros(window.postgresMicros)]
}

function perSecond(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1)
}

function micros(value: number | null): string {
  return value === null ? '' : value.toLocaleString('en')
}

function write(outcomes: readonly Outcome[], servers: Servers): string {
  const folder = join(import.meta.dirname, '..', 'results')
  mkdirSync(folder, { recursive: true })
  const at = new Date().toISOString()
  const file = join(folder, `${at.slice(0, 10)}.json`)
  const machine = {
    processor: cpus()[0]?.model ?? '', cores: cpus().length, memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    node: process.version, postgres: servers.postgresVersion,
  }
  const settings = { poolConnections, rounds, windowSeconds, durable: true }
  writeFileSync(file, `${JSON.stringify({ at, machine, settings, benchmarks: outcomes }, null, 2)}\n`)
  return `bench/results/${at.slice(0, 10)}.json`
}

await main()
