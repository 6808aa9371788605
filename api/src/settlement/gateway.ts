/**
 * The way to an insurance centre, as a port. What matters to us about a call is what may have happened at the other end,
 * so every answer says that: `not-sent` (surely nothing arrived), `rejected` (arrived, refused as a message, no effect),
 * `answer` (decided), `unknown` (may or may not have had its effect: ask, never send again).
 * Source: the failure table of docs/settlement.md.
 */
import type { Claim, ClaimResponse } from '@medplum/fhirtypes'

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
  /** Sends a Claim once; its message id is in `Claim.identifier`. */
  submit(claim: Claim): Promise<GatewayAnswer>
  /** What did the centre answer to a message? Has no effect. */
  ask(messageId: string): Promise<GatewayFinding>
  /** Undoes a settlement; safe to repeat. A message the centre never saw is barred from being settled later. */
  reverse(messageId: string): Promise<GatewayAnswer>
}
