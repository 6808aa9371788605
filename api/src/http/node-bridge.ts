/**
 * Runs a handler written for Node's http module inside a Hono route. The answer comes back as a Response, so that middleware
 * (headers, limits, log) holds for it as for every other; and tests need no socket.
 */
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

export interface NodeCall { method: string; url: string; headers: Record<string, string>; body: string }
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => unknown

/** The request and response of a call, for functions of a Node library that only read headers. */
export function nodePair(call: NodeCall): { request: IncomingMessage; response: ServerResponse } {
  const request = new IncomingMessage(new Socket())
  request.method = call.method
  request.url = call.url
  for (const [name, value] of Object.entries(call.headers)) request.headers[name.toLowerCase()] = value
  if (call.body !== '') request.headers['content-length'] = String(Buffer.byteLength(call.body))
  request.push(call.body)
  request.push(null)
  return { request, response: new ServerResponse(request) }
}

export async function callNode(handler: NodeHandler, call: NodeCall): Promise<Response> {
  const { request, response } = nodePair(call)
  const chunks: Buffer[] = []
  const keep = (chunk: unknown) => { if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk as string)) }
  const ended = new Promise<void>((done) => {
    response.write = ((chunk: unknown) => { keep(chunk); return true }) as ServerResponse['write']
    response.end = ((chunk: unknown) => { keep(chunk); done(); return response }) as ServerResponse['end']
  })
  await handler(request, response)
  await ended
  const headers = new Headers()
  for (const [name, value] of Object.entries(response.getHeaders())) {
    for (const each of Array.isArray(value) ? value : [value]) if (each !== undefined) headers.append(name, String(each))
  }
  headers.delete('Content-Length')
  headers.delete('Connection')
  const body = Buffer.concat(chunks)
  return new Response(body.length === 0 || response.statusCode === 204 ? null : body, { status: response.statusCode, headers })
}
