/** Every $operation the server offers: name, level, types and handler. Routes and the CapabilityStatement follow from it. */
import { acceptOperation } from '../booking/answer-offer.ts'
import { appealOperation, excuseOperation } from '../booking/appeal.ts'
import { bookAppointmentOperation } from '../booking/book-appointment.ts'
import { cancelAppointmentOperation } from '../booking/cancel-appointment.ts'
import { checkInOperation } from '../booking/check-in.ts'
import { findSlotsOperation } from '../booking/find-slots.ts'
import { holdSlotOperation } from '../booking/hold-slot.ts'
import { enterDrawOperation } from '../booking/enter-draw.ts'
import { joinWaitlistOperation } from '../booking/join-waitlist.ts'
import { referOperation } from '../booking/referral/refer.ts'
import { newPinOperation, referralStepOperation } from '../booking/referral/referral-operations.ts'
import { releaseHoldOperation } from '../booking/release-hold.ts'
import { rescheduleOperation } from '../booking/reschedule-appointment.ts'
import { substituteOperation, suspendOperation } from '../booking/suspend-session.ts'
import { accessLogOperation } from '../records/access-log.ts'
import { everythingOperations } from '../records/everything.ts'
import { exportOperations } from '../records/export/export-operation.ts'
import { lastObservationsOperation } from '../records/last-observations.ts'
import { metaOperations } from '../records/meta-operations.ts'
import { previewAccessOperation } from '../records/preview-access.ts'
import { reindexProgressOperation } from '../records/reindex-operation.ts'
import { resourceEntries } from './resource-types.ts'
import { storedDefinitions } from '../records/stored-definitions.ts'
import type { Operation } from '../records/store.ts'
import { validateOperations } from '../records/validate-operation.ts'
import type { SettlementGateway } from '../settlement/gateway.ts'
import { reconcileOperation } from '../settlement/reconcile/reconcile.ts'
import { reverseClaimOperation } from '../settlement/reverse-settlement.ts'
import { reverseInvoiceOperation } from '../settlement/self-pay.ts'
import { submitClaimOperation } from '../settlement/submit-claim.ts'
import { terminologyOperations } from '../terminology/operations.ts'

/** What operations need beyond a call: ports to the world. */
export interface OperationPorts { gateway: SettlementGateway }

export function operations({ gateway }: OperationPorts): readonly Operation[] {
  return [
    accessLogOperation,
    ...everythingOperations,
    previewAccessOperation,
    ...exportOperations,
    lastObservationsOperation,
    ...metaOperations.map(whereStored),
    reindexProgressOperation,
    findSlotsOperation,
    holdSlotOperation,
    bookAppointmentOperation,
    releaseHoldOperation,
    rescheduleOperation,
    acceptOperation,
    suspendOperation,
    substituteOperation,
    cancelAppointmentOperation,
    checkInOperation,
    joinWaitlistOperation,
    enterDrawOperation,
    appealOperation,
    excuseOperation,
    referOperation,
    referralStepOperation,
    newPinOperation,
    submitClaimOperation(gateway),
    reverseClaimOperation(gateway),
    reverseInvoiceOperation,
    reconcileOperation(gateway),
    ...terminologyOperations(storedDefinitions),
    ...validateOperations,
  ]
}

/** Labels are of rows: a type that a domain answers has none, and of one that only operations write they can't be changed. */
function whereStored(operation: Operation): Operation {
  const types = operation.types.filter((type) => {
    const entry = resourceEntries.get(type)
    return entry?.projection === null && (entry.write === 'open' || !operation.affectsState)
  })
  return { ...operation, types }
}
