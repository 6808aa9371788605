/**
 * Fetch with our errors. Every refusal becomes an `OutcomeError` with the server's stable codes, whether it came as an
 * OperationOutcome (/fhir) or as problem details (/api, RFC 9457); a dead line becomes the code `network`.
 * The session travels in an HttpOnly cookie, so nothing here holds a token.
 */
export interface ClientIssue {
  /** A code of `api/src/fhir/outcome.ts`, or `network`. */
  code: string
  /** The server's sentence in the reader's language; empty when there was none. */
  text: string
  /** FHIRPath of the field; null when the fault has none. */
  expression: string | null
}

export class OutcomeError extends Error {
  readonly status: number
  readonly issues: readonly ClientIssue[]

  constructor(status: number, issues: readonly ClientIssue[]) {
    super(issues[0]?.text || issues[0]?.code || String(status))
    this.name = 'OutcomeError'
    this.status = status
    this.issues = issues
  }

  get code(): string {
    return this.issues[0]?.code ?? 'internal'
  }
}

export interface RequestOptions {
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
  /** Milliseconds until we give up; the server's own limits are shorter. */
  timeout?: number
}

const codeByStatus: Record<number, string> = {
  400: 'bad-request', 401: 'sign-in-required', 403: 'forbidden', 404: 'not-found', 405: 'method-not-allowed', 409: 'conflict',
  413: 'body-too-large', 429: 'rate-limited', 502: 'network', 503: 'busy', 504: 'timeout',
}

interface WireIssue { code?: string; details?: { text?: string; coding?: { code?: string }[] }; diagnostics?: string; expression?: string[] }
interface WireProblem { code?: string; type?: string; title?: string; detail?: string; issues?: { code?: string; detail?: string; text?: string; field?: string | null }[] }

/** What a refusal says, whichever of the two forms it has. Pure, for the tests. */
export function issuesOf(status: number, body: unknown): ClientIssue[] {
  const fallback = codeByStatus[status] ?? 'internal'
  if (body === null || typeof body !== 'object') return [{ code: fallback, text: '', expression: null }]
  const outcome = body as { resourceType?: string; issue?: WireIssue[] }
  if (outcome.resourceType === 'OperationOutcome' && outcome.issue?.length) {
    return outcome.issue.map((each) => ({
      code: each.details?.coding?.[0]?.code ?? fallback,
      text: each.details?.text ?? each.diagnostics ?? '',
      expression: each.expression?.[0] ?? null,
    }))
  }
  const problem = body as WireProblem
  const own = problem.code ?? problem.type?.split(/[/#:]/).pop()
  if (problem.issues?.length) {
    return problem.issues.map((each) => ({
      code: each.code ?? own ?? fallback, text: each.detail ?? each.text ?? '', expression: each.field ?? null,
    }))
  }
  return [{ code: own && own !== 'blank' ? own : fallback, text: problem.detail ?? problem.title ?? '', expression: null }]
}

export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), options.timeout ?? 45_000)
  options.signal?.addEventListener('abort', () => abort.abort())
  const isFhir = path.startsWith('/fhir')
  const headers: Record<string, string> = {
    accept: isFhir ? 'application/fhir+json' : 'application/json',
    'accept-language': document.documentElement.lang || 'zh-CN',
    ...options.headers,
  }
  if (options.body !== undefined) headers['content-type'] = isFhir ? 'application/fhir+json' : 'application/json'
  try {
    const response = await fetch(path, {
      method, headers, signal: abort.signal, credentials: 'same-origin',
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    })
    const text = await response.text()
    const body: unknown = text ? parsed(text) : null
    if (!response.ok) throw new OutcomeError(response.status, issuesOf(response.status, body))
    return body as T
  } catch (error) {
    if (error instanceof OutcomeError || options.signal?.aborted) throw error
    throw new OutcomeError(0, [{ code: 'network', text: '', expression: null }])
  } finally {
    clearTimeout(timer)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

/** A query string without the empty values. */
export function query(values: Record<string, string | number | null | undefined | readonly string[]>): string {
  const pairs = new URLSearchParams()
  for (const [key, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === '') continue
    for (const one of Array.isArray(value) ? value : [value]) pairs.append(key, String(one))
  }
  const text = pairs.toString()
  return text ? `?${text}` : ''
}
