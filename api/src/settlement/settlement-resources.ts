/**
 * What a settlement leaves in the record: the centre's answer as we keep it and the invoice of the institution; the statement the citizen
 * reads is `fhir/statement.ts`. All amounts are the centre's, word for word; those of a self-pay invoice are the bill's. Pure.
 */
import type { Claim, ClaimResponse, Invoice } from '@medplum/fhirtypes'
import { adjudicationSystem, type Split } from '../fhir/claim-message.ts'
import { yuan } from '../fhir/money.ts'
import { type BillLineRow, lineFen } from './bill-rows.ts'
import type { Visit } from './visit.ts'

export function keptClaimResponse(response: ClaimResponse, claim: Claim, id: string): ClaimResponse {
  return {
    ...response,
    id,
    patient: claim.patient ?? response.patient,
    insurer: { ...response.insurer, ...claim.insurer },
    requestor: claim.provider,
    request: { reference: `Claim/${claim.id}`, ...response.request },
  }
}

const components = ['fullself', 'overlimit', 'firstpay', 'inscope'] as const

export function invoiceOf(visit: Visit, lines: readonly BillLineRow[], split: Split, response: Pick<ClaimResponse, 'identifier' | 'created'>, id: string): Invoice {
  return {
    resourceType: 'Invoice',
    id,
    identifier: response.identifier,
    status: split.cash > 0n ? 'issued' : 'balanced',
    subject: { reference: `Patient/${visit.patientId}` },
    recipient: { reference: `Patient/${visit.patientId}` },
    date: response.created,
    issuer: { reference: `Organization/${visit.organizationId}`, display: visit.organization.zh },
    lineItem: lines.map((line, index) => ({
      sequence: index + 1,
      chargeItemReference: { reference: `ChargeItem/${line.charge_item_id}`, display: line.name_zh },
      priceComponent: [{ type: 'base', factor: line.quantity, amount: yuan(lineFen(line)) }],
    })),
    totalPriceComponent: components.map((code) => ({
      type: 'informational', code: { coding: [{ system: adjudicationSystem, code }] }, amount: yuan(split[code]),
    })),
    totalNet: yuan(split.submitted),
    totalGross: yuan(split.submitted),
  }
}
