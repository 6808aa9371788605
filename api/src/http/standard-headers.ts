/**
 * The headers that every answer has: the request id, the client's correlation id and the security headers of Hono's `secureHeaders`, which do not depend on the
 * request and are therefore asked of it once. Under Node they are put on Node's own response before the handler runs: put on
 * the web Response afterwards they would make Hono build it again and stream its body, at more cost than reading a record.
 */
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { newRequestId } from '../ctx.ts'
import { changesSent } from '../storage/changes-sent.ts'
import type { AppEnv } from './auth.ts'

/** `secure`: the library's middleware with its options. */
export function standardHeaders(secure: MiddlewareHandler): MiddlewareHandler<AppEnv> {
  let constant: readonly (readonly [string, string])[] | null = null
  return async (c, next) => {
    constant ??= await headersOf(secure)
    const requestId = newRequestId()
    c.set('requestId', requestId)
    c.set('changesBefore', changesSent())
    const outgoing = outgoingOf(c)
    outgoing?.setHeader('X-Request-Id', requestId)
    const correlation = correlationOf(c)
    if (correlation !== null) outgoing?.setHeader('X-Correlation-Id', correlation)
    if (outgoing) for (const [name, value] of constant) outgoing.setHeader(name, value)
    await next()
    if (outgoing) return
    c.res.headers.set('X-Request-Id', requestId)
    if (correlation !== null) c.res.headers.set('X-Correlation-Id', correlation)
    for (const [name, value] of constant) c.res.headers.set(name, value)
  }
}

/** What a client calls requests that belong together: handed back, as FHIR R4 3.1.0.1.4 has it, when it is a plain word. */
function correlationOf(c: Context): string | null {
  const given = c.req.header('X-Correlation-Id')
  return given !== undefined && /^[\w.:-]{1,100}$/.test(given) ? given : null
}

/** Null when no Node server called the app, as in tests. */
function outgoingOf(c: Context): HttpBindings['outgoing'] | null {
  return (c.env as Partial<HttpBindings> | undefined)?.outgoing ?? null
}

async function headersOf(secure: MiddlewareHandler): Promise<[string, string][]> {
  const answer = await new Hono().use(secure).get('/', (c) => c.body(null)).request('/')
  return [...answer.headers]
}
