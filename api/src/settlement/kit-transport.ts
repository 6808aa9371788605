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
import { utf8 } from '../fhir/utf8.ts'

type KitRequest = Client['httpClient']['request']

/** @returns the same client. Its bodies carry their digest (RFC 9530): one that changes on the way is refused there, whatever it changed into. */
export function overNodeHttp(client: Client): Client {
  const secure = client.baseUrl.startsWith('https:')
  const [request, agent] = secure ? [httpsRequest, new SecureAgent({ keepAlive: true })] as const : [httpRequest, new Agent({ keepAlive: true })] as const
  const send: KitRequest = async (method, path, options = {}, body) => {
    const bytes = body === undefined ? undefined : utf8(typeof body === 'string' ? body : JSON.stringify(body))
    const headers = { accept: 'application/fhir+json', ...options.headers, ...(bytes ? { 'content-length': bytes.length, 'content-digest': contentDigest(bytes) } : {}) }
    const started = request(client.httpClient.expandUrl(path), { method, headers, agent, ...(options.signal instanceof AbortSignal ? { signal: options.signal } : {}) })
    const { status, text } = await answered(started, bytes).catch((error: Error) => {
      throw options.signal?.aborted ? options.signal.reason : new Error('the call failed', { cause: error })
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
