/** Reminders as the portal uses them: how a person wants to be told, and what the demonstration's telephone received. */
import type { ContactPreference, DemoMessage, MessageCount } from '@pujiang/api/notices/shapes.ts'
import { query, request } from './http.ts'

export type { ChannelName, ContactPreference, DemoMessage, MessageCount } from '@pujiang/api/notices/shapes.ts'

export function messagesOf(patient: string, signal?: AbortSignal): Promise<DemoMessage[]> {
  return request('GET', `/api/messages${query({ patient })}`, signal ? { signal } : {})
}

export function markMessageRead(patient: string, id: string): Promise<DemoMessage[]> {
  return request('POST', `/api/messages/${id}/read${query({ patient })}`)
}

export function preferenceOf(patient: string, signal?: AbortSignal): Promise<ContactPreference> {
  return request('GET', `/api/messages/preference${query({ patient })}`, signal ? { signal } : {})
}

export function setPreference(patient: string, wish: ContactPreference): Promise<ContactPreference> {
  return request('PUT', `/api/messages/preference${query({ patient })}`, { body: wish })
}

export function messageCounts(signal?: AbortSignal): Promise<MessageCount[]> {
  return request('GET', '/api/messages/counts', signal ? { signal } : {})
}
