/** A process of the product on a free port, which a test can kill and start again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

export interface TestProcess {
  address: string
  /** Starts it and waits until it is ready. */
  start(): Promise<void>
  /** `kill -9`, and waits until it is gone. */
  kill(): Promise<void>
}

/** Call at the top level of a test file. @param file below api/src. @param ready path that answers 200 once it is. */
export async function testProcess(file: string, ready: string, environment: Record<string, string>): Promise<TestProcess> {
  const port = await freePort()
  const address = `http://127.0.0.1:${port}`
  let running: ChildProcess | null = null
  afterAll(() => { running?.kill('SIGKILL') })
  return {
    address,
    async start() {
      running = spawn(process.execPath, [fileURLToPath(new URL(`../../src/${file}`, import.meta.url))], {
        stdio: 'ignore', env: { ...process.env, PORT: String(port), PUBLIC_URL: address, LOG_LEVEL: 'silent', POOL_CONNECTIONS_MAX: '2', ...environment },
      })
      for (let tries = 0; tries < 400; tries++) {
        if ((await fetch(`${address}${ready}`).catch(() => null))?.ok) return
        await sleep(50)
      }
      throw new Error(`${file} did not start.`)
    },
    async kill() {
      const gone = new Promise((exited) => { running?.once('exit', exited) })
      running?.kill('SIGKILL')
      await gone
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const at = server.address()
      server.close(() => found(typeof at === 'object' && at ? at.port : 0))
    })
  })
}
