/**
 * The clinics of a hospital: a kind of clinic in a department, those that patterns hold and those the desk entered. A department has one HealthcareService,
 * made with its first clinic. A clinic is closed from a day on, when no pattern needs it any more, and may be opened again.
 */
import type { HealthcareService } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { fail, notFound, type OutcomeError } from '../fhir/outcome.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import { writeResources } from '../records/write-resources.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { ClinicServiceTable } from '../storage/tables.ts'
import { departmentName, findDepartment } from './departments.ts'
import { clinicTypeConcept, departmentConcept, english, reference } from './fhir-names.ts'
import { organizationShard } from './generate-sessions.ts'
import { assertEndDay, assertNotNeeded, lockHospital } from './keep-supply.ts'
import { recordSupplyChange } from './supply-changes.ts'

export type ClinicType = ClinicServiceTable['clinic_type']
export const clinicTypes = ['ordinary', 'expert', 'disease-specific', 'special-need'] as const satisfies readonly ClinicType[]

/** `closedFrom` null: offered. */
export interface OfferedService { id: string; department: string; clinicType: ClinicType; closedFrom: string | null }

export async function listServices(db: Db, organization: string): Promise<OfferedService[]> {
  const own = await db.selectFrom('clinic_service').selectAll().where('organization', '=', organization).execute()
  const held = await db.selectFrom('session_template').select(['healthcare_service', 'department', 'clinic_type']).distinct().where('organization', '=', organization).execute()
  const services = new Map<string, OfferedService>()
  for (const each of held) services.set(`${each.healthcare_service}/${each.clinic_type}`, { id: each.healthcare_service, department: each.department, clinicType: each.clinic_type, closedFrom: null })
  for (const each of own) services.set(`${each.healthcare_service}/${each.clinic_type}`, { id: each.healthcare_service, department: each.department, clinicType: each.clinic_type, closedFrom: each.closed_from })
  return [...services.values()].sort((a, b) => (a.department < b.department ? -1 : a.department > b.department ? 1 : clinicTypes.indexOf(a.clinicType) - clinicTypes.indexOf(b.clinicType)))
}

export function isOffered({ closedFrom }: Pick<OfferedService, 'closedFrom'>, day: string): boolean {
  return closedFrom === null || closedFrom > day
}

/** @param clinicType null: the service's only one. @throws OutcomeError `parameter-invalid` for what is not the hospital's or closed by then. */
export async function serviceOf(db: Db, organization: string, id: string | null, clinicType: ClinicType | null, day: string): Promise<OfferedService> {
  const offered = (await listServices(db, organization)).filter((each) => each.id === id && isOffered(each, day) && (clinicType === null || each.clinicType === clinicType))
  const [only] = offered
  if (only && offered.length === 1) return only
  throw offered.length === 0 ? invalid('service', '请选择本院的门诊服务。', 'Choose a service of the hospital.') : invalid('clinicType', '请选择门诊类型。', 'Choose the kind of clinic.')
}

/** @throws OutcomeError `parameter-invalid` for a department that citizens can not book, `business-rule` for a clinic that is offered already. */
export async function addService(trx: Trx, ctx: Ctx, store: Store, organization: string, { department, clinicType }: { department: string; clinicType: ClinicType }): Promise<void> {
  const hospital = await lockHospital(trx, organization)
  if (findDepartment(department) === null) throw invalid('department', '请选择可预约的科室。', 'Choose a department that can be booked.')
  const ofDepartment = (await listServices(trx, organization)).filter((each) => each.department === department)
  const known = ofDepartment.find((each) => each.clinicType === clinicType)
  if (known?.closedFrom === null) throw fail('business-rule', { zh: '本院这个科室已有这类门诊。', en: 'The hospital offers this kind of clinic in this department already.' })
  const shard = organizationShard(organization)
  const id = ofDepartment[0]?.id ?? ctx.newId(shard)
  const stored = await loadResource<HealthcareService>(trx, 'HealthcareService', id)
  await write(trx, ctx, store, { ...stored ?? newService(id, department, reference(`Organization/${organization}`, { zh: hospital.name_zh, en: hospital.name_en })), active: true, type: typesWith(stored, clinicType) }, stored === null)
  await trx.insertInto('clinic_service').values({ shard, healthcare_service: id, clinic_type: clinicType, organization, department, closed_from: null })
    .onConflict((conflict) => conflict.constraint('clinic_service_pkey').doUpdateSet({ closed_from: null })).execute()
  await recordSupplyChange(trx, ctx, { kind: 'service-new', subject: id, from: dayInShanghai(ctx.now), before: null, after: { department, clinicType }, sessions: 0, patients: 0 })
}

/** @throws OutcomeError `not-found`, `business-rule` while a pattern or a clinic of it lies behind that day. */
export async function closeService(trx: Trx, ctx: Ctx, store: Store, organization: string, { service, clinicType, from }: { service: string; clinicType: ClinicType; from: string }): Promise<void> {
  await lockHospital(trx, organization)
  assertEndDay(ctx, from)
  const services = (await listServices(trx, organization)).filter((each) => each.id === service)
  const found = services.find((each) => each.clinicType === clinicType && each.closedFrom === null)
  if (!found) throw notFound(service)
  await assertNotNeeded(trx, organization, { healthcare_service: service, clinic_type: clinicType }, from, {
    patterns: (count) => ({ zh: `还有 ${count} 个出诊属于这类门诊，请先停止。`, en: `${count} patterns are of this clinic. End them first.` }),
    clinics: { zh: '这一天以后还有这类门诊。', en: 'There are clinics of this kind after that day.' },
  })
  const row = { shard: organizationShard(organization), healthcare_service: service, clinic_type: clinicType, organization, department: found.department, closed_from: from }
  await trx.insertInto('clinic_service').values(row).onConflict((conflict) => conflict.constraint('clinic_service_pkey').doUpdateSet({ closed_from: from })).execute()
  const stored = await loadResource<HealthcareService>(trx, 'HealthcareService', service)
  if (stored) await write(trx, ctx, store, { ...stored, active: services.some((each) => each !== found && each.closedFrom === null), type: typesWithout(stored, clinicType) }, false)
  await recordSupplyChange(trx, ctx, { kind: 'service-closed', subject: service, from, before: { department: found.department, clinicType }, after: null, sessions: 0, patients: 0 })
}

function newService(id: string, department: string, providedBy: HealthcareService['providedBy']): HealthcareService {
  const name = departmentName(department)
  return { resourceType: 'HealthcareService', id, providedBy, specialty: [departmentConcept(department)], name: name.zh, _name: english(name.en) } as HealthcareService
}

const codeOf = (clinicType: ClinicType) => clinicTypeConcept(clinicType).coding?.[0]

function typesWithout(service: HealthcareService | null, clinicType: ClinicType): HealthcareService['type'] {
  const others = (service?.type ?? []).filter((each) => !each.coding?.some(({ system, code }) => system === codeOf(clinicType)?.system && code === clinicType))
  return others.length > 0 ? others : undefined
}

function typesWith(service: HealthcareService | null, clinicType: ClinicType): HealthcareService['type'] {
  return [...typesWithout(service, clinicType) ?? [], clinicTypeConcept(clinicType)]
}

async function write(trx: Trx, ctx: Ctx, store: Store, service: HealthcareService, fresh: boolean): Promise<void> {
  await writeResources(trx, ctx, store, [{ method: fresh ? 'create' : 'update', type: 'HealthcareService', id: service.id as string, resource: service, ifMatch: null }], 'platform')
}

function invalid(field: string, zh: string, en: string): OutcomeError {
  return fail('parameter-invalid', { zh, en }, field)
}
