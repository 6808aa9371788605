/** The booking desk as schedulers and administrators use it: numbers with their history, the roster, suspending; and everybody's inbox. */
import type { Schedule } from '@medplum/fhirtypes'
import type { CalendarSheet, ParameterEffects, ParameterSheet, Roster } from '@pujiang/api/booking/shapes.ts'
import type { Notice } from '@pujiang/api/notices/shapes.ts'
import { operation } from './fhir.ts'
import { query, request } from './http.ts'

export type { CalendarSheet, ParameterSheet, Roster, RosterSession } from '@pujiang/api/booking/shapes.ts'
export type { Notice } from '@pujiang/api/notices/shapes.ts'

export function parameterSheet(scope: string, id: string, signal?: AbortSignal): Promise<ParameterSheet> {
  return request('GET', `/api/booking/parameters${query({ scope, id })}`, signal ? { signal } : {})
}

/** `from` null: at once. */
export function parameterEffects(key: { scope: string; id: string }, name: string, from: string | null, signal?: AbortSignal): Promise<ParameterEffects> {
  return request('GET', `/api/booking/parameters/effects${query({ ...key, name, from })}`, signal ? { signal } : {})
}

/** `value` null gives the number back to the wider scope; `from` null: at once. */
export function setParameter(wish: { scope: string; id: string; name: string; value: number | null; from: string | null }): Promise<ParameterSheet> {
  return request('POST', '/api/booking/parameters', { body: wish })
}

export function calendar(signal?: AbortSignal): Promise<CalendarSheet> {
  return request('GET', '/api/booking/calendar', signal ? { signal } : {})
}

export function roster(from: string, days: number, signal?: AbortSignal): Promise<Roster> {
  return request('GET', `/api/booking/roster${query({ from, days })}`, signal ? { signal } : {})
}

export function suspend(schedule: string, reason: string): Promise<Schedule> {
  return operation(`Schedule/${schedule}/$suspend`, reason ? [{ name: 'reason', valueString: reason }] : [])
}

export function substitute(schedule: string, practitioner: string, reason: string): Promise<Schedule> {
  return operation(`Schedule/${schedule}/$substitute`, [
    { name: 'practitioner', valueReference: { reference: `Practitioner/${practitioner}` } }, ...(reason ? [{ name: 'reason', valueString: reason }] : []),
  ])
}

export function notices(patient: string | null, signal?: AbortSignal): Promise<Notice[]> {
  return request('GET', `/api/notices${query({ patient })}`, signal ? { signal } : {})
}

export function markNoticesRead(patient: string | null): Promise<{ read: number }> {
  return request('POST', `/api/notices/read${query({ patient })}`)
}
