/** A citizen's choices as Consent, and a Consent back in the words of the page. Pure. */
import type { Consent, ConsentProvision, Reference } from '@medplum/fhirtypes'

const base = 'https://pujiang.health/fhir/CodeSystem'
const terminology = 'http://terminology.hl7.org/CodeSystem'
export type ChoiceKind = 'hide' | 'bar' | 'share' | 'family-share'
export const familyGroups = ['problems', 'visits', 'results', 'immunizations', 'costs'] as const
export type FamilyGroup = (typeof familyGroups)[number]

export interface ChoiceView {
  kind: ChoiceKind
  /** Who or which entry, as written when the choice was made. */
  subject: string
  /** Day it ends; null: until it is undone. */
  until: string | null
  groups: string[]
  /** Sensitive entries are meant too. */
  sensitive: boolean
}

export function choiceView(consent: Consent): ChoiceView | null {
  const kind = consent.category.flatMap((each) => each.coding ?? []).find((each) => each.system === `${base}/consent-category`)?.code as ChoiceKind | undefined
  const { provision } = consent
  if (!kind || !provision || !['hide', 'bar', 'share', 'family-share'].includes(kind)) return null
  const named = kind === 'hide' ? provision.data?.[0]?.reference : provision.actor?.[0]?.reference
  return {
    kind, subject: named?.display ?? named?.reference ?? '', until: provision.period?.end ?? null,
    groups: (provision.class ?? []).flatMap((each) => (each.code ? [each.code] : [])), sensitive: (provision.securityLabel ?? []).some((each) => each.code === 'sensitive'),
  }
}

export function hideEntry(patient: string, entry: Reference): Consent {
  return consentOf(patient, 'hide', { type: 'deny', data: [{ meaning: 'instance', reference: entry }] })
}

export function barActor(patient: string, actor: Reference): Consent {
  return consentOf(patient, 'bar', { type: 'deny', actor: [recipient(actor)] })
}

/** @param until the last day, of Shanghai. */
export function shareWith(patient: string, actor: Reference, until: string, sensitive: boolean): Consent {
  return consentOf(patient, 'share', {
    type: 'permit', period: { end: endOf(until) }, actor: [recipient(actor)],
    ...(sensitive ? { securityLabel: [{ system: `${base}/data-group`, code: 'sensitive' }] } : {}),
  })
}

/** The server finds the person by number and name, and keeps neither. */
export function authorizeRelative(patient: string, relative: { name: string; number: string; relationship: string }, groups: readonly FamilyGroup[], until: string): Consent {
  return consentOf(patient, 'family-share', {
    type: 'permit', period: { end: endOf(until) },
    actor: [{
      role: { coding: [{ system: `${terminology}/v3-RoleCode`, code: relative.relationship }] },
      reference: { identifier: { system: 'urn:oid:2.16.156.10011.1.3', value: relative.number }, display: relative.name },
    }],
    class: groups.map((code) => ({ system: `${base}/data-group`, code })),
  })
}

function endOf(day: string): string {
  return `${day}T23:59:59+08:00`
}

function recipient(reference: Reference) {
  return { role: { coding: [{ system: `${terminology}/v3-ParticipationType`, code: 'PRCP' }] }, reference: reference as never }
}

function consentOf(patient: string, category: ChoiceKind, provision: ConsentProvision): Consent {
  return {
    resourceType: 'Consent', status: 'active',
    scope: { coding: [{ system: `${terminology}/consentscope`, code: 'patient-privacy' }] },
    category: [{ coding: [{ system: `${base}/consent-category`, code: category }] }],
    patient: { reference: `Patient/${patient}` },
    policyRule: { coding: [{ system: `${terminology}/v3-ActCode`, code: provision.type === 'deny' ? 'OPTOUT' : 'OPTIN' }] },
    provision,
  }
}
