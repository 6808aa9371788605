/** Bills as the portal uses them. Settling answers when the insurer has answered; the bill then says how it stands. */
import type { Bill, BillSummary } from '@pujiang/api/settlement/shapes.ts'
import { operation } from './fhir.ts'
import { query, request } from './http.ts'

export type { Bill, BillLine, BillSplit, BillState, BillSummary } from '@pujiang/api/settlement/shapes.ts'

export function billsOf(patient: string, signal?: AbortSignal): Promise<BillSummary[]> {
  return request('GET', `/api/bills${query({ patient })}`, signal ? { signal } : {})
}

export function billsAt(organization: string, signal?: AbortSignal): Promise<BillSummary[]> {
  return request('GET', `/api/bills${query({ organization })}`, signal ? { signal } : {})
}

export function bill(encounter: string, signal?: AbortSignal): Promise<Bill> {
  return request('GET', `/api/bills/${encounter}`, signal ? { signal } : {})
}

/** `predetermination` asks what would be paid and pays nothing; `claim` settles. */
export function submitClaim(encounter: string, use: 'predetermination' | 'claim'): Promise<unknown> {
  return operation('Claim/$submit', [
    { name: 'encounter', valueReference: { reference: `Encounter/${encounter}` } },
    { name: 'use', valueCode: use },
  ])
}
