/** Bills as the portal uses them: those of a person, those of a hospital, one with its split, and settling it. */
import type { Bill, BillSummary, Filing, FilingAhead } from '@pujiang/api/settlement/shapes.ts'
import { operation } from './fhir.ts'
import { query, request } from './http.ts'

export type { Bill, BillSummary } from '@pujiang/api/settlement/shapes.ts'

export function billsOf(patient: string, signal?: AbortSignal): Promise<BillSummary[]> {
  return request('GET', `/api/bills${query({ patient })}`, signal ? { signal } : {})
}

export function billsAt(organization: string, signal?: AbortSignal): Promise<BillSummary[]> {
  return request('GET', `/api/bills${query({ organization })}`, signal ? { signal } : {})
}

/** With the estimate of an open bill, asked of the insurance centre on the way; without a split and with a message when it can't say. */
export function bill(encounter: string, signal?: AbortSignal): Promise<Bill> {
  return request('GET', `/api/bills/${encounter}${query({ estimate: 1 })}`, signal ? { signal } : {})
}

/** Settles, without insurance when said so. The answer comes when the insurer has answered; the bill then says how it stands. */
export function settleBill(encounter: string, selfPay: boolean): Promise<unknown> {
  return operation('Claim/$submit', [
    { name: 'encounter', valueReference: { reference: `Encounter/${encounter}` } },
    { name: 'use', valueCode: 'claim' },
    ...(selfPay ? [{ name: 'selfPay', valueBoolean: true }] : []),
  ])
}

/** Undoes the present settlement of a bill as a whole: by its claim, or by its invoice when it was settled without insurance. */
export function reverseBill(of: { claim: string | null; invoice: string | null }): Promise<unknown> {
  return operation(of.claim === null ? `Invoice/${of.invoice}/$reverse` : `Claim/${of.claim}/$reverse`, [])
}

/** Files the treatment with the place of insurance; again, the same number. */
export function fileTreatment(encounter: string, type: Filing['type']): Promise<Filing> {
  return request('POST', `/api/bills/${encounter}/filing`, { body: { type } })
}

/** Is an appointment one away from the place of insurance, and is it filed? */
export function filingAhead(appointment: string, signal?: AbortSignal): Promise<FilingAhead> {
  return request('GET', `/api/appointments/${appointment}/filing`, signal ? { signal } : {})
}

/** Files a treatment that is still to come. */
export function fileAhead(appointment: string, type: Filing['type']): Promise<Filing> {
  return request('POST', `/api/appointments/${appointment}/filing`, { body: { type } })
}
