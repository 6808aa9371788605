/** The platform process: services, app, listen, orderly stop. Started by `start.ts`, or alone with DATABASE_URL set. */
import { serve } from '@hono/node-server'
import { platform } from './access/principal.ts'
import { createApp } from './app.ts'
import { storeDefinitions } from './catalogue/definitions.ts'
import { readConfig } from './config.ts'
import { makeCtx } from './ctx.ts'
import { answerBrokenRequests } from './http/broken-request.ts'
import { makeServices } from './platform-services.ts'
import { watchIdentity } from './watch-identity.ts'
import { closeServer, socketLimits, stopOnSignal } from './process.ts'

const config = readConfig()
const services = await makeServices(config, 'platform')
await storeDefinitions(services.db, makeCtx(platform, { now: services.now() }), services.store, services.operations)
const app = createApp(services)
const server = serve({ fetch: app.fetch, port: config.port, hostname: config.host, serverOptions: socketLimits }, (address) => {
  services.log.info({ port: address.port }, 'platform listens')
})
answerBrokenRequests(server)
const watched = await watchIdentity(services)
stopOnSignal(services.log, async () => {
  await closeServer(server)
  await watched.stop()
  await services.db.destroy()
})
