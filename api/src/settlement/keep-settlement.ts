/**
 * The write rule of Claim, ClaimResponse, ExplanationOfBenefit and Invoice. What came from elsewhere, such as claims in an
 * imported record, is plain FHIR; what a settlement wrote here is known by its message, settlement or self-pay number and changes by
 * $submit and $reverse only, so that the record and the ledger can't part.
 */
import type { Identifier, Resource } from '@medplum/fhirtypes'
import { messageIdSystem, selfPayNumberSystem, settlementIdSystem } from '../fhir/claim-message.ts'
import { fail } from '../fhir/outcome.ts'
import type { WriteRule } from '../records/store.ts'

/** Throws OutcomeError read-only-type. */
export const keepSettlement: WriteRule = async (_trx, _ctx, _store, change) => {
  if (isOurs(change.before) || isOurs(change.after)) {
    throw fail('read-only-type', {
      zh: `这份 ${change.type} 属于医保结算，不能直接写入。请使用 $submit 或 $reverse。`,
      en: `This ${change.type} belongs to a settlement and can't be written directly. Use $submit or $reverse.`,
    }, `${change.type}.identifier`)
  }
  return undefined
}

const ownSystems = new Set([messageIdSystem, settlementIdSystem, selfPayNumberSystem])

function isOurs(resource: Resource | null): boolean {
  const identifiers = (resource as { identifier?: Identifier[] } | null)?.identifier
  return Array.isArray(identifiers) && identifiers.some((each) => each.system !== undefined && ownSystems.has(each.system))
}
