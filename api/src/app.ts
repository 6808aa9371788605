/** The whole HTTP surface of the platform on one page: middleware order, mounts, errors. */
import { prometheus } from '@hono/prometheus'
import { Hono } from 'hono'
import { routePath } from 'hono/route'
import { secureHeaders } from 'hono/secure-headers'
import { Registry } from 'prom-client'
import { monotonicMs } from './ctx.ts'
import { accessRoutes } from './http/access-routes.ts'
import { accountRoutes } from './http/account-routes.ts'
import { type AppEnv, authenticate, noApps, staffFactors } from './http/auth.ts'
import { bookingRoutes } from './http/booking-routes.ts'
import { compressed } from './http/compressed.ts'
import { fhirCors } from './http/cors.ts'
import { cashierRoutes } from './http/cashier-routes.ts'
import { deskRoutes } from './http/desk-routes.ts'
import { renderErrors } from './http/errors.ts'
import { exportRoutes } from './http/exports.ts'
import { fhirRoutes } from './http/fhir.ts'
import { healthRoutes } from './http/health.ts'
import { inboxRoutes } from './http/inbox.ts'
import { platformDiscovery } from './http/oidc.ts'
import { platformOidcRoutes } from './http/oidc-routes.ts'
import { docsRoutes, openApiRoutes } from './http/openapi/routes.ts'
import { portalFiles } from './http/portal-files.ts'
import { rateLimit } from './http/rate-limit.ts'
import { RememberingRouter } from './http/remembering-router.ts'
import { insurerDeskRoutes } from './http/insurer-desk.ts'
import { publicHealthRoutes } from './http/public-health-routes.ts'
import { recoverRoutes } from './http/recover-routes.ts'
import { registerRoutes } from './http/register-routes.ts'
import { settlementRoutes } from './http/settlement-routes.ts'
import { signInRoutes } from './http/sign-in.ts'
import { standardHeaders } from './http/standard-headers.ts'
import { fail } from './fhir/outcome.ts'
import { messageRoutes } from './http/message-routes.ts'
import { queueRoutes } from './http/queue-routes.ts'
import { referralRoutes } from './http/referral-routes.ts'
import { supplyRoutes } from './http/supply-routes.ts'
import { waitingRoutes } from './http/waiting-routes.ts'
import type { Services } from './services.ts'

export function createApp(services: Services): Hono<AppEnv> {
  const { config, log, authority } = services
  const registry = new Registry()
  const metrics = prometheus({ registry, collectDefaultMetrics: true })
  const app = new Hono<AppEnv>({ getPath, router: new RememberingRouter() })

  app.onError(renderErrors(services))
  app.notFound(() => { throw fail('not-found', { zh: '没有这个地址。', en: 'There is nothing at this address.' }) })

  app.use(standardHeaders(secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'self'"], scriptSrc: ["'self'"], styleSrc: ["'self'"], imgSrc: ["'self'", 'data:'], objectSrc: ["'none'"],
      baseUri: ["'none'"], frameAncestors: ["'none'"], formAction: ["'self'"],
    },
    strictTransportSecurity: config.production ? 'max-age=31536000; includeSubDomains' : false,
    referrerPolicy: 'no-referrer',
  })))
  if (log.isLevelEnabled('debug')) {
    app.use(async (c, next) => {
      const started = monotonicMs()
      await next()
      log.debug({ requestId: c.get('requestId'), method: c.req.method, route: routePath(c, -1), status: c.res.status, ms: Math.round(monotonicMs() - started) }, 'request')
    })
  }
  app.use(metrics.registerMetrics)
  app.get('/metrics', metrics.printMetrics)
  app.route('/health', healthRoutes(services))
  const limited = rateLimit(config.rateLimits, config.trustedProxies)
  app.use('/oidc/*', limited)
  app.route('/oidc', platformOidcRoutes(services))
  const cors = fhirCors(config.corsOrigins)
  app.use('/fhir/*', cors)
  app.get('/.well-known/openid-configuration', (c) => c.json(platformDiscovery(authority.issuer)))
  app.get('/fhir/.well-known/smart-configuration', (c) => c.json(platformDiscovery(authority.issuer)))

  const who = authenticate(services.verifyToken, services.sessions, services.now, config.production)
  const factors = staffFactors(config.staffSecondFactor)
  // `/fhir/*` is `/fhir` too.
  app.use('/fhir/*', compressed(), who, limited, factors)
  app.use('/api/*', compressed(), who, limited, factors, noApps)
  app.route('/fhir/_export', exportRoutes(services))
  app.route('/fhir', fhirRoutes(services))
  app.route('/api', signInRoutes(services))
  app.route('/api', accountRoutes(services))
  app.route('/api', registerRoutes(services))
  app.route('/api', recoverRoutes(services))
  app.route('/api', bookingRoutes(services))
  app.route('/api', deskRoutes(services))
  app.route('/api', inboxRoutes(services))
  app.route('/api', messageRoutes(services))
  app.route('/api', waitingRoutes(services))
  app.route('/api', queueRoutes(services))
  app.route('/api', supplyRoutes(services))
  app.route('/api', referralRoutes(services))
  app.route('/api', settlementRoutes(services))
  app.route('/api', accessRoutes(services))
  app.route('/api', publicHealthRoutes(services))
  app.route('/api', cashierRoutes(services))
  app.route('/api', insurerDeskRoutes(services))
  app.route('/api', openApiRoutes(services))
  app.all('/api/*', () => { throw fail('not-found', { zh: '没有这个接口。', en: 'There is no such endpoint.' }) })
  app.route('/docs', docsRoutes())
  app.route('/', portalFiles())
  return app
}

/**
 * The path as it was sent. `$` may arrive as %24: decoded before routing, or /Patient/%24find would be read as the id `$find`. A slash at the
 * end means nothing under /fhir.
 */
function getPath({ url }: Request): string {
  const sent = /^[^:]+:\/\/[^/]*([^?#]*)/.exec(url)?.[1] ?? ''
  const path = sent.includes('%24') ? sent.replaceAll('%24', '$') : sent
  return path.endsWith('/') && path.startsWith('/fhir/') ? path.slice(0, -1) : path
}
