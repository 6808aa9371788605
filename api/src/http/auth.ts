/**
 * Token → Principal. A caller sends `Authorization: Bearer …`, a browser its session cookie; both are the same access token,
 * verified the same way. A cookie counts for a changing request only when the browser says that it comes from our own pages.
 */
import type { Context, MiddlewareHandler } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { anonymous, type Principal } from '../access/principal.ts'
import { invalidToken, personTokenMinutes, type TokenVerifier } from '../access/tokens.ts'
import { type Ctx, makeCtx } from '../ctx.ts'
import { fail, type Language } from '../fhir/outcome.ts'

const cookieName = 'pujiang_session'

/** What every handler finds in `c.var`. */
export interface AppEnv { Variables: { ctx: Ctx; requestId: string } }

export function authenticate(verify: TokenVerifier, now: () => Date): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const at = now()
    const ctx = (principal: Principal) => makeCtx(principal, { now: at, language: languageOf(c), requestId: c.get('requestId') })
    c.set('ctx', ctx(anonymous))
    c.set('ctx', ctx(await principalOf(c, verify, at)))
    await next()
  }
}

async function principalOf(c: Context, verify: TokenVerifier, now: Date): Promise<Principal> {
  const header = c.req.header('Authorization')
  if (header !== undefined) {
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(header)?.[1]
    if (!token) throw invalidToken()
    return verify(token, now)
  }
  const cookie = getCookie(c, cookieName)
  if (!cookie) return anonymous
  if (!['GET', 'HEAD', 'OPTIONS'].includes(c.req.method)) assertOwnPage(c)
  return verify(cookie, now).catch((error) => {
    // An expired session must not lock a browser out of signing in again or of public pages.
    if (c.req.path.startsWith('/api/sign-') || c.req.path === '/api/settings') return anonymous
    throw error
  })
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
  return /^\s*en\b/i.test(c.req.header('Accept-Language') ?? '') ? 'en' : 'zh'
}

export function setSession(c: Context, token: string, secure: boolean): void {
  setCookie(c, cookieName, token, { httpOnly: true, sameSite: 'Strict', secure, path: '/', maxAge: personTokenMinutes * 60 })
}

export function clearSession(c: Context, secure: boolean): void {
  deleteCookie(c, cookieName, { path: '/', secure })
}
