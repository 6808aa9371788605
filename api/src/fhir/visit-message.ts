/**
 * What an institution sends to its centre before a settlement: the registration of a visit (2201 of the national interface) as an
 * Encounter, its details in batches (2204) as a Bundle of ChargeItems. Both sides read and write through this file. Every message
 * has a message id and one answer for ever, so a lost answer is fetched by sending the same message again. Described with
 * examples in docs/settlement.md, § The steps before.
 */
import type { Bundle, ChargeItem, Claim, Encounter } from '@medplum/fhirtypes'
import { chargeItemSystem, institutionSystem, type LineTerms, medicalCategorySystem, messageIdSystem, psnSystem, readTerms, regionOfPsnSystem, termExtensions } from './claim-message.ts'
import { fenOf, yuan } from './money.ts'

/** Number a centre gives to a registered visit (mdtrt_id). */
export const visitNumberSystem = 'https://pujiang.health/fhir/sid/visit-number'
/** The institution's own number of a charge line (feedetl_sn), unique within the visit. */
export const detailNumberSystem = 'https://pujiang.health/fhir/sid/detail-number'
/** Most details of one batch. */
export const batchDetailsMax = 100

export interface VisitFacts {
  messageId: string
  region: string
  psnNo: string
  institution: string
  /** med_type. */
  medicalType: string
  /** YYYY-MM-DD */
  begunOn: string
}

export function visitMessage({ messageId, region, psnNo, institution, medicalType, begunOn }: VisitFacts): Encounter {
  return {
    resourceType: 'Encounter', status: 'in-progress', identifier: [{ system: messageIdSystem, value: messageId }],
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: medicalType.startsWith('2') ? 'IMP' : medicalType === '13' ? 'EMER' : 'AMB' },
    type: [{ coding: [{ system: medicalCategorySystem, code: medicalType }] }],
    subject: { identifier: { system: psnSystem(region), value: psnNo } },
    serviceProvider: { identifier: { system: institutionSystem, value: institution } },
    period: { start: begunOn },
  }
}

/** Null when something is missing. */
export function readVisitMessage(encounter: Encounter): VisitFacts | null {
  const region = regionOfPsnSystem(encounter.subject?.identifier?.system)
  const psnNo = encounter.subject?.identifier?.value
  const provider = encounter.serviceProvider?.identifier
  const medicalType = encounter.type?.flatMap((each) => each.coding ?? []).find((each) => each.system === medicalCategorySystem)?.code
  const begunOn = encounter.period?.start?.slice(0, 10)
  const messageId = encounter.identifier?.find((each) => each.system === messageIdSystem)?.value
  if (region === null || !psnNo || provider?.system !== institutionSystem || !provider.value || !medicalType || !begunOn || !messageId) return null
  return { messageId, region, psnNo, institution: provider.value, medicalType, begunOn }
}

/** The number a centre gave to a visit; null when it gave none. */
export function visitNumberOf(encounter: Pick<Encounter, 'identifier'>): string | null {
  return encounter.identifier?.find((each) => each.system === visitNumberSystem)?.value ?? null
}

export interface Detail extends LineTerms {
  /** The institution's number of the line. */
  detail: string
  code: string
  quantity: number
  /** Of the whole line. */
  amountFen: bigint
}

export function batchMessage(messageId: string, visit: string, person: { region: string; psnNo: string }, details: readonly (Detail & { name: string })[]): Bundle<ChargeItem> {
  return {
    resourceType: 'Bundle', type: 'collection', identifier: { system: messageIdSystem, value: messageId },
    entry: details.map((each) => ({
      resource: {
        resourceType: 'ChargeItem', status: 'billable', identifier: [{ system: detailNumberSystem, value: each.detail }],
        code: { coding: [{ system: chargeItemSystem, code: each.code, display: each.name }] },
        subject: { identifier: { system: psnSystem(person.region), value: person.psnNo } }, context: { identifier: { system: visitNumberSystem, value: visit } },
        quantity: { value: each.quantity }, priceOverride: yuan(each.amountFen), extension: termExtensions(each),
      },
    })),
  }
}

/** A detail of a batch; null when it can't be read. */
export function readDetail(item: ChargeItem): Detail | null {
  const detail = item.identifier?.find((each) => each.system === detailNumberSystem)?.value
  const code = item.code?.coding?.find((each) => each.system === chargeItemSystem)?.code
  const quantity = item.quantity?.value ?? Number.NaN
  const amountFen = fenOf(item.priceOverride)
  const terms = readTerms(item.extension)
  if (!detail || detail.length > 64 || !code || !Number.isInteger(quantity) || quantity < 1 || quantity > 100_000 || amountFen === null || amountFen < 0n || terms === null) return null
  return { detail, code, quantity, amountFen, ...terms }
}

/** The registered visit a claim settles; null when it names none, undefined when its lines name several. */
export function visitOfClaim(claim: Pick<Claim, 'item'>): string | null | undefined {
  const numbers = new Set((claim.item ?? []).map((item) => item.encounter?.[0]?.identifier).map((each) => (each?.system === visitNumberSystem ? each.value ?? null : null)))
  return numbers.size > 1 ? undefined : [...numbers][0] ?? null
}
