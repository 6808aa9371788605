/** The waitlist and missed visits as the portal uses them. */
import type { Appointment } from '@medplum/fhirtypes'
import type { StandingView, WaitView } from '@pujiang/api/booking/shapes.ts'
import { operation } from './fhir.ts'
import { query, request } from './http.ts'

export type { WaitView } from '@pujiang/api/booking/shapes.ts'

export function waitsOf(patient: string, signal?: AbortSignal): Promise<WaitView[]> {
  return request('GET', `/api/booking/waits${query({ patient })}`, signal ? { signal } : {})
}

export function standingOf(patient: string, signal?: AbortSignal): Promise<StandingView> {
  return request('GET', `/api/booking/standing${query({ patient })}`, signal ? { signal } : {})
}

export interface WaitWish { patient: string; organization: string; department: string; from: string; until: string; half: string; autoAccept: boolean }

export function joinWaitlist(wish: WaitWish): Promise<Appointment> {
  return operation('Appointment/$join-waitlist', [
    { name: 'patient', valueReference: { reference: `Patient/${wish.patient}` } },
    { name: 'organization', valueReference: { reference: `Organization/${wish.organization}` } },
    { name: 'department', valueCode: wish.department },
    { name: 'from', valueDate: wish.from },
    { name: 'until', valueDate: wish.until },
    ...(wish.half ? [{ name: 'half', valueCode: wish.half }] : []),
    { name: 'autoAccept', valueBoolean: wish.autoAccept },
  ])
}

export function answerOffer(appointment: string, patient: string, accept: boolean): Promise<unknown> {
  return request('POST', '/fhir/AppointmentResponse', {
    body: {
      resourceType: 'AppointmentResponse', appointment: { reference: `Appointment/${appointment}` }, actor: { reference: `Patient/${patient}` },
      participantStatus: accept ? 'accepted' : 'declined',
    },
  })
}

export function appeal(appointment: string, reason: string): Promise<Appointment> {
  return operation(`Appointment/${appointment}/$appeal`, [{ name: 'reason', valueString: reason }])
}
