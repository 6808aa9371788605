/** Booking as the portal uses it: what is open, hold, confirm, let go, cancel, and one's own appointments. */
import type { Appointment, Parameters } from '@medplum/fhirtypes'
import type { DepartmentSummary, HospitalAvailability, SessionOffer } from '@pujiang/api/booking/shapes.ts'
import { operation, type Page, read, search } from './fhir.ts'
import { query, request } from './http.ts'
import { offersOf } from './offers.ts'

export type { DepartmentSummary, HospitalAvailability, Named } from '@pujiang/api/booking/shapes.ts'

export function departments(signal?: AbortSignal): Promise<DepartmentSummary[]> {
  return request('GET', '/api/departments', signal ? { signal } : {})
}

export function availability(department: string, signal?: AbortSignal): Promise<HospitalAvailability[]> {
  return request('GET', `/api/availability${query({ department })}`, signal ? { signal } : {})
}

export interface SessionQuery { specialty?: string; doctor?: string; organization?: string | null; practitioner?: string | null; channel?: string; start: string; end: string }

/** All sessions that answer the question; the server's pages are followed up to a bound. */
export async function findSessions(asked: SessionQuery, signal?: AbortSignal): Promise<SessionOffer[]> {
  const reference = (type: string, id: string | null | undefined) => (id ? `${type}/${id}` : null)
  const offers: SessionOffer[] = []
  let page: string | null = null
  for (let count = 0; count < 6; count += 1) {
    const answer: Parameters = await request<Parameters>('GET', `/fhir/Appointment/$find${query({
      specialty: asked.specialty, doctor: asked.doctor, organization: reference('Organization', asked.organization),
      practitioner: reference('Practitioner', asked.practitioner), channel: asked.channel, start: asked.start, end: asked.end, _count: 100, _page: page,
    })}`, signal ? { signal } : {})
    offers.push(...offersOf(answer))
    page = answer.parameter?.find((each) => each.name === 'next')?.valueString ?? null
    if (!page) break
  }
  return offers
}

export function hold(slot: string, patient: string): Promise<Appointment> {
  return operation('Appointment/$hold', [
    { name: 'slot', valueReference: { reference: `Slot/${slot}` } },
    { name: 'patient', valueReference: { reference: `Patient/${patient}` } },
  ])
}

/** The key is made of the appointment, so that a second click or a retry after a lost answer books once. */
export function book(appointment: string): Promise<Appointment> {
  return operation(
    'Appointment/$book',
    [{ name: 'appointment', valueReference: { reference: `Appointment/${appointment}` } }],
    { headers: { 'Idempotency-Key': `book-${appointment}` } },
  )
}

export function release(appointment: string): Promise<unknown> {
  return operation(`Appointment/${appointment}/$release`, [])
}

export function cancel(appointment: string, reason: string): Promise<Appointment> {
  return operation(`Appointment/${appointment}/$cancel`, reason ? [{ name: 'comment', valueString: reason }] : [])
}

export function appointment(id: string, signal?: AbortSignal): Promise<Appointment> {
  return read<Appointment>('Appointment', id, signal)
}

export function appointmentsOf(patient: string, signal?: AbortSignal): Promise<Page<Appointment>> {
  return search<Appointment>('Appointment', { patient: `Patient/${patient}`, _sort: '-date', _count: 100 }, signal)
}

/** Another time for a booking: the new Appointment, or nothing changed. */
export function reschedule(appointment: string, slot: string): Promise<Appointment> {
  return operation(`Appointment/${appointment}/$reschedule`, [{ name: 'slot', valueReference: { reference: `Slot/${slot}` } }], { headers: { 'Idempotency-Key': `move-${appointment}-${slot}` } })
}

/** Takes a place that was kept as a choice, or agrees to a substitute doctor. */
export function accept(appointment: string): Promise<Appointment> {
  return operation(`Appointment/${appointment}/$accept`, [])
}
