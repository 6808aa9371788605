/** The process of a region's insurance centre: its own database, app, listen, orderly stop. Started by `start.ts`, or alone with DATABASE_URL and REGION set. */
import { serve } from '@hono/node-server'
import { loadSigningKeys, type TokenTables } from './access/signing-keys.ts'
import { readConfig } from './config.ts'
import { systemNow } from './ctx.ts'
import { createInsurerApp } from './http/insurer-app.ts'
import { makeLogger } from './log.ts'
import { closeServer, stopOnSignal } from './process.ts'
import { openInsurerDb } from './storage/pool.ts'

const config = readConfig()
if (config.databaseUrl === null) throw new Error('DATABASE_URL is not set; start gives it to its processes.')
const log = makeLogger(`insurer-${config.region}`, config.logLevel)
const now = () => new Date(systemNow().getTime() + config.clockOffsetMs)
const db = openInsurerDb(config.databaseUrl, { max: config.poolConnectionsMax, name: `insurer-${config.region}` })
const keys = await loadSigningKeys(db.$pickTables<keyof TokenTables>(), now())
const authority = { issuer: config.publicUrl, audience: `${config.publicUrl}/fhir`, keys }
const app = createInsurerApp({ db, region: config.region, authority, log, now })
const server = serve({ fetch: app.fetch, port: config.port, hostname: config.host }, (address) => {
  log.info({ port: address.port, region: config.region }, 'insurance centre listens')
})
stopOnSignal(log, async () => {
  await closeServer(server)
  await db.destroy()
})
