/**
 * The steps before a settlement on their way to a centre. Each message has one answer there, so what is not answered is sent again
 * unchanged: an answer is `done`, a refusal of what the message says `rejected`, all else `unknown`, to be repeated.
 */
import type { Bundle, ChargeItem, Encounter } from '@medplum/fhirtypes'
import { visitNumberOf } from '../fhir/visit-message.ts'

export type StepAnswer = { kind: 'done'; visitNumber: string | null } | { kind: 'rejected' | 'unknown'; reason: string }

export interface VisitGateway {
  register(visit: Encounter): Promise<StepAnswer>
  upload(visitNumber: string, batch: Bundle<ChargeItem>): Promise<StepAnswer>
  /** Takes a batch back, also one that never came. */
  cancelUpload(visitNumber: string, messageId: string): Promise<StepAnswer>
  cancel(visitNumber: string): Promise<StepAnswer>
}

/** Statuses that say what is wrong with the message itself; others may pass the next time. */
const refusing = new Set([404, 409, 413, 422])

/** Makes a call whose failure carries the reply's status into a StepAnswer. */
export async function stepAnswer(run: () => Promise<unknown>): Promise<StepAnswer> {
  try {
    const resource = await run() as { resourceType?: string } | null
    if (resource?.resourceType === 'Encounter') return { kind: 'done', visitNumber: visitNumberOf(resource as Encounter) }
    return resource?.resourceType === 'ClaimResponse' ? { kind: 'done', visitNumber: null } : { kind: 'unknown', reason: 'the answer can not be read' }
  } catch (error) {
    const { response, message } = error as { response?: { status: number; data?: { issue?: { details?: { text?: string } }[] } }; message?: string }
    if (!response) return { kind: 'unknown', reason: message ?? 'no answer' }
    return { kind: refusing.has(response.status) ? 'rejected' : 'unknown', reason: response.data?.issue?.[0]?.details?.text ?? `HTTP ${response.status}` }
  }
}
