/**
 * Binary as the bytes it holds: a body that is not FHIR JSON becomes a Binary of its media type, and a reader who does not ask for
 * FHIR JSON gets the bytes. They come from anybody, so a browser may neither show nor run them on our pages. Source: FHIR R4 § binary.html.
 */
import type { Binary, Resource } from '@medplum/fhirtypes'
import type { Context } from 'hono'
import { parseJson, parseStored } from '../fhir/json.ts'
import { fail } from '../fhir/outcome.ts'
import { asResource } from '../records/bundle-entries.ts'
import { readBytes } from './body.ts'
import { acceptedTypes, type Answer, formatOf, isJsonType } from './reply.ts'

const mediaType = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(?:\s*;\s*[\w-]+=(?:"[^"\\]*"|[\w.+-]+))*$/

/** Whether the body is the content itself and not a resource. */
export function isContent(c: Context): boolean {
  const type = c.req.header('Content-Type')
  return type !== undefined && mediaType.test(type.trim()) && !isJsonType(type) && !/^application\/(?:fhir\+xml|json-patch\+json|x-www-form-urlencoded)\b/i.test(type)
}

/** A file of JSON comes under the same media type as a resource. */
export function isPlainJson(c: Context): boolean {
  return /^(?:application|text)\/json\b/i.test(c.req.header('Content-Type') ?? '')
}

/** What is no FHIR resource is the content. Throws as `readBinary`, and what is wrong with a resource. */
export async function readBinaryOrResource(c: Context, bytesMax: number, id: string | null): Promise<Resource> {
  const bytes = await readBytes(c, bytesMax)
  const text = Buffer.from(bytes).toString()
  return /"resourceType"/.test(text) ? asResource(parseJson(text), null) : binaryOf(c, bytes, id)
}

/** Throws required for no content, and body-too-large. */
export async function readBinary(c: Context, bytesMax: number, id: string | null): Promise<Binary> {
  return binaryOf(c, await readBytes(c, bytesMax), id)
}

function binaryOf(c: Context, bytes: Uint8Array, id: string | null): Binary {
  if (bytes.byteLength === 0) throw fail('required', { zh: '请求没有内容。', en: 'The request has no body.' })
  const security = c.req.header('X-Security-Context')
  return {
    resourceType: 'Binary', ...(id === null ? {} : { id }), contentType: c.req.header('Content-Type')?.trim() ?? '', ...(security === undefined ? {} : { securityContext: { reference: security } }),
    data: Buffer.from(bytes).toString('base64'),
  }
}

/** Whether the reader wants bytes: all who do not ask for FHIR JSON by name. */
export function wantsContent(c: Context): boolean {
  return formatOf(c) === undefined && !acceptedTypes(c).some(isJsonType)
}

/** The bytes of a Binary that was read; not-acceptable when they are of another type than what is accepted. */
export function sendContent(c: Context, answer: Answer, headers: Record<string, string>): Response {
  const { contentType = '', data = '' } = parseStored(answer.text ?? '{}') as Binary
  const accepted = acceptedTypes(c)
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase()
  if (accepted.length > 0 && !accepted.some((each) => each === '*/*' || each === type || (each.endsWith('/*') && type.startsWith(each.slice(0, -1))))) {
    throw fail('not-acceptable', { zh: `内容的类型是 ${type.slice(0, 100)}。`, en: `The content is of type ${type.slice(0, 100)}.` })
  }
  return c.body(new Uint8Array(Buffer.from(data, 'base64')), 200, {
    ...headers, 'Content-Type': contentType, 'Content-Disposition': 'attachment',
  })
}
