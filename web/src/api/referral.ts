/** Referrals as the portal uses them: lists by what one is to them, making one, its steps, and booking with it. */
import type { Appointment, Bundle, EpisodeOfCare, Parameters, ParametersParameter, Patient, ServiceRequest, Task } from '@medplum/fhirtypes'
import type { ReferralPaper, ReferralView } from '@pujiang/api/booking/referral/shapes.ts'
import { idOf, operation, read, searchAll } from './fhir.ts'
import { query, request } from './http.ts'

export type { ReferralPaper, ReferralView } from '@pujiang/api/booking/referral/shapes.ts'
export type ReferralRole = 'gp' | 'department' | 'office' | 'patient'

export function referralsAs(as: ReferralRole, patient: string | null, signal?: AbortSignal): Promise<ReferralView[]> {
  return request('GET', `/api/booking/referrals${query({ as, patient })}`, signal ? { signal } : {})
}

export interface ReferralWords { reason: string; notes: { at: string; by: string; text: string }[]; answer: string | null }

/** What was said; null for whoever may not read it. */
export async function wordsOf(referral: Pick<ReferralView, 'id' | 'task'>, signal?: AbortSignal): Promise<ReferralWords> {
  const [asked, task] = await Promise.all([read<ServiceRequest>('ServiceRequest', referral.id, signal), read<Task>('Task', referral.task, signal)])
  return {
    reason: asked.reasonCode?.[0]?.text ?? '', answer: task.output?.find((each) => each.type.text === 'answer')?.valueString ?? null,
    notes: (task.note ?? []).map((each) => ({ at: each.time ?? '', by: each.authorString ?? '', text: each.text ?? '' })),
  }
}

/** Residents under contract with the GP. */
export async function contracted(practitioner: string, signal?: AbortSignal): Promise<Patient[]> {
  const page = await searchAll<EpisodeOfCare>('EpisodeOfCare', { 'care-manager': `Practitioner/${practitioner}`, status: 'active', _include: 'EpisodeOfCare:patient', _count: 100 }, 5, signal)
  return page.included.filter((each): each is Patient & NonNullable<Bundle['entry']>[number]['resource'] => each.resourceType === 'Patient')
}

export interface Target { organization: string; department: string; practitioner: string | null }
export interface Paper { id: string; code: string; pin: string | null }

export async function refer(wish: Target & { patient: string; priority: 'routine' | 'urgent'; reason: string; key: string }): Promise<Paper> {
  return paperIn(await operation('ServiceRequest/$refer', [
    at('patient', 'Patient', wish.patient), ...targetParameters(wish), { name: 'priority', valueCode: wish.priority }, { name: 'reason', valueString: wish.reason },
  ], { headers: { 'Idempotency-Key': wish.key } }))
}

export async function newPin(id: string): Promise<Paper> {
  return paperIn(await operation(`ServiceRequest/${id}/$new-pin`, []))
}

export function takeStep(id: string, step: string, words: string, target: Target | null): Promise<Task> {
  return operation(`ServiceRequest/${id}/$referral-step`, [
    { name: 'step', valueCode: step }, ...(words.trim() ? [{ name: 'words', valueString: words.trim() }] : []), ...(target ? targetParameters(target) : []),
  ])
}

export function openPaper(code: string, pin: string): Promise<ReferralPaper> {
  return request('POST', '/api/booking/referral-paper', { body: { code, pin } })
}

export type BookedWith = { referral: string; patient: string } | { code: string; pin: string }

export function bookWith(slot: string, by: BookedWith): Promise<Appointment> {
  return operation('Appointment/$book', [at('slot', 'Slot', slot), ...('referral' in by
    ? [at('patient', 'Patient', by.patient), at('referral', 'ServiceRequest', by.referral)]
    : [{ name: 'code', valueString: by.code }, { name: 'pin', valueString: by.pin }])])
}

function targetParameters({ organization, department, practitioner }: Target): ParametersParameter[] {
  return [at('organization', 'Organization', organization), { name: 'department', valueCode: department }, ...(practitioner ? [at('practitioner', 'Practitioner', practitioner)] : [])]
}

function at(name: string, type: string, id: string): ParametersParameter {
  return { name, valueReference: { reference: `${type}/${id}` } }
}

function paperIn({ parameter = [] }: Parameters): Paper {
  const text = (name: string) => parameter.find((each) => each.name === name)?.valueString ?? null
  return { id: idOf(parameter.find((each) => each.name === 'referral')?.resource?.id) ?? '', code: text('code') ?? '', pin: text('pin') }
}
