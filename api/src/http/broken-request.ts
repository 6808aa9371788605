/**
 * What cannot be read as HTTP never reaches a route: an address with bytes that are no ASCII (as a program that forgot to encode a Chinese name sends it), headers
 * that are too long or never end. Node would answer with a bare status line; whoever made the mistake is told what it is. Source: RFC 9110 15.5,
 * RFC 3986 2.1, RFC 6585 5.
 */
import type { Duplex } from 'node:stream'
import type { ServerType } from '@hono/node-server'
import { issue, operationOutcome, type Sentence } from '../fhir/outcome.ts'
import { languageIn } from './auth.ts'

interface Broken { status: string; text: Sentence }

const byCode: Readonly<Record<string, Broken>> = {
  HPE_INVALID_URL: {
    status: '400 Bad Request',
    text: { zh: '网址中 ASCII 以外的字符（如汉字）须按百分号编码，例如把 name=王 写成 name=%E7%8E%8B。', en: 'Characters of the address that are not ASCII must be percent-encoded: name=王 is written name=%E7%8E%8B.' },
  },
  HPE_HEADER_OVERFLOW: { status: '431 Request Header Fields Too Large', text: { zh: '请求头过长。搜索条件很多时，请用 POST _search 提交。', en: 'The headers are too long. Send a search with many conditions by POST _search.' } },
  ERR_HTTP_REQUEST_TIMEOUT: { status: '408 Request Timeout', text: { zh: '请求在限定时间内没有发完，请重试。', en: 'The request did not arrive in time. Try again.' } },
}
const other: Broken = { status: '400 Bad Request', text: { zh: '收到的内容不是有效的 HTTP 请求。', en: 'What arrived is no valid HTTP request.' } }

type ClientError = Error & { code?: string; rawPacket?: Buffer }

export function answerBrokenRequests(server: ServerType): void {
  server.on('clientError', (error: ClientError, socket: Duplex) => {
    // Whoever is gone hears nothing; after an answer has begun, nothing may follow it.
    if (error.code === 'ECONNRESET' || !socket.writable || ((socket as { _httpMessage?: { headersSent?: boolean } })._httpMessage?.headersSent ?? false)) {
      socket.destroy()
      return
    }
    const { status, text } = byCode[error.code ?? ''] ?? other
    const accepted = /^accept-language: *([^\r\n]*)/im.exec(error.rawPacket?.toString('latin1') ?? '')?.[1]
    const body = JSON.stringify(operationOutcome([issue('bad-request', text)], languageIn(accepted)))
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/fhir+json; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  })
}
