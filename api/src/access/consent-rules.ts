/**
 * A citizen's choices, read from Consent: hide an entry, keep a doctor or hospital out, open the record to one for a time, let a relative
 * act. What cannot be read as one of these has no effect, and citizens may not write it. Pure. The rows that follow are written by
 * records/keep-access.ts. Source: FHIR R4 Consent; docs/access.md, "A citizen's choices".
 */
import type { Consent, ConsentProvisionActor } from '@medplum/fhirtypes'
import { keyOf } from '../fhir/id.ts'
import { parseReference } from '../fhir/references.ts'
import { isResourceType, type ResourceType } from '../fhir/resource-types.ts'
import { type DataGroup, familyGroups, groupBit, groupBits } from './data-groups.ts'
import { labelBit, sensitiveBits, sensitiveLabels, sensitivitySystem } from './labels.ts'

export const consentCategorySystem = 'https://pujiang.health/fhir/CodeSystem/consent-category'
export const dataGroupSystem = 'https://pujiang.health/fhir/CodeSystem/data-group'
export const consentCategories = ['hide', 'bar', 'share', 'family-share'] as const
export type ConsentCategory = (typeof consentCategories)[number]

/** A choice may last this long at most where it opens something. */
export const shareDaysMax = 366
/** The end of what has no end. */
export const noEnd = '9999-12-31T00:00:00.000Z'

export type ConsentRule =
  | { kind: 'hide'; type: ResourceType; id: string }
  | { kind: 'bar'; actor: string; from: string; until: string }
  | { kind: 'share'; actor: string; actorType: 'Practitioner' | 'Organization'; opens: number; from: string; until: string }
  | { kind: 'family'; grantee: string; relationship: string; groups: number; from: string; until: string }

export interface ReadConsent { category: ConsentCategory; patient: string; rules: ConsentRule[] }

/** Null when it is none of ours: another category, no patient of ours. No rules when it is not in force or incomplete. */
export function readConsent(consent: Consent): ReadConsent | null {
  const code = consent.category.flatMap((each) => each.coding ?? []).find((each) => each.system === consentCategorySystem)?.code
  const category = consentCategories.find((each) => each === code)
  const patient = localId(consent.patient?.reference, 'Patient')
  if (category === undefined || patient === null) return null
  return { category, patient, rules: consent.status === 'active' ? rulesOf(consent, category) : [] }
}

function rulesOf(consent: Consent, category: ConsentCategory): ConsentRule[] {
  const { provision } = consent
  const from = instantOf(provision?.period?.start ?? consent.dateTime) ?? '1900-01-01T00:00:00.000Z'
  const until = instantOf(provision?.period?.end)
  const actors = provision?.actor ?? []
  if (!provision || (provision.type === 'permit') !== (category === 'share' || category === 'family-share')) return []
  switch (category) {
    case 'hide': return (provision.data ?? []).flatMap((each): ConsentRule[] => {
      const target = parseReference(each.reference?.reference ?? '')
      return target.kind === 'local' && isResourceType(target.type) ? [{ kind: 'hide', type: target.type, id: target.id }] : []
    })
    case 'bar': return actors.flatMap((actor) => professional(actor).map(({ key }): ConsentRule => ({ kind: 'bar', actor: key, from, until: until ?? noEnd })))
    case 'share': return until === null ? [] : actors.flatMap((actor) => professional(actor).map(({ key, type }): ConsentRule => ({ kind: 'share', actor: key, actorType: type, opens: opensOf(consent), from, until })))
    case 'family-share': return until === null ? [] : actors.flatMap((actor) => {
      const grantee = localId(actor.reference.reference, 'Patient')
      const groups = groupsOf(consent)
      return grantee === null || groups === 0 ? [] : [{ kind: 'family' as const, grantee, relationship: relationshipOf(actor), groups, from, until }]
    })
  }
}

function professional({ reference }: ConsentProvisionActor): { key: string; type: 'Practitioner' | 'Organization' }[] {
  for (const type of ['Practitioner', 'Organization'] as const) {
    const id = localId(reference.reference, type)
    if (id !== null) return [{ key: keyOf(id), type }]
  }
  return []
}

/** Sensitive labels that a share opens: those it names, all for `*`-like code `sensitive`. */
function opensOf({ provision }: Consent): number {
  return (provision?.securityLabel ?? []).reduce((bits, { system, code }) => {
    if (system === dataGroupSystem && code === 'sensitive') return bits | sensitiveBits
    const label = sensitiveLabels.find((each) => each === code)
    return system === sensitivitySystem && label !== undefined ? bits | labelBit(label) : bits
  }, 0)
}

/** `basics` always, so that the person can be named at all. */
function groupsOf({ provision }: Consent): number {
  const named = (provision?.class ?? []).filter((each) => each.system === dataGroupSystem).map((each) => each.code as DataGroup)
  return groupBits(familyGroups.filter((group) => named.includes(group))) | groupBit('basics')
}

/** v3 RoleCode of the patient as seen by the one who may act, from what that one is to the patient. */
function relationshipOf({ role }: ConsentProvisionActor): string {
  const code = role.coding?.[0]?.code ?? ''
  if (['CHILD', 'SON', 'DAU', 'SONC', 'DAUC', 'NCHILD'].includes(code)) return 'PRN'
  if (['PRN', 'FTH', 'MTH', 'NFTH', 'NMTH'].includes(code)) return 'CHILD'
  return ['SPS', 'HUSB', 'WIFE'].includes(code) ? 'SPS' : 'FAMMEMB'
}

function localId(reference: string | undefined, type: string): string | null {
  const parsed = parseReference(reference ?? '')
  return parsed.kind === 'local' && parsed.type === type ? parsed.id : null
}

/** A day alone ends with it, in Shanghai; null when there is none. */
function instantOf(value: string | undefined): string | null {
  if (value === undefined) return null
  const text = /^\d{4}-\d{2}-\d{2}$/.test(value) ? `${value}T00:00:00+08:00` : value
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : new Date(at).toISOString()
}
