/** The queue of a clinic: a patient's own place, and calling for the doctor. */
import type { QueueList, QueuePlace } from '@pujiang/api/booking/shapes.ts'
import { query, request } from './http.ts'

export function placeInQueue(appointment: string, signal?: AbortSignal): Promise<QueuePlace | null> {
  return request('GET', `/api/booking/queue-place${query({ appointment })}`, signal ? { signal } : {})
}

export function queueOf(schedule: string, signal?: AbortSignal): Promise<QueueList> {
  return request('GET', `/api/booking/queue/${schedule}`, signal ? { signal } : {})
}

/** @returns FHIR id of the Appointment that was called; null when nobody waits. */
export async function callNext(schedule: string): Promise<string | null> {
  return (await request<{ called: string | null }>('POST', `/api/booking/queue/${schedule}/call`)).called
}

export function skipCalled(schedule: string, appointment: string): Promise<QueueList> {
  return request('POST', `/api/booking/queue/${schedule}/skip`, { body: { appointment } })
}
