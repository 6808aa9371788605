/** The cashier's desk as the portal uses it: work, money taken and given back, days, differences, months. */
import type { BillPayment, DeskDay, DeskWork, DifferenceShape, Month, TillChannel, TillCount } from '@pujiang/api/settlement/shapes.ts'
import { operation } from './fhir.ts'
import { request } from './http.ts'

export type { DeskBill, DeskDay, DeskWork, DifferenceShape, Month, TillChannel, TillCount } from '@pujiang/api/settlement/shapes.ts'

export interface PaymentOrder { kind: BillPayment['kind']; channel: TillChannel | 'deposit'; amountFen: number; reference: string | null }

export function deskWork(organization: string, signal?: AbortSignal): Promise<DeskWork> {
  return request('GET', `/api/desk/${organization}/work`, signal ? { signal } : {})
}

/** @param key the same for the same press of the button, so that a lost answer is not paid twice. */
export function takePayment(encounter: string, order: PaymentOrder, key: string): Promise<unknown> {
  return request('POST', `/api/bills/${encounter}/payments`, { body: order, headers: { 'idempotency-key': key } })
}

/** Registers the visit at the insurance centre and uploads its details; again, what is missing. */
export function uploadDetails(encounter: string): Promise<unknown> {
  return request('POST', `/api/bills/${encounter}/details`)
}

/** Takes details and registration back at the centre. */
export function takeBackDetails(encounter: string): Promise<unknown> {
  return request('POST', `/api/bills/${encounter}/details/take-back`)
}

export function deskDay(organization: string, day: string, signal?: AbortSignal): Promise<DeskDay> {
  return request('GET', `/api/desk/${organization}/days/${day}`, signal ? { signal } : {})
}

export function closeDay(organization: string, day: string, counted: TillCount): Promise<DeskDay> {
  return request('POST', `/api/desk/${organization}/days/${day}/close`, { body: counted })
}

export function compareDay(organization: string, day: string): Promise<unknown> {
  return operation('PaymentReconciliation/$reconcile', [{ name: 'date', valueDate: day }, { name: 'organization', valueReference: { reference: `Organization/${organization}` } }])
}

export function actOnDifference(organization: string, id: string, act: { action: 'take' } | { action: 'sign-off' | 'post'; reason: string }): Promise<DifferenceShape> {
  return request('POST', `/api/desk/${organization}/differences/${id}`, { body: act })
}

export function deskMonth(organization: string, month: string, signal?: AbortSignal): Promise<Month> {
  return request('GET', `/api/desk/${organization}/months/${month}`, signal ? { signal } : {})
}

export function closeMonth(organization: string, month: string): Promise<Month> {
  return request('POST', `/api/desk/${organization}/months/${month}/close`)
}

