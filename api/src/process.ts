/** How a process ends: on SIGTERM or SIGINT it finishes what is under way; when the supervisor that started it is gone, it ends too. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerType } from '@hono/node-server'
import type { Logger } from './log.ts'

/** A request makes many small objects and drops them: with more room for the young ones they need not be copied to be found dead. Megabytes. */
export const heapFlags: readonly string[] = ['--max-semi-space-size=64']

export function stopOnSignal(log: Logger, stop: () => Promise<void>): void {
  let stopping = false
  const end = (why: string) => {
    if (stopping) return
    stopping = true
    log.info({ why }, 'stopping')
    stop().then(() => process.exit(0), (error: Error) => {
      log.error({ error: error.message }, 'stop failed')
      process.exit(1)
    })
  }
  process.on('SIGTERM', () => end('SIGTERM'))
  process.on('SIGINT', () => end('SIGINT'))
  process.on('disconnect', () => end('supervisor is gone'))
  // It may have gone while this process was loading, before anyone listened.
  if (process.send && !process.connected) end('supervisor is gone')
  process.on('unhandledRejection', (error) => {
    log.fatal({ error: error instanceof Error ? error.stack : String(error) }, 'unhandled rejection')
    process.exit(1)
  })
}

/**
 * `serverOptions` of Node: a caller that trickles its headers or body holds a connection no longer than this; a large bundle over a slow line
 * still gets through. Milliseconds. Node looks every five seconds.
 */
export const socketLimits = { headersTimeout: 15_000, requestTimeout: 120_000, keepAliveTimeout: 65_000, connectionsCheckingInterval: 5000 }

/** Takes no new connection, ends the idle ones and gives requests under way three seconds to be answered. */
export async function closeServer(server: ServerType): Promise<void> {
  const answered = new Promise((done) => { server.close(done) })
  if ('closeIdleConnections' in server) server.closeIdleConnections()
  await Promise.race([answered, sleep(3000, undefined, { ref: false })])
}
