/**
 * The OpenID provider's addresses: authorization and refresh by oidc-provider, tokens of systems by signed assertion, and
 * what concerns our own access tokens (introspection, revocation, userinfo), which the provider does not keep.
 * Sources: SMART App Launch 2.2, RFC 6749, 7009, 7662, OpenID Connect Core 5.3.
 */
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { decodeJwt } from 'jose'
import type Provider from 'oidc-provider'
import { authenticateCaller, TokenRequestError } from '../access/client-credentials.ts'
import { endSessions, readSession, sessionOfGrant } from '../access/sessions.ts'
import type { Principal } from '../access/principal.ts'
import type { Services } from '../services.ts'
import { inTransaction } from '../storage/transaction.ts'
import { type AppEnv, authenticate } from './auth.ts'
import { authorizeRoutes } from './authorize-routes.ts'
import { addressOf } from './place.ts'
import type { NodeCall } from './node-bridge.ts'
import { jwksReply, tokenByAssertion, tokenErrorReply, readForm } from './oidc.ts'
import { callProvider, fhirUserOf, makeProvider, nameOf, sessionCookie } from './oidc-provider.ts'

export function platformOidcRoutes(services: Services): Hono<AppEnv> {
  const { db, authority, sessions } = services
  const current = providerOfKeys(services)
  const openToPages = cors({ origin: '*', allowMethods: ['GET', 'POST'], allowHeaders: ['Authorization'], maxAge: 600 })
  const audiences = [`${authority.issuer}/oidc/token`, authority.issuer]

  return new Hono<AppEnv>()
    // Apps in a browser read these from their own origin; no cookie counts here.
    .use('/jwks', openToPages).use('/userinfo', openToPages)
    .get('/jwks', (c) => jwksReply(c, authority))
    .get('/auth', (c) => callProvider(current(), authorizationCall(c, services)))
    .get('/auth/:uid', (c) => callProvider(current(), callOf(c, services, '')))
    .options('/token', (c) => callProvider(current(), callOf(c, services, '')))
    .options('/revoke', (c) => callProvider(current(), callOf(c, services, '')))
    .post('/token', (c) => answering(c, async () => {
      const { form, text } = await readForm(c)
      if (form.get('grant_type') === 'client_credentials') return tokenByAssertion(c, services, form)
      return withLaunchContext(await callProvider(current(), callOf(c, services, text)))
    }))
    .post('/introspect', (c) => answering(c, async () => {
      const { form } = await readForm(c)
      await authenticateCaller(db, form, [...audiences, `${authority.issuer}/oidc/introspect`], services.now(), 'system')
      return c.json(await introspect(services, current(), form.get('token') ?? ''), 200, { 'Cache-Control': 'no-store' })
    }))
    .post('/revoke', (c) => answering(c, async () => {
      const { form, text } = await readForm(c)
      const token = form.get('token') ?? ''
      if (!isJwt(token)) return callProvider(current(), callOf(c, services, text))
      const caller = await authenticateCaller(db, form, [...audiences, `${authority.issuer}/oidc/revoke`], services.now(), 'any')
      await revokeAccessToken(services, token, caller)
      return c.body(null, 200)
    }))
    .on(['GET', 'POST'], '/userinfo', authenticate(services.verifyToken, sessions, services.now, services.config.production), async (c) => {
      const { principal } = c.get('ctx')
      if (principal.kind !== 'person' || !principal.scopes.includes('openid')) return c.json({ error: 'insufficient_scope' }, 403, { 'WWW-Authenticate': 'Bearer error="insufficient_scope", scope="openid"' })
      const has = (scope: string) => principal.scopes.includes(scope)
      return c.json({ sub: principal.id, ...(has('profile') ? { name: await nameOf(services, principal.id) } : {}), ...(has('fhirUser') ? fhirUserOf(authority.audience, principal) : {}) }, 200, { 'Cache-Control': 'no-store' })
    })
    .use('/interaction/*', authenticate(services.verifyToken, sessions, services.now, services.config.production))
    .route('/interaction', authorizeRoutes(services, current))
}

/** The provider of the keys in use; made anew after a rotation. */
function providerOfKeys(services: Services): () => Provider {
  let keys = services.authority.keys
  let provider: Provider | null = null
  const revokeGrant = async (grantId: string): Promise<void> => {
    const row = await sessionOfGrant(services.db, grantId)
    if (!row) return
    for (const id of await inTransaction(services.db, (trx) => endSessions(trx, services.now(), { account: row.account_id, ids: [row.id] }, 'replay'))) services.sessions.forget(id)
  }
  return () => {
    if (provider === null || keys !== services.authority.keys) {
      keys = services.authority.keys
      provider = makeProvider(services, revokeGrant)
    }
    return provider
  }
}

function callOf(c: Context, services: Services, body: string): NodeCall {
  const url = new URL(c.req.url)
  return { method: c.req.method, url: url.pathname + url.search, headers: { ...headersOf(c), 'x-forwarded-for': addressOf(c, services.config.trustedProxies) }, body }
}

/** The provider's own session has no part in this: each request starts without one, and none is handed out. */
function headersOf(c: Context): Record<string, string> {
  const headers = Object.fromEntries(Object.entries(c.req.header()).filter(([name]) => name !== 'content-length'))
  const cookie = (headers.cookie ?? '').split(/;\s*/).filter((each) => !each.startsWith(sessionCookie)).join('; ')
  return { ...headers, cookie }
}

/** Staying signed in is asked for on our page every time: without `prompt=consent` the provider would drop the wish silently. */
function authorizationCall(c: Context, services: Services): NodeCall {
  const call = callOf(c, services, '')
  const url = new URL(c.req.url)
  const prompts = (url.searchParams.get('prompt') ?? '').split(' ').filter((each) => each !== '')
  if (url.searchParams.getAll('prompt').length <= 1 && !prompts.includes('none')) url.searchParams.set('prompt', [...new Set([...prompts, 'consent'])].join(' '))
  return { ...call, url: url.pathname + url.search }
}

/** SMART: the launch context stands beside the token. */
async function withLaunchContext(response: Response): Promise<Response> {
  if (response.status !== 200) return response
  const answer = await response.json() as { access_token: string }
  const { launch_patient: patient, launch_encounter: encounter } = decodeJwt(answer.access_token) as { launch_patient?: string | null; launch_encounter?: string | null }
  const context = { ...(patient ? { patient, need_patient_banner: true } : {}), ...(encounter ? { encounter } : {}) }
  const headers = new Headers(response.headers)
  headers.set('Content-Type', 'application/json')
  return new Response(JSON.stringify({ ...answer, ...context }), { status: 200, headers })
}

async function introspect(services: Services, provider: Provider, token: string): Promise<Record<string, unknown>> {
  const now = services.now()
  const { authority } = services
  if (isJwt(token)) {
    const principal: Principal | null = await services.verifyToken(token, now).then((each) => services.sessions.alive(each, now)).catch(() => null)
    if (!principal) return { active: false }
    const { iss, aud, exp, iat, jti, client_id } = decodeJwt(token)
    const context = { ...(principal.launchPatient ? { patient: principal.launchPatient } : {}), ...(principal.launchEncounter ? { encounter: principal.launchEncounter } : {}) }
    const user = principal.kind === 'person' && principal.scopes.includes('fhirUser') ? fhirUserOf(authority.audience, principal) : {}
    return { active: true, token_type: 'Bearer', iss, aud, sub: principal.id, exp, iat, jti, client_id, scope: principal.scopes.join(' '), ...user, ...context }
  }
  const refresh = await provider.RefreshToken.find(token)
  const row = refresh?.isValid && refresh.grantId ? await sessionOfGrant(services.db, refresh.grantId) : null
  if (!refresh || !row) return { active: false }
  return { active: true, iss: authority.issuer, sub: row.account_id, exp: refresh.exp, iat: refresh.iat, client_id: refresh.clientId, scope: refresh.scope }
}

/** Ends the app's session of the token, if the token is the caller's; says nothing otherwise (RFC 7009 § 2.2). */
async function revokeAccessToken(services: Services, token: string, caller: string): Promise<void> {
  const principal = await services.verifyToken(token, services.now()).catch(() => null)
  if (!principal?.sessionId) return
  const row = await readSession(services.db, principal.sessionId)
  if (row?.app !== caller) return
  for (const id of await inTransaction(services.db, (trx) => endSessions(trx, services.now(), { account: row.account_id, ids: [row.id] }, 'revoked'))) services.sessions.forget(id)
}

function isJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)
}

async function answering(c: Context, action: () => Promise<Response>): Promise<Response> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof TokenRequestError)) throw error
    return tokenErrorReply(c, error)
  }
}
