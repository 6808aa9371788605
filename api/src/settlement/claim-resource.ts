/**
 * The Claim of a visit: as it goes to the centre, which knows people and institutions by their insurance numbers, and as it is
 * kept here, with references beside the numbers. Pure. The form: docs/settlement.md, § The message.
 */
import type { Claim, ClaimResponse, Organization, Reference } from '@medplum/fhirtypes'
import {
  chargeItemSystem, hospitalLevelSystem, hospitalLevelUrl, institutionSystem, medicalCategorySystem, messageIdSystem, psnSystem, regionOfPsnSystem, regionSystem, schemeSystem,
  schemeUrl, termExtensions,
} from '../fhir/claim-message.ts'
import { instantInShanghai } from '../fhir/date-time.ts'
import { yuan } from '../fhir/money.ts'
import { visitNumberSystem } from '../fhir/visit-message.ts'
import { type BillLineRow, lineFen } from './bill-rows.ts'
import type { Insurance, Visit } from './visit.ts'

export interface ClaimFacts {
  visit: Visit
  /** Of the visit's institution; not null here. */
  institutionCode: string
  insurance: Insurance
  lines: readonly BillLineRow[]
  messageId: string
  use: 'claim' | 'predetermination'
  /** Number of the registered visit whose details the lines are; null when they were not uploaded. */
  visitNumber: string | null
  at: Date
}

export function claimOf({ visit, institutionCode, insurance, lines, messageId, use, visitNumber, at }: ClaimFacts): Claim {
  const person = { system: psnSystem(insurance.region), value: insurance.psnNo }
  return {
    resourceType: 'Claim',
    extension: [{ url: hospitalLevelUrl, valueCoding: { system: hospitalLevelSystem, code: visit.levelCode } }],
    identifier: [{ system: messageIdSystem, value: messageId }],
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claim-type', code: 'professional' }, { system: medicalCategorySystem, code: visit.medicalType }] },
    use,
    patient: { identifier: person },
    billablePeriod: { start: visit.serviceDate, end: visit.serviceDate },
    created: instantInShanghai(at),
    insurer: { identifier: { system: regionSystem, value: insurance.region } },
    provider: { identifier: { system: institutionSystem, value: institutionCode } },
    priority: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/processpriority', code: 'normal' }] },
    insurance: [{ sequence: 1, focal: true, coverage: { identifier: person } }],
    item: lines.map((line, index) => ({
      extension: termExtensions({ catalogueClass: line.catalogue_class, firstPayParts: line.first_pay_ratio, limitFen: line.limit_fen }),
      sequence: index + 1,
      productOrService: { coding: [{ system: chargeItemSystem, code: line.code, display: line.name_zh }] },
      servicedDate: visit.serviceDate,
      quantity: { value: line.quantity },
      unitPrice: yuan(line.unit_price_fen),
      net: yuan(lineFen(line)),
      ...(visitNumber === null ? {} : { encounter: [{ identifier: { system: visitNumberSystem, value: visitNumber } }] }),
    })),
    total: yuan(lines.reduce((sum, line) => sum + lineFen(line), 0n)),
  }
}

/** The Claim as it is kept: what was sent, and whom and what that means here. */
export function keptClaim(sent: Claim, id: string, visit: Visit, insurance: Insurance): Claim {
  return {
    ...sent,
    id,
    patient: { reference: `Patient/${visit.patientId}`, ...sent.patient },
    provider: { reference: `Organization/${visit.organizationId}`, ...sent.provider, display: visit.organization.zh },
    insurer: insurerOf(insurance),
    insurance: [{ sequence: 1, focal: true, coverage: { reference: `Coverage/${insurance.coverageId}`, ...sent.insurance?.[0]?.coverage } }],
    item: sent.item?.map((item) => ({ ...item, encounter: [{ reference: `Encounter/${visit.encounterId}`, ...item.encounter?.[0] }] })),
  }
}

/** What the books keep of a Claim: kind of care and where the person is insured. */
export function claimFacts(claim: Claim): { medicalType: string; region: string } {
  return {
    medicalType: claim.type?.coding?.find((each) => each.system === medicalCategorySystem)?.code ?? '',
    region: regionOfPsnSystem(claim.insurance?.[0]?.coverage?.identifier?.system) ?? '',
  }
}

/** Scheme that an answer was given under; empty when it says none. */
export function schemeOf(answer: Pick<ClaimResponse, 'extension'>): string {
  const coding = answer.extension?.find((each) => each.url === schemeUrl)?.valueCoding
  return coding?.system === schemeSystem ? coding.code ?? '' : ''
}

function insurerOf(insurance: Insurance): Reference<Organization> {
  const { reference, display } = insurance.payor?.[0] ?? {}
  return { ...(reference ? { reference } : {}), ...(display ? { display } : {}), identifier: { system: regionSystem, value: insurance.region } }
}

let serial: bigint | null = null

/**
 * A message id: institution, moment in the city, and four characters that count on from a chance start in each process, so that
 * ids of one second never meet within a process. Should those of two processes meet, the centre knows the first only, and the
 * second is seen to be another person's (`check-answer`).
 */
export function newMessageId(institutionCode: string, at: Date, newId: (shard: number | null) => string): string {
  const moment = instantInShanghai(at).slice(0, 19).replace(/\D/g, '')
  serial = ((serial ?? BigInt(`0x${newId(null).slice(24)}`)) + 1n) % 36n ** 4n
  return `${institutionCode}${moment}${serial.toString(36).toUpperCase().padStart(4, '0')}`
}
