/**
 * The centre of another region, as this one sees it. What matters about a call is what may have happened at the other end, so the
 * answers are those of the platform's gateway (settlement/gateway.ts), whose HTTP client the process hands in.
 */
import type { Claim, ClaimResponse, CoverageEligibilityRequest, CoverageEligibilityResponse, Parameters, PaymentReconciliation, Task } from '@medplum/fhirtypes'
import { fail, OutcomeError } from '../fhir/outcome.ts'

export type PeerAnswer =
  | { kind: 'answer'; response: ClaimResponse }
  | { kind: 'not-sent' | 'rejected' | 'unknown'; reason: string }

export type PeerFinding = { kind: 'found'; response: ClaimResponse } | { kind: 'not-found' } | { kind: 'unknown'; reason: string }

export interface PeerCentre {
  submit(claim: Claim): Promise<PeerAnswer>
  ask(messageId: string): Promise<PeerFinding>
  reverse(messageId: string): Promise<PeerAnswer>
  /** Calls that may be repeated at will; they throw when there is no answer. */
  checkCoverage(request: CoverageEligibilityRequest): Promise<CoverageEligibilityResponse>
  file(task: Task): Promise<Task>
  confirmMonth(parameters: Parameters): Promise<PaymentReconciliation>
}

/** By region, six digits. */
export type Peers = ReadonlyMap<string, PeerCentre>

/** Runs a repeatable call of another centre. @throws OutcomeError `insurer-unreachable` when there is no answer. */
export async function handOn<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    const { issues } = fail('insurer-unreachable', { zh: '暂时连不上参保地医保中心，请稍后再试。', en: 'The centre of the insured place can not be reached. Please try again later.' })
    throw new OutcomeError(issues, { headers: { 'Retry-After': '30' }, cause })
  }
}
