/**
 * One window of load on one server, and what it cost: requests in the window, latency, and CPU time of the server's process and
 * of all processes of the database server. CPU time per request is the figure that a busy machine does not spoil.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One request of a load. */
export interface Planned {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  body?: string
  /** Name under which the address of what it creates is kept. */
  keeps?: string
  /** Deletes the oldest of what was kept under this name; `path` is read while there is none. */
  removes?: string
}

/** What the load generator is told. */
export interface Order {
  url: string
  /** In turn, by all connections together. */
  requests: Planned[]
  headers: Record<string, string>
  connections: number
  seconds: number
  /** So many requests, however long they take, in place of `seconds`. */
  amount?: number
  /** They arrive at this rate, in place of callers that never pause. */
  perSecond?: number
  /**
   * Seconds that the generator drives before it counts. It shares the cores with what it drives, and while its own code is compiled everything waits: with 64 callers
   * the first second alone was the slowest hundredth of a window of five.
   */
  runUpSeconds?: number
}

/** What it says. Latencies in milliseconds; `uncounted` are the requests of the run-up. */
export interface Answer { requests: number; uncounted: number; seconds: number; p50: number; p99: number; failed: number }

export interface Window { perSecond: number; p50: number; p99: number; nodeMicros: number | null; postgresMicros: number | null }

/** Process ids whose time is counted. */
export interface Watched { server: number; postmaster: number }

/** Load without measuring, so that code is compiled and caches are warm. */
export async function warmUp(order: Order): Promise<void> {
  await drive(order)
}

/** @throws Error when any request was refused: a figure with errors in it says nothing. */
export async function measure(order: Order, watched: Watched): Promise<Window> {
  const before = cpuOf(watched)
  const answer = await drive(order)
  const after = cpuOf(watched)
  if (answer.failed > 0 || answer.requests === 0) throw new Error(`${order.url}${order.requests[0]?.path}: ${answer.failed} requests failed, ${answer.requests} succeeded.`)
  const each = (kind: 'server' | 'postgres') => (before && after ? Math.round((after[kind] - before[kind]) / (answer.requests + answer.uncounted)) : null)
  return { perSecond: answer.requests / answer.seconds, p50: answer.p50, p99: answer.p99, nodeMicros: each('server'), postgresMicros: each('postgres') }
}

export function median(windows: readonly Window[]): Window {
  const sorted = [...windows].sort((one, other) => one.perSecond - other.perSecond)
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (!middle) throw new Error('No window was measured.')
  return middle
}

/** Puts a load on a server and says what came of it. */
export function drive(order: Order): Promise<Answer> {
  return childJson('load-process.ts', order)
}

/** Runs a file of this folder as a process: one JSON document in, one out. */
export function childJson<T>(file: string, input: unknown): Promise<T> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, file)], { stdio: ['pipe', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString('utf8') })
    child.once('error', failed)
    child.once('close', (code) => {
      if (code === 0) done(JSON.parse(output) as T)
      else failed(new Error(`The load generator ended with code ${code}.`))
    })
    child.stdin.end(JSON.stringify(input))
  })
}

/** CPU time so far in microseconds; null where there is no /proc. */
export function cpuOf(watched: Watched): { server: number; postgres: number } | null {
  const processes = processTable()
  const server = processes?.get(watched.server)
  const postmaster = processes?.get(watched.postmaster)
  if (!processes || !server || !postmaster) return null
  // The time of backends that have ended is in the postmaster's account of its children.
  const children = [...processes.values()].filter((each) => each.parent === watched.postmaster)
  return { server: server.own, postgres: postmaster.own + postmaster.ended + children.reduce((sum, each) => sum + each.own, 0) }
}

/** CPU time so far of all processes of a database server, in microseconds; null where there is no /proc. */
export function postgresMicrosOf(postmaster: number): number | null {
  return cpuOf({ server: postmaster, postmaster })?.postgres ?? null
}

/** CPU time so far of a platform, a centre and their database server, in microseconds; null where there is no /proc. */
export function microsOf(pids: { platform: number; centre: number; postmaster: number }): { platform: number; centre: number; postgres: number } | null {
  const platform = cpuOf({ server: pids.platform, postmaster: pids.postmaster })
  const centre = cpuOf({ server: pids.centre, postmaster: pids.postmaster })
  return platform && centre ? { platform: platform.server, centre: centre.server, postgres: platform.postgres } : null
}

const ticksPerSecond = 100

function processTable(): Map<number, { parent: number; own: number; ended: number }> | null {
  let names: string[]
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return null
  }
  const table = new Map<number, { parent: number; own: number; ended: number }>()
  for (const name of names) {
    let text: string
    try {
      text = readFileSync(`/proc/${name}/stat`, 'utf8')
    } catch {
      continue // It ended while we looked.
    }
    // The program's name may hold spaces and brackets; the fields after its last bracket begin with the state.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number)
    const micros = (from: number) => ((fields[from] ?? 0) + (fields[from + 1] ?? 0)) * (1_000_000 / ticksPerSecond)
    table.set(Number(name), { parent: fields[1] ?? 0, own: micros(11), ended: micros(13) })
  }
  return table
}
