/**
 * Reading the body of a FHIR request. What is too large is refused by its Content-Length before a byte is read, and otherwise
 * at the byte that passes the limit; what is not FHIR JSON is refused by its media type, then by its text.
 * Source: FHIR R4 § RESTful API (content types), docs/configuration.md BODY_MEGABYTES_MAX.
 */
import type { Resource } from '@medplum/fhirtypes'
import type { Context } from 'hono'
import { parseJson } from '../fhir/json.ts'
import { fail, OutcomeError } from '../fhir/outcome.ts'
import { asResource } from '../records/bundle-entries.ts'
import { jsonPatchOf, jsonPatchType, type Patch, patchOfResource } from '../records/patch/patch-resource.ts'

const jsonTypes = new Set(['application/fhir+json', 'application/json', 'text/json', 'application/json+fhir'])
const formType = 'application/x-www-form-urlencoded'

/** The text of a JSON body; empty when there is none. Throws media-type-unsupported, body-too-large, json-broken. */
export async function readJsonText(c: Context, bytesMax: number): Promise<string> {
  assertSize(c, bytesMax)
  const type = mediaType(c)
  if (type !== null && !jsonTypes.has(type)) throw unsupported(type)
  const text = await readText(c, bytesMax)
  if (type === null && text !== '') throw unsupported('')
  return text
}

/** A patch and its kind: a JSON Patch by its own media type, a FHIRPath Patch as FHIR JSON. Throws also patch-invalid. */
export async function readPatchBody(c: Context, bytesMax: number): Promise<Patch> {
  assertSize(c, bytesMax)
  const type = mediaType(c)
  if (type !== jsonPatchType && (type === null || !jsonTypes.has(type))) throw noPatchType(type ?? '', 'application/fhir+json')
  const text = await readText(c, bytesMax)
  if (text.trim() === '') throw fail('json-broken', { zh: '请求没有内容。', en: 'The request has no body.' })
  const body = parseJson(text)
  // A list of operations that came as any JSON: what it is has to be said.
  if (type !== jsonPatchType && Array.isArray(body)) throw noPatchType(type ?? '', jsonPatchType)
  return type === jsonPatchType ? jsonPatchOf(body, null) : patchOfResource(asResource(body, null), null)
}

function noPatchType(type: string, wanted: string): OutcomeError {
  return new OutcomeError(unsupported(type, wanted).issues, { headers: { 'Accept-Patch': `${jsonPatchType}, application/fhir+json` } })
}

/** The resource in the body. Throws also json-too-deep and structure. */
export async function readResourceBody(c: Context, bytesMax: number): Promise<Resource> {
  const text = await readJsonText(c, bytesMax)
  if (text.trim() === '') throw fail('json-broken', { zh: '请求没有内容。', en: 'The request has no body.' })
  return asResource(parseJson(text), null)
}

/** Search parameters in a form body. */
export async function readForm(c: Context, bytesMax: number): Promise<URLSearchParams> {
  assertSize(c, bytesMax)
  const type = mediaType(c)
  if (type !== null && type !== formType) throw unsupported(type, formType)
  return new URLSearchParams(await readText(c, bytesMax))
}

function mediaType(c: Context): string | null {
  const header = c.req.header('Content-Type')
  if (header === undefined) return null
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(header)?.[1]
  if (charset && !/^utf-?8$/i.test(charset)) throw unsupported(header)
  const version = /;\s*fhirVersion\s*=\s*"?([^";\s]+)/i.exec(header)?.[1]
  if (version && !/^4\.0(\.1)?$/.test(version)) throw unsupported(header)
  return (header.split(';')[0] ?? '').trim().toLowerCase()
}

function assertSize(c: Context, bytesMax: number): void {
  const length = c.req.header('Content-Length')
  if (length !== undefined && Number(length) > bytesMax) throw tooLarge(bytesMax)
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The body as it was before it was compressed; the limit is of what comes out. */
function plainBody(c: Context): ReadableStream<Uint8Array> | null {
  const encoding = encodingOf(c)
  const { body } = c.req.raw
  if (encoding === 'identity' || !body) return body
  if (encoding !== 'gzip' && encoding !== 'deflate') {
    const { issues } = fail('media-type-unsupported', { zh: `不支持压缩方式“${encoding.slice(0, 32)}”，可用：gzip、deflate。`, en: `The encoding "${encoding.slice(0, 32)}" is not supported. Use gzip or deflate.` })
    throw new OutcomeError(issues, { headers: { 'Accept-Encoding': 'gzip, deflate' } })
  }
  return body.pipeThrough(new DecompressionStream(encoding) as never)
}

function encodingOf(c: Context): string {
  return c.req.header('Content-Encoding')?.trim().toLowerCase() || 'identity'
}

/** The body as text, whatever its media type. Throws body-too-large, json-broken when it is not UTF-8. */
export async function readText(c: Context, bytesMax: number): Promise<string> {
  return decoded(await readBytes(c, bytesMax))
}

/** Throws json-broken when it is not UTF-8. */
export function decoded(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw fail('json-broken', { zh: '内容不是 UTF-8 编码。', en: 'The body is not UTF-8 text.' })
  }
}

/** Throws body-too-large. */
export async function readBytes(c: Context, bytesMax: number): Promise<Uint8Array> {
  assertSize(c, bytesMax)
  // A size that was said has been judged, and HTTP holds the caller to it; a web stream costs more than the whole rest of reading.
  if (c.req.header('Content-Length') !== undefined && encodingOf(c) === 'identity') return new Uint8Array(await c.req.arrayBuffer())
  const body = plainBody(c)
  if (!body) return new Uint8Array()
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => { throw brokenEncoding(c, cause) })
    if (done) break
    size += value.byteLength
    if (size > bytesMax) {
      await reader.cancel()
      throw tooLarge(bytesMax)
    }
    chunks.push(value)
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
}

/** What cannot be decompressed is the caller's mistake; a connection that breaks off is not. */
function brokenEncoding(c: Context, cause: unknown): unknown {
  if (c.req.header('Content-Encoding') === undefined) return cause
  return fail('bad-request', { zh: '内容无法按 Content-Encoding 解压。', en: 'The body is not compressed as Content-Encoding says.' })
}

function tooLarge(bytesMax: number) {
  const megabytes = Math.round(bytesMax / 1024 / 1024)
  return fail('body-too-large', {
    zh: `内容超过 ${megabytes} MB，请分成几次发送。`, en: `The body is larger than ${megabytes} MB. Send it in parts.`,
  })
}

function unsupported(type: string, wanted = 'application/fhir+json') {
  return fail('media-type-unsupported', {
    zh: `不支持内容类型“${type}”，请使用 ${wanted}。`, en: `The content type "${type}" is not supported. Send ${wanted}.`,
  })
}
