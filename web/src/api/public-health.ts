/** Public health: the monthly report of notifiable diseases, in which small numbers are hidden, and its cases. */
import type { NotifiableCase, NotifiableReport } from '@pujiang/api/records/public-health/shapes.ts'
import { query, request } from './http.ts'

/** @param month `YYYY-MM`. */
export function notifiableReport(month: string, signal?: AbortSignal): Promise<NotifiableReport> {
  return request('GET', `/api/public-health/report${query({ month })}`, signal ? { signal } : {})
}

export function notifiableCases(month: string, signal?: AbortSignal): Promise<NotifiableCase[]> {
  return request('GET', `/api/public-health/cases${query({ month })}`, signal ? { signal } : {})
}
