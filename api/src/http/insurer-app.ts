/**
 * The HTTP surface of an insurance centre: a process of its own with its own database, which the platform reaches like any
 * other system. Every FHIR request carries a token of the centre; a client sees only what it sent itself. A body is limited where it is read; the list
 * of a day streams through, whatever its size.
 */
import { prometheus } from '@hono/prometheus'
import { Hono } from 'hono'
import { sql } from 'kysely'
import { Counter, Registry } from 'prom-client'
import type { TokenTables } from '../access/signing-keys.ts'
import { type TokenAuthority, tokenVerifier } from '../access/tokens.ts'
import { newRequestId } from '../ctx.ts'
import { notFound } from '../fhir/outcome.ts'
import type { Centre } from '../insurer/centre.ts'
import type { Logger } from '../log.ts'
import { changesSent } from '../storage/changes-sent.ts'
import { pendingMigrations } from '../storage/migrate.ts'
import type { InsurerDb } from '../storage/pool.ts'
import { type AppEnv, authenticate } from './auth.ts'
import { errorReply } from './errors.ts'
import { claimRoutes } from './insurer-claims.ts'
import { moneyRoutes } from './insurer-money.ts'
import { officeRoutes } from './insurer-office.ts'
import { peopleRoutes } from './insurer-people.ts'
import { visitRoutes } from './insurer-visits.ts'
import type { CentreRoutes } from './insurer-request.ts'
import { discovery, oidcRoutes } from './oidc.ts'

export interface InsurerServices {
  db: InsurerDb
  centre: Centre
  authority: TokenAuthority
  log: Logger
  now(): Date
}

export function createInsurerApp(services: InsurerServices): Hono<AppEnv> {
  const { db, authority, log, now } = services
  const registry = new Registry()
  const metrics = prometheus({ registry, collectDefaultMetrics: true })
  const answers = new Counter({ name: 'insurer_claims_total', help: 'Claims answered, by use and outcome.', labelNames: ['use', 'outcome'], registers: [registry] })
  const app = new Hono<AppEnv>({ getPath: (request) => pathOf(request.url) })

  app.onError((error, c) => errorReply(log, error, c))
  app.notFound(() => { throw notFound('address') })
  app.use(async (c, next) => {
    c.set('requestId', newRequestId())
    c.set('changesBefore', changesSent())
    c.header('X-Request-Id', c.get('requestId'))
    await next()
  })
  app.use(metrics.registerMetrics)
  app.get('/metrics', metrics.printMetrics)
  app.get('/health/live', (c) => c.json({ status: 'ok' }))
  app.get('/health/ready', async (c) => c.json(...await readiness(db)))
  app.route('/oidc', oidcRoutes({ db: db.$pickTables<keyof TokenTables>(), authority, now }))
  app.get('/.well-known/openid-configuration', (c) => c.json(discovery(authority.issuer)))
  app.get('/fhir/.well-known/smart-configuration', (c) => c.json(discovery(authority.issuer)))
  app.use('/fhir/*', authenticate(tokenVerifier(authority), null, now))
  const routes: CentreRoutes = { db, centre: services.centre, base: `${authority.issuer}/fhir`, count: (use, outcome) => answers.inc({ use, outcome }) }
  for (const part of [claimRoutes, visitRoutes, peopleRoutes, moneyRoutes]) app.route('/fhir', part(routes))
  app.use('/office/*', authenticate(tokenVerifier(authority), null, now))
  app.route('/office', officeRoutes(routes))
  return app
}

async function readiness(db: InsurerDb): Promise<[{ status: string }, 200 | 503]> {
  try {
    await sql`select 1`.execute(db)
    return (await pendingMigrations(db, 'insurer')).length === 0 ? [{ status: 'ok' }, 200] : [{ status: 'migrating' }, 503]
  } catch {
    return [{ status: 'no database' }, 503]
  }
}

/** `$` may arrive as %24; `/fhir/` is where some clients send a batch. */
function pathOf(url: string): string {
  const path = /^[^:]+:\/\/[^/]*([^?#]*)/.exec(url)?.[1] ?? ''
  return path === '/fhir/' ? '/fhir' : path.replaceAll('%24', '$')
}
