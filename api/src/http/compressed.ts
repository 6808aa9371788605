/**
 * Compression of answers: br, gzip or deflate, whichever the caller likes best, of what is text and large enough. A text that is whole is compressed
 * whole, so its length is known; a stream is compressed as it goes out. Answers to who cannot read any are not touched. Source: RFC 9110 § 8.4, 12.5.3.
 */
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { brotliCompress, constants, createBrotliCompress, createDeflate, createGzip, deflate, gzip } from 'node:zlib'
import type { MiddlewareHandler } from 'hono'

// Brotli's default quality takes a hundred times as long for a tenth less.
const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT } }

const encodings = {
  br: { whole: (bytes: Uint8Array) => promisify(brotliCompress)(bytes, brotli), stream: () => createBrotliCompress(brotli) },
  gzip: { whole: (bytes: Uint8Array) => promisify(gzip)(bytes), stream: () => createGzip() },
  deflate: { whole: (bytes: Uint8Array) => promisify(deflate)(bytes), stream: () => createDeflate() },
} as const
type Encoding = keyof typeof encodings

const bytesMin = 2048
const compressible = /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|ndjson|xml|javascript)\b)/

export function compressed(): MiddlewareHandler {
  return async (c, next) => {
    await next()
    const accepted = c.req.header('Accept-Encoding')
    if (accepted === undefined) return
    const { res } = c
    const length = res.headers.get('Content-Length')
    if (!res.body || res.headers.has('Content-Encoding') || !compressible.test(res.headers.get('Content-Type') ?? '') || (length !== null && Number(length) < bytesMin)) return
    if (!/accept-encoding/i.test(res.headers.get('Vary') ?? '')) c.header('Vary', 'Accept-Encoding', { append: true })
    const encoding = c.req.method === 'HEAD' ? null : encodingOf(accepted)
    if (encoding === null) return
    const { whole, stream } = encodings[encoding]
    const body = length === null ? Readable.toWeb(Readable.fromWeb(res.body as never).pipe(stream())) : await whole(new Uint8Array(await res.arrayBuffer()))
    c.res = new Response(body as BodyInit, res)
    c.res.headers.set('Content-Encoding', encoding)
    if (body instanceof Uint8Array) c.res.headers.set('Content-Length', String(body.byteLength))
    else c.res.headers.delete('Content-Length')
  }
}

/** The best of what is accepted; null when none is, or when plain text is liked better. */
export function encodingOf(accepted: string): Encoding | null {
  const weights = new Map(accepted.toLowerCase().split(',').map((each) => {
    const [name = '', ...parameters] = each.split(';').map((part) => part.trim())
    const q = parameters.find((part) => part.startsWith('q='))
    const weight = q === undefined ? 1 : Number(q.slice(2))
    return [name, Number.isNaN(weight) ? 0 : weight]
  }))
  let best: Encoding | null = null
  let most = weights.get('identity') ?? 0
  for (const name of Object.keys(encodings) as Encoding[]) {
    const weight = weights.get(name) ?? weights.get('*') ?? 0
    if (weight > most || (best === null && weight === most && weight > 0)) [best, most] = [name, weight]
  }
  return best
}
