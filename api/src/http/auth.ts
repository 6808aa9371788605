/**
 * Token → Principal. A caller sends `Authorization: Bearer …`, a browser its session cookie; both are the same access token,
 * verified the same way. A cookie counts for a changing request only when the browser says that it comes from our own pages.
 */
import type { Context, MiddlewareHandler } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { anonymous, type Principal } from '../access/principal.ts'
import { secondFactorMissing } from '../access/second-factor.ts'
import type { SessionWatch } from '../access/session-watch.ts'
import { invalidToken, personTokenMinutes, type TokenVerifier } from '../access/tokens.ts'
import { type Ctx, makeCtx } from '../ctx.ts'
import { fail, forbidden, type Language } from '../fhir/outcome.ts'

const cookieName = 'pujiang_session'

/** What every handler finds in `c.var`. `changesBefore`: `changesSent` when the request came. */
export interface AppEnv { Variables: { ctx: Ctx; requestId: string; changesBefore: number } }

/**
 * @param sessions null where tokens of people are not taken: at an insurance centre.
 * @param secure as of `setSession`; a session cookie that could have been set otherwise is none.
 */
export function authenticate(verify: TokenVerifier, sessions: Pick<SessionWatch, 'alive'> | null, now: () => Date, secure = false): MiddlewareHandler<AppEnv> {
  const living = async (token: string, at: Date): Promise<Principal> => {
    const principal = await verify(token, at)
    return sessions && principal.sessionId !== null ? sessions.alive(principal, at) : principal
  }
  return async (c, next) => {
    const at = now()
    const ctx = (principal: Principal) => makeCtx(principal, { now: at, language: languageOf(c), requestId: c.get('requestId') })
    c.set('ctx', ctx(anonymous))
    c.set('ctx', ctx(await principalOf(c, living, at, secure)))
    await next()
  }
}

async function principalOf(c: Context, living: TokenVerifier, now: Date, secure: boolean): Promise<Principal> {
  const header = c.req.header('Authorization')
  if (header !== undefined) {
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(header)?.[1]
    if (!token) throw invalidToken()
    return living(token, now)
  }
  const cookie = secure ? getCookie(c, cookieName, 'host') : getCookie(c, cookieName)
  if (!cookie) return anonymous
  if (!['GET', 'HEAD', 'OPTIONS'].includes(c.req.method)) assertOwnPage(c)
  return living(cookie, now).catch((error) => {
    // An expired session must not lock a browser out of signing in again or of public pages.
    if (/^\/(api\/(sign-|register|settings$)|oidc\/interaction\/)/.test(c.req.path)) return anonymous
    throw error
  })
}

/** /api is our own portal's: an app that acts for a person has scopes, and those open /fhir only. @throws OutcomeError `forbidden`. */
export const noApps: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { principal } = c.get('ctx')
  if (principal.kind === 'person' && principal.scopes.length > 0) throw forbidden()
  await next()
}

/** Professionals prove themselves by two factors; with one they get as far as setting up the other. @throws OutcomeError `second-factor-missing`. */
export function staffFactors(required: boolean): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { principal } = c.get('ctx')
    const short = required && principal.kind === 'person' && principal.role !== 'citizen' && principal.authLevel !== 'second-factor'
    if (short && !/^\/api\/(me|account|settings|sign-out|sign-in)\b/.test(c.req.path)) throw secondFactorMissing()
    await next()
  }
}

/** Refuses a cross-site request that carries the cookie. @throws OutcomeError `forbidden`. */
function assertOwnPage(c: Context): void {
  const site = c.req.header('Sec-Fetch-Site')
  const origin = c.req.header('Origin')
  const foreign = (site !== undefined && site !== 'same-origin') || (origin !== undefined && new URL(origin).host !== c.req.header('Host'))
  if (foreign) throw fail('forbidden', { zh: '请求来自其他网站，已被拒绝。', en: 'The request came from another site and was refused.' })
}

/** Chinese unless the reader asks for English first. */
export function languageOf(c: Context): Language {
  return languageIn(c.req.header('Accept-Language'))
}

/** @param accepted value of Accept-Language. */
export function languageIn(accepted: string | undefined): Language {
  return /^\s*en\b/i.test(accepted ?? '') ? 'en' : 'zh'
}

const deviceCookie = 'pujiang_device'
const deviceDays = 400

/** The secret by which we know a browser on which somebody has signed in before; null on a new one. */
export function deviceOf(c: Context): string | null {
  return getCookie(c, deviceCookie) ?? null
}

export function setDevice(c: Context, secret: string, secure: boolean): void {
  setCookie(c, deviceCookie, secret, { httpOnly: true, sameSite: 'Strict', secure, path: '/api', maxAge: deviceDays * 86_400 })
}

/** @param secure the platform is reached over https only: the cookie is `__Host-…`, which no other host of the domain and no plain connection can set. */
export function setSession(c: Context, token: string, secure: boolean): void {
  setCookie(c, cookieName, token, { httpOnly: true, sameSite: 'Strict', ...prefixOf(secure), path: '/', maxAge: personTokenMinutes * 60 })
}

export function clearSession(c: Context, secure: boolean): void {
  deleteCookie(c, cookieName, { path: '/', ...prefixOf(secure) })
}

const prefixOf = (secure: boolean) => (secure ? { secure: true, prefix: 'host' } as const : {})
