/**
 * A finished visit as one transaction Bundle: Encounter, diagnoses, orders, prescriptions and charges that point to one
 * another by urn:uuid, so that all is written or nothing. Charges carry no price: the server sets it. Pure but for the ids.
 */
import type { Bundle, BundleEntry, CodeableConcept, Coding, Encounter, Extension, Reference, Resource } from '@medplum/fhirtypes'
import { search, transaction } from './fhir.ts'
import type { PriceItem } from './price-list.ts'

export interface DraftItem extends PriceItem { quantity: number; dose: string }

export interface VisitDraft {
  diagnoses: { code: string; zh: string; en: string }[]
  note: string
  items: DraftItem[]
  /** Instant the doctor began to write. */
  startedAt: string
}

export interface VisitFacts {
  appointment: string
  patient: Reference
  practitioner: Reference
  organization: Reference
  department: CodeableConcept | undefined
  /** Instant the visit ends. */
  now: string
}

const chargeItemSystem = 'https://pujiang.health/fhir/CodeSystem/charge-item'
const terminology = 'http://terminology.hl7.org/CodeSystem'

export function visitBundle(draft: VisitDraft, facts: VisitFacts, newId: () => string): Bundle {
  const encounter = `urn:uuid:${newId()}`
  const conditions = draft.diagnoses.map((each) => ({ url: `urn:uuid:${newId()}`, diagnosis: each }))
  const common = { subject: plain(facts.patient), encounter: { reference: encounter } }
  const drugs = draft.items.filter((each) => each.kind === 'drug')
  const orders = draft.items.filter((each) => each.kind === 'lab' || each.kind === 'imaging')
  const entries: BundleEntry[] = [
    entry(encounter, {
      resourceType: 'Encounter', status: 'finished', class: { system: `${terminology}/v3-ActCode`, code: 'AMB', display: '门诊' },
      type: [{ text: '门诊', _text: english('Outpatient visit') } as CodeableConcept],
      ...(facts.department ? { serviceType: facts.department } : {}),
      subject: facts.patient, participant: [{ individual: facts.practitioner }], period: { start: draft.startedAt, end: facts.now },
      appointment: [{ reference: `Appointment/${facts.appointment}` }], serviceProvider: facts.organization,
      diagnosis: conditions.map((each, index) => ({ condition: { reference: each.url }, rank: index + 1 })),
    } as Encounter),
    ...conditions.map(({ url, diagnosis }, index) => entry(url, {
      resourceType: 'Condition', ...common,
      clinicalStatus: { coding: [{ system: `${terminology}/condition-clinical`, code: 'active' }] },
      verificationStatus: { coding: [{ system: `${terminology}/condition-ver-status`, code: 'confirmed' }] },
      category: [{ coding: [{ system: `${terminology}/condition-category`, code: 'encounter-diagnosis' }] }],
      code: concept({ system: 'http://hl7.org/fhir/sid/icd-10', code: diagnosis.code }, diagnosis),
      recordedDate: facts.now, recorder: facts.practitioner,
      ...(index === 0 && draft.note.trim() ? { note: [{ time: facts.now, text: draft.note.trim(), authorReference: plain(facts.practitioner) }] } : {}),
    })),
    ...orders.map((each) => entry(`urn:uuid:${newId()}`, {
      resourceType: 'ServiceRequest', ...common, status: 'active', intent: 'order', code: itemConcept(each), authoredOn: facts.now, requester: facts.practitioner,
    })),
    ...drugs.map((each) => entry(`urn:uuid:${newId()}`, {
      resourceType: 'MedicationRequest', ...common, status: 'active', intent: 'order', medicationCodeableConcept: itemConcept(each), authoredOn: facts.now,
      requester: facts.practitioner, dosageInstruction: [{ text: each.dose.trim() }],
      dispenseRequest: { quantity: { value: each.quantity, ...(each.unit ? { unit: each.unit } : {}) } },
    })),
    ...draft.items.map((each) => entry(`urn:uuid:${newId()}`, {
      resourceType: 'ChargeItem', status: 'billable', code: itemConcept(each), subject: plain(facts.patient), context: { reference: encounter },
      occurrenceDateTime: facts.now, quantity: { value: each.quantity }, performingOrganization: plain(facts.organization),
    })),
  ]
  return { resourceType: 'Bundle', type: 'transaction', entry: entries }
}

export function totalFen(items: readonly DraftItem[]): number {
  return items.reduce((sum, each) => sum + each.priceFen * each.quantity, 0)
}

/**
 * Writes the visit once: when an earlier answer was lost on the way, the visit of this appointment is there already and
 * nothing is written again.
 */
export async function finishVisit(draft: VisitDraft, facts: VisitFacts): Promise<void> {
  const before = await search<Encounter>('Encounter', { appointment: `Appointment/${facts.appointment}`, _count: 1 })
  if (before.matches.length > 0) return
  await transaction(visitBundle(draft, facts, newUuid))
}

function entry(fullUrl: string, resource: object): BundleEntry {
  const typed = resource as Resource
  return { fullUrl, resource: typed, request: { method: 'POST', url: typed.resourceType } }
}

function itemConcept(item: PriceItem): CodeableConcept {
  return concept({ system: chargeItemSystem, code: item.code }, item)
}

function concept(coding: Coding, name: { zh: string; en: string }): CodeableConcept {
  const sibling = english(name.en)
  return { coding: [{ ...coding, display: name.zh, _display: sibling } as Coding], text: name.zh, _text: sibling } as CodeableConcept
}

function english(content: string): { extension: Extension[] } {
  return {
    extension: [{
      url: 'http://hl7.org/fhir/StructureDefinition/translation',
      extension: [{ url: 'lang', valueCode: 'en' }, { url: 'content', valueString: content }],
    }],
  }
}

/** The reference alone, without names. */
function plain(reference: Reference): Reference {
  return { reference: reference.reference ?? '' }
}

/** `crypto.randomUUID` is newer than our oldest browsers. */
function newUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = [...bytes].map((each) => each.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
