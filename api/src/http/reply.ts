/**
 * Result → HTTP answer: status, ETag, Last-Modified, Location and what `Prefer: return` asks for. Interactions return an
 * `Answer` and know nothing of HTTP libraries; a bundle puts the same answers into its entries.
 * Source: FHIR R4 § RESTful API; RFC 9110 (validators), RFC 7240 (Prefer).
 */
import type { Resource } from '@medplum/fhirtypes'
import type { Context } from 'hono'
import { stringifyJson } from '../fhir/json.ts'
import { prettyJson } from '../fhir/json-pretty.ts'
import { fail, type Language, type Sentence } from '../fhir/outcome.ts'
import { shortMax, utf8 } from '../fhir/utf8.ts'
import { sendable, type Stored } from '../records/content.ts'
import type { VersionMatch } from '../records/write-plan.ts'
import type { Written } from '../records/write-resources.ts'

export interface Answer {
  status: number
  /** JSON text; null for an empty body, and where there are `bytes`. */
  text: string | null
  /** The text in UTF-8 in its place, where that is at hand: sent without printing it again. */
  bytes?: Uint8Array<ArrayBuffer>
  /** Version for the ETag; null when the answer is not one version of one resource. */
  version: number | null
  /** ISO instant; null as above. */
  lastModified: string | null
  /** `Type/id/_history/n` of a write, relative to the base; null otherwise. */
  location: string | null
  /** Of a conditional create that found what was there. */
  found?: true
  headers?: Readonly<Record<string, string>>
}

export function textOf({ text, bytes }: Answer): string | null {
  return bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString() : text
}

export type Preference = 'minimal' | 'representation' | 'OperationOutcome'

export const fhirJson = 'application/fhir+json; charset=utf-8'

export function answerOf(stored: Stored): Answer {
  const versioned = stored.version > 0
  return { status: 200, text: sendable(stored), version: versioned ? stored.version : null, lastModified: versioned ? stored.lastUpdated : null, location: null }
}

export function answerOfResource(resource: object, status = 200): Answer {
  return { status, text: stringifyJson(resource), version: null, lastModified: null, location: null }
}

/** The answer to a write, with as much body as the caller prefers. */
export function answerOfWrite(written: Written, prefer: Preference, language: Language, view?: (stored: Stored) => Stored): Answer {
  const deleted = written.content === null
  const status = written.change === 'created' ? 201 : deleted && prefer !== 'OperationOutcome' ? 204 : 200
  return {
    status,
    text: writtenText(written, prefer, language, view),
    version: written.version > 0 ? written.version : null,
    lastModified: written.version > 0 ? written.lastUpdated : null,
    location: deleted ? null : `${written.type}/${written.id}/_history/${written.version}`,
  }
}

function writtenText(written: Written, prefer: Preference, language: Language, view: (stored: Stored) => Stored = (stored) => stored): string | null {
  if (prefer === 'OperationOutcome') return stringifyJson(information(changeSentences[written.change], language))
  return prefer === 'minimal' || written.content === null ? null : sendable(view({ ...written, content: written.content }))
}

const changeSentences: Record<Written['change'], Sentence> = {
  created: { zh: '资源已创建。', en: 'The resource was created.' },
  updated: { zh: '资源已更新。', en: 'The resource was updated.' },
  unchanged: { zh: '内容没有变化，未产生新版本。', en: 'Nothing changed; no new version was made.' },
  deleted: { zh: '资源已删除。', en: 'The resource was deleted.' },
  absent: { zh: '资源不存在，无需删除。', en: 'There was nothing to delete.' },
}

function information(text: Sentence, language: Language): Resource {
  return {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'information', code: 'informational', details: { text: text[language] }, diagnostics: text[language] }],
  }
}

/** What HTTP says of an answer beside its body. `base` is the address of /fhir. */
export function headersOf(answer: Answer, base: string): Record<string, string> {
  const headers: Record<string, string> = { 'Cache-Control': 'no-store, private', Vary: 'Accept, Accept-Encoding, Authorization, Cookie, Origin', ...answer.headers }
  if (answer.version !== null) headers.ETag = etagOf(answer.version)
  if (answer.lastModified !== null) headers['Last-Modified'] = new Date(answer.lastModified).toUTCString()
  if (answer.location !== null) headers[answer.status === 201 ? 'Location' : 'Content-Location'] = `${base}/${answer.location}`
  // What a conditional create found stands where what it would have made had stood.
  if (answer.found) headers.Location = `${base}/${answer.location}`
  return headers
}

/** Sends an answer; a GET whose validator still holds gets 304. */
export function send(c: Context, answer: Answer, base: string): Response {
  const headers = headersOf(answer, base)
  if (isKnown(c, answer)) return new Response(null, { status: 304, headers })
  const pretty = c.req.query('_pretty') === 'true'
  const body = pretty ? textOf(answer) : answer.bytes ?? answer.text
  if (body === null) return new Response(null, { status: answer.status, headers })
  const printed = pretty && typeof body === 'string' ? prettyJson(body) : body
  // A short text goes out with the headers in one write.
  const sent = typeof printed === 'string' && printed.length > shortMax ? utf8(printed) : printed
  headers['Content-Type'] = jsonTypeOf(c)
  // Said here because compression leaves small answers alone only when it knows their size.
  headers['Content-Length'] = String(typeof sent === 'string' ? Buffer.byteLength(sent) : sent.byteLength)
  // Not `c.body`: it would copy the headers into an object that Node takes apart again.
  return new Response(sent, { status: answer.status, headers })
}

/** Whether a reader says that it has this very version. */
export function isKnown(c: Context, answer: Answer): boolean {
  const reading = c.req.method === 'GET' || c.req.method === 'HEAD'
  return reading && isFresh(answer, c.req.header('If-None-Match') ?? null, c.req.header('If-Modified-Since') ?? null)
}

export function etagOf(version: number): string {
  return `W/"${version}"`
}

/** Whether the version that a caller knows is still the one. RFC 9110 13.1: If-None-Match first, If-Modified-Since only without it. */
export function isFresh(answer: Answer, noneMatch: string | null, modifiedSince: string | null): boolean {
  const known = answer.version === null ? answer.headers?.ETag : etagOf(answer.version)
  if (known === undefined || answer.status !== 200) return false
  if (noneMatch !== null) {
    return noneMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === known.slice(2))
  }
  const since = Date.parse(modifiedSince ?? '')
  return !Number.isNaN(since) && answer.lastModified !== null && Math.floor(Date.parse(answer.lastModified) / 1000) * 1000 <= since
}

/** What an If-Match value names; null when absent. A tag that is none of ours names a version that there is not. Throws parameter-invalid. */
export function ifMatchVersion(value: string | null | undefined, expression: string | null = null): VersionMatch | null {
  if (value === null || value === undefined || value.trim() === '') return null
  if (value.trim() === '*') return 'any'
  const tags = value.split(',').map((tag) => /^\s*(?:W\/)?"([^"]*)"\s*$/.exec(tag)?.[1])
  if (tags.includes(undefined)) {
    throw fail('parameter-invalid', { zh: 'If-Match 应写成 W/"3" 的形式。', en: 'If-Match must look like W/"3".' }, expression)
  }
  return tags.map((tag) => (/^\d{1,9}$/.test(tag ?? '') ? Number(tag) : noVersion))
}

const noVersion = -1

/** `If-None-Match` of a PUT: `*` asks that nothing be there yet; a version would have no meaning. Throws parameter-invalid. */
export function isCreateOnly(value: string | undefined): boolean {
  if (value === undefined || value.trim() === '') return false
  if (value.trim() === '*') return true
  throw fail('parameter-invalid', { zh: '写入时 If-None-Match 只能是 *。', en: 'In a write If-None-Match can only be *.' })
}

/** `Prefer: return=…`; representation when nothing valid is asked. */
export function preferenceOf(c: Context, otherwise: Preference = 'representation'): Preference {
  const asked = /(?:^|[,;\s])return\s*=\s*"?(minimal|representation|OperationOutcome)"?/i.exec(c.req.header('Prefer') ?? '')?.[1]?.toLowerCase()
  if (asked === undefined) return otherwise
  return asked === 'operationoutcome' ? 'OperationOutcome' : (asked as Preference)
}

/** `Prefer: handling=lenient`. */
export function isLenient(c: Context): boolean {
  return /(?:^|[,;\s])handling\s*=\s*"?lenient/i.test(c.req.header('Prefer') ?? '')
}

/** `Prefer: respond-async`. */
export function isAsynchronous(c: Context): boolean {
  return /(?:^|[,;\s])respond-async(?:$|[,;\s])/i.test(c.req.header('Prefer') ?? '')
}

/** `application/json+fhir` is what DSTU2 called it. */
const jsonFormats = new Set(['json', 'application/json', 'application/fhir+json', 'application/json+fhir', 'text/json'])

/** The type of an answer: that of FHIR unless the caller names a generic one and likes that of FHIR less. Source: FHIR R4 3.1.0.1.11. */
function jsonTypeOf(c: Context): string {
  const accept = c.req.header('Accept')
  if (accept === undefined || accept.includes('fhir+json') || accept.includes('*') || formatOf(c) !== undefined) return fhirJson
  const generic = acceptedTypes(c).find((type) => type === 'application/json' || type === 'text/json')
  return generic === undefined ? fhirJson : `${generic}; charset=utf-8`
}

export function isJsonType(type: string): boolean {
  return jsonFormats.has((type.split(';')[0] ?? '').trim().toLowerCase())
}

/** Media types of `Accept`, without their parameters. */
export function acceptedTypes(c: Context): string[] {
  return (c.req.header('Accept') ?? '').split(',').map((each) => (each.split(';')[0] ?? '').trim().toLowerCase()).filter((each) => each !== '')
}

/** `_pretty` is true or false. Throws parameter-invalid, but not under lenient handling. */
export function assertPretty(c: Context): void {
  const value = c.req.query('_pretty') ?? ''
  if (['', 'true', 'false'].includes(value) || isLenient(c)) return
  throw fail('parameter-invalid', { zh: `参数 _pretty 的值“${value.slice(0, 64)}”不正确，可用：true、false。`, en: `The value "${value.slice(0, 64)}" of _pretty is not valid. Valid: true, false.` }, '_pretty')
}

/** `_format`; undefined when it is not there or has no value. */
export function formatOf(c: Context): string | undefined {
  return c.req.query('_format') || undefined
}

/** JSON is the only format. `format`: of the query, or of a form. Throws not-acceptable. */
export function assertJsonAccepted(c: Context, format = formatOf(c)): void {
  // A `+` that was not escaped arrives as a space.
  const wanted = format !== undefined ? [format.replace(' ', '+')] : (c.req.header('Accept') ?? '*/*').split(',')
  const fits = wanted.some((each) => {
    const type = (each.split(';')[0] ?? '').trim().toLowerCase()
    // A client that asks for another version of FHIR would misread this one.
    const version = /;\s*fhirVersion\s*=\s*"?([^";\s]+)/i.exec(each)?.[1]
    if ((version && !/^4\.0(\.1)?$/.test(version)) || /;\s*q\s*=\s*0(\.0*)?\s*(;|$)/i.test(each)) return false
    return jsonFormats.has(type) || (format === undefined && (type === '' || type === '*/*' || type === 'application/*'))
  })
  if (!fits) {
    throw fail('not-acceptable', { zh: '只提供 JSON（application/fhir+json）。', en: 'Only JSON (application/fhir+json) is offered.' })
  }
}
