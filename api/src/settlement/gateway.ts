/**
 * The way to an insurance centre: a port and its HTTP adapter. What matters to us about a call is what may have happened at
 * the other end, so every answer says that: `not-sent` (surely nothing arrived), `rejected` (arrived, refused as a message,
 * no effect), `answer` (decided), `unknown` (may or may not have had its effect: ask, never send again).
 * Source: the failure table of docs/settlement.md; SMART Backend Services for the token.
 */
import type { Bundle, Claim, ClaimResponse, Parameters, PaymentReconciliation, Resource, Task } from '@medplum/fhirtypes'
import { Client } from 'fhir-kit-client'
import { type SystemOptions, tokenSource } from '../access/system-call.ts'
import { divisionOf, holdsDivision, messageIdSystem, regionOfPsnSystem } from '../fhir/claim-message.ts'
import { dayListType } from '../fhir/clearing-message.ts'
import { yuan } from '../fhir/money.ts'
import { batched } from '../storage/batched.ts'
import { overNodeHttp } from './kit-transport.ts'
import { stepAnswer, type VisitGateway } from './visit-gateway.ts'

export type GatewayAnswer =
  | { kind: 'answer'; response: ClaimResponse }
  | { kind: 'not-sent'; reason: string }
  | { kind: 'rejected'; reason: string }
  | { kind: 'unknown'; reason: string }

export type GatewayFinding =
  | { kind: 'found'; response: ClaimResponse }
  | { kind: 'not-found' }
  | { kind: 'unknown'; reason: string }

export interface SettlementGateway {
  /** The steps before a settlement. */
  visits: VisitGateway
  /** Sends a Claim once; its message id is in `Claim.identifier`. */
  submit(claim: Claim): Promise<GatewayAnswer>
  /** What did the centre answer to a message? Has no effect. */
  ask(messageId: string): Promise<GatewayFinding>
  /** Undoes a settlement; safe to repeat. A message the centre never saw is barred from being settled later. */
  reverse(messageId: string): Promise<GatewayAnswer>
  /** The text of the centre's list of a day for an institution, in pieces. @throws Error when it can't be had; a part may have come then. */
  dayList(day: string, institution: string): AsyncIterable<string>
  /** Applies for the clearing of a month; asked again, how it stands now. Null when there is no answer. */
  applyClearing(application: ClearingApplication): Promise<PaymentReconciliation | null>
  /** Files a person's treatment away from home; safe to repeat. Null when there is no answer. */
  file(filing: Task): Promise<Task | null>
}

export interface ClearingApplication {
  /** YYYY-MM */
  month: string
  institution: string
  scheme: string
  count: number
  totalFen: bigint
  fundFen: bigint
  accountFen: bigint
}

/** Connection errors that happen before a byte of the request is sent. */
const beforeSending = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

export function httpGateway(options: SystemOptions): SettlementGateway {
  const client = overNodeHttp(new Client({ baseUrl: `${options.baseUrl}/fhir` }))
  const token = tokenSource(options)

  /** Runs a call with a token; a 401 says that nothing was done, so it is repeated once with a fresh token. */
  async function call(run: (request: { signal: AbortSignal; headers: Record<string, string> }) => Promise<unknown>): Promise<Reply> {
    for (let attempt = 1; ; attempt++) {
      const granted = await token.get()
      if (typeof granted !== 'string') return { kind: 'not-sent', reason: granted.reason }
      const reply = await run({
        signal: AbortSignal.timeout(options.timeoutMs), headers: { authorization: `Bearer ${granted}` },
      }).then((resource): Reply => ({ kind: 'resource', resource }), replyOfError)
      if (reply.kind !== 'unauthorized') return reply
      token.forget()
      if (attempt === 2) return { kind: 'not-sent', reason: 'the centre does not accept our token' }
    }
  }

  /** A call that is repeated until it is answered. */
  const repeated = (run: (request: { signal: AbortSignal; headers: Record<string, string> }) => Promise<unknown>) => stepAnswer(async () => {
    const granted = await token.get()
    if (typeof granted !== 'string') throw new Error(granted.reason)
    return run({ signal: AbortSignal.timeout(options.timeoutMs), headers: { authorization: `Bearer ${granted}` } }).catch((error: unknown) => {
      if ((error as { response?: { status: number } }).response?.status === 401) token.forget()
      throw error
    })
  })
  const onVisit = (id: string, name: string, input?: unknown) => repeated((request) => client.operation({ name, resourceType: 'Encounter', id, ...(input === undefined ? {} : { input: input as never }), options: request }))

  const submitAlone = async (claim: Claim) => claimResponse(await call((request) =>
    client.operation({ name: '$submit', resourceType: 'Claim', input: claim as never, options: request })))
  const estimateJoined = batched<Claim, GatewayAnswer>({
    max: estimatesMax,
    run: async (claims) => {
      const [only] = claims
      if (only && claims.length === 1) return [await submitAlone(only)]
      const reply = await call((request) => client.batch({ body: batchOf(claims) as never, options: request }))
      // Refused as a whole: each has a right to its own answer.
      if (reply.kind === 'rejected') return Promise.all(claims.map(submitAlone))
      return batchAnswers(claims, reply)
    },
  })

  return {
    visits: {
      register: (visit) => repeated((request) => client.create({ resourceType: 'Encounter', body: visit as never, options: request })),
      upload: (visitNumber, batch) => onVisit(visitNumber, '$upload', batch),
      cancelUpload: (visitNumber, messageId) => onVisit(visitNumber, '$cancel-upload', { resourceType: 'Parameters', parameter: [{ name: 'batch', valueString: messageId }] }),
      cancel: (visitNumber) => onVisit(visitNumber, '$cancel'),
    },
    submit: async (claim) => (joins(claim) ? estimateJoined(claim) : submitAlone(claim)),
    reverse: async (messageId) => claimResponse(await call((request) =>
      client.operation({ name: '$reverse', resourceType: 'Claim', id: messageId, options: request }))),
    applyClearing: async (application) => resourceOf<PaymentReconciliation>('PaymentReconciliation', await call((request) =>
      client.operation({ name: '$apply', resourceType: 'PaymentReconciliation', input: clearingParameters(application) as never, options: request }))),
    file: async (filing) => resourceOf<Task>('Task', await call((request) => client.create({ resourceType: 'Task', body: filing as never, options: request }))),
    dayList: (day, institution) => dayListOf(options, token, day, institution),
    ask: async (messageId) => finding(await call((request) =>
      client.resourceSearch({ resourceType: 'ClaimResponse', searchParams: { 'request-identifier': `${messageIdSystem}|${messageId}` }, options: request }))),
  }
}

type Reply = { kind: 'resource'; resource: unknown } | { kind: 'unauthorized' } | Exclude<GatewayAnswer, { kind: 'answer' }>

function replyOfError(error: unknown): Reply {
  const { response, cause, name } = error as { response?: { status: number; data: unknown }; cause?: { code?: string }; name?: string }
  if (response) {
    const { status } = response
    if (status === 401) return { kind: 'unauthorized' }
    // Refused before it was read.
    if (status === 403) return { kind: 'not-sent', reason: 'the centre does not let us do this' }
    const certain = status >= 400 && status < 500 && status !== 408
    return { kind: certain ? 'rejected' : 'unknown', reason: `HTTP ${status}${outcomeText(response.data)}` }
  }
  if (cause?.code !== undefined && beforeSending.has(cause.code)) return { kind: 'not-sent', reason: cause.code }
  return { kind: 'unknown', reason: name === 'TimeoutError' ? 'no answer in time' : `connection lost${cause?.code ? ` (${cause.code})` : ''}` }
}

function outcomeText(data: unknown): string {
  const issue = (data as { issue?: { diagnostics?: unknown }[] } | null)?.issue?.[0]
  return typeof issue?.diagnostics === 'string' ? `: ${issue.diagnostics}` : ''
}

function claimResponse(reply: Reply): GatewayAnswer {
  if (reply.kind === 'unauthorized') return { kind: 'not-sent', reason: 'the centre does not accept our token' }
  if (reply.kind !== 'resource') return reply
  return isClaimResponse(reply.resource) ? { kind: 'answer', response: reply.resource } : { kind: 'unknown', reason: 'the answer is no ClaimResponse' }
}

function finding(reply: Reply): GatewayFinding {
  if (reply.kind !== 'resource') return { kind: 'unknown', reason: reply.kind === 'unauthorized' ? 'no token' : reply.reason }
  const bundle = reply.resource as { resourceType?: unknown; entry?: { resource?: unknown }[] }
  if (bundle.resourceType !== 'Bundle') return { kind: 'unknown', reason: 'the answer is no Bundle' }
  const found = bundle.entry?.[0]?.resource
  if (found === undefined) return { kind: 'not-found' }
  return isClaimResponse(found) ? { kind: 'found', response: found } : { kind: 'unknown', reason: 'the answer is no ClaimResponse' }
}

/** Pre-settlements that wait at the same moment travel in one message: they have no effect, so a lost answer leaves nothing in doubt. */
const estimatesMax = 16
const joinedLinesMax = 60

/** One that is long, or is handed on to another region, would keep the others waiting. */
function joins(claim: Claim): boolean {
  const region = regionOfPsnSystem(claim.insurance?.[0]?.coverage?.identifier?.system)
  return claim.use === 'predetermination' && (claim.item?.length ?? 0) <= joinedLinesMax
    && region !== null && holdsDivision(region, divisionOf(claim.provider?.identifier?.value ?? ''))
}

function batchOf(claims: readonly Claim[]): Bundle {
  return { resourceType: 'Bundle', type: 'batch', entry: claims.map((resource) => ({ resource, request: { method: 'POST', url: 'Claim/$submit' } })) }
}

/** Of each entry what it would have been alone. */
function batchAnswers(claims: readonly Claim[], reply: Reply): GatewayAnswer[] {
  if (reply.kind !== 'resource') return claims.map(() => claimResponse(reply))
  const bundle = reply.resource as Partial<Bundle>
  const entries = bundle.resourceType === 'Bundle' && Array.isArray(bundle.entry) ? bundle.entry : []
  return claims.map((_, index): GatewayAnswer => {
    const { response, resource } = entries[index] ?? {}
    const status = Number(response?.status?.slice(0, 3))
    if (status === 200) return claimResponse({ kind: 'resource', resource })
    return { kind: status >= 400 && status < 500 ? 'rejected' : 'unknown', reason: `HTTP ${status}${outcomeText(response?.outcome)}` }
  })
}

function resourceOf<T extends Resource>(type: T['resourceType'], reply: Reply): T | null {
  return reply.kind === 'resource' && (reply.resource as { resourceType?: unknown } | null)?.resourceType === type ? reply.resource as T : null
}

function clearingParameters({ month, institution, scheme, count, totalFen, fundFen, accountFen }: ClearingApplication): Parameters {
  const money = (name: string, fen: bigint) => ({ name, valueMoney: yuan(fen) })
  return {
    resourceType: 'Parameters', parameter: [
      { name: 'month', valueString: month }, { name: 'institution', valueString: institution }, { name: 'scheme', valueString: scheme }, { name: 'count', valueInteger: count },
      money('total', totalFen), money('fund', fundFen), money('account', accountFen),
    ],
  }
}

function isClaimResponse(resource: unknown): resource is ClaimResponse {
  return typeof resource === 'object' && resource !== null && (resource as { resourceType?: unknown }).resourceType === 'ClaimResponse'
}

/** Streams the list, so that a day of any size fits. The time limit is for each piece, not for the whole. */
async function* dayListOf(options: SystemOptions, token: ReturnType<typeof tokenSource>, day: string, institution: string): AsyncGenerator<string> {
  const granted = await token.get()
  if (typeof granted !== 'string') throw new Error(granted.reason)
  const address = `${options.baseUrl}/fhir/PaymentReconciliation/$day-list?${new URLSearchParams({ date: day, institution }).toString()}`
  const response = await fetch(address, { headers: { Authorization: `Bearer ${granted}`, Accept: dayListType } })
  if (!response.ok || !response.body) throw new Error(`The centre answered ${response.status} to the list of ${day}.`)
  yield* response.body.pipeThrough(new TextDecoderStream())
}
