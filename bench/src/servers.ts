/**
 * What a run measures, started for it alone: a database server with the durability of production on a scratch folder, the
 * platform's process, and the bare server beside it on the same database.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { readConfig } from '../../api/src/config.ts'
import { mintDemoToken } from '../../api/src/mint-token.ts'
import { heapFlags } from '../../api/src/process.ts'
import { migrate } from '../../api/src/storage/migrate.ts'
import { openDb } from '../../api/src/storage/pool.ts'
import { startPostgres } from '../../api/src/storage/postgres-server.ts'

export interface Server { url: string; pid: number }

export interface Servers {
  platform: Server
  bare: Server
  /** Of a client that may read and write everything. */
  token: string
  postmaster: number
  databaseUrl: string
  postgresVersion: string
  /** From the start of the platform's process on an empty database until it answered. */
  startSeconds: number
  /** Settings of the platform's process. */
  environment: Record<string, string>
  stop(): Promise<void>
}

const repository = join(import.meta.dirname, '..', '..')
export const poolConnections = 6
const database = 'bench'

/** @param given.bare the bare server's file; @param given.platform further settings of the platform. */
export async function startServers(given: { bare?: string; platform?: Record<string, string> } = {}): Promise<Servers> {
  const folder = mkdtempSync(join(tmpdir(), 'pujiang-bench-'))
  chmodSync(folder, 0o755)
  const cluster = join(folder, 'postgres')
  const server = await startPostgres({ dir: cluster, durable: true })
  const children: ChildProcess[] = []
  const stop = async () => {
    await end(children)
    server.stop('fast')
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const postgresVersion = await prepare(server.url('postgres'), server.url(database))
    const environment = { DATABASE_URL: server.url(database), DATA_DIR: folder, POOL_CONNECTIONS_MAX: String(poolConnections), SEED: 'none', LOG_LEVEL: 'warn', PUBLIC_URL: 'http://bench.invalid', ...given.platform }
    const token = await mintDemoToken(readConfig(environment), { client: 'bench', user: null, scope: null })
    const startedAt = performance.now()
    const platform = await launch(children, 'api/src/main.ts', [], (port) => ({ ...environment, PORT: String(port) }), '/health/live')
    const startSeconds = (performance.now() - startedAt) / 1000
    const bare = await launch(children, given.bare ?? 'bench/src/bare-server.ts', (port) => [server.url(database), String(port), String(poolConnections)], () => ({}), '/ready')
    const postmaster = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0])
    return { platform, bare, token, postmaster, databaseUrl: server.url(database), postgresVersion, startSeconds, environment, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function prepare(adminUrl: string, url: string): Promise<string> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => {} })
  await admin.unsafe(`create database ${database}`)
  const [row] = await admin<{ version: string }[]>`select current_setting('server_version') as version`
  await admin.end()
  const db = openDb(url, { max: 1 })
  try {
    await migrate(db, 'platform')
    await db.insertInto('client').values({ id: 'bench', display_name: 'Benchmark', jwks: { keys: [] }, scopes: 'system/*.cruds', organization: null }).execute()
  } finally {
    await db.destroy()
  }
  return row?.version ?? ''
}

/** Asks the processes to end, and ends those that do not. */
export async function end(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) {
    const ended = new Promise((done) => child.once('exit', done))
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM')) await Promise.race([ended, sleep(5000)])
    child.kill('SIGKILL')
  }
}

/** @param ready path that answers once the process is. @param chosen its port; one that is free unless said. */
export async function launch(
  children: ChildProcess[], file: string, args: readonly string[] | ((port: number) => string[]),
  environment: (port: number) => Record<string, string>, ready: string, chosen?: number,
): Promise<Server> {
  const port = chosen ?? await freePort()
  const child = spawn(process.execPath, [...heapFlags, file, ...(typeof args === 'function' ? args(port) : args)], {
    cwd: repository, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, NODE_ENV: undefined, ...environment(port) },
  })
  children.push(child)
  const url = `http://127.0.0.1:${port}`
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) throw new Error(`${file} ended with code ${child.exitCode}.`)
    const answer = await fetch(`${url}${ready}`).catch(() => null)
    if (answer?.ok && child.pid) return { url, pid: child.pid }
    await sleep(100)
  }
  throw new Error(`${file} was not ready within 30 s.`)
}

export function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
