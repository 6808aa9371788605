/**
 * How much one caller may ask of a process in a minute, in points by the cost of the request. Counted by principal, for callers
 * without a token by address; in the memory of the process, so n processes allow n times as much. The limits are settings: the
 * defaults stop a runaway script, not a busy person. Limits of guessing are elsewhere (access/sign-in-throttle.ts).
 */
import type { Context, MiddlewareHandler } from 'hono'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { anonymous, type Principal } from '../access/principal.ts'
import type { Ctx } from '../ctx.ts'
import { issue, OutcomeError } from '../fhir/outcome.ts'
import type { AppEnv } from './auth.ts'
import { addressOf } from './place.ts'

/** Points a minute; 0: no limit. */
export interface RateLimits { person: number; system: number; anonymous: number }

const costs: readonly [RegExp, number][] = [
  [/^(GET|POST) .*\$(export|import|everything|summary|reconcile)\b/, 25],
  [/^POST \/fhir\/?$/, 10],
  [/^(POST|PUT|PATCH|DELETE) \/fhir\/.*(?<!_search)$/, 3],
  [/^\w+ \/fhir\/[^/]+\/?$|_search$|_history$/, 2],
]

/** Points of a request; the narrower pattern stands first. */
export function costOf(method: string, path: string): number {
  return costs.find(([pattern]) => pattern.test(`${method} ${path}`))?.[1] ?? 1
}

/** @throws OutcomeError `rate-limited` (429) with Retry-After. */
export function rateLimit(limits: RateLimits, trustedProxies: number): MiddlewareHandler<AppEnv> {
  const limiter = (points: number) => (points === 0 ? null : new RateLimiterMemory({ points, duration: 60 }))
  const limiters = { person: limiter(limits.person), client: limiter(limits.system), anonymous: limiter(limits.anonymous) }
  return async (c, next) => {
    // The OpenID addresses have no caller yet: they count by address.
    const principal = (c.get('ctx') as Ctx | undefined)?.principal ?? anonymous
    const used = limiters[principal.kind]
    if (used) {
      await used.consume(keyOf(c, principal, trustedProxies), costOf(c.req.method, c.req.path)).catch((refused: unknown) => {
        throw refused instanceof RateLimiterRes ? rateLimited(Math.max(1, Math.ceil(refused.msBeforeNext / 1000))) : refused
      })
    }
    await next()
  }
}

/** An app counts for itself, beside the person it acts for. */
function keyOf(c: Context, principal: Principal, trustedProxies: number): string {
  if (principal.kind === 'anonymous') return addressOf(c, trustedProxies)
  return principal.scopes.length > 0 ? `${principal.id} ${principal.sessionId}` : principal.id
}

function rateLimited(seconds: number): OutcomeError {
  return new OutcomeError([issue('rate-limited', {
    zh: `请求太多，请 ${seconds} 秒后再试。`, en: `Too many requests. Try again in ${seconds} seconds.`,
  })], { headers: { 'Retry-After': String(seconds) } })
}
