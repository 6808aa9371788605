/** Check-in at the machine or the desk, and the numbers of a waiting hall. */
import type { Arrival, HallScreen } from '@pujiang/api/booking/shapes.ts'
import { query, request } from './http.ts'

export type { Arrival, HallScreen } from '@pujiang/api/booking/shapes.ts'

export function arrive(wish: { code: string | null; name: string; document: string }): Promise<Arrival> {
  return request('POST', '/api/booking/arrivals', { body: wish })
}

export function hallOf(organization: string, department: string | null, signal?: AbortSignal): Promise<HallScreen> {
  return request('GET', `/api/booking/hall${query({ organization, department })}`, signal ? { signal } : {})
}
