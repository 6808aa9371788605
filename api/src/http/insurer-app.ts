/**
 * The HTTP surface of an insurance centre: a process of its own with its own database, which the platform reaches like any
 * other system. Every FHIR request carries a token of the centre; a client sees only what it sent itself.
 */
import type { Claim, CoverageEligibilityRequest, Resource } from '@medplum/fhirtypes'
import { Readable } from 'node:stream'
import { prometheus } from '@hono/prometheus'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { sql } from 'kysely'
import { Counter, Registry } from 'prom-client'
import { scopeGrants, type Permission } from '../access/scopes.ts'
import type { TokenTables } from '../access/signing-keys.ts'
import { type TokenAuthority, tokenVerifier } from '../access/tokens.ts'
import { contentDigest } from '../crypto.ts'
import { newRequestId } from '../ctx.ts'
import { messageIdSystem } from '../fhir/claim-message.ts'
import { dayListText, dayListType } from '../fhir/clearing-message.ts'
import { isDate } from '../fhir/date-time.ts'
import { parseJson } from '../fhir/json.ts'
import { fail, forbidden, notFound } from '../fhir/outcome.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import { type Centre, centreOf } from '../insurer/centre.ts'
import { dayList } from '../insurer/day-list.ts'
import { findCoverages, submitEligibility } from '../insurer/eligibility.ts'
import { findAnswer, findClaim, readClaimResponse, searchset } from '../insurer/find-claims.ts'
import { reverseClaim } from '../insurer/reverse-claim.ts'
import { submitClaim } from '../insurer/submit-claim.ts'
import type { Logger } from '../log.ts'
import { pendingMigrations } from '../storage/migrate.ts'
import type { InsurerDb } from '../storage/pool.ts'
import { type AppEnv, authenticate } from './auth.ts'
import { errorReply } from './errors.ts'
import { discovery, oidcRoutes } from './oidc.ts'

export interface InsurerServices {
  db: InsurerDb
  /** GB/T 2260 code of the region it insures. */
  region: string
  authority: TokenAuthority
  log: Logger
  now(): Date
}

const bodyBytesMax = 2 * 1024 * 1024

export function createInsurerApp(services: InsurerServices): Hono<AppEnv> {
  const { db, authority, log, now } = services
  const registry = new Registry()
  const metrics = prometheus({ registry, collectDefaultMetrics: true })
  const answers = new Counter({ name: 'insurer_claims_total', help: 'Claims answered, by use and outcome.', labelNames: ['use', 'outcome'], registers: [registry] })
  const app = new Hono<AppEnv>({ getPath: (request) => new URL(request.url).pathname.replaceAll('%24', '$') })

  app.onError((error, c) => errorReply(log, error, c))
  app.notFound(() => { throw notFound('address') })
  app.use(async (c, next) => {
    c.set('requestId', newRequestId())
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
  app.use('/fhir/*', bodyLimit({ maxSize: bodyBytesMax, onError: () => { throw fail('body-too-large', { zh: '提交的内容太大。', en: 'The request body is too large.' }) } }))
  app.route('/fhir', insurerRoutes(db, centreOf(services.region), authority.issuer, (use, outcome) => answers.inc({ use, outcome })))
  return app
}

function insurerRoutes(db: InsurerDb, centre: Centre, issuer: string, count: (use: string, outcome: string) => void): Hono<AppEnv> {
  const base = `${issuer}/fhir`
  return new Hono<AppEnv>()
    .post('/Claim/$submit', async (c) => {
      assertScope(c, 'Claim', 'c')
      const answer = await submitClaim(db, c.get('ctx'), centre, await readResource<Claim>(c, 'Claim'))
      count(answer.use, answer.outcome)
      return reply(c, answer)
    })
    .post('/Claim/:id/$reverse', async (c) => {
      assertScope(c, 'Claim', 'u')
      const answer = await reverseClaim(db, c.get('ctx'), centre, c.req.param('id'))
      count('reversal', answer.outcome)
      return reply(c, answer)
    })
    .get('/Claim', async (c) => {
      assertScope(c, 'Claim', 's')
      const claim = await findClaim(db, c.get('ctx'), messageIdOf(c, 'identifier'))
      return reply(c, searchset(base, selfOf(c), claim ? [claim] : []))
    })
    .get('/Claim/:id', async (c) => {
      assertScope(c, 'Claim', 'r')
      const claim = await findClaim(db, c.get('ctx'), c.req.param('id'))
      if (!claim) throw notFound(`Claim/${c.req.param('id')}`)
      return reply(c, claim)
    })
    .get('/ClaimResponse', async (c) => {
      assertScope(c, 'ClaimResponse', 's')
      const answer = await findAnswer(db, c.get('ctx'), messageIdOf(c, 'request-identifier'))
      return reply(c, searchset(base, selfOf(c), answer ? [answer] : []))
    })
    .get('/ClaimResponse/:id', async (c) => {
      assertScope(c, 'ClaimResponse', 'r')
      return reply(c, await readClaimResponse(db, c.get('ctx'), c.req.param('id')))
    })
    .get('/Coverage', async (c) => {
      assertScope(c, 'Coverage', 's')
      return reply(c, searchset(base, selfOf(c), await findCoverages(db, centre, identifierOf(c.req.queries(), ['identifier']))))
    })
    // A resident ID number never stands in an address, which logs keep: only in the body of a search.
    .post('/Coverage/_search', async (c) => {
      assertScope(c, 'Coverage', 's')
      const form = new URLSearchParams(await c.req.text())
      const query = Object.fromEntries([...form.keys()].map((name) => [name, form.getAll(name)]))
      return reply(c, searchset(base, '/Coverage', await findCoverages(db, centre, identifierOf(query, ['identifier', 'beneficiary:identifier']))))
    })
    .get('/PaymentReconciliation/$day-list', async (c) => {
      assertScope(c, 'PaymentReconciliation', 'r')
      const text = dayListText(dayList(db, c.get('ctx'), dayListQuery(c)))
      return c.body(Readable.toWeb(Readable.from(text)) as ReadableStream, 200, { 'Content-Type': dayListType, 'Cache-Control': 'no-store' })
    })
    .post('/CoverageEligibilityRequest/$submit', async (c) => {
      assertScope(c, 'Coverage', 'r')
      return reply(c, await submitEligibility(db, c.get('ctx'), centre, await readResource<CoverageEligibilityRequest>(c, 'CoverageEligibilityRequest')))
    })
}

async function readiness(db: InsurerDb): Promise<[{ status: string }, 200 | 503]> {
  try {
    await sql`select 1`.execute(db)
    return (await pendingMigrations(db, 'insurer')).length === 0 ? [{ status: 'ok' }, 200] : [{ status: 'migrating' }, 503]
  } catch {
    return [{ status: 'no database' }, 503]
  }
}

/** @throws OutcomeError `sign-in-required` or `forbidden`. */
function assertScope(c: Context<AppEnv>, type: ResourceType, permission: Permission): void {
  const { principal } = c.get('ctx')
  if (principal.kind === 'anonymous') throw fail('sign-in-required', { zh: '请提供访问令牌。', en: 'An access token is needed.' })
  if (!scopeGrants(principal.scopes, type, permission)) throw forbidden()
}

/** @throws OutcomeError `media-type-unsupported`, `json-broken`, `resource-type-mismatch`. */
async function readResource<T extends Resource>(c: Context<AppEnv>, type: T['resourceType']): Promise<T> {
  if (!/^application\/(fhir\+)?json\b/i.test(c.req.header('Content-Type') ?? '')) {
    throw fail('media-type-unsupported', { zh: '请以 application/fhir+json 提交。', en: 'Send the body as application/fhir+json.' })
  }
  const text = await c.req.text()
  const digest = c.req.header('Content-Digest')
  if (digest !== undefined && digest !== contentDigest(text)) throw fail('bad-request', { zh: '内容与其摘要 Content-Digest 不符，报文在途中被改动。', en: 'The body does not fit its Content-Digest: it was changed on the way.' }, 'http.Content-Digest')
  const body = parseJson(text) as { resourceType?: unknown } | null
  if (typeof body !== 'object' || body?.resourceType !== type) throw fail('resource-type-mismatch', { zh: `内容须为 ${type}。`, en: `The body must be a ${type}.` })
  return body as T
}

/** These searches take one parameter, `system|value`. @throws OutcomeError `parameter-unknown`, `parameter-invalid`. */
function identifierOf(query: Record<string, string[]>, names: readonly string[]): { system: string; value: string } {
  const unknown = Object.keys(query).find((each) => !names.includes(each))
  if (unknown !== undefined) throw fail('parameter-unknown', { zh: `不支持查询参数 ${unknown}，请用 ${names.join('、')}。`, en: `Search parameter ${unknown} is not supported. Use ${names.join(' or ')}.` })
  const given = Object.values(query).flat()
  const [, system = '', value = ''] = /^([^|]+)\|([^|]+)$/.exec(given.length === 1 ? given[0] ?? '' : '') ?? []
  if (system === '') throw fail('parameter-invalid', { zh: `${names.join('、')} 须为一个“系统|值”。`, en: `${names.join(' or ')} must be given once as system|value.` })
  return { system, value }
}

function messageIdOf(c: Context<AppEnv>, name: string): string {
  const { system, value } = identifierOf(c.req.queries(), [name])
  if (system !== messageIdSystem) throw fail('parameter-invalid', { zh: `${name} 的系统须为 ${messageIdSystem}。`, en: `The system of ${name} must be ${messageIdSystem}.` })
  return value
}

/** @throws OutcomeError `parameter-invalid`. */
function dayListQuery(c: Context): { day: string; institution: string } {
  const [day = '', institution = ''] = [c.req.query('date'), c.req.query('institution')]
  if (!isDate(day) || day.length !== 10) throw fail('parameter-invalid', { zh: '参数 date 须为 YYYY-MM-DD。', en: 'Parameter date must be YYYY-MM-DD.' }, 'date')
  if (institution === '') throw fail('parameter-invalid', { zh: '缺少参数 institution（机构编码）。', en: 'Parameter institution, the code of the institution, is missing.' }, 'institution')
  return { day, institution }
}

function selfOf(c: Context): string {
  const { pathname, search } = new URL(c.req.url)
  return pathname.replace(/^\/fhir/, '') + search
}

function reply(c: Context, resource: Resource): Response {
  return c.body(JSON.stringify(resource), 200, { 'Content-Type': 'application/fhir+json; charset=utf-8', 'Cache-Control': 'no-store' })
}
