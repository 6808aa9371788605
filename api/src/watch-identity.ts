/**
 * What a platform process must learn of while it runs: sessions that end or grow stronger in another process, and signing keys
 * that the worker makes. A lost line is taken up again by the driver; whatever may have been missed is then read anew.
 */
import { sessionChannel } from './access/sessions.ts'
import { signingKeys } from './platform-services.ts'
import type { Services } from './services.ts'
import { connect } from './storage/pool.ts'

const keysEverySeconds = 60

export async function watchIdentity(services: Services, url: string = services.config.databaseUrl ?? ''): Promise<{ stop(): Promise<void> }> {
  const { config, db, authority, sessions, log } = services
  const line = connect(url, { max: 1, name: 'identity-watch' })
  await line.listen(sessionChannel, (id) => { sessions.forget(id) }, () => { sessions.forgetAll() })
  const timer = setInterval(() => {
    signingKeys(config, db, services.now()).then((keys) => {
      if (keys.map((key) => key.kid).join() !== authority.keys.map((key) => key.kid).join()) authority.keys = keys
    }).catch((error: Error) => { log.error({ error: error.message }, 'signing keys could not be read') })
  }, keysEverySeconds * 1000)
  return {
    async stop() {
      clearInterval(timer)
      await line.end({ timeout: 1 })
    },
  }
}
