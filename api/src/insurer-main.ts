/** The process of a region's insurance centre: its own database, app, listen, orderly stop. Started by `start.ts`, or alone with DATABASE_URL and REGION set. */
import { serve } from '@hono/node-server'
import { loadSigningKeys, type TokenTables } from './access/signing-keys.ts'
import { platform } from './access/principal.ts'
import { readConfig } from './config.ts'
import { makeCtx, systemNow } from './ctx.ts'
import { answerBrokenRequests } from './http/broken-request.ts'
import { createInsurerApp } from './http/insurer-app.ts'
import { newResourceId } from './fhir/id.ts'
import { centreOf, peerClientId } from './insurer/centre.ts'
import { resolveForwards } from './insurer/forward.ts'
import { turnAccounts } from './insurer/turn-accounts.ts'
import { peerCentre } from './peer-centre.ts'
import { makeLogger } from './log.ts'
import { closeServer, socketLimits, stopOnSignal } from './process.ts'
import { openInsurerDb } from './storage/pool.ts'

/** How often undecided claims at other centres are looked at. */
const sweepSeconds = 5
/** How often the turn of the benefit year is looked for. */
const turnSeconds = 600

const config = readConfig()
if (config.databaseUrl === null) throw new Error('DATABASE_URL is not set; start gives it to its processes.')
const log = makeLogger(`insurer-${config.region}`, config.logLevel)
const now = () => new Date(systemNow().getTime() + config.clockOffsetMs)
const db = openInsurerDb(config.databaseUrl, { max: config.poolConnectionsMax, name: `insurer-${config.region}` })
const keys = await loadSigningKeys(db.$pickTables<keyof TokenTables>(), now())
const authority = { issuer: config.publicUrl, audience: `${config.publicUrl}/fhir`, keys }
const signer = keys[0]
if (!signer) throw new Error('There is no signing key.')
const centre = centreOf(config.region, new Map([...config.insurerPeers].map(([region, baseUrl]) => [
  region, peerCentre({ baseUrl, clientId: peerClientId(config.region), key: signer, timeoutMs: config.insurerPeerTimeoutMs, now, newId: () => newResourceId(null) }),
])))
const app = createInsurerApp({ db, centre, authority, log, now })
const sweep = setInterval(() => {
  resolveForwards(db, makeCtx(platform, { now: now() }), centre).catch((error: unknown) => log.error({ err: error }, 'asking other centres failed'))
}, sweepSeconds * 1000)
const turn = () => { turnAccounts(db, makeCtx(platform, { now: now() }), config.region).then((turned) => { if (turned > 0) log.info({ turned }, 'accounts of the year turned') }, (error: unknown) => log.error({ err: error }, 'turning accounts failed')) }
turn()
const turns = setInterval(turn, turnSeconds * 1000)
const server = serve({ fetch: app.fetch, port: config.port, hostname: config.host, serverOptions: socketLimits }, (address) => {
  log.info({ port: address.port, region: config.region }, 'insurance centre listens')
})
answerBrokenRequests(server)
stopOnSignal(log, async () => {
  clearInterval(sweep)
  clearInterval(turns)
  await closeServer(server)
  await db.destroy()
})
