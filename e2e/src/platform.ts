/**
 * The whole product for one test: `npm start` itself on a scratch data folder and free ports, with a small city and a clock that
 * stands on a weekday morning, when clinics are about to open. What a test leaves behind is removed with its folder.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cacheFolder } from './browser.ts'

/** A Tuesday, 07:30 in Shanghai: before the first place of the morning, on a day that is no holiday. */
export const morning = new Date('2026-11-24T07:30:00+08:00')

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const readySeconds = 120

export interface Platform {
  url: string
  /** Instant on the platform's clock. */
  now(): Date
  /** `kill -9` of everything at once: supervisor, platform, worker, insurance centres and PostgreSQL. */
  kill(): Promise<void>
  /** Starts again on the same folder and ports. */
  start(): Promise<void>
  /** Ctrl-C, then the folder is removed. */
  stop(): Promise<void>
}

export interface PlatformOptions {
  /** Names the log in .cache/. */
  name: string
  /** Citizens of the city. */
  citizens: number
}

/** @throws Error that names the log, when the product is not ready in time. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const folder = mkdtempSync(join(tmpdir(), 'pujiang-journey-'))
  chmodSync(folder, 0o755)
  mkdirSync(cacheFolder, { recursive: true })
  const log = join(cacheFolder, `journey-${options.name}.log`)
  rmSync(log, { force: true })
  const [port, shanghai, neighbour] = await freePorts(3)
  const offsetMinutes = Math.round((morning.getTime() - Date.now()) / 60_000)
  const environment = {
    DATA_DIR: folder, PORT: String(port), INSURER_310000_PORT: String(shanghai), INSURER_320500_PORT: String(neighbour),
    SEED: String(options.citizens), CLOCK_OFFSET_MINUTES: String(offsetMinutes), LOG_LEVEL: 'info',
    HOST: '127.0.0.1', PUBLIC_URL: undefined, DATABASE_URL: undefined, INSURER_URL: undefined, NODE_ENV: undefined, VITEST: undefined,
  }
  let supervisor: ChildProcess | null = null

  const start = async () => {
    const output = openSync(log, 'a')
    const child = spawn(process.execPath, ['api/src/start.ts'], {
      cwd: repository, env: { ...process.env, ...environment }, stdio: ['ignore', output, output, 'ipc'], detached: true,
    })
    supervisor = child
    await new Promise<void>((ready, failed) => {
      const timer = setTimeout(() => failed(new Error(`The product was not ready within ${readySeconds} s; see ${log}.`)), readySeconds * 1000)
      child.once('message', () => { clearTimeout(timer); ready() })
      child.once('exit', (code) => { clearTimeout(timer); failed(new Error(`The product ended with code ${code}; see ${log}.`)) })
    })
  }

  const kill = async () => {
    const child = supervisor
    if (!child?.pid) return
    const ended = new Promise((done) => child.once('exit', done))
    const postmaster = postmasterOf(folder)
    process.kill(-child.pid, 'SIGKILL')
    if (postmaster !== null) process.kill(postmaster, 'SIGKILL')
    await ended
    await sleep(500) // The database's own children notice that their parent is gone.
  }

  const stop = async () => {
    const child = supervisor
    if (child?.pid && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((done) => child.once('exit', done))
      child.kill('SIGINT')
      const late = setTimeout(() => { if (child.pid) process.kill(-child.pid, 'SIGKILL') }, 20_000)
      await ended
      clearTimeout(late)
    }
    const postmaster = postmasterOf(folder)
    if (postmaster !== null) process.kill(postmaster, 'SIGQUIT')
    for (let tries = 0; tries < 100 && postmasterOf(folder) !== null; tries++) await sleep(100)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }

  await start().catch(async (error: Error) => {
    await stop()
    throw error
  })
  return { url: `http://127.0.0.1:${port}`, now: () => new Date(Date.now() + offsetMinutes * 60_000), start, kill, stop }
}

/** Process id of the database server of a folder, null when none runs. */
function postmasterOf(folder: string): number | null {
  const file = join(folder, 'postgres', 'postmaster.pid')
  if (!existsSync(file)) return null
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  try {
    process.kill(pid, 0)
    return pid
  } catch {
    return null
  }
}

/** Free ports, all different: they are held until the last one is found. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(servers.map((server) => new Promise<number>((done, failed) => {
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      done(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })))
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}
