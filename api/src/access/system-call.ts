/**
 * Calls of another system of the house: the platform of a centre, a centre of another. A token by client credentials, kept and
 * shared; JSON in, JSON out. Source: SMART Backend Services.
 */
import type { SigningKey } from '../crypto.ts'
import { assertionType, makeClientAssertion } from './client-credentials.ts'

export interface SystemOptions {
  /** Address of the system, without `/fhir`. */
  baseUrl: string
  /** Where tokens are asked for, when that is not below `baseUrl`. */
  tokenUrl?: string
  clientId: string
  key: SigningKey
  /** Of the whole call; the token is asked for within a time of its own. */
  timeoutMs: number
  now(): Date
  newId(): string
}

/** Access tokens of the other system, kept until shortly before they expire. Only one is asked for at a time. */
export function tokenSource(options: SystemOptions) {
  const tokenUrl = options.tokenUrl ?? `${options.baseUrl}/oidc/token`
  let kept: { token: string; until: number } | null = null
  let asking: Promise<string | { reason: string }> | null = null

  async function ask(): Promise<string | { reason: string }> {
    try {
      const form = new URLSearchParams({
        grant_type: 'client_credentials', client_assertion_type: assertionType,
        client_assertion: await makeClientAssertion(options.clientId, options.key, tokenUrl, options.now(), options.newId()),
      })
      const response = await fetch(tokenUrl, { method: 'POST', body: form, signal: AbortSignal.timeout(options.timeoutMs) })
      const grant = await response.json() as { access_token?: unknown; expires_in?: unknown; error?: unknown }
      if (!response.ok || typeof grant.access_token !== 'string') return { reason: `no token: ${String(grant.error ?? response.status)}` }
      kept = { token: grant.access_token, until: options.now().getTime() + (Number(grant.expires_in) - 60) * 1000 }
      return kept.token
    } catch (error) {
      const { cause, name } = error as { cause?: { code?: string }; name?: string }
      return { reason: `no token: ${cause?.code ?? name ?? 'unreadable answer'}` }
    }
  }

  return {
    forget() { kept = null },
    async get(): Promise<string | { reason: string }> {
      if (kept && kept.until > options.now().getTime()) return kept.token
      asking ??= ask().finally(() => { asking = null })
      return asking
    },
  }
}

interface SystemReply { status: number; json: unknown }
export type SystemCaller = (method: 'GET' | 'POST', path: string, body?: unknown, headers?: Record<string, string>) => Promise<SystemReply>

/** A call that may be repeated at will. @throws Error when there is no token, no answer in time or no JSON. */
export function systemCaller(options: SystemOptions): SystemCaller {
  const token = tokenSource(options)
  return async (method, path, body, headers) => {
    const granted = await token.get()
    if (typeof granted !== 'string') throw new Error(granted.reason)
    const reply = await fetch(`${options.baseUrl}${path}`, {
      method, headers: { 'Content-Type': 'application/fhir+json', ...headers, Authorization: `Bearer ${granted}` }, signal: AbortSignal.timeout(options.timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (reply.status === 401) token.forget()
    return { status: reply.status, json: await reply.json() }
  }
}
