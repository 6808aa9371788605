/**
 * The statement of a settlement (ExplanationOfBenefit): claim and answer in one, word for word, for the person. The platform keeps one
 * with each settlement, a centre makes it when it is asked for. Pure.
 */
import type { Claim, ClaimResponse, ExplanationOfBenefit } from '@medplum/fhirtypes'

export function statementOf(claim: Claim, response: ClaimResponse, id: string): ExplanationOfBenefit {
  return {
    resourceType: 'ExplanationOfBenefit',
    id,
    extension: response.extension,
    identifier: response.identifier,
    status: 'active',
    type: claim.type,
    use: 'claim',
    patient: claim.patient,
    billablePeriod: claim.billablePeriod,
    created: response.created,
    insurer: claim.insurer ?? response.insurer,
    provider: claim.provider,
    claim: { reference: `Claim/${claim.id}` },
    claimResponse: { reference: `ClaimResponse/${response.id}` },
    outcome: response.outcome,
    disposition: response.disposition,
    insurance: claim.insurance?.map((each) => ({ focal: each.focal, coverage: each.coverage })),
    item: claim.item?.map((item) => ({
      sequence: item.sequence,
      productOrService: item.productOrService,
      servicedDate: item.servicedDate,
      quantity: item.quantity,
      unitPrice: item.unitPrice,
      net: item.net,
      encounter: item.encounter,
      adjudication: response.item?.find((each) => each.itemSequence === item.sequence)?.adjudication,
    })),
    total: response.total,
    processNote: response.processNote?.map(({ number, type, text, language }) => ({ number, type, text, language })),
  } as ExplanationOfBenefit
}
