/**
 * Which pages of other origins may use /fhir from a browser: those of CORS_ORIGINS, with a bearer token. Cookies never count across
 * origins (no credentials). What anybody may read without a token, the metadata, is open to every page. Source: Fetch standard, CORS protocol.
 */
import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'

const publicPaths = new Set(['/fhir/metadata', '/fhir/.well-known/smart-configuration'])

export function fhirCors(origins: readonly string[]): MiddlewareHandler {
  const all = origins.includes('*')
  const answer = cors({
    origin: (origin, c) => (all || publicPaths.has(c.req.path) ? '*' : origins.includes(origin) ? origin : null),
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: ['Authorization', 'Content-Type', 'Accept', 'Accept-Language', 'Prefer', 'If-Match', 'If-None-Match', 'If-Modified-Since', 'If-None-Exist', 'Idempotency-Key', 'X-Correlation-Id', 'X-Provenance'],
    exposeHeaders: ['ETag', 'Last-Modified', 'Location', 'Content-Location', 'Retry-After', 'X-Progress', 'X-Request-Id', 'X-Correlation-Id', 'WWW-Authenticate'],
    maxAge: 600,
  })
  // Programs send no Origin, and nothing here concerns them. (`send` says `Vary: Origin` in every answer.)
  return (c, next) => (c.req.header('Origin') === undefined ? next() : answer(c, next))
}
