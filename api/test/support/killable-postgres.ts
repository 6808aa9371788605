/** A database server of a test file's own, as durable as in production, that can be killed or stopped and started again on the same port. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll } from 'vitest'
import { migrate } from '../../src/storage/migrate.ts'
import { openDb } from '../../src/storage/pool.ts'
import { startPostgres } from '../../src/storage/postgres-server.ts'

export interface KillablePostgres {
  /** Of a database with the platform's tables. */
  url: string
  /** SIGKILL of the postmaster; its backends go by themselves. */
  kill(): void
  /** SIGKILL of one backend that serves the database; the server then throws out all others and recovers. @returns whether there was one. */
  killBackend(): Promise<boolean>
  /** Stops the server in an orderly way and waits until it has stopped. */
  stop(): void
  /** Starts a killed or stopped server and waits until it has recovered. */
  start(): Promise<void>
}

/** Call at the top level of a test file. */
export async function killablePostgres(): Promise<KillablePostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'pujiang-kill-'))
  chmodSync(folder, 0o755)
  const dir = join(folder, 'postgres')
  let server = await startPostgres({ dir, durable: true })
  const { port } = server
  let killed: number | null = null
  afterAll(() => {
    server.stop('immediate')
    rmSync(folder, { recursive: true, force: true })
  })
  const admin = postgres(server.url('postgres'), { max: 1, onnotice: () => {} })
  await admin.unsafe('create database desk')
  await admin.end()
  const url = server.url('desk')
  const db = openDb(url, { max: 1 })
  await migrate(db, 'platform')
  await db.destroy()
  return {
    url,
    kill() {
      killed = Number(readFileSync(join(dir, 'postmaster.pid'), 'utf8').split('\n')[0])
      process.kill(killed, 'SIGKILL')
    },
    stop() {
      server.stop('fast')
    },
    async killBackend() {
      const sql = postgres(server.url('postgres'), { max: 1, onnotice: () => {} })
      try {
        const [backend] = await sql<{ pid: number }[]>`select pid from pg_stat_activity where datname = 'desk' and state <> 'idle' order by random() limit 1`
        if (backend) process.kill(backend.pid, 'SIGKILL')
        return backend !== undefined
      } finally {
        await sql.end({ timeout: 1 }).catch(() => {})
      }
    },
    async start() {
      // A killed process lives on for a moment on a busy machine, and would be taken for a server that runs.
      while (killed !== null && isAlive(killed)) await sleep(5)
      killed = null
      for (let tries = 1; ; tries++) {
        try {
          server = await startPostgres({ dir, durable: true, settings: { port: String(port) } })
          return
        } catch (error) {
          // The backends of the killed server hold its memory for a moment.
          if (tries === 20) throw error
          await sleep(250)
        }
      }
    },
  }
}

/** Nobody may have asked yet how a dead process ended: it is still listed, without a command line. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync('/proc') || readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
  } catch {
    return false
  }
}
