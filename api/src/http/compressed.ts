/** Compression of answers that are worth it, for callers who can read it: the library looks into the headers of every answer, so others do not pass it. */
import type { MiddlewareHandler } from 'hono'
import { compress } from 'hono/compress'

const bytesMin = 2048

export function compressed(): MiddlewareHandler {
  const compressing = compress({ threshold: bytesMin })
  return (c, next) => (c.req.header('Accept-Encoding') === undefined ? next() : compressing(c, next))
}
