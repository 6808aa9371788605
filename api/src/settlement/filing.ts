/**
 * Filing a person's treatment away from home (备案) where the bill is: the platform sends it to its own centre, which hands it on to
 * the insured place. Kept here as the Task that came back, under its number, so that asking again changes nothing. And the packet
 * for reimbursement by hand when direct settlement did not work: everything the insured place asks for, in one Bundle.
 */
import type { Bundle, ChargeItem, Coverage, Encounter, Invoice, Patient, Resource, Task } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { psnSystem, regionSystem } from '../fhir/claim-message.ts'
import { filingNumberSystem, filingTypeSystem, type FilingType } from '../fhir/clearing-message.ts'
import { instantInShanghai } from '../fhir/date-time.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import { writeResources } from '../records/write-resources.ts'
import { recordEvents } from '../audit/record-event.ts'
import type { Db } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import { billLines, findBill } from './bill-rows.ts'
import type { SettlementGateway } from './gateway.ts'
import { assertMaySettle } from './may-settle.ts'
import { coverageMissing } from './self-pay.ts'
import type { Filing } from './shapes.ts'
import { unreachable } from './submit-claim.ts'
import { type Insurance, insuranceOn, loadVisit, type Visit } from './visit.ts'

interface Deps { db: Db; store: Store; gateway: SettlementGateway }

/** District of a designated institution, the six digits of its code; null when it has none. */
function districtOf({ institutionCode }: Pick<Visit, 'institutionCode'>): string | null {
  return /^[A-Z](\d{6})/.exec(institutionCode ?? '')?.[1] ?? null
}

/** Insured outside the province of treatment: the region of insurance; null at home. Pure. */
export function awayRegion(visit: Pick<Visit, 'institutionCode'>, insurance: Pick<Insurance, 'region'> | null): string | null {
  const district = districtOf(visit)
  return insurance && district && district.slice(0, 2) !== insurance.region.slice(0, 2) ? insurance.region : null
}

/** Throws OutcomeError not-found, forbidden, coverage-missing, business-rule, insurer-unreachable, insurer-rejected. */
export async function fileTreatment({ db, store, gateway }: Deps, ctx: Ctx, encounterId: string, type: FilingType): Promise<Filing> {
  const visit = await loadVisit(db, encounterId)
  if (!visit) throw notFound(`Encounter/${encounterId}`)
  await assertMaySettle(db, ctx, visit, `Encounter/${encounterId}`)
  const insurance = await insuranceOn(db, visit)
  if (!insurance) throw coverageMissing()
  if (awayRegion(visit, insurance) === null) throw fail('business-rule', { zh: '参保地就在本市，不需要异地就医备案。', en: 'The person is insured here, so no filing is needed.' })
  const answer = await gateway.file(filingTask(visit, insurance, type, ctx.now))
  if (!answer) throw unreachable('no answer to the filing')
  const number = answer.identifier?.find((each) => each.system === filingNumberSystem)?.value
  if (answer.status !== 'accepted' || number === undefined) {
    const text = answer.statusReason?.text ?? answer.status
    throw fail('insurer-rejected', { zh: `参保地未受理备案：${text}`, en: `The insured place did not take the filing: ${text}` })
  }
  const kept: Task = { ...answer, id: number, for: { reference: `Patient/${visit.patientId}`, ...answer.for }, focus: { reference: `Encounter/${visit.encounterId}` } }
  await inTransaction(db, (trx) => writeResources(trx, ctx, store, [{ method: 'update', type: 'Task', id: number, resource: kept, ifMatch: null }], 'platform'))
  return { number, type, from: answer.executionPeriod?.start?.slice(0, 10) ?? visit.serviceDate, until: answer.executionPeriod?.end?.slice(0, 10) ?? null }
}

function filingTask(visit: Visit, insurance: Insurance, type: FilingType, at: Date): Task {
  return {
    resourceType: 'Task', status: 'requested', intent: 'order', code: { coding: [{ system: filingTypeSystem, code: type }] },
    for: { identifier: { system: psnSystem(insurance.region), value: insurance.psnNo } }, location: { identifier: { system: regionSystem, value: districtOf(visit) ?? '' } },
    executionPeriod: { start: visit.serviceDate }, authoredOn: instantInShanghai(at),
  }
}

/** Invoice, charges, visit, insurance and person of a settled bill. Throws OutcomeError not-found, forbidden, business-rule. */
export async function reimbursementPacket(db: Db, ctx: Ctx, encounterId: string): Promise<Bundle> {
  const visit = await loadVisit(db, encounterId)
  if (!visit) throw notFound(`Encounter/${encounterId}`)
  await assertMaySettle(db, ctx, visit, `Encounter/${encounterId}`)
  const bill = await findBill(db, visit)
  if (bill?.state !== 'settled' || bill.fund_fen !== 0n || bill.invoice_id === null) {
    throw fail('business-rule', { zh: '只有全额自费结算的账单需要报销材料。', en: 'A packet is for a bill that was settled without any fund.' })
  }
  const insurance = await insuranceOn(db, visit)
  const lines = await billLines(db, visit)
  const found: (Resource | null)[] = await Promise.all([
    loadResource<Invoice>(db, 'Invoice', bill.invoice_id), loadResource<Encounter>(db, 'Encounter', visit.encounterId), loadResource<Patient>(db, 'Patient', visit.patientId),
    insurance ? loadResource<Coverage>(db, 'Coverage', insurance.coverageId) : null,
    ...lines.map((line) => loadResource<ChargeItem>(db, 'ChargeItem', line.charge_item_id)),
  ])
  await recordEvents(db, ctx, [{ action: 'R', interaction: 'packet', resourceType: 'Invoice', resourceId: bill.invoice_id, pid: visit.pid, detail: null, outcome: 200 }])
  return {
    resourceType: 'Bundle', type: 'collection', timestamp: instantInShanghai(ctx.now),
    entry: found.flatMap((resource) => (resource ? [{ fullUrl: `https://pujiang.health/fhir/${resource.resourceType}/${resource.id}`, resource }] : [])),
  }
}
