/**
 * `npm run bench [-- NAME…]`: each figure beside its limit, measured in the same run. Windows of platform and bare server
 * alternate, so that a machine that slows down slows both; of three rounds the median counts. What matters is the ratio and the
 * CPU time per request; requests per second belong to the machine. Prints the tables of docs/bench.md and writes bench/results/<day>.json.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { benchAccess } from './access.ts'
import { type Benchmark, benchmark, benchmarkNames } from './benchmarks.ts'
import { fill } from './fill.ts'
import { benchFind, benchRelease } from './find.ts'
import { measure, median, type Order, type Planned, warmUp, type Window } from './measure.ts'
import { measureMemory, residentMegabytes } from './memory.ts'
import { lines, type Outcome, rate, writeResults } from './report.ts'
import { benchBook } from './book.ts'
import { benchReconcile } from './reconcile.ts'
import { benchSearch } from './search.ts'
import { poolConnections, type Server, type Servers, startServers } from './servers.ts'
import { benchSettle } from './settle.ts'
import { measureStages } from './stages.ts'

const rounds = 3
const windowSeconds = 6
const warmUpSeconds = 1
/** Before the first window of each side: the platform has more code to compile than the bare server. */
const firstWarmUpSeconds = 5
/** From a start until the process has come to rest. */
const restSeconds = 5

/** Parts of a run that are not a comparison. */
const otherNames = ['memory', 'stages'] as const
const names: readonly string[] = [...benchmarkNames, ...otherNames]

const say = (line = '') => process.stdout.write(`${line}\n`)

/** Parts with servers of their own. */
const parts: Record<string, (say: (line?: string) => void) => Promise<unknown>> = { access: benchAccess, search: benchSearch, settle: benchSettle, reconcile: benchReconcile, book: benchBook, find: benchFind, release: benchRelease }

function chosen(): Set<string> {
  const { positionals } = parseArgs({ allowPositionals: true })
  const known = [...names, ...Object.keys(parts)]
  const unknown = positionals.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`There is no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}.`)
  return new Set(positionals.length > 0 ? positionals : known)
}

async function main(): Promise<void> {
  const wanted = chosen()
  for (const name of Object.keys(parts)) if (wanted.has(name)) await parts[name]?.(say)
  if (!names.some((name) => wanted.has(name))) return
  say('Starting a database, the platform and the bare server …')
  const servers = await startServers()
  try {
    await sleep(restSeconds * 1000)
    const idle = residentMegabytes(servers.platform.pid) ?? 0
    const stored = await fill(servers)
    const benchmarks: Outcome[] = []
    for (const name of benchmarkNames.filter((each) => wanted.has(each))) {
      const each = benchmark(name, stored)
      if (each === null) say(`${name}: left out, its bundles (../shared/data/synthea-r4) are not here.`)
      else benchmarks.push(await compare(each, servers))
    }
    const stages = wanted.has('stages') ? await measureStages(servers, stored) : []
    const memory = wanted.has('memory') ? await measureMemory(servers, idle) : null
    const { startSeconds, postgresVersion } = servers
    const run = { benchmarks, stages, memory, startSeconds, postgresVersion, settings: { poolConnections, rounds, windowSeconds, durable: true } }
    say()
    for (const line of lines(run)) say(line)
    say(`\nWritten to ${writeResults(run)}`)
  } finally {
    await servers.stop()
  }
}

async function compare(each: Benchmark, servers: Servers): Promise<Outcome> {
  const windows: Record<'platform' | 'bare', Window[]> = { platform: [], bare: [] }
  const sides = [['bare', servers.bare, each.bare, {}], ['platform', servers.platform, each.platform, { Authorization: `Bearer ${servers.token}` }]] as const
  for (let round = 1; round <= rounds; round++) {
    for (const [side, server, requests, headers] of sides) {
      const watched = { server: server.pid, postmaster: servers.postmaster }
      await warmUp(order(each, server, requests, headers, round === 1 ? firstWarmUpSeconds : warmUpSeconds))
      const window = await measure(order(each, server, requests, headers, windowSeconds), watched)
      windows[side].push(window)
      say(`${each.name} ${round}/${rounds} ${side.padEnd(8)} ${rate(window.perSecond)} a second`)
    }
  }
  const platform = median(windows.platform)
  const bare = median(windows.bare)
  return { name: each.name, what: each.what, resources: each.resources, connections: each.connections, platform, bare, ratio: platform.perSecond / bare.perSecond }
}

function order(each: Benchmark, server: Server, requests: Planned[], headers: Record<string, string>, seconds: number): Order {
  return { url: server.url, requests, headers, connections: each.connections, seconds }
}

await main()
