/** A citizen's choices (Consent), what a doctor would see, emergency access and its review, and the audit administrator's view of the log. */
import type { AuditEvent, Consent, Parameters, ParametersParameter } from '@medplum/fhirtypes'
import type { AuditReview, BreakGlassUse, EmergencyReason } from '@pujiang/api/access/shapes.ts'
import { type Page, search, searchAll } from './fhir.ts'
import { query, request } from './http.ts'

export type { AuditAnomaly, AuditReview, BreakGlassUse, EmergencyReason } from '@pujiang/api/access/shapes.ts'

export async function choicesOf(patient: string, signal?: AbortSignal): Promise<Consent[]> {
  return (await searchAll<Consent>('Consent', { patient: `Patient/${patient}`, status: 'active', _count: 100 }, 3, signal)).matches
}

export function makeChoice(consent: Consent): Promise<Consent> {
  return request<Consent>('POST', '/fhir/Consent', { body: consent })
}

/** Ends a choice at once; it stays readable as inactive. */
export function undoChoice(consent: Consent): Promise<Consent> {
  return request<Consent>('PUT', `/fhir/Consent/${consent.id}`, { body: { ...consent, status: 'inactive' }, headers: { 'if-match': `W/"${consent.meta?.versionId}"` } })
}

export interface Preview { related: boolean; barred: boolean; types: { type: string; shown: number; hidden: { rule: string; count: number }[] }[] }

export async function previewOf(patient: string, practitioner: string, organization: string | null, signal?: AbortSignal): Promise<Preview> {
  const answer = await request<Parameters>('GET', `/fhir/Patient/${patient}/$preview-access${query({ practitioner, organization })}`, signal ? { signal } : {})
  const flag = (name: string) => answer.parameter?.find((each) => each.name === name)?.valueBoolean ?? false
  return { related: flag('related'), barred: flag('barred'), types: (answer.parameter ?? []).filter((each) => each.name === 'type').map(({ part }) => typeOf(part ?? [])) }
}

function typeOf(parts: ParametersParameter[]): Preview['types'][number] {
  const named = (list: ParametersParameter[], name: string) => list.find((each) => each.name === name)
  return {
    type: named(parts, 'name')?.valueCode ?? '', shown: named(parts, 'shown')?.valueInteger ?? 0,
    hidden: parts.filter((each) => each.name === 'hidden').map(({ part }) => ({ rule: named(part ?? [], 'rule')?.valueCode ?? '', count: named(part ?? [], 'count')?.valueInteger ?? 0 })),
  }
}

/** A citizen gives the patient; professionals and the audit administrator get their own list. */
export function emergencies(patient: string | null, signal?: AbortSignal): Promise<BreakGlassUse[]> {
  return request('GET', `/api/emergency-access${query({ patient })}`, signal ? { signal } : {})
}

export function openEmergency(asked: { patient: string; reason: EmergencyReason; explanation: string }): Promise<BreakGlassUse> {
  return request('POST', '/api/emergency-access', { body: asked })
}

export function reviewEmergency(id: string, review: { verdict: 'justified' | 'unjustified'; note: string }): Promise<BreakGlassUse> {
  return request('POST', `/api/emergency-access/${id}/review`, { body: review })
}

export function auditReview(day: string | null, signal?: AbortSignal): Promise<AuditReview> {
  return request('GET', `/api/audit/review${query({ day })}`, signal ? { signal } : {})
}

export interface LogSearch { name: string; patient: string; from: string; until: string; action: string; outcome: string }

/** Newest first. */
export function searchLog({ name, patient, from, until, action, outcome }: LogSearch, next: string | null, signal?: AbortSignal): Promise<Page<AuditEvent>> {
  const dates = [from ? `ge${from}` : '', until ? `le${until}` : ''].filter(Boolean)
  const values = { 'agent-name': name, 'patient': patient ? `Patient/${patient}` : '', 'date': dates, action, outcome, '_count': 50, '_page': next ?? '' }
  return search<AuditEvent>('AuditEvent', Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '' && (!Array.isArray(value) || value.length > 0))), signal)
}
