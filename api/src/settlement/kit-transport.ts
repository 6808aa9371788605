/**
 * fhir-kit-client over Node's own HTTP client. The kit calls `fetch`, whose bodies are web streams with finalizers: what an answer was made of outlives
 * many collections of young objects, each of which is then a pause for all calls under way (measured: docs/decisions/0045-settlements-share-transactions.md).
 * Errors are those of the kit: `response` with status and data where there was an answer, else `cause` with Node's code; a time limit is a `TimeoutError`.
 * Nothing is repeated, no redirect is followed.
 */
import { Agent, type ClientRequest, request as httpRequest } from 'node:http'
import { Agent as SecureAgent, request as httpsRequest } from 'node:https'
import type { Client } from 'fhir-kit-client'
import { contentDigest } from '../crypto.ts'

type KitRequest = Client['httpClient']['request']

/** @returns the same client. Its bodies carry their digest (RFC 9530): one that changes on the way is refused there, whatever it changed into. */
export function overNodeHttp(client: Client): Client {
  const agents = { 'http:': new Agent({ keepAlive: true }), 'https:': new SecureAgent({ keepAlive: true }) }
  const send: KitRequest = async (method, path, options = {}, body) => {
    const url = client.httpClient.expandUrl(path)
    const { protocol } = new URL(url)
    const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    const bytes = payload === undefined ? undefined : Buffer.from(payload)
    const headers = {
      accept: 'application/fhir+json', ...options.headers,
      ...(payload === undefined || bytes === undefined ? {} : { 'content-length': bytes.length, 'content-digest': contentDigest(payload) }),
    }
    const secure = protocol === 'https:'
    const started = (secure ? httpsRequest : httpRequest)(url, { method, headers, agent: agents[secure ? 'https:' : 'http:'], ...(options.signal instanceof AbortSignal ? { signal: options.signal } : {}) })
    const { status, text } = await answered(started, bytes).catch((error: Error) => {
      throw options.signal?.aborted ? options.signal.reason : new Error('fetch failed', { cause: error })
    })
    const data = parsed(text)
    if (status < 200 || status > 299 || data === null) throw Object.assign(new Error(`HTTP ${status}: ${method} ${path}`), { response: { status, data: data ?? text } })
    return data as Awaited<ReturnType<KitRequest>>
  }
  client.httpClient.request = send
  return client
}

/** @throws Error of Node when the connection ended before the answer did. */
function answered(started: ClientRequest, bytes: Buffer | undefined): Promise<{ status: number; text: string }> {
  return new Promise((done, failed) => {
    started.once('error', failed)
    started.once('response', (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece))
      answer.once('error', failed)
      answer.once('end', () => { done({ status: answer.statusCode ?? 0, text: Buffer.concat(pieces).toString() }) })
    })
    started.end(bytes)
  })
}

/** An empty body is an empty object, as the kit has it; null is no JSON. */
function parsed(text: string): unknown {
  if (text === '') return {}
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
