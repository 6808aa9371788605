/**
 * The only renderer of errors. An OutcomeError becomes an OperationOutcome under /fhir and problem details (RFC 9457) under
 * /api, with the same codes; a database that is away becomes one that says whether anything was changed, as far as that is certain; anything else is our
 * fault: a 500 with a constant sentence and the request id, the cause in the log. A refusal gets its audit row here, because the transaction that refused has rolled back.
 */
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { type AuditEntry, recordEvents } from '../audit/record-event.ts'
import { fail, type Issue, issue, operationOutcome, OutcomeError } from '../fhir/outcome.ts'
import type { Logger } from '../log.ts'
import type { Services } from '../services.ts'
import { hasSentNothing } from '../storage/changes-sent.ts'
import { DatabaseAway, outcomeOf, outcomeOfAway } from '../storage/sqlstate.ts'
import { type AppEnv, languageOf } from './auth.ts'

/** Of a 503 that does not say it itself. */
export const retryAfterSeconds = '2'

export function renderErrors(services: Services): (error: Error, c: Context<AppEnv>) => Promise<Response> {
  return async (error, c) => {
    const outcome = asOutcome(error, isUnchanged(c.req.method, c.get('changesBefore')))
    const ctx = c.get('ctx')
    if (ctx && outcome && isRefusal(outcome)) {
      await recordEvents(services.db, ctx, refusals(outcome, c.req.path))
        .catch((failure: Error) => { services.log.error({ requestId: c.get('requestId'), error: failure.message }, 'audit row of a refusal failed') })
    }
    return errorReply(services.log, error, c)
  }
}

/** That somebody asked for what is closed to them, though they are told only that it is not there, is a refusal too. */
export function isRefusal({ status, patients }: OutcomeError): boolean {
  return status === 401 || status === 403 || patients.length > 0
}

/** One row for each patient whose record stayed closed; one in all where none is concerned. */
export function refusals(outcome: OutcomeError, path: string): AuditEntry[] {
  const [, type = null, id = null] = /^(?:\/fhir)?\/?([A-Z][A-Za-z]+)(?:\/([A-Za-z0-9\-.]{1,64}))?/.exec(path) ?? []
  const pids = outcome.patients.length > 0 ? [...new Set(outcome.patients)] : [null]
  return pids.map((pid) => ({ action: 'E', interaction: 'refused', resourceType: type, resourceId: id, pid, detail: outcome.issues[0]?.code ?? null, outcome: outcome.status }))
}

/** The reply alone, for a process without an audit trail of its own. */
export function errorReply(log: Logger, error: Error, c: Context<AppEnv>): Response {
  const outcome = asOutcome(error, isUnchanged(c.req.method, c.get('changesBefore')))
  const requestId = c.get('requestId')
  logFailure(log, error, { requestId, method: c.req.method }, 'request failed')
  const status = outcome?.status ?? 500
  const issues = outcome?.issues ?? [internalFault(requestId)]
  const headers: Record<string, string> = { ...outcome?.headers, 'Cache-Control': 'no-store' }
  if (status === 401) headers['WWW-Authenticate'] = `Bearer realm="Pujiang Health"${issues[0]?.code === 'token-invalid' || issues[0]?.code === 'token-expired' ? ', error="invalid_token"' : ''}`
  if (status === 403) headers['WWW-Authenticate'] = 'Bearer realm="Pujiang Health", error="insufficient_scope"'
  if (status === 503 && !headers['Retry-After']) headers['Retry-After'] = retryAfterSeconds
  return c.req.path.startsWith('/fhir') ? fhirReply(c, status, issues, headers) : problemReply(c, status, issues, headers)
}

/** @returns what a caller is told; null where it is a fault of ours. */
export function asOutcome(error: unknown, unchanged: boolean): OutcomeError | null {
  if (error instanceof OutcomeError) return error
  if (error instanceof DatabaseAway) return outcomeOfAway(unchanged)
  if (error instanceof HTTPException && error.status === 413) {
    return fail('body-too-large', { zh: '提交的内容太大。', en: 'The request body is too large.' })
  }
  // A statement outside a transaction, such as a search that took too long.
  return outcomeOf(error)
}

/** Whether work that failed has surely changed nothing. @param before `changesSent` when it began; absent where nobody took it. */
export function isUnchanged(method: string, before: number | undefined): boolean {
  return method === 'GET' || method === 'HEAD' || (before !== undefined && hasSentNothing(before))
}

/** Logs what is no answer of ours: a fault as an error with its stack, that the database is away as a warning. */
export function logFailure(log: Logger, error: unknown, about: { requestId?: string; method?: string }, message: string): void {
  if (error instanceof DatabaseAway) log.warn({ ...about, code: error.code }, 'the database is away')
  else if (!(error instanceof OutcomeError) && outcomeOf(error)) log.warn({ ...about, code: (error as { code?: string }).code }, 'the database refused')
  else if (!asOutcome(error, false)) log.error({ ...about, error: error instanceof Error ? { name: error.name, message: error.message, stack: error.stack } : String(error) }, message)
}

function internalFault(requestId: string): Issue {
  return issue('internal', {
    zh: `系统出错，请稍后再试。若仍有问题，请告知编号 ${requestId}。`,
    en: `Something went wrong on our side. Please try again; if it happens again, quote ${requestId}.`,
  }, null, 'fatal')
}

function fhirReply(c: Context, status: number, issues: readonly Issue[], headers: Record<string, string>): Response {
  return new Response(JSON.stringify(operationOutcome(issues, languageOf(c))), { status, headers: { ...headers, 'Content-Type': 'application/fhir+json; charset=utf-8' } })
}

/** RFC 9457; `code` is our stable code, `issues` lists all faults with their field. */
function problemReply(c: Context, status: number, issues: readonly Issue[], headers: Record<string, string>): Response {
  const language = languageOf(c)
  const first = issues[0]
  const problem = {
    type: `https://pujiang.health/problems/${first?.code}`, title: first?.text[language], status, code: first?.code,
    issues: issues.map((each) => ({ code: each.code, text: each.text[language], field: each.expression })),
  }
  return new Response(JSON.stringify(problem), { status, headers: { ...headers, 'Content-Type': 'application/problem+json; charset=utf-8' } })
}
