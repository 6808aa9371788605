/**
 * Filing a person's treatment away from home (备案) where the bill is, or ahead, where the appointment is: the platform sends it to its own centre, which hands it on to
 * the insured place. Kept here as the Task that came back, under its number, so that asking again changes nothing. And the packet
 * for reimbursement by hand when direct settlement did not work: everything the insured place asks for, in one Bundle.
 */
import type { Bundle, ChargeItem, Coverage, Encounter, Invoice, Patient, Resource, Task } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { psnSystem, regionSystem } from '../fhir/claim-message.ts'
import { filingNumberSystem, filingTypeSystem, type FilingType } from '../fhir/clearing-message.ts'
import { instantInShanghai } from '../fhir/date-time.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import { typeCode } from '../fhir/resource-types.ts'
import { resourceOf, type StoredRow, storedOf } from '../records/content.ts'
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
import type { Filing, FilingAhead } from './shapes.ts'
import { unreachable } from './submit-claim.ts'
import { type Insurance, insuranceOn, loadInstitution, loadVisit, type Visit } from './visit.ts'

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

/** What is treated away from home: a visit, or an appointment that is still to come. */
interface Treatment extends Pick<Visit, 'pid' | 'shard' | 'patientId' | 'organizationId' | 'institutionCode' | 'serviceDate'> {
  /** `Encounter/…` or `Appointment/…` */
  about: string
}

/** Of a bill. Throws OutcomeError not-found, forbidden, coverage-missing, business-rule, insurer-unreachable, insurer-rejected. */
export async function fileTreatment(deps: Deps, ctx: Ctx, encounterId: string, type: FilingType): Promise<Filing> {
  const visit = await loadVisit(deps.db, encounterId)
  if (!visit) throw notFound(`Encounter/${encounterId}`)
  return file(deps, ctx, { ...visit, about: `Encounter/${encounterId}` }, type)
}

/** Of an appointment, before the visit. Throws as `fileTreatment`. */
export async function fileAhead(deps: Deps, ctx: Ctx, appointmentId: string, type: FilingType): Promise<Filing> {
  return file(deps, ctx, await treatmentAhead(deps.db, appointmentId), type)
}

/** Whether an appointment is one away from home, and filed. Throws OutcomeError not-found, forbidden. */
export async function readAhead(db: Db, ctx: Ctx, appointmentId: string): Promise<FilingAhead> {
  const treatment = await treatmentAhead(db, appointmentId)
  await assertMaySettle(db, ctx, treatment, treatment.about)
  const region = awayRegion(treatment, await insuranceOn(db, treatment))
  return { region, filed: region === null ? null : await filedFor(db, treatment) }
}

async function treatmentAhead(db: Db, appointmentId: string): Promise<Treatment> {
  const booking = await db.selectFrom('booking').select(['patient', 'organization', 'service_date']).where('id', '=', keyOf(appointmentId)).where('state', 'in', ['booked', 'checked-in', 'arrived'])
    .executeTakeFirst()
  const institution = booking && await loadInstitution(db, booking.organization)
  if (!institution) throw notFound(`Appointment/${appointmentId}`)
  const pid = keyOf(booking.patient)
  return { pid, shard: shardOf(pid), patientId: booking.patient, organizationId: institution.id, institutionCode: institution.code, serviceDate: booking.service_date, about: `Appointment/${appointmentId}` }
}

async function file({ db, store, gateway }: Deps, ctx: Ctx, treatment: Treatment, type: FilingType): Promise<Filing> {
  await assertMaySettle(db, ctx, treatment, treatment.about)
  const insurance = await insuranceOn(db, treatment)
  if (!insurance) throw coverageMissing()
  if (awayRegion(treatment, insurance) === null) throw fail('business-rule', { zh: '参保地就在本市，不需要异地就医备案。', en: 'The person is insured here, so no filing is needed.' })
  const answer = await gateway.file(filingTask(treatment, insurance, type, ctx.now))
  if (!answer) throw unreachable('no answer to the filing')
  const number = answer.identifier?.find((each) => each.system === filingNumberSystem)?.value
  if (answer.status !== 'accepted' || number === undefined) {
    const text = answer.statusReason?.text ?? answer.status
    throw fail('insurer-rejected', { zh: `参保地未受理备案：${text}`, en: `The insured place did not take the filing: ${text}` })
  }
  const kept: Task = { ...answer, id: number, for: { reference: `Patient/${treatment.patientId}`, ...answer.for }, focus: { reference: treatment.about } }
  await inTransaction(db, (trx) => writeResources(trx, ctx, store, [{ method: 'update', type: 'Task', id: number, resource: kept, ifMatch: null }], 'platform'))
  return filingOf(kept) ?? { number, type, from: treatment.serviceDate, until: null }
}

function filingTask(treatment: Treatment, insurance: Insurance, type: FilingType, at: Date): Task {
  return {
    resourceType: 'Task', status: 'requested', intent: 'order', code: { coding: [{ system: filingTypeSystem, code: type }] },
    for: { identifier: { system: psnSystem(insurance.region), value: insurance.psnNo } }, location: { identifier: { system: regionSystem, value: districtOf(treatment) ?? '' } },
    executionPeriod: { start: treatment.serviceDate }, authoredOn: instantInShanghai(at),
  }
}

function filingOf(task: Task): Filing | null {
  const number = task.identifier?.find((each) => each.system === filingNumberSystem)?.value
  const type = task.code?.coding?.find((each) => each.system === filingTypeSystem)?.code as FilingType | undefined
  const from = task.executionPeriod?.start?.slice(0, 10)
  if (number === undefined || type === undefined || from === undefined || task.status !== 'accepted') return null
  return { number, type, from, until: task.executionPeriod?.end?.slice(0, 10) ?? null }
}

const tasksMax = 100

/** The filing kept here that holds for a place and day; null when there is none, though the insured place may know another. */
export async function filedFor(db: Db, { pid, shard, institutionCode, serviceDate }: Pick<Treatment, 'pid' | 'shard' | 'institutionCode' | 'serviceDate'>): Promise<Filing | null> {
  const { rows } = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content from resource r
    where r.pid = ${pid}::uuid and r.t = ${sql.raw(String(typeCode('Task')))} and r.shard = ${shard} order by r.d0 desc, r.id limit ${tasksMax}`.execute(db)
  return rows.map((row) => resourceOf<Task>(storedOf('Task', row)))
    .filter((task) => (districtOf({ institutionCode }) ?? '').startsWith((task.location?.identifier?.value ?? '-').replace(/(00)+$/, '')))
    .map(filingOf).find((each) => each !== null && each.from <= serviceDate && (each.until === null || serviceDate <= each.until)) ?? null
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
