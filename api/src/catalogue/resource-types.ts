/**
 * One entry for each FHIR type the server stores. A type that is not named here is plain: written by those whom access
 * allows, read by those who may see it. A workflow type names the rule or the projection that keeps it true; `none` means
 * that only operations and domains write it.
 */
import { audienceOf } from '../access/audience.ts'
import { answerByResponse } from '../booking/answer-offer.ts'
import { followVisit } from '../booking/follow-visit.ts'
import { scheduleProjection } from '../booking/schedule-projection.ts'
import { writeServiceRequest, writeTask } from '../booking/referral/write-rules.ts'
import { slotProjection } from '../booking/slot-projection.ts'
import { writeAppointment } from '../booking/write-appointment.ts'
import { type ResourceType, resourceTypes } from '../fhir/resource-types.ts'
import { auditProjection } from '../records/audit-projection.ts'
import { keepConsentRule } from '../records/keep-consent-rule.ts'
import type { ResourceEntry } from '../records/store.ts'
import { chargeItemRule } from '../settlement/charge-item-rule.ts'
import { keepSettlement } from '../settlement/keep-settlement.ts'

type Special = Partial<Pick<ResourceEntry, 'write' | 'rule' | 'projection'>>

const special: Partial<Record<ResourceType, Special>> = {
  Appointment: { rule: writeAppointment },
  AppointmentResponse: { rule: answerByResponse },
  AuditEvent: { write: 'none', projection: auditProjection },
  ChargeItem: { rule: chargeItemRule },
  Claim: { rule: keepSettlement },
  ClaimResponse: { rule: keepSettlement },
  Consent: { rule: keepConsentRule },
  Encounter: { rule: followVisit },
  ExplanationOfBenefit: { rule: keepSettlement },
  Invoice: { rule: keepSettlement },
  PaymentNotice: { write: 'none' },
  PaymentReconciliation: { write: 'none' },
  Schedule: { write: 'none', projection: scheduleProjection },
  ServiceRequest: { rule: writeServiceRequest },
  Slot: { write: 'none', projection: slotProjection },
  Task: { rule: writeTask },
}

/** Types that exist only as parameters or answers of an interaction, never as stored resources. */
const unstored: ReadonlySet<ResourceType> = new Set<ResourceType>(['OperationOutcome', 'Parameters'])

export const resourceEntries: ReadonlyMap<ResourceType, ResourceEntry> = new Map(
  resourceTypes.filter((type) => !unstored.has(type)).map((type) => [type, {
    type, audience: audienceOf(type), write: 'open', rule: null, projection: null, ...special[type],
  }]),
)
