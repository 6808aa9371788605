/** Payments as FHIR: the notice of money taken or given back, and the Account of a stay that holds its deposit. Pure. */
import type { Account, PaymentNotice } from '@medplum/fhirtypes'
import { institutionSystem } from '../fhir/claim-message.ts'
import { dayInShanghai, instantInShanghai } from '../fhir/date-time.ts'
import { yuan } from '../fhir/money.ts'
import type { PaymentOrder } from './payments.ts'
import type { Visit } from './visit.ts'

/** Number of a payment at the desk. */
export const paymentNumberSystem = 'https://pujiang.health/fhir/sid/payment-number'
/** A day of a desk: institution code, then the day. */
const deskDaySystem = 'https://pujiang.health/fhir/sid/desk-day'
const kindSystem = 'https://pujiang.health/fhir/CodeSystem/payment-kind'
const channelUrl = 'https://pujiang.health/fhir/StructureDefinition/payment-channel'

/** Amounts are negative when money is given back. */
export function paymentNotice(visit: Visit, order: PaymentOrder, at: { id: string; number: string; invoiceId: string | null; accountId: string | null; at: Date }): PaymentNotice {
  const back = order.kind === 'refund' || order.kind === 'deposit-refund'
  const about = order.kind === 'payment' || order.kind === 'refund' ? at.invoiceId && `Invoice/${at.invoiceId}` : at.accountId && `Account/${at.accountId}`
  const office = { reference: `Organization/${visit.organizationId}`, display: visit.organization.zh }
  return {
    resourceType: 'PaymentNotice',
    id: at.id,
    identifier: [{ system: paymentNumberSystem, value: at.number }],
    extension: [{ url: channelUrl, valueCode: order.channel }],
    status: 'active',
    ...(about ? { request: { reference: about } } : {}),
    created: instantInShanghai(at.at),
    provider: office,
    // The money is counted with the day of the desk.
    payment: { identifier: { system: deskDaySystem, value: `${visit.institutionCode ?? visit.organizationId} ${dayInShanghai(at.at)}` } },
    paymentDate: dayInShanghai(at.at),
    payee: office,
    recipient: { identifier: { system: institutionSystem, value: visit.institutionCode ?? visit.organizationId }, display: visit.organization.zh },
    amount: yuan(back ? -order.amountFen : order.amountFen),
    paymentStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/paymentstatus', code: 'paid' }, { system: kindSystem, code: order.kind }], ...(order.reference ? { text: order.reference } : {}) },
  }
}

export function stayAccount(visit: Visit, id: string, at: Date): Account {
  return {
    resourceType: 'Account', id, status: 'active', name: '住院预交金', type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PBILLACCT' }] },
    subject: [{ reference: `Patient/${visit.patientId}` }], servicePeriod: { start: visit.serviceDate },
    owner: { reference: `Organization/${visit.organizationId}`, display: visit.organization.zh },
    identifier: [{ system: 'https://pujiang.health/fhir/sid/stay-account', value: visit.encounterId }], description: `预交金账户，建于 ${dayInShanghai(at)}`,
  }
}
