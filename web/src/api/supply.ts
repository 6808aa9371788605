/** Supply as schedulers keep it: weekly patterns, rooms, the calendar, releases; each change with what it would do. */
import type { PatternView, ReleaseRow, SupplyEffects, SupplyPreview, SupplySheet } from '@pujiang/api/booking/shapes.ts'
import { query, request } from './http.ts'

export type { PatternView, ReleaseRow, SupplyEffects, SupplyPreview, SupplySheet } from '@pujiang/api/booking/shapes.ts'

/** `pattern` null: a new one, of `practitioner`, `service` and `clinicType`; `times` null: it ends. */
export interface PatternWish { pattern: string | null; from: string; times: PatternView['times'] | null; practitioner: string | null; service: string | null; clinicType: string | null }
export interface DayWish { asWeekday: number | null; name: { zh: string; en: string } }

export function supply(department: string | null, signal?: AbortSignal): Promise<SupplySheet> {
  return request('GET', `/api/booking/supply${query({ department })}`, signal ? { signal } : {})
}

export function releases(signal?: AbortSignal): Promise<ReleaseRow[]> {
  return request('GET', '/api/booking/releases', signal ? { signal } : {})
}

export function previewPattern(wish: PatternWish): Promise<SupplyPreview> {
  return request('POST', '/api/booking/patterns/preview', { body: wish })
}

export function changePattern(wish: PatternWish): Promise<SupplyEffects> {
  return request('POST', '/api/booking/patterns', { body: wish })
}

export function addRoom(name: { zh: string; en: string }): Promise<SupplySheet> {
  return request('POST', '/api/booking/rooms', { body: { name } })
}

export function closeRoom(room: string, from: string): Promise<SupplySheet> {
  return request('POST', '/api/booking/rooms/close', { body: { room, from } })
}

export function addService(wish: { department: string; clinicType: string }): Promise<SupplySheet> {
  return request('POST', '/api/booking/services', { body: wish })
}

export function closeService(wish: { service: string; clinicType: string; from: string }): Promise<SupplySheet> {
  return request('POST', '/api/booking/services/close', { body: wish })
}

/** `practitioner` null: somebody new, of that name. */
export function addDoctor(wish: { department: string; title: string; practitioner: string | null; name: { zh: string; en: string } | null }): Promise<SupplySheet> {
  return request('POST', '/api/booking/doctors', { body: wish })
}

export function doctorLeaves(wish: { practitioner: string; department: string; from: string }): Promise<SupplySheet> {
  return request('POST', '/api/booking/doctors/leave', { body: wish })
}

export function previewDay(day: string, wish: DayWish): Promise<SupplyEffects> {
  return request('POST', `/api/booking/calendar/${day}/effects`, { body: wish })
}

export function setDay(day: string, wish: DayWish): Promise<{ suspended: number }> {
  return request('POST', `/api/booking/calendar/${day}`, { body: wish })
}
