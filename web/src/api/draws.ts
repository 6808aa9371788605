/** Draws of scarce places as the portal uses them. */
import type { Appointment } from '@medplum/fhirtypes'
import type { DrawSummary, DrawTicketView, DrawView } from '@pujiang/api/booking/shapes.ts'
import { operation } from './fhir.ts'
import { query, request } from './http.ts'

export type { DrawSummary, DrawTicketView, DrawView } from '@pujiang/api/booking/shapes.ts'

export function listDraws(signal?: AbortSignal): Promise<DrawSummary[]> {
  return request('GET', '/api/booking/draws', signal ? { signal } : {})
}

export function drawOf(schedule: string, signal?: AbortSignal): Promise<DrawView> {
  return request('GET', `/api/booking/draws/${schedule}`, signal ? { signal } : {})
}

export function ticketsOf(patient: string, signal?: AbortSignal): Promise<DrawTicketView[]> {
  return request('GET', `/api/booking/draw-tickets${query({ patient })}`, signal ? { signal } : {})
}

/** @param slots of the segments that suit, the dearest first; none: any. */
export function enterDraw(schedule: string, patient: string, slots: readonly string[]): Promise<Appointment> {
  return operation('Appointment/$enter-draw', [
    { name: 'schedule', valueReference: { reference: `Schedule/${schedule}` } }, { name: 'patient', valueReference: { reference: `Patient/${patient}` } },
    ...slots.map((slot) => ({ name: 'slot', valueReference: { reference: `Slot/${slot}` } })),
  ])
}
